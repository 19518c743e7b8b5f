"""Pages of environments: all of them in their order, a record, its forms, what stands in it."""

from __future__ import annotations

from collections.abc import Mapping
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
from fairway.accounts.web import caller, page, way_back
from fairway.audit.commands import Command, execute
from fairway.catalog import queries as catalog
from fairway.environments import commands, queries
from fairway.environments.forms import EnvironmentForm, StandingForm
from fairway.environments.grid import ENVIRONMENTS, as_row, asked_of, listed
from fairway.environments.models import Environment
from fairway.environments.words import CONTROL, STATES
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Invalid, Stale
from fairway.kernel.refs import Ref
from fairway.ui import toasts
from fairway.workspace import queries as workspace


def reader(request: HttpRequest) -> Actor:
    """Return who reads.

    :raises Forbidden: they may not see environments anywhere.
    """
    actor = caller(request)
    accounts.require(actor, "environments.view", at=None)
    return actor


def _state(status: str, archived: object) -> tuple[str, str]:
    """Return the face's name of a state and the word for it."""
    if archived:
        return "retired", _("Archived")
    return STATES[status], str(Environment.Status(status).label)


def tabs_of(current: str) -> list[dict[str, Any]]:
    """Return the tabs of the lists of environments."""
    return [
        {"label": _("Environments"), "href": "/environments", "current": current == "environments"},
        {"label": _("Groups"), "href": "/environment-groups", "current": current == "groups"},
    ]


@require_GET
@page
def environments(request: HttpRequest) -> HttpResponseBase:
    """Show all environments, tier by tier on the way to production."""
    actor = reader(request)
    views = workspace.views_of(actor, "environments", current=request.GET.get("view", ""))
    if not request.GET and views.opening_href:
        return redirect(views.opening_href)
    asked = asked_of(request.GET.dict())
    rows = [as_row(row) for row in listed(actor, asked)]
    context = {
        "grid": ENVIRONMENTS.context(
            request, actor, rows, label=_("Environments on the way to production"), next=None, total=len(rows)
        ),
        "may_edit": accounts.access(actor).may("environments.edit", None),
        "tabs": tabs_of("environments"),
        "views": views,
        "filters": _filters(actor, asked),
        "asked": bool(asked),
    }
    return render(request, "environments/environments.html", context)


def _filters(actor: Actor, asked: Mapping[str, str]) -> dict[str, Any]:
    """Return the filter bar: what is set, and what can be."""

    def href(name: str, value: str) -> str:
        rest = {n: v for n, v in asked.items() if n != name}
        return "?" + urlencode({**rest, **({name: value} if value else {})} or {"view": workspace.NONE})

    choices: list[tuple[str, str, list[tuple[str, str]]]] = [
        ("tier", _("Tier"), [(value, str(word)) for value, word in Environment.Tier.choices]),
        ("control", _("Control level"), [(value, str(word)) for value, word in Environment.Control.choices]),
        ("status", _("Status"), [(value, str(word)) for value, word in Environment.Status.choices]),
        (
            "organisation",
            _("Organisation"),
            list(accounts.organisations(actor).values_list("slug", "name")[:100]),
        ),
        ("shared", _("Shared"), [("true", _("Yes")), ("false", _("No"))]),
        *workspace.filter_choices(actor, "environment", asked),
    ]
    return {
        "q": asked.get("q", ""),
        "q_label": _("Key or name"),
        "keep": {name: value for name, value in asked.items() if name != "q"},
        "chips": [
            {"label": label, "value": dict(options).get(asked[name], asked[name]), "remove": href(name, "")}
            for name, label, options in choices
            if name in asked
        ],
        "add": [
            {
                "label": label,
                "options": [
                    {"label": word, "href": href(name, value), "current": asked.get(name) == value}
                    for value, word in options
                ],
            }
            for name, label, options in choices
            if options
        ],
        "clear": "?view=" + workspace.NONE,
    }


@require_POST
@page
def bulk(request: HttpRequest) -> HttpResponseBase:
    """Edit many environments at once, or say what that would do."""
    return ENVIRONMENTS.bulk(request, reader(request))


@require_http_methods(["GET", "POST"])
@page
def cell(request: HttpRequest, key: str) -> HttpResponseBase:
    """Edit one field of an environment in its row of the list."""
    return ENVIRONMENTS.cell(request, reader(request), key)


@require_GET
@page
def pick(request: HttpRequest) -> HttpResponseBase:
    """Answer a picker: environments that a text may mean."""
    actor, text = reader(request), request.GET.get("q", "")[:100]
    found = queries.pick(actor, text)
    items = [
        {"key": row["slug"], "name": row["name"], "note": str(Environment.Tier(row["tier"]).label)}
        for row in found
    ]
    if request.GET.get("groups"):
        items += [
            {
                "key": row["slug"],
                "name": row["name"],
                "note": ngettext("group of %(count)d", "group of %(count)d", row["count"])
                % {"count": row["count"]},
            }
            for row in queries.pick_groups(actor, text)
        ]
    return JsonResponse({"items": items})


@require_GET
@page
def panel(request: HttpRequest) -> HttpResponseBase:
    """Answer the panel on an item's page: where it stands."""
    actor = reader(request)
    item = catalog.item(actor, request.GET.get("item", ""))
    rows = [
        {
            "key": row["key"],
            "href": f"/environments/{row['key']}",
            "name": row["title"],
            "tier": str(Environment.Tier(row["tier"]).label),
            "control": str(Environment.Control(row["control"]).label),
            "state": _state(row["status"], None),
        }
        for row in queries.standing_of(actor, item.pk)
    ]
    return render(
        request, "environments/panel.html", {"rows": rows, "item": item.slug, "shared": item.shared}
    )


def _record(actor: Actor, environment: Environment) -> dict[str, Any]:
    href = f"/environments/{environment.slug}"
    state, word = _state(environment.status, environment.archived_at)
    steps: list[dict[str, Any]] = []
    if accounts.access(actor).may("environments.edit", environment.organisation_id):
        if environment.archived_at is None:
            steps = [
                {"name": "edit", "label": _("Edit"), "href": f"{href}/edit"},
                {"name": "stand", "label": _("Add item"), "href": f"{href}/instances/new"},
                {"name": "link", "label": _("Link environment"), "href": f"{href}/links/new"},
                {
                    "name": "archive",
                    "label": _("Archive…"),
                    "url": f"{href}/archive",
                    "tone": "danger",
                    "fields": {"version": environment.version},
                    "ask": {
                        "title": _("Archive %(key)s?") % {"key": environment.slug},
                        "text": _("It stays on record and takes part in nothing new."),
                    },
                },
            ]
        else:
            steps = [
                {
                    "name": "restore",
                    "label": _("Use again"),
                    "url": f"{href}/restore",
                    "fields": {"version": environment.version},
                }
            ]
    return {
        "key": environment.slug,
        "href": href,
        "title": environment.name,
        "kind": Environment.Tier(environment.tier).label,
        "state": state,
        "state_word": word,
        "steps": steps,
    }


@require_GET
@page
def environment(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show one environment: how it is controlled, what stands in it, what is planned there."""
    actor = reader(request)
    found = queries.environment(actor, key)
    if key != found.slug:
        return redirect(f"/environments/{found.slug}")
    rows = [
        {
            "key": row["key"],
            "href": f"/items/{row['key']}",
            "name": row["title"],
            "kind": row["item_kind"],
            "criticality": row["criticality"],
            "remove": f"/environments/{found.slug}/instances/{row['uid']}/remove",
        }
        for row in queries.standing_in(actor, found)
    ]
    context = {
        "record": _record(actor, found),
        "share": parts.share(actor, f"environments/{found.slug}", found.name),
        "environment": found,
        "control": Environment.Control(found.control).label,
        "meaning": CONTROL[found.control],
        "custom": workspace.told(actor, "environment", found),
        "rows": rows,
        "lanes": _lanes(actor, found),
        "may_edit": found.archived_at is None
        and accounts.access(actor).may("environments.edit", found.organisation_id),
        "schedule": {
            "data": "/calendar/data?" + urlencode({"lanes": "item", "environment": found.slug}),
            "calendar": "/calendar?" + urlencode({"environment": found.slug}),
        },
        "panels": {
            "changes": "/changes/panel?" + urlencode({"environment": found.slug}),
            "events": "/activity?" + urlencode({"kind": "environment", "subject": str(found.uid)}),
        },
    }
    return render(request, "environments/environment.html", context)


def _lanes(actor: Actor, environment: Environment) -> dict[str, Any]:
    """Return what is taken with an environment and what takes it, and the groups that hold it."""
    links = queries.links_of(actor, environment.pk)
    remove = f"/environments/{environment.slug}/links"
    return {
        "parents": [
            {"key": one.parent.slug, "href": f"/environments/{one.parent.slug}", "name": one.parent.name}
            for one in links
            if one.child_id == environment.pk
        ],
        "children": [
            {
                "key": one.child.slug,
                "href": f"/environments/{one.child.slug}",
                "name": one.child.name,
                "remove": f"{remove}/{one.uid}/remove",
            }
            for one in links
            if one.parent_id == environment.pk
        ],
        "groups": [
            {"key": ref.key, "href": f"/environment-groups/{ref.key}", "name": ref.name}
            for ref in queries.groups_of(actor, environment.pk)
        ],
    }


def submit(form: Any, command: Command, actor: Actor) -> tuple[Ref | None, int]:
    """Run the command of a form; return what came of it, or the status with the reasons put into the form."""
    try:
        return execute(command, actor=actor).subject, 200
    except (Invalid, Conflict) as problem:
        for error in problem.errors:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        if not problem.errors:
            form.add_error(None, problem.detail)
        return None, problem.status


def crumbs_of(environment: Environment | None = None) -> list[dict[str, str]]:
    crumbs = [{"label": _("Environments"), "href": "/environments"}]
    if environment is not None:
        crumbs.append({"label": environment.slug, "href": f"/environments/{environment.slug}"})
    return crumbs


@require_http_methods(["GET", "POST"])
@page
def new(request: HttpRequest) -> HttpResponseBase:
    """Add an environment."""
    actor = reader(request)
    accounts.require(actor, "environments.edit", at=None)
    form = EnvironmentForm(request.POST or None, actor=actor)
    status = 200
    if request.method == "POST" and not form.redrawn():
        status = 422
        if form.is_valid():
            made, status = submit(form, commands.CreateEnvironment(**form.values()), actor)
            if made is not None:
                toasts.done(request, _("%(key)s was added.") % {"key": made.key}, undo=way_back(request))
                return redirect(f"/environments/{made.key}")
    context = {
        "title": _("New environment"),
        "form": form,
        "submit": _("Add environment"),
        "cancel": "/environments",
        "crumbs": crumbs_of(),
    }
    return render(request, "ui/form.html", context, status=status)


@require_http_methods(["GET", "POST"])
@page
def edit(request: HttpRequest, key: str) -> HttpResponseBase:
    """Change an environment."""
    actor = reader(request)
    found = queries.environment(actor, key)
    accounts.require(actor, "environments.edit", at=found.organisation_id)
    form = EnvironmentForm(request.POST or None, actor=actor, environment=found)
    status = 200
    if request.method == "POST" and not form.redrawn():
        status = 422
        if form.is_valid():
            version = form.cleaned_data["version"]
            command = commands.EditEnvironment(environment=found.slug, version=version, **form.values())
            try:
                made, status = submit(form, command, actor)
            except Stale as problem:
                form.add_error(None, _("Somebody changed this meanwhile; nothing was saved yet."))
                form.stale(queries.environment(actor, key))
                made, status = None, problem.status
            if made is not None:
                toasts.done(request, _("%(key)s was saved.") % {"key": made.key}, undo=way_back(request))
                return redirect(f"/environments/{made.key}")
    context = {
        "title": _("Edit %(key)s") % {"key": found.slug},
        "form": form,
        "submit": _("Save"),
        "cancel": f"/environments/{found.slug}",
        "crumbs": crumbs_of(found),
    }
    return render(request, "ui/form.html", context, status=status)


def version_of(request: HttpRequest) -> int | None:
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


@require_POST
@page
def archive(request: HttpRequest, key: str) -> HttpResponseBase:
    """Take an environment out of use."""
    command = commands.ArchiveEnvironment(environment=key, version=version_of(request))
    made = execute(command, actor=reader(request)).subject
    toasts.done(
        request, _("%(key)s was archived.") % {"key": made.key if made else key}, undo=way_back(request)
    )
    return redirect(f"/environments/{key}")


@require_POST
@page
def restore(request: HttpRequest, key: str) -> HttpResponseBase:
    """Use an archived environment again."""
    actor = reader(request)
    found = queries.environment(actor, key)
    execute(commands.PutEnvironment(key=found.slug, version=version_of(request)), actor=actor)
    toasts.done(request, _("%(key)s is in use again.") % {"key": found.slug}, undo=way_back(request))
    return redirect(f"/environments/{found.slug}")


@require_http_methods(["GET", "POST"])
@page
def stand(request: HttpRequest, key: str) -> HttpResponseBase:
    """Say that an item stands in an environment."""
    actor = reader(request)
    found = queries.environment(actor, key)
    accounts.require(actor, "environments.edit", at=found.organisation_id)
    form = StandingForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            [item] = form.cleaned_data["item"]
            command = commands.CreateInstance(item=item, environment=found.slug)
            made, status = submit(form, command, actor)
            if made is not None:
                toasts.done(
                    request,
                    _("%(item)s stands in %(key)s.") % {"item": item, "key": found.slug},
                    undo=way_back(request),
                )
                return redirect(f"/environments/{found.slug}")
    context = {
        "title": _("Add an item to %(key)s") % {"key": found.slug},
        "lead": found.name,
        "form": form,
        "submit": _("Add item"),
        "cancel": f"/environments/{found.slug}",
        "crumbs": crumbs_of(found),
    }
    return render(request, "ui/form.html", context, status=status)


@require_POST
@page
def leave(request: HttpRequest, key: str, uid: str) -> HttpResponseBase:
    """Say that an item stands in an environment no longer."""
    execute(commands.RemoveInstance(instance=uid), actor=reader(request))
    toasts.done(request, _("The item was taken out of %(key)s.") % {"key": key}, undo=way_back(request))
    return redirect(f"/environments/{key}")


urlpatterns = [
    path("environments", environments, name="environments"),
    path("environments/bulk", bulk, name="environments-bulk"),
    path("environments/<str:key>/cell", cell, name="environment-cell"),
    path("environments/new", new, name="environment-new"),
    path("environments/pick", pick, name="environment-pick"),
    path("environments/panel", panel, name="environment-panel"),
    path("environments/<str:key>", environment, name="environment"),
    path("environments/<str:key>/edit", edit, name="environment-edit"),
    path("environments/<str:key>/archive", archive, name="environment-archive"),
    path("environments/<str:key>/restore", restore, name="environment-restore"),
    path("environments/<str:key>/instances/new", stand, name="environment-stand"),
    path("environments/<str:key>/instances/<str:uid>/remove", leave, name="environment-leave"),
]
