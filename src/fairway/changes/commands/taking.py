"""How a step of the change model is taken: who may, whether it exists, what it needs, what it writes."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from fairway.accounts import queries as accounts
from fairway.approvals import commands as approvals
from fairway.approvals.queries import Policy, RoundOutcome
from fairway.audit.commands import Plan
from fairway.changes import queries
from fairway.changes.queries import Case, Dossier
from fairway.changes.rules import Advance, Workflow, relations
from fairway.changes.words import VERBS
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Forbidden
from fairway.kernel.models import Row
from fairway.policy import Decision, Finding, Severity, decide, tell


@dataclass(slots=True)
class Writes:
    """What a step writes: the fields of the change, and rows beside it."""

    values: dict[str, Any] = field(default_factory=dict)
    create: list[Row] = field(default_factory=list)
    change: list[tuple[Row, Mapping[str, Any]]] = field(default_factory=list)
    remove: list[Row] = field(default_factory=list)


def permitted(dossier: Dossier, verb: str, actor: Actor) -> None:
    """Check that the actor may take the step, and that it exists in the present state.

    :raises Forbidden: may not take it in any state. :raises Conflict: not in this one; tells the legal.
    """
    change, access = dossier.change, accounts.access(actor)
    related = relations(
        actor.pk, requester=change.requester_id, owner=change.owner_id, implementers=dossier.people
    )

    def may(permission: str) -> bool:
        return access.may(permission, change.organisation_id)

    step = dossier.workflow.step(change.state, verb)
    if step is not None and step.open_to(related, may):
        return
    anywhere = [edge for edge in dossier.workflow.edges if edge.verb == verb]
    if step is None and any(edge.open_to(related, may) for edge in anywhere):
        raise illegal(dossier, verb, actor)
    needed = sorted({who.permission for edge in anywhere for who in edge.who})
    raise Forbidden(
        _("You may not %(verb)s %(change)s: it takes %(permissions)s, in the right relation to it.")
        % {
            "verb": verb,
            "change": change.key,
            "permissions": _(" or ").join(needed) or _("another change model"),
        }
    )


def illegal(dossier: Dossier, verb: str, actor: Actor) -> Conflict:
    """Return the problem that a step does not exist in the present state, with those that do."""
    legal = list(dict.fromkeys(edge.verb for edge in queries.open_steps(dossier, actor)))
    names = {
        "change": dossier.change.key,
        "state": dossier.change.state,
        "verb": verb,
        "legal": ", ".join(legal),
    }
    text = (
        _("%(change)s is %(state)s: “%(verb)s” is not possible now; possible are %(legal)s.")
        if legal
        else _("%(change)s is %(state)s: “%(verb)s” is not possible now, and nothing else is for you.")
    )
    return Conflict(
        text % names, code="changes.change.illegal", extra={"state": dossier.change.state, "legal": legal}
    )


def supposed(dossier: Dossier, values: Mapping[str, Any], **rows: Any) -> Dossier:
    """Return the dossier as it would be with these values and rows; the original is left as it is."""
    change = copy(dossier.change)
    for name, value in values.items():
        setattr(change, name, value)
    return replace(dossier, change=change, **rows)


def take(
    dossier: Dossier,
    verb: str,
    case: Case,
    writes: Writes,
    *,
    actor: Actor,
    at: datetime,
    tell_time: bool = False,
) -> Plan:
    """Plan the step with what it writes; `case` judges the change as it would be after it.

    `tell_time`: tell what stands in the way of the planned time although the step does not depend on it.
    :raises Conflict: the step's own conditions say that it is not there.
    """
    advance = dossier.workflow.advance(dossier.change.state, verb, case.holds)
    if advance is None:
        raise illegal(dossier, verb, actor)
    if advance.unmet:
        needs = [name for edge in advance.edges for name in edge.needs]
        return refusal(dossier, verb, decide(case.against(needs), at=at), actor)
    if against := queries.stopped_at(verb, case, at=at):
        return refusal(dossier, verb, decide(against, at=at), actor)
    enter(dossier, advance, case, writes, at=at)
    findings = lost_consent(advance, case)
    if tell_time or any("time" in edge.conditions for edge in advance.edges):
        findings += case.findings("time")
    return Plan(
        decision=queries.told(findings, at=at),
        subject=dossier.change,
        create=writes.create,
        change=[*writes.change, (dossier.change, writes.values)],
        remove=writes.remove,
        note={"verb": verb, "entered": list(advance.entered)} if advance.entered else {},
        answer=decide(findings, at=at),
    )


def lost_consent(advance: Advance, case: Case) -> list[Finding]:
    """Return why a step led back to authorising, if it did."""
    lost = any("unconsented" in edge.when for edge in advance.edges)
    return list(case.findings("consent")) if lost else []


def refusal(dossier: Dossier, verb: str, decision: Decision, actor: Actor) -> Plan:
    shown = decision.redacted(accounts.access(actor).sees)
    first = next(found for found in shown.findings if found.severity in {Severity.BLOCK, Severity.UNKNOWN})
    done = VERBS[verb].done if verb in VERBS else verb
    text = _("%(change)s cannot be %(done)s: %(why)s") % {
        "change": dossier.change.key,
        "done": done,
        "why": tell(first),
    }
    return Plan(decision=decision, subject=dossier.change, refusal=text, answer=decision)


def enter(dossier: Dossier, advance: Advance, case: Case, writes: Writes, *, at: datetime) -> None:
    """Add to the writes what entering the new state means: the state, and rounds of voting."""
    if not advance.entered:
        return
    workflow, change = dossier.workflow, dossier.change
    target = advance.entered[-1]
    writes.values |= standing(workflow, target)
    voted, votes = (workflow.step(state, "vote") is not None for state in (change.state, target))
    running = change.round if change.round is not None and change.round.outcome == RoundOutcome.OPEN else None
    if running is not None and not votes:
        writes.change.append(approvals.close_round(running, _outcome(workflow, target, advance), at=at))
    if votes and not (voted and running is not None):
        opened = approvals.open_round(
            change.ref(),
            organisation=change.organisation_id,
            policy=Policy(workflow.approval.quorum, workflow.approval.rejections),
            at=at,
        )
        writes.create.append(opened)
        writes.values["round"] = opened


def _outcome(workflow: Workflow, target: str, advance: Advance) -> str:
    if workflow.is_("approved", target):
        return RoundOutcome.APPROVED
    refused = any("refused" in edge.when for edge in advance.edges)
    return RoundOutcome.REJECTED if refused else RoundOutcome.WITHDRAWN


def standing(workflow: Workflow, state: str) -> dict[str, Any]:
    return {"state": state, "is_open": workflow.is_("open", state)}
