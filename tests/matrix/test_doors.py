"""The doors that stand open: signing in and out, invitations, and what is no route of ours."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from fairway.accounts.models import User

from .calls import KNOWN_PAGES, some, told
from .pages import PAGES
from .table import plain
from .test_junk import KEYS
from .visits import Visit, anybody
from .world import Named, World, undone, unwritten

PASSWORD = "correct horse battery staple"


def give_password(world: World, person: str) -> str:
    """Let somebody of north choose a password by their invitation; return their address."""
    visit = Visit("join/<str:uid>/<str:token>", world.north)
    answer = visit.post(anybody(), form={"password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/"), told(answer)
    return str(User.objects.get(uid=world.north.records[person].uid).email)


def test_who_signs_in_gets_no_further_than_to_pages_of_ours(world: World) -> None:
    email = give_password(world, "invited")
    for following, landing in {
        "/items": "/items",
        "https://evil.example/": "/",
        "//evil.example/": "/",
        "/\\evil.example": "/",
        "javascript:alert(1)": "/",
        "": "/",
    }.items():
        answer = anybody().post("/sign-in", {"email": email, "password": PASSWORD, "next": following})
        assert (answer.status_code, answer["Location"]) == (302, landing), following
        cookie = answer.cookies["fairway_session"]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"


def test_who_cannot_sign_in_is_told_the_same_whatever_the_reason(world: World) -> None:
    """Nobody of that address, a wrong password, no password yet, a service account, somebody who left."""
    email = give_password(world, "invited")
    domain = f"{world.north.slug}.example"
    tried = (
        "nobody@nowhere.example",
        email,
        f"viewer@{domain}",
        f"robot@{domain}",
        f"leaver@{domain}",
    )
    said = set()
    for address in tried:
        answer = anybody().post("/sign-in", {"email": address, "password": "something else"})
        assert answer.status_code == 422, told(answer)
        assert "fairway_session" not in answer.cookies
        text = answer.content.decode().replace(address, "…")
        said.add(
            text.partition("<form")[2].partition("csrfmiddlewaretoken")[0] + text.rpartition("fw-error")[2]
        )
    assert len(said) == 1
    assert said != {""}


def test_guessing_is_slowed_down(world: World) -> None:
    email = give_password(world, "invited")
    statuses = [
        anybody().post("/sign-in", {"email": email, "password": f"guess {number}"}).status_code
        for number in range(15)
    ]
    assert statuses[0] == 422
    assert statuses[-1] == 429
    answer = anybody().post("/sign-in", {"email": email, "password": PASSWORD})
    assert answer.status_code == 429, "not even with the right one"
    assert int(answer["Retry-After"]) > 0


def test_an_invitation_opens_once_and_for_its_person_only(world: World) -> None:
    visit = Visit("join/<str:uid>/<str:token>", world.north)
    other = Visit("join/<str:uid>/<str:token>", world.north)
    other.path["uid"] = world.north.person
    with unwritten(world, "a link to somebody else"):
        assert other.get(anybody()).status_code == 404
        assert other.post(anybody(), form={"password": PASSWORD}).status_code == 404
    assert visit.get(anybody()).status_code == 200
    give_password(world, "invited")
    assert visit.get(anybody()).status_code == 404
    assert visit.post(anybody(), form={"password": PASSWORD}).status_code == 404


def test_signing_out_takes_a_form_with_its_token(world: World) -> None:
    client = anybody()
    client.cookies.update(world.north.people["viewer"].client.cookies)
    with undone():
        assert client.get("/sign-out").status_code == 405
        assert client.get("/me").status_code == 200
        assert client.post("/sign-out").status_code == 302
        assert client.get("/me").status_code == 302


@pytest.mark.parametrize("route", [route for route in KNOWN_PAGES if PAGES[route].at])
def test_no_address_breaks_a_page(world: World, route: str) -> None:
    entry = PAGES[route]
    client = anybody() if entry.open else world.north.people["administrator"].client
    for name in entry.path(world.north):
        for which, key in some(KEYS.items(), route, 4):
            visit = Visit(route, world.north)
            visit.path[name] = Named(key, key)
            answers = [visit.get(client)] if entry.reads is not None else []
            with undone():
                answers += [visit.post(client)] if entry.writes is not None else []
            for answer in answers:
                assert answer.status_code in {302, 400, 404, 422}, f"{name} {which}: {told(answer)}"


JUNK = ("x' OR 1=1 --", "a\x00b", "z" * 5_000, "漢字", "9" * 30, "-7", "2027-13-45T99:99", "\n")


def asked_for(visit: Visit, client: Client, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names that a page looks for in its address."""
    names: set[str] = set()
    reading = {name: getattr(QueryDict, name) for name in ("get", "__getitem__", "__contains__", "getlist")}
    for method, plainly in reading.items():

        def noted(self: QueryDict, key: str, *rest: Any, read: Any = plainly) -> Any:
            names.add(key)
            return read(self, key, *rest)

        monkeypatch.setattr(QueryDict, method, noted)
    visit.get(client)
    monkeypatch.undo()
    return sorted(names)


@pytest.mark.parametrize("route", [route for route in KNOWN_PAGES if PAGES[route].reads is not None])
def test_no_query_breaks_a_page(world: World, monkeypatch: pytest.MonkeyPatch, route: str) -> None:
    """Whatever the page looks for in its address, and what it does not know."""
    visit = Visit(route, world.north)
    client = anybody() if visit.entry.open else world.north.people["administrator"].client
    names = asked_for(visit, client, monkeypatch)
    with unwritten(world, route):
        for name in [*names, "unknown"]:
            for junk in some(JUNK, route + name, 3):
                answer = visit.get(client, query={name: junk})
                assert answer.status_code < 500, f"{name}={junk[:20]!r}: {told(answer)}"


def test_pages_are_heard_asking(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the test above would try nothing."""
    client = world.north.people["administrator"].client
    assert {"q", "sort", "cursor", "kind"} <= set(asked_for(Visit("items", world.north), client, monkeypatch))


@pytest.mark.parametrize("route", [route for route in KNOWN_PAGES if PAGES[route].writes is not None])
def test_no_form_breaks_a_page(world: World, route: str) -> None:
    entry = PAGES[route]
    client = anybody() if entry.open else world.north.people["administrator"].client
    whole: dict[str, Any] = Visit(route, world.north).form
    one_wrong = [{**whole, name: JUNK[number % len(JUNK)]} for number, name in enumerate(whole)]
    for form in (*one_wrong, *(dict.fromkeys(whole, junk) for junk in some(JUNK, route, 2))):
        with undone():
            answer = Visit(route, world.north).post(client, form=plain(form))
        assert answer.status_code < 500, f"{plain(form)!r:.300}: {told(answer)}"
    with undone():
        assert Visit(route, world.north).post(client, form={}).status_code < 500


def test_what_is_no_route_is_not_found_and_repeats_nothing(world: World) -> None:
    for path in (
        "/no-such-page",
        "/api/v1/no-such-thing",
        "/api/v2/items",
        "/admin/",
        "/styleguide",
        "/.env",
    ):
        for client in (anybody(), world.north.people["administrator"].client):
            answer = client.get(path)
            assert answer.status_code == 404, f"{path}: {told(answer)}"


def test_methods_that_are_not_there_write_nothing(world: World) -> None:
    client = world.north.people["administrator"].client
    for route in KNOWN_PAGES:
        if PAGES[route].open:
            continue
        visit = Visit(route, world.north)
        with unwritten(world, route):
            for method in ("put", "patch", "delete", "options", "trace"):
                answer = getattr(client, method)(visit.address())
                assert answer.status_code in {200, 405}, f"{method} {route}: {told(answer)}"
            if PAGES[route].writes is None:
                answer = client.post(visit.address(), {"name": "x"})
                assert answer.status_code in {200, 405, 422}, f"post {route}: {told(answer)}"
            if PAGES[route].reads is None:
                assert client.get(visit.address()).status_code == 405, route
