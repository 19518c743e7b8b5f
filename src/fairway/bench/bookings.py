"""Claims as bookings would hold them, until there are any: of environments, of systems in them, of pools.

Nothing else of the product writes such claims yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from fairway.bench.shape import FUTURE, PAST, TODAY, Chance, Popular
from fairway.claims.queries import Claim, Strength, Thing
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref

KIND = "booking"
USAGES, SHARES = ("functional", "regression", "performance", "training", "demo"), (45, 25, 10, 10, 10)
TOGETHER = frozenset(
    {
        *(("functional", other) for other in ("functional", "regression", "demo")),
        *(("regression", other) for other in ("regression", "demo", "training")),
        ("training", "demo"),
    }
)
POOLS = 40
BEARS = {Thing.ENVIRONMENT: 4, Thing.POOL: 30}
"""How many units of it an environment, and a pool such as that of testers, bears at a time."""


def compatible(one: str, other: str) -> bool:
    """The matrix of usage kinds."""
    return (one, other) in TOGETHER or (other, one) in TOGETHER


def capacity(thing: int) -> int:
    """Return what a thing bears; the keys of pools are negative, so that one function tells of both."""
    return BEARS[Thing.POOL if thing < 0 else Thing.ENVIRONMENT]


def told() -> dict[str, object]:
    """Return how bookings are spread, as plain values."""
    return {
        "booked": "environments 70 % (one in eight with two linked ones), systems 20 % (half of them in the"
        f" eight of the company), {POOLS} pools 10 %",
        "booking_days": "log-normal around 3 working days, at most 20; 08:00 to 18:00",
        "booking_units": f"1, of a pool 1 to 5; an environment bears {BEARS[Thing.ENVIRONMENT]}, a pool"
        f" {BEARS[Thing.POOL]}",
        "usages": dict(zip(USAGES, SHARES, strict=True)),
        "exclusive": "15 %",
    }


def held(
    count: int,
    seed: int,
    *,
    company: Sequence[int],
    teams: Sequence[int],
    systems: Sequence[int],
    places: Sequence[int],
) -> dict[int, list[Claim]]:
    """Return `count` claims by booking, from the seed.

    `company`: the environments that all share; `teams`: those of teams; `places`: organisations.
    """
    chance = Chance(seed + 7)
    of_teams = Popular(chance.sample(list(teams), len(teams)), 0.3, chance)
    wanted = Popular(chance.sample(list(systems), len(systems)), 0.6, chance)
    found: dict[int, list[Claim]] = {}
    left = count
    while left > 0:
        number = len(found) + 1
        source = Ref(
            KIND, f"BKG-{number}", f"Booking {number}", str(chance.uid()), number, chance.choice(list(places))
        )
        period, strength = _time(chance)
        more = {"strength": strength, "usage": chance.choices(USAGES, SHARES)[0]}
        some = list(_things(chance, company, of_teams, wanted))[:left]
        exclusive = chance.random() < 0.15
        found[number] = [
            Claim(
                source,
                pk,
                place,
                period,
                thing=thing,
                exclusive=exclusive and thing is not Thing.POOL,
                units=chance.randint(1, 5) if thing is Thing.POOL else 1,
                **more,  # type: ignore[arg-type]
            )
            for thing, pk, place in some
        ]
        left -= len(some)
    return found


def _time(chance: Chance) -> tuple[Period, Strength]:
    start = TODAY - PAST + chance.random() * (PAST + FUTURE)
    day = start.replace(hour=8, minute=0, second=0, microsecond=0)
    day += timedelta(days={5: 2, 6: 1}.get(day.weekday(), 0))
    days = max(1, min(20, round(chance.lognormvariate(1.0, 0.8))))
    end = day.replace(hour=18) + timedelta(days=days - 1 + (day.weekday() + days - 1) // 5 * 2)
    return Period(day, end), _strength(chance, day)


def _strength(chance: Chance, start: datetime) -> Strength:
    if start < TODAY:
        return Strength.APPROVED
    return chance.choices((Strength.APPROVED, Strength.REQUESTED, Strength.TENTATIVE), (60, 25, 15))[0]


def _things(
    chance: Chance, company: Sequence[int], teams: Popular, systems: Popular
) -> Iterator[tuple[Thing, int, int | None]]:
    [what] = chance.choices((Thing.ENVIRONMENT, Thing.ITEM, Thing.POOL), (70, 20, 10))
    if what is Thing.POOL:
        yield what, -chance.randint(1, POOLS), None
        return
    if what is Thing.ENVIRONMENT:
        for place in {teams.draw() for _ in range(3 if chance.random() < 0.125 else 1)}:
            yield what, place, None
        return
    place = chance.choice(list(company)) if chance.random() < 0.5 else teams.draw()
    for item in {systems.draw() for _ in range(chance.randint(1, 3))}:
        yield what, item, place
