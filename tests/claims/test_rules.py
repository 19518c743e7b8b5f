"""Conflicts agree with comparing all pairs hour by hour and trying every way failure can take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.claims.rules import (
    RELATED_ITEM,
    SAME_ITEM,
    Claim,
    Lane,
    Reach,
    Relations,
    Strength,
    findings,
    meet,
    meetings,
    sweep,
)
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref
from fairway.policy import Severity

ORIGIN = datetime(2026, 11, 23, tzinfo=UTC)
PROD, SIT2 = 1, 2
Edges = frozenset[tuple[int, int]]
"""Steps of failure: the first item's failure reaches the second."""


def hours(start: int, end: int) -> Period:
    return Period(ORIGIN + timedelta(hours=start), ORIGIN + timedelta(hours=end))


def change(number: int) -> Ref:
    return Ref("change", f"CHG-{number}", f"Change {number}", pk=number)


def item_ref(item: int) -> Ref:
    return Ref("item", f"item-{item}", pk=item)


def walk(steps: Edges) -> dict[int, list[int]]:
    ways: dict[int, list[int]] = {}
    for here, there in sorted(steps):
        ways.setdefault(here, []).append(there)
    return ways


class Walked(dict[int, tuple[int, int]]):
    strained: ClassVar[dict[int, int]] = {}

    def way(self, goal: int) -> tuple[int, ...]:
        before = self[goal][1]
        return (*(self.way(before) if before in self else (before,)), goal)


def relations(edges: Edges, shared: frozenset[int] = frozenset()) -> Relations:
    """Make relations over a plain breadth-first walk."""

    def walker(ways: dict[int, list[int]]) -> object:
        def reach(start: int, depth: int) -> Reach:
            found = Walked()
            frontier = [start]
            for steps in range(1, depth + 1):
                following = []
                for here in frontier:
                    for there in ways.get(here, ()):
                        if there != start and there not in found:
                            found[there] = (steps, here)
                            following.append(there)
                frontier = following
            return found

        return reach

    return Relations(
        downstream=walker(walk(edges)),  # type: ignore[arg-type]
        upstream=walker(walk(frozenset((b, a) for a, b in edges))),  # type: ignore[arg-type]
        before=walk(frozenset((b, a) for a, b in edges)).__getitem__,
        is_shared=shared.__contains__,
    )


def ways(edges: Edges, shared: frozenset[int], one: Claim, other: Claim) -> list[tuple[int, ...]]:
    """Try every way of up to three steps on which failure can go from one claim to the other.

    Failure goes from an item in one environment to an item in the same one; a shared item stands in all.
    """
    everywhere = [PROD, SIT2]

    def stands(item: int, environment: int | None) -> list[int]:
        return everywhere if environment is None or item in shared else [environment]

    def onward(way: tuple[int, ...], environment: int) -> Iterator[tuple[int, ...]]:
        if way[-1] == other.item and len(way) > 1 and environment in stands(other.item, other.environment):
            yield way
        if len(way) <= 3:
            for here, there in edges:
                if here == way[-1]:
                    for place in everywhere if here in shared else [environment]:
                        yield from onward((*way, there), place)

    return [way for place in stands(one.item, one.environment) for way in onward((one.item,), place)]


def pairs_by_hand(claims: list[Claim], edges: Edges, shared: frozenset[int]) -> set[tuple[str, str, str]]:
    """Compare all pairs of claims; return the rule and the keys of both records."""
    found = set()
    for one, other in combinations(claims, 2):
        if one.source == other.source:
            continue
        hit = {
            hour
            for hour in range(48)
            if one.period.start <= ORIGIN + timedelta(hours=hour) < one.period.end
            and other.period.start <= ORIGIN + timedelta(hours=hour) < other.period.end
        }
        if not hit:
            continue
        keys = sorted((one.source.key, other.source.key))
        same_place = one.item in shared or None in (one.environment, other.environment)
        if one.item == other.item:
            if same_place or one.environment == other.environment:
                found.add((SAME_ITEM, keys[0], keys[1]))
        elif ways(edges, shared, one, other) or ways(edges, shared, other, one):
            found.add((RELATED_ITEM, keys[0], keys[1]))
    return found


items = st.integers(1, 7)
edge_sets = st.frozensets(st.tuples(items, items).filter(lambda pair: pair[0] != pair[1]), max_size=12)
shared_sets = st.frozensets(items, max_size=2)
claim_lists = st.lists(
    st.builds(
        lambda source, item, place, start, length, exclusive: Claim(
            change(source), item, place, hours(start, start + length), Strength.APPROVED, exclusive
        ),
        st.integers(1, 4),
        items,
        st.sampled_from([PROD, SIT2, None]),
        st.integers(0, 20),
        st.integers(1, 8),
        st.booleans(),
    ),
    min_size=2,
    max_size=8,
)


@given(claim_lists, edge_sets, shared_sets)
def test_conflicts_are_those_found_by_hand(claims: list[Claim], edges: Edges, shared: frozenset[int]) -> None:
    expected = pairs_by_hand(claims, edges, shared)
    for source in {claim.source for claim in claims}:
        own = [claim for claim in claims if claim.source == source]
        others = [claim for claim in claims if claim.source != source]
        found = findings(meetings(own, others, relations(edges, shared)), item_ref)
        told = {(f.rule, *sorted(party.key for party in f.parties)) for f in found}
        assert told == {pair for pair in expected if source.key in pair[1:]}
        assert len(told) == len(found)


@given(claim_lists, edge_sets, shared_sets, st.integers(1, 4))
def test_the_sweep_from_one_records_claims_finds_all_that_meets_it_once(
    claims: list[Claim], edges: Edges, shared: frozenset[int], source: int
) -> None:
    spans: dict[int, list[tuple[datetime, datetime, int]]] = {}
    for number, claim in enumerate(claims):
        spans.setdefault(claim.item, []).append((claim.period.start, claim.period.end, number))
    known = relations(edges, shared)
    own = {number for number, claim in enumerate(claims) if claim.source == change(source)}
    everything = {frozenset(pair) for pair in sweep(spans, known)}
    pairs = [pair for pair in sweep(spans, known, own) if not own.isdisjoint(pair)]
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)
    assert {frozenset(pair) for pair in pairs} == {pair for pair in everything if pair & own}
    for one, other in everything:  # what stands apart is left out before claims are made of it
        apart = claims[one].environment != claims[other].environment and None not in (
            claims[one].environment,
            claims[other].environment,
        )
        if apart and not known.meet_apart(claims[one].item, claims[other].item):
            assert meet(claims[one], claims[other], known) is None


@given(claim_lists, edge_sets, shared_sets)
def test_the_sweep_over_everything_finds_each_of_them_once(
    claims: list[Claim], edges: Edges, shared: frozenset[int]
) -> None:
    spans: dict[int, list[tuple[datetime, datetime, int]]] = {}
    for number, claim in enumerate(claims):
        spans.setdefault(claim.item, []).append((claim.period.start, claim.period.end, number))
    known = relations(edges, shared)
    pairs = list(sweep(spans, known))
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)
    met = [found for one, other in pairs if (found := meet(claims[one], claims[other], known))]
    told = {(m.rule, *sorted((m.one.source.key, m.other.source.key))) for m in met}
    assert told == pairs_by_hand(claims, edges, shared)


@given(claim_lists, edge_sets, shared_sets)
def test_both_records_are_told_the_same(claims: list[Claim], edges: Edges, shared: frozenset[int]) -> None:
    one = [claim for claim in claims if claim.source == claims[0].source]
    other = [claim for claim in claims if claim.source != claims[0].source]
    mine = findings(meetings(one, other, relations(edges, shared)), item_ref)
    theirs = findings(meetings(other, one, relations(edges, shared)), item_ref)
    turned = [replace(finding, parties=finding.parties[::-1], path=finding.path[::-1]) for finding in theirs]
    assert set(mine) == set(turned)
    assert len(mine) == len(theirs)


@given(claim_lists, edge_sets, shared_sets)
def test_the_way_told_is_one_that_failure_takes_and_none_is_shorter(
    claims: list[Claim], edges: Edges, shared: frozenset[int]
) -> None:
    known = relations(edges, shared)
    for one, other in combinations(claims, 2):
        met = meet(one, other, known)
        if met is None or met.rule != RELATED_ITEM:
            continue
        possible = [*ways(edges, shared, one, other), *(way[::-1] for way in ways(edges, shared, other, one))]
        assert met.path in possible
        assert len(met.path) == min(map(len, possible))
        assert met.failing in (met.path[0], met.path[-1])


spans = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 10)), max_size=10).map(
    lambda found: [(start, start + length, number) for number, (start, length) in enumerate(found)]
)


@given(spans, st.integers(0, 40), st.integers(1, 10))
def test_a_lane_gives_every_overlap_once(some: list[tuple[int, int, int]], start: int, length: int) -> None:
    found = list(Lane(some).overlapping(start, start + length))
    asked = set(range(start, start + length))
    assert sorted(found) == [number for begin, end, number in some if asked & set(range(begin, end))]


LEDGER, DATABASE, NETWORK, PORTAL, HOST, RACK = 1, 2, 3, 4, 5, 6
FAILURE: Edges = frozenset(
    {(DATABASE, LEDGER), (NETWORK, DATABASE), (DATABASE, PORTAL), (HOST, DATABASE), (RACK, HOST)}
)


def claim(
    number: int,
    item: int,
    start: int,
    end: int,
    place: int | None = PROD,
    *,
    exclusive: bool = False,
    strength: Strength = Strength.APPROVED,
) -> Claim:
    return Claim(change(number), item, place, hours(start, end), strength, exclusive)


HELD = claim(1, DATABASE, 0, 4)


@pytest.mark.parametrize(
    ("case", "wanted", "told"),
    [
        ("ends as the other starts", claim(2, DATABASE, -4, 0), None),
        ("starts as the other ends", claim(2, DATABASE, 4, 6), None),
        ("overlaps by an hour", claim(2, DATABASE, 3, 6), (SAME_ITEM, Severity.WARN)),
        ("takes it down", claim(2, DATABASE, 3, 6, exclusive=True), (SAME_ITEM, Severity.BLOCK)),
        ("the same item in another environment", claim(2, DATABASE, 0, 4, SIT2), None),
        ("the same, taken down", claim(2, DATABASE, 0, 4, SIT2, exclusive=True), None),
        ("names no environment", claim(2, DATABASE, 0, 4, None), (SAME_ITEM, Severity.WARN)),
        ("its own other window", claim(1, DATABASE, 0, 4), None),
        ("an item that needs it", claim(2, LEDGER, 3, 6), (RELATED_ITEM, Severity.WARN)),
        ("an item it needs", claim(2, HOST, 3, 6), (RELATED_ITEM, Severity.WARN)),
        ("two steps off", claim(2, RACK, 3, 6), (RELATED_ITEM, Severity.WARN)),
        ("downtime of a related item", claim(2, HOST, 3, 6, exclusive=True), (RELATED_ITEM, Severity.WARN)),
        ("a related item in another environment", claim(2, LEDGER, 3, 6, SIT2), None),
        ("a related item everywhere", claim(2, LEDGER, 3, 6, None), (RELATED_ITEM, Severity.WARN)),
        ("a shared item, called another place", claim(2, NETWORK, 3, 6, SIT2), (RELATED_ITEM, Severity.WARN)),
        ("a related item that only touches", claim(2, LEDGER, 4, 6), None),
    ],
)
def test_conflicts(case: str, wanted: Claim, told: tuple[str, Severity] | None) -> None:
    known = relations(FAILURE, frozenset({NETWORK}))
    found = findings(meetings([wanted], [HELD], known), item_ref)
    assert [(finding.rule, finding.severity) for finding in found] == ([told] if told else [])


DRAFT, ASKED, GIVEN, BEGUN = Strength


@pytest.mark.parametrize("exclusive", [(True, False), (False, True), (True, True)])
@pytest.mark.parametrize(
    ("mine", "its", "told", "of_both"),
    [
        (GIVEN, DRAFT, Severity.WARN, Severity.BLOCK),
        (BEGUN, DRAFT, Severity.WARN, Severity.BLOCK),
        (DRAFT, DRAFT, Severity.WARN, Severity.WARN),
        (DRAFT, ASKED, Severity.BLOCK, Severity.BLOCK),
        (DRAFT, BEGUN, Severity.BLOCK, Severity.BLOCK),
        (ASKED, GIVEN, Severity.BLOCK, Severity.BLOCK),
        (GIVEN, ASKED, Severity.BLOCK, Severity.BLOCK),
    ],
)
def test_a_draft_holds_up_nobody_and_is_told_what_will_hold_it_up(
    mine: Strength, its: Strength, told: Severity, of_both: Severity, exclusive: tuple[bool, bool]
) -> None:
    one = claim(1, DATABASE, 0, 4, strength=mine, exclusive=exclusive[0])
    other = claim(2, DATABASE, 3, 6, strength=its, exclusive=exclusive[1])
    met = list(meetings([one], [other], relations(frozenset())))
    (finding,), (pair,) = findings(met, item_ref), findings(met, item_ref, of_pairs=True)
    assert (finding.severity, pair.severity) == (told, of_both)


def test_what_merely_needs_the_same_item_is_not_related() -> None:
    assert not list(meetings([claim(1, LEDGER, 0, 4)], [claim(2, PORTAL, 0, 4)], relations(FAILURE)))


def test_a_shared_item_is_the_same_in_all_environments() -> None:
    known = relations(FAILURE, frozenset({NETWORK}))
    (met,) = meetings([claim(1, NETWORK, 0, 4, PROD)], [claim(2, NETWORK, 3, 5, SIT2)], known)
    assert (met.rule, met.overlap) == (SAME_ITEM, hours(3, 4))


def test_failure_crosses_environments_through_a_shared_item_alone() -> None:
    one, other = claim(1, RACK, 0, 4, PROD), claim(2, LEDGER, 0, 4, SIT2)
    assert not list(meetings([one], [other], relations(FAILURE, frozenset({NETWORK}))))
    (met,) = meetings([one], [other], relations(FAILURE, frozenset({DATABASE})))
    assert met.path == (RACK, HOST, DATABASE, LEDGER)


def test_failure_that_needs_four_steps_does_not_count() -> None:
    chain: Edges = frozenset({(1, 2), (2, 3), (3, 4), (4, 5)})
    assert list(meetings([claim(1, 1, 0, 4)], [claim(2, 4, 0, 4)], relations(chain)))
    assert not list(meetings([claim(1, 1, 0, 4)], [claim(2, 5, 0, 4)], relations(chain)))


def test_a_pair_of_records_is_told_once_by_rule_the_worst_first() -> None:
    mine = [claim(1, LEDGER, 0, 2), claim(1, DATABASE, 10, 14), claim(1, LEDGER, 20, 24)]
    theirs = [claim(2, LEDGER, 1, 3), claim(2, DATABASE, 12, 13, exclusive=True), claim(2, LEDGER, 22, 23)]
    (finding,) = findings(meetings(mine, theirs, relations(frozenset())), item_ref)
    assert finding.severity is Severity.BLOCK
    assert finding.interval == hours(12, 13)
    assert finding.params == {"overlaps": 3, "items": ["item-1", "item-2"], "exclusive": True}
    assert [ref.key for ref in finding.path] == ["item-2"]


def test_a_related_item_is_told_with_the_way_and_which_end_fails() -> None:
    known = relations(FAILURE)
    (finding,) = findings(meetings([claim(1, LEDGER, 0, 4)], [claim(2, RACK, 0, 4)], known), item_ref)
    assert [ref.pk for ref in finding.path] == [LEDGER, DATABASE, HOST, RACK]
    assert (finding.params["failing"], finding.params["reaches"]) == ("item-6", "subject")
