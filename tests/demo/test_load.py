"""What the product makes of the story: the records, the conflicts that are meant, and a log that verifies."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from fairway.accounts import queries as people
from fairway.audit import queries as audit
from fairway.changes import queries as changes
from fairway.claims import queries as claims
from fairway.demo import commands
from fairway.demo.story import company, landscape
from fairway.exchange.commands import export_instance
from fairway.kernel.period import Period
from tests.support.live import fresh_database

from .conftest import NOW, PASSWORD, Bank

pytestmark = [pytest.mark.django_db, pytest.mark.long]
AHEAD = Period(NOW, NOW + timedelta(days=120))


def rows(label: str) -> Any:
    return apps.get_model(label)._default_manager


def key_of(bank: Bank, name: str) -> str:
    change = next(change for change in bank.planned if change.name == name)
    number = rows("changes.Change").values_list("number", flat=True).get(external_id=change.external_id)
    return f"CHG-{number}"


def test_everything_told_stands(bank: Bank) -> None:
    assert rows("changes.Change").count() == 300
    assert rows("catalog.ConfigurationItem").count() == len(list(landscape.items()))
    assert rows("catalog.Relation").count() == len(list(landscape.relations()))
    assert rows("accounts.User").count() == len(company.PEOPLE) + len(company.PROGRAMS) + 1
    states = Counter(rows("changes.Change").values_list("state", flat=True))
    assert states.keys() >= {
        "draft", "authorising", "scheduled", "implementing", "reviewing", "closed", "rejected", "cancelled",
    }  # fmt: skip
    assert states["closed"] > 100
    assert states["implementing"] >= 3
    assert set(rows("changes.Change").values_list("model__slug", flat=True)) == {"normal", "standard"}
    assert rows("changes.Change").exclude(held_at=None).exists()


def test_the_log_verifies_and_is_told_by_many(bank: Bank) -> None:
    assert audit.verification().flaws == ()
    event = rows("audit.Event")
    assert event.values("actor_uid").distinct().count() > 25
    assert event.filter(at__gt=NOW).count() == 0
    steps = list(
        event.filter(command__startswith="changes.").order_by("sequence").values_list("at", flat=True)
    )
    assert steps == sorted(steps)


def test_every_step_was_taken(bank: Bank) -> None:
    taken = Counter(rows("audit.Event").values_list("command", flat=True))
    told = Counter(step.verb for change in bank.planned for step in change.steps)
    assert {verb: taken[f"changes.change.{verb}"] for verb in told} == dict(told)


def test_conflicts_meant_are_found(bank: Bank) -> None:
    found = {
        (clash.finding.rule, frozenset({clash.one.key, clash.other.key}))
        for clash in claims.conflicts(bank.actor(), period=AHEAD)
    }
    pairs = [clash for clash in bank.clashes if len(clash.parties) == 2]
    assert len(pairs) >= 8
    for clash in pairs:
        assert (clash.rule, frozenset(key_of(bank, name) for name in clash.parties)) in found, clash


def test_freezes_and_maintenance_stand_in_the_way_as_meant(bank: Bank) -> None:
    singles = [clash for clash in bank.clashes if len(clash.parties) == 1]
    assert {clash.rule for clash in singles} == {"calendars.freeze", "calendars.outside_maintenance"}
    for clash in singles:
        dossier = changes.dossier(bank.actor(), key_of(bank, clash.parties[0]))
        rules = {finding.rule for finding in changes.assess_dossier(dossier, at=NOW).findings}
        assert clash.rule in rules, clash


def test_a_calm_plan_apart_from_what_is_meant(bank: Bank) -> None:
    """Two changes of the story share an item in one night only where that is meant."""
    found = {
        frozenset({clash.one.key, clash.other.key})
        for clash in claims.conflicts(bank.actor(), period=AHEAD, rule="claims.same_item")
    }
    meant = {
        frozenset(key_of(bank, name) for name in clash.parties)
        for clash in bank.clashes
        if clash.rule == "claims.same_item"
    }
    assert found == meant


def test_a_branch_sees_the_other_party_redacted(bank: Bank) -> None:
    digital = bank.actor("rafael.moura@fairway.example")
    hidden = [
        clash
        for clash in claims.conflicts(digital, period=AHEAD, rule="claims.related_item")
        if clash.one.hidden or clash.other.hidden
    ]
    assert hidden
    assert all(clash.finding.path == () for clash in hidden)


@pytest.mark.sqlite_only  # no export carries passwords
def test_people_who_sign_in_can(bank: Bank) -> None:
    for person in company.PEOPLE:
        user = people.people(bank.actor()).get(email_folded=person.email)
        assert user.has_usable_password() is person.signs_in, person.name
    assert Client().login(username=commands.PERSON, password=PASSWORD)


def test_what_each_list_tells(bank: Bank) -> None:
    client = Client()
    client.force_login(people.people(bank.actor()).get(email_folded=commands.PERSON))
    for path, word in (
        ("/", "CHG-"),
        ("/changes", "CHG-"),
        ("/items", "core-ledger"),
        ("/items/core-ledger", "Core ledger"),
        ("/items/identity/impact", "web-banking"),
        ("/environments", "sit2"),
        ("/windows", "Quarter close"),
        ("/conflicts", "CHG-"),
        ("/search?q=ledger", "core-ledger"),
        ("/administration/people", "Margaret Okafor"),
        ("/administration/teams", "Payments Engineering"),
        ("/administration/organisations", "Northgate Bank"),
        ("/administration/events", "changes.change"),
    ):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert word in answer.content.decode(), path


def fairway(*arguments: str | Path, folder: Path, url: str = "") -> str:
    """Run the command line on a database, a file in the folder unless told, and return what it said."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FAIRWAY_")}
    done = subprocess.run(
        [Path(sys.executable).with_name("fairway"), *arguments],
        env={**kept, "FAIRWAY_DATA": str(folder), "FAIRWAY_DATABASE_URL": url, "COLUMNS": "300"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.postgres_only  # from there to SQLite and back: both ways between the two
def test_the_company_travels_to_sqlite_and_back(bank: Bank, tmp_path: Path) -> None:
    home, away, back = (tmp_path / f"{name}.zip" for name in ("home", "away", "back"))
    export_instance(home)
    if bank.imported:
        assert home.read_bytes() == bank.imported.read_bytes()
    fairway("migrate", folder=tmp_path)
    assert "a whole log of" in fairway("import", home, "--as", "instance", folder=tmp_path)
    fairway("export", away, folder=tmp_path)
    assert away.read_bytes() == home.read_bytes()
    if bank.imported:
        return  # the way back is the way it came
    with fresh_database(tmp_path) as url:
        fairway("import", away, "--as", "instance", folder=tmp_path, url=url)
        fairway("export", back, folder=tmp_path, url=url)
    assert back.read_bytes() == home.read_bytes()
