"""The command frame: the one way in which anything is written.

A command has two parts: `plan` reads and decides, the frame applies: in one transaction it locks, plans again, writes
the rows, brings the projections up to date and appends the event last. Page, API, command line, import and job
call the same commands through `execute`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import groupby, islice
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import msgspec
from django.apps import apps
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import F, ForeignKey, Model

from fairway.audit.models import ChainHead, Denial, Event, EventRow, EventText, IdempotentRequest, Revision
from fairway.audit.rules import LoggedEvent, LoggedRow, canonical, commitment, instant
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Busy, Conflict, FieldError, Forbidden, Invalid, Problem, Refused, Stale
from fairway.kernel.models import Row, Versioned
from fairway.kernel.numbers import next_numbers
from fairway.kernel.refs import Ref
from fairway.policy import ALLOW, Decision

registry: dict[str, type[Command]] = {}
"""Every command by name: page, API, command line, bulk, import and job find it here."""


class _CommandMeta(type(msgspec.Struct)):  # type: ignore[misc]
    def __new__(
        mcls,
        class_name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        name: str = "",
        **options: Any,
    ) -> Any:
        made = super().__new__(
            mcls,
            class_name,
            bases,
            namespace,
            frozen=True,
            kw_only=True,
            forbid_unknown_fields=True,
            **options,
        )
        if name:
            if name in registry:
                raise RuntimeError(f"two commands are called {name}")
            made.command = name
            registry[name] = made
        return made


@dataclass(slots=True)
class Plan:
    """What a command would do. Rows are written in the order create, change, remove; parents stand before children.

    `subject`: the record the event is about. `note`: plain facts for the event, chained; `texts`: free text, kept
    beside the chain. `refusal`: the sentence when the decision denies.
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


class Command(msgspec.Struct, metaclass=_CommandMeta):
    """One thing that somebody can do, as a typed value; `permission` is what it needs (told in the API's document)."""

    command: ClassVar[str] = ""
    permission: ClassVar[str] = ""

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        """Authorise, validate and decide; reads only. With `lock` it first locks what its rules may block on.

        :raises NotFound: the actor sees no such thing. :raises Forbidden: sees it, may not do this.
        :raises Invalid: the argument is wrong, by field.
        """
        raise NotImplementedError(type(self).__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a command; `sequence` is its event's number, None where nothing had to change."""

    decision: Decision
    subject: Ref | None = None
    sequence: int | None = None
    created: bool = False
    answer: Any = None


def build(name: str, arguments: Mapping[str, Any]) -> Command:
    """Make a command by name from plain values.

    :raises KeyError: no such command. :raises Invalid: the arguments do not fit, by field.
    """
    return convert(arguments, registry[name])


T = TypeVar("T")


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


def preview(command: Command, *, actor: Actor, at: datetime | None = None) -> Plan:
    """Say what the command would do; takes no lock and writes nothing."""
    return command.plan(actor=actor, at=at or datetime.now(UTC))


def execute(
    command: Command, *, actor: Actor, at: datetime | None = None, idempotent: IdempotentRequest | None = None
) -> Outcome:
    """Run the command in one transaction and record it.

    :raises Refused: the decision denies; its findings are in `decision`. :raises Stale: a row changed meanwhile.
    :raises Busy: the database could not give the writer's turn in time. And whatever `plan` raises.
    """
    at = at or datetime.now(UTC)

    def run() -> Outcome:
        with transaction.atomic():
            journal = Journal(actor, at)
            outcome = journal.run(command)
            journal.close()
            outcome = journal.numbered(outcome)
            if idempotent is not None:
                idempotent.outcome = canonical(
                    {"sequence": outcome.sequence, "created": outcome.created, "subject": outcome.subject}
                )
                idempotent.save(update_fields=["outcome"])
            return outcome

    try:
        return _persist(run)
    except (Refused, Forbidden) as denial:
        _record_denial(command, denial, actor=actor, at=at)
        raise


def execute_many(
    commands: Iterable[Command], *, actor: Actor, at: datetime | None = None, batch: int = 500
) -> Iterator[Outcome | Problem]:
    """Run commands one after the other, each for itself; answers come in the order of the commands.

    A batch is one transaction with its events in bulk. What one command raises is its answer and undoes only
    what it wrote; the others stand.
    """
    at = at or datetime.now(UTC)
    left = iter(commands)
    while some := list(islice(left, batch)):

        def run(some: Sequence[Command] = some) -> list[Outcome | Problem]:
            answers: list[Outcome | Problem] = []
            with transaction.atomic():
                journal = Journal(actor, at)
                for command in some:
                    try:
                        with transaction.atomic():
                            answers.append(journal.run(command))
                    except Problem as problem:
                        answers.append(problem)
                journal.close()
                return [journal.numbered(a) if isinstance(a, Outcome) else a for a in answers]

        yield from _persist(run)


@dataclass(slots=True)
class _Entry:
    """An event in the making."""

    command: str
    subject: Ref | None
    note: Mapping[str, Any]
    texts: Mapping[str, str]
    rows: list[tuple[str, str, int | None, str, dict[str, Any], dict[str, Any]]] = field(default_factory=list)


class Journal:
    """Runs the commands of one transaction, and closes it with projections and events as its last statements."""

    def __init__(self, actor: Actor, at: datetime) -> None:
        self.actor, self.at = actor, at
        self._entries: list[_Entry] = []
        self._touched: dict[str, list[Row]] = {}
        self._first = 0

    def run(self, command: Command) -> Outcome:
        plan = command.plan(actor=self.actor, at=self.at, lock=True)
        if plan.decision.denied:
            raise refused(plan)
        entry = _Entry(command.command, None, plan.note, plan.texts)
        for model, group in groupby(plan.create, type):
            self._create(model, list(group), entry)
        for row, values in plan.change:
            self._change(row, values, entry)
        for row in plan.remove:
            self._remove(row, entry)
        entry.subject = plan.subject.ref() if plan.subject is not None else None
        position = None
        if entry.rows or entry.note or entry.texts:
            self._entries.append(entry)
            position = len(self._entries)  # becomes the sequence when the journal closes
        created = any(row is plan.subject for row in plan.create)
        return Outcome(plan.decision, entry.subject, position, created, plan.answer)

    def numbered(self, outcome: Outcome) -> Outcome:
        """Return the outcome with its event's number, once the journal is closed."""
        if outcome.sequence is None:
            return outcome
        return replace(outcome, sequence=self._first + outcome.sequence)

    def close(self) -> None:
        """Bring projections up to date and append the events, the head locked last and briefly."""
        if not self._entries:
            return
        for labels, project in _projections:
            rows = [row for label in labels for row in self._touched.get(label, ())]
            if rows:
                project(rows)
        head = ChainHead.objects.select_for_update().get()
        self._first = head.sequence
        events, rows, texts = [], [], []
        for entry in self._entries:
            event, its_rows, its_texts = self._seal(entry, head)
            events.append(event)
            rows += its_rows
            texts += its_texts
        Event.objects.bulk_create(events)
        EventRow.objects.bulk_create(rows, batch_size=500)
        if texts:
            EventText.objects.bulk_create(texts, batch_size=500)
        ChainHead.objects.update(sequence=head.sequence, hash=head.hash)
        labels = {label.partition(".")[0] for label in self._touched}
        Revision.objects.bulk_create(
            [Revision(label=label, value=head.sequence) for label in sorted(labels)],
            update_conflicts=True, unique_fields=["label"], update_fields=["value"],
        )  # fmt: skip

    def _create(self, model: type[Row], rows: list[Row], entry: _Entry) -> None:
        if any(getattr(row, "number", 0) is None for row in rows):
            unnumbered = [row for row in rows if getattr(row, "number", 0) is None]
            numbers = next_numbers(unnumbered[0].kind, len(unnumbered))  # type: ignore[attr-defined]
            for row, number in zip(unnumbered, numbers, strict=True):
                row.number = number  # type: ignore[attr-defined]
        for row in rows:
            if isinstance(row, Versioned) and row.created_at is None:
                row.created_at = self.at
            row.before_write()
        model._default_manager.bulk_create(rows)
        for row in rows:
            after = {f.attname: getattr(row, f.attname) for f in _logged_fields(model)}
            self._note(row, "create", {}, after, entry)

    def _change(self, row: Row, values: Mapping[str, Any], entry: _Entry) -> None:
        fields = {f.name: f for f in row._meta.concrete_fields}
        before, after = {}, {}
        for name, value in values.items():
            attname = fields[name].attname
            old = getattr(row, attname)
            setattr(row, name, value)
            if getattr(row, attname) != old:
                before[attname], after[attname] = old, getattr(row, attname)
        if not after:
            return
        row.before_write()
        written = {name: getattr(row, name) for name in after}
        if "name_folded" in fields and "name" in after:
            written["name_folded"] = row.name_folded  # type: ignore[attr-defined]
        matching = type(row)._default_manager.filter(pk=row.pk)
        if isinstance(row, Versioned):
            matching, written = matching.filter(version=row.version), {**written, "version": F("version") + 1}
        if matching.update(**written) == 0:
            raise Stale(f"{row} was changed by somebody else meanwhile; read it again.")
        if isinstance(row, Versioned):
            row.version += 1
        self._note(row, "change", before, after, entry)

    def _remove(self, row: Row, entry: _Entry) -> None:
        before = {f.attname: getattr(row, f.attname) for f in _logged_fields(type(row))}
        self._note(row, "remove", before, {}, entry)
        type(row)._default_manager.filter(pk=row.pk).delete()

    def _note(
        self, row: Row, action: str, before: dict[str, Any], after: dict[str, Any], entry: _Entry
    ) -> None:
        self._touched.setdefault(row._meta.label, []).append(row)
        names = [name for name in {**before, **after} if name not in row.unlogged]
        changed = {
            name: [_plain(row, name, before.get(name)), _plain(row, name, after.get(name))] for name in names
        }
        texts = {name: changed.pop(name) for name in names if name in row.free_text}
        if not any(any(pair) for pair in texts.values()):
            texts = {}  # empty words need no digest
        entry.rows.append((row._meta.label, str(row.uid), row.owning_organisation, action, changed, texts))

    def _seal(self, entry: _Entry, head: ChainHead) -> tuple[Event, list[EventRow], list[EventText]]:
        """Turn the entry into the next event of the chain and move the head."""
        texts: list[EventText] = []

        def chained(position: int, facts: Mapping[str, Any], words: Mapping[str, Any]) -> str:
            if not words:
                return canonical(facts)
            salt = secrets.token_hex(16)
            texts.append(EventText(event_id=sequence, position=position, salt=salt, texts=words))
            return canonical({**facts, "_texts": commitment(salt, words)})

        sequence = head.sequence + 1
        subject, actor = entry.subject, self.actor
        data = chained(0, entry.note, entry.texts)
        logged_rows = [
            LoggedRow(position, label, uid, organisation, action, chained(position, facts, words))
            for position, (label, uid, organisation, action, facts, words) in enumerate(entry.rows, start=1)
        ]
        logged = LoggedEvent(
            sequence=sequence,
            at=instant(self.at),
            actor_kind=actor.kind,
            actor_uid=actor.uid,
            on_behalf_of=actor.on_behalf_of,
            request_id=actor.request_id[:64],
            command=entry.command,
            subject_kind=subject.kind if subject else "",
            subject_uid=subject.uid if subject else "",
            subject_key=subject.key if subject else "",
            organisation=subject.organisation if subject else None,
            data=data,
            rows=logged_rows,
            previous_hash=head.hash,
        )
        event = Event(
            sequence=sequence,
            at=self.at,
            actor_kind=logged.actor_kind,
            actor_uid=UUID(actor.uid),
            on_behalf_of=logged.on_behalf_of,
            request_id=logged.request_id,
            command=logged.command,
            subject_kind=logged.subject_kind,
            subject_uid=UUID(logged.subject_uid) if logged.subject_uid else None,
            subject_key=logged.subject_key,
            organisation_id=logged.organisation,
            data=data,
            previous_hash=head.hash,
            hash=logged.digest(),
        )
        rows = [
            EventRow(
                event_id=sequence,
                position=row.position,
                model=row.model,
                row_uid=UUID(row.uid),
                organisation_id=row.organisation,
                action=row.action,
                changes=row.changes,
            )
            for row in logged_rows
        ]
        head.sequence, head.hash = sequence, event.hash
        return event, rows, texts


_projections: list[tuple[tuple[str, ...], Callable[[Sequence[Any]], None]]] = []
Project = TypeVar("Project", bound=Callable[[Sequence[Any]], None])


def projection(*labels: str) -> Callable[[Project], Project]:
    """Register what brings a projection up to date when rows of these models were written.

    It runs once per transaction, after the rows and before the event, with every row written or removed.
    """

    def register(project: Project) -> Project:
        _projections.append((labels, project))
        return project

    return register


def refused(plan: Plan) -> Refused:
    """Return the problem that tells why a plan was denied; `decision` on it holds the findings."""
    problem = Refused(plan.refusal or "This is not possible now; see the findings.")
    problem.decision = plan.decision
    return problem


def expect(record: Versioned, version: int | None) -> None:
    """Check that the caller edits what it read.

    :raises Stale: the record has moved on; None: no check was asked for.
    """
    if version is not None and record.version != version:
        raise Stale(
            f"{record.key} is at version {record.version}; you edit version {version}. Read it again and repeat.",
            extra={"version": record.version},
        )


def _persist(run: Callable[[], T]) -> T:
    """Run a whole transaction, again when the database asks for that, at most three times."""
    if connection.in_atomic_block:
        return run()
    for attempt in range(3):
        try:
            return run()
        except IntegrityError as error:
            raise Conflict(
                "Somebody else wrote the same at this moment; read it again and repeat.",
                code="written-meanwhile",
            ) from error
        except OperationalError as error:
            state = getattr(error.__cause__, "sqlstate", "")
            if state in {"40001", "40P01"} and attempt < 2:
                time.sleep(0.01 * (attempt + 1))
                continue
            if state in {"40001", "40P01", "55P03"} or "locked" in str(error):
                raise Busy(
                    "Many are writing at this moment; try again.", headers={"Retry-After": "2"}
                ) from error
            raise
    raise AssertionError("the loop returns or raises")


def _record_denial(command: Command, denial: Problem, *, actor: Actor, at: datetime) -> None:
    """Leave one denial a minute for a known actor, with a counter; a transaction of its own."""
    if actor.pk is None:
        return
    subject = next(
        (v for v in (getattr(command, name) for name in command.__struct_fields__) if isinstance(v, str)), ""
    )
    key = {
        "actor_uid": UUID(actor.uid),
        "command": command.command,
        "subject": subject[:110],
        "code": denial.code,
        "minute": at.replace(second=0, microsecond=0),
    }
    with transaction.atomic():
        if not Denial.objects.filter(**key).update(count=F("count") + 1):
            Denial.objects.bulk_create([Denial(**key)], ignore_conflicts=True)


@lru_cache(maxsize=512)
def _logged_fields(model: type[Row]) -> tuple[Any, ...]:
    left_out = {"id", "uid", "version", "name_folded"} | model.unlogged
    return tuple(f for f in model._meta.concrete_fields if f.name not in left_out)


@lru_cache(maxsize=512)
def _foreign(model: type[Model], attname: str) -> str | None:
    """Return the label of the model that a column points at, where its rows have a uid."""
    found = next(f for f in model._meta.concrete_fields if f.attname == attname)
    if isinstance(found, ForeignKey) and issubclass(found.related_model, Row):
        return found.related_model._meta.label
    return None


@lru_cache(maxsize=100_000)
def _uid_of(label: str, pk: int) -> str:
    """Return the uid of a row; it never changes, so it may be remembered."""
    return str(apps.get_model(label)._default_manager.values_list("uid", flat=True).get(pk=pk))


def _plain(row: Row, attname: str, value: Any) -> Any:
    """Return a column's value as the log keeps it: references by uid, instants in canonical form."""
    if value is None or isinstance(value, bool | int | str | list | dict):
        label = _foreign(type(row), attname) if isinstance(value, int) and attname.endswith("_id") else None
        if label is None:
            return value
        related = row._state.fields_cache.get(attname.removesuffix("_id"))
        return str(related.uid) if related is not None and related.pk == value else _uid_of(label, value)
    if isinstance(value, datetime):
        return instant(value) if value.tzinfo else value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return str(value)
