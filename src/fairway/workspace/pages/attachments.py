"""Attaching files beside a record, saving them, taking them off."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import path
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from fairway.accounts.web import caller, page
from fairway.audit.commands import execute
from fairway.kernel import blobs
from fairway.kernel.errors import Conflict, Invalid, NotFound, TooLarge
from fairway.workspace import commands, queries
from fairway.workspace.pages.activity import answered, thread, version
from fairway.workspace.rules.files import SHOWN_INLINE

SANDBOX = "sandbox; default-src 'none'; img-src 'self'"
MOST_AT_ONCE = 10


@require_POST
@page
def attach(request: HttpRequest) -> HttpResponseBase:
    """Attach the files that were chosen or dropped, one after the other."""
    actor = caller(request)
    kind, key = request.POST.get("kind", ""), request.POST.get("subject", "")
    record = queries.subject(actor, kind, key)
    given = request.FILES.getlist("file")[:MOST_AT_ONCE]
    try:
        if not given:
            execute(commands.AttachFile(kind=kind, subject=key, name="-"), actor=actor)  # says what is wrong
        for one in given:
            commands.attach(actor, kind=kind, subject=key, name=one.name or "", source=one)  # type: ignore[arg-type]
    except (Invalid, Conflict, TooLarge) as problem:
        told = _("Choose a file.") if not given else problem.detail
        context = thread(actor, kind, record, file_error=told)
        return render(request, "workspace/activity.html", context, status=problem.status)
    return answered(request, actor, kind, record, _("The file is attached."))


@require_GET
@page
def save(request: HttpRequest, uid: str) -> HttpResponseBase:
    """Give a file to be saved; with `show` pictures and PDF may be looked at, in a sandbox."""
    actor = caller(request)
    found, _record = queries.attachment(actor, uid, read=True)
    if found.blob is None:
        raise NotFound(_("This file was removed."))
    inline = "show" in request.GET and found.media_type in SHOWN_INLINE
    content = b"".join(blobs.chunks(found.blob))  # 10 MiB at most
    response = HttpResponse(content, content_type=found.media_type)
    response["Content-Disposition"] = content_disposition_header(not inline, found.name) or "attachment"
    response["Content-Security-Policy"] = SANDBOX
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_POST
@page
def remove(request: HttpRequest, uid: str) -> HttpResponseBase:
    """Take a file off its record."""
    actor = caller(request)
    found, record = queries.attachment(actor, uid)
    try:
        execute(commands.RemoveFile(attachment=uid, version=version(request)), actor=actor)
    except Conflict as problem:
        context = thread(actor, found.subject_kind, record, file_error=problem.detail)
        return render(request, "workspace/activity.html", context, status=problem.status)
    return answered(request, actor, found.subject_kind, record, _("The file was removed."))


urlpatterns = [
    path("attachments", attach, name="attachment-new"),
    path("attachments/<str:uid>", save, name="attachment-save"),
    path("attachments/<str:uid>/remove", remove, name="attachment-remove"),
]
