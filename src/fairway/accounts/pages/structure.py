"""Teams, roles and the organisation tree."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fairway.accounts import commands, queries
from fairway.accounts.forms import (
    EditOrganisationForm,
    GrantForm,
    MembersForm,
    OrganisationForm,
    TeamForm,
    TeamNameForm,
)
from fairway.accounts.models import Organisation, Team
from fairway.accounts.pages.shared import attempt, crumbs, form_page, reader, tabs
from fairway.accounts.web import caller, page
from fairway.kernel.actor import Actor
from fairway.ui import toasts

# Teams


@require_GET
@page
def teams(request: HttpRequest) -> HttpResponseBase:
    """Show all teams that one may see."""
    actor = reader(request)
    rows = [
        {
            "key": slug,
            "href": f"/administration/teams/{slug}",
            "name": name,
            "organisation": organisation,
            "members": members,
        }
        for slug, name, organisation, members in queries.team_sizes(actor)
    ]
    count = ngettext("%(count)d team", "%(count)d teams", len(rows)) % {"count": len(rows)}
    context = {
        "rows": rows,
        "count": count,
        "tabs": tabs(actor, "teams"),
        "may_add": queries.access(actor).may("accounts.invite", None),
    }
    return render(request, "accounts/teams.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def new_team(request: HttpRequest) -> HttpResponseBase:
    """Add a team."""
    actor = reader(request, "accounts.invite")
    form = TeamForm(
        request.POST if request.method == "POST" else None,
        organisations=queries.organisations_where(actor, "accounts.invite"),
    )
    if form.is_valid() and attempt(request, form, commands.CreateTeam(**form.cleaned_data)):
        toasts.done(request, _("The team was added."))
        return redirect(f"/administration/teams/{form.cleaned_data['slug']}")
    return form_page(
        request,
        form,
        title=_("New team"),
        submit=_("Add team"),
        cancel="/administration/teams",
        crumbs=crumbs("teams", _("Teams")),
    )


@require_GET
@page
def team(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show a team."""
    return _team_page(request, queries.team(reader(request), key))


def _team_page(request: HttpRequest, found: Team, **forms: Any) -> HttpResponse:
    actor = caller(request)
    may = queries.access(actor).may
    members = list(queries.members(actor, found))
    names = {member.key: member.name for member in members}
    grants = [
        {
            "uid": grant.uid,
            "role": grant.role.name,
            "organisation": grant.organisation.name,
            "mine": may("accounts.administer", grant.organisation_id),
        }
        for grant in queries.grants(actor).filter(team=found)
    ]
    address = f"/administration/teams/{found.slug}"
    bound = any(form.is_bound for form in forms.values())
    if may("accounts.invite", found.organisation_id):
        forms.setdefault(
            "members_form",
            MembersForm(names=names, initial={"members": list(names), "version": found.version}),
        )
        forms.setdefault("name_form", TeamNameForm(initial={"name": found.name, "version": found.version}))
    if may("accounts.administer", None):
        forms.setdefault("grant_form", _grant_form(actor))
    context = {
        "record": {"key": found.slug, "href": address, "title": found.name, "kind": _("Team"), "steps": []},
        "team": found,
        "members": members,
        "grants": grants,
        "address": address,
        "history": f"/events/panel?subject={found.uid}",
        "more_crumbs": crumbs("teams", _("Teams")),
        **forms,
    }
    return render(request, "accounts/team.html", context, status=422 if bound else 200)


def _grant_form(actor: Actor, data: Any = None) -> GrantForm:
    places = queries.organisations_where(actor, "accounts.administer")
    return GrantForm(data, organisations=places, roles=queries.roles())


@require_POST
@page
def rename_team(request: HttpRequest, key: str) -> HttpResponseBase:
    """Rename a team."""
    found = queries.team(reader(request), key)
    form = TeamNameForm(request.POST)
    if form.is_valid() and attempt(request, form, commands.EditTeam(team=found.slug, **form.cleaned_data)):
        toasts.done(request, _("The team was renamed."))
        return redirect(f"/administration/teams/{found.slug}")
    return _team_page(request, found, name_form=form)


@require_POST
@page
def set_members(request: HttpRequest, key: str) -> HttpResponseBase:
    """Say who is in a team."""
    found = queries.team(reader(request), key)
    form = MembersForm(request.POST, names={})
    if form.is_valid() and attempt(request, form, commands.SetMembers(team=found.slug, **form.cleaned_data)):
        toasts.done(request, _("The members were saved."))
        return redirect(f"/administration/teams/{found.slug}")
    return _team_page(request, found, members_form=form)


@require_POST
@page
def grant_team(request: HttpRequest, key: str) -> HttpResponseBase:
    """Give a team a role."""
    actor = reader(request)
    found = queries.team(actor, key)
    form = _grant_form(actor, request.POST)
    if form.is_valid() and attempt(request, form, commands.GrantRole(team=found.slug, **form.cleaned_data)):
        toasts.done(request, _("The team has the role now."))
        return redirect(f"/administration/teams/{found.slug}")
    return _team_page(request, found, grant_form=form)


# Organisations


@require_GET
@page
def organisations(request: HttpRequest) -> HttpResponseBase:
    """Show the tree, as far as one sees it."""
    actor = reader(request)
    rows = [
        {
            "key": node.slug,
            "href": f"/administration/organisations/{node.slug}",
            "name": node.name,
            "depth": depth,
            "people": people,
        }
        for node, depth, people in queries.outline(actor)
    ]
    count = ngettext("%(count)d organisation", "%(count)d organisations", len(rows)) % {"count": len(rows)}
    context = {
        "rows": rows,
        "count": count,
        "tabs": tabs(actor, "organisations"),
        "may_add": queries.access(actor).may("accounts.administer", None),
    }
    return render(request, "accounts/organisations.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def new_organisation(request: HttpRequest) -> HttpResponseBase:
    """Add an organisation below another."""
    actor = reader(request, "accounts.administer")
    form = OrganisationForm(
        request.POST if request.method == "POST" else None,
        organisations=queries.organisations_where(actor, "accounts.administer"),
        initial={"parent": request.GET.get("parent", "")},
    )
    if form.is_valid() and attempt(request, form, commands.CreateOrganisation(**form.cleaned_data)):
        toasts.done(request, _("The organisation was added."))
        return redirect(f"/administration/organisations/{form.cleaned_data['slug']}")
    return form_page(
        request,
        form,
        title=_("New organisation"),
        submit=_("Add organisation"),
        cancel="/administration/organisations",
        crumbs=crumbs("organisations", _("Organisations")),
        outcome=_("Whoever has a role above it has the role in it too."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page
def organisation(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show an organisation; rename it or hang its branch elsewhere."""
    actor = reader(request)
    found = queries.organisation(actor, key)
    form = _organisation_form(request, actor, found)
    if request.method == "POST" and form is None:
        queries.require(actor, "accounts.administer", at=found.pk)
    if form is not None and form.is_valid():
        values = dict(form.cleaned_data)
        if found.parent is not None and values.get("parent") == found.parent.slug:
            del values["parent"]
        if attempt(request, form, commands.EditOrganisation(organisation=found.slug, **values)):
            toasts.done(request, _("The organisation was saved."))
            return redirect(f"/administration/organisations/{found.slug}")
    context = {
        "record": {
            "key": found.slug,
            "href": f"/administration/organisations/{found.slug}",
            "title": found.name,
            "kind": _("Organisation"),
            "steps": [],
        },
        "organisation": found,
        "form": form,
        "way": queries.way_to(actor, found),
        "below": queries.organisations(actor).filter(parent=found),
        "grants": queries.grants(actor).filter(organisation=found),
        "history": f"/events/panel?subject={found.uid}",
        "more_crumbs": crumbs("organisations", _("Organisations")),
    }
    failed = form is not None and form.is_bound
    return render(request, "accounts/organisation.html", context, status=422 if failed else 200)


def _organisation_form(
    request: HttpRequest, actor: Actor, found: Organisation
) -> EditOrganisationForm | None:
    if not queries.access(actor).may("accounts.administer", found.pk):
        return None
    below = queries.descendants(found.pk)
    places = [o for o in queries.organisations_where(actor, "accounts.administer") if o.pk not in below]
    if found.parent is not None and found.parent not in places:
        places.insert(0, found.parent)
    return EditOrganisationForm(
        request.POST if request.method == "POST" else None,
        organisations=places,
        root=found.parent is None,
        initial={
            "name": found.name,
            "parent": found.parent.slug if found.parent else "",
            "version": found.version,
        },
    )


urlpatterns = [
    path("administration/teams", teams, name="teams"),
    path("administration/teams/new", new_team, name="team-new"),
    path("administration/teams/<str:key>", team, name="team"),
    path("administration/teams/<str:key>/name", rename_team, name="team-name"),
    path("administration/teams/<str:key>/members", set_members, name="team-members"),
    path("administration/teams/<str:key>/grants", grant_team, name="team-grant"),
    path("administration/organisations", organisations, name="organisations"),
    path("administration/organisations/new", new_organisation, name="organisation-new"),
    path("administration/organisations/<str:key>", organisation, name="organisation"),
]
