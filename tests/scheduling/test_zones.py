"""Golden vectors: when a nightly window begins, as the GNU program `date` tells it, in ten zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fairway.kernel.period import Period
from fairway.scheduling import Recurrence, Rule

NIGHTS = {
    "the clock goes forward": ("Europe/London", "2027-03-27", ["2027-03-27T22:30", "2027-03-28T21:30"]),
    "and back in the night": ("America/New_York", "2027-11-06", ["2027-11-07T02:30", "2027-11-08T03:30"]),
    "back by half an hour": ("Australia/Lord_Howe", "2027-04-03", ["2027-04-03T11:30", "2027-04-04T12:00"]),
    # 30 December was skipped: its night, by the offset before, is that of the 31st
    "a day is skipped": (
        "Pacific/Apia",
        "2011-12-28",
        ["2011-12-29T08:30", "2011-12-30T08:30", "2011-12-31T08:30"],
    ),
    "Ramadan begins": ("Africa/Casablanca", "2026-02-14", ["2026-02-14T21:30", "2026-02-15T22:30"]),
    "Ramadan is over": ("Africa/Casablanca", "2026-03-21", ["2026-03-21T22:30", "2026-03-22T21:30"]),
    "summer time as it was": ("America/Sao_Paulo", "2018-11-03", ["2018-11-04T01:30", "2018-11-05T00:30"]),
    "none any more": ("America/Sao_Paulo", "2028-02-29", ["2028-03-01T01:30"]),
    "a quarter of an hour for good": (
        "Asia/Kathmandu",
        "1985-12-31",
        ["1985-12-31T17:00", "1986-01-01T16:45"],
    ),
    "a leap day there": ("Asia/Kathmandu", "2028-02-29", ["2028-02-29T16:45"]),
    "three quarters of an hour": ("Pacific/Chatham", "2027-04-03", ["2027-04-03T08:45", "2027-04-04T09:45"]),
    "half an hour": ("Asia/Kolkata", "2028-02-29", ["2028-02-29T17:00"]),
    "half an hour and summer time": (
        "America/St_Johns",
        "2027-03-13",
        ["2027-03-14T02:00", "2027-03-15T01:00"],
    ),
    "a leap day": ("Europe/London", "2028-02-29", ["2028-02-29T22:30"]),
    "the next one in UTC": ("America/New_York", "2028-02-29", ["2028-03-01T03:30"]),
}


@pytest.mark.parametrize("case", NIGHTS)
def test_nights_begin_when_the_clock_of_their_zone_says_so(case: str) -> None:
    zone, first, told = NIGHTS[case]
    start = datetime.fromisoformat(f"{first}T22:30")
    starts = [datetime.fromisoformat(f"{one}:00+00:00") for one in told]
    night = Recurrence(start, timedelta(hours=1), zone, Rule.parse("FREQ=DAILY"))
    around = Period(starts[0] - timedelta(hours=20), starts[-1] + timedelta(hours=1))
    assert night.occurrences(around) == [Period(at, at + timedelta(hours=1)) for at in starts]


def test_a_window_of_leap_days_comes_on_these_alone() -> None:
    rule = Rule.parse("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29")
    leap = Recurrence(datetime(2028, 2, 29, 1), timedelta(hours=2), "Asia/Kathmandu", rule)  # noqa: DTZ001
    within = Period(datetime(2028, 1, 1, tzinfo=UTC), datetime(2105, 1, 1, tzinfo=UTC))
    found = [period.start for period in leap.occurrences(within)]
    assert [at.year for at in found] == [*range(2028, 2100, 4), 2104]  # 2100 is none
    assert {(at.month, at.day, at.hour, at.minute) for at in found} == {(2, 28, 19, 15)}
