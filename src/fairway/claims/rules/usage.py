"""How environments and pools are shared: usage kinds, exclusive use and capacity; pure.

Two claims may overlap on one thing only if their kinds of use are declared compatible, neither is exclusive,
and all that overlap at any instant do not take more units than the thing bears. Touching is not overlapping.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

from fairway.claims.rules import Claim, Strength
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
    met: dict[tuple[Ref, Ref, int, str], tuple[Finding, int]] = {}
    found: list[Finding] = []
    for (_, thing), mine in asked.items():
        others = lanes.get((mine[0].thing, thing), [])
        for claim in mine:
            for other in others:
                _note(met, claim, other, compatible)
        limit = capacity(thing)
        if limit is not None:
            found += _crowded(mine, others, limit)
    found += [finding for finding, _ in met.values()]
    return sorted(found, key=lambda finding: finding.order)


def _note(
    met: dict[tuple[Ref, Ref, int, str], tuple[Finding, int]],
    claim: Claim,
    other: Claim,
    compatible: Compatible,
) -> None:
    """Add the meeting of two claims to what was met, the first of equals in time being told."""
    overlap = claim.period & other.period
    if overlap is None or claim.source == other.source:
        return
    exclusive = claim.exclusive or other.exclusive
    shared = not exclusive and compatible(claim.usage, other.usage)
    draft = other.strength is Strength.TENTATIVE
    severity = Severity.INFORM if shared else Severity.WARN if draft else Severity.BLOCK
    params: dict[str, Any] = {"usage": other.usage, "wanted": claim.usage, "exclusive": exclusive}
    key = (claim.source, other.source, claim.item, severity)
    before = met.get(key)
    times = 1 if before is None else before[1] + 1
    if before is not None and before[0].interval is not None and before[0].interval <= overlap:
        told = before[0]
    else:
        told = Finding(
            USAGE, severity, (claim.source, other.source), overlap, params=params,
            waivable_by=() if shared or draft else WAIVED_BY,
        )  # fmt: skip
    told = Finding(
        told.rule, told.severity, told.parties, told.interval, params={**told.params, "overlaps": times},
        waivable_by=told.waivable_by,
    )  # fmt: skip
    met[key] = (told, times)


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
