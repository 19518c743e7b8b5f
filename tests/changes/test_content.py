"""The digest of a change names exactly what an approver approves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.changes.rules import Content, digest
from fairway.kernel.period import Period

START = datetime(2026, 12, 1, 21, tzinfo=UTC)
NIGHT = Period(START, START + timedelta(hours=3))
CONTENT = Content(
    title="Patch the ledger",
    description="14.2 to 14.3",
    model="m",
    windows=frozenset({NIGHT}),
    items=frozenset({"a", "b"}),
    environments=frozenset({"prod"}),
)


@pytest.mark.parametrize(
    "edit",
    [
        {"title": "Drop the ledger"},
        {"description": "14.2 to 15.0"},
        {"implementation_plan": "restart"},
        {"test_plan": "none"},
        {"backout_plan": "restore"},
        {"model": "other"},
        {"template": "t"},
        {"windows": frozenset()},
        {"windows": frozenset({Period(START, START + timedelta(hours=3, microseconds=1))})},
        {"downtimes": frozenset({NIGHT})},
        {"items": frozenset({"a"})},
        {"items": frozenset({"a", "b", "c"})},
        {"environments": frozenset()},
    ],
    ids=lambda edit: "-".join(edit),
)
def test_digest_differs_when_approved_content_differs(edit: dict[str, Any]) -> None:
    assert digest(replace(CONTENT, **edit)) != digest(CONTENT)


def test_digest_is_the_same_for_the_same_instant_in_another_zone() -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    same = Period(NIGHT.start.astimezone(east), NIGHT.end.astimezone(east))
    assert digest(replace(CONTENT, windows=frozenset({same}))) == digest(CONTENT)


def test_digest_is_stable_over_releases() -> None:
    assert (
        digest(Content(title="Äpfel")) == "ea6320236e0881504b77c202e22214fbbb802e8fd8cbf6787a0531d9e869f0f5"
    )


texts = st.text(max_size=6)


@given(texts, texts, texts, texts)
def test_text_does_not_move_between_fields_unseen(a: str, b: str, c: str, d: str) -> None:
    one, other = Content(title=a, description=b), Content(title=c, description=d)
    assert (digest(one) == digest(other)) == ((a, b) == (c, d))
