"""Sets of instants as sorted, disjoint, half-open intervals."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from fairway.kernel.period import Period


@dataclass(frozen=True, slots=True)
class IntervalSet:
    """A set of instants in UTC: the union of the intervals [starts[i], ends[i]).

    Kept in normal form: sorted, none empty, none touching the next; so equal sets are equal values.
    Make one with `of`. Questions about an instant or a period take O(log n), joining two sets O(n).
    """

    starts: tuple[datetime, ...] = ()
    ends: tuple[datetime, ...] = ()

    @classmethod
    def of(cls, periods: Iterable[Period]) -> IntervalSet:
        """Return the union of periods given in any order."""
        return cls.of_pairs((period.start, period.end) for period in periods)

    @classmethod
    def of_pairs(cls, pairs: Iterable[tuple[datetime, datetime]]) -> IntervalSet:
        """Return the union of pairs (start, end) in UTC; a pair without length adds nothing."""
        starts: list[datetime] = []
        ends: list[datetime] = []
        for start, end in sorted(pairs):
            if start >= end:
                continue
            if ends and start <= ends[-1]:
                ends[-1] = max(ends[-1], end)
            else:
                starts.append(start)
                ends.append(end)
        return cls(tuple(starts), tuple(ends))

    def __iter__(self) -> Iterator[Period]:
        return (Period(start, end) for start, end in zip(self.starts, self.ends, strict=True))

    def __len__(self) -> int:
        return len(self.starts)

    def __or__(self, other: IntervalSet) -> IntervalSet:
        return IntervalSet.of_pairs((*self._pairs(), *other._pairs()))

    def __and__(self, other: IntervalSet) -> IntervalSet:
        starts: list[datetime] = []
        ends: list[datetime] = []
        mine = theirs = 0
        while mine < len(self.starts) and theirs < len(other.starts):
            start = max(self.starts[mine], other.starts[theirs])
            end = min(self.ends[mine], other.ends[theirs])
            if start < end:
                starts.append(start)
                ends.append(end)
            if self.ends[mine] <= other.ends[theirs]:
                mine += 1
            else:
                theirs += 1
        return IntervalSet(tuple(starts), tuple(ends))

    def __sub__(self, other: IntervalSet) -> IntervalSet:
        starts: list[datetime] = []
        ends: list[datetime] = []
        theirs = 0
        for start, end in self._pairs():
            while theirs < len(other.ends) and other.ends[theirs] <= start:
                theirs += 1
            cut = theirs
            while cut < len(other.starts) and other.starts[cut] < end:
                if start < other.starts[cut]:
                    starts.append(start)
                    ends.append(other.starts[cut])
                start = other.ends[cut]
                cut += 1
            if start < end:
                starts.append(start)
                ends.append(end)
        return IntervalSet(tuple(starts), tuple(ends))

    def __contains__(self, at: datetime) -> bool:
        index = bisect_right(self.starts, at) - 1
        return index >= 0 and at < self.ends[index]

    def covers(self, period: Period) -> bool:
        """Say whether every instant of the period is in the set."""
        index = bisect_right(self.starts, period.start) - 1
        return index >= 0 and period.end <= self.ends[index]

    def meets(self, period: Period) -> bool:
        """Say whether some instant of the period is in the set; touching is not meeting."""
        index = bisect_right(self.ends, period.start)
        return index < len(self.starts) and self.starts[index] < period.end

    def first_overlap(self, period: Period) -> Period | None:
        """Return the first part of the period that lies in the set, or None."""
        index = bisect_right(self.ends, period.start)
        if index == len(self.starts) or self.starts[index] >= period.end:
            return None
        return Period(max(self.starts[index], period.start), min(self.ends[index], period.end))

    def first_gap(self, period: Period) -> Period | None:
        """Return the first part of the period that lies outside the set, or None when it is covered."""
        start = self.next_outside(period.start)
        if start >= period.end:
            return None
        index = bisect_right(self.starts, start)
        end = min(self.starts[index], period.end) if index < len(self.starts) else period.end
        return Period(start, end)

    def next_inside(self, at: datetime) -> datetime | None:
        """Return the first instant from `at` on that is in the set, or None when there is none."""
        index = bisect_right(self.ends, at)
        return max(self.starts[index], at) if index < len(self.starts) else None

    def next_outside(self, at: datetime) -> datetime:
        """Return the first instant from `at` on that is not in the set; there always is one."""
        index = bisect_right(self.starts, at) - 1
        return self.ends[index] if index >= 0 and at < self.ends[index] else at

    def clip(self, period: Period) -> IntervalSet:
        """Return the part of the set that lies in the period."""
        return self & IntervalSet((period.start,), (period.end,))

    def _pairs(self) -> Iterator[tuple[datetime, datetime]]:
        return zip(self.starts, self.ends, strict=True)


EMPTY = IntervalSet()
