"""Thinks out everyday changes: what, when, by whom, and how far each has come."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from fairway.demo.story import company, landscape, work
from fairway.demo.story.calendar import Planner, Span, following
from fairway.demo.story.lives import live
from fairway.demo.story.planned import Planned

NIGHTS = {1: (21, 22, 23), 2: (21, 22), 3: (21, 22, 23), 5: (18, 19, 20), 6: (6, 7)}
"""Local hours at which live systems are worked on, by weekday (Monday 0)."""
TIERS = {place.key: place.tier for place in landscape.PLACES}
ITEMS = {item.key: item for item in landscape.items()}
SYSTEMS = {system.key: system for system in landscape.SYSTEMS}
SHARED = frozenset(
    key
    for key, item in ITEMS.items()
    if item.shared or (item.shared is None and item.kind in {"network", "third-party"})
)


class Teller:
    def __init__(self, now: datetime, chance: random.Random) -> None:
        self.now, self.today, self.chance = now, now.date(), chance
        self.planner = Planner(now)
        self.booked: dict[str, list[tuple[Span, tuple[str, ...]]]] = {}
        self.tickets = {unit: chance.randint(300, 4000) for unit in work.TICKETS}

    def usual(self, count: int) -> list[Planned]:
        """Return everyday work on days of their own: about two thirds of it in the past."""
        found: list[Planned] = []
        while len(found) < count:
            offset = int(self.chance.triangular(-92, 88, -20))
            if (change := self._draw(self.today + timedelta(days=offset))) is not None:
                found.append(change)
        return found

    def _draw(self, day: date) -> Planned | None:
        [kind] = self.chance.choices(work.WORKS, weights=[one.share for one in work.WORKS])
        candidates = [
            item
            for item in ITEMS.values()
            if item.kind in kind.kinds
            and item.unit in work.TICKETS
            and (not kind.units or item.unit in kind.units)
        ]
        item = self.chance.choice(candidates)
        items = self._with_parts(item, kind)
        places = self._places(item, kind)
        least, most = kind.hours
        hours = self.chance.choice([least, most, (least + most) / 2])
        span = self._slot(items, places, day, company.unit_of(item.unit).zone, hours)
        if span is None:
            return None
        return self.book(Planned(item.unit, kind, items, places, span))

    def _with_parts(self, item: landscape.Item, kind: work.Work) -> tuple[str, ...]:
        system = SYSTEMS.get(item.key)
        if system is None or kind.slug not in {"release", "failover"}:
            return (item.key,)
        parts = [f"{system.key}.{part}" for part in system.parts.split()]
        also = self.chance.sample(parts, k=self.chance.randint(0, min(1, len(parts))))
        if system.store and (kind.slug == "failover" or self.chance.random() < 0.25):
            also.append(landscape.database_of(system.key))
        return (item.key, *also)

    def _places(self, item: landscape.Item, kind: work.Work) -> tuple[str, ...]:
        if item.kind == "network":
            return ()
        if kind.slug == "failover":
            return ("prod", "dr")
        system = SYSTEMS.get(item.key)
        stands = landscape.stands_in(system) if system is not None else ("prod",)
        tests = [
            place for place in stands if place in {"sit1", "sit2", "int", "perf", "uat", "staging", "uat-sg"}
        ]
        if tests and (kind.slug == "refresh" or (kind.slug == "release" and self.chance.random() < 0.35)):
            return (self.chance.choice(tests),)
        return ("prod",)

    def _slot(
        self, items: Sequence[str], places: Sequence[str], day: date, zone: str, hours: float
    ) -> Span | None:
        """Return a time from the day on, within two weeks, when the work may be done and nothing else is."""
        for later in range(15):
            here = day + timedelta(days=later)
            for span in self._proposals(items, places, here, zone, hours):
                if self.free(items, places, span):
                    return span
        return None

    def _proposals(
        self, items: Sequence[str], places: Sequence[str], day: date, zone: str, hours: float
    ) -> Iterable[Span]:
        if places and not {"prod", "dr"} & set(places):
            if day.weekday() < 5:
                yield self.local(day, self.chance.choice((9, 10, 11, 13, 14)), zone, hours)
            return
        openings = self.planner.openings(items[0], day)
        if openings is None:
            if day.weekday() in NIGHTS:
                yield self.local(day, self.chance.choice(NIGHTS[day.weekday()]), zone, hours)
            return
        for start, end in openings:
            begin = start + timedelta(minutes=self.chance.choice((0, 30, 60)))
            yield begin, min(end, begin + timedelta(hours=hours))

    @staticmethod
    def local(day: date, hour: int, zone: str, hours: float) -> Span:
        start = datetime.combine(day, time(hour), ZoneInfo(zone)).astimezone(ZoneInfo("UTC"))
        return start, start + timedelta(hours=hours)

    def free(self, items: Sequence[str], places: Sequence[str], span: Span) -> bool:
        for item in items:
            openings = self.planner.openings(item, span[0].astimezone(ZoneInfo("UTC")).date())
            inside = openings is None or any(start <= span[0] and span[1] <= end for start, end in openings)
            if (not places or "prod" in places) and not inside:
                return False
            for (start, end), theirs in self.booked.get(item, ()):
                apart = item not in SHARED and bool(places and theirs) and not set(places) & set(theirs)
                if start < span[1] and span[0] < end and not apart:
                    return False
        return not self._frozen(items, places, span)

    def _frozen(self, items: Sequence[str], places: Sequence[str], span: Span) -> bool:
        units = {unit for item in items for unit in _branch(ITEMS[item].unit)}
        if places:
            units |= set(_branch(company.ENVIRONMENTS))
        critical = {ITEMS[item].criticality for item in items}
        return any(
            self.planner.frozen(
                span, items=items, units=frozenset(units), tier=TIERS.get(place, ""), place=place,
                criticality=one,
            )
            for place in places or ("",)
            for one in critical
        )  # fmt: skip

    def book(self, change: Planned) -> Planned:
        for item in change.items:
            self.booked.setdefault(item, []).append((change.span, change.places))
        return change

    def slot_on(self, weekday: int, after: int, hour: int, hours: float, zone: str = company.LONDON) -> Span:
        """Return a time on the first such weekday (Monday 0) from so many days after today on."""
        return self.local(following(self.today + timedelta(days=after), weekday), hour, zone, hours)

    def planner_next(self, name: str) -> Span:
        """Return two hours in the first evening of the next occurrence of a freeze."""
        start = self.planner.next(name, after=self.now + timedelta(days=2))
        return start + timedelta(hours=3), start + timedelta(hours=5)

    def tell(self, planned: list[Planned]) -> list[Planned]:
        """Give each change its words, its people and its life, versions in the order of time."""
        versions: dict[str, list[int]] = {}
        told = []
        for change in sorted(planned, key=lambda one: (one.span, one.items)):
            named = self._peopled(self._worded(change, versions))
            told.append(replace(named, steps=live(named, now=self.now, chance=self.chance)))
        return told

    def _worded(self, change: Planned, versions: dict[str, list[int]]) -> Planned:
        item, kind = ITEMS[change.items[0]], change.work
        version = versions.setdefault(item.key, [self.chance.randint(2, 9), self.chance.randint(0, 14), 0])
        if kind.slug in {"release", "middleware"} and "prod" in change.places:
            version[1:] = [version[1] + 1, 0]
        else:
            version[2] += 1
        details = kind.details or work.FEATURES[item.unit]
        words = {
            "name": item.name,
            "key": item.key,
            "what": change.title.partition(": ")[2] or self.chance.choice(details),
            "version": ".".join(str(part) for part in version),
            "engine": item.attributes.get("engine", "the database"),
            "unit": company.unit_of(item.unit).name,
        }
        self.tickets[item.unit] += self.chance.randint(1, 9)
        standard = bool(kind.template)
        return replace(
            change,
            title=(change.title or _sentence(kind.title)).format(**words),
            description=change.description or _sentence(kind.description.format(**words)),
            reason=change.reason or kind.reason.format(**words),
            plan="" if standard else kind.plan.format(**words),
            test="" if standard else _sentence(kind.test.format(**words)),
            backout="" if standard else kind.backout.format(**words),
            external_id=f"{work.TICKETS[item.unit]}-{self.tickets[item.unit]}",
            priority=self.chance.choices((1, 2, 3, 4), weights=(1, 4, 12, 3))[0],
            downtime=change.span if kind.downtime and change.downtime is None else change.downtime,
        )

    def _peopled(self, change: Planned) -> Planned:
        engineers = company.engineers(change.unit)
        owner = change.owner or self.chance.choice(engineers)
        asking = {"retail": "camila.duarte", "lending": "grace.oneill"}.get(change.unit)
        requester = owner
        if change.work.slug == "release" and self.chance.random() < 0.45:
            requester = f"{asking or 'ingrid.solberg'}@{company.DOMAIN}"
        others = [one for one in engineers if one != owner]
        second = others[:1] if others and self.chance.random() < 0.3 else []
        return replace(
            change,
            owner=owner,
            requester=change.requester or requester,
            implementers=change.implementers or (owner, *second),
        )


def _branch(unit: str) -> list[str]:
    """Return a unit and all above it."""
    found, where = [], unit
    while where:
        found.append(where)
        where = company.unit_of(where).parent or ""
    return found


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
