"""Tiers, control levels and what is asked of an environment again and again; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from fairway.kernel.refs import Ref


class Tier(StrEnum):
    """How near to production, in the order of the way there."""

    DEVELOPMENT = "development"
    SYSTEM_TEST = "system_test"
    INTEGRATION = "integration"
    PERFORMANCE = "performance"
    ACCEPTANCE = "acceptance"
    STAGING = "staging"
    TRAINING = "training"
    PRODUCTION = "production"
    DISASTER_RECOVERY = "disaster_recovery"


class Control(StrEnum):
    """How tightly an environment is controlled.

    open: what happens is recorded; coordinated: it must be booked by the release or unclaimed;
    controlled: it needs an authorised change whose window is open.
    """

    OPEN = "open"
    COORDINATED = "coordinated"
    CONTROLLED = "controlled"


DEFAULT_CONTROL = {
    tier: Control.CONTROLLED
    if tier in {Tier.PRODUCTION, Tier.DISASTER_RECOVERY}
    else Control.OPEN
    if tier is Tier.DEVELOPMENT
    else Control.COORDINATED
    for tier in Tier
}
"""What a new environment of a tier gets unless told otherwise."""


@dataclass(frozen=True, slots=True)
class EnvironmentFacts:
    """`zone` is an IANA name; `shared`: several teams use it at once."""

    ref: Ref
    tier: Tier
    control: Control
    organisation: int
    zone: str
    shared: bool


Children = Mapping[int, Collection[int]]
"""The environments linked directly below each, by primary key."""


def expanded(named: Iterable[int], children: Children) -> tuple[int, ...]:
    """Return the environments that are taken with those named: themselves first, then what is linked below
    them, nearest first and by key; each once.
    """
    found = dict.fromkeys(named)
    level = list(found)
    while level:
        level = sorted({child for one in level for child in children.get(one, ())} - found.keys())
        found.update(dict.fromkeys(level))
    return tuple(found)


def way_down(top: int, bottom: int, children: Children) -> tuple[int, ...]:
    """Return the shortest way along links from one environment to another below it, both included; or
    nothing.
    """
    ways: dict[int, tuple[int, ...]] = {top: (top,)}
    level = [top]
    while level and bottom not in ways:
        following: list[int] = []
        for one in level:
            for child in sorted(children.get(one, ())):
                if child not in ways:
                    ways[child] = (*ways[one], child)
                    following.append(child)
        level = following
    return ways.get(bottom, ())
