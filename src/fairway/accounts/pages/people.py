"""People: the list, inviting somebody, and a person's page with their roles."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fairway.accounts import commands, queries
from fairway.accounts.forms import GrantForm, InviteForm
from fairway.accounts.models import User
from fairway.accounts.pages.shared import attempt, crumbs, form_page, reader, tabs
from fairway.accounts.web import caller, page
from fairway.audit.commands import convert, execute
from fairway.kernel.actor import Actor
from fairway.ui import toasts
from fairway.ui.context import initials

ASKED = ("q", "organisation", "active", "service", "sort", "cursor")


@require_GET
@page
def administration(request: HttpRequest) -> HttpResponseBase:
    """Go to the first part of administration."""
    actor = reader(request)
    counts = {
        "people": queries.people(actor).filter(is_active=True).count(),
        "teams": queries.teams(actor).count(),
        "roles": queries.roles().count(),
        "organisations": queries.organisations(actor).count(),
    }
    told = {
        "people": _("Who works with Fairway, what they may do and where; invite somebody here."),
        "service-accounts": _("Programs that ask and act by token, with roles of their own."),
        "teams": _("People who own items and carry changes out together; a team can hold roles too."),
        "roles": _("What each role permits."),
        "organisations": _("The tree that decides who sees what: a role holds for a whole branch."),
        "kinds": _("What items can be and how they can stand to each other, with the way failure travels."),
        "fields": _("What records know beside what everybody’s do: your own fields, with types and rights."),
        "imports": _("Bring in items, their relations, changes or freezes from a table."),
        "limits": _("How many calls of the API somebody may make in a minute."),
        "jobs": _("Long work in the background: what waits, runs, is done or has failed."),
        "webhooks": _("Other systems that are told at once what happens here."),
        "events": _("Everything that was ever done here, by whom; chained, so that no edit goes unseen."),
    }
    parts = [
        {**tab, "text": told.get(name, ""), "count": counts.get(name, "")}
        for tab in tabs(actor, "")
        for name in [tab["href"].rpartition("/")[2]]
    ]
    return render(request, "accounts/administration.html", {"parts": parts})


@require_GET
@page
def people(request: HttpRequest) -> HttpResponseBase:
    """Show the people who are asked for, fifty at a time."""
    actor = reader(request)
    asked = {name: request.GET[name] for name in ASKED if request.GET.get(name)}
    query = convert({"active": "true", **asked, "count": not asked.get("cursor")}, queries.PeopleQuery)
    found = queries.PEOPLE.page(queries.people(actor).order_by(), query)
    roles = queries.roles_by_person(actor, [row["number"] for row in found.rows])
    rows = [
        {
            "roles": ", ".join(roles.get(row["number"], ())),
            "key": f"{User.prefix}-{row['number']}",
            "href": f"/administration/people/{User.prefix}-{row['number']}",
            "name": row["name"],
            "initials": initials(row["name"]),
            "email": row["email"],
            "organisation": row["organisation__name"],
            "service": row["is_service"],
            "active": row["is_active"],
        }
        for row in found.rows
    ]
    count = found.total or 0
    context = {
        "rows": rows,
        "next": found.next,
        "sort": query.sort or queries.PEOPLE.sort,
        "count": ngettext("%(count)d person", "%(count)d people", count) % {"count": count},
        "filters": _filters(request, actor, query),
        "tabs": tabs(actor, "people"),
        "may_invite": queries.access(actor).may("accounts.invite", None),
    }
    return render(request, "accounts/people.html", context)


def _filters(request: HttpRequest, actor: Actor, query: queries.PeopleQuery) -> dict[str, Any]:
    def without(name: str, value: str = "") -> str:
        kept = request.GET.copy()
        kept.pop("cursor", None)
        kept.pop(name, None)
        if value:
            kept[name] = value
        return f"?{kept.urlencode()}"

    places = list(queries.organisations(actor).values_list("slug", "name"))
    chips = []
    if query.organisation:
        name = dict(places).get(query.organisation, query.organisation)
        chips.append({"label": _("Organisation"), "value": name, "remove": without("organisation")})
    if query.active == "false":
        chips.append({"label": _("State"), "value": _("Not active"), "remove": without("active")})
    if query.service:
        value = _("Service accounts") if query.service == "true" else _("People only")
        chips.append({"label": _("Kind"), "value": value, "remove": without("service")})
    return {
        "q": query.q,
        "q_label": _("Name or address"),
        "keep": {
            name: request.GET[name] for name in ("organisation", "active", "service") if request.GET.get(name)
        },
        "chips": chips,
        "clear": "?",
        "add": [
            {
                "label": _("Organisation"),
                "options": [
                    {
                        "label": name,
                        "href": without("organisation", slug),
                        "current": slug == query.organisation,
                    }
                    for slug, name in places
                ],
            },
            {
                "label": _("State"),
                "options": [
                    {"label": _("Active"), "href": without("active"), "current": query.active != "false"},
                    {
                        "label": _("Not active"),
                        "href": without("active", "false"),
                        "current": query.active == "false",
                    },
                ],
            },
            {
                "label": _("Kind"),
                "options": [
                    {
                        "label": _("People"),
                        "href": without("service", "false"),
                        "current": query.service == "false",
                    },
                    {
                        "label": _("Service accounts"),
                        "href": without("service", "true"),
                        "current": query.service == "true",
                    },
                ],
            },
        ],
    }


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@page
def invite(request: HttpRequest) -> HttpResponseBase:
    """Add somebody, and show the link to hand over."""
    actor = reader(request, "accounts.invite")
    places = queries.organisations_where(actor, "accounts.invite")
    form = InviteForm(
        request.POST if request.method == "POST" else None,
        organisations=places,
        initial={"zone": actor.zone, "organisation": request.GET.get("organisation", "")},
    )
    if form.is_valid():
        outcome = attempt(request, form, commands.CreateUser(**form.cleaned_data))
        if outcome is not None and outcome.subject is not None:
            person = queries.user(actor, outcome.subject.uid)
            link = "" if person.is_service else request.build_absolute_uri(queries.invitation(person))
            return _person_page(request, person, link=link, status=201)
    return form_page(
        request,
        form,
        title=_("Invite somebody"),
        submit=_("Invite"),
        cancel="/administration/people",
        crumbs=crumbs("people", _("People")),
        outcome=_("You get a link to hand over: there they choose a password. Give roles on the next page."),
    )


@require_GET
@page
def person(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show a person."""
    return _person_page(request, queries.user(reader(request), key))


def _person_page(
    request: HttpRequest, user: User, *, link: str = "", form: GrantForm | None = None, status: int = 200
) -> HttpResponse:
    actor = caller(request)
    may = queries.access(actor).may
    address = f"/administration/people/{user.key}"
    grants = [
        {
            "uid": grant.uid,
            "role": grant.role.name,
            "organisation": grant.organisation.name,
            "team": grant.team.name if grant.team else "",
            "team_key": grant.team.slug if grant.team else "",
            "mine": grant.team is None
            and user.pk != actor.pk
            and may("accounts.administer", grant.organisation_id),
        }
        for grant in queries.grants_of(actor, user)
    ]
    own = user.pk == actor.pk
    if form is None and not own and may("accounts.administer", None):
        form = _grant_form(actor)
    context = {
        "record": {
            "key": user.key,
            "href": address,
            "title": user.name,
            "kind": _("Service account") if user.is_service else _("Person"),
            "state": "active" if user.is_active else "retired",
            "state_word": _("Active") if user.is_active else _("Not active"),
            "steps": _steps(actor, user, address),
        },
        "person": user,
        "own": own,
        "grants": grants,
        "teams": queries.teams_of(user),
        "grant_form": form,
        "grant_url": f"{address}/grants",
        "link": link,
        "history": f"/events/panel?subject={user.uid}",
        "more_crumbs": crumbs("people", _("People")),
        "invited": user.last_login is None and not user.has_usable_password() and not user.is_service,
    }
    return render(request, "accounts/person.html", context, status=status)


def _grant_form(actor: Actor, data: Any = None) -> GrantForm:
    places = queries.organisations_where(actor, "accounts.administer")
    return GrantForm(data, organisations=places, roles=queries.roles())


def _steps(actor: Actor, user: User, address: str) -> list[dict[str, Any]]:
    if user.pk == actor.pk:
        return [{"name": "edit", "label": _("Edit profile"), "href": "/me"}]
    if not queries.administers(actor, user):
        return []
    if not user.is_active:
        return [{"name": "activate", "label": _("Take back"), "url": f"{address}/activate", "fields": {}}]
    leave = {
        "name": "deactivate",
        "label": _("Deactivate…"),
        "url": f"{address}/deactivate",
        "tone": "danger",
        "fields": {},
        "ask": {
            "title": _("Deactivate %(name)s?") % {"name": user.name},
            "text": _("Sign-in and all tokens end at once. The name stays on everything they did."),
            "submit": _("Deactivate"),
        },
    }
    if user.is_service:
        return [leave]
    link = {"name": "invite", "label": _("New sign-in link"), "url": f"{address}/invite", "fields": {}}
    return [link, leave]


@require_POST
@page
def grant(request: HttpRequest, key: str) -> HttpResponseBase:
    """Give a person a role."""
    actor = reader(request)
    user = queries.user(actor, key)
    form = _grant_form(actor, request.POST)
    if form.is_valid() and attempt(
        request, form, commands.GrantRole(user=str(user.uid), **form.cleaned_data)
    ):
        toasts.done(request, _("%(name)s has the role now.") % {"name": user.name})
        return redirect(f"/administration/people/{user.key}")
    return _person_page(request, user, form=form, status=422)


@require_POST
@page
def revoke(request: HttpRequest, uid: str) -> HttpResponseBase:
    """Take a role back, from a person or a team."""
    outcome = execute(commands.RevokeRole(grant=uid), actor=caller(request))
    toasts.done(request, _("The role was taken back."))
    subject = outcome.subject
    kind = "teams" if subject is not None and subject.kind == "team" else "people"
    return redirect(f"/administration/{kind}/{subject.key}" if subject else "/administration/people")


@require_POST
@page
def activate(request: HttpRequest, key: str) -> HttpResponseBase:
    """Take a person back."""
    return _set_active(request, key, active=True)


@require_POST
@page
def deactivate(request: HttpRequest, key: str) -> HttpResponseBase:
    """Deactivate a person."""
    return _set_active(request, key, active=False)


def _set_active(request: HttpRequest, key: str, *, active: bool) -> HttpResponseBase:
    user = queries.user(caller(request), key)
    execute(commands.SetUserActive(user=str(user.uid), active=active), actor=caller(request))
    text = _("%(name)s can sign in again.") if active else _("%(name)s was deactivated.")
    toasts.done(request, text % {"name": user.name})
    return redirect(f"/administration/people/{user.key}")


@never_cache
@require_POST
@page
def new_link(request: HttpRequest, key: str) -> HttpResponseBase:
    """Make a link for choosing a password anew, and show it."""
    actor = caller(request)
    user = queries.user(actor, key)
    outcome = execute(commands.InviteUser(user=str(user.uid)), actor=actor)
    return _person_page(request, user, link=request.build_absolute_uri(str(outcome.answer)))


@require_GET
@page
def pick(request: HttpRequest) -> HttpResponseBase:
    """Answer a picker's question: people by name or address."""
    actor = reader(request)
    query = convert({"q": request.GET.get("q", "")[:100], "limit": 20, "active": "true"}, queries.PeopleQuery)
    rows = queries.PEOPLE.page(queries.people(actor).order_by(), query).rows
    items = [
        {"key": f"{User.prefix}-{row['number']}", "name": row["name"], "note": row["email"]} for row in rows
    ]
    return JsonResponse({"items": items})


urlpatterns = [
    path("administration", administration, name="administration"),
    path("administration/people", people, name="people"),
    path("administration/people/pick", pick, name="people-pick"),
    path("administration/people/invite", invite, name="people-invite"),
    path("administration/people/<str:key>", person, name="person"),
    path("administration/people/<str:key>/grants", grant, name="person-grant"),
    path("administration/people/<str:key>/activate", activate, name="person-activate"),
    path("administration/people/<str:key>/deactivate", deactivate, name="person-deactivate"),
    path("administration/people/<str:key>/invite", new_link, name="person-link"),
    path("administration/grants/<str:uid>/revoke", revoke, name="grant-revoke"),
]
