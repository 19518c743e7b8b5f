"""The bank's freezes and maintenance windows, some in every year, some around the day of loading."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fairway.demo.story.company import LONDON, NEW_YORK, ROOT, SINGAPORE

HARD, SOFT, MAINTENANCE = "hard_freeze", "soft_freeze", "maintenance"
BLOCKOUT, HOLIDAY, INFORMATION = "booking_blockout", "holiday", "information"
LIVE = ("production", "disaster_recovery")
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Window:
    """A window: one span from a local start on, or one that recurs by `rrule`.

    `known`: when it was announced.
    `days`: weekdays of a weekly one (Monday 0), for planning around it without the rule.
    """

    kind: str
    name: str
    reason: str
    zone: str
    start: datetime
    length: timedelta
    known: datetime
    rrule: str = ""
    unit: str = ROOT
    items: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    criticalities: tuple[int, ...] = ()
    models: tuple[str, ...] = ()
    condition: str = ""
    stops: tuple[str, ...] | None = None
    days: tuple[int, ...] = ()

    def span(self, start: datetime) -> Span:
        """Return an occurrence, in absolute time, from its local start."""
        begin = start.replace(tzinfo=ZoneInfo(self.zone)).astimezone(UTC)
        return begin, begin + self.length


DAY_NAMES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

# items, days, from (local hours), for how many hours, zone, name
WEEKLY = (
    ("core-ledger core-ledger-db core-ledger.batch-scheduler core-ledger.ledger-online mf-lon", (6,), 1, 6,
    LONDON,
     "Mainframe Sunday"),
    ("payments-hub payments-hub-db payments-hub.routing payments-hub.limits instant-payments"
    " instant-payments-db", (6,),
     2, 5, LONDON, "Payments Sunday night"),
    ("payments-hub payments-hub-db payments-hub.routing payments-hub.limits", (2,), 2, 2, LONDON,
     "Payments mid-week"),
    ("swift-gateway swift-gateway-db vm-swift", (5,), 18, 5, LONDON, "SWIFT Saturday evening"),
    ("card-authorisation card-authorisation-db card-authorisation.stand-in", (6,), 2, 4, NEW_YORK,
     "Card authorisation Sunday"),
    ("fx-trading fx-trading-db fx-trading.pricing-engine rates-trading market-data market-data-db", (5,), 8,
    12,
     SINGAPORE, "Markets Saturday"),
    ("identity identity-db identity.directory identity.token-service", (1, 6), 1, 3, LONDON,
    "Identity nights"),
    ("atm-switch atm-switch-db", (6,), 3, 3, LONDON, "Cash machines Sunday"),
    ("wan lan-lon firewalls-lon internet-edge dns", (5,), 20, 9, LONDON, "Network Saturday night"),
    ("mobile-app-api web-banking", (1, 3), 1, 4, LONDON, "Online banking nights"),
)  # fmt: skip


def windows(now: datetime) -> list[Window]:
    """Return the bank's windows as they are known on a day."""
    today = now.date()
    early = now - timedelta(days=380)
    return [
        *_every_year(today, early),
        *_announced(today, now),
        *_to_know(today, early, now),
        *_weekly(today, early),
    ]


def _every_year(today: date, early: datetime) -> Iterator[Window]:
    for year in range(today.year - 1, today.year + 1):
        start = _local(year, 12, 18)
        if abs(start.date() - today) < timedelta(days=190):
            yield Window(
                HARD, f"Year-end freeze {year}", "Annual accounts; nobody is there to put things right.",
                    LONDON,
                start, timedelta(days=16, hours=12), early, tiers=LIVE,
            )  # fmt: skip
    first = date(today.year - 1, 1, 1)
    yield Window(
        SOFT, "Quarter close", "The books close: work on the most critical systems needs a reason.", LONDON,
        datetime.combine(first.replace(month=3, day=29), time(18)), timedelta(days=4), early,
        rrule="FREQ=YEARLY;BYMONTH=3,6,9,12;BYMONTHDAY=29", tiers=("production",), criticalities=(1,),
    )  # fmt: skip
    yield Window(
        HARD, "Payday", "Salaries and standing orders are on their way.", LONDON,
        datetime.combine(first.replace(day=27), time(18)), timedelta(hours=36), early,
        rrule="FREQ=MONTHLY;BYMONTHDAY=27", unit="payments", tiers=("production",), criticalities=(1,),
    )  # fmt: skip
    yield Window(
        HARD, "Peak trading at the tills", "The busiest days for cards.", NEW_YORK,
        _local(today.year - 1, 11, 22), timedelta(days=9), early,
        rrule="FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=22", unit="cards", tiers=LIVE,
    )  # fmt: skip


def _to_know(today: date, early: datetime, now: datetime) -> Iterator[Window]:
    """Give the days off and dates to know, and what keeps bookings out of an environment."""
    first = date(today.year - 1, 1, 1)
    for month, day, length, name in ((12, 25, 2, "Christmas"), (1, 1, 1, "New Year’s Day")):
        yield Window(
            HOLIDAY, name, "Branches and head offices are closed.", LONDON,
            datetime.combine(first.replace(month=month, day=day), time(0)), timedelta(days=length), early,
            rrule=f"FREQ=YEARLY;BYMONTH={month};BYMONTHDAY={day}",
        )  # fmt: skip
    thursday = following(today + timedelta(days=6), 3)
    yield Window(
        INFORMATION, "Quarterly results are published", "Expect more eyes than usual on online banking.",
        LONDON, datetime.combine(thursday, time(7)), timedelta(hours=4), now - timedelta(days=20),
        tiers=("production",),
    )  # fmt: skip
    refresh = following(today + timedelta(days=12), 5)
    yield Window(
        BLOCKOUT, "Masked data is loaded anew", "Whoever tests then would test on half a copy.", LONDON,
        datetime.combine(refresh, time(6)), timedelta(days=2), now - timedelta(days=8),
        unit="environment-services", environments=("perf",),
    )  # fmt: skip
    audit = following(today + timedelta(days=40), 0)
    yield Window(
        HARD, "External audit of databases", "Their schemas and rights are compared with last year’s.",
        LONDON, datetime.combine(audit, time(6)), timedelta(days=3), now - timedelta(days=6),
        tiers=LIVE, models=("normal", "standard"), condition='category == "Database" || priority == 4',
        stops=("submit", "schedule", "start"),
    )  # fmt: skip


def _local(year: int, month: int, day: int) -> datetime:
    """Return six in the evening of a day, as wall time."""
    return datetime.combine(date(year, month, day), time(18))


def _announced(today: date, now: datetime) -> Iterator[Window]:
    """Give the freezes of these weeks; the first was announced after work had been planned into it."""
    friday = following(today + timedelta(days=16), 4)
    yield Window(
        HARD, "Core ledger migration rehearsal", "All balances are copied and compared; nothing may move"
            " meanwhile.",
        LONDON, datetime.combine(friday, time(18)), timedelta(days=2, hours=12), now - timedelta(days=4,
            hours=3),
        unit="platforms", items=LEDGER, tiers=("production",),
    )  # fmt: skip
    monday = following(today + timedelta(days=9), 0)
    yield Window(
        HARD, "Supervisor’s acceptance tests", "Outside testers work in this environment.", LONDON,
        datetime.combine(monday, time(7)), timedelta(days=4, hours=12), now - timedelta(days=11, hours=5),
        unit="environment-services", environments=("uat",),
    )  # fmt: skip
    yield Window(
        HARD, "Regression weekend of the train", "What is altered meanwhile is tested by nobody.", LONDON,
        datetime.combine(following(today + timedelta(days=4), 5), time(6)), timedelta(days=2),
        now - timedelta(days=4), unit="environment-services", groups=("release-train",), stops=(),
    )  # fmt: skip
    autumn = following(today - timedelta(days=60), 5)
    yield Window(
        HARD, "Data centre power works", "One of two supplies is off.", LONDON,
        datetime.combine(autumn, time(6)), timedelta(hours=30), now - timedelta(days=95),
        unit="technology", tiers=LIVE,
    )  # fmt: skip


LEDGER = (
    "core-ledger",
    "core-ledger-db",
    "core-ledger.batch-scheduler",
    "core-ledger.ledger-online",
    "mf-lon",
)


def _weekly(today: date, early: datetime) -> Iterator[Window]:
    for items, days, hour, hours, zone, name in WEEKLY:
        first = following(today - timedelta(days=371), days[0])
        yield Window(
            MAINTENANCE, name, "Fewest customers are served then.", zone,
            datetime.combine(first, time(hour)), timedelta(hours=hours), early,
            rrule=f"FREQ=WEEKLY;BYDAY={','.join(DAY_NAMES[day] for day in days)}",
            unit=ROOT, items=tuple(items.split()), tiers=("production",), days=days,
        )  # fmt: skip


def following(day: date, weekday: int) -> date:
    """Return the day itself or the first one after it that is this weekday (Monday 0)."""
    return day + timedelta(days=(weekday - day.weekday()) % 7)


class Planner:
    """Knows enough of the calendar to plan around it, in the story's own plain way."""

    def __init__(self, now: datetime) -> None:
        listed = windows(now)
        self._maintenance: dict[str, list[Window]] = {}
        for window in listed:
            if window.kind == MAINTENANCE:
                for item in window.items:
                    self._maintenance.setdefault(item, []).append(window)
        self._freezes = [
            (window, span)
            for window in listed
            if window.kind in {HARD, SOFT}
            for span in _spans(window, now.date())
        ]

    def openings(self, item: str, day: date) -> list[Span] | None:
        """Return the maintenance windows of an item that begin on a day, None where it has none at all."""
        if item not in self._maintenance:
            return None
        return [
            window.span(datetime.combine(day, window.start.time()))
            for window in self._maintenance[item]
            if day.weekday() in window.days
        ]

    def next(self, name: str, *, after: datetime) -> datetime:
        """Return when a freeze begins the next time.

        :raises ValueError: it does not begin again within what is known.
        """
        return min(start for window, (start, _) in self._freezes if window.name == name and start >= after)

    def frozen(
        self,
        span: Span,
        *,
        items: Iterable[str],
        units: frozenset[str],
        tier: str,
        place: str,
        criticality: int,
    ) -> tuple[Window, ...]:
        """Return the freezes that work would meet; `units`: of work, item and environment, with all above."""
        named = set(items)
        return tuple(
            window
            for window, (start, end) in self._freezes
            if span[0] < end
            and start < span[1]
            and window.unit in units
            and (not window.items or named & set(window.items))
            and (not window.environments or place in window.environments or not place)
            and (not window.tiers or tier in window.tiers or not place)
            and (not window.criticalities or criticality in window.criticalities)
        )


def _spans(window: Window, today: date) -> Iterator[Span]:
    """Give the occurrences around a day: enough for the yearly and monthly rules above."""
    if not window.rrule:
        yield window.span(window.start)
        return
    rule = dict(part.split("=") for part in window.rrule.split(";"))
    months = [int(month) for month in rule.get("BYMONTH", "1,2,3,4,5,6,7,8,9,10,11,12").split(",")]
    for year in range(today.year - 1, today.year + 2):
        for month in months:
            local = datetime.combine(date(year, month, int(rule["BYMONTHDAY"])), window.start.time())
            if local >= window.start:
                yield window.span(local)


@dataclass(frozen=True, slots=True)
class Working:
    """When a unit works on weekdays, and its days off every year: month, day, for how many days, name."""

    key: str
    name: str
    unit: str
    zone: str
    week: tuple[str, ...]
    yearly: tuple[tuple[int, int, int, str], ...]


WORKING = (
    Working(
        "uk-offices", "UK offices", ROOT, LONDON, ("09:00-17:30",),
        ((12, 25, 2, "Christmas"), (1, 1, 1, "New Year’s Day"), (5, 4, 1, "Founders’ Day")),
    ),
    Working(
        "us-offices", "US offices", "cards", NEW_YORK, ("08:30-12:30", "13:15-17:15"),
        ((7, 4, 1, "Independence Day"), (12, 25, 1, "Christmas Day"), (1, 1, 1, "New Year’s Day")),
    ),
)  # fmt: skip


LOCKED: dict[str, Any] = {
    "name": "Suspected intrusion in payments",
    "kind": "lockdown",
    "reason": "Until the forensic team has looked at the logs, nothing there is touched.",
    "organisation": "payments",
    "tiers": ["production"],
}
"""A lockdown that was drafted and approved, and could be enforced at once."""

FOLLOWED = "payments"
"""The branch to whose calendar the person who signs in subscribes."""
