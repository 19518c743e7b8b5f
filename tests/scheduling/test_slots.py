"""Slots agree with looking at every quarter of an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fairway.kernel.period import Period
from fairway.scheduling import IntervalSet, Load, Measure, Part, Slot, clear, inside, ranked, shares

ORIGIN = datetime(2026, 11, 23, tzinfo=UTC)
CELL = timedelta(minutes=15)
CELLS = 96


def at(cell: int) -> datetime:
    return ORIGIN + cell * CELL


def periods(longest: int, most: int) -> st.SearchStrategy[list[Period]]:
    one = st.tuples(st.integers(-8, CELLS), st.integers(1, longest))
    return st.lists(one.map(lambda pair: Period(at(pair[0]), at(sum(pair)))), max_size=most)


plans = st.lists(
    st.tuples(st.integers(0, 24), st.integers(1, 10)).map(lambda pair: Part(pair[0] * CELL, pair[1] * CELL)),
    min_size=1,
    max_size=3,
)
loads = st.lists(
    st.tuples(st.sampled_from(Measure), st.integers(1, 8), periods(12, 5)).map(
        lambda one: Load(
            str(one[0]),
            one[0],
            one[1],
            tuple(IntervalSet.of(one[2]) if one[0] is Measure.HOURS else one[2]),
        )
    ),
    max_size=3,
)


def weighed(plan: list[Part], start: datetime, some: list[Load]) -> float:
    """Return the disruption by looking at every quarter, and at every span."""
    total = 0.0
    for part in plan:
        work = part.at(start)
        for load in some:
            for span in load.spans:
                quarters = [
                    cell
                    for cell in range(-8, 4 * CELLS)
                    if span.start <= at(cell) < span.end and work.start <= at(cell) < work.end
                ]
                if load.measure is Measure.TIMES:
                    total += load.weight * bool(quarters)
                else:
                    total += load.weight * len(quarters) / 4
    return total


@given(plans, periods(40, 6), periods(10, 8))
def test_starts_are_those_from_which_every_part_is_open_and_clear(
    plan: list[Part], opened: list[Period], taken: list[Period]
) -> None:
    whole = IntervalSet.of([Period(at(0), at(CELLS))])
    found = clear(inside(whole, plan, IntervalSet.of(opened)), plan, taken)
    for cell in range(CELLS):
        works = [part.at(at(cell)) for part in plan]
        quarters = {
            quarter
            for work in works
            for quarter in range(-8, 3 * CELLS)
            if work.start <= at(quarter) < work.end
        }
        fine = all(any(one.start <= at(q) < one.end for one in opened) for q in quarters) and not any(
            one.start <= at(q) < one.end for q in quarters for one in taken
        )
        assert (at(cell) in found) is fine, cell
        assert (at(cell) + timedelta(microseconds=1) not in found) or fine


@given(plans, periods(60, 4), loads, st.integers(1, 12))
def test_the_ranked_are_the_least_disturbing_that_do_not_overlap(
    plan: list[Part], free: list[Period], some: list[Load], limit: int
) -> None:
    starts = IntervalSet.of(free) & IntervalSet.of([Period(at(-8), at(CELLS))])
    found = ranked(plan, starts, some, limit=limit, step=CELL)
    every = sorted(
        (round(weighed(plan, at(cell), some), 6), at(cell)) for cell in range(-8, CELLS) if at(cell) in starts
    )
    length = max(part.offset + part.length for part in plan)
    expected: list[tuple[float, datetime]] = []
    for points, start in every:
        if len(expected) < limit and all(abs(start - other) >= length for _, other in expected):
            expected.append((points, start))
    assert [(slot.points, slot.start) for slot in found] == expected
    for slot in found:
        assert abs(sum(share.points for share in slot.shares) - slot.points) < 1e-6


@given(plans, periods(60, 4), loads)
def test_the_soonest_come_in_order_and_begin_with_the_first_stretch(
    plan: list[Part], free: list[Period], some: list[Load]
) -> None:
    starts = IntervalSet.of(free)
    found = ranked(plan, starts, some, limit=100, soonest=True, step=CELL)
    length = max(part.offset + part.length for part in plan)
    assert bool(found) is bool(len(starts))
    for one, other in pairwise(found):
        assert one.start + length <= other.start
    if found:
        assert starts.starts[0] <= found[0].start < starts.starts[0] + length


def test_a_share_tells_how_much_each_load_adds() -> None:
    busy = Load("hours", Measure.HOURS, 4, (Period(at(0), at(8)),), ("shop",))
    spans = (Period(at(2), at(3)), Period(at(2), at(9)), Period(at(4), at(5)))
    met = Load("others", Measure.TIMES, 3, spans, ("one", "two", "three"))
    told = shares([Part(timedelta(0), 4 * CELL)], at(0), [met, busy])
    assert [(share.load.name, share.amount, share.points, share.about) for share in told] == [
        ("others", 2, 6, ("one", "two")),
        ("hours", 1, 4, ("shop",)),
    ]
    assert Slot(1, at(0)) < Slot(1, at(1)) < Slot(2, at(0))
