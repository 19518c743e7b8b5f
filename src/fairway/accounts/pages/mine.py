"""One's own profile: name, zone, password, tokens, roles."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.auth import update_session_auth_hash
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from fairway.accounts import commands, queries, throttle
from fairway.accounts.forms import CommandForm, PasswordForm, ProfileForm, TokenForm
from fairway.accounts.models import User
from fairway.accounts.pages.shared import attempt
from fairway.accounts.web import caller, page
from fairway.audit.commands import execute
from fairway.ui import toasts


@require_GET
@page
def me(request: HttpRequest) -> HttpResponse:
    """Show one's own profile."""
    return _page(request)


def _page(request: HttpRequest, *, secret: str = "", **bound: CommandForm) -> HttpResponse:
    actor = caller(request)
    user = queries.user(actor, actor.uid)
    profile = {"name": user.name, "zone": user.zone, "version": user.version}
    now = datetime.now(UTC)
    tokens = [
        {
            "uid": token.uid,
            "name": token.name,
            "hint": f"{token.hint}…",
            "scopes": ", ".join(token.scopes) if token.scopes is not None else "",
            "expires_at": token.expires_at,
            "last_used_at": token.last_used_at,
        }
        for token in queries.tokens(actor).filter(user=user, revoked_at=None, expires_at__gt=now)
    ]
    standing = queries.delegations(actor).filter(
        Q(giver=user) | Q(taker=user), starts_at__lte=now, ends_at__gt=now
    )
    context: dict[str, Any] = {
        "user": user,
        "profile": bound.get("profile") or ProfileForm(initial=profile, prefix="profile"),
        "password": bound.get("password") or PasswordForm(prefix="password"),
        "token": bound.get("token") or TokenForm(prefix="token"),
        "secret": secret,
        "tokens": tokens,
        "roles": queries.roles_of(user),
        "teams": queries.teams_of(user),
        "may_share": queries.access(actor).may("accounts.share", None),
        "standing_in": [
            {"mine": mine, "who": one.taker.name if mine else one.giver.name}
            for one in standing[:20]
            for mine in [one.giver_id == actor.pk]
        ],
    }
    status = 422 if any(form.errors for form in bound.values()) else 200
    return render(request, "accounts/me.html", context, status=status)


@require_POST
@page
def save_profile(request: HttpRequest) -> HttpResponse:
    """Write name and zone."""
    form = ProfileForm(request.POST, prefix="profile")
    if form.is_valid() and attempt(
        request, form, commands.EditUser(user=caller(request).uid, **form.cleaned_data)
    ):
        toasts.done(request, _("Your profile was saved."))
        return redirect("/me")
    return _page(request, profile=form)


@sensitive_post_parameters("password-present", "password-password")
@require_POST
@page
def save_password(request: HttpRequest) -> HttpResponse:
    """Choose another password; other sessions end, this one stays."""
    form = PasswordForm(request.POST, prefix="password")
    actor = caller(request)
    user = User.objects.get(uid=actor.uid)
    if form.is_valid():
        now, address = datetime.now(UTC), request.META.get("REMOTE_ADDR", "")
        if throttle.waits(user.email, address, at=now):
            form.add_error("present", _("Too many attempts. Wait a quarter of an hour and try again."))
        elif not user.check_password(form.cleaned_data["present"]):
            throttle.failed(user.email, address, at=now)
            form.add_error("present", _("This is not your present password."))
        elif attempt(
            request, form, commands.SetPassword(user=actor.uid, password=form.cleaned_data["password"])
        ):
            user.refresh_from_db()
            update_session_auth_hash(request, user)
            toasts.done(request, _("Your password was changed. Other sessions were ended."))
            return redirect("/me")
    return _page(request, password=form)


@never_cache
@require_POST
@page
def create_token(request: HttpRequest) -> HttpResponse:
    """Make a token and show it, this once."""
    form = TokenForm(request.POST, prefix="token")
    if form.is_valid():
        asked = form.cleaned_data
        command = commands.CreateToken(name=asked["name"], days=asked["days"], scopes=asked["scopes"] or None)
        outcome = attempt(request, form, command)
        if outcome is not None:
            return _page(request, secret=outcome.answer)
    return _page(request, token=form)


@require_POST
@page
def revoke_token(request: HttpRequest, uid: str) -> HttpResponse:
    """End a token at once."""
    execute(commands.RevokeToken(token=uid), actor=caller(request))
    toasts.done(request, _("The token was revoked."))
    return redirect("/me")


@cache
def _zones() -> list[tuple[str, str]]:
    """Return the zones, each with what is typed to find it."""
    names = sorted(name for name in available_timezones() if "/" in name or name == "UTC")
    return [(name, name.casefold().replace("_", " ")) for name in names]


@require_GET
@page
def zones(request: HttpRequest) -> HttpResponseBase:
    """Answer a picker: the time zones that a text may mean, those whose city begins with it first."""
    caller(request)
    asked = request.GET.get("q", "")[:60].casefold().replace("_", " ").strip()
    found = [
        (not text.rpartition("/")[2].startswith(asked), name) for name, text in _zones() if asked in text
    ]
    now = datetime.now(UTC)
    items = [
        {
            "key": name,
            "name": name.rpartition("/")[2].replace("_", " "),
            "note": f"{now.astimezone(ZoneInfo(name)):%H:%M}",
        }
        for _later, name in sorted(found)[:20]
    ]
    return JsonResponse({"items": items})


urlpatterns = [
    path("me/zones", zones, name="me-zones"),
    path("me", me, name="me"),
    path("me/profile", save_profile, name="me-profile"),
    path("me/password", save_password, name="me-password"),
    path("me/tokens", create_token, name="me-tokens"),
    path("me/tokens/<str:uid>/revoke", revoke_token, name="me-token-revoke"),
]
