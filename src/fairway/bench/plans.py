"""Plans that the benchmarks ask about: on everyday items, and on those that most others need."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta

from fairway.bench import world
from fairway.bench.shape import TODAY, Chance, Shape
from fairway.changes.queries import Proposal
from fairway.claims.queries import Claim, Strength
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref

SUBJECT = Ref("change", "CHG-new")


def everyday(shape: Shape) -> list[list[Claim]]:
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


def hubs(shape: Shape) -> list[list[Claim]]:
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


def proposal(asked: list[Claim]) -> Proposal:
    """Return a plan as a change would propose it."""
    return Proposal(
        SUBJECT,
        asked[0].source.organisation or 0,
        windows=(asked[0].period,),
        items=tuple(one.item for one in asked),
        environments=(asked[0].environment,) if asked[0].environment is not None else (),
    )


def moved(asked: Proposal, windows: tuple[Period, ...], downtimes: tuple[Period, ...]) -> Proposal:
    return replace(asked, windows=windows, downtimes=downtimes)


def stretched(asked: Proposal, start: datetime, end: datetime) -> Proposal:
    """Return the plan as if its work filled the time."""
    return replace(asked, windows=(Period(start, end),))
