"""Propagation of failure against a slow and obvious reference."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.catalog.rules import Direction, Edge, Failure, Graph, Group, ItemFacts, Level, nearest
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
    assert {item: found.way(item) for item in found} == expected
    assert {item: steps for item, (steps, _) in found.items()} == {i: len(p) - 1 for i, p in expected.items()}


@given(plans, items, directions, depths, st.sets(items))
def test_reach_through_a_set_of_items_leaves_all_others_out(
    plan: list[Edge], start: int, direction: Direction, depth: int | None, through: set[int]
) -> None:
    found = Graph(plan, failure=FAILURE).reach(start, direction, depth, through=through)

    assert {item: found.way(item) for item in found} == naive_paths(plan, start, direction, depth, through)


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


def test_there_is_no_way_to_what_was_not_found() -> None:
    found = Graph([(1, 2, PART)], failure=FAILURE).reach(1)

    with pytest.raises(KeyError):
        found.way(3)


# Redundancy

Plan = tuple[list[Edge], dict[int, Group]]


@st.composite
def redundant_plans(draw: st.DrawFn) -> Plan:
    """Relations, some of them in groups of which some members are needed."""
    plan = sorted(draw(st.sets(edges, max_size=22)))
    members: dict[tuple[int, int, int], set[int]] = {}
    for source, target, kind in plan:
        number = draw(st.integers(0, 2)) if kind != BOTH else 0
        if number:
            item, other = (source, target) if kind == DEPENDS else (target, source)
            members.setdefault((item, kind, number), set()).add(other)
    groups = {
        pk: Group(item, kind, draw(st.integers(1, 3)), frozenset(others))
        for pk, ((item, kind, _), others) in enumerate(sorted(members.items()), start=100)
    }
    return plan, groups


def naive_failures(
    plan: Plan,
    starts: set[int],
    depth: int | None = None,
    allowed: set[int] | None = None,
    barred: frozenset[int] = frozenset(),
) -> dict[int, tuple[int, ...]]:
    """Let failure spread round by round, straight from the definition; with the way to each item."""
    relations, groups = plan
    grouped = {(other, one.item, one.kind) for one in groups.values() for other in one.members}
    simple = set()
    for source, target, kind in relations:
        ways = {(target, source), (source, target)} if kind == BOTH else set()
        ways |= {(target, source)} if kind == DEPENDS else {(source, target)} if kind == PART else set()
        simple |= {way for way in ways if (*way, kind) not in grouped}
    paths: dict[int, tuple[int, ...]] = {start: (start,) for start in starts}
    frontier = set(starts)
    for _ in range(12 if depth is None else depth):
        fresh: dict[int, tuple[int, ...]] = {}
        order = sorted(frontier, key=paths.__getitem__)
        for number, here in enumerate(order):
            failed = paths.keys() - set(order[number + 1 :])
            for there in range(1, 10):
                if there in paths or there in fresh or there in barred:
                    continue
                if allowed is not None and there not in allowed:
                    continue
                falls = any(
                    here in (counted := one.members if allowed is None else one.members & (allowed | starts))
                    and len(counted - failed) < one.needed
                    for one in groups.values()
                    if one.item == there
                )
                if falls or (here, there) in simple:
                    fresh[there] = (*paths[here], there)
        paths |= fresh
        frontier = set(fresh)
    return {item: path for item, path in paths.items() if item not in starts}


def build(plan: Plan) -> Graph:
    return Graph(plan[0], failure=FAILURE, groups=plan[1])


@given(redundant_plans(), st.sets(items, min_size=1, max_size=3), depths, st.frozensets(items, max_size=2))
def test_failure_spreads_as_in_the_reference_while_enough_members_stand(
    plan: Plan, starts: set[int], depth: int | None, barred: frozenset[int]
) -> None:
    found = build(plan).reach(starts, depth=depth, barred=barred)

    assert {item: found.way(item) for item in found} == naive_failures(plan, starts, depth, barred=barred)
    assert all(found[item][0] == len(found.way(item)) - 1 for item in found)


@given(redundant_plans(), items, depths, st.sets(items))
def test_members_that_are_not_asked_about_count_for_nothing(
    plan: Plan, start: int, depth: int | None, through: set[int]
) -> None:
    found = build(plan).reach(start, depth=depth, through=through)

    assert {item: found.way(item) for item in found} == naive_failures(plan, {start}, depth, through)


@given(redundant_plans(), items, depths)
def test_upstream_stands_what_reaches_the_item_by_its_own_failure_alone(
    plan: Plan, start: int, depth: int | None
) -> None:
    found = build(plan).reach(start, Direction.UPSTREAM, depth)

    alone = {item: naive_failures(plan, {item}, depth) for item in range(1, 10) if item != start}
    expected = {item: len(reached[start]) - 1 for item, reached in alone.items() if start in reached}
    assert {item: steps for item, (steps, _) in found.items()} == expected
    assert [steps for steps, _ in found.values()] == sorted(steps for steps, _ in found.values())
    everywhere = {(a, b) for a, b, _ in build(plan).steps()}
    for item in found:
        way = found.way(item)
        assert (way[0], way[-1], len(way)) == (start, item, found[item][0] + 1)
        assert all((there, here) in everywhere for here, there in pairwise(way))


@given(redundant_plans(), redundant_plans())
def test_replacing_what_changed_of_groups_too_equals_building_anew(before: Plan, after: Plan) -> None:
    def marked(plan: Plan) -> set[tuple[Edge, int]]:
        found = {(one.item, one.kind, other): pk for pk, one in plan[1].items() for other in one.members}
        return {
            (edge, found.get((edge[0], edge[2], edge[1])) or found.get((edge[1], edge[2], edge[0]), 0))
            for edge in plan[0]
        }

    pairs = {frozenset(edge[:2]) for edge, _ in marked(before) ^ marked(after)}
    given_anew = [edge for edge in after[0] if frozenset(edge[:2]) in pairs]
    graph = build(before)

    patched = graph.replaced([(min(pair), max(pair)) for pair in pairs], given_anew, after[1])

    fresh = build(after)
    assert patched.steps() == fresh.steps()
    for start in range(1, 10):
        for direction in Direction:
            one, other = patched.reach(start, direction), fresh.reach(start, direction)
            assert (one, one.ways) == (other, other.ways)
        assert graph.reach(start) == build(before).reach(start), "the graph it came from must not move"


SERVICE, ONE, TWO, THREE, HOST = 1, 2, 3, 4, 5
CLUSTER = Group(SERVICE, DEPENDS, 2, frozenset({ONE, TWO, THREE}))
NEEDS = [(SERVICE, node, DEPENDS) for node in (ONE, TWO, THREE)]


@pytest.mark.parametrize(
    ("case", "more", "start", "reached"),
    [
        ("one of three fails", [], {ONE}, {}),
        ("two of three fail together", [], {ONE, TWO}, {SERVICE: (TWO, SERVICE)}),
        (
            "two run on one host",
            [(ONE, HOST, DEPENDS), (THREE, HOST, DEPENDS)],
            {HOST},
            {ONE: (HOST, ONE), THREE: (HOST, THREE), SERVICE: (HOST, THREE, SERVICE)},
        ),
        (
            "one fails by another, which takes a round more",
            [(THREE, ONE, DEPENDS)],
            {ONE},
            {THREE: (ONE, THREE), SERVICE: (ONE, THREE, SERVICE)},
        ),
        ("a second relation is in no group", [(ONE, SERVICE, PART)], {ONE}, {SERVICE: (ONE, SERVICE)}),
        (
            "the service carries its own nodes: a ring",
            [(TWO, ONE, DEPENDS), (ONE, SERVICE, DEPENDS)],
            {TWO},
            {},
        ),
    ],
)
def test_redundancy(
    case: str, more: list[Edge], start: set[int], reached: dict[int, tuple[int, ...]]
) -> None:
    found = Graph([*NEEDS, *more], failure=FAILURE, groups={7: CLUSTER}).reach(start)

    assert {item: found.way(item) for item in found} == reached


@given(plans)
def test_circles_are_the_sets_that_reach_each_other(plan: list[Edge]) -> None:
    reached = {item: {item, *naive_paths(plan, item, Direction.DOWNSTREAM, None)} for item in range(1, 10)}
    together = {
        tuple(sorted(other for other in reached[item] if item in reached[other])) for item in range(1, 10)
    }

    circles = Graph(plan, failure=FAILURE).circles()

    assert circles == sorted(circle for circle in together if len(circle) > 1)


def test_a_walk_tells_how_many_members_of_a_group_failed() -> None:
    graph = Graph(NEEDS, failure=FAILURE, groups={7: CLUSTER})

    assert graph.reach(ONE).strained == {7: 1}
    assert graph.reach({ONE, TWO}).strained == {7: 2}
    assert graph.reach(SERVICE, Direction.UPSTREAM) == {}


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
