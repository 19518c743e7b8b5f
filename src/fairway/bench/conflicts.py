"""One conflict check in process, beside bare SQL on the same connection with the bare algorithm."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import connection

from fairway.accounts import queries as people
from fairway.audit import queries as audit
from fairway.bench import bare, bookings, calendar, offering, plans, sweeping, timing, world
from fairway.bench.capture import statements
from fairway.bench.floor import Statement, revived
from fairway.bench.shape import TODAY, Chance, Shape
from fairway.changes import queries as changes
from fairway.claims import queries as claims
from fairway.claims.queries import Claim, Strength, Thing
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref
from fairway.policy import Finding

BUDGET = 0.050
REQUESTS = 120
ABOUT = "a check of a change with 3 items to depth 3, of a booking; all conflicts; slots; the calendar"
FORMS: tuple[Callable[[Shape, bare.Failure, int, int], list[dict[str, Any]]], ...] = (
    sweeping.rows,
    offering.rows,
    lambda shape, steps, rounds, requests: calendar.run(rounds),
)
"""What is measured beside checks, on the same data: each gives rows of the table."""


def run(shape: Shape, *, rounds: int, requests: int) -> list[dict[str, Any]]:
    """Measure everyday items and the most needed ones, as somebody with few branches and with all.

    And a month of the calendar with the conflicts in it.
    """
    steps = _steps()
    rows = []
    for what, sets in (("everyday items", plans.everyday(shape)), ("hubs", plans.hubs(shape))):
        for label, email in (("5 branches", world.FEW), ("all branches", world.ALL)):
            actor = people.person(people.user(SYSTEM, email))
            rows.append(_measured(f"check, {what}, {label}", sets, actor, steps, rounds, requests))
    rows.append(_booked(shape, rounds, requests))
    for form in FORMS:
        rows += form(shape, steps, rounds, requests)
    return rows


def _measured(
    what: str, sets: list[list[Claim]], actor: Actor, steps: bare.Failure, rounds: int, requests: int
) -> dict[str, Any]:
    floors = [_floor(some, steps) for some in sets]
    counts = []
    for some, (_, against) in zip(sets, floors, strict=True):
        findings = check(some, actor)
        same = {(one.rule, one.parties[1].pk) for one in claims.clashes(subject=plans.SUBJECT, claims=some)}
        if same != against():
            raise RuntimeError(
                f"the bare algorithm finds {len(against())} conflicts, the product {len(same)}"
            )
        counts.append(len(findings))
    turns = max(1, requests // len(sets))
    measured = timing.compared(
        [partial(check, some, actor) for _ in range(turns) for some in sets],
        [act for _ in range(turns) for _, act in floors],
        rounds,
        in_process=connection.vendor == "sqlite",
    )
    whole = timing.Times((tuple(timing.busy(partial(_assess, some, actor)) for some in sets),))
    ran = sorted(len(queries) for queries, _ in floors)
    row = measured.row(
        what,
        BUDGET,
        f"{len(sets)} checks, findings {min(counts)} to {max(counts)} (median {statistics.median(counts):g}),"
        f" none left out; {ran[0]} to {ran[-1]} statements; with freezes and maintenance windows p50"
        f" {whole.median * 1000:.2f} ms",
    )
    return {**row, "findings": counts}


def _booked(shape: Shape, rounds: int, requests: int) -> dict[str, Any]:
    """Measure the check of a new booking of environments and a pool."""
    actor = people.person(people.user(SYSTEM, world.ALL))
    some = _bookings(shape)
    turns = max(1, requests // len(some))
    found = [_contention(one, actor) for one in some]
    measured = timing.compared(
        [partial(_contention, one, actor) for _ in range(turns) for one in some],
        [act for _ in range(turns) for act in map(_bare_contention, some)],
        rounds,
        in_process=connection.vendor == "sqlite",
    )
    counts = [len(one) for one in found]
    return measured.row(
        "check, bookings, all branches",
        BUDGET,
        f"{len(some)} checks of two environments and a pool, findings {min(counts)} to {max(counts)}"
        f" (median {statistics.median(counts):g}), none left out",
    )


def _bookings(shape: Shape) -> list[list[Claim]]:
    chance = Chance(shape.seed + 3)
    held = list(
        world.model("environments.Environment")
        .objects.filter(slug__startswith="team-")
        .values_list("pk", flat=True)
    )
    found = []
    for _ in range(40):
        start = (TODAY + timedelta(days=chance.randint(1, 40))).replace(hour=8)
        period = Period(start, start + timedelta(days=chance.randint(1, 14), hours=10))
        things = [(Thing.ENVIRONMENT, pk) for pk in chance.sample(held, 2)]
        things.append((Thing.POOL, -chance.randint(1, bookings.POOLS)))
        found.append(
            [
                Claim(_BOOKING, pk, None, period, Strength.REQUESTED, thing=thing, usage="performance")
                for thing, pk in things
            ]
        )
    return found


_BOOKING = Ref(bookings.KIND, "BKG-new")


def _contention(asked: list[Claim], actor: Actor) -> list[Finding]:
    sees = people.access(actor).sees
    found = claims.contention(
        subject=_BOOKING, claims=asked, compatible=bookings.compatible, capacity=bookings.capacity
    )
    return [one.redacted(sees) for one in found]


def _bare_contention(asked: list[Claim]) -> Callable[[], set[tuple[str, int]]]:
    """Return what runs the statements bare and compares every row with what is asked for.

    :raises RuntimeError: it does not find the records that the product tells.
    """
    with statements() as ran:
        found = claims.contention(
            subject=_BOOKING, claims=asked, compatible=bookings.compatible, capacity=bookings.capacity
        )
    queries = [(query, [revived(one) for one in params]) for query, params in ran]
    plain = [
        (
            claims.THINGS.index(one.thing),
            one.item,
            claims.micros(one.period.start),
            claims.micros(one.period.end),
        )
        for one in asked
    ]

    def act() -> set[tuple[str, int]]:
        cursor = connection.connection.cursor()
        met: set[tuple[str, int]] = set()
        for query, params in queries:
            cursor.execute(query, params)
            met |= {
                (row[0], row[1])
                for row in cursor.fetchall()
                for thing, item, start, end in plain
                if row[12] == thing and row[6] == item and row[8] < end and row[9] > start
            }
        cursor.close()
        return met

    told = {(one.parties[1].kind, one.parties[1].pk or 0) for one in found if one.rule == claims.USAGE}
    if told != act():
        raise RuntimeError(f"the bare algorithm meets {len(act())} records, the product {len(told)}")
    return act


def check(asked: list[Claim], actor: Actor) -> list[Finding]:
    """Return what the actor is told."""
    sees = people.access(actor).sees
    return [one.redacted(sees) for one in claims.clashes(subject=plans.SUBJECT, claims=asked)]


def _assess(asked: list[Claim], actor: Actor) -> object:
    """Decide about the same plan with everything else that concerns its time."""
    with audit.steady():
        return changes.assess(plans.proposal(asked), at=TODAY).redacted(people.access(actor).sees)


def _floor(
    asked: list[Claim], steps: bare.Failure
) -> tuple[list[Statement], Callable[[], set[tuple[str, int]]]]:
    """Return the statements of a check, and what runs them bare and looks through the last one's rows."""
    claims.clashes(subject=plans.SUBJECT, claims=asked)
    with statements() as ran:
        claims.clashes(subject=plans.SUBJECT, claims=asked)
    queries = [(query, [revived(one) for one in params]) for query, params in ran]
    plain = [
        (one.item, one.environment, claims.micros(one.period.start), claims.micros(one.period.end))
        for one in asked
    ]

    def act() -> set[tuple[str, int]]:
        cursor = connection.connection.cursor()
        rows: list[tuple[Any, ...]] = []
        for query, params in queries:
            cursor.execute(query, params)
            rows = cursor.fetchall()
        cursor.close()
        return bare.check(plain, rows, *steps)

    return list(ran), act


def _steps() -> bare.Failure:
    """Read the ways of failure anew from the rows: downstream, upstream, and the shared items."""
    down, up = defaultdict[int, list[int]](list), defaultdict[int, list[int]](list)
    rows = world.model("catalog.Relation").objects.values_list(
        "source_id", "target_id", "relation_kind__failure"
    )
    for source, target, failure in rows:
        for origin, reached in ((target, source), (source, target)):
            if failure == "both" or (failure == "to_source") == (origin == target):
                down[origin].append(reached)
                up[reached].append(origin)
    shared = world.model("catalog.ConfigurationItem").objects.filter(shared=True).values_list("pk", flat=True)
    return dict(down), dict(up), frozenset(shared)
