"""Waivers: asking for an exception from one finding, deciding on it, taking it back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar

import msgspec
from django.utils.translation import gettext as _

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan, expect
from fairway.calendars import queries as calendars
from fairway.changes import queries
from fairway.changes.commands.reading import Instant, needed, text
from fairway.changes.events import ChangeEvent
from fairway.changes.models import Change, Waiver, WaiverQuota
from fairway.changes.rules.waiving import other_of, permission_of, waivable
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid
from fairway.kernel.period import in_utc
from fairway.kernel.refs import Ref
from fairway.policy import Finding

MOST_WAIVERS = 1_000


class RequestWaiver(Command, name=ChangeEvent.WAIVER_REQUEST):
    """Ask that one finding be let pass; `finding` is its id. Without `expires` it holds to its end."""

    permission: ClassVar[str] = "changes.request"
    change: str
    finding: str
    reason: str
    expires: Instant | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        """Find what is to be let pass among the present findings.

        :raises Conflict: there is no such finding now, or it is waived or asked for already. :raises Invalid:
        nobody may waive it, or it would expire before it counts.
        """
        dossier = queries.dossier(actor, self.change, lock=lock, lock_items=False)
        change = dossier.change
        accounts.require(actor, self.permission, at=change.organisation_id)
        reason = needed(self.reason, "reason")
        found = next(
            (one for one in queries.time_findings(dossier.proposal(), at=at) if one.id == self.finding), None
        )
        if found is None:
            raise Conflict(
                _("%(change)s has no such finding now; read its findings again.") % {"change": change.key},
                code="changes.waiver.gone",
            )
        if "waived" in found.params:
            raise Conflict(_("This is waived already."), code="changes.waiver.exists")
        if not waivable(found) or found.interval is None:
            raise Invalid.field("finding", _("Nobody waives this; what stands in the way has to go."))
        expires = in_utc(self.expires, field="expires") if self.expires else found.interval.end
        if expires <= max(at, found.interval.start):
            raise Invalid.field("expires", _("It has to hold longer than until what it is about begins."))
        waiting = Waiver.objects.filter(change=change, finding=found.id, state=Waiver.State.REQUESTED)
        if waiting.exists():
            raise Conflict(
                _("This was asked for already; it waits to be decided."), code="changes.waiver.asked"
            )
        other = _other(found)
        made = Waiver(
            change=change,
            organisation_id=change.organisation_id,
            finding=found.id,
            rule=found.rule,
            other_kind=other.kind,
            other_uid=other_of(found),
            other_key=other.key,
            scope_id=_scope(found, change),
            waivable_by=found.waivable_by[0][:40],
            starts_at=found.interval.start,
            ends_at=found.interval.end,
            expires_at=expires,
            reason=reason,
            requested_by_id=actor.pk,
        )
        return Plan(subject=made, create=[made])


class _Decide(Command):
    """A decision on a waiver."""

    waiver: str

    def found(self, actor: Actor, *, at: datetime, lock: bool, states: tuple[str, ...]) -> Waiver:
        """Return the waiver, in one of these states.

        :raises Forbidden: the actor may not decide on it. :raises Conflict: it is in another state.
        """
        found = queries.waiver(actor, self.waiver, lock=lock)
        accounts.require(actor, permission_of([found.waivable_by]), at=found.scope_id)
        if not queries.may_decide(actor, found, at=at):
            raise Forbidden(
                _(
                    "Whoever asks for the waiver or the change, carries it out or stands in for one of them"
                    " cannot decide on it; ask another %(role)s."
                )
                % {"role": found.waivable_by}
            )
        expect(found, getattr(self, "version", None))
        if found.state not in states:
            raise Conflict(
                _("%(waiver)s is %(state)s already.")
                % {"waiver": found.key, "state": found.get_state_display().lower()},
                code="changes.waiver.decided",
            )
        return found


class GrantWaiver(_Decide, name=ChangeEvent.WAIVER_GRANT):
    """Let the finding pass until the waiver expires."""

    permission: ClassVar[str] = "changes.manage"
    note: str = ""
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = self.found(actor, at=at, lock=lock, states=(Waiver.State.REQUESTED,))
        note = text(self.note, "note")
        if found.expires_at <= at:
            raise Conflict(
                _("%(waiver)s would have expired by now; ask for it anew.") % {"waiver": found.key},
                code="changes.waiver.late",
            )
        quota = queries.quota(found.other_uid, lock=lock) if found.other_kind == "window" else None
        if quota is not None and queries.granted_from(found.other_uid) >= quota.most:
            told = {"window": found.other_key, "most": quota.most}
            raise Conflict(
                _("All %(most)d waivers from %(window)s are given; revoke one first.") % told,
                code="changes.waiver.quota",
            )
        values = {
            "state": Waiver.State.GRANTED,
            "decided_by_id": actor.pk,
            "decided_at": at,
            "decision_note": note,
        }
        return Plan(subject=found, change=[(found, values)])


class RefuseWaiver(_Decide, name=ChangeEvent.WAIVER_REFUSE):
    """Say that the finding is not let pass, and why."""

    permission: ClassVar[str] = "changes.manage"
    reason: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = self.found(actor, at=at, lock=lock, states=(Waiver.State.REQUESTED,))
        values = {
            "state": Waiver.State.REFUSED,
            "decided_by_id": actor.pk,
            "decided_at": at,
            "decision_note": needed(self.reason, "reason"),
        }
        return Plan(subject=found, change=[(found, values)])


class RevokeWaiver(_Decide, name=ChangeEvent.WAIVER_REVOKE):
    """Take a granted waiver back before a start relied on it."""

    permission: ClassVar[str] = "changes.manage"
    reason: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = self.found(actor, at=at, lock=lock, states=(Waiver.State.GRANTED,))
        values = {"state": Waiver.State.REVOKED, "decision_note": needed(self.reason, "reason")}
        return Plan(subject=found, change=[(found, values)])


class SetWaiverQuota(Command, name=ChangeEvent.WAIVER_QUOTA):
    """Say how many waivers from a window may be granted; None: any number."""

    permission: ClassVar[str] = "calendars.edit"
    window: str
    most: Annotated[int, msgspec.Meta(ge=0, le=MOST_WAIVERS)] | None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        window: Any = calendars.window(actor, self.window)
        accounts.require(actor, self.permission, at=window.organisation_id)
        known = queries.quota(str(window.uid), lock=lock)
        if self.most is None:
            return Plan(subject=window, remove=[known] if known is not None else [])
        if known is None:
            return Plan(subject=window, create=[WaiverQuota(window=window, most=self.most)])
        return Plan(subject=window, change=[(known, {"most": self.most})])


def relied_on(findings: list[Finding], *, at: datetime) -> list[tuple[Waiver, dict[str, Any]]]:
    """Return what to write of the waivers by which a start is allowed."""
    keys = {finding.params["waived"].key for finding in findings if "waived" in finding.params}
    if not keys:
        return []
    numbers = [int(key.removeprefix(f"{Waiver.prefix}-")) for key in keys]
    rows = Waiver.objects.filter(number__in=numbers, state=Waiver.State.GRANTED).order_by("pk")
    return [(row, {"state": Waiver.State.USED, "used_at": at}) for row in rows]


def _other(found: Finding) -> Ref:
    others = found.parties[1:] or found.path[:1]
    return others[0]


def _scope(found: Finding, change: Change) -> int:
    """Return the organisation at which the rule is waived: that of a window, else that of the change."""
    other = _other(found)
    if other.kind == "window":  # whose finding names another: that of who may read it
        return calendars.window(SYSTEM, other.uid).organisation_id
    return change.organisation_id
