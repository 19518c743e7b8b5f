"""The catalogue's health over the API; the items of a check are `GET /items?health=CHECK`."""

from __future__ import annotations

import msgspec
from django.http import HttpResponse
from django.urls import path

from fairway.accounts.web import ApiController, RefView, operation, ref_view
from fairway.catalog import queries
from fairway.catalog.api.relations import RelationView, relation_view
from fairway.catalog.words import CHECKS

MOST_CIRCLES = 1_000


class CheckView(msgspec.Struct, kw_only=True):
    """One check: how many items (under `dangling`: relations) it names, and where they are listed."""

    check: str
    title: str
    why: str
    mend: str
    count: int
    list: str


class CircleView(msgspec.Struct, kw_only=True):
    """Items each of which fails with every other; `size` counts those that the caller sees."""

    size: int
    items: list[RefView]


class HealthView(msgspec.Struct, kw_only=True):
    """`circles`: the largest first, a thousand at most, each with its first hundred items; `dangling`: the
    first hundred relations with an archived end.
    """

    checks: list[CheckView]
    circles: list[CircleView]
    dangling: list[RelationView]


class HealthController(ApiController):
    """What is doubtful about the catalogue."""

    @operation("catalog.view", HealthView, summary="What is doubtful about the catalogue")
    def get(self) -> HttpResponse:
        counts = queries.health(self.actor)
        circles = queries.cycles(self.actor) if counts["circles"] else []
        dangling = queries.relation_page(self.actor, queries.RelationQuery(dangling="true", limit=100))
        view = HealthView(
            checks=[
                CheckView(
                    check=check,
                    title=str(title),
                    why=str(why),
                    mend=str(mend),
                    count=counts[check],
                    list="/api/v1/relations?dangling=true"
                    if check == "dangling"
                    else f"/api/v1/items?health={check}",
                )
                for check, (title, why, mend) in CHECKS.items()
            ],
            circles=[
                CircleView(size=len(circle), items=[ref_view(ref) for ref in circle[:100]])
                for circle in circles[:MOST_CIRCLES]
            ],
            dangling=[relation_view(row) for row in dangling.rows],
        )
        return self.answer(view)


urls = [path("catalogue-health", HealthController.as_view(), name="catalogue-health")]
