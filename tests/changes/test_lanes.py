"""What a change takes through groups and links: claims, freezes and clearance follow them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fairway.audit.commands import execute
from fairway.calendars.commands import CreateWindow
from fairway.changes import queries
from fairway.changes.models import AffectedEnvironment
from fairway.claims import queries as claims
from fairway.environments.commands import (
    CreateEnvironmentGroup,
    CreateEnvironmentLink,
    EditEnvironmentGroup,
    RemoveEnvironmentLink,
)
from fairway.environments.models import EnvironmentLink
from fairway.kernel.actor import SYSTEM
from fairway.policy import Severity
from tests.changes.conftest import NOON, Company, hours


def link(parent: str, child: str) -> str:
    made = execute(CreateEnvironmentLink(parent=parent, child=child), actor=SYSTEM).subject
    return made.uid if made else ""


def places() -> set[Any]:
    return {claim.environment for claim in claims.stored("change")}


def current() -> bool:
    return {claim for some in queries.held().values() for claim in some} == claims.stored("change")


def rules(key: str) -> list[str]:
    dossier = queries.dossier(SYSTEM, key)
    return [finding.rule for finding in queries.assess_dossier(dossier, at=NOON).findings]


def test_who_takes_a_parent_takes_what_is_linked_below(company: Company) -> None:
    key = company.change(environments=("prod",))
    below = company.change(environments=("dev",))
    assert rules(key) == rules(below) == []

    one = link("prod", "sit2")
    other = link("sit2", "dev")

    assert len(places()) == 3
    assert current()
    assert rules(key) == rules(below) == ["claims.same_item"]
    execute(RemoveEnvironmentLink(link=one), actor=SYSTEM)
    assert rules(key) == rules(below) == []
    assert current()
    execute(RemoveEnvironmentLink(link=other), actor=SYSTEM)
    assert len(places()) == 2
    assert not EnvironmentLink.objects.exists()


def test_a_freeze_below_holds_for_what_takes_it(company: Company) -> None:
    window = CreateWindow(
        name="Rest",
        kind="hard_freeze",
        organisation="retail",
        zone="UTC",
        starts_at=NOON,
        ends_at=NOON + timedelta(days=2),
        environments=["dev"],
    )
    execute(window, actor=SYSTEM)
    key = company.change(environments=("prod",))
    assert rules(key) == []
    link("prod", "dev")
    decision = queries.assess_dossier(queries.dossier(SYSTEM, key), at=NOON)
    assert [(one.rule, one.severity) for one in decision.findings] == [("calendars.freeze", Severity.BLOCK)]


def test_a_group_is_named_for_what_it_holds_then(company: Company) -> None:
    execute(
        CreateEnvironmentGroup(key="lane", name="Lane", members=["sit2", "dev"], organisation="retail"),
        actor=SYSTEM,
    )
    key = company.change(environments=("lane",), windows=(hours(0, 1),))
    named = AffectedEnvironment.objects.values_list("environment__slug", flat=True)
    assert sorted(named) == ["dev", "sit2"]
    execute(EditEnvironmentGroup(group="lane", members=["prod"]), actor=SYSTEM)
    assert sorted(named) == ["dev", "sit2"]  # what was asked for and approved does not widen by itself
    assert len(queries.dossier(SYSTEM, key).environments) == 2
    assert current()
