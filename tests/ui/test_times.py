"""Instants and periods as they stand on the screen, across zones and the changes of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fairway.ui import times

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("case", "zone", "start", "end", "written"),
    [
        (
            "within a day",
            "Europe/London",
            "2026-11-24 21:00",
            "2026-11-24 23:30",
            "Tue 24 Nov 21:00-23:30 GMT",
        ),
        (
            "the same elsewhere",
            "America/New_York",
            "2026-11-24 21:00",
            "2026-11-24 23:30",
            "Tue 24 Nov 16:00-18:30 EST",
        ),
        (
            "over midnight",
            "Europe/London",
            "2026-11-24 21:00",
            "2026-11-25 02:00",
            "Tue 24 Nov 21:00 - Wed 25 Nov 02:00 GMT",
        ),
        (
            "up to midnight",
            "Europe/London",
            "2026-11-24 21:00",
            "2026-11-25 00:00",
            "Tue 24 Nov 21:00-24:00 GMT",
        ),
        ("a whole day", "UTC", "2026-11-24 00:00", "2026-11-25 00:00", "Tue 24 Nov 00:00-24:00 UTC"),
        (
            "whole days",
            "UTC",
            "2026-11-24 00:00",
            "2026-11-27 00:00",
            "Tue 24 Nov 00:00 - Thu 26 Nov 24:00 UTC",
        ),
        (
            "another year",
            "Europe/London",
            "2027-01-04 08:00",
            "2027-01-04 09:00",
            "Mon 4 Jan 2027 08:00-09:00 GMT",
        ),
        (
            "no name but an offset",
            "Asia/Kathmandu",
            "2026-11-24 12:00",
            "2026-11-24 13:00",
            "Tue 24 Nov 17:45-18:45 UTC+05:45",
        ),
        (
            "an offset to the west",
            "America/Sao_Paulo",
            "2026-11-24 12:00",
            "2026-11-24 13:00",
            "Tue 24 Nov 09:00-10:00 UTC-03:00",
        ),
        (
            "clocks go back within",
            "Europe/London",
            "2026-10-25 00:30",
            "2026-10-25 03:00",
            "Sun 25 Oct 01:30 BST-03:00 GMT",
        ),
        (
            "clocks go forward within",
            "Europe/London",
            "2026-03-29 00:30",
            "2026-03-29 02:00",
            "Sun 29 Mar 00:30 GMT-03:00 BST",
        ),
        (
            "half an hour of summer",
            "Australia/Lord_Howe",
            "2026-10-03 15:00",
            "2026-10-03 16:00",
            "Sun 4 Oct 01:30 UTC+10:30-03:00 UTC+11:00",
        ),
        ("no end", "Europe/London", "2026-11-24 21:00", None, "from Tue 24 Nov 21:00 GMT"),
    ],
)
def test_period(case: str, zone: str, start: str, end: str | None, written: str) -> None:
    assert times.period(at(start), at(end) if end else None, zone=zone, now=NOW) == written


@pytest.mark.parametrize(
    ("start", "end", "written"),
    [
        ("2026-11-24 21:00", "2026-11-24 23:30", "Tue 24 Nov 21:00-23:30"),
        ("2026-12-01 23:00", "2026-12-02 03:00", "Tue 1 Dec 23:00 - Wed 03:00"),
        ("2026-12-01 22:00", "2026-12-02 00:00", "Tue 1 Dec 22:00-24:00"),
        ("2026-11-27 18:00", "2026-12-04 06:00", "Fri 27 Nov 18:00 - Fri 4 Dec 06:00"),
        ("2027-02-09 21:00", "2027-02-09 22:00", "Tue 9 Feb 21:00-22:00"),
        ("2026-12-30 21:00", "2027-01-08 22:00", "Wed 30 Dec 21:00 - Fri 8 Jan 2027 22:00"),
        ("2027-11-24 21:00", "2027-11-24 22:00", "Wed 24 Nov 2027 21:00-22:00"),
        ("2026-11-24 21:00", None, "from Tue 24 Nov 21:00"),
    ],
)
def test_brief(start: str, end: str | None, written: str) -> None:
    """No zone, and a year only where the weekday and the month could mean another one."""
    assert times.brief(at(start), at(end) if end else None, zone="Europe/London", now=NOW) == written


def test_the_year_is_the_readers() -> None:
    """At new year's eve in UTC it may be next year where the reader is."""
    eve = at("2026-12-31 20:00")
    assert times.instant(eve, zone="Asia/Tokyo", now=eve) == "Fri 1 Jan 05:00 JST"


@pytest.mark.parametrize(
    ("start", "end", "written"),
    [
        ("2026-11-24 21:00", None, "2026-11-24 21:00 UTC"),
        ("2026-11-24 21:00", "2026-11-24 23:30", "2026-11-24 21:00 - 23:30 UTC"),
        ("2026-11-24 21:00", "2026-11-25 00:30", "2026-11-24 21:00 - 2026-11-25 00:30 UTC"),
    ],
)
def test_in_utc(start: str, end: str | None, written: str) -> None:
    assert times.in_utc(at(start), at(end) if end else None) == written


@pytest.mark.parametrize(
    ("start", "end", "written"),
    [
        ("2026-11-23 14:30", None, "just now"),
        ("2026-11-23 14:45", None, "in 15 min"),
        ("2026-11-23 17:30", None, "in 3 h"),
        ("2026-11-24 21:30", None, "in 31 h"),
        ("2026-11-27 14:30", None, "in 4 d"),
        ("2027-03-23 14:30", None, "in 4 months"),
        ("2026-11-23 14:00", "2026-11-23 15:10", "now, 40 min left"),
        ("2026-11-23 12:00", "2026-11-23 14:30", "just now"),
        ("2026-11-20 12:00", "2026-11-20 14:30", "3 d ago"),
    ],
)
def test_relative(start: str, end: str | None, written: str) -> None:
    assert times.relative(at(start), at(end) if end else None, now=NOW) == written


@pytest.mark.parametrize(
    ("minutes", "written"),
    [
        (0, "0 min"),
        (45, "45 min"),
        (60, "1 h"),
        (150, "2 h 30 min"),
        (1440, "1 d"),
        (1501, "1 d 1 h"),
        (1441, "1 d"),
    ],
)
def test_length(minutes: int, written: str) -> None:
    assert times.length(timedelta(minutes=minutes)) == written
