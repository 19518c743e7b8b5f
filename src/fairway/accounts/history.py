"""The log in words: who did what, and which fields it changed from what to what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateTimeField, Field, ForeignKey, Model
from django.utils.translation import gettext as _

from fairway.accounts import queries
from fairway.audit.commands import registry
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.models import Row, Versioned
from fairway.kernel.period import parse_instant
from fairway.ui.times import instant

IRREGULAR = {
    "take": "took", "put": "put", "set": "set", "begin": "began", "hold": "held", "send": "sent",
    "withdraw": "withdrew", "give": "gave", "find": "found", "set_members": "set the members of",
    "set_password": "chose a password for", "revoke": "revoked", "invite": "invited", "plan": "planned",
}  # fmt: skip
SHOWN = 200
"""Characters of a value that are shown."""


def entries(actor: Actor, events: Sequence[Mapping[str, Any]], *, now: datetime) -> list[dict[str, Any]]:
    """Return events of `audit.queries.history` for ui/activity.html, in the reader's zone.

    What the reader may not see is named as another organisation's.
    """
    names = _Names(actor, events)
    return [
        {
            "sequence": event["sequence"],
            "who": names.who(event["actor"]),
            "text": deed(event["command"]),
            "command": event["command"],
            "about": about(event["command"]),
            "at": parse_instant(event["at"]),
            "subject": event["subject"],
            "note": _words(event["data"]),
            "changes": list(_changes(event, names, actor, now)),
        }
        for event in events
    ]


def deed(command: str) -> str:
    """Return a command's name as what was done: `changes.change.submit` gives `submitted`."""
    verb = command.rpartition(".")[2]
    if verb in IRREGULAR:
        return _(IRREGULAR[verb])
    words = verb.split("_")
    first = words[0]
    if first.endswith("e"):
        past = f"{first}d"
    elif first.endswith("y") and first[-2:-1] not in "aeiou":
        past = f"{first[:-1]}ied"
    elif first in {"submit", "commit", "drop", "plan", "stop"}:
        past = f"{first}{first[-1]}ed"
    else:
        past = f"{first}ed"
    return _(" ".join([past, *words[1:]]))


def about(command: str) -> str:
    """Return the first line of what a command is for."""
    known = registry.get(command)
    return (known.__doc__ or "").strip().partition("\n")[0] if known else ""


def _words(data: Mapping[str, Any]) -> str:
    """Return the free text of an event, such as a comment or a reason."""
    return " ".join(str(data[name]) for name in ("comment", "reason", "text") if data.get(name))


class _Names:
    """Looks up people and records that events name by uid, in one statement per model."""

    def __init__(self, actor: Actor, events: Iterable[Mapping[str, Any]]) -> None:
        self._sees = queries.access(actor).sees
        wanted: dict[type[Model], set[str]] = {}
        people: set[str] = set()
        for event in events:
            people.add(event["actor"]["uid"])
            for row in event["rows"]:
                for field, values in _columns(row):
                    if isinstance(field, ForeignKey):
                        wanted.setdefault(field.related_model, set()).update(filter(None, values))
        self._people = queries.names(people)
        self._records: dict[tuple[type[Model], str], str] = {}
        for model, uids in wanted.items():
            if issubclass(model, Row):
                for record in model._default_manager.filter(uid__in=uids):
                    self._records[model, str(record.uid)] = self._tell(record)

    def _tell(self, record: Row) -> str:
        if isinstance(record, Versioned):
            ref = record.ref()
            if not self._sees(ref):
                return _("another organisation's")
            return (
                f"{ref.name} ({ref.key})"
                if ref.name and ref.key != ref.uid and ref.key != ref.name
                else (ref.name or ref.key)
            )
        return str(record)

    def who(self, actor: Mapping[str, str]) -> str:
        return self._people.get(actor["uid"]) or (
            SYSTEM.name if actor["uid"] == SYSTEM.uid else _("somebody")
        )

    def record(self, model: type[Model], uid: str) -> str:
        return self._records.get((model, uid), uid)


def _columns(row: Mapping[str, Any]) -> Iterable[tuple[Field[Any, Any] | None, list[Any]]]:
    """Yield each changed column as the model's field, None where it is none any more, with before and
    after.
    """
    model = apps.get_model(row["model"])
    fields = {field.attname: field for field in model._meta.concrete_fields}
    for name, values in row["changes"].items():
        yield fields.get(name), values


def _changes(
    event: Mapping[str, Any], names: _Names, actor: Actor, now: datetime
) -> Iterable[dict[str, str]]:
    """Yield the changed fields of the event's own record, and its other rows each as a whole."""
    own = event["subject"]["uid"] if event["subject"] else None
    for row in event["rows"]:
        told = [
            (_label(field), _value(field, before, names, actor, now), _value(field, after, names, actor, now))
            for field, (before, after) in _columns(row)
            if field is not None and not _follows(field)
        ]
        if row["uid"] == own and row["action"] == "change":
            for label, before, after in told:
                yield {"field": label, "old": before, "new": after or "–"}
        elif row["uid"] != own:
            kind = _kind(row["model"])
            before = ", ".join(old for _label_, old, _new in told if old)[:SHOWN]
            after = ", ".join(new for _label_, _old, new in told if new)[:SHOWN]
            if row["action"] == "remove":
                yield {"field": kind, "old": before or kind, "new": "–"}
            else:
                yield {"field": kind, "old": before, "new": after or "–"}


def _follows(field: Field[Any, Any]) -> bool:
    """Say whether a field tells nothing of its own: bookkeeping, or the fold of another."""
    return field.name in {"created_at", "custom", "number", "organisation"} or field.name.endswith("_folded")


def _label(field: Field[Any, Any] | None) -> str:
    return str(field.verbose_name).capitalize() if field is not None else ""


def _kind(model: str) -> str:
    try:
        return str(apps.get_model(model)._meta.verbose_name).capitalize()
    except (LookupError, FieldDoesNotExist):
        return model


def _value(field: Field[Any, Any] | None, value: Any, names: _Names, actor: Actor, now: datetime) -> str:
    if value is None or value in ("", [], {}):
        return ""
    if isinstance(field, ForeignKey):
        return names.record(field.related_model, str(value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(field, DateTimeField):
        at = datetime.fromisoformat(str(value))
        if at.tzinfo is None:
            return f"{at:%Y-%m-%d %H:%M}"  # wall time of a recurring window
        return instant(at.astimezone(UTC), zone=actor.zone, now=now)
    choices = dict(field.flatchoices) if field is not None and field.choices else {}
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)[:SHOWN]
    return str(choices.get(value, value))[:SHOWN]
