"""Windows moved on the timeline: what would come of it while they are held, and moving them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from fairway.accounts import queries as accounts
from fairway.accounts.web import page, way_back
from fairway.audit.commands import Outcome, Plan, execute_many, preview_many
from fairway.changes import commands, queries
from fairway.changes.commands.reading import Span
from fairway.changes.pages.shared import reader
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid, Problem
from fairway.kernel.period import Period, parse_instant
from fairway.policy import Decision, tell

MOST_MOVED = 200
FARTHEST = timedelta(days=3_660)


@dataclass
class Held:
    """What is held of one change: the starts of its windows that move, and the version that was read."""

    version: int
    starts: set[datetime] = field(default_factory=set)


@require_POST
@page
def move(request: HttpRequest) -> HttpResponseBase:
    """Say what moving windows by some minutes would come to, or do it (`apply`).

    `window`, repeated: key, version and start of one that is held, with blanks between. Each change is
    rescheduled by itself: what is refused stays where it was, the others move. One alone that is refused
    is answered with its problem.
    """
    try:
        return _moved(request, reader(request))
    except Problem as problem:
        return JsonResponse(
            problem.document(), status=problem.status, content_type="application/problem+json"
        )


def _moved(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    accounts.require(actor, "changes.request", at=None)
    held, by = _held(request.POST.getlist("window")), _by(request.POST.get("by", ""))
    asked: dict[str, commands.RescheduleChange] = {}
    answers: dict[str, Outcome | Plan | Problem] = {}
    drafts: set[str] = set()
    for key, one in held.items():
        try:
            dossier = queries.dossier(actor, key)
            asked[key] = _command(dossier, one, by)
            if dossier.change.state == dossier.workflow.initial:
                drafts.add(key)
        except Problem as problem:
            answers[key] = problem
    apply = bool(request.POST.get("apply"))
    run = execute_many if apply else preview_many
    answers.update(zip(asked, run(list(asked.values()), actor=actor), strict=True))
    if apply and len(held) == 1:
        [only] = answers.values()
        if isinstance(only, Problem):
            raise only
    told = [{"key": key, **_told(actor, answers[key])} for key in held]
    done = [one for one in told if one["ok"]]
    answer: dict[str, Any] = {"moves": told, "confirm": any(one["key"] not in drafts for one in done)}
    if apply:
        answer["summary"] = _summary(told, done)
        answer["undo"] = way_back(request) if drafts.intersection(one["key"] for one in done) else ""
    return JsonResponse(answer)


def _held(given: Sequence[str]) -> Mapping[str, Held]:
    """:raises Invalid: nothing, too much, or not key, version and start."""
    if not given:
        raise Invalid.field("window", _("Pick at least one window to move."))
    if len(given) > MOST_MOVED:
        raise Invalid.field("window", _("At most %(most)d windows are moved at once.") % {"most": MOST_MOVED})
    held: dict[str, Held] = {}
    for text in given:
        parts = text.split(" ")
        if len(parts) != 3 or not (parts[1].isascii() and parts[1].isdigit() and len(parts[1]) < 10):
            raise Invalid.field("window", _("A window is told by key, version and start."))
        key, version, start = parts
        held.setdefault(key, Held(int(version))).starts.add(parse_instant(start, field="window"))
    return held


def _by(text: str) -> timedelta:
    """:raises Invalid: no number of minutes, none at all, or more than ten years."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10) or not int(digits):
        raise Invalid.field("by", _("Say by how many whole minutes."))
    found = timedelta(minutes=int(text))
    if abs(found) > FARTHEST:
        raise Invalid.field("by", _("A window is moved by at most ten years."))
    return found


def _command(dossier: queries.Dossier, held: Held, by: timedelta) -> commands.RescheduleChange:
    """Return the command that moves the windows held, each with the downtimes that lie in it; others stay.

    :raises Invalid: the change has no window that starts then, or time would end before.
    """
    key, proposal = dossier.change.key, dossier.proposal()
    moving = [window for window in proposal.windows if window.start in held.starts]
    if {window.start for window in moving} != held.starts:
        raise Invalid.field("window", _("%(change)s has been planned anew meanwhile.") % {"change": key})

    def moved(period: Period) -> Span:
        if not any(window.start <= period.start and period.end <= window.end for window in moving):
            return Span(start=period.start, end=period.end)
        try:
            return Span(start=period.start + by, end=period.end + by)
        except OverflowError:
            raise Invalid.field("by", _("No plan reaches that far.")) from None

    return commands.RescheduleChange(
        change=key,
        windows=tuple(moved(window) for window in proposal.windows),
        downtime=tuple(moved(downtime) for downtime in proposal.downtimes),
        version=held.version,
    )


def _told(actor: Actor, answer: Outcome | Plan | Problem) -> dict[str, Any]:
    if isinstance(answer, Problem):
        reason = answer.errors[0].message if isinstance(answer, Invalid) and answer.errors else answer.detail
        return {"ok": False, "reason": str(reason), "findings": []}
    return {"ok": True, "reason": "", "findings": _findings(actor, answer.decision)}


def _findings(actor: Actor, decision: Decision) -> list[dict[str, Any]]:
    shown, words = decision.redacted(accounts.access(actor).sees), accounts.words(actor)
    return [
        {
            "severity": str(finding.severity),
            "message": tell(finding, words),
            "start": finding.interval.start.isoformat() if finding.interval else None,
            "end": finding.interval.end.isoformat() if finding.interval else None,
        }
        for finding in shown.findings
    ]


def _summary(told: Sequence[Mapping[str, Any]], done: Sequence[Mapping[str, Any]]) -> str:
    if len(told) == len(done) == 1:
        return _("%(change)s was moved.") % {"change": done[0]["key"]}
    text = ngettext("%(count)d change was moved.", "%(count)d changes were moved.", len(done))
    parts = [text % {"count": len(done)}]
    refused = [one for one in told if not one["ok"]]
    if refused:
        text = ngettext("%(count)d was refused:", "%(count)d were refused:", len(refused))
        parts.append(text % {"count": len(refused)})
        parts += [one["reason"] for one in refused[:3]]
    return " ".join(parts)


urlpatterns = [path("calendar/move", move, name="calendar-move")]
