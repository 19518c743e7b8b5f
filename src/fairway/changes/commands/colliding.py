"""Saying how a conflict of two changes is handled."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from django.utils.translation import gettext as _
from msgspec import UNSET, UnsetType

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan
from fairway.changes import queries
from fairway.changes.commands import reading
from fairway.changes.events import ChangeEvent
from fairway.changes.models import Collision
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid
from fairway.policy import Severity


class HandleConflict(Command, name=ChangeEvent.COLLISION):
    """Say who sees to a conflict, and whether it may stay as it is; what is left out stays.

    `owner`: key, uid or e-mail address of a person; null: nobody. That it may stay is said of this one
    occurrence, with a reason; it changes no decision.
    """

    permission: ClassVar[str] = "changes.request"
    change: str
    other: str
    rule: Literal["claims.same_item", "claims.related_item", "claims.person"]
    owner: str | UnsetType | None = UNSET
    accepted: bool | UnsetType = UNSET
    reason: str = ""

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        """:raises Forbidden: the actor may edit neither change. :raises NotFound: they do not conflict."""
        dossier = queries.dossier(actor, self.change, lock=lock, lock_items=False)
        met = queries.dossier(actor, self.other)
        change, other = dossier.change, met.change
        if not queries.may_handle(actor, dossier, met):
            raise Forbidden(
                _(
                    "You may not say how the conflict of %(one)s and %(other)s is handled: it takes"
                    " changes.assess, changes.edit or changes.manage, or to stand in one of them."
                )
                % {"one": change.key, "other": other.key}
            )
        finding = queries.conflict(dossier, other, self.rule, at=at)
        known = queries.collision(change, other, self.rule)
        values = {"owner_id": self._owner(actor, known), "accepted": "", "reason": ""}
        if self.accepted is True:
            if finding.severity is Severity.BLOCK:
                raise Conflict(
                    _("This conflict blocks %(change)s and cannot just stay: move one, or ask for a waiver.")
                    % {"change": change.key},
                    code="changes.conflict.blocks",
                )
            values |= {"accepted": finding.id, "reason": reading.needed(self.reason, "reason")}
        elif self.reason:
            raise Invalid.field("reason", _("A reason belongs to a conflict that may stay."))
        elif self.accepted is UNSET and known is not None:
            values |= {"accepted": known.accepted, "reason": known.reason}
        if known is None:
            first, second = sorted((change, other), key=lambda one: one.pk)
            made = Collision(
                change=first, other=second, rule=self.rule, person_id=actor.pk, handled_at=at, **values
            )
            return Plan(subject=change, create=[made])
        if all(getattr(known, name) == value for name, value in values.items()):
            return Plan(subject=change)
        known.change = change if known.change_id == change.pk else other
        return Plan(subject=change, change=[(known, {**values, "person_id": actor.pk, "handled_at": at})])

    def _owner(self, actor: Actor, known: Collision | None) -> int | None:
        if self.owner is UNSET:
            return known.owner_id if known is not None else None
        if not self.owner:
            return None
        found = accounts.user(actor, self.owner)
        if not found.is_active or found.is_service:
            raise Invalid.field("owner", _("A person who is active sees to it."))
        return found.pk
