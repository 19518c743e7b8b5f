"""The floor runs what the product runs and answers what it answers; otherwise a ratio says nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from fairway.bench import conflicts, decide, floor, world
from fairway.bench.shape import KINDS, TINY
from tests.support.standing import standing

pytestmark = pytest.mark.django_db


filled = standing(lambda: world.fill(TINY, lambda _: None))


@pytest.fixture
def told(filled: dict[str, Any], db: None) -> dict[str, Any]:
    """What a tiny world came out as."""
    return filled


def test_the_world_has_its_shape(told: dict[str, Any]) -> None:
    rows = told["rows"]
    assert rows["changes"] == TINY.changes
    assert rows["organisations"] == TINY.organisations
    assert rows["windows"] == TINY.windows
    assert abs(rows["items"] - TINY.items) <= len(KINDS)
    assert rows["claims"] > rows["changes"]
    assert told["needed by (in-degree)"]["max"] > 5 * told["needed by (in-degree)"]["p50"]


def test_claims_that_do_not_follow_from_their_changes_are_told(told: dict[str, Any]) -> None:
    assert world.differing(TINY) == []
    claim = world.model("claims.ClaimRow").objects
    lost = claim.values_list("source_id", flat=True).order_by("pk")[0]
    claim.filter(source_id=lost).delete()
    assert world.differing(TINY) == [lost]


@pytest.mark.parametrize("email", [world.FEW, world.ALL])
def test_the_floor_answers_as_the_product_does(told: dict[str, Any], email: str) -> None:
    asked = decide.told(decide.asked(TINY, email, 12), world.token(email))
    assert len(asked) > 3
    bare = floor.Bare(floor.Told("", "", 1, asked), connect=lambda: connection.connection)
    for key, one in asked.items():
        assert one.statements, key
        assert json.loads(bare.answer(key)) == one.answer


@pytest.mark.sqlite_only
def test_the_floor_runs_the_same_statements(told: dict[str, Any]) -> None:
    """Compared as SQLite itself reports them, parameters filled in."""
    token = world.token(world.ALL)
    paths = decide.asked(TINY, world.ALL, 6)
    asked = decide.told(paths, token)
    bare = floor.Bare(floor.Told("", "", 1, asked), connect=lambda: connection.connection)
    client = Client(SERVER_NAME="127.0.0.1")
    for path in paths:
        ours = traced(partial(client.get, path, headers={"authorization": f"Bearer {token}"}))
        theirs = traced(partial(bare.answer, f"Bearer {token} {path}"))
        assert [without_now(one) for one in ours] == [without_now(one) for one in theirs]
        assert len(ours) >= 4


def test_the_bare_algorithm_finds_the_same_conflicts(told: dict[str, Any]) -> None:
    rows = conflicts.run(TINY, rounds=1, requests=10)
    checks = [row for row in rows if "findings" in row]
    assert len(checks) == 4
    assert sum(sum(row["findings"]) for row in checks) > 0
    assert len(rows) == 15  # the calendar, and its conflicts, three times
    told = {row["what"]: row["detail"] for row in rows}
    assert "the same as the bare algorithm finds" in told["full sweep, all branches"]
    for rule in ("claims.person", "claims.related_item", "claims.same_item", "claims.usage"):
        assert rule in told["full sweep, all branches"]
    assert len([what for what in told if what.startswith("100 slots")]) == 2


def traced(act: Callable[[], object]) -> list[str]:
    """Return the statements that SQLite runs meanwhile."""
    ran: list[str] = []
    connection.connection.set_trace_callback(ran.append)
    try:
        act()
    finally:
        connection.connection.set_trace_callback(None)
    return ran


def without_now(statement: str) -> str:
    """Return the statement of the token without the instant at which it must not have expired."""
    head, found, _ = statement.partition("t.expires_at > ")
    return head + found
