"""What can be imported: each kind with its fields in the words of the API, and the command that stores it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fairway.exchange.fields import (
    Field,
    Value,
    boolean,
    day,
    duration,
    instant,
    integer,
    text,
    wall_time,
    zone_name,
)
from fairway.kernel.errors import Invalid


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record to import.

    `command` stores one record, and finds the present one by natural key. `keys` are the fields that may
    name a record; the first set that is complete counts. `told` gives the field that is meant where the
    command tells what is wrong by another name.
    """

    name: str
    command: str
    permission: str
    fields: Mapping[str, Field]
    keys: tuple[tuple[str, ...], ...]
    told: Mapping[str, str] = field(default_factory=dict)

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


_ORGANISATION: Final = Field(text, "key or name of the organisation it belongs to")

ITEMS: Final = Kind(
    name="items",
    command="catalog.item.put",
    permission="catalog.import",
    keys=(("key",),),
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
        "alias": Field(text, "what people call it too"),
        "vendor": Field(text, "key of the item that is the third party behind it"),
        "service_hours": Field(text, "when it is looked after, such as mon-fri 08:00-18:00 Europe/London"),
        "attributes.*": Field(text, "any attribute or field of its own, by its name"),
    },
)

RELATIONS: Final = Kind(
    name="relations",
    command="catalog.relation.put",
    permission="catalog.import",
    keys=(("source", "target", "kind"),),
    fields={
        "source": Field(text, "key of the item that stands to the target", required=True),
        "target": Field(text, "key of the other item", required=True),
        "kind": Field(text, "depends-on, runs-on, part-of or connects-to", required=True),
    },
)

REDUNDANCIES: Final = Kind(
    name="redundancies",
    command="catalog.redundancy.put",
    permission="catalog.import",
    keys=(("item", "kind", "name"), ("item", "kind")),
    fields={
        "item": Field(text, "key of the item that stands while enough of the others stand", required=True),
        "kind": Field(text, "kind of the relations to them, such as depends-on", required=True),
        "needed": Field(integer, "how many of them have to stand", required=True),
        "members": Field(text, "keys of the others", required=True, many=True),
        "name": Field(text, "a name that tells two groups of one item apart"),
    },
)

BUILDS: Final = Kind(
    name="builds",
    command="catalog.build.register",
    permission="catalog.register",
    keys=(("system", "build_version"),),
    fields={
        "system": Field(text, "key of the item that was built", required=True),
        "build_version": Field(text, "its version, such as 2.3.0", required=True),
        "commit": Field(text, "hash of the commit it was built from"),
        "commit_url": Field(text, "web address of the commit"),
        "branch": Field(text, "branch it was built from"),
        "tag": Field(text, "tag of the commit"),
        "url": Field(text, "web address of the run of the pipeline"),
        "built_at": Field(instant, "when it was built"),
        "artefacts": Field(text, "its artefacts, each as package URL, = and digest", many=True),
        "work_items": Field(text, "ids of the work items it carries", many=True),
    },
)

CHANGES: Final = Kind(
    name="changes",
    command="changes.change.record",
    permission="changes.import",
    keys=(("key",), ("organisation", "external_id"), ("external_id",)),
    told={"windows[0].start": "planned_start", "windows[0].end": "planned_end"},
    fields={
        "key": Field(text, "its key, such as CHG-1042, where it is here already"),
        "external_id": Field(text, "its key in the system it comes from"),
        "title": Field(text, "what is done, in one line"),
        "model": Field(text, "key of its change model, such as normal"),
        "organisation": _ORGANISATION,
        "planned_start": Field(instant, "when work begins"),
        "planned_end": Field(instant, "when work ends; later than it begins"),
        "items": Field(text, "keys of the items it alters, the primary one first", many=True),
        "primary_item": Field(text, "key of the primary item, where it is not the first"),
        "environments": Field(text, "keys of the environments it is made in", many=True),
        "description": Field(text, "what is done"),
        "reason": Field(text, "why it is done"),
        "category": Field(text, "a word to group by"),
        "priority": Field(integer, "1 (most urgent) to 4"),
        "implementation_plan": Field(text, "how it is done"),
        "test_plan": Field(text, "how one sees that it worked"),
        "backout_plan": Field(text, "how it is undone"),
        "freeze_reason": Field(text, "why it has to be done within a soft freeze"),
        "requester": Field(text, "e-mail address of who asked for it"),
        "owner": Field(text, "e-mail address of who answers for it"),
        "implementers": Field(text, "e-mail addresses of who carries it out", many=True),
        "state": Field(text, "its state in the change model"),
        "outcome": Field(text, "how it ended"),
        "created_at": Field(instant, "when it was written down first"),
        "submitted_at": Field(instant, "when it was submitted"),
        "actual_start": Field(instant, "when work began"),
        "actual_end": Field(instant, "when work ended"),
        "custom.*": Field(text, "a field of its own, by its name"),
    },
)

WINDOWS: Final = Kind(
    name="windows",
    command="calendars.window.put",
    permission="calendars.edit",
    keys=(("organisation", "name"), ("name",)),
    fields={
        "name": Field(text, "its name", required=True),
        "kind": Field(
            text,
            "hard_freeze, soft_freeze, lockdown (as a draft), booking_blockout, maintenance, holiday or"
            " information",
            required=True,
        ),
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
        "environment_groups": Field(text, "keys of the environment groups it holds for", many=True),
        "criticalities": Field(integer, "criticalities of the items it holds for", many=True),
        "tiers": Field(text, "tiers of the environments it holds for", many=True),
        "change_models": Field(text, "keys of the change models it holds for", many=True),
        "condition": Field(text, "a condition in CEL over the fields of a change"),
        "stops": Field(
            text, "what it stops: create, submit, schedule, start; of the rest it warns", many=True
        ),
        "custom.*": Field(text, "a field of its own, by its name"),
    },
)

ENVIRONMENTS: Final = Kind(
    name="environments",
    command="environments.environment.put",
    permission="environments.edit",
    keys=(("key",),),
    fields={
        "key": Field(text, "its key, such as sit2", required=True),
        "name": Field(text, "its name", required=True),
        "tier": Field(text, "how near it is to production, such as staging", required=True),
        "organisation": _ORGANISATION,
        "control": Field(text, "open, coordinated or controlled"),
        "status": Field(text, "planned, building, available, restricted or decommissioned"),
        "zone": Field(zone_name, "its time zone"),
        "shared": Field(boolean, "whether several teams use it at once"),
        "description": Field(text, "what it is for"),
        "position": Field(integer, "its order within the tier"),
        "custom.*": Field(text, "a field of its own, by its name"),
    },
)

ENVIRONMENT_GROUPS: Final = Kind(
    name="environment-groups",
    command="environments.group.put",
    permission="environments.edit",
    keys=(("key",),),
    fields={
        "key": Field(text, "its key, such as lane-1", required=True),
        "name": Field(text, "its name", required=True),
        "members": Field(text, "keys of the environments that are used together", required=True, many=True),
        "organisation": _ORGANISATION,
        "description": Field(text, "what it is for"),
    },
)

ENVIRONMENT_LINKS: Final = Kind(
    name="environment-links",
    command="environments.link.put",
    permission="environments.edit",
    keys=(("parent", "child"),),
    fields={
        "parent": Field(text, "key of the environment that takes the other", required=True),
        "child": Field(text, "key of the environment that is taken with it", required=True),
    },
)

HOLIDAYS: Final = Kind(
    name="holidays",
    command="calendars.holiday.put",
    permission="calendars.edit",
    keys=(("calendar", "day"), ("organisation", "day"), ("day",)),
    fields={
        "day": Field(day, "the day, such as 2027-12-25", required=True),
        "name": Field(text, "what it is called", required=True),
        "calendar": Field(text, "key of the working calendar; else that of the organisation"),
        "organisation": _ORGANISATION,
        "hours": Field(text, "its hours, such as 09:00-12:00; none: nobody works", many=True),
        "duration": Field(duration, "how long it lasts, in days"),
        "rrule": Field(text, "how it comes again (RFC 5545), followed for ten years"),
        "exdates": Field(day, "days that the rule leaves out", many=True),
    },
)

KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        *(ITEMS, RELATIONS, REDUNDANCIES, BUILDS, CHANGES, WINDOWS, HOLIDAYS),
        *(ENVIRONMENTS, ENVIRONMENT_GROUPS, ENVIRONMENT_LINKS),
    )
}


def kind_called(name: str) -> Kind:
    """Return a kind by its name.

    :raises Invalid: there is none; names those there are.
    """
    if name not in KINDS:
        raise Invalid.field("kind", f"“{name[:40]}” cannot be imported; there are {', '.join(KINDS)}.")
    return KINDS[name]
