"""The conflict check as bare as it can be: plain tuples, no rules of the product; the floor, and a check.

Columns are those of the statement that `claims` runs: source at 1, item at 6, environment at 7, start
at 8, end at 9.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

DEPTH = 3
Steps = Mapping[int, Sequence[int]]
Asked = tuple[int, int | None, int, int]
"""Item, environment (None: everywhere), start, end in microseconds."""
Failure = tuple[Steps, Steps, frozenset[int]]
"""Steps downstream, upstream, and the items that all environments share."""
Source = tuple[str, int]
Pair = tuple[str, Source, Source]
"""A rule, and two records in order."""


def near(steps: Steps, item: int, shared: Collection[int]) -> tuple[set[int], set[int]]:
    """Return what is within reach of an item, and what of it is so by a way that passes a shared item."""
    within, crossing = {item}, {item} if item in shared else set[int]()
    plain, crossed = set(within), set(crossing)
    for _ in range(DEPTH):
        plain = {there for here in plain for there in steps.get(here, ())} - within
        onward = {there for here in crossed for there in steps.get(here, ())}
        crossed = (onward | (plain & shared)) - crossing  # type: ignore[operator]
        within |= plain
        crossing |= crossed
    return within - {item}, crossing - {item}


def check(
    claims: Iterable[Asked], rows: Iterable[tuple[Any, ...]], down: Steps, up: Steps, shared: frozenset[int]
) -> set[tuple[str, int]]:
    """Return (rule, source) for everything that conflicts."""
    found: set[tuple[str, int]] = set()
    asked = list(claims)
    reach = {item: (near(down, item, shared), near(up, item, shared)) for item, _, _, _ in asked}
    for row in rows:
        source, other, place, starts, ends = row[1], row[6], row[7], row[8], row[9]
        for item, where, start, end in asked:
            if not (starts < end and start < ends):
                continue
            together = where == place or where is None or place is None
            if item == other:
                if together or item in shared:
                    found.add(("claims.same_item", source))
                continue
            for within, crossing in reach[item]:
                if other in (within if together else crossing):
                    found.add(("claims.related_item", source))
    return found


def sweep(
    rows: Iterable[tuple[Any, ...]],
    down: Steps,
    up: Steps,
    shared: frozenset[int],
    *,
    compatible: Callable[[str, str], bool],
    capacity: Callable[[int], int],
    things: tuple[int, int],
) -> tuple[set[Pair], set[Pair], int]:
    """Return all conflicts, all pairs that share a thing with the severity, and how often one is crowded.

    `things`: the numbers of items and of people.
    """
    lanes: dict[tuple[int, int], list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        lanes[row[12], row[6]].append((row[8], row[9], (row[0], row[1]), row[7], row))
    for lane in lanes.values():
        lane.sort(key=lambda span: span[:3])
    met, used, crowded = set[Pair](), set[Pair](), 0
    items = {thing: lane for (kind, thing), lane in lanes.items() if kind == things[0]}
    longest = {thing: max(end - start for start, end, *_ in lane) for thing, lane in items.items()}
    begins = {thing: [span[0] for span in lane] for thing, lane in items.items()}
    for (kind, thing), lane in lanes.items():
        for one, other in _together(lane):
            if one[2] == other[2]:
                continue
            pair = (min(one[2], other[2]), max(one[2], other[2]))
            if kind == things[1]:
                met.add(("claims.person", *pair))
            elif kind != things[0]:
                used.add((_use(one[4], other[4], compatible), *pair))
            elif one[3] == other[3] or None in (one[3], other[3]) or thing in shared:
                met.add(("claims.same_item", *pair))
        if kind not in things:
            crowded += _crowded(lane, capacity(thing))
    for thing, lane in items.items():
        within, crossing = near(down, thing, shared)
        for reached in within & items.keys():
            theirs, starts, most = items[reached], begins[reached], longest[reached]
            across = reached in crossing
            for start, end, source, place, _ in lane:
                for span in theirs[bisect_left(starts, start - most) : bisect_left(starts, end)]:
                    if span[1] <= start or span[2] == source:
                        continue
                    if across or place == span[3] or place is None or span[3] is None:
                        pair = (min(source, span[2]), max(source, span[2]))
                        met.add(("claims.related_item", *pair))
    return met, used, crowded


def _together(lane: Sequence[tuple[Any, ...]]) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Give every two spans that overlap; the lane is sorted by start."""
    here: list[tuple[Any, ...]] = []
    for span in lane:
        here = [other for other in here if other[1] > span[0]]
        for other in here:
            yield other, span
        here.append(span)


def _use(one: tuple[Any, ...], other: tuple[Any, ...], compatible: Callable[[str, str], bool]) -> str:
    if not one[11] and not other[11] and compatible(one[13], other[13]):
        return "claims.usage inform"
    return f"claims.usage {'warn' if one[10] == other[10] == 'tentative' else 'block'}"


def _crowded(lane: Iterable[tuple[Any, ...]], limit: int) -> int:
    turns: dict[int, int] = defaultdict(int)
    for start, end, _, _, row in lane:
        if row[10] != "tentative":
            turns[start] += row[14]
            turns[end] -= row[14]
    taken, times, over = 0, 0, False
    for at in sorted(turns):
        taken += turns[at]
        times += taken > limit and not over
        over = taken > limit
    return times
