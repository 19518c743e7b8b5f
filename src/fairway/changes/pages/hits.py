"""What a lockdown hits, as a card on its page."""

from __future__ import annotations

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from fairway.accounts import queries as accounts
from fairway.accounts.web import page
from fairway.calendars import queries as calendars
from fairway.changes import queries
from fairway.changes.pages.shared import reader
from fairway.kernel.refs import Ref

SHOWN = 50


@require_GET
@page
def hits(request: HttpRequest, key: str) -> HttpResponseBase:
    """Answer what the lockdown holds, or would hold, and what it keeps from starting within a week."""
    actor, now = reader(request), datetime.now(UTC)
    window = calendars.window(actor, key)
    compiled = calendars.compiled_of(window, at=now)
    working = queries.in_flight(compiled, at=now)
    coming = queries.starting(compiled, at=now)
    sees = accounts.access(actor).sees

    def row(ref: Ref) -> dict[str, object]:
        if not sees(ref):
            return {"key": "", "name": _("held by another organisation"), "href": ""}
        return {"key": ref.key, "name": ref.name, "href": f"/changes/{ref.key}"}

    context = {
        "window": window.key,
        "enforced": window.status == "enforced",
        "working": [row(ref) for ref in working[:SHOWN]],
        "working_count": len(working),
        "coming": [{**row(ref), "at": period.start} for ref, period in coming[:SHOWN]],
        "coming_count": len(coming),
    }
    return render(request, "changes/hits.html", context)


urlpatterns = [path("windows/<str:key>/hits-panel", hits, name="window-hits")]
