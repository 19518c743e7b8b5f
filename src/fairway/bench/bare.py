"""The conflict check as bare as it can be: plain tuples, no rules of the product; the floor, and a check.

Columns are those of the statement that `claims` runs: source at 1, item at 6, environment at 7, start
at 8, end at 9.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

DEPTH = 3
Steps = Mapping[int, Sequence[int]]
Asked = tuple[int, int | None, int, int]
"""Item, environment (None: everywhere), start, end in microseconds."""


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
