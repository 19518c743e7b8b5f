"""Free slots of a plan in a year to come, beside the same statements and a bare walk over half hours."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import accumulate
from typing import Any

from django.db import connection

from fairway.bench import bare, plans, timing
from fairway.bench.capture import statements
from fairway.bench.floor import revived
from fairway.bench.shape import TODAY, Shape
from fairway.changes import queries as changes
from fairway.changes.queries import Offers, Proposal
from fairway.claims import queries as claims

BUDGET = 0.300
YEAR = timedelta(days=365)
LIMIT = 100
HALF = 1_800_000_000
PLANS = 8
"""How many plans of each kind are asked about."""


def rows(shape: Shape, steps: bare.Failure, rounds: int, requests: int) -> list[dict[str, Any]]:
    """Measure everyday plans and those on the most needed items; slots are the same whoever asks."""
    found = []
    for what, sets in (("everyday items", plans.everyday(shape)), ("hubs", plans.hubs(shape))):
        some = [plans.proposal(one) for one in sets[: min(PLANS, requests)]]
        found.append(_row(f"100 slots, {what}", some, rounds))
    return found


def _row(what: str, asked: list[Proposal], rounds: int) -> dict[str, Any]:
    offers = [_offers(one) for one in asked]
    for one, found in zip(asked, offers, strict=True):
        _check(one, found)
    measured = timing.compared(
        [partial(_offers, one) for one in asked],
        [_floor(one) for one in asked],
        rounds,
        in_process=connection.vendor == "sqlite",
    )
    counts = [len(one.offers) for one in offers]
    free = [len(one.starts) for one in offers]
    met = [
        len(claims.encounters(subject=one.subject, claims=changes.claims_of(_over_the_year(one))))
        for one in asked
    ]
    return measured.row(
        what,
        BUDGET,
        f"{len(asked)} plans of four hours; {min(counts)} to {max(counts)} slots of {min(free):,} to"
        f" {max(free):,} free stretches in 365 days (median {statistics.median(free):g});"
        f" {min(met):,} to {max(met):,} meetings weighed, none left out",
    )


def _offers(asked: Proposal) -> Offers:
    return changes.slots(asked, at=TODAY, within=YEAR, limit=LIMIT)


def _over_the_year(asked: Proposal) -> Proposal:
    return plans.stretched(asked, TODAY, TODAY + YEAR)


def _check(asked: Proposal, found: Offers) -> None:
    """Check that no slot is missing, and that the first and the last are none that the decision denies.

    :raises RuntimeError: one is.
    """
    if len(found.offers) < LIMIT:
        more = changes.slots(asked, at=TODAY, within=YEAR, limit=10 * LIMIT)
        if len(more.offers) != len(found.offers):
            raise RuntimeError(f"{len(found.offers)} slots were told of {len(more.offers)}")
    for offer in (*found.offers[:1], *found.offers[-1:]):
        moved = plans.moved(asked, offer.windows, offer.downtimes)
        if changes.assess(moved, at=TODAY).denied:
            raise RuntimeError(f"a slot was offered that is denied: {offer.windows}")


def _floor(asked: Proposal) -> Callable[[], list[int]]:
    """Return what runs the statements bare and walks the half hours of the year."""
    with statements() as ran:
        _offers(asked)
    queries = [(query, [revived(one) for one in params]) for query, params in ran]
    start, length = claims.micros(TODAY), asked.windows[0].length // timedelta(microseconds=HALF)
    items = set(asked.items)
    halves = YEAR // timedelta(minutes=30)

    def act() -> list[int]:
        cursor = connection.connection.cursor()
        closed, load = [0] * (halves + length + 1), [0.0] * (halves + length + 1)
        for query, params in queries:
            cursor.execute(query, params)
            for row in cursor.fetchall():
                if len(row) != 15:
                    continue
                first = min(max((row[8] - start) // HALF, 0), halves)
                last = min(max(-((start - row[9]) // HALF), first), halves)
                load[first] += 3
                load[last] -= 3
                if row[6] in items and row[11]:
                    closed[first] += 1
                    closed[last] -= 1
        cursor.close()
        taken, weights = list(accumulate(accumulate(closed))), list(accumulate(accumulate(load)))
        free = [
            half for half in range(halves) if taken[half + length - 1] == (taken[half - 1] if half else 0)
        ]
        free.sort(key=lambda half: weights[half + length - 1] - (weights[half - 1] if half else 0))
        kept: list[int] = []
        used = bytearray(halves + length)
        for half in free:
            if not any(used[half : half + length]):
                used[half : half + length] = b"\1" * length
                kept.append(half)
                if len(kept) == LIMIT:
                    break
        return kept

    return act
