"""Pages of freezes and maintenance windows: the list, a record, its form."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.template import Context
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fairway.accounts import parts
from fairway.accounts import queries as accounts
from fairway.accounts.web import caller, page, way_back
from fairway.audit.commands import Command, build, convert, execute
from fairway.calendars import commands, queries
from fairway.calendars.events import CalendarEvent
from fairway.calendars.forms import STOPPING, WindowForm
from fairway.calendars.grid import WINDOWS
from fairway.calendars.models import Window
from fairway.calendars.words import recurring
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Invalid, Stale
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref
from fairway.ui import toasts
from fairway.ui.templatetags.ui import when
from fairway.workspace import queries as workspace

SEARCHED = ("kind", "organisation", "archived", "q", "sort", "cursor")
AHEAD = timedelta(days=366)
SHOWN = 10
LINKS = {"item": "/items/", "environment": "/environments/", "environment-group": "/environment-groups/"}


def reader(request: HttpRequest) -> Actor:
    """Return who reads.

    :raises Forbidden: they may not see windows anywhere.
    """
    actor = caller(request)
    accounts.require(actor, "calendars.view", at=None)
    return actor


def tabs_of(current: str) -> list[dict[str, Any]]:
    """Return the tabs of the lists of calendars."""
    return [
        {"label": _("Freezes and maintenance"), "href": "/windows", "current": current == "windows"},
        {"label": _("Working calendars"), "href": "/working-calendars", "current": current == "working"},
        {
            "label": _("Subscriptions"),
            "href": "/calendar/subscriptions",
            "current": current == "subscriptions",
        },
    ]


@require_GET
@page
def windows(request: HttpRequest) -> HttpResponseBase:
    """Show the windows that are asked for, fifty at a time."""
    actor = reader(request)
    views = workspace.views_of(actor, "windows", current=request.GET.get("view", ""))
    if not request.GET and views.opening_href:
        return redirect(views.opening_href)
    asked = {name: request.GET[name] for name in SEARCHED if request.GET.get(name)}
    query = convert({**asked, "count": not asked.get("cursor")}, queries.WindowQuery)
    found = queries.window_page(actor, query)
    facets = queries.facets(actor, [row["id"] for row in found.rows])
    rows = [
        {
            "key": f"{Window.prefix}-{row['number']}",
            "href": f"/windows/{Window.prefix}-{row['number']}",
            "name": row["name"],
            "kind": str(Window.Kind(row["window_kind"]).label),
            "when": _when(actor, row),
            "version": row["version"],
            "place": row["organisation_id"],
            "scope": _scope(facets[row["id"]], row),
            "organisation": row["organisation__name"],
        }
        for row in found.rows
    ]
    count = found.total or 0
    context = {
        "views": views,
        "tabs": tabs_of("windows"),
        "grid": WINDOWS.context(
            request,
            actor,
            rows,
            label=_("Freezes and maintenance windows"),
            next=found.next,
            total=found.total,
        ),
        "sort": query.sort or queries.LISTING.sort,
        "filters": _filters(actor, asked),
        "count": ngettext("%(count)s entry", "%(count)s entries", count) % {"count": f"{count:,}"},
        "asked": bool(asked.keys() - {"sort", "cursor"}),
        "may_edit": accounts.access(actor).may("calendars.edit", None),
    }
    return render(request, "calendars/windows.html", context)


@require_POST
@page
def bulk(request: HttpRequest) -> HttpResponseBase:
    """Archive many windows at once, or say what that would do."""
    return WINDOWS.bulk(request, reader(request))


@require_http_methods(["GET", "POST"])
@page
def cell(request: HttpRequest, key: str) -> HttpResponseBase:
    """Edit the name of a window in its row of the list."""
    return WINDOWS.cell(request, reader(request), key)


def _when(actor: Actor, row: Mapping[str, Any]) -> str:
    if row["local_start"]:
        return _again(row)
    if row["ends_at"] is not None:
        return _once(actor, row)
    if row["starts_at"] is None:
        return str(Window.Status(row["status"]).label)
    return _("since %(time)s, until it is released") % {
        "time": when(Context({"zone": actor.zone}), row["starts_at"], relative=False)
    }


def _once(actor: Actor, row: Mapping[str, Any]) -> str:
    return when(Context({"zone": actor.zone}), row["starts_at"], row["ends_at"], relative=False)


def _again(row: Mapping[str, Any]) -> str:
    text = recurring(row["local_start"], row["duration"], row["zone"], row["rrule"], row["rdates"])
    return text[:1].upper() + text[1:]


def _scope(facets: queries.Facets, row: Mapping[str, Any]) -> str:
    """Return in one line what a window is narrowed to; empty: the whole branch."""
    words = dict(queries.tiers())
    parts = [_named(facets.items), _named((*facets.groups, *facets.environments))]
    if row["criticalities"]:
        parts.append(_("criticality %(numbers)s") % {"numbers": ", ".join(map(str, row["criticalities"]))})
    parts.append(", ".join(str(words[tier]) for tier in row["tiers"]))
    if facets.models:
        parts.append(_("%(models)s changes") % {"models": _named(facets.models)})
    if row["downtime_only"]:
        parts.append(_("downtimes"))
    parts.append(row["condition"])
    return " · ".join(filter(None, parts))


def _named(refs: tuple[Ref, ...]) -> str:
    keys = [ref.key or str(_("of another organisation")) for ref in refs]
    if len(keys) <= 3:
        return ", ".join(keys)
    return _("%(keys)s and %(count)d more") % {"keys": ", ".join(keys[:2]), "count": len(keys) - 2}


def _filters(actor: Actor, asked: Mapping[str, str]) -> dict[str, Any]:
    """Return the filter bar: what is set, and what can be."""
    kept = {name: value for name, value in asked.items() if name != "cursor"}

    def href(name: str, value: str) -> str:
        others = {n: v for n, v in kept.items() if n != name}
        return "?" + urlencode({**others, name: value} if value else others)

    choices: list[tuple[str, str, list[tuple[str, str]]]] = [
        ("kind", _("Kind"), [(value, str(word)) for value, word in Window.Kind.choices]),
        (
            "organisation",
            _("Organisation"),
            list(accounts.organisations(actor).values_list("slug", "name")[:100]),
        ),
        ("archived", _("Archived"), [("true", _("Archived ones"))]),
    ]
    chips = [
        {"label": label, "value": dict(options).get(kept[name], kept[name]), "remove": href(name, "")}
        for name, label, options in choices
        if name in kept
    ]
    add = [
        {
            "label": label,
            "options": [
                {"label": word, "href": href(name, value), "current": kept.get(name) == value}
                for value, word in options
            ],
        }
        for name, label, options in choices
        if options
    ]
    return {
        "q": kept.get("q", ""),
        "q_label": _("Name"),
        "keep": {name: value for name, value in kept.items() if name != "q"},
        "chips": chips,
        "add": add,
        "clear": "/windows",
    }


@require_GET
@page
def window(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show one window: when it comes next, whom it holds for and why it is there."""
    actor = reader(request)
    found = queries.window(actor, key)
    if key != found.key:
        return redirect(f"/windows/{found.key}")
    now = datetime.now(UTC)
    ahead = queries.occurrences(found.ref(), Period(now, now + AHEAD))
    facets = queries.facets(actor, [found.pk])[found.pk]
    words = dict(queries.tiers())
    row = {name: getattr(found, name) for name in ("local_start", "duration", "zone", "rrule", "rdates")}
    context = {
        "record": _record(actor, found, ahead, now),
        "share": parts.share(actor, f"windows/{found.key}", found.name),
        "window": found,
        "again": _again(row) if found.recurring else "",
        "ahead": ahead[:SHOWN],
        "items": [_link(ref) for ref in facets.items],
        "environments": [_link(ref) for ref in facets.environments],
        "groups": [_link(ref) for ref in facets.groups],
        "criticalities": ", ".join(map(str, found.criticalities)),
        "tiers": ", ".join(str(words[tier]) for tier in found.tiers),
        "models": ", ".join(ref.name for ref in facets.models),
        "stops": _stops(found),
        "hits": found.archived_at is None and found.status in HITTING,
        "left_out": found.exdates,
        "activity": "/activity?" + urlencode({"kind": "window", "subject": str(found.uid)}),
    }
    return render(request, "calendars/window.html", context)


def _stops(found: Window) -> str:
    """Return in words what a window stops; empty: its kind stops nothing of changes."""
    if found.window_kind not in STOPPING:
        return ""
    if not found.stops:
        return _("nothing; it only warns")
    return ", ".join(str(Window.Stops(step).label) for step in found.stops)


def _link(ref: Ref) -> dict[str, str]:
    if ref.hidden:
        return {"key": str(_("another organisation's")), "href": "", "name": ""}
    return {"key": ref.key, "href": f"{LINKS[ref.kind]}{ref.key}", "name": ref.name}


def _record(actor: Actor, found: Window, ahead: list[Period], now: datetime) -> dict[str, Any]:
    href = f"/windows/{found.key}"
    if found.archived_at is not None:
        state, word = "retired", _("Archived")
    elif found.status:
        state, word = STATUS[Window.Status(found.status)], str(Window.Status(found.status).label)
    elif ahead and now in ahead[0]:
        state, word = "active", _("In force")
    elif ahead or (found.starts_at and found.starts_at > now):
        state, word = "planned", _("Ahead")
    else:
        state, word = "closed", _("Over")
    steps: list[dict[str, Any]] = []
    if found.archived_at is None and accounts.access(actor).may("calendars.edit", found.organisation_id):
        steps = _lockdown_steps(found, href)
        if found.status in {"", Window.Status.DRAFT, Window.Status.APPROVED}:
            steps.append({"name": "edit", "label": _("Edit"), "href": f"{href}/edit"})
        if found.status != Window.Status.ENFORCED:
            steps.append(
                {
                    "name": "archive",
                    "label": _("Archive…"),
                    "url": f"{href}/archive",
                    "tone": "danger",
                    "fields": {"version": found.version},
                    "ask": {
                        "title": _("Archive %(key)s?") % {"key": found.key},
                        "text": _("It is no longer in force from now on and stays on record."),
                    },
                }
            )
    return {
        "key": found.key,
        "href": href,
        "title": found.name,
        "kind": str(Window.Kind(found.window_kind).label),
        "state": state,
        "state_word": word,
        "steps": steps,
    }


CHOICES = (
    ("ask", gettext_lazy("Ask its people")),
    ("move", gettext_lazy("Move it to its first free slot")),
    ("cancel", gettext_lazy("Cancel it")),
    ("keep", gettext_lazy("Keep it, and ask for an exception")),
)
"""What may become of a change that an edited window newly stops."""


def choices(request: HttpRequest) -> dict[str, str]:
    """Return what was chosen for each change that is hit."""
    start = "choice-"
    return {
        name.removeprefix(start): str(request.POST[name]) for name in request.POST if name.startswith(start)
    }


HITTING = (Window.Status.DRAFT, Window.Status.APPROVED, Window.Status.ENFORCED)
STATUS = {
    Window.Status.DRAFT: "draft",
    Window.Status.APPROVED: "approved",
    Window.Status.ENFORCED: "active",
    Window.Status.RELEASED: "closed",
    Window.Status.CANCELLED: "cancelled",
}


def _lockdown_steps(found: Window, href: str) -> list[dict[str, Any]]:
    """Return the steps of a lockdown in its present state."""
    words = {
        Window.Status.DRAFT: [
            ("approve", _("Approve"), "", _("Approve %(key)s?"), _("Somebody may then enforce it at once.")),
            ("cancel", _("Cancel…"), "danger", _("Cancel %(key)s?"), _("It stays on record.")),
        ],
        Window.Status.APPROVED: [
            (
                "enforce",
                _("Enforce…"),
                "danger",
                _("Enforce %(key)s now?"),
                _("Nothing in its scope starts any more, and what is being worked on is held."),
            ),
            ("cancel", _("Cancel…"), "danger", _("Cancel %(key)s?"), _("It stays on record.")),
        ],
        Window.Status.ENFORCED: [
            (
                "release",
                _("Release…"),
                "",
                _("Release %(key)s?"),
                _("What it held goes on; what a person held stays held."),
            ),
        ],
    }
    return (
        [
            {
                "name": name,
                "label": label,
                "url": f"{href}/{name}",
                "tone": tone,
                "fields": {"version": found.version},
                "ask": {"title": title % {"key": found.key}, "text": text},
            }
            for name, label, tone, title, text in words.get(Window.Status(found.status), [])
        ]
        if found.status
        else []
    )


def _submit(form: WindowForm, command: Command, actor: Actor) -> tuple[Ref | None, int]:
    """Run the command; what it refuses goes to the fields. Return its subject, or None and the status."""
    try:
        return execute(command, actor=actor).subject, 200
    except (Invalid, Conflict) as problem:
        for error in problem.errors:
            if error.field.startswith("choices."):
                form.hits.append({"key": error.field.removeprefix("choices."), "message": error.message})
                continue
            name = form.aliases.get(error.field, error.field)
            form.add_error(name if name in form.fields else None, error.message)
        if form.hits:
            text = ngettext(
                "This newly stops %(count)d change; say below what is to become of it, then save.",
                "This newly stops %(count)d changes; say below what is to become of each, then save.",
                len(form.hits),
            )
            form.add_error(None, text % {"count": len(form.hits)})
        if not problem.errors:
            form.add_error(None, problem.detail)
        return None, problem.status


@require_http_methods(["GET", "POST"])
@page
def new(request: HttpRequest) -> HttpResponseBase:
    """Add a window."""
    actor = reader(request)
    accounts.require(actor, "calendars.edit", at=None)
    form = WindowForm(request.POST or None, actor=actor)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            made, status = _submit(form, convert(form.values(), commands.CreateWindow), actor)
            if made is not None:
                toasts.done(request, _("%(key)s was added.") % {"key": made.key}, undo=way_back(request))
                return redirect(f"/windows/{made.key}")
    context = {
        "title": _("New freeze or maintenance window"),
        "lead": _("It is in force as soon as it is saved; every check and every pipeline reads it at once."),
        "form": form,
        "submit": _("Add"),
        "cancel": "/windows",
        "crumbs": [{"label": _("Freezes and maintenance"), "href": "/windows"}],
    }
    return render(request, "calendars/form.html", context, status=status)


@require_http_methods(["GET", "POST"])
@page
def edit(request: HttpRequest, key: str) -> HttpResponseBase:
    """Change a window."""
    actor = reader(request)
    found = queries.window(actor, key)
    accounts.require(actor, "calendars.edit", at=found.organisation_id)
    facets = queries.facets(actor, [found.pk])[found.pk]
    form = WindowForm(request.POST or None, actor=actor, window=found, facets=facets)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            version = form.cleaned_data["version"]
            hit = choices(request)
            values = {"window": found.key, "version": version, "edit": form.values(), "choices": hit}
            try:
                made, status = _submit(form, build(CalendarEvent.WINDOW_REPLAN, values), actor)
            except Stale as problem:
                meanwhile = _("Somebody changed this meanwhile; save once more to put yours in its place.")
                form.add_error(None, meanwhile)
                form.stale(queries.window(actor, key).version)
                made, status = None, problem.status
            if made is not None:
                toasts.done(request, _("%(key)s was saved.") % {"key": made.key}, undo=way_back(request))
                return redirect(f"/windows/{made.key}")
    context = {
        "title": _("Edit %(key)s") % {"key": found.key},
        "form": form,
        "submit": _("Save"),
        "cancel": f"/windows/{found.key}",
        "hits": form.hits,
        "choices": CHOICES,
        "crumbs": [
            {"label": _("Freezes and maintenance"), "href": "/windows"},
            {"label": found.key, "href": f"/windows/{found.key}"},
        ],
    }
    return render(request, "calendars/form.html", context, status=status)


def version_of(request: HttpRequest) -> int | None:
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


@require_POST
@page
def archive(request: HttpRequest, key: str) -> HttpResponseBase:
    """Take a window out of force."""
    made = execute(
        commands.ArchiveWindow(window=key, version=version_of(request)), actor=reader(request)
    ).subject
    toasts.done(
        request, _("%(key)s was archived.") % {"key": made.key if made else key}, undo=way_back(request)
    )
    return redirect(f"/windows/{key}")


def _lockdown(request: HttpRequest, key: str, verb: str, done: str) -> HttpResponseBase:
    """Take a step with a lockdown."""
    execute(commands.LOCKDOWN_STEPS[verb](window=key, version=version_of(request)), actor=reader(request))
    toasts.done(request, done % {"key": key})
    return redirect(f"/windows/{key}")


@require_POST
@page
def approve(request: HttpRequest, key: str) -> HttpResponseBase:
    """Say yes to a drafted lockdown."""
    return _lockdown(request, key, "approve", _("%(key)s was approved."))


@require_POST
@page
def enforce(request: HttpRequest, key: str) -> HttpResponseBase:
    """Put an approved lockdown in force."""
    return _lockdown(request, key, "enforce", _("%(key)s is enforced."))


@require_POST
@page
def release(request: HttpRequest, key: str) -> HttpResponseBase:
    """End a lockdown."""
    return _lockdown(request, key, "release", _("%(key)s was released."))


@require_POST
@page
def cancel(request: HttpRequest, key: str) -> HttpResponseBase:
    """Give up a lockdown that was not enforced."""
    return _lockdown(request, key, "cancel", _("%(key)s was cancelled."))


urlpatterns = [
    path("windows", windows, name="windows"),
    path("windows/bulk", bulk, name="windows-bulk"),
    path("windows/<str:key>/cell", cell, name="window-cell"),
    path("windows/new", new, name="window-new"),
    path("windows/<str:key>", window, name="window"),
    path("windows/<str:key>/edit", edit, name="window-edit"),
    path("windows/<str:key>/approve", approve, name="window-approve"),
    path("windows/<str:key>/enforce", enforce, name="window-enforce"),
    path("windows/<str:key>/release", release, name="window-release"),
    path("windows/<str:key>/cancel", cancel, name="window-cancel"),
    path("windows/<str:key>/archive", archive, name="window-archive"),
]
