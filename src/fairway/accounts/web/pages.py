"""The base of every page: signed in or sent to sign in, problems as pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import DataError, IntegrityError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import urlencode

from fairway.accounts import limits, queries
from fairway.accounts.web.calling import actor_of
from fairway.accounts.web.problems import problem_of
from fairway.accounts.web.shapes import decision_view
from fairway.kernel.errors import Problem, Refused

View = Callable[..., HttpResponseBase]


def page(view: View) -> View:
    """Make a page: who is not signed in goes to the sign-in page and comes back; problems become pages."""

    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        actor = actor_of(request)
        if actor is None:
            if request.headers.get("HX-Request"):
                return HttpResponse(status=401, headers={"HX-Redirect": "/sign-in"})
            return redirect(f"/sign-in?{urlencode({'next': request.get_full_path()})}")
        queries.access(actor)  # found here, before any transaction, it is kept for all
        request.zone = actor.zone  # type: ignore[attr-defined]
        try:
            limits.take(actor)
            return view(request, *args, **kwargs)
        except (Problem, OperationalError, IntegrityError, DataError, RequestDataTooBig) as exc:
            problem = problem_of(exc)
            if problem is None:
                raise
            return problem_page(request, problem)

    shown.is_page = True  # type: ignore[attr-defined]
    return shown


def problem_page(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Return the page that tells a problem, with the way on; for htmx only the part that says it."""
    verdict = None
    actor = actor_of(request)
    if isinstance(problem, Refused) and problem.decision is not None and actor is not None:
        findings = decision_view(problem.decision, actor, queries.words(actor)).findings
        rows = [{"severity": f.severity, "message": f.message, "path": f.path, "ways": ()} for f in findings]
        verdict = {"verdict": "deny", "headline": problem.detail, "rows": rows}
    template = "accounts/problem_panel.html" if request.headers.get("HX-Request") else "accounts/problem.html"
    context = {"problem": problem, "verdict": verdict}
    response = render(request, template, context, status=problem.status)
    for name, value in problem.headers.items():
        response[name] = value
    return response


def form_data(request: HttpRequest) -> dict[str, str]:
    """Return a form's single values, stripped."""
    return {name: value.strip() for name, value in request.POST.items() if name != "csrfmiddlewaretoken"}  # type: ignore[union-attr]
