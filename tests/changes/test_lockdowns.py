"""A lockdown: drafted, approved by somebody else, enforced, released; what it holds and lets go."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from fairway.audit.commands import execute, preview
from fairway.audit.models import Event
from fairway.calendars.commands import (
    ApproveLockdown,
    ArchiveWindow,
    CancelLockdown,
    CreateWindow,
    EditWindow,
    EnforceLockdown,
    ReleaseLockdown,
)
from fairway.calendars.models import Window
from fairway.changes import queries
from fairway.changes.commands import LockChange, UnlockChange
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import Conflict, Forbidden, Invalid, Refused
from tests.changes.conftest import NOON, Company, founded, hours, stored
from tests.support.committed import committed as committed
from tests.support.committed import together

WORKING = hours(0.5, 1).start
LATER = hours(1, 2).start


def drafted(company: Company, **changed: Any) -> str:
    given = {"name": "Breach", "kind": "lockdown", "organisation": "retail", **changed}
    made = execute(CreateWindow(**given), actor=company.max, at=NOON).subject
    assert made is not None
    return made.key


def approved(company: Company, **changed: Any) -> str:
    key = drafted(company, **changed)
    execute(ApproveLockdown(window=key), actor=company.ada, at=NOON)
    return key


def enforced(company: Company, **changed: Any) -> str:
    key = approved(company, **changed)
    execute(EnforceLockdown(window=key), actor=company.max, at=WORKING)
    return key


def working(company: Company, **more: Any) -> str:
    key = company.scheduled(**more)
    company.take("start", "max", key, at=hours(0.1, 1).start)
    return key


def test_a_draft_and_an_approved_one_stop_nothing(company: Company) -> None:
    key = company.scheduled()
    for make in (drafted, approved):
        window = Window.objects.get(number=int(make(company).removeprefix("WIN-")))
        assert (window.starts_at, window.ends_at, window.in_force) == (None, None, False)
    company.take("start", "max", key, at=WORKING)


def test_who_drafted_or_edited_it_cannot_approve_it(company: Company) -> None:
    key = drafted(company)
    for actor in (company.max, SYSTEM):
        with pytest.raises(Forbidden):
            execute(ApproveLockdown(window=key), actor=actor)
    execute(ApproveLockdown(window=key), actor=company.ada)
    execute(EditWindow(window=key, reason="Worse than thought"), actor=company.ada)
    assert Window.objects.get().status == "draft", "what is edited needs approval again"
    with pytest.raises(Forbidden):
        execute(ApproveLockdown(window=key), actor=company.ada)
    execute(ApproveLockdown(window=key), actor=company.max)


def test_only_the_listed_steps_exist(company: Company) -> None:
    commands = {
        "approve": (ApproveLockdown, company.ada),
        "enforce": (EnforceLockdown, company.max),
        "release": (ReleaseLockdown, company.max),
        "cancel": (CancelLockdown, company.max),
    }
    legal = {
        "draft": {"approve", "cancel"},
        "approved": {"enforce", "cancel"},
        "enforced": {"release"},
        "released": set(),
        "cancelled": set(),
    }
    for state, steps in legal.items():
        for verb, (command, actor) in commands.items():
            key = drafted(company)
            Window.objects.filter(number=int(key.removeprefix("WIN-"))).update(
                status=state, starts_at=NOON if state in {"enforced", "released"} else None
            )
            if verb in steps:
                execute(command(window=key), actor=actor, at=LATER)
            else:
                with pytest.raises(Conflict):
                    execute(command(window=key), actor=actor, at=LATER)
    freeze: dict[str, Any] = {"name": "F", "kind": "hard_freeze", "organisation": "retail"}
    made = execute(CreateWindow(**freeze, starts_at=NOON, ends_at=LATER), actor=SYSTEM).subject
    assert made is not None
    with pytest.raises(Conflict, match="no lockdown"):
        execute(EnforceLockdown(window=made.key), actor=company.max)
    with pytest.raises(Invalid):
        execute(EditWindow(window=made.key, kind="lockdown"), actor=company.max)
    with pytest.raises(Invalid):
        drafted(company, starts_at=NOON, ends_at=LATER)


def test_enforcing_stops_every_start_and_holds_work_in_flight(company: Company) -> None:
    going, waiting = working(company), company.scheduled(items=("ledger-db",))
    beside = working(company, items=("ledger-db",), title="Beside")
    key = approved(company, items=["payments-api"])
    plan = preview(EnforceLockdown(window=key), actor=company.max, at=WORKING)
    assert plan.note == {"held": 1}
    execute(EnforceLockdown(window=key), actor=company.max, at=WORKING)
    assert (stored(going).locked_by, stored(going).locked_at) == (key, WORKING)
    assert not stored(beside).on_hold
    assert Event.objects.filter(command="changes.change.lock", subject_key=going).count() == 1
    with pytest.raises(Refused, match="lockdown"):
        company.take("complete", "max", going, at=LATER, outcome="successful")
    cleared = queries.clearance(SYSTEM, item="payments-api", environment="prod", at=LATER, change=going)
    assert {found.rule for found in cleared.findings} >= {"changes.lockdown", "calendars.freeze"}
    company.take("start", "max", waiting, at=LATER)
    with pytest.raises(Conflict):
        execute(EditWindow(window=key, name="Other"), actor=company.max, at=LATER)
    with pytest.raises(Conflict):
        execute(ArchiveWindow(window=key), actor=company.max, at=LATER)
    late = company.scheduled(title="Late")
    with pytest.raises(Refused):
        company.take("start", "max", late, at=LATER)
    execute(ReleaseLockdown(window=key), actor=company.ada, at=LATER)
    assert not stored(going).on_hold
    company.take("start", "max", late, at=LATER)
    company.take("complete", "max", going, at=LATER, outcome="successful")


def test_what_a_person_held_stays_held(company: Company) -> None:
    key, other = working(company), working(company, title="Other")
    company.take("hold", "max", key, at=hours(0.2, 1).start, reason="The vendor is late")
    lockdown = enforced(company)
    company.take("hold", "max", other, at=hours(0.6, 1).start, reason="Held while locked")
    assert stored(key).locked_by == stored(other).locked_by == lockdown
    with pytest.raises(Refused):
        company.take("resume", "max", key, at=LATER)
    execute(ReleaseLockdown(window=lockdown), actor=company.max, at=LATER)
    for one in (key, other):
        assert (stored(one).locked_by, stored(one).held_at is not None) == ("", True)
        company.take("resume", "max", one, at=LATER)
        assert not stored(one).on_hold


def test_another_lockdown_takes_over_what_the_first_lets_go(company: Company) -> None:
    key = working(company)
    first, second = enforced(company), enforced(company, name="Second")
    assert stored(key).locked_by == first
    execute(ReleaseLockdown(window=first), actor=company.max, at=LATER)
    assert stored(key).locked_by == second
    execute(ReleaseLockdown(window=second), actor=company.max, at=LATER)
    assert not stored(key).on_hold


def test_locking_and_unlocking_cannot_be_done_by_themselves(company: Company) -> None:
    key = working(company)
    draft = drafted(company)
    with pytest.raises(Conflict):
        execute(LockChange(change=key, lockdown=draft), actor=company.max)
    lockdown = enforced(company)
    with pytest.raises(Conflict):
        execute(UnlockChange(change=key, lockdown=lockdown), actor=company.max)
    assert stored(key).locked_by == lockdown


@pytest.mark.race
@pytest.mark.usefixtures("committed")
def test_either_the_start_sees_the_lockdown_or_it_is_held(request: pytest.FixtureRequest) -> None:
    company = founded()
    for attempt in range(4):
        keys = [company.scheduled(title=f"{attempt} {n}") for n in range(3)]
        lockdown = approved(company, name=f"Breach {attempt}")
        work: list[Callable[[], object]] = [
            *(partial(company.take, "start", "max", key, at=WORKING) for key in keys),
            partial(execute, EnforceLockdown(window=lockdown), actor=company.max, at=WORKING),
        ]
        answers = together(*work[attempt:], *work[:attempt])
        assert not [one for one in answers if isinstance(one, Exception) and not isinstance(one, Refused)]
        for key in keys:
            change = stored(key)
            assert (change.state == "implementing") == (change.locked_by == lockdown), change.state
        execute(ReleaseLockdown(window=lockdown), actor=company.max, at=LATER)
        assert not any(stored(key).on_hold for key in keys)
