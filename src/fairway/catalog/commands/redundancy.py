"""What can be done to redundancy: saying how many of those that an item needs have to stand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.db.models import Q
from msgspec import UNSET, UnsetType

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan, expect
from fairway.catalog import queries
from fairway.catalog.events import CatalogEvent
from fairway.catalog.models import ConfigurationItem, Redundancy, Relation, RelationKind
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, FieldError, Invalid
from fairway.kernel.text import line
from fairway.policy import ALLOW, Decision

MOST = 200


class _Undoable(Command):
    """A command on a group, which can be taken back as long as the group stays in order by that."""

    permission: ClassVar[str] = "catalog.edit"
    undoable: ClassVar[bool] = True

    @classmethod
    def weigh_undo(cls, plan: Plan, *, actor: Actor) -> Decision:
        """Check the group as it would be.

        :raises Conflict: others count in it since, or there is another of its name.
        """
        group = plan.subject
        if isinstance(group, Redundancy):
            _check(group, plan)
        return ALLOW


def _check(group: Redundancy, plan: Plan) -> None:
    members = {one.pk for one in _relations(group)} if group.pk else set()
    needed = group.needed
    for row, values in plan.change:
        if row is group or (isinstance(row, Redundancy) and row.pk == group.pk):
            needed = values.get("needed", needed)
        elif isinstance(row, Relation):
            to = values.get("redundancy", values.get("redundancy_id", row.redundancy_id))
            members.discard(row.pk)
            if to is group or (bool(group.pk) and to == group.pk):
                members.add(row.pk)
    gone, come = group in plan.remove, any(row is group for row in plan.create)
    if gone and not members:
        return
    if gone or not needed <= len(members):
        raise Conflict(
            "Its members were changed since, so this cannot be undone; edit the redundancy instead.",
            code="workspace.undo.moved-on",
        )
    same = Redundancy.objects.filter(
        item=group.item_id, relation_kind=group.relation_kind_id, name=group.name
    )
    if come and same.exists():
        raise Conflict(
            "There is another such group by now, so this cannot be undone; edit that one instead.",
            code="workspace.undo.moved-on",
        )


class CreateRedundancy(_Undoable, name=CatalogEvent.REDUNDANCY_CREATE):
    """Say that an item stands while `needed` of `members` stand, to which relations of a kind join it."""

    item: str
    kind: str
    needed: int
    members: list[str]
    name: str = ""

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        item, kind, known = _found(self, actor)
        if known is not None:
            raise Conflict(
                f"{item.key} has such a group already; change that, or give this one a name of its own.",
                code="catalog.redundancy.exists",
            )
        return _made(self, actor, item, kind)


class PutRedundancy(_Undoable, name=CatalogEvent.REDUNDANCY_PUT):
    """Create the group of this item, kind and name, or change the one there is."""

    item: str
    kind: str
    needed: int
    members: list[str]
    name: str = ""

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        item, kind, known = _found(self, actor)
        if known is None:
            return _made(self, actor, item, kind)
        return _changed(actor, known, item, kind, self.needed, self.members)


class EditRedundancy(_Undoable, name=CatalogEvent.REDUNDANCY_EDIT):
    """Change how many are needed, or who is a member; what is left out stays."""

    redundancy: str
    version: int | None = None
    needed: int | UnsetType = UNSET
    members: list[str] | UnsetType = UNSET

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.redundancy(actor, self.redundancy)
        accounts.require(actor, self.permission, at=found.organisation_id)
        expect(found, self.version)
        return _changed(actor, found, found.item, found.relation_kind, self.needed, self.members)


class RemoveRedundancy(_Undoable, name=CatalogEvent.REDUNDANCY_REMOVE):
    """Take the group away; its relations stay, and the failure of each then travels by itself."""

    redundancy: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.redundancy(actor, self.redundancy)
        accounts.require(actor, self.permission, at=found.organisation_id)
        expect(found, self.version)
        freed: list[tuple[Any, dict[str, Any]]] = [
            (relation, {"redundancy": None}) for relation in _relations(found)
        ]
        return Plan(subject=found, change=freed, remove=[found])


def _found(
    given: CreateRedundancy | PutRedundancy, actor: Actor
) -> tuple[ConfigurationItem, RelationKind, Redundancy | None]:
    [item] = queries.items(actor, [given.item], field="item")
    accounts.require(actor, given.permission, at=item.organisation_id)
    kind = queries.relation_kind(given.kind)
    name = line(given.name, field="name", needed=False, longest=80)
    known = Redundancy.objects.filter(item=item, relation_kind=kind, name=name).first()
    return item, kind, known


def _made(
    given: CreateRedundancy | PutRedundancy, actor: Actor, item: ConfigurationItem, kind: RelationKind
) -> Plan:
    name = line(given.name, field="name", needed=False, longest=80)
    relations = _members(actor, item, kind, given.members, None)
    made = Redundancy(
        item=item,
        relation_kind=kind,
        name=name,
        needed=_needed(given.needed, len(relations)),
        organisation_id=item.organisation_id,
    )
    return Plan(
        subject=made, create=[made], change=[(relation, {"redundancy": made}) for relation in relations]
    )


def _changed(
    actor: Actor,
    known: Redundancy,
    item: ConfigurationItem,
    kind: RelationKind,
    needed: int | UnsetType,
    members: list[str] | UnsetType,
) -> Plan:
    present = _relations(known)
    change: list[tuple[Any, dict[str, Any]]] = []
    count = len(present)
    if members is not UNSET:
        wanted = _members(actor, item, kind, members, known)
        count = len(wanted)
        kept = {relation.pk for relation in wanted}
        change += [
            (relation, {"redundancy": known}) for relation in wanted if relation.redundancy_id != known.pk
        ]
        change += [(relation, {"redundancy": None}) for relation in present if relation.pk not in kept]
    if needed is not UNSET:
        change.append((known, {"needed": _needed(needed, count)}))
    elif known.needed > count:
        raise Invalid.field("members", f"{known.needed} are needed; these are {count}.")
    return Plan(subject=known, change=change)


def _relations(group: Redundancy) -> list[Relation]:
    return list(Relation.objects.filter(redundancy=group).order_by("pk"))


def _needed(needed: int, count: int) -> int:
    if not 1 <= needed <= count:
        raise Invalid.field("needed", f"Of {count} members 1 to {count} can be needed, not {needed}.")
    return needed


def _members(
    actor: Actor,
    item: ConfigurationItem,
    kind: RelationKind,
    references: Sequence[str],
    group: Redundancy | None,
) -> list[Relation]:
    """Return the relations along which the failure of these members reaches the item.

    :raises Invalid: one of them does not exist (for the actor), is not joined so, or counts in another group.
    """
    others = queries.items(actor, references, field="members")
    if not 2 <= len(others) <= MOST:
        raise Invalid.field("members", f"Name 2 to {MOST} items of which some are enough.")
    pks = [other.pk for other in others]
    onward = Q(source=item, target__in=pks) if kind.failure != "to_target" else Q(pk__in=())
    back = Q(target=item, source__in=pks) if kind.failure != "to_source" else Q(pk__in=())
    relations = Relation.objects.filter(onward | back, relation_kind=kind, archived_at=None)
    found = {
        (one.target_id if one.source_id == item.pk else one.source_id): one
        for one in relations.order_by("-pk")
    }
    words = kind.name if kind.failure != "to_target" else kind.reverse_name
    faults = []
    for other in others:
        relation = found.get(other.pk)
        if relation is None:
            faults.append(FieldError("members", f"It is not said that {item.key} {words} {other.key}."))
        elif relation.redundancy_id is not None and (group is None or relation.redundancy_id != group.pk):
            faults.append(FieldError("members", f"{other.key} counts in another group of {item.key}."))
    if faults:
        raise Invalid.fields(faults)
    return [found[other.pk] for other in others]
