"""What windows stop of a change's life, and whom their conditions spare."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from fairway.audit.commands import execute
from fairway.calendars.commands import CreateWindow, EditWindow
from fairway.changes import queries
from fairway.changes.models import Change
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import Refused
from fairway.policy import Severity
from tests.changes.conftest import NOON, Company, hours, stored

STEPS = ("create", "submit", "schedule", "start")


def freeze(**changed: Any) -> str:
    given: dict[str, Any] = {
        "name": "Payday",
        "kind": "hard_freeze",
        "organisation": "retail",
        "starts_at": hours(1, 2).start,
        "ends_at": hours(9, 10).start,
        **changed,
    }
    made = execute(CreateWindow(**given), actor=SYSTEM).subject
    assert made is not None
    return made.key


def life(company: Company, **more: Any) -> str:
    """Let a change live until something refuses it; return the step that was refused."""
    try:
        key = company.change(**more)
    except Refused:
        return "create"
    for step, name, at in (("submit", "rita", NOON), ("schedule", "ann", NOON), ("start", "max", STARTED)):
        try:
            if step == "schedule":
                company.vote(name, key)
            else:
                company.take(step, name, key, at=at)
        except Refused:
            return step
    return ""


STARTED = hours(1.5, 2).start


@pytest.mark.parametrize("stops", STEPS)
def test_each_step_is_refused_by_a_window_that_stops_it_and_by_no_other(company: Company, stops: str) -> None:
    freeze(stops=[stops])
    assert life(company) == stops
    assert life(company, windows=(hours(0, 1),)) != "create"


def test_a_window_that_stops_nothing_warns_of_every_step(company: Company) -> None:
    freeze(stops=[])
    assert life(company) == ""
    (key,) = Change.objects.values_list("number", flat=True)
    dossier = queries.dossier(SYSTEM, f"CHG-{key}")
    (told,) = queries.assess_dossier(dossier, at=STARTED).findings
    assert told.severity is Severity.WARN


@pytest.mark.parametrize(
    ("case", "changed", "change", "refused"),
    [
        ("its category", {"condition": 'category == "db"'}, {"category": "db"}, True),
        ("another category", {"condition": 'category == "db"'}, {"category": "web"}, False),
        ("its model", {"change_models": ["normal"]}, {}, True),
        ("another model", {"change_models": ["standard"]}, {}, False),
        ("by slug", {"condition": 'model == "normal" && organisation == "retail"'}, {}, True),
        ("nothing is down", {"downtime_only": True}, {}, False),
        ("down before", {"downtime_only": True}, {"downtime": (hours(0, 1),)}, False),
        ("down in it", {"downtime_only": True}, {"downtime": (hours(1, 2),)}, True),
        ("no such field", {"condition": 'custom.team == "a"'}, {}, True),
    ],
)
def test_page_list_pipeline_and_step_agree(
    company: Company, case: str, changed: dict[str, Any], change: dict[str, Any], refused: bool
) -> None:
    key = company.scheduled(**change)
    window = freeze(**changed)
    dossier = queries.dossier(SYSTEM, key)
    assert queries.assess_dossier(dossier, at=NOON).denied is refused
    listed = queries.findings_of([dossier.change.pk], at=NOON)[dossier.change.pk]
    assert bool(listed) is refused
    heavy = {Severity.BLOCK, Severity.UNKNOWN}
    assert {found.severity in heavy for found in listed} == {True} or not refused
    cleared = queries.clearance(SYSTEM, item="payments-api", environment="prod", at=STARTED, change=key)
    assert cleared.denied is refused
    if refused:
        with pytest.raises(Refused):
            company.take("start", "max", key, at=STARTED)
        before = queries.clearance(
            SYSTEM, item="payments-api", environment="prod", at=hours(0, 1).start, change=key
        )
        if "custom" not in changed.get("condition", ""):
            assert before.next_close == hours(1, 2).start
        execute(EditWindow(window=window, stops=[]), actor=SYSTEM)
    company.take("start", "max", key, at=STARTED + timedelta(minutes=1))
    assert stored(key).state == "implementing"
