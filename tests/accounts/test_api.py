"""The API of accounts: who may, what is told, what is never told; idempotency, preconditions, CSRF over
HTTP.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fairway.accounts import commands, queries
from fairway.accounts.history import changes
from fairway.accounts.models import ApiToken, Delegation, Grant, Organisation, Team, User
from fairway.audit import queries as audit
from fairway.audit.commands import execute
from fairway.audit.models import Denial, IdempotentRequest
from fairway.kernel.actor import SYSTEM, Actor
from tests.support.company import Company, actor, person
from tests.support.dump import dump, holds
from tests.support.replay import replayed

API = "/api/v1"


class Api:
    """A client with a token of somebody."""

    def __init__(self, who: Actor, **token: Any) -> None:
        made = execute(commands.CreateToken(name="test", **token), actor=who)
        self.secret = str(made.answer)
        self.client = Client(headers={"Authorization": f"Bearer {self.secret}"})

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        data = "" if body is None else json.dumps(body)
        return self.client.generic(
            method, f"{API}{path}", data, content_type="application/json", headers=named
        )


def told(answer: Any) -> Any:
    return json.loads(answer.content)


@pytest.fixture
def boss(company: Company) -> Api:
    return Api(company.boss)


@pytest.fixture
def rita(company: Company) -> Api:
    return Api(company.rita)


@pytest.fixture
def carl(company: Company) -> Api:
    return Api(company.carl)


@pytest.fixture
def vera(company: Company) -> Api:
    return Api(company.vera)


def test_the_whole_round(boss: Api, company: Company) -> None:
    with replayed():
        made = boss("POST", "/organisations", {"slug": "lab", "name": "Lab", "parent": "cards"})
        assert (made.status_code, made["Location"], made["ETag"]) == (201, f"{API}/organisations/lab", '"1"')
        moved = boss("PATCH", "/organisations/lab", {"parent": "retail"}, If_Match=made["ETag"])
        assert told(moved)["parent"]["key"] == "retail"
        nia = boss("POST", "/users", {"email": "nia@example.org", "name": "Nia", "organisation": "lab"})
        assert nia.status_code == 201
        key = told(nia)["key"]
        assert told(nia)["invitation"].startswith(f"/join/{told(nia)['uid']}/")
        zoned = boss("PATCH", f"/users/{key}", {"zone": "Asia/Tokyo"}, If_Match='"1"')
        assert told(zoned)["zone"] == "Asia/Tokyo"
        team = boss("POST", "/teams", {"slug": "ops", "name": "Ops", "organisation": "lab", "members": [key]})
        assert [member["name"] for member in told(team)["members"]] == ["Nia"]
        assert told(boss("PATCH", "/teams/ops", {"name": "Operations"}, If_Match="*"))["name"] == "Operations"
        grant = boss("POST", "/grants", {"role": "viewer", "organisation": "cards", "team": "ops"})
        assert (grant.status_code, told(grant)["team"]["key"]) == (201, "ops")
        assert boss("DELETE", f"/grants/{told(grant)['uid']}").status_code == 204
        empty = boss("PUT", "/teams/ops/members", {"members": []}, If_Match="*")
        assert told(empty)["members"] == []
        given = boss("POST", "/delegations", {"taker": "vera@example.org", "start": "2099-12-01T00:00:00Z",
                                              "end": "2099-12-24T00:00:00+01:00"})  # fmt: skip
        assert told(given)["end"] == "2099-12-23T23:00:00Z"
        assert boss("DELETE", f"/delegations/{told(given)['uid']}").status_code == 204
        assert told(boss("POST", f"/users/{key}/deactivate"))["is_active"] is False
        assert told(boss("POST", f"/users/{key}/activate"))["is_active"] is True
    for path in ("organisations", "users", "teams", "roles", "grants", "tokens", "delegations", "events"):
        assert boss("GET", f"/{path}").status_code == 200, path
    assert not Delegation.objects.exists()


def test_an_invitation_opens_until_a_password_is_chosen(boss: Api, company: Company) -> None:
    made = told(boss("POST", "/users", {"email": "nia@example.org", "name": "Nia", "organisation": "cards"}))
    uid, token = made["invitation"].split("/")[2:]
    assert queries.invited(uid, token) == User.objects.get(uid=uid)
    assert queries.invited(uid, token[:-1] + "x") is None
    assert queries.invited(str(company.vera.uid), token) is None
    again = told(boss("POST", f"/users/{made['key']}/invite"))["invitation"]
    assert queries.invited(uid, again.split("/")[3]) is not None
    execute(commands.SetPassword(user=uid, password="a lamp on the quay"), actor=actor("nia"))
    assert queries.invited(uid, token) is None
    assert told(boss("GET", f"/users/{made['key']}")).get("invitation") is None


# Who may


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/organisations", {"slug": "lab", "name": "Lab", "parent": "retail"}),
        ("PATCH", "/organisations/shops", {"name": "Mine"}),
        ("POST", "/users", {"email": "x@example.org", "name": "X", "organisation": "retail"}),
        ("PATCH", "/users/rita@example.org", {"name": "Mine"}),
        ("POST", "/users/rita@example.org/deactivate", None),
        ("POST", "/users/rita@example.org/invite", None),
        ("POST", "/teams", {"slug": "lab", "name": "Lab", "organisation": "retail"}),
        ("PATCH", "/teams/tills", {"name": "Mine"}),
        ("PUT", "/teams/tills/members", {"members": []}),
        ("POST", "/grants", {"role": "approver", "organisation": "retail", "user": "vera@example.org"}),
        ("POST", "/tokens", {"name": "x", "user": "robot@example.org"}),
    ],
)
def test_a_viewer_changes_nothing(vera: Api, company: Company, method: str, path: str, body: Any) -> None:
    execute(commands.CreateTeam(slug="tills", name="Tills", organisation="retail"), actor=company.rita)
    robot = commands.CreateUser(
        email="robot@example.org", name="Robot", organisation="retail", is_service=True
    )
    execute(robot, actor=company.rita)
    kept = frozenset(
        {"audit_denial", "sqlite_sequence", "accounts_apitoken"}
    )  # tokens note when they were used
    before = dump(without=kept)
    answer = vera(method, path, body, If_Match="*")
    assert (answer.status_code, told(answer)["code"]) == (403, "forbidden"), answer.content
    assert dump(without=kept) == before
    assert Denial.objects.count() == 1


def test_nobody_without_token_or_session(company: Company) -> None:
    for path in ("organisations", "users", "teams", "roles", "grants", "tokens", "delegations", "events"):
        answer = Client().get(f"{API}/{path}")
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer"), path
        assert told(answer)["code"] == "unauthenticated"


def test_nobody_grants_to_themselves(rita: Api, company: Company) -> None:
    execute(commands.CreateTeam(slug="own", name="Own", organisation="retail", members=["rita@example.org"]),
            actor=company.rita)  # fmt: skip
    execute(commands.CreateTeam(slug="rich", name="Rich", organisation="retail"), actor=company.rita)
    execute(commands.GrantRole(role="approver", organisation="retail", team="rich"), actor=company.rita)
    grant = {"role": "approver", "organisation": "retail"}
    assert rita("POST", "/grants", {**grant, "user": "rita@example.org"}).status_code == 403
    assert rita("POST", "/grants", {**grant, "team": "own"}).status_code == 403
    joins = rita("PUT", "/teams/rich/members", {"members": ["rita@example.org"]}, If_Match="*")
    assert joins.status_code == 403
    mine = Grant.objects.get(user__email="rita@example.org")
    assert rita("DELETE", f"/grants/{mine.uid}").status_code == 403
    assert rita("POST", "/users/rita@example.org/deactivate").status_code == 403
    assert "changes.approve" in queries.access(actor("rita")).permissions  # administrators may anyway


def test_an_administrator_grants_in_their_branch_only(rita: Api) -> None:
    vera = {"user": "vera@example.org"}
    assert rita("POST", "/grants", {"role": "approver", "organisation": "shops", **vera}).status_code == 201
    for beyond, status in (("group", 404), ("cards", 404)):
        answer = rita("POST", "/grants", {"role": "approver", "organisation": beyond, **vera})
        assert answer.status_code == status


def test_a_branch_administrator_cannot_act_as_somebody_with_roles_elsewhere(
    rita: Api, company: Company
) -> None:
    execute(
        commands.CreateUser(email="robot@example.org", name="Robot", organisation="retail", is_service=True),
        actor=company.boss,
    )
    person("olga", "retail", "approver", at="cards")
    assert rita("POST", "/tokens", {"name": "ci", "user": "robot@example.org"}).status_code == 201
    execute(
        commands.GrantRole(role="approver", organisation="cards", user="robot@example.org"),
        actor=company.boss,
    )
    assert rita("POST", "/tokens", {"name": "ci", "user": "robot@example.org"}).status_code == 403
    assert rita("POST", "/users/olga@example.org/invite").status_code == 403
    assert rita("POST", "/users/olga@example.org/deactivate").status_code == 403
    moved = rita("PATCH", "/users/olga@example.org", {"organisation": "shops"}, If_Match="*")
    assert moved.status_code == 403


def test_administrators_make_no_tokens_for_people(boss: Api) -> None:
    assert boss("POST", "/tokens", {"name": "spy", "user": "vera@example.org"}).status_code == 403


def test_people_edit_their_own_name_and_zone(vera: Api, company: Company) -> None:
    mine = f"/users/{company.vera.uid}"
    answer = vera("PATCH", mine, {"name": "Vera V.", "zone": "Europe/Oslo"}, If_Match='"1"')
    assert (told(answer)["name"], told(answer)["zone"]) == ("Vera V.", "Europe/Oslo")
    assert vera("PATCH", mine, {"organisation": "shops"}, If_Match="*").status_code == 403
    assert vera("PATCH", mine, {"zone": "Mars/Olympus"}, If_Match="*").status_code == 422


def test_somebody_without_any_role_sees_only_themselves(company: Company) -> None:
    nobody = Api(person("noel", "retail"))
    assert nobody("GET", "/users").status_code == 403
    assert queries.access(actor("noel")).organisations == frozenset()
    assert nobody("PATCH", f"/users/{actor('noel').uid}", {"name": "Noël"}, If_Match="*").status_code == 200


# The twin branch does not exist


def test_nothing_of_the_twin_branch_is_found_or_counted(rita: Api, carl: Api, company: Company) -> None:
    """Everything that stands in cards is asked for by rita of retail, by every reference, on every route."""
    execute(
        commands.CreateTeam(slug="secret-team", name="Secret team", organisation="cards"), actor=company.carl
    )
    execute(commands.GrantRole(role="viewer", organisation="cards", team="secret-team"), actor=company.carl)
    robot = commands.CreateUser(
        email="robot@example.org", name="Secret robot", organisation="cards", is_service=True
    )
    execute(robot, actor=company.carl)
    token = carl("POST", "/tokens", {"name": "secret token", "user": "robot@example.org"})
    assert token.status_code == 201
    person("cora", "cards")
    carl("POST", "/delegations", {"taker": "cora@example.org", "start": "2099-12-01T00:00:00Z",
                                  "end": "2099-12-02T00:00:00Z"})  # fmt: skip
    theirs = User.objects.get(email="carl@example.org")
    cards = Organisation.objects.get(slug="cards")
    grant = Grant.objects.get(user=theirs)
    routes: list[tuple[str, str, Any]] = []
    for ref in ("cards", str(cards.uid)):
        routes += [
            ("GET", f"/organisations/{ref}", None),
            ("PATCH", f"/organisations/{ref}", {"name": "Mine"}),
            ("PATCH", "/organisations/shops", {"parent": ref}),
            ("POST", "/organisations", {"slug": "x", "name": "X", "parent": ref}),
            ("POST", "/users", {"email": "x@example.org", "name": "X", "organisation": ref}),
            ("PATCH", f"/users/{company.vera.uid}", {"organisation": ref}),
            ("POST", "/teams", {"slug": "x", "name": "X", "organisation": ref}),
            ("POST", "/grants", {"role": "viewer", "organisation": ref, "user": "vera@example.org"}),
        ]
    for ref in (theirs.key, str(theirs.uid), "carl@example.org"):
        routes += [
            ("GET", f"/users/{ref}", None),
            ("PATCH", f"/users/{ref}", {"name": "Mine"}),
            ("POST", f"/users/{ref}/activate", None),
            ("POST", f"/users/{ref}/deactivate", None),
            ("POST", f"/users/{ref}/invite", None),
            ("POST", "/teams", {"slug": "x", "name": "X", "organisation": "retail", "members": [ref]}),
            ("POST", "/grants", {"role": "viewer", "organisation": "retail", "user": ref}),
            ("POST", "/tokens", {"name": "x", "user": ref}),
            (
                "POST",
                "/delegations",
                {"taker": ref, "start": "2099-12-01T00:00Z", "end": "2099-12-02T00:00Z"},
            ),
        ]
    routes += [
        ("GET", "/teams/secret-team", None),
        ("PATCH", "/teams/secret-team", {"name": "Mine"}),
        ("PUT", "/teams/secret-team/members", {"members": []}),
        ("POST", "/grants", {"role": "viewer", "organisation": "retail", "team": "secret-team"}),
        ("DELETE", f"/grants/{grant.uid}", None),
        ("DELETE", f"/tokens/{ApiToken.objects.get(name='secret token').uid}", None),
        ("DELETE", f"/delegations/{Delegation.objects.get().uid}", None),
    ]
    before = dump(without=frozenset({"accounts_apitoken", "sqlite_sequence"}))
    for method, path, body in routes:
        answer = rita(method, path, body, If_Match="*")
        assert (answer.status_code, told(answer)["code"]) == (404, "not-found"), (
            method,
            path,
            answer.content,
        )
    assert dump(without=frozenset({"accounts_apitoken", "sqlite_sequence"})) == before
    hidden = (
        b"secret",
        b"Secret",
        b"cards",
        b"Cards",
        b"Carl",
        cards.uid.hex.encode(),
        str(theirs.uid).encode(),
    )
    for path in (
        "/organisations?count=true", "/users?count=true", "/teams?count=true", "/grants?count=true",
        "/tokens?count=true", "/delegations?count=true", "/events?limit=1000", "/users?q=carl&count=true",
        "/users?organisation=cards", "/grants?organisation=cards", f"/grants?user={theirs.key}",
        f"/events?subject={theirs.uid}", f"/events?subject={cards.uid}", "/organisations?parent=group",
    ):  # fmt: skip
        answer = rita("GET", path)
        assert answer.status_code == 200, answer.content
        found = [word for word in hidden if word in answer.content and word.decode() not in path]
        assert found == [], (path, answer.content)
    assert told(rita("GET", "/organisations?count=true"))["count"] == 2
    assert told(rita("GET", "/teams?count=true"))["count"] == 0
    assert told(rita("GET", f"/events?subject={theirs.uid}"))["items"] == []


def test_grants_of_another_branch_are_invisible(rita: Api, boss: Api, company: Company) -> None:
    given = {"role": "approver", "organisation": "cards", "user": "vera@example.org"}
    assert boss("POST", "/grants", given).status_code == 201
    shown = told(rita("GET", "/grants?user=" + told(rita("GET", "/users/vera@example.org"))["key"]))["items"]
    assert [grant["organisation"]["key"] for grant in shown] == ["retail"]
    feed = told(rita("GET", f"/events?subject={company.vera.uid}&limit=1000"))["items"]
    assert [row["model"] for event in feed for row in event["rows"]] == ["accounts.User", "accounts.Grant"]
    assert feed[-1]["command"] == "accounts.grant.create"  # that something was granted shows, not where
    assert feed[-1]["rows"] == []


# Tokens


def test_a_token_is_told_once_and_stored_by_digest(vera: Api) -> None:
    made = vera("POST", "/tokens", {"name": "ci", "days": 7}, Idempotency_Key="k")
    secret = told(made)["token"]
    assert made.status_code == 201
    assert holds(secret) == []
    shown = next(token for token in told(vera("GET", "/tokens"))["items"] if token["name"] == "ci")
    assert shown["hint"] == secret[:7]
    assert "token" not in shown
    again = vera("POST", "/tokens", {"name": "ci", "days": 7}, Idempotency_Key="k")
    assert (again.status_code, told(again)["code"]) == (409, "told-once")
    assert ApiToken.objects.filter(name="ci").count() == 1


def test_a_token_may_no_more_than_its_scopes(company: Company) -> None:
    scoped = Api(company.boss, scopes=["accounts.view"])
    assert scoped("GET", "/users").status_code == 200
    assert scoped("GET", "/events").status_code == 403
    assert scoped("POST", "/teams", {"slug": "x", "name": "X", "organisation": "group"}).status_code == 403
    assert scoped("PATCH", f"/users/{company.boss.uid}", {"name": "X"}, If_Match="*").status_code == 403
    assert scoped("POST", "/tokens", {"name": "more"}).status_code == 403
    assert scoped("POST", "/tokens", {"name": "more", "scopes": ["audit.view"]}).status_code == 403
    assert scoped("POST", "/tokens", {"name": "same", "scopes": ["accounts.view"]}).status_code == 201
    given = {"taker": "vera@example.org", "start": "2099-12-01T00:00:00Z", "end": "2099-12-02T00:00:00Z"}
    assert scoped("POST", "/delegations", given).status_code == 403
    none = Api(company.boss, scopes=[])
    assert none("GET", "/users").status_code == 403


def test_members_move_the_version_of_a_team_so_nobody_overwrites_the_other(boss: Api) -> None:
    made = boss("POST", "/teams", {"slug": "ops", "name": "Ops", "organisation": "retail"})
    read = made["ETag"]
    first = boss("PUT", "/teams/ops/members", {"members": ["rita@example.org"]}, If_Match=read)
    assert (first.status_code, first["ETag"]) == (200, '"2"')
    late = boss("PUT", "/teams/ops/members", {"members": ["vera@example.org"]}, If_Match=read)
    assert late.status_code == 412
    same = boss("PUT", "/teams/ops/members", {"members": ["rita@example.org"]}, If_Match='"2"')
    assert (same.status_code, same["ETag"]) == (200, '"2"')
    put = {"name": "Operations", "organisation": "retail", "members": ["vera@example.org"]}
    assert boss("PUT", "/teams/ops", put, If_Match='"2"')["ETag"] == '"3"'
    logged = audit.history(organisations=None, subject=Team.objects.get(slug="ops").uid)
    fields = {told["field"] for one in changes(SYSTEM, logged) for told in one}
    assert fields == {"Membership", "Name"}, "how often it was edited is no news"


def test_members_whom_one_does_not_see_stay_in_the_team(boss: Api, rita: Api) -> None:
    people = {"members": ["carl@example.org", "vera@example.org"]}
    boss("POST", "/teams", {"slug": "ops", "name": "Ops", "organisation": "retail", **people})
    shown = told(rita("GET", "/teams/ops"))["members"]
    assert [member["name"] for member in shown] == ["Vera"]
    for method, path, body in (
        ("PUT", "/teams/ops/members", {"members": []}),
        ("PUT", "/teams/ops", {"name": "Ops", "organisation": "retail", "members": []}),
    ):
        assert rita(method, path, body, If_Match="*").status_code == 200
        assert [member["name"] for member in told(boss("GET", "/teams/ops"))["members"]] == ["Carl"]


def test_a_token_made_by_a_token_ends_with_it(company: Company) -> None:
    parent = Api(company.boss, days=7)
    ends = ApiToken.objects.latest("pk").expires_at
    longer = parent("POST", "/tokens", {"name": "longer", "days": 8})
    assert (longer.status_code, told(longer)["errors"][0]["field"]) == (422, "days")
    assert "outlives" in told(longer)["errors"][0]["message"]
    child = parent("POST", "/tokens", {"name": "same"})
    shorter = parent("POST", "/tokens", {"name": "shorter", "days": 3})
    assert (child.status_code, shorter.status_code) == (201, 201)
    assert ApiToken.objects.get(name="same").expires_at == ends
    assert ApiToken.objects.get(name="shorter").expires_at < ends
    parent.client = Client(headers={"Authorization": f"Bearer {told(child)['token']}"})
    third = told(parent("POST", "/tokens", {"name": "of the child"}))["token"]
    assert queries.bearer(third, at=datetime.now(UTC)) is not None
    uid = ApiToken.objects.get(name="test", expires_at=ends).uid
    assert Api(company.boss)("DELETE", f"/tokens/{uid}").status_code == 204
    for secret in (told(child)["token"], told(shorter)["token"], third):
        assert queries.bearer(secret, at=datetime.now(UTC)) is None
    assert ApiToken.objects.filter(name="test", revoked_at=None).count() == 1


def test_scopes_never_give_what_the_person_lacks(company: Company) -> None:
    scoped = Api(company.vera, scopes=["accounts.invite", "accounts.view"])
    assert scoped("POST", "/teams", {"slug": "x", "name": "X", "organisation": "retail"}).status_code == 403


@pytest.mark.parametrize(
    "body", [{"scopes": ["no.such"]}, {"days": 0}, {"days": 367}, {"name": " "}, {"x": 1}]
)
def test_a_token_that_makes_no_sense_is_refused(vera: Api, body: dict[str, Any]) -> None:
    assert vera("POST", "/tokens", {"name": "t", **body}).status_code == 422


def test_a_token_ends(company: Company) -> None:
    token = Api(company.vera, days=1)
    assert token("GET", "/users").status_code == 200
    now = datetime.now(UTC)
    assert queries.bearer(token.secret, at=now + timedelta(hours=23)) is not None
    assert queries.bearer(token.secret, at=now + timedelta(hours=25)) is None
    row = ApiToken.objects.latest("pk")
    assert token("DELETE", f"/tokens/{row.uid}").status_code == 204
    assert token("GET", "/users").status_code == 401
    assert Api(company.vera)("DELETE", f"/tokens/{row.uid}").status_code == 204  # again: no harm


def test_tokens_and_sessions_end_with_the_person(company: Company, boss: Api) -> None:
    token = Api(company.vera)
    session = Client()
    session.force_login(User.objects.get(email="vera@example.org"))
    assert token("GET", "/users").status_code == session.get(f"{API}/users").status_code == 200
    assert boss("POST", "/users/vera@example.org/deactivate").status_code == 200
    assert token("GET", "/users").status_code == session.get(f"{API}/users").status_code == 401


def test_a_role_that_was_taken_back_is_gone_at_once(boss: Api, rita: Api) -> None:
    assert rita("GET", "/users").status_code == 200
    grant = told(boss("GET", f"/grants?user={told(boss('GET', '/users/rita@example.org'))['key']}"))["items"][
        0
    ]
    assert boss("DELETE", f"/grants/{grant['uid']}").status_code == 204
    assert rita("GET", "/users").status_code == 403


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer fw_wrong", "Basic dXNlcjpwYXNz", "fw_x", "Bearer \x00"]
)
def test_what_is_no_token_opens_nothing(company: Company, header: str) -> None:
    assert Client().get(f"{API}/users", headers={"Authorization": header}).status_code == 401


def test_the_use_of_a_token_is_noted_by_the_hour(vera: Api) -> None:
    vera("GET", "/users")
    used = ApiToken.objects.latest("pk").last_used_at
    assert used is not None
    vera("GET", "/users")
    assert ApiToken.objects.latest("pk").last_used_at == used
    late = used + timedelta(minutes=61)
    queries.bearer(vera.secret, at=late)
    assert ApiToken.objects.latest("pk").last_used_at == late


# Sessions


def test_a_session_needs_the_csrf_token(company: Company) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(email="rita@example.org"))
    body = {"slug": "tills", "name": "Tills", "organisation": "retail"}
    assert client.get(f"{API}/users").status_code == 200
    refused = client.post(f"{API}/teams", body, content_type="application/json")
    assert (refused.status_code, told(refused)["code"]) == (403, "csrf")
    client.cookies["fairway_csrf"] = "a" * 32
    for wrong in ("", "b" * 32):
        answer = client.post(
            f"{API}/teams", body, content_type="application/json", headers={"X-CSRFToken": wrong}
        )
        assert answer.status_code == 403
    answer = client.post(
        f"{API}/teams", body, content_type="application/json", headers={"X-CSRFToken": "a" * 32}
    )
    assert answer.status_code == 201


def test_service_accounts_have_no_session(company: Company) -> None:
    execute(
        commands.CreateUser(email="robot@example.org", name="Robot", organisation="retail", is_service=True),
        actor=company.rita,
    )
    client = Client()
    client.force_login(User.objects.get(email="robot@example.org"))
    assert client.get(f"{API}/users").status_code == 401


# Preconditions, dry runs, repeats


def test_an_edit_names_the_version_it_read(boss: Api) -> None:
    missing = boss("PATCH", "/organisations/lab", {"name": "X"})
    assert missing.status_code == 428
    read = boss("GET", "/organisations/retail")
    edited = boss("PATCH", "/organisations/retail", {"name": "One"}, If_Match=read["ETag"])
    assert (edited.status_code, edited["ETag"]) == (200, '"2"')
    stale = boss("PATCH", "/organisations/retail", {"name": "Two"}, If_Match=read["ETag"])
    assert (stale.status_code, told(stale)["version"]) == (412, 2)
    assert boss("PATCH", "/organisations/retail", {"name": "Two"}, If_Match="x").status_code == 422
    assert boss("PATCH", "/organisations/retail", {"name": "Two"}, If_Match="*").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/organisations", {"slug": "lab", "name": "Lab", "parent": "cards"}),
        ("PATCH", "/organisations/cards", {"name": "X"}),
        ("POST", "/users", {"email": "x@example.org", "name": "X", "organisation": "cards"}),
        ("PATCH", "/users/vera@example.org", {"name": "X"}),
        ("POST", "/users/vera@example.org/deactivate", None),
        ("POST", "/users/vera@example.org/invite", None),
        ("POST", "/teams", {"slug": "x", "name": "X", "organisation": "cards"}),
        ("POST", "/grants", {"role": "viewer", "organisation": "cards", "user": "vera@example.org"}),
        ("POST", "/tokens", {"name": "x"}),
        ("POST", "/delegations", {"taker": "vera@example.org", "start": "2099-12-01T00:00Z", "end":
        "2099-12-02T00:00Z"}), ],
)  # fmt: skip
def test_a_dry_run_writes_nothing(boss: Api, method: str, path: str, body: Any) -> None:
    boss("GET", "/roles")  # notes the use of the token
    before = dump()
    answer = boss(method, f"{path}?dry_run=true", body, If_Match="*")
    assert (answer.status_code, told(answer)["dry_run"]) == (200, True), answer.content
    assert "fw_" not in answer.content.decode()
    assert "/join/" not in answer.content.decode()
    assert dump() == before


def test_a_repeat_gets_the_first_answer(boss: Api) -> None:
    body = {"slug": "lab", "name": "Lab", "parent": "cards"}
    first = boss("POST", "/organisations", body, Idempotency_Key="k")
    again = boss("POST", "/organisations", body, Idempotency_Key="k")
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.content, again["ETag"], again["Location"]) == (
        first.content,
        first["ETag"],
        first["Location"],
    )
    assert again["Idempotent-Replay"] == "true"
    assert "Idempotent-Replay" not in first
    other = boss("POST", "/organisations", {**body, "slug": "x"}, Idempotency_Key="k")
    assert (other.status_code, told(other)["errors"][0]["field"]) == (422, "Idempotency-Key")
    assert boss("POST", "/organisations", body, Idempotency_Key="other").status_code == 409
    assert boss("POST", "/organisations", body).status_code == 409


def test_a_parallel_repeat_is_told_to_wait(boss: Api) -> None:
    body = {"slug": "lab", "name": "Lab", "parent": "cards"}
    boss("POST", "/organisations", body, Idempotency_Key="k")
    IdempotentRequest.objects.update(status=None, outcome="", begun_at=datetime.now(UTC))
    answer = boss("POST", "/organisations", body, Idempotency_Key="k")
    assert (answer.status_code, told(answer)["code"]) == (409, "in-progress")


def test_an_answer_that_was_lost_is_made_again(boss: Api) -> None:
    body = {"slug": "lab", "name": "Lab", "parent": "cards"}
    first = boss("POST", "/organisations", body, Idempotency_Key="k")
    IdempotentRequest.objects.update(status=None, body=b"", headers={})  # the server died before it kept it
    again = boss("POST", "/organisations", body, Idempotency_Key="k")
    assert (again.status_code, again.content) == (201, first.content)


def test_a_fault_of_ours_is_not_kept(boss: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a fault")

    body = {"slug": "lab", "name": "Lab", "parent": "cards"}
    boss.client.raise_request_exception = False
    with monkeypatch.context() as patch:
        patch.setattr(commands.CreateOrganisation, "plan", fail)
        assert boss("POST", "/organisations", body, Idempotency_Key="k").status_code == 500
    assert not IdempotentRequest.objects.exists()
    assert boss("POST", "/organisations", body, Idempotency_Key="k").status_code == 201


def test_a_refusal_is_kept(boss: Api) -> None:
    body = {"slug": "cards", "name": "Cards", "parent": "group"}
    first = boss("POST", "/organisations", body, Idempotency_Key="k")
    again = boss("POST", "/organisations", body, Idempotency_Key="k")
    assert (first.status_code, again.status_code, again.content) == (409, 409, first.content)
    assert again["Idempotent-Replay"] == "true"


def test_a_key_needs_somebody(company: Company) -> None:
    answer = Client().post(
        f"{API}/teams", {}, content_type="application/json", headers={"Idempotency-Key": "k"}
    )
    assert answer.status_code == 401
    assert not IdempotentRequest.objects.exists()


# What makes no sense


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/teams", "{nope", 400),
        ("POST", "/teams", "[" * 100_000, 400),
        ("POST", "/teams", "[]", 422),
        ("POST", "/teams", '{"slug": 7, "name": "x", "organisation": "group"}', 422),
        ("POST", "/teams", '{"slug": "A B", "name": "x", "organisation": "group"}', 422),
        ("POST", "/teams", '{"slug": "x", "name": "x", "organisation": "nowhere"}', 404),
        ("POST", "/teams", '{"slug": "x", "name": "x", "organisation": "group", "uid": "x"}', 422),
        ("POST", "/teams", '{"slug": "x", "name": "\\u0000", "organisation": "group"}', 422),
        ("POST", "/teams", '{"slug": "x", "name": "' + "n" * 201 + '", "organisation": "group"}', 422),
        ("POST", "/users", '{"email": "no", "name": "x", "organisation": "group"}', 422),
        ("POST", "/users", '{"email": "a@b.example\\u2028", "name": "x", "organisation": "group"}', 422),
        (
            "POST",
            "/users",
            '{"email": "a@b.example", "name": "x", "organisation": "group", "zone": "x"}',
            422,
        ),
        ("POST", "/grants", '{"role": "viewer", "organisation": "group"}', 422),
        ("POST", "/grants", '{"role": "king", "organisation": "group", "user": "vera@example.org"}', 404),
        ("GET", "/users?limit=x", "", 422),
        ("GET", "/users?nothing=1", "", 422),
        ("GET", "/users?sort=email", "", 422),
        ("GET", "/users?active=perhaps", "", 422),
        ("GET", "/users?cursor=x", "", 422),
        ("GET", "/users?q=%00", "", 200),
        ("GET", "/users/%00", "", 404),
        ("GET", "/users/USR-99999999999999999999", "", 404),
        ("GET", "/organisations/%F0%9F%9A%A2", "", 404),
        ("GET", "/grants?user=nobody", "", 422),
        ("GET", "/events?after=-1", "", 422),
        ("GET", "/events?after=9223372036854775808", "", 422),
        ("GET", "/events?limit=0", "", 422),
        ("GET", "/events?subject=x", "", 422),
        ("DELETE", "/grants/x", "", 404),
        ("DELETE", "/tokens/" + "0" * 36, "", 404),
        ("PUT", "/users", "{}", 405),
    ],
)
def test_nothing_that_a_client_sends_is_a_fault(
    boss: Api, method: str, path: str, body: str, status: int
) -> None:
    answer = boss.client.generic(method, f"{API}{path}", body, content_type="application/json")
    assert answer.status_code in {status, 422} if "%00" in path else answer.status_code == status, (
        answer.content
    )
    if status >= 400:
        assert answer["Content-Type"] == "application/problem+json"
        assert told(answer)["status"] == answer.status_code


def test_other_media_are_refused(boss: Api) -> None:
    assert boss.client.post(f"{API}/teams", {"slug": "x"}).status_code == 415


def test_too_large_a_request_is_refused(boss: Api, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2**20
    for headers in ({}, {"Idempotency_Key": "k"}):
        answer = boss("POST", "/teams", {"slug": "x" * 2**20}, **headers)
        assert (answer.status_code, told(answer)["code"]) == (413, "too-large")


# Lists and the feed


def test_lists_filter_sort_and_page(boss: Api) -> None:
    names = [user["name"] for user in told(boss("GET", "/users?sort=-name"))["items"]]
    assert names == ["Vera", "Rita", "Carl", "Boss"]
    assert [u["name"] for u in told(boss("GET", "/users?organisation=retail"))["items"]] == ["Rita", "Vera"]
    assert [u["name"] for u in told(boss("GET", "/users?q=VER example"))["items"]] == ["Vera"]
    first = boss("GET", "/users?limit=3&count=true")
    assert (len(told(first)["items"]), told(first)["count"]) == (3, 4)
    link = first["Link"].split(">")[0].removeprefix(f"<{API}")
    rest = told(boss("GET", link))
    assert [user["name"] for user in rest["items"]] == ["Vera"]
    assert rest["next"] is None


def test_lists_ask_the_same_number_of_statements_whatever_they_hold(boss: Api, company: Company) -> None:
    paths = ("organisations", "users", "teams", "roles", "grants", "tokens", "delegations", "events")

    def statements() -> dict[str, int]:
        found = {}
        for path in paths:
            boss("GET", f"/{path}")
            with CaptureQueriesContext(connection) as captured:
                assert boss("GET", f"/{path}").status_code == 200
            found[path] = len(captured)
        return found

    before = statements()
    for n in range(12):
        person(f"p{n}", "retail", "viewer")
        execute(commands.CreateTeam(slug=f"t{n}", name="T", organisation="shops"), actor=company.boss)
        execute(commands.CreateToken(name=f"k{n}"), actor=company.boss)
    assert statements() == before
    # In a test's transaction nothing is kept, so who may see what is read each time: 4 statements.
    assert {path: count for path, count in before.items() if count > 9} == {}


def test_the_feed_tells_who_did_what_in_order(boss: Api, company: Company) -> None:
    start = told(boss("GET", "/events"))["head"]
    boss("POST", "/teams", {"slug": "ops", "name": "Ops", "organisation": "group"}, X_Request_ID="req-1")
    boss("PATCH", "/teams/ops", {"name": "Operations"}, If_Match="*")
    first = told(boss("GET", f"/events?after={start}&limit=1"))
    (event,) = first["items"]
    assert first["next"] == event["sequence"] == start + 1
    assert (event["command"], event["request_id"]) == ("accounts.team.create", "req-1")
    assert event["actor"] == {"kind": "person", "uid": company.boss.uid}
    assert event["subject"]["key"] == "ops"
    rest = told(boss("GET", f"/events?after={first['next']}"))
    assert rest["items"][0]["rows"][0]["changes"] == {"name": ["Ops", "Operations"]}
    assert rest["next"] == rest["head"]
    assert told(boss("GET", f"/events?after={rest['next']}"))["items"] == []
    subject = event["subject"]["uid"]
    assert len(told(boss("GET", f"/events?subject={subject}"))["items"]) == 2


def test_every_answer_names_its_request_and_stays_private(boss: Api) -> None:
    answer = boss("GET", "/users", X_Request_ID="mine")
    assert (answer["X-Request-ID"], answer["Cache-Control"]) == ("mine", "private, no-cache")
    for wrong in ("x" * 65, "a\x7fb"):
        assert boss("GET", "/users", X_Request_ID=wrong)["X-Request-ID"] != wrong


def test_the_first_start_needs_no_person(committed: None) -> None:
    execute(commands.CreateOrganisation(slug="root", name="Root"), actor=SYSTEM)
    assert queries.root() == Organisation.objects.get()
