"""The catalogue kept in memory: the graph of live relations, and the facts of every item."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from sys import intern

from django.db.models import Q

from fairway.audit import queries as audit
from fairway.catalog.models import ConfigurationItem, Relation, RelationKind
from fairway.catalog.rules import SERVICE, Edge, Failure, Graph, Group, ItemFacts
from fairway.kernel.cache import Kept
from fairway.kernel.refs import Ref

_ITEM, _RELATION, _REDUNDANCY = "catalog.ConfigurationItem", "catalog.Relation", "catalog.Redundancy"
_KINDS = ("catalog.ItemKind", "catalog.RelationKind")
_TOO_MANY = 5_000
"""From so many rows written since, reading everything anew is quicker than following the events."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The catalogue as kept in memory: the graph of live relations, and the facts of every item ever made.

    `services`: which of them are business services.
    """

    graph: Graph
    items: Mapping[int, ItemFacts]
    services: frozenset[int]


def snapshot() -> Snapshot:
    """Return the catalogue at its present revision: one small statement unless it was written since."""
    return _kept.at(audit.revisions().get("catalog", 0))


def graph() -> Graph:
    """Return the graph along which failure travels; archived items have no part in it."""
    return snapshot().graph


def facts(pks: Collection[int]) -> dict[int, ItemFacts]:
    """Return the facts of these items, those written earlier in this very transaction included."""
    known = snapshot().items
    try:
        return {pk: known[pk] for pk in pks}
    except KeyError:
        found = {pk: known[pk] for pk in pks if pk in known}
    found.update(_read_facts(Q(pk__in=[pk for pk in pks if pk not in known])))
    return found


def load(revision: int, last: tuple[int, Snapshot] | None) -> Snapshot:
    if last is not None:
        written = audit.rows_written("catalog", after=last[0], limit=_TOO_MANY + 1)
        if 0 < len(written) <= _TOO_MANY:
            followed = _follow(last[1], written)
            if followed is not None:
                return followed
    items = _read_facts(Q())
    archived = set(ConfigurationItem.objects.exclude(archived_at=None).values_list("pk", flat=True))
    edges = Relation.objects.filter(archived_at=None).values_list(
        "source_id", "target_id", "relation_kind_id"
    )
    live = (edge for edge in edges.iterator(chunk_size=10_000) if archived.isdisjoint(edge[:2]))
    return Snapshot(Graph(live, failure=_failure(), groups=_groups()), items, _services(items))


def _follow(before: Snapshot, written: Sequence[audit.WrittenRow]) -> Snapshot | None:
    """Bring what is kept up to date from the events since; None: they tell of more than this follows."""
    changed: set[str] = set()
    ends: set[tuple[str, str]] = set()
    regrouped: set[str] = set()
    groups = False
    for row in written:
        if row.model == _ITEM:
            if "archived_at" in row.changes and row.action != "create":
                return None  # its relations leave or enter the graph
            changed.add(row.uid)
        elif row.model == _RELATION and row.action in ("create", "remove"):
            source, target = row.changes["source_id"], row.changes["target_id"]
            ends.add((source[0] or source[1], target[0] or target[1]))
        elif row.model == _RELATION:
            if "redundancy_id" in row.changes:
                regrouped.add(row.uid)
        elif row.model == _REDUNDANCY:
            groups = True
        elif row.model in _KINDS:
            return None
    items, services = before.items, before.services
    if changed:
        fresh = _read_facts(Q(uid__in=changed))
        items, services = {**items, **fresh}, services - fresh.keys() | _services(fresh)
    if not (ends or regrouped or groups):
        return Snapshot(before.graph, items, services)
    uids = {uid for pair in ends for uid in pair}
    pks = {
        str(uid): pk for uid, pk in ConfigurationItem.objects.filter(uid__in=uids).values_list("uid", "pk")
    }
    pairs = {(pks[source], pks[target]) for source, target in ends}
    if regrouped:
        pairs |= set(Relation.objects.filter(uid__in=regrouped).values_list("source_id", "target_id"))
    touched = {pk for pair in pairs for pk in pair}
    joined = {frozenset(pair) for pair in pairs}
    relations = Relation.objects.filter(
        archived_at=None,
        source__archived_at=None,
        target__archived_at=None,
        source__in=touched,
        target__in=touched,
    )
    edges: list[Edge] = [
        edge
        for edge in relations.values_list("source_id", "target_id", "relation_kind_id")
        if frozenset(edge[:2]) in joined
    ]
    known = _groups() if groups or regrouped or before.graph.groups else None
    return Snapshot(before.graph.replaced(pairs, edges, known), items, services)


def _groups() -> dict[int, Group]:
    """Read all groups of redundancy with the items that are in them."""
    members: dict[int, set[int]] = {}
    owners: dict[int, tuple[int, int, int]] = {}
    columns = (
        "redundancy_id", "redundancy__item_id", "redundancy__relation_kind_id", "redundancy__needed",
        "source_id", "target_id",
    )  # fmt: skip
    live = Relation.objects.filter(
        archived_at=None, source__archived_at=None, target__archived_at=None
    ).exclude(redundancy=None)
    for group, item, kind, needed, source, target in live.values_list(*columns):
        owners[group] = (item, kind, needed)
        members.setdefault(group, set()).add(target if source == item else source)
    return {
        pk: Group(item, kind, needed, frozenset(members[pk])) for pk, (item, kind, needed) in owners.items()
    }


def _failure() -> dict[int, Failure]:
    return {pk: Failure(failure) for pk, failure in RelationKind.objects.values_list("pk", "failure")}


def _services(items: Mapping[int, ItemFacts]) -> frozenset[int]:
    return frozenset(pk for pk, one in items.items() if one.kind == SERVICE)


def _read_facts(which: Q) -> dict[int, ItemFacts]:
    columns = ("pk", "slug", "name", "uid", "organisation_id", "criticality", "shared", "item_kind__slug")
    return {
        pk: ItemFacts(
            Ref("item", slug, name, str(uid), pk, organisation),
            criticality,
            shared,
            organisation,
            intern(kind),
        )
        for pk, slug, name, uid, organisation, criticality, shared, kind in (
            ConfigurationItem.objects.filter(which).values_list(*columns).iterator(chunk_size=10_000)
        )
    }


_kept = Kept(load)
