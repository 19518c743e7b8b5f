"""How environments and pools are shared: usage kinds, exclusive use and capacity; pure.

Two claims may overlap on one thing only if their kinds of use are declared compatible, neither is exclusive,
and all that overlap at any instant do not take more units than the thing bears. Touching is not overlapping.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from fairway.claims.rules import Claim, Lane, Strength
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref
from fairway.policy import Finding, Severity

USAGE = "claims.usage"
CAPACITY = "claims.capacity"
WAIVED_BY = ("environment manager",)

Compatible = Callable[[str, str], bool]
"""The matrix of usage kinds: whether two go together on one thing."""
Capacity = Callable[[int], int | None]
"""How many units a thing bears at a time, by its primary key; None: any number."""
Use = tuple[int, int, int, int, bool]
"""Start, end, the number of the claim, its units, and whether it is more than a draft."""


def shared_use(
    wanted: Iterable[Claim], held: Iterable[Claim], *, compatible: Compatible, capacity: Capacity
) -> list[Finding]:
    """Report what each wanted claim meets on its thing: one finding for each record and kind of meeting, and
    one for each stretch of time in which too much is taken.

    Compatible use is told too. A draft of somebody else holds up nobody: it warns, and takes no capacity.
    """
    lanes: dict[tuple[str, int], list[Claim]] = {}
    for claim in held:
        lanes.setdefault((claim.thing, claim.item), []).append(claim)
    asked: dict[tuple[str, int], list[Claim]] = {}
    for claim in wanted:
        asked.setdefault((claim.thing, claim.item), []).append(claim)
    met = _Met(compatible)
    found: list[Finding] = []
    for (_, thing), mine in asked.items():
        others = lanes.get((mine[0].thing, thing), [])
        for claim in mine:
            for other in others:
                met.note(claim, other)
        limit = capacity(thing)
        if limit is not None:
            found += _crowded(mine, others, limit)
    return sorted([*found, *met.told()], key=lambda finding: finding.order)


def use_of_all(
    lanes: Mapping[int, Sequence[Use]],
    claim: Callable[[int], Claim],
    *,
    compatible: Compatible,
    capacity: Capacity,
    instant: Callable[[Any], datetime],
) -> list[Finding]:
    """Report, in no order, what all claims on things of one kind meet.

    Each pair of records is told once for each kind of meeting, and each stretch of time in which the firm
    ones take more than the thing bears, with all who take part.

    `lanes`: how each thing is used, in numbers that `instant` turns into instants; `claim` gives the claim
    that a number stands for, and is asked for those alone that meet. A pair blocks where one of the two is
    blocked: between two drafts it warns.
    """
    met = _Met(compatible, of_pairs=True)
    found: list[Finding] = []
    for thing, uses in lanes.items():
        lane = Lane((start, end, number) for start, end, number, _, _ in uses)
        for place, (start, end, number) in enumerate(lane.spans):
            for other in lane.overlapping(start, end, before=place):
                one, another = claim(number), claim(other)
                if _by_source(one) <= _by_source(another):
                    met.note(one, another)
                else:
                    met.note(another, one)
        limit = capacity(thing)
        if limit is not None:
            found += _too_much([use for use in uses if use[4]], claim, limit, instant)
    return [*found, *met.told()]


def _by_source(claim: Claim) -> tuple[str, int]:
    return claim.source.kind, claim.source.pk or 0


class _Met:
    """What was met: of each two records, thing and severity the first overlap, and how many there are."""

    def __init__(self, compatible: Compatible, *, of_pairs: bool = False) -> None:
        self._compatible, self._of_pairs = compatible, of_pairs
        self._met: dict[tuple[Ref, Ref, int, Severity], tuple[Period, Claim, Claim, int]] = {}

    def note(self, claim: Claim, other: Claim) -> None:
        """Add the meeting of two claims to what was met, the first of equals in time being told."""
        if claim.source == other.source:
            return
        overlap = claim.period & other.period
        if overlap is None:
            return
        key = (claim.source, other.source, claim.item, self._severity(claim, other))
        before = self._met.get(key)
        if before is None:
            self._met[key] = (overlap, claim, other, 1)
        elif before[0] <= overlap:
            self._met[key] = (*before[:3], before[3] + 1)
        else:
            self._met[key] = (overlap, claim, other, before[3] + 1)

    def told(self) -> Iterator[Finding]:
        for (_, _, _, severity), (overlap, claim, other, times) in self._met.items():
            exclusive = claim.exclusive or other.exclusive
            yield Finding(
                USAGE,
                severity,
                (claim.source, other.source),
                overlap,
                params={
                    "usage": other.usage,
                    "wanted": claim.usage,
                    "exclusive": exclusive,
                    "overlaps": times,
                },
                waivable_by=WAIVED_BY if severity is Severity.BLOCK else (),
            )

    def _severity(self, claim: Claim, other: Claim) -> Severity:
        if not claim.exclusive and not other.exclusive and self._compatible(claim.usage, other.usage):
            return Severity.INFORM
        drafts = (claim, other) if self._of_pairs else (other,)
        draft = all(one.strength is Strength.TENTATIVE for one in drafts)
        return Severity.WARN if draft else Severity.BLOCK


def _too_much(
    uses: Sequence[Use], claim: Callable[[int], Claim], limit: int, instant: Callable[[Any], datetime]
) -> Iterator[Finding]:
    """Give a finding for each stretch of time in which all together take more than the limit."""
    edges = sorted(
        [(end, False, number, units) for _, end, number, units, _ in uses]
        + [(start, True, number, units) for start, _, number, units, _ in uses]
    )  # who leaves at an instant does so before others come
    here: dict[int, None] = {}
    taken = most = 0
    since: dict[int, None] | None = None
    begun = None
    for place, (at, comes, number, units) in enumerate(edges):
        if comes:
            here[number] = None
            taken += units
        else:
            del here[number]
            taken -= units
        if place + 1 < len(edges) and edges[place + 1][0] == at:
            continue
        if taken > limit:
            if since is None:
                since, most, begun = {}, 0, at
            since.update(here)
            most = max(most, taken)
        elif since is not None:
            parties = dict.fromkeys(claim(one).source for one in sorted(since))
            yield Finding(
                CAPACITY,
                Severity.BLOCK,
                tuple(parties),
                Period(instant(begun), instant(at)),
                params={"units": most, "capacity": limit},
                waivable_by=WAIVED_BY,
            )
            since = None


def _crowded(mine: list[Claim], others: list[Claim], limit: int) -> Iterator[Finding]:
    """Give a finding for each stretch of time in which a wanted claim and the others take too much."""
    firm = [other for other in others if other.strength is not Strength.TENTATIVE]
    for source in dict.fromkeys(claim.source for claim in mine):
        own = [claim for claim in mine if claim.source == source]
        all_ = [*own, *(other for other in firm if other.source != source)]
        edges = sorted({at for claim in all_ for at in (claim.period.start, claim.period.end)})
        over: list[tuple[datetime, datetime, int, tuple[Claim, ...]]] = []
        for start, end in pairwise(edges):
            here = tuple(c for c in all_ if c.period.start <= start and c.period.end >= end)
            units = sum(claim.units for claim in here)
            if units > limit and any(claim.source == source for claim in here):
                if over and over[-1][1] == start:
                    first, _, most, together = over[-1]
                    over[-1] = (first, end, max(most, units), tuple(dict.fromkeys((*together, *here))))
                else:
                    over.append((start, end, units, here))
        for start, end, units, here in over:
            parties = dict.fromkeys((source, *(claim.source for claim in here)))
            yield Finding(
                CAPACITY,
                Severity.BLOCK,
                tuple(parties),
                Period(start, end),
                params={"units": units, "capacity": limit},
                waivable_by=WAIVED_BY,
            )
