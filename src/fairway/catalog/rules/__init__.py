"""How failure travels from item to item, and what it reaches; pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from fairway.catalog.rules.graph import Direction as Direction
from fairway.catalog.rules.graph import Edge as Edge
from fairway.catalog.rules.graph import Failure as Failure
from fairway.catalog.rules.graph import Graph as Graph
from fairway.catalog.rules.graph import Group as Group
from fairway.catalog.rules.graph import Reach as Reach
from fairway.catalog.rules.hours import served as served
from fairway.catalog.rules.hours import service_hours as service_hours
from fairway.kernel.refs import Ref

SERVICE = "business-service"
"""The kind of item that people use: impact names these first."""


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What is asked of an item again and again; `shared`: it is one and the same in all environments."""

    ref: Ref
    criticality: int
    shared: bool
    organisation: int
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Reached:
    """An item that failure reaches; `path` holds both ends, `relations` the kind of relation of each step.

    `kind`: the slug of what it is.
    """

    item: Ref
    criticality: int
    depth: int
    path: tuple[Ref, ...]
    relations: tuple[int, ...]
    kind: str = ""


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


def ranked_services(
    found: Reach,
    services: Collection[int],
    facts: Mapping[int, ItemFacts],
    *,
    organisations: Collection[int] | None,
) -> list[int]:
    """Return the business services that a walk found and that may be seen: most critical, then nearest."""
    there = [item for item in services if item in found]
    if organisations is not None:
        there = [item for item in there if facts[item].organisation in organisations]

    def order(item: int) -> tuple[int, int, str, str]:
        one = facts[item]
        return one.criticality, found[item][0], one.ref.name.casefold(), one.ref.key

    return sorted(there, key=order)


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
