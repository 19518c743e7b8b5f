"""Calendar feeds over the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query

from fairway.accounts import queries as accounts
from fairway.accounts.web import ApiController, DryRun, RefView, operation
from fairway.changes import commands, queries
from fairway.kernel.api import list_of
from fairway.kernel.errors import Conflict
from fairway.kernel.listing import Column, Listing, ListQuery, Page

FEEDS = Listing(
    columns={
        "created_at": Column("created_at", "instant", sorts=True),
    },
    values=(
        "name", "shows", "item", "environment", "created_at", "revoked_at",
        "owner__number", "owner__name", "owner__uid",
    ),
    sort="-created_at",
)  # fmt: skip


class FeedView(msgspec.Struct, kw_only=True):
    """`item`, `environment`: the uid of what alone it concerns, or empty."""

    uid: str
    name: str
    shows: str
    item: str
    environment: str
    owner: RefView
    created_at: datetime
    revoked_at: datetime | None


class FeedBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`item`, `environment`: only what concerns it, by key or uid."""

    name: str
    shows: Literal["all", "changes", "windows"] = "all"
    item: str = ""
    environment: str = ""


class NewFeed(msgspec.Struct, kw_only=True):
    """`path`: its address, told this once; it holds a secret not stored anywhere."""

    uid: str
    path: str


class FeedQuery(ListQuery, kw_only=True, columns=FEEDS.columns):
    """Filters of the list."""


class KeyPath(msgspec.Struct):
    key: str


def _view(row: dict[str, Any]) -> FeedView:
    key = f"USR-{row['owner__number']}"
    names = ("name", "shows", "item", "environment", "created_at", "revoked_at")
    return FeedView(
        uid=str(row["uid"]),
        owner=RefView(kind="user", key=key, name=row["owner__name"], uid=str(row["owner__uid"])),
        **{name: row[name] for name in names},
    )


FeedList = list_of(FeedView)


class FeedsController(ApiController):
    """Calendar feeds: one's own, and those of people whom one administers."""

    keeps_answers = False

    @operation("changes.view", FeedList, files=True)
    def get(self, parsed_query: Query[FeedQuery]) -> HttpResponseBase:
        """List feeds; what was taken back too."""
        accounts.require(self.actor, "changes.view", at=None)

        def read(query: FeedQuery) -> tuple[Page, list[FeedView]]:
            page = FEEDS.page(queries.feeds(self.actor).order_by(), query)
            return page, [_view(row) for row in page.rows]

        return self.listed(parsed_query, read, FeedView.__struct_fields__)

    @operation("changes.view", NewFeed, status=201, dry_run=True)
    def post(self, parsed_body: Body[FeedBody], parsed_query: Query[DryRun]) -> HttpResponse:
        """Make a feed; it never shows more than its owner may see when it is read."""
        command = commands.CreateFeed(
            name=parsed_body.name,
            shows=parsed_body.shows,
            item=parsed_body.item,
            environment=parsed_body.environment,
        )
        if parsed_query.dry_run:
            return self.preview(command)
        secret = self.run(command).answer
        if not isinstance(secret, str):
            raise Conflict("This feed was made when you asked first, and told then.", code="told-once")
        made = queries.feeds(self.actor).get(digest=accounts.digest(secret))
        return self.answer(NewFeed(uid=str(made.uid), path=f"/feeds/{secret}.ics"), status=201)


class FeedController(ApiController):
    """One feed."""

    @operation("changes.view", None, status=204, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Take a feed back at once."""
        command = commands.RevokeFeed(feed=parsed_path.key)
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return self.answer(None, status=204)


urls = [
    path("feeds", FeedsController.as_view(), name="feeds"),
    path("feeds/<str:key>", FeedController.as_view(), name="feed"),
]
