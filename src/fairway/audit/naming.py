"""What an event is called to other systems: as CloudEvents has it, and as CDEvents does where it can; pure.

Source: CloudEvents 1.0; CDEvents 0.4.1 with its binding to CloudEvents. To CDEvents a change request is a
ticket; what it calls a change is one of source code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

SOURCE: Final = "/api/v1/events"
VERSION: Final = "0.4.1"
Told = Mapping[str, Any]
"""An event as the change feed tells it."""


@dataclass(frozen=True, slots=True)
class _Subject:
    """A kind of record that CDEvents knows: its name there, and a type for each thing that befalls one."""

    name: str
    types: Mapping[str, str]
    content: Callable[[Told, Told, str], dict[str, Any]]


def kind_of(event: Told) -> str:
    """Return the type of an event, as CloudEvents has it: that of CDEvents where one exists."""
    found = _known(event)
    return f"dev.cdevents.{found[1]}" if found is not None else f"fairway.{event['command']}"


def cdevent(event: Told) -> dict[str, Any] | None:
    """Return an event as CDEvents has it, all that is told as custom data; None: it has no such type."""
    found = _known(event)
    if found is None:
        return None
    subject, kind, changes, what = found
    named = event["subject"]
    return {
        "context": {
            "version": VERSION,
            "id": str(event["sequence"]),
            "source": SOURCE,
            "type": f"dev.cdevents.{kind}",
            "timestamp": event["at"],
        },
        "subject": {
            "id": f"{named['kind']}/{named['key']}",
            "source": SOURCE,
            "type": subject.name,
            "content": subject.content(event, changes, what),
        },
        "customData": dict(event),
        "customDataContentType": "application/json",
    }


def _known(event: Told) -> tuple[_Subject, str, Told, str] | None:
    named = event["subject"]
    subject = _SUBJECTS.get(named["kind"]) if named is not None else None
    if subject is None:
        return None
    row = next((row for row in event["rows"] if row["uid"] == named["uid"]), None)
    what = _befell(row) if row is not None else ""
    if row is None or what not in subject.types:
        return None
    return subject, subject.types[what], row["changes"], what


def _befell(row: Told) -> str:
    """Say what an event did to its subject: created, changed, closed or archived; empty: nothing of these."""
    if row["action"] != "change":
        return "created" if row["action"] == "create" else ""
    if row["changes"].get("archived_at", [None, None])[1] is not None:
        return "archived"
    return "closed" if row["changes"].get("is_open") == [True, False] else "changed"


def _new(changes: Told, name: str) -> str:
    """Return the text that a column has now, or nothing where it stayed or is not for the reader."""
    value = changes.get(name, [None, None])[1]
    return value if isinstance(value, str) else ""


def _environment(event: Told, changes: Told, what: str) -> dict[str, Any]:
    name = _new(changes, "name")
    return {**({"name": name} if name else {}), "url": f"/environments/{event['subject']['key']}"}


def _ticket(event: Told, changes: Told, what: str) -> dict[str, Any]:
    key, actor = event["subject"]["key"], event["actor"]["uid"]
    told: dict[str, Any] = {"uri": f"/changes/{key}", "ticketType": "change"}
    title = _new(changes, "title")
    if what == "created":
        return {**told, "summary": title or key, "creator": actor}
    if title:
        told["summary"] = title
    if what == "closed":
        told["resolution"] = "completed" if _new(changes, "outcome") else "withdrawn"
    return {**told, "updatedBy": actor}


_SUBJECTS: Final[Mapping[str, _Subject]] = {
    "environment": _Subject(
        "environment",
        {
            "created": "environment.created.0.2.0",
            "changed": "environment.modified.0.2.0",
            "archived": "environment.deleted.0.2.0",
        },
        _environment,
    ),
    "build": _Subject("build", {"created": "build.finished.0.2.0"}, lambda *_: {}),
    "change": _Subject(
        "ticket",
        {
            "created": "ticket.created.0.1.0",
            "changed": "ticket.updated.0.1.0",
            "closed": "ticket.closed.0.1.0",
        },
        _ticket,
    ),
}
