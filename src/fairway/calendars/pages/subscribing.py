"""The page on which one says of whose calendars one wants to be told."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from fairway.accounts import queries as accounts
from fairway.accounts.web import page
from fairway.audit.commands import execute
from fairway.calendars import commands, queries
from fairway.calendars.pages.windows import reader, tabs_of
from fairway.ui import toasts


@require_GET
@page
def subscriptions(request: HttpRequest) -> HttpResponseBase:
    """Show the organisations that one sees, and to whose calendars one subscribes."""
    actor = reader(request)
    mine = set(queries.subscriptions(actor))
    may = accounts.access(actor).may
    rows: list[dict[str, Any]] = [
        {"key": one.slug, "name": one.name, "indent": min(depth, 6), "on": one.pk in mine}
        for one, depth, _size in accounts.outline(actor)
        if may("calendars.view", one.pk)
    ]
    context = {"rows": rows, "tabs": tabs_of("subscriptions"), "count": sum(row["on"] for row in rows)}
    return render(request, "calendars/subscriptions.html", context)


@require_POST
@page
def subscribe(request: HttpRequest, key: str) -> HttpResponseBase:
    """Be told of the windows of a branch."""
    execute(commands.SubscribeCalendar(organisation=key), actor=reader(request))
    toasts.done(request, _("You are told of freezes and maintenance of %(key)s.") % {"key": key})
    return redirect("/calendar/subscriptions")


@require_POST
@page
def unsubscribe(request: HttpRequest, key: str) -> HttpResponseBase:
    """Be told of them no longer."""
    execute(commands.UnsubscribeCalendar(organisation=key), actor=reader(request))
    toasts.done(request, _("You are no longer told of freezes and maintenance of %(key)s.") % {"key": key})
    return redirect("/calendar/subscriptions")


urlpatterns = [
    path("calendar/subscriptions", subscriptions, name="calendar-subscriptions"),
    path("calendar/subscriptions/<str:key>", subscribe, name="calendar-subscribe"),
    path("calendar/subscriptions/<str:key>/end", unsubscribe, name="calendar-unsubscribe"),
]
