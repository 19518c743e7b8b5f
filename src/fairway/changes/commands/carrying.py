"""Naming the builds that carry a change, so that each digest leads to what it holds."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.utils.translation import gettext as _

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan
from fairway.catalog import queries as catalog
from fairway.changes import queries
from fairway.changes.events import ChangeEvent
from fairway.changes.models import CarriedChange
from fairway.changes.queries import Dossier
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Forbidden, Invalid, NotFound


class AttachBuild(Command, name=ChangeEvent.CARRY):
    """Say that a build carries the change, in whatever state it is; said again it changes nothing."""

    permission: ClassVar[str] = "changes.request"
    change: str
    build: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        dossier = _dossier(actor, self.change, lock=lock)
        try:
            build = catalog.build(actor, self.build)
        except NotFound as problem:
            raise Invalid.field("build", problem.detail) from problem
        if CarriedChange.objects.filter(change=dossier.change, build=build).exists():
            return Plan(subject=dossier.change)
        by = accounts.user(actor, actor.uid) if actor.pk is not None else None
        made = CarriedChange(change=dossier.change, build=build, by=by, at=at)
        return Plan(subject=dossier.change, create=[made])


class DetachBuild(Command, name=ChangeEvent.UNCARRY):
    """Say that a build does not carry the change after all."""

    permission: ClassVar[str] = "changes.request"
    change: str
    build: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        dossier = _dossier(actor, self.change, lock=lock)
        build = catalog.build(actor, self.build)
        known = CarriedChange.objects.filter(change=dossier.change, build=build).first()
        if known is None:
            raise NotFound(
                _("%(build)s does not carry %(change)s.") % {"build": build.key, "change": dossier.change.key}
            )
        known.change = dossier.change
        return Plan(subject=dossier.change, remove=[known])


def _dossier(actor: Actor, reference: str, *, lock: bool) -> Dossier:
    """Return the change, where the actor may name its builds.

    :raises Forbidden: may not.
    """
    dossier = queries.dossier(actor, reference, lock=lock, lock_items=False)
    if not queries.may_carry(actor, dossier):
        raise Forbidden(
            _(
                "You may not name the builds of %(change)s: it takes catalog.register, changes.assess,"
                " changes.edit or changes.manage, or to be its requester, owner or implementer."
            )
            % {"change": dossier.change.key}
        )
    return dossier
