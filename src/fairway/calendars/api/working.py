"""Working calendars over the API."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query
from msgspec import UNSET, UnsetType

from fairway.accounts import queries as accounts
from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.calendars import commands, queries
from fairway.calendars.commands import Instant
from fairway.calendars.models import WorkingCalendar
from fairway.kernel.api import list_of
from fairway.kernel.errors import Invalid
from fairway.kernel.listing import Page
from fairway.kernel.period import Period

LONGEST_SPAN = timedelta(days=366 * 5)


class KeyPath(msgspec.Struct):
    key: str


class DayPath(msgspec.Struct):
    key: str
    day: date


class DayView(msgspec.Struct, kw_only=True):
    """A day that differs from its weekday; without hours it is a holiday."""

    day: date
    name: str
    hours: list[str]


class WorkingCalendarView(msgspec.Struct, kw_only=True):
    """When an organisation works, and all below it without a calendar of their own.

    `hours`: by weekday, in `zone`. `differing`: how many days are not as their weekday.
    """

    key: str
    uid: str
    name: str
    zone: str
    hours: dict[str, list[str]]
    differing: int
    organisation: RefView
    version: int
    created_at: datetime
    archived_at: datetime | None


WorkingCalendarList = list_of(WorkingCalendarView)


class WorkingCalendarDays(msgspec.Struct, kw_only=True):
    items: list[DayView]


class WorkingCalendarPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A JSON merge patch (RFC 7396), but `hours` is taken as a whole."""

    name: str | UnsetType = UNSET
    zone: str | UnsetType = UNSET
    hours: dict[str, list[str]] | UnsetType = UNSET
    organisation: str | UnsetType = UNSET


class WorkingCalendarBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """All of a working calendar but its key and its days."""

    name: str
    hours: dict[str, list[str]]
    zone: str | UnsetType = UNSET
    organisation: str | UnsetType = UNSET


class DayBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a day is: without `hours` nobody works. `duration`, `rrule`: more such days, in a row or again."""

    name: str
    hours: list[str] = []
    duration: timedelta = timedelta(days=1)
    rrule: str = ""
    exdates: list[date] = []


class Span(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """A half-open span of at most five years."""

    start: Instant
    end: Instant


class WorkingTimeView(msgspec.Struct, kw_only=True):
    """How much is worked in a span. `days`: working days that begin in it, as local days."""

    hours: float
    days: int
    working_now: bool
    next_working: datetime | None


def working_row(row: dict[str, Any]) -> WorkingCalendarView:
    """Return a row of the list as the API tells it."""
    return WorkingCalendarView(
        key=row["slug"],
        uid=str(row["uid"]),
        name=row["name"],
        zone=row["zone"],
        hours=row["hours"],
        differing=row["differing"],
        organisation=RefView(
            kind="organisation",
            key=row["organisation__slug"],
            name=row["organisation__name"],
            uid=str(row["organisation__uid"]),
        ),
        version=row["version"],
        created_at=row["created_at"],
        archived_at=row["archived_at"],
    )


def _told(controller: ApiController, key: str, *, status: int = 200) -> HttpResponse:
    found: WorkingCalendar = queries.working_calendar(controller.actor, key)
    view = WorkingCalendarView(
        key=found.slug,
        uid=str(found.uid),
        name=found.name,
        zone=found.zone,
        hours=found.hours,
        differing=len(queries.days_of(found)),
        organisation=ref_view(found.organisation.ref()),
        version=found.version,
        created_at=found.created_at,
        archived_at=found.archived_at,
    )
    location = f"/api/v1/working-calendars/{found.slug}" if status == 201 else ""
    return controller.answer(view, status=status, version=found.version, location=location)


class WorkingCalendarsController(ApiController):
    """Working calendars."""

    @operation("calendars.view", WorkingCalendarList, files=True)
    def get(self, parsed_query: Query[queries.WorkingQuery]) -> HttpResponseBase:
        """List working calendars of visible organisations and of those above them."""
        accounts.require(self.actor, "calendars.view", at=None)

        def read(query: queries.WorkingQuery) -> tuple[Page, list[WorkingCalendarView]]:
            page = queries.working_page(self.actor, query)
            return page, [working_row(row) for row in page.rows]

        return self.listed(parsed_query, read, WorkingCalendarView.__struct_fields__)

    @operation("calendars.edit", WorkingCalendarView, status=201, etag=True, dry_run=True)
    def post(
        self, parsed_body: Body[commands.CreateWorkingCalendar], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Say when an organisation works; it has one working calendar at a time."""
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        self.run(parsed_body)
        return _told(self, parsed_body.key, status=201)


class WorkingCalendarController(ApiController):
    """One working calendar."""

    @operation("calendars.view", WorkingCalendarView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read a working calendar by key or uid."""
        accounts.require(self.actor, "calendars.view", at=None)
        return _told(self, parsed_path.key)

    @operation("calendars.edit", WorkingCalendarView, etag=True, dry_run=True)
    def patch(
        self,
        parsed_path: Path[KeyPath],
        parsed_body: Body[WorkingCalendarPatch],
        parsed_query: Query[DryRun],
    ) -> HttpResponse:
        """Change what is given."""
        command = commands.EditWorkingCalendar(
            calendar=parsed_path.key, version=self.expected(), **msgspec.structs.asdict(parsed_body)
        )
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _told(self, parsed_path.key)

    @operation(
        "calendars.edit", WorkingCalendarView, also={201: WorkingCalendarView}, etag=True, dry_run=True
    )
    def put(
        self,
        parsed_path: Path[KeyPath],
        parsed_body: Body[WorkingCalendarBody],
        parsed_query: Query[DryRun],
    ) -> HttpResponse:
        """Create or replace a working calendar by its key; replacing needs If-Match. Its days stay."""
        known = queries.working_exists(self.actor, parsed_path.key)
        command = commands.PutWorkingCalendar(
            key=parsed_path.key,
            version=self.expected(required=known),
            **msgspec.structs.asdict(parsed_body),
        )
        if parsed_query.dry_run:
            return self.preview(command)
        outcome = self.run(command)
        return _told(self, parsed_path.key, status=201 if outcome.created else 200)

    @operation("calendars.edit", WorkingCalendarView, etag=True, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Archive a working calendar: the nearest one above its organisation counts then."""
        command = commands.ArchiveWorkingCalendar(calendar=parsed_path.key, version=self.expected())
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _told(self, parsed_path.key)


class WorkingDaysController(ApiController):
    """The days of a working calendar that differ."""

    @operation("calendars.view", WorkingCalendarDays)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """List holidays, and days with hours of their own, in order."""
        accounts.require(self.actor, "calendars.view", at=None)
        found = queries.working_calendar(self.actor, parsed_path.key)
        days = [DayView(day=one.day, name=one.name, hours=one.hours) for one in queries.days_of(found)]
        return self.answer(WorkingCalendarDays(items=days))


class WorkingDayController(ApiController):
    """One day of a working calendar that differs."""

    @operation("calendars.edit", WorkingCalendarView, etag=True, dry_run=True)
    def put(
        self, parsed_path: Path[DayPath], parsed_body: Body[DayBody], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Make a day a holiday, or give it hours of its own."""
        command = commands.PutHoliday(
            calendar=parsed_path.key, day=parsed_path.day, **msgspec.structs.asdict(parsed_body)
        )
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _told(self, parsed_path.key)

    @operation("calendars.edit", WorkingCalendarView, etag=True, dry_run=True)
    def delete(self, parsed_path: Path[DayPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Have a day be again as its weekday."""
        command = commands.RemoveHoliday(calendar=parsed_path.key, day=parsed_path.day)
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _told(self, parsed_path.key)


class WorkingTimeController(ApiController):
    """Working time by a calendar."""

    @operation("calendars.view", WorkingTimeView)
    def get(self, parsed_path: Path[KeyPath], parsed_query: Query[Span]) -> HttpResponse:
        """Tell how much is worked in a span, and when work goes on from its start."""
        accounts.require(self.actor, "calendars.view", at=None)
        found = queries.working_calendar(self.actor, parsed_path.key)
        if parsed_query.end <= parsed_query.start:
            raise Invalid.field("to", "The span ends where it starts, or before; it needs a length.")
        span = Period(parsed_query.start, parsed_query.end)
        if span.length > LONGEST_SPAN:
            raise Invalid.field("to", "The span is longer than five years; ask for a shorter one.")
        time = queries.compiled_calendar(found, queries.days_of(found)).time
        first, last = (time.local_day(at) for at in (span.start, span.end))
        return self.answer(
            WorkingTimeView(
                hours=time.between(span.start, span.end) / queries.HOUR,
                days=time.days_between(first, last),
                working_now=time.is_working(span.start),
                next_working=time.next_working(span.start),
            )
        )


urls = [
    path("working-calendars", WorkingCalendarsController.as_view(), name="working-calendars"),
    path("working-calendars/<str:key>", WorkingCalendarController.as_view(), name="working-calendar"),
    path("working-calendars/<str:key>/days", WorkingDaysController.as_view(), name="working-days"),
    path("working-calendars/<str:key>/days/<str:day>", WorkingDayController.as_view(), name="working-day"),
    path("working-calendars/<str:key>/time", WorkingTimeController.as_view(), name="working-time"),
]
