"""How failure travels from item to item, and what it reaches; pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fairway.kernel.refs import Ref


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

Reach = dict[int, tuple[int, int]]
"""What a walk found: item -> (depth, the item before it on a shortest path); without its first item."""


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


class Graph:
    """The items and the ways that failure takes between them, as primary keys; does not change once built.

    An item without relations need not be told of: whatever is not known has no neighbours. Two items may be
    joined by several relations; a walk then goes by the kind with the least key.
    Walks visit neighbours in the order of their keys, so that the same relations always give the same answer.
    """

    __slots__ = ("_down", "_failure", "_items", "_place", "_up")

    def __init__(self, edges: Iterable[Edge], *, failure: Mapping[int, Failure]) -> None:
        """Build it from relations in any order.

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

    def replaced(self, pairs: Iterable[tuple[int, int]], edges: Iterable[Edge]) -> Graph:
        """Return the graph in which all that joins these pairs of items, either way, is given anew.

        It costs a copy of lists of references and the work on what changed; the rest is shared.
        """
        steps = list(self._steps(edges))
        graph = object.__new__(Graph)
        graph._failure = self._failure
        graph._items, graph._place = list(self._items), dict(self._place)
        graph._down = _Ways(list(self._down.places), list(self._down.kinds))
        graph._up = _Ways(list(self._up.places), list(self._up.kinds))
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
        return graph

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

    def step(self, here: int, there: int, direction: Direction = Direction.DOWNSTREAM) -> int:
        """Return the kind of relation by which failure takes this one step.

        :raises KeyError, ValueError: it takes no such step.
        """
        one, other = self._place[here], self._place[there]
        ways, back = (self._down, self._up) if direction is Direction.DOWNSTREAM else (self._up, self._down)
        if len(ways.places[one]) <= len(back.places[other]):  # either side knows; a hub's side is long
            return ways.kinds[one][ways.places[one].index(other)]
        return back.kinds[other][back.places[other].index(one)]

    def reach(
        self,
        start: int,
        direction: Direction = Direction.DOWNSTREAM,
        depth: int | None = None,
        *,
        through: Iterable[int] | None = None,
    ) -> Reach:
        """Walk breadth first from an item; `depth` counts relations, None walks to the end.

        The item before each one lies on the shortest path that comes first when paths are compared as
        sequences of keys.
        `through`: only these items are reached and passed; None: all.
        """
        begin = self._place.get(start)
        found: Reach = {}
        if begin is None:
            return found
        items, places = self._items, self._ways(direction).places
        if through is None:
            seen = bytearray(len(items))
        else:
            seen = bytearray(b"\1") * len(items)
            for item in through:
                if (place := self._place.get(item)) is not None:
                    seen[place] = 0
        seen[begin] = 1
        frontier = [begin]
        steps = 0
        while frontier and (depth is None or steps < depth):
            steps += 1
            following = []
            for here in frontier:
                step = (steps, items[here])
                for there in places[here]:
                    if not seen[there]:
                        seen[there] = 1
                        found[items[there]] = step
                        following.append(there)
            frontier = following
        return found

    def path(
        self, start: int, goal: int, direction: Direction = Direction.DOWNSTREAM, depth: int | None = None
    ) -> tuple[int, ...]:
        """Return one shortest path with both ends, the one that `reach` tells; empty where there is none."""
        found = self.reach(start, direction, depth)
        return trace(found, goal) if goal in found else ()

    def _ways(self, direction: Direction) -> _Ways:
        return self._down if direction is Direction.DOWNSTREAM else self._up


def trace(found: Reach, goal: int) -> tuple[int, ...]:
    """Return the path from where the walk started to an item it found, both ends included.

    :raises KeyError: the walk did not find the item.
    """
    path = [goal]
    depth, before = found[goal]
    while depth > 0:
        path.append(before)
        depth, before = found.get(before, (0, before))
    return tuple(reversed(path))


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What is asked of an item again and again; `shared`: it is one and the same in all environments."""

    ref: Ref
    criticality: int
    shared: bool
    organisation: int


@dataclass(frozen=True, slots=True)
class Reached:
    """An item that failure reaches; `path` holds both ends, `relations` the kind of relation of each step."""

    item: Ref
    criticality: int
    depth: int
    path: tuple[Ref, ...]
    relations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """All that is reached at one depth: how many, and the criticality of the most critical one."""

    depth: int
    count: int
    worst: int


def nearest(
    found: Reach, facts: Mapping[int, ItemFacts], *, organisations: Collection[int] | None, limit: int
) -> tuple[list[Level], list[int]]:
    """Sum up a walk by depth, and pick at most `limit` items: nearest, most critical, then by name and key.

    What stands in other organisations than these (None: all may be seen) is neither counted nor picked.
    """
    reached = list(found)
    depths = [depth for depth, _ in found.values()]  # rises: the walk goes level by level
    levels: list[Level] = []
    picked: list[int] = []

    def order(item: int) -> tuple[str, str]:
        ref = facts[item].ref
        return ref.name.casefold(), ref.key

    begin = 0
    while begin < len(reached):
        depth = depths[begin]
        end = bisect_right(depths, depth, begin)
        members = reached[begin:end]
        begin = end
        if organisations is not None:
            members = [item for item in members if facts[item].organisation in organisations]
        if not members:
            continue
        criticalities = [facts[item].criticality for item in members]
        levels.append(Level(depth, len(members), min(criticalities)))
        for criticality in sorted(set(criticalities)):
            if len(picked) < limit:  # sorting by name is what costs, so only where it is needed
                equals = [
                    item for item, one in zip(members, criticalities, strict=True) if one == criticality
                ]
                picked += sorted(equals, key=order)[: limit - len(picked)]
    return levels, picked


def merged(present: Any, patch: Any) -> Any:
    """Return the JSON value that a merge patch makes of the present one. Source: RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    result = dict(present) if isinstance(present, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result
