"""Every list: filters by each column, fields, and the whole of it as JSON lines, CSV or a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook

from fairway.accounts.models import Organisation
from fairway.accounts.web import endpoints
from fairway.audit.commands import execute
from fairway.audit.models import Event
from fairway.catalog.commands import CreateItem, CreateRelation
from fairway.catalog.models import ConfigurationItem, ItemKind
from fairway.interfaces.contract import plain as contract
from fairway.kernel import exporting
from fairway.kernel.actor import SYSTEM
from tests.support.company import Company

from .conftest import Caller

EVIL = "=cmd|' /C calc'!A0"
CSV, NDJSON = {"Accept": "text/csv"}, {"Accept": "application/x-ndjson"}
LISTS = sorted(
    path.removeprefix("/api/v1/")
    for path, item in contract()["paths"].items()
    if "text/csv" in item.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
    and "{" not in path  # those of one record hold nothing here
)


BESIDE = {"attachments", "comments", "redundancies"}
"""Lists of what belongs to a record."""


def item(key: str, organisation: str = "retail", **more: Any) -> str:
    values = {"name": key, "kind": "system", "organisation": organisation, **more}
    execute(CreateItem(key=key, **values), actor=SYSTEM)
    return key


def body(answer: Any) -> str:
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content).decode()


def table(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body(answer))))


def test_every_list_of_records_is_among_them() -> None:
    assert set(LISTS) >= {
        "changes", "delegations", "environments", "grants", "instances", "items", "organisations",
        "relations", "teams", "tokens", "users", "windows", *BESIDE,
    }  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_every_list_comes_in_every_form_and_all_forms_tell_the_same(boss: Caller, name: str) -> None:
    item("ledger"), item("gate", owner_team=None), item("till")
    for target in ("gate", "till"):
        execute(CreateRelation(source="ledger", target=target, kind="depends-on"), actor=SYSTEM)
    group = {"item": "ledger", "kind": "depends-on", "needed": 1, "members": ["gate", "till"]}
    if name in BESIDE:
        about = {"kind": "item", "subject": "ledger"}
        for path, sent in (
            ("redundancies", group),
            ("comments", about | {"text": f"Looks *fine*; {EVIL}"}),
            ("attachments", about | {"name": "plan.txt", "content": "cGxhbg=="}),
        ):
            assert boss("post", path, sent).status_code == 201
    plain = boss("get", f"{name}?limit=1000").json()["items"]
    assert plain or name not in BESIDE
    lines = [json.loads(line) for line in body(boss("get", name, **NDJSON)).splitlines()]
    if name == "tokens":  # used a moment ago
        plain, lines = ([{**row, "last_used_at": ""} for row in rows] for rows in (plain, lines))
    assert lines == plain
    if name == "events":  # each file that was taken is one more
        plain = boss("get", f"{name}?limit=1000").json()["items"]
    rows = table(boss("get", name, **CSV))
    assert len(rows) == len(plain)
    if plain and "uid" in plain[0]:
        assert [row["uid"] for row in rows] == [row["uid"] for row in plain]
    if name == "events":
        plain = boss("get", f"{name}?limit=1000").json()["items"]
    answer = boss("get", f"{name}?format=xlsx")
    assert answer["Content-Disposition"].startswith(f'attachment; filename="{name}-20')
    book = CalamineWorkbook.from_filelike(io.BytesIO(b"".join(answer.streaming_content)))
    [sheet] = book.sheet_names
    cells = book.get_sheet_by_name(sheet).to_python()
    assert len(cells) == len(plain) + 1
    if name == "events":
        plain = boss("get", f"{name}?limit=1000").json()["items"]
    empty = table(boss("get", f"{name}?format=csv&limit=1"))
    assert len(empty) == len(plain), "a file holds the whole list, whatever the limit"


def test_a_file_holds_what_was_asked_for_and_seen_and_nothing_else(rita: Caller, company: Company) -> None:
    (
        item("ledger", criticality=1, external_id=EVIL, attributes={"b": "1"}),
        item("secret", "cards"),
        item("gate"),
    )
    rows = table(rita("get", "items?criticality=1&fields=external_id,key,attributes,organisation", **CSV))
    assert rows == [
        {"key": "ledger", "organisation": "retail", "external_id": f"'{EVIL}", "attributes": '{"b":"1"}'}
    ]
    assert [row["key"] for row in table(rita("get", "items?sort=-key", **CSV))] == ["ledger", "gate"]
    told = body(rita("get", "items?format=csv"))
    assert told.startswith('\ufeff"key","uid"'), "spreadsheets know UTF-8 by its mark"
    assert "secret" not in told


def test_no_cell_is_a_formula(rita: Caller) -> None:
    for number, start in enumerate(exporting.FORMULA[:4]):
        item(f"one-{number}", name=f"{start}1+1", description=f"{start}SUM(A1)")
    for row in table(rita("get", "items", **CSV)):
        assert row["name"].startswith("'")
        assert row["description"].startswith("'")
    answer = rita("get", "items?format=xlsx")
    content = b"".join(answer.streaming_content)
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert {row[2] for row in sheet[1:]} == {f"{start}1+1" for start in exporting.FORMULA[:4]}


def test_a_file_that_was_taken_stands_in_the_log(rita: Caller, company: Company) -> None:
    item("ledger")
    body(rita("get", "items?q=led", **CSV))
    event = Event.objects.get(command="accounts.list.export")
    assert (str(event.actor_uid), event.subject_uid) == (company.rita.uid, event.actor_uid)
    assert json.loads(event.data)["form"] == "csv"
    assert "led" not in event.data, "what was searched for may be personal: it stands beside the chain"
    seen = rita("get", "events?limit=1000").json()["items"][-1]
    assert seen["data"] == {"list": "items", "form": "csv", "asked": "q=led"}
    assert rita("get", "items?criticality=none", **CSV).status_code == 422
    assert Event.objects.filter(command="accounts.list.export").count() == 1, "what was refused left nothing"


def test_a_long_list_is_read_batch_by_batch(rita: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    place, kind = Organisation.objects.get(slug="retail"), ItemKind.objects.get(slug="system")
    now = Event.objects.all()[0].at
    ConfigurationItem.objects.bulk_create(
        ConfigurationItem(
            slug=f"i-{n:04}",
            name=f"I {n}",
            name_folded=f"i {n:04}",
            item_kind=kind,
            organisation=place,
            created_at=now,
        )
        for n in range(2300)
    )
    monkeypatch.setattr(endpoints, "MOST", 1000)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        answer = rita("get", "items?sort=key", **NDJSON)
        chunks = list(answer.streaming_content)
    assert [chunk.count(b"\n") for chunk in chunks] == [1000, 1000, 300]
    keys = [json.loads(line)["key"] for chunk in chunks for line in chunk.splitlines()]
    assert keys == [f"i-{n:04}" for n in range(2300)]
    reads = [one for one in asked if '"catalog_configurationitem"' in one["sql"]]
    assert len(reads) == 3, "one statement for each thousand rows"


@pytest.mark.parametrize(
    ("asked", "keys"),
    [
        ("key=ledger", ["ledger"]),
        ("key__in=ledger,gate", ["gate", "ledger"]),
        ("key__contains=EDG", ["ledger"]),
        ("name__contains=gAt", ["gate"]),
        ("criticality__gte=2&criticality__lt=4", ["gate"]),
        ("criticality__in=1,3", ["gate", "ledger"]),
        ("status=planned", []),
        ("shared=false&kind__in=system,host", ["gate", "ledger"]),
        ("organisation=retail", ["gate", "ledger"]),
        ("created_at__gte=2020-01-01T00:00:00Z&created_at__lt=2021-01-01T00:00:00Z", []),
        ("external_id__contains=a_1", ["ledger"]),
    ],
)  # fmt: skip
def test_filters(rita: Caller, asked: str, keys: list[str]) -> None:
    item("ledger", criticality=1, external_id="A_1"), item("gate", external_id="AX1")
    answer = rita("get", f"items?{asked}&sort=key&count=true").json()
    assert [row["key"] for row in answer["items"]] == keys
    assert answer["count"] == len(keys)


def test_references_filter_by_key_and_by_uid(rita: Caller) -> None:
    item("ledger"), item("gate")
    execute(CreateRelation(source="ledger", target="gate", kind="depends-on"), actor=SYSTEM)
    row = rita("get", "relations").json()["items"][0]
    for field in ("source", "target", "kind"):
        for name in ("key", "uid"):
            found = rita("get", f"relations?{field}={row[field][name]}").json()["items"]
            assert found == [row], f"{field} by {name}"
    assert rita("get", f"relations?uid={row['uid']}").json()["items"] == [row]
    assert rita("get", "relations?q=gat").json()["items"] == [row]
    [person] = rita("get", "users?q=rita").json()["items"]
    assert rita("get", f"users?key__in={person['key']}").json()["items"] == [person]


def test_fields_are_picked_on_every_list(rita: Caller) -> None:
    for name in ("users", "organisations", "teams", "grants"):
        rows = rita("get", f"{name}?fields=uid").json()["items"]
        assert all(row.keys() == {"uid"} for row in rows), name
    answer = rita("get", "users?fields=uid,nonsense")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "fields"


def test_what_cannot_be_answered_with_is_named(rita: Caller) -> None:
    assert rita("get", "items", Accept="image/png").status_code == 406
    assert rita("get", "items?format=pdf").status_code == 422
    assert (
        rita("get", "items", Accept="text/csv;q=0.5, application/json")["Content-Type"] == "application/json"
    )
    assert rita("get", "items?format=json", **CSV)["Content-Type"] == "application/json"
    assert rita("get", "items/nothing", Accept="application/json").status_code == 404
