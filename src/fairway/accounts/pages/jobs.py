"""Jobs: what waits, runs and failed; and the clocks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from fairway.accounts import jobs, queries
from fairway.accounts.pages.shared import crumbs, reader, tabs
from fairway.accounts.web import caller, page
from fairway.audit.commands import Command, execute
from fairway.jobs.commands import schedules
from fairway.jobs.queries import JOBS, STATES, Job, JobQuery, ticked
from fairway.kernel.actor import Actor
from fairway.kernel.errors import NotFound
from fairway.ui import toasts

TONES = {"ready": "info", "running": "info", "done": "ok", "failed": "bad", "cancelled": ""}
STEPS: dict[str, type[Any]] = {"retry": jobs.RetryJob, "cancel": jobs.CancelJob, "discard": jobs.DiscardJob}


def words() -> dict[str, str]:
    return {
        "ready": _("Waiting"),
        "running": _("Running"),
        "done": _("Done"),
        "failed": _("Failed"),
        "cancelled": _("Cancelled"),
    }


@require_GET
@page
def listing(request: HttpRequest) -> HttpResponseBase:
    """Show the jobs that the actor sees, the newest first, and when clocks tick."""
    actor = reader(request, "jobs.view")
    state = request.GET.get("state", "")
    state = state if state in STATES else ""
    query = JobQuery(q=request.GET.get("q", "")[:100], cursor=request.GET.get("cursor", ""), limit=50)
    some = jobs.seen(actor)
    found = JOBS.page(some.filter(state=state) if state else some, query)
    told, now = words(), datetime.now(UTC)
    rows = [_row(row, told) for row in found.rows]
    context = {
        "rows": rows,
        "next": found.next,
        "tabs": tabs(actor, "jobs"),
        "filters": _filters(request, state, told),
        "clocks": _clocks(now) if queries.places(actor, "jobs.view") is None else [],
    }
    return render(request, "accounts/jobs.html", context)


@require_GET
@page
def record(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show a job: how far it is, how it ended, and what can be done to it."""
    actor = caller(request)
    found = jobs.read(actor, key)
    context = _record(actor, found)
    return render(request, "accounts/job.html", context)


@require_GET
@page
def progress(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show how far a job is, to be swapped into its page while it waits or runs."""
    actor = caller(request)
    found = jobs.read(actor, key)
    response = render(request, "accounts/job_progress.html", _record(actor, found))
    if found.state not in {"ready", "running"}:
        response["HX-Refresh"] = "true"  # it is over: steps and facts are others now
    return response


@require_POST
@page
def step(request: HttpRequest, key: str, verb: str) -> HttpResponseBase:
    """Run a job again, cancel or discard it."""
    kind = STEPS.get(verb)
    if kind is None:
        raise NotFound(_("There is no such step."))
    command: Command = kind(job=key)
    execute(command, actor=caller(request))
    said = {
        "retry": _("%(job)s runs again."),
        "cancel": _("%(job)s is cancelled, or will be where it can next be left."),
        "discard": _("%(job)s was discarded."),
    }
    toasts.done(request, said[verb] % {"job": key})
    return redirect(f"/administration/jobs/{key}")


def _row(row: dict[str, Any], told: dict[str, str]) -> dict[str, Any]:
    state, key = row["state"], f"JOB-{row['number']}"
    return {
        "key": key,
        "href": f"/administration/jobs/{key}",
        "title": row["title"],
        "state": state,
        "word": told[state],
        "tone": TONES[state],
        "progress": _progress(row["done"], row["total"]),
        "text": row["text"],
        "error": row["error"].partition("\n")[0][:120] if state != "done" else "",
        "attempts": row["attempts"],
        "when": row["run_after"] if state == "ready" else row["finished_at"] or row["started_at"],
        "who": row["user__name"] or "Fairway",
    }


def _progress(done: int, total: int | None) -> str:
    if total:
        return f"{min(100, done * 100 // total)} %"
    return str(done) if done else ""


def _record(actor: Actor, found: Job) -> dict[str, Any]:
    address = f"/administration/jobs/{found.key}"
    labels = {"retry": _("Run again"), "cancel": _("Cancel"), "discard": _("Discard")}
    legal = {"failed": ("retry", "discard"), "cancelled": ("retry",), "ready": ("cancel",)}.get(
        found.state, ()
    )
    if found.state == "running" and not found.cancel_requested:
        legal = ("cancel",)
    steps = [
        {"name": verb, "label": labels[verb], "url": f"{address}/{verb}", "fields": {}} for verb in legal
    ]
    whole = queries.access(actor).organisations is None
    return {
        "record": {
            "key": found.key,
            "href": address,
            "title": found.title,
            "kind": _("Job"),
            "steps": steps if jobs.may_manage(actor, found) else [],
        },
        "job": found,
        "word": words()[found.state],
        "tone": TONES[found.state],
        "progress": _progress(found.done, found.total),
        "living": found.state in {"ready", "running"},
        "asked_by": found.user.name if found.user else "Fairway",
        "organisation": found.organisation,
        "result": _told(found.result),
        "arguments": _told(found.arguments) if whole else [],
        "trace": found.trace if whole and found.state == "failed" else "",
        "panel": f"{address}/progress-panel",
        "history": f"/events/panel?subject={found.uid}",
        "more_crumbs": crumbs("jobs", _("Jobs")),
    }


def _told(value: Any) -> list[tuple[str, str]]:
    """Return plain values as names and texts."""
    if isinstance(value, dict):
        return [(name, str(one)[:200]) for name, one in value.items()]
    return [(_("Result"), str(value)[:200])] if value is not None else []


def _clocks(now: datetime) -> list[dict[str, Any]]:
    known = ticked()
    return [
        {
            "name": schedule.task.named(),
            "task": schedule.name,
            "every": schedule.every,
            "last": known.get(name),
            "next": schedule.next(now),
        }
        for name, schedule in schedules().items()
    ]


def _filters(request: HttpRequest, state: str, told: dict[str, str]) -> dict[str, Any]:
    def with_(value: str) -> str:
        kept = request.GET.copy()
        kept.pop("cursor", None)
        kept["state"] = value
        return f"?{kept.urlencode()}"

    options = [{"label": word, "href": with_(name), "current": name == state} for name, word in told.items()]
    return {
        "q": request.GET.get("q", ""),
        "q_label": _("Search jobs"),
        "keep": {"state": state} if state else {},
        "chips": [{"label": _("State"), "value": told[state], "remove": with_("")}] if state else [],
        "add": [{"label": _("State"), "options": options}],
        "clear": "?",
    }


urlpatterns = [
    path("administration/jobs", listing, name="jobs"),
    path("administration/jobs/<str:key>", record, name="job"),
    path("administration/jobs/<str:key>/progress-panel", progress, name="job-progress"),
    path("administration/jobs/<str:key>/<str:verb>", step, name="job-step"),
]
