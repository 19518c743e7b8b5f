"""Instants and periods in the reader's zone, in the one form that stands on every screen.

Everything here is pure: the zone and the present instant are handed in, datetimes are aware.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

MINUTE, HOUR, DAY = 60, 3600, 86400
HALF_A_YEAR = timedelta(days=183)


@lru_cache(maxsize=512)
def zone_of(name: str) -> ZoneInfo:
    """Return the zone of an IANA name.

    :raises zoneinfo.ZoneInfoNotFoundError: no such zone.
    """
    return ZoneInfo(name)


def zone_mark(at: datetime) -> str:
    """Return the zone's short name at that instant, `GMT` or `UTC+05:30` where it has none but its offset."""
    name = at.tzname() or ""
    if name and name[0] not in "+-":
        return name
    offset = at.utcoffset() or timedelta()
    minutes = round(abs(offset.total_seconds()) / 60)
    return f"UTC{'-' if offset < timedelta() else '+'}{minutes // 60:02}:{minutes % 60:02}"


def _day(at: datetime, *, now: datetime) -> str:
    return date_format(at, "D j M" if at.year == now.year else "D j M Y")


def instant(at: datetime, *, zone: str, now: datetime) -> str:
    """Return `Tue 24 Nov 21:00 GMT`; the year stands only where it is not the present one."""
    local = at.astimezone(zone_of(zone))
    return f"{_day(local, now=now.astimezone(local.tzinfo))} {local:%H:%M} {zone_mark(local)}"


def period(start: datetime, end: datetime | None, *, zone: str, now: datetime) -> str:
    """Return `Tue 24 Nov 21:00-23:30 GMT`; both days, and both zone names, where they differ.

    Half-open: an end at 00:00 is the midnight that closes the day and is written as 24:00 of that day.
    """
    if end is None:
        return _("from %(start)s") % {"start": instant(start, zone=zone, now=now)}
    tz = zone_of(zone)
    first, last, today = start.astimezone(tz), end.astimezone(tz), now.astimezone(tz)
    last_day, last_time = _closing(first, last)
    same_zone = zone_mark(first) == zone_mark(last)
    opening = f"{_day(first, now=today)} {first:%H:%M}" + ("" if same_zone else f" {zone_mark(first)}")
    if first.date() == last_day.date():
        return f"{opening}-{last_time} {zone_mark(last)}"
    return f"{opening} - {_day(last_day, now=today)} {last_time} {zone_mark(last)}"


def brief(start: datetime, end: datetime | None, *, zone: str, now: datetime) -> str:
    """Return a period for a column whose head names the zone: `Tue 1 Dec 23:00 - Wed 03:00`.

    The last day is its weekday alone where that is enough; the year stands only half a year or more from now.
    """
    tz = zone_of(zone)
    first, today = start.astimezone(tz), now.astimezone(tz)
    near = abs(start - now) < HALF_A_YEAR
    opening = f"{date_format(first, 'D j M' if near else 'D j M Y')} {first:%H:%M}"
    if end is None:
        return _("from %(start)s") % {"start": opening}
    last_day, last_time = _closing(first, end.astimezone(tz))
    if first.date() == last_day.date():
        return f"{opening}-{last_time}"
    days = (last_day.date() - first.date()).days
    day = date_format(last_day, "D") if days < 6 else _day(last_day, now=first if near else today)
    return f"{opening} - {day} {last_time}"


def _closing(first: datetime, last: datetime) -> tuple[datetime, str]:
    """Return the day that an end is written with, and the time: midnight is 24:00 of the day it closes."""
    if last.hour == last.minute == last.second == 0 and last.date() > first.date():
        return last - timedelta(days=1), "24:00"
    return last, f"{last:%H:%M}"


def in_utc(start: datetime, end: datetime | None = None) -> str:
    """Return the instant or the period in UTC, ISO dates, for the title that shows the other zone."""
    first = f"{start.astimezone(UTC):%Y-%m-%d %H:%M}"
    if end is None:
        return f"{first} UTC"
    last = end.astimezone(UTC)
    return (
        f"{first} - {last:%H:%M} UTC"
        if last.date() == start.astimezone(UTC).date()
        else f"{first} - {last:%Y-%m-%d %H:%M} UTC"
    )


def length(span: timedelta) -> str:
    """Return `2 h 30 min`, `3 d 4 h`, `45 min`: the two largest units, rounded down."""
    seconds = int(abs(span.total_seconds()))
    days, rest = divmod(seconds, DAY)
    hours, rest = divmod(rest, HOUR)
    minutes = rest // MINUTE
    units = [(days, _("%d d")), (hours, _("%d h")), (minutes, _("%d min"))]
    while len(units) > 1 and not units[0][0]:
        units.pop(0)
    return " ".join(text % number for number, text in units[:2] if number) or _("%d min") % 0


def relative(start: datetime, end: datetime | None = None, *, now: datetime) -> str:
    """Return `in 3 h`, `2 d ago`, or for a period that holds now what is left of it."""
    if now < start:
        return _("in %(length)s") % {"length": _coarse(start - now)}
    if end is not None and now < end:
        return _("now, %(length)s left") % {"length": _coarse(end - now)}
    past = now - (end or start)
    if past < timedelta(minutes=1):
        return _("just now")
    return _("%(length)s ago") % {"length": _coarse(past)}


def _coarse(span: timedelta) -> str:
    seconds = span.total_seconds()
    if seconds < HOUR:
        return _("%d min") % max(1, round(seconds / MINUTE))
    if seconds < 2 * DAY:
        return _("%d h") % round(seconds / HOUR)
    days = round(seconds / DAY)
    if days < 60:
        return _("%d d") % days
    months = round(days / 30.44)
    return ngettext("%d month", "%d months", months) % months
