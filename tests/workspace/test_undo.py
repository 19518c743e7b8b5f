"""Undo puts rows back as they were, redo as they became; and is refused where anybody built on them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from fairway.accounts import commands as accounts
from fairway.accounts.models import User
from fairway.audit.commands import Command, execute
from fairway.audit.models import EventText
from fairway.calendars import commands as calendars
from fairway.catalog import commands as catalog
from fairway.catalog.models import ConfigurationItem, Relation
from fairway.changes import commands as changes
from fairway.changes.commands.reading import Span
from fairway.changes.models import Change
from fairway.environments import commands as environments
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Conflict, Forbidden, NotFound, Problem
from fairway.workspace.commands import UndoEvent, rebuild
from fairway.workspace.models import SearchRow
from tests.support import company
from tests.support.committed import committed as committed
from tests.support.committed import together
from tests.support.company import Company
from tests.support.replay import present

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def people(founded_once: Company, db: None) -> Company:
    return founded_once


def run(command: Command, actor: Actor = SYSTEM, at: datetime | None = None) -> int:
    sequence = execute(command, actor=actor, at=at).sequence
    assert sequence is not None
    return sequence


def item(key: str, where: str = "retail", actor: Actor = SYSTEM, **more: Any) -> int:
    return run(
        catalog.CreateItem(key=key, name=key.title(), kind="system", organisation=where, **more), actor
    )


def rows() -> dict[Any, Any]:
    """Return all records but those that undoing archives where they were not before."""
    return {key: row for key, row in present().items() if row.get("archived_at") is None}


def steps(chance: random.Random, window: str, change: str) -> list[Command]:
    """Return commands of every undoable sort on what there is."""
    live = list(ConfigurationItem.objects.filter(archived_at=None).values_list("slug", flat=True))
    one, other = chance.sample(live, 2)
    relation = Relation.objects.order_by("uid").values_list("uid", flat=True).first()
    number = chance.randrange(10**9)
    return [
        catalog.CreateItem(key=f"i{number}", name="New", kind="host", organisation="retail", description="x"),
        catalog.EditItem(item=one, name=f"N{number}", description=str(number), attributes={"a": number}),
        catalog.EditItem(item=one, organisation=chance.choice(("cards", "shops"))),
        catalog.PutItem(key=one, criticality=chance.randint(1, 4), status=chance.choice(("live", "retired"))),
        catalog.ArchiveItem(item=one),
        catalog.PutRelation(source=one, target=other, kind="depends-on"),
        *([catalog.RemoveRelation(relation=str(relation))] if relation else []),
        environments.EditEnvironment(environment="sit", name=f"E{number}", tier="staging", description="d"),
        environments.PutInstance(item=one, environment="sit"),
        environments.ArchiveEnvironment(environment="uat"),
        calendars.EditWindow(
            window=window, name=f"W{number}", items=[other], environments=["sit"], reason=str(number)
        ),
        calendars.EditWindow(window=window, items=[], tiers=["staging"]),
        changes.EditChange(
            change=change, title=f"T{number}", items=(one, other), primary_item=other, implementers=()
        ),
        changes.EditChange(change=change, items=(other,), description=str(number), environments=("sit",)),
        changes.RescheduleChange(
            change=change,
            windows=(Span(NOW + timedelta(hours=number % 90 + 1), NOW + timedelta(hours=number % 90 + 3)),),
        ),
    ]  # fmt: skip


def world() -> tuple[str, str]:
    """Make a few of everything, and return the keys of a window and of a draft."""
    for key in ("ledger", "gate", "core", "card"):
        item(key)
    run(catalog.CreateRelation(source="ledger", target="gate", kind="depends-on"))
    for key in ("sit", "uat"):
        run(environments.CreateEnvironment(key=key, name=key, tier="system_test", organisation="retail"))
    window = execute(
        calendars.CreateWindow(
            name="Freeze", kind="hard_freeze", organisation="retail", items=["gate"],
            starts_at=NOW + timedelta(days=900), ends_at=NOW + timedelta(days=901),
        ),
        actor=SYSTEM,
    )  # fmt: skip
    draft = changes.CreateChange(
        title="Change", organisation="retail", items=("ledger",), primary_item="ledger"
    )
    change = execute(draft, actor=SYSTEM)
    assert window.subject is not None
    assert change.subject is not None
    return window.subject.key, change.subject.key


@pytest.mark.parametrize("seed", range(2))
def test_undo_puts_everything_back_and_redo_does_it_anew(people: Company, seed: int) -> None:
    chance = random.Random(seed)
    named = world()
    undone = 0
    for _ in range(14):
        before = rows()
        command = chance.choice(steps(chance, *named))
        try:
            outcome = execute(command, actor=SYSTEM)
        except Problem:
            continue
        if outcome.sequence is None:
            continue
        after = rows()
        back = run(UndoEvent(event=outcome.sequence))
        assert rows() == before, command
        again = run(UndoEvent(event=back))
        assert rows() == after, command
        if chance.random() < 0.5:
            run(UndoEvent(event=again))
            assert rows() == before, command
        undone += 1
    assert undone >= 5
    columns = ("kind", "key", "title_folded", "marks", "state", "archived", "updated_at")
    live = set(SearchRow.objects.values_list(*columns))
    rebuild()
    assert set(SearchRow.objects.values_list(*columns)) == live


def test_a_chain_of_edits_is_undone_from_its_end_alone(people: Company) -> None:
    item("ledger")
    first = run(catalog.EditItem(item="ledger", name="One", criticality=1), people.rita)
    second = run(catalog.EditItem(item="ledger", name="Two"), people.boss)
    with pytest.raises(Conflict, match="ledger was changed since by Boss"):
        run(UndoEvent(event=first), people.rita)
    run(UndoEvent(event=second), people.rita)
    run(UndoEvent(event=first), people.rita)
    found = ConfigurationItem.objects.get()
    assert (found.name, found.criticality) == ("Ledger", 3)
    with pytest.raises(Conflict):
        run(UndoEvent(event=first), people.rita)


def test_edits_of_other_columns_do_not_stand_in_the_way(people: Company) -> None:
    item("ledger")
    first = run(catalog.EditItem(item="ledger", name="One"), people.rita)
    run(catalog.EditItem(item="ledger", criticality=1), people.boss)
    run(UndoEvent(event=first), people.rita)
    found = ConfigurationItem.objects.get()
    assert (found.name, found.criticality) == ("Ledger", 1)


def test_undo_takes_what_the_command_takes(people: Company) -> None:
    made = item("ledger")
    edited = run(catalog.EditItem(item="ledger", name="One"))
    with pytest.raises(Forbidden, match=r"catalog\.edit"):
        run(UndoEvent(event=edited), people.vera)
    for stranger in (people.carl, company.person("lone", "retail")):
        with pytest.raises(NotFound):
            run(UndoEvent(event=edited), stranger)
    moved = run(catalog.EditItem(item="ledger", organisation="cards"))
    for half in (people.rita, people.carl):
        with pytest.raises((NotFound, Forbidden)):
            run(UndoEvent(event=moved), half)
    with pytest.raises(NotFound):
        run(UndoEvent(event=10**6), people.boss)
    with pytest.raises(Conflict):
        run(UndoEvent(event=made), people.boss)


def test_undo_is_refused_when_it_is_late_or_words_are_gone_or_nothing_can_be_undone(people: Company) -> None:
    edited = (
        run(catalog.EditItem(item="ledger", description="new")) if item("ledger", description="old") else 0
    )
    with pytest.raises(Conflict, match="ten minutes"):
        run(UndoEvent(event=edited), at=datetime.now(UTC) + timedelta(minutes=11))
    EventText.objects.filter(event_id=edited).delete()
    with pytest.raises(Conflict, match="erased"):
        run(UndoEvent(event=edited))
    team = run(accounts.CreateTeam(slug="ops", name="Ops", organisation="retail"))
    with pytest.raises(Conflict, match="cannot be undone"):
        run(UndoEvent(event=team))


def test_a_submitted_change_is_not_put_back(people: Company) -> None:
    _, change = world()
    edited = run(changes.EditChange(change=change, title="Other"))

    Change.objects.update(state="scheduled")
    with pytest.raises(Conflict, match="no draft"):
        run(UndoEvent(event=edited))


def test_the_page_undoes_one_event_and_all_of_a_request(people: Company, client: Client) -> None:
    client.force_login(User.objects.get(email="rita@example.org"))
    item("ledger")
    edited = run(catalog.EditItem(item="ledger", name="One"), people.rita)
    answer = client.post(f"/undo?event={edited}", headers={"referer": "http://testserver/items?q=x"})
    assert answer.headers["Location"] == "/items?q=x"
    assert ConfigurationItem.objects.get().name == "Ledger"
    away = client.post(f"/undo?event={edited}", headers={"referer": "http://evil.example/"})
    assert away.status_code == 409
    for key, name in (("gate", "G"), ("core", "C")):
        item(key)
        asking = Actor("person", people.rita.pk, people.rita.uid, "Rita", "UTC", request_id="req-7")
        run(catalog.EditItem(item=key, name=name), asking)
    run(catalog.EditItem(item="core", name="Mine"), people.boss)
    done = client.post("/undo?request=req-7", follow=True, headers={"referer": "http://testserver/items"})
    text = done.content.decode()
    assert "1 record is as it was." in text
    assert "core was changed since by Boss" in text
    assert client.post("/undo?request=", follow=True).status_code == 200


@pytest.mark.race
@pytest.mark.usefixtures("committed")
def test_of_many_at_once_one_undoes() -> None:
    company.found()
    item("ledger")
    edited = run(catalog.EditItem(item="ledger", name="One"))
    answers = together(*[lambda: execute(UndoEvent(event=edited), actor=SYSTEM)] * 6)
    assert sum(not isinstance(answer, Exception) for answer in answers) == 1
    assert all(isinstance(answer, Conflict) for answer in answers if isinstance(answer, Exception))
    assert ConfigurationItem.objects.get().name == "Ledger"
