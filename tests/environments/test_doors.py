"""Environments over the API and as pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fairway.accounts.commands import CreateToken
from fairway.accounts.models import User
from fairway.audit.commands import execute
from fairway.audit.models import Event
from fairway.environments.commands import EditEnvironment
from fairway.environments.models import Environment, Instance
from fairway.kernel.actor import Actor
from tests.support.company import Company

pytestmark = pytest.mark.urls("tests.catalog.urls")

Make = Callable[..., str]
Stand = Callable[[str, str], object]
BODY = {"key": "prod", "name": "Production", "tier": "production", "organisation": "retail"}
FORM = {
    "key": "prod", "name": "Production", "tier": "production", "control": "", "status": "available",
    "organisation": "retail", "zone": "UTC", "position": "0", "description": "",
}  # fmt: skip


class Caller:
    """Calls the API as somebody, by token."""

    def __init__(self, actor: Actor) -> None:
        token = execute(CreateToken(name="test"), actor=actor).answer
        self.client = Client(headers={"Authorization": f"Bearer {token}"})

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        more = {"data": body, "content_type": "application/json"} if body is not None else {}
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return getattr(self.client, method)(f"/api/v1/{path}", headers=names, **more)


def browser(actor: Actor) -> Client:
    client = Client()
    client.force_login(User.objects.get(uid=actor.uid))
    return client


def test_create_read_change_replace_and_archive_an_environment(company: Company) -> None:
    rita = Caller(company.rita)
    made = rita("post", "environments", BODY)
    assert (made.status_code, made["Location"], made["ETag"]) == (201, "/api/v1/environments/prod", '"1"')
    assert made.json()["control"] == "controlled"
    assert rita("get", f"environments/{made.json()['uid']}").json() == made.json()

    assert rita("patch", "environments/prod", {"status": "restricted"}).status_code == 428
    changed = rita("patch", "environments/prod", {"status": "restricted"}, If_Match='"1"')
    assert (changed.status_code, changed.json()["status"], changed["ETag"]) == (200, "restricted", '"2"')
    assert rita("patch", "environments/prod", {"status": "planned"}, If_Match='"1"').status_code == 412

    body = {"name": "Staging", "tier": "staging"}
    assert rita("put", "environments/prod", body).status_code == 428
    put = rita("put", "environments/prod", body, If_Match="*")
    assert (put.json()["control"], put.json()["status"]) == ("coordinated", "available")
    assert rita("put", "environments/sit", {"name": "SIT", "tier": "integration"}).status_code == 201

    gone = rita("delete", "environments/prod", If_Match='"3"')
    assert gone.json()["archived_at"] is not None
    assert [row["key"] for row in rita("get", "environments?count=true").json()["items"]] == ["sit"]
    assert [row["key"] for row in rita("get", "environments?archived=true").json()["items"]] == ["prod"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "environments?dry_run=true", BODY | {"key": "other"}),
        ("patch", "environments/prod?dry_run=true", {"name": "Other"}),
        ("put", "environments/other?dry_run=true", {"name": "Other", "tier": "staging"}),
        ("delete", "environments/prod?dry_run=true", None),
        ("post", "instances?dry_run=true", {"item": "ledger", "environment": "prod"}),
    ],
)
def test_dry_run_answers_the_plan_and_writes_nothing(
    company: Company, item: Make, environment: Make, method: str, path: str, body: Any
) -> None:
    item("ledger"), environment("prod")
    rita = Caller(company.rita)
    before = (Event.objects.count(), list(Environment.objects.values()))

    answer = rita(method, path, body, If_Match='"1"')

    assert (answer.status_code, len(answer.json()["changes"])) == (200, 1)
    assert before == (Event.objects.count(), list(Environment.objects.values()))
    assert not Instance.objects.exists()


def test_instances_are_made_listed_and_removed(company: Company, item: Make, environment: Make) -> None:
    item("ledger"), environment("prod"), environment("sit")
    rita = Caller(company.rita)

    made = rita("post", "instances", {"item": "ledger", "environment": "prod"})
    rita("post", "instances", {"item": "ledger", "environment": "sit"})

    assert made.status_code == 201
    assert rita("post", "instances", {"item": "ledger", "environment": "prod"}).status_code == 409
    assert len(rita("get", "instances?item=ledger").json()["items"]) == 2
    assert len(rita("get", "instances?environment=prod").json()["items"]) == 1
    uid = made.json()["uid"]
    assert rita("get", f"instances/{uid}").json() == made.json()
    assert Caller(company.carl)("get", f"instances/{uid}").status_code == 404
    assert rita("delete", f"instances/{uid}", If_Match='"1"').status_code == 200
    assert rita("get", f"instances/{uid}").status_code == 404


def test_items_are_filtered_by_an_environment_only_where_it_may_be_seen(
    company: Company, item: Make, environment: Make, stand: Stand
) -> None:
    item("ledger"), item("host"), environment("prod"), environment("theirs", "cards")
    stand("ledger", "prod"), stand("host", "theirs")

    def keys(actor: Actor, where: str) -> list[str]:
        return [row["key"] for row in Caller(actor)("get", f"items?environment={where}").json()["items"]]

    assert keys(company.rita, "prod") == ["ledger"]
    assert keys(company.rita, "theirs") == []
    assert keys(company.boss, "theirs") == ["host"]


def test_an_environment_of_another_branch_is_nowhere(
    company: Company, item: Make, environment: Make, stand: Stand
) -> None:
    item("shared", "cards"), environment("prod")
    stand("shared", "prod")
    carl, page = Caller(company.carl), browser(company.carl)

    assert carl("get", "environments?count=true").json()["count"] == 0
    for method, body in (("get", None), ("patch", {"name": "x"}), ("delete", None)):
        assert carl(method, "environments/prod", body, If_Match="*").status_code == 404
    assert carl("get", "instances").json()["items"] == []
    assert "prod" not in page.get("/environments").content.decode().replace("roduction", "")
    assert page.get("/environments/pick?q=prod").json() == {"items": []}
    assert "Not known to stand anywhere" in page.get("/environments/panel?item=shared").content.decode()
    for path in ("", "/edit", "/instances/new"):
        assert page.get(f"/environments/prod{path}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/environments",
        "/environments/env-0",
        "/environments/panel?item=item-0",
        "/environments/pick",
        "/api/v1/environments?count=true",
        "/api/v1/instances",
    ],
)
def test_the_number_of_statements_does_not_grow_with_the_rows(
    company: Company, item: Make, environment: Make, stand: Stand, path: str
) -> None:
    client = browser(company.rita)

    def statements() -> int:
        client.get(path)  # what is kept per process is filled
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path).status_code == 200
        return len(captured)

    item("item-0"), environment("env-0")
    stand("item-0", "env-0")
    few = statements()
    for number in range(1, 8):
        item(f"item-{number}"), environment(f"env-{number}", tier="staging")
        stand(f"item-{number}", "env-0"), stand("item-0", f"env-{number}")

    assert statements() == few <= 12


def test_all_environments_stand_in_the_order_of_the_way_to_production(
    company: Company, item: Make, environment: Make, stand: Stand
) -> None:
    item("ledger"), item("theirs", "cards")
    environment("prod"), environment("dev", tier="development"), environment("sit", tier="integration")
    stand("ledger", "prod"), stand("theirs", "prod")

    page = browser(company.rita).get("/environments").content.decode()

    assert page.index("Development") < page.index("Integration") < page.index("Production")
    assert page.count('<td class="is-num" data-label="Items">1</td>') == 1, "the hidden item is not counted"


def test_the_record_explains_its_control_and_lists_what_stands_in_it(
    company: Company, item: Make, environment: Make, stand: Stand
) -> None:
    item("ledger"), item("theirs", "cards"), environment("prod", description="Live <b>")
    stand("ledger", "prod"), stand("theirs", "prod")

    page = browser(company.rita).get("/environments/prod").content.decode()

    assert "it needs an authorised change whose window is open" in page
    assert "/items/ledger" in page
    assert "theirs" not in page
    assert "Live &lt;b&gt;" in page
    assert 'hx-get="/changes/panel?environment=prod"' in page
    assert "lanes=item&amp;environment=prod" in page
    seen = browser(company.vera).get("/environments/prod").content.decode()
    assert "/environments/prod/edit" not in seen
    assert browser(company.vera).get("/environments/new").status_code == 403


def test_new_edit_and_stand_by_form(company: Company, item: Make) -> None:
    item("ledger")
    client = browser(company.rita)

    assert client.get("/environments/new").status_code == 200
    assert client.post("/environments/new", FORM | {"zone": "Mars/Base"}).status_code == 422
    made = client.post("/environments/new", FORM)
    assert (made.status_code, made["Location"]) == (302, "/environments/prod")
    assert client.post("/environments/new", FORM).status_code == 409
    assert client.get("/environments/prod/edit").status_code == 200
    edited = client.post(
        "/environments/prod/edit", FORM | {"version": "1", "control": "open", "shared": "on"}
    )
    assert edited.status_code == 302
    assert client.post("/environments/prod/instances/new", {"item": "none"}).status_code == 422
    assert client.post("/environments/prod/instances/new", {"item": "ledger"}).status_code == 302
    uid = Instance.objects.get().uid
    assert client.post(f"/environments/prod/instances/{uid}/remove").status_code == 302
    found = Environment.objects.get()
    assert (found.control, found.shared, found.version) == ("open", True, 2)
    assert not Instance.objects.exists()


def test_edit_of_an_older_version_shows_what_stands_there_now(company: Company, environment: Make) -> None:
    environment("prod")
    execute(EditEnvironment(environment="prod", name="Live"), actor=company.boss)

    answer = browser(company.rita).post(
        "/environments/prod/edit", FORM | {"version": "1", "control": "controlled"}
    )

    assert answer.status_code == 412
    assert "Meanwhile it says: Live" in answer.content.decode()
    assert Environment.objects.get().name == "Live"


def test_archive_and_use_again(company: Company, environment: Make) -> None:
    environment("prod")
    client = browser(company.rita)

    assert client.post("/environments/prod/archive", {"version": "1"}).status_code == 302
    assert "Archived" in client.get("/environments/prod").content.decode()
    assert client.post("/environments/prod/restore", {"version": "2"}).status_code == 302
    assert Environment.objects.get().archived_at is None


def test_an_instance_is_put_by_item_and_environment_as_often_as_one_likes(
    company: Company, item: Make, environment: Make
) -> None:
    rita = Caller(company.rita)
    item("ledger"), environment("uat")

    made = rita("put", "instances/ledger@uat")
    assert (made.status_code, made["Location"]) == (201, f"/api/v1/instances/{made.json()['uid']}")
    for same in ("ledger@uat", made.json()["uid"]):
        again = rita("put", f"instances/{same}")
        assert (again.status_code, again.json()) == (200, made.json())
    assert rita("get", "instances/ledger@uat").json() == made.json()
    for wrong, status in (("ledger@nowhere", 422), ("none@uat", 422), ("ledger", 404), ("@", 404)):
        assert rita("put", f"instances/{wrong}").status_code == status, wrong
    assert rita("delete", "instances/ledger@uat", If_Match="*").status_code == 200
    assert rita("get", "instances/ledger@uat").status_code == 404
