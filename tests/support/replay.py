"""The event log replays to the present business records: a check for any test that runs commands.

    with replayed():
        execute(…)

takes the rows that stand at its start, applies the events that follow, and compares with what stands at its
end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from django.apps import apps
from django.db.models import ForeignKey, Model

from fairway.audit import queries
from fairway.audit.commands.journal import plain
from fairway.audit.rules import LoggedEvent
from fairway.kernel.models import Row

Rows = dict[tuple[str, str], dict[str, Any]]
"""Columns by name, as the log keeps them, by model and uid."""

DERIVED = {"id", "uid", "name_folded"}


def present(*labels: str) -> Rows:
    """Return all rows that are written by commands (of these models), as the log would keep them."""
    uids: dict[tuple[type[Model], int], str] = {}
    models = [m for m in apps.get_models() if issubclass(m, Row) and (not labels or m._meta.label in labels)]
    for model in [m for m in apps.get_models() if issubclass(m, Row)]:
        uids |= {(model, pk): str(uid) for pk, uid in model._default_manager.values_list("pk", "uid")}
    found: Rows = {}
    for model in models:
        fields = [
            f
            for f in model._meta.concrete_fields
            if f.name not in {*DERIVED, "version", *model.unlogged, *model.credentials}
        ]
        for row in model._default_manager.all():
            columns = {}
            for field in fields:
                value = getattr(row, field.attname)
                if (
                    isinstance(field, ForeignKey)
                    and value is not None
                    and issubclass(field.related_model, Row)
                ):
                    columns[field.attname] = uids[field.related_model, value]
                else:
                    columns[field.attname] = plain(value)
            found[model._meta.label, str(row.uid)] = columns
    return found


def replay(rows: Rows, events: Iterator[LoggedEvent]) -> Rows:
    """Apply events to rows; raises AssertionError where one writes what does not stand there."""
    rows = {key: dict(columns) for key, columns in rows.items()}
    for event in events:
        for row in event.rows:
            key = (row.model, row.uid)
            changes = msgspec.json.decode(row.changes)
            changes.pop("_texts", None)
            if row.position in event.texts:
                changes |= event.texts[row.position][1]
            if row.action == "create":
                assert key not in rows, f"event {event.sequence} creates {key} again"
                rows[key] = {name: after for name, (_, after) in changes.items()}
                continue
            assert key in rows, f"event {event.sequence} writes {key}, which is not there"
            if row.action == "remove":
                del rows[key]
                continue
            for name, (before, after) in changes.items():
                assert rows[key].get(name) == before, (
                    f"event {event.sequence} changes another {name} of {key}"
                )
                rows[key][name] = after
    return rows


@contextmanager
def replayed() -> Iterator[None]:
    """Hold that the events written inside lead from the rows before to the rows after."""
    before, (last, _) = present(), queries.head()
    yield
    replica, after = replay(before, queries.logged(after=last)), present()
    assert replica.keys() == after.keys()
    for key, columns in after.items():
        model = apps.get_model(key[0])
        assert issubclass(model, Row)
        for name, value in columns.items():
            empty = name in model.free_text and not value  # empty words are not kept
            assert replica[key].get(name) == value or (empty and not replica[key].get(name)), (key, name)
