"""The story itself: whole, believable and the same each time, on whatever day it is told."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from fairway.calendars.rules import Kind
from fairway.demo.story import company, landscape
from fairway.demo.story.calendar import MAINTENANCE, windows
from fairway.demo.story.changes import COUNT, changes

DAYS = [
    pytest.param(datetime(2026, 11, 23, 16, 40, tzinfo=UTC), id="an ordinary afternoon"),
    pytest.param(datetime(2026, 12, 25, 0, 5, tzinfo=UTC), id="within the year-end freeze"),
    pytest.param(datetime(2027, 1, 1, 0, 0, tzinfo=UTC), id="as the year begins"),
    pytest.param(datetime(2027, 3, 28, 1, 30, tzinfo=UTC), id="as London's clocks go forward"),
    pytest.param(datetime(2027, 6, 30, 21, 0, tzinfo=UTC), id="within the quarter's close"),
    pytest.param(datetime(2028, 2, 29, 12, 0, tzinfo=UTC), id="on a leap day"),
    pytest.param(datetime(2028, 10, 29, 1, 0, tzinfo=UTC), id="as London's clocks go back"),
]


@pytest.mark.parametrize("now", DAYS)
def test_a_quarter_of_changes_each_way_on_any_day(now: datetime) -> None:
    planned, clashes = changes(now, seed=1)
    assert len(planned) == COUNT
    assert {True, False} == {change.span[0] > now for change in planned}
    quarter = timedelta(days=110)
    assert all(now - quarter < change.span[0] < now + quarter for change in planned)
    last = Counter(change.steps[-1].verb for change in planned)
    assert {"create", "submit", "vote", "start", "complete", "close", "cancel", "hold"} <= last.keys()
    assert len(clashes) >= 12


@pytest.mark.parametrize("now", DAYS)
def test_steps_come_in_order_and_none_in_the_future(now: datetime) -> None:
    planned, _ = changes(now, seed=2)
    for change in planned:
        times = [step.at for step in change.steps]
        assert times == sorted(times), change.title
        assert times[-1] <= now, change.title
        assert change.span[0] < change.span[1], change.title


@pytest.mark.parametrize("now", DAYS)
def test_conflicts_that_are_meant_lie_ahead(now: datetime) -> None:
    planned, clashes = changes(now, seed=3)
    named = {change.name: change for change in planned if change.name}
    for clash in clashes:
        parties = [named[name] for name in clash.parties]
        assert all(party.span[0] > now for party in parties), clash
        if len(parties) == 2:
            one, other = (party.span for party in parties)
            assert one[0] < other[1], clash
            assert other[0] < one[1], clash


@pytest.mark.parametrize("now", DAYS)
def test_nobody_approves_their_own_change(now: datetime) -> None:
    planned, _ = changes(now, seed=4)
    for change in planned:
        for step in change.steps:
            if step.verb == "vote":
                assert step.by not in {change.requester, change.owner, *change.implementers}, change.title


def test_the_same_seed_and_moment_tell_the_same_story() -> None:
    now = datetime(2026, 11, 23, 16, 40, tzinfo=UTC)
    assert changes(now, seed=5) == changes(now, seed=5)
    assert changes(now, seed=5) != changes(now, seed=6)


def test_the_landscape_hangs_together() -> None:
    items = {item.key: item for item in landscape.items()}
    relations = list(landscape.relations())
    assert len(items) == len(list(landscape.items()))
    assert len(set(relations)) == len(relations)
    assert {end for source, target, _ in relations for end in (source, target)} <= items.keys()
    assert len(items) >= 200
    assert len(relations) >= 350
    assert sum(item.kind == "system" for item in items.values()) >= 60
    needed = Counter(target for _, target, _ in relations)
    assert all(needed[hub] >= 14 for hub in ("identity", "message-bus", "core-ledger"))
    assert {item.unit for item in items.values()} <= {unit.slug for unit in company.UNITS}


def test_somebody_of_each_role_may_sign_in() -> None:
    signing_in = {role for person in company.PEOPLE if person.signs_in for role, _ in person.grants}
    signing_in |= {"implementer"} if any(p.signs_in and p.in_team for p in company.PEOPLE) else set()
    assert signing_in >= {
        "viewer", "requester", "implementer", "approver", "change-manager", "environment-manager",
        "release-manager", "project-manager", "test-manager", "run-coordinator", "auditor", "administrator",
    }  # fmt: skip
    emails = [person.email for person in company.PEOPLE]
    assert len(set(emails)) == len(emails)


@pytest.mark.parametrize("now", DAYS)
def test_windows_of_each_kind_are_known(now: datetime) -> None:
    listed = windows(now)
    assert {window.kind for window in listed} == set(Kind) - {Kind.LOCKDOWN}
    assert all(window.known < now for window in listed)
    assert all(window.items and window.rrule for window in listed if window.kind == MAINTENANCE)
