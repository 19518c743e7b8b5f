"""The page of the catalogue's health: what is doubtful, how much of it, and the way to mend it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from fairway.accounts.web import page
from fairway.catalog import queries
from fairway.catalog.pages.shared import reader
from fairway.catalog.words import CHECKS

SHOWN = 20


@require_GET
@page
def health(request: HttpRequest) -> HttpResponseBase:
    """Show each check with its count, the circles, and the relations that lead nowhere."""
    actor = reader(request)
    counts = queries.health(actor)
    rows = [
        {
            "check": check,
            "title": title,
            "why": why,
            "mend": mend,
            "count": counts[check],
            "href": "#dangling" if check == "dangling" else f"/items?health={check}",
        }
        for check, (title, why, mend) in CHECKS.items()
    ]
    circles = queries.cycles(actor) if counts["circles"] else []
    dangling = queries.relation_page(actor, queries.RelationQuery(dangling="true", limit=SHOWN))
    context = {
        "rows": rows,
        "found": sum(1 for row in rows if row["count"]),
        "circles": [
            {
                "size": len(circle),
                "more": len(circle) - 8,
                "steps": [
                    {"key": ref.key, "href": f"/items/{ref.key}", "name": ref.name} for ref in circle[:8]
                ],
            }
            for circle in circles[:SHOWN]
        ],
        "circles_in_all": len(circles),
        "dangling": [
            {
                "source": row["source__slug"],
                "words": row["relation_kind__name"],
                "target": row["target__slug"],
            }
            for row in dangling.rows
        ],
        "dangling_in_all": counts["dangling"],
    }
    return render(request, "catalog/health.html", context)


urlpatterns = [path("catalogue-health", health, name="catalogue-health")]
