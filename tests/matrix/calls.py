"""Calling operations as somebody, and saying how a call that went wrong went wrong."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote
from zlib import crc32

import pytest
from django.test import Client
from hypothesis import settings

from fairway.interfaces.contract import plain as contract
from fairway.interfaces.urls import urlpatterns

from .pages import PAGES
from .routes import Operation, operations, pages
from .table import OPERATIONS, Entry, plain
from .world import Branch, keeps_silent

T = TypeVar("T")

DOCUMENT: Mapping[str, Any] = contract()
FOUND = operations(DOCUMENT)
FOUND_PAGES = pages(urlpatterns)
KNOWN = sorted(FOUND.keys() & OPERATIONS.keys())
KNOWN_UNSAFE = [name for name in KNOWN if FOUND[name].unsafe]
KNOWN_READS = [name for name in KNOWN if not FOUND[name].unsafe]
KNOWN_PAGES = sorted(FOUND_PAGES.keys() & PAGES.keys())


def on_both(names: Sequence[str]) -> list[Any]:
    """Return rows for SQLite, every fortieth of them for PostgreSQL too: where its kind cannot matter."""
    return [
        name if number % 40 == 0 else pytest.param(name, marks=pytest.mark.sqlite_only)
        for number, name in enumerate(names)
    ]


def some(cases: Iterable[T], route: str, most: int) -> list[T]:
    """Return a few cases for a route, others for the next: in `deep` all, on PostgreSQL two at most.

    Over all routes each case has its turn, and what reads keys, queries and forms is the same for all.
    """
    given = list(cases)
    if settings().max_examples >= 1000:
        return given
    most = min(most, 2 if "FAIRWAY_DATABASE_URL" in os.environ else most, len(given))
    first = crc32(route.encode())
    return [given[(first + number) % len(given)] for number in range(most)]


class Call:
    """One operation used as its entry says, on records of one branch; each part can be had differently."""

    def __init__(self, name: str, branch: Branch) -> None:
        self.name, self.branch = name, branch
        self.operation: Operation = FOUND[name]
        self.entry: Entry = OPERATIONS[name]
        self.path = self.entry.path(branch)
        self.body = self.entry.body(branch)
        self.query = self.entry.query(branch)
        self.by = "key"

    def address(self) -> str:
        values = {name: quote(plain(one, by=self.by), safe="") for name, one in self.path.items()}
        return self.operation.path.format(**values)

    def __call__(
        self, token: str | None, *, body: Any = None, query: Mapping[str, str] | None = None, **headers: str
    ) -> Any:
        """Send it; the answer has `problem` when it is none that was hoped for."""
        asked = {**plain(self.query), **(query or {})}
        sent = {"If-Match": "*", **headers}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        return send(
            self.operation.method,
            self.address(),
            headers=sent,
            query=asked,
            body=plain(self.body) if body is None else body,
            has_body=self.operation.has_body,
        )


def send(
    method: str, path: str, *, headers: Mapping[str, str], query: Mapping[str, str], body: Any, has_body: bool
) -> Any:
    client = Client(raise_request_exception=False)
    more: dict[str, Any] = {}
    if has_body:
        more = {"data": json.dumps(body), "content_type": "application/json"}
    answer = getattr(client, method)(path, query_params=dict(query), headers=dict(headers), **more)
    return keeps_silent(answer, f"{path} {more}")


def told(answer: Any) -> str:
    """Say what came, for a message of a test."""
    cause = getattr(answer, "exc_info", None)
    why = f" ({cause[0].__name__}: {cause[1]})" if cause else ""
    return f"{answer.status_code}{why} {answer.content[:300].decode(errors='replace')}"


def problem(answer: Any) -> dict[str, Any]:
    """Return the problem document of an answer.

    :raises AssertionError: it is none.
    """
    assert answer["Content-Type"] == "application/problem+json", told(answer)
    document: dict[str, Any] = answer.json()
    assert document["status"] == answer.status_code
    assert document.keys() >= {"type", "title", "status", "detail", "code"}
    assert document["detail"].strip()
    return document
