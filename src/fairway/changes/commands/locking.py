"""What lockdowns do to changes: work in flight is held, and goes on once they are released."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from fairway.audit.commands import Command, Plan
from fairway.calendars import queries as calendars
from fairway.calendars.commands import InFlight, holds
from fairway.calendars.queries import Compiled
from fairway.changes import queries
from fairway.changes.events import ChangeEvent
from fairway.changes.models import Change
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Conflict
from fairway.kernel.refs import Ref


class LockChange(Command, name=ChangeEvent.LOCK):
    """Hold a change that is being worked on, as part of enforcing a lockdown; never run by itself."""

    change: str
    lockdown: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        if not calendars.enforced(self.lockdown):
            raise _by_itself()
        found = queries.change(SYSTEM, self.change, lock=lock)
        if not queries.workflow(found.model).is_("in_progress", found.state) or found.locked_at is not None:
            return Plan(subject=found)
        return Plan(subject=found, change=[(found, {"locked_at": at, "locked_by": self.lockdown})])


class UnlockChange(Command, name=ChangeEvent.UNLOCK):
    """Let a change go that a lockdown held, or hand it to another lockdown; part of the release."""

    change: str
    lockdown: str
    heir: str = ""

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        if calendars.enforced(self.lockdown) or (self.heir and not calendars.enforced(self.heir)):
            raise _by_itself()
        found = queries.change(SYSTEM, self.change, lock=lock)
        if found.locked_by != self.lockdown:
            return Plan(subject=found)
        values = {"locked_by": self.heir, "locked_at": found.locked_at if self.heir else None}
        return Plan(subject=found, change=[(found, values)])


def _by_itself() -> Conflict:
    return Conflict("Changes are locked and let go by lockdowns alone; enforce or release one.")


def held_by(lockdown: Compiled, at: datetime) -> Sequence[Command]:
    """Return what holds the changes that are being worked on and that the lockdown concerns."""
    return [
        LockChange(change=ref.key, lockdown=lockdown.ref.key) for ref in queries.in_flight(lockdown, at=at)
    ]


def let_go(lockdown: Ref, at: datetime) -> Sequence[Command]:
    """Return what lets go the changes that the lockdown held; another that is enforced takes over its own."""
    locked = Change.objects.filter(locked_by=lockdown.key).order_by("pk")
    keys = [f"{Change.prefix}-{number}" for number in locked.values_list("number", flat=True)]
    heirs = {
        ref.key: other.ref.key
        for other in queries.lockdowns()
        if keys and other.ref != lockdown
        for ref in queries.in_flight(other, at=at)
    }
    return [UnlockChange(change=key, lockdown=lockdown.key, heir=heirs.get(key, "")) for key in keys]


holds(InFlight(held_by, let_go))
