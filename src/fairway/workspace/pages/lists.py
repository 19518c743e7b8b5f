"""The columns of a list, as one wants them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from fairway.accounts.web import caller, page
from fairway.audit.commands import execute
from fairway.kernel.errors import Invalid
from fairway.workspace import commands, queries


@require_POST
@page
def columns(request: HttpRequest) -> HttpResponseBase:
    """Keep the columns that somebody wants of a list, and show it so."""
    name, wanted = request.POST.get("page", ""), request.POST.getlist("columns")
    if request.POST.get("reset"):
        wanted = []
    elif not wanted:
        raise Invalid.field("columns", _("A list shows one column at least."))
    execute(commands.ChooseColumns(page=name, columns=wanted), actor=caller(request))
    return redirect(queries.page_of(name).path)


urlpatterns = [path("lists/columns", columns, name="list-columns")]
