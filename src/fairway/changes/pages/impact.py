"""What a change affects: its card, its graph, and pins."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fairway.accounts.web import page
from fairway.audit.commands import execute
from fairway.changes import commands, queries
from fairway.changes.forms import PinForm
from fairway.changes.pages.shared import reader
from fairway.kernel.errors import Conflict, Forbidden, Invalid
from fairway.ui import files, toasts

SHOWN_IMPACT = 20


@require_GET
@page
def impact_panel(request: HttpRequest, key: str) -> HttpResponseBase:
    """Answer what the change affects beside its items, for a card on its page."""
    actor = reader(request)
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
    actor = reader(request)
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
    execute(commands.UnpinItem(change=key, item=item), actor=reader(request))
    toasts.done(request, _("The pin was taken out."))
    return redirect(f"/changes/{key}")


@require_GET
@page
def graph(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show what the change affects as a graph beside its list."""
    dossier = queries.dossier(reader(request), key)
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
    actor = reader(request)
    found = queries.drawn(actor, queries.dossier(actor, key))
    return HttpResponse(msgspec.json.encode(found), content_type="application/json")


@require_GET
@page
def graph_list(request: HttpRequest, key: str) -> HttpResponseBase:
    """Answer the list beside the graph as a file."""
    actor = reader(request)
    dossier = queries.dossier(actor, key)
    rows = queries.drawn(actor, dossier).rows()
    return files.table(rows, name=f"impact-{dossier.change.key}", form=request.GET.get("format", "csv"))


urlpatterns = [
    path("changes/<str:key>/impact", impact_panel, name="change-impact"),
    path("changes/<str:key>/graph", graph, name="change-graph"),
    path("changes/<str:key>/graph/data", graph_data, name="change-graph-data"),
    path("changes/<str:key>/graph/list", graph_list, name="change-graph-list"),
    path("changes/<str:key>/pin", pin, name="change-pin"),
    path("changes/<str:key>/pins/<str:item>/remove", unpin, name="change-unpin"),
]
