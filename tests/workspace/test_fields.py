"""Custom fields: what a value must be, who may see and set it, and how records are found by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from django.test import Client

from fairway.accounts import commands as accounts
from fairway.accounts import live
from fairway.accounts import queries as who
from fairway.accounts.models import Role
from fairway.audit import queries as audit
from fairway.audit.commands import Command, execute
from fairway.catalog import queries as catalog
from fairway.catalog.commands import CreateItem, EditItem, PutItem
from fairway.catalog.models import ConfigurationItem
from fairway.changes.commands import RecordChange
from fairway.changes.models import Change
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from fairway.workspace import queries
from fairway.workspace.commands import (
    ArchiveField,
    CreateField,
    EditField,
    OptionBody,
    OrderFields,
    RestoreField,
)
from fairway.workspace.models import FieldValue
from fairway.workspace.rules.fields import Definition, Fault, Option, Type, read
from tests.support.company import Company, actor, person
from tests.support.replay import replayed

OPTIONS = (Option("gold", "Gold"), Option("silver", "Silver"), Option("lead", "Lead", retired=True))


def definition(type: Type, **more: Any) -> Definition:
    return Definition(
        pk=1, uid="", subject="item", name="x", label="X", type=type, organisation=1,
        options=OPTIONS if type in (Type.LIST, Type.MULTI_LIST) else (), **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("type", "value", "stored"),
    [
        (Type.TEXT, "  a \n b ", "a b"),
        (Type.TEXT, "x" * 501, None),
        (Type.TEXT, "nul\x00", None),
        (Type.TEXT, 7, None),
        (Type.LONG_TEXT, "a\r\nb", "a\nb"),
        (Type.NUMBER, 1.5, 1.5),
        (Type.NUMBER, "-2", -2),
        (Type.NUMBER, "1e400", None),
        (Type.NUMBER, "nan", None),
        (Type.NUMBER, True, None),
        (Type.INTEGER, "42", 42),
        (Type.INTEGER, 42.0, 42),
        (Type.INTEGER, "4.2", None),
        (Type.INTEGER, 2**53, None),
        (Type.INTEGER, "9" * 400, None),
        (Type.BOOLEAN, "Yes", True),
        (Type.BOOLEAN, False, False),
        (Type.BOOLEAN, 1, None),
        (Type.DATE, "2028-02-29", "2028-02-29"),
        (Type.DATE, "2027-02-29", None),
        (Type.DATE, 20270101, None),
        (Type.INSTANT, "2027-01-04T09:00:00+01:00", "2027-01-04T08:00:00Z"),
        (Type.INSTANT, "2027-01-04T09:00:00", None),
        (Type.INSTANT, "0001-01-01T00:00:00+14:00", None),
        (Type.LIST, "Gold", "gold"),
        (Type.LIST, "lead", None),
        (Type.LIST, ["gold"], None),
        (Type.MULTI_LIST, "silver; gold;gold", ["gold", "silver"]),
        (Type.MULTI_LIST, ["gold", 3], None),
        (Type.LINK, "https://example.org/a?b=1", "https://example.org/a?b=1"),
        (Type.LINK, "javascript:alert(1)", None),
        (Type.LINK, "https://[", None),
        (Type.LINK, "https://a b", None),
        (Type.ITEM, {"key": "x"}, None),
    ],
)
def test_a_value_is_read_as_its_type_or_refused(type: Type, value: Any, stored: Any) -> None:
    if stored is None:
        with pytest.raises(Fault):
            read(definition(type), value)
    else:
        assert read(definition(type), value) == stored
        assert read(definition(type), stored) == stored, "what is stored reads as itself"


def test_limits_hold_to_the_edge_and_a_retired_option_may_stay() -> None:
    bounded = definition(Type.NUMBER, minimum=1, maximum=5)
    assert [read(bounded, 1), read(bounded, 5)] == [1, 5]
    for value in (0.999, 5.001):
        with pytest.raises(Fault):
            read(bounded, value)
    assert read(definition(Type.LIST), "lead", present="lead") == "lead"


def field(name: str = "cost", type: str = "integer", **more: Any) -> CreateField:
    return CreateField(
        **{
            "subject": "item",
            "name": name,
            "label": name.title(),
            "type": type,
            "organisation": "retail",
            **more,
        }
    )


def define(*made: CreateField) -> None:
    for one in made:
        execute(one, actor=SYSTEM)


def new(key: str = "ledger", organisation: str = "retail", **attributes: Any) -> CreateItem:
    return CreateItem(
        key=key, name=key, kind=attributes.pop("kind", "system"), organisation=organisation,
        attributes=attributes,
    )  # fmt: skip


def attributes(key: str = "ledger") -> Mapping[str, Any]:
    found: Mapping[str, Any] = ConfigurationItem.objects.get(slug=key).attributes
    return found


def refused(command: Command, by: Actor, error: type[Problem]) -> dict[str, str]:
    with pytest.raises(error) as caught:
        execute(command, actor=by)
    return {one.field: one.message for one in caught.value.errors}


def test_defined_attributes_are_typed_others_stay_free(company: Company) -> None:
    define(field())
    with replayed():
        execute(new(cost="42", note="as it comes"), actor=company.rita)
    assert attributes() == {"cost": 42, "note": "as it comes"}

    assert refused(EditItem(item="ledger", attributes={"cost": "dear"}), company.rita, Invalid) == {
        "attributes.cost": "Cost: “dear” is not a number."
    }
    execute(EditItem(item="ledger", attributes={"cost": None}), actor=company.rita)
    assert attributes() == {"note": "as it comes"}


def test_a_field_holds_in_its_branch_and_for_its_kinds_alone(company: Company) -> None:
    define(field(kinds=["database"]))
    execute(new("ledger", cost="dear"), actor=company.rita)
    execute(new("cards-db", "cards", kind="database", cost="dear"), actor=company.carl)
    assert refused(new("retail-db", kind="database", cost="dear"), company.rita, Invalid)
    assert refused(EditItem(item="ledger", kind="database", attributes={"cost": "x"}), company.rita, Invalid)


def test_what_must_be_filled_is_asked_for_when_made_and_never_taken_away(company: Company) -> None:
    define(field(mandatory=True), field("tier", "list", options=[OptionBody(key="gold")], default="gold"))
    assert refused(new(), company.rita, Invalid) == {"attributes.cost": "Cost: this is needed."}
    execute(new(cost=1), actor=company.rita)
    assert attributes() == {"cost": 1, "tier": "gold"}
    assert refused(EditItem(item="ledger", attributes={"cost": None}), company.rita, Invalid)
    execute(EditItem(item="ledger", attributes={"tier": None}), actor=company.rita)
    assert refused(PutItem(key="ledger", attributes={"note": "x"}), company.rita, Invalid)
    execute(PutItem(key="ledger", name="Ledger"), actor=company.rita)  # says nothing of attributes


def rights() -> None:
    define(
        field("margin", viewers=["change-manager"]),
        field("audited", "text", editors=["change-manager"]),
    )
    execute(new(margin=7, audited="2026"), actor=SYSTEM)


def test_a_hidden_field_appears_nowhere(company: Company) -> None:
    rights()
    item = catalog.item(company.rita, "ledger")
    manager = person("mona", "retail", "change-manager")
    for reader, seen in ((actor("rita"), {"audited": "2026"}), (manager, {"margin": 7, "audited": "2026"})):
        assert catalog.attributes(reader, item) == seen
        events = audit.feed(after=0, limit=1000, organisations=None, reader=reader, subject=item.uid)
        [created] = [row for event in events for row in event["rows"]]
        assert created["changes"]["attributes"][1] == seen
        assert [one.name for one in queries.visible_fields(reader, "item")] == [*seen]
        page = catalog.item_page(reader, catalog.ItemQuery())
        assert len(page.rows) == 1
        if "margin" in seen:
            assert _found(reader, {"margin": "7"}) == ["ledger"]
        else:
            with pytest.raises(Invalid, match="not filtered by “margin”"):
                _found(reader, {"margin": "7"})
    nobody = audit.history(organisations=None, subject=item.uid)
    assert nobody[0]["rows"][0]["changes"]["attributes"][1] == {"audited": "2026"}


def test_that_there_is_a_hidden_field_stands_in_nobody_elses_feed(company: Company) -> None:
    """Its name, its label, its kind and what was done to it; the number of the event goes on."""
    rights()
    execute(EditField(field="item.margin", label="Canary of margins"), actor=SYSTEM)
    execute(OrderFields(subject="item", fields=["audited", "margin"]), actor=SYSTEM)
    manager, vera = person("mona", "retail", "change-manager"), actor("vera")

    def told(reader: Actor | None) -> list[dict[str, Any]]:
        found = audit.feed(after=0, limit=1000, organisations=None, reader=reader)
        return [event for event in found if event["command"].startswith("workspace.field.")]

    assert "Canary of margins" in str(told(manager))
    for reader in (vera, None):
        seen = told(reader)
        assert [event["sequence"] for event in seen] == [event["sequence"] for event in told(manager)]
        assert "margin" not in str(seen)
        assert [event["subject"] and event["subject"]["key"] for event in seen].count("item.audited") == 2
        assert len([row for event in seen for row in event["rows"]]) == 2


def test_streams_are_shared_by_equals_only_and_roles_make_a_difference(company: Company) -> None:
    """Two roles that hold the same permissions may yet see other fields."""
    seen = [live._sees(person(name, "retail", role))[1] for name, role in (("a", "viewer"), ("b", "viewer"))]
    assert seen[0] == seen[1]
    viewer = Role.objects.get(slug="viewer")
    viewer.pk, viewer.uid, viewer.slug = None, uuid4(), "twin"
    viewer.save(force_insert=True)
    assert live._sees(person("c", "retail", "twin"))[1] != seen[0]


def test_hidden_and_read_only_fields_are_not_set_nor_lost(company: Company) -> None:
    rights()
    rita = actor("rita")
    assert "attributes.margin" in refused(EditItem(item="ledger", attributes={"margin": 8}), rita, Invalid)
    assert refused(EditItem(item="ledger", attributes={"audited": "2027"}), rita, Forbidden) == {
        "attributes.audited": "You may not set “Audited” here."
    }
    execute(PutItem(key="ledger", attributes={"audited": "2026", "note": "new"}), actor=rita)
    assert attributes() == {"margin": 7, "audited": "2026", "note": "new"}
    assert "margin" not in str(
        refused(EditItem(item="ledger", attributes={"none": 1, "audited": "x"}), rita, Forbidden)
    )


def test_search_finds_what_everybody_sees_alone(company: Company) -> None:
    define(field("motto", "text"))
    execute(new(motto="perspicuous"), actor=SYSTEM)
    boss = actor("boss")
    for command, hits in (
        (EditField(field="item.motto", viewers=["change-manager"]), 0),
        (EditItem(item="ledger", attributes={"motto": "perspicuous indeed"}), 0),
        (EditField(field="item.motto", viewers=[]), 1),
        (ArchiveField(field="item.motto"), 0),
        (RestoreField(field="item.motto"), 1),
    ):
        execute(command, actor=SYSTEM)
        assert queries.search(boss, "perspicuous").total == hits, command


def _found(reader: Actor, custom: dict[str, str]) -> list[str]:
    query = catalog.ItemQuery(custom=msgspec.json.encode(custom).decode(), sort="key")
    return [row["slug"] for row in catalog.item_page(reader, query).rows]


def test_lists_are_filtered_by_what_records_hold(company: Company) -> None:
    execute(new("before", due="2026-05-01"), actor=SYSTEM)
    define(
        field(),
        field("due", "date"),
        field("tags", "multi_list", options=[OptionBody(key="pci"), OptionBody(key="gdpr")]),
        field("word", "text"),
    )
    execute(new("cheap", cost=5, tags=["pci"], word="Über Alles"), actor=SYSTEM)
    execute(new("dear", cost=50, due="2027-01-01", tags=["gdpr", "pci"]), actor=SYSTEM)
    execute(new("theirs", "cards", cost=50), actor=SYSTEM)  # the field does not hold there
    boss = actor("boss")
    for custom, keys in (
        ({"cost": "5"}, ["cheap"]),
        ({"cost__gte": "5"}, ["cheap", "dear"]),
        ({"cost__gte": "5", "cost__lt": "50"}, ["cheap"]),
        ({"due__lt": "2027-01-01"}, ["before"]),
        ({"tags": "pci"}, ["cheap", "dear"]),
        ({"tags__in": "gdpr,pci"}, ["cheap", "dear"]),
        ({"word__contains": "über"}, ["cheap"]),
        ({"word": "über alles"}, ["cheap"]),
    ):
        assert _found(boss, custom) == keys, custom
    for wrong in ({"cost": "x"}, {"cost__contains": "5"}, {"none": "1"}, {"tags": "iso"}):
        with pytest.raises(Invalid):
            _found(boss, wrong)
    execute(EditItem(item="dear", attributes={"cost": 4, "tags": None}), actor=SYSTEM)
    assert (_found(boss, {"cost__gte": "5"}), _found(boss, {"tags": "gdpr"})) == (["cheap"], [])
    kept = FieldValue.objects.count()
    execute(EditField(field="item.cost", filterable=False), actor=SYSTEM)
    assert FieldValue.objects.count() < kept
    execute(EditField(field="item.cost", filterable=True), actor=SYSTEM)
    assert FieldValue.objects.count() == kept


def test_a_definition_that_records_do_not_fit_is_refused_and_tells_which(company: Company) -> None:
    execute(new("ledger", cost="42"), actor=SYSTEM)
    execute(new("broken", cost="dear"), actor=SYSTEM)
    with pytest.raises(Conflict, match="does not allow: broken"):
        define(field())
    execute(EditItem(item="broken", attributes={"cost": "7"}), actor=SYSTEM)
    define(field())
    with pytest.raises(Conflict, match="does not allow: ledger, broken"):
        execute(EditField(field="item.cost", type="boolean"), actor=SYSTEM)
    execute(EditField(field="item.cost", type="number", maximum=50), actor=SYSTEM)
    assert _found(actor("boss"), {"cost__lt": "10"}) == ["broken"]


def test_an_archived_field_keeps_its_values_out_of_sight(company: Company) -> None:
    define(field())
    execute(new(cost=42), actor=SYSTEM)
    execute(ArchiveField(field="item.cost"), actor=SYSTEM)
    rita = actor("rita")
    item = catalog.item(rita, "ledger")
    assert catalog.attributes(rita, item) == {}
    assert refused(EditItem(item="ledger", attributes={"cost": 1}), rita, Invalid)
    execute(PutItem(key="ledger", attributes={"note": "n"}), actor=rita)
    assert attributes() == {"cost": 42, "note": "n"}
    execute(RestoreField(field="item.cost"), actor=SYSTEM)
    assert _found(actor("boss"), {"cost": "42"}) == ["ledger"]


def test_references_are_to_what_one_sees_and_told_to_nobody_else(company: Company) -> None:
    define(field("successor", "item", organisation="group"), field("expert", "user", organisation="group"))
    execute(new("theirs", "cards"), actor=SYSTEM)
    assert refused(new(successor="theirs"), actor("rita"), Invalid) == {
        "attributes.successor": "Successor: There is no item “theirs”."
    }
    execute(new(successor="theirs", expert="vera@example.org"), actor=SYSTEM)
    assert attributes()["expert"] == actor_key("vera")
    rita = actor("rita")
    assert catalog.attributes(rita, catalog.item(rita, "ledger"))["successor"] == "hidden"
    told = audit.feed(after=0, limit=1000, organisations=None, reader=rita)
    assert "theirs" not in str([event for event in told if event["command"] == "catalog.item.create"][-1])


def actor_key(name: str) -> str:
    return who.user(SYSTEM, f"{name}@example.org").key


@pytest.mark.parametrize(
    ("more", "at"),
    [
        ({"subject": "planet"}, "subject"),
        ({"name": "Cost"}, "name"),
        ({"name": "a__b"}, "name"),
        ({"name": "a" * 61}, "name"),
        ({"label": " "}, "label"),
        ({"type": "blob"}, "type"),
        ({"kinds": ["spaceship"]}, "kinds"),
        ({"viewers": ["king"]}, "viewers"),
        ({"type": "list"}, "options"),
        ({"options": [OptionBody(key="a")]}, "options"),
        ({"type": "list", "options": [OptionBody(key="a"), OptionBody(key="a")]}, "options[1].key"),
        ({"type": "list", "options": [OptionBody(key="a;b")]}, "options[0].key"),
        ({"type": "date", "minimum": 1}, "minimum"),
        ({"minimum": 2, "maximum": 1}, "maximum"),
        ({"default": "dear"}, "default"),
        ({"organisation": "nowhere"}, "organisation"),
    ],
)
def test_a_field_that_makes_no_sense_is_refused(company: Company, more: dict[str, Any], at: str) -> None:
    assert at in refused(field(**more), company.boss, Invalid)


def test_fields_are_for_who_configures_their_branch(company: Company) -> None:
    execute(field(), actor=company.rita)
    with pytest.raises(Conflict, match="taken"):
        execute(field(organisation="cards"), actor=company.carl)
    with pytest.raises(NotFound):
        execute(EditField(field="item.cost", label="x"), actor=company.carl)
    with pytest.raises(Forbidden):
        execute(EditField(field="item.cost", label="x"), actor=company.vera)
    with pytest.raises(Invalid):
        execute(field("other", organisation="group"), actor=company.rita)
    execute(field("other"), actor=actor("rita"))
    execute(OrderFields(subject="item", fields=["other"]), actor=actor("rita"))
    assert [one.name for one in queries.visible_fields(actor("vera"), "item")] == ["other", "cost"]


def test_every_subject_has_fields_through_every_door(company: Company) -> None:
    """Created, edited, refused, listed and read over the API; what is not defined is refused."""
    for subject in ("change", "environment", "window"):
        define(field("cost", subject=subject), field("margin", subject=subject, viewers=["auditor"]))
    rita = actor("rita")
    client = Client(
        headers={
            "Authorization": f"Bearer {execute(accounts.CreateToken(name='t'), actor=rita).answer}",
            "If-Match": "*",
        }
    )
    bodies: dict[str, dict[str, Any]] = {
        "changes": {"title": "Till 2", "organisation": "retail"},
        "environments": {"key": "prod", "name": "P", "tier": "production", "organisation": "retail"},
        "windows": {
            "name": "W", "kind": "soft_freeze", "organisation": "retail",
            "starts_at": "2027-01-01T00:00:00Z", "ends_at": "2027-01-02T00:00:00Z",
        },
    }  # fmt: skip
    for resource, body in bodies.items():

        def ask(method: str, path: str, **sent: Any) -> Any:
            return getattr(client, method)(f"/api/v1/{path}", sent, content_type="application/json")

        for custom, at in (({"cost": "x"}, "cost"), ({"none": 1}, "none"), ({"margin": 1}, "margin")):
            answer = ask("post", resource, **body, custom=custom)
            assert [one["field"] for one in answer.json()["errors"]] == [f"custom.{at}"], resource
        made = ask("post", resource, **body, custom={"cost": "5"})
        assert made.json()["custom"] == {"cost": 5}, resource
        one = f"{resource}/{made.json()['key']}"
        assert ask("patch", one, custom={"cost": 6}).json()["custom"] == {"cost": 6}
        assert ask("patch", one, custom={"cost": "x"}).status_code == 422
        found = client.get(f"/api/v1/{resource}", {"custom.cost__gte": "6"}).json()["items"]
        assert [row["custom"] for row in found] == [{"cost": 6}], resource
        assert client.get(f"/api/v1/{resource}", {"custom.cost": "5"}).json()["items"] == []


def test_a_change_that_history_brings_obeys_too(company: Company) -> None:
    define(field("cost", subject="change", mandatory=True))
    record: dict[str, Any] = {"title": "Old", "external_id": "X-1", "organisation": "retail"}
    assert refused(RecordChange(**record), SYSTEM, Invalid) == {"custom.cost": "Cost: this is needed."}
    execute(RecordChange(**record, custom={"cost": "3"}), actor=SYSTEM)
    execute(RecordChange(**record, category="x"), actor=SYSTEM)
    assert Change.objects.get().custom == {"cost": 3}


def test_the_api_takes_custom_filters_by_name(company: Company) -> None:
    define(field())
    execute(new(cost=42), actor=SYSTEM)
    made = execute(accounts.CreateToken(name="t"), actor=actor("rita"))
    client = Client(headers={"Authorization": f"Bearer {made.answer}"})
    answer = client.get("/api/v1/items", {"custom.cost__gte": "42", "limit": "1"})
    assert [one["attributes"] for one in answer.json()["items"]] == [{"cost": 42}]
    assert client.get("/api/v1/items", {"custom.cost__lt": "42"}).json()["items"] == []
    assert client.get("/api/v1/items", {"custom.nope": "42"}).json()["errors"][0]["field"] == "custom.nope"
    assert client.get("/api/v1/relations", {"custom.cost": "42"}).status_code == 422
