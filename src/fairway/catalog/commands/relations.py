"""What can be done to relations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar, Self

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan, expect
from fairway.catalog import queries
from fairway.catalog.commands.items import Drifted
from fairway.catalog.events import CatalogEvent
from fairway.catalog.models import Relation, RelationKind
from fairway.kernel import ahead
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Invalid
from fairway.kernel.refs import Ref
from fairway.policy import Decision, tell


class CreateRelation(Command, name=CatalogEvent.RELATION_CREATE):
    """Join a source to a target."""

    permission: ClassVar[str] = "catalog.edit"
    undoable: ClassVar[bool] = True
    source: str
    target: str
    kind: str

    @classmethod
    def weigh_undo(cls, plan: Plan, *, actor: Actor) -> Decision:
        return _guarded(plan, actor).decision

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        made, known = _relation(self, actor)
        if known is not None:
            raise Conflict(
                f"{self.source} {made.relation_kind.name} {self.target} already.",
                code="catalog.relation.exists",
            )
        return _guarded(Plan(subject=made, create=[made]), actor)


class PutRelation(Command, name=CatalogEvent.RELATION_PUT):
    """Join a source to a target unless they are joined so already."""

    permission: ClassVar[str] = "catalog.edit"
    undoable: ClassVar[bool] = True
    independent: ClassVar[bool] = True
    source: str
    target: str
    kind: str

    @classmethod
    def weigh_undo(cls, plan: Plan, *, actor: Actor) -> Decision:
        return _guarded(plan, actor).decision

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
        read = ahead.known("catalog.ConfigurationItem")
        queries.read_controlled(one.pk for one in map(read, sources) if one is not None)

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        made, known = _relation(self, actor)
        return Plan(subject=known) if known else _guarded(Plan(subject=made, create=[made]), actor)


class ObservedRelation(PutRelation):
    """A relation that an import saw, told apart where only a change may make it (see ObservedItem)."""

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        """Say what would be written.

        :raises Drifted: its source is under change control, and the relation is not recorded.
        """
        plan = super().plan(actor=actor, at=at, lock=lock)
        if plan.decision.denied:
            made = plan.create[0]
            assert isinstance(made, Relation)  # noqa: S101 - what such a plan makes
            end = {"kind": made.relation_kind.slug, "target": made.target.slug}
            raise Drifted(made.source.slug, {"relate": [end]})
        return plan


class RemoveRelation(Command, name=CatalogEvent.RELATION_REMOVE):
    """Take a relation away; the log keeps that it was there."""

    permission: ClassVar[str] = "catalog.edit"
    undoable: ClassVar[bool] = True
    relation: str
    version: int | None = None

    @classmethod
    def weigh_undo(cls, plan: Plan, *, actor: Actor) -> Decision:
        return _guarded(plan, actor).decision

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.relation(actor, self.relation)
        accounts.require(actor, self.permission, at=found.organisation_id)
        expect(found, self.version)
        return _guarded(Plan(subject=found, remove=[found]), actor)


def relate_under(
    authority: Ref, *, source: str, target: str, kind: str, joined: bool, actor: Actor, permission: str
) -> Plan:
    """Plan to join two items or to part them, as an implementing change has authorised.

    No request can say that it acts under an authority: only code that holds the change calls this.
    """
    given = PutRelation(source=source, target=target, kind=kind)
    made, known = _relation(given, actor, permission)
    if joined:
        return Plan(subject=known) if known else Plan(subject=made, create=[made])
    return Plan(subject=known, remove=[known]) if known else Plan()


def _guarded(plan: Plan, actor: Actor) -> Plan:
    """Return the plan, refused where the source of a relation that it makes or removes is controlled."""
    for row in (*plan.create, *plan.remove):
        if isinstance(row, Relation):
            decision = queries.control(actor, row.source)
            if decision.denied:
                return replace(plan, decision=decision, refusal=tell(decision.findings[0]))
    return plan


def _relation(
    given: CreateRelation | PutRelation, actor: Actor, permission: str = ""
) -> tuple[Relation, Relation | None]:
    """Return the relation asked for, unsaved, and the same one if it is there already.

    :raises Invalid: an end or the kind does not exist (for the actor), or both ends are one.
    """
    [source] = queries.items(actor, [given.source], field="source")
    accounts.require(actor, permission or given.permission, at=source.organisation_id)
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
