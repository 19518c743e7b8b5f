"""Calendar feeds: making one, taking one back, and what a calendar program reads."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fairway.accounts.web import page, take_stranger
from fairway.audit.commands import execute
from fairway.changes import commands, icalendar, queries
from fairway.changes.forms import FeedForm
from fairway.changes.pages.shared import now, reader
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid, NotFound, TooMany
from fairway.ui import toasts


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@page
def feeds(request: HttpRequest) -> HttpResponseBase:
    """Show one's feeds, and make another."""
    actor = reader(request)
    kept = {name: [request.GET[name][:100]] for name in ("item", "environment") if request.GET.get(name)}
    form = FeedForm(request.POST or None, initial={"shows": "all", **kept})
    link = ""
    if request.method == "POST" and form.is_valid():
        try:
            answer = execute(commands.CreateFeed(**form.cleaned_data), actor=actor).answer
        except Invalid as problem:
            for error in problem.errors:
                form.add_error(error.field if error.field in form.fields else None, error.message)
        except (Conflict, Forbidden, NotFound) as problem:
            form.add_error(None, problem.detail)
        else:
            link = request.build_absolute_uri(f"/feeds/{answer}.ics")
            form = FeedForm(initial={"shows": "all"})
    context = {
        "rows": _rows(actor),
        "form": form,
        "link": link,
        "webcal": link.replace("https://", "webcal://").replace("http://", "webcal://"),
        "crumbs": [{"label": _("Calendar"), "href": "/calendar"}],
    }
    return render(request, "changes/feeds.html", context, status=422 if form.errors else 200)


def _rows(actor: Actor) -> list[dict[str, Any]]:
    return [
        {
            "uid": one.uid,
            "name": one.name,
            "shows": one.get_shows_display(),
            "owner": one.owner.name if one.owner_id != actor.pk else "",
            "created_at": one.created_at,
        }
        for one in queries.feeds(actor).filter(revoked_at=None)[:200]
    ]


@require_POST
@page
def revoke(request: HttpRequest, uid: str) -> HttpResponseBase:
    """Take a feed back."""
    execute(commands.RevokeFeed(feed=uid), actor=reader(request))
    toasts.done(request, _("The feed was taken back."))
    return redirect("/calendar/feeds")


@require_safe
def read(request: HttpRequest, token: str) -> HttpResponseBase:
    """Give a calendar program what a feed shows, to whoever has its address."""
    at = now()
    try:
        take_stranger(request.META.get("REMOTE_ADDR", ""), door="feeds")
        feed, owner = queries.feed_opened(token, at=at)
    except (NotFound, TooMany) as problem:
        response = HttpResponse(
            problem.detail, status=problem.status, content_type="text/plain; charset=utf-8"
        )
        for name, value in problem.headers.items():
            response[name] = value
        return response
    site = request.build_absolute_uri("/").rstrip("/")
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)  # so that one day gives one text
    content = icalendar.written(feed.name, queries.feed_events(owner, feed, at=day), site=site, at=day)
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "X-Robots-Tag": "noindex"}
    if request.headers.get("If-None-Match") == tag:
        return HttpResponseNotModified(headers=headers)
    headers["Content-Disposition"] = 'inline; filename="fairway.ics"'
    return HttpResponse(content, content_type="text/calendar; charset=utf-8", headers=headers)


urlpatterns = [
    path("calendar/feeds", feeds, name="calendar-feeds"),
    path("calendar/feeds/<str:uid>/revoke", revoke, name="calendar-feed-revoke"),
    path("feeds/<str:token>.ics", read, name="calendar-feed"),
]
