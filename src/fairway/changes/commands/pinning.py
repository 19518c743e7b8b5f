"""Pinning what a change affects: a person knows better than the relations say."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.utils.translation import gettext as _

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan
from fairway.catalog import queries as catalog
from fairway.changes import queries
from fairway.changes.commands import reading
from fairway.changes.events import ChangeEvent
from fairway.changes.models import Pin
from fairway.changes.queries import Dossier
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid, NotFound


class PinItem(Command, name=ChangeEvent.PIN):
    """Say that an item is affected by the change, or is not; recomputing its impact keeps that."""

    permission: ClassVar[str] = "changes.request"
    change: str
    item: str
    affected: bool
    reason: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        dossier = _dossier(actor, self.change, lock=lock)
        [item] = catalog.items(actor, [self.item], field="item")
        if item.pk in dossier.items:
            raise Invalid.field("item", _("%(item)s is altered by the change itself.") % {"item": item.key})
        reason = reading.needed(self.reason, "reason")
        known = Pin.objects.filter(change=dossier.change, item=item).select_related("person").first()
        if known is not None and (known.affected, known.reason) == (self.affected, reason):
            return Plan(subject=dossier.change)
        values = {
            "affected": self.affected,
            "reason": reason,
            "person": accounts.user(actor, actor.uid) if actor.pk is not None else None,
            "pinned_at": at,
        }
        if known is None:
            made = Pin(change=dossier.change, item=item, **values)
            return Plan(subject=dossier.change, create=[made])
        known.change = dossier.change
        return Plan(subject=dossier.change, change=[(known, values)])


class UnpinItem(Command, name=ChangeEvent.UNPIN):
    """Let the relations say again whether an item is affected."""

    permission: ClassVar[str] = "changes.request"
    change: str
    item: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        dossier = _dossier(actor, self.change, lock=lock)
        item = catalog.item(actor, self.item)
        known = Pin.objects.filter(change=dossier.change, item=item).first()
        if known is None:
            raise NotFound(
                _("%(item)s is not pinned in %(change)s.") % {"item": item.key, "change": dossier.change.key}
            )
        known.change = dossier.change
        return Plan(subject=dossier.change, remove=[known])


def _dossier(actor: Actor, reference: str, *, lock: bool) -> Dossier:
    """Return the change, where the actor may pin and it is not over.

    :raises Forbidden: may not. :raises Conflict: it is over.
    """
    dossier = queries.dossier(actor, reference, lock=lock, lock_items=False)
    if not queries.may_pin(actor, dossier):
        raise Forbidden(
            _(
                "You may not pin items in %(change)s: it takes changes.assess, changes.edit or"
                " changes.manage, or to be its requester, owner or implementer."
            )
            % {"change": dossier.change.key}
        )
    if not dossier.change.is_open:
        raise Conflict(
            _("%(change)s is over; its impact stays as it is told.") % {"change": dossier.change.key},
            code="changes.pin.refused",
        )
    return dossier
