"""The catalogue's health: each check names exactly what is doubtful, and tells only what its reader sees."""

from __future__ import annotations

import random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fairway.accounts.commands import CreateTeam
from fairway.audit.commands import execute, execute_many
from fairway.catalog import queries
from fairway.catalog.commands import ArchiveItem, CreateItem, CreateRelation
from fairway.catalog.models import ConfigurationItem, Relation
from fairway.environments.commands import CreateEnvironment, CreateInstance
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Invalid
from tests.support.company import Company, found
from tests.support.standing import standing

founded_once = standing(found)


@pytest.fixture
def company(founded_once: Company, db: None) -> Company:
    return founded_once


def item(key: str, **more: object) -> None:
    given = {"name": key.title(), "kind": "system", "organisation": "retail", "description": "x", **more}
    execute(CreateItem(key=key, **given), actor=SYSTEM)  # type: ignore[arg-type]  # given by name


def joined(source: str, target: str, kind: str = "depends-on") -> None:
    execute(CreateRelation(source=source, target=target, kind=kind), actor=SYSTEM)


def named(actor: Actor, check: str) -> set[str]:
    return {row["slug"] for row in queries.item_page(actor, queries.ItemQuery(health=check, limit=1000)).rows}


def test_each_check_names_what_is_doubtful(company: Company) -> None:
    execute(CreateTeam(slug="crew", name="Crew", organisation="retail"), actor=SYSTEM)
    execute(
        CreateEnvironment(key="prod", name="Prod", tier="production", organisation="retail"), actor=SYSTEM
    )
    item("good", owner_team="crew", criticality=1)
    item("placed", owner_team="crew", criticality=1)
    item("loop-a", owner_team="crew")
    item("loop-b", owner_team="crew")
    item("alone", owner_team="crew")
    item("mute", description="", attributes={"owner": "ghosts"})
    item("twin-1", name="Twin", external_id="X1", owner_team="crew")
    item("twin-2", name="TWIN", external_id="X1", owner_team="crew")
    item("other-kind", name="Twin", kind="host", owner_team="crew")
    item("gone", status="retired")
    item("away")
    joined("loop-a", "loop-b")
    joined("loop-b", "loop-a")
    joined("good", "gone")
    joined("good", "away")
    for one in ("mute", "twin-1", "twin-2", "other-kind"):
        joined(one, "good", "connects-to")
    execute(ArchiveItem(item="away"), actor=SYSTEM)
    for one in ("good", "placed"):  # last: from here on they are under change control
        execute(CreateInstance(item=one, environment="prod"), actor=SYSTEM)
    expected = {
        "circles": {"loop-a", "loop-b", "good", "mute", "twin-1", "twin-2", "other-kind"},
        "same-id": {"twin-1", "twin-2"},
        "same-name": {"twin-1", "twin-2"},
        "retired-needed": {"gone"},
        "alone": {"alone"},
        "unplaced": set(),
        "unowned": {"mute"},
        "unknown-owner": {"mute"},
        "left-owner": set(),
        "undescribed": {"mute"},
    }
    if not any(kind["failure"] == "both" for kind in queries.relation_kinds()):
        expected["circles"] = {"loop-a", "loop-b"}
    assert {check: named(SYSTEM, check) for check in queries.CHECKS} == expected
    counts = queries.health(SYSTEM)
    assert counts == {"dangling": 1, **{check: len(keys) for check, keys in expected.items()}}
    (row,) = queries.relation_page(SYSTEM, queries.RelationQuery(dangling="true")).rows
    assert (row["source__slug"], row["target__slug"]) == ("good", "away")


def test_twins_in_another_branch_are_not_told(company: Company) -> None:
    item("mine", name="Same", external_id="X")
    item("theirs", name="Same", external_id="X", organisation="cards")
    joined("mine", "theirs")
    joined("theirs", "mine")
    assert queries.health(company.boss)["same-name"] == 2
    own = queries.health(company.rita)
    assert (own["same-name"], own["same-id"], own["circles"], own["dangling"]) == (0, 0, 0, 0)


def test_an_unknown_check_is_refused_with_those_there_are(company: Company) -> None:
    with pytest.raises(Invalid, match="no check; there are circles, same-id"):
        queries.item_page(SYSTEM, queries.ItemQuery(health="luck"))


def test_the_checks_agree_with_counting_by_hand(company: Company) -> None:
    """Random landscapes against plain loops over all rows."""
    draw = random.Random(7)
    list(
        execute_many(
            [
                CreateItem(
                    key=f"r-{n}",
                    name=f"Name {draw.randrange(40)}",
                    kind=draw.choice(["system", "host"]),
                    organisation=draw.choice(["retail", "cards"]),
                    external_id=draw.choice(["", f"E{draw.randrange(60)}"]),
                    status=draw.choice(["live", "live", "retired", "planned"]),
                )
                for n in range(80)
            ],
            actor=SYSTEM,
        )
    )
    pairs = {(draw.randrange(80), draw.randrange(80)) for _ in range(60)}
    list(
        execute_many(
            [CreateRelation(source=f"r-{a}", target=f"r-{b}", kind="depends-on") for a, b in pairs if a != b],
            actor=SYSTEM,
        )
    )
    for n in draw.sample(range(80), 10):
        execute(ArchiveItem(item=f"r-{n}"), actor=SYSTEM)
    live = list(ConfigurationItem.objects.filter(archived_at=None))
    used = [one for one in live if one.status != "retired"]
    ends = list(Relation.objects.values_list("source_id", "target_id"))
    living = {one.pk for one in live}
    touched = {end for pair in ends if living.issuperset(pair) for end in pair}
    needed = {target for source, target in ends if source in {o.pk for o in live if o.status == "live"}}
    names = [(one.name_folded, one.item_kind_id) for one in used]
    ids = [one.external_id for one in used if one.external_id]
    assert named(SYSTEM, "same-name") == {
        one.slug for one in used if names.count((one.name_folded, one.item_kind_id)) > 1
    }
    assert named(SYSTEM, "same-id") == {one.slug for one in used if ids.count(one.external_id) > 1}
    assert named(SYSTEM, "alone") == {one.slug for one in used if one.pk not in touched}
    assert named(SYSTEM, "retired-needed") == {
        one.slug for one in live if one.status == "retired" and one.pk in needed
    }


def test_the_report_takes_the_same_statements_however_many_items_there_are(company: Company) -> None:
    def statements() -> int:
        queries.health(company.rita)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            queries.health(company.rita)
        return len(asked)

    item("one")
    few = statements()
    for n in range(30):
        item(f"more-{n}")
        joined(f"more-{n}", "one")
    assert statements() == few
    assert few <= 16
