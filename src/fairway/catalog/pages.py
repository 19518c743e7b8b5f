"""Pages of the catalogue: the list, a record, its forms, its relations, its impact."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fairway.accounts import queries as accounts
from fairway.accounts.web import caller, page
from fairway.audit.commands import Command, convert, execute
from fairway.catalog import commands, queries
from fairway.catalog.forms import CRITICALITIES, ItemForm, RelationForm
from fairway.catalog.models import ConfigurationItem
from fairway.catalog.rules import Direction
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Invalid, Stale
from fairway.kernel.refs import Ref
from fairway.ui import toasts

SHOWN_IMPACT = 500
SEARCHED = ("kind", "status", "criticality", "organisation", "environment", "archived", "q", "sort", "cursor")
STATES = {"planned": "planned", "live": "active", "retired": "retired"}


def _reader(request: HttpRequest) -> Actor:
    """Return who reads.

    :raises Forbidden: they may not see items anywhere.
    """
    actor = caller(request)
    accounts.require(actor, "catalog.view", at=None)
    return actor


def _state(status: str, archived: object) -> tuple[str, str]:
    """Return the face's name of a state and the word for it."""
    if archived:
        return "retired", _("Archived")
    return STATES[status], str(ConfigurationItem.Status(status).label)


# The list


@require_GET
@page
def items(request: HttpRequest) -> HttpResponseBase:
    """Show the items that are asked for, fifty at a time."""
    actor = _reader(request)
    asked = {name: request.GET[name] for name in SEARCHED if request.GET.get(name)}
    query = convert({**asked, "count": not asked.get("cursor")}, queries.ItemQuery)
    found = queries.item_page(actor, query)
    rows = [
        {
            "key": row["slug"],
            "href": f"/items/{row['slug']}",
            "name": row["name"],
            "kind": row["item_kind__name"],
            "state": _state(row["status"], row["archived_at"]),
            "criticality": row["criticality"],
            "organisation": row["organisation__name"],
            "team": row["owner_team__name"] or "",
            "shared": row["shared"],
        }
        for row in found.rows
    ]
    count = found.total or 0
    context = {
        "rows": rows,
        "next": found.next,
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


@require_GET
@page
def pick(request: HttpRequest) -> HttpResponseBase:
    """Answer a picker: items that a text may mean."""
    found = queries.pick(_reader(request), request.GET.get("q", "")[:100])
    items = [{"key": row["slug"], "name": row["name"], "note": row["item_kind__name"]} for row in found]
    return JsonResponse({"items": items})


# The record


def _record(actor: Actor, item: ConfigurationItem) -> dict[str, Any]:
    href = f"/items/{item.slug}"
    state, word = _state(item.status, item.archived_at)
    steps: list[dict[str, Any]] = []
    if accounts.access(actor).may("catalog.edit", item.organisation_id):
        if item.archived_at is None:
            steps = [
                {"name": "edit", "label": _("Edit"), "href": f"{href}/edit"},
                {"name": "relate", "label": _("Add relation"), "href": f"{href}/relate"},
                {
                    "name": "archive",
                    "label": _("Archive…"),
                    "url": f"{href}/archive",
                    "tone": "danger",
                    "fields": {"version": item.version},
                    "ask": {
                        "title": _("Archive %(key)s?") % {"key": item.slug},
                        "text": _(
                            "It stays on record, leaves lists and impact, and takes part in nothing new."
                        ),
                    },
                },
            ]
        else:
            steps = [
                {
                    "name": "restore",
                    "label": _("Use again"),
                    "url": f"{href}/restore",
                    "fields": {"version": item.version},
                }
            ]
    return {
        "key": item.slug,
        "href": href,
        "title": item.name,
        "kind": item.item_kind.name,
        "state": state,
        "state_word": word,
        "steps": steps,
    }


@require_GET
@page
def item(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show one item: its facts, what it needs, what needs it, and how far its failure reaches."""
    actor = _reader(request)
    found = queries.item(actor, key)
    if key != found.slug:
        return redirect(f"/items/{found.slug}")
    outgoing, incoming = queries.neighbours(actor, found)
    reach = queries.impact(actor, found, direction=Direction.DOWNSTREAM, limit=0)
    needs = queries.impact(actor, found, direction=Direction.UPSTREAM, limit=0)
    context = {
        "record": _record(actor, found),
        "item": found,
        "criticality": dict(CRITICALITIES)[found.criticality],
        "attributes": [(name, _plain(value)) for name, value in sorted(found.attributes.items())],
        "relations": _relations(outgoing, incoming, found.slug),
        "reach": reach,
        "needs": needs,
        "worst": _("worst criticality %(worst)d") % {"worst": reach.worst} if reach.worst else "",
        "tabs": _tabs(found.slug, "record"),
        "may_edit": found.archived_at is None
        and accounts.access(actor).may("catalog.edit", found.organisation_id),
        "panels": {
            "environments": "/environments/panel?" + urlencode({"item": found.slug}),
            "changes": "/changes/panel?" + urlencode({"item": found.slug}),
            "events": "/events/panel?" + urlencode({"subject": str(found.uid)}),
        },
    }
    return render(request, "catalog/item.html", context)


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
                    "state": _state(row["status"], None),
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


def _tabs(key: str, here: str) -> list[dict[str, Any]]:
    return [
        {"label": _("Item"), "href": f"/items/{key}", "current": here == "record"},
        {"label": _("Impact"), "href": f"/items/{key}/impact", "current": here == "impact"},
    ]


@require_GET
@page
def impact(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show what the item's failure reaches, or what it needs, by depth and each with its path."""
    actor = _reader(request)
    found = queries.item(actor, key)
    asked = {name: request.GET[name] for name in ("direction", "depth") if request.GET.get(name)}
    try:
        direction = Direction(asked.get("direction", "downstream"))
    except ValueError:
        raise Invalid.field("direction", _("The direction is downstream or upstream.")) from None
    depth_text = asked.get("depth", "")
    if depth_text and not (
        depth_text.isascii() and depth_text.isdigit() and 1 <= int(depth_text[:6]) <= 1000
    ):
        raise Invalid.field("depth", _("The depth is a number from 1 to 1000."))
    depth = int(depth_text) if depth_text else None
    reach = queries.impact(actor, found, direction=direction, depth=depth, limit=SHOWN_IMPACT)
    kinds = {row["pk"]: row for row in queries.relation_kinds()}
    shown = groupby(reach.reached, key=lambda one: one.depth)
    members = {depth: [_reached(one, kinds) for one in many] for depth, many in shown}
    levels = [
        {
            "depth": level.depth,
            "count": level.count,
            "worst": level.worst,
            "rows": members.get(level.depth, []),
        }
        for level in reach.levels
    ]

    def href(**changes: Any) -> str:
        kept = {**asked, **changes}
        return "?" + urlencode({name: value for name, value in kept.items() if value})

    context = {
        "record": _record(actor, found),
        "reach": reach,
        "levels": levels,
        "shown": len(reach.reached),
        "left": reach.total - len(reach.reached),
        "upstream": direction is Direction.UPSTREAM,
        "word": _("which needs") if direction is Direction.UPSTREAM else _("whose failure reaches"),
        "tabs": _tabs(found.slug, "impact"),
        "may_edit": found.archived_at is None
        and accounts.access(actor).may("catalog.edit", found.organisation_id),
        "directions": [
            {
                "label": _("Reached by its failure"),
                "href": href(direction="downstream"),
                "current": direction is Direction.DOWNSTREAM,
            },
            {
                "label": _("Needed by it"),
                "href": href(direction="upstream"),
                "current": direction is Direction.UPSTREAM,
            },
        ],
        "depths": [
            {"label": label, "href": href(depth=value), "current": depth == value}
            for value, label in ((1, "1"), (2, "2"), (3, "3"), (None, _("any depth")))
        ],
    }
    return render(request, "catalog/impact.html", context)


def _reached(one: Any, kinds: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "key": one.item.key,
        "name": one.item.name,
        "href": f"/items/{one.item.key}",
        "criticality": one.criticality,
        "relation": kinds[one.relations[-1]]["name"],
        "path": [_step(ref) for ref in one.path],
    }


def _step(ref: Ref) -> dict[str, str]:
    if ref.hidden:
        return {"key": _("another organisation"), "href": "", "name": ""}
    return {"key": ref.key, "href": f"/items/{ref.key}", "name": ref.name}


# Forms


def _submit(form: Any, command: Command, actor: Actor) -> tuple[Ref | None, int]:
    """Run the command of a form; return what came of it, or the status with the reasons put into the form."""
    try:
        return execute(command, actor=actor).subject, 200
    except (Invalid, Conflict) as problem:
        names = getattr(form, "aliases", {})
        for error in problem.errors:
            name = names.get(error.field, error.field)
            form.add_error(name if name in form.fields else None, error.message)
        if not problem.errors:
            form.add_error(None, problem.detail)
        return None, problem.status


@require_http_methods(["GET", "POST"])
@page
def new(request: HttpRequest) -> HttpResponseBase:
    """Add an item."""
    actor = _reader(request)
    accounts.require(actor, "catalog.edit", at=None)
    form = ItemForm(request.POST or None, actor=actor, new=True)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            made, status = _submit(form, commands.CreateItem(**form.values()), actor)
            if made is not None:
                toasts.done(request, _("%(key)s was added.") % {"key": made.key})
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
    actor = _reader(request)
    found = queries.item(actor, key)
    accounts.require(actor, "catalog.edit", at=found.organisation_id)
    form = ItemForm(request.POST or None, actor=actor, item=found)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            version = form.cleaned_data["version"]
            command = commands.EditItem(item=found.slug, version=version, **form.values())
            try:
                made, status = _submit(form, command, actor)
            except Stale as problem:
                form.add_error(None, _("Somebody changed this meanwhile; nothing was saved yet."))
                form.stale(queries.item(actor, key))
                made, status = None, problem.status
            if made is not None:
                toasts.done(request, _("%(key)s was saved.") % {"key": made.key})
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


def _version(request: HttpRequest) -> int | None:
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


@require_POST
@page
def archive(request: HttpRequest, key: str) -> HttpResponseBase:
    """Take an item out of use."""
    made = execute(commands.ArchiveItem(item=key, version=_version(request)), actor=_reader(request)).subject
    toasts.done(request, _("%(key)s was archived.") % {"key": made.key if made else key})
    return redirect(f"/items/{key}")


@require_POST
@page
def restore(request: HttpRequest, key: str) -> HttpResponseBase:
    """Use an archived item again."""
    actor = _reader(request)
    found = queries.item(actor, key)
    execute(commands.PutItem(key=found.slug, version=_version(request)), actor=actor)
    toasts.done(request, _("%(key)s is in use again.") % {"key": found.slug})
    return redirect(f"/items/{found.slug}")


@require_http_methods(["GET", "POST"])
@page
def relate(request: HttpRequest, key: str) -> HttpResponseBase:
    """Join an item to another one, either way round."""
    actor = _reader(request)
    found = queries.item(actor, key)
    accounts.require(actor, "catalog.edit", at=found.organisation_id)
    form = RelationForm(request.POST or None, item=found)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            made, status = _submit(form, form.command(), actor)
            if made is not None:
                toasts.done(request, _("The relation was added."))
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
    execute(commands.RemoveRelation(relation=uid), actor=_reader(request))
    toasts.done(request, _("The relation was removed."))
    return redirect(f"/items/{key}")


urlpatterns = [
    path("items", items, name="items"),
    path("items/new", new, name="item-new"),
    path("items/pick", pick, name="item-pick"),
    path("items/<str:key>", item, name="item"),
    path("items/<str:key>/edit", edit, name="item-edit"),
    path("items/<str:key>/archive", archive, name="item-archive"),
    path("items/<str:key>/restore", restore, name="item-restore"),
    path("items/<str:key>/relate", relate, name="item-relate"),
    path("items/<str:key>/relations/<str:uid>/remove", unrelate, name="item-unrelate"),
    path("items/<str:key>/impact", impact, name="item-impact"),
]
