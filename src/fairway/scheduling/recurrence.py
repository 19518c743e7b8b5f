"""Recurring windows: wall time in a zone, repeated by a rule, each time for a duration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from fairway.kernel.errors import Invalid
from fairway.kernel.period import YEARS, Period
from fairway.scheduling.rules import Rule

MOST_OCCURRENCES = 10_000
MOST_DATES = 1_000
LONGEST = timedelta(days=366)
LOOK_AHEAD = 60
"""Years in which a rule must give a date: a leap day on one weekday comes every 28, around 2100 every 40."""
_MARGIN = timedelta(days=2)  # a zone once skipped a whole day (Pacific/Apia, 30 December 2011)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache(maxsize=1024)
def zone(name: str, *, field: str = "zone") -> ZoneInfo:
    """Return the IANA zone.

    :raises Invalid: there is none of this name; names the nearest one.
    """
    if name not in _zones():
        near = get_close_matches(name[:60], _zones(), n=1, cutoff=0.6)
        right = f"did you mean {near[0]}?" if near else "use a name such as Europe/London or UTC."
        raise Invalid.field(field, f"“{name[:60]}” is not an IANA time zone; {right}")
    return ZoneInfo(name)


def local_to_utc(local: datetime, where: ZoneInfo) -> datetime:
    """Return the instant of a naive wall time.

    In a spring gap the offset before the gap counts, in an autumn overlap the first instance.
    Source: RFC 5545, 3.3.5.
    """
    return local.replace(tzinfo=where, fold=0).astimezone(UTC)


def is_skipped(local: datetime, where: ZoneInfo) -> bool:
    """Say whether the clock never shows this naive wall time, for it jumps over it."""
    return local_to_utc(local, where).astimezone(where).replace(tzinfo=None) != local


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A window that comes again.

    `start`: naive wall time in `zone_name`. `duration`: elapsed time, so a night with a clock change keeps
    its length and not its wall-clock end. `rule`: None for the start and `rdates` alone. `rdates`, `exdates`:
    naive wall times of further starts and of starts left out. COUNT counts before any are left out.

    :raises Invalid: naming the field (`local_start`, `duration`, `zone`, `rdates`, `exdates`).
    """

    start: datetime
    duration: timedelta
    zone_name: str
    rule: Rule | None = None
    rdates: tuple[datetime, ...] = ()
    exdates: tuple[datetime, ...] = ()

    def __post_init__(self) -> None:
        zone(self.zone_name)
        for field, times in (
            ("local_start", (self.start,)),
            ("rdates", self.rdates),
            ("exdates", self.exdates),
        ):
            if len(times) > MOST_DATES:
                raise Invalid.field(field, f"{len(times)} dates are too many; give at most {MOST_DATES}.")
            for time in times:
                if time.tzinfo is not None:
                    raise Invalid.field(
                        field,
                        f"{time.isoformat()} has an offset; give the local time of {self.zone_name} alone.",
                    )
                if not YEARS[0] <= time.year <= YEARS[1]:
                    raise Invalid.field(
                        field, f"The year {time.year} is too far; give one from {YEARS[0]} to {YEARS[1]}."
                    )
        if not timedelta(0) < self.duration <= LONGEST:
            raise Invalid.field("duration", "The duration must be longer than nothing and at most 366 days.")

    def check(self) -> None:
        """Make sure that there is an occurrence; costs milliseconds, so it is for saving, not for loading.

        :raises Invalid: the rule gives no date, or everything it gives is left out.
        """
        first = self.start.date()
        last = date(first.year + LOOK_AHEAD, 12, 31)
        excluded = set(self.exdates)
        if any(local not in excluded for local in self._locals(first, last)):
            return
        raise Invalid.field(
            "rrule",
            f"The rule gives no date from {first} to {last};"
            " check BYMONTH, BYMONTHDAY, UNTIL and the dates left out.",
        )

    def occurrences(self, within: Period, *, limit: int = MOST_OCCURRENCES) -> list[Period]:
        """Return the occurrences that overlap the period, whole, in order of their start; in UTC.

        :raises Invalid: there are more than `limit`.
        """
        where = zone(self.zone_name)
        low = _day(within.start, -self.duration - _MARGIN)
        high = _day(within.end, _MARGIN)
        excluded = {local_to_utc(local, where) for local in self.exdates}
        starts: set[datetime] = set()
        for local in self._locals(low, high):
            start = local_to_utc(local, where)
            if start < within.end and start + self.duration > within.start and start not in excluded:
                starts.add(start)
                if len(starts) > limit:
                    raise Invalid.field(
                        "rrule",
                        f"The window comes more than {limit} times in the span asked; take a shorter one.",
                    )
        return [Period(start, start + self.duration) for start in sorted(starts)]

    def _locals(self, low: date, high: date) -> Iterator[datetime]:
        """Give naive wall times of starts between two local dates, both included, in no order."""
        yield from (local for local in self.rdates if low <= local.date() <= high)
        if self.rule is None:
            yield from (local for local in (self.start,) if low <= local.date() <= high)
            return
        time, first = self.start.time(), self.start.date()
        until = self.rule.until
        where = zone(self.zone_name)
        if until is not None:
            high = min(high, _day(until, timedelta(days=1)) if until.tzinfo else until.date())
        counted = self.rule.count is not None
        for number, day in enumerate(self.rule.dates(first, first if counted else low, high), start=1):
            if self.rule.count is not None and number > self.rule.count:
                return
            local = datetime.combine(day, time)
            if until is not None and (local_to_utc(local, where) if until.tzinfo else local) > until:
                return
            if day >= low:
                yield local


def _day(at: datetime, by: timedelta) -> date:
    try:
        return (at + by).date()
    except OverflowError:
        return date.max if by > timedelta(0) else date.min
