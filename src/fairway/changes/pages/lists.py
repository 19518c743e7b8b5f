"""The list of changes, in which one edits, and what other pages show of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fairway.accounts import queries as accounts
from fairway.accounts.web import page
from fairway.audit.commands import convert
from fairway.changes import face, queries
from fairway.changes.grid import CHANGES, TABS, as_rows
from fairway.changes.pages import builds
from fairway.changes.pages.shared import now, reader
from fairway.changes.words import STATES
from fairway.environments import queries as environments
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid
from fairway.workspace import queries as workspace

SEARCHED = (
    *("state", "model", "priority", "organisation", "item", "environment", "build", "category"),
    *("planned_start__gte", "planned_start__lt", "q", "sort", "cursor"),
)
IN_PANEL = 8


@require_GET
@page
def changes(request: HttpRequest) -> HttpResponseBase:
    """Show the changes that are asked for, fifty at a time, with what clashes."""
    actor, at = reader(request), now()
    views = workspace.views_of(actor, "changes", current=request.GET.get("view", ""))
    if not request.GET and views.opening_href:
        return redirect(views.opening_href)
    asked = {name: request.GET[name] for name in SEARCHED if request.GET.get(name)}
    asked |= workspace.own_filters(request.GET.dict())
    tab = request.GET.get("tab", "open")
    if tab not in TABS:
        raise Invalid.field("tab", _("There is no such tab."))
    order = "-planned_start" if tab == "all" else "planned_start"  # what comes next stands first
    first = not asked.get("cursor")
    query = convert(
        {"sort": order, **workspace.packed(asked), **TABS[tab], "count": first}, queries.ChangeQuery
    )
    found = queries.change_page(actor, query)
    context = {
        "views": views,
        "grid": CHANGES.context(
            request,
            actor,
            as_rows(actor, found.rows, face.rows(actor, found.rows, at=at)),
            label=_("Changes"),
            next=found.next,
            total=found.total,
            also={"sort": query.sort, **TABS[tab]},
        ),
        "sort": query.sort,
        "tabs": _tabs(actor, tab),
        "filters": _filters(actor, tab, asked),
        "count": _counted(found.total or 0),
        "asked": bool(asked.keys() - {"sort", "cursor"}),
        "tab": tab,
        "may_request": accounts.access(actor).may("changes.request", None),
    }
    return render(request, "changes/changes.html", context)


@require_POST
@page
def bulk(request: HttpRequest) -> HttpResponseBase:
    """Edit many changes at once, or say what that would do."""
    return CHANGES.bulk(request, reader(request))


@require_http_methods(["GET", "POST"])
@page
def cell(request: HttpRequest, key: str) -> HttpResponseBase:
    """Edit a field of a change in its row of the list."""
    return CHANGES.cell(request, reader(request), key)


def _counted(count: int) -> str:
    return ngettext("%(count)s change", "%(count)s changes", count) % {"count": f"{count:,}"}


def _tabs(actor: Actor, here: str) -> list[dict[str, Any]]:
    numbers = queries.counts(actor)
    labels = {"open": _("Open"), "mine": _("Mine"), "waiting": _("Waiting for my approval"), "all": _("All")}
    return [
        {"label": label, "href": f"?tab={name}", "current": name == here, "count": numbers.get(name)}
        for name, label in labels.items()
    ]


def _filters(actor: Actor, tab: str, asked: Mapping[str, str]) -> dict[str, Any]:
    """Return the filter bar: what is set, and what can be."""
    kept = {"tab": tab, **{name: value for name, value in asked.items() if name != "cursor"}}

    def href(name: str, value: str) -> str:
        rest = {n: v for n, v in kept.items() if n != name}
        return "?" + urlencode({**rest, **({name: value} if value else {})})

    places = [(row["slug"], row["name"]) for row in environments.pick(actor, "", limit=100)]
    choices: list[tuple[str, str, list[tuple[str, str]]]] = [
        ("state", _("State"), [(slug, str(word).capitalize()) for slug, word in STATES.items()]),
        ("model", _("Model"), [(model.slug, model.name) for model in queries.models()]),
        ("environment", _("Environment"), places),
        ("priority", _("Priority"), [(str(level), str(level)) for level in (1, 2, 3, 4)]),
        (
            "organisation",
            _("Organisation"),
            list(accounts.organisations(actor).values_list("slug", "name")[:100]),
        ),
        ("item", _("Item"), []),
        ("build", _("Build"), []),
        ("category", _("Category"), []),
        ("planned_start__gte", _("From"), []),
        ("planned_start__lt", _("Before"), []),
        *workspace.filter_choices(actor, "change", asked),
    ]
    return {
        "q": kept.get("q", ""),
        "q_label": _("Key, title or external id"),
        "keep": {name: value for name, value in kept.items() if name != "q"},
        "chips": [
            {"label": label, "value": dict(options).get(kept[name], kept[name]), "remove": href(name, "")}
            for name, label, options in choices
            if name in kept
        ],
        "add": [
            {
                "label": label,
                "options": [
                    {"label": word, "href": href(name, value), "current": kept.get(name) == value}
                    for value, word in options
                ],
            }
            for name, label, options in choices
            if options
        ],
        "clear": f"?tab={tab}",
    }


@require_GET
@page
def panel(request: HttpRequest) -> HttpResponseBase:
    """Answer the changes of an item or an environment, for a card on its page."""
    actor = reader(request)
    asked = {name: request.GET[name] for name in ("item", "environment", "build") if request.GET.get(name)}
    if len(asked) != 1:
        raise Invalid.field("item", _("Name an item, an environment or a build."))
    query = convert({**asked, "limit": IN_PANEL, "count": True}, queries.ChangeQuery)
    found = queries.change_page(actor, query)
    total = found.total or 0
    context = {
        "rows": face.rows(actor, found.rows, at=now()),
        "more": {"href": "/changes?" + urlencode({"tab": "all", **asked}), "label": _counted(total)}
        if total > IN_PANEL
        else None,
        "new": "/changes/new?" + urlencode({f"{name}s": value for name, value in asked.items()}),
        "build": asked.get("build", ""),
        "may_request": accounts.access(actor).may("changes.request", None),
    }
    return render(request, "changes/panel.html", context)


@require_GET
@page
def people(request: HttpRequest) -> HttpResponseBase:
    """Answer a picker: people that a text may mean."""
    found = accounts.people(reader(request)).filter(is_active=True, is_service=False)
    for word in request.GET.get("q", "")[:100].split()[:8]:
        key = word.upper().removeprefix("USR-")
        number = int(key) if key.isascii() and key.isdigit() and len(key) < 18 else 0
        found = found.filter(
            Q(name__icontains=word) | Q(email_folded__contains=word.casefold()) | Q(number=number)
        )
    rows = found.order_by("name", "pk").values_list("number", "name", "email")[:20]
    items = [{"key": f"USR-{number}", "name": name, "note": email} for number, name, email in rows]
    return JsonResponse({"items": items})


urlpatterns = [
    *builds.urlpatterns,
    path("changes", changes, name="changes"),
    path("changes/bulk", bulk, name="changes-bulk"),
    path("changes/panel", panel, name="change-panel"),
    path("changes/people", people, name="change-people"),
    path("changes/<str:key>/cell", cell, name="change-cell"),
]
