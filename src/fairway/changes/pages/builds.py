"""The builds of a change on its page: the panel, naming one, taking one out."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fairway.accounts import queries as accounts
from fairway.accounts.web import caller, page
from fairway.audit.commands import execute
from fairway.changes import commands, queries
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Forbidden, Invalid
from fairway.ui import toasts
from fairway.ui.forms import KeysField

STATES = {
    "registered": ("submitted", gettext_lazy("Registered")),
    "accepted": ("active", gettext_lazy("Accepted")),
    "rejected": ("rejected", gettext_lazy("Rejected")),
    "retired": ("retired", gettext_lazy("Retired")),
}


class CarryForm(forms.Form):
    """Which build carries the change."""

    build = KeysField(
        url="/builds/pick",
        multiple=False,
        label=gettext_lazy("Build"),
        help_text=gettext_lazy("By key, or system and version such as payments-api@2.3.0."),
    )


def _reader(request: HttpRequest) -> Actor:
    """:raises Forbidden: they may not see changes anywhere."""
    actor = caller(request)
    accounts.require(actor, "changes.view", at=None)
    return actor


@require_GET
@page
def panel(request: HttpRequest, key: str) -> HttpResponseBase:
    """Answer the card on the change's page: the builds that carry it."""
    actor = _reader(request)
    dossier = queries.dossier(actor, key)
    here = f"/changes/{dossier.change.key}/builds"
    may = queries.may_carry(actor, dossier)
    rows = [
        {
            **row,
            "href": f"/builds/{row['key']}",
            "state": ("retired", _("Archived")) if row["archived_at"] else STATES[row["status"]],
            "short": row["commit"][:10],
            "remove": f"{here}/{row['key']}/remove" if may else "",
        }
        for row in queries.carrying(actor, dossier)
    ]
    context = {"rows": rows, "named": True, "removes": may, "new": here if may else ""}
    return render(request, "catalog/builds_panel.html", context)


@require_http_methods(["GET", "POST"])
@page
def attach(request: HttpRequest, key: str) -> HttpResponseBase:
    """Say that a build carries the change."""
    actor = _reader(request)
    dossier = queries.dossier(actor, key)
    change = dossier.change
    if not queries.may_carry(actor, dossier):
        raise Forbidden(_("You may not name the builds of %(change)s.") % {"change": change.key})
    form = CarryForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            [build] = form.cleaned_data["build"]
            try:
                execute(commands.AttachBuild(change=change.key, build=build), actor=actor)
            except Invalid as problem:
                form.add_error("build", problem.errors[0].message if problem.errors else problem.detail)
            else:
                toasts.done(request, _("%(build)s carries it.") % {"build": build})
                return redirect(f"/changes/{change.key}")
    context = {
        "title": _("Name a build of %(change)s") % {"change": change.key},
        "lead": _("Each of its artefacts then leads here: which changes does this digest carry?"),
        "form": form,
        "submit": _("Add"),
        "cancel": f"/changes/{change.key}",
        "crumbs": [
            {"label": _("Changes"), "href": "/changes"},
            {"label": change.key, "href": f"/changes/{change.key}"},
        ],
    }
    return render(request, "ui/form.html", context, status=status)


@require_POST
@page
def detach(request: HttpRequest, key: str, build: str) -> HttpResponseBase:
    """Say that a build does not carry the change after all."""
    execute(commands.DetachBuild(change=key, build=build), actor=_reader(request))
    toasts.done(request, _("%(build)s was taken out.") % {"build": build})
    return redirect(f"/changes/{key}")


urlpatterns = [
    path("changes/<str:key>/builds", attach, name="change-builds"),
    path("changes/<str:key>/builds/panel", panel, name="change-builds-panel"),
    path("changes/<str:key>/builds/<str:build>/remove", detach, name="change-build-remove"),
]
