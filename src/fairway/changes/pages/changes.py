"""Pages of changes: the list, a record, its form with live findings, its steps, and the calendar."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fairway.accounts import queries as accounts
from fairway.accounts.web import caller, page, way_back
from fairway.audit.commands import convert, execute, preview
from fairway.changes import commands, face, queries
from fairway.changes.forms import ChangeForm, CompleteForm, EditsForm, PinForm
from fairway.changes.grid import CHANGES, TABS, as_rows
from fairway.changes.words import STATES, VERBS
from fairway.environments import queries as environments
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Problem, Stale
from fairway.kernel.period import Period, parse_instant
from fairway.ui import files, toasts
from fairway.workspace import queries as workspace

SEARCHED = (
    *("state", "model", "priority", "organisation", "item", "environment", "category"),
    *("planned_start__gte", "planned_start__lt", "q", "sort", "cursor"),
)
IN_PANEL = 8
SHOWN_IMPACT = 20


def _reader(request: HttpRequest) -> Actor:
    """Return who reads.

    :raises Forbidden: they may not see changes anywhere.
    """
    actor = caller(request)
    accounts.require(actor, "changes.view", at=None)
    return actor


def _now() -> datetime:
    return datetime.now(UTC)


# The list


@require_GET
@page
def changes(request: HttpRequest) -> HttpResponseBase:
    """Show the changes that are asked for, fifty at a time, with what clashes."""
    actor, at = _reader(request), _now()
    views = workspace.views_of(actor, "changes", current=request.GET.get("view", ""))
    if not request.GET and views.opening_href:
        return redirect(views.opening_href)
    asked = {name: request.GET[name] for name in SEARCHED if request.GET.get(name)}
    tab = request.GET.get("tab", "open")
    if tab not in TABS:
        raise Invalid.field("tab", _("There is no such tab."))
    order = "-planned_start" if tab == "all" else "planned_start"  # what comes next stands first
    first = not asked.get("cursor")
    query = convert({"sort": order, **asked, **TABS[tab], "count": first}, queries.ChangeQuery)
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
    return CHANGES.bulk(request, _reader(request))


@require_http_methods(["GET", "POST"])
@page
def cell(request: HttpRequest, key: str) -> HttpResponseBase:
    """Edit a field of a change in its row of the list."""
    return CHANGES.cell(request, _reader(request), key)


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
        ("category", _("Category"), []),
        ("planned_start__gte", _("From"), []),
        ("planned_start__lt", _("Before"), []),
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
    actor = _reader(request)
    asked = {name: request.GET[name] for name in ("item", "environment") if request.GET.get(name)}
    if len(asked) != 1:
        raise Invalid.field("item", _("Name an item or an environment."))
    query = convert({**asked, "limit": IN_PANEL, "count": True}, queries.ChangeQuery)
    found = queries.change_page(actor, query)
    total = found.total or 0
    context = {
        "rows": face.rows(actor, found.rows, at=_now()),
        "more": {"href": "/changes?" + urlencode({"tab": "all", **asked}), "label": _counted(total)}
        if total > IN_PANEL
        else None,
        "new": "/changes/new?" + urlencode({f"{name}s": value for name, value in asked.items()}),
        "may_request": accounts.access(actor).may("changes.request", None),
    }
    return render(request, "changes/panel.html", context)


@require_GET
@page
def people(request: HttpRequest) -> HttpResponseBase:
    """Answer a picker: people that a text may mean."""
    found = accounts.people(_reader(request)).filter(is_active=True, is_service=False)
    for word in request.GET.get("q", "")[:100].split()[:8]:
        found = found.filter(Q(name__icontains=word) | Q(email_folded__contains=word.casefold()))
    rows = found.order_by("name", "pk").values_list("number", "name", "email")[:20]
    items = [{"key": f"USR-{number}", "name": name, "note": email} for number, name, email in rows]
    return JsonResponse({"items": items})


# The record


@require_GET
@page
def change(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show one change: whether it can go ahead, its plan, what it touches, who approved it."""
    actor, at = _reader(request), _now()
    found = queries.dossier(actor, key)
    if key != found.change.key:
        return redirect(f"/changes/{found.change.key}")
    return render(request, "changes/change.html", face.record(actor, found, at=at))


# What it alters of items


@require_http_methods(["GET", "POST"])
@page
def propose(request: HttpRequest, key: str) -> HttpResponseBase:
    """Ask what is to be altered of one or more items once the change is implementing."""
    actor = _reader(request)
    dossier = queries.dossier(actor, key)
    commands.permitted(dossier, "edit", actor)
    named = request.GET.get("item", "")[:100]
    known = next((edit for edit in dossier.edits if edit.item.slug == named), None)
    form = EditsForm(request.POST or None, actor=actor, item=named, known=known)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                execute(form.command(dossier.change.key), actor=actor)
            except (Invalid, Conflict, NotFound) as problem:
                status = problem.status
                form.refuse(problem)
            else:
                toasts.done(request, _("The edit was proposed."))
                return redirect(f"/changes/{dossier.change.key}")
    context = {
        "title": _("Propose configuration changes in %(change)s") % {"change": dossier.change.key},
        "lead": _("They are part of what is approved, and written when whoever implements it applies them."),
        "form": form,
        "submit": _("Propose"),
        "cancel": f"/changes/{dossier.change.key}",
        "crumbs": [
            {"label": _("Changes"), "href": "/changes"},
            {"label": dossier.change.key, "href": f"/changes/{dossier.change.key}"},
        ],
    }
    return render(request, "ui/form.html", context, status=status)


@require_POST
@page
def withdraw(request: HttpRequest, key: str, item: str) -> HttpResponseBase:
    """Propose the edit of an item no longer."""
    try:
        execute(commands.WithdrawEdit(change=key, item=item), actor=_reader(request))
    except Conflict as problem:
        toasts.failed(request, problem.detail)
    else:
        toasts.done(request, _("The proposal was withdrawn."))
    return redirect(f"/changes/{key}")


@require_POST
@page
def apply_edits(request: HttpRequest, key: str) -> HttpResponseBase:
    """Write what the change proposes into the catalogue."""
    try:
        execute(commands.ApplyEdits(change=key), actor=_reader(request))
    except (Conflict, Stale) as problem:
        toasts.failed(request, problem.detail)
    else:
        toasts.done(request, _("The configuration changes were applied."))
    return redirect(f"/changes/{key}")


# Its impact


@require_GET
@page
def impact_panel(request: HttpRequest, key: str) -> HttpResponseBase:
    """Answer what the change affects beside its items, for a card on its page."""
    actor = _reader(request)
    dossier = queries.dossier(actor, key)
    found = queries.reaching(actor, dossier, limit=SHOWN_IMPACT)
    impact = found.impact
    services = [_affected(one) for one in impact.services] if impact else []
    named = {row["key"] for row in services}
    others = [_affected(one) for one in impact.reached if one.item.key not in named] if impact else []
    context = {
        "key": dossier.change.key,
        "services": services,
        "items": others,
        "left": impact.total - len(services) - len(others) if impact else 0,
        "total": impact.total if impact else 0,
        "pins": [
            {
                "key": pin.item.slug,
                "name": pin.item.name,
                "href": f"/items/{pin.item.slug}",
                "affected": pin.affected,
                "reason": pin.reason,
                "who": pin.person.name if pin.person else _("Fairway"),
                "at": pin.pinned_at,
            }
            for pin in found.pins
        ],
        "may_pin": dossier.change.is_open and queries.may_pin(actor, dossier),
        "graph": f"/changes/{dossier.change.key}/graph",
        "any": bool(dossier.items),
    }
    return render(request, "changes/impact.html", context)


def _affected(one: Any) -> dict[str, Any]:
    return {
        "key": one.item.key,
        "name": one.item.name,
        "href": f"/items/{one.item.key}",
        "criticality": one.criticality,
        "path": [
            {"key": _("another organisation"), "href": "", "name": ""}
            if ref.hidden
            else {"key": ref.key, "href": f"/items/{ref.key}", "name": ref.name}
            for ref in one.path
        ],
    }


@require_http_methods(["GET", "POST"])
@page
def pin(request: HttpRequest, key: str) -> HttpResponseBase:
    """Say that an item is affected by the change, or is not."""
    actor = _reader(request)
    dossier = queries.dossier(actor, key)
    if not queries.may_pin(actor, dossier):
        raise Forbidden(_("You may not pin items in %(change)s.") % {"change": dossier.change.key})
    item = request.GET.get("item", "")[:100]
    initial = {"item": [item] if item else [], "affected": request.GET.get("affected", "false")}
    form = PinForm(request.POST or None, initial=initial)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                execute(form.command(dossier.change.key), actor=actor)
            except (Invalid, Conflict) as problem:
                status = problem.status
                for error in problem.errors:
                    form.add_error(error.field if error.field in form.fields else None, error.message)
                if not problem.errors:
                    form.add_error(None, problem.detail)
            else:
                toasts.done(request, _("The pin was set."))
                return redirect(f"/changes/{dossier.change.key}")
    context = {
        "title": _("Pin an item in %(change)s") % {"change": dossier.change.key},
        "lead": _("The impact follows from the relations; a pin says what they do not know, and stays."),
        "form": form,
        "submit": _("Pin"),
        "cancel": f"/changes/{dossier.change.key}",
        "crumbs": [
            {"label": _("Changes"), "href": "/changes"},
            {"label": dossier.change.key, "href": f"/changes/{dossier.change.key}"},
        ],
    }
    return render(request, "ui/form.html", context, status=status)


@require_POST
@page
def unpin(request: HttpRequest, key: str, item: str) -> HttpResponseBase:
    """Let the relations say again whether an item is affected."""
    execute(commands.UnpinItem(change=key, item=item), actor=_reader(request))
    toasts.done(request, _("The pin was taken out."))
    return redirect(f"/changes/{key}")


@require_GET
@page
def graph(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show what the change affects as a graph beside its list."""
    dossier = queries.dossier(_reader(request), key)
    here = f"/changes/{dossier.change.key}"
    context = {
        "title": dossier.change.title,
        "key": dossier.change.key,
        "crumbs": [
            {"label": _("Changes"), "href": "/changes"},
            {"label": dossier.change.key, "href": here},
        ],
        "plain": here,
        "src": f"{here}/graph/data",
        "csv": f"{here}/graph/list?format=csv",
        "json": f"{here}/graph/list?format=json",
    }
    return render(request, "changes/graph.html", context)


@require_GET
@page
def graph_data(request: HttpRequest, key: str) -> HttpResponseBase:
    """Answer what the graph draws."""
    actor = _reader(request)
    found = queries.drawn(actor, queries.dossier(actor, key))
    return HttpResponse(msgspec.json.encode(found), content_type="application/json")


@require_GET
@page
def graph_list(request: HttpRequest, key: str) -> HttpResponseBase:
    """Answer the list beside the graph as a file."""
    actor = _reader(request)
    dossier = queries.dossier(actor, key)
    rows = queries.drawn(actor, dossier).rows()
    return files.table(rows, name=f"impact-{dossier.change.key}", form=request.GET.get("format", "csv"))


# Writing


@require_http_methods(["GET", "POST"])
@page
def new(request: HttpRequest) -> HttpResponseBase:
    """Ask for a new change; the findings are told while it is filled in."""
    actor = _reader(request)
    accounts.require(actor, "changes.request", at=None)
    form = ChangeForm(request.POST or None, actor=actor, initial=_prefilled(request))
    if request.method == "POST" and form.is_valid():
        wanted = {**form.values(), "submit": request.POST.get("then") == "submit"}
        try:
            outcome = execute(convert(wanted, commands.CreateChange), actor=actor)
        except Invalid as invalid:
            form.refuse(invalid)
        except Conflict as refused:
            form.add_error(None, refused.detail)
        else:
            key = outcome.subject.key if outcome.subject is not None else ""
            done = (
                _("%(change)s was submitted.") if wanted["submit"] else _("%(change)s was saved as a draft.")
            )
            toasts.done(request, done % {"change": key})
            return redirect(f"/changes/{key}")
    context = {
        "form": form,
        "verdict": face.unasked(),
        "preview": "/changes/preview",
        "crumbs": [{"label": _("Changes"), "href": "/changes"}],
    }
    return render(request, "changes/form.html", context, status=422 if form.errors else 200)


def _prefilled(request: HttpRequest) -> dict[str, Any]:
    """Return what a link asked to be filled in: `?items=payments-api&environments=prod`."""
    found: dict[str, Any] = {
        name: [key for key in request.GET[name].split(",") if key]
        for name in ("items", "environments")
        if request.GET.get(name)
    }
    for name in ("template", "title"):
        if request.GET.get(name):
            found[name] = request.GET[name]
    return found


@require_http_methods(["GET", "POST"])
@page
def edit(request: HttpRequest, key: str) -> HttpResponseBase:
    """Ask for what is to be edited."""
    actor = _reader(request)
    found = queries.dossier(actor, key)
    commands.permitted(found, "edit", actor)
    form = ChangeForm(request.POST or None, actor=actor, dossier=found)
    if request.method == "POST" and form.is_valid():
        wanted = {**form.values(), "change": found.change.key, "version": form.cleaned_data["version"]}
        try:
            execute(convert(wanted, commands.EditChange), actor=actor)
        except Invalid as invalid:
            form.refuse(invalid)
        except (Conflict, Stale) as refused:
            form.add_error(None, refused.detail)
        else:
            undo = way_back(request) if found.change.state == found.workflow.initial else ""
            toasts.done(request, _("%(change)s was saved.") % {"change": found.change.key}, undo=undo)
            return redirect(f"/changes/{found.change.key}")
    context = {
        "form": form,
        "change": found.change,
        "verdict": face.verdict(actor, found, at=_now()),
        "preview": f"/changes/{found.change.key}/preview",
        "crumbs": [
            {"label": _("Changes"), "href": "/changes"},
            {"label": found.change.key, "href": f"/changes/{found.change.key}"},
        ],
    }
    return render(request, "changes/form.html", context, status=422 if form.errors else 200)


@require_POST
@page
def try_new(request: HttpRequest) -> HttpResponseBase:
    """Answer what would stand in the way of the change as it is filled in; writes nothing."""
    actor = _reader(request)
    form = ChangeForm(request.POST, actor=actor)
    return _tried(request, actor, form, None)


@require_POST
@page
def try_edit(request: HttpRequest, key: str) -> HttpResponseBase:
    """Answer what would stand in the way of the change as it is edited; writes nothing."""
    actor = _reader(request)
    found = queries.dossier(actor, key)
    form = ChangeForm(request.POST, actor=actor, dossier=found)
    return _tried(request, actor, form, found)


def _tried(
    request: HttpRequest, actor: Actor, form: ChangeForm, found: queries.Dossier | None
) -> HttpResponse:
    """Run the dry run of what is filled in so far; what is missing still is no mistake yet."""
    form.is_valid()
    wanted = form.tentative()
    try:
        if found is None:
            command: Any = convert(wanted, commands.CreateChange)
        else:
            command = convert({**wanted, "change": found.change.key}, commands.EditChange)
        plan = preview(command, actor=actor)
    except Problem as problem:
        told = face.unclear(problem)
    else:
        told = face.decided(
            actor, plan.answer, asked={**wanted, **({"change": found.change.key} if found else {})}
        )
    return render(request, "ui/verdict.html", {"verdict": told})


# Steps


@require_POST
@page
def step(request: HttpRequest, key: str, verb: str) -> HttpResponseBase:
    """Take a step of the change, and say on its page what came of it."""
    actor = _reader(request)
    command = commands.STEPS.get(verb)
    if command is None:
        raise Invalid.field("verb", _("There is no such step."))
    given = {
        name: request.POST[name]
        for name in command.__struct_fields__
        if name != "change" and name in request.POST
    }
    try:
        execute(convert({**given, "change": key}, command), actor=actor)
    except (Conflict, Stale, Invalid) as problem:
        toasts.failed(request, problem.detail)
    else:
        toasts.done(request, _("%(change)s was %(done)s.") % {"change": key, "done": VERBS[verb].done})
    return redirect(f"/changes/{key}")


@require_http_methods(["GET", "POST"])
@page
def complete(request: HttpRequest, key: str) -> HttpResponseBase:
    """Ask what came of the work."""
    actor = _reader(request)
    found = queries.dossier(actor, key)
    commands.permitted(found, "complete", actor)
    form = CompleteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            execute(commands.CompleteChange(change=found.change.key, **form.cleaned_data), actor=actor)
        except Invalid as invalid:
            for error in invalid.errors:
                form.add_error(error.field if error.field in form.fields else None, error.message)
        except Conflict as refused:
            form.add_error(None, refused.detail)
        else:
            toasts.done(request, _("%(change)s was completed.") % {"change": found.change.key})
            return redirect(f"/changes/{found.change.key}")
    context = {
        "title": _("Complete %(change)s") % {"change": found.change.key},
        "lead": found.change.title,
        "form": form,
        "submit": _("Complete"),
        "cancel": f"/changes/{found.change.key}",
        "crumbs": [{"label": found.change.key, "href": f"/changes/{found.change.key}"}],
        "outcome": _("What is left of its planned time is free again."),
    }
    return render(request, "ui/form.html", context, status=422 if form.errors else 200)


# The calendar


class CalendarAsked(msgspec.Struct, kw_only=True):
    """What the timeline asks for."""

    start: str = msgspec.field(name="from")
    end: str = msgspec.field(name="to")
    lanes: str = "item"
    item: str = ""
    environment: str = ""


@require_GET
@page
def calendar(request: HttpRequest) -> HttpResponseBase:
    """Show everything planned on one timeline."""
    actor = _reader(request)
    views = workspace.views_of(actor, "calendar", current=request.GET.get("view", ""))
    if not request.GET and views.opening_href:
        return redirect(views.opening_href)
    by = request.GET.get("lanes", "item")
    if by not in ("item", "environment"):
        raise Invalid.field("lanes", _("Lanes are by item or by environment."))
    kept = {name: request.GET[name] for name in ("item", "environment") if request.GET.get(name)}
    context = {
        "views": views,
        "src": "/calendar/data?" + urlencode({"lanes": by, **kept}),
        "lane_label": _("Item") if by == "item" else _("Environment"),
        "segments": [
            {"label": label, "href": "?" + urlencode({"lanes": name, **kept}), "current": by == name}
            for name, label in (("item", _("By item")), ("environment", _("By environment")))
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
        return JsonResponse(_drawn(request))
    except Problem as problem:
        return JsonResponse(
            problem.document(), status=problem.status, content_type="application/problem+json"
        )


def _drawn(request: HttpRequest) -> dict[str, Any]:
    actor = _reader(request)
    asked = convert(request.GET.dict(), CalendarAsked)
    period = Period(parse_instant(asked.start, field="from"), parse_instant(asked.end, field="to"))
    if asked.lanes not in ("item", "environment"):
        raise Invalid.field("lanes", _("Lanes are by item or by environment."))
    if period.length > timedelta(days=1100):
        raise Invalid.field("to", _("A span has at most three years."))
    return queries.timeline(
        actor,
        period,
        by="item" if asked.lanes == "item" else "environment",
        item=asked.item or None,
        environment=asked.environment or None,
        words=accounts.words(actor),
    )


urlpatterns = [
    path("changes", changes, name="changes"),
    path("changes/new", new, name="change-new"),
    path("changes/preview", try_new, name="change-preview"),
    path("changes/bulk", bulk, name="changes-bulk"),
    path("changes/panel", panel, name="change-panel"),
    path("changes/people", people, name="change-people"),
    path("changes/<str:key>", change, name="change"),
    path("changes/<str:key>/cell", cell, name="change-cell"),
    path("changes/<str:key>/edit", edit, name="change-edit"),
    path("changes/<str:key>/preview", try_edit, name="change-edit-preview"),
    path("changes/<str:key>/finish", complete, name="change-finish"),
    path("changes/<str:key>/propose", propose, name="change-propose"),
    path("changes/<str:key>/edits/<str:item>/withdraw", withdraw, name="change-withdraw-edit"),
    path("changes/<str:key>/apply", apply_edits, name="change-apply-edits"),
    path("changes/<str:key>/impact", impact_panel, name="change-impact"),
    path("changes/<str:key>/graph", graph, name="change-graph"),
    path("changes/<str:key>/graph/data", graph_data, name="change-graph-data"),
    path("changes/<str:key>/graph/list", graph_list, name="change-graph-list"),
    path("changes/<str:key>/pin", pin, name="change-pin"),
    path("changes/<str:key>/pins/<str:item>/remove", unpin, name="change-unpin"),
    path("changes/<str:key>/<slug:verb>", step, name="change-step"),
    path("calendar", calendar, name="calendar"),
    path("calendar/data", calendar_data, name="calendar-data"),
]
