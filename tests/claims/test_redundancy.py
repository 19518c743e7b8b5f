"""Conflicts under redundancy agree with letting things fail round by round, place by place."""

from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from fairway.catalog.rules.graph import Direction, Failure, Graph, Group
from fairway.claims.rules import (
    RELATED_ITEM,
    SAME_ITEM,
    Claim,
    Relations,
    Strength,
    findings,
    meet,
    meetings,
    sweep,
)
from tests.claims.test_rules import PROD, SIT2, change, hours, item_ref

ITEMS = range(1, 8)
DEPENDS = 1
Plan = tuple[frozenset[tuple[int, int]], dict[int, Group]]
"""What depends on what, and of which members of a group how many are needed."""


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    pairs = st.tuples(st.sampled_from(ITEMS), st.sampled_from(ITEMS)).filter(lambda pair: pair[0] != pair[1])
    needs = draw(st.frozensets(pairs, max_size=14))
    groups = {}
    for item in ITEMS:
        members = frozenset(other for one, other in needs if one == item)
        if len(members) > 1 and draw(st.booleans()):
            groups[100 + item] = Group(item, DEPENDS, draw(st.integers(1, len(members))), members)
    return needs, groups


def relations(plan: Plan, shared: frozenset[int]) -> Relations:
    graph = Graph(
        [(one, other, DEPENDS) for one, other in plan[0]],
        failure={DEPENDS: Failure.TO_SOURCE},
        groups=plan[1],
    )
    return Relations(
        downstream=lambda item, depth: graph.reach(item, Direction.DOWNSTREAM, depth),
        upstream=lambda item, depth: graph.reach(item, Direction.UPSTREAM, depth),
        before=graph.before,
        is_shared=shared.__contains__,
        falling=graph.falling if graph.groups else None,
    )


def reached(plan: Plan, shared: frozenset[int], one: Claim, other: Claim) -> int:
    """Let the first one's item fail where it stands; return in which of three rounds the other's falls, or 0.

    An item falls in a place when one that it simply needs has fallen there, or too few members of its group
    stand there; one that all places share falls in all of them.
    """
    needs, groups = plan
    of = {group.item: group for group in groups.values()}
    everywhere = {PROD, SIT2}

    def places(item: int, place: int | None) -> set[int]:
        return everywhere if place is None or item in shared else {place}

    fallen = {(one.item, place) for place in places(one.item, one.environment)}
    for number in (1, 2, 3):
        fresh = set()
        for item in ITEMS:
            for place in everywhere:
                down = {need for need, at in fallen if at == place}
                needed = {need for it, need in needs if it == item}
                if item in of:
                    falls = len(of[item].members - down) < of[item].needed and bool(down & needed)
                else:
                    falls = bool(down & needed)
                if falls:
                    fresh |= {(item, at) for at in places(item, place)}
        fallen |= fresh
        if any((other.item, place) in fallen for place in places(other.item, other.environment)):
            return number
    return 0


claims = st.builds(
    lambda source, item, place, exclusive: Claim(
        change(source), item, place, hours(0, 4), Strength.APPROVED, exclusive
    ),
    st.integers(1, 3),
    st.sampled_from(ITEMS),
    st.sampled_from([PROD, SIT2, None]),
    st.booleans(),
)


Case = tuple[Plan, frozenset[int], list[Claim]]


def crossing(needs: set[tuple[int, int]], shared: set[int], goal: int) -> Case:
    """A plan in which one member of item 1 is needed; claims on 2 in one place, on the goal in another."""
    members = frozenset(other for one, other in needs if one == 1)
    some = [
        Claim(change(number), thing, place, hours(0, 4), Strength.APPROVED)
        for number, thing, place in ((1, 2, PROD), (2, goal, SIT2))
    ]
    return (frozenset(needs), {100: Group(1, DEPENDS, 1, members)}), frozenset(shared), some


# 2 takes the shared 3 down, and both together 1; elsewhere 2 stands, so that 3 alone does not
STANDS = crossing({(1, 2), (1, 3), (3, 2)}, {3}, 1)
# there 1 falls by 3 and 4, which all share
FALLS = crossing({(1, 3), (1, 4), (3, 2), (4, 2)}, {3, 4}, 1)
# 6 falls here in two steps; by way of the shared 3 it would be the fourth there
FAR = crossing({(4, 2), (6, 4), (3, 4), (5, 3), (6, 5), (1, 2), (1, 7)}, {3}, 6)


@example(*STANDS)
@example(*FALLS)
@example(*FAR)
@given(plans(), st.frozensets(st.sampled_from(ITEMS), max_size=2), st.lists(claims, min_size=2, max_size=6))
def test_related_is_what_the_failure_of_one_alone_takes_down(
    plan: Plan, shared: frozenset[int], some: list[Claim]
) -> None:
    expected = set()
    known = relations(plan, shared)
    for one, other in combinations(some, 2):
        if one.source == other.source:
            continue
        keys = tuple(sorted((one.source.key, other.source.key)))
        together = one.environment == other.environment or None in (one.environment, other.environment)
        if one.item == other.item:
            if together or one.item in shared:
                expected.add((SAME_ITEM, *keys))
        elif rounds := [
            n for n in (reached(plan, shared, one, other), reached(plan, shared, other, one)) if n
        ]:
            expected.add((RELATED_ITEM, *keys))
            met = meet(one, other, known)
            assert met is not None
            assert len(met.path) - 1 == min(rounds), "the way told is not the shortest"
            steps = list(pairwise(met.path if met.failing == met.path[0] else met.path[::-1]))
            assert all((needing, failed) in plan[0] for failed, needing in steps), "no failure takes that way"

    lanes: dict[int, list[tuple[int, int, int]]] = {}
    for number, one in enumerate(some):
        lanes.setdefault(one.item, []).append((0, 4, number))
    swept = sweep(lanes, known)
    told = [found for one, other in swept if (found := meet(some[one], some[other], known))]
    assert {(m.rule, *sorted((m.one.source.key, m.other.source.key))) for m in told} == expected
    for source in {one.source for one in some}:
        own = [one for one in some if one.source == source]
        others = [one for one in some if one.source != source]
        every = findings(meetings(own, others, known), item_ref)
        mine = {(f.rule, *sorted(party.key for party in f.parties)) for f in every}
        assert mine == {pair for pair in expected if source.key in pair[1:]}
