"""Changing a window in force: what it hits is told, and every change that it hits is decided about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from fairway.accounts.models import User
from fairway.audit.commands import execute, preview
from fairway.audit.models import Event
from fairway.calendars.commands import CreateWindow, WindowEdit
from fairway.calendars.models import Window
from fairway.calendars.queries import Activity
from fairway.changes import queries
from fairway.changes.commands import GrantWaiver, ReplanWindow
from fairway.changes.commands.reading import Span
from fairway.changes.models import PlannedWindow, Waiver
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import Forbidden, Invalid, Stale
from fairway.policy import Finding
from tests.changes.conftest import NOON, Company, hours, stored

LATER = hours(12, 13).start


def window(**changed: Any) -> Window:
    """Return a freeze of the day before the evening that the changes are planned for."""
    given: dict[str, Any] = {
        "name": "Payday",
        "kind": "hard_freeze",
        "organisation": "retail",
        "starts_at": hours(-8, 0).start,
        "ends_at": hours(-8, -2).end,
        **changed,
    }
    made = execute(CreateWindow(**given), actor=SYSTEM).subject
    assert made is not None
    return Window.objects.get(uid=made.uid)


LONGER = WindowEdit(ends_at=hours(0, 4).end)


def test_what_an_edit_hits_and_sets_free_is_told_first(company: Company) -> None:
    hit = company.scheduled()
    freed = company.change(windows=(hours(-6, -5),))
    made = window()
    moved = WindowEdit(starts_at=hours(-1, 0).start, ends_at=hours(0, 4).end)
    asked = ReplanWindow(window=made.key, edit=moved, asking=True)
    found = preview(asked, actor=company.max, at=NOON - timedelta(hours=1)).answer
    assert {(one.change.key, one.effect) for one in found.hits} == {(hit, "stopped"), (freed, "freed")}
    assert {one.owner[1] for one in found.hits} == {"Rita"}
    execute(asked, actor=company.max, at=NOON)
    assert Window.objects.get() == made
    assert Window.objects.get().version == 1, "asking writes nothing"


def test_every_hit_needs_a_choice_and_nothing_else_has_one(company: Company) -> None:
    hit, beside = company.scheduled(), company.scheduled(windows=(hours(20, 22),))
    made = window()
    asked: list[tuple[Any, str]] = [
        ({}, f"choices.{hit}"),
        ({hit: "keep", beside: "cancel"}, f"choices.{beside}"),
    ]
    for choices, field in asked:
        with pytest.raises(Invalid) as problem:
            execute(ReplanWindow(window=made.key, edit=LONGER, choices=choices), actor=company.max, at=NOON)
        assert [error.field for error in problem.value.errors] == [field]
    assert Window.objects.get().version == 1


def test_what_was_chosen_is_done_in_one_transaction(company: Company) -> None:
    kept, cancelled, asked, moved = (company.scheduled(title=f"Patch {n}") for n in range(4))
    made = window()
    choices: Any = {kept: "keep", cancelled: "cancel", asked: "ask", moved: "move"}
    command = ReplanWindow(window=made.key, edit=LONGER, choices=choices, version=1)
    execute(command, actor=company.max, at=NOON)
    assert Window.objects.get().ends_at == hours(0, 4).end
    assert [stored(key).state for key in (kept, cancelled, asked)] == ["scheduled", "cancelled", "scheduled"]
    period = PlannedWindow.objects.get(change=stored(moved))
    assert period.starts_at >= hours(0, 4).end
    assert stored(moved).state == "authorising", "its new time needs consent"
    (question,) = Event.objects.filter(command="changes.change.ask")
    assert question.subject_key == asked
    with pytest.raises(Stale):
        execute(command, actor=company.max, at=LATER)


def test_a_change_that_is_kept_asks_for_a_waiver_in_the_same_step(company: Company) -> None:
    hit = company.scheduled()
    found = window()
    execute(ReplanWindow(window=found.key, edit=LONGER, choices={hit: "keep"}), actor=company.max, at=NOON)
    asked = Waiver.objects.get()

    def stopped() -> list[Finding]:
        return queries.stopped(queries.dossier(SYSTEM, hit).proposal(), Activity.START, at=NOON)

    [told] = stopped()
    assert (asked.finding, asked.state, asked.other_key) == (told.id, "requested", found.key)
    assert told.interval is not None
    assert asked.expires_at == told.interval.end
    assert queries.to_decide(company.max) == 0  # who asks does not decide
    assert queries.to_decide(company.ada) == 1
    with pytest.raises(Forbidden):
        execute(GrantWaiver(waiver=asked.key), actor=company.max, at=NOON)
    execute(GrantWaiver(waiver=asked.key), actor=company.ada, at=NOON)
    assert not stopped()


def test_who_may_not_edit_the_window_or_cancel_the_change_does_neither(company: Company) -> None:
    hit = company.scheduled()
    made = window()
    with pytest.raises(Forbidden):
        execute(ReplanWindow(window=made.key, edit=LONGER, asking=True), actor=company.ann, at=NOON)
    assert stored(hit).state == "scheduled"
    assert Window.objects.get().version == 1


def test_the_page_asks_before_it_saves(company: Company) -> None:
    far = datetime(2090, 6, 1, 12, tzinfo=UTC)
    hit = company.scheduled(windows=(Span(far + timedelta(hours=4), far + timedelta(hours=5)),))
    made = window(starts_at=far, ends_at=far + timedelta(hours=2))
    client = Client()
    client.force_login(User.objects.get(uid=company.max.uid))
    form = {
        **{"name": made.name, "kind": made.window_kind, "zone": "UTC", "repeats": "once"},
        **{"organisation": "retail", "version": "1", "stops": ["schedule", "start"]},
        **{"starts": f"{far:%Y-%m-%dT%H:%M}", "ends": f"{far + timedelta(hours=6):%Y-%m-%dT%H:%M}"},
    }
    asked = client.post(f"/windows/{made.key}/edit", form)
    assert (asked.status_code, Window.objects.get().version) == (422, 1)
    assert f'name="choice-{hit}"' in asked.content.decode()
    assert "This newly stops 1 change" in asked.content.decode()
    saved = client.post(f"/windows/{made.key}/edit", {**form, f"choice-{hit}": "cancel"})
    assert (saved.status_code, stored(hit).state) == (302, "cancelled")
