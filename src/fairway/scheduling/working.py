"""Working time: days, hours and holidays in a zone, and arithmetic with them; pure.

Hours are wall time, so a working day keeps them over clock changes: where the start falls into a spring gap
the offset before it counts, in an autumn overlap the first instance. A day that a zone skips has no hours.
Years are compiled as they are asked for, into sorted shifts with running sums; a question costs two
bisections and a step for each year between.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import accumulate, pairwise

from fairway.kernel.errors import Invalid
from fairway.kernel.period import YEARS, Period
from fairway.scheduling.intervals import IntervalSet
from fairway.scheduling.recurrence import local_to_utc, zone

Shifts = tuple[tuple[int, int], ...]
"""Minutes of the day, [start, end): in order, none touching the next; 1440 is the end of the day."""
DAY = 1440
MOST_SHIFTS = 12
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _Year:
    """The shifts of a local year in UTC; `done[i]`: microseconds of work before shift i, the last: of all."""

    starts: tuple[datetime, ...]
    ends: tuple[datetime, ...]
    done: tuple[int, ...]
    days: tuple[date, ...]

    def worked_before(self, at: datetime) -> int:
        """Return the microseconds of work in this year before an instant."""
        index = bisect_right(self.starts, at) - 1
        if index < 0:
            return 0
        return self.done[index] + (min(at, self.ends[index]) - self.starts[index]) // _MICROSECOND


@dataclass(frozen=True)
class WorkingTime:
    """When work is done. `week`: the shifts of Monday to Sunday; `holidays`: days without; `other`: days with
    hours of their own, which count before holidays.

    :raises Invalid: naming the field (`zone`, `hours`).
    """

    zone_name: str
    week: tuple[Shifts, ...]
    holidays: frozenset[date] = frozenset()
    other: Mapping[date, Shifts] = field(default_factory=dict)
    _years: dict[int, _Year] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        zone(self.zone_name)
        if len(self.week) != 7:
            raise Invalid.field("hours", f"A week has seven days, and here stand {len(self.week)}.")
        for shifts in (*self.week, *self.other.values()):
            _check(shifts)

    def shifts(self, day: date) -> Shifts:
        """Return the working hours of a local day."""
        if day in self.other:
            return self.other[day]
        return () if day in self.holidays else self.week[day.weekday()]

    def is_working_day(self, day: date) -> bool:
        days = self._year(day.year).days
        index = bisect_left(days, day)
        return index < len(days) and days[index] == day

    def is_working(self, at: datetime) -> bool:
        year = self._year(self._local_year(at))
        index = bisect_right(year.starts, at) - 1
        return index >= 0 and at < year.ends[index]

    def next_working(self, at: datetime) -> datetime | None:
        """Return the first working instant from `at` on; None: there is none up to the last year."""
        for number in range(self._local_year(at), YEARS[1] + 1):
            year = self._year(number)
            index = bisect_right(year.ends, at)
            if index < len(year.starts):
                return max(at, year.starts[index])
        return None

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Return the working time from one instant to another; negative where the second is the earlier."""
        if end < start:
            return -self.between(end, start)
        first, last = self._local_year(start), self._local_year(end)
        done = self._year(last).worked_before(end) - self._year(first).worked_before(start)
        done += sum(self._year(number).done[-1] for number in range(first, last))
        return timedelta(microseconds=done)

    def add(self, at: datetime, amount: timedelta) -> datetime:
        """Return the first instant by which so much work is done from `at` on; negative: the last one from
        which so much is done until `at`. Nothing added: `at` itself.

        :raises Invalid: so much is not worked up to the last year, or since the first.
        """
        wanted = amount // _MICROSECOND
        if wanted == 0:
            return at
        number = self._local_year(at)
        before = self._year(number).worked_before(at)
        if wanted > 0:
            left = before + wanted
            while left > (whole := self._year(number).done[-1]):
                left -= whole
                number += 1
                if number > YEARS[1]:
                    raise _too_far(amount)
            year = self._year(number)
            index = bisect_left(year.done, left) - 1
            return year.starts[index] + (left - year.done[index]) * _MICROSECOND
        left = before + wanted
        while left < 0:
            number -= 1
            if number < YEARS[0]:
                raise _too_far(amount)
            left += self._year(number).done[-1]
        year = self._year(number)
        index = bisect_right(year.done, left) - 1
        if index == len(year.starts):  # all of the year's work lies before: the next shift begins later
            following = self.next_working(year.ends[-1] if year.ends else at)
            return at if following is None else min(following, at)
        return year.starts[index] + (left - year.done[index]) * _MICROSECOND

    def add_days(self, day: date, count: int) -> date:
        """Return the working day so many after a day, before it where negative; 0: the day itself or, where
        it is none, the next one.

        :raises Invalid: there are not so many up to the last year, or since the first.
        """
        number = day.year
        days = self._year(number).days
        index = bisect_left(days, day)
        works = index < len(days) and days[index] == day
        left = index + count - (0 if works or count <= 0 else 1)
        while left >= len(days):
            left -= len(days)
            number += 1
            if number > YEARS[1]:
                raise Invalid.field("days", f"There are no {count} working days from {day} on.")
            days = self._year(number).days
        while left < 0:
            number -= 1
            if number < YEARS[0]:
                raise Invalid.field("days", f"There are no {-count} working days before {day}.")
            days = self._year(number).days
            left += len(days)
        return days[left]

    def days_between(self, start: date, end: date) -> int:
        """Return how many working days lie in [start, end); negative where the second is the earlier."""
        if end < start:
            return -self.days_between(end, start)
        count = bisect_left(self._year(end.year).days, end) - bisect_left(self._year(start.year).days, start)
        return count + sum(len(self._year(number).days) for number in range(start.year, end.year))

    def local_day(self, at: datetime) -> date:
        """Return the day that an instant is of, where this is worked."""
        return at.astimezone(zone(self.zone_name)).date()

    def within(self, period: Period) -> IntervalSet:
        """Return the working time of a period."""
        years = range(self._local_year(period.start), self._local_year(period.end) + 1)
        found = IntervalSet.of_pairs(
            pair
            for number in years
            for pair in zip(self._year(number).starts, self._year(number).ends, strict=True)
            if pair[0] < period.end and pair[1] > period.start
        )
        return found.clip(period)

    def _local_year(self, at: datetime) -> int:
        year = at.astimezone(zone(self.zone_name)).year
        return min(max(year, YEARS[0]), YEARS[1])

    def _year(self, number: int) -> _Year:
        known = self._years.get(number)
        if known is None:
            known = self._years[number] = self._compiled(number)
        return known

    def _compiled(self, number: int) -> _Year:
        if not YEARS[0] <= number <= YEARS[1]:
            return _Year((), (), (0,), ())
        starts: list[datetime] = []
        ends: list[datetime] = []
        days: list[date] = []
        where = zone(self.zone_name)
        for ordinal in range(date(number, 1, 1).toordinal(), date(number + 1, 1, 1).toordinal()):
            day = date.fromordinal(ordinal)
            hours = self.shifts(day)
            if not hours:
                continue
            found = [
                (start, end)
                for one, other in hours
                if (start := local_to_utc(_wall(day, one), where))
                < (end := local_to_utc(_wall(day, other), where))
                and start < local_to_utc(_wall(day, DAY), where)
            ]
            if found:
                days.append(day)
                starts += [start for start, _ in found]
                ends += [end for _, end in found]
        lengths = [(end - start) // _MICROSECOND for start, end in zip(starts, ends, strict=True)]
        return _Year(tuple(starts), tuple(ends), (0, *accumulate(lengths)), tuple(days))


def read_week(hours: Mapping[str, Sequence[str]]) -> tuple[Shifts, ...]:
    """Read the hours of a week: `{"mo": ["09:00-12:30", "13:15-17:00"], ...}`; a day left out has none.

    :raises Invalid: on the field `hours`, saying what is wrong and what would be right.
    """
    unknown = sorted(hours.keys() - set(WEEK))
    if unknown:
        raise Invalid.field(
            "hours", f"“{unknown[0][:20]}” is no day of the week; there are {', '.join(WEEK)}."
        )
    return tuple(read_shifts(hours.get(day, ())) for day in WEEK)


WEEK = ("mo", "tu", "we", "th", "fr", "sa", "su")


def read_shifts(texts: Sequence[str], *, field: str = "hours") -> Shifts:
    """Read the hours of a day: `["09:00-12:30", "13:15-24:00"]`.

    :raises Invalid: one is not written so, ends before it starts, or overlaps another.
    """
    found = tuple(sorted(_shift(text, field) for text in texts))
    _check(found, field)
    return found


def _shift(text: str, field: str) -> tuple[int, int]:
    start, dash, end = text.partition("-")
    try:
        if not dash:
            raise ValueError
        return _minutes(start), _minutes(end)
    except ValueError as cause:
        raise Invalid.field(
            field, f"“{text[:40]}” are no hours; write them as 09:00-17:30, and 24:00 for the end of the day."
        ) from cause


def _minutes(text: str) -> int:
    if text.strip() == "24:00":
        return DAY
    read = time.fromisoformat(text.strip())
    if read.second or read.microsecond or read.tzinfo:
        raise ValueError(text)
    return read.hour * 60 + read.minute


def _check(shifts: Shifts, field: str = "hours") -> None:
    if len(shifts) > MOST_SHIFTS:
        raise Invalid.field(field, f"A day has at most {MOST_SHIFTS} stretches of hours.")
    for start, end in shifts:
        if not 0 <= start < end <= DAY:
            raise Invalid.field(
                field,
                f"{_clock(start)}-{_clock(end)} has no length; hours over midnight are two stretches, up to"
                " 24:00 and from 00:00 of the next day.",
            )
    for (_, end), (start, _end) in pairwise(shifts):
        if start < end:
            raise Invalid.field(field, f"Hours overlap at {_clock(start)}; join them or set them apart.")


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _wall(day: date, minutes: int) -> datetime:
    return datetime.combine(day, time()) + timedelta(minutes=minutes)


def _too_far(amount: timedelta) -> Invalid:
    return Invalid.field("amount", f"So much working time ({amount}) lies beyond what calendars tell.")


def written_week(week: Sequence[Shifts]) -> Mapping[str, list[str]]:
    """Return the hours of a week as `read_week` reads them; days without are left out."""
    return {
        day: [f"{_clock(start)}-{_clock(end)}" for start, end in shifts]
        for day, shifts in zip(WEEK, week, strict=True)
        if shifts
    }


def local_days(period: Period, zone_name: str) -> Iterator[date]:
    """Give the local days that a period overlaps."""
    where = zone(zone_name)
    day = period.start.astimezone(where).date()
    while local_to_utc(_wall(day, 0), where) < period.end:
        yield day
        day += timedelta(days=1)
