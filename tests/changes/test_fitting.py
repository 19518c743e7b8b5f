"""Whether work fits its window with test and back-out, and from when on there is no way back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.audit.commands import execute
from fairway.calendars.commands import CreateWindow
from fairway.changes import commands, queries
from fairway.changes.queries.weighing import findings_of
from fairway.changes.rules.fitting import Times, fit
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import Invalid
from fairway.kernel.period import Period
from fairway.policy import Decision, Severity, tell
from tests.changes.conftest import NOON, Company, hours, stored

MINUTE = timedelta(minutes=1)
lengths = st.none() | st.integers(1, 200).map(lambda minutes: minutes * MINUTE)


@given(st.integers(1, 300), st.integers(0, 300), lengths, lengths, lengths)
def test_it_fits_where_walking_minute_by_minute_ends_in_time(
    length: int, closing: int, work: timedelta | None, test: timedelta | None, back: timedelta | None
) -> None:
    window = Period(NOON, NOON + length * MINUTE)
    closes = NOON + closing * MINUTE if closing else None
    found = fit(window, Times(work, test, back), closes=closes)
    at = NOON
    for part in (work, test, back):
        for _ in range(int((part or timedelta(0)) / MINUTE)):
            at += MINUTE
    end = min(window.end, closes) if closes else window.end
    assert found.fits == (at <= end)
    assert (found.latest_start >= NOON) == found.fits
    if back is not None:
        last = found.point_of_no_return
        assert last is not None
        assert last + back == end


def decided(key: str, at: datetime = NOON) -> Decision:
    return queries.assess_dossier(queries.dossier(SYSTEM, key), at=at)


def test_a_change_that_does_not_fit_with_its_back_out_is_told_on_every_door(company: Company) -> None:
    given: dict[str, Any] = {
        "implementation_time": 60 * MINUTE,
        "test_time": 30 * MINUTE,
        "backout_time": 45 * MINUTE,
    }
    key = company.change(**given)
    [found] = decided(key).findings
    assert (found.rule, found.severity) == ("claims.does_not_fit", Severity.WARN)
    assert "takes 2:15 h" in tell(found)
    assert findings_of([stored(key).pk], at=NOON)[stored(key).pk] == [found]
    assert decided(key).point_of_no_return == hours(0, 2).end - 45 * MINUTE

    execute(commands.EditChange(change=key, test_time=15 * MINUTE), actor=company.rita, at=NOON)
    assert decided(key).findings == ()
    execute(commands.EditChange(change=key, backout_time=None), actor=company.rita, at=NOON)
    assert decided(key).point_of_no_return is None


def test_a_freeze_that_begins_closes_the_window_earlier(company: Company) -> None:
    key = company.change(windows=(hours(0, 4),), implementation_time=60 * MINUTE, backout_time=60 * MINUTE)
    assert decided(key).point_of_no_return == hours(0, 3).end
    span = hours(1.5, 6)
    freeze = CreateWindow(
        name="Night run", kind="hard_freeze", organisation="retail", zone="UTC",
        starts_at=span.start, ends_at=span.end,
    )  # fmt: skip
    execute(freeze, actor=SYSTEM)
    decision = decided(key)
    assert decision.point_of_no_return == hours(0, 0.5).end
    assert {found.rule for found in decision.findings} == {"calendars.freeze", "claims.does_not_fit"}


def test_a_freeze_that_is_waived_does_not_close_the_window(company: Company) -> None:
    key = company.change(windows=(hours(0, 4),), implementation_time=60 * MINUTE, backout_time=60 * MINUTE)
    span = hours(1.5, 6)
    freeze = CreateWindow(
        name="Night run", kind="hard_freeze", organisation="retail", zone="UTC",
        starts_at=span.start, ends_at=span.end,
    )  # fmt: skip
    execute(freeze, actor=SYSTEM)
    [found] = [one for one in decided(key).findings if one.rule == "calendars.freeze"]
    ask = commands.RequestWaiver(change=key, finding=found.id, reason="It cannot wait")
    asked = execute(ask, actor=company.rita, at=NOON).subject
    assert asked is not None
    execute(commands.GrantWaiver(waiver=asked.key), actor=company.max, at=NOON)
    decision = decided(key)
    assert {found.rule for found in decision.findings} == {"calendars.freeze"}  # it warns
    assert decision.point_of_no_return == hours(0, 3).end
    listed = findings_of([stored(key).pk], at=NOON)[stored(key).pk]
    assert {found.rule for found in listed} == {"calendars.freeze"}


@pytest.mark.parametrize(("condition", "closes"), [("priority == 1", False), ("priority == 3", True)])
def test_a_freeze_closes_the_window_of_those_alone_whom_its_condition_names(
    company: Company, condition: str, closes: bool
) -> None:
    key = company.change(windows=(hours(0, 4),), backout_time=60 * MINUTE)
    span = hours(1.5, 6)
    freeze = CreateWindow(
        name="Some", kind="hard_freeze", organisation="retail", zone="UTC", condition=condition,
        starts_at=span.start, ends_at=span.end,
    )  # fmt: skip
    execute(freeze, actor=SYSTEM)
    assert decided(key).point_of_no_return == hours(0, 0.5 if closes else 3).end


@pytest.mark.parametrize("length", [timedelta(0), -MINUTE, timedelta(days=40)])
def test_a_length_without_sense_is_refused_by_field(company: Company, length: timedelta) -> None:
    with pytest.raises(Invalid) as refused:
        company.change(backout_time=length)
    assert [error.field for error in refused.value.errors] == ["backout_time"]
