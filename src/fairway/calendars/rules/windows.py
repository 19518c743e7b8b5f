"""What a window is: whom it concerns, what it stops; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product

from fairway.kernel.period import Period
from fairway.kernel.refs import Ref
from fairway.policy import Severity
from fairway.policy.expressions import Expression
from fairway.scheduling import Recurrence

FREEZE = "calendars.freeze"
OUTSIDE_MAINTENANCE = "calendars.outside_maintenance"
NOTE = "calendars.note"
CONDITION = "calendars.condition"
LAST_YEAR = 2200
"""Recurring windows are followed up to here; nothing may start later (see scheduling)."""


class Kind(StrEnum):
    """A hard freeze and a lockdown block, a soft freeze asks for a reason, inside maintenance is where work
    has to lie, a blockout keeps bookings out; holidays and information only tell.
    """

    HARD_FREEZE = "hard_freeze"
    SOFT_FREEZE = "soft_freeze"
    LOCKDOWN = "lockdown"
    BLOCKOUT = "booking_blockout"
    MAINTENANCE = "maintenance"
    HOLIDAY = "holiday"
    INFORMATION = "information"


class Activity(StrEnum):
    """What somebody wants to do with a time: the steps of a change, and booking an environment."""

    CREATE = "create"
    SUBMIT = "submit"
    SCHEDULE = "schedule"
    START = "start"
    BOOK = "book"


STOPPABLE = (Activity.CREATE, Activity.SUBMIT, Activity.SCHEDULE, Activity.START)
"""What a window may say of changes, in the order of a change's life."""
STOPPED = frozenset({Activity.SCHEDULE, Activity.START})
"""What a freeze stops unless it says otherwise: taking the time, and working in it."""
TELLING = frozenset({Kind.HOLIDAY, Kind.INFORMATION})
WAIVED_BY = {
    Kind.HARD_FREEZE: ("change manager",),
    Kind.LOCKDOWN: ("change manager",),
    Kind.MAINTENANCE: ("change manager",),
    Kind.BLOCKOUT: ("environment manager",),
}


@dataclass(frozen=True, slots=True)
class Target:
    """What work touches, as far as calendars ask: an item in an environment, with what is known of both.

    `organisations`: those of the change, the item and the environment, each with all above it.
    `environment` None: wherever the item stands. `item` None: the environment as such. `model`: the change
    model; None: it is no change.
    `item_ref` and `environment_ref` are only for telling.
    """

    item: int | None
    environment: int | None
    organisations: frozenset[int]
    criticality: int | None = None
    tier: str | None = None
    item_ref: Ref | None = field(default=None, compare=False)
    environment_ref: Ref | None = field(default=None, compare=False)
    model: int | None = None


@dataclass(frozen=True, slots=True)
class Lane:
    """A group of environments with those that belong to it now."""

    ref: Ref
    members: frozenset[int]


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom a window concerns: of each facet given one value must match; with none, the whole branch.

    Environments and groups are one facet: it matches where the one or the other does. `lanes`: the groups.
    """

    organisation: int
    items: frozenset[int] = frozenset()
    environments: frozenset[int] = frozenset()
    criticalities: frozenset[int] = frozenset()
    tiers: frozenset[str] = frozenset()
    models: frozenset[int] = frozenset()
    lanes: tuple[Lane, ...] = ()

    def matches(self, target: Target, *, any_model: bool = False) -> bool:
        """Say whether the window concerns the target; one without environment stands in all of them.

        `any_model`: what is asked about is a thing, whatever changes it.
        """
        return (
            self.organisation in target.organisations
            and (not self.items or target.item in self.items)
            and (not self.criticalities or target.criticality in self.criticalities)
            and (not self.models or any_model or target.model in self.models)
            and (
                not self.nowhere
                if target.environment is None
                else self.covers(target.environment, target.tier)
            )
        )

    @property
    def nowhere(self) -> bool:
        """Whether it names groups alone, and nothing belongs to them any more."""
        return bool(self.lanes) and not self.environments and not any(lane.members for lane in self.lanes)

    def covers(self, environment: int | None, tier: str | None) -> bool:
        """Say whether it reaches this place; None: a place that no window names."""
        named = not self.environments and not self.lanes
        return (named or environment in self.environments or bool(self.groups_of(environment))) and (
            not self.tiers or tier in self.tiers
        )

    def groups_of(self, environment: int | None) -> tuple[Ref, ...]:
        """Return the groups by which it reaches an environment."""
        return tuple(lane.ref for lane in self.lanes if environment in lane.members)

    def places(self) -> Iterator[tuple[int | None, str | None]]:
        """Give the places it names, as environment and tier."""
        environments = self.environments.union(*(lane.members for lane in self.lanes))
        yield from product(sorted(environments) or (None,), sorted(self.tiers) or (None,))


@dataclass(frozen=True, slots=True)
class Window:
    """A window as the rules see it: `when` is one period, or a recurrence.

    `stops`: what it refuses of changes; of the rest it only warns. `downtime_only`: it looks at when things
    are down, not at when work is done. `condition`: over the fields of a change; what is no change it does
    not concern. `until_released`: its end is not known.
    """

    ref: Ref
    kind: Kind
    scope: Scope
    when: Period | Recurrence = field(compare=False)
    reason: str = field(default="", compare=False)
    stops: frozenset[Activity] = STOPPED
    downtime_only: bool = False
    condition: Expression | None = field(default=None, compare=False)
    until_released: bool = False

    def severity(self, activity: Activity, *, reason: bool) -> Severity | None:
        """Return how much it weighs against an activity at its time; None: it says nothing about that.

        `reason`: it was stated why the work has to be done in a soft freeze.
        """
        if self.kind in TELLING:
            return Severity.INFORM
        if (self.kind is Kind.BLOCKOUT) != (activity is Activity.BOOK):
            return None
        if self.kind is not Kind.BLOCKOUT and activity not in self.stops:
            return Severity.WARN
        return Severity.WARN if self.kind is Kind.SOFT_FREEZE and reason else Severity.BLOCK

    @property
    def waived_by(self) -> tuple[str, ...]:
        return WAIVED_BY.get(self.kind, ())


def named(targets: Iterable[Target]) -> tuple[Ref, ...]:
    """Return the items and environments of targets, each once."""
    refs = (ref for target in targets for ref in (target.item_ref, target.environment_ref) if ref is not None)
    return tuple(dict.fromkeys(refs))


def groups(scopes: Iterable[Scope], targets: Collection[Target]) -> tuple[Ref, ...]:
    """Return the groups of environments by which any of the scopes reaches any of the targets."""
    places = {target.environment for target in targets}
    found = (ref for scope in scopes for place in places for ref in scope.groups_of(place))
    return tuple(sorted(set(found), key=lambda ref: ref.key))


def things(targets: Collection[Target]) -> list[str]:
    """Name items and environments for a sentence: payments-api in prod."""
    names = {
        (
            target.item_ref.key if target.item_ref else "",
            target.environment_ref.key if target.environment_ref else "",
        )
        for target in targets
    }
    return [" @ ".join(filter(None, pair)) for pair in sorted(names) if any(pair)]
