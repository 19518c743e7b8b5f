"""Changes as the API tells them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from fairway.accounts import queries as accounts
from fairway.accounts.web import DecisionView, FindingView, RefView, finding_view, ref_view
from fairway.approvals import queries as approvals
from fairway.audit import queries as audit
from fairway.catalog import queries as catalog
from fairway.changes import queries
from fairway.changes.models import Change, ChangeModel, ChangeTemplate
from fairway.changes.queries import Dossier, Step
from fairway.environments import queries as environments
from fairway.kernel.actor import Actor
from fairway.kernel.refs import HIDDEN, Ref
from fairway.workspace import queries as workspace


class SpanView(msgspec.Struct, kw_only=True):
    """A half-open interval [start, end)."""

    start: datetime
    end: datetime


class HoldView(msgspec.Struct, kw_only=True):
    since: datetime
    reason: str


class LockView(msgspec.Struct, kw_only=True):
    """The lockdown that holds a change."""

    since: datetime
    key: str


class ApprovalView(msgspec.Struct, kw_only=True):
    """Where consent comes from (`votes` or `template`), and whether the present content has it.

    `approvals` counts the valid votes for the present content, `quorum` how many it takes.
    """

    by: str
    given: bool
    quorum: int | None
    approvals: int | None


class ChangeView(msgspec.Struct, kw_only=True):
    """`digest` names the content that an approval is about: send it along with a vote."""

    key: str
    uid: str
    title: str
    description: str
    reason: str
    category: str
    priority: int
    external_id: str
    model: RefView
    template: RefView | None
    state: str
    open: bool
    state_reason: str
    hold: HoldView | None
    lockdown: LockView | None
    organisation: RefView
    requester: RefView | None
    owner: RefView | None
    implementers: list[RefView]
    items: list[RefView]
    primary_item: RefView | None
    environments: list[RefView]
    windows: list[SpanView]
    downtime: list[SpanView]
    planned_start: datetime | None
    planned_end: datetime | None
    implementation_plan: str
    test_plan: str
    backout_plan: str
    implementation_time: timedelta | None
    test_time: timedelta | None
    backout_time: timedelta | None
    freeze_reason: str
    created_at: datetime
    submitted_at: datetime | None
    actual_start: datetime | None
    actual_end: datetime | None
    outcome: str
    backed_out: bool
    outcome_note: str
    approval: ApprovalView
    digest: str
    custom: dict[str, Any]
    version: int
    decision: DecisionView | UnsetType = UNSET
    """What stands in the way of the plan: in the answer to a write, of the moment in which it was written."""


class ChangeRow(msgspec.Struct, kw_only=True):
    """A change in a list: all its fields, or those that `fields=` picked."""

    key: str | UnsetType = UNSET
    uid: str | UnsetType = UNSET
    title: str | UnsetType = UNSET
    state: str | UnsetType = UNSET
    open: bool | UnsetType = UNSET
    held: bool | UnsetType = UNSET
    model: RefView | UnsetType = UNSET
    template: RefView | UnsetType | None = UNSET
    category: str | UnsetType = UNSET
    priority: int | UnsetType = UNSET
    external_id: str | UnsetType = UNSET
    organisation: RefView | UnsetType = UNSET
    requester: RefView | UnsetType | None = UNSET
    owner: RefView | UnsetType | None = UNSET
    items: list[RefView] | UnsetType = UNSET
    environments: list[RefView] | UnsetType = UNSET
    planned_start: datetime | UnsetType | None = UNSET
    planned_end: datetime | UnsetType | None = UNSET
    created_at: datetime | UnsetType = UNSET
    submitted_at: datetime | UnsetType | None = UNSET
    outcome: str | UnsetType = UNSET
    custom: dict[str, Any] | UnsetType = UNSET
    version: int | UnsetType = UNSET


class ChangeList(msgspec.Struct, kw_only=True):
    items: list[ChangeRow]
    next: str | None
    count: int | UnsetType = UNSET


class StepView(msgspec.Struct, kw_only=True):
    """A step that exists for the caller now. `asks`: what to send along. `findings`: why it is refused."""

    verb: str
    asks: list[str]
    enabled: bool
    findings: list[FindingView]


class StepList(msgspec.Struct, kw_only=True):
    state: str
    items: list[StepView]


class ChangeModelView(msgspec.Struct, kw_only=True):
    """`definition`: states with their predicates, the edges between them, and where approval comes from."""

    key: str
    uid: str
    name: str
    definition: dict[str, Any]


class ChangeModelList(msgspec.Struct, kw_only=True):
    items: list[ChangeModelView]


class TemplateView(msgspec.Struct, kw_only=True):
    """`duration`: how long the work takes as a rule, in seconds. The template fixes category and plans."""

    key: str
    uid: str
    name: str
    model: RefView
    title: str
    description: str
    category: str
    implementation_plan: str
    test_plan: str
    backout_plan: str
    duration: float
    authorised: bool


class TemplateList(msgspec.Struct, kw_only=True):
    items: list[TemplateView]


FIELDS = ChangeRow.__struct_fields__


def change_view(
    actor: Actor, dossier: Dossier, *, at: datetime, decision: DecisionView | None = None
) -> ChangeView:
    """Return the change with all that belongs to it, as the actor may see it."""
    change = dossier.change
    things = {pk: one.ref for pk, one in catalog.facts(dossier.items).items()}
    places = {pk: one.ref for pk, one in environments.facts().items()}
    primary = next((things[row.item_id] for row in dossier.affected if row.primary), None)
    hold = HoldView(since=change.held_at, reason=change.hold_reason) if change.held_at else None
    lockdown = LockView(since=change.locked_at, key=change.locked_by) if change.locked_at else None
    return ChangeView(
        key=change.key,
        uid=str(change.uid),
        title=change.title,
        description=change.description,
        reason=change.reason,
        category=change.category,
        priority=change.priority,
        external_id=change.external_id,
        model=_slugged("change-model", change.model),
        template=_slugged("template", change.template) if change.template else None,
        state=change.state,
        open=change.is_open,
        state_reason=change.state_reason,
        hold=hold,
        lockdown=lockdown,
        organisation=ref_view(change.organisation.ref()),
        requester=ref_view(change.requester.ref()) if change.requester else None,
        owner=ref_view(change.owner.ref()) if change.owner else None,
        implementers=[ref_view(row.person.ref()) for row in dossier.implementers],
        items=refs(actor, dossier.items, things),
        primary_item=ref_view(_seen(actor, primary)) if primary else None,
        environments=refs(actor, dossier.environments, places),
        windows=[SpanView(start=p.start, end=p.end) for p in dossier.periods(downtime=False)],
        downtime=[SpanView(start=p.start, end=p.end) for p in dossier.periods(downtime=True)],
        planned_start=change.planned_start,
        planned_end=change.planned_end,
        implementation_plan=change.implementation_plan,
        test_plan=change.test_plan,
        backout_plan=change.backout_plan,
        implementation_time=change.implementation_time,
        test_time=change.test_time,
        backout_time=change.backout_time,
        freeze_reason=change.freeze_reason,
        created_at=change.created_at,
        submitted_at=change.submitted_at,
        actual_start=change.actual_start,
        actual_end=change.actual_end,
        outcome=change.outcome,
        backed_out=change.backed_out,
        outcome_note=change.outcome_note,
        approval=approval_view(dossier, at=at),
        digest=change.digest,
        custom=workspace.seen(actor, "change", change),
        version=change.version,
        decision=decision if decision is not None else UNSET,
    )


def approval_view(dossier: Dossier, *, at: datetime) -> ApprovalView:
    change = dossier.change
    given = queries.has_consent(dossier, at=at)
    if dossier.workflow.approval.by == "template":
        return ApprovalView(by="template", given=given, quorum=None, approvals=None)
    told = approvals.standing(
        change.round,
        dossier.ballots,
        digest=change.digest,
        parties=[change.requester_id, *dossier.people],
        at=at,
    )
    quorum = told.policy.quorum if told is not None else dossier.workflow.approval.quorum
    return ApprovalView(
        by="votes", given=given, quorum=quorum, approvals=len(told.approved) if told is not None else 0
    )


def rows(actor: Actor, found: Sequence[Mapping[str, Any]], wanted: frozenset[str] | None) -> list[ChangeRow]:
    """Return rows of the list with the fields that are wanted; items and environments only where they are."""
    with audit.steady():
        return list(_rows(actor, found, FIELDS if wanted is None else tuple(wanted)))


def _rows(actor: Actor, found: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Iterator[ChangeRow]:
    pks = [row["pk"] for row in found]
    items = queries.items_of(pks) if "items" in names else {}
    places = queries.environments_of(pks) if "environments" in names else {}
    things = {pk: one.ref for pk, one in catalog.facts({i for some in items.values() for i in some}).items()}
    wheres = {pk: one.ref for pk, one in environments.facts().items()} if places else {}
    custom = workspace.seen_all(actor, "change", found) if "custom" in names else [{}] * len(found)
    for row, own in zip(found, custom, strict=True):
        values = {
            "custom": own,
            "key": f"{Change.prefix}-{row['number']}",
            "uid": str(row["uid"]),
            "open": row["is_open"],
            "held": row["held_at"] is not None or row["locked_at"] is not None,
            "model": _ref("change-model", row, "model", "slug"),
            "template": _ref("template", row, "template", "slug") if row["template__slug"] else None,
            "organisation": _ref("organisation", row, "organisation", "slug"),
            "requester": _person(row, "requester"),
            "owner": _person(row, "owner"),
            "items": refs(actor, items.get(row["pk"], ()), things),
            "environments": refs(actor, places.get(row["pk"], ()), wheres),
        }
        yield ChangeRow(**{name: values[name] if name in values else row[name] for name in names})


def refs(actor: Actor, pks: Collection[int], known: Mapping[int, Ref]) -> list[RefView]:
    """Return references; what the actor may not see stands there as another organisation's."""
    return [ref_view(_seen(actor, known[pk])) for pk in pks]


def steps_view(dossier: Dossier, found: Sequence[Step], actor: Actor) -> StepList:
    sees = accounts.access(actor).sees
    return StepList(
        state=dossier.change.state,
        items=[
            StepView(
                verb=step.verb,
                asks=list(step.asks),
                enabled=step.enabled,
                findings=[finding_view(finding.redacted(sees)) for finding in step.why_not],
            )
            for step in found
        ],
    )


def model_view(model: ChangeModel) -> ChangeModelView:
    return ChangeModelView(key=model.slug, uid=str(model.uid), name=model.name, definition=model.definition)


def template_view(template: ChangeTemplate) -> TemplateView:
    return TemplateView(
        key=template.slug,
        uid=str(template.uid),
        name=template.name,
        model=_slugged("change-model", template.model),
        title=template.title,
        description=template.description,
        category=template.category,
        implementation_plan=template.implementation_plan,
        test_plan=template.test_plan,
        backout_plan=template.backout_plan,
        duration=template.duration.total_seconds(),
        authorised=template.authorised,
    )


def _seen(actor: Actor, ref: Ref) -> Ref:
    return ref if accounts.access(actor).sees(ref) else HIDDEN


def _slugged(kind: str, row: ChangeModel | ChangeTemplate) -> RefView:
    return RefView(kind=kind, key=row.slug, name=row.name, uid=str(row.uid))


def _ref(kind: str, row: Mapping[str, Any], prefix: str, key: str) -> RefView:
    return RefView(
        kind=kind, key=row[f"{prefix}__{key}"], name=row[f"{prefix}__name"], uid=str(row[f"{prefix}__uid"])
    )


def _person(row: Mapping[str, Any], prefix: str) -> RefView | None:
    number = row[f"{prefix}__number"]
    if number is None:
        return None
    return RefView(
        kind="user", key=f"USR-{number}", name=row[f"{prefix}__name"], uid=str(row[f"{prefix}__uid"])
    )
