"""Who acts in whose place for a time: one's own page of it, and an administrator's of others."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from fairway.accounts import commands, queries
from fairway.accounts.forms import DelegationForm
from fairway.accounts.models import Delegation
from fairway.accounts.pages.shared import attempt
from fairway.accounts.rules import PERMISSIONS
from fairway.accounts.web import caller, page
from fairway.audit.commands import execute
from fairway.kernel.actor import Actor
from fairway.ui import toasts

OVER, MOST = 20, 200


@require_http_methods(["GET", "HEAD", "POST"])
@page
def mine(request: HttpRequest) -> HttpResponseBase:
    """Show who acts for oneself and for whom one acts, and name somebody."""
    actor = caller(request)
    for_others = queries.access(actor).may("accounts.administer", None)
    form = DelegationForm(
        request.POST if request.method == "POST" else None, zone=actor.zone, for_others=for_others
    )
    if form.is_valid() and attempt(request, form, commands.Delegate(**form.values())):
        toasts.done(request, _("The delegation was written down."))
        return redirect("/me/delegations")
    return _page(request, actor, form)


def _page(request: HttpRequest, actor: Actor, form: DelegationForm) -> HttpResponse:
    now = datetime.now(UTC)
    seen = queries.delegations(actor)
    own = Q(giver=actor.pk) | Q(taker=actor.pk)
    standing = list(seen.filter(own, ends_at__gt=now).order_by("starts_at", "pk")[:MOST])
    others = seen.exclude(own).filter(ends_at__gt=now).order_by("starts_at", "pk")[:MOST]
    may = queries.access(actor).may
    past = seen.filter(own, ends_at__lte=now).order_by("-ends_at", "-pk")[:OVER]
    administered = [one for one in others if may("accounts.administer", one.giver.organisation_id)]
    context: dict[str, Any] = {
        "groups": [
            {
                "title": _("Who acts for me"),
                "none": _("Nobody. Name somebody before you are away, so that nothing waits for you."),
                "rows": [_row(one, now) for one in standing if one.giver_id == actor.pk],
            },
            {
                "title": _("For whom I act"),
                "none": _("For nobody at present."),
                "rows": [_row(one, now) for one in standing if one.taker_id == actor.pk],
            },
        ],
        "over": [_row(one, now) for one in past],
        "passed": [PERMISSIONS[name] for name in queries.DELEGATED],
        "form": form,
        "days": commands.LONGEST_DELEGATION.days,
    }
    if administered:
        context["groups"].append({"title": _("Others"), "rows": [_row(one, now) for one in administered]})
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "accounts/delegations.html", context, status=status)


def _row(one: Delegation, now: datetime) -> dict[str, Any]:
    return {
        "uid": one.uid,
        "giver": one.giver.name,
        "taker": one.taker.name,
        "start": one.starts_at,
        "end": one.ends_at,
        "now": one.starts_at <= now,
    }


@require_POST
@page
def end(request: HttpRequest, uid: str) -> HttpResponseBase:
    """End a delegation at once."""
    execute(commands.EndDelegation(delegation=uid), actor=caller(request))
    toasts.done(request, _("The delegation was ended."))
    return redirect("/me/delegations")


urlpatterns = [
    path("me/delegations", mine, name="me-delegations"),
    path("me/delegations/<str:uid>/end", end, name="me-delegation-end"),
]
