"""What can be done to lockdowns: approving, enforcing, releasing, giving up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from fairway.accounts import queries as accounts
from fairway.approvals import queries as approvals
from fairway.audit.commands import Command, Plan, expect
from fairway.calendars import queries
from fairway.calendars.events import CalendarEvent
from fairway.calendars.models import FOREVER, Window
from fairway.calendars.rules import Window as Compiled
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Forbidden
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref


class ApproveLockdown(Command, name=CalendarEvent.LOCKDOWN_APPROVE):
    """Say yes to a drafted lockdown; it takes somebody else than who drafted it."""

    permission: ClassVar[str] = "calendars.edit"
    window: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = _lockdown(self, actor, "approved", Window.Status.DRAFT, lock=lock)
        if actor.pk is None or actor.kind != "person":
            raise Forbidden("Only a person can approve a lockdown.")
        if actor.pk in approvals.barred([found.drafted_by_id], at=at):
            raise Forbidden(
                f"Who drafted {found.key}, or stands in for them, cannot approve it; ask somebody else."
            )
        values = {"status": Window.Status.APPROVED, "approved_by_id": actor.pk}
        return Plan(subject=found, change=[(found, values)])


class EnforceLockdown(Command, name=CalendarEvent.LOCKDOWN_ENFORCE):
    """Put an approved lockdown in force: nothing in its scope starts any more, and work in flight is held."""

    permission: ClassVar[str] = "calendars.edit"
    window: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        if lock:
            queries.gate(alone=True)
        found = _lockdown(self, actor, "enforced", Window.Status.APPROVED, lock=lock)
        values = {"status": Window.Status.ENFORCED, "starts_at": at, "ends_at": None}
        now = replace(queries.compiled_of(found, at=at), when=Period(at, FOREVER), until_released=True)
        follow = [command for work in _in_flight for command in work.held_by(now, at)]
        return Plan(subject=found, change=[(found, values)], note={"held": len(follow)}, follow=follow)


class ReleaseLockdown(Command, name=CalendarEvent.LOCKDOWN_RELEASE):
    """End a lockdown: what it held goes on, unless another one or a person holds it."""

    permission: ClassVar[str] = "calendars.edit"
    window: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        if lock:
            queries.gate(alone=True)
        found = _lockdown(self, actor, "released", Window.Status.ENFORCED, lock=lock)
        assert found.starts_at is not None  # noqa: S101 - what is enforced began
        ends = max(at, found.starts_at + timedelta(microseconds=1))
        follow = [command for work in _in_flight for command in work.let_go(found.ref(), at)]
        values = {"status": Window.Status.RELEASED, "ends_at": ends}
        return Plan(subject=found, change=[(found, values)], note={"let_go": len(follow)}, follow=follow)


class CancelLockdown(Command, name=CalendarEvent.LOCKDOWN_CANCEL):
    """Give up a lockdown that was not enforced."""

    permission: ClassVar[str] = "calendars.edit"
    window: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = _lockdown(self, actor, "cancelled", Window.Status.DRAFT, Window.Status.APPROVED, lock=lock)
        return Plan(subject=found, change=[(found, {"status": Window.Status.CANCELLED})])


LOCKDOWN_STEPS: Mapping[str, type[ApproveLockdown | EnforceLockdown | ReleaseLockdown | CancelLockdown]] = {
    "approve": ApproveLockdown,
    "enforce": EnforceLockdown,
    "release": ReleaseLockdown,
    "cancel": CancelLockdown,
}


@dataclass(frozen=True, slots=True)
class InFlight:
    """Work of one kind that a lockdown holds while it goes on, as a context above makes it known.

    `held_by`: the commands that hold what a lockdown hits from an instant on. `let_go`: those that let go
    what it held.
    """

    held_by: Callable[[Compiled, datetime], Sequence[Command]]
    let_go: Callable[[Ref, datetime], Sequence[Command]]


_in_flight: list[InFlight] = []


def holds(work: InFlight) -> None:
    """Make known a kind of work that lockdowns hold; called once by its context, at start."""
    _in_flight.append(work)


def _lockdown(given: Any, actor: Actor, done: str, *states: str, lock: bool) -> Window:
    """Return the lockdown, for a step that exists in these states.

    :raises Conflict: it is in another one, or no lockdown.
    """
    found = queries.window(actor, given.window, lock=lock)
    accounts.require(actor, given.permission, at=found.organisation_id)
    expect(found, given.version)
    if found.archived_at is not None or found.status not in states:
        state = "archived" if found.archived_at else found.status or "no lockdown"
        raise Conflict(f"{found.key} is {state}: it cannot be {done} now.", code="calendars.lockdown.illegal")
    return found
