"""The page of impact: what a failure reaches, and what an item needs."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from fairway.accounts import queries as accounts
from fairway.accounts.web import page
from fairway.catalog import queries
from fairway.catalog.pages.graph import asked as asked_of
from fairway.catalog.pages.shared import reader, record_of, tabs
from fairway.catalog.rules import Direction
from fairway.kernel.refs import Ref

SHOWN_IMPACT = 500


@require_GET
@page
def impact(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show what the item's failure reaches, or what it needs, by depth and each with its path."""
    actor = reader(request)
    found = queries.item(actor, key)
    direction, depth, asked = asked_of(request)
    reach = queries.impact(actor, found, direction=direction, depth=depth, limit=SHOWN_IMPACT)
    kinds = {row["pk"]: row for row in queries.relation_kinds()}
    shown = groupby(reach.reached, key=lambda one: one.depth)
    members = {depth: [_reached(one, kinds) for one in many] for depth, many in shown}
    levels = [
        {
            "depth": level.depth,
            "count": level.count,
            "worst": level.worst,
            "rows": members.get(level.depth, []),
        }
        for level in reach.levels
    ]

    def href(**changes: Any) -> str:
        kept = {**asked, **changes}
        return "?" + urlencode({name: value for name, value in kept.items() if value})

    words = {
        pk: row["reverse_name" if row["failure"] == "to_target" else "name"] for pk, row in kinds.items()
    }
    context = {
        "services": [_reached(one, kinds) | {"depth": one.depth} for one in reach.services],
        "spared": [
            {
                "key": one.item.key,
                "name": one.item.name,
                "href": f"/items/{one.item.key}",
                "criticality": one.criticality,
                "words": words[one.kind],
                "needed": one.needed,
                "members": one.members,
                "standing": one.standing,
                "failed": [_step(ref) for ref in one.failed],
            }
            for one in reach.spared
        ],
        "graph": f"/items/{found.slug}/graph?{urlencode(asked)}",
        "record": record_of(actor, found),
        "reach": reach,
        "levels": levels,
        "shown": len(reach.reached),
        "left": reach.total - len(reach.reached),
        "upstream": direction is Direction.UPSTREAM,
        "word": _("which needs") if direction is Direction.UPSTREAM else _("whose failure reaches"),
        "tabs": tabs(found.slug, "impact"),
        "may_edit": found.archived_at is None
        and accounts.access(actor).may("catalog.edit", found.organisation_id),
        "directions": [
            {
                "label": _("Reached by its failure"),
                "href": href(direction="downstream"),
                "current": direction is Direction.DOWNSTREAM,
            },
            {
                "label": _("Needed by it"),
                "href": href(direction="upstream"),
                "current": direction is Direction.UPSTREAM,
            },
        ],
        "depths": [
            {"label": label, "href": href(depth=value), "current": depth == value}
            for value, label in ((1, "1"), (2, "2"), (3, "3"), (None, _("any depth")))
        ],
    }
    return render(request, "catalog/impact.html", context)


def _reached(one: Any, kinds: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "key": one.item.key,
        "name": one.item.name,
        "href": f"/items/{one.item.key}",
        "criticality": one.criticality,
        "relation": kinds[one.relations[-1]]["name"],
        "path": [_step(ref) for ref in one.path],
    }


def _step(ref: Ref) -> dict[str, str]:
    if ref.hidden:
        return {"key": _("another organisation"), "href": "", "name": ""}
    return {"key": ref.key, "href": f"/items/{ref.key}", "name": ref.name}


urlpatterns = [path("items/<str:key>/impact", impact, name="item-impact")]
