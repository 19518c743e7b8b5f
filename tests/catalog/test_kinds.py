"""Kinds of items and relations as data: who edits them, what is refused, what follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fairway.audit.commands import Command, execute
from fairway.catalog import queries
from fairway.catalog.commands import (
    ArchiveItem,
    ArchiveItemKind,
    ArchiveRelationKind,
    CreateItem,
    CreateItemKind,
    CreateRelationKind,
    EditItem,
    EditItemKind,
    EditRelationKind,
    OrderItemKinds,
    RestoreItemKind,
)
from fairway.catalog.models import ConfigurationItem, ItemKind
from fairway.catalog.rules import Direction
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import Conflict, Forbidden, Invalid, Problem, Stale

from .conftest import Company

Make = Callable[..., str]


def test_a_new_kind_is_used_at_once_and_ordered(company: Company) -> None:
    execute(CreateItemKind(key="queue", name="Queue", shared_default=True), actor=company.boss)
    execute(OrderItemKinds(keys=["queue"]), actor=company.boss)
    execute(CreateItem(key="orders", name="Orders", kind="queue", organisation="retail"), actor=SYSTEM)
    assert ConfigurationItem.objects.get().shared
    assert [row["slug"] for row in queries.kinds()][:2] == ["queue", "business-service"]


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (CreateItemKind(key="system", name="S"), Conflict),
        (CreateItemKind(key="a" * 61, name="S"), Invalid),
        (CreateItemKind(key="s", name=" "), Invalid),
        (CreateRelationKind(key="r", name="r", reverse_name="r", failure="up"), Invalid),
        (EditItemKind(kind="system", version=7, name="S"), Stale),
        (OrderItemKinds(keys=["spaceship"]), Invalid),
        (ArchiveItemKind(kind="system"), Conflict),
        (ArchiveRelationKind(kind="depends-on"), Conflict),
    ],
)
def test_what_makes_no_sense_or_is_in_use_is_refused(
    company: Company, item: Make, relate: Any, command: Command, error: type[Problem]
) -> None:
    relate(item("till"), item("ledger"))
    with pytest.raises(error):
        execute(command, actor=company.boss)


def test_kinds_are_for_who_configures_the_whole_tree(company: Company) -> None:
    with pytest.raises(Forbidden):
        execute(EditItemKind(kind="system", name="S"), actor=company.retail)


def test_a_kind_that_nothing_uses_is_put_away_and_comes_back(company: Company, item: Make) -> None:
    item("bus", kind="middleware")
    with pytest.raises(Conflict, match="1 items"):
        execute(ArchiveItemKind(kind="middleware"), actor=company.boss)
    execute(ArchiveItem(item="bus"), actor=SYSTEM)
    execute(ArchiveItemKind(kind="middleware"), actor=company.boss)
    with pytest.raises(Invalid, match="no kind of item “middleware”"):
        item("other", kind="middleware")
    execute(RestoreItemKind(kind="middleware"), actor=company.boss)
    item("other", kind="middleware")


def test_items_of_a_strict_kind_hold_what_is_defined_alone(company: Company, item: Make) -> None:
    item("till", attributes={"note": "old"})
    execute(EditItemKind(kind="system", strict=True), actor=company.boss)
    with pytest.raises(Invalid, match="no field “other”"):
        execute(EditItem(item="till", attributes={"other": "new"}), actor=SYSTEM)
    execute(EditItem(item="till", attributes={"note": None}), actor=SYSTEM)
    assert ConfigurationItem.objects.get().attributes == {}
    assert ItemKind.objects.get(slug="system").version == 2


def test_another_direction_of_failure_turns_the_impact(company: Company, item: Make, relate: Any) -> None:
    relate(item("till"), item("ledger"))
    till = ConfigurationItem.objects.get(slug="till")
    assert queries.impact(company.boss, till, direction=Direction.DOWNSTREAM).total == 0
    execute(EditRelationKind(kind="depends-on", failure="to_target"), actor=company.boss)
    assert queries.impact(company.boss, till, direction=Direction.DOWNSTREAM).total == 1
