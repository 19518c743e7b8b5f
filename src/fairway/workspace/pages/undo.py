"""The way back that toasts and histories offer."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import path
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from fairway.accounts.web import caller, page, way_back
from fairway.audit.commands import Outcome, execute, execute_many
from fairway.kernel.errors import Invalid
from fairway.ui import toasts
from fairway.workspace.commands import UndoEvent, undo_of


@require_POST
@page
def undo(request: HttpRequest) -> HttpResponseBase:
    """Take back one event, or all of one request, and go back to where one was."""
    actor, asked = caller(request), request.GET.get("event", "")
    if asked:
        if not (asked.isascii() and asked.isdigit() and len(asked) < 19):
            raise Invalid.field("event", _("This is no number of an event."))
        done = execute(UndoEvent(event=int(asked)), actor=actor)
        told = _("Undone: %(key)s is as it was.") % {"key": done.subject.key if done.subject else ""}
        toasts.done(request, told, undo=way_back(request))
        return _back(request)
    answers = list(execute_many(undo_of(request.GET.get("request", ""), actor=actor), actor=actor))
    undone = [answer for answer in answers if isinstance(answer, Outcome)]
    refused = [answer for answer in answers if not isinstance(answer, Outcome)]
    if undone:
        text = ngettext("%(count)d record is as it was.", "%(count)d records are as they were.", len(undone))
        toasts.done(request, text % {"count": len(undone)}, undo=way_back(request))
    for problem in refused[:3]:
        toasts.failed(request, problem.detail)
    if len(refused) > 3:
        text = ngettext(
            "%(count)d more is left as it is.", "%(count)d more are left as they are.", len(refused) - 3
        )
        toasts.failed(request, text % {"count": len(refused) - 3})
    if not answers:
        toasts.failed(request, _("There is nothing left to undo."))
    return _back(request)


def _back(request: HttpRequest) -> HttpResponseBase:
    """Return to the page that the button stood on."""
    here = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(here, {request.get_host()})
    parts = urlsplit(here if ours else "/")
    target = parts.path + (f"?{parts.query}" if parts.query else "") or "/"
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": target})
    return redirect(target)


urlpatterns = [path("undo", undo, name="undo")]
