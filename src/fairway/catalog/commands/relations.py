"""What can be done to relations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Self

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan, expect
from fairway.catalog import queries
from fairway.catalog.events import CatalogEvent
from fairway.catalog.models import Relation, RelationKind
from fairway.kernel import ahead
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Invalid


class CreateRelation(Command, name=CatalogEvent.RELATION_CREATE):
    """Join a source to a target."""

    permission: ClassVar[str] = "catalog.edit"
    undoable: ClassVar[bool] = True
    source: str
    target: str
    kind: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        made, known = _relation(self, actor)
        if known is not None:
            raise Conflict(
                f"{self.source} {made.relation_kind.name} {self.target} already.",
                code="catalog.relation.exists",
            )
        return Plan(subject=made, create=[made])


class PutRelation(Command, name=CatalogEvent.RELATION_PUT):
    """Join a source to a target unless they are joined so already."""

    permission: ClassVar[str] = "catalog.edit"
    undoable: ClassVar[bool] = True
    independent: ClassVar[bool] = True
    source: str
    target: str
    kind: str

    @classmethod
    def read_ahead(cls, commands: Sequence[Self], *, actor: Actor, lock: bool) -> None:
        sources = {command.source for command in commands}
        queries.read_ahead(actor, sources | {command.target for command in commands})
        known = Relation.objects.filter(source__slug__in=sources).select_related("source", "target")
        there = {(one.source.slug, one.target.slug, one.relation_kind_id): one for one in known}
        wanted = {(command.source, command.target) for command in commands}
        kinds = RelationKind.objects.values_list("pk", flat=True)
        keys = {(*ends, kind) for ends in wanted for kind in kinds}
        ahead.learn(CatalogEvent.RELATION_PUT, {key: there.get(key) for key in keys})

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        made, known = _relation(self, actor)
        return Plan(subject=known) if known is not None else Plan(subject=made, create=[made])


class RemoveRelation(Command, name=CatalogEvent.RELATION_REMOVE):
    """Take a relation away; the log keeps that it was there."""

    permission: ClassVar[str] = "catalog.edit"
    undoable: ClassVar[bool] = True
    relation: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.relation(actor, self.relation)
        accounts.require(actor, self.permission, at=found.organisation_id)
        expect(found, self.version)
        return Plan(subject=found, remove=[found])


def _relation(given: CreateRelation | PutRelation, actor: Actor) -> tuple[Relation, Relation | None]:
    """Return the relation asked for, unsaved, and the same one if it is there already.

    :raises Invalid: an end or the kind does not exist (for the actor), or both ends are one.
    """
    [source] = queries.items(actor, [given.source], field="source")
    accounts.require(actor, given.permission, at=source.organisation_id)
    [target] = queries.items(actor, [given.target], field="target")
    kind = queries.relation_kind(given.kind)
    if source.pk == target.pk:
        raise Invalid.field("target", f"{source.key} cannot be related to itself.")
    made = Relation(source=source, target=target, relation_kind=kind, organisation_id=source.organisation_id)
    known = ahead.take(
        CatalogEvent.RELATION_PUT,
        (source.slug, target.slug, kind.pk),
        lambda: Relation.objects.filter(source=source, target=target, relation_kind=kind).first(),
    )
    return made, known
