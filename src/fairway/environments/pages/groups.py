"""Pages of groups of environments: all of them, a record, its forms."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fairway.accounts import queries as accounts
from fairway.accounts.web import page, way_back
from fairway.audit.commands import execute
from fairway.environments import commands, queries
from fairway.environments.forms import GroupForm
from fairway.environments.models import Environment, EnvironmentGroup
from fairway.environments.pages.environments import reader, submit, tabs_of, version_of
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Stale
from fairway.ui import toasts


@require_GET
@page
def groups(request: HttpRequest) -> HttpResponseBase:
    """Show all groups, each with what it holds."""
    actor = reader(request)
    rows = [
        {
            "key": row["slug"],
            "href": f"/environment-groups/{row['slug']}",
            "name": row["name"],
            "organisation": row["organisation__name"],
            "members": [{"key": ref.key, "href": f"/environments/{ref.key}"} for ref in row["members"]],
            "hidden": row["count"] - len(row["members"]),
        }
        for row in queries.all_groups(actor)
    ]
    context = {
        "rows": rows,
        "tabs": tabs_of("groups"),
        "may_edit": accounts.access(actor).may("environments.edit", None),
    }
    return render(request, "environments/groups.html", context)


def _record(actor: Actor, group: EnvironmentGroup) -> dict[str, Any]:
    href = f"/environment-groups/{group.slug}"
    steps: list[dict[str, Any]] = []
    if accounts.access(actor).may("environments.edit", group.organisation_id):
        if group.archived_at is None:
            steps = [
                {"name": "edit", "label": _("Edit"), "href": f"{href}/edit"},
                {
                    "name": "archive",
                    "label": _("Archive…"),
                    "url": f"{href}/archive",
                    "tone": "danger",
                    "fields": {"version": group.version},
                    "ask": {
                        "title": _("Archive %(key)s?") % {"key": group.slug},
                        "text": _("Its environments stay as they are."),
                    },
                },
            ]
        else:
            steps = [
                {
                    "name": "restore",
                    "label": _("Use again"),
                    "url": f"{href}/restore",
                    "fields": {"version": group.version},
                }
            ]
    return {
        "key": group.slug,
        "href": href,
        "title": group.name,
        "kind": _("Environment group"),
        "state": "active" if group.archived_at is None else "retired",
        "state_word": _("In use") if group.archived_at is None else _("Archived"),
        "steps": steps,
    }


@require_GET
@page
def group(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show one group: what it holds, and what happened to it."""
    actor = reader(request)
    found = queries.group(actor, key)
    if key != found.slug:
        return redirect(f"/environment-groups/{found.slug}")
    refs, count = queries.members(actor, [found.pk])[found.pk]
    stands = queries.facts()
    context = {
        "record": _record(actor, found),
        "group": found,
        "rows": [
            {
                "key": ref.key,
                "href": f"/environments/{ref.key}",
                "name": ref.name,
                "tier": str(Environment.Tier(stands[ref.pk or 0].tier).label),
            }
            for ref in refs
        ],
        "hidden": count - len(refs),
        "count": count,
        "panels": {
            "events": "/activity?" + urlencode({"kind": "environment-group", "subject": str(found.uid)}),
        },
    }
    return render(request, "environments/group.html", context)


def _crumbs(group: EnvironmentGroup | None = None) -> list[dict[str, str]]:
    crumbs = [
        {"label": _("Environments"), "href": "/environments"},
        {"label": _("Groups"), "href": "/environment-groups"},
    ]
    if group is not None:
        crumbs.append({"label": group.slug, "href": f"/environment-groups/{group.slug}"})
    return crumbs


@require_http_methods(["GET", "POST"])
@page
def new(request: HttpRequest) -> HttpResponseBase:
    """Make a group."""
    actor = reader(request)
    accounts.require(actor, "environments.edit", at=None)
    form = GroupForm(request.POST or None, actor=actor)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            made, status = submit(form, commands.CreateEnvironmentGroup(**form.values()), actor)
            if made is not None:
                toasts.done(request, _("%(key)s was added.") % {"key": made.key}, undo=way_back(request))
                return redirect(f"/environment-groups/{made.key}")
    context = {
        "title": _("New environment group"),
        "lead": _("Environments that are used together as one lane."),
        "form": form,
        "submit": _("Add group"),
        "cancel": "/environment-groups",
        "crumbs": _crumbs(),
    }
    return render(request, "ui/form.html", context, status=status)


@require_http_methods(["GET", "POST"])
@page
def edit(request: HttpRequest, key: str) -> HttpResponseBase:
    """Change a group."""
    actor = reader(request)
    found = queries.group(actor, key)
    accounts.require(actor, "environments.edit", at=found.organisation_id)
    refs, _count = queries.members(actor, [found.pk])[found.pk]
    form = GroupForm(
        request.POST or None, actor=actor, group=found, members={ref.key: ref.name for ref in refs}
    )
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            command = commands.EditEnvironmentGroup(
                group=found.slug, version=form.cleaned_data["version"], **form.values()
            )
            try:
                made, status = submit(form, command, actor)
            except Stale as problem:
                form.add_error(None, _("Somebody changed this meanwhile; nothing was saved. Open it anew."))
                made, status = None, problem.status
            if made is not None:
                toasts.done(request, _("%(key)s was saved.") % {"key": made.key}, undo=way_back(request))
                return redirect(f"/environment-groups/{made.key}")
    context = {
        "title": _("Edit %(key)s") % {"key": found.slug},
        "form": form,
        "submit": _("Save"),
        "cancel": f"/environment-groups/{found.slug}",
        "crumbs": _crumbs(found),
    }
    return render(request, "ui/form.html", context, status=status)


@require_POST
@page
def archive(request: HttpRequest, key: str) -> HttpResponseBase:
    """Take a group out of use."""
    command = commands.ArchiveEnvironmentGroup(group=key, version=version_of(request))
    made = execute(command, actor=reader(request)).subject
    toasts.done(
        request, _("%(key)s was archived.") % {"key": made.key if made else key}, undo=way_back(request)
    )
    return redirect(f"/environment-groups/{key}")


@require_POST
@page
def restore(request: HttpRequest, key: str) -> HttpResponseBase:
    """Use an archived group again."""
    actor = reader(request)
    found = queries.group(actor, key)
    execute(commands.PutEnvironmentGroup(key=found.slug, version=version_of(request)), actor=actor)
    toasts.done(request, _("%(key)s is in use again.") % {"key": found.slug}, undo=way_back(request))
    return redirect(f"/environment-groups/{found.slug}")


urlpatterns = [
    path("environment-groups", groups, name="environment-groups"),
    path("environment-groups/new", new, name="environment-group-new"),
    path("environment-groups/<str:key>", group, name="environment-group"),
    path("environment-groups/<str:key>/edit", edit, name="environment-group-edit"),
    path("environment-groups/<str:key>/archive", archive, name="environment-group-archive"),
    path("environment-groups/<str:key>/restore", restore, name="environment-group-restore"),
]
