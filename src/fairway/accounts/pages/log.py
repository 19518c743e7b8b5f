"""The event log as a page, and as a panel beside any record."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from fairway.accounts import history, queries
from fairway.accounts.pages.shared import reader, tabs
from fairway.accounts.web import page
from fairway.audit import queries as audit
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid, NotFound
from fairway.kernel.refs import as_uid

ROWS, IN_PANEL = 50, 20


@require_GET
@page
def events(request: HttpRequest) -> HttpResponseBase:
    """Show the log, newest first, and where its chain stands."""
    actor = reader(request, "audit.view")
    subject = _uid(request, "subject")
    command = request.GET.get("command", "")[:80]
    who = request.GET.get("actor", "")
    before = request.GET.get("cursor", "")
    if before and not (before.isascii() and before.isdigit() and len(before) <= 18):
        raise Invalid.field("cursor", _("This is not the number of an event."))
    by = _person(actor, who) if who else None
    found = audit.history(
        organisations=queries.places(actor, "audit.view"),
        subject=subject,
        actor=by,
        command=command,
        before=int(before) if before else None,
        limit=ROWS + 1,
        reader=actor,
    )
    rows = history.entries(actor, found[:ROWS], now=datetime.now(UTC))
    sequence, last = audit.head()
    context = {
        "rows": rows,
        "next": str(rows[-1]["sequence"]) if len(found) > ROWS else None,
        "tabs": tabs(actor, "events"),
        "filters": _filters(request, command, who, subject, found),
        "head": {"sequence": sequence, "hash": last},
        "whole": queries.access(actor).organisations is None,
    }
    return render(request, "accounts/events.html", context)


@require_GET
@page
def panel(request: HttpRequest) -> HttpResponseBase:
    """Show the history of one record, to be swapped into its page: who did what, from what to what."""
    actor = reader(request, "audit.view")
    subject = _uid(request, "subject")
    if subject is None:
        raise Invalid.field("subject", _("Name the record by its uid."))
    found = audit.history(
        organisations=queries.places(actor, "audit.view"),
        subject=subject,
        limit=IN_PANEL + 1,
        reader=actor,
    )
    entries = history.entries(actor, found[:IN_PANEL], now=datetime.now(UTC))
    more = f"/administration/events?subject={subject}" if len(found) > IN_PANEL else ""
    return render(request, "accounts/panel.html", {"activity": entries, "more": more})


def _uid(request: HttpRequest, name: str) -> UUID | None:
    given = request.GET.get(name, "")
    found = as_uid(given) if given else None
    if given and found is None:
        raise Invalid.field(name, _("“%(given)s” is not a uid.") % {"given": given[:40]})
    return found


def _person(actor: Actor, reference: str) -> UUID:
    """Return the uid of who is asked for, also where they are not to be seen: then nothing is found."""
    try:
        return queries.user(actor, reference).uid
    except NotFound:
        return as_uid(reference) or UUID(int=1)


def _filters(
    request: HttpRequest, command: str, who: str, subject: UUID | None, found: list[dict[str, Any]]
) -> dict[str, Any]:
    def with_(**changes: str) -> str:
        kept = request.GET.copy()
        kept.pop("cursor", None)
        for name, value in changes.items():
            kept.pop(name, None)
            if value:
                kept[name] = value
        return f"?{kept.urlencode()}"

    chips = []
    if command:
        chips.append({"label": _("Command"), "value": command, "remove": with_(command="")})
    if who:
        chips.append({"label": _("Who"), "value": who, "remove": with_(actor="")})
    if subject:
        chips.append({"label": _("Record"), "value": str(subject), "remove": with_(subject="")})
    named = {f"{event['command'].rpartition('.')[0]}." for event in found}
    kinds = sorted(named | ({command} if command else set()))
    return {
        "q": None,
        "chips": chips,
        "clear": "?",
        "add": [
            {
                "label": _("Command"),
                "options": [
                    {"label": kind.rstrip("."), "href": with_(command=kind), "current": kind == command}
                    for kind in kinds
                ],
            }
        ],
    }


urlpatterns = [
    path("administration/events", events, name="events"),
    path("events/panel", panel, name="events-panel"),
]
