"""Items and relations through their commands: who may, what is refused, what is recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fairway.audit.commands import Command, execute, preview
from fairway.audit.models import Denial, Event
from fairway.catalog import queries
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
from fairway.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Problem, Stale

from .conftest import Company

Make = Callable[..., str]
Relate = Callable[..., object]


def new(key: str = "ledger", **more: Any) -> CreateItem:
    return CreateItem(**{"key": key, "name": "Ledger", "kind": "system", "organisation": "retail", **more})


def test_create_item_records_one_event_with_all_its_fields(company: Company) -> None:
    outcome = execute(new(criticality=1, attributes={"vendor": "own"}), actor=company.retail)

    made = ConfigurationItem.objects.get(slug="ledger")
    event = Event.objects.latest("sequence")
    assert outcome.created
    assert outcome.subject == made.ref()
    assert (made.version, made.criticality, made.shared, made.attributes) == (1, 1, False, {"vendor": "own"})
    assert (event.command, event.subject_key, event.rows.count()) == ("catalog.item.create", "ledger", 1)


def test_create_item_without_organisation_goes_to_the_one_of_who_creates_it(company: Company) -> None:
    execute(new(organisation=None), actor=company.retail)

    assert ConfigurationItem.objects.get().organisation.slug == "retail"


@pytest.mark.parametrize(("kind", "shared"), [("system", False), ("network", True), ("third-party", True)])
def test_create_item_is_shared_as_its_kind_says(company: Company, kind: str, shared: bool) -> None:
    execute(new(kind=kind), actor=company.retail)

    assert ConfigurationItem.objects.get().shared is shared


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key", "Ledger"),
        ("key", "-ledger"),
        ("key", "led ger"),
        ("key", "l" * 101),
        ("name", "   "),
        ("name", "x" * 201),
        ("name", "nul\x00"),
        ("kind", "spaceship"),
        ("status", "broken"),
        ("criticality", 0),
        ("criticality", 5),
        ("organisation", "nowhere"),
        ("organisation", "cards"),
        ("owner_team", "nobody"),
        ("description", "x" * 20_001),
        ("description", "bell\x07"),
        ("external_id", "x" * 201),
        ("attributes", {"nul": "\x00"}),
        ("attributes", {"much": "x" * 16_001}),
        ("attributes", {str(number): 1 for number in range(101)}),
    ],
)
def test_create_item_refuses_what_has_no_sense_and_names_the_field(
    company: Company, field: str, value: Any
) -> None:
    events = Event.objects.count()

    with pytest.raises(Invalid) as refusal:
        execute(new(**{field: value}), actor=company.retail)

    assert [error.field for error in refusal.value.errors] == [field]
    assert not ConfigurationItem.objects.exists()
    assert Event.objects.count() == events


def test_create_item_refuses_a_key_that_is_taken_also_in_a_branch_out_of_sight(
    company: Company, item: Make
) -> None:
    item("ledger", "cards")

    with pytest.raises(Conflict) as refusal:
        execute(new(), actor=company.retail)
    assert refusal.value.code == "catalog.item.exists"


@pytest.mark.parametrize(
    "command",
    [
        new("other"),
        EditItem(item="ledger", name="Mine"),
        PutItem(key="ledger", name="Mine"),
        PutItem(key="other", name="Mine", kind="system", organisation="retail"),
        ArchiveItem(item="ledger"),
        CreateRelation(source="ledger", target="host", kind="runs-on"),
        PutRelation(source="ledger", target="host", kind="runs-on"),
    ],
    ids=lambda command: command.command,
)
def test_who_may_only_read_is_refused_and_leaves_but_a_denial(
    company: Company, item: Make, command: Command
) -> None:
    item("ledger"), item("host")
    before = (Event.objects.count(), list(ConfigurationItem.objects.values()), Relation.objects.count())

    with pytest.raises(Forbidden, match=r"catalog\.edit"):
        execute(command, actor=company.reader)

    assert before == (
        Event.objects.count(),
        list(ConfigurationItem.objects.values()),
        Relation.objects.count(),
    )
    assert Denial.objects.get().command == command.command


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (EditItem(item="ledger", name="Mine"), NotFound),
        (ArchiveItem(item="ledger"), NotFound),
        (PutItem(key="ledger", name="Mine"), Conflict),
        (CreateRelation(source="ledger", target="host", kind="runs-on"), Invalid),
        (CreateRelation(source="own", target="host", kind="runs-on"), Invalid),
        (PutRelation(source="own", target="host", kind="runs-on"), Invalid),
    ],
    ids=lambda value: getattr(value, "command", ""),
)
def test_an_item_of_another_branch_does_not_exist(
    company: Company, item: Make, command: Command, problem: type[Problem]
) -> None:
    item("ledger"), item("host"), item("own", "cards")

    with pytest.raises(problem):
        execute(command, actor=company.cards)


def test_edit_item_changes_what_is_given_and_nothing_else(company: Company, item: Make) -> None:
    item("ledger", description="Books.")

    execute(EditItem(item="ledger", name="New  Ledger", version=1), actor=company.retail)

    made = ConfigurationItem.objects.get()
    assert (made.name, made.name_folded, made.description, made.version) == (
        "New Ledger",
        "new ledger",
        "Books.",
        2,
    )


def test_edit_item_refuses_who_read_an_older_version(company: Company, item: Make) -> None:
    item("ledger")
    execute(EditItem(item="ledger", criticality=1, version=1), actor=company.retail)

    with pytest.raises(Stale):
        execute(EditItem(item="ledger", criticality=4, version=1), actor=company.retail)
    assert ConfigurationItem.objects.get().criticality == 1


def test_edit_item_to_another_organisation_takes_its_relations_along(
    company: Company, item: Make, relate: Relate
) -> None:
    item("ledger"), item("host")
    relate("ledger", "host")

    execute(EditItem(item="ledger", organisation="cards"), actor=company.boss)

    assert ConfigurationItem.objects.get(slug="ledger").organisation.slug == "cards"
    assert Relation.objects.get().organisation.slug == "cards"


def test_edit_item_into_a_branch_out_of_sight_is_refused(company: Company, item: Make) -> None:
    item("ledger")

    with pytest.raises(Invalid, match="no organisation"):
        execute(EditItem(item="ledger", organisation="cards"), actor=company.retail)


def test_put_item_creates_then_changes_then_does_nothing(company: Company) -> None:
    first = execute(PutItem(key="ledger", name="Ledger", kind="system"), actor=company.retail)
    second = execute(PutItem(key="ledger", criticality=2), actor=company.retail)
    third = execute(PutItem(key="ledger", criticality=2), actor=company.retail)

    assert (first.created, second.created, third.created) == (True, False, False)
    assert second.sequence == first.sequence + 1  # type: ignore[operator]
    assert third.sequence is None, "nothing changed, nothing is recorded"
    made = ConfigurationItem.objects.get()
    assert (made.name, made.criticality, made.version) == ("Ledger", 2, 2)


def test_put_item_brings_an_archived_one_back(company: Company, item: Make) -> None:
    item("ledger")
    execute(ArchiveItem(item="ledger", version=1), actor=company.retail)
    with pytest.raises(Conflict):
        execute(EditItem(item="ledger", name="x"), actor=company.retail)

    execute(PutItem(key="ledger", name="Back"), actor=company.retail)

    made = ConfigurationItem.objects.get()
    assert (made.name, made.archived_at) == ("Back", None)


@pytest.mark.parametrize("missing", ["name", "kind"])
def test_put_item_needs_name_and_kind_of_a_new_one(company: Company, missing: str) -> None:
    given: dict[str, Any] = {"key": "ledger", "name": "Ledger", "kind": "system"}
    del given[missing]

    with pytest.raises(Invalid) as refusal:
        execute(PutItem(**given), actor=company.retail)
    assert refusal.value.errors[0].field == missing


def test_an_archived_item_can_be_read_but_takes_part_in_nothing_new(company: Company, item: Make) -> None:
    item("ledger"), item("host")
    execute(ArchiveItem(item="ledger"), actor=company.retail)

    assert queries.item(company.retail, "ledger").archived_at is not None
    with pytest.raises(Invalid, match="archived"):
        execute(CreateRelation(source="host", target="ledger", kind="depends-on"), actor=company.retail)


def test_create_relation_once(company: Company, item: Make) -> None:
    item("ledger"), item("host")
    wanted = CreateRelation(source="ledger", target="host", kind="runs-on")
    execute(wanted, actor=company.retail)

    with pytest.raises(Conflict) as refusal:
        execute(wanted, actor=company.retail)
    again = execute(PutRelation(source="ledger", target="host", kind="runs-on"), actor=company.retail)

    assert refusal.value.code == "catalog.relation.exists"
    assert again.sequence is None
    assert Relation.objects.count() == 1


@pytest.mark.parametrize(
    ("source", "target", "kind", "field"),
    [
        ("ledger", "ledger", "runs-on", "target"),
        ("ledger", "nothing", "runs-on", "target"),
        ("nothing", "ledger", "runs-on", "source"),
        ("ledger", "host", "likes", "kind"),
    ],
)
def test_create_relation_refuses_by_field(
    company: Company, item: Make, source: str, target: str, kind: str, field: str
) -> None:
    item("ledger"), item("host")

    with pytest.raises(Invalid) as refusal:
        execute(CreateRelation(source=source, target=target, kind=kind), actor=company.retail)
    assert [error.field for error in refusal.value.errors] == [field]


def test_remove_relation_is_for_who_sees_both_ends(company: Company, item: Make, relate: Relate) -> None:
    item("ledger"), item("gate", "cards")
    relate("ledger", "gate")
    uid = str(Relation.objects.get().uid)

    with pytest.raises(NotFound):
        execute(RemoveRelation(relation=uid), actor=company.retail)
    execute(RemoveRelation(relation=uid), actor=company.boss)

    assert not Relation.objects.exists()


def test_preview_writes_nothing(company: Company) -> None:
    plan = preview(new(), actor=company.retail)

    assert [row.key for row in plan.create if isinstance(row, ConfigurationItem)] == ["ledger"]
    assert not ConfigurationItem.objects.exists()


def test_items_are_given_in_the_order_asked_for_each_once(company: Company, item: Make) -> None:
    item("a1"), item("b2"), item("c3", "cards")
    uid = str(ConfigurationItem.objects.get(slug="a1").uid)

    found = queries.items(company.retail, ["b2", uid, "a1", "b2"])

    assert [one.slug for one in found] == ["b2", "a1"]
    with pytest.raises(Invalid) as refusal:
        queries.items(company.retail, ["a1", "c3", "none"])
    assert [error.message for error in refusal.value.errors] == [
        "There is no item “c3”.",
        "There is no item “none”.",
    ]


def test_an_item_read_by_key_is_the_one_read_by_uid(company: Company) -> None:
    execute(new(owner_team=None, attributes={"a": [1, {"b": None}]}), actor=company.retail)
    uid = str(ConfigurationItem.objects.get(slug="ledger").uid)

    by_key, by_uid = queries.item(company.retail, "ledger"), queries.item(company.retail, uid)

    for path in ("", "item_kind", "organisation", "owner_team"):
        one, other = (getattr(found, path) if path else found for found in (by_key, by_uid))
        assert (one is None) == (other is None)
        if one is not None:
            columns = [field.attname for field in one._meta.concrete_fields]
            assert [getattr(one, name) for name in columns] == [getattr(other, name) for name in columns]
    execute(EditItem(item="ledger", name="Books"), actor=company.retail)
    assert queries.item(company.retail, "ledger").name == "Books"
    with pytest.raises(NotFound):
        queries.item(company.cards, "ledger")
