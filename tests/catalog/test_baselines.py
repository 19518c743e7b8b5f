"""What lies between two baselines agrees with the catalogue written down at both."""

from __future__ import annotations

import random
from typing import Any

import pytest

from fairway.audit.commands import execute
from fairway.catalog import queries
from fairway.catalog.commands import (
    ArchiveBaseline,
    ArchiveItem,
    CreateItem,
    CreateRelation,
    EditItem,
    RemoveRelation,
    TakeBaseline,
)
from fairway.catalog.models import Baseline, ConfigurationItem, Relation
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Forbidden, Invalid, NotFound
from tests.support import company as people
from tests.support.standing import standing

pytestmark = pytest.mark.django_db
OURS = ("retail", "shops")
FIELDS = ("name", "criticality", "description", "status", "item_kind_id", "organisation_id")


founded_once = standing(people.found)


@pytest.fixture
def company(founded_once: people.Company, db: None) -> people.Company:
    return founded_once


def taken(name: str, organisation: str = "retail", actor: Actor = SYSTEM) -> Baseline:
    made = execute(TakeBaseline(name=name, organisation=organisation), actor=actor).subject
    assert made is not None
    return queries.baseline(SYSTEM, made.key)


def written_down() -> dict[str, Any]:
    """Return every item of retail and below that is not archived, and every relation, by key."""
    items = ConfigurationItem.objects.filter(archived_at=None, organisation__slug__in=OURS)
    found: dict[str, Any] = {str(row.uid): {name: getattr(row, name) for name in FIELDS} for row in items}
    for row in Relation.objects.filter(source__organisation__slug__in=["retail", "shops"]):
        found[str(row.uid)] = {"source": row.source_id, "target": row.target_id}
    return found


def step(dice: random.Random) -> None:
    items = list(ConfigurationItem.objects.filter(archived_at=None, organisation__slug__in=OURS))
    joined = list(Relation.objects.all())
    match dice.choice(["create", "edit", "edit", "back", "archive", "relate", "part", "elsewhere"]):
        case "create":
            where = dice.choice(["retail", "shops"])
            key = f"item-{dice.randrange(10**9)}"
            execute(CreateItem(key=key, name=key, kind="system", organisation=where), actor=SYSTEM)
        case "edit" if items:
            execute(EditItem(item=dice.choice(items).slug, criticality=dice.randint(1, 4)), actor=SYSTEM)
        case "back" if items:  # and back again: no difference
            one = dice.choice(items)
            execute(EditItem(item=one.slug, description="for a moment"), actor=SYSTEM)
            execute(EditItem(item=one.slug, description=one.description), actor=SYSTEM)
        case "archive" if len(items) > 3:
            execute(ArchiveItem(item=dice.choice(items).slug), actor=SYSTEM)
        case "relate" if len(items) > 1:
            source, target = dice.sample(items, 2)
            if not Relation.objects.filter(source=source, target=target).exists():
                execute(
                    CreateRelation(source=source.slug, target=target.slug, kind="depends-on"), actor=SYSTEM
                )
        case "part" if joined:
            execute(RemoveRelation(relation=str(dice.choice(joined).uid)), actor=SYSTEM)
        case "elsewhere":
            key = f"card-{dice.randrange(10**9)}"
            execute(CreateItem(key=key, name=key, kind="system", organisation="cards"), actor=SYSTEM)


@pytest.mark.parametrize("seed", range(4))
def test_differences_are_those_of_the_catalogue_written_down(company: people.Company, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(6):
        step(dice)
    before, start = written_down(), taken("start")
    for _ in range(18):
        step(dice)
    after, end = written_down(), taken("end")
    for _ in range(4):
        step(dice)
    found = {one.uid: one for one in queries.differences(SYSTEM, start, end)}
    assert {uid for uid, one in found.items() if one.action == "added"} == after.keys() - before.keys()
    assert {uid for uid, one in found.items() if one.action == "removed"} == before.keys() - after.keys()
    changed = {uid for uid in before.keys() & after.keys() if before[uid] != after[uid]}
    assert {uid for uid, one in found.items() if one.action == "changed"} == changed
    for uid in changed:
        for name, value in after[uid].items():
            if value != before[uid][name]:
                assert found[uid].fields[name] == (before[uid][name], value)
    assert [one.uid for one in queries.differences(SYSTEM, end, start)] == list(found)


def test_who_may_and_what_is_seen(company: people.Company) -> None:
    start = taken("Ours", actor=company.rita)
    execute(CreateItem(key="ledger", name="Ledger", kind="system", organisation="shops"), actor=SYSTEM)
    execute(CreateItem(key="card", name="Card", kind="system", organisation="cards"), actor=SYSTEM)
    [found] = queries.differences(company.vera, start)
    assert (found.action, found.record.key) == ("added", "ledger")
    with pytest.raises(NotFound):
        queries.baseline(company.carl, start.key)
    with pytest.raises(Forbidden):
        taken("No", actor=company.vera)
    with pytest.raises(Invalid, match="cards"):
        taken("No", "cards", actor=company.rita)
    with pytest.raises(Invalid, match="one organisation"):
        queries.differences(SYSTEM, start, taken("Other", "cards"))
    execute(ArchiveBaseline(baseline=start.key), actor=company.rita)
    assert queries.baseline_page(company.rita, queries.BaselineQuery()).rows == []
