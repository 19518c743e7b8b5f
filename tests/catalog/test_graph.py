"""Propagation of failure against a slow and obvious reference."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.catalog.rules import Direction, Edge, Failure, Graph, ItemFacts, Level, nearest, trace
from fairway.kernel.refs import Ref

DEPENDS, PART, BOTH = 1, 2, 3
FAILURE = {DEPENDS: Failure.TO_SOURCE, PART: Failure.TO_TARGET, BOTH: Failure.BOTH}

items = st.integers(1, 9)
kinds = st.sampled_from(sorted(FAILURE))
edges = st.tuples(items, items, kinds).filter(lambda edge: edge[0] != edge[1])
plans = st.lists(edges, max_size=25)
hubs = st.lists(st.tuples(st.just(1), st.integers(2, 9), kinds), max_size=15)
directions = st.sampled_from(Direction)
depths = st.none() | st.integers(0, 5)


def naive_steps(plan: list[Edge]) -> set[tuple[int, int]]:
    """All single steps downstream, straight from the definition of the three directions."""
    steps = set()
    for source, target, kind in plan:
        if FAILURE[kind] in (Failure.TO_SOURCE, Failure.BOTH):
            steps.add((target, source))
        if FAILURE[kind] in (Failure.TO_TARGET, Failure.BOTH):
            steps.add((source, target))
    return steps


def naive_paths(
    plan: list[Edge], start: int, direction: Direction, depth: int | None, allowed: set[int] | None = None
) -> dict[int, tuple[int, ...]]:
    """For each item the least of its shortest paths, found by listing all paths level by level."""
    steps = naive_steps(plan)
    if direction is Direction.UPSTREAM:
        steps = {(b, a) for a, b in steps}
    if allowed is not None:
        steps = {(a, b) for a, b in steps if b in allowed}
    best: dict[int, tuple[int, ...]] = {start: (start,)}
    for _ in range(9 if depth is None else depth):
        longer: dict[int, tuple[int, ...]] = {}
        for item, path in best.items():
            for a, b in steps:
                if a == item and b not in best:
                    longer[b] = min(longer.get(b, (*path, b)), (*path, b))
        best |= longer
    del best[start]
    return best


@given(plans | hubs, items, directions, depths)
def test_reach_and_its_paths_are_those_of_the_reference(
    plan: list[Edge], start: int, direction: Direction, depth: int | None
) -> None:
    found = Graph(plan, failure=FAILURE).reach(start, direction, depth)

    expected = naive_paths(plan, start, direction, depth)
    assert {item: trace(found, item) for item in found} == expected
    assert {item: steps for item, (steps, _) in found.items()} == {i: len(p) - 1 for i, p in expected.items()}


@given(plans, items, directions, depths, st.sets(items))
def test_reach_through_a_set_of_items_leaves_all_others_out(
    plan: list[Edge], start: int, direction: Direction, depth: int | None, through: set[int]
) -> None:
    found = Graph(plan, failure=FAILURE).reach(start, direction, depth, through=through)

    assert {item: trace(found, item) for item in found} == naive_paths(plan, start, direction, depth, through)


@given(plans, items, items, directions, depths)
def test_path_is_the_one_that_reach_tells(
    plan: list[Edge], start: int, goal: int, direction: Direction, depth: int | None
) -> None:
    path = Graph(plan, failure=FAILURE).path(start, goal, direction, depth)

    assert path == naive_paths(plan, start, direction, depth).get(goal, ())


@given(plans, items, items)
def test_what_one_reaches_downstream_reaches_it_upstream(plan: list[Edge], one: int, other: int) -> None:
    graph = Graph(plan, failure=FAILURE)

    assert (other in graph.reach(one, Direction.DOWNSTREAM)) == (
        one in graph.reach(other, Direction.UPSTREAM)
    )


@given(plans, st.permutations(range(25)))
def test_order_of_relations_does_not_matter(plan: list[Edge], order: list[int]) -> None:
    shuffled = [plan[index] for index in order if index < len(plan)]

    one, other = Graph(plan, failure=FAILURE), Graph(shuffled, failure=FAILURE)
    assert one.steps() == other.steps()
    assert all(one.reach(start) == other.reach(start) for start in range(1, 10))


@given(plans, plans)
def test_replacing_what_changed_equals_building_anew(before: list[Edge], after: list[Edge]) -> None:
    old, new = set(before), set(after)
    pairs = {frozenset(edge[:2]) for edge in old ^ new}
    given_anew = [edge for edge in new if frozenset(edge[:2]) in pairs]
    graph = Graph(before, failure=FAILURE)
    steps = graph.steps()

    patched = graph.replaced([(min(pair), max(pair)) for pair in pairs], given_anew)

    fresh = Graph(after, failure=FAILURE)
    assert patched.steps() == fresh.steps()
    assert all(
        patched.reach(start, direction) == fresh.reach(start, direction)
        for start in range(1, 10)
        for direction in Direction
    )
    assert graph.steps() == steps, "the graph it came from must not move"


@pytest.mark.parametrize(
    ("case", "plan", "downstream", "upstream"),
    [
        ("failure of the target reaches the source", [(1, 2, DEPENDS)], set(), {2}),
        ("failure of the part reaches the whole", [(1, 2, PART)], {2}, set()),
        ("both ways", [(1, 2, BOTH)], {2}, {2}),
        ("two relations in opposite directions", [(1, 2, DEPENDS), (1, 2, PART)], {2}, {2}),
        ("a ring reaches all but where it began", [(1, 2, PART), (2, 3, PART), (3, 1, PART)], {2, 3}, {2, 3}),
        (
            "siblings under one dependency do not reach each other",
            [(1, 3, DEPENDS), (2, 3, DEPENDS)],
            set(),
            {3},
        ),
        ("an item without relations", [(2, 3, DEPENDS)], set(), set()),
    ],
)
def test_direction_by_kind(case: str, plan: list[Edge], downstream: set[int], upstream: set[int]) -> None:
    graph = Graph(plan, failure=FAILURE)

    assert graph.reach(1, Direction.DOWNSTREAM).keys() == downstream
    assert graph.reach(1, Direction.UPSTREAM).keys() == upstream


def test_parallel_relations_go_by_the_kind_with_the_least_key() -> None:
    graph = Graph([(1, 2, BOTH), (2, 1, DEPENDS)], failure=FAILURE)

    assert graph.neighbours(1) == {2: DEPENDS}
    assert graph.neighbours(2) == {1: BOTH}
    assert graph.neighbours(7) == {}


def test_a_relation_of_an_item_to_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="item 4 is related to itself"):
        Graph([(4, 4, DEPENDS)], failure=FAILURE)
    with pytest.raises(ValueError, match="item 4 is related to itself"):
        Graph([], failure=FAILURE).replaced([(4, 5)], [(4, 4, DEPENDS)])


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(KeyError):
        Graph([(1, 2, 99)], failure=FAILURE)


def test_trace_refuses_what_was_not_found() -> None:
    found = Graph([(1, 2, PART)], failure=FAILURE).reach(1)

    with pytest.raises(KeyError):
        trace(found, 3)


@given(plans, items, directions)
def test_step_names_the_kind_that_the_neighbours_name(
    plan: list[Edge], here: int, direction: Direction
) -> None:
    graph = Graph(plan, failure=FAILURE)

    ways = graph.neighbours(here, direction)
    assert {there: graph.step(here, there, direction) for there in ways} == ways


def test_nearest_counts_and_picks_what_may_be_seen_in_order_of_depth_criticality_and_name() -> None:
    def fact(pk: int, name: str, criticality: int, organisation: int = 1) -> ItemFacts:
        ref = Ref("item", f"item-{pk}", name, pk=pk, organisation=organisation)
        return ItemFacts(ref, criticality, False, organisation)

    facts = {
        1: fact(1, "start", 4),
        2: fact(2, "b", 2),
        3: fact(3, "A", 2),
        4: fact(4, "z", 1),
        5: fact(5, "hidden", 1, organisation=2),
        6: fact(6, "far", 3),
    }
    found = Graph([(1, pk, PART) for pk in range(2, 6)] + [(5, 6, PART)], failure=FAILURE).reach(1)

    levels, picked = nearest(found, facts, organisations={1}, limit=10)
    _, first_two = nearest(found, facts, organisations=None, limit=2)

    assert levels == [Level(1, 3, 1), Level(2, 1, 3)]
    assert picked == [4, 3, 2, 6]
    assert first_two == [5, 4]
