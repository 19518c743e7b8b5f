"""Impact over the API."""

from __future__ import annotations

from typing import Annotated

import msgspec
from django.http import HttpResponse
from django.urls import path
from dmr import Query
from msgspec import Meta

from fairway.accounts.web import ApiController, RefView, operation, ref_view
from fairway.catalog import queries
from fairway.catalog.rules import Direction, Reached


class ReachedView(msgspec.Struct, kw_only=True):
    """`path` holds both ends, `relations` the kind of each step; hidden is what another organisation has."""

    item: RefView
    kind: str
    depth: int
    criticality: int
    path: list[RefView]
    relations: list[str]


class LevelView(msgspec.Struct, kw_only=True):
    depth: int
    count: int
    worst_criticality: int


class SparedView(msgspec.Struct, kw_only=True):
    """Redundancy that holds: `standing` of `members` still stand, and `needed` are enough.

    `failed`: the members that do not; none upstream, where it is told on what redundancy the item relies.
    """

    item: RefView
    criticality: int
    relation: str
    needed: int
    members: int
    standing: int
    failed: list[RefView]


class ImpactView(msgspec.Struct, kw_only=True):
    """`items` holds at most `limit`, nearest and most critical first; `count` and `levels` count all.

    `services`: the business services reached, most critical first; `spared`: what redundancy holds up. Of
    both the first fifty.
    """

    item: RefView
    direction: str
    depth: int | None
    count: int
    worst_criticality: int | None
    levels: list[LevelView]
    service_count: int
    services: list[ReachedView]
    spared: list[SparedView]
    items: list[ReachedView]


class ImpactQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    item: str
    direction: Direction = Direction.DOWNSTREAM
    depth: Annotated[int, Meta(ge=1, le=1000)] | None = None
    limit: Annotated[int, Meta(ge=0, le=5000)] = 1000


def reached_view(one: Reached, kinds: dict[int, str]) -> ReachedView:
    return ReachedView(
        item=ref_view(one.item),
        kind=one.kind,
        depth=one.depth,
        criticality=one.criticality,
        path=[ref_view(ref) for ref in one.path],
        relations=[kinds[kind] for kind in one.relations],
    )


def spared_view(one: queries.Spared, kinds: dict[int, str]) -> SparedView:
    return SparedView(
        item=ref_view(one.item),
        criticality=one.criticality,
        relation=kinds[one.kind],
        needed=one.needed,
        members=one.members,
        standing=one.standing,
        failed=[ref_view(ref) for ref in one.failed],
    )


class ImpactController(ApiController):
    """What a failure reaches, and what an item needs."""

    @operation("catalog.view", ImpactView)
    def get(self, parsed_query: Query[ImpactQuery]) -> HttpResponse:
        """Walk from an item: downstream is what its failure reaches, upstream what it needs."""
        asked = parsed_query
        item = queries.item(self.actor, asked.item)
        found = queries.impact(
            self.actor, item, direction=asked.direction, depth=asked.depth, limit=asked.limit
        )
        kinds = {row["pk"]: row["slug"] for row in queries.relation_kinds()}
        levels = [
            LevelView(depth=level.depth, count=level.count, worst_criticality=level.worst)
            for level in found.levels
        ]
        view = ImpactView(
            item=ref_view(found.item),
            direction=str(found.direction),
            depth=found.depth,
            count=found.total,
            worst_criticality=found.worst,
            levels=levels,
            service_count=found.service_count,
            services=[reached_view(one, kinds) for one in found.services],
            spared=[spared_view(one, kinds) for one in found.spared],
            items=[reached_view(one, kinds) for one in found.reached],
        )
        return self.answer(view)


urls = [path("impact", ImpactController.as_view(), name="impact")]
