"""Pages of relations: joining two items, and parting them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from fairway.accounts import queries as accounts
from fairway.accounts.web import page, way_back
from fairway.audit.commands import execute
from fairway.catalog import commands, queries
from fairway.catalog.forms import RelationForm
from fairway.catalog.pages.shared import reader, submit
from fairway.ui import toasts


@require_http_methods(["GET", "POST"])
@page
def relate(request: HttpRequest, key: str) -> HttpResponseBase:
    """Join an item to another one, either way round."""
    actor = reader(request)
    found = queries.item(actor, key)
    accounts.require(actor, "catalog.edit", at=found.organisation_id)
    form = RelationForm(request.POST or None, item=found)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            made, status = submit(form, form.command(), actor)
            if made is not None:
                toasts.done(request, _("The relation was added."), undo=way_back(request))
                return redirect(f"/items/{found.slug}")
    context = {
        "title": _("Add a relation of %(key)s") % {"key": found.slug},
        "lead": found.name,
        "form": form,
        "submit": _("Add relation"),
        "cancel": f"/items/{found.slug}",
        "crumbs": [
            {"label": _("Catalogue"), "href": "/items"},
            {"label": found.slug, "href": f"/items/{found.slug}"},
        ],
    }
    return render(request, "ui/form.html", context, status=status)


@require_POST
@page
def unrelate(request: HttpRequest, key: str, uid: str) -> HttpResponse:
    """Take a relation away."""
    execute(commands.RemoveRelation(relation=uid), actor=reader(request))
    toasts.done(request, _("The relation was removed."), undo=way_back(request))
    return redirect(f"/items/{key}")


urlpatterns = [
    path("items/<str:key>/relate", relate, name="item-relate"),
    path("items/<str:key>/relations/<str:uid>/remove", unrelate, name="item-unrelate"),
]
