"""What a pipeline is told: may this be deployed, there, then?"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fairway.audit.commands import execute, preview
from fairway.calendars.commands import CreateWindow
from fairway.changes import commands, queries
from fairway.environments.commands import CreateEnvironment
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import Invalid, NotFound
from fairway.policy import Decision, Severity, Verdict, tell
from tests.changes.conftest import NOON, Company, hours

EVENING = hours(0, 2)
IN_WINDOW = EVENING.start + timedelta(minutes=5)


def ask(company: Company, change: str = "", *, at: datetime = IN_WINDOW, **about: str) -> Decision:
    asked = {"item": "payments-api", "environment": "prod", **about}
    return queries.clearance(company.ian, change=change, at=at, **asked)


def rules(decision: Decision) -> list[str]:
    return [finding.rule for finding in decision.findings]


def freeze(start: float, end: float, kind: str = "hard_freeze") -> None:
    span = hours(start, end)
    execute(
        CreateWindow(
            kind=kind,
            name="Freeze",
            organisation="retail",
            starts_at=span.start,
            ends_at=span.end,
        ),
        actor=SYSTEM,
    )


@pytest.mark.parametrize("started", [False, True])
def test_the_pipeline_is_told_the_point_of_no_return_that_the_page_tells(
    company: Company, started: bool
) -> None:
    """A freeze that begins in the window closes it earlier, for both."""
    key = company.scheduled(backout_time=timedelta(minutes=30), implementation_time=timedelta(minutes=20))
    freeze(1.5, 4)
    if started:
        company.take("start", "ian", key, at=EVENING.start)
    told = ask(company, key).point_of_no_return
    assert told == hours(1, 2).start
    page = queries.assess_dossier(queries.dossier(company.rita, key), at=EVENING.start)
    assert page.point_of_no_return == told


def test_scheduled_change_in_its_window_is_allowed_until_it_ends(company: Company) -> None:
    decision = ask(company, company.scheduled())
    assert (decision.verdict, decision.next_open, decision.next_close) == (Verdict.ALLOW, None, EVENING.end)


@pytest.mark.parametrize(
    ("case", "at", "opens"),
    [
        ("before its window", EVENING.start - timedelta(hours=3), EVENING.start),
        ("a microsecond before", EVENING.start - timedelta(microseconds=1), EVENING.start),
        ("between two windows", EVENING.end, hours(24, 26).start),
        ("after the last", hours(24, 26).end, None),
    ],
)
def test_outside_its_windows_it_is_denied_with_the_next_one(
    company: Company, case: str, at: datetime, opens: datetime | None
) -> None:
    key = company.scheduled(windows=(hours(0, 2), hours(24, 26)))
    decision = ask(company, key, at=at)
    assert rules(decision) == ["changes.window"]
    assert (decision.verdict, decision.next_open) == (Verdict.DENY, opens)


@pytest.mark.parametrize(
    ("place", "verdict", "told"),
    [
        ("dev", Verdict.ALLOW, []),
        ("sit2", Verdict.ALLOW, ["changes.coordinated"]),
        ("prod", Verdict.DENY, ["changes.consent"]),
    ],
)
def test_without_a_change_the_control_level_decides(
    company: Company, place: str, verdict: Verdict, told: list[str]
) -> None:
    decision = ask(company, environment=place)
    assert (decision.verdict, rules(decision)) == (verdict, told)


@pytest.mark.parametrize("state", ["draft", "authorising", "held", "edited", "cancelled", "completed"])
def test_change_that_is_not_authorised_as_it_stands_is_denied(company: Company, state: str) -> None:
    key = company.change() if state == "draft" else company.scheduled()
    if state == "authorising":
        key = company.change(windows=(hours(0, 2),))
        company.take("submit", "rita", key)
    elif state == "held":
        company.take("hold", "max", key, reason="Wait.")
    elif state == "edited":
        execute(commands.EditChange(change=key, title="Other"), actor=company.rita, at=NOON)
    elif state == "cancelled":
        company.take("cancel", "rita", key, reason="No.")
    elif state == "completed":
        company.take("start", "ian", key, at=IN_WINDOW)
        company.take("complete", "ian", key, outcome="successful", at=IN_WINDOW)
    decision = ask(company, key)
    assert decision.verdict is Verdict.DENY
    assert decision.next_open is None
    assert {
        "draft": "changes.state",
        "authorising": "changes.consent",
        "held": "changes.hold",
        "edited": "changes.consent",
        "cancelled": "changes.state",
        "completed": "changes.state",
    }[state] in rules(decision)


@pytest.mark.parametrize(("item", "place"), [("ledger-db", "prod"), ("payments-api", "prod2")])
def test_change_that_does_not_cover_it_is_denied(company: Company, item: str, place: str) -> None:
    second = CreateEnvironment(
        key="prod2", name="Prod 2", tier="production", organisation="retail", control="controlled"
    )
    execute(second, actor=SYSTEM)
    assert rules(ask(company, company.scheduled(), item=item, environment=place)) == ["changes.scope"]


def test_change_without_environments_covers_all_of_them(company: Company) -> None:
    assert ask(company, company.scheduled(environments=())).verdict is Verdict.ALLOW


def test_freeze_denies_and_says_when_it_opens(company: Company) -> None:
    key = company.scheduled()
    freeze(-1, 1)
    decision = ask(company, key)
    assert rules(decision) == ["calendars.freeze"]
    assert decision.next_open == hours(1, 2).start


def test_freeze_that_comes_closes_earlier(company: Company) -> None:
    key = company.scheduled()
    freeze(1, 3)
    decision = ask(company, key)
    assert (decision.verdict, decision.next_close) == (Verdict.ALLOW, hours(1, 2).start)


def test_anothers_downtime_denies_until_it_is_over(company: Company) -> None:
    key = company.scheduled()
    blocking = company.change("max", windows=(hours(0, 1),), downtime=(hours(0, 1),))
    company.take("submit", "max", blocking)
    decision = ask(company, key)
    assert [party.key for party in decision.findings[0].parties] == [key, blocking]
    assert (decision.verdict, decision.next_open) == (Verdict.DENY, hours(1, 2).start)


def test_anothers_downtime_that_comes_closes_earlier(company: Company) -> None:
    key = company.scheduled()
    company.take("submit", "max", company.change("max", windows=(hours(1, 2),), downtime=(hours(1, 2),)))
    decision = ask(company, key)
    assert (decision.verdict, decision.next_close) == (Verdict.ALLOW, hours(1, 2).start)


def test_overlapping_work_warns(company: Company) -> None:
    key = company.scheduled()
    company.change("max")
    decision = ask(company, key)
    assert (decision.verdict, rules(decision)) == (Verdict.WARN, ["claims.same_item"])


def test_unknown_names_are_told(company: Company) -> None:
    key = company.scheduled()
    for wrong in ({"item": "nothing"}, {"environment": "moon"}, {"change": "CHG-999"}):
        with pytest.raises(NotFound):
            ask(company, **{"change": key, **wrong})  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        queries.clearance(company.carl, item="card-core", environment="prod", change=key, at=NOON)
    with pytest.raises(Invalid):
        queries.clearance(company.ian, item="payments-api", environment="prod", at=NOON, action="dance")


def test_answers_with_few_statements(company: Company) -> None:
    key = company.scheduled()
    ask(company, key)
    with CaptureQueriesContext(connection) as captured:
        ask(company, key)
    assert len(captured) <= 6, [query["sql"][:120] for query in captured]


@pytest.mark.parametrize(
    ("kind", "verdict", "told"),
    [
        ("hard_freeze", Verdict.DENY, ["calendars.freeze", "changes.coordinated"]),
        ("soft_freeze", Verdict.WARN, ["calendars.freeze", "changes.coordinated"]),
    ],
)
def test_a_freeze_holds_in_a_coordinated_environment_too(
    company: Company, kind: str, verdict: Verdict, told: list[str]
) -> None:
    freeze(-1, 5, kind)
    decision = ask(company, environment="sit2")
    assert (decision.verdict, rules(decision)) == (verdict, told)
    assert decision.next_open == (hours(-1, 5).end if verdict is Verdict.DENY else None)


def test_a_coordinated_environment_is_for_who_holds_it_or_for_all_while_nobody_does(company: Company) -> None:
    early = EVENING.start - timedelta(hours=1)
    draft = company.change("max", environments=("sit2",))
    assert ask(company, environment="sit2").verdict is Verdict.ALLOW
    company.take("submit", "max", draft)
    asked_for = ask(company, environment="sit2")
    assert (asked_for.verdict, rules(asked_for)) == (Verdict.WARN, ["changes.held", "changes.coordinated"])
    key = company.scheduled(environments=("sit2",))
    held = ask(company, environment="sit2")
    assert (held.verdict, held.next_open, held.findings[0].parties[1].key) == (Verdict.DENY, EVENING.end, key)
    assert tell(held.findings[0]).startswith(
        f"{key} holds payments-api in sit2 for 2026-12-01 21:00 to 23:00"
    )
    assert not ask(company, key, environment="sit2").denied
    assert not ask(company, environment="sit2", item="ledger-db").denied
    before = ask(company, environment="sit2", at=early)
    assert (before.denied, before.next_close) == (False, EVENING.start)
    freeze(-0.5, 8)
    assert ask(company, environment="sit2", at=early).next_close == hours(-0.5, 0).start
    assert ask(company, environment="sit2").next_open == hours(8, 9).start


NIGHTS = (hours(0, 2), hours(24, 26), hours(48, 50))
HALVES = [hours(night + half, night + half + 0.5).start for night in (0, 24, 48) for half in (-0.5, 0, 1, 2)]


def started(company: Company, key: str, at: datetime) -> list[str] | None:
    """Return the rules that refuse the start at the instant; None: it would be started."""
    change = queries.dossier(company.ian, key)
    (step,) = [step for step in queries.steps(company.ian, change, at=at) if step.verb == "start"]
    plan = preview(commands.StartChange(change=key), actor=company.ian, at=at)
    assert plan.decision.denied is not step.enabled
    return None if step.enabled else [finding.rule for finding in step.why_not]


@pytest.mark.parametrize("seed", range(4))
def test_start_and_decide_never_differ(company: Company, seed: int) -> None:
    dice = random.Random(seed)
    items = ("payments-api", "ledger-db")
    key = company.scheduled(windows=NIGHTS, items=items, environments=dice.choice([("prod",), ()]))
    for _ in range(3):
        start = dice.choice([0, 0.5, 24, 24.5, 48, 49])
        if dice.random() < 0.5:
            freeze(start, start + 1, dice.choice(["hard_freeze", "soft_freeze"]))
        else:
            span = hours(start, start + 1)
            other = company.change("max", items=(dice.choice(items),), windows=(span,), downtime=(span,))
            if dice.random() < 0.7:
                company.take("submit", "max", other)
    verdicts = set()
    for at in HALVES:
        told = ask(company, key, at=at, item=dice.choice(items))
        blocking = [one.rule for one in told.findings if one.severity is Severity.BLOCK]
        refused = started(company, key, at)
        assert blocking == (refused or []), at
        assert told.denied is (refused is not None)
        if told.denied and told.next_open is not None:
            assert started(company, key, told.next_open) is None
            assert all(started(company, key, other) for other in HALVES if at <= other < told.next_open)
        if not told.denied and told.next_close is not None:
            assert started(company, key, told.next_close)
        verdicts.add(told.verdict)
    assert len(verdicts) > 1


def test_what_comes_on_a_later_night_does_not_refuse_tonight(company: Company) -> None:
    key = company.scheduled(windows=NIGHTS)
    freeze(24, 30)
    assert ask(company, key).next_close == EVENING.end
    company.take("start", "ian", key, at=IN_WINDOW)
    assert ask(company, key, at=NIGHTS[1].start).verdict is Verdict.DENY


def test_while_one_item_of_the_change_is_frozen_nothing_of_it_begins(company: Company) -> None:
    key = company.scheduled(items=("payments-api", "ledger-db"))
    other = company.change("max", items=("ledger-db",), windows=(EVENING,), downtime=(EVENING,))
    company.take("submit", "max", other)
    assert ask(company, key).denied
    company.take("cancel", "max", other, reason="No.")
    company.take("start", "ian", key, at=IN_WINDOW)
    again = company.change("max", items=("ledger-db",), windows=(EVENING,), downtime=(EVENING,))
    company.take("submit", "max", again)
    # under way, each step is asked about what it touches
    assert (ask(company, key).denied, ask(company, key, item="ledger-db").denied) == (False, True)
