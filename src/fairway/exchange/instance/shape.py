"""What an instance consists of: which tables, in which order, and each column as plain JSON."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db.models import BinaryField, DurationField, Field, ForeignKey, Model
from django.utils.dateparse import parse_duration
from django.utils.duration import duration_iso_string

from fairway.audit.commands import instant
from fairway.kernel.models import Blob, Row

FORMAT: Final = "fairway-instance-1"
MANIFEST, EVENTS, BLOBS = "manifest.json", "log/events.ndjson", "blobs.ndjson"

LEFT_OUT: Final = {
    "kernel.Counter": "follows from the highest number of each kind",
    "kernel.Blob": "its bytes stand in files of their own, named by digest",
    "kernel.BlobPart": "its bytes stand in files of their own, named by digest",
    "audit.ChainHead": "follows from the last event",
    "audit.Event": "stands in the log's own file",
    "audit.EventRow": "stands in the log's own file",
    "audit.EventText": "stands in the log's own file",
    "audit.Revision": "follows from the last event",
    "audit.Denial": "what was refused in one installation, by the minute",
    "audit.IdempotentRequest": "answers kept for a day",
    "accounts.ApiToken": "a key opens the installation that made it, no other",
    "accounts.BulkRequest": "rows that wait for a job of one installation",
    "accounts.OrganisationPath": "a projection of organisations",
    "accounts.ShareLink": "a link opens the installation that made it, no other",
    "changes.CalendarFeed": "its address is that of the installation that made it, no other",
    "accounts.ShareOpening": "how often a link of one installation was opened",
    "accounts.SignInFailure": "kept for a day",
    "calendars.Reminder": "what one installation told people of",
    "claims.ClaimRow": "a projection of changes",
    "exchange.ImportRun": "a file on its way into one installation; what it brought travels",
    "exchange.ImportLine": "a file on its way into one installation; what it brought travels",
    "jobs.Clock": "when one installation did last what it does regularly",
    "jobs.Delivery": "what one installation sent",
    "jobs.Job": "work of one installation",
    "jobs.Webhook": "its secret is sealed with the installation's key",
    "workspace.SearchRow": "a projection of the records that are found by words",
    "workspace.Notification": "follows from the log; what was read is nobody else’s concern",
    "workspace.Told": "how far the log was read for notifications",
    "workspace.FieldValue": "a projection of the values of custom fields",
}
"""Tables that do not travel, and why. Of the others each is one of records, or a test fails."""


def tables() -> list[type[Row]]:
    """Return the models of all records that travel, those that others refer to first."""
    models = {
        m._meta.label: m for m in apps.get_models() if issubclass(m, Row) and m._meta.label not in LEFT_OUT
    }
    ordered: dict[str, type[Row]] = {}

    def place(label: str, above: tuple[str, ...]) -> None:
        if label in ordered or label in above or label not in models:
            return  # a circle is cut here: references are resolved from all uids, not from rows
        for field in models[label]._meta.concrete_fields:
            if isinstance(field, ForeignKey):
                place(field.related_model._meta.label, (*above, label))
        ordered[label] = models[label]

    for label in sorted(models):
        place(label, ())
    return list(ordered.values())


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: `path` reads it, `target` is the table it refers to."""

    name: str
    path: str
    field: Field[Any, Any]
    target: str = ""


@cache
def columns(model: type[Row]) -> tuple[Column, ...]:
    """Return the columns that travel, by name: no primary keys, no credentials, and no
    references to what does not travel.

    :raises TypeError: one that has to be there refers to what does not travel.
    """
    found = []
    for field in model._meta.concrete_fields:
        if field.primary_key or field.name in model.credentials:
            continue
        if not isinstance(field, ForeignKey):
            found.append(Column(field.name, field.attname, field))
            continue
        target = field.related_model
        if target is not Blob and (not issubclass(target, Row) or target._meta.label in LEFT_OUT):
            if field.null:
                continue
            raise TypeError(f"{model._meta.label}.{field.name} refers to {target._meta.label}")
        name = "digest" if target is Blob else "uid"
        found.append(Column(field.name, f"{field.name}__{name}", field, target._meta.label))
    return tuple(sorted(found, key=lambda column: column.name))


def plain(value: Any) -> Any:
    """Return a column's value as JSON holds it."""
    if value is None or isinstance(value, bool | int | float | str | list | dict):
        return value
    if isinstance(value, datetime):
        return instant(value) if value.tzinfo else value.isoformat(timespec="microseconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return duration_iso_string(value)
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, UUID | Decimal):
        return str(value)
    raise TypeError(f"a {type(value).__name__} does not travel")


def valued(column: Column, told: Any) -> Any:
    """Return what a line tells as the column keeps it; references are not meant.

    :raises ValueError: it does not fit.
    """
    field = column.field
    if told is None:
        if not field.null:
            raise ValueError("may not be empty")
        return None
    try:
        if isinstance(field, BinaryField):
            return base64.b64decode(told, validate=True)
        if isinstance(field, DurationField):
            span = parse_duration(told)
            if span is None:
                raise ValueError("is no duration")
            return span
        value = field.to_python(told)
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ValueError("has no offset from UTC")
        field.run_validators(value)
    except ValidationError as cause:
        raise ValueError(" ".join(cause.messages)) from cause
    except (binascii.Error, TypeError, AttributeError) as cause:
        raise ValueError(f"is no value of this kind ({field.get_internal_type()})") from cause
    return value


Progress = Callable[[str, int], None]
"""Told which file is worked on, and how many of its lines are done."""

Uids = Mapping[str, Mapping[str, int]]
"""The primary key of each record by its uid (of bytes: by digest), by table."""

Batch = Sequence[Model]
