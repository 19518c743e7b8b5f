"""Search over the API."""

from __future__ import annotations

from datetime import datetime

import msgspec
from django.http import HttpResponse
from django.urls import path
from dmr import Query

from fairway.accounts.web import ApiController, operation
from fairway.kernel.errors import Invalid
from fairway.kernel.listing import Page
from fairway.workspace import queries
from fairway.workspace.rules import Found, Terms, passage

MOST_AT_ONCE = 1_000


class SearchQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`q`: words, each the beginning of one in the record; `kind`: only records of this kind."""

    q: str = ""
    kind: str = ""
    archived: bool = False
    limit: int = 50
    cursor: str = ""


class FoundView(msgspec.Struct, frozen=True, kw_only=True):
    """A record that the words found. `met`: where they met it: key, title, naming, body or inside a word."""

    kind: str
    uid: str
    key: str
    name: str
    state: str
    archived: bool
    updated_at: datetime
    met: str
    passage: str


class SearchPage(msgspec.Struct, frozen=True, kw_only=True):
    """The nearest first, five hundred at most; `counts`: of each kind, to 10,000 in all."""

    items: list[FoundView]
    counts: dict[str, int]
    next: str | None


def _view(one: Found, terms: Terms) -> FoundView:
    return FoundView(
        kind=one.kind,
        uid=one.uid,
        key=one.key,
        name=one.title,
        state=one.state,
        archived=one.archived,
        updated_at=one.updated,
        met=one.rank.name.lower(),
        passage=passage(one.body, terms),
    )


class SearchController(ApiController):
    """Records of every kind, by words."""

    @operation("", SearchPage)
    def get(self, parsed_query: Query[SearchQuery]) -> HttpResponse:
        """Find records that the caller may see; what is called so comes before what only mentions it."""
        asked = parsed_query
        if not 1 <= asked.limit <= MOST_AT_ONCE:
            raise Invalid.field("limit", f"A page holds 1 to {MOST_AT_ONCE} rows.")
        if asked.kind and asked.kind not in queries.KINDS:
            there_are = ", ".join(sorted(queries.KINDS))
            raise Invalid.field("kind", f"“{asked.kind[:40]}” is no kind of record; there are {there_are}.")
        offset = _offset(asked.cursor)
        found = queries.search(
            self.actor, asked.q, kind=asked.kind, archived=asked.archived, limit=asked.limit, offset=offset
        )
        page = Page([], str(offset + asked.limit) if found.more else None)
        shown = [_view(one, found.terms) for one in found.found]
        return self.page(page, shown, counts=found.counts)


def _offset(cursor: str) -> int:
    """Return how many rows stand before a page.

    :raises Invalid: the cursor is none of ours.
    """
    if not cursor:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 5):
        raise Invalid.field("cursor", "This is not a cursor of this list; ask for the first page again.")
    return int(cursor)


urls = [path("search", SearchController.as_view(), name="search")]
