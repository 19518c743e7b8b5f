"""Pages of builds: the register, a record, its form, and the panel on an item's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.template import Context
from django.urls import path
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fairway.accounts import queries as accounts
from fairway.accounts.web import page, way_back
from fairway.audit.commands import Command, convert, execute
from fairway.catalog import commands, queries
from fairway.catalog.models import Build
from fairway.catalog.pages.shared import reader, submit, version_of
from fairway.catalog.rules.builds import STEPS
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Invalid
from fairway.ui import toasts
from fairway.ui.forms import KeysField
from fairway.ui.templatetags.ui import ago, keylink, state
from fairway.workspace import queries as workspace
from fairway.workspace.grids import Column, Field, Grid

STATES = {"registered": "submitted", "accepted": "active", "rejected": "rejected", "retired": "retired"}
SEARCHED = (
    *("status", "system", "branch", "digest", "purl", "work_item", "commit", "archived"),
    *("q", "sort", "cursor"),
)
IN_PANEL = 10


def state_of(status: str, archived: object) -> tuple[str, str]:
    """Return the face's name of a state and the word for it."""
    if archived:
        return "retired", _("Archived")
    return STATES[status], str(Build.Status(status).label)


# The list


def as_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the register as the grid takes it."""
    return {**row, "href": f"/builds/{row['key']}", "place": row["organisation_id"]}


def _commit(row: Mapping[str, Any]) -> Any:
    if not row["commit"]:
        return ""
    short = row["commit"][:10]
    if not row["commit_url"]:
        return format_html("<code>{}</code>", short)
    return format_html('<a href="{}" rel="noopener noreferrer"><code>{}</code></a>', row["commit_url"], short)


def _read(actor: Actor, key: str) -> dict[str, Any]:
    """:raises NotFound: no such build for the actor."""
    found = queries.build(actor, key)
    names = ("uid", "number", "key", "status", "version", "archived_at", "build_version", "organisation_id")
    more = ("commit", "commit_url", "branch", "tag", "built_at", "name")
    row = {name: getattr(found, name) for name in (*names, *more)}
    return as_row(
        {
            **row,
            "system__slug": found.system.slug,
            "system__name": found.system.name,
            "organisation__name": found.organisation.name,
            "artefacts": queries.artefacts(found),
        }
    )


def _match(actor: Actor, query: Mapping[str, str], most: int) -> list[str]:
    asked = {name: query[name] for name in SEARCHED if query.get(name) and name not in ("cursor", "sort")}
    found = queries.build_page(actor, convert({**asked, "limit": 1000}, queries.BuildQuery))
    keys = [str(row["key"]) for row in found.rows]
    return [*keys, ""] if found.next else keys[:most]  # one more than is taken says: too many


def _edit(key: str, name: str, value: str, version: int | None) -> Command:
    return convert({"build": key, "version": version, name: value}, commands.EditBuild)


BUILDS = Grid(
    page="builds",
    path="/builds",
    columns=(
        Column("key", gettext_lazy("Key"), lambda row: keylink(row["key"], row["href"]), sort="number"),
        Column(
            "system",
            gettext_lazy("System"),
            lambda row: keylink(row["system__slug"], f"/items/{row['system__slug']}"),
            sort="system",
        ),
        Column(
            "build_version",
            gettext_lazy("Version"),
            lambda row: format_html("<span>{}</span>", row["build_version"]),
            sort="name",
            style="is-title",
        ),
        Column(
            "status",
            gettext_lazy("Status"),
            lambda row: state(*state_of(row["status"], row["archived_at"])),
            sort="status",
        ),
        Column("branch", gettext_lazy("Branch"), lambda row: row["branch"], sort="branch", style="is-less"),
        Column("tag", gettext_lazy("Tag"), lambda row: row["tag"], usual=False),
        Column("commit", gettext_lazy("Commit"), _commit, style="is-less"),
        Column("artefacts", gettext_lazy("Artefacts"), lambda row: len(row["artefacts"]) or "", numeric=True),
        Column(
            "organisation",
            gettext_lazy("Organisation"),
            lambda row: row["organisation__name"],
            sort="organisation",
            usual=False,
        ),
        Column(
            "built_at",
            gettext_lazy("Built"),
            lambda row: ago(Context(), row["built_at"]),
            sort="built_at",
        ),
    ),
    fields=(
        Field(
            "status",
            gettext_lazy("Status"),
            lambda row: row["status"],
            lambda actor: [one for one in Build.Status.choices if one[0] in ("accepted", "retired")],
        ),
    ),
    permission="catalog.register",
    read=_read,
    match=_match,
    edit=_edit,
    archive=lambda key: commands.ArchiveBuild(build=key),
)


@require_GET
@page
def builds(request: HttpRequest) -> HttpResponseBase:
    """Show the builds that are asked for, the last built first."""
    actor = reader(request)
    views = workspace.views_of(actor, "builds", current=request.GET.get("view", ""))
    if not request.GET and views.opening_href:
        return redirect(views.opening_href)
    asked = {name: request.GET[name] for name in SEARCHED if request.GET.get(name)}
    query = convert({**asked, "count": not asked.get("cursor")}, queries.BuildQuery)
    found = queries.build_page(actor, query)
    count = found.total or 0
    context = {
        "views": views,
        "grid": BUILDS.context(
            request,
            actor,
            [as_row(row) for row in found.rows],
            label=_("Builds"),
            next=found.next,
            total=found.total,
        ),
        "sort": query.sort or queries.BUILDS.sort,
        "filters": _filters(asked),
        "count": ngettext("%(count)s build", "%(count)s builds", count) % {"count": f"{count:,}"},
        "asked": bool(asked.keys() - {"sort", "cursor"}),
        "may_register": accounts.access(actor).may("catalog.register", None),
    }
    return render(request, "catalog/builds.html", context)


def _filters(asked: Mapping[str, str]) -> dict[str, Any]:
    """Return the filter bar: what is set, and what can be."""
    kept = {name: value for name, value in asked.items() if name != "cursor"}

    def href(name: str, value: str) -> str:
        rest = {n: v for n, v in kept.items() if n != name}
        return "?" + urlencode({**rest, **({name: value} if value else {})})

    labels = {
        "status": _("Status"),
        "system": _("System"),
        "branch": _("Branch"),
        "digest": _("Digest"),
        "purl": _("Package URL"),
        "work_item": _("Work item"),
        "commit": _("Commit"),
        "archived": _("Archived"),
    }
    options = {
        "status": [(value, str(label)) for value, label in Build.Status.choices],
        "archived": [("true", _("Archived ones"))],
    }
    return {
        "q": kept.get("q", ""),
        "q_label": _("System, version, branch, tag or commit"),
        "keep": {name: value for name, value in kept.items() if name != "q"},
        "chips": [
            {
                "label": label,
                "value": dict(options.get(name, ())).get(kept[name], kept[name]),
                "remove": href(name, ""),
            }
            for name, label in labels.items()
            if name in kept
        ],
        "add": [
            {
                "label": labels[name],
                "options": [
                    {"label": word, "href": href(name, value), "current": kept.get(name) == value}
                    for value, word in choices
                ],
            }
            for name, choices in options.items()
        ],
        "clear": "/builds",
    }


@require_POST
@page
def bulk(request: HttpRequest) -> HttpResponseBase:
    """Edit many builds at once, or say what that would do."""
    return BUILDS.bulk(request, reader(request))


@require_http_methods(["GET", "POST"])
@page
def cell(request: HttpRequest, key: str) -> HttpResponseBase:
    """Edit the status of a build in its row of the list."""
    return BUILDS.cell(request, reader(request), key)


@require_GET
@page
def pick(request: HttpRequest) -> HttpResponseBase:
    """Answer a picker: builds that a text may mean."""
    found = queries.pick_builds(reader(request), request.GET.get("q", "")[:100])
    items = [
        {"key": row["key"], "name": row["name"], "note": str(Build.Status(row["status"]).label)}
        for row in found
    ]
    return JsonResponse({"items": items})


@require_GET
@page
def panel(request: HttpRequest) -> HttpResponseBase:
    """Answer the panel on an item's page: what was built of it last."""
    actor = reader(request)
    item = queries.item(actor, request.GET.get("item", ""))
    query = convert({"system": item.slug, "limit": IN_PANEL, "count": True}, queries.BuildQuery)
    found = queries.build_page(actor, query)
    total = found.total or 0
    counted = ngettext("All %(count)s build", "All %(count)s builds", total) % {"count": f"{total:,}"}
    context = {
        "rows": panel_rows(found.rows),
        "more": {"href": f"/builds?system={item.slug}", "label": counted} if total > IN_PANEL else None,
        "new": f"/builds/new?system={item.slug}"
        if accounts.access(actor).may("catalog.register", item.organisation_id)
        else "",
    }
    return render(request, "catalog/builds_panel.html", context)


def panel_rows(rows: Any) -> list[dict[str, Any]]:
    """Return rows of the register as the panel shows them."""
    return [
        {
            **row,
            "href": f"/builds/{row['key']}",
            "state": state_of(row["status"], row["archived_at"]),
            "count": len(row["artefacts"]),
            "short": row["commit"][:10],
        }
        for row in rows
    ]


# The record


def _steps(actor: Actor, found: Build) -> list[dict[str, Any]]:
    if not accounts.access(actor).may("catalog.register", found.organisation_id):
        return []
    href, version = f"/builds/{found.key}", {"version": found.version}
    if found.archived_at is not None:
        return [{"name": "restore", "label": _("Use again"), "url": f"{href}/restore", "fields": version}]
    words = {"accepted": _("Accept"), "rejected": _("Reject…"), "retired": _("Retire…")}
    steps: list[dict[str, Any]] = []
    for status in STEPS[found.status]:
        step: dict[str, Any] = {
            "name": status,
            "label": words[status],
            "url": f"{href}/status",
            "fields": {**version, "status": status},
        }
        if status != Build.Status.ACCEPTED:
            rejects = status == Build.Status.REJECTED
            step["tone"] = "danger" if rejects else ""
            step["ask"] = {
                "title": (_("Reject %(key)s?") if rejects else _("Retire %(key)s?")) % {"key": found.key},
                "text": _("It can be accepted later.") if rejects else _("A retired build stays so."),
                "name": "reason",
                "label": _("Why"),
                "required": rejects,
            }
        steps.append(step)
    archive = {
        "name": "archive",
        "label": _("Archive…"),
        "url": f"{href}/archive",
        "tone": "danger",
        "fields": version,
        "ask": {
            "title": _("Archive %(key)s?") % {"key": found.key},
            "text": _("It leaves lists, and its digests stay known."),
        },
    }
    return [*steps, archive]


@require_GET
@page
def build(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show one build: where it comes from, its artefacts by digest, what it carries."""
    actor = reader(request)
    found = queries.build(actor, key)
    if key != found.key:
        return redirect(f"/builds/{found.key}")
    mark, word = state_of(found.status, found.archived_at)
    context = {
        "record": {
            "key": found.key,
            "href": f"/builds/{found.key}",
            "title": f"{found.system.name} {found.build_version}",
            "kind": _("Build"),
            "state": mark,
            "state_word": word,
            "steps": _steps(actor, found),
        },
        "build": found,
        "system_href": f"/items/{found.system.slug}",
        "artefacts": queries.artefacts(found),
        "work_items": queries.work_items(found),
        "sees_changes": accounts.access(actor).may("changes.view", None),
        "panels": {
            "changes": "/changes/panel?" + urlencode({"build": found.key}),
            "events": "/activity?" + urlencode({"kind": "build", "subject": str(found.uid)}),
        },
    }
    return render(request, "catalog/build.html", context)


class BuildForm(forms.Form):
    """A build that no pipeline registers."""

    system = KeysField(url="/items/pick", multiple=False, label=gettext_lazy("System"))
    build_version = forms.CharField(
        label=gettext_lazy("Version"),
        max_length=100,
        help_text=gettext_lazy("As the pipeline calls it, such as 2.3.0; once for each system."),
    )
    commit = forms.CharField(label=gettext_lazy("Commit"), max_length=64, required=False)
    commit_url = forms.CharField(label=gettext_lazy("Address of the commit"), max_length=1000, required=False)
    branch = forms.CharField(label=gettext_lazy("Branch"), max_length=200, required=False)
    tag = forms.CharField(label=gettext_lazy("Tag"), max_length=200, required=False)
    url = forms.CharField(label=gettext_lazy("Address of the run"), max_length=1000, required=False)
    artefacts = forms.CharField(
        label=gettext_lazy("Artefacts"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("One a line: package URL, blank, digest (sha256:…)."),
    )
    work_items = forms.CharField(
        label=gettext_lazy("Work items"),
        required=False,
        max_length=20_000,
        help_text=gettext_lazy("Their ids in other tools, separated by commas."),
    )

    def clean_artefacts(self) -> list[commands.ArtefactFacts | str]:
        found: list[commands.ArtefactFacts | str] = []
        for text in self.cleaned_data["artefacts"].splitlines():
            purl, _blank, digest = text.strip().partition(" ")
            if purl:
                found.append(commands.ArtefactFacts(purl=purl, digest=digest.strip()))
        return found

    def command(self) -> commands.RegisterBuild:
        given = dict(self.cleaned_data)
        given["system"] = given["system"][0]
        given["work_items"] = [one.strip() for one in given["work_items"].split(",") if one.strip()]
        return commands.RegisterBuild(**given)


@require_http_methods(["GET", "POST"])
@page
def new(request: HttpRequest) -> HttpResponseBase:
    """Register a build by hand."""
    actor = reader(request)
    accounts.require(actor, "catalog.register", at=None)
    system = request.GET.get("system", "")
    form = BuildForm(request.POST or None, initial={"system": [system] if system else []})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            made, status = submit(form, form.command(), actor)
            if made is not None:
                toasts.done(request, _("%(key)s was registered.") % {"key": made.key})
                return redirect(f"/builds/{made.key}")
    context = {
        "title": _("Register a build"),
        "lead": _(
            "Pipelines register their builds over the API; what is registered here stands just the same, and"
            " is not edited afterwards."
        ),
        "form": form,
        "submit": _("Register"),
        "cancel": "/builds",
        "crumbs": [{"label": _("Catalogue"), "href": "/items"}, {"label": _("Builds"), "href": "/builds"}],
    }
    return render(request, "ui/form.html", context, status=status)


@require_POST
@page
def status(request: HttpRequest, key: str) -> HttpResponseBase:
    """Accept, reject or retire a build."""
    given = request.POST
    command = commands.EditBuild(
        build=key,
        version=version_of(request),
        status=given.get("status", ""),
        reason=given.get("reason", ""),
    )
    try:
        made = execute(command, actor=reader(request)).subject
    except (Conflict, Invalid) as problem:
        toasts.failed(request, problem.errors[0].message if problem.errors else problem.detail)
        return redirect(f"/builds/{key}")
    done = made.key if made else key
    toasts.done(request, _("%(key)s was saved.") % {"key": done}, undo=way_back(request))
    return redirect(f"/builds/{done}")


@require_POST
@page
def archive(request: HttpRequest, key: str) -> HttpResponseBase:
    """Take a build out of lists."""
    execute(commands.ArchiveBuild(build=key, version=version_of(request)), actor=reader(request))
    toasts.done(request, _("%(key)s was archived.") % {"key": key}, undo=way_back(request))
    return redirect(f"/builds/{key}")


@require_POST
@page
def restore(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show an archived build in lists again."""
    execute(commands.RestoreBuild(build=key, version=version_of(request)), actor=reader(request))
    toasts.done(request, _("%(key)s is in use again.") % {"key": key}, undo=way_back(request))
    return redirect(f"/builds/{key}")


urlpatterns = [
    path("builds", builds, name="builds"),
    path("builds/new", new, name="build-new"),
    path("builds/bulk", bulk, name="builds-bulk"),
    path("builds/pick", pick, name="build-pick"),
    path("builds/panel", panel, name="builds-panel"),
    path("builds/<str:key>", build, name="build"),
    path("builds/<str:key>/cell", cell, name="build-cell"),
    path("builds/<str:key>/status", status, name="build-status"),
    path("builds/<str:key>/archive", archive, name="build-archive"),
    path("builds/<str:key>/restore", restore, name="build-restore"),
]
