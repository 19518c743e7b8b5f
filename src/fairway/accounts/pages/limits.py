"""How many calls may be made: the limits that hold, setting one, taking one away."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from fairway.accounts import commands, limits, queries
from fairway.accounts.forms import LimitForm
from fairway.accounts.models import RateRule
from fairway.accounts.pages.shared import attempt, reader, tabs
from fairway.accounts.web import page
from fairway.audit.commands import execute
from fairway.ui import toasts

MOST = 500


@require_http_methods(["GET", "HEAD", "POST"])
@page
def listing(request: HttpRequest) -> HttpResponseBase:
    """Show which limits hold, and set one."""
    actor = reader(request)
    may = queries.access(actor).may
    form = None
    if request.method == "POST":
        queries.require(actor, "accounts.administer", at=None)
    if may("accounts.administer", None):
        initial = {"per_minute": limits.DEFAULT.per_minute, "burst": limits.DEFAULT.burst}
        form = LimitForm(
            request.POST if request.method == "POST" else None, initial=initial, roles=queries.roles()
        )
        if form.is_valid() and attempt(request, form, commands.PutRateRule(**form.values())):
            toasts.done(request, _("The limit was set; it holds from the next call on."))
            return redirect("/administration/limits")
    rules = list(queries.rate_rules(actor).order_by("user__name", "role__name", "pk")[:MOST])
    everybody = not any(rule.user_id is None and rule.role_id is None for rule in rules)
    shipped = [
        *([(_("Everybody"), limits.DEFAULT)] if everybody else []),
        (_("Whoever calls without signing in, by address"), limits.STRANGERS),
    ]
    context = {
        "rows": [
            *(_row(rule, removable=_may_remove(may, rule)) for rule in rules),
            *(
                {"whom": whom, "per_minute": f"{rule.per_minute:,}", "burst": f"{rule.burst:,}"}
                for whom, rule in shipped
            ),
        ],
        "form": form,
        "tabs": tabs(actor, "limits"),
    }
    status = 422 if form is not None and form.is_bound and form.errors else 200
    return render(request, "accounts/limits.html", context, status=status)


def _may_remove(may: Any, rule: RateRule) -> bool:
    where = rule.user.organisation_id if rule.user is not None else -1  # -1: the whole tree
    return bool(may("accounts.administer", where))


def _row(rule: RateRule, *, removable: bool) -> dict[str, Any]:
    if rule.user is not None:
        whom, kind, href = rule.user.name, _("alone"), f"/administration/people/{rule.user.key}"
    elif rule.role is not None:
        whom, kind, href = rule.role.name, _("everybody in this role"), "/administration/roles"
    else:
        whom, kind, href = _("Everybody"), "", ""
    return {
        "uid": rule.uid,
        "whom": whom,
        "kind": kind,
        "href": href,
        "per_minute": f"{rule.per_minute:,}",
        "burst": f"{rule.burst:,}",
        "removable": removable,
    }


@require_POST
@page
def remove(request: HttpRequest, uid: str) -> HttpResponseBase:
    """Take a limit away."""
    execute(commands.RemoveRateRule(rule=uid), actor=reader(request))
    toasts.done(request, _("The limit was taken away; the next wider one holds."))
    return redirect("/administration/limits")


urlpatterns = [
    path("administration/limits", listing, name="limits"),
    path("administration/limits/<str:uid>/remove", remove, name="limit-remove"),
]
