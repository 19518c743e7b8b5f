"""Conflicts over the API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from django.http import HttpResponseBase
from django.urls import path
from dmr import Query
from msgspec import Meta

from fairway.accounts import queries as accounts
from fairway.accounts.web import ApiController, FindingView, finding_view, operation
from fairway.claims import queries
from fairway.kernel.api import list_of
from fairway.kernel.errors import Invalid
from fairway.kernel.listing import Format, Page
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
    fields: Annotated[str, Meta(description="only these fields, separated by commas")] = ""
    format: Annotated[Format, Meta(description="instead of an Accept header")] = ""


Conflicts = list_of(FindingView)
"""Each pair of records once for each rule; `parties` holds both, hidden what the caller may not see."""


class ConflictsController(ApiController):
    """Records that clash."""

    @operation("changes.view", Conflicts, files=True)
    def get(self, parsed_query: Query[ConflictQuery]) -> HttpResponseBase:
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

        def read(query: ConflictQuery) -> tuple[Page, list[FindingView]]:
            first = int(query.cursor or 0)
            last = first + query.limit
            views = [finding_view(clash.finding) for clash in found[first:last]]
            following = str(last) if last < len(found) else None
            return Page([], following, len(found) if query.count else None), views

        return self.listed(asked, read, FindingView.__struct_fields__)  # type: ignore[type-var]  # as lists have


def _span(start: datetime | None, end: datetime | None) -> Period | None:
    if start is None and end is None:
        return None
    try:
        return Period(start or ALWAYS.start, end or ALWAYS.end)
    except Invalid as cause:
        raise Invalid.field("to", cause.detail) from cause


urls = [path("conflicts", ConflictsController.as_view(), name="conflicts")]
