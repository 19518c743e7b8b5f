"""What a timeline draws: every bar with each conflict that it has."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fairway.changes import queries
from fairway.changes.queries import ChangeQuery
from fairway.claims import queries as claims
from fairway.kernel.actor import SYSTEM
from fairway.kernel.period import Period
from tests.changes.conftest import NOON, Company, hours

WEEK = Period(NOON, NOON + timedelta(days=7))
NIGHTS = (hours(0, 2), hours(24, 26), hours(48, 50))


def drawn(company: Company, **asked: Any) -> list[dict[str, Any]]:
    return list(queries.timeline(company.max, WEEK, **asked)["bars"])


def marks(bars: list[dict[str, Any]], key: str) -> list[list[tuple[str, str, str]]]:
    """Return what each bar of a change is marked with, in order of time and lane."""
    own = sorted((bar for bar in bars if bar["key"] == key), key=lambda bar: (bar["start"], bar["lane"]))
    return [[(one["rule"], one["severity"], one["other"]) for one in bar["conflicts"]] for bar in own]


def test_every_night_on_which_two_meet_is_marked_on_both(company: Company) -> None:
    one = company.change(windows=NIGHTS, downtime=(hours(24, 25),))
    other = company.change("max", windows=NIGHTS)
    company.take("submit", "rita", one)
    bars = drawn(company)
    same, down = ("claims.same_item", "warn"), ("claims.same_item", "block")
    assert marks(bars, one) == [[(*same, other)], [(*same, other)], [(*same, other)]]  # the other is a draft
    assert marks(bars, other) == [[(*same, one)], [(*down, one)], [(*same, one)]]
    assert not any("more time" in mark["message"] for bar in bars for mark in bar["conflicts"])


def test_each_item_is_marked_with_what_meets_it(company: Company) -> None:
    both = company.change(items=("payments-api", "ledger-db"))
    one = company.change("max", items=("ledger-db",))
    assert marks(drawn(company), both) == [
        [("claims.same_item", "warn", one)],
        [("claims.related_item", "warn", one)],
    ]
    assert sorted(mark for mark in marks(drawn(company, by="environment"), both)[0]) == [
        ("claims.related_item", "warn", one),
        ("claims.same_item", "warn", one),
    ]


@pytest.mark.parametrize("place", ["prod", "dev"])
def test_a_change_made_everywhere_is_in_each_environment(company: Company, place: str) -> None:
    everywhere = company.change(environments=())
    there, elsewhere = company.change(environments=(place,)), company.change(environments=("sit2",))
    page = queries.change_page(company.max, ChangeQuery(environment=place, sort="key"))
    assert [f"CHG-{row['number']}" for row in page.rows] == [everywhere, there]
    assert {bar["key"] for bar in drawn(company, environment=place)} == {everywhere, there}
    told = claims.conflicts(SYSTEM, environment=place)
    assert {(clash.one.key, clash.other.key) for clash in told} == {
        (everywhere, there),
        (everywhere, elsewhere),
    }


@pytest.mark.parametrize("by", queries.LANES)
def test_the_plan_and_its_conflicts_apart_are_the_whole(company: Company, by: queries.Lanes) -> None:
    for requester in ("rita", "max"):
        company.change(requester, windows=NIGHTS)
    whole, plan, later = (
        queries.timeline(company.max, WEEK, by=by, part=part) for part in ("all", "plan", "conflicts")
    )
    assert plan.pop("conflicts") == "later"
    assert not any("conflicts" in bar for bar in plan["bars"])
    joined = [{**bar, "conflicts": later["conflicts"].get(bar["id"], [])} for bar in plan["bars"]]
    assert {**plan, "bars": joined} == whole
    assert later["conflicts"]


@pytest.mark.parametrize("by", queries.LANES)
def test_more_bars_take_no_more_statements(company: Company, by: queries.Lanes) -> None:
    def counted() -> tuple[int, int]:
        drawn(company, by=by)  # what is kept in memory is loaded
        with CaptureQueriesContext(
            connection,
        ) as ran:
            bars = drawn(company, by=by)
        assert all(bar["conflicts"] for bar in bars)
        return len(bars), len(ran)

    for requester in ("rita", "max"):
        company.change(requester, windows=NIGHTS)
    few, before = counted()
    for _ in range(4):
        company.change(windows=NIGHTS, items=("payments-api", "ledger-db"))
    many, after = counted()
    assert many >= 3 * few
    assert after == before <= 14
