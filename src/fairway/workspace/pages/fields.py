"""Administration of custom fields: those of a subject in their order, with what its form looks like."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fairway.accounts import parts
from fairway.accounts import queries as accounts
from fairway.accounts.web import caller, page
from fairway.audit.commands import Command, execute
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Invalid, NotFound, Stale
from fairway.ui import toasts
from fairway.ui.custom import CustomMixin
from fairway.workspace import commands, queries
from fairway.workspace.forms import FieldForm
from fairway.workspace.models import FieldDefinition

AT = "/administration/fields"


class Preview(CustomMixin, forms.Form):
    """What a form of such a record shows."""


def _administrator(request: HttpRequest) -> Actor:
    """Return who configures.

    :raises Forbidden: they may not do so anywhere.
    """
    actor = caller(request)
    accounts.require(actor, "workspace.configure", at=None)
    return actor


def _mine(actor: Actor, row: FieldDefinition) -> bool:
    return accounts.access(actor).may("workspace.configure", row.organisation_id)


@require_GET
@page
def fields(request: HttpRequest) -> HttpResponseBase:
    """Show the fields of a subject, in the order in which forms show them."""
    actor = _administrator(request)
    what = queries.field_subject(request.GET.get("subject", "item"))
    archived = request.GET.get("archived") == "true"
    found = queries.definitions(actor).filter(subject=what.name, archived_at__isnull=not archived)
    known = list(found.order_by("position", "pk"))
    roles = dict(accounts.roles().values_list("slug", "name"))
    kinds = dict(queries.field_kinds(what))
    rows = [_row(actor, row, roles, kinds) for row in known]
    preview = Preview()
    preview.add_custom([row.definition() for row in known], {}, zone=actor.zone)
    count = queries.definitions(actor).filter(subject=what.name, archived_at__isnull=False).count()
    context = {
        "rows": rows,
        "subject": what,
        "archived": archived,
        "put_away": count,
        "preview": preview,
        "tabs": parts.tabs(actor, "fields"),
        "segments": [
            {"label": one.label, "href": f"{AT}?subject={one.name}", "current": one.name == what.name}
            for one in queries.FIELD_SUBJECTS.values()
        ],
        "new": f"{AT}/new?subject={what.name}",
        "here": f"{AT}?subject={what.name}",
    }
    return render(request, "workspace/fields.html", context)


def _row(actor: Actor, row: FieldDefinition, roles: dict[str, str], kinds: dict[str, str]) -> dict[str, Any]:
    mine = _mine(actor, row)
    return {
        "key": row.name,
        "label": row.title,
        "href": f"{AT}/{row.key}/edit" if mine and row.archived_at is None else "",
        "type": row.get_type_display(),
        "group": row.group,
        "kinds": ", ".join(kinds.get(kind, kind) for kind in row.kinds),
        "mandatory": row.mandatory,
        "seen": ", ".join(roles.get(role, role) for role in row.viewers),
        "set": ", ".join(roles.get(role, role) for role in row.editors),
        "organisation": row.organisation.name,
        "at": f"{AT}/{row.key}",
        "mine": mine,
        "version": row.version,
    }


def _form(
    request: HttpRequest, form: FieldForm, subject: queries.FieldSubject, **context: Any
) -> HttpResponse:
    status = 422 if form.is_bound and form.errors else 200
    crumbs = [
        {"label": _("Administration"), "href": "/administration"},
        {"label": _("Fields"), "href": f"{AT}?subject={subject.name}"},
    ]
    cancel = f"{AT}?subject={subject.name}"
    return render(
        request, "ui/form.html", {"form": form, "crumbs": crumbs, "cancel": cancel, **context}, status=status
    )


def _done(form: FieldForm, command: Command, actor: Actor) -> bool:
    """Run the command of a valid form; what it objects to stands in the form."""
    try:
        execute(command, actor=actor)
    except Stale:
        form.add_error(None, _("Somebody changed this meanwhile. Load the page again and repeat your edit."))
    except (Invalid, Conflict) as problem:
        form.object(problem)
    else:
        return True
    return False


@require_http_methods(["GET", "HEAD", "POST"])
@page
def new(request: HttpRequest) -> HttpResponseBase:
    """Define a field."""
    actor = _administrator(request)
    what = queries.field_subject(request.GET.get("subject", "item"))
    form = FieldForm(request.POST if request.method == "POST" else None, actor=actor, subject=what)
    if form.is_valid() and _done(form, commands.CreateField(subject=what.name, **form.values()), actor):
        toasts.done(request, _("The field was added."))
        return redirect(f"{AT}?subject={what.name}")
    return _form(
        request,
        form,
        what,
        title=_("New field"),
        lead=what.label,
        submit=_("Add field"),
        outcome=_("Records that hold a value by its name must fit; they keep it."),
    )


def _known(actor: Actor, key: str) -> FieldDefinition:
    """Return a field that the actor configures.

    :raises NotFound: there is none that they may see. :raises Forbidden: it is not theirs.
    """
    found = queries.definition(actor, key)
    accounts.require(actor, "workspace.configure", at=found.organisation_id)
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@page
def edit(request: HttpRequest, key: str) -> HttpResponseBase:
    """Change a field."""
    actor = _administrator(request)
    found = _known(actor, key)
    what = queries.FIELD_SUBJECTS[found.subject]
    form = FieldForm(request.POST if request.method == "POST" else None, actor=actor, subject=what, row=found)
    if form.is_valid():
        command = commands.EditField(field=found.key, version=form.cleaned_data["version"], **form.values())
        if _done(form, command, actor):
            toasts.done(request, _("The field was saved."))
            return redirect(f"{AT}?subject={what.name}")
    title = _("Edit %(key)s") % {"key": found.title}
    return _form(request, form, what, title=title, lead=f"{what.label} · {found.name}", submit=_("Save"))


@require_POST
@page
def archive(request: HttpRequest, key: str) -> HttpResponseBase:
    """Take a field out of use."""
    actor = _administrator(request)
    found = _known(actor, key)
    execute(commands.ArchiveField(field=found.key), actor=actor)
    toasts.done(request, _("%(key)s was archived.") % {"key": found.title}, undo=f"{AT}/{found.key}/restore")
    return redirect(f"{AT}?subject={found.subject}")


@require_POST
@page
def restore(request: HttpRequest, key: str) -> HttpResponseBase:
    """Use an archived field again."""
    actor = _administrator(request)
    found = _known(actor, key)
    execute(commands.RestoreField(field=found.key), actor=actor)
    toasts.done(request, _("%(key)s is in use again.") % {"key": found.title})
    return redirect(f"{AT}?subject={found.subject}")


@require_POST
@page
def move(request: HttpRequest, key: str) -> HttpResponseBase:
    """Put a field one place up or down."""
    actor = _administrator(request)
    found = _known(actor, key)
    rows = queries.definitions(actor).filter(subject=found.subject, archived_at=None)
    names = [row.name for row in rows.order_by("position", "pk") if _mine(actor, row)]
    if found.name not in names:
        raise NotFound(_("This field is archived."))
    here = names.index(found.name)
    there = max(0, min(len(names) - 1, here + (-1 if request.POST.get("way") == "up" else 1)))
    names[here], names[there] = names[there], names[here]
    execute(commands.OrderFields(subject=found.subject, fields=names), actor=actor)
    return redirect(f"{AT}?subject={found.subject}")


urlpatterns = [
    path("administration/fields", fields, name="fields"),
    path("administration/fields/new", new, name="field-new"),
    path("administration/fields/<str:key>/edit", edit, name="field-edit"),
    path("administration/fields/<str:key>/archive", archive, name="field-archive"),
    path("administration/fields/<str:key>/restore", restore, name="field-restore"),
    path("administration/fields/<str:key>/move", move, name="field-move"),
]
