"""Free slots over the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from django.http import HttpResponse
from django.urls import path
from dmr import Query

from fairway.accounts import queries as accounts
from fairway.accounts.web import ApiController, RefView, operation, ref_view
from fairway.changes import queries
from fairway.changes.slots import reasons
from fairway.changes.views import SpanView
from fairway.kernel.errors import Invalid
from fairway.kernel.period import parse_instant


class SlotQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`change`, or a plan: `items` and `environments` by key, with commas between, and the `length`.

    `length`, `within`: durations in ISO 8601, such as PT2H and P90D. `downtime`: the items are out of use
    throughout; `model`: the change model by slug. `after`: not earlier than this instant. `sort`: by expected
    disruption, or by start.
    """

    change: str = ""
    items: str = ""
    environments: str = ""
    length: str = ""
    downtime: bool = False
    model: str = "normal"
    within: str = "P365D"
    after: str = ""
    sort: Literal["disruption", "start"] = "disruption"
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 20


class SlotReason(msgspec.Struct, kw_only=True):
    """`amount`: hours, or how many times. `about`: what it names; hidden what the caller may not see."""

    rule: str
    points: float
    amount: float
    message: str
    about: list[RefView]


class SlotView(msgspec.Struct, kw_only=True):
    """`disruption`: points, the sum of the reasons'; one is an hour of work within the service hours of one
    thing of criticality 4, and each level above counts double.
    """

    start: datetime
    end: datetime
    windows: list[SpanView]
    downtime: list[SpanView]
    disruption: float
    reasons: list[SlotReason]


class SlotList(msgspec.Struct, kw_only=True):
    """Starts in [from, to). `first`: the earliest free start, to the microsecond; null: there is none."""

    start: datetime = msgspec.field(name="from")
    end: datetime = msgspec.field(name="to")
    first: datetime | None
    items: list[SlotView]


class SlotsController(ApiController):
    """When something could be done."""

    @operation("changes.view", SlotList)
    def get(self, parsed_query: Query[SlotQuery]) -> HttpResponse:
        """List free slots: nothing blocks in them, and what they would disturb is told in points.

        Slots do not overlap each other. A change keeps the lengths and distances of its windows.
        """
        asked, actor = parsed_query, self.actor
        accounts.require(actor, "changes.view", at=None)
        sees = accounts.access(actor).sees
        now = datetime.now(UTC)
        found = queries.slots(
            _proposal(actor, asked),
            at=max(now, parse_instant(asked.after, field="after")) if asked.after else now,
            within=_duration(asked.within, "within"),
            limit=asked.limit,
            soonest=asked.sort == "start",
        )
        views = []
        for offer in found.offers:
            windows = [SpanView(start=one.start, end=one.end) for one in offer.windows]
            views.append(
                SlotView(
                    start=offer.slot.start,
                    end=max(one.end for one in windows),
                    windows=windows,
                    downtime=[SpanView(start=one.start, end=one.end) for one in offer.downtimes],
                    disruption=offer.slot.points,
                    reasons=[
                        SlotReason(
                            rule=one.rule,
                            points=one.points,
                            amount=one.amount,
                            message=one.message,
                            about=[ref_view(ref) for ref in one.about],
                        )
                        for one in reasons(offer.slot, sees)
                    ],
                )
            )
        within = found.within
        return self.answer(SlotList(start=within.start, end=within.end, first=found.first, items=views))


def _proposal(actor: Any, asked: SlotQuery) -> queries.Proposal:
    plan = (asked.items, asked.environments, asked.length)
    if asked.change:
        if any(plan) or asked.downtime:
            raise Invalid.field("change", "Name a change, or a plan by items and length; not both.")
        return queries.dossier(actor, asked.change).proposal()
    if not asked.length:
        raise Invalid.field("length", "Name a change, or say how long the work takes, such as length=PT2H.")
    return queries.planned(
        actor,
        items=_keys(asked.items),
        environments=_keys(asked.environments),
        length=_duration(asked.length, "length"),
        downtime=asked.downtime,
        model=asked.model,
    )


def _keys(text: str) -> list[str]:
    return [key for key in (part.strip() for part in text.split(",")) if key]


def _duration(text: str, field: str) -> timedelta:
    """Return a positive duration.

    :raises Invalid: it is none, or longer than a year.
    """
    try:
        found = msgspec.convert(text.strip(), timedelta, strict=False)
    except msgspec.ValidationError as cause:
        raise Invalid.field(field, f"“{text[:40]}” is no duration; write PT2H or P90D.") from cause
    if not timedelta(0) < found <= queries.FURTHEST:
        raise Invalid.field(field, "A duration is longer than nothing and at most 366 days here.")
    return found


urls = [path("slots", SlotsController.as_view(), name="slots")]
