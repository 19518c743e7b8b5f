"""Whoever subscribes to a branch's calendar is told of its windows, once, and only of what they may see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fairway.audit import queries as audit
from fairway.audit.commands import execute
from fairway.calendars import queries
from fairway.calendars.commands import (
    ArchiveWindow,
    CreateWindow,
    EditWindow,
    RemindWindow,
    SubscribeCalendar,
    UnsubscribeCalendar,
    remind_all,
)
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Forbidden, NotFound
from fairway.workspace.commands import SetWatch
from fairway.workspace.listeners import due
from tests.support.company import Company

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def freeze(organisation: str, begins: timedelta = 3 * DAY, kind: str = "hard_freeze") -> str:
    made = CreateWindow(
        name=f"Quiet in {organisation}", kind=kind, organisation=organisation,
        starts_at=NOW + begins, ends_at=NOW + begins + DAY,
    )  # fmt: skip
    done = execute(made, actor=SYSTEM).subject
    assert done is not None
    return done.key


def told(person: Actor, *, since: int) -> list[tuple[str, str]]:
    """Return what a person is told of events after a number: command and why."""
    found = due(list(audit.logged(after=since, limit=100)), now=NOW)
    return [
        (one.command.removeprefix("calendars.window."), one.reason)
        for one in found
        if one.person_id == person.pk
    ]


def test_subscribers_are_told_what_happens_to_windows(company: Company) -> None:
    execute(SubscribeCalendar(organisation="retail"), actor=company.vera)
    execute(SubscribeCalendar(organisation="retail"), actor=company.vera)  # again changes nothing
    start = audit.head()[0]
    key = freeze("shops")
    above = freeze("group")
    freeze("cards")
    execute(EditWindow(window=key, reason="Longer"), actor=SYSTEM)
    execute(ArchiveWindow(window=above), actor=SYSTEM)
    assert told(company.vera, since=start) == [
        ("create", "subscribed"),
        ("create", "subscribed"),
        ("edit", "subscribed"),
        ("archive", "subscribed"),
    ]
    assert not told(company.carl, since=start)
    execute(UnsubscribeCalendar(organisation="retail"), actor=company.vera)
    start = audit.head()[0]
    execute(EditWindow(window=key, reason="Longer still"), actor=SYSTEM)
    assert not told(company.vera, since=start)


def test_who_sees_a_branch_no_longer_is_not_told(company: Company) -> None:
    execute(SubscribeCalendar(organisation="group"), actor=company.boss)
    start = audit.head()[0]
    freeze("cards")
    assert told(company.boss, since=start)
    with pytest.raises(NotFound):
        execute(SubscribeCalendar(organisation="cards"), actor=company.vera)


def test_a_beginning_is_told_once_and_only_where_somebody_wants_to_know(company: Company) -> None:
    soon, late = freeze("shops", timedelta(hours=5)), freeze("shops", 2 * DAY)
    freeze("cards", timedelta(hours=5))
    freeze("shops", timedelta(hours=5), kind="maintenance")
    assert remind_all(NOW) == 0
    execute(SubscribeCalendar(organisation="retail"), actor=company.vera)
    start = audit.head()[0]
    assert remind_all(NOW) == 1
    assert remind_all(NOW + timedelta(minutes=15)) == 0
    assert told(company.vera, since=start) == [("remind", "subscribed")]
    execute(SetWatch(kind="window", subject=late), actor=company.rita)
    execute(UnsubscribeCalendar(organisation="retail"), actor=company.vera)
    assert [ref.key for ref, _ in queries.about_to_begin(NOW + 1.5 * DAY)] == [late]
    assert not queries.about_to_begin(NOW + 5 * DAY)
    with pytest.raises(Forbidden):
        execute(RemindWindow(window=soon, starts_at=NOW), actor=company.rita)
