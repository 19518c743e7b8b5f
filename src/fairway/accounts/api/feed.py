"""The change feed over the API, page by page and as a live stream."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Query

from fairway.accounts import live, queries
from fairway.accounts.web import FILES, STREAM, ApiController, operation
from fairway.audit import queries as audit
from fairway.kernel.errors import Invalid
from fairway.kernel.listing import MOST, Format, ListQuery, Page
from fairway.kernel.refs import as_uid


class EventView(msgspec.Struct, kw_only=True):
    """`type`: as CloudEvents has it, that of CDEvents where there is one (`dev.cdevents.ticket.created…`)."""

    sequence: int
    at: str
    actor: dict[str, Any]
    on_behalf_of: str | None
    request_id: str | None
    command: str
    subject: dict[str, Any] | None
    data: dict[str, Any]
    rows: list[dict[str, Any]]
    hash: str
    type: str


class Events(msgspec.Struct, kw_only=True):
    """`next`: the number to ask on from (`after`); `head`: the last number there was when this was asked."""

    items: list[EventView]
    next: int
    head: int


class EventQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`after`: the number of the last event seen; `subject`: the uid of a record.

    With a format other than JSON all that came since is told, up to now: then limit has no meaning.
    """

    after: int = 0
    limit: int = 100
    subject: str = ""
    format: Format = ""


class _Batch(ListQuery, kw_only=True):
    """A part of the feed on its way into a file; the cursor is the number of the last event told."""


class StreamQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`after`: the number of the last event seen, unless `Last-Event-ID` says; `subject`: uid of a record."""

    after: int | None = None
    subject: str = ""


class EventsController(ApiController):
    """The change feed: what was done, in the order of commit. Ask on with `after` = `next`."""

    @operation("audit.view", Events, files=True)
    def get(self, parsed_query: Query[EventQuery]) -> HttpResponseBase:
        if not 1 <= parsed_query.limit <= MOST:
            raise Invalid.field("limit", f"A page holds 1 to {MOST} events.")
        if not 0 <= parsed_query.after < 2**63:
            raise Invalid.field("after", "This is not the number of an event.")
        subject = _subject(parsed_query.subject)
        head, _ = audit.head()

        def events(after: int, limit: int) -> list[EventView]:
            found = audit.feed(
                after=after,
                until=head,
                limit=limit,
                organisations=queries.places(self.actor, "audit.view"),
                subject=subject,
                reader=self.actor,
            )
            return [EventView(**event) for event in found]

        def read(query: _Batch) -> tuple[Page, list[EventView]]:
            told = events(int(query.cursor or parsed_query.after), query.limit)
            following = str(told[-1].sequence) if len(told) == query.limit else None
            return Page([], following), told

        if (parsed_query.format or self._form()) in FILES:
            return self.listed(_Batch(format=parsed_query.format), read, EventView.__struct_fields__)
        items = events(parsed_query.after, parsed_query.limit)
        full = len(items) == parsed_query.limit
        following = items[-1].sequence if full else max(head, parsed_query.after)
        return self.answer(Events(items=items, next=following, head=head))


class EventStreamController(ApiController):
    """The change feed as server-sent events, as they are committed; `Last-Event-ID` goes on after a cut."""

    @operation("audit.view", str, media=STREAM)
    def get(self, parsed_query: Query[StreamQuery]) -> HttpResponse:
        """Begin with what was committed since the event named, or now; each event carries its number as id.

        It ends when token, session or permission do. Ask again then, or when the connection is cut.
        """
        head, _ = audit.head()
        after = _last_seen(self.request.headers.get("Last-Event-ID"), parsed_query.after)
        feed = live.opened(
            self.request,
            self.actor,
            position=head if after is None else min(after, head),
            subject=_subject(parsed_query.subject),
        )
        events, feed.position = feed.read(feed.position, until=head)
        response = HttpResponse(b"retry: 2000\n\n" + events, content_type=STREAM)
        response["Cache-Control"] = "no-store"
        response["X-Accel-Buffering"] = "no"  # a proxy must not hold it back
        response.live = feed  # type: ignore[attr-defined]  # the server goes on from here
        return response


def _last_seen(header: str | None, asked: int | None) -> int | None:
    """Return the number of the last event seen, None where none was named.

    :raises Invalid: it is no number of an event.
    """
    if header:
        if not header.isascii() or not header.isdigit() or len(header) > 18:
            raise Invalid.field("Last-Event-ID", f"“{header[:40]}” is not the number of an event.")
        return int(header)
    if asked is not None and not 0 <= asked < 2**63:
        raise Invalid.field("after", "This is not the number of an event.")
    return asked


def _subject(given: str) -> UUID | None:
    found = as_uid(given) if given else None
    if given and found is None:
        raise Invalid.field("subject", f"“{given[:40]}” is not a uid.")
    return found


urls = [
    path("events", EventsController.as_view(), name="events"),
    path("events/stream", EventStreamController.as_view(), name="event-stream"),
]
