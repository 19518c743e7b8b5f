"""Waivers: exceptions from exactly one finding, granted by who may and is no party, until they expire."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from fairway.audit.commands import Command, Outcome, execute
from fairway.calendars.commands import CreateWindow
from fairway.changes import commands, queries
from fairway.changes.models import Waiver
from fairway.changes.queries.weighing import findings_of
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid, Problem, Refused
from fairway.kernel.period import Period
from fairway.policy import Finding, Severity, Verdict, tell
from tests.changes.conftest import NOON, Company, founded, hours, stored
from tests.support.committed import committed as committed
from tests.support.committed import together

NIGHT = hours(0, 2)
DURING = NIGHT.start + timedelta(minutes=30)


def freeze(start: float = -1, end: float = 6, organisation: str = "retail", **more: Any) -> str:
    span = hours(start, end)
    command = CreateWindow(
        name=f"Freeze {start}",
        kind="hard_freeze",
        organisation=organisation,
        zone="UTC",
        starts_at=span.start,
        ends_at=span.end,
        **more,
    )
    made = execute(command, actor=SYSTEM).subject
    assert made is not None
    return made.key


def findings(key: str, at: datetime = NOON) -> list[Finding]:
    return queries.time_findings(queries.dossier(SYSTEM, key).proposal(), at=at)


def frozen(key: str, at: datetime = NOON) -> Finding:
    [found] = [one for one in findings(key, at) if one.rule == "calendars.freeze"]
    return found


def ask(key: str, by: Actor, *, finding: str = "", **more: Any) -> str:
    command = commands.RequestWaiver(
        change=key, finding=finding or frozen(key).id, reason="The bank pays then", **more
    )
    made = execute(command, actor=by, at=NOON).subject
    assert made is not None
    return made.key


def run(command: Command, by: Actor, at: datetime = NOON) -> Outcome:
    return execute(command, actor=by, at=at)


def grant(key: str, by: Actor, at: datetime = NOON) -> Outcome:
    return run(commands.GrantWaiver(waiver=key), by, at)


def waiver(key: str) -> Waiver:
    return Waiver.objects.get(number=int(key.removeprefix("WVR-")))


def test_a_granted_waiver_lets_the_work_begin_and_is_used(company: Company) -> None:
    key = company.scheduled(implementers=("ian@example.org",))
    freeze()
    with pytest.raises(Refused):
        company.take("start", "ian", key, at=DURING)
    asked = ask(key, company.rita)
    assert frozen(key).severity is Severity.BLOCK
    with pytest.raises(Refused):
        company.take("start", "ian", key, at=DURING)
    grant(asked, company.max)

    found = frozen(key)
    assert found.severity is Severity.WARN
    assert f"Waived by Max until 2026-12-01 23:00 UTC ({asked})." in tell(found)
    decision = queries.assess_dossier(queries.dossier(SYSTEM, key), at=NOON)
    assert decision.verdict is Verdict.WARN
    change = stored(key)
    listed = findings_of([change.pk], at=NOON)[change.pk]
    assert [(one.rule, one.severity) for one in listed] == [("calendars.freeze", Severity.WARN)]
    cleared = partial(
        queries.clearance, SYSTEM, item="payments-api", environment="prod", at=DURING, change=key
    )
    assert cleared().verdict is Verdict.WARN

    company.take("start", "ian", key, at=DURING)
    assert (waiver(asked).state, waiver(asked).used_at) == ("used", DURING)
    assert cleared().verdict is Verdict.WARN  # each step of the work relies on it too
    with pytest.raises(Conflict):
        run(commands.RevokeWaiver(waiver=asked, reason="Late"), company.max)


@pytest.mark.parametrize(
    ("case", "windows", "holds"),
    [
        ("as it was", (hours(0, 2),), True),
        ("less of the same time", (hours(0.5, 1),), True),
        ("later that night", (hours(1, 3),), False),
        ("another night", (hours(2, 4),), False),
    ],
)
def test_a_waiver_is_for_one_occurrence(company: Company, case: str, windows: Any, holds: bool) -> None:
    key = company.change()
    freeze()
    grant(ask(key, company.rita), company.max)
    run(commands.RescheduleChange(change=key, windows=windows), company.rita)
    assert (frozen(key).severity is Severity.WARN) is holds, case


def test_a_waiver_is_from_one_window_for_one_change(company: Company) -> None:
    key, other = company.change(), company.change(environments=("dev",))
    freeze()
    grant(ask(key, company.rita), company.max)
    assert frozen(other).severity is Severity.BLOCK
    freeze(-2, 8)
    assert sorted(one.severity for one in findings(key)) == [Severity.BLOCK, Severity.WARN]


def test_what_is_waived_in_one_night_hides_nothing_of_the_next(company: Company) -> None:
    key = company.change(windows=(hours(0, 2), hours(24, 26)))
    freeze(-1, 48)
    first = frozen(key)
    assert first.interval == Period(NIGHT.start, NIGHT.end)
    grant(ask(key, company.rita), company.max)
    second = frozen(key)
    assert (second.severity, second.interval) == (
        Severity.BLOCK,
        Period(hours(24, 26).start, hours(24, 26).end),
    )
    grant(ask(key, company.rita), company.max)
    assert frozen(key).severity is Severity.WARN


def test_a_waiver_ends_when_it_expires_or_is_revoked(company: Company) -> None:
    key = company.scheduled()
    freeze()
    early = ask(key, company.rita, expires=DURING)
    grant(early, company.max)
    assert frozen(key).severity is Severity.WARN
    assert frozen(key, at=DURING).severity is Severity.BLOCK
    assert queries.state_of(waiver(early), at=DURING) == "expired"
    run(commands.RevokeWaiver(waiver=early, reason="No"), company.max)
    assert frozen(key).severity is Severity.BLOCK


@pytest.mark.parametrize("name", ["rita", "ian", "ann", "bob", "vera"])
def test_who_may_not_grant(company: Company, name: str) -> None:
    key = company.change(implementers=("ian@example.org",))
    freeze()
    asked = ask(key, company.rita)
    with pytest.raises(Forbidden):
        grant(asked, company.people[name])
    assert waiver(asked).state == "requested"


def test_no_party_grants_whatever_their_role(company: Company) -> None:
    freeze()
    own = company.change("max")
    asked = ask(own, company.max)
    with pytest.raises(Forbidden, match="cannot decide"):
        grant(asked, company.max)
    other = ask(company.change(implementers=("max@example.org",)), company.rita)
    with pytest.raises(Forbidden, match="cannot decide"):
        grant(other, company.max)
    grant(asked, company.ada)


def test_the_freeze_of_the_whole_group_is_waived_by_who_manages_changes_there(company: Company) -> None:
    key = company.change()
    freeze(organisation="group")
    asked = ask(key, company.rita)
    with pytest.raises(Forbidden):
        grant(asked, company.max)  # of retail alone
    grant(asked, company.ada)


def test_what_makes_no_sense_is_refused(company: Company) -> None:
    key = company.change(windows=(hours(0, 2),))
    freeze()
    found = frozen(key).id

    def asking(**more: Any) -> Callable[[], object]:
        given = {"change": key, "finding": found, "reason": "So", **more}
        return lambda: run(commands.RequestWaiver(**given), company.rita)

    for wrong, problem in (
        (asking(finding="0" * 32), Conflict),
        (asking(reason=" "), Invalid),
        (asking(expires=NOON), Invalid),
    ):
        with pytest.raises(problem):
            wrong()
    asked = ask(key, company.rita)
    with pytest.raises(Conflict):
        asking()()
    run(commands.RefuseWaiver(waiver=asked, reason="No"), company.max)
    with pytest.raises(Conflict):
        grant(asked, company.max)
    again = ask(key, company.rita)
    grant(again, company.max)
    with pytest.raises(Conflict):
        asking()()


def test_no_more_are_granted_than_the_window_bears(company: Company) -> None:
    window = freeze()
    asked = [ask(company.change(), company.rita) for _ in range(3)]
    run(commands.SetWaiverQuota(window=window, most=2), company.ada)
    grant(asked[0], company.max)
    grant(asked[1], company.max)
    with pytest.raises(Conflict, match="All 2 waivers"):
        grant(asked[2], company.max)
    run(commands.RevokeWaiver(waiver=asked[0], reason="Free it"), company.max)
    grant(asked[2], company.max)


@pytest.mark.race
@pytest.mark.usefixtures("committed")
def test_twenty_at_once_do_not_exceed_the_quota() -> None:
    company = founded()
    window = freeze()
    asked = [ask(company.change(), company.rita) for _ in range(20)]
    run(commands.SetWaiverQuota(window=window, most=5), company.ada)
    answers = together(*[partial(grant, one, company.max) for one in asked])
    assert sum(isinstance(answer, Outcome) for answer in answers) == 5
    assert all(isinstance(answer, Outcome | Problem) for answer in answers)
    assert Waiver.objects.filter(state="granted").count() == 5


@pytest.mark.race
@pytest.mark.usefixtures("committed")
def test_revoking_and_starting_at_once_come_one_after_the_other() -> None:
    company = founded()
    keys = [company.scheduled(implementers=("ian@example.org",)) for _ in range(4)]
    freeze()
    for key in keys:
        asked = ask(key, company.rita)
        grant(asked, company.max)
        revoked, started = together(
            lambda asked=asked: run(commands.RevokeWaiver(waiver=asked, reason="No"), company.max),  # type: ignore[misc]
            lambda key=key: company.take("start", "ian", key, at=DURING),  # type: ignore[misc]
        )
        outcome = (isinstance(revoked, Outcome), isinstance(started, Outcome))
        assert outcome in {(True, False), (False, True)}, (revoked, started)
        state = "used" if outcome[1] else "revoked"
        assert waiver(asked).state == state
        assert stored(key).state == ("implementing" if outcome[1] else "scheduled")


def test_the_pipeline_is_told_until_when_a_waived_freeze_lets_it_work(company: Company) -> None:
    """Of two freezes in the night the first is waived: it opens with the night and closes with the second."""
    key = company.scheduled()
    freeze(-1, 1)
    asked = ask(key, company.rita)
    grant(asked, company.max)
    freeze(1.5, 6)

    def clearance(at: datetime) -> Any:
        return queries.clearance(company.ian, item="payments-api", environment="prod", change=key, at=at)

    before = clearance(NIGHT.start - timedelta(hours=1))
    assert (before.verdict, before.next_open) == (Verdict.DENY, NIGHT.start)
    during = clearance(DURING)
    assert (during.verdict, during.next_close) == (Verdict.WARN, hours(0, 1.5).end)
    later = clearance(hours(0, 1.75).end)
    assert (later.verdict, later.next_open) == (Verdict.DENY, None)
    run(commands.RevokeWaiver(waiver=asked, reason="No"), company.max)
    without = clearance(DURING)
    assert (without.verdict, without.next_open) == (Verdict.DENY, hours(0, 1).end)
