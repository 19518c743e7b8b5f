"""Free times of a plan, ranked by how little they disturb; pure.

A plan is a few parts at fixed distances (two nights, a downtime within each). It may start at an instant when
each part lies in what is open to it and clear of what is taken. Both are turned into sets of *starts* by
shifting and narrowing the intervals, so whatever lies in the set is exact to the microsecond and nothing is
walked day by day. Disruption is a sum of loads; prefix sums give it for any start in O(log n).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import accumulate, pairwise
from typing import Any

from fairway.kernel.period import Period
from fairway.scheduling.intervals import IntervalSet

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
HOUR = 3_600_000_000
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
    weigh = _Weights(loads, parts).of
    length = _micros(max(part.offset + part.length for part in parts))
    found = sorted((weigh(at), at) for at in _tried(starts, _micros(step)))
    kept: list[int] = []
    best: list[tuple[float, int]] = []
    for points, at in found if not soonest else _apart(found, length):
        place = bisect_left(kept, at)
        if place < len(kept) and kept[place] < at + length:
            continue
        if place and kept[place - 1] + length > at:
            continue
        kept.insert(place, at)
        best.append((points, at))
        if len(best) == limit:
            break
    lanes = [_Lane(load) for load in loads]
    chosen = [(points, EPOCH + at * INSTANT) for points, at in best]
    return [Slot(points, start, _shares(parts, start, lanes)) for points, start in chosen]


def shares(parts: Sequence[Part], start: datetime, loads: Iterable[Load]) -> tuple[Share, ...]:
    """Return what each load adds to a slot, most first; those that add nothing are left out."""
    return _shares(parts, start, [_Lane(load) for load in loads])


def _shares(parts: Sequence[Part], start: datetime, lanes: Iterable[_Lane]) -> tuple[Share, ...]:
    periods = [part.at(start) for part in parts]
    found = []
    for lane in lanes:
        load = lane.load
        met = [lane.met(period) for period in periods]
        if amount := sum(amount for amount, _ in met):
            about = tuple(dict.fromkeys(one for _, some in met for one in some))
            found.append(Share(load, amount, amount * load.weight, about))
    return tuple(sorted(found, key=lambda share: (-share.points, share.load.name)))


class _Lane:
    """The spans of a load by start, ready to be asked which of them a period meets."""

    def __init__(self, load: Load) -> None:
        self.load = load
        order = sorted(range(len(load.spans)), key=lambda place: load.spans[place])
        self._spans = [load.spans[place] for place in order]
        self._several = len(load.about) > 1
        self._about = [load.about[place] for place in order] if self._several else list(load.about)
        self._starts = [span.start for span in self._spans]
        # the latest end of all spans up to here: where it is passed, no earlier one can be met
        self._furthest = list(accumulate((span.end for span in self._spans), max))

    def met(self, part: Period) -> tuple[float, list[Any]]:
        """Return how much of the load the period meets, and what that is about, by start."""
        places = []
        place = bisect_left(self._starts, part.end)
        while place > 0 and self._furthest[place - 1] > part.start:
            place -= 1
            if self._spans[place].end > part.start:
                places.append(place)
        places.reverse()
        if self.load.measure is Measure.TIMES:
            amount = float(len(places))
        else:
            common = (part & self._spans[place] for place in places)
            amount = sum(one.length / timedelta(hours=1) for one in common if one is not None)
        if self._several:
            return amount, [self._about[place] for place in places]
        return amount, self._about if places else []


def _micros(length: timedelta) -> int:
    return length // INSTANT


def _tried(starts: IntervalSet, step: int) -> Iterator[int]:
    """Give the starts to be weighed: the first of each stretch, and every multiple of the step in it."""
    for stretch in starts:
        at, end = _micros(stretch.start - EPOCH), _micros(stretch.end - EPOCH)
        yield at
        yield from range(at + step - at % step, end, step)


def _apart(found: Sequence[tuple[float, int]], length: int) -> Iterator[tuple[float, int]]:
    """Give the weighed starts by time: of each stretch of this length the best, from the earliest on."""
    by_time = sorted(found, key=lambda pair: pair[1])
    place = 0
    while place < len(by_time):
        end = by_time[place][1] + length
        last = place
        while last < len(by_time) and by_time[last][1] < end:
            last += 1
        best = min(by_time[place:last])
        yield best
        while place < len(by_time) and by_time[place][1] < best[1] + length:
            place += 1


class _Weights:
    """All loads as prefix sums over time, so that a start is weighed with four binary searches a part.

    Times are microseconds since 1970.
    """

    def __init__(self, loads: Iterable[Load], parts: Iterable[Part]) -> None:
        self._parts = [(_micros(part.offset), _micros(part.offset + part.length)) for part in parts]
        begins: list[tuple[int, float]] = []
        ends: list[tuple[int, float]] = []
        turns: dict[int, float] = {}
        for load in loads:
            for span in load.spans:
                start, end = _micros(span.start - EPOCH), _micros(span.end - EPOCH)
                if load.measure is Measure.TIMES:
                    begins.append((start, load.weight))
                    ends.append((end, load.weight))
                else:
                    turns[start] = turns.get(start, 0) + load.weight
                    turns[end] = turns.get(end, 0) - load.weight
        self._begins, self._begun = _summed(begins)
        self._ends, self._ended = _summed(ends)
        self._turns = sorted(turns)
        self._rates = list(accumulate(turns[at] for at in self._turns))
        self._areas = [0.0]
        for (before, at), rate in zip(pairwise(self._turns), self._rates, strict=False):
            self._areas.append(self._areas[-1] + (at - before) / HOUR * rate)

    def of(self, start: int) -> float:
        total = 0.0
        for offset, end in self._parts:
            first, last = start + offset, start + end
            total += self._begun[bisect_left(self._begins, last)]
            total -= self._ended[bisect_right(self._ends, first)]
            if self._turns:
                total += self._area(last) - self._area(first)
        return round(total, 6)

    def _area(self, at: int) -> float:
        place = bisect_right(self._turns, at) - 1
        if place < 0:
            return 0.0
        return self._areas[place] + self._rates[place] * ((at - self._turns[place]) / HOUR)


def _summed(pairs: list[tuple[int, float]]) -> tuple[list[int], list[float]]:
    pairs.sort()
    return [at for at, _ in pairs], [0.0, *accumulate(weight for _, weight in pairs)]
