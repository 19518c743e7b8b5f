"""What the pages of administration have in common."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from fairway.accounts import queries
from fairway.accounts.forms import CommandForm
from fairway.accounts.parts import tabs as tabs
from fairway.accounts.web import caller
from fairway.audit.commands import Command, Outcome, execute
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Stale


def reader(request: HttpRequest, permission: str = "accounts.view") -> Actor:
    """Return who reads.

    :raises Forbidden: they may not read this anywhere.
    """
    actor = caller(request)
    queries.require(actor, permission, at=None)
    return actor


def crumbs(name: str = "", label: str = "") -> list[dict[str, str]]:
    """Return the way here from administration."""
    found = [{"label": _("Administration"), "href": "/administration"}]
    return [*found, {"label": label, "href": f"/administration/{name}"}] if name else found


def attempt(request: HttpRequest, form: CommandForm, command: Command) -> Outcome | None:
    """Run the command of a valid form; None where it objects, which then stands in the form."""
    try:
        return execute(command, actor=caller(request))
    except Stale:
        form.add_error(None, _("Somebody changed this meanwhile. Load the page again and repeat your edit."))
    except (Invalid, Conflict, Forbidden, NotFound) as problem:
        form.object(problem)
    return None


def form_page(request: HttpRequest, form: CommandForm, **context: Any) -> HttpResponse:
    """Show ui/form.html; 422 where the form holds errors."""
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "ui/form.html", {"form": form, **context}, status=status)
