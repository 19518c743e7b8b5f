"""Pages of drift: the list, a record, and what is decided about it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from fairway.accounts import queries as accounts
from fairway.accounts.web import caller, page
from fairway.audit.commands import Command, convert, execute
from fairway.changes import commands, queries
from fairway.changes.models import Drift
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Invalid
from fairway.ui import toasts

SEARCHED = ("state", "item", "source", "q", "sort", "cursor")
TONES = {"open": "warn", "matched": "ok", "proposed": "", "dismissed": ""}


def _reader(request: HttpRequest) -> Actor:
    """Return who reads.

    :raises Forbidden: they may not see changes anywhere.
    """
    actor = caller(request)
    accounts.require(actor, "changes.view", at=None)
    return actor


@require_GET
@page
def drifts(request: HttpRequest) -> HttpResponseBase:
    """Show what was seen of controlled items and no change accounts for."""
    actor = _reader(request)
    asked = {name: request.GET[name] for name in SEARCHED if request.GET.get(name)}
    query = convert({**asked, "count": not asked.get("cursor")}, queries.DriftQuery)
    found = queries.drift_page(actor, query)
    rows = [
        {
            "key": f"{Drift.prefix}-{row['number']}",
            "href": f"/drifts/{Drift.prefix}-{row['number']}",
            "item": row["item__slug"],
            "item_href": f"/items/{row['item__slug']}",
            "field": row["field"].removeprefix("attributes.").removeprefix("relation."),
            "recorded": queries.drift_value(row["recorded"]),
            "observed": queries.drift_value(row["observed"]),
            "source": row["source"],
            "last_seen": row["last_seen"],
            "count": row["count"],
            "state": str(Drift.State(row["state"]).label),
            "tone": TONES[row["state"]],
        }
        for row in found.rows
    ]
    count = found.total or 0
    context = {
        "rows": rows,
        "next": found.next,
        "sort": query.sort or queries.DRIFTS.sort,
        "filters": _filters(asked),
        "count": ngettext("%(count)s drift", "%(count)s drifts", count) % {"count": f"{count:,}"},
        "asked": bool(asked.keys() - {"sort", "cursor"}),
    }
    return render(request, "changes/drifts.html", context)


def _filters(asked: dict[str, str]) -> dict[str, Any]:
    """Return the filter bar: what is set, and what can be."""
    kept = {name: value for name, value in asked.items() if name != "cursor"}

    def href(name: str, value: str) -> str:
        rest = {n: v for n, v in kept.items() if n != name}
        return "?" + urlencode({**rest, **({name: value} if value else {})})

    states = [(value, str(label)) for value, label in Drift.State.choices]
    labels = {"state": _("State"), "item": _("Item"), "source": _("Source")}
    return {
        "q": kept.get("q", ""),
        "q_label": _("Item, field or source"),
        "keep": {name: value for name, value in kept.items() if name != "q"},
        "chips": [
            {"label": label, "value": dict(states).get(kept[name], kept[name]), "remove": href(name, "")}
            for name, label in labels.items()
            if name in kept
        ],
        "add": [
            {
                "label": labels["state"],
                "options": [
                    {"label": word, "href": href("state", value), "current": kept.get("state") == value}
                    for value, word in states
                ],
            }
        ],
        "clear": "/drifts",
    }


@require_GET
@page
def drift(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show one drift: what is recorded, what was seen, and what was decided."""
    actor = _reader(request)
    found = queries.drift(actor, key)
    if key != found.key:
        return redirect(f"/drifts/{found.key}")
    recorded, observed = queries.values_of(actor, found)
    access = accounts.access(actor)
    href = f"/drifts/{found.key}"
    steps: list[dict[str, Any]] = []
    if found.state == Drift.State.OPEN and access.may("changes.request", found.organisation_id):
        steps = [
            {"name": "propose", "label": _("Propose in a change"), "url": f"{href}/propose", "fields": {}},
            {
                "name": "dismiss",
                "label": _("Dismiss…"),
                "url": f"{href}/dismiss",
                "fields": {},
                "ask": {
                    "title": _("Dismiss %(key)s?") % {"key": found.key},
                    "text": _("Seen again, it stays dismissed."),
                    "name": "reason",
                    "label": _("Why"),
                    "required": True,
                },
            },
        ]
    change = found.change
    shown = change is not None and access.may("changes.view", change.organisation_id)
    context = {
        "record": {
            "key": found.key,
            "href": href,
            "title": f"{found.item.slug}: "
            + found.field.removeprefix("attributes.").removeprefix("relation."),
            "kind": _("Drift"),
            "state": "draft" if found.state == Drift.State.OPEN else "closed",
            "state_word": found.get_state_display(),
            "steps": steps,
        },
        "drift": found,
        "recorded": queries.drift_value(recorded),
        "observed": queries.drift_value(observed),
        "change": {"key": change.key, "href": f"/changes/{change.key}"} if change and shown else None,
    }
    return render(request, "changes/drift.html", context)


def _decided(request: HttpRequest, command: Command, key: str, told: str) -> HttpResponseBase:
    try:
        outcome = execute(command, actor=_reader(request))
    except (Conflict, Invalid) as problem:
        toasts.failed(request, problem.detail)
        return redirect(f"/drifts/{key}")
    toasts.done(request, told)
    subject = outcome.subject
    if subject is not None and subject.kind == "change":
        return redirect(f"/changes/{subject.key}")
    return redirect(f"/drifts/{key}")


@require_POST
@page
def propose(request: HttpRequest, key: str) -> HttpResponseBase:
    """Draft a change that proposes what was seen."""
    told = _("A change was drafted with what was seen; plan it and submit it.")
    return _decided(request, commands.ProposeDrift(drift=key), key, told)


@require_POST
@page
def dismiss(request: HttpRequest, key: str) -> HttpResponseBase:
    """Say that the drift needs no change."""
    command = commands.DismissDrift(drift=key, reason=request.POST.get("reason", ""))
    return _decided(request, command, key, _("The drift was dismissed."))


urlpatterns = [
    path("drifts", drifts, name="drifts"),
    path("drifts/<str:key>", drift, name="drift"),
    path("drifts/<str:key>/propose", propose, name="drift-propose"),
    path("drifts/<str:key>/dismiss", dismiss, name="drift-dismiss"),
]
