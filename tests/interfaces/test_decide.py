"""The pipeline's question: asked in two ways, answered in one; what is asked by POST is kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from fairway.accounts import commands as accounts
from fairway.audit import queries as audit
from fairway.audit.commands import build, execute
from fairway.interfaces.models import AskedDecision
from fairway.kernel.actor import SYSTEM

pytestmark = pytest.mark.django_db
ASKED = {"action": "deploy", "system": "payments-api", "environment": "prod", "at": "2031-01-01T00:00:00Z"}


@pytest.fixture
def client() -> Client:
    at = datetime.now(UTC)
    execute(accounts.CreateOrganisation(slug="company", name="Company"), actor=SYSTEM, at=at)
    execute(accounts.CreateUser(email="p@x.example", name="P", organisation="company"), actor=SYSTEM, at=at)
    execute(
        accounts.GrantRole(role="viewer", organisation="company", user="p@x.example"), actor=SYSTEM, at=at
    )
    item = {"key": "payments-api", "name": "Payments", "kind": "system", "organisation": "company"}
    execute(build("catalog.item.create", item), actor=SYSTEM)
    for key, control in (("prod", "controlled"), ("dev", "open")):
        place = {"key": key, "name": key, "tier": "production", "control": control, "organisation": "company"}
        execute(build("environments.environment.create", place), actor=SYSTEM)
    token = execute(accounts.CreateToken(name="pipeline", user="p@x.example"), actor=SYSTEM, at=at).answer
    return Client(headers={"Authorization": f"Bearer {token}"})


def ask(client: Client, method: str, **changed: str) -> tuple[int, dict[str, Any]]:
    asked = {name: value for name, value in {**ASKED, **changed}.items() if value}
    if method == "GET":
        answer = client.get("/api/v1/decide", asked)
    else:
        answer = client.post("/api/v1/decide", asked, content_type="application/json")
    return answer.status_code, answer.json()


def test_both_ways_give_the_same_answer_and_only_post_keeps_it(client: Client) -> None:
    before = audit.head()
    read = ask(client, "GET")
    assert (AskedDecision.objects.count(), audit.head()) == (0, before)
    asked = ask(client, "POST")
    assert read == asked
    assert read[0] == 200
    assert read[1]["verdict"] == "deny"
    assert [finding["rule"] for finding in read[1]["findings"]] == ["changes.consent"]
    kept = AskedDecision.objects.get()
    assert (kept.verdict, kept.question["system"], kept.answer["findings"]) == (
        "deny",
        "payments-api",
        read[1]["findings"],
    )
    assert audit.head()[0] == before[0] + 1


def test_an_open_environment_allows_and_says_so(client: Client) -> None:
    assert ask(client, "GET", environment="dev")[1]["verdict"] == "allow"


@pytest.mark.parametrize(
    ("changed", "status", "field"),
    [
        ({"action": "destroy"}, 422, "action"),
        ({"system": ""}, 422, "system"),
        ({"at": "soon"}, 422, "at"),
        ({"system": "nix"}, 404, None),
        ({"environment": "nix"}, 404, None),
        ({"change": "CHG-9999"}, 404, None),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_wrong_question_is_answered_clearly(
    client: Client, method: str, changed: dict[str, str], status: int, field: str | None
) -> None:
    got, problem = ask(client, method, **changed)
    assert got == status, problem
    assert [error["field"] for error in problem.get("errors", [])] == ([field] if field else [])
    assert AskedDecision.objects.count() == 0


def test_the_same_key_asks_once(client: Client) -> None:
    for _ in range(2):
        answer = client.post(
            "/api/v1/decide", ASKED, content_type="application/json", headers={"Idempotency-Key": "run-7"}
        )
        assert answer.status_code == 200
    assert AskedDecision.objects.count() == 1
