"""Whatever is sent, the answer says what is wrong with it; nothing breaks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from fairway.kernel.models import SLUG

from .calls import KNOWN, KNOWN_READS, KNOWN_UNSAFE, Call, on_both, problem, some, told
from .table import plain, put
from .world import Named, World, undone, unwritten

KEYS = {
    "letters of other scripts": "ключ-漢字-🙂",
    "ten kilobytes": "a" * 10_000,
    "a statement": "x' OR 1=1; DROP TABLE accounts_user; --",
    "a way up": "../../etc/passwd",
    "nothing printable": "a\x00b",
    "a negative number": "-1",
    "a number beyond all": "CHG-99999999999999999999",
    "a wildcard": "%",
    "a template": "{{ 7 * 7 }}${7 * 7}",
    "half a uid": "01a20953-c80a-7fc3-98cc",
    "a uid with a brace": "{01a20953-c80a-7fc3-98cc-2b31bb2ab5e}",
    "a line end": "a\r\nX-Injected: 1",
}
OTHERS = ("item", "production", "freeze", "draft", "person", "team", "organisation", "relation", "token")
READ_ONLY = {
    *("id", "pk", "uid", "version", "number", "created_at", "archived_at", "custom", "organisation_id"),
    *("digest", "name_folded", "is_open", "state", "round", "permissions", "is_superuser", "password"),
}


@pytest.mark.parametrize("name", [name for name in KNOWN if "{" in name])
def test_no_key_breaks_anything(world: World, name: str) -> None:
    """Nonsense, and the keys of other kinds of records: there is no such thing, or it is no key."""
    token = world.north.people["administrator"].token
    with unwritten(world, name):
        for parameter in Call(name, world.north).operation.parameters:
            own = Call(name, world.north).path[parameter]
            others = {other: world.north.records[other].key for other in OTHERS}
            kinds = {other: key for other, key in others.items() if not alike(key, own.key)}
            for which, key in some(KEYS.items(), name, 5) + some(kinds.items(), name, 3):
                call = Call(name, world.north)
                call.path[parameter] = Named(key, key)
                fits = SLUG.fullmatch(key) or (call.entry.named and key.isprintable() and len(key) < 200)
                if call.operation.method == "put" and fits:
                    continue  # the key of a new record
                answer = call(token)
                assert answer.status_code in {301, 400, 404, 409, 414, 422}, f"{which}: {told(answer)}"
                assert "X-Injected" not in answer


def alike(one: str, other: str) -> bool:
    """Say whether two keys are of the same form, so that one names what the other might."""
    return one.partition("-")[0] == other.partition("-")[0] if one[:3].isupper() else not other[:3].isupper()


JUNK: dict[str, Any] = {
    "a statement": "x' OR 1=1 --",
    "not printable": "a\x00b",
    "long": "z" * 5_000,
    "other script": "漢字",
    "number": "99999999999999999999",
    "negative": "-7",
}


@pytest.mark.parametrize("name", KNOWN_READS)
def test_no_query_breaks_anything(world: World, name: str) -> None:
    """Each parameter with nonsense is answered, or refused by its name; one that there is not, too."""
    token = world.north.people["administrator"].token
    call = Call(name, world.north)
    for parameter in call.operation.query:
        for which, value in some(JUNK.items(), name + parameter, 3):
            with undone():
                answer = call(token, query={parameter: value})
            assert answer.status_code in {200, 404, 422}, f"{parameter} {which}: {told(answer)}"
            if answer.status_code == 422:
                named = {error["field"] for error in problem(answer)["errors"]}
                assert named & {*call.operation.query}, f"{parameter} {which}: {told(answer)}"
    if call.operation.query:
        answer = call(token, query={"no_such_parameter": "1"})
        assert answer.status_code == 422, told(answer)
        assert problem(answer)["errors"][0]["field"] == "no_such_parameter"


VALUES: tuple[Any, ...] = (
    None, 7, -1.5, True, "", "a\x00b", "é" * 30_000, [], [[]], {}, "x' OR 1=1 --", "2027-13-45T99",
)  # fmt: skip


@pytest.mark.parametrize("name", KNOWN_UNSAFE)
def test_no_body_breaks_anything(world: World, name: str) -> None:
    token = world.north.people["administrator"].token
    call = Call(name, world.north)
    whole = plain(call.body)
    bodies: list[Any] = [
        {**whole, field: VALUES[(number + turn) % len(VALUES)]}
        for number, field in enumerate(call.operation.fields)
        for turn in some(range(0, len(VALUES), 3), name + field, 2)
    ]
    bodies += [None, [], "text", 7, {}] if call.operation.has_body else []
    for body in bodies:
        with undone():
            answer = call(token, body=body if body is not None else [None])
        assert answer.status_code < 500, f"{json.dumps(body)[:200]}: {told(answer)}"
        assert call.entry.open or answer.status_code != 401, f"{json.dumps(body)[:200]}: {told(answer)}"
        if answer.status_code >= 400:
            problem(answer)


FARTHEST = ("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z")
"""Instants that are well written and that no clock in UTC shows, or that nothing can be added to."""


def instants(value: Any, where: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the way to each instant that an example gives."""
    if isinstance(value, dict | list):
        for name, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from instants(one, (*where, name))
    elif isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT.*", value):
        yield where


# They are turned into UTC before any statement.
@pytest.mark.sqlite_only
@pytest.mark.parametrize("name", KNOWN_UNSAFE)
def test_no_instant_breaks_anything(world: World, name: str) -> None:
    """Where an example gives one, and in every field that may hold one."""
    token = world.north.people["administrator"].token
    call = Call(name, world.north)
    whole = plain(call.body)
    dated = {(field,) for field, told in call.operation.fields.items() if "date-time" in json.dumps(told)}
    for where in sorted({*instants(whole), *dated}, key=str):
        for far in FARTHEST:
            with undone():
                answer = call(token, body=put({where[0]: None, **whole}, where, far))
            assert answer.status_code < 500, f"{where} {far}: {told(answer)}"


# Refused while it is read, before any statement about it.
@pytest.mark.parametrize("name", on_both(KNOWN_UNSAFE))
def test_no_unreadable_body_breaks_anything(world: World, name: str) -> None:
    call = Call(name, world.north)
    if not call.operation.has_body:
        return
    sent = {"Authorization": f"Bearer {world.north.people['administrator'].token}", "If-Match": "*"}
    deep = b"[" * 100_000 + b"]" * 100_000
    with unwritten(world, name):
        for body in (b"", b"{", b"\xff\xfe", b'{"a":NaN}', b'"\\ud800"', deep, b'{"name": "a", "name": "b"'):
            for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
                client = Client(raise_request_exception=False, headers=sent)
                answer = getattr(client, call.operation.method)(call.address(), data=body, content_type=kind)
                assert answer.status_code in {400, 415, 422}, f"{body[:20]!r} as {kind}: {told(answer)}"


# The same: what a body may name is compared before it is looked at.
@pytest.mark.parametrize("name", on_both(KNOWN_UNSAFE))
def test_fields_that_cannot_be_set_are_refused_by_name(world: World, name: str) -> None:
    call = Call(name, world.north)
    if not call.operation.has_body or call.entry.open:  # OAuth wants what is unknown to be ignored
        return
    token = world.north.people["administrator"].token
    with unwritten(world, name):
        for field in sorted((READ_ONLY | call.operation.told) - call.operation.fields.keys()):
            answer = call(token, body={**plain(call.body), field: 1})
            assert answer.status_code == 422, f"{field}: {told(answer)}"
            assert problem(answer)["errors"][0]["field"] == field, told(answer)
