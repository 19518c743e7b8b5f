"""My work: what several contexts tell, side by side."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from fairway.accounts import queries as accounts
from fairway.accounts.web import caller, page
from fairway.catalog import queries as catalog
from fairway.changes import queries as changes
from fairway.interfaces import reference
from fairway.kernel.actor import Actor
from fairway.kernel.errors import NotFound
from fairway.kernel.listing import ListQuery
from fairway.ui.context import rail
from fairway.workspace.pages.notifications import work_tabs

SHOWN = 8
COMING = timedelta(days=7)


@page
def home(request: HttpRequest) -> HttpResponse:
    """What waits for me, what is mine, what comes in the next seven days."""
    actor, now = caller(request), datetime.now(UTC)
    may = accounts.access(actor).may
    seen = changes.changes(actor)
    soon = seen.filter(is_open=True, planned_start__gte=now, planned_start__lt=now + COMING)
    lists = [
        {
            "title": _("Waiting for my approval"),
            "rows": _changes(changes.waiting_for(seen, actor)),
            "href": "/changes?tab=waiting",
            "empty": _("Nothing waits for your vote."),
        },
        {
            "title": _("My open changes"),
            "rows": _changes(changes.mine(seen, actor)),
            "href": "/changes?tab=mine",
            "empty": _("You have no open change. Press c to ask for one.")
            if may("changes.request", None)
            else _("You have no open change."),
        },
        {
            "title": _("Starting within seven days"),
            "rows": _changes(soon),
            "href": "/calendar",
            "empty": _("No change starts in the next seven days."),
        },
    ]
    tabs = work_tabs("work")
    if changes.decides(actor):
        count = changes.to_decide(actor)
        label, href = _("Exceptions to decide"), "/waivers?tab=mine"
        tabs.append({"label": label, "href": href, "current": False, "count": count})
    context = {
        "tabs": tabs,
        "lists": lists,
        "counts": changes.counts(actor),
        "guide": _guide(actor),
    }
    return render(request, "interfaces/home.html", context)


def _guide(actor: Actor) -> list[dict[str, Any]]:
    """Return the first steps where there is nothing yet; none to whoever may not take them."""
    may = accounts.access(actor).may
    if not may("catalog.edit", None) or catalog.pick(actor, "", limit=1):
        return []
    return [
        {
            "title": _("Name what is changed"),
            "text": _(
                "Systems, hosts and services, and what each needs: conflicts and impact follow from it."
            ),
            "ways": [
                {"label": _("Import a table"), "href": "/administration/imports", "first": True},
                {"label": _("Add an item"), "href": "/items/new"},
            ],
        },
        {
            "title": _("Name where"),
            "text": _("The environments on the way to production, and how strictly each is controlled."),
            "ways": [{"label": _("Add an environment"), "href": "/environments/new"}],
        },
        {
            "title": _("Say when not"),
            "text": _("Freezes stop work for a time; maintenance windows are where work has to lie."),
            "ways": [{"label": _("Add a freeze"), "href": "/windows/new"}],
        },
        {
            "title": _("Invite those who plan"),
            "text": _("Each sees and may do what their roles permit, on their branch of the organisation."),
            "ways": [{"label": _("Invite somebody"), "href": "/administration/people/invite"}],
        },
    ]


@require_GET
@page
def palette(request: HttpRequest) -> HttpResponse:
    """Tell the palette which pages and actions there are for whoever asks."""
    may = accounts.access(caller(request)).may
    pages = [
        {"label": entry["label"], "href": entry["href"], "hotkey": _HOTKEYS.get(entry["name"], "")}
        for entry in rail("")
    ]
    pages += [
        {"label": label, "href": href}
        for label, href, permission in (
            (_("Conflicts"), "/conflicts", "changes.view"),
            (_("Builds"), "/builds", "catalog.view"),
            (_("Baselines"), "/baselines", "catalog.view"),
            (_("Freezes and maintenance windows"), "/windows", "calendars.view"),
            (_("People"), "/administration/people", "accounts.view"),
            (_("Teams"), "/administration/teams", "accounts.view"),
            (_("Organisations"), "/administration/organisations", "accounts.view"),
            (_("Roles"), "/administration/roles", "accounts.view"),
            (_("Events"), "/administration/events", "audit.view"),
            (_("Imports"), "/administration/imports", "catalog.import"),
            (_("Profile, time zone and tokens"), "/me", ""),
        )
        if not permission or may(permission, None)
    ]
    actions: list[dict[str, str]] = [
        {"label": label, "href": href, "hotkey": hotkey}
        for label, href, hotkey, permission in (
            (_("New change"), "/changes/new", "c", "changes.request"),
            (_("New item"), "/items/new", "", "catalog.edit"),
            (_("New environment"), "/environments/new", "", "environments.edit"),
            (_("New freeze or maintenance window"), "/windows/new", "", "calendars.edit"),
            (_("Invite somebody"), "/administration/people/invite", "", "accounts.invite"),
            (_("Import a table"), "/administration/imports", "", "catalog.import"),
        )
        if may(permission, None)
    ]
    actions += [
        {"label": _("Switch theme: light, dark or as the system"), "act": "theme"},
        {"label": _("Search"), "act": "search", "hotkey": "/"},
        {"label": _("Show the keys"), "act": "keys", "hotkey": "?"},
        {"label": _("Sign out"), "act": "sign-out"},
    ]
    words = {
        "label": _("Palette"),
        "placeholder": _("Type a page, an action or a record"),
        "here": _("On this page"),
        "recent": _("Recent"),
        "actions": _("Actions"),
        "pages": _("Go to"),
        "records": _("Records"),
        "all": _("Search everything"),
        "away": _("The server did not answer; pages and actions work."),
    }
    return JsonResponse({"pages": pages, "actions": actions, "words": words})


_HOTKEYS = {
    "work": "g m", "calendar": "g t", "changes": "g c", "environments": "g e", "catalogue": "g i",
    "administration": "g a",
}  # fmt: skip


def _changes(query: Any) -> list[dict[str, Any]]:
    rows = changes.CHANGES.page(query, ListQuery(limit=SHOWN, sort="planned_start")).rows
    return [
        {
            "key": f"CHG-{row['number']}",
            "href": f"/changes/CHG-{row['number']}",
            "title": row["title"],
            "state": "hold" if row["held_at"] else row["state"],
            "start": row["planned_start"],
            "end": row["planned_end"],
        }
        for row in rows
    ]


@require_GET
@page
def api(request: HttpRequest) -> HttpResponse:
    """Show what programs can do, resource by resource."""
    asked = request.GET.get("q", "")[:100]
    found = reference.search(asked)
    count = ngettext("%(count)d resource", "%(count)d resources", len(found)) % {"count": len(found)}
    context = {
        "rows": found,
        "filters": {"q": asked, "q_label": _("Resource or address"), "keep": {}, "chips": [], "add": []},
        "count": count,
        "here": request.build_absolute_uri("/").rstrip("/"),
    }
    return render(request, "interfaces/api.html", context)


@require_GET
@page
def api_resource(request: HttpRequest, name: str) -> HttpResponse:
    """Show how one resource is used."""
    found = reference.resources().get(name)
    if found is None:
        raise NotFound(_("There is no resource “%(name)s”.") % {"name": name[:60]})
    return render(request, "interfaces/api_resource.html", {"resource": found})


urlpatterns = [
    path("", home, name="home"),
    path("palette", palette, name="palette"),
    path("api", api, name="api"),
    path("api/<str:name>", api_resource, name="api-resource"),
]
