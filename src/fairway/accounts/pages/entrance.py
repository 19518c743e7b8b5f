"""Signing in and out, and the page at which an invited person chooses a password."""

from __future__ import annotations

from datetime import UTC, datetime

from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from fairway.accounts import commands, queries, throttle
from fairway.accounts.forms import ChoosePasswordForm, SignInForm
from fairway.accounts.models import User
from fairway.accounts.web import actor_of, request_id
from fairway.audit.commands import execute
from fairway.kernel.errors import Invalid

BACKEND = "django.contrib.auth.backends.ModelBackend"


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Let a person in by address and password; whoever is unknown, inactive or wrong reads the same."""
    following = own_path(request.POST.get("next") or request.GET.get("next") or "/")
    if request.method != "POST":
        if actor_of(request) is not None:
            return redirect(following)
        return _sign_in_page(request, SignInForm(), following)
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _sign_in_page(request, form, following, status=422)
    email, now = form.cleaned_data["email"], datetime.now(UTC)
    address = request.META.get("REMOTE_ADDR", "")
    if throttle.waits(email, address, at=now):
        form.add_error(None, _("Too many attempts with this address. Wait a quarter of an hour."))
        return _sign_in_page(request, form, following, status=429)
    user = authenticate(request, username=email, password=form.cleaned_data["password"])
    if not isinstance(user, User) or not user.may_sign_in(now):
        throttle.failed(email, address, at=now)
        form.add_error(None, _("Address and password do not belong together, or the account is not active."))
        return _sign_in_page(request, form, following, status=422)
    login(request, user)
    return redirect(following)


def _sign_in_page(
    request: HttpRequest, form: SignInForm, following: str, *, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "next": "" if following == "/" else following,
        "hint": _("No account, or the password forgotten? An administrator gives you a link."),
    }
    response = render(request, "accounts/sign_in.html", context, status=status)
    if status == 429:
        response["Retry-After"] = str(int(throttle.SPAN.total_seconds()))
    return response


def own_path(address: str) -> str:
    """Return the address where it is a path of ours, else the start page."""
    if address.startswith("/") and url_has_allowed_host_and_scheme(address, allowed_hosts=None):
        return address
    return "/"


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return redirect("/sign-in")


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """Let the holder of an invitation choose a password, and sign them in."""
    user = queries.invited(uid, token)
    if user is None:
        context = {
            "status": 404,
            "title": _("This link is void"),
            "detail": _(
                "It was used, it is older than three days, or a part of it is missing. Ask for another."
            ),
            "ways": [{"label": _("Sign in"), "href": "/sign-in"}],
        }
        return render(request, "ui/error.html", context, status=404)
    form = ChoosePasswordForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        actor = queries.person(user, request_id=request_id(request))
        command = commands.SetPassword(user=str(user.uid), password=form.cleaned_data["password"])
        try:
            execute(command, actor=actor)
        except Invalid as problem:
            form.object(problem)
        else:
            user.refresh_from_db()
            login(request, user, backend=BACKEND)
            return redirect("/")
    context = {
        "form": form,
        "person": user,
        "lead": _("You are invited as %(email)s.") % {"email": user.email},
    }
    return render(request, "accounts/join.html", context, status=422 if form.errors else 200)


urlpatterns = [
    path("sign-in", sign_in, name="sign-in"),
    path("sign-out", sign_out, name="sign-out"),
    path("join/<str:uid>/<str:token>", join, name="join"),
]
