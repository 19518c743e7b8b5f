"""Calendars as they come: what programs in the field leave out and get wrong, and what a row makes of it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.audit.commands import execute
from fairway.calendars import queries as calendars
from fairway.calendars.commands import CreateWorkingCalendar
from fairway.calendars.models import Window
from fairway.changes.models import Change, PlannedWindow
from fairway.exchange.reading import Broken, Events
from fairway.exchange.report import Report
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import Invalid

from .conftest import Company, counts, import_text, problems

EXAMPLES = Path(__file__).parents[2] / "examples/maintenance-notices"


def calendar(*events: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *events, "END:VCALENDAR", ""])


def event(*lines: str, uid: str = "one", name: str = "Patch night") -> str:
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", f"SUMMARY:{name}", *lines, "END:VEVENT"])


def brought(text: str, kind: str = "windows", **more: object) -> Report:
    return import_text(text, kind=kind, form="ics", organisation="group", **more)  # type: ignore[arg-type]


def cells(text: str) -> list[dict[str, str]]:
    source = Events(io.BytesIO(text.encode()))
    return [
        {name: cell for name, cell in zip(source.header, row.cells, strict=True) if cell}
        for row in source.rows()
        if not isinstance(row, Broken)
    ]


def faults(text: str) -> list[str]:
    return [row.message for row in Events(io.BytesIO(text.encode())).rows() if isinstance(row, Broken)]


def test_an_event_without_stamp_and_with_folded_lines_is_read() -> None:
    found = cells(
        calendar(
            event(
                "DTSTART:20261212T220000Z",
                "DTEND:20261213T020000Z",
                name="Exchange of\r\n  a line card\\, east",
            )
        )
    )
    assert [one["name"] for one in found] == ["Exchange of a line card, east"]
    assert (found[0]["starts_at"], found[0]["ends_at"]) == (
        "2026-12-12T22:00:00+00:00",
        "2026-12-13T02:00:00+00:00",
    )


def test_a_series_keeps_its_wall_time_and_leaves_out_what_was_moved() -> None:
    series = event(
        "DTSTART;TZID=W. Europe Standard Time:20261201T220000",
        "DTEND;TZID=W. Europe Standard Time:20261202T010000",
        "RRULE:FREQ=WEEKLY;BYDAY=TU",
        "EXDATE;TZID=Europe/Berlin:20261208T220000",
    )
    moved = event(
        "RECURRENCE-ID;TZID=Europe/Berlin:20261215T220000",
        "DTSTART;TZID=Europe/Berlin:20261216T220000",
        "DTEND;TZID=Europe/Berlin:20261217T010000",
    )
    gone = event(
        "RECURRENCE-ID;TZID=Europe/Berlin:20261222T220000", "DTSTART:20261222T210000Z", "STATUS:CANCELLED"
    )
    master, other = cells(calendar(series, moved, gone))
    assert (master["zone"], master["local_start"], master["duration"]) == (
        "Europe/Berlin",
        "2026-12-01T22:00:00",
        "PT10800S",
    )
    assert master["rrule"] == "FREQ=WEEKLY;BYDAY=TU"
    assert sorted(master["exdates"].split(";")) == [
        "2026-12-08T22:00:00",
        "2026-12-15T22:00:00",
        "2026-12-22T22:00:00",
    ]
    assert (other["starts_at"], other["name"]) == ("2026-12-16T21:00:00+00:00", "Patch night 2026-12-16")


@pytest.mark.django_db
def test_a_calendar_becomes_windows_again_and_again(company: Company) -> None:
    text = calendar(
        event("DTSTART;VALUE=DATE:20261224", uid="day", name="Christmas Eve"),
        event(
            "DTSTART;TZID=Europe/London:20261205T220000",
            "DURATION:PT4H",
            "RRULE:FREQ=WEEKLY;BYDAY=SA",
            uid="two",
        ),
    )
    first = brought(text)
    assert counts(first) == {"created": 2}, problems(first)
    assert counts(brought(text)) == {"unchanged": 2}
    day = Window.objects.get(name="Christmas Eve")
    assert (day.local_start, str(day.duration)) == ("2026-12-24T00:00:00", "1 day, 0:00:00")
    weekly = Window.objects.get(name="Patch night")
    assert (weekly.zone, weekly.local_start, weekly.rrule) == (
        "Europe/London",
        "2026-12-05T22:00:00",
        "FREQ=WEEKLY;BYDAY=SA",
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("lines", "column", "told"),
    [
        (("DTSTART:20261212T220000Z", "DTEND:20261212T200000Z"), "ends_at", "not after the start"),
        (("DTSTART:20261212T220000Z",), "ends_at", "no length"),
        (("DTSTART:20261212T220000", "DTEND:20261212T210000"), "duration", "duration"),
        (("DTSTART:20261212T220000Z", "DURATION:PT1H", "RRULE:FREQ=SECONDLY"), "rrule", "SECONDLY"),
        (("DTSTART:20261212T220000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;BYDAY=XX"), "", "RRULE"),
        (("DTSTART:20261212T220000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=10000000"), "rrule", "10000"),
        (("DTSTART;VALUE=DATE:20261212", "DTEND:20261213T000000Z"), "", "one of DTSTART and DTEND"),
        (("DTEND:20261213T000000Z",), "", "DTSTART"),
        (("DTSTART:99991231T220000Z", "DTEND:99991231T230000Z"), "", "9999"),
        (("DTSTART:20261212T220000Z", "DTEND;TZID=America/New_York:99991231T230000"), "", "9999"),
        (("DTSTART:20261212T220000Z", "DURATION:PT1H", "STATUS:CANCELLED"), "status", "cancelled"),
        (("DTSTART:20269912T220000Z", "DURATION:PT1H"), "", "DTSTART"),
    ],
)
def test_what_has_no_sense_is_refused_by_row_and_nothing_is_written(
    company: Company, lines: tuple[str, ...], column: str, told: str
) -> None:
    fine = event("DTSTART:20261201T220000Z", "DURATION:PT1H", uid="fine", name="Fine")
    report = brought(calendar(event(*lines), fine))
    assert counts(report) == {"refused": 1, "created": 1}
    assert any(told in problem.message or told in problem.column for problem in report.problems), (
        report.problems
    )
    assert Window.objects.count() == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no events"),
        ("name,kind\nx,y\n", "begins with"),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR\n", "no events"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n", "has no end"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:" + "x" * (1 << 21), "does not end within"),
    ],
)
def test_a_file_that_is_none_is_refused_as_a_whole(text: str, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        Events(io.BytesIO(text.encode()))


LINES = (
    *(
        "BEGIN:VEVENT",
        "END:VEVENT",
        "UID:1",
        "SUMMARY:x",
        "DTSTART:20261212T220000Z",
        "DTEND:20261213T020000Z",
    ),
    *("DTSTART;TZID=Nowhere/Land:20261212T220000", "RRULE:FREQ=DAILY;COUNT=99999999", "EXDATE:20261212"),
    *("DURATION:-P1D", "RDATE;VALUE=PERIOD:20261212T220000Z/PT1H", "RECURRENCE-ID:20261212T220000Z"),
    *(" folded", "\t", "garbage", ":", ";=:", "BEGIN:VTIMEZONE", "TZID:Nowhere/Land", "END:VTIMEZONE"),
    *("BEGIN:VALARM", "END:VALARM", "DTSTART:", "CATEGORIES:a,b"),
)


@given(st.lists(st.sampled_from(LINES), max_size=24))
def test_any_lines_give_rows_or_a_clear_refusal(lines: list[str]) -> None:
    try:
        rows = list(Events(io.BytesIO(calendar(*lines).encode())).rows())
    except Invalid:
        return  # told as a whole: nothing is read
    assert len(rows) <= lines.count("BEGIN:VEVENT")


@pytest.mark.django_db
def test_a_notice_becomes_a_change_and_a_later_one_moves_it(company: Company) -> None:
    text = (EXAMPLES / "notice.ics").read_text()
    rules = (EXAMPLES / "notices.yaml").read_text()
    items = "key,name,kind\nwan-london,London,network\nwan-backup,Backup,network\n"
    assert counts(import_text(items)) == {"created": 2}
    first = brought(text, "changes", mapping=rules)
    assert counts(first) == {"created": 1}, problems(first)
    again = brought(text.replace("20261213T020000Z", "20261213T040000Z"), "changes", mapping=rules)
    assert counts(again) == {"updated": 1}
    change = Change.objects.get(external_id="carrier.example/WORK-20417")
    assert (change.category, change.priority, change.affected.count()) == ("vendor notice", 2, 2)
    assert PlannedWindow.objects.get(change=change).ends_at.hour == 4


@pytest.mark.django_db
def test_a_calendar_holds_no_items(company: Company) -> None:
    with pytest.raises(Invalid, match="windows or holidays or changes"):
        brought(calendar(event("DTSTART:20261212T220000Z", "DURATION:PT1H")), "items")


@pytest.mark.django_db
def test_a_calendar_becomes_holidays_of_a_working_calendar(company: Company) -> None:
    made = CreateWorkingCalendar(
        key="all", name="All", organisation="group", zone="UTC", hours={"fr": ["09:00-17:00"]}
    )
    execute(made, actor=SYSTEM)
    text = calendar(
        event("DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261227", uid="a", name="Christmas"),
        event("DTSTART;VALUE=DATE:20270501", "RRULE:FREQ=YEARLY;COUNT=3", uid="b", name="May Day"),
    )
    first = brought(text, "holidays")
    assert counts(first) == {"updated": 2}, problems(first)  # what is written is the calendar
    assert counts(brought(text, "holidays")) == {"unchanged": 2}
    days = calendars.days_of(calendars.working_calendar(SYSTEM, "all"))
    assert [str(one.day) for one in days] == [
        *("2026-12-24", "2026-12-25", "2026-12-26"),
        *("2027-05-01", "2028-05-01", "2029-05-01"),
    ]
    lone = import_text("day,name\nsoon,Off\n2027-06-01,Off\n", "holidays", organisation="group")
    assert counts(lone) == {"updated": 1, "refused": 1}
