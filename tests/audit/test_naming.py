"""What events are called to other systems."""

from __future__ import annotations

from typing import Any

import pytest

from fairway.audit.naming import cdevent, kind_of


def event(kind: str, action: str = "change", **changes: list[Any]) -> dict[str, Any]:
    """Return an event of the feed about one record, which wrote another row before."""
    return {
        "sequence": 7,
        "at": "2026-11-25T16:00:00.000000Z",
        "actor": {"kind": "user", "uid": "u-1"},
        "command": f"context.{kind}.do",
        "subject": {"kind": kind, "uid": "s-1", "key": "K-1"},
        "rows": [
            {"model": "x.Other", "uid": "o-1", "action": "create", "changes": {}},
            {"model": "x.Thing", "uid": "s-1", "action": action, "changes": changes},
        ],
    }


@pytest.mark.parametrize(
    ("case", "given", "kind"),
    [
        ("a new environment", event("environment", "create"), "environment.created.0.2.0"),
        ("one edited", event("environment", name=["a", "b"]), "environment.modified.0.2.0"),
        ("one archived", event("environment", archived_at=[None, "2026"]), "environment.deleted.0.2.0"),
        (
            "one back again",
            event("environment", archived_at=["2026", None]),
            "environment.modified.0.2.0",
        ),
        ("a registered build", event("build", "create"), "build.finished.0.2.0"),
        ("a new change", event("change", "create", is_open=[None, True]), "ticket.created.0.1.0"),
        ("a step of one", event("change", state=["draft", "submitted"]), "ticket.updated.0.1.0"),
        ("one that ended", event("change", is_open=[True, False]), "ticket.closed.0.1.0"),
        ("one opened again", event("change", is_open=[False, True]), "ticket.updated.0.1.0"),
        ("a rejected build", event("build", status=["open", "rejected"]), ""),
        ("a record that is gone", event("environment", "remove"), ""),
        ("what CDEvents has no word for", event("window", "create"), ""),
        ("rows that are not for the reader", event("change") | {"rows": []}, ""),
        ("no subject", event("change") | {"subject": None}, ""),
    ],
)
def test_types(case: str, given: dict[str, Any], kind: str) -> None:
    told = cdevent(given)

    assert kind_of(given) == (f"dev.cdevents.{kind}" if kind else f"fairway.{given['command']}")
    assert (told is None) == (not kind)
    if told is not None:
        assert told["context"]["type"] == kind_of(given)
        assert told["subject"]["type"] == kind.partition(".")[0]
        assert told["customData"] == given


def test_a_change_is_a_ticket_with_what_cdevents_asks_for() -> None:
    def content(given: dict[str, Any]) -> Any:
        told = cdevent(given)
        assert told is not None
        return told["subject"]["content"]

    made = content(event("change", "create", title=[None, "Move the ledger"]))
    assert made == {
        "uri": "/changes/K-1",
        "ticketType": "change",
        "summary": "Move the ledger",
        "creator": "u-1",
    }
    assert content(event("change", "create"))["summary"] == "K-1"  # its words were erased, or are not for all
    ended = content(event("change", is_open=[True, False], outcome=["", "successful"]))
    assert (ended["resolution"], ended["updatedBy"]) == ("completed", "u-1")
    assert content(event("change", is_open=[True, False]))["resolution"] == "withdrawn"
