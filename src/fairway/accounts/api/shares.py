"""Links that show something, read-only, to whoever has them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query

from fairway.accounts import commands, queries, shares
from fairway.accounts.models import User
from fairway.accounts.web import ApiController, DryRun, RefView, operation
from fairway.kernel.api import list_of
from fairway.kernel.errors import Conflict, Invalid
from fairway.kernel.listing import Column, Listing, ListQuery, Page

SHARES = Listing(
    columns={
        "maker": Column("maker", refers=User.lookup),
        "what": Column("what"),
        "created_at": Column("created_at", "instant", sorts=True),
        "expires_at": Column("expires_at", "instant", sorts=True),
    },
    values=(
        "name", "what", "query", "fields", "people", "created_at", "expires_at", "revoked_at",
        "opening__count", "opening__last_at", "maker__number", "maker__name", "maker__uid",
    ),
    sort="-created_at",
)  # fmt: skip


class ShareLinkView(msgspec.Struct, kw_only=True):
    """`what`: the record, list or calendar; `fields`: what of it; `people`: whether they are named."""

    uid: str
    name: str
    what: str
    query: dict[str, str]
    fields: list[str]
    people: bool
    maker: RefView
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    opened: int
    last_opened_at: datetime | None


class ShareBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`what`: as in an address of the API (`changes/CHG-7`, `changes`, `calendar`), `query`: its filters.

    `fields`: what is shown, all that there is unless told; `people`: whether they are named; it lives `days`.
    """

    name: str
    what: str
    query: dict[str, str] = {}
    fields: list[str] | None = None
    people: bool = False
    days: int = 14


class NewShare(msgspec.Struct, kw_only=True):
    """`path`: the address of the page, told this once; it holds a secret that is stored nowhere."""

    uid: str
    path: str
    fields: list[str]
    expires_at: datetime


class ShareQuery(ListQuery, kw_only=True, columns=SHARES.columns):
    """Filters of the list."""


class KeyPath(msgspec.Struct):
    key: str


def share_view(row: dict[str, Any]) -> ShareLinkView:
    same = {
        name: row[name]
        for name in ("name", "what", "query", "fields", "people", "created_at", "expires_at", "revoked_at")
    }
    key = f"{User.prefix}-{row['maker__number']}"
    maker = RefView(kind="user", key=key, name=row["maker__name"], uid=str(row["maker__uid"]))
    return ShareLinkView(
        uid=str(row["uid"]),
        maker=maker,
        opened=row["opening__count"] or 0,
        last_opened_at=row["opening__last_at"],
        **same,
    )


ShareLinkList = list_of(ShareLinkView)


class ShareLinksController(ApiController):
    """Read-only links: one's own, and those of people whom one administers."""

    keeps_answers = False

    @operation("accounts.view", ShareLinkList, files=True)
    def get(self, parsed_query: Query[ShareQuery]) -> HttpResponseBase:
        """List links, with how often each was opened."""

        def read(query: ShareQuery) -> tuple[Page, list[ShareLinkView]]:
            page = SHARES.page(queries.share_links(self.actor).order_by(), query)
            return page, [share_view(row) for row in page.rows]

        return self.listed(parsed_query, read, ShareLinkView.__struct_fields__)

    @operation("accounts.share", NewShare, status=201, dry_run=True)
    def post(self, parsed_body: Body[ShareBody], parsed_query: Query[DryRun]) -> HttpResponse:
        """Make a link; it never shows more than its maker may see when it is opened."""
        found = shares.Shown([], [], False)
        if self.actor.scopes is None and queries.access(self.actor).may("accounts.share", None):
            found = shares.look(self.actor, parsed_body.what, parsed_body.query, at=self.at)
        fields = parsed_body.fields if parsed_body.fields is not None else found.names
        unknown = sorted(set(fields) - set(found.names)) if found.rows else []
        if unknown:
            raise Invalid.field(
                "fields", f"There is no field “{unknown[0][:40]}”; there are {', '.join(found.names)}."
            )
        command = commands.CreateShareLink(
            name=parsed_body.name, what=parsed_body.what, query=parsed_body.query, fields=fields,
            people=parsed_body.people, days=parsed_body.days,
        )  # fmt: skip
        if parsed_query.dry_run:
            return self.preview(command)
        secret = self.run(command).answer
        if not isinstance(secret, str):
            raise Conflict("This link was made when you asked first, and told then.", code="told-once")
        made = queries.share_links(self.actor).get(digest=queries.digest(secret))
        view = NewShare(
            uid=str(made.uid), path=f"/shared/{secret}", fields=made.fields, expires_at=made.expires_at
        )
        return self.answer(view, status=201)


class ShareLinkController(ApiController):
    """One link."""

    @operation("accounts.share", None, status=204, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Take a link back at once."""
        command = commands.RevokeShareLink(link=parsed_path.key)
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return self.answer(None, status=204)


urls = [
    path("share-links", ShareLinksController.as_view(), name="share-links"),
    path("share-links/<str:key>", ShareLinkController.as_view(), name="share-link"),
]
