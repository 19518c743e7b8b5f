"""The calendar: everything planned on one timeline."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal, cast
from urllib.parse import urlencode

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from fairway.accounts import queries as accounts
from fairway.accounts.web import page
from fairway.audit.commands import convert
from fairway.changes import queries
from fairway.changes.pages.shared import reader
from fairway.kernel.errors import Invalid, Problem
from fairway.kernel.period import Period, parse_instant
from fairway.workspace import queries as workspace


class CalendarAsked(msgspec.Struct, kw_only=True):
    """What the timeline asks for."""

    start: str = msgspec.field(name="from")
    end: str = msgspec.field(name="to")
    lanes: str = "item"
    item: str = ""
    environment: str = ""
    part: Literal["all", "plan", "conflicts"] = "all"


@require_GET
@page
def calendar(request: HttpRequest) -> HttpResponseBase:
    """Show everything planned on one timeline."""
    actor = reader(request)
    views = workspace.views_of(actor, "calendar", current=request.GET.get("view", ""))
    if not request.GET and views.opening_href:
        return redirect(views.opening_href)
    by = request.GET.get("lanes", "item")
    lanes = _lanes(by)
    kept = {name: request.GET[name] for name in ("item", "environment") if request.GET.get(name)}
    context = {
        "views": views,
        "src": "/calendar/data?" + urlencode({"lanes": by, **kept}),
        "lane_label": lanes[by],
        "move": "/calendar/move",
        "segments": [
            {"label": label, "href": "?" + urlencode({"lanes": name, **kept}), "current": by == name}
            for name, label in lanes.items()
        ],
        "chips": [
            {"label": name, "value": value, "href": "?" + urlencode({"lanes": by})}
            for name, value in kept.items()
        ],
    }
    return render(request, "changes/calendar.html", context)


@require_GET
@page
def calendar_data(request: HttpRequest) -> HttpResponseBase:
    """Answer the timeline what lies in its span; messages are told in the reader's zone."""
    try:
        return HttpResponse(msgspec.json.encode(_drawn(request)), content_type="application/json")
    except Problem as problem:
        return JsonResponse(
            problem.document(), status=problem.status, content_type="application/problem+json"
        )


def _drawn(request: HttpRequest) -> dict[str, Any]:
    actor = reader(request)
    asked = convert(request.GET.dict(), CalendarAsked)
    period = Period(parse_instant(asked.start, field="from"), parse_instant(asked.end, field="to"))
    _lanes(asked.lanes)
    if period.length > timedelta(days=1100):
        raise Invalid.field("to", _("A span has at most three years."))
    return queries.timeline(
        actor,
        period,
        by=cast("queries.Lanes", asked.lanes),
        item=asked.item or None,
        environment=asked.environment or None,
        words=accounts.words(actor),
        part=asked.part,
    )


def _lanes(by: str) -> dict[str, str]:
    """Return the kinds of lanes and what each is called.

    :raises Invalid: `by` is none of them.
    """
    names = {
        "item": _("Item"),
        "environment": _("Environment"),
        "organisation": _("Organisation"),
        "person": _("Person"),
    }
    if by not in names:
        raise Invalid.field("lanes", _("Lanes are by item, environment, organisation or person."))
    return names


urlpatterns = [
    path("calendar", calendar, name="calendar"),
    path("calendar/data", calendar_data, name="calendar-data"),
]
