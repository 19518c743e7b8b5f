"""Conflicts over the API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from django.http import HttpResponse
from django.urls import path
from dmr import Query
from msgspec import UNSET, Meta, UnsetType

from fairway.accounts import queries as accounts
from fairway.accounts.web import ApiController, FindingView, finding_view, operation
from fairway.claims import queries
from fairway.kernel.errors import Invalid
from fairway.kernel.period import Period

Instant = Annotated[datetime, Meta(tz=True)]
ALWAYS = Period(datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC))


class ConflictQuery(
    msgspec.Struct, kw_only=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}
):
    """`item`: on it or between it and a related one. `environment`: one of both is there, or everywhere.

    `subject`: key or uid of one of the two records. `from`, `to`: overlaps in this half-open span.
    """

    rule: Literal["claims.same_item", "claims.related_item", "claims.person"] | None = None
    item: str | None = None
    environment: str | None = None
    start: Instant | None = None
    end: Instant | None = None
    subject: str | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 50
    cursor: Annotated[str, Meta(pattern="^[0-9]{0,9}$")] = ""
    count: bool = False


class Conflicts(msgspec.Struct, kw_only=True):
    """Each pair of records once for each rule; `parties` holds both, hidden what the caller may not see."""

    items: list[FindingView]
    next: str | None
    count: int | UnsetType = UNSET


class ConflictsController(ApiController):
    """Records that clash."""

    @operation("changes.view", Conflicts)
    def get(self, parsed_query: Query[ConflictQuery]) -> HttpResponse:
        """List every pair of clashing records, in the order of their first overlap."""
        asked = parsed_query
        accounts.require(self.actor, "changes.view", at=None)
        found = queries.conflicts(
            self.actor,
            period=_span(asked.start, asked.end),
            item=asked.item,
            environment=asked.environment,
            rule=asked.rule,
            subject=asked.subject,
        )
        first = int(asked.cursor or 0)
        last = first + asked.limit
        views = [finding_view(clash.finding) for clash in found[first:last]]
        following = str(last) if last < len(found) else None
        view = Conflicts(items=views, next=following, count=len(found) if asked.count else UNSET)
        return self.answer(view)


def _span(start: datetime | None, end: datetime | None) -> Period | None:
    if start is None and end is None:
        return None
    try:
        return Period(start or ALWAYS.start, end or ALWAYS.end)
    except Invalid as cause:
        raise Invalid.field("to", cause.detail) from cause


urls = [path("conflicts", ConflictsController.as_view(), name="conflicts")]
