"""What can be done to windows: freezes, blockouts, maintenance, holidays, information."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan, expect
from fairway.calendars import queries
from fairway.calendars.events import CalendarEvent
from fairway.calendars.models import (
    Window,
    WindowEnvironment,
    WindowGroup,
    WindowItem,
    WindowModel,
    stopped,
    when,
)
from fairway.calendars.rules import NOTICES, condition, reads
from fairway.calendars.rules import Window as Compiled
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Invalid, NotFound
from fairway.kernel.models import Row
from fairway.kernel.period import plannable
from fairway.kernel.text import line, prose
from fairway.policy.expressions import TEXT_LIMIT
from fairway.scheduling import Recurrence, Rule, zone
from fairway.workspace import queries as workspace

Instant = Annotated[datetime, Meta(tz=True)]
MOST_THINGS = 1_000
_ONCE, _AGAIN = ("starts_at", "ends_at"), ("local_start", "duration")


class CreateWindow(Command, name=CalendarEvent.WINDOW_CREATE):
    """Add a window: `starts_at` and `ends_at`, or `local_start`, `duration` and a rule.

    `stops`: the steps of changes that it refuses (create, submit, schedule, start; null: the last two); of
    the others it warns. `condition`: over the fields of a change, in CEL; what is no change then is free.
    `environment_groups`: it holds for what belongs to them at the time of asking.
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
    environment_groups: list[str] = []
    criticalities: list[int] = []
    tiers: list[str] = []
    change_models: list[str] = []
    condition: str = ""
    stops: list[str] | None = None
    downtime_only: bool = False
    custom: dict[str, Any] = {}

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        return _created(self, actor)


class _Saying(Command):
    """What may be said of a window; what is left out stays. Without an organisation it stays where it is."""

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
    environment_groups: list[str] | UnsetType = UNSET
    criticalities: list[int] | UnsetType = UNSET
    tiers: list[str] | UnsetType = UNSET
    change_models: list[str] | UnsetType = UNSET
    condition: str | UnsetType = UNSET
    stops: list[str] | UnsetType | None = UNSET
    downtime_only: bool | UnsetType = UNSET
    custom: dict[str, Any] | UnsetType = UNSET


class EditWindow(_Saying, name=CalendarEvent.WINDOW_EDIT, kw_only=True):
    """Change a window; what is left out stays."""

    permission: ClassVar[str] = "calendars.edit"
    undoable: ClassVar[bool] = True
    window: str
    version: int | None = None
    name: str | UnsetType = UNSET

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.window(actor, self.window)
        accounts.require(actor, self.permission, at=found.organisation_id)
        expect(found, self.version)
        if found.archived_at is not None:
            raise Conflict(f"{found.key} is archived; make a new one.", code="calendars.window.archived")
        return _edited(self, found, actor)


class PutWindow(_Saying, name=CalendarEvent.WINDOW_PUT, kw_only=True):
    """Add a window, or change the one that its organisation has under this name. What is left out stays.

    Two that do so at once meet at the organisation: the later one finds what the other added.
    """

    permission: ClassVar[str] = "calendars.edit"
    undoable: ClassVar[bool] = True
    name: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        organisation = home(actor, self.organisation or None)
        if lock:
            same = type(organisation)._default_manager.filter(pk=organisation.pk)
            same.select_for_update(no_key=True).values_list("pk").first()
        found = queries.window_called(actor, organisation, line(self.name, field="name"))
        if found is None:
            return _created(self, actor)
        accounts.require(actor, self.permission, at=found.organisation_id)
        expect(found, self.version)
        return _edited(self, found, actor)


def is_called(actor: Actor, name: str, organisation: str | UnsetType | None) -> bool:
    """Say whether there is a window that a PUT of this name would change.

    :raises Invalid: there is no such organisation. :raises Conflict: there are several.
    """
    where = home(actor, organisation or None)
    return queries.window_called(actor, where, line(name, field="name")) is not None


def drafted(given: CreateWindow, actor: Actor, *, at: datetime, key: str) -> tuple[Window, Compiled]:
    """Return the window that would be added, as a record and as the rules see it; nothing is written.

    :raises Forbidden: the actor may not add it. :raises Invalid: by field.
    """
    plan = given.plan(actor=actor, at=at)
    made = plan.subject
    assert isinstance(made, Window)  # noqa: S101 - that is what creating plans
    row = {name: getattr(made, name) for name in queries.COMPILED}
    named = {facet.name: [getattr(one, facet.column) for one in plan.create if isinstance(one, facet.model)]
             for facet in FACETS}  # fmt: skip
    compiled = queries.compiled(
        row,
        items=named["items"],
        environments=named["environments"],
        models=named["change_models"],
        groups=named["environment_groups"],
    )
    return made, replace(compiled, ref=replace(compiled.ref, key=key))


class WindowEdit(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """What an edit of a window changes; what is left out stays."""

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
    environment_groups: list[str] | UnsetType = UNSET
    criticalities: list[int] | UnsetType = UNSET
    tiers: list[str] | UnsetType = UNSET
    change_models: list[str] | UnsetType = UNSET
    condition: str | UnsetType = UNSET
    stops: list[str] | UnsetType | None = UNSET
    downtime_only: bool | UnsetType = UNSET
    custom: dict[str, Any] | UnsetType = UNSET

    def of(self, window: str, version: int | None) -> EditWindow:
        """Return the edit of a window that was read at a version."""
        values = {name: value for name in self.__struct_fields__
                  if (value := getattr(self, name)) is not UNSET}  # fmt: skip
        return EditWindow(window=window, version=version, **values)


def altered(given: EditWindow, actor: Actor, *, at: datetime) -> tuple[Window, Compiled]:
    """Return the window as it is, and as the rules would see it after the edit; nothing is written.

    :raises Forbidden: the actor may not edit it. And what the edit raises.
    """
    plan = given.plan(actor=actor, at=at)
    found = plan.subject
    assert isinstance(found, Window)  # noqa: S101 - that is what editing plans
    after = copy(found)
    for _row, values in plan.change:
        for name, value in values.items():
            setattr(after, name, value)
    row = {name: getattr(after, name) for name in queries.COMPILED}
    named = {}
    for facet in FACETS:
        gone = {getattr(one, facet.column) for one in plan.remove if isinstance(one, facet.model)}
        come = {getattr(one, facet.column) for one in plan.create if isinstance(one, facet.model)}
        stay = set(facet.model.objects.filter(window=found).values_list(facet.column, flat=True))
        named[facet.name] = (stay - gone) | come
    compiled = queries.compiled(
        row,
        items=named["items"],
        environments=named["environments"],
        models=named["change_models"],
        groups=named["environment_groups"],
    )
    return found, compiled


def settings(found: Window) -> dict[str, Any]:
    """Return what a window says, in the words of the commands: what it names by primary key, in order."""
    named = {
        facet.name: sorted(facet.model.objects.filter(window=found).values_list(facet.column, flat=True))
        if found.pk
        else []
        for facet in FACETS
    }
    columns = {name: getattr(found, name) for name in _NEW}
    return {"kind": found.window_kind, **columns, **named}


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
        if found.status == Window.Status.ENFORCED:
            raise Conflict(f"{found.key} is enforced; release it first.", code="calendars.lockdown.enforced")
        return Plan(subject=found, change=[] if found.archived_at else [(found, {"archived_at": at})])


@dataclass(frozen=True, slots=True)
class _Facet:
    """A kind of thing that a scope names: how it is read, and the rows that name it."""

    name: str
    model: Any
    column: str
    find: Callable[[Actor, Sequence[str]], Sequence[Any]]
    seen: Callable[[Actor, Collection[int]], Collection[int]]

    def read(self, actor: Actor, references: Sequence[str]) -> Sequence[Any]:
        return self.find(actor, _bounded(references, self.name))

    def row(self, window: Window, thing: int) -> Row:
        made: Row = self.model(window=window, **{self.column: thing})
        return made


FACETS = (
    _Facet("items", WindowItem, "item_id", queries.items, queries.seen_items),
    _Facet(
        "environments",
        WindowEnvironment,
        "environment_id",
        queries.environments,
        queries.seen_environments,
    ),
    _Facet("environment_groups", WindowGroup, "group_id", queries.groups, queries.seen_groups),
    _Facet("change_models", WindowModel, "model_id", queries.change_models, lambda _actor, pks: pks),
)

_NEW: Mapping[str, Any] = {
    "reason": "", "zone": "", "starts_at": None, "ends_at": None, "local_start": "", "duration": None,
    "rrule": "", "rdates": [], "exdates": [], "criticalities": [], "tiers": [], "condition": "",
    "stops": None, "downtime_only": False,
}  # fmt: skip


def _created(given: CreateWindow | PutWindow, actor: Actor) -> Plan:
    asked = _asked(given)
    organisation = home(actor, asked.pop("organisation", None))
    accounts.require(actor, given.permission, at=organisation.pk)
    if "kind" not in asked:
        raise Invalid.field("kind", f"The kind is needed: {', '.join(Window.Kind.values)}.")
    facets = {facet.name: facet.read(actor, asked.pop(facet.name, [])) for facet in FACETS}
    asked["zone"] = asked.get("zone") or actor.zone
    custom = asked.pop("custom", {})
    made = Window(organisation=organisation, **_values({**_NEW, **asked}))
    if made.window_kind == Window.Kind.LOCKDOWN:
        made.status, made.drafted_by_id = Window.Status.DRAFT, actor.pk
    made.custom = workspace.custom(
        actor, "window", custom, {}, kind=made.window_kind, organisation=organisation.pk, whole=True
    )
    rows: list[Row] = [made]
    for facet in FACETS:
        rows += [facet.row(made, thing.pk) for thing in facets[facet.name]]
    return Plan(subject=made, create=rows)


def _edited(given: EditWindow | PutWindow, found: Window, actor: Actor) -> Plan:
    if found.status not in {"", Window.Status.DRAFT, Window.Status.APPROVED}:
        raise Conflict(
            f"{found.key} is {found.status} and stays as it is; draft another lockdown.",
            code="calendars.lockdown.fixed",
        )
    asked = _asked(given)
    create: list[Row] = []
    remove: list[Row] = []
    for facet in FACETS:
        if facet.name in asked:
            wanted = [thing.pk for thing in facet.read(actor, asked.pop(facet.name))]
            rows = {getattr(row, facet.column): row for row in facet.model.objects.filter(window=found)}
            more, less = _difference(rows, wanted, facet.seen(actor, rows))
            create += [facet.row(found, pk) for pk in more]
            remove += less
    for row in remove:
        row.window = found  # type: ignore[attr-defined] # spares a look-up when the log asks whose it is
    organisation = asked.pop("organisation", None)
    custom = asked.pop("custom", None)
    known = {name: getattr(found, name) for name in _NEW}
    values = _values({**known, "name": found.name, "kind": found.window_kind, **asked})
    if organisation is not None:
        target = home(actor, organisation)
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
    if found.window_kind == Window.Kind.LOCKDOWN:
        values |= _redrafted(found, values, actor)
    elif values["window_kind"] == Window.Kind.LOCKDOWN:
        raise Invalid.field("kind", f"{found.key} is in force; a lockdown begins as a draft of its own.")
    return Plan(subject=found, create=create, change=[(found, values)], remove=remove)


def _redrafted(found: Window, values: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    """Return what else an edit of a lockdown changes: it needs approval again.

    :raises Invalid: it would be no lockdown any more.
    """
    if values["window_kind"] != Window.Kind.LOCKDOWN:
        raise Invalid.field("kind", f"{found.key} is a lockdown; cancel it and add a window instead.")
    return {"status": Window.Status.DRAFT, "approved_by": None, "drafted_by_id": actor.pk}


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
    values["condition"] = prose(values["condition"], field="condition", longest=TEXT_LIMIT)
    if values["condition"]:
        made = condition(values["condition"])
        if values["window_kind"] == Window.Kind.MAINTENANCE and any(reads(made, name) for name in NOTICES):
            raise Invalid.field("condition", "How much notice a change gives cannot decide where it may lie.")
    values["stops"] = _stops(values["window_kind"], values["stops"])
    known = [tier for tier, _ in queries.tiers()]
    given = {_one_of(tier, known, field="tiers") for tier in values["tiers"]}
    values["tiers"] = [tier for tier in known if tier in given]
    return {**values, **_times(values)}


def _stops(kind: str, given: Sequence[str] | None) -> list[str]:
    """Return what a window of the kind stops: what was asked for, else what is usual; in their order."""
    if kind in {Window.Kind.HOLIDAY, Window.Kind.INFORMATION, Window.Kind.BLOCKOUT}:
        if given and set(given) != set(stopped()):  # those may come along where the kind alone is changed
            raise Invalid.field(
                "stops", f"A window of the kind {kind} stops no steps of changes; leave this out."
            )
        return []
    wanted = stopped() if given is None else given
    if kind == Window.Kind.LOCKDOWN:
        wanted = ["start"] if given is None else [*given, "start"]  # work in flight is what it is for
    known = Window.Stops.values
    asked = {_one_of(step, known, field="stops") for step in wanted}
    return [step for step in known if step in asked]


def _times(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that say when: those of one period, or those of a recurrence; checked whole."""
    once = any(values[name] is not None for name in _ONCE)
    again = any(values[name] for name in (*_AGAIN, "rrule", "rdates", "exdates"))
    if values["window_kind"] == Window.Kind.LOCKDOWN:
        if once or again:
            raise Invalid.field(
                "starts_at", "A lockdown holds from when it is enforced until it is released; give no times."
            )
        return {}
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
            period = plannable(values["starts_at"], values["ends_at"])
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


def home(actor: Actor, reference: str | None) -> Any:
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
