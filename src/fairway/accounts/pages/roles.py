"""Roles: what each permits, who has it, and what two administrators agree on about them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import groupby
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fairway.accounts import commands, queries
from fairway.accounts.forms import RoleForm
from fairway.accounts.models import Role, RoleProposal
from fairway.accounts.pages.shared import attempt, crumbs, form_page, reader, tabs
from fairway.accounts.rules import PERMISSIONS
from fairway.accounts.web import caller, page
from fairway.audit.commands import execute
from fairway.kernel.actor import Actor
from fairway.kernel.errors import NotFound
from fairway.ui import toasts

AT = "/administration/roles"
ADMINISTER = "accounts.administer"
PAST = 20
"""Decided proposals that the list shows."""


def _areas() -> dict[str, str]:
    return {
        "accounts": _("People and organisations"),
        "audit": _("Event log"),
        "calendars": _("Freezes and maintenance windows"),
        "catalog": _("Catalogue"),
        "changes": _("Changes"),
        "decisions": _("Decisions"),
        "environments": _("Environments"),
        "jobs": _("Jobs and webhooks"),
        "workspace": _("Comments, views and fields"),
    }


def _by_area(names: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Return permissions by the part of Fairway that they are about, with its name."""
    areas = _areas()
    return [
        (areas.get(area, area.capitalize()), list(some))
        for area, some in groupby(sorted(names), lambda name: name.partition(".")[0])
    ]


def _told(names: Iterable[str]) -> list[dict[str, str]]:
    return [{"name": name, "text": _(PERMISSIONS[name]) if name in PERMISSIONS else name} for name in names]


@require_GET
@page
def roles(request: HttpRequest) -> HttpResponseBase:
    """Show what each role permits, as a matrix; what is proposed, and what was decided lately."""
    actor = reader(request)
    known = list(queries.roles())
    groups = [
        {
            "label": label,
            "rows": [
                {**told, "cells": [told["name"] in role.permissions for role in known]}
                for told in _told(names)
            ],
        }
        for label, names in _by_area(PERMISSIONS)
    ]
    proposals = queries.role_proposals(actor)
    context = {
        "roles": known,
        "groups": groups,
        "span": len(known) + 1,
        "tabs": tabs(actor, "roles"),
        "may_propose": queries.whole(actor),
        "open": [_row(one) for one in proposals.filter(state=RoleProposal.State.OPEN)],
        "past": [_row(one) for one in proposals.exclude(state=RoleProposal.State.OPEN)[:PAST]],
    }
    return render(request, "accounts/roles.html", context)


def _row(found: RoleProposal) -> dict[str, Any]:
    tones = {"open": "info", "confirmed": "ok", "refused": "bad", "withdrawn": ""}
    return {
        "href": f"{AT}/proposals/{found.uid}",
        "name": found.name,
        "what": found.get_action_display(),
        "state": found.get_state_display(),
        "tone": tones[found.state],
        "proposer": found.proposer.name,
        "decider": found.decider.name if found.decider is not None else "",
        "at": found.decided_at or found.created_at,
        "reason": found.reason,
    }


@require_GET
@page
def role(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show a role: what it permits, and who has it where."""
    actor = reader(request)
    found = queries.role(key)
    grants = list(queries.grants(actor).filter(role=found)[: queries.MOST_GRANTS])
    address = f"{AT}/{found.slug}"
    waiting = queries.role_proposals(actor).filter(slug=found.slug, state=RoleProposal.State.OPEN).first()
    steps: list[dict[str, Any]] = []
    if queries.whole(actor) and not found.built_in and waiting is None:
        steps = [{"name": "edit", "label": _("Propose a change"), "href": f"{address}/edit"}]
        if not grants:
            steps.append({
                "name": "remove", "label": _("Propose its removal…"), "url": f"{address}/remove",
                "tone": "danger", "fields": {"version": found.version},
                "ask": {
                    "title": _("Propose to remove %(name)s?") % {"name": found.name},
                    "text": _("It goes once another administrator confirms it. Its key stays taken."),
                    "name": "reason", "label": _("Why"), "required": False, "help": "",
                    "submit": _("Propose"),
                },
            })  # fmt: skip
    elif queries.whole(actor) and found.built_in:
        href = f"{AT}/new?from={found.slug}"
        steps = [{"name": "copy", "label": _("Make a role from it"), "href": href}]
    context = {
        "record": {
            "key": found.slug,
            "href": address,
            "title": found.name,
            "kind": _("Built-in role") if found.built_in else _("Own role"),
            "steps": steps,
        },
        "role": found,
        "permissions": [(label, _told(names)) for label, names in _by_area(found.permissions)],
        "grants": grants,
        "waiting": _row(waiting) if waiting is not None else None,
        "history": f"/events/panel?subject={found.uid}",
        "more_crumbs": crumbs("roles", _("Roles")),
    }
    return render(request, "accounts/role.html", context)


def _form(request: HttpRequest, actor: Actor, *, new: bool, found: Role | None) -> RoleForm:
    own = set(PERMISSIONS) - set(queries.exceeding(actor, PERMISSIONS, -1))
    offered = own | set(found.permissions if found is not None and not new else ())
    choices = [
        (label, [(name, _(PERMISSIONS[name])) for name in names]) for label, names in _by_area(offered)
    ]
    initial: dict[str, Any] = {}
    if found is not None:
        initial = {"permissions": found.permissions, "description": found.description}
        if not new:
            initial |= {"name": found.name, "version": found.version}
    return RoleForm(
        request.POST if request.method == "POST" else None, new=new, choices=choices, initial=initial
    )


def _whole(request: HttpRequest) -> Actor:
    actor = reader(request, ADMINISTER)
    queries.require(actor, ADMINISTER, at=-1)
    return actor


@require_http_methods(["GET", "HEAD", "POST"])
@page
def new(request: HttpRequest) -> HttpResponseBase:
    """Propose a new role, from nothing or from one there is."""
    actor = _whole(request)
    start = request.GET.get("from", "")
    form = _form(request, actor, new=True, found=_start(start) if start else None)
    if form.is_valid():
        command = commands.ProposeRole(action="create", **form.cleaned_data)
        if (outcome := attempt(request, form, command)) and outcome.subject is not None:
            toasts.done(request, _("The role was proposed; another administrator confirms it."))
            return redirect(f"{AT}/proposals/{outcome.subject.uid}")
    return form_page(
        request,
        form,
        title=_("New role"),
        submit=_("Propose role"),
        cancel=AT,
        crumbs=crumbs("roles", _("Roles")),
        outcome=_("It can be granted once another administrator of the whole company confirms it."),
    )


def _start(key: str) -> Role | None:
    try:
        return queries.role(key)
    except NotFound:
        return None


@require_http_methods(["GET", "HEAD", "POST"])
@page
def edit(request: HttpRequest, key: str) -> HttpResponseBase:
    """Propose other permissions or words of a role."""
    actor = reader(request, ADMINISTER)
    found = queries.role(key)
    queries.require(actor, ADMINISTER, at=-1)
    form = _form(request, actor, new=False, found=found)
    if form.is_valid():
        command = commands.ProposeRole(action="edit", role=found.slug, **form.cleaned_data)
        if (outcome := attempt(request, form, command)) and outcome.subject is not None:
            toasts.done(request, _("The change was proposed; another administrator confirms it."))
            return redirect(f"{AT}/proposals/{outcome.subject.uid}")
    return form_page(
        request,
        form,
        title=_("Change %(name)s") % {"name": found.name},
        submit=_("Propose change"),
        cancel=f"{AT}/{found.slug}",
        crumbs=[*crumbs("roles", _("Roles")), {"label": found.name, "href": f"{AT}/{found.slug}"}],
        outcome=_("Whoever has the role gets the change once another administrator confirms it."),
    )


@require_POST
@page
def remove(request: HttpRequest, key: str) -> HttpResponseBase:
    """Propose the removal of a role."""
    version = request.POST.get("version", "")
    command = commands.ProposeRole(
        action="remove",
        role=queries.role(key).slug,
        reason=request.POST.get("reason", ""),
        version=int(version) if version.isascii() and version.isdigit() and len(version) < 9 else None,
    )
    outcome = execute(command, actor=caller(request))
    toasts.done(request, _("The removal was proposed; another administrator confirms it."))
    return redirect(f"{AT}/proposals/{outcome.subject.uid}" if outcome.subject else AT)


@require_GET
@page
def proposal(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show what is proposed, and what it would give to whom."""
    actor = reader(request, ADMINISTER)
    found = queries.role_proposal(actor, key)
    before = found.role
    context: dict[str, Any] = {
        "record": {
            "key": found.slug,
            "href": f"{AT}/proposals/{found.uid}",
            "title": found.name,
            "kind": found.get_action_display().capitalize(),
            "steps": _steps(actor, found),
        },
        "proposal": found,
        "role_href": f"{AT}/{before.slug}" if before is not None and before.archived_at is None else "",
        "row": _row(found),
        "before": before if found.state == RoleProposal.State.OPEN else None,
        "permissions": [(label, _told(names)) for label, names in _by_area(found.permissions)],
        "history": f"/events/panel?subject={found.uid}",
        "more_crumbs": crumbs("roles", _("Roles")),
    }
    if found.state == RoleProposal.State.OPEN:
        effect = queries.role_effect(actor, found)
        context |= {
            "effect": effect,
            "gained": _told(effect.gained),
            "lost": _told(effect.lost),
            "renamed": _differing(found, before),
        }
    return render(request, "accounts/role_proposal.html", context)


def _differing(found: RoleProposal, before: Role | None) -> Collection[dict[str, str]]:
    """Return the words that would be others, with those of now."""
    if before is None or found.action != RoleProposal.Action.EDIT:
        return ()
    pairs = (
        (_("Name"), before.name, found.name),
        (_("Description"), before.description, found.description),
    )
    return [{"label": label, "old": old, "new": new} for label, old, new in pairs if old != new]


def _steps(actor: Actor, found: RoleProposal) -> list[dict[str, Any]]:
    if found.state != RoleProposal.State.OPEN or not queries.whole(actor):
        return []
    address = f"{AT}/proposals/{found.uid}"
    if found.proposer_id == actor.pk:
        return [{"name": "withdraw", "label": _("Withdraw"), "url": f"{address}/withdraw", "fields": {}}]
    return [
        {
            "name": "confirm",
            "label": _("Confirm…"),
            "url": f"{address}/confirm",
            "fields": {},
            "ask": {
                "title": _("Confirm what %(name)s proposed?") % {"name": found.proposer.name},
                "text": _("It holds at once, for everybody named below."),
                "name": "comment",
                "label": _("Comment"),
                "required": False,
                "help": "",
                "submit": _("Confirm"),
            },
        },
        {
            "name": "refuse",
            "label": _("Refuse…"),
            "url": f"{address}/refuse",
            "tone": "danger",
            "fields": {},
            "ask": {
                "title": _("Refuse what %(name)s proposed?") % {"name": found.proposer.name},
                "text": _("Nothing changes."),
                "name": "comment",
                "label": _("Why"),
                "required": True,
                "help": "",
                "submit": _("Refuse"),
            },
        },
    ]


@require_POST
@page
def decide(request: HttpRequest, key: str, verb: str) -> HttpResponseBase:
    """Confirm, refuse or withdraw what is proposed."""
    given = {"proposal": key, "comment": request.POST.get("comment", "")}
    command: Any = {
        "confirm": commands.ConfirmRole,
        "refuse": commands.RefuseRole,
        "withdraw": commands.WithdrawRole,
    }.get(verb)
    if command is None:
        raise NotFound(f"Nothing is called “{verb[:40]}” here; there are confirm, refuse and withdraw.")
    if verb == "withdraw":
        del given["comment"]
    execute(msgspec.convert(given, command), actor=caller(request))
    told = {
        "confirm": _("This holds now."),
        "refuse": _("The proposal was refused."),
        "withdraw": _("The proposal was withdrawn."),
    }
    toasts.done(request, told[verb])
    return redirect(f"{AT}/proposals/{key}")


urlpatterns = [
    path("administration/roles", roles, name="roles"),
    path("administration/roles/new", new, name="role-new"),
    path("administration/roles/proposals/<str:key>", proposal, name="role-proposal"),
    path("administration/roles/proposals/<str:key>/<str:verb>", decide, name="role-decide"),
    path("administration/roles/<str:key>", role, name="role"),
    path("administration/roles/<str:key>/edit", edit, name="role-edit"),
    path("administration/roles/<str:key>/remove", remove, name="role-remove"),
]
