"""The pages of accounts: the way in, one's own profile, administration; as people use them, with forms."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from fairway.accounts import commands, queries, throttle
from fairway.accounts.history import deed
from fairway.accounts.models import ApiToken, Delegation, Grant, Organisation, SignInFailure, Team, User
from fairway.accounts.pages import urlpatterns
from fairway.accounts.pages.entrance import own_path
from fairway.audit.commands import execute
from fairway.audit.models import Denial
from fairway.catalog import commands as catalog
from fairway.interfaces.settings import PASSWORD_HASHERS
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import NotFound
from tests.support.company import Company, actor, person
from tests.support.dump import dump, holds
from tests.support.replay import replayed

PASSWORD = "a lamp on the quay"
ADMINISTRATION = (
    "/administration", "/administration/people", "/administration/people/invite", "/administration/teams",
    "/administration/service-accounts", "/administration/service-accounts/new",
    "/administration/teams/new", "/administration/roles", "/administration/organisations",
    "/administration/organisations/new", "/administration/events",
)  # fmt: skip


def signed_in(name: str, **options: Any) -> Client:
    client = Client(**options)
    client.force_login(User.objects.get(email=f"{name}@example.org"))
    return client


def text(answer: Any) -> str:
    """Return what a person reads of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


@pytest.fixture
def with_password(company: Company) -> Company:
    execute(commands.SetPassword(user=company.vera.uid, password=PASSWORD), actor=SYSTEM)
    return company


# The way in


def test_signing_in_opens_the_way_asked_for(with_password: Company) -> None:
    client = Client()
    asked = client.get("/administration/people?q=x")
    assert (asked.status_code, asked["Location"]) == (302, "/sign-in?next=%2Fadministration%2Fpeople%3Fq%3Dx")
    form = client.get(asked["Location"])
    assert 'value="/administration/people?q=x"' in form.content.decode()
    before = client.session.session_key
    data = {"email": "VERA@example.org", "password": PASSWORD, "next": "/administration/people?q=x"}
    answer = client.post("/sign-in", data)
    assert (answer.status_code, answer["Location"]) == (302, "/administration/people?q=x")
    assert client.session.session_key != before
    assert client.get("/administration/people").status_code == 200


def test_the_session_key_rotates_on_signing_in(with_password: Company) -> None:
    client = Client()
    session = client.session
    session["theme"] = "dark"
    session.save()
    client.cookies["fairway_session"] = session.session_key or ""
    client.post("/sign-in", {"email": "vera@example.org", "password": PASSWORD})
    assert client.cookies["fairway_session"].value != session.session_key
    assert not Session.objects.filter(session_key=session.session_key).exists()
    assert client.cookies["fairway_session"]["httponly"]


def test_whoever_is_unknown_inactive_or_wrong_reads_the_same(with_password: Company) -> None:
    person("gone", "retail")
    execute(commands.SetPassword(user="gone@example.org", password=PASSWORD), actor=SYSTEM)
    execute(commands.SetUserActive(user="gone@example.org", active=False), actor=SYSTEM)
    answers = set()
    for email, password in (
        ("vera@example.org", "wrong"),
        ("nobody@example.org", PASSWORD),
        ("gone@example.org", PASSWORD),
        ("rita@example.org", PASSWORD),  # never chose one
    ):
        answer = Client().post("/sign-in", {"email": email, "password": password})
        assert answer.status_code == 422
        answers.add(re.sub(r"csrf[^>]*>|value=\"[^\"]*\"", "", answer.content.decode()))
    assert len(answers) == 1


@pytest.mark.parametrize(
    "address",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "changes", "",
     "\n//x", "http:///evil.example", "/\t/evil.example"],
)  # fmt: skip
def test_next_leads_to_own_paths_only(with_password: Company, address: str) -> None:
    answer = Client().post("/sign-in", {"email": "vera@example.org", "password": PASSWORD, "next": address})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert own_path("/changes?tab=mine") == "/changes?tab=mine"


def test_guessing_is_slowed_down(with_password: Company) -> None:
    assert (throttle.FROM_ONE_PLACE, throttle.FROM_ANYWHERE) == (10, 50)
    right = {"email": "vera@example.org", "password": PASSWORD}
    client = Client()
    for _ in range(throttle.FROM_ONE_PLACE):
        assert client.post("/sign-in", {**right, "password": "guess"}).status_code == 422
    waits = client.post("/sign-in", right)
    assert (waits.status_code, waits["Retry-After"]) == (429, "900")
    elsewhere = Client(REMOTE_ADDR="127.0.0.9").post("/sign-in", right)
    assert elsewhere.status_code == 302  # who sits elsewhere is not locked out by it
    assert holds("vera@", "accounts_signinfailure") == []
    assert sum(SignInFailure.objects.values_list("count", flat=True)) == 3 * throttle.FROM_ONE_PLACE


def test_guessing_from_everywhere_is_slowed_down_too(with_password: Company) -> None:
    assert Client(REMOTE_ADDR="127.0.2.1").get("/sign-in").status_code == 200
    for number in range(throttle.FROM_ANYWHERE):
        wrong = {"email": "vera@example.org", "password": "guess"}
        Client(REMOTE_ADDR=f"127.0.1.{number}").post("/sign-in", wrong)
    answer = Client().post("/sign-in", {"email": "Vera@example.org", "password": PASSWORD})
    assert answer.status_code == 429


def test_passwords_are_hashed_with_argon2(company: Company, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = PASSWORD_HASHERS
    command = commands.SetPassword(user=company.vera.uid, password=PASSWORD, hashed="given")
    assert PASSWORD not in repr(command)
    execute(command, actor=company.vera)
    stored = User.objects.get(uid=company.vera.uid).password
    assert stored.startswith("argon2$argon2id$")
    assert stored not in repr(command)
    with pytest.raises(NotFound):
        execute(commands.SetPassword(user=company.vera.uid, password=PASSWORD), actor=company.rita)


def test_signing_out_is_a_post(company: Company) -> None:
    client = signed_in("vera")
    assert client.get("/sign-out").status_code == 405
    assert client.get("/me").status_code == 200
    assert client.post("/sign-out")["Location"] == "/sign-in"
    assert client.get("/me").status_code == 302


def test_an_invited_person_chooses_a_password_and_is_in(company: Company) -> None:
    rita = signed_in("rita")
    data = {"email": "Nia@example.org", "name": "Nia", "organisation": "shops", "zone": "Europe/Paris"}
    shown = rita.post("/administration/people/invite", data)
    assert shown.status_code == 201
    link = re.search(r"http://testserver(/join/[^<\s]+)", shown.content.decode())
    assert link is not None
    assert "no-store" in shown["Cache-Control"]
    client = Client()
    assert "Welcome, Nia" in text(client.get(link[1]))
    weak = client.post(link[1], {"password": "short"})
    assert weak.status_code == 422
    assert "12 characters" in text(weak)
    done = client.post(link[1], {"password": PASSWORD})
    assert done["Location"] == "/"
    assert client.get("/me").status_code == 200
    void = Client().get(link[1])
    assert (void.status_code, "This link is void" in text(void)) == (404, True)
    assert Client().post(link[1], {"password": "another lamp here"}).status_code == 404
    assert Client().post("/sign-in", {"email": "nia@example.org", "password": PASSWORD}).status_code == 302


@pytest.mark.parametrize(
    "path", ["/join/x/y", "/join/00000000-0000-0000-0000-000000000000/a-b", "/join/x/%00"]
)
def test_links_that_were_made_up_are_void(company: Company, path: str) -> None:
    assert Client().get(path).status_code == 404


# Every page


def test_every_page_but_the_entrance_needs_somebody(company: Company) -> None:
    for pattern in urlpatterns:
        name = str(pattern.pattern)
        if name in {"sign-in", "sign-out"} or name.startswith(("join/", "shared/")):
            continue
        path = "/" + name.replace("<str:key>", "x").replace("<str:uid>", "x")
        for method in ("get", "post"):
            answer = getattr(Client(), method)(path)
            assert answer.status_code in {302, 405}, (method, path)
            if answer.status_code == 302:
                assert answer["Location"].startswith("/sign-in?next="), path
    answer = Client().get("/me", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (401, "/sign-in")


def test_every_post_needs_the_csrf_token(company: Company) -> None:
    client = signed_in("rita", enforce_csrf_checks=True)
    before = dump()
    checked = 0
    for pattern in urlpatterns:
        path = "/" + str(pattern.pattern).replace("<str:key>", "retail").replace("<str:uid>", "x")
        path = path.replace("<str:token>", "x")
        answer = client.post(path, {"name": "x"})
        assert answer.status_code in {403, 405}, path
        checked += answer.status_code == 403
    assert checked >= 15
    assert dump() == before


@pytest.mark.parametrize("path", ["/me", *ADMINISTRATION])
def test_pages_open(company: Company, path: str) -> None:
    execute(commands.CreateTeam(slug="tills", name="Tills", organisation="retail"), actor=company.rita)
    assert signed_in("rita").get(path).status_code == 200


def test_a_viewer_reads_but_is_offered_nothing(company: Company) -> None:
    execute(commands.CreateTeam(slug="tills", name="Tills", organisation="retail"), actor=company.rita)
    client = signed_in("vera")
    rita = User.objects.get(email="rita@example.org").key
    for path in (
        "/administration/people", f"/administration/people/{rita}", "/administration/teams/tills",
        "/administration/organisations/retail",
    ):  # fmt: skip
        answer = client.get(path)
        assert answer.status_code == 200
        for offer in (
            "Invite somebody",
            "Give role",
            "Take back",
            "Save",
            "Rename",
            "Deactivate",
            "sign-in link",
        ):
            assert offer not in text(answer), (path, offer)
    for path in ("people/invite", "teams/new", "organisations/new"):
        assert client.get(f"/administration/{path}").status_code == 403


def test_a_viewer_cannot_do_it_all_the_same(company: Company) -> None:
    execute(commands.CreateTeam(slug="tills", name="Tills", organisation="retail"), actor=company.rita)
    rita, grant = (
        User.objects.get(email="rita@example.org"),
        Grant.objects.get(user__email="rita@example.org"),
    )
    client = signed_in("vera")
    left_out = frozenset({"audit_denial", "django_session", "sqlite_sequence"})
    before = dump(without=left_out)
    for path, data in (
        (f"people/{rita.key}/deactivate", {}),
        (f"people/{rita.key}/invite", {}),
        (f"people/{rita.key}/grants", {"role": "viewer", "organisation": "retail"}),
        (f"grants/{grant.uid}/revoke", {}),
        ("teams/tills/name", {"name": "Mine", "version": 1}),
        ("teams/tills/members", {"members": rita.key, "version": 1}),
        ("teams/tills/grants", {"role": "viewer", "organisation": "retail"}),
        ("organisations/retail", {"name": "Mine", "version": 1}),
        ("people/invite", {"email": "x@example.org", "name": "X", "organisation": "retail", "zone": "UTC"}),
        ("teams/new", {"slug": "x", "name": "X", "organisation": "retail"}),
        ("organisations/new", {"slug": "x", "name": "X", "parent": "retail"}),
    ):
        assert client.post(f"/administration/{path}", data).status_code in {403, 422}, path
    assert dump(without=left_out) == before


def test_nothing_of_the_twin_branch_shows_on_any_page(company: Company) -> None:
    execute(
        commands.CreateTeam(slug="secret-team", name="Secret team", organisation="cards"), actor=company.carl
    )
    execute(commands.GrantRole(role="viewer", organisation="cards", team="secret-team"), actor=company.carl)
    execute(commands.EditOrganisation(organisation="cards", name="Secret cards"), actor=company.boss)
    theirs, cards = User.objects.get(email="carl@example.org"), Organisation.objects.get(slug="cards")
    client = signed_in("rita")
    for path in (
        *ADMINISTRATION, "/administration/people?q=carl", "/administration/people?organisation=cards",
        "/administration/people/pick?q=carl", f"/administration/events?subject={theirs.uid}",
        f"/administration/events?actor={theirs.key}", f"/administration/events?subject={cards.uid}",
        f"/events/panel?subject={theirs.uid}", "/administration/organisations/new?parent=cards",
        "/administration/people/invite?organisation=cards",
    ):  # fmt: skip
        answer = client.get(path)
        assert answer.status_code == 200, path
        seen = re.sub(r'(value|href|action|hx-get)="[^"]*"|Organisation: cards|Who: \S+', "", text(answer))
        assert not re.search(r"secret|carl\b|carl@", seen, re.IGNORECASE), path
    grant = Grant.objects.get(team__slug="secret-team")
    for method, path in (
        ("get", f"people/{theirs.key}"), ("get", f"people/{theirs.uid}"), ("get", "teams/secret-team"),
        ("get", "organisations/cards"), ("post", f"people/{theirs.key}/grants"),
        ("post", f"people/{theirs.key}/invite"), ("post", f"people/{theirs.key}/deactivate"),
        ("post", "teams/secret-team/name"), ("post", "teams/secret-team/members"),
        ("post", "teams/secret-team/grants"), ("post", "organisations/cards"),
        ("post", f"grants/{grant.uid}/revoke"),
    ):  # fmt: skip
        answer = getattr(client, method)(f"/administration/{path}")
        assert answer.status_code == 404, path
        assert "Secret" not in text(answer)


# One's own profile


def test_the_profile_is_saved_and_a_stale_one_is_not(company: Company) -> None:
    client = signed_in("vera")
    data = {"profile-name": "Vera V.", "profile-zone": "Asia/Tokyo", "profile-version": "1"}
    assert client.post("/me/profile", data).status_code == 302
    shown = client.get("/me")
    assert "Vera V." in text(shown)
    assert "was saved" in text(shown)
    stale = client.post("/me/profile", {**data, "profile-name": "Other"})
    assert (stale.status_code, "Somebody changed this meanwhile" in text(stale)) == (422, True)
    wrong = client.post("/me/profile", {**data, "profile-zone": "Mars", "profile-version": "2"})
    assert wrong.status_code == 422
    assert User.objects.get(email="vera@example.org").name == "Vera V."


def test_a_new_password_needs_the_present_one_and_ends_other_sessions(with_password: Company) -> None:
    here, there = signed_in("vera"), signed_in("vera")
    data = {"password-present": "wrong", "password-password": "another lamp, elsewhere"}
    assert "not your present password" in text(here.post("/me/password", data))
    weak = here.post("/me/password", {"password-present": PASSWORD, "password-password": "vera@example.org"})
    assert weak.status_code == 422
    done = here.post("/me/password", {**data, "password-present": PASSWORD})
    assert done.status_code == 302
    assert here.get("/me").status_code == 200
    assert there.get("/me").status_code == 302
    assert User.objects.get(email="vera@example.org").check_password("another lamp, elsewhere")


def test_a_token_is_shown_once_and_can_be_revoked(company: Company) -> None:
    client = signed_in("vera")
    data = {"token-name": "pipeline", "token-days": "7", "token-scopes": ["decisions.ask"]}
    made = client.post("/me/tokens", data)
    assert (made.status_code, "no-store" in made["Cache-Control"]) == (200, True)
    secret = re.search(r"fw_[\w-]{40,}", made.content.decode())
    assert secret is not None
    assert holds(secret[0]) == []
    found = queries.bearer(secret[0], at=ApiToken.objects.get().created_at)
    assert found is not None
    assert found.scopes == frozenset({"decisions.ask"})
    shown = client.get("/me")
    assert "pipeline" in text(shown)
    assert secret[0] not in shown.content.decode()
    token = ApiToken.objects.get()
    assert (
        signed_in("rita").post(f"/me/tokens/{token.uid}/revoke").status_code == 302
    )  # she administers retail
    assert queries.bearer(secret[0], at=token.created_at) is None
    assert signed_in("carl").post(f"/me/tokens/{token.uid}/revoke").status_code == 404
    assert client.post("/me/tokens", {"token-name": "", "token-days": "7"}).status_code == 422


def test_somebody_without_roles_can_still_use_their_profile(company: Company) -> None:
    person("noel", "retail")
    client = signed_in("noel")
    assert client.get("/me").status_code == 200
    assert client.get("/administration/people").status_code == 403


# Administration


def test_the_rounds_of_an_administrator(company: Company) -> None:
    client = signed_in("rita")
    vera = User.objects.get(email="vera@example.org")
    with replayed():
        page = f"/administration/people/{vera.key}"
        given = client.post(f"{page}/grants", {"role": "approver", "organisation": "shops"})
        assert (given.status_code, given["Location"]) == (302, page)
        assert "Approver" in text(client.get(page))
        twice = client.post(f"{page}/grants", {"role": "approver", "organisation": "shops"})
        assert (twice.status_code, "granted already" in text(twice)) == (422, True)
        grant = Grant.objects.get(role__slug="approver")
        assert client.post(f"/administration/grants/{grant.uid}/revoke")["Location"] == page
        link = client.post(f"{page}/invite")
        assert "http://testserver/join/" in link.content.decode()
        assert client.post(f"{page}/deactivate").status_code == 302
        assert "Not active" in text(client.get(page))
        assert client.post(f"{page}/activate").status_code == 302

        made = client.post("/administration/teams/new", {
            "name": "Tills", "slug": "tills", "organisation": "shops", "members": f"{vera.key}"})  # fmt: skip
        assert made["Location"] == "/administration/teams/tills"
        assert "Vera" in text(client.get(made["Location"]))
        assert (
            client.post("/administration/teams/tills/name", {"name": "Tills 2", "version": 1}).status_code
            == 302
        )
        assert (
            client.post("/administration/teams/tills/members", {"members": "", "version": 2}).status_code
            == 302
        )
        role = {"role": "viewer", "organisation": "shops"}
        assert client.post("/administration/teams/tills/grants", role).status_code == 302
        taken = client.post(f"/administration/grants/{Grant.objects.get(team__slug='tills').uid}/revoke")
        assert taken["Location"] == "/administration/teams/tills"

        lab = client.post(
            "/administration/organisations/new", {"name": "Lab", "slug": "lab", "parent": "retail"}
        )
        assert lab["Location"] == "/administration/organisations/lab"
        moved = client.post(
            "/administration/organisations/lab", {"name": "Labs", "parent": "shops", "version": 1}
        )
        assert moved.status_code == 302
    assert Organisation.objects.get(slug="lab").parent == Organisation.objects.get(slug="shops")
    assert not Team.objects.get(slug="tills").memberships.exists()
    assert not Delegation.objects.exists()


def test_what_was_typed_stays_on_an_error(company: Company) -> None:
    client = signed_in("rita")
    data = {"email": "vera@example.org", "name": "Second Vera", "organisation": "retail", "zone": "UTC"}
    answer = client.post("/administration/people/invite", data)
    assert answer.status_code == 422
    assert "has an account already" in text(answer)
    assert "Second Vera" in answer.content.decode()
    foreign = client.post(
        "/administration/people/invite", {**data, "email": "x@example.org", "organisation": "cards"}
    )
    assert foreign.status_code == 422
    assert not User.objects.filter(email="x@example.org").exists()


def test_an_administrator_cannot_give_themselves_a_role(company: Company) -> None:
    rita = User.objects.get(email="rita@example.org")
    client = signed_in("rita")
    assert "Give role" not in text(client.get(f"/administration/people/{rita.key}"))
    answer = client.post(
        f"/administration/people/{rita.key}/grants", {"role": "approver", "organisation": "retail"}
    )
    assert (answer.status_code, "Nobody grants a role to themselves" in text(answer)) == (422, True)
    assert Denial.objects.filter(command="accounts.grant.create").exists()


def test_people_are_found_filtered_and_paged(company: Company) -> None:
    for number in range(60):
        person(f"p{number:02}", "shops")
    execute(commands.SetUserActive(user="p59@example.org", active=False), actor=SYSTEM)
    client = signed_in("rita")
    first = client.get("/administration/people?organisation=shops")
    assert "59 people" in text(first)
    assert "P49" in text(first)
    assert "P50" not in text(first)
    cursor = re.search(r"cursor=([\w-]+)", first.content.decode())
    assert cursor is not None
    rest = client.get(f"/administration/people?organisation=shops&cursor={cursor[1]}")
    assert "P50" in text(rest)
    assert "P59" not in text(rest)
    assert "P59" in text(client.get("/administration/people?active=false"))
    assert "P07" in text(client.get("/administration/people?q=p07"))
    assert client.get("/administration/people?sort=email").status_code == 422
    [row] = re.findall(r"<tr.*?</tr>", client.get("/administration/people?q=rita").content.decode(), re.S)[1:]
    assert 'data-label="Roles">Administrator<' in row
    assert client.get("/administration/people/pick?q=p07").json()["items"][0]["name"] == "P07"


def test_the_roles_are_shown_as_a_matrix(company: Company) -> None:
    answer = signed_in("vera").get("/administration/roles").content.decode()
    assert answer.count('<th scope="col"') == 1 + 12
    assert "changes.approve" in answer


# The log


def test_the_history_panel_tells_who_changed_what(company: Company) -> None:
    execute(commands.EditUser(user=company.vera.uid, zone="Asia/Tokyo"), actor=company.rita)
    execute(
        commands.GrantRole(role="approver", organisation="shops", user=company.vera.uid), actor=company.rita
    )
    execute(
        commands.GrantRole(role="approver", organisation="cards", user=company.vera.uid), actor=company.boss
    )
    panel = signed_in("rita").get(f"/events/panel?subject={company.vera.uid}", headers={"HX-Request": "true"})
    words = text(panel)
    assert "<html" not in panel.content.decode()
    assert "Rita edited Zone UTC Asia/Tokyo" in words
    assert "Rita gave a role Grant Approver, Shops" in words
    assert "Boss gave a role" in words  # that it was done shows, where does not: rita sees nothing of cards
    assert "Cards" not in words
    assert "Fairway created" in words
    assert "Cards" in text(signed_in("boss").get(f"/events/panel?subject={company.vera.uid}"))


def test_what_is_wrong_with_a_panel_is_told_in_place(company: Company) -> None:
    client = signed_in("rita")
    for path in ("/events/panel", "/events/panel?subject=x"):
        answer = client.get(path, headers={"HX-Request": "true"})
        assert answer.status_code == 422
        assert "<html" not in answer.content.decode()
        assert "uid" in text(answer)


def test_the_log_is_filtered_and_paged(company: Company) -> None:
    client = signed_in("boss")
    for number in range(60):
        execute(commands.CreateTeam(slug=f"t{number}", name="T", organisation="shops"), actor=company.rita)
    first = client.get("/administration/events")
    assert "accounts.team.create" in text(first)
    cursor = re.search(r"cursor=(\d+)", first.content.decode())
    assert cursor is not None
    assert "accounts.user.create" in text(client.get(f"/administration/events?cursor={cursor[1]}"))
    assert "accounts.team.create" not in text(client.get("/administration/events?command=accounts.grant."))
    assert "No such event" in text(
        client.get(f"/administration/events?actor={User.objects.get(email='carl@example.org').key}")
    )
    for wrong in ("cursor=x", "subject=x", "cursor=9999999999999999999"):
        assert client.get(f"/administration/events?{wrong}").status_code == 422


@pytest.mark.parametrize(
    ("command", "subject", "told"),
    [
        ("changes.change.submit", "change", "submitted"),
        ("changes.change.cancel", "change", "cancelled"),
        ("catalog.item.edit", "item", "edited"),
        ("catalog.item.archive", "item", "archived"),
        ("environments.booking.approve", "booking", "approved"),
        ("changes.change.take_back", "change", "took back"),
        ("x.y.deny", "y", "denied"),
        ("x.y.delay", "y", "delayed"),
        ("catalog.relation.create", "item", "created relation"),
        ("accounts.grant.create", "user", "gave a role"),
        ("odd", "", "odded"),
    ],
)
def test_deeds(command: str, subject: str, told: str) -> None:
    assert deed(command, subject) == told


def test_pages_ask_the_same_number_of_statements_whatever_they_hold(company: Company) -> None:
    client = signed_in("boss")
    vera = User.objects.get(email="vera@example.org")
    paths = (
        "/administration/people", f"/administration/people/{vera.key}", "/administration/teams",
        "/administration/organisations", "/administration/roles", "/administration/events", "/me",
        f"/events/panel?subject={vera.uid}",
    )  # fmt: skip

    def statements() -> dict[str, int]:
        found = {}
        for path in paths:
            client.get(path)
            with CaptureQueriesContext(connection) as captured:
                assert client.get(path).status_code == 200
            found[path] = len(captured)
        return found

    execute(
        commands.CreateTeam(slug="t", name="T", organisation="shops", members=[vera.key]), actor=company.boss
    )
    execute(commands.GrantRole(role="viewer", organisation="shops", user=vera.key), actor=company.boss)
    before = statements()
    for number in range(10):
        person(f"p{number}", "shops", "viewer")
        team = f"t{number}"
        execute(
            commands.CreateTeam(slug=team, name="T", organisation="shops", members=[vera.key]),
            actor=company.boss,
        )
        execute(commands.CreateOrganisation(slug=f"o{number}", name="O", parent="shops"), actor=company.boss)
        execute(
            commands.GrantRole(role="viewer", organisation=f"o{number}", user=vera.key), actor=company.boss
        )
    after = statements()
    assert {path: (before[path], count) for path, count in after.items() if count > before[path]} == {}
    assert max(before.values()) <= 22


def test_a_page_escapes_what_people_typed(company: Company) -> None:
    poison = "<script>alert(1)</script>"
    execute(commands.EditUser(user=company.vera.uid, name=poison), actor=company.rita)
    execute(commands.CreateTeam(slug="t", name=poison, organisation="retail", members=[company.vera.uid]),
            actor=company.rita)  # fmt: skip
    execute(commands.EditOrganisation(organisation="shops", name=poison), actor=company.rita)
    client = signed_in("rita")
    vera = User.objects.get(uid=company.vera.uid)
    for path in (
        *ADMINISTRATION, f"/administration/people/{vera.key}", "/administration/teams/t",
        "/administration/organisations/shops", f"/events/panel?subject={vera.uid}",
        "/administration/people?q=<script>alert(1)</script>",
        "/administration/events?command=<script>alert(1)</script>",
    ):  # fmt: skip
        answer = client.get(path)
        assert poison not in answer.content.decode(), path
        assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert actor("vera").name == poison


def test_a_service_account_is_added_given_a_token_once_and_switched_off(company: Company) -> None:
    client = signed_in("rita")
    here = "/administration/service-accounts"
    made = client.post(f"{here}/new", {"name": "Robot", "slug": "robot", "organisation": "retail"})
    account = User.objects.get(email="robot@service-account.invalid")
    assert (made.status_code, made["Location"]) == (302, f"{here}/{account.key}")
    assert "Robot" in text(client.get(here))
    address = made["Location"]
    wrong = client.post(f"{address}/tokens", {"name": "", "days": "7"})
    assert (wrong.status_code, account.tokens.count()) == (422, 0)
    told = client.post(f"{address}/tokens", {"name": "CI", "days": "7", "scopes": ["accounts.view"]})
    secret = re.search(r"fw_[\w-]{43}", told.content.decode())
    assert secret is not None
    assert (told.status_code, "no-store" in told["Cache-Control"]) == (201, True)
    token = ApiToken.objects.get(user=account)
    assert (token.digest, token.scopes) == (queries.digest(secret[0]), ["accounts.view"])
    again = client.get(address).content.decode()
    assert "CI" in again
    assert secret[0] not in again
    assert client.get(f"{here}/{User.objects.get(email='vera@example.org').key}").status_code == 404
    elsewhere = User.objects.get(email="rita@example.org")
    assert client.post(f"{here}/{elsewhere.key}/tokens/{token.uid}/revoke").status_code == 404
    client.post(f"{address}/tokens/{token.uid}/revoke")
    token.refresh_from_db()
    assert token.revoked_at is not None
    client.post(f"{address}/switch", {"active": "0"})
    account.refresh_from_db()
    assert not account.is_active
    assert "Make token" not in text(client.get(address))


def test_somebody_is_named_to_act_and_it_is_ended(company: Company) -> None:
    vera, boss = signed_in("vera"), signed_in("boss")
    form = {"taker": company.rita.uid, "period-start": "2031-03-01T09:00", "period-end": "2031-03-08T09:00"}
    assert vera.post("/me/delegations", {**form, "taker": company.vera.uid}).status_code == 422  # oneself
    assert vera.post("/me/delegations", {**form, "period-end": "2033-03-08T09:00"}).status_code == 422
    assert not Delegation.objects.exists()
    assert vera.post("/me/delegations", form).status_code == 302
    made = Delegation.objects.get()
    assert (made.giver.name, made.taker.name) == (company.vera.name, company.rita.name)
    way = f"/me/delegations/{made.uid}/end"
    for client in (vera, signed_in("rita"), boss):  # who gave it, who has it, who administers them
        assert way in client.get("/me/delegations").content.decode()
    assert signed_in("carl").post(way).status_code in {403, 404}
    assert vera.post(way).status_code == 302
    assert not Delegation.objects.exists()  # it had not begun


def test_limits_are_shown_set_and_taken_away(company: Company) -> None:
    client = signed_in("boss")
    assert "60,000" in text(client.get("/administration/limits"))
    form = {"user": company.vera.uid, "role": "", "per_minute": "1234", "burst": "10"}
    assert client.post("/administration/limits", {**form, "role": "viewer"}).status_code == 422  # both
    assert client.post("/administration/limits", {**form, "burst": "0"}).status_code == 422
    assert client.post("/administration/limits", form).status_code == 302
    page = client.get("/administration/limits").content.decode()
    assert "1,234" in page
    [way] = re.findall(r"/administration/limits/[0-9a-f-]+/remove", page)
    assert client.post(way).status_code == 302
    assert "1,234" not in text(client.get("/administration/limits"))


def test_zones_are_found_by_city_and_area(company: Company) -> None:
    client = signed_in("vera")
    found = [one["key"] for one in client.get("/me/zones?q=new y").json()["items"]]
    assert found[0] == "America/New_York"
    assert len(client.get("/me/zones?q=europe").json()["items"]) == 20
    form = {"profile-name": "Vera", "profile-zone": "Europe/Nowhere", "profile-version": "1"}
    assert "is not an IANA time zone" in text(client.post("/me/profile", form))


def test_a_link_begins_with_what_matters(company: Company) -> None:
    person = signed_in("boss")
    execute(catalog.CreateItem(key="core", name="Core", kind="system", organisation="retail"), actor=SYSTEM)
    page = person.get("/items/core").content.decode()
    assert 'href="/shares?what=items%2Fcore&amp;name=Core"' in page
    boxes = person.get("/shares?what=items/core&name=Core").content.decode()
    ticked = set(re.findall(r'name="shown" value="(\w+)"[^>]* checked', boxes))
    assert {"key", "name", "status"} <= ticked
    assert "description" not in ticked
    assert "/shares?" not in signed_in("vera").get("/items/core").content.decode()
