"""What happened to a record and what was said about it, in one panel beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fairway.accounts import history
from fairway.accounts import queries as accounts
from fairway.accounts.web import caller, page
from fairway.audit import queries as audit
from fairway.audit.commands import Command, execute
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Invalid, Problem, Stale
from fairway.kernel.models import Versioned
from fairway.ui import toasts
from fairway.ui.context import initials
from fairway.ui.markdown import render as markdown
from fairway.workspace import commands, queries
from fairway.workspace.models import Comment
from fairway.workspace.pages.notifications import follow
from fairway.workspace.rules.files import SHOWN_INLINE

EVENTS, COMMENTS = 20, 50
SHOWN = ("all", "comments", "history")
IN_THE_THREAD = "workspace.comment."
"""Events about what stands in the thread itself."""


@require_GET
@page
def activity(request: HttpRequest) -> HttpResponseBase:
    """Show what was said and done, newest first; `show`: all, comments or history."""
    actor = caller(request)
    kind, key = request.GET.get("kind", ""), request.GET.get("subject", "")
    record = queries.readable(actor, kind, key)
    show = request.GET.get("show", "all")
    if show not in SHOWN:
        raise Invalid.field("show", _("There is no such part."))
    return render(request, "workspace/activity.html", thread(actor, kind, record, show=show))


def thread(
    actor: Actor,
    kind: str,
    record: Versioned,
    *,
    show: str = "all",
    text: str = "",
    error: str = "",
    file_error: str = "",
) -> dict[str, Any]:
    """Return the panel's context: what one may add, and what is there."""
    access, now = accounts.access(actor), datetime.now(UTC)
    entries: list[dict[str, Any]] = []
    may_history = access.may("audit.view", None)
    if show != "history":
        comments = queries.thread(record, limit=COMMENTS + 1)
        entries += _comments(actor, record, comments[:COMMENTS])
    if show != "comments" and may_history:
        found = audit.history(
            organisations=accounts.places(actor, "audit.view"),
            subject=record.uid,
            without=IN_THE_THREAD,
            reader=actor,
            limit=EVENTS + 1,
        )
        offered = {one["sequence"] for one in found if queries.may_offer_undo(one, at=now)}
        told = history.entries(actor, found[:EVENTS], now=now)
        entries += [{**entry, "undo": entry["sequence"] in offered} for entry in told]
    entries.sort(key=lambda entry: entry["at"], reverse=True)
    asked = {"kind": kind, "subject": str(record.uid)}
    labels = {"all": _("All"), "comments": _("Comments"), "history": _("History")}
    return {
        "kind": kind,
        "subject": str(record.uid),
        "entries": entries,
        "may_comment": access.may("workspace.comment", record.owning_organisation),
        "parts": [
            {
                "label": label,
                "href": "/activity?" + urlencode({**asked, "show": name}),
                "current": name == show,
            }
            for name, label in labels.items()
            if may_history
        ],
        "may_history": may_history,
        "all_events": f"/history/{kind}/{record.key}",
        "text": text,
        "error": error,
        "file_error": file_error,
        "files": _files(actor, record),
        "follow": follow(actor, record),
    }


def _files(actor: Actor, record: Versioned) -> list[dict[str, Any]]:
    access = accounts.access(actor)
    where = record.owning_organisation
    adds, tidies = access.may("workspace.comment", where), access.may("accounts.administer", where)
    return [
        {
            "uid": str(one.uid),
            "name": one.name,
            "size": one.size,
            "media_type": one.media_type,
            "show": one.media_type in SHOWN_INLINE,
            "who": one.author.name,
            "at": one.created_at,
            "version": one.version,
            "may_remove": adds and (tidies or one.author_id == actor.pk),
        }
        for one in queries.files(record)
    ]


def _comments(actor: Actor, record: Versioned, comments: list[Comment]) -> list[dict[str, Any]]:
    people = queries.mentioned([one.uid for one in comments])
    access = accounts.access(actor)
    where = record.owning_organisation
    speaks = access.may("workspace.comment", where)
    tidies = speaks and access.may("accounts.administer", where)
    return [
        {
            "uid": str(one.uid),
            "comment": True,
            "who": one.author.name,
            "initials": initials(one.author.name),
            "at": one.created_at,
            "edited": one.edited_at,
            "withdrawn": one.withdrawn_at,
            "withdrawn_by": one.withdrawn_by.name if one.withdrawn_by is not None else "",
            "html": "" if one.withdrawn_at else markdown(one.text, people=people.get(one.uid, {})),
            "version": one.version,
            "may_edit": speaks and one.author_id == actor.pk and one.withdrawn_at is None,
            "may_withdraw": (tidies or (speaks and one.author_id == actor.pk)) and one.withdrawn_at is None,
        }
        for one in comments
    ]


def answered(request: HttpRequest, actor: Actor, kind: str, record: Versioned, done: str) -> HttpResponseBase:
    """Answer a form of the panel: with the panel anew, or without script with the record's page."""
    if request.headers.get("HX-Request"):
        return render(request, "workspace/activity.html", thread(actor, kind, record))  # there one sees it
    toasts.done(request, done)
    return redirect(queries.kind_of(kind).href(record.key))


@require_POST
@page
def say(request: HttpRequest) -> HttpResponseBase:
    """Comment on a record."""
    actor = caller(request)
    kind, key = request.POST.get("kind", ""), request.POST.get("subject", "")
    record = queries.subject(actor, kind, key)
    text = request.POST.get("text", "")
    try:
        execute(commands.CreateComment(kind=kind, subject=str(record.uid), text=text), actor=actor)
    except Invalid as problem:
        context = thread(actor, kind, record, text=text, error=problem.detail)
        return render(request, "workspace/activity.html", context, status=422)
    return answered(request, actor, kind, record, _("Your comment stands."))


@require_http_methods(["GET", "POST"])
@page
def edit(request: HttpRequest, uid: str) -> HttpResponseBase:
    """Alter one's own comment, in its place."""
    actor = caller(request)
    found, record = queries.comment(actor, uid)
    text, error, status = request.POST.get("text", found.text), "", 200
    if request.method == "POST":
        command = commands.EditComment(comment=uid, text=text, version=version(request))
        try:
            execute(command, actor=actor)
        except (Invalid, Conflict, Stale) as problem:
            error, status = problem.detail, problem.status
        else:
            return answered(request, actor, found.subject_kind, record, _("Your comment was altered."))
    else:
        accounts.require(actor, "workspace.comment", at=record.owning_organisation)
    context = {"comment": found, "text": text, "error": error}
    return render(request, "workspace/comment_form.html", context, status=status)


@require_POST
@page
def withdraw(request: HttpRequest, uid: str) -> HttpResponseBase:
    """Take a comment back."""
    actor = caller(request)
    found, record = queries.comment(actor, uid)
    command: Command = commands.WithdrawComment(comment=uid, version=version(request))
    try:
        execute(command, actor=actor)
    except (Conflict, Stale) as problem:
        return _told(request, actor, found, record, problem)
    return answered(request, actor, found.subject_kind, record, _("The comment was withdrawn."))


def _told(
    request: HttpRequest, actor: Actor, found: Comment, record: Versioned, problem: Problem
) -> HttpResponseBase:
    context = thread(actor, found.subject_kind, record, error=problem.detail)
    return render(request, "workspace/activity.html", context, status=problem.status)


def version(request: HttpRequest) -> int | None:
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


@require_GET
@page
def people(request: HttpRequest) -> HttpResponseBase:
    """Answer whom a text after “@” may mean."""
    actor = caller(request)
    accounts.require(actor, "workspace.comment", at=None)
    found = queries.pick_people(actor, request.GET.get("q", "")[:100])
    items = [{"key": f"USR-{row['number']}", "name": row["name"], "note": row["email"]} for row in found]
    return JsonResponse({"items": items})


urlpatterns = [
    path("activity", activity, name="activity"),
    path("activity/comments", say, name="comment-new"),
    path("activity/comments/<str:uid>/edit", edit, name="comment-edit"),
    path("activity/comments/<str:uid>/withdraw", withdraw, name="comment-withdraw"),
    path("activity/people", people, name="comment-people"),
]
