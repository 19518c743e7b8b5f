"""Recurrence rules: reading them, and the dates they give.

Source: RFC 5545, 3.3.10. Taken from it: DAILY to YEARLY, INTERVAL, COUNT, UNTIL, BYDAY, BYMONTHDAY, BYMONTH,
BYSETPOS and WKST. A rule gives dates; the time of day is the start's, so nothing below a day is possible.
Where the start is not itself a date of the rule, it is no occurrence (the RFC leaves this open).

The dates are found here and not by python-dateutil, which walks from the start and, for a rule that never
matches, on to the year 9999: a question about a far year would take seconds. The tests compare the two.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from fairway.kernel.errors import Invalid

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MOST_COUNT = 10_000
LONGEST_INTERVAL = 1_000
LONGEST_TEXT = 500
EXAMPLE = "FREQ=WEEKLY;BYDAY=SA"
_UNTIL = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?")
_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")


class Frequency(StrEnum):
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


@dataclass(frozen=True, slots=True)
class Rule:
    """A recurrence rule.

    `by_day`: pairs (ordinal or 0, weekday with Monday 0). `until`: the last start that still counts, an aware
    instant in UTC or a naive local time. `week_start`: weekday with Monday 0.
    """

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: datetime | None = None
    by_day: tuple[tuple[int, int], ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_month: tuple[int, ...] = ()
    by_set_pos: tuple[int, ...] = ()
    week_start: int = 0

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Read a rule, with or without `RRULE:` before it.

        :raises Invalid: on the field `rrule`, saying what is wrong and what would be right.
        """
        parts = _parts(text)
        unknown = sorted(parts.keys() - _KNOWN)
        if unknown:
            raise _wrong(
                f"{unknown[0]} is not possible here: a window recurs on days and keeps its time of day;"
                f" possible are {', '.join(sorted(_KNOWN))}."
            )
        if "FREQ" not in parts:
            raise _wrong(f"FREQ is missing; write a rule such as {EXAMPLE}.")
        if parts["FREQ"] not in Frequency.__members__:
            raise _wrong(f"FREQ={parts['FREQ'][:20]} is not possible; use DAILY, WEEKLY, MONTHLY or YEARLY.")
        if "COUNT" in parts and "UNTIL" in parts:
            raise _wrong("COUNT and UNTIL exclude each other; keep one of them.")
        rule = cls(
            frequency=Frequency(parts["FREQ"]),
            interval=_number("INTERVAL", parts.get("INTERVAL", "1"), 1, LONGEST_INTERVAL),
            count=_number("COUNT", parts["COUNT"], 1, MOST_COUNT) if "COUNT" in parts else None,
            until=_until(parts["UNTIL"]) if "UNTIL" in parts else None,
            by_day=_days(parts["BYDAY"]) if "BYDAY" in parts else (),
            by_month_day=_numbers(parts, "BYMONTHDAY", 31),
            by_month=_numbers(parts, "BYMONTH", 12, negative=False),
            by_set_pos=_numbers(parts, "BYSETPOS", 366),
            week_start=_weekday(parts["WKST"]) if "WKST" in parts else 0,
        )
        rule._check()
        return rule

    def __str__(self) -> str:
        """Write the rule in the canonical order of its parts."""
        parts = [f"FREQ={self.frequency}"]
        if self.interval != 1:
            parts.append(f"INTERVAL={self.interval}")
        if self.count is not None:
            parts.append(f"COUNT={self.count}")
        if self.until is not None:
            parts.append(f"UNTIL={self.until:%Y%m%dT%H%M%S}{'Z' if self.until.tzinfo else ''}")
        if self.by_month:
            parts.append("BYMONTH=" + ",".join(map(str, self.by_month)))
        if self.by_month_day:
            parts.append("BYMONTHDAY=" + ",".join(map(str, self.by_month_day)))
        if self.by_day:
            parts.append("BYDAY=" + ",".join(f"{nth or ''}{WEEKDAYS[day]}" for nth, day in self.by_day))
        if self.by_set_pos:
            parts.append("BYSETPOS=" + ",".join(map(str, self.by_set_pos)))
        if self.week_start:
            parts.append(f"WKST={WEEKDAYS[self.week_start]}")
        return ";".join(parts)

    def dates(self, start: date, low: date, high: date) -> Iterator[date]:
        """Give the dates from `low` to `high`, both included, in order; COUNT and UNTIL are the caller's.

        `start` is the local date the rule counts from; no date before it is given.
        """
        high = min(high, date(9998, 12, 31))
        low = max(low, start)
        for candidates in self._sets(start, low, high):
            for found in candidates:
                if found > high:
                    return
                if found >= low:
                    yield found

    def _sets(self, start: date, low: date, high: date) -> Iterator[list[date]]:
        """Give the dates of each day, week, month or year INTERVAL selects, from the one with `low` on."""
        step = self.interval
        match self.frequency:
            case Frequency.DAILY:
                first = start.toordinal()
                skipped = -((first - low.toordinal()) // step)
                for ordinal in range(first + skipped * step, high.toordinal() + 1, step):
                    day = date.fromordinal(ordinal)
                    if self._allows(day):
                        yield [day]
            case Frequency.WEEKLY:
                first = self._week_of(start)
                skipped = (self._week_of(low) - first) // (7 * step)
                offsets = sorted({(day - self.week_start) % 7 for _, day in self.by_day}) or [
                    (start.weekday() - self.week_start) % 7
                ]
                for ordinal in range(first + skipped * 7 * step, high.toordinal() + 1, 7 * step):
                    week = [date.fromordinal(ordinal + offset) for offset in offsets]
                    yield self._positions([day for day in week if self._in_months(day)])
            case Frequency.MONTHLY:
                first = start.year * 12 + start.month - 1
                skipped = (low.year * 12 + low.month - 1 - first) // step
                for index in range(first + skipped * step, high.year * 12 + high.month, step):
                    year, month = divmod(index, 12)
                    if not self.by_month or month + 1 in self.by_month:
                        yield self._positions(self._in_month(year, month + 1, start.day))
            case Frequency.YEARLY:
                skipped = (low.year - start.year) // step
                for year in range(start.year + skipped * step, high.year + 1, step):
                    yield self._positions(self._in_year(year, start))

    def _allows(self, day: date) -> bool:
        if not self._in_months(day):
            return False
        if self.by_month_day and not {day.day, day.day - monthrange(day.year, day.month)[1] - 1} & {
            *self.by_month_day
        }:
            return False
        return not self.by_day or any(day.weekday() == weekday for _, weekday in self.by_day)

    def _in_months(self, day: date) -> bool:
        return not self.by_month or day.month in self.by_month

    def _week_of(self, day: date) -> int:
        return day.toordinal() - (day.weekday() - self.week_start) % 7

    def _in_month(self, year: int, month: int, usual: int) -> list[date]:
        last = monthrange(year, month)[1]
        weekdays = self._weekdays(date(year, month, 1), date(year, month, last)) if self.by_day else None
        if self.by_month_day:
            found = set(self._numbered(year, month))
            return sorted(found if weekdays is None else found & weekdays)
        if weekdays is not None:
            return sorted(weekdays)
        return [date(year, month, usual)] if usual <= last else []

    def _numbered(self, year: int, month: int) -> Iterator[date]:
        last = monthrange(year, month)[1]
        for number in self.by_month_day:
            day = number if number > 0 else last + 1 + number
            if 1 <= day <= last:
                yield date(year, month, day)

    def _in_year(self, year: int, start: date) -> list[date]:
        if self.by_month_day or self.by_month:
            if self.by_day and not self.by_month:  # ordinals then count within the year, not within a month
                days = (day for month in range(1, 13) for day in self._numbered(year, month))
                return sorted(self._weekdays(date(year, 1, 1), date(year, 12, 31)).intersection(days))
            months = sorted(self.by_month) or range(1, 13)
            return [day for month in months for day in self._in_month(year, month, start.day)]
        if self.by_day:
            return sorted(self._weekdays(date(year, 1, 1), date(year, 12, 31)))
        leap_day_missing = (start.month, start.day) == (2, 29) and monthrange(year, 2)[1] == 28
        return [] if leap_day_missing else [date(year, start.month, start.day)]

    def _weekdays(self, first: date, last: date) -> set[date]:
        found: set[date] = set()
        for nth, weekday in self.by_day:
            one = first + timedelta(days=(weekday - first.weekday()) % 7)
            all_such = [date.fromordinal(o) for o in range(one.toordinal(), last.toordinal() + 1, 7)]
            if nth == 0:
                found.update(all_such)
            elif abs(nth) <= len(all_such):
                found.add(all_such[nth - 1 if nth > 0 else nth])
        return found

    def _positions(self, days: list[date]) -> list[date]:
        if not self.by_set_pos:
            return days
        return sorted({days[p - 1 if p > 0 else p] for p in self.by_set_pos if abs(p) <= len(days)})

    def _check(self) -> None:
        ordinals = [nth for nth, _ in self.by_day if nth]
        if ordinals and self.frequency in (Frequency.DAILY, Frequency.WEEKLY):
            raise _wrong(
                f"BYDAY={self.by_day_text} needs FREQ=MONTHLY or YEARLY; {self.frequency} takes bare days."
            )
        most = 5 if self.frequency is Frequency.MONTHLY or self.by_month else 53
        if any(abs(nth) > most for nth in ordinals):
            raise _wrong(f"BYDAY={self.by_day_text} counts beyond {most}; there are no more such weekdays.")
        if self.by_month_day and self.frequency is Frequency.WEEKLY:
            raise _wrong("BYMONTHDAY does not go with FREQ=WEEKLY; use FREQ=DAILY or MONTHLY.")
        if self.by_set_pos and self.frequency is Frequency.DAILY:
            raise _wrong(
                "BYSETPOS does not go with FREQ=DAILY, a day has one occurrence; use MONTHLY, for example."
            )
        if self.by_set_pos and not (self.by_day or self.by_month_day or self.by_month):
            raise _wrong("BYSETPOS picks from a list and needs BYDAY, BYMONTHDAY or BYMONTH beside it.")

    @property
    def by_day_text(self) -> str:
        return ",".join(f"{nth or ''}{WEEKDAYS[day]}" for nth, day in self.by_day)


_KNOWN = frozenset(
    {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"}
)


def _wrong(message: str) -> Invalid:
    return Invalid.field("rrule", message)


def _parts(text: str) -> dict[str, str]:
    if len(text) > LONGEST_TEXT:
        raise _wrong(f"The rule is longer than {LONGEST_TEXT} characters; write a rule such as {EXAMPLE}.")
    parts: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").rstrip(";").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not name or not value:
            raise _wrong(
                f"“{part[:40]}” is not a part of a rule; write parts as NAME=VALUE, such as {EXAMPLE}."
            )
        if name in parts:
            raise _wrong(f"{name[:20]} stands in the rule twice; keep one of them.")
        parts[name] = value
    return parts


def _number(name: str, text: str, least: int, most: int) -> int:
    try:
        number = int(text) if len(text) <= 6 and text.isascii() else None
    except ValueError:
        number = None
    if number is None or not least <= number <= most:
        raise _wrong(f"{name}={text[:20]} is not possible; use a whole number from {least} to {most}.")
    return number


def _numbers(parts: Mapping[str, str], name: str, most: int, *, negative: bool = True) -> tuple[int, ...]:
    if name not in parts:
        return ()
    numbers = {_number(name, text, -most if negative else 1, most) for text in parts[name].split(",")}
    if 0 in numbers:
        raise _wrong(f"{name}=0 is not possible; count from 1, or from -1 at the end.")
    return tuple(sorted(numbers))


def _days(text: str) -> tuple[tuple[int, int], ...]:
    found = set()
    for part in text.split(","):
        match = _DAY.fullmatch(part)
        if match is None or (match[1] is not None and int(match[1]) == 0):
            raise _wrong(
                f"BYDAY={part[:20]} is not a weekday; use MO, TU, WE, TH, FR, SA, SU, or 2TU and -1FR."
            )
        found.add((int(match[1] or 0), WEEKDAYS.index(match[2])))
    return tuple(sorted(found, key=lambda pair: (pair[1], pair[0])))


def _weekday(text: str) -> int:
    if text not in WEEKDAYS:
        raise _wrong(f"WKST={text[:20]} is not a weekday; use one of {', '.join(WEEKDAYS)}.")
    return WEEKDAYS.index(text)


def _until(text: str) -> datetime:
    """Read UNTIL: a date means the end of that local day, a time without Z is local."""
    match = _UNTIL.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        until = datetime.strptime(match[1] + (match[2] or "235959"), "%Y%m%d%H%M%S")  # noqa: DTZ007 - local, or set below
    except ValueError as cause:
        raise _wrong(
            f"UNTIL={text[:20]} is not an instant; write 20271231, or 20271231T220000Z for UTC."
        ) from cause
    return until.replace(tzinfo=UTC) if match[3] else until
