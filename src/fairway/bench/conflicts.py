"""One conflict check in process, beside bare SQL on the same connection with the bare algorithm."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import connection

from fairway.accounts import queries as people
from fairway.audit import queries as audit
from fairway.bench import bare, calendar, timing, world
from fairway.bench.capture import statements
from fairway.bench.floor import Statement, revived
from fairway.bench.shape import TODAY, Chance, Shape
from fairway.changes import queries as changes
from fairway.claims import queries as claims
from fairway.claims.queries import Claim, Strength
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref
from fairway.policy import Finding

BUDGET = 0.050
REQUESTS = 120
ABOUT = "one check of a new change with 3 items, related items to depth 3; the calendar with its conflicts"
SUBJECT = Ref("change", "CHG-new")


def run(shape: Shape, *, rounds: int, requests: int) -> list[dict[str, Any]]:
    """Measure everyday items and the most needed ones, as somebody with few branches and with all.

    And a month of the calendar with the conflicts in it.
    """
    steps = _steps()
    rows = []
    for what, sets in (("everyday items", _everyday(shape)), ("hubs", _hubs(shape))):
        for label, email in (("5 branches", world.FEW), ("all branches", world.ALL)):
            actor = people.person(people.user(SYSTEM, email))
            rows.append(_measured(f"{what}, {label}", sets, actor, steps, rounds, requests))
    return [*rows, *calendar.run(rounds)]


def _measured(
    what: str, sets: list[list[Claim]], actor: Actor, steps: _Steps, rounds: int, requests: int
) -> dict[str, Any]:
    floors = [_floor(some, steps) for some in sets]
    counts = []
    for some, (_, against) in zip(sets, floors, strict=True):
        findings = check(some, actor)
        same = {(one.rule, one.parties[1].pk) for one in claims.clashes(subject=SUBJECT, claims=some)}
        if same != against():
            raise RuntimeError(
                f"the bare algorithm finds {len(against())} conflicts, the product {len(same)}"
            )
        counts.append(len(findings))
    turns = max(1, requests // len(sets))
    figure, floor = timing.alternate(
        lambda: [timing.clock(partial(check, some, actor)) for _ in range(turns) for some in sets],
        lambda: [timing.clock(act) for _ in range(turns) for _, act in floors],
        rounds,
    )
    whole = timing.Times((tuple(timing.clock(partial(_assess, some, actor)) for some in sets),))
    ran = sorted(len(queries) for queries, _ in floors)
    return {
        "what": what,
        "figure": figure.told(),
        "floor": floor.told(),
        "ratio": round(figure.median / floor.median, 2),
        "budget": f"p95 < {BUDGET * 1000:.0f} ms",
        "held": figure.at(0.95) < BUDGET,
        "findings": counts,
        "detail": f"{len(sets)} checks, findings {min(counts)} to {max(counts)} (median"
        f" {statistics.median(counts):g}), none left out; {ran[0]} to {ran[-1]} statements; with freezes and"
        f" maintenance windows p50 {whole.median * 1000:.2f} ms",
    }


def check(asked: list[Claim], actor: Actor) -> list[Finding]:
    """Return what the actor is told."""
    sees = people.access(actor).sees
    return [one.redacted(sees) for one in claims.clashes(subject=SUBJECT, claims=asked)]


def _assess(asked: list[Claim], actor: Actor) -> object:
    """Decide about the same plan with everything else that concerns its time."""
    proposal = changes.Proposal(
        SUBJECT,
        asked[0].source.organisation or 0,
        windows=(asked[0].period,),
        items=tuple(one.item for one in asked),
        environments=(asked[0].environment,) if asked[0].environment is not None else (),
    )
    with audit.steady():
        return changes.assess(proposal, at=TODAY).redacted(people.access(actor).sees)


def _floor(asked: list[Claim], steps: _Steps) -> tuple[list[Statement], Callable[[], set[tuple[str, int]]]]:
    """Return the statements of a check, and what runs them bare and looks through the last one's rows."""
    claims.clashes(subject=SUBJECT, claims=asked)
    with statements() as ran:
        claims.clashes(subject=SUBJECT, claims=asked)
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


_Steps = tuple[dict[int, list[int]], dict[int, list[int]], frozenset[int]]


def _steps() -> _Steps:
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


def _everyday(shape: Shape) -> list[list[Claim]]:
    """Return plans on three items of one organisation, in nights to come."""
    chance = Chance(shape.seed + 1)
    item = world.model("catalog.ConfigurationItem").objects
    owned = defaultdict[int, list[int]](list)
    kinds = ("system", "component", "database")
    for pk, where in (
        item.filter(item_kind__slug__in=kinds).order_by("pk").values_list("pk", "organisation_id")
    ):
        owned[where].append(pk)
    places = [pks for _, pks in sorted(owned.items()) if len(pks) >= 3]
    return [_plan(chance.sample(chance.choice(places), 3), chance) for _ in range(40)]


def _hubs(shape: Shape) -> list[list[Claim]]:
    """Return plans on three of the items that most others need."""
    chance = Chance(shape.seed + 2)
    relation = world.model("catalog.Relation").objects
    needed: dict[int, int] = defaultdict(int)
    for target in relation.values_list("target_id", flat=True):
        needed[target] += 1
    hubs = [pk for pk, _ in sorted(needed.items(), key=lambda pair: (-pair[1], pair[0]))[:12]]
    return [_plan(hubs[start : start + 3], chance) for start in range(0, len(hubs) - 2)]


def _plan(items: list[int], chance: Chance) -> list[Claim]:
    start = (TODAY + timedelta(days=chance.randint(3, 40))).replace(hour=22)
    period = Period(start, start + timedelta(hours=4))
    prod = world.model("environments.Environment").objects.get(slug="prod")
    where = prod.organisation_id
    subject = replace(SUBJECT, organisation=where)
    return [Claim(subject, item, prod.pk, period, Strength.TENTATIVE) for item in items]
