"""Recurring windows agree with a walk through every minute, over clock changes."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.kernel.errors import Invalid
from fairway.kernel.period import Period
from fairway.scheduling import Recurrence, Rule, local_to_utc

MINUTE = timedelta(minutes=1)

CLOCK_CHANGES = [
    ("Europe/London", date(2027, 3, 28)),
    ("Europe/London", date(2027, 10, 31)),
    ("America/New_York", date(2027, 3, 14)),
    ("America/New_York", date(2027, 11, 7)),
    ("Australia/Lord_Howe", date(2027, 4, 4)),  # half an hour
    ("Australia/Lord_Howe", date(2027, 10, 3)),
    ("America/Sao_Paulo", date(2018, 2, 18)),  # midnight itself is skipped or comes twice
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("Africa/Casablanca", date(2026, 2, 15)),  # the clock goes back for Ramadan
    ("Africa/Casablanca", date(2026, 3, 22)),
    ("Pacific/Apia", date(2011, 12, 30)),  # a whole day is skipped
]


def local(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute)  # noqa: DTZ001 - wall time is naive


@lru_cache(maxsize=10_000)
def walked(wall: datetime, zone: str, step: timedelta = MINUTE) -> datetime:
    """Find the instant of a wall time by looking at the clock in every minute around it.

    The first minute at which the clock shows it; where it never does, the wall time less the offset that held
    just before the clock jumped over it.
    """
    where = ZoneInfo(zone)
    minute = (wall - timedelta(hours=27)).replace(tzinfo=UTC)
    before = minute
    for _ in range(timedelta(hours=54) // step):
        shown = minute.astimezone(where).replace(tzinfo=None)
        if shown == wall:
            return minute
        if shown > wall and before.astimezone(where).replace(tzinfo=None) < wall:
            offset = before.astimezone(where).utcoffset()
            assert offset is not None
            return (wall - offset).replace(tzinfo=UTC)
        before, minute = minute, minute + step
    raise AssertionError(f"the clock of {zone} never passes {wall}")


@given(st.sampled_from(CLOCK_CHANGES), st.integers(-1, 1), st.integers(0, 24 * 60 - 1))
def test_wall_time_is_the_instant_at_which_the_clock_shows_it(
    change: tuple[str, date], day: int, minute: int
) -> None:
    zone, on = change
    wall = datetime.combine(on + timedelta(days=day), datetime.min.time()) + minute * MINUTE
    assert local_to_utc(wall, ZoneInfo(zone)) == walked(wall, zone)


@given(
    st.sampled_from(CLOCK_CHANGES),
    st.integers(0, 24 * 4 - 1),
    st.integers(1, 60 * 4),
    st.sampled_from(["DAILY", "WEEKLY;BYDAY=SU,TH", "DAILY;INTERVAL=2", "MONTHLY;BYDAY=1SU,-1SU"]),
    st.integers(0, 5),
    st.integers(0, 60 * 24 * 4),
    st.integers(1, 60 * 24 * 4),
)  # fmt: skip
def test_occurrences_are_those_of_a_walk_through_the_days(
    change: tuple[str, date], quarter: int, length: int, text: str, back: int, offset: int, span: int
) -> None:
    zone, on = change
    start = datetime.combine(on - timedelta(days=back), datetime.min.time()) + quarter * 15 * MINUTE
    duration = length * 15 * MINUTE
    begin = datetime.combine(on - timedelta(days=2), datetime.min.time(), tzinfo=UTC) + offset * MINUTE
    within = Period(begin, begin + span * MINUTE)
    rule = Rule.parse(f"FREQ={text}")
    days = rule.dates(start.date(), start.date(), on + timedelta(days=9))
    every = sorted({walked(datetime.combine(day, start.time()), zone, 15 * MINUTE) for day in days})
    expected = [Period(at, at + duration) for at in every if Period(at, at + duration).overlaps(within)]
    assert Recurrence(start, duration, zone, rule).occurrences(within) == expected


@pytest.mark.parametrize(
    ("case", "zone", "wall", "instant"),
    [
        ("spring gap: the offset before it", "Europe/London", local(2027, 3, 28, 1, 30), "2027-03-28T01:30"),
        ("spring gap", "America/New_York", local(2027, 3, 14, 2, 30), "2027-03-14T07:30"),
        (
            "autumn overlap: the first instance",
            "Europe/London",
            local(2027, 10, 31, 1, 30),
            "2027-10-31T00:30",
        ),
        ("autumn overlap", "America/New_York", local(2027, 11, 7, 1, 30), "2027-11-07T05:30"),
        ("half an hour's gap", "Australia/Lord_Howe", local(2027, 10, 3, 2, 15), "2027-10-02T15:45"),
        ("midnight does not exist", "America/Sao_Paulo", local(2018, 11, 4, 0, 0), "2018-11-04T03:00"),
        ("midnight's hour comes twice", "America/Sao_Paulo", local(2018, 2, 17, 23, 30), "2018-02-18T01:30"),
        ("after Ramadan", "Africa/Casablanca", local(2026, 3, 22, 4, 0), "2026-03-22T03:00"),
    ],
)
def test_clock_changes(case: str, zone: str, wall: datetime, instant: str) -> None:
    assert local_to_utc(wall, ZoneInfo(zone)).isoformat() == f"{instant}:00+00:00"


def nightly(**changed: Any) -> Recurrence:
    given_parts: dict[str, Any] = {
        "start": local(2027, 3, 26, 22),
        "duration": timedelta(hours=8),
        "zone_name": "Europe/London",
        "rule": Rule.parse("FREQ=DAILY"),
    }
    return Recurrence(**{**given_parts, **changed})


JUNE = local(2027, 6, 1, 8)


def daily(more: str) -> Rule:
    return Rule.parse(f"FREQ=DAILY;{more}")


def year(number: int) -> Period:
    return Period(datetime(number, 1, 1, tzinfo=UTC), datetime(number + 1, 1, 1, tzinfo=UTC))


def test_the_night_of_a_clock_change_keeps_its_length() -> None:
    nights = nightly().occurrences(
        Period(datetime(2027, 3, 26, tzinfo=UTC), datetime(2027, 3, 29, tzinfo=UTC))
    )
    assert [f"{night.start:%d %H:%M} {night.length}" for night in nights] == [
        "26 22:00 8:00:00",
        "27 22:00 8:00:00",
        "28 21:00 8:00:00",
    ]


def test_a_day_that_a_zone_skips_gives_no_second_occurrence() -> None:
    daily = nightly(start=local(2011, 12, 28, 10), zone_name="Pacific/Apia", duration=timedelta(hours=1))
    span = Period(datetime(2011, 12, 28, tzinfo=UTC), datetime(2012, 1, 2, tzinfo=UTC))
    starts = [found.start for found in daily.occurrences(span)]
    assert starts == sorted(set(starts))
    assert len(starts) == 5


def test_touching_the_span_is_not_in_it() -> None:
    once = Recurrence(local(2027, 1, 1, 10), timedelta(hours=2), "UTC")
    ends, starts = datetime(2027, 1, 1, 12, tzinfo=UTC), datetime(2027, 1, 1, 10, tzinfo=UTC)
    assert once.occurrences(Period(ends, ends + timedelta(days=1))) == []
    assert once.occurrences(Period(starts - timedelta(days=1), starts)) == []
    assert len(once.occurrences(Period(starts, starts + MINUTE))) == 1


@pytest.mark.parametrize(
    ("case", "changed", "days"),
    [
        ("COUNT", {"rule": daily("COUNT=2")}, "26 27"),
        ("EXDATE is counted", {"rule": daily("COUNT=3"), "exdates": (local(2027, 3, 27, 22),)}, "26 28"),
        ("UNTIL a date, included", {"rule": daily("UNTIL=20270327")}, "26 27"),
        ("UNTIL in UTC, included", {"rule": daily("UNTIL=20270327T220000Z")}, "26 27"),
        ("UNTIL in UTC, just missed", {"rule": daily("UNTIL=20270328T205959Z")}, "26 27"),
        ("UNTIL in local time, just missed", {"rule": daily("UNTIL=20270327T215959")}, "26"),
        ("RDATE beside the rule", {"rule": daily("COUNT=1"), "rdates": (JUNE,)}, "26 01"),
        ("RDATE alone", {"rule": None, "rdates": (JUNE,)}, "26 01"),
        ("RDATE and EXDATE", {"rule": None, "rdates": (JUNE,), "exdates": (JUNE,)}, "26"),
        ("RDATE of the rule", {"rule": daily("COUNT=1"), "rdates": (local(2027, 3, 26, 22),)}, "26"),
        ("the start is not of the rule", {"rule": Rule.parse("FREQ=WEEKLY;BYDAY=SU;COUNT=1")}, "28"),
    ],
)  # fmt: skip
def test_which_days(case: str, changed: dict[str, Any], days: str) -> None:
    assert [f"{found.start:%d}" for found in nightly(**changed).occurrences(year(2027))] == days.split()


def test_a_far_year_needs_no_walk() -> None:
    assert len(nightly(start=local(1970, 1, 1, 22)).occurrences(year(2190))) == 366


def test_the_end_of_time_is_no_error() -> None:
    assert (
        nightly().occurrences(Period(datetime(9999, 12, 30, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)))
        == []
    )
    assert (
        nightly().occurrences(Period(datetime.min.replace(tzinfo=UTC), datetime(2, 1, 1, tzinfo=UTC))) == []
    )


def test_expansion_is_bounded() -> None:
    with pytest.raises(Invalid, match="more than 10000 times"):
        nightly().occurrences(Period(datetime(2027, 1, 1, tzinfo=UTC), datetime(2060, 1, 1, tzinfo=UTC)))
    with pytest.raises(Invalid, match="more than 5 times"):
        nightly().occurrences(year(2028), limit=5)


@pytest.mark.parametrize(
    ("field", "changed", "said"),
    [
        ("zone", {"zone_name": "Europe/Lodnon"}, "did you mean Europe/London?"),
        ("zone", {"zone_name": "../../etc/passwd"}, "use a name such as"),
        ("zone", {"zone_name": ""}, "use a name such as"),
        ("zone", {"zone_name": "GMT+25"}, "is not an IANA time zone"),
        ("duration", {"duration": timedelta(0)}, "longer than nothing"),
        ("duration", {"duration": timedelta(hours=-1)}, "longer than nothing"),
        ("duration", {"duration": timedelta(days=367)}, "at most 366 days"),
        ("local_start", {"start": datetime(2027, 1, 1, tzinfo=UTC)}, "has an offset"),
        ("local_start", {"start": local(1969, 12, 31)}, "from 1970 to 2199"),
        ("rdates", {"rdates": (local(2200, 1, 1),)}, "from 1970 to 2199"),
        ("exdates", {"exdates": (local(2027, 1, 1),) * 1001}, "at most 1000"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused_and_told_why(
    field: str, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(Invalid, match=re.escape(said)) as refusal:
        nightly(**changed)
    assert [error.field for error in refusal.value.errors] == [field]


@pytest.mark.parametrize(
    "changed",
    [
        {"rule": Rule.parse("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")},
        {"rule": Rule.parse("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31")},
        {"rule": Rule.parse("FREQ=DAILY;UNTIL=20270101")},
        {"rule": Rule.parse("FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29")},  # counted from 2027
        {"rule": Rule.parse("FREQ=DAILY;COUNT=1"), "exdates": (local(2027, 3, 26, 22),)},
    ],
)
def test_a_window_that_never_comes_is_refused(changed: dict[str, Any]) -> None:
    never = nightly(**changed)
    assert never.occurrences(year(2027)) == []
    with pytest.raises(Invalid, match="gives no date"):
        never.check()


def test_a_rare_window_is_accepted() -> None:
    nightly(rule=Rule.parse("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO")).check()
