"""Pages of items: the list, a record, its forms."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fairway.accounts import parts
from fairway.accounts import queries as accounts
from fairway.accounts.web import page, way_back
from fairway.audit.commands import convert, execute
from fairway.catalog import commands, queries
from fairway.catalog.forms import CRITICALITIES, ItemForm
from fairway.catalog.models import ConfigurationItem, Stakeholder
from fairway.catalog.pages import redundancy
from fairway.catalog.pages.grid import ITEMS, as_row
from fairway.catalog.pages.shared import reader, record_of, state_of, submit, tabs, version_of
from fairway.catalog.rules import Direction
from fairway.catalog.words import CHECKS
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Stale
from fairway.ui import toasts
from fairway.workspace import queries as workspace

SEARCHED = (
    "kind",
    "status",
    "criticality",
    "organisation",
    "environment",
    "archived",
    "health",
    "q",
    "sort",
    "cursor",
)


@require_GET
@page
def items(request: HttpRequest) -> HttpResponseBase:
    """Show the items that are asked for, fifty at a time."""
    actor = reader(request)
    views = workspace.views_of(actor, "items", current=request.GET.get("view", ""))
    if not request.GET and views.opening_href:
        return redirect(views.opening_href)
    asked = {name: request.GET[name] for name in SEARCHED if request.GET.get(name)}
    asked |= workspace.own_filters(request.GET.dict())
    query = convert({**workspace.packed(asked), "count": not asked.get("cursor")}, queries.ItemQuery)
    found = queries.item_page(actor, query)
    count = found.total or 0
    context = {
        "views": views,
        "grid": ITEMS.context(
            request,
            actor,
            [as_row(row) for row in found.rows],
            label=_("Configuration items"),
            next=found.next,
            total=found.total,
        ),
        "sort": query.sort or queries.ITEMS.sort,
        "filters": _filters(actor, asked),
        "count": ngettext("%(count)s item", "%(count)s items", count) % {"count": f"{count:,}"},
        "asked": bool(asked.keys() - {"sort", "cursor"}),
        "may_edit": accounts.access(actor).may("catalog.edit", None),
    }
    return render(request, "catalog/items.html", context)


def _filters(actor: Actor, asked: Mapping[str, str]) -> dict[str, Any]:
    """Return the filter bar: what is set, and what can be."""
    kept = {name: value for name, value in asked.items() if name != "cursor"}

    def href(name: str, value: str) -> str:
        return "?" + urlencode(
            {**{n: v for n, v in kept.items() if n != name}, **({name: value} if value else {})}
        )

    choices: list[tuple[str, str, list[tuple[str, str]]]] = [
        ("kind", _("Kind"), [(row["slug"], row["name"]) for row in queries.kinds()]),
        ("criticality", _("Criticality"), [(str(value), str(word)) for value, word in CRITICALITIES]),
        ("status", _("Status"), [(value, str(word)) for value, word in ConfigurationItem.Status.choices]),
        (
            "organisation",
            _("Organisation"),
            list(accounts.organisations(actor).values_list("slug", "name")[:100]),
        ),
        ("environment", _("Environment"), queries.environments_of(actor)),
        ("archived", _("Archived"), [("true", _("Archived ones"))]),
        ("health", _("Health"), [(check, str(CHECKS[check][0])) for check in queries.CHECKS]),
        *workspace.filter_choices(actor, "item", asked),
    ]
    chips = [
        {"label": label, "value": dict(options).get(kept[name], kept[name]), "remove": href(name, "")}
        for name, label, options in choices
        if name in kept
    ]
    add = [
        {
            "label": label,
            "options": [
                {"label": word, "href": href(name, value), "current": kept.get(name) == value}
                for value, word in options
            ],
        }
        for name, label, options in choices
        if options
    ]
    return {
        "q": kept.get("q", ""),
        "q_label": _("Name, key or external id"),
        "keep": {name: value for name, value in kept.items() if name != "q"},
        "chips": chips,
        "add": add,
        "clear": "/items",
    }


@require_POST
@page
def bulk(request: HttpRequest) -> HttpResponseBase:
    """Edit many items at once, or say what that would do."""
    return ITEMS.bulk(request, reader(request))


@require_http_methods(["GET", "POST"])
@page
def cell(request: HttpRequest, key: str) -> HttpResponseBase:
    """Edit one field of an item in its row of the list."""
    return ITEMS.cell(request, reader(request), key)


@require_GET
@page
def pick(request: HttpRequest) -> HttpResponseBase:
    """Answer a picker: items that a text may mean."""
    found = queries.pick(reader(request), request.GET.get("q", "")[:100])
    items = [{"key": row["slug"], "name": row["name"], "note": row["item_kind__name"]} for row in found]
    return JsonResponse({"items": items})


@require_GET
@page
def item(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show one item: its facts, what it needs, what needs it, and how far its failure reaches."""
    actor = reader(request)
    found = queries.item(actor, key)
    if key != found.slug:
        return redirect(f"/items/{found.slug}")
    outgoing, incoming = queries.neighbours(actor, found)
    reach = queries.impact(actor, found, direction=Direction.DOWNSTREAM, limit=0)
    needs = queries.impact(actor, found, direction=Direction.UPSTREAM, limit=0)
    context = {
        "record": record_of(actor, found),
        "share": parts.share(actor, f"items/{found.slug}", found.name),
        "item": found,
        "criticality": dict(CRITICALITIES)[found.criticality],
        "attributes": [
            (name, _plain(value)) for name, value in sorted(queries.free_attributes(actor, found).items())
        ],
        "custom": workspace.told(actor, "item", found),
        "vendor": found.vendor if found.vendor and queries.sees(actor, found.vendor) else None,
        "stakeholders": _stakeholders(actor, found),
        "relations": _relations(outgoing, incoming, found.slug),
        "redundancies": redundancy.groups(actor, found),
        "reach": reach,
        "needs": needs,
        "worst": _("worst criticality %(worst)d") % {"worst": reach.worst} if reach.worst else "",
        "tabs": tabs(found.slug, "record"),
        "controlled": _controlled(actor, found),
        "may_request": accounts.access(actor).may("changes.request", None),
        "may_edit": found.archived_at is None
        and accounts.access(actor).may("catalog.edit", found.organisation_id),
        "panels": {
            "environments": "/environments/panel?" + urlencode({"item": found.slug}),
            "changes": "/changes/panel?" + urlencode({"item": found.slug}),
            "builds": "/builds/panel?" + urlencode({"item": found.slug}),
            "events": "/activity?" + urlencode({"kind": "item", "subject": str(found.uid)}),
        },
    }
    return render(request, "catalog/item.html", context)


def _controlled(actor: Actor, found: ConfigurationItem) -> str:
    """Return where the item is under change control, in words; empty: nowhere."""
    decision = queries.control(actor, found)
    if not decision.denied:
        return ""
    names = decision.findings[0].params.get("names")
    if not names:
        return _("Under change control.")
    return _("Under change control in %(places)s.") % {"places": ", ".join(names)}


def _stakeholders(actor: Actor, item: ConfigurationItem) -> list[dict[str, Any]]:
    """Return the parts that somebody has, each with their names."""
    found = queries.stakeholders(actor, item)
    return [
        {
            "label": label,
            "names": ", ".join(
                _("another organisation’s") if ref.hidden else ref.name for ref in found[part]
            ),
        }
        for part, label in Stakeholder.Part.choices
        if found[part]
    ]


def _relations(
    outgoing: list[dict[str, Any]], incoming: list[dict[str, Any]], key: str
) -> list[dict[str, Any]]:
    """Return the relations grouped by the words that join them, each with the other end."""
    groups: list[dict[str, Any]] = []
    for rows in (outgoing, incoming):
        ordered = sorted(rows, key=lambda row: str(row["words"]))
        for words, members in groupby(ordered, key=lambda row: str(row["words"])):
            ends = [
                {
                    "key": row["key"],
                    "href": f"/items/{row['key']}",
                    "name": row["title"],
                    "kind": row["kind"],
                    "criticality": row["criticality"],
                    "state": state_of(row["status"], None),
                    "remove": f"/items/{key}/relations/{row['uid']}/remove",
                }
                for row in members
            ]
            groups.append({"words": words, "ends": ends})
    return groups


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(_plain(one) for one in value)
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_plain(one)}" for name, one in value.items())
    return "" if value is None else str(value)


@require_http_methods(["GET", "POST"])
@page
def new(request: HttpRequest) -> HttpResponseBase:
    """Add an item."""
    actor = reader(request)
    accounts.require(actor, "catalog.edit", at=None)
    form = ItemForm(request.POST or None, actor=actor, new=True)
    status = 200
    if request.method == "POST" and not form.redrawn():
        status = 422
        if form.is_valid():
            made, status = submit(form, commands.CreateItem(**form.values()), actor)
            if made is not None:
                toasts.done(request, _("%(key)s was added.") % {"key": made.key}, undo=way_back(request))
                return redirect(f"/items/{made.key}")
    context = {
        "title": _("New item"),
        "form": form,
        "submit": _("Add item"),
        "cancel": "/items",
        "crumbs": [{"label": _("Catalogue"), "href": "/items"}],
    }
    return render(request, "ui/form.html", context, status=status)


@require_http_methods(["GET", "POST"])
@page
def edit(request: HttpRequest, key: str) -> HttpResponseBase:
    """Change an item."""
    actor = reader(request)
    found = queries.item(actor, key)
    accounts.require(actor, "catalog.edit", at=found.organisation_id)
    form = ItemForm(request.POST or None, actor=actor, item=found)
    status = 200
    if request.method == "POST" and not form.redrawn():
        status = 422
        if form.is_valid():
            version = form.cleaned_data["version"]
            command = commands.EditItem(item=found.slug, version=version, **form.values())
            try:
                made, status = submit(form, command, actor)
            except Stale as problem:
                form.add_error(None, _("Somebody changed this meanwhile; nothing was saved yet."))
                form.stale(queries.item(actor, key))
                made, status = None, problem.status
            if made is not None:
                toasts.done(request, _("%(key)s was saved.") % {"key": made.key}, undo=way_back(request))
                return redirect(f"/items/{made.key}")
    context = {
        "title": _("Edit %(key)s") % {"key": found.slug},
        "form": form,
        "submit": _("Save"),
        "cancel": f"/items/{found.slug}",
        "crumbs": [
            {"label": _("Catalogue"), "href": "/items"},
            {"label": found.slug, "href": f"/items/{found.slug}"},
        ],
    }
    return render(request, "ui/form.html", context, status=status)


@require_POST
@page
def archive(request: HttpRequest, key: str) -> HttpResponseBase:
    """Take an item out of use."""
    made = execute(commands.ArchiveItem(item=key, version=version_of(request)), actor=reader(request)).subject
    toasts.done(
        request, _("%(key)s was archived.") % {"key": made.key if made else key}, undo=way_back(request)
    )
    return redirect(f"/items/{key}")


@require_POST
@page
def restore(request: HttpRequest, key: str) -> HttpResponseBase:
    """Use an archived item again."""
    actor = reader(request)
    found = queries.item(actor, key)
    execute(commands.PutItem(key=found.slug, version=version_of(request)), actor=actor)
    toasts.done(request, _("%(key)s is in use again.") % {"key": found.slug}, undo=way_back(request))
    return redirect(f"/items/{found.slug}")


urlpatterns = [
    path("items", items, name="items"),
    path("items/new", new, name="item-new"),
    path("items/bulk", bulk, name="items-bulk"),
    path("items/<str:key>/cell", cell, name="item-cell"),
    path("items/pick", pick, name="item-pick"),
    path("items/<str:key>", item, name="item"),
    path("items/<str:key>/edit", edit, name="item-edit"),
    path("items/<str:key>/archive", archive, name="item-archive"),
    path("items/<str:key>/restore", restore, name="item-restore"),
]
