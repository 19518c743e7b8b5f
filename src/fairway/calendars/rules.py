"""Freezes and maintenance windows: whom they concern and what they say about a time; pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from itertools import product

from fairway.kernel.period import Period
from fairway.kernel.refs import Ref
from fairway.policy import Finding, Severity
from fairway.scheduling import EMPTY, IntervalSet, Recurrence

FREEZE = "calendars.freeze"
OUTSIDE_MAINTENANCE = "calendars.outside_maintenance"
WAIVED_BY = ("change manager",)
LAST_YEAR = 2200
"""Recurring windows are followed up to here; nothing may start later (see scheduling)."""
_MOST_KEPT = 200_000


class Kind(StrEnum):
    """A hard freeze blocks, a soft freeze asks for a reason, inside maintenance is where work has to lie."""

    HARD_FREEZE = "hard_freeze"
    SOFT_FREEZE = "soft_freeze"
    MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True)
class Target:
    """What work touches, as far as calendars ask: an item in an environment, with what is known of both.

    `organisations`: those of the change, the item and the environment, each with all above it.
    `environment` None: wherever the item stands. `item` None: the environment as such.
    `item_ref` and `environment_ref` are only for telling.
    """

    item: int | None
    environment: int | None
    organisations: frozenset[int]
    criticality: int | None = None
    tier: str | None = None
    item_ref: Ref | None = field(default=None, compare=False)
    environment_ref: Ref | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom a window concerns: of each facet given one value must match; with none, the whole branch."""

    organisation: int
    items: frozenset[int] = frozenset()
    environments: frozenset[int] = frozenset()
    criticalities: frozenset[int] = frozenset()
    tiers: frozenset[str] = frozenset()

    def matches(self, target: Target) -> bool:
        """Say whether the window concerns the target; one without environment stands in all of them."""
        return (
            self.organisation in target.organisations
            and (not self.items or target.item in self.items)
            and (not self.criticalities or target.criticality in self.criticalities)
            and (target.environment is None or self.covers(target.environment, target.tier))
        )

    def covers(self, environment: int | None, tier: str | None) -> bool:
        """Say whether it reaches this place; None: a place that no window names."""
        return (not self.environments or environment in self.environments) and (
            not self.tiers or tier in self.tiers
        )

    def places(self) -> Iterator[tuple[int | None, str | None]]:
        """Give the places it names, as environment and tier."""
        yield from product(sorted(self.environments) or (None,), sorted(self.tiers) or (None,))


@dataclass(frozen=True, slots=True)
class Window:
    """A window as the rules see it: `when` is one period, or a recurrence."""

    ref: Ref
    kind: Kind
    scope: Scope
    when: Period | Recurrence = field(compare=False)
    reason: str = field(default="", compare=False)

    def blocks(self, *, reason: bool) -> bool:
        """Say whether it stops work at its time, given that a reason for working then was (not) stated."""
        return self.kind is Kind.HARD_FREEZE or (self.kind is Kind.SOFT_FREEZE and not reason)


class Calendar:
    """All windows, ready to be asked: matched by facets, expanded year by year as far as anybody asks.

    One is made per process and calendar revision; what it works out it keeps, within bounds.
    """

    def __init__(self, windows: Iterable[Window]) -> None:
        self.windows = tuple(sorted(windows, key=lambda window: (window.ref.pk or 0, window.ref.key)))
        self._by_item: dict[int, list[int]] = {}
        self._by_organisation: dict[int, list[int]] = {}
        for number, window in enumerate(self.windows):
            for item in window.scope.items:
                self._by_item.setdefault(item, []).append(number)
            if not window.scope.items:
                self._by_organisation.setdefault(window.scope.organisation, []).append(number)
        self._numbers = {window.ref: number for number, window in enumerate(self.windows)}
        self._kept = 0
        self._matches: dict[Target, tuple[int, ...]] = {}
        self._years: dict[tuple[int, int], IntervalSet] = {}
        self._unions: dict[tuple[tuple[int, ...], int], IntervalSet] = {}

    def matching(self, target: Target) -> tuple[Window, ...]:
        """Return the windows that concern the target, in the order of their keys."""
        return tuple(self.windows[number] for number in self._matching(target))

    def findings(
        self,
        subject: Ref,
        targets: Iterable[Target],
        periods: Sequence[Period],
        *,
        reason: bool,
        shown: Callable[[Window], Ref] = lambda window: window.ref,
    ) -> list[Finding]:
        """Report every freeze that a period meets, and every item whose maintenance windows a period leaves.

        One finding for each freeze and one for each item; the interval is the first part of a period hit.
        `shown` gives the reference to a window that the subject's readers are told.
        """
        targets = list(dict.fromkeys(targets))
        ordered = sorted(periods)
        return [
            *self._freezes(subject, targets, ordered, reason=reason, shown=shown),
            *self._outside(subject, targets, ordered, shown),
        ]

    def openings(self, targets: Iterable[Target], within: Period, *, reason: bool) -> IntervalSet:
        """Return the part of the period in which no window blocks work on all the targets at once."""
        targets = list(dict.fromkeys(targets))
        blocking = {
            number
            for target in targets
            for number in self._matching(target)
            if self.windows[number].blocks(reason=reason)
        }
        found = IntervalSet.of([within])
        for year in _years(within):
            found -= self._union(tuple(sorted(blocking)), year)
        for thing in sorted({thing for target in targets for thing in self._things(target)}):
            found &= IntervalSet.of(part for year in _years(within) for part in self._union(thing, year))
        return found

    def occurrences(self, window: Window, within: Period) -> list[Period]:
        """Return the occurrences that overlap the period, joined where they touch, in order."""
        if isinstance(window.when, Period):
            return [window.when] if window.when.overlaps(within) else []
        number = self._numbers[window.ref]
        found = IntervalSet.of(part for year in _years(within) for part in self._year(number, year))
        return [period for period in found if period.overlaps(within)]

    def _freezes(
        self,
        subject: Ref,
        targets: Sequence[Target],
        periods: Sequence[Period],
        *,
        reason: bool,
        shown: Callable[[Window], Ref],
    ) -> Iterator[Finding]:
        concerned: dict[int, list[Target]] = {}
        for target in targets:
            for number in self._matching(target):
                if self.windows[number].kind is not Kind.MAINTENANCE:
                    concerned.setdefault(number, []).append(target)
        for number, hit in sorted(concerned.items()):
            window = self.windows[number]
            met = [found for period in periods if (found := self._meeting(number, period))]
            if not met:
                continue
            interval, until = met[0]
            yield Finding(
                FREEZE,
                Severity.BLOCK if window.blocks(reason=reason) else Severity.WARN,
                (subject, shown(window)),
                interval,
                params={
                    "kind": str(window.kind),
                    "name": window.ref.name,
                    "reason": window.reason,
                    "until": until,
                    "periods": len(met),
                    "things": _things(hit),
                },
                waivable_by=WAIVED_BY if window.kind is Kind.HARD_FREEZE else (),
                named=_named(hit),
            )

    def _outside(
        self,
        subject: Ref,
        targets: Sequence[Target],
        periods: Sequence[Period],
        shown: Callable[[Window], Ref],
    ) -> Iterator[Finding]:
        gaps: dict[int | None, list[tuple[Period, Target, tuple[int, ...]]]] = {}
        for target in targets:
            for thing in self._things(target):
                for period in periods:
                    if gap := self._first_gap(thing, period):
                        gaps.setdefault(target.item, []).append((gap, target, thing))
        for _, found in sorted(gaps.items(), key=lambda pair: (pair[0] is not None, pair[0] or 0)):
            first, target, thing = min(found, key=lambda one: (one[0], one[2]))
            yield Finding(
                OUTSIDE_MAINTENANCE,
                Severity.BLOCK,
                (subject,),
                first,
                path=(target.item_ref,) if target.item_ref else (),
                params={
                    "things": _things([other for _, other, _ in found]),
                    "windows": [self.windows[number].ref.key for number in thing],
                    "names": [self.windows[number].ref.name for number in thing],
                },
                waivable_by=WAIVED_BY,
                named=(
                    *_named(other for _, other, _ in found),
                    *(shown(self.windows[number]) for number in thing),
                ),
            )

    def _matching(self, target: Target) -> tuple[int, ...]:
        known = self._matches.get(target)
        if known is None:
            candidates = [number for o in target.organisations for number in self._by_organisation.get(o, ())]
            if target.item is not None:
                candidates += self._by_item.get(target.item, ())
            known = tuple(sorted(n for n in candidates if self.windows[n].scope.matches(target)))
            if len(self._matches) >= _MOST_KEPT // 10:
                self._matches.clear()
            self._matches[target] = known
        return known

    def _things(self, target: Target) -> list[tuple[int, ...]]:
        """Return groups of maintenance windows; work on the target must lie in the union of each group.

        Usually one group or none. A target that names no environment is in every one: each place a window
        names is a thing of its own, so that a window for one environment never opens another.
        """
        windows = [n for n in self._matching(target) if self.windows[n].kind is Kind.MAINTENANCE]
        if target.environment is not None or not windows:
            return [tuple(windows)] if windows else []
        places = {place for n in windows for place in self.windows[n].scope.places()}
        groups = {
            tuple(n for n in windows if self.windows[n].scope.covers(environment, tier))
            for environment, tier in places
        }
        return sorted(groups)

    def _year(self, number: int, year: int) -> IntervalSet:
        """Return the occurrences of a window that overlap a year, whole."""
        known = self._years.get((number, year))
        if known is None:
            known = _expanded(self.windows[number].when, year)
            if self._kept > _MOST_KEPT:
                self._years.clear()
                self._unions.clear()
                self._kept = 0
            self._kept += len(known)
            self._years[number, year] = known
        return known

    def _union(self, numbers: tuple[int, ...], year: int) -> IntervalSet:
        known = self._unions.get((numbers, year))
        if known is None:
            known = IntervalSet.of(part for number in numbers for part in self._year(number, year))
            if len(self._unions) >= _MOST_KEPT // 400:
                self._unions.clear()
            self._unions[numbers, year] = known
        return known

    def _meeting(self, number: int, period: Period) -> tuple[Period, datetime | None] | None:
        """Return the first part of the period that a window takes, and when the window ends then.

        None as that instant: not within two years, as with a daily window of a day.
        """
        when = self.windows[number].when
        if isinstance(when, Period):
            common = when & period
            return (common, when.end) if common else None
        for year in _years(period):
            if common := self._year(number, year).first_overlap(period):
                return common, self._end(number, common.start)
        return None

    def _end(self, number: int, start: datetime) -> datetime | None:
        end = start
        for year in range(start.year, start.year + 3):
            end = self._year(number, year).next_outside(end)
            if end.year <= year:
                return end
        return None

    def _first_gap(self, numbers: tuple[int, ...], period: Period) -> Period | None:
        """Return the first part of the period that lies in none of these windows, or None."""
        start = period.start
        for year in _years(period):
            union = self._union(numbers, year)
            start = union.next_outside(start)
            if start >= period.end:
                return None
            if start.year <= year:
                break
        for year in _years(replace(period, start=start)):
            following = self._union(numbers, year).next_inside(start)
            if following is not None:
                return Period(start, min(following, period.end))
        return Period(start, period.end)


@lru_cache(maxsize=1024)
def _expanded(when: Period | Recurrence, year: int) -> IntervalSet:
    """Return what overlaps a year; kept beyond a revision, since most windows stay as they are."""
    whole = Period(datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC))
    if isinstance(when, Period):
        return IntervalSet.of([when]) if when.overlaps(whole) else EMPTY
    return IntervalSet.of(when.occurrences(whole))


def _years(period: Period) -> range:
    """Return the years that a period overlaps, as far as windows are followed."""
    last = (
        period.end.year if period.end > datetime(period.end.year, 1, 1, tzinfo=UTC) else period.end.year - 1
    )
    return range(min(period.start.year, LAST_YEAR), min(last, LAST_YEAR) + 1)


def _named(targets: Iterable[Target]) -> tuple[Ref, ...]:
    """Return the items and environments of targets, each once."""
    refs = (ref for target in targets for ref in (target.item_ref, target.environment_ref) if ref is not None)
    return tuple(dict.fromkeys(refs))


def _things(targets: Collection[Target]) -> list[str]:
    """Name items and environments for a sentence: payments-api in prod."""
    names = {
        (
            target.item_ref.key if target.item_ref else "",
            target.environment_ref.key if target.environment_ref else "",
        )
        for target in targets
    }
    return [" @ ".join(filter(None, pair)) for pair in sorted(names) if any(pair)]
