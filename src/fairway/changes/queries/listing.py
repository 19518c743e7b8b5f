"""Lists of changes as plain values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import msgspec
from django.db.models import Exists, OuterRef, Q, QuerySet

from fairway.accounts import queries as accounts
from fairway.catalog import queries as catalog
from fairway.changes.models import (
    AffectedEnvironment,
    AffectedItem,
    CarriedChange,
    Change,
    Implementer,
    PlannedWindow,
)
from fairway.environments import queries as environments
from fairway.kernel.actor import Actor
from fairway.kernel.db import among, rows
from fairway.kernel.listing import Column, Listing, ListQuery, Page, search_words
from fairway.workspace import queries as workspace

COLUMNS = {
    "key": Column("number", "number", sorts=True, prefix=Change.prefix),
    "title": Column("title_folded", "folded", sorts=True),
    "state": Column("state", sorts=True),
    "open": Column("is_open", "flag"),
    "model": Column("model__slug", refers=accounts.by_slug, through="model"),
    "template": Column("template__slug", refers=accounts.by_slug, through="template"),
    "category": Column("category"),
    "priority": Column("priority", "number", sorts=True),
    "external_id": Column("external_id"),
    "organisation": Column("organisation__slug", refers=accounts.by_slug, through="organisation"),
    "outcome": Column("outcome"),
    "planned_start": Column("planned_start", "instant", sorts=True),
    "planned_end": Column("planned_end", "instant", sorts=True),
    "created_at": Column("created_at", "instant", sorts=True),
    "submitted_at": Column("submitted_at", "instant", sorts=True),
}
VALUES = (
    *("pk", "number", "title", "state", "is_open", "category", "priority", "external_id", "outcome"),
    *(
        "planned_start",
        "planned_end",
        "created_at",
        "submitted_at",
        "held_at",
        "locked_at",
        "version",
        "custom",
        "organisation_id",
    ),
    *("model__slug", "model__name", "model__uid", "template__slug", "template__name", "template__uid"),
    *("organisation__slug", "organisation__name", "organisation__uid"),
    *("requester__number", "requester__name", "requester__uid", "owner__number", "owner__name", "owner__uid"),
)
_by_title = search_words("title_folded", "external_id")


def _search(text: str) -> Q:
    lookup = Change.lookup(text)
    return Q(**lookup) if lookup else _by_title(text)


CHANGES = Listing(COLUMNS, VALUES, "-planned_start", search=_search)


def changes(actor: Actor) -> QuerySet[Change]:
    """Return what the actor sees that is not archived."""
    return accounts.visible(Change.objects.filter(archived_at=None), actor)


def touching(
    query: QuerySet[Change], *, item: int | None = None, environment: int | None = None
) -> QuerySet[Change]:
    """Limit to changes that name the item, and the environment or none at all (which means everywhere)."""
    if item is not None:
        query = query.filter(pk__in=AffectedItem.objects.filter(item=item).values("change"))
    if environment is not None:
        named = AffectedEnvironment.objects.filter(environment=environment).values("change")
        query = query.filter(Q(pk__in=named) | everywhere("pk"))
    return query


def everywhere(change: str) -> Q:
    """Return the filter for changes that name no environment; `change` is the path to their key."""
    return Q(~Exists(AffectedEnvironment.objects.filter(change=OuterRef(change))))


def mine(query: QuerySet[Change], actor: Actor) -> QuerySet[Change]:
    """Limit to open changes that the actor asked for, owns or carries out."""
    own = Q(requester=actor.pk) | Q(owner=actor.pk) | Q(implementers__person=actor.pk)
    return query.filter(is_open=True).filter(pk__in=Change.objects.filter(own, is_open=True).values("pk"))


def waiting_for(query: QuerySet[Change], actor: Actor) -> QuerySet[Change]:
    """Limit to changes that wait for a vote that the actor may cast: not asked for, not carried out by them.

    Delegations are looked at when the vote is cast.
    """
    where = accounts.access(actor).permissions.get("changes.approve", frozenset())
    waiting = query.filter(round__outcome="open", is_open=True, held_at=None)
    if where is not None:
        waiting = waiting.filter(organisation__in=where)
    if actor.pk is None:
        return waiting.none()
    own = Change.objects.filter(Q(requester=actor.pk) | Q(implementers__person=actor.pk), is_open=True)
    voted = Q(round__votes__voter=actor.pk)
    return waiting.exclude(pk__in=own.values("pk")).exclude(pk__in=waiting.filter(voted).values("pk"))


def items_of(changes: Collection[int]) -> dict[int, list[int]]:
    """Return the affected items of each change, the primary one first."""
    found = AffectedItem.objects.filter(change__in=among(changes)).order_by("-primary", "pk")
    return _pairs(rows(found.values_list("change_id", "item_id")))


def environments_of(changes: Collection[int]) -> dict[int, list[int]]:
    found = AffectedEnvironment.objects.filter(change__in=among(changes)).order_by("pk")
    return _pairs(rows(found.values_list("change_id", "environment_id")))


def people_of(changes: Collection[int]) -> dict[int, list[int]]:
    """Return who carries each change out."""
    found = Implementer.objects.filter(change__in=among(changes)).order_by("pk")
    return _pairs(rows(found.values_list("change_id", "person_id")))


def windows_of(changes: Collection[int]) -> dict[int, list[tuple[datetime, datetime, bool]]]:
    """Return start, end and whether it is a downtime, of each window of each change, in order of time."""
    found: dict[int, list[tuple[datetime, datetime, bool]]] = {}
    rows = PlannedWindow.objects.filter(change__in=changes).order_by("starts_at", "ends_at", "downtime")
    for change, start, end, downtime in rows.values_list("change_id", "starts_at", "ends_at", "downtime"):
        found.setdefault(change, []).append((start, end, downtime))
    return found


def _pairs(rows: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for one, other in rows:
        found.setdefault(one, []).append(other)
    return found


def counts(actor: Actor) -> Mapping[str, int]:
    """Return how many changes stand on each tab of the list, as the actor sees it."""
    seen = changes(actor)
    return {
        "open": seen.filter(is_open=True).count(),
        "mine": mine(seen, actor).count(),
        "waiting": waiting_for(seen, actor).count(),
    }


class ChangeQuery(ListQuery, kw_only=True, forbid_unknown_fields=True, columns=COLUMNS):
    """What may be asked of the list. `mine`, `waiting`: for the caller. `item`, `environment`: key or uid.

    `build`: those that it carries.

    `custom`: by fields of their own, as JSON ({"cost__gte": "5"}); also written custom.cost__gte=5.
    """

    state: str = ""
    state__in: str = ""
    open: bool | None = None
    mine: bool | None = None
    waiting: bool | None = None
    model: str = ""
    model__in: str = ""
    template: str = ""
    category: str = ""
    category__in: str = ""
    priority: int | None = None
    priority__in: str = ""
    external_id: str = ""
    organisation: str = ""
    organisation__in: str = ""
    outcome: str = ""
    outcome__in: str = ""
    item: str = ""
    environment: str = ""
    build: str = ""
    title__contains: str = ""
    planned_start__gte: str = ""
    planned_start__lt: str = ""
    planned_end__gte: str = ""
    planned_end__lt: str = ""
    created_at__gte: str = ""
    created_at__lt: str = ""
    submitted_at__gte: str = ""
    submitted_at__lt: str = ""
    custom: str = ""


_APART = {"mine": None, "waiting": None, "item": "", "environment": "", "build": "", "custom": ""}


def change_page(actor: Actor, query: ChangeQuery) -> Page:
    """Return one page of the changes that the actor sees, as plain values by database path.

    :raises NotFound: no such item or environment for the actor. :raises Invalid: a filter has no sense.
    """
    rows = changes(actor)
    if query.item:
        rows = touching(rows, item=catalog.item(actor, query.item).pk)
    if query.environment:
        rows = touching(rows, environment=environments.environment(actor, query.environment).pk)
    if query.build:
        carried = CarriedChange.objects.filter(build=catalog.build(actor, query.build))
        rows = rows.filter(pk__in=carried.values("change"))
    if query.mine:
        rows = mine(rows, actor)
    if query.waiting:
        rows = waiting_for(rows, actor)
    rows = workspace.filtered(actor, "change", rows, query.custom)
    return CHANGES.page(rows, msgspec.structs.replace(query, **_APART))
