"""Pages: strangers are sent to sign in, other branches do not exist, and each role is offered what it may."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client

from fairway.audit.commands import Command

from .calls import FOUND_PAGES, KNOWN_PAGES, on_both, told
from .pages import PAGES
from .refusals import granted, planned
from .table import OPERATIONS, put, references
from .test_branches import named_absent
from .visits import Visit, anybody, offers
from .world import World, differing, undone, unwritten

CLOSED = [route for route in KNOWN_PAGES if not PAGES[route].open]
READABLE = [route for route in CLOSED if PAGES[route].reads is not None]
WRITABLE = [route for route in CLOSED if PAGES[route].writes is not None]
KEYED = [route for route in CLOSED if PAGES[route].at and not PAGES[route].common]


def test_every_page_that_is_not_open_sends_strangers_to_the_sign_in_page() -> None:
    """By the mark that the frame leaves on them: a page without it would have to be written down as open."""
    assert {route: entry.open for route, entry in PAGES.items() if route in FOUND_PAGES} == {
        route: not guarded for route, guarded in FOUND_PAGES.items() if route in PAGES
    }


# The frame turns strangers away before it asks for anything but the session, the same on every page.
@pytest.mark.parametrize("route", on_both(CLOSED))
def test_strangers_are_sent_to_sign_in_and_come_back(world: World, route: str) -> None:
    visit = Visit(route, world.north)
    leaver = world.north.people["leaver"].client
    with unwritten(world, route):
        for client in (anybody(), leaver):
            if visit.entry.reads is not None:
                answer = visit.get(client)
                asked = answer.wsgi_request.get_full_path()
                assert (answer.status_code, answer["Location"]) == (
                    302,
                    f"/sign-in?next={quote(asked, safe='')}",
                )
                panel = visit.get(client, HX_Request="true")
                assert (panel.status_code, panel["HX-Redirect"], panel.content) == (401, "/sign-in", b"")
            if visit.entry.writes is not None:
                answer = visit.post(client)
                assert answer.status_code == 302, told(answer)
                assert answer["Location"].startswith("/sign-in?next="), told(answer)


# Django's own check, before any statement.
@pytest.mark.parametrize("route", on_both(WRITABLE))
def test_a_form_without_its_token_is_refused(world: World, route: str) -> None:
    """What another site makes a browser send carries the cookie, not the token."""
    visit = Visit(route, world.north)
    person = world.north.people["administrator"]
    checking = Client(enforce_csrf_checks=True, raise_request_exception=False)
    checking.cookies.update(person.client.cookies)
    with unwritten(world, route):
        answer = visit.post(checking)
        assert answer.status_code == 403, told(answer)
        answer = visit.post(checking, form={**{"csrfmiddlewaretoken": "x" * 64}})
        assert answer.status_code == 403, told(answer)


@pytest.mark.parametrize("route", KEYED)
def test_pages_of_another_branch_do_not_exist(world: World, route: str) -> None:
    stranger = world.south.people["administrator"].client
    with unwritten(world, route):
        for by in ("key", "uid"):
            for form_of in (world.south, world.north):
                visit = Visit(route, world.north)
                visit.by, visit.form = by, visit.entry.form(form_of)
                answers = []
                if visit.entry.reads is not None:
                    answers.append(visit.get(stranger))
                if visit.entry.writes is not None:
                    answers.append(visit.post(stranger))
                for answer in answers:
                    assert answer.status_code == 404, f"by {by}: {told(answer)}"
                    sent = {one for named in visit.path.values() for one in named}
                    left = answer.content.decode().lower()
                    for one in sorted(filter(None, sent), key=len, reverse=True):
                        left = left.replace(one.lower(), "")
                    assert not world.north.traces(left), f"by {by}"


@pytest.mark.parametrize("route", READABLE)
def test_pages_hold_nothing_of_another_branch(world: World, route: str) -> None:
    visit = Visit(route, world.south)
    for who in ("administrator", "viewer"):
        answer = visit.get(world.south.people[who].client)
        assert answer.status_code in {200, 302, 403}, told(answer)
        assert not world.north.traces(answer.content), route


@pytest.mark.parametrize("route", [route for route in READABLE if not PAGES[route].common])
def test_the_same_pages_hold_the_twin_for_who_sees_both(world: World, route: str) -> None:
    visit = Visit(route, world.north)
    answer = visit.get(world.root.client)
    assert answer.status_code == 200, told(answer)
    assert world.north.traces(answer.content), route


@pytest.mark.sqlite_only  # the look-ups of the API, whose references test_branches tries on both
@pytest.mark.parametrize("route", CLOSED)
def test_forms_and_queries_that_name_another_branch_read_as_naming_nothing(world: World, route: str) -> None:
    stranger = world.south.people["administrator"].client
    with unwritten(world, route):
        for part in ("form", "query"):
            mine, theirs = (getattr(PAGES[route], part)(branch) for branch in (world.south, world.north))
            foreign = dict(references(theirs))
            for where, _ in references(mine):
                for by in ("key", "uid"):
                    answers = []
                    for reference in (getattr(foreign[where], by), named_absent(foreign[where], by)):
                        visit = Visit(route, world.south)
                        setattr(visit, part, put(mine, where, reference))
                        answer = visit.post(stranger) if part == "form" else visit.get(stranger)
                        assert not world.north.traces(answer.content, but=reference), f"{where} by {by}"
                        answers.append(answer.status_code)
                    assert answers[0] == answers[1], f"{part} {where} by {by}"
                    told_so = answers[0] in {404, 422} or not PAGES[route].writing
                    assert part != "form" or told_so, f"{where} by {by}: {answers}"


def may(world: World, permission: str | None, roles: frozenset[str] | None, role: str) -> bool:
    if roles is not None:
        return role in roles
    return not permission or permission in world.roles.get(role, frozenset())


def kinds_of_people(world: World) -> list[str]:
    """Return one role for each set of permissions that occurs, and who has none.

    PostgreSQL sees the most powerful and nobody: each statement of a page, and that none is needed to refuse.
    What lies between is decided in Python from the same sets, and shown by templates.
    """
    seen: dict[frozenset[str], str] = {}
    for role, permissions in world.roles.items():
        seen.setdefault(permissions, role)
    shown = [max(seen, key=len)] if connection.vendor == "postgresql" else list(seen)
    return [*(seen[permissions] for permissions in shown), "nobody"]


STEP = "changes/<str:key>/<slug:verb>"


def offered(world: World, visit: Visit, page: str, role: str) -> set[tuple[str, str]]:
    """Check that each link, button and panel leads where this role may go; return them."""
    found = set()
    for method, address, target in offers(page, visit.address()):
        assert target != "?", f"{role}: {address} leads nowhere"
        if target in PAGES and target != visit.route:
            assert leads(world, method, address, target, role), f"{role} may not {method} {address}"
            found.add((method, target))
    return found


def leads(world: World, method: str, address: str, route: str, role: str) -> bool:
    """Say whether an address leads somebody in this role further."""
    entry = PAGES[route]
    if route == STEP:
        steps = OPERATIONS[f"POST changes/{{key}}/{address.rpartition('/')[2]}"].who
        return steps is not None and role in steps
    if route in {"me/tokens/<str:uid>/revoke", "undo"}:
        return True  # the page shows one's own, and the toast what one has just done
    if route == "changes/bulk":
        return may(world, entry.writes, None, role)  # whoever may request edits what is their own
    needed = (entry.reads, entry.readers) if method == "get" else (entry.writes, entry.writers)
    return needed[0] is not None and may(world, *needed, role)


@pytest.mark.parametrize("route", CLOSED)
def test_each_role_opens_submits_and_is_offered_what_it_may(world: World, route: str) -> None:
    visit = Visit(route, world.north)
    entry = visit.entry
    buttons = set()
    html = False
    commands: list[Command] = []
    for role in kinds_of_people(world):
        person = world.north.people[role]
        if entry.reads is not None:
            answer = visit.get(person.client)
            if may(world, entry.reads, entry.readers, role):
                assert answer.status_code == 200, f"{role}: {told(answer)}"
                if role != "nobody" and answer["Content-Type"].startswith("text/html"):
                    html = True
                    buttons |= offered(world, visit, answer.content.decode(), role)
            else:
                assert answer.status_code in {403, 404}, f"{role}: {told(answer)}"
        if entry.writes is None:
            continue
        if may(world, entry.writes, entry.writers, role):
            with undone(), planned() as commands:
                answer = visit.post(person.client)
                assert answer.status_code in entry.answers, f"{role}: {told(answer)}"
                assert any(differing(world)) is entry.writing, f"{role} wrote: {told(answer)}"
        else:
            with unwritten(world, f"{role} at {route}"):
                answer = visit.post(person.client)
                assert answer.status_code in {403, 404, 422}, f"{role}: {told(answer)}"
    with unwritten(world, route):
        assert granted(world, commands) == []
    assert buttons or not html or route.endswith(("panel", "cell")), "a page that offers nothing was not read"


@pytest.mark.sqlite_only  # about what templates offer; the pages are opened on both above
@pytest.mark.parametrize(
    ("route", "record"), [(route, record) for route in READABLE for record in PAGES[route].also]
)
def test_each_role_is_offered_what_it_may_on_records_in_other_states(
    world: World, route: str, record: str
) -> None:
    visit = Visit(route, world.north)
    visit.path["key"] = world.north.records[record]
    for role in kinds_of_people(world)[:-1]:
        answer = visit.get(world.north.people[role].client)
        assert answer.status_code == 200, f"{role}: {told(answer)}"
        assert offered(world, visit, answer.content.decode(), role)
