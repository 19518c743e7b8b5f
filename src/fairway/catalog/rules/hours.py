"""Service hours: when something is looked after, as a week of local times in a zone; pure.

Written and stored as text, such as `mon-fri 08:00-18:00; sat 09:00-13:00 Europe/London`, or `24x7`.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import available_timezones

from fairway.kernel.errors import Invalid
from fairway.kernel.period import Period
from fairway.scheduling import IntervalSet, local_to_utc, zone

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALWAYS: Final = "24x7"
_PART = re.compile(r"([a-z]{3})(?:-([a-z]{3}))?\s+(\d{2}:\d{2})-(\d{2}:\d{2})")
_EXAMPLE = "write them as mon-fri 08:00-18:00; sat 09:00-13:00 Europe/London, or 24x7"


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())  # it reads the file system


def service_hours(text: str, *, field: str = "service_hours") -> str:
    """Return service hours in their one form; empty: nothing is said.

    Spans are half-open and within a day; 24:00 is its end. Days in order, equal ones joined.

    :raises Invalid: it is none, a span has no length, or two overlap.
    """
    given = " ".join(text.split())
    if not given or given.casefold() == ALWAYS:
        return given.casefold()
    body, _space, zone = given.rpartition(" ")
    if zone not in _zones():
        raise Invalid.field(field, f"“{zone[:40]}” is no time zone; {_EXAMPLE}.")
    week: dict[str, list[tuple[str, str]]] = {day: [] for day in DAYS}
    for part in body.rstrip(";").split(";"):
        found = _PART.fullmatch(part.strip().casefold())
        if found is None or found[1] not in DAYS or (found[2] or "mon") not in DAYS:
            raise Invalid.field(field, f"“{part.strip()[:40]}” says no hours; {_EXAMPLE}.")
        first, last = DAYS.index(found[1]), DAYS.index(found[2] or found[1])
        start, end = found[3], found[4]
        if not (_is_time(start) and _is_time(end) and start < end and first <= last):
            raise Invalid.field(field, f"“{part.strip()[:40]}” ends before it begins; {_EXAMPLE}.")
        for day in DAYS[first : last + 1]:
            week[day].append((start, end))
    for day, spans in week.items():
        spans.sort()
        if any(earlier[1] > later[0] for earlier, later in pairwise(spans)):
            raise Invalid.field(field, f"Two spans overlap on {day}.")
    return f"{_joined(week)} {zone}"


def _is_time(text: str) -> bool:
    hours, minutes = int(text[:2]), int(text[3:])
    return (hours < 24 and minutes < 60) or (hours, minutes) == (24, 0)


def _joined(week: dict[str, list[tuple[str, str]]]) -> str:
    """Write the week, days that follow each other and have the same hours together."""
    parts: list[str] = []
    position = 0
    while position < len(DAYS):
        spans = week[DAYS[position]]
        last = position
        while last + 1 < len(DAYS) and week[DAYS[last + 1]] == spans:
            last += 1
        days = DAYS[position] if last == position else f"{DAYS[position]}-{DAYS[last]}"
        parts += [f"{days} {start}-{end}" for start, end in spans]
        position = last + 1
    return "; ".join(parts)


def served(text: str, within: Period) -> IntervalSet:
    """Return when service hours, in their one form, are on within a period; always, where nothing is said.

    Spans begin and end at wall time: on the day of a change of clocks they are as much longer or shorter.
    """
    if text in ("", ALWAYS):
        return IntervalSet.of([within])
    day = timedelta(days=1)
    first, last = (within.start - day).year, (within.end + day).year
    years = (_year(text, year) for year in range(first, last + 1))
    return IntervalSet.of(period for year in years for period in year).clip(within)


@lru_cache(maxsize=512)
def _year(text: str, year: int) -> IntervalSet:
    """Return the hours of all days of a year, as local dates."""
    body, _space, name = text.rpartition(" ")
    week: dict[int, list[tuple[str, str]]] = {}
    for part in body.split("; "):
        days, _space, hours = part.partition(" ")
        begin, _dash, end = days.partition("-")
        start, _dash, stop = hours.partition("-")
        for number in range(DAYS.index(begin), DAYS.index(end or begin) + 1):
            week.setdefault(number, []).append((start, stop))
    where, day = zone(name), date(year, 1, 1)
    pairs = []
    while day.year == year:
        for start, stop in week.get(day.weekday(), ()):
            pairs.append((local_to_utc(_wall(day, start), where), local_to_utc(_wall(day, stop), where)))
        day += timedelta(days=1)
    return IntervalSet.of_pairs(pairs)


def _wall(day: date, text: str) -> datetime:
    """Return a local time of a day; 24:00 is the next day's midnight."""
    hours, minutes = int(text[:2]), int(text[3:])
    if hours == 24:
        return datetime.combine(day + timedelta(days=1), time())
    return datetime.combine(day, time(hours, minutes))
