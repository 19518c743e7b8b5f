"""Pages of a change: its record, its form with live findings, what it alters of items, and its steps."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fairway.accounts import parts
from fairway.accounts import queries as accounts
from fairway.accounts.web import page, way_back
from fairway.audit.commands import convert, execute, preview
from fairway.changes import commands, face, queries
from fairway.changes.forms import ChangeForm, CompleteForm, EditsForm
from fairway.changes.pages.shared import now, reader
from fairway.changes.words import VERBS
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Invalid, NotFound, Problem, Stale
from fairway.ui import toasts

# The record


@require_GET
@page
def change(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show one change: whether it can go ahead, its plan, what it touches, who approved it."""
    actor, at = reader(request), now()
    found = queries.dossier(actor, key)
    if key != found.change.key:
        return redirect(f"/changes/{found.change.key}")
    share = parts.share(actor, f"changes/{key}", found.change.title)
    return render(request, "changes/change.html", {**face.record(actor, found, at=at), "share": share})


# What it alters of items


@require_http_methods(["GET", "POST"])
@page
def propose(request: HttpRequest, key: str) -> HttpResponseBase:
    """Ask what is to be altered of one or more items once the change is implementing."""
    actor = reader(request)
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
        execute(commands.WithdrawEdit(change=key, item=item), actor=reader(request))
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
        execute(commands.ApplyEdits(change=key), actor=reader(request))
    except (Conflict, Stale) as problem:
        toasts.failed(request, problem.detail)
    else:
        toasts.done(request, _("The configuration changes were applied."))
    return redirect(f"/changes/{key}")


# Writing


@require_http_methods(["GET", "POST"])
@page
def new(request: HttpRequest) -> HttpResponseBase:
    """Ask for a new change; the findings are told while it is filled in."""
    actor = reader(request)
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
    actor = reader(request)
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
        "verdict": face.verdict(actor, found, at=now()),
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
    actor = reader(request)
    form = ChangeForm(request.POST, actor=actor)
    return _tried(request, actor, form, None)


@require_POST
@page
def try_edit(request: HttpRequest, key: str) -> HttpResponseBase:
    """Answer what would stand in the way of the change as it is edited; writes nothing."""
    actor = reader(request)
    found = queries.dossier(actor, key)
    form = ChangeForm(request.POST, actor=actor, dossier=found)
    return _tried(request, actor, form, found)


def _tried(
    request: HttpRequest, actor: Actor, form: ChangeForm, found: queries.Dossier | None
) -> HttpResponse:
    """Run the dry run of what is filled in so far; what is missing still is no mistake yet."""
    form.is_valid()
    if wrong := form.unreadable():
        return render(request, "ui/verdict.html", {"verdict": face.unclear(Invalid(wrong[0]))})
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
    actor = reader(request)
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
    actor = reader(request)
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


urlpatterns = [
    path("changes/new", new, name="change-new"),
    path("changes/preview", try_new, name="change-preview"),
    path("changes/<str:key>", change, name="change"),
    path("changes/<str:key>/edit", edit, name="change-edit"),
    path("changes/<str:key>/preview", try_edit, name="change-edit-preview"),
    path("changes/<str:key>/finish", complete, name="change-finish"),
    path("changes/<str:key>/propose", propose, name="change-propose"),
    path("changes/<str:key>/edits/<str:item>/withdraw", withdraw, name="change-withdraw-edit"),
    path("changes/<str:key>/apply", apply_edits, name="change-apply-edits"),
    path("changes/<str:key>/<slug:verb>", step, name="change-step"),
]
