"""How large the world of a benchmark is, and how its parts are spread; everything follows from the seed."""

from __future__ import annotations

import random
import uuid
from bisect import bisect
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import TypeVar

T = TypeVar("T")
TODAY = datetime(2027, 1, 4, 12, tzinfo=UTC)
"""The day that parts past and future in the data."""

PAST, FUTURE = timedelta(days=730), timedelta(days=60)
KINDS = (
    ("system", 0.20), ("component", 0.30), ("database", 0.15), ("host", 0.25), ("middleware", 0.02),
    ("network", 0.005), ("third-party", 0.045), ("business-service", 0.03),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shape:
    """`future`: the share of changes that lie ahead. `skew`: exponent of the popularity of what is needed.

    `bookings`: how many claims as bookings hold them; `teams`: how many environments of teams they are on.
    """

    changes: int = 100_000
    items: int = 50_000
    organisations: int = 200
    windows: int = 500
    recurring: int = 100
    people: int = 60
    future: float = 0.12
    skew: float = 0.9
    seed: int = 1
    bookings: int = 200_000
    teams: int = 1_000

    def told(self) -> dict[str, object]:
        """Return the shape as plain values, with what is the same in all of them."""
        return {
            **asdict(self),
            "days_past": PAST.days,
            "days_ahead": FUTURE.days,
            "items_per_change": "1 to 5, mean 2.2; one change in ten takes one of the most needed items",
            "windows_per_change": "1; two or three nights for one in ten",
            "window_hours": "log-normal around 2.5, at most 72; nine in ten begin between 20:00 and 04:00",
            "environments_per_change": "prod 70 %, another 22 %, prod and dr 5 %, none named 3 %",
            "downtime": "one in five, its whole window",
        }


@dataclass(frozen=True, slots=True)
class Stock:
    """The catalogue that the benchmark of that name works on: packages of Debian, or a stand-in from a seed.

    `packages`: how many a stand-in has; None: this machine's index where there is one.
    """

    packages: int | None = None
    seed: int = 1


TINY = Shape(
    changes=400, items=400, organisations=20, windows=30, recurring=6, people=12, bookings=600, teams=8
)
"""For the tests of the benchmarks themselves."""


class Chance(random.Random):
    """Draws that the world needs."""

    def uid(self) -> uuid.UUID:
        """Return an identifier of version 7's form, from the seed."""
        bits = self.getrandbits(128)
        return uuid.UUID(int=bits & ~(0xF << 76 | 0x3 << 62) | (0x7 << 76) | (0b10 << 62))

    def night(self, day: datetime) -> datetime:
        """Return a start on a day: nine in ten at night, at the full or half hour."""
        hour = self.choice((20, 21, 22, 23, 0, 1, 2, 3)) if self.random() < 0.9 else self.randint(7, 18)
        return day.replace(hour=hour, minute=self.choice((0, 30)), second=0, microsecond=0)

    def hours(self) -> timedelta:
        return timedelta(minutes=15 * max(1, min(288, round(self.lognormvariate(2.3, 0.6)))))


class Popular:
    """Draws from a list by Zipf's law: the n-th is as popular as 1 / n to the power of the skew."""

    def __init__(self, things: Sequence[int], skew: float, chance: Chance) -> None:
        self.things, self.chance = things, chance
        self.sums = list(accumulate(1 / (rank**skew) for rank in range(1, len(things) + 1)))

    def draw(self) -> int:
        return self.things[bisect(self.sums, self.chance.random() * self.sums[-1])]
