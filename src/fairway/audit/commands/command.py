"""What a command is, and what it plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

import msgspec

from fairway.kernel.actor import Actor
from fairway.kernel.errors import FieldError, Invalid, Refused, Stale
from fairway.kernel.models import Row, Versioned
from fairway.kernel.refs import Ref
from fairway.policy import ALLOW, Decision

T = TypeVar("T")
registry: dict[str, type[Command]] = {}
"""Every command by name: page, API, command line, bulk, import and job find it here."""


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,))
class _CommandMeta(msgspec.StructMeta):
    """Makes commands frozen, keyword-only and strict, and enters them in the registry by their name."""

    def __new__(
        mcls,
        class_name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        name: str = "",
        **options: Any,
    ) -> Any:
        made: Any = super().__new__(
            mcls,
            class_name,
            bases,
            namespace,
            **{"frozen": True, "kw_only": True, "forbid_unknown_fields": True, **options},
        )
        if name:
            if name in registry:
                raise RuntimeError(f"two commands are called {name}")
            made.command = name
            registry[name] = made
        return made


@dataclass(slots=True)
class Plan:
    """What a command would do. Rows are written in the order create, change, remove; parents before children.

    `subject`: the record the event is about. `note`: plain facts for the event, chained; `texts`: free
    text, kept
    beside the chain. `refusal`: the sentence when the decision denies; it is shown to whoever asked, so it
    names nothing that they might not see. `answer`: a value for the caller that is stored nowhere, such as a
    secret. `follow`: commands that are part of this one: the frame runs them right after it, by the same
    actor in the same transaction, each with an event of its own; where one is refused, all is.
    """

    decision: Decision = ALLOW
    subject: Versioned | None = None
    create: Sequence[Row] = ()
    change: Sequence[tuple[Row, Mapping[str, Any]]] = ()
    remove: Sequence[Row] = ()
    note: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    refusal: str = ""
    answer: Any = None
    follow: Sequence[Command] = ()


class Command(msgspec.Struct, metaclass=_CommandMeta):
    """One thing that somebody can do, as a typed value; `permission`: what it needs, told in the API's
    document.
    """

    command: ClassVar[str] = ""
    permission: ClassVar[str] = ""
    independent: ClassVar[bool] = False
    """Many may be planned before any is written; where two meet all the same, the database refuses."""
    undoable: ClassVar[bool] = False
    """Whether it may be taken back: the rows that it wrote are all that it did."""

    @classmethod
    def may_undo(cls, subject: Versioned, *, actor: Actor) -> bool:
        """Check what its `permission` cannot tell before it is taken back; True: this decides, not that.

        :raises Forbidden: not by this actor. :raises Conflict: not in the present state of the record.
        """
        return False

    @classmethod
    def weigh_undo(cls, plan: Plan, *, actor: Actor) -> Decision:
        """Decide whether the rows that would take it back may be written; a command that is refused by a
        decision of its own lets that speak here too.
        """
        return ALLOW

    @classmethod
    def read_ahead(cls, commands: Sequence[Self], *, actor: Actor, lock: bool) -> None:
        """Read in few statements what planning all of these will ask (kernel.ahead); `lock`: as in `plan`."""

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        """Authorise, validate and decide; reads only. With `lock` it first locks what its rules may block on.

        :raises NotFound: the actor sees no such thing. :raises Forbidden: sees it, may not do this.
        :raises Invalid: the argument is wrong, by field.
        """
        raise NotImplementedError(type(self).__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a command; `sequence` is its event's number, None where nothing had to change.

    `repeated`: it was not run, for it had been under the same Idempotency-Key; then there is no `answer`.
    """

    decision: Decision
    subject: Ref | None = None
    sequence: int | None = None
    created: bool = False
    answer: Any = None
    repeated: bool = False
    version: int | None = None
    """The subject's, once written."""


def build(name: str, arguments: Mapping[str, Any]) -> Command:
    """Make a command by name from plain values.

    :raises KeyError: no such command. :raises Invalid: the arguments do not fit, by field.
    """
    return convert(arguments, registry[name])


def convert(arguments: Any, into: type[T]) -> T:
    """Turn plain values into a typed one.

    :raises Invalid: they do not fit; names the field.
    """
    try:
        return msgspec.convert(arguments, into, strict=False)
    except msgspec.ValidationError as cause:
        raise invalid(cause) from cause


def invalid(cause: msgspec.ValidationError) -> Invalid:
    """Turn msgspec's message (`Expected int, got str - at $.windows[0].start`) into ours, by field."""
    message, _, path = str(cause).partition(" - at `$")
    name = path.rstrip("`").lstrip(".")
    for start in ("Object contains unknown field `", "Object missing required field `"):
        if message.startswith(start):
            leaf = message.removeprefix(start).rstrip("`")
            name = f"{name}.{leaf}" if name else leaf
            message = (
                "There is no such field, or it cannot be set." if "unknown" in start else "This is needed."
            )
    return Invalid(f"{name}: {message}" if name else message, errors=[FieldError(name or "body", message)])


def refused(plan: Plan, command: Command | None = None) -> Refused:
    """Return the problem that tells why a plan was denied; `decision` on it holds the findings.

    The command gives its code: environments.booking.approve is refused with environments.booking.refused.
    """
    what = command.command.rpartition(".")[0] if command is not None else ""
    problem = Refused(
        plan.refusal or "This is not possible now; see the findings.",
        code=f"{what}.refused" if what else None,
        title=f"{what.rpartition('.')[2].replace('_', ' ').capitalize()} refused" if what else None,
    )
    problem.decision = plan.decision
    return problem


def expect(record: Versioned, version: int | None) -> None:
    """Check that the caller edits what it read.

    :raises Stale: the record has moved on; None: no check was asked for.
    """
    if version is not None and record.version != version:
        raise Stale(
            f"{record.key} is at version {record.version}; you edit version {version}."
            " Read it again and repeat.",
            extra={"version": record.version},
        )
