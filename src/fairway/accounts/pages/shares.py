"""Making read-only links, and the page that one opens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fairway.accounts import commands, limits, queries, shares
from fairway.accounts.forms import ShareForm
from fairway.accounts.models import ShareOpening
from fairway.accounts.pages.shared import attempt, reader
from fairway.accounts.web import page
from fairway.audit.commands import execute
from fairway.kernel.errors import Invalid, NotFound, TooMany
from fairway.ui import toasts


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@page
def mine(request: HttpRequest) -> HttpResponseBase:
    """Show one's links, and make another."""
    actor, now = reader(request, "accounts.share"), datetime.now(UTC)
    what = request.POST.get("what") or request.GET.get("what") or "changes"
    asked = request.POST.get("query") if request.method == "POST" else request.GET.get("query", "")
    query = {name: str(value) for name, value in QueryDict(asked or "").items()}
    found, wrong = shares.Shown([], [], False), ""
    try:
        found = shares.look(actor, what, query, at=now)
    except (Invalid, NotFound) as problem:
        wrong = problem.detail
    form = ShareForm(
        request.POST if request.method == "POST" else None,
        names=found.names,
        initial={
            "what": what,
            "query": asked,
            "shown": [name for name in found.names if name in shares.USUAL],
            "name": request.GET.get("name", ""),
        },
    )
    link = ""
    if form.is_valid() and not wrong:
        given = form.cleaned_data
        command = commands.CreateShareLink(
            name=given["name"], what=what, query=query, fields=given["shown"], people=given["people"],
            days=given["days"],
        )  # fmt: skip
        outcome = attempt(request, form, command)
        if outcome is not None:
            link = request.build_absolute_uri(f"/shared/{outcome.answer}")
    rows = [
        {
            "uid": one.uid,
            "name": one.name,
            "what": one.what,
            "fields": ", ".join(one.fields),
            "maker": one.maker.name if one.maker_id != actor.pk else "",
            "expires_at": one.expires_at,
            "opened": one.opening.count if hasattr(one, "opening") else 0,
            "last_at": one.opening.last_at if hasattr(one, "opening") else None,
        }
        for one in queries.share_links(actor).filter(revoked_at=None, expires_at__gt=now)[:200]
    ]
    context = {"rows": rows, "form": form, "link": link, "what": what, "wrong": wrong}
    status = 422 if form.is_bound and (form.errors or wrong) else 200
    return render(request, "accounts/shares.html", context, status=status)


@require_POST
@page
def revoke(request: HttpRequest, uid: str) -> HttpResponseBase:
    """Take a link back."""
    execute(commands.RevokeShareLink(link=uid), actor=reader(request, "accounts.share"))
    toasts.done(request, _("The link was taken back."))
    return redirect("/shares")


@require_GET
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """Show what a link shows, to whoever has it."""
    now = datetime.now(UTC)
    try:
        limits.take_stranger(request.META.get("REMOTE_ADDR", ""), door="shared")
        link, found = shares.opened(token, at=now)
    except (NotFound, TooMany) as problem:
        context: dict[str, Any] = {
            "status": problem.status,
            "title": _("Nothing to see here"),
            "detail": problem.detail,
        }
        response = render(request, "ui/error.html", context, status=problem.status)
        for name, value in problem.headers.items():
            response[name] = value
        return _unseen(response)
    if ShareOpening.objects.filter(link=link).update(count=F("count") + 1, last_at=now) == 0:
        ShareOpening.objects.bulk_create(
            [ShareOpening(link=link, count=1, last_at=now)], ignore_conflicts=True
        )
    labels = {name: name.replace("_", " ").capitalize() for name in found.names}
    rows = [
        [{"label": labels[name], "parts": shares.told(row[name])} for name in found.names]
        for row in found.rows
    ]
    context = {
        "link": link, "rows": rows, "labels": list(labels.values()), "single": found.single,
        "more": found.more, "now": now,
    }  # fmt: skip
    return _unseen(render(request, "accounts/shared.html", context))


def _unseen(response: HttpResponse) -> HttpResponse:
    """Keep a page out of search engines, caches and the addresses told to others."""
    response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response


urlpatterns = [
    path("shares", mine, name="shares"),
    path("shares/<str:uid>/revoke", revoke, name="share-revoke"),
    path("shared/<str:token>", shared, name="shared"),
]
