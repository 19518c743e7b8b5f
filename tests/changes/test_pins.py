"""What a change affects, and what people pinned: recomputing keeps it."""

from __future__ import annotations

from typing import Any

import pytest

from fairway.audit.commands import execute
from fairway.audit.models import Event
from fairway.catalog.commands import CreateItem, CreateRelation, PutRedundancy
from fairway.changes import queries
from fairway.changes.commands import CancelChange, CreateChange, PinItem, UnpinItem
from fairway.changes.models import Pin
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from tests.support import company as companies
from tests.support.company import Company
from tests.support.standing import standing


def founded() -> Company:
    """A till needs a shop, a shop either of two nodes, a report needs the shop too."""
    made = companies.found()
    for key, kind in (("till", "business-service"), ("shop", "system"), ("report", "system")):
        execute(CreateItem(key=key, name=key.title(), kind=kind, organisation="retail"), actor=SYSTEM)
    for key in ("left", "right"):
        execute(CreateItem(key=key, name=key.title(), kind="host", organisation="retail"), actor=SYSTEM)
        execute(CreateRelation(source="shop", target=key, kind="runs-on"), actor=SYSTEM)
    for source in ("till", "report"):
        execute(CreateRelation(source=source, target="shop", kind="depends-on"), actor=SYSTEM)
    execute(PutRedundancy(item="shop", kind="runs-on", needed=1, members=["left", "right"]), actor=SYSTEM)
    return made


founded_once = standing(founded)


@pytest.fixture
def company(founded_once: Company, db: None) -> Company:
    return founded_once


def change(*items: str) -> str:
    outcome = execute(CreateChange(title="Patch", organisation="retail", items=items), actor=SYSTEM)
    assert outcome.subject is not None
    return outcome.subject.key


def reached(key: str) -> set[str]:
    found = queries.reaching(SYSTEM, queries.dossier(SYSTEM, key)).impact
    return {one.item.key for one in found.reached} if found else set()


def pin(key: str, item: str, *, affected: bool, **more: Any) -> PinItem:
    return PinItem(
        **{"change": key, "item": item, "affected": affected, "reason": "Seen in the rehearsal", **more}
    )


def test_the_items_of_a_change_fail_together(company: Company) -> None:
    assert reached(change("left")) == set()
    assert reached(change("left", "right")) == {"shop", "till", "report"}


def test_what_is_pinned_as_not_affected_stands_and_nothing_is_reached_by_way_of_it(company: Company) -> None:
    key = change("left", "right")

    execute(pin(key, "report", affected=False), actor=SYSTEM)
    assert reached(key) == {"shop", "till"}
    execute(pin(key, "shop", affected=False), actor=SYSTEM)
    assert reached(key) == set()
    execute(UnpinItem(change=key, item="shop"), actor=SYSTEM)
    assert reached(key) == {"shop", "till"}


def test_what_is_pinned_as_affected_fails_with_the_items_and_recomputing_keeps_it(company: Company) -> None:
    key = change("left")
    outcome = execute(pin(key, "right", affected=True), actor=SYSTEM)

    assert outcome.sequence == Event.objects.latest("sequence").sequence
    assert Event.objects.latest("sequence").command == "changes.pin.put"
    assert reached(key) == {"shop", "till", "report"}
    execute(CreateItem(key="kiosk", name="Kiosk", kind="system", organisation="retail"), actor=SYSTEM)
    execute(CreateRelation(source="kiosk", target="till", kind="depends-on"), actor=SYSTEM)
    assert reached(key) == {"shop", "till", "report", "kiosk"}
    [told] = queries.reaching(SYSTEM, queries.dossier(SYSTEM, key)).pins
    assert (told.item.slug, told.affected, told.reason) == ("right", True, "Seen in the rehearsal")


def test_pinning_anew_changes_what_was_said_and_the_same_again_does_nothing(company: Company) -> None:
    key = change("left")
    execute(pin(key, "right", affected=True), actor=SYSTEM)

    assert execute(pin(key, "right", affected=True), actor=SYSTEM).sequence is None
    assert execute(pin(key, "right", affected=False), actor=SYSTEM).sequence is not None
    assert Pin.objects.get().affected is False


def test_the_graph_draws_pins_with_who_and_why(company: Company) -> None:
    key = change("left", "right")
    execute(pin(key, "report", affected=False), actor=SYSTEM)

    drawn = queries.drawn(SYSTEM, queries.dossier(SYSTEM, key))

    told = {node.key: (node.depth, node.pin, node.why) for node in drawn.nodes}
    assert told == {
        "left": (0, "", ""),
        "right": (0, "", ""),
        "report": (0, "out", "Seen in the rehearsal"),
        "shop": (1, "", ""),
        "till": (2, "", ""),
    }
    assert [drawn.nodes[node.before].key for node in drawn.nodes if node.depth] == ["right", "shop"]


@pytest.mark.parametrize(
    ("case", "more", "message"),
    [
        ("an item of the change", {"item": "left"}, "altered by the change itself"),
        ("no reason", {"reason": "  "}, "This is needed."),
        ("no such item", {"item": "nothing"}, "There is no item"),
    ],
)
def test_what_makes_no_sense_is_refused(
    company: Company, case: str, more: dict[str, Any], message: str
) -> None:
    key = change("left")
    with pytest.raises(Invalid) as refused:
        execute(pin(key, **{"item": "right", "affected": True, **more}), actor=SYSTEM)
    assert message in " ".join(error.message for error in refused.value.errors)


def test_a_change_that_is_over_takes_no_pins(company: Company) -> None:
    key = change("left")
    execute(CancelChange(change=key, reason="no more"), actor=SYSTEM)

    with pytest.raises(Conflict):
        execute(pin(key, "right", affected=True), actor=SYSTEM)
    with pytest.raises(NotFound):
        execute(UnpinItem(change=change("left"), item="right"), actor=SYSTEM)


def test_who_only_reads_may_not_pin_and_who_sees_no_change_finds_none(company: Company) -> None:
    key = change("left")

    with pytest.raises(Forbidden):
        execute(pin(key, "right", affected=True), actor=company.vera)
    with pytest.raises(NotFound):
        execute(pin(key, "right", affected=True), actor=company.carl)
    assert execute(pin(key, "right", affected=True), actor=company.rita).sequence is not None
    [told] = queries.reaching(company.vera, queries.dossier(company.vera, key)).pins
    assert told.person is not None
    assert told.person.name == "Rita"
