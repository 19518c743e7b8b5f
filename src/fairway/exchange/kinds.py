"""What can be imported: each kind with its fields in the words of the API, and the command that stores it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fairway.exchange.fields import (
    Field,
    Value,
    boolean,
    duration,
    instant,
    integer,
    text,
    wall_time,
    zone_name,
)
from fairway.kernel.errors import Invalid
from fairway.kernel.period import Period


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record to import.

    `command` stores one record, and finds the present one by natural key. `keys` are the fields that may
    name a record, the first set that is complete counts. `shape` turns the values of a row into the
    command's arguments.
    """

    name: str
    command: str
    permission: str
    fields: Mapping[str, Field]
    keys: tuple[tuple[str, ...], ...]
    shape: Callable[[dict[str, Any]], dict[str, Any]]

    def key(self, values: Mapping[str, Value]) -> dict[str, Value] | None:
        """Return the fields that name the record within a file, or None where nothing does."""
        for names in self.keys:
            if all(name in values for name in names):
                return {name: values[name] for name in names}
        return None


def nested(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values with `attributes.fqdn` as `{"attributes": {"fqdn": …}}`."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        head, dot, leaf = name.partition(".")
        if dot:
            found.setdefault(head, {})[leaf] = value
        else:
            found[name] = value
    return found


def _change(values: dict[str, Any]) -> dict[str, Any]:
    """Make one planned window of start and end.

    :raises Invalid: one is missing, or the end is not after the start.
    """
    start: datetime | None = values.pop("planned_start", None)
    end: datetime | None = values.pop("planned_end", None)
    arguments = nested(values)
    if start is None and end is None:
        return arguments
    if start is None or end is None:
        missing = "planned_start" if start is None else "planned_end"
        raise Invalid.field(missing, "A change has both a planned start and a planned end, or neither.")
    try:
        period = Period(start, end)
    except Invalid as problem:
        raise Invalid.field("planned_end", problem.detail) from None
    arguments["windows"] = [{"start": period.start, "end": period.end}]
    return arguments


_ORGANISATION: Final = Field(text, "key of the organisation it belongs to")

ITEMS: Final = Kind(
    name="items",
    command="catalog.item.put",
    permission="catalog.import",
    keys=(("key",),),
    shape=nested,
    fields={
        "key": Field(
            text, "its key: lower-case letters, digits, dots, dashes and underscores", required=True
        ),
        "name": Field(text, "its name", required=True),
        "kind": Field(text, "key of its kind, such as system or host", required=True),
        "organisation": _ORGANISATION,
        "status": Field(text, "planned, live or retired"),
        "criticality": Field(integer, "1 (most critical) to 4"),
        "shared": Field(boolean, "whether it is one and the same in all environments"),
        "description": Field(text, "what it is"),
        "owner_team": Field(text, "key of the team that owns it"),
        "external_id": Field(text, "its key in the system it comes from"),
        "attributes.*": Field(text, "any attribute, by its name"),
    },
)

RELATIONS: Final = Kind(
    name="relations",
    command="catalog.relation.put",
    permission="catalog.import",
    keys=(("source", "target", "kind"),),
    shape=nested,
    fields={
        "source": Field(text, "key of the item that stands to the target", required=True),
        "target": Field(text, "key of the other item", required=True),
        "kind": Field(text, "depends-on, runs-on, part-of or connects-to", required=True),
    },
)

CHANGES: Final = Kind(
    name="changes",
    command="changes.change.record",
    permission="changes.import",
    keys=(("key",), ("external_id",)),
    shape=_change,
    fields={
        "external_id": Field(text, "its key in the system it comes from"),
        "title": Field(text, "what is done, in one line", required=True),
        "model": Field(text, "key of its change model, such as normal"),
        "organisation": _ORGANISATION,
        "planned_start": Field(instant, "when work begins"),
        "planned_end": Field(instant, "when work ends; later than it begins"),
        "items": Field(text, "keys of the items it alters, the primary one first", many=True),
        "environments": Field(text, "keys of the environments it is made in", many=True),
        "description": Field(text, "what is done"),
        "reason": Field(text, "why it is done"),
        "category": Field(text, "a word to group by"),
        "priority": Field(integer, "1 (most urgent) to 4"),
        "requester": Field(text, "e-mail address of who asked for it"),
        "owner": Field(text, "e-mail address of who answers for it"),
        "state": Field(text, "its state in the change model"),
        "outcome": Field(text, "how it ended"),
        "submitted_at": Field(instant, "when it was submitted"),
        "actual_start": Field(instant, "when work began"),
        "actual_end": Field(instant, "when work ended"),
        "custom.*": Field(text, "any field of your own, by its name"),
    },
)

WINDOWS: Final = Kind(
    name="windows",
    command="calendars.window.put",
    permission="calendars.edit",
    keys=(("name",),),
    shape=nested,
    fields={
        "name": Field(text, "its name", required=True),
        "kind": Field(text, "hard_freeze, soft_freeze or maintenance", required=True),
        "reason": Field(text, "why it is there"),
        "organisation": _ORGANISATION,
        "zone": Field(zone_name, "the time zone of its local times"),
        "starts_at": Field(instant, "start of a single one"),
        "ends_at": Field(instant, "end of a single one; later than it starts"),
        "local_start": Field(wall_time, "first start of a recurring one, in its zone"),
        "duration": Field(duration, "how long a recurring one lasts"),
        "rrule": Field(text, "how it recurs (RFC 5545)"),
        "rdates": Field(wall_time, "further local starts", many=True),
        "exdates": Field(wall_time, "local starts left out", many=True),
        "items": Field(text, "keys of the items it holds for", many=True),
        "environments": Field(text, "keys of the environments it holds for", many=True),
        "criticalities": Field(integer, "criticalities of the items it holds for", many=True),
        "tiers": Field(text, "tiers of the environments it holds for", many=True),
    },
)

KINDS: Final[Mapping[str, Kind]] = {kind.name: kind for kind in (ITEMS, RELATIONS, CHANGES, WINDOWS)}


def kind_called(name: str) -> Kind:
    """Return a kind by its name.

    :raises Invalid: there is none; names those there are.
    """
    if name not in KINDS:
        raise Invalid.field("kind", f"“{name[:40]}” cannot be imported; there are {', '.join(KINDS)}.")
    return KINDS[name]
