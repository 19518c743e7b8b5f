"""Pages of working calendars: all of them, a record with its days, its forms."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fairway.accounts import queries as accounts
from fairway.accounts.web import page, way_back
from fairway.audit.commands import Command, execute
from fairway.calendars import commands, queries
from fairway.calendars.models import CalendarDay, WorkingCalendar
from fairway.calendars.pages.windows import reader, tabs_of, version_of
from fairway.calendars.working_forms import DAYS, HolidayForm, WorkingForm, written
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Invalid, NotFound, Stale
from fairway.kernel.refs import Ref
from fairway.scheduling import WEEK
from fairway.ui import toasts

FORM_FIELDS = {"duration": "last", "rrule": "yearly"}


def hours_of(calendar: Any) -> str:
    """Return the hours of a week in one line, days with equal ones together: Mon-Fri 09:00-17:00."""
    names = [str(name)[:3] for name in DAYS]
    parts: list[str] = []
    position = 0
    while position < len(WEEK):
        spans = calendar.get(WEEK[position], [])
        last = position
        while last + 1 < len(WEEK) and calendar.get(WEEK[last + 1], []) == spans:
            last += 1
        if spans:
            days = names[position] if last == position else f"{names[position]}–{names[last]}"
            parts.append(f"{days} {written(spans)}")
        position = last + 1
    return "; ".join(parts)


@require_GET
@page
def calendars(request: HttpRequest) -> HttpResponseBase:
    """Show all working calendars."""
    actor = reader(request)
    archived = request.GET.get("archived") == "true"
    rows = [
        {
            "key": row["slug"],
            "href": f"/working-calendars/{row['slug']}",
            "name": row["name"],
            "organisation": row["organisation__name"],
            "zone": row["zone"],
            "hours": hours_of(row["hours"]),
            "differing": row["differing"],
        }
        for row in queries.working_page(
            actor, queries.WorkingQuery(limit=1000, archived=archived or None)
        ).rows
    ]
    context = {
        "rows": rows,
        "tabs": tabs_of("working"),
        "archived": archived,
        "usual": hours_of(queries.USUAL_WEEK),
        "may_edit": accounts.access(actor).may("calendars.edit", None),
    }
    return render(request, "calendars/working_calendars.html", context)


def _record(actor: Actor, found: WorkingCalendar) -> dict[str, Any]:
    href = f"/working-calendars/{found.slug}"
    steps: list[dict[str, Any]] = []
    if accounts.access(actor).may("calendars.edit", found.organisation_id):
        if found.archived_at is None:
            steps = [
                {"name": "edit", "label": _("Edit"), "href": f"{href}/edit"},
                {
                    "name": "archive",
                    "label": _("Archive…"),
                    "url": f"{href}/archive",
                    "tone": "danger",
                    "fields": {"version": found.version},
                    "ask": {
                        "title": _("Archive %(key)s?") % {"key": found.slug},
                        "text": _("The nearest working calendar above counts from then on."),
                    },
                },
            ]
        else:
            steps = [
                {
                    "name": "restore",
                    "label": _("Use again"),
                    "url": f"{href}/restore",
                    "fields": {"version": found.version},
                }
            ]
    return {
        "key": found.slug,
        "href": href,
        "title": found.name,
        "kind": _("Working calendar"),
        "state": "active" if found.archived_at is None else "retired",
        "state_word": _("In use") if found.archived_at is None else _("Archived"),
        "steps": steps,
    }


def _days(days: list[CalendarDay], today: date) -> list[dict[str, Any]]:
    return [
        {"day": one.day, "name": one.name, "hours": written(one.hours), "over": one.day < today}
        for one in days
    ]


def _shown(
    request: HttpRequest, key: str, form: HolidayForm | None = None, status: int = 200
) -> HttpResponseBase:
    actor = reader(request)
    found = queries.working_calendar(actor, key)
    if form is None and key != found.slug:
        return redirect(f"/working-calendars/{found.slug}")
    days = queries.days_of(found)
    now = datetime.now(UTC)
    working = queries.compiled_calendar(found, days).time
    lines = _days(days, working.local_day(now))
    may_edit = found.archived_at is None and accounts.access(actor).may(
        "calendars.edit", found.organisation_id
    )
    context = {
        "record": _record(actor, found),
        "calendar": found,
        "hours": [
            (str(label), written(found.hours.get(day, []))) for day, label in zip(WEEK, DAYS, strict=True)
        ],
        "working_now": working.is_working(now),
        "next_working": working.next_working(now),
        "ahead": [one for one in lines if not one["over"]],
        "past": [one for one in lines if one["over"]],
        "may_edit": may_edit,
        "form": (form or HolidayForm()) if may_edit else None,
        "activity": "/activity?" + urlencode({"kind": "working-calendar", "subject": str(found.uid)}),
    }
    return render(request, "calendars/working_calendar.html", context, status=status)


@require_GET
@page
def calendar(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show one working calendar: its hours, and the days that differ."""
    return _shown(request, key)


def _submit(form: Any, command: Command, actor: Actor) -> tuple[Ref | None, int]:
    """Run the command; what it refuses goes to the fields. Return its subject, or None and the status."""
    try:
        return execute(command, actor=actor).subject, 200
    except (Invalid, Conflict) as problem:
        for error in problem.errors:
            name = FORM_FIELDS.get(error.field, error.field)
            form.add_error(name if name in form.fields else None, error.message)
        if not problem.errors:
            form.add_error(None, problem.detail)
        return None, problem.status


def _crumbs(found: WorkingCalendar | None = None) -> list[dict[str, str]]:
    crumbs = [{"label": _("Working calendars"), "href": "/working-calendars"}]
    if found is not None:
        crumbs.append({"label": found.slug, "href": f"/working-calendars/{found.slug}"})
    return crumbs


@require_http_methods(["GET", "POST"])
@page
def new(request: HttpRequest) -> HttpResponseBase:
    """Make a working calendar."""
    actor = reader(request)
    accounts.require(actor, "calendars.edit", at=None)
    form = WorkingForm(request.POST or None, actor=actor)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            made, status = _submit(form, commands.CreateWorkingCalendar(**form.values()), actor)
            if made is not None:
                toasts.done(request, _("%(key)s was added.") % {"key": made.key}, undo=way_back(request))
                return redirect(f"/working-calendars/{made.key}")
    context = {
        "title": _("New working calendar"),
        "lead": _("When an organisation works. Its holidays are added to it afterwards."),
        "form": form,
        "submit": _("Add working calendar"),
        "cancel": "/working-calendars",
        "crumbs": _crumbs(),
    }
    return render(request, "calendars/working_form.html", context, status=status)


@require_http_methods(["GET", "POST"])
@page
def edit(request: HttpRequest, key: str) -> HttpResponseBase:
    """Change a working calendar."""
    actor = reader(request)
    found = queries.working_calendar(actor, key)
    accounts.require(actor, "calendars.edit", at=found.organisation_id)
    form = WorkingForm(request.POST or None, actor=actor, calendar=found)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            command = commands.EditWorkingCalendar(
                calendar=found.slug, version=form.cleaned_data["version"], **form.values()
            )
            try:
                made, status = _submit(form, command, actor)
            except Stale as problem:
                form.add_error(None, _("Somebody changed this meanwhile; nothing was saved. Open it anew."))
                made, status = None, problem.status
            if made is not None:
                toasts.done(request, _("%(key)s was saved.") % {"key": made.key}, undo=way_back(request))
                return redirect(f"/working-calendars/{made.key}")
    context = {
        "title": _("Edit %(key)s") % {"key": found.slug},
        "form": form,
        "submit": _("Save"),
        "cancel": f"/working-calendars/{found.slug}",
        "crumbs": _crumbs(found),
    }
    return render(request, "calendars/working_form.html", context, status=status)


@require_POST
@page
def archive(request: HttpRequest, key: str) -> HttpResponseBase:
    """Take a working calendar out of use."""
    command = commands.ArchiveWorkingCalendar(calendar=key, version=version_of(request))
    execute(command, actor=reader(request))
    toasts.done(request, _("%(key)s was archived.") % {"key": key}, undo=way_back(request))
    return redirect(f"/working-calendars/{key}")


@require_POST
@page
def restore(request: HttpRequest, key: str) -> HttpResponseBase:
    """Use an archived working calendar again."""
    actor = reader(request)
    found = queries.working_calendar(actor, key)
    execute(commands.PutWorkingCalendar(key=found.slug, version=version_of(request)), actor=actor)
    toasts.done(request, _("%(key)s is in use again.") % {"key": found.slug}, undo=way_back(request))
    return redirect(f"/working-calendars/{found.slug}")


@require_POST
@page
def holiday(request: HttpRequest, key: str) -> HttpResponseBase:
    """Have days differ from their weekday."""
    actor = reader(request)
    form = HolidayForm(request.POST)
    if not form.is_valid():
        accounts.require(actor, "calendars.edit", at=queries.working_calendar(actor, key).organisation_id)
        return _shown(request, key, form, 422)
    made, status = _submit(form, commands.PutHoliday(calendar=key, **form.values()), actor)
    if made is None:
        return _shown(request, key, form, status)
    toasts.done(
        request, _("%(name)s was added.") % {"name": form.cleaned_data["name"]}, undo=way_back(request)
    )
    return redirect(f"/working-calendars/{made.key}")


@require_POST
@page
def remove(request: HttpRequest, key: str, day: str) -> HttpResponseBase:
    """Have a day be again as its weekday."""
    try:
        wanted = date.fromisoformat(day)
    except ValueError as cause:
        raise NotFound(f"“{day[:20]}” is no day.") from cause
    execute(commands.RemoveHoliday(calendar=key, day=wanted), actor=reader(request))
    toasts.done(request, _("%(day)s is a usual day again.") % {"day": day}, undo=way_back(request))
    return redirect(f"/working-calendars/{key}")


urlpatterns = [
    path("working-calendars", calendars, name="working-calendars"),
    path("working-calendars/new", new, name="working-calendar-new"),
    path("working-calendars/<str:key>", calendar, name="working-calendar"),
    path("working-calendars/<str:key>/edit", edit, name="working-calendar-edit"),
    path("working-calendars/<str:key>/archive", archive, name="working-calendar-archive"),
    path("working-calendars/<str:key>/restore", restore, name="working-calendar-restore"),
    path("working-calendars/<str:key>/days", holiday, name="working-calendar-holiday"),
    path("working-calendars/<str:key>/days/<str:day>/remove", remove, name="working-calendar-day-remove"),
]
