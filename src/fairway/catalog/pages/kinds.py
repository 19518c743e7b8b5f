"""Administration of the kinds of items and relations."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fairway.accounts import parts
from fairway.accounts import queries as accounts
from fairway.accounts.web import caller, page
from fairway.audit.commands import execute
from fairway.catalog import commands, queries
from fairway.catalog.models import ItemKind, RelationKind
from fairway.catalog.pages.shared import submit
from fairway.kernel.actor import Actor
from fairway.kernel.errors import NotFound, Stale
from fairway.ui import toasts

AT = "/administration/kinds"
PERMISSION = "catalog.configure"
FAILURES = (
    ("to_source", gettext_lazy("From the target to the source")),
    ("to_target", gettext_lazy("From the source to the target")),
    ("both", gettext_lazy("Both ways")),
)


class KindForm(forms.Form):
    """A kind of items or of relations."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    reverse_name = forms.CharField(
        label=gettext_lazy("Read backwards"),
        max_length=80,
        help_text=gettext_lazy("From the target to the source, such as “is needed by”."),
    )
    key = forms.CharField(label=gettext_lazy("Key"), max_length=60)
    failure = forms.ChoiceField(
        label=gettext_lazy("Failure travels"),
        choices=FAILURES,
        help_text=gettext_lazy("Impact follows it at once."),
    )
    description = forms.CharField(label=gettext_lazy("Description"), max_length=300, required=False)
    shared_default = forms.BooleanField(
        label=gettext_lazy("New ones are shared by all environments"), required=False
    )
    strict = forms.BooleanField(
        label=gettext_lazy("No attributes but those defined as fields"), required=False
    )

    def __init__(self, data: Any = None, *, what: str, row: ItemKind | RelationKind | None = None) -> None:
        initial = {name: getattr(row, name, None) for name in self.base_fields} if row is not None else {}
        super().__init__(data, initial=initial)
        left_out = ("reverse_name", "failure") if what == "items" else ("shared_default", "strict")
        for name in (*left_out, *(("key",) if row is not None else ("version",))):
            del self.fields[name]


def _configures(actor: Actor) -> bool:
    root = accounts.root()
    return root is not None and accounts.access(actor).may(PERMISSION, root.pk)


def _allowed(request: HttpRequest) -> Actor:
    """Return who configures.

    :raises Forbidden: they may not do so in the whole tree.
    """
    actor = caller(request)
    root = accounts.root()
    accounts.require(actor, PERMISSION, at=root.pk if root is not None else None)
    return actor


@require_GET
@page
def kinds(request: HttpRequest) -> HttpResponseBase:
    """Show all kinds of items and relations."""
    actor = caller(request)
    accounts.require(actor, PERMISSION, at=None)
    failures = dict(FAILURES)
    context = {
        "items": [{**row, "at": f"{AT}/items/{row['slug']}"} for row in queries.kinds()],
        "relations": [
            {**row, "at": f"{AT}/relations/{row['slug']}", "way": failures[row["failure"]]}
            for row in queries.relation_kinds(archived=False)
        ],
        "archived": [
            *({**row, "at": f"{AT}/items/{row['slug']}"} for row in queries.kinds(archived=True)),
            *(
                {**row, "at": f"{AT}/relations/{row['slug']}"}
                for row in queries.relation_kinds(archived=True)
            ),
        ],
        "mine": _configures(actor),
        "tabs": parts.tabs(actor, "kinds"),
    }
    return render(request, "catalog/kinds.html", context)


def _row(what: str, key: str) -> ItemKind | RelationKind:
    if what == "items":
        return queries.kind(ItemKind, key)
    if what == "relations":
        return queries.kind(RelationKind, key)
    raise NotFound(_("There are kinds of items and of relations."))


@require_http_methods(["GET", "HEAD", "POST"])
@page
def edit(request: HttpRequest, what: str, key: str = "") -> HttpResponseBase:
    """Add a kind, or change one."""
    row = _row(what, key) if key else None
    if what not in {"items", "relations"}:
        raise NotFound(_("There are kinds of items and of relations."))
    actor = _allowed(request)
    form = KindForm(request.POST if request.method == "POST" else None, what=what, row=row)
    status = 200
    if form.is_bound:
        status = 422
        if form.is_valid():
            made = None
            try:
                if row is None:
                    made, status = submit(form, _MAKE[what](**form.cleaned_data), actor)
                else:
                    made, status = submit(form, _EDIT[what](kind=row.slug, **form.cleaned_data), actor)
            except Stale as problem:
                form.add_error(None, _("Somebody changed this meanwhile; load the page again."))
                status = problem.status
            if made is not None:
                toasts.done(request, _("%(key)s was saved.") % {"key": made.key})
                return redirect(AT)
    context = {
        "title": _("Edit %(key)s") % {"key": row.name} if row is not None else _("New kind"),
        "form": form,
        "submit": _("Save"),
        "cancel": AT,
        "crumbs": [
            {"label": _("Administration"), "href": "/administration"},
            {"label": _("Kinds"), "href": AT},
        ],
    }
    return render(request, "ui/form.html", context, status=status)


_MAKE: dict[str, Any] = {"items": commands.CreateItemKind, "relations": commands.CreateRelationKind}
_EDIT: dict[str, Any] = {"items": commands.EditItemKind, "relations": commands.EditRelationKind}
_ARCHIVE: dict[str, Any] = {"items": commands.ArchiveItemKind, "relations": commands.ArchiveRelationKind}
_RESTORE: dict[str, Any] = {"items": commands.RestoreItemKind, "relations": commands.RestoreRelationKind}


@require_POST
@page
def archive(request: HttpRequest, what: str, key: str) -> HttpResponseBase:
    """Take a kind out of use."""
    row = _row(what, key)
    execute(_ARCHIVE[what](kind=row.slug), actor=_allowed(request))
    toasts.done(request, _("%(key)s was archived.") % {"key": row.name})
    return redirect(AT)


@require_POST
@page
def restore(request: HttpRequest, what: str, key: str) -> HttpResponseBase:
    """Use an archived kind again."""
    row = _row(what, key)
    execute(_RESTORE[what](kind=row.slug), actor=_allowed(request))
    toasts.done(request, _("%(key)s is in use again.") % {"key": row.name})
    return redirect(AT)


urlpatterns = [
    path("administration/kinds", kinds, name="kinds"),
    path("administration/kinds/<slug:what>/new", edit, name="kind-new"),
    path("administration/kinds/<slug:what>/<str:key>/edit", edit, name="kind-edit"),
    path("administration/kinds/<slug:what>/<str:key>/archive", archive, name="kind-archive"),
    path("administration/kinds/<slug:what>/<str:key>/restore", restore, name="kind-restore"),
]
