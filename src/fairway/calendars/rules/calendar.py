"""All windows at once, ready to be asked about a time; pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache

from fairway.calendars.rules.conditions import Facts
from fairway.calendars.rules.windows import (
    CONDITION,
    FREEZE,
    LAST_YEAR,
    NOTE,
    OUTSIDE_MAINTENANCE,
    TELLING,
    Activity,
    Kind,
    Target,
    Window,
    groups,
    named,
    things,
)
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref
from fairway.policy import Finding, Severity
from fairway.policy.expressions import Failed
from fairway.scheduling import EMPTY, IntervalSet, Recurrence

_MOST_KEPT = 200_000
_Shown = Callable[[Window], Ref]
Passes = Mapping[str, IntervalSet]
NOTHING_PASSES: Passes = {}
_Thing = tuple[bool, tuple[int, ...]]
"""Maintenance windows whose union work must lie in; True: only while it takes things down."""


@dataclass(frozen=True, slots=True)
class _Concern:
    """A target with the numbers of the windows that concern it, those of maintenance apart."""

    target: Target
    others: tuple[int, ...]
    maintenance: tuple[int, ...]


@dataclass(slots=True)
class _Asked:
    """What is asked beside things and times. What a condition says is worked out once, and only if needed."""

    activity: Activity
    reason: bool
    facts: Facts | None = None
    _said: dict[Ref, bool | str] = field(default_factory=dict)

    def applies(self, window: Window) -> bool | str:
        """Say whether the window's condition holds; a text: why that cannot be told."""
        if window.condition is None:
            return True
        if window.ref not in self._said:
            self._said[window.ref] = applies(window, self.facts)
        return self._said[window.ref]

    def weight(self, window: Window) -> Severity | None:
        """Return how much the window weighs at its time, its condition seen to; None: nothing.

        What cannot be told weighs as unknown where it might block.
        """
        severity = window.severity(self.activity, reason=self.reason)
        if severity is None or (holds := self.applies(window)) is True:
            return severity
        if holds is False or severity is Severity.INFORM:
            return None
        return Severity.UNKNOWN if severity is Severity.BLOCK else severity


def applies(window: Window, facts: Facts | None) -> bool | str:
    """Say whether a window's condition holds of a change; a text: why that cannot be told."""
    if window.condition is None:
        return True
    if facts is None:
        return False
    try:
        return window.condition.holds(facts())
    except Failed as cause:
        return str(cause)


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
        self.grouped = any(window.scope.lanes for window in self.windows)
        self._numbers = {window.ref: number for number, window in enumerate(self.windows)}
        self._kept = 0
        self._matches: dict[Target, _Concern] = {}
        self._years: dict[tuple[int, int], IntervalSet] = {}
        self._unions: dict[tuple[tuple[int, ...], int], IntervalSet] = {}

    @property
    def named_items(self) -> Collection[int]:
        """The items that a window names."""
        return self._by_item.keys()

    def matching(self, target: Target, *, any_model: bool = False) -> tuple[Window, ...]:
        """Return the windows that concern the target, in the order of their keys."""
        if not any_model:
            found = self._matching(target)
            return tuple(self.windows[number] for number in sorted(found.others + found.maintenance))
        return tuple(self.windows[number] for number in sorted(self._of_any_model(target)))

    def findings(
        self,
        subject: Ref,
        targets: Iterable[Target],
        periods: Sequence[Period],
        *,
        reason: bool,
        activity: Activity = Activity.START,
        downtimes: Sequence[Period] = (),
        facts: Facts | None = None,
        shown: _Shown = lambda window: window.ref,
    ) -> list[Finding]:
        """Report every freeze that a period meets, and every item whose maintenance windows a period leaves.

        One finding for each freeze and one for each item; the interval is the first part of a period hit.
        `downtimes`: what windows look at that hold for these alone. `facts`: what conditions read; None: it
        is no change. `shown` gives the reference to a window that the subject's readers are told.
        """
        concerns = [self._matching(target) for target in dict.fromkeys(targets)]
        asked = _Asked(activity, reason, facts)
        times = {False: sorted(periods), True: sorted(downtimes)}
        return [
            *self._meetings(subject, concerns, times, asked, shown),
            *self._outside(subject, concerns, times, asked, shown),
        ]

    def openings(
        self,
        targets: Iterable[Target],
        within: Period,
        *,
        reason: bool,
        activity: Activity = Activity.START,
        downtimes: Sequence[Period] = (),
        facts: Facts | None = None,
        passes: Passes = NOTHING_PASSES,
    ) -> IntervalSet:
        """Return the part of the period in which no window blocks work on all the targets at once.

        `passes`: when a window, or the maintenance of an item, is let pass, by its uid.
        """
        concerns = [self._matching(target) for target in dict.fromkeys(targets)]
        asked = _Asked(activity, reason, facts)
        down = IntervalSet.of(downtimes)
        needing = {number for concern in concerns for number in concern.maintenance}
        if any(asked.weight(self.windows[number]) is Severity.UNKNOWN for number in needing):
            return EMPTY
        heavy = {Severity.BLOCK, Severity.UNKNOWN}
        blocking: dict[bool, list[int]] = {False: [], True: []}
        apart: list[int] = []
        for number in sorted({number for concern in concerns for number in concern.others}):
            window = self.windows[number]
            if asked.weight(window) in heavy:
                (apart if window.ref.uid in passes else blocking[window.downtime_only]).append(number)
        found = IntervalSet.of([within])
        for year in _years(within):
            found -= self._union(tuple(blocking[False]), year)
            if blocking[True]:
                found -= self._union(tuple(blocking[True]), year) & down
            for number in apart:
                window = self.windows[number]
                closed = self._year(number, year) - passes[window.ref.uid]
                found -= closed & down if window.downtime_only else closed
        needed = {
            (*thing, concern.target.item_ref.uid if concern.target.item_ref is not None else "")
            for concern in concerns
            for thing in self._things(concern, asked)
        }
        for only_down, numbers, item in sorted(needed):
            if not self._closes(numbers, asked):
                continue
            inside = IntervalSet.of(part for year in _years(within) for part in self._union(numbers, year))
            inside |= passes.get(item, EMPTY)
            found = found - (down - inside) if only_down else found & inside
        return found

    def occurrences(self, window: Window, within: Period) -> list[Period]:
        """Return the occurrences that overlap the period, joined where they touch, in order."""
        if isinstance(window.when, Period):
            return [window.when] if window.when.overlaps(within) else []
        number = self._numbers[window.ref]
        found = IntervalSet.of(part for year in _years(within) for part in self._year(number, year))
        return [period for period in found if period.overlaps(within)]

    def _meetings(
        self,
        subject: Ref,
        concerns: Sequence[_Concern],
        times: dict[bool, list[Period]],
        asked: _Asked,
        shown: _Shown,
    ) -> Iterator[Finding]:
        concerned: dict[int, list[Target]] = {}
        for concern in concerns:
            for number in concern.others:
                concerned.setdefault(number, []).append(concern.target)
        for number, hit in sorted(concerned.items()):
            window = self.windows[number]
            if window.severity(asked.activity, reason=asked.reason) is None:
                continue
            periods = times[window.downtime_only]
            met = [found for period in periods if (found := self._meeting(number, period))]
            severity = asked.weight(window) if met else None
            if severity is None:
                continue
            interval, until = met[0]
            if isinstance(why := asked.applies(window), str):
                yield _untold(subject, window, severity, interval, hit, why, shown)
                continue
            lanes = groups([window.scope], hit)
            yield Finding(
                NOTE if window.kind in TELLING else FREEZE,
                severity,
                (subject, shown(window)),
                interval,
                params={
                    "kind": str(window.kind),
                    "name": window.ref.name,
                    "reason": window.reason,
                    "until": None if window.until_released else until,
                    "periods": len(met),
                    "things": things(hit),
                    **_of_groups(lanes),
                    "activity": str(asked.activity),
                    "stops": asked.activity in window.stops,
                },
                waivable_by=window.waived_by,
                named=(*named(hit), *lanes),
            )

    def _outside(
        self,
        subject: Ref,
        concerns: Sequence[_Concern],
        times: dict[bool, list[Period]],
        asked: _Asked,
        shown: _Shown,
    ) -> Iterator[Finding]:
        if asked.activity is Activity.BOOK:
            return
        gaps: dict[int | None, list[tuple[Period, Target, tuple[int, ...]]]] = {}
        untold: dict[int, list[Target]] = {}
        for concern in concerns:
            for number in concern.maintenance:
                if isinstance(asked.applies(self.windows[number]), str):
                    untold.setdefault(number, []).append(concern.target)
            for only_down, numbers in self._things(concern, asked):
                for period in times[only_down]:
                    if gap := self._first_gap(numbers, period):
                        gaps.setdefault(concern.target.item, []).append((gap, concern.target, numbers))
        for number, hit in sorted(untold.items()):
            window = self.windows[number]
            weight, periods = asked.weight(window), times[window.downtime_only]
            if weight is not None and periods:
                why = str(asked.applies(window))
                yield _untold(subject, window, weight, periods[0], hit, why, shown)
        for _, found in sorted(gaps.items(), key=lambda pair: (pair[0] is not None, pair[0] or 0)):
            first, target, thing = min(
                found, key=lambda one: (not self._closes(one[2], asked), one[0], one[2])
            )
            lanes = groups([self.windows[number].scope for number in thing], [other for _, other, _ in found])
            yield Finding(
                OUTSIDE_MAINTENANCE,
                Severity.BLOCK if self._closes(thing, asked) else Severity.WARN,
                (subject,),
                first,
                path=(target.item_ref,) if target.item_ref else (),
                params={
                    "things": things([other for _, other, _ in found]),
                    "windows": [self.windows[number].ref.key for number in thing],
                    "names": [self.windows[number].ref.name for number in thing],
                    **_of_groups(lanes),
                },
                waivable_by=self.windows[thing[0]].waived_by,
                named=(
                    *named(other for _, other, _ in found),
                    *lanes,
                    *(shown(self.windows[number]) for number in thing),
                ),
            )

    def _closes(self, numbers: tuple[int, ...], asked: _Asked) -> bool:
        """Say whether work outside these maintenance windows is refused, and not only warned of."""
        return any(asked.activity in self.windows[number].stops for number in numbers)

    def _matching(self, target: Target) -> _Concern:
        known = self._matches.get(target)
        if known is None:
            candidates = [number for o in target.organisations for number in self._by_organisation.get(o, ())]
            if target.item is not None:
                candidates += self._by_item.get(target.item, ())
            met = sorted(n for n in candidates if self.windows[n].scope.matches(target))
            lanes: tuple[list[int], list[int]] = ([], [])
            for number in met:
                lanes[self.windows[number].kind is Kind.MAINTENANCE].append(number)
            known = _Concern(target, *map(tuple, lanes))
            if len(self._matches) >= _MOST_KEPT // 10:
                self._matches.clear()
            self._matches[target] = known
        return known

    def _of_any_model(self, target: Target) -> Iterator[int]:
        candidates = [number for o in target.organisations for number in self._by_organisation.get(o, ())]
        if target.item is not None:
            candidates += self._by_item.get(target.item, ())
        return (n for n in candidates if self.windows[n].scope.matches(target, any_model=True))

    def _things(self, concern: _Concern, asked: _Asked) -> list[_Thing]:
        """Return groups of maintenance windows; work on the target must lie in the union of each group.

        Usually one group or none. A target that names no environment is in every one: each place a window
        names is a thing of its own, so that a window for one environment never opens another.
        """
        if not concern.maintenance:
            return []
        found: set[_Thing] = set()
        for only_down in (False, True):
            windows = [
                n
                for n in concern.maintenance
                if (window := self.windows[n]).downtime_only is only_down and asked.applies(window) is True
            ]
            if not windows:
                continue
            if concern.target.environment is not None:
                found.add((only_down, tuple(windows)))
                continue
            places = {place for n in windows for place in self.windows[n].scope.places()}
            found |= {
                (only_down, tuple(n for n in windows if self.windows[n].scope.covers(environment, tier)))
                for environment, tier in places
            }
        return sorted(found)

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


def _of_groups(lanes: Sequence[Ref]) -> dict[str, list[str]]:
    return {"groups": [lane.key for lane in lanes]} if lanes else {}


def _untold(
    subject: Ref,
    window: Window,
    severity: Severity,
    interval: Period,
    hit: Sequence[Target],
    why: str,
    shown: _Shown,
) -> Finding:
    """Return the finding that a window's condition says neither yes nor no."""
    return Finding(
        CONDITION,
        severity,
        (subject, shown(window)),
        interval,
        params={"name": window.ref.name, "why": why, "things": things(hit)},
        waivable_by=window.waived_by,
        named=named(hit),
    )


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
