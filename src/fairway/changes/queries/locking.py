"""What a lockdown hits: work that is going on, and work that could not begin."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from fairway.accounts import queries as accounts
from fairway.calendars.queries import Activity, Calendar, Compiled
from fairway.calendars.queries import lockdowns as lockdowns
from fairway.changes.models import Change, ChangeModel
from fairway.changes.queries.deciding import INSTANT, ahead_of, targets
from fairway.changes.queries.dossier import Proposal, workflow
from fairway.changes.queries.holding import proposals
from fairway.kernel.actor import Actor
from fairway.kernel.period import Period
from fairway.kernel.refs import HIDDEN, Ref
from fairway.policy import Severity

SOON = timedelta(days=7)
"""How far ahead a preview looks for work that could not begin."""


def in_flight(lockdown: Compiled, *, at: datetime) -> list[Ref]:
    """Return the changes being worked on that the lockdown stops, by key.

    The number of statements does not grow with them.
    """
    states = {model.pk: workflow(model).where("in_progress") for model in ChangeModel.objects.all()}
    rows = Change.objects.filter(
        is_open=True, state__in=frozenset().union(*states.values()), archived_at=None
    )
    pks = [pk for pk, model, state in rows.order_by("pk").values_list("pk", "model_id", "state")
           if state in states[model]]  # fmt: skip
    known = proposals(pks) if pks else {}
    now = Period(at, at + INSTANT)
    return [
        proposal.subject
        for pk in pks
        if (proposal := known[pk]) is not None and _stopped(lockdown, replace(proposal, windows=(now,)))
    ]


def starting(lockdown: Compiled, *, at: datetime) -> list[tuple[Ref, Period]]:
    """Return the approved changes whose time comes within a week and that the lockdown would stop."""
    states = {model.pk: workflow(model).where("approved") for model in ChangeModel.objects.all()}
    rows = Change.objects.filter(
        is_open=True,
        state__in=frozenset().union(*states.values()),
        archived_at=None,
        planned_start__lt=at + SOON,
        planned_end__gt=at,
        actual_start=None,
    )
    found = []
    for proposal in proposals(list(rows.values_list("pk", flat=True))).values():
        ahead = () if proposal is None else ahead_of(proposal.windows, at)
        if proposal is not None and ahead and _stopped(lockdown, replace(proposal, windows=ahead)):
            found.append((proposal.subject, min(ahead)))
    return sorted(found, key=lambda pair: (pair[1], pair[0].key))


def _stopped(lockdown: Compiled, proposal: Proposal) -> bool:
    found = Calendar([lockdown]).findings(
        proposal.subject,
        targets(proposal.organisation, proposal.items, proposal.environments, proposal.model),
        proposal.windows,
        reason=True,
        activity=Activity.START,
        downtimes=proposal.downtimes,
        facts=proposal.facts,
    )
    return any(one.severity in {Severity.BLOCK, Severity.UNKNOWN} for one in found)


def shown(actor: Actor, refs: list[Ref]) -> list[Ref]:
    """Return the references as the actor may be told them."""
    sees = accounts.access(actor).sees
    return [ref if sees(ref) else HIDDEN for ref in refs]
