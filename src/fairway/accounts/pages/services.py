"""Service accounts: the list, adding one, and one's page with its tokens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fairway.accounts import commands, queries
from fairway.accounts.forms import ServiceForm, ServiceTokenForm
from fairway.accounts.models import User
from fairway.accounts.pages.shared import attempt, crumbs, form_page, reader, tabs
from fairway.accounts.rules import PERMISSIONS
from fairway.accounts.web import caller, page
from fairway.audit.commands import convert, execute
from fairway.kernel.errors import NotFound
from fairway.kernel.models import uid_lookup
from fairway.ui import toasts

HERE = "/administration/service-accounts"
ASKED = ("q", "organisation", "active", "sort", "cursor")


@require_GET
@page
def listing(request: HttpRequest) -> HttpResponseBase:
    """Show the service accounts that the actor sees, fifty at a time."""
    actor, now = reader(request), datetime.now(UTC)
    asked = {name: request.GET[name] for name in ASKED if request.GET.get(name)}
    query = convert({**asked, "count": not asked.get("cursor")}, queries.ServiceQuery)
    found = queries.SERVICES.page(queries.services(actor, at=now).order_by(), query)
    count = found.total or 0
    context = {
        "rows": [
            {
                "key": f"{User.prefix}-{row['number']}",
                "href": f"{HERE}/{User.prefix}-{row['number']}",
                "name": row["name"],
                "organisation": row["organisation__name"],
                "tokens": row["standing"],
                "active": row["is_active"],
                "valid_until": row["valid_until"],
            }
            for row in found.rows
        ],
        "next": found.next,
        "sort": query.sort or queries.SERVICES.sort,
        "count": ngettext("%(count)d account", "%(count)d accounts", count) % {"count": count},
        "filters": {"q": query.q, "q_label": _("Name or address"), "keep": {}, "chips": [], "clear": "?"},
        "tabs": tabs(actor, "service-accounts"),
        "may_add": queries.access(actor).may("accounts.invite", None),
    }
    return render(request, "accounts/services.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def new(request: HttpRequest) -> HttpResponseBase:
    """Add a service account."""
    actor = reader(request, "accounts.invite")
    form = ServiceForm(
        request.POST if request.method == "POST" else None,
        organisations=queries.organisations_where(actor, "accounts.invite"),
    )
    if form.is_valid():
        outcome = attempt(request, form, commands.CreateServiceAccount(**form.cleaned_data))
        if outcome is not None and outcome.subject is not None:
            toasts.done(request, _("The account was added. Give it a role, then make it a token."))
            return redirect(f"{HERE}/{outcome.subject.key}")
    return form_page(
        request,
        form,
        title=_("New service account"),
        submit=_("Add account"),
        cancel=HERE,
        crumbs=crumbs("service-accounts", _("Service accounts")),
        outcome=_("It can do nothing until it has a role and a token; its page leads to both."),
    )


@require_GET
@page
def record(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show a service account."""
    return _page(request, queries.service_account(reader(request), key))


def _page(
    request: HttpRequest,
    account: User,
    *,
    made: tuple[str, list[str]] | None = None,
    form: ServiceTokenForm | None = None,
) -> HttpResponse:
    actor, now = caller(request), datetime.now(UTC)
    address = f"{HERE}/{account.key}"
    administers = queries.administers(actor, account)
    standing = queries.tokens(actor).filter(user=account, revoked_at=None, expires_at__gt=now)
    context: dict[str, Any] = {
        "record": {
            "key": account.key,
            "href": address,
            "title": account.name,
            "kind": _("Service account"),
            "state": "active" if account.is_active else "retired",
            "state_word": _("Active") if account.is_active else _("Not active"),
            "steps": _steps(account, address) if administers else [],
        },
        "account": account,
        "address": address,
        "administers": administers,
        "tokens": [
            {
                "uid": token.uid,
                "name": token.name,
                "hint": f"{token.hint}…",
                "scopes": ", ".join(token.scopes) if token.scopes is not None else "",
                "expires_at": token.expires_at,
                "last_used_at": token.last_used_at,
            }
            for token in standing
        ]
        if administers
        else [],
        "grants": [
            {"role": grant.role.name, "organisation": grant.organisation.name}
            for grant in queries.grants_of(actor, account)
        ],
        "form": (form or ServiceTokenForm()) if administers and account.valid_at(now) else None,
        "secret": made[0] if made else "",
        "may": made[1] if made else [],
        "history": f"/events/panel?subject={account.uid}",
        "more_crumbs": crumbs("service-accounts", _("Service accounts")),
    }
    status = 422 if form is not None and form.errors else 201 if made else 200
    return render(request, "accounts/service.html", context, status=status)


def _steps(account: User, address: str) -> list[dict[str, Any]]:
    roles = {"name": "roles", "label": _("Roles"), "href": f"/administration/people/{account.key}"}
    if not account.is_active:
        fields = {"active": "1"}
        return [{"name": "on", "label": _("Take back"), "url": f"{address}/switch", "fields": fields}, roles]
    off = {
        "name": "off",
        "label": _("Deactivate…"),
        "url": f"{address}/switch",
        "tone": "danger",
        "fields": {"active": "0"},
        "ask": {
            "title": _("Deactivate %(name)s?") % {"name": account.name},
            "text": _("All its tokens end at once. The name stays on everything it did."),
            "submit": _("Deactivate"),
        },
    }
    return [roles, off]


@never_cache
@require_POST
@page
def create_token(request: HttpRequest, key: str) -> HttpResponseBase:
    """Make a token and show it, this once, with what it may."""
    account = queries.service_account(reader(request), key)
    # Asked before the form is: who may not do it hears that, and not what is wrong with the form.
    queries.require(caller(request), "accounts.administer", at=account.organisation_id)
    form = ServiceTokenForm(request.POST)
    if form.is_valid():
        asked = form.cleaned_data
        command = commands.CreateToken(
            user=str(account.uid), name=asked["name"], days=asked["days"], scopes=asked["scopes"] or None
        )
        outcome = attempt(request, form, command)
        if outcome is not None:
            return _page(
                request, account, made=(outcome.answer, [PERMISSIONS[one] for one in asked["scopes"]])
            )
    return _page(request, account, form=form)


@require_POST
@page
def revoke_token(request: HttpRequest, key: str, uid: str) -> HttpResponseBase:
    """End a token at once."""
    account = queries.service_account(reader(request), key)
    if not account.tokens.filter(**(uid_lookup(uid) or {"pk__in": ()})).exists():
        raise NotFound(f"{account.name} has no token “{uid[:60]}”.")
    execute(commands.RevokeToken(token=uid), actor=caller(request))
    toasts.done(request, _("The token was revoked."))
    return redirect(f"{HERE}/{account.key}")


@require_POST
@page
def switch(request: HttpRequest, key: str) -> HttpResponseBase:
    """Deactivate the account, or take it back."""
    account = queries.service_account(reader(request), key)
    active = request.POST.get("active") == "1"
    execute(commands.SetUserActive(user=str(account.uid), active=active), actor=caller(request))
    text = _("%(name)s can act again.") if active else _("%(name)s was deactivated.")
    toasts.done(request, text % {"name": account.name})
    return redirect(f"{HERE}/{account.key}")


urlpatterns = [
    path("administration/service-accounts", listing, name="service-accounts"),
    path("administration/service-accounts/new", new, name="service-account-new"),
    path("administration/service-accounts/<str:key>", record, name="service-account"),
    path("administration/service-accounts/<str:key>/tokens", create_token, name="service-account-tokens"),
    path(
        "administration/service-accounts/<str:key>/tokens/<str:uid>/revoke",
        revoke_token,
        name="service-account-token-revoke",
    ),
    path("administration/service-accounts/<str:key>/switch", switch, name="service-account-switch"),
]
