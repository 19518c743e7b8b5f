"""Working calendars as records: whose hours count where, days that differ, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from fairway.accounts import queries as accounts
from fairway.audit import queries as audit
from fairway.audit.commands import execute
from fairway.calendars import queries
from fairway.calendars.commands import (
    ArchiveWorkingCalendar,
    CreateWorkingCalendar,
    EditWorkingCalendar,
    PutHoliday,
    PutWorkingCalendar,
    RemoveHoliday,
)
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from fairway.kernel.period import Period
from fairway.workspace.commands import UndoEvent
from tests.support.company import Company, actor

WEEK = {day: ["09:00-17:00"] for day in ("mo", "tu", "we", "th", "fr")}
TUESDAY = datetime(2026, 12, 1, 12, tzinfo=UTC)


def made(key: str, organisation: str, **more: Any) -> None:
    given = {"name": key.title(), "zone": "Europe/London", "hours": WEEK, **more}
    execute(CreateWorkingCalendar(key=key, organisation=organisation, **given), actor=SYSTEM)


def off(calendar: str, day: date, **more: Any) -> None:
    execute(PutHoliday(calendar=calendar, day=day, **more), actor=SYSTEM)


def pk(slug: str) -> int:
    return accounts.organisation(SYSTEM, slug).pk


def worked(organisation: str, days: int) -> float:
    """Return the hours worked from Tuesday noon on."""
    time = queries.working_time(pk(organisation))
    return time.between(TUESDAY, TUESDAY + timedelta(days=days)) / timedelta(hours=1)


def test_the_nearest_calendar_above_counts(company: Company) -> None:
    assert worked("shops", 1) == 8  # the usual hours, UTC
    made("all", "group", hours={"tu": ["12:00-15:00"]})
    assert worked("shops", 7) == 3
    made("retail", "retail", zone="Asia/Kathmandu", hours={"we": ["00:00-24:00"]})
    assert worked("shops", 7) == 24
    assert worked("cards", 7) == 3
    execute(ArchiveWorkingCalendar(calendar="retail"), actor=SYSTEM)
    assert worked("shops", 7) == 3


def test_holidays_and_days_with_hours_of_their_own(company: Company) -> None:
    made("all", "group")
    execute(
        PutHoliday(calendar="all", day=date(2026, 12, 2), name="Off", duration=timedelta(days=2)),
        actor=SYSTEM,
    )
    execute(
        PutHoliday(calendar="all", day=date(2026, 12, 5), name="Sale", hours=["10:00-12:00"]), actor=SYSTEM
    )
    assert worked("shops", 7) == 5 + 8 + 2 + 8 + 3
    [first, other] = queries.days_off(
        [pk("shops"), pk("cards")], Period(TUESDAY, TUESDAY + timedelta(days=7))
    )
    assert [one.period.start for one, _ in (first, other)] == [
        datetime(2026, 12, 2, tzinfo=UTC),
        datetime(2026, 12, 3, tzinfo=UTC),
    ]
    assert sorted(first[1]) == sorted([pk("shops"), pk("cards")])
    execute(RemoveHoliday(calendar="all", day=date(2026, 12, 2)), actor=SYSTEM)
    assert worked("shops", 1) == 8


def test_a_rule_is_followed_for_ten_years_and_taken_back_at_once(company: Company) -> None:
    made("all", "group")
    christmas = PutHoliday(calendar="all", day=date(2026, 12, 25), name="Christmas", rrule="FREQ=YEARLY")
    outcome = execute(christmas, actor=actor("boss"))
    found = queries.working_calendar(SYSTEM, "all")
    assert [one.day.year for one in queries.days_of(found)] == list(range(2026, 2036))
    assert execute(christmas, actor=SYSTEM).sequence is None  # the same again changes nothing
    assert outcome.sequence is not None
    execute(UndoEvent(event=outcome.sequence), actor=actor("boss"))
    assert queries.days_of(found) == []
    assert worked("shops", 7) == 40


def test_the_question_costs_no_statement_within_a_request(
    company: Company, django_assert_num_queries: Any
) -> None:
    made("all", "group")
    place = pk("shops")
    queries.working_time(place).between(TUESDAY, TUESDAY + timedelta(days=700))
    kept = queries.working_time(place)
    made("cards", "cards")  # another one leaves the years that this one has worked out
    assert queries.working_time(place) is kept
    with audit.steady():
        queries.working_time(place)
        with django_assert_num_queries(0):
            queries.working_time(place).between(TUESDAY, TUESDAY + timedelta(days=700))


def test_an_organisation_works_by_one_calendar(company: Company) -> None:
    made("all", "group")
    with pytest.raises(Conflict, match="group works by all"):
        made("more", "group")
    made("cards", "cards")
    with pytest.raises(Conflict, match="group works by all"):
        execute(EditWorkingCalendar(calendar="cards", organisation="group"), actor=SYSTEM)
    execute(ArchiveWorkingCalendar(calendar="all"), actor=SYSTEM)
    execute(EditWorkingCalendar(calendar="cards", organisation="group"), actor=SYSTEM)
    with pytest.raises(Conflict, match="group works by cards"):
        execute(PutWorkingCalendar(key="all"), actor=SYSTEM)


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"hours": {"mo": ["17:00-09:00"]}}, "hours", "no length"),
        ({"hours": {"mo": ["9 to 5"]}}, "hours", "no hours"),
        ({"hours": {"xx": ["09:00-17:00"]}}, "hours", "no day of the week"),
        ({"hours": {}}, "hours", "Nobody works"),
        ({"zone": "Europe/Lodnon"}, "zone", "Europe/London"),
    ],
)
def test_hours_without_sense_are_refused(
    company: Company, given: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(Invalid, match=said) as told:
        made("all", "group", **given)
    assert [error.field for error in told.value.errors] == [field]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"day": date(9999, 1, 1)}, "day"),
        ({"duration": timedelta()}, "duration"),
        ({"duration": timedelta(days=400)}, "duration"),
        ({"rrule": "FREQ=HOURLY"}, "rrule"),
        ({"rrule": "FREQ=DAILY"}, "rrule"),
        ({"hours": ["25:00-26:00"]}, "hours"),
        ({"name": ""}, "name"),
    ],
)
def test_days_without_sense_are_refused(company: Company, given: dict[str, Any], field: str) -> None:
    made("all", "group")
    with pytest.raises(Invalid) as told:
        execute(
            PutHoliday(**{"calendar": "all", "day": date(2027, 1, 1), "name": "Off", **given}), actor=SYSTEM
        )
    assert [error.field for error in told.value.errors] == [field]
    assert queries.days_of(queries.working_calendar(SYSTEM, "all")) == []


def test_the_calendar_of_another_branch_does_not_exist(company: Company) -> None:
    made("all", "group")
    made("cards", "cards")
    assert queries.working_calendar(company.vera, "all").slug == "all"  # it binds what is below
    with pytest.raises(NotFound):
        queries.working_calendar(company.vera, "cards")
    with pytest.raises(Conflict, match="taken"):
        execute(PutWorkingCalendar(key="cards", name="Mine", hours=WEEK), actor=company.rita)
    with pytest.raises(Forbidden):
        execute(RemoveHoliday(calendar="all", day=date(2027, 1, 1)), actor=company.rita)
