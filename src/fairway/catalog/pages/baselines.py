"""Pages of baselines: the list with what takes one, and one compared with now or another."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fairway.accounts import history
from fairway.accounts import queries as accounts
from fairway.accounts.web import page, way_back
from fairway.audit.commands import convert, execute
from fairway.catalog import commands, queries
from fairway.catalog.pages.shared import reader, submit, version_of
from fairway.kernel.actor import SYSTEM, Actor
from fairway.ui import toasts

SHOWN = 500
TONES = {"added": "ok", "changed": "info", "removed": "bad"}


class BaselineForm(forms.Form):
    """What is taken, and what it is called."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=200, help_text=gettext_lazy("Such as “Before the move”.")
    )
    organisation = forms.ChoiceField(
        label=gettext_lazy("Of"), help_text=gettext_lazy("This organisation and all below it.")
    )
    description = forms.CharField(
        label=gettext_lazy("Description"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = accounts.organisations(actor).values_list("slug", "name")
        self.fields["organisation"].choices = list(places)  # type: ignore[attr-defined]
        self.fields["organisation"].initial = accounts.user(actor, actor.uid).organisation.slug


@require_http_methods(["GET", "POST"])
@page
def baselines(request: HttpRequest) -> HttpResponseBase:
    """Show the baselines, and take one."""
    actor = reader(request)
    may = accounts.access(actor).may("catalog.edit", None)
    form = BaselineForm(request.POST or None, actor=actor)
    status = 200
    if request.method == "POST":
        accounts.require(actor, "catalog.edit", at=None)
        status = 422
        if form.is_valid():
            made, status = submit(form, commands.TakeBaseline(**form.cleaned_data), actor)
            if made is not None:
                toasts.done(request, _("%(key)s was taken.") % {"key": made.key})
                return redirect(f"/baselines/{made.key}")
    asked = {"archived": request.GET.get("archived", ""), "cursor": request.GET.get("cursor", "")}
    found = queries.baseline_page(
        actor, convert({name: value for name, value in asked.items() if value}, queries.BaselineQuery)
    )
    rows = [
        {**row, "key": f"BAS-{row['number']}", "href": f"/baselines/BAS-{row['number']}"}
        for row in found.rows
    ]
    context = {
        "rows": rows,
        "next": found.next,
        "form": form if may else None,
        "asked": bool(asked["archived"]),
    }
    return render(request, "catalog/baselines.html", context, status=status)


@require_GET
@page
def baseline(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show what differs between a baseline and now, or another one."""
    actor = reader(request)
    found = queries.baseline(actor, key)
    if key != found.key:
        return redirect(f"/baselines/{found.key}")
    other = request.GET.get("with", "")
    end = queries.baseline(actor, other) if other else None
    differing = queries.differences(actor, found, end)
    others = queries.baselines(actor).filter(organisation=found.organisation_id, archived_at=None)
    counts = {name: sum(one.action == name for one in differing) for name in TONES}
    steps = []
    if found.archived_at is None and accounts.access(actor).may("catalog.edit", found.organisation_id):
        steps = [
            {
                "name": "archive",
                "label": _("Archive…"),
                "url": f"/baselines/{found.key}/archive",
                "tone": "danger",
                "fields": {"version": found.version},
                "ask": {"title": _("Archive %(key)s?") % {"key": found.key}, "text": _("It leaves lists.")},
            }
        ]
    context = {
        "record": {
            "key": found.key,
            "href": f"/baselines/{found.key}",
            "title": found.name,
            "kind": _("Baseline"),
            "state": "retired" if found.archived_at else "active",
            "state_word": _("Archived") if found.archived_at else _("Kept"),
            "steps": steps,
        },
        "crumbs": [
            {"label": _("Catalogue"), "href": "/items"},
            {"label": _("Baselines"), "href": "/baselines"},
        ],
        "baseline": found,
        "rows": _told(actor, differing[:SHOWN]),
        "left": max(len(differing) - SHOWN, 0),
        "counts": counts,
        "end": end,
        "others": [
            {"key": one.key, "name": one.name, "current": end is not None and one.pk == end.pk}
            for one in others.order_by("-taken_at").exclude(pk=found.pk)[:20]
        ],
    }
    return render(request, "catalog/baseline.html", context)


def _told(actor: Actor, differing: list[queries.Difference]) -> list[dict[str, Any]]:
    """Return differences as the page shows them: values in words, as the history has them."""
    words = {"added": _("added"), "changed": _("changed"), "removed": _("removed")}
    events = [
        {
            "sequence": 0,
            "at": datetime.now(UTC).isoformat(),
            "actor": {"kind": "system", "uid": SYSTEM.uid},
            "on_behalf_of": None,
            "command": "",
            "data": {},
            "subject": {"kind": "item", "uid": one.uid, "key": one.record.key},
            "rows": [
                {
                    "model": one.model,
                    "uid": one.uid,
                    "action": "change",
                    "changes": {name: list(pair) for name, pair in one.fields.items()},
                }
            ],
        }
        for one in differing
    ]
    return [
        {
            "word": words[one.action],
            "tone": TONES[one.action],
            "key": (one.about or one.record).key,
            "name": (one.about or one.record).name,
            "what": one.model.rpartition(".")[2] if one.about is not None else "",
            "changes": told,
        }
        for one, told in zip(differing, history.changes(actor, events), strict=True)
    ]


@require_POST
@page
def archive(request: HttpRequest, key: str) -> HttpResponseBase:
    """Take a baseline out of lists."""
    execute(commands.ArchiveBaseline(baseline=key, version=version_of(request)), actor=reader(request))
    toasts.done(request, _("%(key)s was archived.") % {"key": key}, undo=way_back(request))
    return redirect("/baselines")


urlpatterns = [
    path("baselines", baselines, name="baselines"),
    path("baselines/<str:key>", baseline, name="baseline"),
    path("baselines/<str:key>/archive", archive, name="baseline-archive"),
]
