"""Reads of redundancy: which items need only some of the others, and which those are."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from fairway.accounts import queries as accounts
from fairway.catalog.models import ConfigurationItem, Redundancy, Relation
from fairway.kernel.actor import Actor
from fairway.kernel.errors import NotFound
from fairway.kernel.listing import Column, Listing, ListQuery, Page
from fairway.kernel.models import uid_lookup

REDUNDANCIES = Listing(
    columns={
        "uid": Column("uid", "uid", sorts=True),
        "item": Column("item__slug", sorts=True, refers=accounts.by_slug, through="item"),
        "kind": Column("relation_kind__slug", refers=accounts.by_slug, through="relation_kind"),
        "name": Column("name"),
    },
    values=("id",),
    sort="item",
)


class RedundancyQuery(ListQuery, kw_only=True, columns=REDUNDANCIES.columns):
    """Filters of the list of redundancy."""

    item: str = ""
    kind: str = ""
    name: str = ""


def redundancy(actor: Actor, reference: str) -> Redundancy:
    """Return the group by uid; it is seen by whoever sees its item.

    :raises NotFound: there is none, or the actor may not see it.
    """
    lookup = uid_lookup(reference)
    query = Redundancy.objects.select_related("item", "relation_kind", "organisation")
    found = accounts.visible(query, actor).filter(**lookup).first() if lookup else None
    if found is None:
        raise NotFound(f"There is no redundancy “{reference[:100]}”.")
    return found


def redundancy_page(actor: Actor, query: RedundancyQuery) -> tuple[Page, list[dict[str, Any]]]:
    """Return one page of the groups of visible items, and these as `redundancies` does.

    :raises Invalid: a filter has no sense.
    """
    page = REDUNDANCIES.page(accounts.visible(Redundancy.objects.all(), actor), query)
    wanted = [row["id"] for row in page.rows]
    found = {group["pk"]: group for group in _told(actor, Redundancy.objects.filter(pk__in=wanted))}
    return page, [found[pk] for pk in wanted if pk in found]


def redundancies(actor: Actor, items: list[ConfigurationItem]) -> list[dict[str, Any]]:
    """Return the groups of these items, each with its members that the actor sees, and how many there are.

    Two statements.
    """
    return _told(actor, Redundancy.objects.filter(item__in=items))


def _told(actor: Actor, rows: QuerySet[Redundancy]) -> list[dict[str, Any]]:
    groups = [
        {
            "pk": group.pk,
            "uid": str(group.uid),
            "version": group.version,
            "item": group.item.ref(),
            "kind": group.relation_kind,
            "name": group.name,
            "needed": group.needed,
            "count": 0,
            "members": [],
            "relations": [],
        }
        for group in rows.select_related("item", "relation_kind").order_by(
            "item_id", "relation_kind__position", "name"
        )
    ]
    by_pk: dict[int, dict[str, Any]] = {int(str(group["pk"])): group for group in groups}
    sees = accounts.access(actor).sees
    relations = Relation.objects.filter(redundancy__in=list(by_pk)).select_related("source", "target")
    for relation in relations.order_by("pk"):
        group = by_pk[relation.redundancy_id]  # type: ignore[index]
        source, target = relation.source, relation.target
        other = target if source.pk == group["item"].pk else source
        if other.archived_at is None:
            group["count"] += 1
            if sees(other.ref()):
                group["members"].append(other.ref())
                group["relations"].append(str(relation.uid))
    return groups
