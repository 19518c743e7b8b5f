"""What can be done to freezes and maintenance windows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar

from msgspec import UNSET, Meta, UnsetType

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan, expect
from fairway.calendars import queries
from fairway.calendars.events import CalendarEvent
from fairway.calendars.models import Window, WindowEnvironment, WindowItem, when
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Invalid, NotFound
from fairway.kernel.models import Row
from fairway.kernel.period import Period
from fairway.kernel.text import line, prose
from fairway.scheduling import Recurrence, Rule, zone
from fairway.workspace import queries as workspace

Instant = Annotated[datetime, Meta(tz=True)]
MOST_THINGS = 1_000
_ONCE, _AGAIN = ("starts_at", "ends_at"), ("local_start", "duration")


class CreateWindow(Command, name=CalendarEvent.WINDOW_CREATE):
    """Add a freeze or maintenance window: `starts_at` and `ends_at`, or `local_start`, `duration` and a rule.

    Without `organisation` it goes to that of who adds it, without `zone` its wall times are in theirs.
    """

    permission: ClassVar[str] = "calendars.edit"
    undoable: ClassVar[bool] = True
    name: str
    kind: str
    organisation: str | None = None
    reason: str = ""
    zone: str = ""
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    local_start: str = ""
    duration: timedelta | None = None
    rrule: str = ""
    rdates: list[str] = []
    exdates: list[str] = []
    items: list[str] = []
    environments: list[str] = []
    criticalities: list[int] = []
    tiers: list[str] = []
    custom: dict[str, Any] = {}

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        return _created(self, actor)


class EditWindow(Command, name=CalendarEvent.WINDOW_EDIT):
    """Change a window; what is left out stays."""

    permission: ClassVar[str] = "calendars.edit"
    undoable: ClassVar[bool] = True
    window: str
    version: int | None = None
    name: str | UnsetType = UNSET
    kind: str | UnsetType = UNSET
    organisation: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    zone: str | UnsetType = UNSET
    starts_at: Instant | UnsetType | None = UNSET
    ends_at: Instant | UnsetType | None = UNSET
    local_start: str | UnsetType = UNSET
    duration: timedelta | UnsetType | None = UNSET
    rrule: str | UnsetType = UNSET
    rdates: list[str] | UnsetType = UNSET
    exdates: list[str] | UnsetType = UNSET
    items: list[str] | UnsetType = UNSET
    environments: list[str] | UnsetType = UNSET
    criticalities: list[int] | UnsetType = UNSET
    tiers: list[str] | UnsetType = UNSET
    custom: dict[str, Any] | UnsetType = UNSET

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.window(actor, self.window)
        accounts.require(actor, self.permission, at=found.organisation_id)
        expect(found, self.version)
        if found.archived_at is not None:
            raise Conflict(f"{found.key} is archived; make a new one.", code="calendars.window.archived")
        return _edited(self, found, actor)


class PutWindow(Command, name=CalendarEvent.WINDOW_PUT):
    """Add a window, or change the one that its organisation has under this name. What is left out stays."""

    permission: ClassVar[str] = "calendars.edit"
    undoable: ClassVar[bool] = True
    name: str
    kind: str | UnsetType = UNSET
    organisation: str | UnsetType | None = UNSET
    reason: str | UnsetType = UNSET
    zone: str | UnsetType = UNSET
    starts_at: Instant | UnsetType | None = UNSET
    ends_at: Instant | UnsetType | None = UNSET
    local_start: str | UnsetType = UNSET
    duration: timedelta | UnsetType | None = UNSET
    rrule: str | UnsetType = UNSET
    rdates: list[str] | UnsetType = UNSET
    exdates: list[str] | UnsetType = UNSET
    items: list[str] | UnsetType = UNSET
    environments: list[str] | UnsetType = UNSET
    criticalities: list[int] | UnsetType = UNSET
    tiers: list[str] | UnsetType = UNSET
    custom: dict[str, Any] | UnsetType = UNSET

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        organisation = _organisation(actor, self.organisation or None)
        named = queries.windows(actor).filter(
            organisation=organisation, name=line(self.name, field="name"), archived_at=None
        )
        found = list(named.order_by("pk")[:2])
        if len(found) > 1:
            raise Conflict(
                f"{organisation.slug} has several windows called “{self.name}”; rename one of them.",
                code="calendars.window.ambiguous",
            )
        if not found:
            return _created(self, actor)
        accounts.require(actor, self.permission, at=found[0].organisation_id)
        return _edited(self, found[0], actor)


class ArchiveWindow(Command, name=CalendarEvent.WINDOW_ARCHIVE):
    """Take a window out of force; it stays on record."""

    permission: ClassVar[str] = "calendars.edit"
    undoable: ClassVar[bool] = True
    window: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.window(actor, self.window)
        accounts.require(actor, self.permission, at=found.organisation_id)
        expect(found, self.version)
        return Plan(subject=found, change=[] if found.archived_at else [(found, {"archived_at": at})])


_NEW: Mapping[str, Any] = {
    "reason": "", "zone": "", "starts_at": None, "ends_at": None, "local_start": "", "duration": None,
    "rrule": "", "rdates": [], "exdates": [], "criticalities": [], "tiers": [],
}  # fmt: skip


def _created(given: CreateWindow | PutWindow, actor: Actor) -> Plan:
    asked = _asked(given)
    organisation = _organisation(actor, asked.pop("organisation", None))
    accounts.require(actor, given.permission, at=organisation.pk)
    if "kind" not in asked:
        raise Invalid.field("kind", f"The kind is needed: {', '.join(Window.Kind.values)}.")
    items = queries.items(actor, _bounded(asked.pop("items", []), "items"))
    environments = queries.environments(actor, _bounded(asked.pop("environments", []), "environments"))
    asked["zone"] = asked.get("zone") or actor.zone
    custom = asked.pop("custom", {})
    made = Window(organisation=organisation, **_values({**_NEW, **asked}))
    made.custom = workspace.custom(
        actor, "window", custom, {}, kind=made.window_kind, organisation=organisation.pk, whole=True
    )
    rows: list[Row] = [made]
    rows += [WindowItem(window=made, item_id=item.pk) for item in items]
    rows += [WindowEnvironment(window=made, environment_id=place.pk) for place in environments]
    return Plan(subject=made, create=rows)


def _edited(given: EditWindow | PutWindow, found: Window, actor: Actor) -> Plan:
    asked = _asked(given)
    create: list[Row] = []
    remove: list[Row] = []
    if "items" in asked:
        things = queries.items(actor, _bounded(asked.pop("items"), "items"))
        rows = {row.item_id: row for row in WindowItem.objects.filter(window=found)}
        more, less = _difference(rows, [thing.pk for thing in things], queries.seen_items(actor, rows))
        create += [WindowItem(window=found, item_id=pk) for pk in more]
        remove += less
    if "environments" in asked:
        things = queries.environments(actor, _bounded(asked.pop("environments"), "environments"))
        places = {row.environment_id: row for row in WindowEnvironment.objects.filter(window=found)}
        seen = queries.seen_environments(actor, places)
        more, less = _difference(places, [thing.pk for thing in things], seen)
        create += [WindowEnvironment(window=found, environment_id=pk) for pk in more]
        remove += less
    for row in remove:
        row.window = found  # type: ignore[attr-defined] # spares a look-up when the log asks whose it is
    organisation = asked.pop("organisation", None)
    custom = asked.pop("custom", None)
    known = {name: getattr(found, name) for name in _NEW}
    values = _values({**known, "name": found.name, "kind": found.window_kind, **asked})
    if organisation is not None:
        target = _organisation(actor, organisation)
        accounts.require(actor, given.permission, at=target.pk)
        values["organisation"] = target
    if custom is not None or values["window_kind"] != found.window_kind:
        values["custom"] = workspace.custom(
            actor,
            "window",
            custom or {},
            found.custom,
            kind=values["window_kind"],
            organisation=found.organisation_id,
            before=found.window_kind,
        )
    if create or remove:
        values["scope_edits"] = found.scope_edits + 1
    return Plan(subject=found, create=create, change=[(found, values)], remove=remove)


def _difference(
    rows: Mapping[int, Row], wanted: Sequence[int], seen: Collection[int]
) -> tuple[list[int], list[Row]]:
    """Return what is to be added and removed; what the actor cannot see stays."""
    more = [pk for pk in wanted if pk not in rows]
    return more, [row for pk, row in rows.items() if pk not in wanted and pk in seen]


def _asked(given: CreateWindow | EditWindow | PutWindow) -> dict[str, Any]:
    left_out = {"window", "version"}
    return {
        name: value
        for name in given.__struct_fields__
        if name not in left_out and (value := getattr(given, name)) is not UNSET
    }


def _values(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a window that is to be as asked for.

    :raises Invalid: something has no sense, by field.
    """
    values = dict(asked)
    values["window_kind"] = _one_of(values.pop("kind"), Window.Kind.values, field="kind")
    values["name"] = line(values["name"], field="name")
    values["reason"] = prose(values["reason"], field="reason", longest=4_000)
    zone(values["zone"])
    values["criticalities"] = sorted(set(values["criticalities"]))
    if values["criticalities"] and not {1, 2, 3, 4} >= set(values["criticalities"]):
        raise Invalid.field("criticalities", "A criticality goes from 1 (most critical) to 4.")
    known = [tier for tier, _ in queries.tiers()]
    given = {_one_of(tier, known, field="tiers") for tier in values["tiers"]}
    values["tiers"] = [tier for tier in known if tier in given]
    return {**values, **_times(values)}


def _times(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that say when: those of one period, or those of a recurrence; checked whole."""
    once = any(values[name] is not None for name in _ONCE)
    again = any(values[name] for name in (*_AGAIN, "rrule", "rdates", "exdates"))
    if once == again:
        raise Invalid.field(
            "starts_at",
            "Give starts_at and ends_at for a window that comes once, or local_start and duration"
            " for one that comes again.",
        )
    for name in _ONCE if once else _AGAIN:
        if not values[name]:
            raise Invalid.field(name, f"{name} is needed as well.")
    if once:
        try:
            period = Period(values["starts_at"], values["ends_at"])
        except Invalid as cause:
            raise Invalid.field("ends_at", cause.detail) from cause
        unused: dict[str, Any] = {
            "local_start": "",
            "duration": None,
            "rrule": "",
            "rdates": [],
            "exdates": [],
        }
        return {**unused, "starts_at": period.start, "ends_at": period.end}
    columns: dict[str, Any] = {
        "local_start": _wall(values["local_start"], "local_start"),
        "duration": values["duration"],
        "rrule": str(Rule.parse(values["rrule"])) if values["rrule"].strip() else "",
        "rdates": sorted({_wall(text, "rdates") for text in values["rdates"]}),
        "exdates": sorted({_wall(text, "exdates") for text in values["exdates"]}),
    }
    recurrence = when(
        None, None, columns["local_start"], columns["duration"], values["zone"], columns["rrule"],
        columns["rdates"], columns["exdates"],
    )  # fmt: skip
    if isinstance(recurrence, Recurrence):
        recurrence.check()
    return {**columns, "starts_at": None, "ends_at": None}


def _wall(text: str, field: str) -> str:
    """Return a wall time in ISO 8601 without offset."""
    try:
        local = datetime.fromisoformat(text.strip())
    except ValueError as cause:
        raise Invalid.field(
            field, f"“{text[:40]}” is not a local time; write it as 2027-01-04T22:00."
        ) from cause
    if local.tzinfo is not None:
        raise Invalid.field(
            field, f"“{text[:40]}” has an offset; give the local time alone, its zone beside it."
        )
    return local.isoformat()


def _one_of(text: str, known: Iterable[str], *, field: str) -> str:
    if text not in known:
        raise Invalid.field(field, f"“{text[:40]}” is not possible here; there are {', '.join(known)}.")
    return text


def _bounded(references: Sequence[str], field: str) -> Sequence[str]:
    if len(references) > MOST_THINGS:
        raise Invalid.field(field, f"{len(references)} are too many; name at most {MOST_THINGS:,}.")
    return references


def _organisation(actor: Actor, reference: str | None) -> Any:
    """Return the organisation of the window; without a reference, that of the actor.

    :raises Invalid: there is none (for the actor).
    """
    try:
        if reference is not None:
            return accounts.organisation(actor, reference)
        found = accounts.root() if actor.is_system else accounts.user(actor, actor.uid).organisation
    except NotFound as problem:
        raise Invalid.field("organisation", problem.detail) from problem
    if found is None:
        raise Invalid.field("organisation", "There is no organisation yet; make one first.")
    return found
