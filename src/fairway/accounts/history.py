"""The log in words: who did what, and which fields it changed from what to what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.db.models import DateTimeField, Field, ForeignKey, Model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fairway.accounts import queries
from fairway.audit.commands import registry
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.models import Record, Row, Versioned
from fairway.kernel.period import parse_instant
from fairway.kernel.refs import HIDDEN
from fairway.ui.times import instant

IRREGULAR = {
    "begin": "began", "cancel": "cancelled", "drop": "dropped", "find": "found", "give": "gave",
    "hold": "held", "plan": "planned", "put": "put", "send": "sent", "set": "set", "stop": "stopped",
    "submit": "submitted", "take": "took", "withdraw": "withdrew",
}  # fmt: skip
DEEDS = {
    "calendars.calendar.subscribe": gettext_lazy("subscribed to the calendar"),
    "calendars.calendar.unsubscribe": gettext_lazy("unsubscribed from the calendar"),
    "calendars.window.remind": gettext_lazy("reminded: it is about to begin"),
    "accounts.delegation.create": gettext_lazy("delegated"),
    "accounts.delegation.end": gettext_lazy("ended a delegation"),
    "accounts.grant.create": gettext_lazy("gave a role"),
    "accounts.grant.revoke": gettext_lazy("took a role back"),
    "accounts.role.confirm": gettext_lazy("confirmed what was proposed"),
    "accounts.role.propose": gettext_lazy("proposed"),
    "accounts.role.refuse": gettext_lazy("refused"),
    "accounts.role.withdraw": gettext_lazy("withdrew"),
    "accounts.team.set_members": gettext_lazy("set the members"),
    "accounts.token.create": gettext_lazy("made a token"),
    "accounts.token.revoke": gettext_lazy("revoked a token"),
    "accounts.user.activate": gettext_lazy("activated or deactivated"),
    "accounts.user.invite": gettext_lazy("made a sign-in link"),
    "accounts.user.set_password": gettext_lazy("set the password"),
    "catalog.item.set_stakeholders": gettext_lazy("set the stakeholders"),
    "changes.conflict.handle": gettext_lazy("said how a conflict is handled"),
    "changes.change.propose_edits": gettext_lazy("proposed configuration changes"),
    "changes.drift.note": gettext_lazy("noted a drift"),
    "changes.pin.put": gettext_lazy("pinned an item"),
    "exchange.import.check": gettext_lazy("checked an import"),
    "exchange.import.start": gettext_lazy("started an import"),
    "workspace.attachment.create": gettext_lazy("attached a file"),
    "workspace.comment.create": gettext_lazy("commented"),
    "workspace.view.create": gettext_lazy("saved a view"),
    "workspace.watch.set": gettext_lazy("set what to be told of"),
}
"""What commands are called where their name does not say it."""

PLACES = {
    "change": "/changes/{}", "environment": "/environments/{}", "item": "/items/{}", "window": "/windows/{}",
    "baseline": "/baselines/{}",
    "build": "/builds/{}",
    "organisation": "/administration/organisations/{}", "team": "/administration/teams/{}",
    "user": "/administration/people/{}", "role": "/administration/roles/{}",
    "role-proposal": "/administration/roles/proposals/{}",
}  # fmt: skip
"""Where the page of a kind of record stands."""

INNER = {"approvals.Round"}
"""Rows of which the votes in them and the state of their subject tell enough."""

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
            "text": deed(event["command"], event["subject"]["kind"] if event["subject"] else ""),
            "command": event["command"],
            "about": about(event["command"]),
            "at": parse_instant(event["at"]),
            "subject": event["subject"],
            "key": _key(event["subject"]),
            "place": _place(event["subject"]),
            "note": _words(event["data"]),
            "changes": list(_changes(event, names, actor, now)),
        }
        for event in events
    ]


def changes(actor: Actor, events: Sequence[Mapping[str, Any]]) -> list[list[dict[str, str]]]:
    """Return for each event the changed fields of its own record in words: `field`, `old`, `new`."""
    names, now = _Names(actor, events), datetime.now(UTC)
    return [list(_changes(event, names, actor, now)) for event in events]


class Teller:
    """Tells what the log holds in words: the columns of rows and their values, in the reader's zone.

    `rows`: {"model", "uid", "changes": {column: [values]}}; the people and records that they name are looked
    up in one statement per model.
    """

    def __init__(
        self,
        actor: Actor,
        rows: Iterable[Mapping[str, Any]],
        *,
        now: datetime,
        people: Iterable[str] = (),
    ) -> None:
        self._actor, self._now = actor, now
        events: list[Mapping[str, Any]] = [{"actor": {"uid": uid}, "rows": ()} for uid in people]
        events.append({"actor": {"uid": SYSTEM.uid}, "rows": tuple(rows)})
        self._names = _Names(actor, events)

    def who(self, uid: str) -> str:
        return self._names.who({"uid": uid})

    def columns(self, model: str) -> list[tuple[str, str]]:
        """Return the columns of a model that tell something of their own, each with its label."""
        fields = apps.get_model(model)._meta.concrete_fields
        return [(field.attname, _label(field)) for field in fields if not _follows(field)]

    def kind(self, model: str) -> str:
        return _kind(model)

    def value(self, model: str, column: str, value: Any) -> str:
        """Return a value in words, whole."""
        if value == HIDDEN.kind and column.endswith("_id"):
            return _("another organisation's")
        if isinstance(value, str) and not column.endswith("_id"):
            field = apps.get_model(model)._meta.get_field(column)
            if not isinstance(field, DateTimeField) and not field.choices:
                return value
        for field in apps.get_model(model)._meta.concrete_fields:
            if field.attname == column:
                return _value(field, value, self._names, self._actor, self._now)
        return str(value)


def deed(command: str, subject: str = "") -> str:
    """Return a command's name as what was done: `changes.change.submit` gives `submitted`.

    Of a record other than the subject's kind it names the thing too: `created relation`.
    """
    if command in DEEDS:
        return str(DEEDS[command])
    thing, verb = command.split(".")[-2:] if "." in command else ("", command)
    first, *rest = verb.split("_")
    words = [_past(first), *rest]
    if subject and thing and thing != subject:
        words.append(thing.replace("_", " "))
    return _(" ".join(words))


def _past(verb: str) -> str:
    if verb in IRREGULAR:
        return IRREGULAR[verb]
    if verb.endswith("e"):
        return f"{verb}d"
    return f"{verb[:-1]}ied" if verb.endswith("y") and verb[-2:-1] not in "aeiou" else f"{verb}ed"


def about(command: str) -> str:
    """Return the first line of what a command is for."""
    known = registry.get(command)
    return (known.__doc__ or "").strip().partition("\n")[0] if known else ""


def _key(subject: Mapping[str, str] | None) -> str:
    """Return what people call a record by; nothing for one that only machines name."""
    key = subject["key"] if subject else ""
    return "" if len(key) == 36 and key.count("-") == 4 else key


def _place(subject: Mapping[str, str] | None) -> str:
    if subject is None:
        return ""
    return PLACES[subject["kind"]].format(subject["key"]) if subject["kind"] in PLACES else ""


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
                        known = [value for value in values if value and value != HIDDEN.kind]
                        wanted.setdefault(field.related_model, set()).update(known)
        self._people = queries.names(people)
        self._records: dict[tuple[type[Model], str], str] = {}
        for model, uids in wanted.items():
            if issubclass(model, Row):
                for record in model._default_manager.filter(uid__in=uids):
                    self._records[model, str(record.uid)] = self._tell(record)

    def _tell(self, record: Row) -> str:
        if not isinstance(record, Versioned):
            return str(record)
        ref = record.ref()
        if not self._sees(ref):
            return _("another organisation's")
        return ref.name or ref.key

    def who(self, actor: Mapping[str, str]) -> str:
        return self._people.get(actor["uid"]) or (
            SYSTEM.name if actor["uid"] == SYSTEM.uid else _("somebody")
        )

    def record(self, model: type[Model], uid: str) -> str:
        return self._records.get((model, uid), uid)


def _columns(row: Mapping[str, Any]) -> Iterable[tuple[Field[Any, Any], list[Any]]]:
    """Yield each changed column as the model's field, None where it is none any more, with before and
    after.
    """
    for field in apps.get_model(row["model"])._meta.concrete_fields:
        if field.attname in row["changes"]:
            yield field, row["changes"][field.attname]


def _changes(
    event: Mapping[str, Any], names: _Names, actor: Actor, now: datetime
) -> Iterable[dict[str, str]]:
    """Yield the changed fields of the event's own record, and its other rows by kind, each row as a whole."""
    own = event["subject"]["uid"] if event["subject"] else None
    others: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for row in event["rows"]:
        if row["model"] in INNER:
            continue
        told = [
            (field, before, after)
            for field, (before, after) in _columns(row)
            if not _follows(field) and own not in (before, after)
        ]
        if row["uid"] != own:
            before, after = (
                ", ".join(filter(None, (_within(one[0], one[side], names, actor, now) for one in told)))[
                    :SHOWN
                ]
                for side in (1, 2)
            )
            others.setdefault((_kind(row["model"]), row["action"]), []).append((before, after))
        elif row["action"] == "change":
            for field, before, after in told:
                old, new = (_value(field, value, names, actor, now) for value in (before, after))
                yield {"field": _label(field), "old": old, "new": new or "–"}
    for (kind, _action), pairs in others.items():
        yield {
            "field": kind,
            "old": _some([old for old, _new in pairs if old]),
            "new": _some([new for _old, new in pairs if new]) or "–",
        }


def _some(words: Sequence[str]) -> str:
    """Return the first five, and how many more there are."""
    told = "; ".join(words[:5])
    more = len(words) - 5
    return _("%(words)s and %(count)d more") % {"words": told, "count": more} if more > 0 else told


def _follows(field: Field[Any, Any]) -> bool:
    """Say whether a field tells nothing of its own: bookkeeping, or the fold of another."""
    if field.name == "organisation":
        return issubclass(field.model, Record)
    inner = {"created_at", "custom", "number", "digest", "round"}
    return field.name in inner or field.name.endswith(("_folded", "_edits"))


def _label(field: Field[Any, Any]) -> str:
    return str(field.verbose_name).capitalize()


def _kind(model: str) -> str:
    return str(apps.get_model(model)._meta.verbose_name).capitalize()


def _within(field: Field[Any, Any], value: Any, names: _Names, actor: Actor, now: datetime) -> str:
    """Return a value as part of a row told in one line, where yes and no would be of nothing."""
    if isinstance(value, bool):
        return _label(field).lower() if value else ""
    return _value(field, value, names, actor, now)


def _value(field: Field[Any, Any], value: Any, names: _Names, actor: Actor, now: datetime) -> str:
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
    choices = dict(field.flatchoices) if field.choices else {}
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)[:SHOWN]
    if isinstance(value, dict):
        return ", ".join(f"{name}: {one}" for name, one in value.items())[:SHOWN]
    return str(choices.get(value, value))[:SHOWN]
