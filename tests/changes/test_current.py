"""Findings are always current: after any history of commands they are what somebody would find who looked at
the tables alone, pair by pair, with calendars walked day by day; and the stored claims are those of the rows.

Nothing here asks the engine: neither how it expands links, nor how it walks relations, nor its calendars.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fairway.audit.commands import Command, execute
from fairway.calendars.commands import ArchiveWindow, CreateWindow
from fairway.calendars.models import Window, WindowEnvironment
from fairway.catalog.commands import (
    CreateItem,
    CreateRelation,
    EditItem,
    PutRedundancy,
    RemoveRedundancy,
    RemoveRelation,
)
from fairway.catalog.models import ConfigurationItem, Redundancy, Relation
from fairway.changes import commands, queries
from fairway.changes.commands.reading import Span
from fairway.changes.models import (
    AffectedEnvironment,
    AffectedItem,
    Change,
    Implementer,
    PlannedWindow,
    Waiver,
)
from fairway.claims import queries as claims
from fairway.environments.commands import (
    CreateEnvironmentGroup,
    CreateEnvironmentLink,
    EditEnvironmentGroup,
    RemoveEnvironmentLink,
)
from fairway.environments.models import EnvironmentLink
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import Problem
from fairway.policy import Severity, Verdict
from tests.changes.conftest import Company

LONDON = ZoneInfo("Europe/London")
DAYS = (
    date(2027, 3, 27),  # clocks go forward in the night to the 28th
    date(2027, 10, 30),  # and back in the night to the 31st
    date(2028, 2, 28),  # before a leap day
)
NOW = datetime(2027, 1, 4, 12, tzinfo=UTC)
ITEMS = ("payments-api", "ledger-db", "web", "bus", "wan")
PLACES = ("prod", "sit2", "dev")
Pair = tuple[str, str, str]


# What there is, as plain rows


def below(named: set[int]) -> set[int]:
    """Take what is linked below, as often as there are environments."""
    links = list(EnvironmentLink.objects.values_list("parent_id", "child_id"))
    for _ in range(len(PLACES)):
        named = named | {child for parent, child in links if parent in named}
    return named


class Plain:
    """One change as its rows say."""

    def __init__(self, change: Change) -> None:
        self.change, self.key = change, change.key
        gone = change.state in {"cancelled", "rejected"} or change.archived_at is not None
        rows = [] if gone else list(PlannedWindow.objects.filter(change=change))
        self.work = [(row.starts_at, row.ends_at) for row in rows if not row.downtime]
        self.down = [(row.starts_at, row.ends_at) for row in rows if row.downtime]
        self.items = set(AffectedItem.objects.filter(change=change).values_list("item_id", flat=True))
        named = set(
            AffectedEnvironment.objects.filter(change=change).values_list("environment_id", flat=True)
        )
        self.places: set[int | None] = set(below(named)) or {None}
        self.people = set(Implementer.objects.filter(change=change).values_list("person_id", flat=True))
        if not self.people and change.owner_id not in (None, change.requester_id):
            self.people = {change.owner_id}
        self.draft = change.state == "draft"


def overlap(one: tuple[Any, Any], other: tuple[Any, Any]) -> bool:
    return bool(one[0] < other[1] and other[0] < one[1])


def steps() -> list[tuple[int, int, int | None]]:
    """Give the steps of failure, of what is needed to what needs it or both ways, and the group of each."""
    found: list[tuple[int, int, int | None]] = []
    for source, target, failure, group in Relation.objects.values_list(
        "source_id", "target_id", "relation_kind__failure", "redundancy_id"
    ):
        found += [(target, source, group)] if failure in {"to_source", "both"} else []
        found += [(source, target, group)] if failure in {"to_target", "both"} else []
    return found


def travels(
    start: int, goal: int, one: set[int | None], other: set[int | None], edges: Any, shared: set[int]
) -> bool:
    """Let failure spread for three rounds, place by place; an item that all share falls in every one."""
    everywhere = set(range(-1, 1)) | {place for place in one | other if place is not None}
    needed = dict(Redundancy.objects.values_list("pk", "needed"))

    def stands(item: int, places: set[int | None]) -> set[int]:
        return everywhere if None in places or item in shared else {p for p in places if p is not None}

    fallen = {(start, place) for place in stands(start, one)}
    for _ in range(3):
        fresh = set()
        for origin, there, group in edges:
            for place in everywhere:
                members = {before for before, _, its in edges if its == group} if group else {origin}
                standing = [member for member in members if (member, place) not in fallen]
                if (origin, place) in fallen and len(standing) < (needed[group] if group else 1):
                    fresh |= {(there, at) for at in (everywhere if there in shared else {place})}
        fallen |= fresh
        if any((goal, place) in fallen for place in stands(goal, other)):
            return True
    return False


def clashes() -> set[Pair]:
    """Compare every two changes, item by item and window by window."""
    plain = [Plain(change) for change in Change.objects.order_by("number")]
    shared = set(ConfigurationItem.objects.filter(shared=True).values_list("pk", flat=True))
    edges = steps()
    found: set[Pair] = set()
    for one, other in combinations(plain, 2):
        if not any(overlap(mine, its) for mine in one.work for its in other.work):
            continue  # a downtime lies within the work
        if one.people & other.people:
            found.add(("claims.person", one.key, other.key))
        together = bool(one.places & other.places) or None in one.places | other.places
        for mine in one.items:
            for its in other.items:
                if mine == its and (together or mine in shared):
                    found.add(("claims.same_item", one.key, other.key))
                elif mine != its and (
                    travels(mine, its, one.places, other.places, edges, shared)
                    or travels(its, mine, other.places, one.places, edges, shared)
                ):
                    found.add(("claims.related_item", one.key, other.key))
    return found


def occurrences(window: Window) -> Iterator[tuple[datetime, datetime]]:
    """Walk a window day by day, in the time of its zone."""
    if not window.rrule:
        yield window.starts_at, window.ends_at  # type: ignore[misc]
        return
    assert window.rrule == "FREQ=DAILY"
    at = datetime.fromisoformat(str(window.local_start))
    for number in range(800):
        local = datetime.combine(at.date() + timedelta(days=number), time(at.hour, at.minute), LONDON)
        start = local.astimezone(UTC)  # in a gap by the offset before it, of two the first
        yield start, start + window.duration  # type: ignore[operator]


def freezes(one: Plain) -> dict[str, bool]:
    """Return the windows that a change meets, and whether each blocks it."""
    found: dict[str, bool] = {}
    for window in Window.objects.filter(archived_at=None):
        scope = set(WindowEnvironment.objects.filter(window=window).values_list("environment_id", flat=True))
        if scope and None not in one.places and not scope & one.places:
            continue
        hits = [
            (max(start, begin), min(end, until))
            for begin, until in sorted(one.work)
            if until > NOW
            for start, end in occurrences(window)
            if overlap((start, end), (begin, until))
        ]
        if not hits:
            continue
        waivers = Waiver.objects.filter(
            change=one.change, other_uid=str(window.uid), state__in=("granted", "used"), expires_at__gt=NOW
        )
        first = {}
        for begin, until in one.work:
            inside = [hit for hit in hits if begin <= hit[0] < until]
            if inside:
                first[begin] = min(inside)
        found[window.key] = not all(
            any(w.starts_at <= start and end <= w.ends_at and w.expires_at > start for w in waivers)
            for start, end in first.values()
        )
    return found


# What people do


class Life:
    def __init__(self, company: Company, seed: int) -> None:
        self.company, self.dice = company, random.Random(seed)
        self.keys: list[str] = []

    def span(self) -> Span:
        day = self.dice.choice(DAYS)
        start = datetime.combine(day, time(20), UTC) + timedelta(minutes=30 * self.dice.randrange(16))
        return Span(start, start + timedelta(minutes=30 * self.dice.randint(1, 8)))

    def some(self, among: Iterable[str], least: int, most: int) -> tuple[str, ...]:
        return tuple(self.dice.sample(list(among), self.dice.randint(least, most)))

    def plan(self) -> dict[str, Any]:
        span = self.span()
        down = {"downtime": (span,)} if self.dice.random() < 0.3 else {}
        return {"windows": (span,), **down}

    def deed(self) -> Command:
        dice, one = self.dice, self.dice.choice(self.keys) if self.keys else ""
        verb = dice.choice(
            [
                *("create",) * 5, *("edit",) * 3, *("move",) * 3, "submit", "cancel", "relate", "relate",
                "unrelate", "redundant", "redundant", "single",
                *("share", "link", "link", "unlink", "group", "window", "window", "unwindow", "waive"),
            ]
        )  # fmt: skip
        if verb == "create" or not one:
            return commands.CreateChange(
                title="Work",
                organisation="retail",
                items=self.some(ITEMS, 1, 2),
                environments=self.some((*PLACES, "lane"), 0, 2),
                implementers=self.some(("ian@example.org", "ann@example.org"), 0, 1),
                **self.plan(),
            )
        if verb == "edit":
            return commands.EditChange(
                change=one,
                items=self.some(ITEMS, 1, 2),
                environments=self.some((*PLACES, "lane"), 0, 2),
                implementers=self.some(("ian@example.org", "ann@example.org"), 0, 2),
            )
        if verb == "move":
            return commands.RescheduleChange(change=one, **self.plan())
        if verb == "submit":
            return commands.SubmitChange(change=one)
        if verb == "cancel":
            return commands.CancelChange(change=one, reason="so")
        if verb == "relate":
            source, target = self.some(ITEMS, 2, 2)
            return CreateRelation(
                source=source, target=target, kind=dice.choice(["depends-on", "connects-to"])
            )
        if verb == "unrelate" and (known := list(Relation.objects.order_by("pk"))):
            return RemoveRelation(relation=str(dice.choice(known).uid))
        if verb == "redundant":
            item = dice.choice(("web", *ITEMS))
            needs = Relation.objects.filter(source__slug=item, relation_kind__slug="depends-on")
            members = sorted(needs.values_list("target__slug", flat=True))
            if len(members) > 1:
                return PutRedundancy(item=item, kind="depends-on", needed=dice.randint(1, 2), members=members)
        if verb == "single" and dice.random() < 0.3 and (group := Redundancy.objects.first()) is not None:
            return RemoveRedundancy(redundancy=str(group.uid))
        if verb == "share":
            return EditItem(item=dice.choice(ITEMS), shared=dice.random() < 0.3)
        if verb == "unlink" and (link := EnvironmentLink.objects.first()) is not None:
            return RemoveEnvironmentLink(link=str(link.uid))
        if verb == "group":
            return EditEnvironmentGroup(group="lane", members=list(self.some(PLACES, 1, 3)))
        if verb == "unwindow" and (window := Window.objects.filter(archived_at=None).first()) is not None:
            return ArchiveWindow(window=window.key)
        if verb == "window":
            return self.window()
        if verb == "waive":
            dossier = queries.dossier(SYSTEM, one)
            found = queries.time_findings(dossier.proposal(), at=NOW)
            hard = next((f for f in found if f.severity is Severity.BLOCK and f.waivable_by), None)
            if hard is not None:
                asked = commands.RequestWaiver(change=one, finding=hard.id, reason="so")
                made = execute(asked, actor=self.company.rita, at=NOW).subject
                return commands.GrantWaiver(waiver=made.key if made else "")
        parent, child = self.some(PLACES, 2, 2)
        return CreateEnvironmentLink(parent=parent, child=child)

    def window(self) -> CreateWindow:
        given: dict[str, Any] = {
            "name": f"Window {self.dice.random()}",
            "kind": "hard_freeze",
            "organisation": "retail",
            "zone": "Europe/London",
            "environments": list(self.some(PLACES, 0, 2)),
        }
        if self.dice.random() < 0.5:
            span = self.span()
            return CreateWindow(starts_at=span.start, ends_at=span.end, **given)
        return CreateWindow(
            local_start=f"2027-01-10T{self.dice.choice(('01:30', '00:45', '21:00'))}",
            duration=timedelta(minutes=45),
            rrule="FREQ=DAILY",
            **given,
        )

    def live(self, deeds: int) -> int:
        done = 0
        for _ in range(deeds):
            try:
                deed = self.deed()
                actor = self.company.max if isinstance(deed, commands.GrantWaiver) else SYSTEM
                if isinstance(deed, commands.CreateChange | commands.SubmitChange):
                    actor = self.company.rita
                made = execute(deed, actor=actor, at=NOW).subject
            except Problem:
                continue
            done += 1
            if isinstance(deed, commands.CreateChange) and made is not None:
                self.keys.append(made.key)
        return done


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_after_any_history_findings_are_those_of_the_rows(company: Company, seed: int) -> None:
    for key in ITEMS[2:]:
        execute(CreateItem(key=key, name=key, kind="system", organisation="retail"), actor=SYSTEM)
    lane = CreateEnvironmentGroup(key="lane", name="Lane", members=["prod", "dev"], organisation="retail")
    execute(lane, actor=SYSTEM)
    execute(CreateItem(key="portal", name="portal", kind="system", organisation="retail"), actor=SYSTEM)
    for target in ("bus", "wan"):
        for source in ("web", "portal"):
            execute(CreateRelation(source=source, target=target, kind="depends-on"), actor=SYSTEM)
    for item in ("web", "portal"):
        one_of = PutRedundancy(item=item, kind="depends-on", needed=1, members=["bus", "wan"])
        execute(one_of, actor=SYSTEM)
    life = Life(company, seed)

    assert life.live(80) > 40
    span = life.span()
    for item in ("portal", "web", "bus", "wan"):
        more = commands.CreateChange(
            title=item, organisation="retail", items=(item,), environments=("prod",), windows=(span,)
        )
        execute(more, actor=company.rita, at=NOW)

    held = queries.held()
    assert {claim for some in held.values() for claim in some} == claims.stored("change")
    told = {
        (clash.finding.rule, *sorted((clash.one.key, clash.other.key), key=lambda key: int(key[4:])))
        for clash in claims.conflicts(SYSTEM)
    }
    expected = clashes()
    assert told == expected
    assert len({rule for rule, _, _ in expected}) == 3, "the history is too dull"
    denied = set()
    for change in Change.objects.exclude(state="cancelled"):
        dossier = queries.dossier(SYSTEM, change.key)
        found = queries.time_findings(dossier.proposal(), at=NOW)
        met = {f.parties[1].key: f.severity is Severity.BLOCK for f in found if f.rule == "calendars.freeze"}
        assert met == freezes(Plain(change)), change.key
        if queries.assess_dossier(dossier, at=NOW).verdict is Verdict.DENY:
            denied.add(change.key)

    # a prohibition more opens nothing
    execute(life.window(), actor=SYSTEM)
    for key in denied:
        assert queries.assess_dossier(queries.dossier(SYSTEM, key), at=NOW).verdict is Verdict.DENY
