"""Interval sets agree with a grid of instants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.kernel.period import Period
from fairway.scheduling import EMPTY, IntervalSet

ORIGIN = datetime(2026, 11, 23, tzinfo=UTC)
CELLS = 40


def at(cell: int) -> datetime:
    return ORIGIN + timedelta(hours=cell)


def period(start: int, end: int) -> Period:
    return Period(at(start), at(end))


def cells(intervals: IntervalSet) -> set[int]:
    """Return the hours of the grid whose first instant is in the set, found by looking at every interval."""
    return {
        cell
        for cell in range(CELLS)
        if any(start <= at(cell) < end for start, end in zip(intervals.starts, intervals.ends, strict=True))
    }


pairs = st.lists(
    st.tuples(st.integers(0, CELLS), st.integers(1, 8)).map(lambda p: (p[0], min(p[0] + p[1], CELLS))),
    max_size=8,
).map(lambda found: [(start, end) for start, end in found if start < end])
sets = pairs.map(lambda found: IntervalSet.of(period(start, end) for start, end in found))
spans = st.tuples(st.integers(0, CELLS - 1), st.integers(1, 12)).map(
    lambda p: (p[0], min(p[0] + p[1], CELLS))
)


@given(pairs)
def test_a_set_holds_what_was_put_in_and_is_in_normal_form(found: list[tuple[int, int]]) -> None:
    made = IntervalSet.of(period(start, end) for start, end in found)
    assert cells(made) == {cell for start, end in found for cell in range(start, end)}
    assert all(start < end for start, end in zip(made.starts, made.ends, strict=True))
    assert all(end < start for end, start in zip(made.ends, made.starts[1:], strict=False))


@given(sets, sets)
def test_joining_two_sets_is_joining_their_cells(one: IntervalSet, other: IntervalSet) -> None:
    for joined, expected in (
        (one | other, cells(one) | cells(other)),
        (one & other, cells(one) & cells(other)),
        (one - other, cells(one) - cells(other)),
    ):
        assert cells(joined) == expected
        assert joined == IntervalSet.of(period(cell, cell + 1) for cell in expected)


@given(sets, spans)
def test_questions_about_a_period(intervals: IntervalSet, asked: tuple[int, int]) -> None:
    inside, wanted = cells(intervals), set(range(*asked))
    span = period(*asked)
    assert intervals.covers(span) == (wanted <= inside)
    assert intervals.meets(span) == bool(wanted & inside)
    assert cells(intervals.clip(span)) == wanted & inside
    for found, expected in (
        (intervals.first_overlap(span), wanted & inside),
        (intervals.first_gap(span), wanted - inside),
    ):
        if not expected:
            assert found is None
            continue
        first = end = min(expected)
        while end in expected:
            end += 1
        assert found == period(first, end)


@given(sets, st.integers(0, CELLS - 1))
def test_questions_about_an_instant(intervals: IntervalSet, cell: int) -> None:
    inside = cells(intervals)
    assert (at(cell) in intervals) == (cell in inside)
    later = [c for c in range(cell, CELLS) if c in inside]
    assert intervals.next_inside(at(cell)) == (at(later[0]) if later else None)
    free = [c for c in range(cell, CELLS + 1) if c not in inside]
    assert intervals.next_outside(at(cell)) == at(free[0])


def test_touching_is_not_overlapping() -> None:
    night = IntervalSet.of([period(2, 4)])
    assert not night.meets(period(0, 2))
    assert not night.meets(period(4, 6))
    assert at(4) not in night
    assert at(2) in night
    assert night & IntervalSet.of([period(4, 6)]) == EMPTY


def test_touching_periods_become_one() -> None:
    assert list(IntervalSet.of([period(4, 6), period(2, 4)])) == [period(2, 6)]
    assert len(IntervalSet.of([period(4, 6), period(2, 4)])) == 1


@pytest.mark.parametrize("joined", [EMPTY | EMPTY, EMPTY & EMPTY, EMPTY - EMPTY, EMPTY.clip(period(0, 1))])
def test_nothing_stays_nothing(joined: IntervalSet) -> None:
    assert joined == EMPTY
