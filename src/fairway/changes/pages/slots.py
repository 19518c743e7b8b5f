"""The page of a change's free slots, the next of them for its verdict strip, and taking one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from fairway.accounts import queries as accounts
from fairway.accounts.web import caller, page, way_back
from fairway.audit.commands import execute
from fairway.changes import commands, queries
from fairway.changes.commands.reading import Span
from fairway.changes.slots import reasons
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid, Stale
from fairway.kernel.period import Period, parse_instant
from fairway.ui import toasts

SPANS = {"month": timedelta(days=30), "quarter": timedelta(days=91), "year": timedelta(days=365)}
LOOKED_AT, SHOWN, SHOWN_REASONS, SHOWN_OTHERS = 500, 50, 4, 4


@require_http_methods(["GET", "POST"])
@page
def slots(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show when the change could be done, least disturbing first, and take a slot."""
    actor, at = _reader(request), datetime.now(UTC)
    dossier = queries.dossier(actor, key)
    if request.method == "POST":
        return _taken(request, actor, dossier)
    asked = {name: request.GET[name] for name in ("span", "sort") if request.GET.get(name)}
    span, soonest = asked.get("span", "quarter"), asked.get("sort") == "start"
    if span not in SPANS:
        raise Invalid.field("span", _("There is no such span; there are %s.") % ", ".join(SPANS))
    found, problem = None, ""
    try:
        found = queries.slots(dossier.proposal(), at=at, within=SPANS[span], limit=LOOKED_AT, soonest=soonest)
    except Invalid as invalid:
        problem = invalid.errors[0].message if invalid.errors else invalid.detail
    change = dossier.change
    context = {
        "change": change,
        "rows": _rows(actor, found) if found else [],
        "problem": problem,
        "spans": _segments(asked, "span", span, _span_words()),
        "orders": _segments(
            asked,
            "sort",
            "start" if soonest else "disruption",
            {"disruption": _("Least disturbing"), "start": _("Soonest")},
        ),
        "may_take": _may_take(dossier, actor),
        "crumbs": [
            {"label": _("Changes"), "href": "/changes"},
            {"label": change.key, "href": f"/changes/{change.key}"},
        ],
    }
    return render(request, "changes/slots.html", context)


@require_GET
@page
def next_slot(request: HttpRequest, key: str) -> HttpResponseBase:
    """Answer the earliest free slot, for the verdict strip of a change whose own time is not free."""
    actor, at = _reader(request), datetime.now(UTC)
    dossier = queries.dossier(actor, key)
    try:
        found = queries.slots(dossier.proposal(), at=at, limit=1, soonest=True)
    except Invalid:
        found = None  # the strip says already what the plan lacks
    rows = _rows(actor, found) if found else []
    context = {
        "change": dossier.change,
        "slot": rows[0] if rows else None,
        "none": found is not None and not rows,
        "may_take": _may_take(dossier, actor),
    }
    return render(request, "changes/next_slot.html", context)


def _reader(request: HttpRequest) -> Actor:
    actor = caller(request)
    accounts.require(actor, "changes.view", at=None)
    return actor


def _may_take(dossier: queries.Dossier, actor: Actor) -> bool:
    try:
        commands.permitted(dossier, "reschedule", actor)
    except (Forbidden, Conflict):
        return False
    return True


def _rows(actor: Actor, found: queries.Offers) -> list[dict[str, Any]]:
    """Return the first slot of each of the reader's days, with when else that day is free."""
    sees, zone = accounts.access(actor).sees, accounts.words(actor).zone
    days: dict[date, list[queries.Offer]] = {}
    for offer in found.offers:
        days.setdefault(offer.slot.start.astimezone(zone).date(), []).append(offer)
    shown = list(days.values())[:SHOWN]
    most = max((offers[0].slot.points for offers in shown), default=0)
    rows = []
    for best, *others in shown:
        told = reasons(best.slot, sees)
        points = best.slot.points
        rows.append(
            {
                "start": best.slot.start,
                "windows": best.windows,
                "others": ", ".join(
                    f"{other.slot.start.astimezone(zone):%H:%M}"
                    for other in sorted(others[:SHOWN_OTHERS], key=lambda offer: offer.slot.start)
                ),
                "points": f"{points:.3g}" if points < 1_000 else f"{points:,.0f}",
                "level": _level(points, most),
                "reasons": [f"{one.message} ({one.points:.3g})" for one in told[:SHOWN_REASONS]],
                "left": max(len(told) - SHOWN_REASONS, 0),
            }
        )
    return rows


def _level(points: float, most: float) -> int:
    """Return how high it stands among those shown, in tenths; 0 for none at all."""
    return 0 if not points else max(1, round(10 * points / most))


def _span_words() -> dict[str, str]:
    return {"month": _("Month"), "quarter": _("Quarter"), "year": _("Year")}


def _segments(asked: dict[str, str], name: str, here: str, words: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"label": word, "href": "?" + urlencode({**asked, name: value}), "current": value == here}
        for value, word in words.items()
    ]


def _taken(request: HttpRequest, actor: Actor, dossier: queries.Dossier) -> HttpResponseBase:
    """Move the plan to the start that was chosen, its parts at their distances."""
    key = dossier.change.key
    start = parse_instant(request.POST.get("start", ""), field="start")
    proposal = dossier.proposal()
    every = (*proposal.windows, *proposal.downtimes)
    if not every:
        raise Invalid.field("start", _("The change has no window that could be moved."))
    by = start - min(period.start for period in every)

    def moved(periods: tuple[Period, ...]) -> tuple[Span, ...]:
        return tuple(Span(start=one.start + by, end=one.end + by) for one in periods)

    version = request.POST.get("version", "")
    command = commands.RescheduleChange(
        change=key,
        windows=moved(proposal.windows),
        downtime=moved(proposal.downtimes),
        version=int(version) if version.isdecimal() else None,
    )
    try:
        execute(command, actor=actor)
    except (Conflict, Stale, Invalid) as problem:
        toasts.failed(request, problem.detail)
    else:
        undo = way_back(request) if dossier.change.state == dossier.workflow.initial else ""
        toasts.done(request, _("%(change)s was moved.") % {"change": key}, undo=undo)
    return redirect(f"/changes/{key}")


urlpatterns = [
    path("changes/<str:key>/slots", slots, name="change-slots"),
    path("changes/<str:key>/next-slot", next_slot, name="change-next-slot"),
]
