"""Saved views beside a list: keeping what one looks at, sharing it, opening with it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from django import forms
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from fairway.accounts import queries as accounts
from fairway.accounts.web import caller, page
from fairway.audit.commands import execute
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid
from fairway.ui import toasts
from fairway.workspace import commands, queries
from fairway.workspace.models import SavedView

LONGEST = 8_000


def _kept(listed: queries.ViewPage, address: str) -> dict[str, Any]:
    """Return what a view keeps of the query of an address."""
    given = dict(parse_qsl(address[:LONGEST]))
    return {
        "filters": {
            **{name: given[name] for name in listed.parameters if given.get(name)},
            **(queries.own_filters(given) if listed.fields else {}),
        },
        "sort": given.get("sort", ""),
        "columns": [one for one in given.get("columns", "").split(",") if one],
    }


@require_POST
@page
def new(request: HttpRequest) -> HttpResponseBase:
    """Keep what a list shows now under a name."""
    actor = caller(request)
    listed = queries.page_of(request.POST.get("page", ""))
    kept = _kept(listed, request.POST.get("query", ""))
    command = commands.CreateView(page=listed.name, name=request.POST.get("name", ""), pinned=True, **kept)
    try:
        made = execute(command, actor=actor).subject
    except (Invalid, Conflict) as problem:
        toasts.failed(request, problem.detail)
        return redirect(f"{listed.path}?{request.POST.get('query', '')[:LONGEST]}")
    toasts.done(request, _("The view is kept."))
    return redirect(queries.view_href(listed, queries.view(actor, made.uid if made else ""), actor))


@require_POST
@page
def update(request: HttpRequest, uid: str) -> HttpResponseBase:
    """Let a view hold what its list shows now."""
    actor = caller(request)
    found = queries.view(actor, uid)
    listed = queries.page_of(found.page)
    execute(commands.EditView(view=uid, **_kept(listed, request.POST.get("query", ""))), actor=actor)
    toasts.done(request, _("The view was saved."))
    return redirect(queries.view_href(listed, queries.view(actor, uid), actor))


@require_POST
@page
def choose(request: HttpRequest) -> HttpResponseBase:
    """Let a list open with a view, as it comes, or with what is offered to all."""
    actor = caller(request)
    listed = queries.page_of(request.POST.get("page", ""))
    view = request.POST.get("view", "")
    execute(commands.ChooseView(page=listed.name, view=view), actor=actor)
    toasts.done(request, _("The list opens like that from now on."))
    return redirect(f"{listed.path}?view={queries.NONE}" if view in {"", queries.NONE} else listed.path)


@require_POST
@page
def archive(request: HttpRequest, uid: str) -> HttpResponseBase:
    """Delete a view."""
    actor = caller(request)
    listed = queries.page_of(queries.view(actor, uid).page)
    execute(commands.ArchiveView(view=uid), actor=actor)
    toasts.done(request, _("The view was deleted."))
    return redirect(f"{listed.path}?view={queries.NONE}")


class ViewForm(forms.Form):
    """What a view is called and whom it is for."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    pinned = forms.BooleanField(label=gettext_lazy("Among the tabs of the list"), required=False)
    sharing = forms.ChoiceField(label=gettext_lazy("Who sees it"), choices=SavedView.Sharing.choices)
    team = forms.ChoiceField(label=gettext_lazy("Team"), required=False)
    organisation = forms.ChoiceField(label=gettext_lazy("Organisation"), required=False)
    is_default = forms.BooleanField(
        label=gettext_lazy("The list opens with it for all of them who chose nothing else"), required=False
    )

    def __init__(self, *args: Any, actor: Actor, found: SavedView, **more: Any) -> None:
        super().__init__(*args, **more)
        teams = [(one.slug, one.name) for one in accounts.teams(actor)[:200]]
        places = list(
            accounts.organisations_where(actor, "workspace.share").values_list("slug", "name")[:200]
        )
        for name, choices, present in (
            ("team", teams, found.team),
            ("organisation", places, found.organisation),
        ):
            known = [(present.slug, present.name)] if present is not None else []
            field: Any = self.fields[name]
            field.choices = [("", "–"), *dict.fromkeys([*known, *choices])]


@require_http_methods(["GET", "POST"])
@page
def edit(request: HttpRequest, uid: str) -> HttpResponseBase:
    """Ask what a view is called and whom it is for."""
    actor = caller(request)
    found = queries.view(actor, uid)
    if request.method == "GET" and not queries.may_edit_view(actor, found):
        raise Forbidden(_("A view is altered by its owner, or by who shares views there."))
    listed = queries.page_of(found.page)
    here = queries.view_href(listed, found, actor)
    initial = {
        "name": found.name,
        "pinned": found.pinned,
        "sharing": found.sharing,
        "team": found.team.slug if found.team is not None else "",
        "organisation": found.organisation.slug if found.organisation is not None else "",
        "is_default": found.is_default,
    }
    form = ViewForm(request.POST or None, initial=initial, actor=actor, found=found)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            given = form.cleaned_data
            given |= {name: given[name] or None for name in ("team", "organisation")}
            try:
                execute(commands.EditView(view=uid, **given), actor=actor)
            except (Invalid, Conflict) as problem:
                for error in problem.errors:
                    form.add_error(error.field if error.field in form.fields else None, error.message)
                if not problem.errors:
                    form.add_error(None, problem.detail)
            else:
                toasts.done(request, _("The view was saved."))
                return redirect(here)
    context = {
        "title": _("View “%(name)s”") % {"name": found.name},
        "form": form,
        "submit": _("Save"),
        "cancel": here,
        "crumbs": [{"label": str(listed.label), "href": listed.path}],
    }
    return render(request, "ui/form.html", context, status=status)


urlpatterns = [
    path("views", new, name="view-new"),
    path("views/choose", choose, name="view-choose"),
    path("views/<str:uid>/edit", edit, name="view-edit"),
    path("views/<str:uid>/update", update, name="view-update"),
    path("views/<str:uid>/archive", archive, name="view-archive"),
]
