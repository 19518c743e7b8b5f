"""Items under change control: what may be edited without a change, and what may not, through each door."""

from __future__ import annotations

from typing import Any

import pytest

from fairway.audit.commands import Command, build, execute, execute_many, preview
from fairway.audit.models import Denial, Event
from fairway.catalog.commands import (
    ArchiveItem,
    CreateItem,
    CreateRelation,
    EditItem,
    PutItem,
    PutRelation,
    RemoveRelation,
)
from fairway.catalog.models import ConfigurationItem, Relation
from fairway.environments.commands import CreateEnvironment, CreateInstance, EditEnvironment
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import Invalid, Refused
from fairway.policy import tell
from fairway.workspace.commands import UndoEvent


@pytest.fixture
def standing(company: Any) -> Any:
    """Let `ledger` stand in production, `spare` in an open environment, with a relation between them."""
    for key in ("ledger", "spare"):
        command = CreateItem(key=key, name=key, kind="system", organisation="retail", attributes={"port": 1})
        execute(command, actor=SYSTEM)
    for key, control in (("prod", "controlled"), ("dev", "open")):
        tier = "production" if control == "controlled" else "development"
        command2 = CreateEnvironment(
            key=key, name=key.title(), tier=tier, control=control, organisation="retail"
        )
        execute(command2, actor=SYSTEM)
    execute(CreateRelation(source="ledger", target="spare", kind="depends-on"), actor=SYSTEM)
    for item, place in (("ledger", "prod"), ("spare", "dev")):
        execute(CreateInstance(item=item, environment=place), actor=SYSTEM)
    return company


REFUSED: list[Command] = [
    EditItem(item="ledger", status="retired"),
    EditItem(item="ledger", kind="database"),
    EditItem(item="ledger", shared=True),
    EditItem(item="ledger", criticality=1),
    EditItem(item="ledger", organisation="group"),
    EditItem(item="ledger", attributes={"port": 2}),
    EditItem(item="ledger", attributes={"port": None}),
    EditItem(item="ledger", name="Fine", criticality=1),
    PutItem(key="ledger", status="retired"),
    ArchiveItem(item="ledger"),
    CreateRelation(source="ledger", target="spare", kind="connects-to"),
    PutRelation(source="ledger", target="spare", kind="connects-to"),
]
FREE: list[Command] = [
    EditItem(item="ledger", name="Ledger", description="books", external_id="x-1"),
    EditItem(item="ledger", criticality=3, status="live", shared=False, attributes={"port": 1}),
    PutItem(key="ledger", name="Ledger", kind="system", attributes={"port": 1}),
    EditItem(item="spare", criticality=1, attributes={"port": 2}),
    ArchiveItem(item="spare"),
    CreateRelation(source="spare", target="ledger", kind="connects-to"),
    PutRelation(source="ledger", target="spare", kind="depends-on"),
]


@pytest.mark.parametrize("command", REFUSED, ids=str)
def test_configuration_of_a_controlled_item_is_refused_and_told(standing: Any, command: Command) -> None:
    before = Event.objects.count()
    with pytest.raises(Refused) as refusal:
        execute(command, actor=SYSTEM)
    assert refusal.value.status == 409
    (finding,) = refusal.value.decision.findings
    assert finding.rule == "catalog.controlled"
    assert "Prod" in tell(finding)
    assert "propose this in a change" in refusal.value.detail
    assert Event.objects.count() == before
    assert Denial.objects.count() in (0, 1)
    assert preview(command, actor=SYSTEM).decision.denied
    (answer,) = execute_many([command], actor=SYSTEM)
    assert isinstance(answer, Refused)


@pytest.mark.parametrize("command", FREE, ids=str)
def test_record_keeping_and_items_elsewhere_are_free(standing: Any, command: Command) -> None:
    execute(command, actor=SYSTEM)


@pytest.mark.parametrize(
    "freed",
    [{"control": "coordinated"}, {"status": "decommissioned"}],
    ids=["no longer controlled", "decommissioned"],
)
def test_what_is_not_under_control_any_more_is_free(standing: Any, freed: dict[str, str]) -> None:
    execute(EditEnvironment(environment="prod", **freed), actor=SYSTEM)  # type: ignore[arg-type]
    execute(EditItem(item="ledger", criticality=1), actor=SYSTEM)
    assert ConfigurationItem.objects.get(slug="ledger").criticality == 1


def test_a_relation_of_a_controlled_source_stays(standing: Any) -> None:
    uid = str(Relation.objects.get().uid)
    with pytest.raises(Refused):
        execute(RemoveRelation(relation=uid), actor=SYSTEM)
    assert Relation.objects.count() == 1


def test_an_edit_is_not_taken_back_once_the_item_is_controlled(standing: Any) -> None:
    edited = execute(EditItem(item="spare", criticality=1), actor=SYSTEM)
    named = execute(EditItem(item="spare", description="kept for the worst"), actor=SYSTEM)
    execute(CreateInstance(item="spare", environment="prod"), actor=SYSTEM)
    assert edited.sequence
    assert named.sequence
    with pytest.raises(Refused) as refusal:
        execute(UndoEvent(event=edited.sequence), actor=SYSTEM)
    assert "Prod" in refusal.value.detail
    execute(UndoEvent(event=named.sequence), actor=SYSTEM)
    spare = ConfigurationItem.objects.get(slug="spare")
    assert (spare.criticality, spare.description) == (1, "")


def test_a_batch_asks_once_what_is_controlled(standing: Any, django_assert_max_num_queries: Any) -> None:
    """Rows of a batch cost no statement each."""

    def put(count: int) -> list[Any]:
        rows = [PutItem(key=f"n{number}", name="n", kind="system") for number in range(count)]
        return list(execute_many([*rows, PutItem(key="ledger", criticality=2)], actor=SYSTEM))

    assert isinstance(put(30)[-1], Refused)
    with django_assert_max_num_queries(20):
        put(30)


def test_authority_cannot_be_claimed_in_a_request(standing: Any) -> None:
    with pytest.raises(Invalid):
        build("catalog.item.edit", {"item": "ledger", "criticality": 1, "authority": "CHG-1"})
