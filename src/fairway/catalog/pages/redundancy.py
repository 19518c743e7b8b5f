"""Pages of redundancy: saying that an item needs only some of several others."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from fairway.accounts import queries as accounts
from fairway.accounts.web import page, way_back
from fairway.audit.commands import execute
from fairway.catalog import commands, queries
from fairway.catalog.models import ConfigurationItem
from fairway.catalog.pages.shared import reader, submit, version_of
from fairway.kernel.actor import Actor
from fairway.ui import toasts
from fairway.ui.forms import KeysField


class RedundancyForm(forms.Form):
    """Some of several others are enough."""

    aliases: ClassVar[dict[str, str]] = {}

    kind = forms.ChoiceField(label=gettext_lazy("Relation"))
    members = KeysField(
        url="/items/pick",
        multiple=True,
        label=gettext_lazy("Members"),
        help_text=gettext_lazy("Items that it is joined to already, of which some are enough."),
    )
    needed = forms.IntegerField(
        label=gettext_lazy("Needed"),
        min_value=1,
        max_value=200,
        initial=1,
        help_text=gettext_lazy("How many of them have to stand: failure is held up as long as they do."),
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        required=False,
        help_text=gettext_lazy("Tells this group from another one of the same relation."),
    )

    def __init__(self, data: Any = None, *, item: ConfigurationItem, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        kinds = queries.relation_kinds(archived=False)
        self.fields["kind"].choices = [  # type: ignore[attr-defined]
            (
                row["slug"],
                f"{item.name} {row['reverse_name' if row['failure'] == 'to_target' else 'name']} …",
            )
            for row in kinds
        ]


def groups(actor: Actor, item: ConfigurationItem) -> list[dict[str, Any]]:
    """Return the groups of an item as its page shows them."""
    return [
        {
            "words": group["kind"].reverse_name
            if group["kind"].failure == "to_target"
            else group["kind"].name,
            "name": group["name"],
            "needed": group["needed"],
            "count": group["count"],
            "members": [{"key": ref.key, "href": f"/items/{ref.key}"} for ref in group["members"]],
            "hidden": group["count"] - len(group["members"]),
            "holds": group["needed"] < group["count"],
            "version": group["version"],
            "remove": f"/items/{item.slug}/redundancies/{group['uid']}/remove",
        }
        for group in queries.redundancies(actor, [item])
    ]


@require_http_methods(["GET", "POST"])
@page
def new(request: HttpRequest, key: str) -> HttpResponseBase:
    """Say that an item stands while some of several others stand."""
    actor = reader(request)
    found = queries.item(actor, key)
    accounts.require(actor, "catalog.edit", at=found.organisation_id)
    form = RedundancyForm(request.POST or None, item=found)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            made, status = submit(
                form, commands.CreateRedundancy(item=found.slug, **form.cleaned_data), actor
            )
            if made is not None:
                toasts.done(request, _("The redundancy was added."), undo=way_back(request))
                return redirect(f"/items/{found.slug}")
    context = {
        "title": _("Add redundancy to %(key)s") % {"key": found.slug},
        "lead": _("%(name)s stands while enough of the members stand.") % {"name": found.name},
        "form": form,
        "submit": _("Add redundancy"),
        "cancel": f"/items/{found.slug}",
        "crumbs": [
            {"label": _("Catalogue"), "href": "/items"},
            {"label": found.slug, "href": f"/items/{found.slug}"},
        ],
    }
    return render(request, "ui/form.html", context, status=status)


@require_POST
@page
def remove(request: HttpRequest, key: str, uid: str) -> HttpResponse:
    """Take a group away; its relations stay."""
    command = commands.RemoveRedundancy(redundancy=uid, version=version_of(request))
    execute(command, actor=reader(request))
    toasts.done(request, _("The redundancy was removed."), undo=way_back(request))
    return redirect(f"/items/{key}")


urlpatterns = [
    path("items/<str:key>/redundancies/new", new, name="item-redundancy-new"),
    path("items/<str:key>/redundancies/<str:uid>/remove", remove, name="item-redundancy-remove"),
]
