"""Items, relations and impact over the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fairway.accounts.commands import CreateToken
from fairway.accounts.queries import user
from fairway.audit.commands import execute
from fairway.audit.models import Event
from fairway.catalog.models import ConfigurationItem
from fairway.kernel.actor import Actor

from .conftest import Company

pytestmark = pytest.mark.urls("tests.catalog.urls")

Make = Callable[..., str]
Relate = Callable[..., object]
BODY = {"key": "ledger", "name": "Ledger", "kind": "system", "organisation": "retail"}


class Caller:
    """Calls the API as somebody, by token."""

    def __init__(self, actor: Actor) -> None:
        token = execute(CreateToken(name="test"), actor=actor).answer
        self.client = Client(headers={"Authorization": f"Bearer {token}"})

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        more = {"data": body, "content_type": "application/json"} if body is not None else {}
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return getattr(self.client, method)(f"/api/v1/{path}", headers=names, **more)


@pytest.fixture
def retail(company: Company) -> Caller:
    return Caller(company.retail)


@pytest.fixture
def cards(company: Company) -> Caller:
    return Caller(company.cards)


def test_create_read_change_replace_and_archive_an_item(retail: Caller) -> None:
    made = retail("post", "items", BODY | {"attributes": {"vendor": "own", "tier": "gold"}})
    assert (made.status_code, made["Location"], made["ETag"]) == (201, "/api/v1/items/ledger", '"1"')
    read = retail("get", "items/ledger")
    assert read.json() == made.json()
    assert read.json()["kind"]["key"] == "system"
    assert read.json()["organisation"]["key"] == "retail"
    assert retail("get", f"items/{read.json()['uid']}").json() == made.json()

    changed = retail(
        "patch", "items/ledger", {"criticality": 1, "attributes": {"tier": None}}, If_Match='"1"'
    )
    assert (changed.status_code, changed["ETag"]) == (200, '"2"')
    assert (changed.json()["criticality"], changed.json()["attributes"]) == (1, {"vendor": "own"})

    put = retail("put", "items/ledger", {"name": "Books", "kind": "database"}, If_Match='"2"')
    assert put.status_code == 200
    assert (put.json()["name"], put.json()["criticality"], put.json()["attributes"]) == ("Books", 3, {})

    gone = retail("delete", "items/ledger", If_Match='"3"')
    assert (gone.status_code, gone.json()["archived_at"] is not None) == (200, True)
    assert retail("get", "items").json()["items"] == []
    assert [row["key"] for row in retail("get", "items?archived=true").json()["items"]] == ["ledger"]


def test_put_creates_without_if_match_and_replaces_only_with_it(retail: Caller) -> None:
    body = {"name": "Ledger", "kind": "system"}

    assert retail("put", "items/ledger", body).status_code == 201
    assert retail("put", "items/ledger", body).status_code == 428
    assert retail("put", "items/ledger", body, If_Match='"7"').status_code == 412
    assert retail("put", "items/ledger", body, If_Match="*").status_code == 200


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_a_write_names_the_version_it_read(retail: Caller, method: str) -> None:
    retail("post", "items", BODY)
    body = {"name": "x"} if method == "patch" else None

    assert retail(method, "items/ledger", body).status_code == 428
    assert retail(method, "items/ledger", body, If_Match='"2"').status_code == 412
    assert retail(method, "items/ledger", body, If_Match="yesterday").status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "items?dry_run=true", BODY | {"key": "other"}),
        ("patch", "items/ledger?dry_run=true", {"name": "Other"}),
        ("put", "items/other?dry_run=true", {"name": "Other", "kind": "system"}),
        ("delete", "items/ledger?dry_run=true", None),
        ("post", "relations?dry_run=true", {"source": "ledger", "target": "host", "kind": "runs-on"}),
    ],
)
def test_dry_run_answers_the_plan_and_writes_nothing(
    retail: Caller, item: Make, method: str, path: str, body: Any
) -> None:
    item("ledger"), item("host")
    before = (Event.objects.count(), list(ConfigurationItem.objects.order_by("pk").values()))

    answer = retail(method, path, body, If_Match='"1"')

    assert answer.status_code == 200
    assert answer.json()["dry_run"] is True
    assert len(answer.json()["changes"]) == 1
    assert before == (Event.objects.count(), list(ConfigurationItem.objects.order_by("pk").values()))


@pytest.mark.parametrize(
    "name", ["uid", "version", "id", "created_at", "archived_at", "number", "name_folded"]
)
@pytest.mark.parametrize(
    ("method", "path"), [("post", "items"), ("patch", "items/ledger"), ("put", "items/x")]
)
def test_a_field_that_cannot_be_set_is_refused(
    retail: Caller, item: Make, method: str, path: str, name: str
) -> None:
    item("ledger")

    answer = retail(method, path, {"name": "Ledger", "kind": "system", name: 1}, If_Match="*")

    assert answer.status_code == 422


def test_an_item_of_another_branch_is_nowhere(
    retail: Caller, cards: Caller, item: Make, relate: Relate
) -> None:
    item("ledger"), item("gate", "cards"), item("switch", "cards")
    relate("gate", "ledger")
    uid = str(ConfigurationItem.objects.get(slug="ledger").uid)

    assert [row["key"] for row in cards("get", "items?count=true").json()["items"]] == ["gate", "switch"]
    assert cards("get", "items?count=true").json()["count"] == 2
    assert cards("get", "items?q=ledger").json()["items"] == []
    assert cards("get", "items?key=ledger").json()["items"] == []
    for reference in ("ledger", uid):
        assert cards("get", f"items/{reference}").status_code == 404
        assert cards("patch", f"items/{reference}", {"name": "x"}, If_Match="*").status_code == 404
        assert cards("delete", f"items/{reference}", If_Match="*").status_code == 404
        assert cards("get", f"impact?item={reference}").status_code == 404
    assert cards("get", "relations").json()["items"] == []
    assert cards("put", "items/ledger", {"name": "x", "kind": "system"}).status_code == 409
    answer = cards("post", "relations", {"source": "gate", "target": "ledger", "kind": "runs-on"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "target")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("kind=host", ["host"]),
        ("kind__in=host,database", ["books", "host"]),
        ("criticality=1", ["books"]),
        ("criticality__lt=3", ["books", "ledger"]),
        ("status=planned", ["host"]),
        ("organisation=cards", ["gate"]),
        ("owner_team=none", []),
        ("q=LEDG", ["ledger"]),
        ("q=x-42", ["books"]),
        ("shared=true", ["gate"]),
        ("sort=-name", ["ledger", "host", "gate", "books"]),
        ("sort=criticality&criticality__lt=4", ["books", "ledger", "gate"]),
        ("environment=nowhere", []),
    ],
)
def test_items_are_filtered_and_sorted(company: Company, item: Make, query: str, expected: list[str]) -> None:
    item("ledger", criticality=2)
    item("books", kind="database", criticality=1, external_id="X-42")
    item("host", kind="host", status="planned", criticality=4)
    item("gate", "cards", kind="network")

    answer = Caller(company.boss)("get", f"items?{query}")

    assert [row["key"] for row in answer.json()["items"]] == expected


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "sort=colour",
        "cursor=zzz",
        "shared=maybe",
        "fields=nose",
        "status=odd",
        "x=1",
    ],
)
def test_a_list_refuses_what_has_no_sense(retail: Caller, query: str) -> None:
    assert retail("get", f"items?{query}").status_code == 422


def test_pages_follow_each_other_without_gap_or_repetition(retail: Caller, item: Make) -> None:
    for number in range(7):
        item(f"item-{number}", criticality=1 + number % 2)
    first = path = "items?limit=3&sort=criticality&fields=key,criticality"
    seen = []
    while path:
        answer = retail("get", path)
        seen += [row["key"] for row in answer.json()["items"]]
        assert all(set(row) == {"key", "criticality"} for row in answer.json()["items"])
        following = answer.json()["next"]
        assert (following is not None) == answer.has_header("Link")
        path = f"{first}&cursor={following}" if following else ""

    assert seen == [f"item-{number}" for number in (0, 2, 4, 6, 1, 3, 5)]


@pytest.mark.parametrize(
    "path",
    [
        "items?count=true",
        "relations",
        "item-kinds",
        "relation-kinds",
        "impact?item=item-0",
        "builds?count=true",
    ],
)
def test_the_number_of_statements_does_not_grow_with_the_rows(
    retail: Caller, item: Make, relate: Relate, path: str
) -> None:
    def statements() -> int:
        retail("get", path)  # what is kept per process is filled
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert retail("get", path).status_code == 200
        return len(captured)

    def build(number: int) -> None:
        if not path.startswith("builds"):
            return
        artefacts = [f"pkg:oci/{one}@{number}=sha256:{number * 2 + one:064}" for one in (0, 1)]
        body = {"artefacts": artefacts, "work_items": ["A-1", "A-2"], "commit": f"{number:07}"}
        assert retail("put", f"builds/item-{number}@1", body).status_code == 201

    item("item-0"), item("item-1")
    relate("item-1", "item-0")
    build(1)
    few = statements()
    for number in range(2, 12):
        item(f"item-{number}")
        relate(f"item-{number}", f"item-{number - 1}")
        build(number)
    many = statements()

    assert many == few <= 6


def test_relations_are_made_listed_and_removed(retail: Caller, item: Make) -> None:
    item("ledger"), item("host"), item("other")
    body = {"source": "ledger", "target": "host", "kind": "runs-on"}

    made = retail("post", "relations", body)
    assert made.status_code == 201
    assert retail("post", "relations", body).status_code == 409
    retail("post", "relations", {"source": "other", "target": "ledger", "kind": "part-of"})
    for query, count in (("item=ledger", 2), ("source=ledger", 1), ("target=host", 1), ("kind=part-of", 1)):
        assert len(retail("get", f"relations?{query}").json()["items"]) == count
    uid = made.json()["uid"]
    assert retail("get", f"relations/{uid}").json() == made.json()
    assert retail("delete", f"relations/{uid}").status_code == 428
    assert retail("delete", f"relations/{uid}", If_Match='"1"').json() == made.json()
    assert retail("get", f"relations/{uid}").status_code == 404


def test_kinds_are_told_with_the_way_of_failure(retail: Caller) -> None:
    kinds = {row["key"]: row["failure"] for row in retail("get", "relation-kinds").json()["items"]}
    shared = {row["key"] for row in retail("get", "item-kinds").json()["items"] if row["shared_default"]}

    assert kinds == {
        "depends-on": "to_source",
        "runs-on": "to_source",
        "part-of": "to_target",
        "connects-to": "to_source",
    }
    assert shared == {"network", "third-party"}


def test_impact_tells_depth_path_kinds_and_worst_criticality(
    retail: Caller, item: Make, relate: Relate
) -> None:
    item("host", kind="host"), item("ledger"), item("shop", criticality=1), item("beyond")
    relate("ledger", "host", "runs-on"), relate("ledger", "shop", "part-of"), relate("beyond", "shop")

    answer = retail("get", "impact?item=host&depth=2").json()

    assert (answer["count"], answer["worst_criticality"]) == (2, 1)
    assert answer["levels"] == [
        {"depth": 1, "count": 1, "worst_criticality": 3},
        {"depth": 2, "count": 1, "worst_criticality": 1},
    ]
    shop = answer["items"][1]
    assert [ref["key"] for ref in shop["path"]] == ["host", "ledger", "shop"]
    assert shop["relations"] == ["runs-on", "part-of"]
    upstream = retail("get", "impact?item=beyond&direction=upstream").json()
    assert [row["item"]["key"] for row in upstream["items"]] == ["shop", "ledger", "host"]


def test_impact_passes_what_belongs_to_another_organisation_without_naming_it(
    company: Company, item: Make, relate: Relate
) -> None:
    item("host"), item("secret", "cards", criticality=1), item("shop")
    relate("secret", "host"), relate("shop", "secret")

    answer = Caller(company.retail)("get", "impact?item=host").json()

    assert (answer["count"], answer["worst_criticality"]) == (1, 3)
    assert answer["levels"] == [{"depth": 2, "count": 1, "worst_criticality": 3}]
    [shop] = answer["items"]
    assert [(ref["kind"], ref["key"], ref["name"]) for ref in shop["path"]] == [
        ("item", "host", "Host"),
        ("hidden", "", "another organisation"),
        ("item", "shop", "Shop"),
    ]
    assert "secret" not in str(answer)


@pytest.mark.parametrize(
    "query", ["", "item=host&depth=0", "item=host&direction=sideways", "item=host&limit=-1"]
)
def test_impact_refuses_what_has_no_sense(retail: Caller, item: Make, query: str) -> None:
    item("host")

    assert retail("get", f"impact?{query}").status_code == 422


def test_a_stranger_is_asked_to_sign_in(company: Company) -> None:
    assert user(company.boss, "boss@example.org").email == "boss@example.org"
    for path in ("items", "items/x", "relations", "item-kinds", "relation-kinds", "impact?item=x"):
        assert Client().get(f"/api/v1/{path}").status_code == 401


def test_a_relation_is_put_by_its_ends_and_kind_as_often_as_one_likes(
    retail: Caller, cards: Caller, item: Make
) -> None:
    item("ledger"), item("host")
    named = "relations/ledger:runs-on:host"

    assert retail("put", f"{named}?dry_run=true").json()["dry_run"]
    assert retail("get", named).status_code == 404
    made = retail("put", named)
    assert (made.status_code, made["Location"]) == (201, f"/api/v1/relations/{made.json()['uid']}")
    again = retail("put", named)
    assert (again.status_code, again.json()) == (200, made.json())
    assert retail("put", f"relations/{made.json()['uid']}").json() == made.json()
    assert retail("get", named).json() == made.json()
    for wrong, status in (
        ("ledger:runs-on:nowhere", 422), ("ledger:hates:host", 422), ("ledger:runs-on:ledger", 422),
        ("ledger:runs-on", 404), ("a:b:c:d", 404), ("::", 404),
    ):  # fmt: skip
        assert retail("put", f"relations/{wrong}").status_code == status, wrong
    assert cards("put", named).status_code == cards("put", "relations/x:runs-on:host").status_code == 422
    assert retail("delete", named, If_Match='"1"').json() == made.json()
