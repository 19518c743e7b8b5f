"""Freezes and maintenance windows over the API."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query
from msgspec import UNSET, UnsetType

from fairway.accounts import queries as accounts
from fairway.accounts.bulk import Op, bulk
from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.calendars import commands, queries
from fairway.calendars.commands import Instant
from fairway.calendars.models import Window
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid
from fairway.kernel.listing import Page
from fairway.kernel.period import Period
from fairway.kernel.text import line
from fairway.workspace import queries as workspace

Kind = Literal[
    "hard_freeze", "soft_freeze", "lockdown", "booking_blockout", "maintenance", "holiday", "information"
]
LONGEST_SPAN = timedelta(days=366 * 5)


class KeyPath(msgspec.Struct):
    key: str


class WindowView(msgspec.Struct, kw_only=True):
    """One-off: `starts_at`, `ends_at`. Recurring: `local_start` (wall time in `zone`), `duration`, `rrule`.

    It holds for the branch of `organisation`, narrowed by `items`, `environments` with `environment_groups`
    (what belongs to them at the time of asking), `criticalities`, `tiers`, `change_models` and `condition`
    (CEL over the fields of a change) where they are not empty. `stops`: the steps of changes that it refuses;
    of the others it warns. `status`: of a lockdown, which holds from when it is enforced (`starts_at`) until
    it is released (`ends_at`).
    """

    key: str
    uid: str
    name: str
    kind: str
    reason: str
    organisation: RefView
    zone: str
    starts_at: datetime | None
    ends_at: datetime | None
    local_start: str
    duration: timedelta | None
    rrule: str
    rdates: list[str]
    exdates: list[str]
    items: list[RefView]
    environments: list[RefView]
    environment_groups: list[RefView]
    criticalities: list[int]
    tiers: list[str]
    change_models: list[RefView]
    condition: str
    stops: list[str]
    downtime_only: bool
    status: str
    custom: dict[str, Any]
    version: int
    created_at: datetime
    archived_at: datetime | None


class WindowRow(msgspec.Struct, kw_only=True):
    """A window in a list: all its fields, or those that `fields=` picked."""

    key: str | UnsetType = UNSET
    uid: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    kind: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    organisation: RefView | UnsetType = UNSET
    zone: str | UnsetType = UNSET
    starts_at: datetime | UnsetType | None = UNSET
    ends_at: datetime | UnsetType | None = UNSET
    local_start: str | UnsetType = UNSET
    duration: timedelta | UnsetType | None = UNSET
    rrule: str | UnsetType = UNSET
    rdates: list[str] | UnsetType = UNSET
    exdates: list[str] | UnsetType = UNSET
    items: list[RefView] | UnsetType = UNSET
    environments: list[RefView] | UnsetType = UNSET
    environment_groups: list[RefView] | UnsetType = UNSET
    criticalities: list[int] | UnsetType = UNSET
    tiers: list[str] | UnsetType = UNSET
    change_models: list[RefView] | UnsetType = UNSET
    condition: str | UnsetType = UNSET
    stops: list[str] | UnsetType = UNSET
    downtime_only: bool | UnsetType = UNSET
    status: str | UnsetType = UNSET
    custom: dict[str, Any] | UnsetType = UNSET
    version: int | UnsetType = UNSET
    created_at: datetime | UnsetType = UNSET
    archived_at: datetime | UnsetType | None = UNSET


class WindowList(msgspec.Struct, kw_only=True):
    items: list[WindowRow]
    next: str | None
    count: int | UnsetType = UNSET


class WindowPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A JSON merge patch (RFC 7396). To make a one-off window recur, null `starts_at` and `ends_at`."""

    name: str | UnsetType = UNSET
    kind: Kind | UnsetType = UNSET
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


class WindowBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """All of a window but its name. Without `zone` and `organisation`, and in `custom`, what is there stays.

    A new one then has the zone and the organisation of who adds it.
    """

    kind: Kind
    organisation: str | UnsetType = UNSET
    reason: str = ""
    zone: str | UnsetType = UNSET
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
    custom: dict[str, Any] | UnsetType = UNSET


class Span(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """A half-open span of at most five years."""

    start: Instant
    end: Instant


class OccurrenceView(msgspec.Struct, kw_only=True):
    starts_at: datetime
    ends_at: datetime


class Occurrences(msgspec.Struct, kw_only=True):
    items: list[OccurrenceView]


FIELDS = WindowView.__struct_fields__


def window_row(
    row: dict[str, Any], facets: queries.Facets, wanted: frozenset[str] | None = None
) -> WindowRow:
    """Return a row of the list as the API tells it."""
    values = {
        "key": f"{Window.prefix}-{row['number']}",
        "uid": str(row["uid"]),
        "kind": row["window_kind"],
        "organisation": RefView(
            kind="organisation",
            key=row["organisation__slug"],
            name=row["organisation__name"],
            uid=str(row["organisation__uid"]),
        ),
        "items": [ref_view(ref) for ref in facets.items],
        "environments": [ref_view(ref) for ref in facets.environments],
        "environment_groups": [ref_view(ref) for ref in facets.groups],
        "change_models": [ref_view(ref) for ref in facets.models],
    }
    names = FIELDS if wanted is None else wanted
    return WindowRow(**{name: values[name] if name in values else row[name] for name in names})


def window_view(actor: Actor, window: Window, facets: queries.Facets) -> WindowView:
    """Return a window as the API tells it, with the fields that the actor may see."""
    return WindowView(
        key=window.key,
        uid=str(window.uid),
        name=window.name,
        kind=window.window_kind,
        reason=window.reason,
        organisation=ref_view(window.organisation.ref()),
        zone=window.zone,
        starts_at=window.starts_at,
        ends_at=window.ends_at,
        local_start=window.local_start,
        duration=window.duration,
        rrule=window.rrule,
        rdates=window.rdates,
        exdates=window.exdates,
        items=[ref_view(ref) for ref in facets.items],
        environments=[ref_view(ref) for ref in facets.environments],
        environment_groups=[ref_view(ref) for ref in facets.groups],
        criticalities=window.criticalities,
        tiers=window.tiers,
        change_models=[ref_view(ref) for ref in facets.models],
        condition=window.condition,
        stops=window.stops,
        downtime_only=window.downtime_only,
        status=window.status,
        custom=workspace.seen(actor, "window", window),
        version=window.version,
        created_at=window.created_at,
        archived_at=window.archived_at,
    )


def _window(controller: ApiController, key: str, *, status: int = 200) -> HttpResponse:
    found = queries.window(controller.actor, key)
    view = window_view(controller.actor, found, queries.facets(controller.actor, [found.pk])[found.pk])
    location = f"/api/v1/windows/{found.key}" if status == 201 else ""
    return controller.answer(view, status=status, version=found.version, location=location)


class WindowsController(ApiController):
    """Freezes and maintenance windows."""

    @operation("calendars.view", WindowList, files=True)
    def get(self, parsed_query: Query[queries.WindowQuery]) -> HttpResponseBase:
        """List windows of visible organisations and of those above them; `q` finds words in the name."""
        accounts.require(self.actor, "calendars.view", at=None)

        def read(query: queries.WindowQuery) -> tuple[Page, list[WindowRow]]:
            page = queries.window_page(self.actor, query)
            facets = queries.facets(self.actor, [row["id"] for row in page.rows])
            seen = workspace.seen_all(self.actor, "window", page.rows)
            rows = zip(page.rows, seen, strict=True)
            return page, [window_row({**row, "custom": custom}, facets[row["id"]]) for row, custom in rows]

        return self.listed(parsed_query, read, FIELDS)

    @operation("calendars.edit", WindowView, status=201, etag=True, dry_run=True)
    def post(self, parsed_body: Body[commands.CreateWindow], parsed_query: Query[DryRun]) -> HttpResponse:
        """Add a window."""
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        outcome = self.run(parsed_body)
        return _window(self, outcome.subject.uid if outcome.subject else "", status=201)


class WindowController(ApiController):
    """One freeze or maintenance window."""

    @operation("calendars.view", WindowView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read a window by key or uid."""
        accounts.require(self.actor, "calendars.view", at=None)
        return _window(self, parsed_path.key)

    @operation("calendars.edit", WindowView, etag=True, dry_run=True)
    def patch(
        self, parsed_path: Path[KeyPath], parsed_body: Body[WindowPatch], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Change what is given."""
        command = commands.EditWindow(
            window=parsed_path.key, version=self.expected(), **msgspec.structs.asdict(parsed_body)
        )
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _window(self, parsed_path.key)

    @operation("calendars.edit", WindowView, also={201: WindowView}, etag=True, dry_run=True)
    def put(
        self, parsed_path: Path[KeyPath], parsed_body: Body[WindowBody], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Create or replace a window by its name in the organisation, or replace one by key or uid.

        Replacing needs If-Match.
        """
        key, body = parsed_path.key, msgspec.structs.asdict(parsed_body)
        command: commands.EditWindow | commands.PutWindow
        if Window.lookup(key) is not None:
            command = commands.EditWindow(window=key, version=self.expected(), **body)
        else:
            if line(key, field="name") != key:
                raise Invalid.field("name", "A name is one line, without blanks around it.")
            known = commands.is_called(self.actor, key, parsed_body.organisation)
            command = commands.PutWindow(name=key, version=self.expected(required=known), **body)
        if parsed_query.dry_run:
            return self.preview(command)
        outcome = self.run(command)
        uid = outcome.subject.uid if outcome.subject else ""
        return _window(self, uid, status=201 if outcome.created else 200)

    @operation("calendars.edit", WindowView, etag=True, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Archive a window: it is no longer in force and stays on record."""
        command = commands.ArchiveWindow(window=parsed_path.key, version=self.expected())
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _window(self, parsed_path.key)


def _step(controller: ApiController, verb: str, key: str, *, dry_run: bool) -> HttpResponse:
    command = commands.LOCKDOWN_STEPS[verb](window=key, version=controller.expected(required=False))
    if dry_run:
        return controller.preview(command)
    controller.run(command)
    return _window(controller, key)


class ApproveController(ApiController):
    """The approval of a lockdown."""

    @operation("calendars.edit", WindowView, etag=True, dry_run=True)
    def post(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Say yes to a drafted lockdown; who drafted it cannot."""
        return _step(self, "approve", parsed_path.key, dry_run=parsed_query.dry_run)


class EnforceController(ApiController):
    """The beginning of a lockdown."""

    @operation("calendars.edit", WindowView, etag=True, dry_run=True)
    def post(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Put an approved lockdown in force; work in flight is held in the same transaction."""
        return _step(self, "enforce", parsed_path.key, dry_run=parsed_query.dry_run)


class ReleaseController(ApiController):
    """The end of a lockdown."""

    @operation("calendars.edit", WindowView, etag=True, dry_run=True)
    def post(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """End a lockdown; what it held goes on, what a person held stays held."""
        return _step(self, "release", parsed_path.key, dry_run=parsed_query.dry_run)


class CancelController(ApiController):
    """Giving up a lockdown."""

    @operation("calendars.edit", WindowView, etag=True, dry_run=True)
    def post(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Give up a lockdown that was not enforced."""
        return _step(self, "cancel", parsed_path.key, dry_run=parsed_query.dry_run)


class OccurrencesController(ApiController):
    """When a window comes."""

    @operation("calendars.view", Occurrences)
    def get(self, parsed_path: Path[KeyPath], parsed_query: Query[Span]) -> HttpResponse:
        """List the occurrences that overlap a span, whole; those that touch are told as one."""
        accounts.require(self.actor, "calendars.view", at=None)
        found = queries.window(self.actor, parsed_path.key)
        if parsed_query.end <= parsed_query.start:
            raise Invalid.field("to", "The span ends where it starts, or before; it needs a length.")
        span = Period(parsed_query.start, parsed_query.end)
        if span.length > LONGEST_SPAN:
            raise Invalid.field("to", "The span is longer than five years; ask for a shorter one.")
        items = [
            OccurrenceView(starts_at=one.start, ends_at=one.end)
            for one in queries.occurrences(found.ref(), span)
        ]
        return self.answer(Occurrences(items=items))


OPS = {
    "create": Op(commands.CreateWindow),
    "put": Op(commands.PutWindow),
    "patch": Op(commands.EditWindow, "window", versioned=True),
    "archive": Op(commands.ArchiveWindow, "window", versioned=True),
}

urls = [
    path("windows", WindowsController.as_view(), name="windows"),
    path("windows/bulk", bulk("calendars.edit", OPS, what="windows").as_view(), name="windows-bulk"),
    path("windows/<str:key>", WindowController.as_view(), name="window"),
    path("windows/<str:key>/approve", ApproveController.as_view(), name="window-approve"),
    path("windows/<str:key>/enforce", EnforceController.as_view(), name="window-enforce"),
    path("windows/<str:key>/release", ReleaseController.as_view(), name="window-release"),
    path("windows/<str:key>/cancel", CancelController.as_view(), name="window-cancel"),
    path("windows/<str:key>/occurrences", OccurrencesController.as_view(), name="window-occurrences"),
]
