"""Words that people type are words wherever they turn up: never markup, script or formula."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from .calls import DOCUMENT, KNOWN_PAGES, KNOWN_READS, Call, told
from .pages import PAGES
from .visits import Visit, anybody
from .world import Branch, World, agree_on_roles, fill, undone

# Words are made harmless by templates and serialisers, after the database; what it is asked, test_junk and
# test_doors try on both.
pytestmark = pytest.mark.sqlite_only

SCRIPT = "<script>alert(1)</script>"
LOUD = f"""=1+1'">{SCRIPT}"""


@pytest.fixture(scope="module")
def poisoned(made: World) -> Iterator[Branch]:
    """A branch like the twins, each of whose texts tries to be something else."""
    with undone():
        branch = Branch("poison", LOUD)
        fill(branch, made.roles, made.now)
        branch.records.update(agree_on_roles("poison", LOUD))
        yield branch


@pytest.fixture
def branch(poisoned: Branch, db: None) -> Branch:
    return poisoned


def harmless(answer: Any) -> None:
    """Check that an answer holds words as words only, and that browsers are told to take it for no more."""
    assert answer.status_code < 500, told(answer)
    assert answer["X-Content-Type-Options"] == "nosniff"
    policy = answer["Content-Security-Policy"]
    assert "'unsafe-inline'" not in policy
    assert "'unsafe-eval'" not in policy
    if answer.get("Content-Disposition", "").startswith("attachment; filename"):
        assert not answer["Content-Type"].startswith(("text/html", "image/svg"))
        return
    text = answer.content.decode()
    kind = answer.get("Content-Type", "").partition(";")[0]
    if kind == "text/html" or not text:
        at = text.find(SCRIPT)
        assert at < 0, text[max(at - 200, 0) : at + 100]
    elif kind == "text/csv":
        cells = [cell.strip('"') for line in text.splitlines() for cell in line.split(",")]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
    elif kind == "text/calendar":  # no text begins a line of its own
        lines = text.replace("\r\n ", "").split("\r\n")
        assert not [line for line in lines if line and not re.match(r"[A-Z-]+[;:]", line)]
        assert answer["X-Content-Type-Options"] == "nosniff"
    else:
        assert kind in {"application/json", "application/problem+json", "text/event-stream"}, kind


@pytest.mark.parametrize("route", [route for route in KNOWN_PAGES if PAGES[route].reads is not None])
def test_pages_tell_words_as_words(branch: Branch, route: str) -> None:
    """Pages about the records, and what they say of a search or key that is markup itself."""
    visit = Visit(route, branch)
    client = anybody() if visit.entry.open else branch.people["administrator"].client
    answer = visit.get(client)
    nobody = visit.entry.readers == frozenset()  # of a branch: it holds in the whole tree
    assert answer.status_code == (403 if nobody else 200), told(answer)
    harmless(answer)
    harmless(visit.get(client, query={"q": LOUD, "sort": LOUD, "cursor": LOUD, "tab": LOUD, "next": LOUD}))
    for name in visit.path:
        other = Visit(route, branch)
        other.path[name] = other.path[name]._replace(key=LOUD)
        harmless(other.get(client))


@pytest.mark.parametrize("route", [route for route in KNOWN_PAGES if PAGES[route].writes is not None])
def test_forms_repeat_words_as_words(branch: Branch, route: str) -> None:
    """Each field in turn, so that the others are valid and this one is told about."""
    client = anybody() if PAGES[route].open else branch.people["administrator"].client
    whole = Visit(route, branch).form
    for name in [*whole, "other"]:
        visit = Visit(route, branch)
        visit.form = {**whole, name: LOUD}
        with undone():
            harmless(visit.post(client))


@pytest.mark.parametrize("name", KNOWN_READS)
def test_the_api_tells_words_as_words(branch: Branch, name: str) -> None:
    call = Call(name, branch)
    token = branch.people["administrator"].token
    harmless(call(token))
    for parameter in call.operation.query:
        with undone():
            harmless(call(token, query={parameter: LOUD}))


def test_the_words_were_there(branch: Branch) -> None:
    """Or the tests above would look for what never comes."""
    page = Visit("items/<str:key>", branch).get(branch.people["administrator"].client).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    document = Call("GET items/{key}", branch)(branch.people["administrator"].token).json()
    assert document["name"].startswith(LOUD)
    assert DOCUMENT["openapi"]
