"""Which claims on things and time conflict, and why; pure.

A claim takes an item, in one environment or wherever it stands, for a period; or an environment as such, a
pool, or a person's time. Two claims of different records conflict when their periods overlap and they are

* on the same item at the same place (`claims.same_item`), or
* on two items where the failure of one reaches the other within three steps, inside one environment or
  through an item that all environments share (`claims.related_item`). Items that merely need the same third
  one are not related: neither's failure reaches the other. Or they are
* on the time of the same person (`claims.person`).

How environments and pools are shared is told by `rules.usage`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import Any, Protocol

from fairway.kernel.period import Period
from fairway.kernel.refs import Ref
from fairway.policy import Finding, Severity

SAME_ITEM = "claims.same_item"
RELATED_ITEM = "claims.related_item"
PERSON = "claims.person"
DEPTH = 3
"""Steps within which the failure of one item counts for another."""
WAIVED_BY = ("change manager",)


class Reach(Protocol):
    """What a walk found: item -> (steps, the item before it), and the whole way to each.

    `strained`: groups of redundancy that it met, if any.
    """

    @property
    def strained(self) -> Mapping[int, int]: ...
    def __contains__(self, item: object, /) -> bool: ...
    def __iter__(self) -> Iterator[int]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, item: int, /) -> tuple[int, int]: ...
    def items(self) -> Iterable[tuple[int, tuple[int, int]]]: ...
    def way(self, goal: int) -> tuple[int, ...]:
        """Return the way from where the walk started, both ends included."""


Walk = Callable[[int, int], Reach]
"""Walks from an item for so many steps; neighbours in the order of their keys, the first item left out."""
Falling = Callable[[Mapping[int, int], int], Reach]
"""Walks from items that fall by themselves, each after so many steps, up to so many steps in all."""


class Strength(StrEnum):
    """How firmly a record holds: `tentative` as a draft, which holds up nobody."""

    TENTATIVE = "tentative"
    REQUESTED = "requested"
    APPROVED = "approved"
    ACTIVE = "active"


class Thing(StrEnum):
    """What a claim is on."""

    ITEM = "item"
    ENVIRONMENT = "environment"
    PERSON = "person"
    POOL = "pool"


@dataclass(frozen=True, slots=True)
class Claim:
    """One record's hold on a thing for a period; `item` is its primary key, whatever kind of thing it is.

    `environment` None: wherever the item stands. `exclusive`: the thing is down or out of reach for others.
    `usage`: as what kind of use it is shared, and `units`: how much of its capacity is taken by that.
    """

    source: Ref
    item: int
    environment: int | None
    period: Period
    strength: Strength = Strength.TENTATIVE
    exclusive: bool = False
    thing: Thing = Thing.ITEM
    usage: str = ""
    units: int = 1

    def meets(self, other: Claim, shared: Collection[int]) -> bool:
        """Say whether both are on the same item at the same place; shared items have one place only."""
        return (self.thing, self.item) == (other.thing, other.item) and (
            self.environment == other.environment
            or None in (self.environment, other.environment)
            or self.item in shared
        )


class Relations:
    """How items stand to each other along the direction of failure; remembers what it has walked.

    `downstream` walks to what an item's failure reaches, `upstream` to what an item needs, `before` gives
    what is one step up; `falling` walks, where there is redundancy, from several that fall one after the
    other. What is remembered is bounded: some 200,000 items found, about 30 MB.
    """

    MOST_KEPT = 200_000
    MOST_SWEPT = 500_000
    MOST_PATHS = 20_000

    def __init__(
        self,
        *,
        downstream: Walk,
        upstream: Walk,
        before: Callable[[int], Iterable[int]],
        is_shared: Callable[[int], bool],
        falling: Falling | None = None,
        depth: int = DEPTH,
    ) -> None:
        self.depth = depth
        self._falling = falling
        self._before = before
        self.is_shared = is_shared
        self._walks = (downstream, upstream)
        self._shared: dict[tuple[int, bool], tuple[tuple[int, int], ...]] = {}
        self._paths: dict[tuple[int, int, bool], tuple[int, ...]] = {}
        self._last = (0, 0)
        self._known: dict[tuple[int, bool], Reach] = {}
        self._around: dict[int, frozenset[int]] = {}
        self._apart: dict[tuple[int, int], bool] = {}
        self._below: dict[int, frozenset[int]] = {}
        self._kept = self._swept = 0

    def downstream(self, item: int) -> Reach:
        return self._walked(item, up=False)

    def upstream(self, item: int) -> Reach:
        return self._walked(item, up=True)

    def below(self, item: int) -> frozenset[int]:
        """Return all that the item's failure reaches, for a sweep over thousands of them.

        Kept apart from the walks, in a tenth of their room: up to 500,000 items found, about 20 MB. What
        comes after that is walked each time.
        """
        known = self._below.get(item)
        if known is None:
            known = frozenset(self._walks[False](item, self.depth))
            if self._swept < self.MOST_SWEPT:
                self._below[item] = known
                self._swept += len(known) + 1
        return known

    def around(self, item: int) -> frozenset[int]:
        """Return the item and all that its failure reaches, or whose failure reaches it."""
        known = self._around.get(item)
        if known is None:
            known = frozenset((item, *self.downstream(item), *self.upstream(item)))
            self._around[item] = known
            self._kept += len(known)
        return known

    def joins(self, one: int, other: int) -> bool:
        """Say whether the failure of either item reaches the other."""
        return other in self.downstream(one) or other in self.upstream(one)

    def meet_apart(self, one: int, other: int) -> bool:
        """Say whether work on the two in different environments meets: on or through a shared item."""
        if one == other:
            return self.is_shared(one)
        known = self._apart.get((one, other))
        if known is None:
            if len(self._apart) > self.MOST_KEPT:
                self._apart.clear()
            known = self._apart[one, other] = bool(self.path(one, other, through_shared=True))
        return known

    def path(self, one: int, other: int, *, through_shared: bool) -> tuple[int, ...]:
        """Return how failure travels between two items, from the failing to the reached one, or nothing.

        The shortest way within the depth; of several the one that is least by keys, read from the reached
        item, so it does not depend on which of the two is asked about first. `through_shared`: some item on
        it, an end included, must be one that all environments share.
        """
        if (one, False) not in self._known and ((other, False) in self._known or other in self._last):
            one, other = other, one  # either way it is the same; one may have been walked from, or will be
        self._last = (one, other)
        known = self._paths.get((one, other, through_shared))
        if known is not None:
            return known
        there, back = self._down(one, other, through_shared), self._back(one, other, through_shared)
        found = min(there, back, key=lambda way: (len(way), way)) if there and back else there or back
        if len(self._paths) >= self.MOST_PATHS:
            self._paths.clear()
        self._paths[one, other, through_shared] = found
        return found

    def _down(self, failing: int, reached: int, through_shared: bool) -> tuple[int, ...]:
        """Return the way from an item that was walked from, along what it reached."""
        below = self.downstream(failing)
        if reached not in below:
            return ()
        if self._falling is not None and below.strained:
            return self._way(failing, reached, through_shared=through_shared)
        if not through_shared or self.is_shared(failing) or self.is_shared(reached):
            return self._along(failing, below, reached)
        best: tuple[int, tuple[int, ...]] | None = None
        for passed, steps in self._shared_in(failing, below, up=False):
            onward = self.downstream(passed)
            if reached not in onward:
                continue
            length = steps + onward[reached][0]
            if length > self.depth or (best is not None and length > best[0]):
                continue
            way = self._along(failing, below, passed) + self._along(passed, onward, reached)[1:]
            if best is None or (length, way[::-1]) < (best[0], best[1][::-1]):
                best = (length, way)
        return best[1] if best else ()

    def _back(self, reached: int, failing: int, through_shared: bool) -> tuple[int, ...]:
        """Return the way to an item that was walked from, along what it needs."""
        if failing not in self.upstream(reached):
            return ()
        return self._way(failing, reached, through_shared=through_shared)

    def _along(self, start: int, below: Reach, goal: int) -> tuple[int, ...]:
        """Return of the shortest ways of a walk down the one that is least by keys, read from its end."""
        way = [goal]
        for steps in range(below[goal][0] - 1, 0, -1):
            way.append(
                min(here for here in self._before(way[-1]) if here in below and below[here][0] == steps)
            )
        return (start, *way[::-1])

    def _way(self, failing: int, reached: int, *, through_shared: bool) -> tuple[int, ...]:
        found = self.upstream(reached)
        if failing not in found:
            return ()
        if not through_shared or self.is_shared(failing) or self.is_shared(reached):
            return found.way(failing)[::-1]
        if self._falling is not None and (below := self.downstream(failing)).strained:
            return self._crossing(below, reached, self._falling)
        best: tuple[int, tuple[int, ...]] | None = None
        for passed, steps in self._shared_in(reached, found, up=True):
            if best is not None and steps >= best[0]:
                break
            onward = self.upstream(passed)
            if failing not in onward:
                continue
            length = steps + onward[failing][0]
            if length > self.depth or (best is not None and length > best[0]):
                continue
            way = onward.way(failing)[::-1] + found.way(passed)[-2::-1]
            if best is None or (length, way[::-1]) < (best[0], best[1][::-1]):
                best = (length, way)
        return best[1] if best else ()

    def _shared_in(self, item: int, reach: Reach, *, up: bool) -> tuple[tuple[int, int], ...]:
        """Return the shared items among those that were reached, each with the steps to it, nearest first."""
        known = self._shared.get((item, up))
        if known is None:
            if len(self._shared) >= self.MOST_KEPT:
                self._shared.clear()
            some = ((steps, passed) for passed, (steps, _) in reach.items() if self.is_shared(passed))
            known = self._shared[item, up] = tuple((passed, steps) for steps, passed in sorted(some))
        return known

    def _crossing(self, below: Reach, reached: int, falling: Falling) -> tuple[int, ...]:
        """Return how failure travels to an item in another environment where redundancy has a say.

        What falls there is what the shared items take down by themselves, each from when it has fallen here:
        a member that fell in this environment alone still stands in the other one.
        """
        over = {item: below[item][0] for item in below if self.is_shared(item)}
        there = falling(over, self.depth)
        if reached not in there:
            return ()
        way = there.way(reached)
        return (*below.way(way[0]), *way[1:])

    def _walked(self, item: int, *, up: bool) -> Reach:
        known = self._known.get((item, up))
        if known is None:
            known = self._walks[up](item, self.depth)
            if self._kept > self.MOST_KEPT:
                self._known.clear()
                self._around.clear()
                self._kept = 0
            self._known[item, up] = known
            self._kept += len(known) + 1
        return known


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two claims of different records that conflict; `path` from the first one's item to the other's.

    `failing`: the item whose failure reaches the other; None where both are on the same thing.
    """

    rule: str
    one: Claim
    other: Claim
    overlap: Period
    path: tuple[int, ...]
    failing: int | None = None

    @property
    def exclusive(self) -> bool:
        return self.one.exclusive or self.other.exclusive

    @property
    def drafts(self) -> list[str]:
        """Say which of the two sides is only a draft: `subject` (the first), `other`."""
        sides = (("subject", self.one), ("other", self.other))
        return [side for side, claim in sides if claim.strength is Strength.TENTATIVE]

    @property
    def weight(self) -> tuple[object, ...]:
        """Which of several meetings of two records is told: the worst, then the first, then the nearest."""
        blocks = self.rule == SAME_ITEM and self.exclusive
        return (not blocks, self.overlap, len(self.path), self.path)

    def turned(self) -> Meeting:
        """Return the same conflict from the other one's side."""
        return Meeting(self.rule, self.other, self.one, self.overlap, self.path[::-1], self.failing)


def meet(one: Claim, other: Claim, relations: Relations) -> Meeting | None:
    """Return how two claims conflict, or None; a record never conflicts with itself."""
    if one.source == other.source:
        return None
    overlap = one.period & other.period
    if overlap is None or one.thing is not other.thing:
        return None
    if one.thing is Thing.PERSON:
        return Meeting(PERSON, one, other, overlap, (one.item,)) if one.item == other.item else None
    if one.thing is not Thing.ITEM:
        return None  # how these are shared is another question
    apart = one.environment != other.environment and None not in (one.environment, other.environment)
    if one.item == other.item:
        if apart and not relations.is_shared(one.item):
            return None
        return Meeting(SAME_ITEM, one, other, overlap, (one.item,))
    path = relations.path(one.item, other.item, through_shared=apart)
    if not path:
        return None
    way = path if path[0] == one.item else path[::-1]
    return Meeting(RELATED_ITEM, one, other, overlap, way, failing=path[0])


def meetings(claims: Iterable[Claim], others: Iterable[Claim], relations: Relations) -> Iterator[Meeting]:
    """Give every conflict of a claim of one record with a claim of another one."""
    own: dict[int, list[Claim]] = {}
    busy: dict[int, list[Claim]] = {}
    for claim in claims:
        lane = own if claim.thing is Thing.ITEM else busy if claim.thing is Thing.PERSON else {}
        lane.setdefault(claim.item, []).append(claim)
    for other in others:
        if other.thing is not Thing.ITEM:
            for claim in busy.get(other.item, ()) if other.thing is Thing.PERSON else ():
                if met := meet(claim, other, relations):
                    yield met
            continue
        for item, mine in own.items():
            if other.item == item or relations.joins(item, other.item):
                for claim in mine:
                    if met := meet(claim, other, relations):
                        yield met


def findings(
    met: Iterable[Meeting],
    name: Callable[[int], Ref],
    subject: Ref | None = None,
    *,
    of_pairs: bool = False,
    person: Callable[[int], Ref] = lambda pk: Ref("user", str(pk), pk=pk),
) -> list[Finding]:
    """Sum up conflicts: one finding for each rule and pair of records, with how often and on which items.

    Its interval is the first overlap among the worst ones. `name`, `person`: the reference to an item, to a
    person. `subject`: the reference told of the asking
    record; None: that of its claims.

    Where one takes the item down, the other's hold blocks the asking record, unless the other is a draft:
    what nobody has asked for yet holds up nobody. So a draft is blocked by what an approved change is warned
    of. `of_pairs`: each finding is about both; it blocks where one of the two is blocked.
    """
    found = summed(met, name, subject, of_pairs=of_pairs, person=person)
    return sorted(found, key=lambda finding: finding.order)


def summed(
    met: Iterable[Meeting],
    name: Callable[[int], Ref],
    subject: Ref | None = None,
    *,
    of_pairs: bool = False,
    person: Callable[[int], Ref] = lambda pk: Ref("user", str(pk), pk=pk),
) -> list[Finding]:
    """Sum up conflicts as `findings`, in no order."""
    pairs: dict[tuple[str, Ref, Ref], list[Meeting]] = {}
    for meeting in met:
        pairs.setdefault((meeting.rule, meeting.one.source, meeting.other.source), []).append(meeting)
    found = []
    for (rule, one, other), some in pairs.items():
        worst = min(some, key=lambda meeting: meeting.weight)
        if rule == PERSON:
            found.append(_double_booked(subject or one, other, worst, some, person))
            continue
        exclusive = rule == SAME_ITEM and worst.exclusive
        params: dict[str, Any] = {
            "overlaps": len(some) if len(some) == 1 else _apart({meeting.overlap for meeting in some}),
            "items": sorted({name(meeting.path[0]).key for meeting in some}),
        }
        blocks = exclusive and "other" not in worst.drafts
        if rule == SAME_ITEM:
            params["exclusive"] = exclusive
            if exclusive and worst.drafts:
                params["drafts"] = worst.drafts
                blocks = blocks or (of_pairs and "subject" not in worst.drafts)
        else:
            params["others"] = sorted({name(meeting.path[-1]).key for meeting in some})
            params["failing"] = name(worst.failing).key if worst.failing is not None else ""
            params["reaches"] = "other" if worst.failing == worst.path[0] else "subject"
        found.append(
            Finding(
                rule,
                Severity.BLOCK if blocks else Severity.WARN,
                (subject or one, other),
                worst.overlap,
                path=tuple(name(item) for item in worst.path),
                params=params,
                waivable_by=WAIVED_BY if rule == SAME_ITEM else (),
                named=tuple({name(item): None for met in some for item in (met.path[0], met.path[-1])}),
            )
        )
    return found


def _double_booked(
    one: Ref, other: Ref, worst: Meeting, some: Sequence[Meeting], person: Callable[[int], Ref]
) -> Finding:
    people = list(dict.fromkeys(person(pk) for pk in sorted({meeting.path[0] for meeting in some})))
    return Finding(
        PERSON,
        Severity.WARN,
        (one, other),
        worst.overlap,
        path=(person(worst.path[0]),),
        params={
            "overlaps": _apart({meeting.overlap for meeting in some}),
            "names": [ref.name or ref.key for ref in people],
        },
        named=tuple(people),
    )


def _apart(periods: Collection[Period]) -> int:
    """Return how many times the two meet: what lies within or across another is the same time."""
    times, last = 0, None
    for period in sorted(periods):
        if last is None or period.start >= last:
            times += 1
        last = period.end if last is None else max(last, period.end)
    return times


Span = tuple[Any, Any, int]
"""Start and end (numbers or instants, half-open), and a number that stands for a claim."""


class Lane:
    """The spans on one item, sorted by start, ready to be asked which of them overlap another."""

    __slots__ = ("furthest", "spans", "starts")

    def __init__(self, spans: Iterable[Span]) -> None:
        self.spans = sorted(spans)
        self.starts = [start for start, _, _ in self.spans]
        # the latest end of all spans up to here: where it is passed, no earlier one can overlap
        self.furthest = list(accumulate((end for _, end, _ in self.spans), max))

    def overlapping(self, start: Any, end: Any, *, before: int | None = None) -> Iterator[int]:
        """Give the numbers of the spans that overlap [start, end), those begun last first.

        `before`: only of so many first spans. It costs a search and what was found, unless a long span makes
        it walk further back.
        """
        place = bisect_left(self.starts, end) if before is None else before
        while place > 0 and self.furthest[place - 1] > start:
            place -= 1
            if self.spans[place][1] > start:
                yield self.spans[place][2]


def sweep(
    spans: Mapping[int, Sequence[Span]], relations: Relations, own: Collection[int] | None = None
) -> Iterator[tuple[int, int]]:
    """Give every two claims that overlap on one item or on two that failure joins, each pair once.

    `spans` are those of each item. Sources and places are left to `meet`. Of items that failure joins, few
    are worked on at the same time: each item's stretches of time are bits of a number, and where two numbers
    have none in common nothing overlaps. `own`: pairs of which neither is among these may be left out.
    """
    busy, lanes, things = _busy(spans), _Lanes(spans), frozenset(spans)
    if own is not None and 2 * len(own) < sum(map(len, spans.values())):
        yield from _beside(lanes, busy, relations, own)
        return
    for item, some in spans.items():
        if len(some) > 1:
            lane = lanes[item]
            for place, (start, end, number) in enumerate(lane.spans):
                if place and lane.furthest[place - 1] > start:
                    for other in lane.overlapping(start, end, before=place):
                        yield other, number
        mine = busy[item]
        for reached in things & relations.below(item):
            if busy[reached] & mine and (item < reached or item not in relations.below(reached)):
                # where each reaches the other, the pair is taken at the lesser key
                yield from _both(lanes[item], lanes[reached])


class _Lanes(dict[int, Lane]):
    """The lanes of items, made when they are asked for: most items meet nothing."""

    def __init__(self, spans: Mapping[int, Sequence[Span]]) -> None:
        self.spans = spans

    def __missing__(self, item: int) -> Lane:
        lane = self[item] = Lane(self.spans[item])
        return lane


def _both(one: Lane, other: Lane) -> Iterator[tuple[int, int]]:
    """Give every two that overlap on two lanes."""
    short, long = (one, other) if len(one.starts) < len(other.starts) else (other, one)
    starts, furthest = long.starts, long.furthest
    for start, end, number in short.spans:
        place = bisect_left(starts, end)
        if place and furthest[place - 1] > start:
            for found in long.overlapping(start, end, before=place):
                yield number, found


def _beside(
    lanes: _Lanes, busy: Mapping[int, int], relations: Relations, own: Collection[int]
) -> Iterator[tuple[int, int]]:
    """Give every pair one of which is among these, walking from the items of these alone."""
    for item, some in lanes.spans.items():
        mine = [span for span in some if span[2] in own]
        if not mine:
            continue
        there = relations.around(item) & lanes.spans.keys()
        near = [lanes[other] for other in there if busy[other] & busy[item]]  # the item's own among them
        for start, end, number in mine:
            for lane in near:
                for other in lane.overlapping(start, end):
                    # two of these meet twice, once from either side: the pair is taken at the lesser number
                    if other != number and (other > number or other not in own):
                        yield number, other


STRETCHES = 4_096


def _busy(spans: Mapping[int, Sequence[Span]]) -> dict[int, int]:
    """Return for each item, as bits, the stretches of time that its spans touch.

    As many spans begin in one stretch as in another, so that they tell crowded nights apart.
    """
    begins = sorted([start for some in spans.values() for start, _, _ in some])
    edges = begins[:: len(begins) // STRETCHES + 1]
    found = {}
    for item, some in spans.items():
        bits = 0
        for start, end, _ in some:
            first, last = bisect_left(edges, start), bisect_left(edges, end)
            bits |= (2 << last) - (1 << first)
        found[item] = bits
    return found
