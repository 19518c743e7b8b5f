"""The inverse of an event: what its rows were before, where they still are what it made them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.apps import apps
from django.db.models import DurationField, Field, ForeignKey

from fairway.audit.commands.journal import Journal
from fairway.audit.rules import LoggedEvent, LoggedRow
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import Conflict
from fairway.kernel.models import Numbered, Row, Slugged, Versioned
from fairway.kernel.refs import as_uid

UNDO_FOR = timedelta(minutes=10)
"""So long after it was done a thing can be taken back; then others build on it, and one edits instead."""


class Moved(Conflict):
    """A row is no longer what the event made it; `row` names it as far as it is still there."""

    def __init__(self, row: Row | None, logged: LoggedRow) -> None:
        super().__init__(
            "This has changed since, so it cannot be undone; edit it instead.", code="workspace.undo.moved-on"
        )
        self.row, self.logged = row, logged


@dataclass(slots=True)
class Inverse:
    """What takes an event back, in the words of a plan. `places`: the organisations of all these rows."""

    create: list[Row] = field(default_factory=list)
    change: list[tuple[Row, Mapping[str, Any]]] = field(default_factory=list)
    remove: list[Row] = field(default_factory=list)
    subject: Versioned | None = None
    places: set[int | None] = field(default_factory=set)


def inverse(event: LoggedEvent, *, at: datetime, lock: bool) -> Inverse:
    """Return what takes an event back; with `lock` its rows are locked first.

    What it created is archived where it is a record with a name of its own, else removed again; what it
    removed comes back under its old uid. Later events on the same columns stand in the way.

    :raises Moved: a row is no longer what the event made it. :raises Conflict: its words were erased.
    """
    found = Inverse()
    rows: dict[tuple[str, str], Row | None] = {}
    present: dict[tuple[str, str], dict[str, Any]] = {}
    journal = Journal(SYSTEM, at)
    for logged in sorted(event.rows, key=lambda one: (one.model, one.uid)):  # locked in one order
        key = (logged.model, logged.uid)
        if key not in rows:
            row = rows[key] = _stored(logged, lock)
            present[key] = journal.as_logged(row) if row is not None else {}
    for logged in reversed(event.rows):
        key = (logged.model, logged.uid)
        row, changes = rows[key], _changes(event, logged)
        if row is None:
            if logged.action != "remove":
                raise Moved(None, logged)
            row = rows[key] = _made(logged, changes, rows)
            present[key] = {name: pair[0] for name, pair in changes.items()}
            found.create.append(row)
            found.places.add(row.owning_organisation)
            continue
        if logged.action == "remove" or any(present[key][name] != pair[1] for name, pair in changes.items()):
            raise Moved(row, logged)
        found.places.add(row.owning_organisation)
        if logged.action == "change":
            found.change.append((row, _columns(logged, changes, rows)))
            present[key] |= {name: pair[0] for name, pair in changes.items()}
            found.places.add(_place(found.change[-1][1], row))
        elif isinstance(row, Slugged | Numbered):
            found.change.append((row, {"archived_at": at}))
        else:
            found.remove.append(row)
    wanted = next((row for (_, uid), row in rows.items() if uid == event.subject_uid), None)
    found.subject = wanted if isinstance(wanted, Versioned) else _subject(event)
    return found


def _stored(logged: LoggedRow, lock: bool) -> Row | None:
    rows = apps.get_model(logged.model)._default_manager.filter(uid=logged.uid)
    found: Row | None = (rows.select_for_update() if lock else rows).first()
    return found


def _changes(event: LoggedEvent, logged: LoggedRow) -> dict[str, Any]:
    """Return what the event wrote into a row, its words among it.

    :raises Conflict: these were erased.
    """
    changes: dict[str, Any] = msgspec.json.decode(logged.changes)
    if changes.pop("_texts", None) is not None:
        kept = event.texts.get(logged.position)
        if kept is None:
            raise Conflict(
                "The words that this replaced were erased, so it cannot be undone.",
                code="workspace.undo.erased",
            )
        changes |= kept[1]
    return changes


Rows = Mapping[tuple[str, str], Row | None]


def _made(logged: LoggedRow, changes: Mapping[str, Any], rows: Rows) -> Row:
    made: Row = apps.get_model(logged.model)(uid=logged.uid)
    for name, value in _columns(logged, changes, rows).items():
        setattr(made, name, value)
    return made


def _columns(logged: LoggedRow, changes: Mapping[str, Any], rows: Rows) -> dict[str, Any]:
    """Return the values of before as the model has them."""
    model = apps.get_model(logged.model)
    columns = {f.attname: f for f in model._meta.concrete_fields}
    values: dict[str, Any] = {}
    for name, (before, _after) in changes.items():
        column = columns.get(name)
        if column is None:
            raise Moved(None, logged)  # written by a version that had other columns
        values |= _value(column, before, logged, rows)
    return values


def _value(column: Field[Any, Any], before: Any, logged: LoggedRow, rows: Rows) -> dict[str, Any]:
    if isinstance(column, ForeignKey) and isinstance(before, str) and as_uid(before):
        target = column.related_model
        new = rows.get((target._meta.label, before))
        if new is not None:
            return {column.name: new}
        pk = target._default_manager.filter(uid=before).values_list("pk", flat=True).first()
        if pk is None:
            raise Moved(None, logged)
        return {column.attname: pk}
    if isinstance(column, DurationField) and before is not None:
        return {column.attname: timedelta(seconds=before)}
    return {column.attname: column.to_python(before)}


def _place(values: Mapping[str, Any], row: Row) -> int | None:
    """Return the organisation that a row goes back to."""
    place = values.get("organisation_id")
    return place if isinstance(place, int) else row.owning_organisation


def _subject(event: LoggedEvent) -> Versioned | None:
    """Return the record that the event is about, where none of its rows is it."""
    for model in apps.get_models():
        if issubclass(model, Versioned) and model.kind == event.subject_kind:
            return model._default_manager.filter(uid=event.subject_uid).first()
    return None
