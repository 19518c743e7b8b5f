"""A slot is offered exactly where the decision would not be a no, and ranked by what it disturbs."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fairway.audit.commands import execute
from fairway.calendars import queries as calendars
from fairway.calendars.commands import CreateWindow, CreateWorkingCalendar, PutHoliday
from fairway.catalog.commands import CreateItem, CreateRelation, EditItem
from fairway.changes import queries
from fairway.environments.commands import CreateEnvironmentGroup
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import Invalid
from fairway.kernel.period import Period
from fairway.policy import Decision
from tests.changes.conftest import NOON, Company, hours
from tests.changes.test_api import Caller

HALF = timedelta(minutes=30)
DAYS = 4


def shifted(proposal: queries.Proposal, by: timedelta) -> queries.Proposal:
    def moved(periods: tuple[Period, ...]) -> tuple[Period, ...]:
        return tuple(Period(one.start + by, one.end + by) for one in periods)

    return replace(proposal, windows=moved(proposal.windows), downtimes=moved(proposal.downtimes))


def decided(proposal: queries.Proposal, start: datetime) -> Decision:
    """Decide about the plan begun at an instant, asked for at noon; a later start gives more notice."""
    first = min(period.start for period in (*proposal.windows, *proposal.downtimes))
    moved, read = shifted(proposal, start - first), proposal.facts
    assert read is not None
    hour = timedelta(hours=1)
    worked = calendars.working_time(proposal.organisation).between(NOON, start) // hour
    facts = {**read(), "notice": (start - NOON) // hour, "working_notice": worked}
    return queries.assess(replace(moved, facts=lambda: facts), at=NOON)


def crowd(company: Company, dice: random.Random) -> None:
    """Put changes with and without downtime, drafts and approved ones, freezes and maintenance in the way."""
    for _ in range(8):
        start = dice.uniform(-9, 24 * DAYS)
        window = hours(start, start + dice.choice([0.5, 1.25, 3, 12]))
        company.change(
            "max",
            title="Other",
            items=(dice.choice(["payments-api", "ledger-db"]),),
            environments=dice.choice([("prod",), ("sit2",), ()]),
            windows=(window,),
            downtime=(window,) if dice.random() < 0.4 else (),
            submit=dice.random() < 0.7,
        )
    aside = random.Random(dice.getstate()[1][0])
    members = aside.choice([["prod"], ["sit2"], ["prod", "sit2"]])
    lane = CreateEnvironmentGroup(key="lane", name="Lane", organisation="retail", members=members)
    execute(lane, actor=SYSTEM)
    where = aside.choice([{"environments": ["prod"]}, {"environment_groups": ["lane"]}])
    scopes: dict[str, dict[str, Any]] = {
        "hard_freeze": {"items": ["payments-api"]},
        "soft_freeze": where,
        "maintenance": {"tiers": ["production"]},
    }
    for condition in ("notice < 30", "notice > 60 && priority == 3", "priority == 1"):
        execute(
            CreateWindow(
                kind="hard_freeze",
                name=condition,
                organisation="group",
                zone="UTC",
                local_start="2026-11-30T01:00",
                duration=timedelta(hours=4),
                rrule="FREQ=DAILY",
                condition=condition,
                downtime_only=dice.random() < 0.3,
            ),
            actor=SYSTEM,
        )
    for kind, more in scopes.items():
        if kind == "maintenance" and dice.random() < 0.5:
            continue
        execute(
            CreateWindow(
                kind=kind,
                name=kind,
                organisation="retail",
                zone=dice.choice(["Europe/London", "Australia/Lord_Howe"]),
                local_start="2026-11-30T18:00",
                duration=timedelta(hours=dice.choice([7, 14] if kind == "maintenance" else [1, 3])),
                rrule=dice.choice(["FREQ=DAILY", "FREQ=DAILY;INTERVAL=2"]),
                **more,
            ),
            actor=SYSTEM,
        )
    place = dice.choice(["Europe/London", "Asia/Kathmandu"])
    week = {day: ["09:00-12:30", "13:15-17:00"] for day in ("mo", "tu", "we", "fr")}
    made = CreateWorkingCalendar(key="office", name="Office", organisation="group", zone=place, hours=week)
    execute(made, actor=SYSTEM)
    if dice.random() < 0.5:
        execute(PutHoliday(calendar="office", day=date(2026, 12, 2), name="Off"), actor=SYSTEM)
    sudden = CreateWindow(
        kind="hard_freeze",
        name="Within nine working hours",
        organisation="retail",
        zone="UTC",
        local_start="2026-11-30T20:00",
        duration=timedelta(hours=1),
        rrule="FREQ=DAILY",
        condition="working_notice < 9",
    )
    execute(sudden, actor=SYSTEM)


@pytest.mark.parametrize("seed", [0, 1, 2, 4, 6])
def test_every_start_is_free_exactly_where_the_decision_is_not_a_no(company: Company, seed: int) -> None:
    dice = random.Random(seed)
    crowd(company, dice)
    windows = (hours(0, 1.5), hours(26, 27)) if seed else (hours(0, 1.5),)
    key = company.change(
        windows=windows,
        downtime=(hours(0.5, 1),) if seed % 3 else (),
        freeze_reason="because" if seed == 1 else "",
    )
    proposal = queries.dossier(company.rita, key).proposal()
    found = queries.slots(proposal, at=NOON, within=timedelta(days=DAYS), limit=100)
    assert len(found.starts) > 1
    for offer in found.offers:
        assert not decided(proposal, offer.slot.start).denied
        assert offer.windows == shifted(proposal, offer.slot.start - hours(0, 1).start).windows
    at = NOON
    answers = set()
    while at < NOON + timedelta(days=DAYS):
        free = not decided(proposal, at).denied
        assert (at in found.starts) is free, at
        answers.add(free)
        at += HALF
    assert answers == {True, False}
    for stretch in found.starts:
        if stretch.start > NOON:
            assert decided(proposal, stretch.start - timedelta(microseconds=1)).denied
        assert not decided(proposal, stretch.start).denied


def test_what_disturbs_less_comes_first_and_says_why(company: Company) -> None:
    execute(
        CreateItem(key="shop", name="Shop", kind="business-service", organisation="retail", criticality=1),
        actor=SYSTEM,
    )
    execute(CreateRelation(source="shop", target="payments-api", kind="depends-on"), actor=SYSTEM)
    execute(EditItem(item="shop", service_hours="mon-sun 08:00-22:00 Europe/London"), actor=SYSTEM)
    company.change("max", items=("payments-api",), windows=(hours(2, 4),))
    freeze = hours(24 * 3, 24 * 5)
    execute(
        CreateWindow(
            kind="hard_freeze",
            name="Year end",
            organisation="retail",
            starts_at=freeze.start,
            ends_at=freeze.end,
        ),
        actor=SYSTEM,
    )
    plan = queries.planned(company.rita, items=["payments-api"], environments=["prod"], length=2 * 2 * HALF)
    ranked = queries.slots(plan, at=NOON, within=timedelta(days=4), limit=100).offers
    points = [offer.slot.points for offer in ranked]
    assert points == sorted(points)
    for offer in ranked:
        assert abs(sum(share.points for share in offer.slot.shares) - offer.slot.points) < 1e-6
        for window in offer.windows:
            assert not window.overlaps(Period(freeze.start, freeze.end))
    best = ranked[0]
    assert best.slot.points == min(points) < max(points)
    names = {share.load.name for offer in ranked for share in offer.slot.shares}
    assert names == {"slots.hours", "slots.usual", "slots.near_freeze", "claims.same_item"}
    busy = next(offer for offer in ranked if "claims.same_item" in {s.load.name for s in offer.slot.shares})
    assert busy.slot.points >= 8
    soonest = queries.slots(plan, at=NOON, within=timedelta(days=4), limit=100, soonest=True).offers
    starts = [offer.slot.start for offer in soonest]
    assert starts == sorted(starts)


@pytest.mark.parametrize("others", [1, 12])
def test_the_statements_do_not_grow_with_what_is_in_the_way(company: Company, others: int) -> None:
    for number in range(others):
        company.change("max", items=("payments-api",), windows=(hours(number, number + 1),))
    plan = queries.planned(company.rita, items=["payments-api"], environments=["prod"], length=HALF)
    queries.slots(plan, at=NOON)
    with CaptureQueriesContext(connection) as caught:
        queries.slots(plan, at=NOON)
    assert len(caught) <= 4


def test_what_cannot_be_asked_is_told(company: Company) -> None:
    empty = queries.dossier(company.rita, company.change(windows=())).proposal()
    with pytest.raises(Invalid, match="how long"):
        queries.slots(empty, at=NOON)
    nothing = queries.dossier(company.rita, company.change(items=())).proposal()
    with pytest.raises(Invalid, match="Name what is altered"):
        queries.slots(nothing, at=NOON)
    plan = queries.planned(company.rita, items=["payments-api"], length=timedelta(hours=5))
    with pytest.raises(Invalid, match="longer than the time"):
        queries.slots(plan, at=NOON, within=timedelta(hours=4))
    for length in (timedelta(0), timedelta(days=40)):
        with pytest.raises(Invalid):
            queries.planned(company.rita, items=["payments-api"], length=length)
    with pytest.raises(Invalid, match="card-core"):
        queries.planned(company.rita, items=["card-core"], length=HALF)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "length"),
        ("change=CHG-1&items=payments-api", "change"),
        ("items=payments-api&length=two", "length"),
        ("items=payments-api&length=PT2H&within=P400D", "within"),
        ("items=payments-api&length=PT2H&after=soon", "after"),
        ("items=payments-api&length=PT2H&limit=1001", ""),
        ("items=&length=PT2H", "items"),
    ],
)
def test_the_api_says_what_is_wrong(company: Company, query: str, field: str) -> None:
    answer = Caller(company.rita)("get", f"slots?{query}")
    assert answer.status_code in (400, 422)
    if field:
        assert field in {error["field"] for error in answer.json()["errors"]}
