"""Changing a window that is in force: what it hits is told first, and each change hit is decided about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

from django.utils.translation import gettext as _

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan
from fairway.calendars import commands as calendars
from fairway.calendars import queries as windows
from fairway.calendars.commands import WindowEdit
from fairway.calendars.events import CalendarEvent
from fairway.changes import queries
from fairway.changes.commands.reading import Instant, Span, text
from fairway.changes.commands.stepping import CancelChange
from fairway.changes.commands.writing import RescheduleChange
from fairway.changes.events import ChangeEvent
from fairway.changes.models import Waiver
from fairway.changes.queries import Hit
from fairway.changes.rules.waiving import other_of, waivable
from fairway.kernel.actor import Actor
from fairway.kernel.errors import FieldError, Invalid

Choice = Literal["keep", "move", "cancel", "ask"]


class AskOwner(Command, name=ChangeEvent.ASK):
    """Ask the people of a change what is to become of it; they are told, and nothing else happens."""

    permission: ClassVar[str] = "calendars.edit"
    change: str
    question: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        accounts.require(actor, self.permission, at=None)
        found = queries.change(actor, self.change)
        return Plan(subject=found, note={"asked": True}, texts={"question": text(self.question, "question")})


class KeepChange(Command, name=ChangeEvent.WAIVER_KEEP):
    """Keep a change where a window is about to stop it: ask for a waiver from what that window will say.

    Part of changing the window: what stops it is known before it does, and told as findings would be.
    """

    permission: ClassVar[str] = "calendars.edit"
    change: str
    finding: str
    rule: str
    window: str
    other_kind: str
    other: str
    other_key: str
    waivable_by: str
    starts_at: Instant
    ends_at: Instant
    reason: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        accounts.require(actor, self.permission, at=None)
        found = queries.change(actor, self.change, lock=lock)
        scope = windows.window(actor, self.window).organisation_id
        accounts.require(actor, self.permission, at=scope)
        waiting = Waiver.objects.filter(change=found, finding=self.finding, state=Waiver.State.REQUESTED)
        if waiting.exists():
            return Plan(subject=found)
        made = Waiver(
            change=found,
            organisation_id=found.organisation_id,
            finding=self.finding,
            rule=self.rule,
            other_kind=self.other_kind,
            other_uid=self.other,
            other_key=self.other_key,
            scope_id=scope if self.other_kind == "window" else found.organisation_id,
            waivable_by=self.waivable_by,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            expires_at=self.ends_at,
            reason=text(self.reason, "reason"),
            requested_by_id=actor.pk,
        )
        return Plan(subject=made, create=[made])


@dataclass(frozen=True, slots=True)
class Replanned:
    """What an edit of a window does to changes; `moves`: where those go that are to be moved."""

    hits: tuple[Hit, ...]
    moves: dict[str, tuple[Span, ...]]


class ReplanWindow(Command, name=CalendarEvent.WINDOW_REPLAN):
    """Change a window, and do with each change that it newly stops what was chosen, all in one transaction.

    keep: it stays, and a waiver is asked for from what the window then says. move: to its first free slot.
    cancel: it is given up. ask: its people are asked. Every change that the actor sees needs a choice; a dry
    run without any tells which those are.
    """

    permission: ClassVar[str] = "calendars.edit"
    window: str
    edit: WindowEdit
    choices: dict[str, Choice] = {}
    version: int | None = None
    asking: bool = False
    """Only tell: choices may be missing, and nothing is written."""

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        """Say what the edit hits, and what would be done about it.

        :raises Invalid: a choice is missing, or names what is not hit. And what the commands raise.
        """
        edit = self.edit.of(self.window, self.version)
        found, after = calendars.altered(edit, actor, at=at)
        hits = queries.hits([found.ref()], [after] if found.in_force else [], at=at)
        sees = accounts.access(actor).sees
        hit = {one.change.key: one for one in hits if one.effect == "stopped" and sees(one.change)}
        errors = [
            FieldError(f"choices.{key}", _("%(change)s is not hit by this.") % {"change": key[:60]})
            for key in self.choices
            if key not in hit
        ]
        if not self.asking:
            errors += [
                FieldError(
                    f"choices.{key}",
                    _("%(change)s “%(title)s” of %(owner)s would be stopped: keep, move, cancel or ask?")
                    % {
                        "change": key,
                        "title": one.change.name,
                        "owner": one.owner[1] if one.owner else _("nobody"),
                    },
                )
                for key, one in hit.items()
                if key not in self.choices
            ]
        if errors:
            raise Invalid.fields(errors)
        why = _("The window %(name)s (%(key)s) was changed.") % {"name": after.ref.name, "key": found.key}
        follow: list[Command] = [edit]
        moves: dict[str, tuple[Span, ...]] = {}
        for key, choice in self.choices.items():
            if choice == "cancel":
                follow.append(CancelChange(change=key, reason=why))
            elif choice == "ask":
                follow.append(AskOwner(change=key, question=why))
            elif choice == "keep":
                follow += _kept(hit[key], found, after.ref.uid, why)
            elif choice == "move":
                spans, downs = self._slot(actor, key, after, at)
                moves[key] = spans
                follow.append(RescheduleChange(change=key, windows=spans, downtime=downs))
        return Plan(
            subject=found,
            follow=[] if self.asking else follow,
            note={} if self.asking else {"choices": dict(sorted(self.choices.items()))},
            answer=Replanned(tuple(hits), moves),
        )

    def _slot(
        self, actor: Actor, key: str, after: Any, at: datetime
    ) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
        """Return the first free slot of a change, the edited window in mind.

        :raises Invalid: there is none within a year.
        """
        proposal = queries.dossier(actor, key).proposal()
        offers = queries.slots(proposal, at=at, soonest=True, limit=20)
        for offer in offers.offers:
            if not queries.stops(after, proposal, offer.windows, offer.downtimes):
                return (
                    tuple(Span(one.start, one.end) for one in offer.windows),
                    tuple(Span(one.start, one.end) for one in offer.downtimes),
                )
        raise Invalid.field(
            f"choices.{key}", _("There is no free slot for %(change)s within a year.") % {"change": key}
        )


def _kept(hit: Hit, window: Any, uid: str, why: str) -> list[Command]:
    """Return what asks for a waiver from each thing that the edited window says against a change."""
    return [
        KeepChange(
            change=hit.change.key,
            finding=one.id,
            rule=one.rule,
            window=uid,
            other_kind=(one.parties[1:] or one.path)[0].kind,
            other=other_of(one),
            other_key=window.key if other_of(one) == uid else (one.parties[1:] or one.path)[0].key,
            waivable_by=one.waivable_by[0][:40],
            starts_at=one.interval.start,
            ends_at=one.interval.end,
            reason=why,
        )
        for one in hit.findings
        if waivable(one) and one.interval is not None
    ]
