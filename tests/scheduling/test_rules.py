"""Recurrence rules agree with a day-by-day reading of RFC 5545, and with python-dateutil."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, datetime, timedelta
from itertools import groupby, islice
from typing import Any

import pytest
from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule, weekday
from hypothesis import assume, given
from hypothesis import strategies as st

from fairway.kernel.errors import Invalid
from fairway.scheduling import Frequency, Rule

START = date(2023, 3, 15)
FREQUENCIES: dict[Frequency, Any] = {
    Frequency.DAILY: DAILY,
    Frequency.WEEKLY: WEEKLY,
    Frequency.MONTHLY: MONTHLY,
    Frequency.YEARLY: YEARLY,
}


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Draw any rule that can be written."""
    frequency = draw(st.sampled_from(Frequency))
    wide = frequency in (Frequency.MONTHLY, Frequency.YEARLY)
    months = draw(st.sets(st.integers(1, 12), max_size=3))
    most = 5 if frequency is Frequency.MONTHLY or months else 53
    nth = st.integers(-most, most) if wide else st.just(0)
    days = draw(st.sets(st.tuples(nth, st.integers(0, 6)), max_size=3))
    numbers = draw(st.sets(st.integers(-31, 31).filter(bool), max_size=3))
    positions = draw(st.sets(st.integers(-4, 4).filter(bool), max_size=2))
    text = Rule(
        frequency=frequency,
        interval=draw(st.integers(1, 5)),
        by_day=tuple(sorted(days)),
        by_month_day=() if frequency is Frequency.WEEKLY else tuple(sorted(numbers)),
        by_month=tuple(sorted(months)),
        by_set_pos=tuple(sorted(positions)) if frequency is not Frequency.DAILY else (),
        week_start=draw(st.integers(0, 6)),
    )
    try:
        return Rule.parse(str(text))
    except Invalid:
        assume(False)
        raise


def starts() -> st.SearchStrategy[date]:
    return st.dates(date(2019, 1, 1), date(2024, 12, 31))


def nth_among(day: date, first: date, last: date) -> set[int]:
    """Return the ordinals a day has among the days of its weekday, from the front and from the back."""
    return {(day - first).days // 7 + 1, -((last - day).days // 7 + 1)}


def plain_reading(rule: Rule, start: date, last: date) -> list[date]:
    """Return the dates of the rule, deciding for each day of the span on its own whether it belongs."""

    def unit(day: date) -> int:
        """Number the day, week, month or year that the day lies in."""
        match rule.frequency:
            case Frequency.DAILY:
                return day.toordinal()
            case Frequency.WEEKLY:
                return (day.toordinal() - 1 - rule.week_start) // 7
            case Frequency.MONTHLY:
                return day.year * 12 + day.month
            case _:
                return day.year

    def allowed(day: date) -> bool:
        length = monthrange(day.year, day.month)[1]
        if rule.by_month and day.month not in rule.by_month:
            return False
        if rule.by_month_day and not any(
            day.day == (n if n > 0 else length + 1 + n) for n in rule.by_month_day
        ):
            return False
        if rule.by_day:
            whole_year = rule.frequency is Frequency.YEARLY and not rule.by_month
            first = date(day.year, 1, 1) if whole_year else day.replace(day=1)
            final = date(day.year, 12, 31) if whole_year else day.replace(day=length)
            if not any(
                day.weekday() == wanted and (nth == 0 or nth in nth_among(day, first, final))
                for nth, wanted in rule.by_day
            ):
                return False
        # what the rule leaves open it takes from the start
        if rule.frequency is Frequency.WEEKLY and not rule.by_day:
            return day.weekday() == start.weekday()
        if rule.frequency in (Frequency.MONTHLY, Frequency.YEARLY) and not (rule.by_day or rule.by_month_day):
            return day.day == start.day and (
                rule.frequency is Frequency.MONTHLY or bool(rule.by_month) or day.month == start.month
            )
        return True

    begin = date(start.year, 1, 1) - timedelta(days=7)
    days = [begin + timedelta(days=n) for n in range((last - begin).days + 367)]
    found = []
    for number, group in groupby(days, key=unit):
        if number < unit(start) or (number - unit(start)) % rule.interval:
            continue
        candidates = [day for day in group if allowed(day)]
        if rule.by_set_pos:
            candidates = [
                day
                for index, day in enumerate(candidates)
                if index + 1 in rule.by_set_pos or index - len(candidates) in rule.by_set_pos
            ]
        found += [day for day in candidates if start <= day <= last]
    return found


@given(rules(), starts())
def test_the_dates_are_those_of_a_plain_reading(rule: Rule, start: date) -> None:
    last = start + timedelta(days=1000)
    assert list(rule.dates(start, start, last)) == plain_reading(rule, start, last)


@given(rules(), starts(), st.integers(0, 3000), st.integers(0, 400))
def test_a_far_span_gives_what_a_walk_from_the_start_gives(
    rule: Rule, start: date, far: int, long: int
) -> None:
    low = start + timedelta(days=far)
    high = low + timedelta(days=long)
    assert list(rule.dates(start, low, high)) == [d for d in rule.dates(start, start, high) if d >= low]


@given(rules(), starts())
def test_dateutil_gives_the_same(rule: Rule, start: date) -> None:
    # dateutil cuts the first week off at its start before it counts positions; the RFC does not
    assume(not (rule.frequency is Frequency.WEEKLY and rule.by_set_pos))
    # it reads MO,1MO as Mondays that are the first; the RFC's list is a union
    assume(len({nth == 0 for nth, _ in rule.by_day}) < 2)
    last = start + timedelta(days=1500)
    ours = list(rule.dates(start, start, last))
    given_parts: dict[str, Any] = {
        "byweekday": [weekday(day)(nth) if nth else weekday(day) for nth, day in rule.by_day] or None,
        "bymonthday": rule.by_month_day or None,
        "bymonth": rule.by_month or None,
        "bysetpos": rule.by_set_pos or None,
    }
    theirs = rrule(
        FREQUENCIES[rule.frequency],
        dtstart=datetime.combine(start, datetime.min.time()),
        interval=rule.interval,
        wkst=rule.week_start,
        **given_parts,
    )
    assert ours == [found.date() for found in islice(theirs, len(ours))]


@pytest.mark.parametrize(
    ("case", "text", "expected"),
    [
        ("last Friday", "FREQ=MONTHLY;BYDAY=-1FR", "2023-03-31 2023-04-28 2023-05-26"),
        ("last but one working day", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2", "2023-03-30"),
        ("patch Tuesday", "FREQ=MONTHLY;BYDAY=2TU", "2023-04-11 2023-05-09"),
        ("31st, where there is one", "FREQ=MONTHLY;BYMONTHDAY=31", "2023-03-31 2023-05-31 2023-07-31"),
        ("last of the month", "FREQ=MONTHLY;BYMONTHDAY=-1", "2023-03-31 2023-04-30 2023-05-31"),
        ("leap day", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2024-02-29 2028-02-29"),
        ("Friday the 13th", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "2023-10-13 2024-09-13 2024-12-13"),
        ("every other week", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=MO", "2023-03-19 2023-03-28"),
        ("weeks from Sunday", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU", "2023-03-26 2023-03-28"),
        ("first of two in a week", "FREQ=WEEKLY;BYDAY=MO,WE;BYSETPOS=1", "2023-03-20 2023-03-27"),
        ("20th Monday of the year", "FREQ=YEARLY;BYDAY=20MO", "2023-05-15 2024-05-13"),
        ("first of a quarter", "FREQ=YEARLY;BYMONTH=1,4,7,10;BYMONTHDAY=1", "2023-04-01 2023-07-01"),
    ],
)  # fmt: skip
def test_rules_people_write(case: str, text: str, expected: str) -> None:
    found = Rule.parse(text).dates(START, START, date(2030, 1, 1))
    assert [next(found).isoformat() for _ in expected.split()] == expected.split()


@given(rules())
def test_a_rule_reads_back_as_it_was_written(rule: Rule) -> None:
    assert Rule.parse(str(rule)) == rule


@pytest.mark.parametrize("text", ["FREQ=DAILY;UNTIL=20271231T220000Z", "FREQ=DAILY;UNTIL=20271231T220000"])
def test_until_reads_back_as_it_was_written(text: str) -> None:
    assert str(Rule.parse(text)) == text


def test_a_date_as_until_means_the_end_of_that_day() -> None:
    assert Rule.parse("rrule:freq=daily;until=20271231").until == datetime(2027, 12, 31, 23, 59, 59)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a part of a rule"),
        ("weekly", "write parts as NAME=VALUE"),
        ("BYDAY=MO", "FREQ is missing"),
        ("FREQ=HOURLY", "use DAILY, WEEKLY, MONTHLY or YEARLY"),
        ("FREQ=DAILY;BYHOUR=1,2", "BYHOUR is not possible here"),
        ("FREQ=YEARLY;BYWEEKNO=20", "BYWEEKNO is not possible here"),
        ("FREQ=DAILY;FREQ=WEEKLY", "twice"),
        ("FREQ=DAILY;INTERVAL=0", "from 1 to 1000"),
        ("FREQ=DAILY;INTERVAL=1001", "from 1 to 1000"),
        ("FREQ=DAILY;INTERVAL=99999999999999999999", "from 1 to 1000"),
        ("FREQ=DAILY;INTERVAL=\uff11", "from 1 to 1000"),
        ("FREQ=DAILY;COUNT=10001", "from 1 to 10000"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "exclude each other"),
        ("FREQ=DAILY;UNTIL=20271301", "is not an instant"),
        ("FREQ=DAILY;UNTIL=tomorrow", "is not an instant"),
        ("FREQ=WEEKLY;BYDAY=XX", "is not a weekday"),
        ("FREQ=WEEKLY;BYDAY=0MO", "is not a weekday"),
        ("FREQ=WEEKLY;BYDAY=2MO", "needs FREQ=MONTHLY or YEARLY"),
        ("FREQ=MONTHLY;BYDAY=6MO", "counts beyond 5"),
        ("FREQ=YEARLY;BYDAY=54MO", "counts beyond 53"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "does not go with FREQ=WEEKLY"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "count from 1"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "from -31 to 31"),
        ("FREQ=YEARLY;BYMONTH=-1", "from 1 to 12"),
        ("FREQ=MONTHLY;BYSETPOS=1", "needs BYDAY"),
        ("FREQ=DAILY;BYDAY=MO;BYSETPOS=1", "does not go with FREQ=DAILY"),
        ("FREQ=WEEKLY;WKST=1", "is not a weekday"),
        ("FREQ=DAILY;" + "X" * 500, "longer than 500"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_and_told_why(text: str, said: str) -> None:
    with pytest.raises(Invalid, match=re.escape(said)) as refusal:
        Rule.parse(text)
    assert [error.field for error in refusal.value.errors] == ["rrule"]
