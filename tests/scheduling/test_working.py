"""Working time agrees with a reference that walks from day to day, in zones whose clocks are a trouble."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.kernel.errors import Invalid
from fairway.kernel.period import Period
from fairway.scheduling import IntervalSet, WorkingTime, read_week, written_week
from fairway.scheduling.working import local_days

CLOCK_CHANGES = {
    "Australia/Lord_Howe": datetime(2027, 10, 2, tzinfo=UTC),
    "Pacific/Apia": datetime(2011, 12, 29, tzinfo=UTC),
    "Africa/Casablanca": datetime(2026, 3, 21, tzinfo=UTC),
    "America/Sao_Paulo": datetime(2018, 11, 3, tzinfo=UTC),
    "Asia/Kathmandu": datetime(1985, 12, 31, tzinfo=UTC),
    "Europe/Berlin": datetime(2027, 3, 27, tzinfo=UTC),
    "America/New_York": datetime(2027, 11, 6, tzinfo=UTC),
    "Australia/Sydney": datetime(2027, 4, 3, tzinfo=UTC),
    "UTC": datetime(2026, 12, 30, tzinfo=UTC),
}
OFFICE = {day: ["09:00-12:30", "13:30-17:30"] for day in ("mo", "tu", "we", "th", "fr")}


def hours(*texts: str) -> tuple[tuple[int, int], ...]:
    return read_week({"mo": list(texts)})[0]


days = st.sampled_from(
    [(), (), hours("09:00-17:00"), hours("00:00-24:00"), hours("00:00-03:00", "22:00-24:00"),
     hours("01:30-02:30"), hours("02:15-02:45", "03:00-11:00")]
)  # fmt: skip


@st.composite
def calendars(draw: st.DrawFn) -> tuple[WorkingTime, datetime]:
    name, near = draw(st.sampled_from(sorted(CLOCK_CHANGES.items())))
    around = st.integers(-9, 9).map(lambda n: near.date() + timedelta(days=n))
    made = WorkingTime(
        name,
        tuple(draw(st.lists(days, min_size=7, max_size=7))),
        draw(st.frozensets(around, max_size=3)),
        draw(st.dictionaries(around, days, max_size=2)),
    )
    return made, near


def shifts(made: WorkingTime, near: datetime, reach: int = 70) -> Iterator[tuple[date, datetime, datetime]]:
    """Give every shift around a day, one day after the other."""
    where = ZoneInfo(made.zone_name)

    def instant(day: date, minutes: int) -> datetime:
        local = datetime.combine(day, time()) + timedelta(minutes=minutes)
        return local.replace(tzinfo=where).astimezone(UTC)

    for back in range(-reach, reach):
        day = near.date() + timedelta(days=back)
        if instant(day, 0) == instant(day, 1440):
            continue  # the zone skips it
        its = made.other.get(day, () if day in made.holidays else made.week[day.weekday()])
        for start, end in its:
            if instant(day, start) < instant(day, end):
                yield day, instant(day, start), instant(day, end)


offsets = st.integers(-9 * 96, 9 * 96).map(lambda quarters: quarters * timedelta(minutes=15))


@given(calendars(), offsets, offsets)
def test_working_time_between_two_instants(
    drawn: tuple[WorkingTime, datetime], one: timedelta, other: timedelta
) -> None:
    made, near = drawn
    start, end = near + min(one, other), near + max(one, other)
    all_ = list(shifts(made, near))
    spent = sum((max(min(b, end) - max(a, start), timedelta()) for _, a, b in all_), timedelta())
    assert made.between(start, end) == spent
    assert made.between(end, start) == -spent
    assert made.is_working(start) == any(a <= start < b for _, a, b in all_)
    following = made.next_working(start)
    if following is not None and following < near + timedelta(days=60):
        assert following == min(max(a, start) for _, a, b in all_ if b > start)
    else:
        assert all(b <= start for _, a, b in all_ if a < near + timedelta(days=60))
    if start < end:
        assert made.within(Period(start, end)) == IntervalSet.of_pairs(
            (max(a, start), min(b, end)) for _, a, b in all_
        )


@given(calendars(), offsets, st.integers(-160, 160))
def test_adding_working_time_is_walking_through_the_shifts(
    drawn: tuple[WorkingTime, datetime], offset: timedelta, quarters: int
) -> None:
    made, near = drawn
    at, left = near + offset, abs(quarters) * timedelta(minutes=15)
    reached = at
    listed = sorted((a, b) for _, a, b in shifts(made, near))
    for a, b in listed if quarters > 0 else listed[::-1]:
        if left == timedelta():
            break
        start, end = (max(a, at), b) if quarters > 0 else (a, min(b, at))
        if start >= end:
            continue
        spent = min(left, end - start)
        left -= spent
        reached = start + spent if quarters > 0 else end - spent
    if left:
        return  # the reference does not reach so far
    found = made.add(at, quarters * timedelta(minutes=15))
    assert found == reached
    assert made.between(at, found) == quarters * timedelta(minutes=15)


@given(calendars(), st.integers(-8, 8), st.integers(-20, 20))
def test_working_days(drawn: tuple[WorkingTime, datetime], back: int, count: int) -> None:
    made, near = drawn
    day = near.date() + timedelta(days=back)
    listed = sorted({one for one, _, _ in shifts(made, near)})
    assert made.is_working_day(day) == (day in listed)
    after, before = [one for one in listed if one > day], [one for one in listed if one < day]
    if count > 0:
        wanted = after[count - 1] if len(after) >= count else None
    elif count < 0:
        wanted = before[count] if len(before) >= -count else None
    else:
        wanted = next((one for one in listed if one >= day), None)
    if wanted is None:
        return  # the reference does not reach so far
    assert made.add_days(day, count) == wanted
    low, high = sorted((day, wanted))
    assert made.days_between(low, high) == sum(low <= one < high for one in listed)


@pytest.mark.parametrize(
    ("zone", "at", "amount", "then"),
    [
        ("Europe/Berlin", "2027-03-26T16:00+01:00", 2, "2027-03-29T09:30+02:00"),
        ("America/New_York", "2027-11-05T17:00-04:00", 1, "2027-11-08T09:30-05:00"),
        ("Australia/Sydney", "2027-04-02T17:30+11:00", 8, "2027-04-06T09:30+10:00"),
        ("Australia/Lord_Howe", "2027-10-01T17:00+10:30", 1, "2027-10-04T09:30+11:00"),
        ("Pacific/Apia", "2011-12-29T17:00-10:00", 1, "2012-01-02T09:30+14:00"),  # Friday is skipped
        ("Africa/Casablanca", "2026-03-20T17:00+00:00", 1, "2026-03-23T09:30+01:00"),
        ("America/Sao_Paulo", "2018-11-02T17:00-03:00", 1, "2018-11-05T09:30-02:00"),
        ("Asia/Kathmandu", "1985-12-31T17:00+05:30", 1, "1986-01-01T09:30+05:45"),
        ("UTC", "2026-12-31T17:00+00:00", -9, "2026-12-30T15:30+00:00"),
    ],
)
def test_golden_vectors(zone: str, at: str, amount: int, then: str) -> None:
    made = WorkingTime(zone, read_week(OFFICE))
    assert made.add(datetime.fromisoformat(at), timedelta(hours=amount)) == datetime.fromisoformat(then)


def test_far_away_and_never() -> None:
    made = WorkingTime("Europe/Berlin", read_week(OFFICE))
    assert made.add_days(date(2026, 1, 1), 26_000).year == 2125
    assert made.add_days(made.add_days(date(2026, 1, 2), 26_000), -26_000) == date(2026, 1, 2)
    never = WorkingTime("UTC", read_week({}))
    assert never.next_working(datetime(2026, 1, 1, tzinfo=UTC)) is None
    assert never.between(datetime(1970, 1, 1, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC)) == timedelta()
    impossible: list[Callable[[], object]] = [
        lambda: never.add(datetime(2026, 1, 1, tzinfo=UTC), timedelta(hours=1)),
        lambda: never.add(datetime(2026, 1, 1, tzinfo=UTC), timedelta(hours=-1)),
        lambda: never.add_days(date(2026, 1, 1), 1),
        lambda: never.add_days(date(2026, 1, 1), -1),
    ]
    for ask in impossible:
        with pytest.raises(Invalid):
            ask()


@pytest.mark.parametrize(
    ("hours", "told"),
    [
        ({"monday": ["09:00-17:00"]}, "no day of the week"),
        ({"mo": ["9-17"]}, "are no hours"),
        ({"mo": ["09:00"]}, "are no hours"),
        ({"mo": ["09:00-25:00"]}, "are no hours"),
        ({"mo": ["22:00-06:00"]}, "two stretches"),
        ({"mo": ["09:00-09:00"]}, "has no length"),
        ({"mo": ["09:00-12:00", "11:00-13:00"]}, "overlap at 11:00"),
        ({"mo": [f"{hour:02d}:00-{hour:02d}:30" for hour in range(13)]}, "at most 12"),
    ],
)
def test_hours_that_make_no_sense(hours: Any, told: str) -> None:
    with pytest.raises(Invalid) as problem:
        read_week(hours)
    assert problem.value.errors[0].field == "hours"
    assert told in problem.value.errors[0].message


def test_hours_are_written_as_they_are_read() -> None:
    assert written_week(read_week(OFFICE)) == OFFICE
    summer = Period(datetime(2027, 3, 27, 23, tzinfo=UTC), datetime(2027, 3, 28, 22, tzinfo=UTC))
    assert list(local_days(summer, "Europe/Berlin")) == [date(2027, 3, 28)]
