"""What the API tells beside records: references, findings, decisions, problems."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from fairway.accounts import queries
from fairway.audit.commands import Plan
from fairway.kernel.actor import Actor
from fairway.kernel.refs import Ref
from fairway.policy import Decision, Finding, Words, tell


class RefView(msgspec.Struct, frozen=True, kw_only=True):
    """A reference as the API gives it; `kind` "hidden" stands for a party the caller may not see."""

    kind: str
    key: str
    name: str = ""
    uid: str | None = None


class FindingView(msgspec.Struct, frozen=True, kw_only=True):
    """`id` stays as long as rule, parties and time of the finding do."""

    id: str
    rule: str
    severity: str
    message: str
    parties: list[RefView]
    interval: tuple[datetime, datetime] | None
    path: list[str]
    params: dict[str, Any]
    waivable_by: list[str]
    repairs: list[dict[str, Any]]


class DecisionView(msgspec.Struct, frozen=True, kw_only=True):
    verdict: str
    at: datetime | None
    findings: list[FindingView]
    next_open: datetime | None
    next_close: datetime | None
    point_of_no_return: datetime | None = None


class PlanView(msgspec.Struct, frozen=True, kw_only=True):
    """What a write would do (`dry_run=true`): nothing was written."""

    dry_run: bool
    decision: DecisionView
    subject: RefView | None
    changes: list[dict[str, Any]]


class FieldErrorView(msgspec.Struct, frozen=True):
    field: str
    message: str


class DifferenceView(msgspec.Struct, frozen=True):
    field: str
    yours: Any
    theirs: Any


class ProblemView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Problem details (RFC 9457). 412: `present` is the record now, `differing` what you have otherwise."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldErrorView] = []
    findings: list[FindingView] = []
    version: int | None = None
    present: dict[str, Any] | None = None
    differing: list[DifferenceView] = []


def ref_view(ref: Ref) -> RefView:
    return RefView(kind=ref.kind, key=ref.key, name=ref.name, uid=ref.uid or None)


def finding_view(finding: Finding, words: Words | None = None) -> FindingView:
    return FindingView(
        id=finding.id,
        rule=finding.rule,
        severity=str(finding.severity),
        message=tell(finding, words or Words()),
        parties=[ref_view(party) for party in finding.parties],
        interval=(finding.interval.start, finding.interval.end) if finding.interval else None,
        path=[ref.key for ref in finding.path],
        params=dict(finding.params),
        waivable_by=list(finding.waivable_by),
        repairs=[dict(repair) for repair in finding.repairs],
    )


def decision_view(decision: Decision, actor: Actor, words: Words | None = None) -> DecisionView:
    """Return the decision as the actor may see it; the API tells times in UTC."""
    shown = decision.redacted(queries.access(actor).sees)
    return DecisionView(
        verdict=str(shown.verdict),
        at=shown.at,
        findings=[finding_view(finding, words) for finding in shown.findings],
        next_open=shown.next_open,
        next_close=shown.next_close,
        point_of_no_return=shown.point_of_no_return,
    )


def plan_view(plan: Plan, actor: Actor) -> PlanView:
    """Return what a plan would write, as plain values; free text and all, for whoever asked."""
    changes: list[dict[str, Any]] = [
        {"action": "create", "kind": row._meta.model_name, "key": getattr(row, "key", None)}
        for row in plan.create
    ]
    changes += [
        {
            "action": "change",
            "kind": row._meta.model_name,
            "key": getattr(row, "key", None),
            "fields": sorted(values),
        }
        for row, values in plan.change
    ]
    changes += [
        {"action": "remove", "kind": row._meta.model_name, "key": getattr(row, "key", None)}
        for row in plan.remove
    ]
    subject = ref_view(plan.subject.ref()) if plan.subject is not None else None
    return PlanView(
        dry_run=True, decision=decision_view(plan.decision, actor), subject=subject, changes=changes
    )
