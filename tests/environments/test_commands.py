"""Environments and instances through their commands: who may, what is refused, what is recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fairway.audit.commands import Command, execute
from fairway.audit.models import Denial, Event
from fairway.environments import queries
from fairway.environments.commands import (
    ArchiveEnvironment,
    CreateEnvironment,
    CreateInstance,
    EditEnvironment,
    PutEnvironment,
    PutInstance,
    RemoveInstance,
)
from fairway.environments.models import Environment, Instance
from fairway.environments.rules import Control, Tier
from fairway.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Problem, Stale
from tests.support.company import Company
from tests.support.replay import replayed

Make = Callable[..., str]
Stand = Callable[[str, str], object]


def new(key: str = "prod", **more: Any) -> CreateEnvironment:
    return CreateEnvironment(
        **{"key": key, "name": "Production", "tier": "production", "organisation": "retail", **more}
    )


@pytest.mark.parametrize(
    ("tier", "control"),
    [
        ("development", "open"),
        ("system_test", "coordinated"),
        ("integration", "coordinated"),
        ("performance", "coordinated"),
        ("acceptance", "coordinated"),
        ("staging", "coordinated"),
        ("training", "coordinated"),
        ("production", "controlled"),
        ("disaster_recovery", "controlled"),
    ],
)
def test_create_environment_is_controlled_as_its_tier_says(company: Company, tier: str, control: str) -> None:
    execute(new(tier=tier), actor=company.rita)

    made = Environment.objects.get()
    assert (made.control, made.tier_position) == (control, list(Tier).index(Tier(tier)))


def test_the_choices_of_the_table_are_those_of_the_rules() -> None:
    assert Environment.Tier.values == list(Tier)
    assert Environment.Control.values == list(Control)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key", "SIT 2"),
        ("name", ""),
        ("tier", "moon"),
        ("control", "none"),
        ("status", "gone"),
        ("zone", "Mars/Base"),
        ("organisation", "cards"),
        ("colour", "red"),
        ("position", 10_001),
        ("description", "x" * 20_001),
    ],
)
def test_create_environment_refuses_by_field(company: Company, field: str, value: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        execute(new(**{field: value}), actor=company.rita)

    assert [error.field for error in refusal.value.errors] == [field]
    assert not Environment.objects.exists()


@pytest.mark.parametrize(
    "command",
    [
        new("other"),
        EditEnvironment(environment="prod", name="Mine"),
        PutEnvironment(key="prod", name="Mine"),
        ArchiveEnvironment(environment="prod"),
        CreateInstance(item="ledger", environment="prod"),
        PutInstance(item="ledger", environment="prod"),
    ],
    ids=lambda command: command.command,
)
def test_who_may_only_read_is_refused_and_leaves_but_a_denial(
    company: Company, item: Make, environment: Make, command: Command
) -> None:
    item("ledger"), environment("prod")
    events = Event.objects.count()

    with pytest.raises(Forbidden, match=r"environments\.edit"):
        execute(command, actor=company.vera)

    assert (Event.objects.count(), Environment.objects.get().version) == (events, 1)
    assert Denial.objects.get().command == command.command


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (EditEnvironment(environment="prod", name="Mine"), NotFound),
        (ArchiveEnvironment(environment="prod"), NotFound),
        (PutEnvironment(key="prod", name="Mine"), Conflict),
        (new(organisation="cards"), Conflict),
        (CreateInstance(item="own", environment="prod"), Invalid),
        (CreateInstance(item="ledger", environment="mine"), Invalid),
        (PutInstance(item="ledger", environment="mine"), Invalid),
    ],
    ids=lambda value: getattr(value, "command", ""),
)
def test_what_stands_in_another_branch_does_not_exist(
    company: Company, item: Make, environment: Make, command: Command, problem: type[Problem]
) -> None:
    item("ledger"), item("own", "cards"), environment("prod"), environment("mine", "cards")

    with pytest.raises(problem):
        execute(command, actor=company.carl)


def test_edit_put_and_archive_are_recorded_and_guarded_by_the_version(
    company: Company, environment: Make
) -> None:
    environment("prod", position=3)

    with replayed():
        execute(EditEnvironment(environment="prod", tier="staging", version=1), actor=company.rita)
        with pytest.raises(Stale):
            execute(EditEnvironment(environment="prod", name="x", version=1), actor=company.rita)
        execute(PutEnvironment(key="prod", control=None, zone="Europe/London"), actor=company.rita)
        execute(ArchiveEnvironment(environment="prod", version=3), actor=company.rita)
        with pytest.raises(Conflict):
            execute(EditEnvironment(environment="prod", name="x"), actor=company.rita)
        execute(PutEnvironment(key="prod"), actor=company.rita)

    made = Environment.objects.get()
    assert (made.tier, made.tier_position, made.control, made.zone) == (
        "staging",
        5,
        "coordinated",
        "Europe/London",
    )
    assert (made.version, made.position, made.archived_at) == (5, 3, None)


def test_an_item_stands_in_an_environment_once(company: Company, item: Make, environment: Make) -> None:
    item("ledger"), environment("prod")
    with replayed():
        execute(CreateInstance(item="ledger", environment="prod"), actor=company.rita)
        with pytest.raises(Conflict) as refusal:
            execute(CreateInstance(item="ledger", environment="prod"), actor=company.rita)
        again = execute(PutInstance(item="ledger", environment="prod"), actor=company.rita)

    assert refusal.value.code == "environments.instance.exists"
    assert again.sequence is None
    uid = str(Instance.objects.get().uid)
    with pytest.raises(NotFound):
        execute(RemoveInstance(instance=uid), actor=company.carl)
    with replayed():
        execute(RemoveInstance(instance=uid), actor=company.rita)
    assert not Instance.objects.exists()


def test_an_instance_is_seen_by_who_sees_both_sides(
    company: Company, item: Make, environment: Make, stand: Stand
) -> None:
    item("ledger"), environment("prod", "cards")
    stand("ledger", "prod")
    uid = str(Instance.objects.get().uid)

    for actor in (company.rita, company.carl):
        with pytest.raises(NotFound):
            queries.instance(actor, uid)
    assert queries.instance(company.boss, uid).item.slug == "ledger"


def test_facts_and_what_stands_where_follow_each_write(
    company: Company, item: Make, environment: Make, stand: Stand
) -> None:
    item("ledger"), item("host"), environment("prod"), environment("sit2", tier="system_test")
    stand("ledger", "prod"), stand("ledger", "sit2"), stand("host", "sit2")
    prod, sit2 = Environment.objects.order_by("pk")
    ledger = Instance.objects.filter(environment=prod).get().item_id

    facts = queries.facts()
    assert [(fact.ref.key, fact.tier, fact.control) for _, fact in sorted(facts.items())] == [
        ("prod", Tier.PRODUCTION, Control.CONTROLLED),
        ("sit2", Tier.SYSTEM_TEST, Control.COORDINATED),
    ]
    assert queries.standing(prod.pk) == {ledger}
    assert len(queries.standing(sit2.pk)) == 2
    assert queries.places([ledger]) == {ledger: {prod.pk, sit2.pk}}

    execute(EditEnvironment(environment="prod", control="open"), actor=company.rita)
    execute(RemoveInstance(instance=str(Instance.objects.get(environment=prod).uid)), actor=company.rita)
    assert queries.facts()[prod.pk].control is Control.OPEN
    assert queries.standing(prod.pk) == set()


def test_environments_are_given_in_the_order_asked_for(company: Company, environment: Make) -> None:
    environment("prod"), environment("sit2"), environment("old"), environment("theirs", "cards")
    execute(ArchiveEnvironment(environment="old"), actor=company.rita)

    found = queries.environments(company.rita, ["sit2", "prod", "sit2"])

    assert [one.slug for one in found] == ["sit2", "prod"]
    with pytest.raises(Invalid) as refusal:
        queries.environments(company.rita, ["prod", "old", "theirs"])
    assert [error.message for error in refusal.value.errors] == [
        "The environment old is archived.",
        "There is no environment “theirs”.",
    ]
