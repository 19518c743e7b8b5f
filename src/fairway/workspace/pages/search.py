"""Search: everything that the words find, by kind; and what a few letters suggest."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from fairway.accounts.web import caller, page
from fairway.workspace import queries
from fairway.workspace.rules import Found, Terms, marked, passage

OF_EACH, OF_ONE = 6, 50


@require_GET
@page
def search(request: HttpRequest) -> HttpResponseBase:
    """Show what is found, a few of each kind or all of one; a key leads straight to its record."""
    actor, words = caller(request), request.GET.get("q", "").strip()
    kind, archived = request.GET.get("kind", ""), request.GET.get("archived") == "true"
    if words and not kind:
        direct = queries.exact(actor, words)
        if direct is not None:
            return redirect(queries.KINDS[direct.kind].address(direct.key))
    offset = _offset(request.GET.get("cursor", ""))
    limit = OF_ONE if kind else queries.MOST
    found = queries.search(actor, words, kind=kind, archived=archived, limit=limit, offset=offset)

    def href(**changes: str) -> str:
        kept = {"q": words, "kind": kind, "archived": "true" if archived else "", **changes}
        return "?" + urlencode({name: value for name, value in kept.items() if value})

    total = found.total
    context = {
        "words": words,
        "parts": _parts(found, kind, href),
        "kinds": [
            {"label": _("All"), "href": href(kind=""), "current": not kind, "count": _many(total)},
            *(
                {
                    "label": queries.KINDS[name].plural(),
                    "href": href(kind=name),
                    "current": kind == name,
                    "count": _many(found.counts.get(name, 0)),
                }
                for name in sorted(queries.KINDS, key=lambda name: queries.KINDS[name].order)
                if name in found.counts or name == kind
            ),
        ],
        "archived": {"href": href(archived="" if archived else "true"), "on": archived},
        "count": ngettext("%(count)s record", "%(count)s records", total) % {"count": _many(total)},
        "next": str(offset + limit) if kind and found.more else None,
        "searching": True,
    }
    return render(request, "workspace/search.html", context)


def _many(count: int) -> str:
    return f"{count:,}+" if count >= queries.COUNTED else f"{count:,}"


def _parts(found: queries.Results, kind: str, href: Any) -> list[dict[str, Any]]:
    """Return what was found by kind, that of the nearest first."""
    by_kind: dict[str, list[Found]] = {}
    for one in found.found:
        by_kind.setdefault(one.kind, []).append(one)
    return [
        {
            "title": queries.KINDS[name].plural(),
            "count": _many(found.counts.get(name, len(some))),
            "href": href(kind=name) if not kind and found.counts.get(name, 0) > OF_EACH else "",
            "rows": [_row(one, found.terms) for one in (some if kind else some[:OF_EACH])],
        }
        for name, some in by_kind.items()
    ]


def _row(one: Found, terms: Terms) -> dict[str, Any]:
    kind = queries.KINDS[one.kind]
    told = passage(one.body, terms)
    return {
        "href": kind.address(one.key),
        "key": marked(one.key, terms),
        "name": marked(one.title, terms),
        "passage": marked(told, terms) if told else [],
        "state": ("retired", _("Archived")) if one.archived else kind.state(one.state) if one.state else None,
        "updated": one.updated,
    }


@require_GET
@page
def suggest(request: HttpRequest) -> HttpResponseBase:
    """Answer somebody who is typing: the nearest few records, each with its address."""
    actor, words = caller(request), request.GET.get("q", "")
    terms = queries.read_terms(words)
    items = []
    for one in queries.suggest(actor, words):
        kind = queries.KINDS[one.kind]
        items.append(
            {
                "key": one.key,
                "name": marked(one.title, terms),
                "kind": kind.singular(),
                "state": kind.state(one.state)[1] if one.state else "",
                "href": kind.address(one.key),
            }
        )
    return JsonResponse({"items": items})


def _offset(cursor: str) -> int:
    return int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) <= 5 else 0


urlpatterns = [
    path("search", search, name="search"),
    path("search/suggest", suggest, name="search-suggest"),
]
