"""Taking back what was done: the inverse of an event's rows, as a command of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.utils.translation import gettext as _

from fairway.accounts import queries as accounts
from fairway.audit import queries as audit
from fairway.audit.commands import Command, Moved, Plan, inverse
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, NotFound
from fairway.kernel.models import Row
from fairway.policy import tell
from fairway.workspace import queries
from fairway.workspace.events import WorkspaceEvent


class UndoEvent(Command, name=WorkspaceEvent.UNDO):
    """Take back what one event did, within ten minutes; undoing that event again does it anew.

    It needs what the command itself needs, wherever its rows stand. It is refused where anybody has changed
    since what would be put back.
    """

    undoable: ClassVar[bool] = True
    event: int

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        """Say what would be put back.

        :raises NotFound: no such event for the actor. :raises Forbidden: may not do that there.
        :raises Conflict: it cannot be taken back, or no longer.
        """
        event = audit.event(self.event, organisations=accounts.access(actor).organisations)
        if event is None:
            raise _nothing(self.event)
        command = queries.undoable(event)
        if command is None:
            raise Conflict(_("This cannot be undone."), code="workspace.undo.never")
        if not queries.undo_in_time(event, at=at):
            raise Conflict(
                _("This was done more than ten minutes ago; others may build on it. Edit it instead."),
                code="workspace.undo.too-late",
            )
        try:
            found = inverse(event, at=at, lock=lock)
        except Moved as moved:
            self._authorise(command, {_place(moved)}, actor)
            raise _told(moved, self.event, actor) from moved
        decided = found.subject is not None and command.may_undo(found.subject, actor=actor)
        if not decided:
            self._authorise(command, found.places, actor)
        note = {"undoes": self.event, "command": command.command}
        plan = Plan(
            subject=found.subject, create=found.create, change=found.change, remove=found.remove, note=note
        )
        decision = command.weigh_undo(plan, actor=actor)
        refusal = tell(decision.findings[0]) if decision.denied else ""
        return replace(plan, decision=decision, refusal=refusal)

    def _authorise(self, command: type[Command], places: set[int | None], actor: Actor) -> None:
        organisations = accounts.access(actor).organisations
        if organisations is not None and not {p for p in places if p is not None} <= organisations:
            raise _nothing(self.event)
        for place in sorted(places, key=lambda place: place or 0):
            accounts.require(actor, command.permission, at=place)


def _nothing(sequence: int) -> NotFound:
    return NotFound(_("There is no event %(number)d.") % {"number": sequence})


def _place(moved: Moved) -> int | None:
    row: Row | None = moved.row
    return row.owning_organisation if row is not None else None


def _told(moved: Moved, since: int, actor: Actor) -> Conflict:
    """Say whose later write stands in the way."""
    key: Any = getattr(moved.row, "key", "") or _("A part of it")
    last = audit.last_writer(UUID(moved.logged.uid), after=since)
    if last is None:
        return moved
    uid, at = last
    name = _("you") if uid == actor.uid else accounts.names([uid]).get(uid, "Fairway")
    when = accounts.words(actor).instant(at)
    told = _("%(key)s was changed since by %(who)s (%(when)s), so this cannot be undone; edit it instead.")
    return Conflict(told % {"key": key, "who": name, "when": when}, code="workspace.undo.moved-on")


def undo_of(request_id: str, *, actor: Actor) -> list[UndoEvent]:
    """Return what takes back all that one request of the actor did, the last first."""
    numbers = audit.asked_for(request_id, UUID(actor.uid), limit=queries.MOST_UNDONE)
    return [UndoEvent(event=number) for number in numbers]
