"""Conflicts over the API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query
from msgspec import UNSET, Meta, UnsetType

from fairway.accounts import queries as accounts
from fairway.accounts.web import (
    ApiController,
    DryRun,
    FindingView,
    RefView,
    finding_view,
    operation,
    ref_view,
)
from fairway.changes import commands, queries
from fairway.claims import queries as claims
from fairway.kernel.api import list_of
from fairway.kernel.errors import Invalid
from fairway.kernel.listing import Format, Page
from fairway.kernel.period import Period
from fairway.policy import Finding

Instant = Annotated[datetime, Meta(tz=True)]
Rule = Literal["claims.same_item", "claims.related_item", "claims.person"]
ALWAYS = Period(datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC))


class ConflictQuery(
    msgspec.Struct, kw_only=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}
):
    """`item`: on it or between it and a related one. `environment`: one of both is there, or everywhere.

    `subject`: key or uid of one of the two records. `from`, `to`: overlaps in this half-open span. `status`:
    how it is handled. `owner`: key of who sees to it; empty: nobody does.
    """

    rule: Rule | None = None
    status: Literal["open", "accepted"] | None = None
    owner: str | None = None
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


class ConflictView(FindingView, kw_only=True, frozen=True):
    """A conflict with how it is handled: `status` is `open`, or `accepted` for this one occurrence.

    `owner`: who sees to it. `reason`: why it may stay, `by` whom this was said last. Nothing of it is told
    where one of the parties is hidden.
    """

    status: str = "open"
    owner: RefView | None = None
    reason: str = ""
    by: str = ""


class PairPath(msgspec.Struct):
    key: str
    other: str


class HandlingBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays. `owner`: key, uid or e-mail address; null: nobody."""

    rule: Rule
    owner: str | UnsetType | None = UNSET
    accepted: bool | UnsetType = UNSET
    reason: str = ""


Conflicts = list_of(ConflictView)
"""Each pair of records once for each rule; `parties` holds both, hidden what the caller may not see."""


class ConflictsController(ApiController):
    """Records that clash."""

    @operation("changes.view", Conflicts, files=True)
    def get(self, parsed_query: Query[ConflictQuery]) -> HttpResponseBase:
        """List every pair of clashing records, in the order of their first overlap."""
        asked = parsed_query
        accounts.require(self.actor, "changes.view", at=None)
        found = claims.conflicts(
            self.actor,
            period=_span(asked.start, asked.end),
            item=asked.item,
            environment=asked.environment,
            rule=asked.rule,
            subject=asked.subject,
        )

        handled = asked.status is not None or asked.owner is not None
        if handled:
            said = queries.handlings([clash.finding for clash in found])
            found = [clash for clash in found if _asked_for(asked, said.get(clash.finding.id))]

        def read(query: ConflictQuery) -> tuple[Page, list[ConflictView]]:
            first = int(query.cursor or 0)
            last = first + query.limit
            some = [clash.finding for clash in found[first:last]]
            told = queries.handlings(some)
            views = [conflict_view(one, told.get(one.id, queries.NOT_HANDLED)) for one in some]
            following = str(last) if last < len(found) else None
            return Page([], following, len(found) if query.count else None), views

        return self.listed(asked, read, ConflictView.__struct_fields__)  # type: ignore[type-var]  # as lists have


class ConflictController(ApiController):
    """How the conflict of two changes is handled."""

    @operation("changes.request", ConflictView, dry_run=True)
    def put(
        self, parsed_path: Path[PairPath], parsed_body: Body[HandlingBody], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Say who sees to it, or that it may stay; told from the first one's side."""
        body = parsed_body
        command = commands.HandleConflict(
            change=parsed_path.key,
            other=parsed_path.other,
            rule=body.rule,
            owner=body.owner,
            accepted=body.accepted,
            reason=body.reason,
        )
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        dossier = queries.dossier(self.actor, parsed_path.key)
        other = queries.change(self.actor, parsed_path.other)
        found = queries.conflict(dossier, other, body.rule, at=self.at)
        found = found.redacted(accounts.access(self.actor).sees)
        said = queries.handlings([found]).get(found.id, queries.NOT_HANDLED)
        return self.answer(conflict_view(found, said))


def conflict_view(finding: Finding, said: queries.Handling) -> ConflictView:
    """Return a conflict, redacted already, with what was said of it."""
    told = finding_view(finding)
    return ConflictView(
        **{name: getattr(told, name) for name in FindingView.__struct_fields__},
        status=said.status,
        owner=ref_view(said.owner) if said.owner is not None else None,
        reason=said.reason,
        by=said.by,
    )


def _asked_for(asked: ConflictQuery, said: queries.Handling | None) -> bool:
    said = said or queries.NOT_HANDLED
    owner = said.owner.key if said.owner is not None else ""
    return asked.status in (None, said.status) and asked.owner in (None, owner)


def _span(start: datetime | None, end: datetime | None) -> Period | None:
    if start is None and end is None:
        return None
    try:
        return Period(start or ALWAYS.start, end or ALWAYS.end)
    except Invalid as cause:
        raise Invalid.field("to", cause.detail) from cause


urls = [
    path("conflicts", ConflictsController.as_view(), name="conflicts"),
    path("changes/<str:key>/conflicts/<str:other>", ConflictController.as_view(), name="change-conflict"),
]
