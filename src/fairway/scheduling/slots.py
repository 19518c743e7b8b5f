"""Free times of a plan, ranked by how little they disturb; pure.

A plan is a few parts at fixed distances (two nights, a downtime within each). It may start at an instant when
each part lies in what is open to it and clear of what is taken. Both are turned into sets of *starts* by
shifting and narrowing the intervals, so whatever lies in the set is exact to the microsecond and nothing is
walked day by day. Disruption is a sum of loads; prefix sums give it for any start in O(log n).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate
from typing import Any

from fairway.kernel.period import Period
from fairway.scheduling.intervals import IntervalSet

INSTANT = timedelta(microseconds=1)
STEP = timedelta(minutes=30)
"""Starts are tried at multiples of this since 1970, and where a free stretch begins."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a plan: it begins so long after the plan's start and lasts so long."""

    offset: timedelta
    length: timedelta

    def at(self, start: datetime) -> Period:
        return Period(start + self.offset, start + self.offset + self.length)


class Measure(StrEnum):
    """How a load counts: by the hours that the plan overlaps it, or once for each of its spans met."""

    HOURS = "hours"
    TIMES = "times"


@dataclass(frozen=True, slots=True)
class Load:
    """Something that working at a time disturbs: `weight` points for each hour or each span met.

    `spans` of a load by hours are disjoint; those of one by times may overlap. `about`: what each span stands
    for, in the same order, or one for all.
    """

    name: str
    measure: Measure
    weight: float
    spans: tuple[Period, ...]
    about: tuple[Any, ...] = ()

    def met(self, part: Period) -> tuple[float, list[Any]]:
        """Return how much of it the period meets, in hours or times, and what that is about."""
        amount = 0.0
        about: list[Any] = []
        for place, span in enumerate(self.spans):
            common = part & span
            if common is None:
                continue
            amount += 1 if self.measure is Measure.TIMES else common.length / timedelta(hours=1)
            about += self.about if len(self.about) == 1 else self.about[place : place + 1]
        return amount, about


@dataclass(frozen=True, slots=True)
class Share:
    """What one load adds to a slot: so many hours or times, so many points, and what they are about."""

    load: Load
    amount: float
    points: float
    about: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """A free start; `points` is the expected disruption, the sum of its `shares`; fewer are better."""

    points: float
    start: datetime
    shares: tuple[Share, ...] = field(default=(), compare=False)


def inside(starts: IntervalSet, parts: Iterable[Part], opened: IntervalSet) -> IntervalSet:
    """Return those of the starts from which every part lies within one open interval."""
    for part in parts:
        starts &= IntervalSet.of_pairs(
            (period.start - part.offset, period.end - part.offset - part.length + INSTANT)
            for period in opened
            if period.end - period.start >= part.length
        )
    return starts


def clear(starts: IntervalSet, parts: Iterable[Part], taken: Collection[Period]) -> IntervalSet:
    """Return those of the starts from which no part overlaps what is taken; touching is no overlap."""
    for part in parts:
        starts -= IntervalSet.of_pairs(
            (period.start - part.offset - part.length + INSTANT, period.end - part.offset) for period in taken
        )
    return starts


def ranked(
    parts: Sequence[Part],
    starts: IntervalSet,
    loads: Sequence[Load],
    *,
    limit: int,
    soonest: bool = False,
    step: timedelta = STEP,
) -> list[Slot]:
    """Return the least disturbing starts of the plan, at most `limit`, best first; earlier before later.

    Slots do not overlap each other: of those that do, the better one stands. `soonest`: in the order of
    time, each the best within its own length.
    """
    weights = _Weights(loads)
    length = max(part.offset + part.length for part in parts)
    found = sorted(Slot(weights.of(parts, at), at) for at in _tried(starts, step))
    kept: list[datetime] = []
    best: list[Slot] = []
    for slot in found if not soonest else _apart(found, length):
        place = bisect_left(kept, slot.start)
        if place < len(kept) and kept[place] < slot.start + length:
            continue
        if place and kept[place - 1] + length > slot.start:
            continue
        insort(kept, slot.start)
        best.append(slot)
        if len(best) == limit:
            break
    return [Slot(slot.points, slot.start, shares(parts, slot.start, loads)) for slot in best]


def shares(parts: Sequence[Part], start: datetime, loads: Iterable[Load]) -> tuple[Share, ...]:
    """Return what each load adds to a slot, most first; those that add nothing are left out."""
    periods = [part.at(start) for part in parts]
    found = []
    for load in loads:
        met = [load.met(period) for period in periods]
        if amount := sum(amount for amount, _ in met):
            about = tuple(dict.fromkeys(one for _, some in met for one in some))
            found.append(Share(load, amount, amount * load.weight, about))
    return tuple(sorted(found, key=lambda share: (-share.points, share.load.name)))


def _tried(starts: IntervalSet, step: timedelta) -> Iterator[datetime]:
    """Give the starts to be weighed: the first of each stretch, and every multiple of the step in it."""
    for stretch in starts:
        at = stretch.start
        yield at
        epoch = datetime(1970, 1, 1, tzinfo=at.tzinfo)
        at += step - (at - epoch) % step
        while at < stretch.end:
            yield at
            at += step


def _apart(found: Sequence[Slot], length: timedelta) -> Iterator[Slot]:
    """Give the slots by time: of each stretch of this length the best, beginning at the earliest."""
    by_time = sorted(found, key=lambda slot: slot.start)
    place = 0
    while place < len(by_time):
        end = by_time[place].start + length
        last = place
        while last < len(by_time) and by_time[last].start < end:
            last += 1
        best = min(by_time[place:last])
        yield best
        while place < len(by_time) and by_time[place].start < best.start + length:
            place += 1


class _Weights:
    """All loads as prefix sums over time, so that any period is weighed with four binary searches."""

    def __init__(self, loads: Iterable[Load]) -> None:
        begins: list[tuple[datetime, float]] = []
        ends: list[tuple[datetime, float]] = []
        turns: dict[datetime, float] = {}
        for load in loads:
            for span in load.spans:
                if load.measure is Measure.TIMES:
                    begins.append((span.start, load.weight))
                    ends.append((span.end, load.weight))
                else:
                    turns[span.start] = turns.get(span.start, 0) + load.weight
                    turns[span.end] = turns.get(span.end, 0) - load.weight
        self._begins, self._begun = _summed(begins)
        self._ends, self._ended = _summed(ends)
        self._turns = sorted(turns)
        self._rates = list(accumulate(turns[at] for at in self._turns))
        self._areas = [0.0]
        for place in range(1, len(self._turns)):
            hours = (self._turns[place] - self._turns[place - 1]) / timedelta(hours=1)
            self._areas.append(self._areas[-1] + hours * self._rates[place - 1])

    def of(self, parts: Iterable[Part], start: datetime) -> float:
        total = 0.0
        for part in parts:
            first = start + part.offset
            last = first + part.length
            total += (
                self._begun[bisect_left(self._begins, last)] - self._ended[bisect_right(self._ends, first)]
            )
            if self._turns:
                total += self._area(last) - self._area(first)
        return round(total, 6)

    def _area(self, at: datetime) -> float:
        place = bisect_right(self._turns, at) - 1
        if place < 0:
            return 0.0
        return self._areas[place] + self._rates[place] * ((at - self._turns[place]) / timedelta(hours=1))


def _summed(pairs: list[tuple[datetime, float]]) -> tuple[list[datetime], list[float]]:
    pairs.sort()
    return [at for at, _ in pairs], [0.0, *accumulate(weight for _, weight in pairs)]
