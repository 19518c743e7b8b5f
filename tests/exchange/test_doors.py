"""Imports over the API and on their page."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from fairway.accounts import queries as people
from fairway.accounts.commands import CreateToken
from fairway.accounts.models import User
from fairway.audit.commands import execute
from fairway.catalog.models import ConfigurationItem
from fairway.exchange.adapters import ADAPTERS
from fairway.exchange.commands import SIZE_LIMIT
from fairway.exchange.kinds import KINDS
from fairway.kernel.actor import Actor

from .conftest import Company

ITEMS = "key,name,kind\nledger,Ledger,system\nbad key,Bad,system\n"


NO_KEY = "“bad key” is not a key: use a-z, 0-9, “.”, “_”, “-”; a letter or figure at both ends."


def call(actor: Actor, body: dict[str, Any], query: str = "") -> tuple[int, dict[str, Any]]:
    token = execute(CreateToken(name="test"), actor=actor).answer
    response = Client().post(
        f"/api/v1/imports{query}",
        json.dumps(body),
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )
    return response.status_code, json.loads(response.content)


def test_api_import_answers_row_by_row(company: Company) -> None:
    status, report = call(company.retail, {"kind": "items", "text": ITEMS, "file": "items.csv"})
    assert status == 200
    assert (report["rows"], report["created"], report["refused"], report["dry_run"]) == (2, 1, 1, False)
    assert report["problems"] == [
        {
            "row": 3,
            "line": 3,
            "column": "key",
            "field": "key",
            "message": NO_KEY,
            "place": "",
        }
    ]
    assert report["sample"][0] == {
        "row": 2,
        "result": "created",
        "key": "ledger",
        "values": {"key": "ledger", "name": "Ledger", "kind": "system"},
    }
    assert ConfigurationItem.objects.get().organisation.slug == "retail"


def test_api_dry_run_stores_nothing(company: Company) -> None:
    status, report = call(company.retail, {"kind": "items", "text": ITEMS}, "?dry_run=true")
    assert (status, report["created"], report["dry_run"]) == (200, 1, True)
    assert not ConfigurationItem.objects.exists()


@pytest.mark.parametrize(
    ("case", "body", "status", "code"),
    [
        ("an unknown kind", {"kind": "itmes", "text": ITEMS}, 422, "invalid"),
        ("a broken file", {"kind": "items", "text": 'key,"'}, 422, "exchange.unreadable"),
        ("a broken mapping", {"kind": "items", "text": ITEMS, "map": "fields: ["}, 422, "exchange.mapping"),
        ("no text", {"kind": "items"}, 422, "invalid"),
        ("an unknown field", {"kind": "items", "text": ITEMS, "colour": "red"}, 422, "invalid"),
        ("too many bytes", {"kind": "items", "text": "x" * (SIZE_LIMIT + 1)}, 413, "too-large"),
    ],
)
def test_api_refuses_what_it_cannot_import(
    company: Company, case: str, body: dict[str, Any], status: int, code: str
) -> None:
    answered, problem = call(company.boss, body)
    assert (answered, problem.get("code")) == (status, code), problem
    assert not ConfigurationItem.objects.exists()


def test_api_refuses_readers_and_strangers(company: Company) -> None:
    assert call(company.reader, {"kind": "items", "text": ITEMS})[0] == 403
    body = json.dumps({"kind": "items", "text": ITEMS})
    assert Client().post("/api/v1/imports", body, content_type="application/json").status_code == 401
    assert not ConfigurationItem.objects.exists()


def signed_in(actor: Actor) -> Client:
    client = Client()
    client.force_login(User.objects.get(uid=actor.uid))
    return client


def upload(text: str | bytes = ITEMS) -> SimpleUploadedFile:
    return SimpleUploadedFile("items.csv", text.encode() if isinstance(text, str) else text, "text/csv")


def test_page_checks_then_imports(company: Company) -> None:
    client = signed_in(company.retail)
    first = client.post("/administration/imports", {"kind": "items", "file": upload()})
    assert first.status_code == 302
    checked = client.get(first["Location"])
    assert [(one["word"], one["key"]) for one in checked.context["rows"]] == [
        ("new", "ledger"),
        ("refused", ""),
    ]
    assert "“bad key” is not a key" in checked.content.decode()
    assert not ConfigurationItem.objects.exists()
    assert client.post(first["Location"], {"do": "import"}).status_code == 302
    done = client.get(first["Location"])
    assert done.context["state"][1] == "Done"
    assert ConfigurationItem.objects.get().slug == "ledger"
    (listed,) = client.get("/administration/imports").context["runs"]
    assert (listed["file"], listed["counts"]) == ("items.csv", "1 created, 1 refused")
    assert client.post(first["Location"], {"do": "import"}).status_code == 409


def test_page_lays_out_columns_that_carry_other_names(company: Company) -> None:
    client = signed_in(company.retail)
    text = "CI ID,Display name,Type,Vendor\nledger,Ledger,system,own\n"
    place = client.post("/administration/imports", {"kind": "items", "text": text})["Location"]
    laid = client.get(place)
    assert laid.context["state"][1] == "To be laid out"
    chosen = {
        row["column"]: next((one["name"] for one in row["options"] if one["current"]), "")
        for row in laid.context["builder"]["rows"]
    }
    assert chosen == {"CI ID": "key", "Display name": "name", "Type": "kind", "Vendor": "vendor"}
    assert laid.context["builder"]["rows"][1]["samples"] == ["Ledger"]
    form = {"column-0": "key", "column-1": "name", "column-3": "attributes.vendor", "fixed-kind": "database"}
    twice = client.post(place, {**form, "column-2": "name", "do": "columns"})
    assert (twice.status_code, "Two columns become the field name" in twice.content.decode()) == (422, True)
    client.post(place, {**form, "do": "columns", "name": "From the CMDB"})
    assert client.get(place).context["counts"][0]["value"] == 1
    client.post(place, {"do": "import"})
    item = ConfigurationItem.objects.get()
    assert (item.item_kind.slug, item.attributes) == ("database", {"vendor": "own"})
    (saved,) = [
        label
        for value, label in client.get("/administration/imports").context["form"].fields["saved"].choices
        if value
    ]
    assert saved == "From the CMDB (Configuration items)"


def test_page_shows_which_fields_change_and_filters_by_result(company: Company) -> None:
    client = signed_in(company.retail)
    for text in (
        "key,name,kind\na,Before,system\nb,B,system\n",
        "key,name,kind\na,After,system\nb,B,system\nc,C,host\n",
    ):
        place = client.post("/administration/imports", {"kind": "items", "text": text})["Location"]
        if "Before" in text:
            client.post(place, {"do": "import"})
    shown = client.get(f"{place}?result=updated")
    (row,) = shown.context["rows"]
    assert (row["key"], row["changes"]) == ("a", [["name", "Before", "After"]])
    assert "<del>Before</del> → <ins>After</ins>" in shown.content.decode()
    tabs = {str(tab["label"]): tab["count"] for tab in shown.context["tabs"]}
    assert tabs == {"All": 3, "new": 1, "changed": 1, "unchanged": 1}


@pytest.mark.parametrize(
    ("case", "sent", "field", "message"),
    [
        ("no file", {}, "file", "Choose a file, or paste rows."),
        ("a broken file", {"file": b"\x89PNG"}, "file", "The file is not CSV but a picture."),
        (
            "a broken mapping",
            {"file": ITEMS.encode(), "mapping": "fieldz: 1"},
            "mapping",
            "Line 1 of the mapping: “fieldz” means nothing in the mapping (did you mean fields?); it may hold"
            " as, format, encoding, delimiter, sheet, header, zone, repeats, fields.",
        ),
    ],
)
def test_page_says_at_its_field_what_is_wrong(
    company: Company, case: str, sent: dict[str, Any], field: str, message: str
) -> None:
    form = {"kind": "items", "mapping": "", "encoding": "", **sent}
    if "file" in form:
        form["file"] = upload(form["file"])
    response = signed_in(company.boss).post("/administration/imports", form)
    assert response.status_code == 422
    assert response.context["form"].errors == {field: [message]}


def test_page_is_for_those_who_may_import(company: Company) -> None:
    assert signed_in(company.reader).get("/administration/imports").status_code == 403
    assert Client().get("/administration/imports").status_code == 302
    page = signed_in(company.boss).get("/administration/imports")
    kinds = [value for value, _ in page.context["form"].fields["kind"].choices]
    assert (page.status_code, kinds) == (200, [*KINDS, *ADAPTERS])


def test_page_shows_what_a_file_holds_as_text(company: Company) -> None:
    poison = 'key,name,kind\nx,"<script>alert(1)</script>",system\n"<b>",x,system\n'
    client = signed_in(company.boss)
    place = client.post("/administration/imports", {"kind": "items", "file": upload(poison)})["Location"]
    response = client.get(place)
    assert response.context["rows"]
    assert b"<script>alert" not in response.content
    assert b"<b>\xe2\x80\x9d" not in response.content
    assert people.user(company.boss, "boss@example.org").pk == company.boss.pk
