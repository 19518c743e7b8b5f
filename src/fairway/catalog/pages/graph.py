"""The graph of an impact: the page, what it draws, and the list to take along."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from fairway.accounts.web import page
from fairway.catalog import queries
from fairway.catalog.pages.shared import reader
from fairway.catalog.rules import Direction
from fairway.kernel.errors import Invalid
from fairway.ui import files


def asked(request: HttpRequest) -> tuple[Direction, int | None, dict[str, str]]:
    """Return which way and how far is asked, and both as they stand in the address.

    :raises Invalid: that makes no sense.
    """
    kept = {name: request.GET[name] for name in ("direction", "depth") if request.GET.get(name)}
    try:
        direction = Direction(kept.get("direction", "downstream"))
    except ValueError:
        raise Invalid.field("direction", _("The direction is downstream or upstream.")) from None
    text = kept.get("depth", "")
    if text and not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 1000):
        raise Invalid.field("depth", _("The depth is a number from 1 to 1000."))
    return direction, int(text) if text else None, kept


def answer(found: queries.Drawing) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(found), content_type="application/json")


def frame(here: str, kept: dict[str, str], direction: Direction, depth: int | None) -> dict[str, Any]:
    """Return what the page needs to draw what an address answers."""

    def href(**changes: Any) -> str:
        both = {**kept, **changes}
        return "?" + urlencode({name: value for name, value in both.items() if value})

    query = urlencode(kept)
    return {
        "src": f"{here}/data?{query}",
        "csv": f"{here}/list?{urlencode({**kept, 'format': 'csv'})}",
        "json": f"{here}/list?{urlencode({**kept, 'format': 'json'})}",
        "upstream": direction is Direction.UPSTREAM,
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


@require_GET
@page
def graph(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show what the item's failure reaches, or what it needs, as a graph beside its list."""
    actor = reader(request)
    found = queries.item(actor, key)
    direction, depth, kept = asked(request)
    href = f"/items/{found.slug}"
    context = {
        "title": found.name,
        "key": found.slug,
        "crumbs": [
            {"label": _("Catalogue"), "href": "/items"},
            {"label": found.slug, "href": href},
            {"label": _("Impact"), "href": f"{href}/impact?{urlencode(kept)}"},
        ],
        "plain": f"{href}/impact?{urlencode(kept)}",
        **frame(f"{href}/graph", kept, direction, depth),
    }
    return render(request, "catalog/graph.html", context)


def _drawn(request: HttpRequest, key: str) -> queries.Drawing:
    actor = reader(request)
    found = queries.item(actor, key)
    direction, depth, _kept = asked(request)
    return queries.drawing(actor, [found.pk], direction=direction, depth=depth)


@require_GET
@page
def data(request: HttpRequest, key: str) -> HttpResponseBase:
    """Answer what the graph draws."""
    return answer(_drawn(request, key))


@require_GET
@page
def listing(request: HttpRequest, key: str) -> HttpResponseBase:
    """Answer the list beside the graph as a file."""
    drawn = _drawn(request, key)
    name = f"impact-{drawn.nodes[0].key}"
    return files.table(drawn.rows(), name=name, form=request.GET.get("format", "csv"))


urlpatterns = [
    path("items/<str:key>/graph", graph, name="item-graph"),
    path("items/<str:key>/graph/data", data, name="item-graph-data"),
    path("items/<str:key>/graph/list", listing, name="item-graph-list"),
]
