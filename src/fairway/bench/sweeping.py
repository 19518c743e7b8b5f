"""The full sweep: every conflict of all that changes and bookings hold, beside bare SQL and bare loops."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

from django.db import connection

from fairway.accounts import queries as people
from fairway.bench import bare, bookings, timing, world
from fairway.bench.shape import Shape
from fairway.claims import queries as claims
from fairway.kernel.actor import SYSTEM, Actor
from fairway.policy import Finding

BUDGET = 10.0
ROUNDS = 3
"""Turns of it last seconds; more would add nothing but time."""


def rows(shape: Shape, steps: bare.Failure, rounds: int, requests: int) -> list[dict[str, Any]]:
    """Measure the sweep as somebody with few branches and as somebody with all; the floor once for both."""
    found = []
    for label, email in (("5 branches", world.FEW), ("all branches", world.ALL)):
        actor = people.person(people.user(SYSTEM, email))
        clashes, use = sweep(actor)
        detail = ""
        if email == world.ALL:
            detail = _checked(clashes, use, steps)
        measured = timing.compared(
            [partial(sweep, actor)],
            [partial(_floor, steps)],
            min(rounds, ROUNDS),
            in_process=connection.vendor == "sqlite",
        )
        counts = Counter(one.rule for one in (*(clash.finding for clash in clashes), *use))
        told = ", ".join(f"{count:,} {rule}" for rule, count in sorted(counts.items()))
        found.append(
            measured.row(
                f"full sweep, {label}", BUDGET, f"told {told or 'nothing'}; none left out{detail}", share=1
            )
        )
    return found


def sweep(actor: Actor) -> tuple[list[claims.Clash], list[Finding]]:
    """Return all conflicts that the actor is told."""
    sees = people.access(actor).sees
    use = [
        finding.redacted(sees)
        for finding in claims.contentions(compatible=bookings.compatible, capacity=bookings.capacity)
        if any(map(sees, finding.parties))
    ]
    return claims.conflicts(actor), use


def _rows() -> list[tuple[Any, ...]]:
    cursor = connection.connection.cursor()
    cursor.execute(
        "SELECT source_kind, source_id, source_key, source_name, source_uid, organisation_id, thing_id,"
        " environment_id, starts, ends, strength, exclusive, thing, usage, units FROM claims_claimrow"
    )
    found: list[tuple[Any, ...]] = cursor.fetchall()
    cursor.close()
    return found


def _floor(steps: bare.Failure) -> tuple[set[bare.Pair], set[bare.Pair], int]:
    return bare.sweep(
        _rows(),
        *steps,
        compatible=bookings.compatible,
        capacity=bookings.capacity,
        things=(claims.THINGS.index(claims.Thing.ITEM), claims.THINGS.index(claims.Thing.PERSON)),
    )


def _checked(clashes: list[claims.Clash], use: list[Finding], steps: bare.Failure) -> str:
    """Compare what is told with what the bare algorithm finds.

    :raises RuntimeError: they are not the same.
    """
    met, shared, crowded = _floor(steps)
    told = {
        (clash.finding.rule, *sorted((party.kind, party.pk or 0) for party in clash.finding.parties))
        for clash in clashes
    }
    used = {
        (f"{one.rule} {one.severity}", *sorted((party.kind, party.pk or 0) for party in one.parties))
        for one in use
        if one.rule == claims.USAGE
    }
    stretches = sum(one.rule == claims.CAPACITY for one in use)
    for what, mine, its in (("conflicts", told, met), ("uses", used, shared)):
        if mine != its:
            raise RuntimeError(
                f"the bare algorithm finds {len(its):,} {what}, the product {len(mine):,}; for example"
                f" {sorted(mine ^ its)[:3]}"
            )
    if stretches != crowded:
        raise RuntimeError(
            f"the bare algorithm finds {crowded:,} crowded stretches, the product {stretches:,}"
        )
    return ", the same as the bare algorithm finds"
