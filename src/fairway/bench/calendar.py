"""The calendar of a month as the timeline asks for it, beside the bare reading of the same rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
from django.db import connection

from fairway.accounts import queries as people
from fairway.bench import timing, world
from fairway.bench.capture import statements
from fairway.bench.floor import revived
from fairway.bench.shape import TODAY
from fairway.changes import queries as changes
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.period import Period

BUDGET = 0.150
MOST = 5_000
"""Bars that are asked for; a span in which there are more is cut."""
MONTH = timedelta(days=31)
START = TODAY - timedelta(days=60)


@dataclass(frozen=True, slots=True)
class _Asked:
    what: str
    actor: Actor
    by: changes.Lanes
    period: Period

    def ask(self, part: changes.Part) -> bytes:
        drawn = changes.timeline(self.actor, self.period, by=self.by, part=part)
        return msgspec.json.encode(drawn)


def run(rounds: int) -> list[dict[str, Any]]:
    """Measure, in processor time: as somebody with all branches and with few, on lanes of two kinds."""
    return [row for asked in _asked() for row in _measured(asked, rounds)]


def _asked() -> Iterator[_Asked]:
    whole = people.person(people.user(SYSTEM, world.ALL))
    few = people.person(people.user(SYSTEM, world.FEW))
    lanes: tuple[tuple[str, Actor, changes.Lanes], ...] = (
        ("by item, all branches", whole, "item"),
        ("by item, 5 branches", few, "item"),
        ("by environment, all branches", whole, "environment"),
    )
    for what, actor, by in lanes:
        yield _Asked(what, actor, by, _span(actor, by))


def _span(actor: Actor, by: changes.Lanes) -> Period:
    """Return a month, or as much of it as holds so many bars."""
    days = MONTH
    for _ in range(3):
        bars = len(changes.timeline(actor, Period(START, START + days), by=by, part="plan")["bars"])
        if bars <= MOST * 1.02:
            break
        days = timedelta(hours=round(days / timedelta(hours=1) * MOST / bars))
    return Period(START, START + days)


def _measured(asked: _Asked, rounds: int) -> Iterator[dict[str, Any]]:
    drawn = changes.timeline(asked.actor, asked.period, by=asked.by)
    counts = {name: len(drawn[name]) for name in ("bars", "lanes", "shades")}
    counts["conflicts"] = sum(len(bar["conflicts"]) for bar in drawn["bars"])
    days = (asked.period.end - asked.period.start) / timedelta(days=1)
    about = f"{days:.0f} days, " + ", ".join(f"{count:,} {name}" for name, count in counts.items())
    parts: tuple[tuple[str, changes.Part], ...] = (("calendar", "plan"), ("its conflicts", "conflicts"))
    for name, part in parts:
        asked.ask(part)
        bare, ran = _floor(asked, part)
        figure, floor = timing.alternate(
            lambda part=part: [_processor(partial(asked.ask, part)) for _ in range(3)],  # type: ignore[misc]
            lambda bare=bare: [_processor(bare) for _ in range(3)],  # type: ignore[misc]
            rounds,
        )
        yield {
            "what": f"{name} {asked.what}",
            "figure": figure.told(),
            "floor": floor.told(),
            "ratio": round(figure.median / floor.median, 2),
            "budget": f"p50 < {BUDGET * 1000:.0f} ms" if part == "plan" else "told",
            "held": part != "plan" or figure.median < BUDGET,
            "detail": f"{about}; {ran} statements; processor time, the answer written as JSON included",
        }


def _floor(asked: _Asked, part: changes.Part) -> tuple[Callable[[], object], int]:
    """Return what reads the same rows and writes the same answer, and how many statements that takes."""
    answer = changes.timeline(asked.actor, asked.period, by=asked.by, part=part)
    with statements() as ran:
        changes.timeline(asked.actor, asked.period, by=asked.by, part=part)
    queries = [(query, [revived(one) for one in params]) for query, params in ran]

    def act() -> bytes:
        cursor = connection.connection.cursor()
        for query, params in queries:
            cursor.execute(query, params)
            cursor.fetchall()
        cursor.close()
        return msgspec.json.encode(answer)

    return act, len(queries)


def _processor(act: Callable[[], object]) -> float:
    begun = time.process_time()
    act()
    return time.process_time() - begun
