"""The graph along which failure travels, and the walks in it; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Failure(StrEnum):
    """The direction in which failure travels along a relation.

    `A depends on B`: the failure of the target B reaches the source A.
    `A is part of B`: the failure of the source A reaches the target B.
    """

    TO_SOURCE = "to_source"
    TO_TARGET = "to_target"
    BOTH = "both"


class Direction(StrEnum):
    """Which way an impact is read: downstream to what its failure reaches, upstream to what it needs."""

    DOWNSTREAM = "downstream"
    UPSTREAM = "upstream"


Edge = tuple[int, int, int]
"""A relation as primary keys: source item, target item, relation kind."""


@dataclass(frozen=True, slots=True)
class Group:
    """Redundancy: an item stands as long as `needed` of the others in the group stand.

    `members`: the items whose failure reaches it along relations of the kind that are in the group.
    """

    item: int
    kind: int
    needed: int
    members: frozenset[int]


class Reach(dict[int, tuple[int, int]]):
    """What a walk found: item -> (depth, the item before it); without the items it started from.

    Nearest first. `ways` holds whole paths, from start to goal, of those whose path passes items that are not
    found themselves: upstream, a redundant member does not reach the start by its own failure alone.
    `strained`: how many members of a group failed, of groups that the walk met.
    """

    __slots__ = ("strained", "ways")

    def __init__(self) -> None:
        self.ways: dict[int, tuple[int, ...]] = {}
        self.strained: dict[int, int] = {}

    def way(self, goal: int) -> tuple[int, ...]:
        """Return the path from where the walk started to an item it found, both ends included.

        :raises KeyError: the walk did not find the item.
        """
        known = self.ways.get(goal)
        if known is not None:
            return known
        path = [goal]
        depth, before = self[goal]
        while depth > 0:
            path.append(before)
            depth, before = self.get(before, (0, before))
        return tuple(reversed(path))


class _Ways:
    """The steps of one direction, by place in the list of items: to which places, by which kind each."""

    __slots__ = ("kinds", "places")

    def __init__(self, places: list[tuple[int, ...]], kinds: list[tuple[int, ...]]) -> None:
        self.places, self.kinds = places, kinds

    @classmethod
    def of(cls, size: int, steps: Iterable[Edge]) -> _Ways:
        tables: list[dict[int, int]] = [{} for _ in range(size)]
        for here, there, kind in steps:
            table = tables[here]
            if table.get(there, kind) >= kind:
                table[there] = kind
        places, kinds = [], []
        for number, table in enumerate(tables):
            order = sorted(table)
            places.append(tuple(order))
            kinds.append(tuple([table[there] for there in order]))
            tables[number] = {}  # frees it at once: at 250,000 relations they would be the peak
        return cls(places, kinds)


Steps = dict[int, dict[int, tuple[int, ...]]]
"""Steps that failure takes only by way of groups: from which item, to which, by way of which groups."""


class Graph:
    """The items and the ways that failure takes between them, as primary keys; does not change once built.

    An item without relations need not be told of: whatever is not known has no neighbours. Two items may be
    joined by several relations; a walk then goes by the kind with the least key.
    Walks visit neighbours in the order of their keys, so that the same relations always give the same answer.
    """

    __slots__ = ("_down", "_failure", "_groups", "_items", "_place", "_redundant", "_up")

    def __init__(
        self,
        edges: Iterable[Edge],
        *,
        failure: Mapping[int, Failure],
        groups: Mapping[int, Group] | None = None,
    ) -> None:
        """Build it from relations in any order, and from the groups of which some of them are part.

        :raises ValueError: a relation joins an item to itself.
        :raises KeyError: a relation is of a kind that `failure` does not tell the direction of.
        """
        self._failure = dict(failure)
        steps = list(self._steps(edges))
        items = {origin for origin, _, _ in steps}
        items.update(reached for _, reached, _ in steps)
        self._items = sorted(items)
        place = self._place = {item: number for number, item in enumerate(self._items)}
        size = len(self._items)
        self._down = _Ways.of(size, ((place[a], place[b], kind) for a, b, kind in steps))
        self._up = _Ways.of(size, ((place[b], place[a], kind) for a, b, kind in steps))
        self._groups = dict(groups or {})
        self._redundant = _redundant(steps, self._groups)

    def _steps(self, edges: Iterable[Edge]) -> Iterator[Edge]:
        failure = self._failure
        for source, target, kind in edges:
            if source == target:
                raise ValueError(f"item {source} is related to itself")
            direction = failure[kind]
            if direction is not Failure.TO_TARGET:
                yield target, source, kind
            if direction is not Failure.TO_SOURCE:
                yield source, target, kind

    def replaced(
        self,
        pairs: Iterable[tuple[int, int]],
        edges: Iterable[Edge],
        groups: Mapping[int, Group] | None = None,
    ) -> Graph:
        """Return the graph in which all that joins these pairs of items, either way, is given anew.

        `groups` are then all groups; None: as before. Whoever joins or leaves a group is among the pairs. It
        costs a copy of lists of references and the work on what changed; the rest is shared.
        """
        steps = list(self._steps(edges))
        pairs = list(pairs)
        graph = object.__new__(Graph)
        graph._failure = self._failure
        graph._items, graph._place = list(self._items), dict(self._place)
        graph._down = _Ways(list(self._down.places), list(self._down.kinds))
        graph._up = _Ways(list(self._up.places), list(self._up.kinds))
        graph._groups = self._groups if groups is None else dict(groups)
        graph._redundant = {here: dict(ways) for here, ways in self._redundant.items()}
        tables: dict[tuple[bool, int], dict[int, int]] = {}

        def table(item: int, ways: _Ways) -> tuple[int, dict[int, int]]:
            if item not in graph._place:
                graph._place[item] = len(graph._items)
                graph._items.append(item)
                for each in (graph._down, graph._up):
                    each.places.append(())
                    each.kinds.append(())
            place = graph._place[item]
            key = (ways is graph._down, place)
            if key not in tables:
                tables[key] = dict(zip(ways.places[place], ways.kinds[place], strict=True))
            return place, tables[key]

        for one, other in pairs:
            for origin, reached in ((one, other), (other, one)):
                here, onwards = table(origin, graph._down)
                there, back = table(reached, graph._up)
                onwards.pop(there, None)
                back.pop(here, None)
                graph._redundant.get(origin, {}).pop(reached, None)
        for origin, reached, kind in steps:
            here, onwards = table(origin, graph._down)
            there, back = table(reached, graph._up)
            onwards[there] = min(kind, onwards.get(there, kind))
            back[here] = min(kind, back.get(here, kind))
        for (downwards, place), changed in tables.items():
            ways = graph._down if downwards else graph._up
            order = sorted(changed, key=graph._items.__getitem__)
            ways.places[place] = tuple(order)
            ways.kinds[place] = tuple([changed[there] for there in order])
        for here, found in _redundant(steps, graph._groups).items():
            graph._redundant.setdefault(here, {}).update(found)
        graph._redundant = {here: ways for here, ways in graph._redundant.items() if ways}
        return graph

    @property
    def items(self) -> list[int]:
        """All items that a relation joins."""
        return list(self._items)

    @property
    def groups(self) -> Mapping[int, Group]:
        """All groups of redundancy, by primary key."""
        return self._groups

    def redundant(self, origin: int, reached: int) -> tuple[int, ...]:
        """Return the groups by way of which alone failure takes a step; nothing where it simply takes it."""
        return self._redundant.get(origin, {}).get(reached, ())

    def steps(self) -> set[Edge]:
        """Return every step of failure: from which item, to which, by which kind of relation."""
        items, ways = self._items, self._down
        return {
            (items[here], items[there], kind)
            for here, (places, kinds) in enumerate(zip(ways.places, ways.kinds, strict=True))
            for there, kind in zip(places, kinds, strict=True)
        }

    def neighbours(self, item: int, direction: Direction = Direction.DOWNSTREAM) -> dict[int, int]:
        """Return the items one step away, each with the kind of relation it is reached by."""
        place = self._place.get(item)
        if place is None:
            return {}
        ways = self._ways(direction)
        return {
            self._items[there]: kind
            for there, kind in zip(ways.places[place], ways.kinds[place], strict=True)
        }

    def before(self, item: int) -> Iterator[int]:
        """Give the items one step upstream, in the order of their keys."""
        place = self._place.get(item)
        return map(self._items.__getitem__, self._up.places[place] if place is not None else ())

    def step(self, here: int, there: int, direction: Direction = Direction.DOWNSTREAM) -> int:
        """Return the kind of relation by which failure takes this one step.

        :raises KeyError, ValueError: it takes no such step.
        """
        one, other = self._place[here], self._place[there]
        ways, back = (self._down, self._up) if direction is Direction.DOWNSTREAM else (self._up, self._down)
        if len(ways.places[one]) <= len(back.places[other]):  # either side knows; a hub's side is long
            return ways.kinds[one][ways.places[one].index(other)]
        return back.kinds[other][back.places[other].index(one)]

    def circles(self) -> list[tuple[int, ...]]:
        """Return every set of two or more items each of which reaches all others of it, in order of keys.

        Term: the strongly connected components, after Tarjan, without recursion.
        """
        places = self._down.places
        size = len(places)
        number, low = [0] * size, [0] * size  # 0: not met yet
        on_stack = bytearray(size)
        stack: list[int] = []
        found = []
        met = 0
        for root in range(size):
            if number[root]:
                continue
            met += 1
            number[root] = low[root] = met
            stack.append(root)
            on_stack[root] = 1
            work = [(root, iter(places[root]))]
            while work:
                here, onward = work[-1]
                for there in onward:
                    if not number[there]:
                        met += 1
                        number[there] = low[there] = met
                        stack.append(there)
                        on_stack[there] = 1
                        work.append((there, iter(places[there])))
                        break
                    if on_stack[there] and number[there] < low[here]:
                        low[here] = number[there]
                else:
                    work.pop()
                    if work and low[here] < low[work[-1][0]]:
                        low[work[-1][0]] = low[here]
                    if low[here] == number[here]:
                        circle = []
                        while True:
                            there = stack.pop()
                            on_stack[there] = 0
                            circle.append(self._items[there])
                            if there == here:
                                break
                        if len(circle) > 1:
                            found.append(tuple(sorted(circle)))
        return sorted(found)

    def reach(
        self,
        start: int | Iterable[int],
        direction: Direction = Direction.DOWNSTREAM,
        depth: int | None = None,
        *,
        through: Iterable[int] | None = None,
        barred: Iterable[int] = (),
    ) -> Reach:
        """Walk breadth first from an item, or from several that fail together; `depth` counts relations.

        The item before each one lies on the shortest path that comes first when paths are compared as
        sequences of keys; one that redundancy held up comes after the member whose failure was too much.
        Upstream of an item are those whose failure alone reaches it, with depth and path of that.
        `through`: only these items are reached and passed, and count in groups; None: all. `barred`: these
        stand, whatever happens.
        """
        starts = [start] if isinstance(start, int) else sorted(set(start))
        seen = self._marks(through, barred)
        if direction is Direction.DOWNSTREAM:
            return self._spread(starts, depth, seen, self._outside(through, starts))
        if not self._redundant:
            return self._plain(starts, depth, seen, self._up.places)
        return self._needed(starts, depth, seen, self._outside(through, starts))

    def falling(self, starts: Mapping[int, int], depth: int) -> Reach:
        """Let failure spread from items that fall one after the other: each at its depth, from there on.

        The depths of what is found count from nought as well; a way to it begins at the item it spread from.
        """
        later: dict[int, list[int]] = {}
        for item, steps in sorted(starts.items()):
            if item in self._place:
                later.setdefault(steps, []).append(self._place[item])
        return self._spread((), depth, bytearray(len(self._items)), frozenset(), later=later)

    def path(
        self, start: int, goal: int, direction: Direction = Direction.DOWNSTREAM, depth: int | None = None
    ) -> tuple[int, ...]:
        """Return one shortest path with both ends, the one that `reach` tells; empty where there is none."""
        found = self.reach(start, direction, depth)
        return found.way(goal) if goal in found else ()

    def _ways(self, direction: Direction) -> _Ways:
        return self._down if direction is Direction.DOWNSTREAM else self._up

    def _marks(self, through: Iterable[int] | None, barred: Iterable[int]) -> bytearray:
        """Return a mark for each place: 0 may be reached, 1 may not."""
        if through is None:
            seen = bytearray(len(self._items))
        else:
            seen = bytearray(b"\1") * len(self._items)
            for item in through:
                if (place := self._place.get(item)) is not None:
                    seen[place] = 0
        for item in barred:
            if (place := self._place.get(item)) is not None:
                seen[place] = 1
        return seen

    def _outside(self, through: Iterable[int] | None, starts: Iterable[int]) -> frozenset[int]:
        """Return the members of groups that do not count, because they are not among those asked about."""
        if through is None:
            return frozenset()
        members = frozenset[int]().union(*(group.members for group in self._groups.values()))
        return members.difference(through, starts)

    def _plain(
        self,
        starts: Iterable[int],
        depth: int | None,
        seen: bytearray,
        places: list[tuple[int, ...]],
        *,
        held: bool = True,
    ) -> Reach:
        """Walk along these ways, whatever groups say; not `held`: leave out upstream steps of groups."""
        items, place, redundant = self._items, self._place, self._redundant
        found = Reach()
        frontier = [place[item] for item in starts if item in place]
        for here in frontier:
            seen[here] = 1
        steps = 0
        while frontier and (depth is None or steps < depth):
            steps += 1
            following = []
            for here in frontier:
                step = (steps, items[here])
                for there in places[here]:
                    if not seen[there]:
                        if not held and items[here] in redundant.get(items[there], ()):
                            continue
                        seen[there] = 1
                        found[items[there]] = step
                        following.append(there)
            frontier = following
        return found

    def _spread(
        self,
        starts: Iterable[int],
        depth: int | None,
        seen: bytearray,
        outside: frozenset[int],
        goals: frozenset[int] = frozenset(),
        later: Mapping[int, list[int]] | None = None,
    ) -> Reach:
        """Walk downstream; a step by way of groups is taken once too many members of one have failed.

        `goals`: the walk may end when it finds one of them. `later`: places that fail at a depth by
        themselves, unless the walk has found them.
        """
        redundant = self._redundant
        if not redundant and later is None:
            return self._plain(starts, depth, seen, self._down.places)
        items, places, place = self._items, self._down.places, self._place
        found = Reach()
        spare: dict[int, int] = {}  # how many more may fail before the item of a group falls
        frontier = [place[item] for item in starts if item in place]
        later = dict(later or {})
        steps = 0
        while (frontier or later) and (depth is None or steps < depth):
            frontier += [here for here in later.pop(steps, ()) if not seen[here]]
            for here in frontier:
                seen[here] = 1
            steps += 1
            following: list[int] = []
            for here in frontier:
                step = (steps, items[here])
                held = redundant.get(items[here])
                for there in places[here]:
                    if held is not None and (groups := held.get(items[there])):
                        for group in groups:
                            if group not in spare:
                                told = self._groups[group]
                                spare[group] = len(told.members - outside) - told.needed
                            spare[group] -= 1
                            found.strained[group] = found.strained.get(group, 0) + 1
                        if all(spare[group] >= 0 for group in groups):
                            continue
                    if not seen[there]:
                        seen[there] = 1
                        found[items[there]] = step
                        following.append(there)
                        if items[there] in goals:
                            return found
            frontier = following
        return found

    def _needed(
        self, starts: list[int], depth: int | None, seen: bytearray, outside: frozenset[int]
    ) -> Reach:
        """Walk upstream: find each item whose failure alone reaches a start.

        Two walks tell the least depth there can be, and the depth without groups. Where they differ, a walk
        downstream decides, among those only that the first one found: nothing else can matter.
        """
        nearest = self._plain(starts, depth, bytearray(seen), self._up.places)
        holding = {group.item for group in self._groups.values()}
        if holding.isdisjoint(starts) and holding.isdisjoint(nearest):
            return nearest
        simple = self._plain(starts, depth, bytearray(seen), self._up.places, held=False)
        among = bytearray(b"\1") * len(seen)
        goals = frozenset(starts)
        for item in (*nearest, *starts):
            if (place := self._place.get(item)) is not None:
                among[place] = item not in goals and seen[place]
        reached: dict[int, tuple[int, ...]] = {}
        for item, (least, _) in nearest.items():
            if item in simple and simple[item][0] == least:
                continue
            fell = self._spread([item], depth, bytearray(among), outside, goals)
            goal = next((one for one in reversed(fell) if one in goals), None)
            if goal is not None and (item not in simple or fell[goal][0] < simple[item][0]):
                reached[item] = fell.way(goal)[::-1]
        told = [
            (depth, False, item, before) for item, (depth, before) in simple.items() if item not in reached
        ]
        told += [(len(way) - 1, True, item, way[-2]) for item, way in sorted(reached.items())]
        found = Reach()
        found.ways = reached
        for steps, _, item, before in sorted(told, key=lambda one: one[:2]):
            found[item] = (steps, before)
        return found


def _redundant(steps: Iterable[Edge], groups: Mapping[int, Group]) -> Steps:
    """Return which of these steps failure takes only by way of groups."""
    if not groups:
        return {}
    member = {(other, group.item, group.kind): pk for pk, group in groups.items() for other in group.members}
    found: Steps = {}
    simple: set[tuple[int, int]] = set()
    for origin, reached, kind in steps:
        pk = member.get((origin, reached, kind))
        if pk is None:
            simple.add((origin, reached))
        else:
            ways = found.setdefault(origin, {})
            ways[reached] = tuple(sorted({*ways.get(reached, ()), pk}))
    for origin, reached in simple:
        if reached in found.get(origin, ()):
            del found[origin][reached]
    return {origin: ways for origin, ways in found.items() if ways}
