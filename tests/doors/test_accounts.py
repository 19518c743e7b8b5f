"""Programs, stand-ins, limits and validity: who may act, for how long, how often."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from fairway.accounts import commands, limits, queries
from fairway.accounts.models import ApiToken, RateRule, User
from fairway.approvals.models import Vote
from fairway.approvals.rules import Ballot, Choice, Policy, consent
from fairway.audit.commands import execute
from fairway.audit.models import Event, EventRow, EventText
from fairway.catalog.commands import CreateItem
from fairway.changes.models import Change
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import TooMany
from tests.support.company import Company, actor, person

from .conftest import Caller

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _full_buckets() -> None:
    limits.forget()


def iso(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


def ask(body: dict[str, str], **headers: str) -> Any:
    return Client().post(
        "/api/v1/oauth/token",
        body,
        "application/json",
        headers={k.replace("_", "-"): v for k, v in headers.items()},
    )


@pytest.fixture
def robot(rita: Caller) -> tuple[str, str]:
    """A service account that may view retail: its key, and a token of it."""
    made = rita("post", "service-accounts", {"slug": "robot", "name": "Robot", "organisation": "retail"})
    assert made.status_code == 201, made.content
    assert made["Location"] == f"/api/v1/service-accounts/{made.json()['key']}"
    key = made.json()["key"]
    rita("post", "grants", {"role": "viewer", "organisation": "retail", "user": key})
    token = rita(
        "post", f"service-accounts/{key}/tokens", {"name": "ci", "scopes": ["catalog.view", "changes.view"]}
    )
    assert token.status_code == 201, token.content
    return key, token.json()["token"]


def bearer(token: str, path: str = "items") -> Any:
    return Client(headers={"Authorization": f"Bearer {token}"}).get(f"/api/v1/{path}")


def test_a_service_account_from_cradle_to_grave(rita: Caller, robot: tuple[str, str]) -> None:
    key, token = robot
    [row] = rita("get", "service-accounts").json()["items"]
    assert (row["key"], row["email"], row["tokens"]) == (key, "robot@service-account.invalid", 1)
    assert rita("get", "service-accounts/robot@service-account.invalid").json()["key"] == key
    assert bearer(token).status_code == 200
    assert bearer(token, "users").status_code == 403, "not with these scopes"
    assert (
        rita("get", f"service-accounts/{rita('get', 'users?q=vera').json()['items'][0]['key']}").status_code
        == 404
    )
    assert rita("delete", f"service-accounts/{key}", If_Match='"1"').json()["is_active"] is False
    assert bearer(token).status_code == 401
    again = rita("post", "service-accounts", {"slug": "robot", "name": "R", "organisation": "retail"})
    assert again.status_code == 409


@pytest.mark.parametrize("how", ["form", "json", "basic"])
def test_client_credentials(robot: tuple[str, str], how: str) -> None:
    key, secret = robot
    body = {"grant_type": "client_credentials", "scope": "catalog.view"}
    if how == "basic":
        basic = base64.b64encode(f"{key}:{secret}".encode()).decode()
        answer = Client().post("/api/v1/oauth/token", body, headers={"Authorization": f"Basic {basic}"})
    elif how == "form":
        answer = Client().post(
            "/api/v1/oauth/token",
            "&".join(f"{k}={v}" for k, v in {**body, "client_id": key, "client_secret": secret}.items()),
            "application/x-www-form-urlencoded",
        )
    else:
        answer = ask({**body, "client_id": key, "client_secret": secret})
    if how == "basic":  # the test client's forms are multipart
        assert answer.status_code == 415
        answer = ask(body, Authorization=f"Basic {basic}")
    assert answer.status_code == 200, answer.content
    assert answer["Cache-Control"] == "no-store"
    told = answer.json()
    assert (told["token_type"], told["expires_in"], told["scope"]) == ("Bearer", 3600, "catalog.view")
    assert bearer(told["access_token"]).status_code == 200
    assert bearer(told["access_token"], "changes").status_code == 403, "narrowed"


def test_a_short_lived_token_cannot_be_forged_outlived_or_widened(
    rita: Caller, robot: tuple[str, str]
) -> None:
    key, secret = robot
    base = {"grant_type": "client_credentials", "client_id": key, "client_secret": secret}
    token = ask(base).json()["access_token"]
    assert bearer(token).status_code == 200
    assert bearer(token, "users").status_code == 403, "never more than its source"
    payload, _, seal = token.removeprefix("fwa_").partition(".")
    for forged in (
        f"fwa_{payload}.",
        f"fwa_{payload}.{seal[:-2]}AA",
        f"fwa_{payload[:-3]}AAA.{seal}",
        "fwa_",
        "fwa_x.y",
        f"fwa_.{seal}",
    ):
        assert bearer(forged).status_code == 401, forged
    later = datetime.now(UTC) + 1.01 * HOUR
    assert queries.bearer(token, at=later) is None
    assert queries.bearer(token, at=later - 0.1 * HOUR) is not None
    for wrong, code, status in (
        ({**base, "grant_type": "password"}, "unsupported_grant_type", 400),
        ({**base, "scope": "accounts.administer"}, "invalid_scope", 400),
        ({**base, "client_secret": "fw_x"}, "invalid_client", 401),
        ({**base, "client_id": "USR-999"}, "invalid_client", 401),
    ):
        answer = ask(wrong)
        assert (answer.status_code, answer.json()["error"]) == (status, code)
    uid = ApiToken.objects.get(digest=queries.digest(secret)).uid
    rita("delete", f"tokens/{uid}")
    assert bearer(token).status_code == 401, "it ends with its source"
    assert ask(base).status_code == 401


def test_guessing_a_client_is_slowed_down(robot: tuple[str, str]) -> None:
    key, secret = robot
    base = {"grant_type": "client_credentials", "client_id": key}
    said = [ask({**base, "client_secret": f"fw_{n}"}).status_code for n in range(11)]
    assert said == [401] * 10 + [429]
    answer = ask({**base, "client_secret": secret})
    assert (answer.status_code, answer["Retry-After"]) == (429, "900")


def test_a_token_of_a_person_is_no_client(company: Company, vera: Caller) -> None:
    key = User.objects.get(email="vera@example.org").key
    answer = ask({"grant_type": "client_credentials", "client_id": key, "client_secret": vera.token})
    assert answer.status_code == 401


def test_what_is_limited_in_time_ends(rita: Caller, vera: Caller, company: Company) -> None:
    user = User.objects.get(email="vera@example.org")
    assert vera("get", "items").status_code == 200
    answer = rita("patch", f"users/{user.key}", {"valid_until": iso(-0.001)}, If_Match="*")
    assert answer.status_code == 200, answer.content
    assert vera("get", "items").status_code == 401
    client = Client()
    client.force_login(user)
    assert client.get("/me").status_code == 302
    assert queries.invited(str(user.uid), queries.invitation(user).rpartition("/")[2]) is None
    rita("patch", f"users/{user.key}", {"valid_until": iso(1)}, If_Match="*")
    assert vera("get", "items").status_code == 200
    assert client.get("/me").status_code == 200
    rita("patch", f"users/{user.key}", {"can_sign_in": False}, If_Match="*")
    assert client.get("/me").status_code == 302, "no pages"
    assert vera("get", "items").status_code == 200, "tokens still"
    own = rita(
        "patch",
        f"users/{User.objects.get(email='rita@example.org').key}",
        {"can_sign_in": False},
        If_Match="*",
    )
    assert own.status_code == 403, "nobody locks themselves out"


def test_an_inactive_team_gives_nothing(boss: Caller, company: Company) -> None:
    nina = Caller(person("nina", "retail"))
    boss(
        "put", "teams/viewers", {"name": "Viewers", "organisation": "retail", "members": ["nina@example.org"]}
    )
    boss("post", "grants", {"role": "viewer", "organisation": "retail", "team": "viewers"})
    assert nina("get", "items").status_code == 200
    assert boss("delete", "teams/viewers", If_Match="*").json()["is_active"] is False
    assert nina("get", "items").status_code == 403
    assert [row["key"] for row in boss("get", "teams?active=false").json()["items"]] == ["viewers"]
    assert boss("put", "teams/viewers", {"name": "V", "organisation": "retail"}).status_code == 428
    again = boss(
        "put",
        "teams/viewers",
        {"name": "V", "organisation": "retail", "members": ["nina@example.org"]},
        If_Match="*",
    )
    assert (again.status_code, again.json()["is_active"], nina("get", "items").status_code) == (
        200,
        True,
        200,
    )


# Standing in ------------------------------------------------------------------------------------------------


@pytest.fixture
def change(company: Company) -> Change:
    """A change of retail that waits for a vote: Ann may approve there, Ben nothing, Rob asked for it."""
    person("ann", "retail", "approver"), person("ben", "retail"), person("rob", "retail", "requester")
    execute(CreateItem(key="ledger", name="Ledger", kind="system", organisation="retail"), actor=SYSTEM)
    rob = Caller(actor("rob"))
    body = {
        "title": "Patch", "organisation": "retail", "items": ["ledger"], "implementers": ["rob@example.org"],
        "windows": [{"start": iso(24), "end": iso(25)}],
    }  # fmt: skip
    key = rob("post", "changes", body).json()["key"]
    assert rob("post", f"changes/{key}/submit").json()["state"] == "authorising"
    return Change.objects.get(number=int(key.removeprefix("CHG-")))


def vote(who: str, change: Change, choice: str = "approve") -> Any:
    return Caller(actor(who))(
        "post", f"changes/{change.key}/vote", {"choice": choice, "digest": change.digest, "comment": "so"}
    )


def test_who_stands_in_votes_with_the_say_of_whom_they_stand_in_for(company: Company, change: Change) -> None:
    assert vote("ben", change).status_code == 404, "Ben sees nothing by himself"
    ann = Caller(actor("ann"))
    made = ann("post", "delegations", {"taker": "ben@example.org", "start": iso(-1), "end": iso(1)})
    assert made.status_code == 201, made.content
    answer = vote("ben", change)
    assert (answer.status_code, answer.json()["state"]) == (200, "scheduled"), answer.content
    cast = Vote.objects.get()
    assert (cast.voter.name, cast.instead.name if cast.instead else "") == ("Ben", "Ann")
    client = Client()
    client.force_login(User.objects.get(email="rita@example.org"))
    assert "Ben for Ann" in client.get(f"/changes/{change.key}").content.decode()


def test_who_stands_in_has_no_role_by_that(rita: Caller, company: Company) -> None:
    """Fields that some roles alone see or set stay closed."""
    person("ann", "retail", "approver"), person("ben", "retail", "environment-manager")
    field = {"subject": "item", "name": "margin", "label": "Margin", "type": "text", "organisation": "retail"}
    assert rita("post", "field-definitions", {**field, "viewers": ["approver"]}).status_code == 201
    made = CreateItem(
        key="ledger", name="Ledger", kind="system", organisation="retail", attributes={"margin": "secret"}
    )
    execute(made, actor=SYSTEM)
    assert Caller(actor("ann"))("get", "items/ledger").json()["attributes"] == {"margin": "secret"}
    body = {"taker": "ben@example.org", "start": iso(-1), "end": iso(1)}
    assert Caller(actor("ann"))("post", "delegations", body).status_code == 201
    ben = Caller(actor("ben"))
    assert ben("get", "items/ledger").json()["attributes"] == {}
    answer = ben("patch", "items/ledger", {"attributes": {"margin": "mine"}}, If_Match="*")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "attributes.margin")


def test_nobody_is_stood_in_for_once_their_time_is_over(
    rita: Caller, company: Company, change: Change
) -> None:
    ann = Caller(actor("ann"))
    ann("post", "delegations", {"taker": "ben@example.org", "start": iso(-1), "end": iso(1)})
    ben = Caller(actor("ben"))
    assert ben("get", f"changes/{change.key}").status_code == 200
    over = {"valid_until": iso(-0.001)}
    assert rita("patch", "users/ann@example.org", over, If_Match="*").status_code == 200
    assert ben("get", f"changes/{change.key}").status_code == 403
    assert vote("ben", change).status_code == 404


@pytest.mark.parametrize(("start", "end"), [(-2, -1), (1, 2)])
def test_outside_its_time_a_delegation_gives_nothing(
    company: Company, change: Change, start: int, end: int
) -> None:
    command = commands.Delegate(
        giver="ann@example.org", taker="ben@example.org", start=iso(start), end=iso(3)
    )
    if end < 0:
        at = datetime.now(UTC) - 3 * HOUR
        execute(
            commands.Delegate(
                giver="ann@example.org", taker="ben@example.org", start=iso(start), end=iso(end)
            ),
            actor=SYSTEM,
            at=at,
        )
    else:
        execute(command, actor=SYSTEM)
    assert vote("ben", change).status_code == 404


def test_nobody_is_stood_in_for_in_their_own_matter(company: Company, change: Change) -> None:
    """Rob asked for it; who stands in for him has no say, nor does Ann where she stands in for him."""
    execute(
        commands.Delegate(giver="rob@example.org", taker="ann@example.org", start=iso(-1), end=iso(1)),
        actor=SYSTEM,
    )
    assert vote("ann", change).status_code in {403, 409}


def test_a_delegation_is_made_for_others_by_whoever_administers_them(rita: Caller, company: Company) -> None:
    person("ann", "retail", "approver"), person("ben", "retail")
    body = {"taker": "ben@example.org", "start": iso(0), "end": iso(1)}
    assert rita("post", "delegations", {**body, "giver": "ann@example.org"}).status_code == 201
    assert rita("post", "delegations", {**body, "giver": "carl@example.org"}).status_code == 404
    assert (
        rita(
            "post", "delegations", {**body, "giver": "ann@example.org", "taker": "rita@example.org"}
        ).status_code
        == 403
    )
    assert rita("post", "delegations", {**body, "end": iso(24 * 400)}).status_code == 422
    assert rita("post", "delegations", {**body, "start": iso(-2), "end": iso(-1)}).status_code == 422
    ann = Caller(actor("ann"))
    assert ann("post", "delegations", {**body, "giver": "rita@example.org"}).status_code == 403


ANN, BEN, CY = 1, 2, 3


@pytest.mark.parametrize(
    ("case", "ballots", "barred", "approved", "rejected"),
    [
        ("giver and stand-in", [(ANN, "approve", None), (BEN, "approve", ANN)], set(), {ANN}, set()),
        ("the later one counts", [(BEN, "approve", ANN), (ANN, "reject", None)], set(), set(), {ANN}),
        ("two says", [(BEN, "approve", None), (CY, "approve", ANN)], set(), {ANN, BEN}, set()),
        ("for a party", [(BEN, "approve", ANN)], {ANN}, set(), set()),
        ("by a party", [(BEN, "approve", ANN)], {BEN}, set(), set()),
    ],
)  # fmt: skip
def test_one_say_is_one_vote(
    case: str,
    ballots: list[tuple[int, str, int | None]],
    barred: set[int],
    approved: set[int],
    rejected: set[int],
) -> None:
    cast = [Ballot(voter, Choice(choice), "now", instead) for voter, choice, instead in ballots]
    told = consent(cast, digest="now", policy=Policy(2), barred=frozenset(barred))
    assert (set(told.approved), set(told.rejected)) == (approved, rejected)
    assert told.given == (len(approved) >= 2)


# Limits -----------------------------------------------------------------------------------------------------


def test_calls_are_limited_by_rules(boss: Caller, vera: Caller, company: Company) -> None:
    first = vera("get", "items")
    assert first["RateLimit-Policy"] == '"default";q=6000;w=6'
    assert first["RateLimit"].startswith('"default";r=5999;')
    boss("post", "rate-limits", {"per_minute": 6000, "burst": 50})
    boss("post", "rate-limits", {"per_minute": 6, "burst": 3, "role": "viewer"})
    limits.forget()
    said = [vera("get", "items").status_code for _ in range(4)]
    assert said == [200, 200, 200, 429]
    late = vera("get", "items", Idempotency_Key="k")
    assert 1 <= int(late["Retry-After"]) <= 11
    assert late["RateLimit"] == f'"viewer";r=0;t={late["Retry-After"]}'
    assert late.json()["code"] == "too-many-requests"
    assert boss("get", "items")["RateLimit-Policy"] == '"everybody";q=50;w=1'
    boss("post", "rate-limits", {"per_minute": 6, "burst": 9, "user": "vera@example.org"})
    assert vera("get", "items")["RateLimit-Policy"] == '"own";q=9;w=90'
    client = Client()
    client.force_login(User.objects.get(email="vera@example.org"))
    pages = [client.get("/me").status_code for _ in range(12)]
    assert 429 in pages, "pages are calls too"
    for row in boss("get", "rate-limits").json()["items"]:
        assert boss("delete", f"rate-limits/{row['uid']}").status_code == 204
    assert not RateRule.objects.exists()


def test_a_bucket_fills_with_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    monkeypatch.setattr(limits, "STRANGERS", limits.Rule("address", 60, 2))
    left = []
    for wait in (0, 0, 0, 0.5, 0.6, 100, 0, 0):
        now += wait
        try:
            left.append(
                int(limits.take_stranger("1.2.3.4", door="x")["RateLimit"].split("r=")[1].split(";")[0])
            )
        except TooMany:
            left.append(-1)
    assert left == [1, 0, -1, -1, 0, 1, 0, -1]
    limits.take_stranger("1.2.3.5", door="x")


def test_only_who_administers_everything_limits_everybody(rita: Caller) -> None:
    assert rita("post", "rate-limits", {"per_minute": 60, "burst": 3}).status_code == 403
    assert rita("post", "rate-limits", {"per_minute": 6, "burst": 3, "role": "viewer"}).status_code == 403
    assert (
        rita("post", "rate-limits", {"per_minute": 60, "burst": 3, "user": "vera@example.org"}).status_code
        == 200
    )
    assert (
        rita("post", "rate-limits", {"per_minute": 0, "burst": 3, "user": "vera@example.org"}).status_code
        == 422
    )


# Editing what moved on --------------------------------------------------------------------------------------


def test_a_stale_edit_is_told_what_stands_there_and_what_differs(rita: Caller) -> None:
    body = {"key": "ledger", "name": "Ledger", "kind": "system", "organisation": "retail"}
    uid = rita("post", "items", body).json()["organisation"]["uid"]
    rita("patch", "items/ledger", {"name": "New", "criticality": 1}, If_Match='"1"')
    edit = {"name": "Other", "criticality": 1, "organisation": uid, "attributes": {"a": "1"}}
    answer = rita("patch", "items/ledger", edit, If_Match='"1"')
    told = answer.json()
    assert (answer.status_code, told["version"]) == (412, 2)
    assert told["present"] == rita("get", "items/ledger").json()
    assert told["differing"] == [
        {"field": "name", "yours": "Other", "theirs": "New"},
        {"field": "attributes", "yours": {"a": "1"}, "theirs": {}},
    ]
    gone = rita("delete", "items/ledger", If_Match='"1"')
    assert (gone.status_code, gone.json()["present"]["name"], "differing" in gone.json()) == (
        412,
        "New",
        True,
    )


def test_a_merge_patch_may_say_that_it_is_one(rita: Caller) -> None:
    rita("post", "items", {"key": "ledger", "name": "L", "kind": "system", "organisation": "retail"})
    answer = rita.client.patch(
        "/api/v1/items/ledger",
        json.dumps({"name": "N"}),
        "application/merge-patch+json",
        headers={"If-Match": "*"},
    )
    assert (answer.status_code, answer.json()["name"]) == (200, "N")


# Secrets ----------------------------------------------------------------------------------------------------


def test_no_secret_comes_back_or_enters_the_log(boss: Caller, rita: Caller, robot: tuple[str, str]) -> None:
    key, secret = robot
    password = "canary-horse-battery"
    execute(commands.SetPassword(user="vera@example.org", password=password), actor=SYSTEM)
    token = ask({"grant_type": "client_credentials", "client_id": key, "client_secret": secret}).json()[
        "access_token"
    ]
    user = User.objects.get(email="vera@example.org")
    canaries = (secret, queries.digest(secret), token, password, user.password)
    told = [
        boss("get", f"{name}?limit=1000").content.decode()
        for name in ("events", "tokens", "users", "service-accounts")
    ]
    for model in (Event, EventRow, EventText):
        told += [str(row) for row in model.objects.values()]
    for name in ("tokens", "users"):
        told.append(b"".join(boss("get", f"{name}?format=csv").streaming_content).decode())
    for canary in canaries:
        assert not [text for text in told if canary in text]
