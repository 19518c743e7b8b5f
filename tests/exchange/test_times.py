"""Importing changes and windows: what is wrong with times is told by row, the rest is stored as it was."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fairway.calendars.models import Window
from fairway.changes.models import Change

from .conftest import Company, contents, counts, import_text, problems

MAP = """
zone: Europe/London
fields:
  external_id: id
  title: { template: "Change {id}" }
  items: { column: items, split: "|" }
  planned_start: { column: from, time: "%d/%m/%Y %H:%M" }
  planned_end: { column: to, time: "%d/%m/%Y %H:%M" }
"""
HEADER = "id,items,from,to\n"
ITEMS = "key,name,kind\nledger,Ledger,system\ncards,Cards,system\n"


def test_changes_are_stored_as_they_were_and_found_again(company: Company) -> None:
    import_text(ITEMS)
    text = (
        HEADER
        + "A,ledger|cards,28/06/2026 22:00,28/06/2026 23:00\nB,ledger,28/06/2026 22:30,31/12/2100 00:00\n"
    )
    assert counts(import_text(text, "changes", mapping=MAP)) == {"created": 2}
    before = contents()
    assert counts(import_text(text, "changes", mapping=MAP)) == {"unchanged": 2}
    assert contents() == before

    first, second = Change.objects.order_by("external_id")
    assert (first.state, first.planned_start) == ("closed", datetime(2026, 6, 28, 21, tzinfo=UTC))
    assert second.planned_end == datetime(2100, 12, 31, tzinfo=UTC)
    moved = text.replace("28/06/2026 23:00", "28/06/2026 22:15")
    assert counts(import_text(moved, "changes", mapping=MAP)) == {"updated": 1, "unchanged": 1}


@pytest.mark.parametrize(
    ("case", "row", "column", "message"),
    [
        (
            "end before start",
            "X,ledger,28/06/2026 22:00,28/06/2026 21:00",
            "to",
            "The end 2026-06-28 20:00 UTC is not after the start 2026-06-28 21:00 UTC;"
            " a window needs a length.",
        ),
        (
            "zero length",
            "X,ledger,28/06/2026 22:00,28/06/2026 22:00",
            "to",
            "The end 2026-06-28 21:00 UTC is not after the start 2026-06-28 21:00 UTC;"
            " a window needs a length.",
        ),
        (
            "the end alone",
            "X,ledger,,28/06/2026 22:00",
            "from",
            "A planned window has a start and an end.",
        ),
        (
            "no such day",
            "X,ledger,31/06/2026 22:00,28/06/2026 22:00",
            "from",
            "“31/06/2026 22:00” is not a time in the form of 04/01/2027 08:00.",
        ),
        (
            "a missing item",
            "X,nowhere,28/06/2026 22:00,28/06/2026 23:00",
            "items",
            "There is no item “nowhere”.",
        ),
    ],
)
def test_a_change_is_refused_by_row(company: Company, case: str, row: str, column: str, message: str) -> None:
    import_text(ITEMS)
    good = "A,ledger,28/06/2026 22:00,28/06/2026 23:00\n"
    report = import_text(HEADER + good + row + "\n", "changes", mapping=MAP)
    assert counts(report) == {"created": 1, "refused": 1}
    assert problems(report) == [(3, column, message)]
    assert Change.objects.get().external_id == "A"


WINDOWS = (
    "name,kind,organisation,zone,local_start,duration,rrule,starts_at,ends_at\n"
    "Weekly,maintenance,retail,Europe/London,2026-01-03T22:00,PT4H,FREQ=WEEKLY;BYDAY=SA,,\n"
    "Year end,hard_freeze,retail,,,,,2026-12-20T00:00:00Z,2027-01-03T00:00:00Z\n"
)


def test_windows_are_created_then_unchanged(company: Company) -> None:
    assert counts(import_text(WINDOWS, "windows", actor=company.boss)) == {"created": 2}
    before = contents()
    assert counts(import_text(WINDOWS, "windows", actor=company.boss)) == {"unchanged": 2}
    assert contents() == before
    assert set(Window.objects.values_list("name", "window_kind")) == {
        ("Weekly", "maintenance"),
        ("Year end", "hard_freeze"),
    }


@pytest.mark.parametrize(
    ("case", "row", "column", "message"),
    [
        (
            "an unknown zone",
            "X,maintenance,retail,Europe/Lodnon,2026-01-03T22:00,PT4H,,,",
            "zone",
            "“Europe/Lodnon” is not a time zone; did you mean Europe/London?",
        ),
        (
            "no duration",
            "X,maintenance,retail,Europe/London,2026-01-03T22:00,4h,,,",
            "duration",
            "“4h” is not a duration in the form of ISO 8601, such as PT2H30M or P1D.",
        ),
        (
            "a local start with offset",
            "X,maintenance,retail,Europe/London,2026-01-03T22:00Z,PT4H,,,",
            "local_start",
            "“2026-01-03T22:00Z” is not a local time without offset, such as 2027-01-04T22:00.",
        ),
    ],
)
def test_a_window_is_refused_by_row(company: Company, case: str, row: str, column: str, message: str) -> None:
    report = import_text(WINDOWS + row + "\n", "windows", actor=company.boss)
    assert counts(report) == {"created": 2, "refused": 1}
    assert problems(report) == [(4, column, message)]
