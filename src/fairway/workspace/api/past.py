"""The past of any record over the API: its events, the record as it was, and what differs in between."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpResponse
from django.urls import path
from dmr import Query

from fairway.accounts.web import ApiController, RefView, operation
from fairway.kernel.errors import Invalid
from fairway.kernel.period import parse_instant
from fairway.workspace import queries
from fairway.workspace.api.shared import subject_view
from fairway.workspace.rules.past import ERASED, State, differences

MOST = 1000


class HistoryQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The events of one record; `field`: only those that changed this column; `before`: an event's number."""

    kind: str
    subject: str
    field: str = ""
    before: str = ""
    limit: int = 50


class StateQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`at`: an instant; left out: now."""

    kind: str
    subject: str
    at: str = ""


class CompareQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Two instants; `to` left out: now."""

    kind: str
    subject: str
    start: str = msgspec.field(name="from")
    to: str = ""


class RowChange(msgspec.Struct, kw_only=True):
    """What an event wrote in one row: columns to [before, after]; references are uids."""

    model: str
    uid: str
    action: str
    changes: dict[str, list[Any]]
    erased: bool


class PastEvent(msgspec.Struct, kw_only=True):
    sequence: int
    at: str
    actor: str
    on_behalf_of: str | None
    command: str
    rows: list[RowChange]


class HistoryView(msgspec.Struct, kw_only=True):
    """`next`: what to ask for as `before` to go on."""

    subject: RefView
    items: list[PastEvent]
    next: str | None


class PartView(msgspec.Struct, kw_only=True):
    model: str
    uid: str
    values: dict[str, Any]


class StateView(msgspec.Struct, kw_only=True):
    """A record as it was known at an instant: after event `sequence`, which was the last until then.

    References are uids, those to records that the caller may not see “hidden”; `erased`: columns whose words
    were erased since.
    """

    subject: RefView
    as_known_at: datetime | None
    sequence: int
    last_event_at: str
    values: dict[str, Any]
    parts: list[PartView]
    erased: list[str]


class DifferenceView(msgspec.Struct, kw_only=True):
    """One column of one row that differs; null where the row was not there."""

    model: str
    uid: str
    column: str
    before: Any
    after: Any


class CompareView(msgspec.Struct, kw_only=True):
    subject: RefView
    differences: list[DifferenceView]


def _plain(value: Any) -> Any:
    return None if value == ERASED else value


class HistoryController(ApiController):
    """What happened to a record."""

    @operation("audit.view", HistoryView)
    def get(self, parsed_query: Query[HistoryQuery]) -> HttpResponse:
        """Tell the events of a record, the newest first, with each column before and after."""
        if not 1 <= parsed_query.limit <= MOST:
            raise Invalid.field("limit", f"A page holds 1 to {MOST} events.")
        before = _number(parsed_query.before)
        found = queries.past(self.actor, parsed_query.kind, parsed_query.subject)
        events = [
            event
            for event in found.shown()
            if (before is None or event["sequence"] < before)
            and (not parsed_query.field or any(parsed_query.field in row["changes"] for row in event["rows"]))
        ]
        page = events[: parsed_query.limit]
        items = [
            PastEvent(
                sequence=event["sequence"],
                at=event["at"],
                actor=event["actor"]["uid"],
                on_behalf_of=event["on_behalf_of"],
                command=event["command"],
                rows=[
                    RowChange(
                        model=row["model"],
                        uid=row["uid"],
                        action=row["action"],
                        changes={name: list(pair) for name, pair in row["changes"].items()},
                        erased=row["erased"],
                    )
                    for row in event["rows"]
                ],
            )
            for event in page
        ]
        following = str(page[-1]["sequence"]) if len(events) > len(page) else None
        return self.answer(HistoryView(subject=subject_view(found.record), items=items, next=following))


def _number(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Invalid.field("before", f"“{text[:40]}” is not the number of an event.")
    return int(text)


class StateController(ApiController):
    """A record as it was."""

    @operation("audit.view", StateView)
    def get(self, parsed_query: Query[StateQuery]) -> HttpResponse:
        """Tell the record as it was known at an instant."""
        at = parse_instant(parsed_query.at) if parsed_query.at else None
        found = queries.past(self.actor, parsed_query.kind, parsed_query.subject)
        return self.answer(_state(found, found.state(at), at))


def _state(found: queries.Past, state: State, at: datetime | None) -> StateView:
    own = (found.model, str(found.record.uid))
    return StateView(
        subject=subject_view(found.record),
        as_known_at=at,
        sequence=state.sequence,
        last_event_at=state.at,
        values={name: _plain(value) for name, value in state.rows[own].items()},
        parts=[
            PartView(model=key[0], uid=key[1], values={name: _plain(value) for name, value in values.items()})
            for key, values in state.rows.items()
            if key != own
        ],
        erased=sorted(name for name, value in state.rows[own].items() if value == ERASED),
    )


class CompareController(ApiController):
    """What differs between two instants."""

    @operation("audit.view", CompareView)
    def get(self, parsed_query: Query[CompareQuery]) -> HttpResponse:
        """Tell each column that differs between the record as known at two instants."""
        start = parse_instant(parsed_query.start, field="from")
        to = parse_instant(parsed_query.to, field="to") if parsed_query.to else None
        found = queries.past(self.actor, parsed_query.kind, parsed_query.subject)
        differing = [
            DifferenceView(
                model=one.model,
                uid=one.uid,
                column=one.column,
                before=_plain(one.before),
                after=_plain(one.after),
            )
            for one in differences(found.state(start), found.state(to))
        ]
        return self.answer(CompareView(subject=subject_view(found.record), differences=differing))


urls = [
    path("history", HistoryController.as_view(), name="history"),
    path("history/state", StateController.as_view(), name="history-state"),
    path("history/compare", CompareController.as_view(), name="history-compare"),
]
