"""The page that says who stands how to an item."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from fairway.accounts import queries as accounts
from fairway.accounts.web import page
from fairway.catalog import commands, queries
from fairway.catalog.models import Stakeholder
from fairway.catalog.pages.shared import reader, submit
from fairway.kernel.errors import Stale
from fairway.ui import toasts
from fairway.ui.forms import KeysField

HELP = {
    "responsible": gettext_lazy("Who does the work."),
    "accountable": gettext_lazy("Who answers for it: one person or team."),
    "consulted": gettext_lazy("Who is asked before."),
    "informed": gettext_lazy("Who is told."),
}


class StakeholdersForm(forms.Form):
    """People and teams by the part they have; `version` is the item's that was read."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, found: dict[str, list[Any]], version: int) -> None:
        seen = {part: [ref for ref in refs if not ref.hidden] for part, refs in found.items()}
        initial = {part: [ref.key for ref in refs] for part, refs in seen.items()}
        super().__init__(data, initial={**initial, "version": version})
        names = {ref.key: ref.name for refs in seen.values() for ref in refs}
        for part, label in Stakeholder.Part.choices:
            self.fields[part] = KeysField(
                url="/items/stakeholders/pick",
                multiple=part != Stakeholder.Part.ACCOUNTABLE,
                label=label,
                required=False,
                help_text=HELP[part],
                names=names,
                most=50,
            )


@require_GET
@page
def pick(request: HttpRequest) -> HttpResponseBase:
    """Answer a picker: people and teams that a text may mean."""
    found = queries.pick_stakeholders(reader(request), request.GET.get("q", "")[:100])
    return JsonResponse({"items": [{"key": key, "name": name, "note": note} for key, name, note in found]})


@require_http_methods(["GET", "HEAD", "POST"])
@page
def stakeholders(request: HttpRequest, key: str) -> HttpResponseBase:
    """Say who is responsible, accountable, consulted and informed."""
    actor = reader(request)
    found = queries.item(actor, key)
    accounts.require(actor, "catalog.edit", at=found.organisation_id)
    data = request.POST if request.method == "POST" else None
    form = StakeholdersForm(data, found=queries.stakeholders(actor, found), version=found.version)
    status = 200
    if data is not None:
        status = 422
        if form.is_valid():
            given = dict(form.cleaned_data)
            given["accountable"] = next(iter(given["accountable"]), None)
            try:
                made, status = submit(form, commands.SetStakeholders(item=found.slug, **given), actor)
            except Stale as problem:
                form.add_error(None, _("Somebody changed this meanwhile; load the page again."))
                made, status = None, problem.status
            if made is not None:
                toasts.done(request, _("The stakeholders were saved."))
                return redirect(f"/items/{found.slug}")
    context = {
        "title": _("Stakeholders of %(key)s") % {"key": found.slug},
        "lead": found.name,
        "form": form,
        "submit": _("Save"),
        "cancel": f"/items/{found.slug}",
        "crumbs": [
            {"label": _("Catalogue"), "href": "/items"},
            {"label": found.slug, "href": f"/items/{found.slug}"},
        ],
    }
    return render(request, "ui/form.html", context, status=status)


urlpatterns = [
    path("items/stakeholders/pick", pick, name="item-stakeholder-pick"),
    path("items/<str:key>/stakeholders", stakeholders, name="item-stakeholders"),
]
