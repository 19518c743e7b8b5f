"""Pages of links between environments: saying that one is taken with another."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from fairway.accounts import queries as accounts
from fairway.accounts.web import page, way_back
from fairway.audit.commands import execute
from fairway.environments import commands, queries
from fairway.environments.forms import LinkForm
from fairway.environments.pages.environments import crumbs_of, reader, submit
from fairway.ui import toasts


@require_http_methods(["GET", "POST"])
@page
def new(request: HttpRequest, key: str) -> HttpResponseBase:
    """Say that another environment is taken with this one."""
    actor = reader(request)
    found = queries.environment(actor, key)
    accounts.require(actor, "environments.edit", at=found.organisation_id)
    form = LinkForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            [child] = form.cleaned_data["child"]
            command = commands.CreateEnvironmentLink(parent=found.slug, child=child)
            made, status = submit(form, command, actor)
            if made is not None:
                told = _("%(child)s is taken with %(key)s.") % {"child": child, "key": found.slug}
                toasts.done(request, told, undo=way_back(request))
                return redirect(f"/environments/{found.slug}")
    context = {
        "title": _("Link an environment below %(key)s") % {"key": found.slug},
        "lead": _("Whoever takes %(name)s takes that one too.") % {"name": found.name},
        "form": form,
        "submit": _("Link environment"),
        "cancel": f"/environments/{found.slug}",
        "crumbs": crumbs_of(found),
    }
    return render(request, "ui/form.html", context, status=status)


@require_POST
@page
def remove(request: HttpRequest, key: str, uid: str) -> HttpResponse:
    """Take a link away; both are taken apart from each other again."""
    execute(commands.RemoveEnvironmentLink(link=uid), actor=reader(request))
    toasts.done(request, _("The link was removed."))
    return redirect(f"/environments/{key}")


urlpatterns = [
    path("environments/<str:key>/links/new", new, name="environment-link-new"),
    path("environments/<str:key>/links/<str:uid>/remove", remove, name="environment-link-remove"),
]
