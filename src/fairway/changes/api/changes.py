"""Changes, their models and templates, and the calendar over the API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query
from msgspec import UNSET, UnsetType

from fairway.accounts import queries as accounts
from fairway.accounts.bulk import Op, bulk
from fairway.accounts.web import (
    ApiController,
    DecisionView,
    DryRun,
    RefView,
    decision_view,
    operation,
    ref_view,
)
from fairway.audit.commands import Command
from fairway.catalog.commands import ItemPatch
from fairway.changes import commands, queries, views
from fairway.changes.api import builds
from fairway.changes.commands.reading import Priority, References, Spans
from fairway.changes.models import ChangeModel, ChangeTemplate
from fairway.kernel.actor import Actor
from fairway.kernel.errors import NotFound
from fairway.kernel.listing import Page, picked
from fairway.kernel.period import Period, parse_instant


class KeyPath(msgspec.Struct):
    key: str


class ChangePatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A JSON merge patch (RFC 7396); lists are replaced as a whole."""

    title: str | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    reason: str | UnsetType | None = UNSET
    category: str | UnsetType | None = UNSET
    priority: Priority | UnsetType = UNSET
    external_id: str | UnsetType | None = UNSET
    implementation_plan: str | UnsetType | None = UNSET
    test_plan: str | UnsetType | None = UNSET
    backout_plan: str | UnsetType | None = UNSET
    implementation_time: timedelta | UnsetType | None = UNSET
    test_time: timedelta | UnsetType | None = UNSET
    backout_time: timedelta | UnsetType | None = UNSET
    freeze_reason: str | UnsetType | None = UNSET
    owner: str | UnsetType | None = UNSET
    implementers: References | UnsetType = UNSET
    items: References | UnsetType = UNSET
    primary_item: str | UnsetType | None = UNSET
    environments: References | UnsetType = UNSET
    windows: Spans | UnsetType = UNSET
    downtime: Spans | UnsetType = UNSET
    custom: dict[str, Any] | UnsetType | None = UNSET


class VoteBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`digest`: as reading the change gave it. A rejection needs a comment."""

    choice: Literal["approve", "reject"]
    digest: str
    comment: str = ""


class ReasonBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    reason: str


class CompleteBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`note`: what happened; needed unless all went well."""

    outcome: Literal["successful", "with_issues", "partial", "unsuccessful", "not_started"]
    note: str = ""
    backed_out: bool = False


class RescheduleBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A downtime that is not named anew falls away."""

    windows: Spans
    downtime: Spans = ()


class FindingsQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`at`: the instant asked about; now unless told."""

    at: str = ""


class CalendarQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The span [from, to); `lanes`: one for each item, environment, organisation or person.

    A change lies on the lanes of its owner and of those who carry it out.
    """

    start: str = msgspec.field(name="from")
    end: str = msgspec.field(name="to")
    lanes: queries.Lanes = "item"
    item: str = ""
    environment: str = ""


class LaneView(msgspec.Struct, kw_only=True):
    key: str
    name: str
    group: str
    href: str
    note: str


class BarConflict(msgspec.Struct, kw_only=True):
    """`other`: the key of the other party, empty where it is another organisation's."""

    rule: str
    severity: str
    message: str
    other: str
    start: datetime
    end: datetime
    path: list[str]


class BarView(msgspec.Struct, kw_only=True):
    """One planned window on one lane. `strength`: tentative, requested, approved, active or done.

    `version`: of the change; `movable`: whether the caller may reschedule it in its state.
    """

    id: str
    key: str
    lane: str
    title: str
    start: datetime
    end: datetime
    kind: str
    state: str
    strength: str
    href: str
    place: str
    version: int
    movable: bool
    conflicts: list[BarConflict]


class ShadeView(msgspec.Struct, kw_only=True):
    """A freeze or maintenance window; `lanes` null: all of them."""

    kind: str
    name: str
    start: datetime
    end: datetime
    lanes: list[str] | None
    href: str


class CalendarView(msgspec.Struct, kw_only=True):
    start: datetime = msgspec.field(name="from")
    end: datetime = msgspec.field(name="to")
    lanes: list[LaneView]
    bars: list[BarView]
    shades: list[ShadeView]


def _reader(controller: ApiController) -> Actor:
    """Return who reads.

    :raises Forbidden: they may not see changes anywhere, or not with this token.
    """
    accounts.require(controller.actor, "changes.view", at=None)
    return controller.actor


class ChangesController(ApiController):
    """Changes."""

    @operation("changes.view", views.ChangeList, files=True)
    def get(self, parsed_query: Query[queries.ChangeQuery]) -> HttpResponseBase:
        """List changes; `q` finds words in title and external id, or a key."""
        reader, wanted = _reader(self), picked(parsed_query, views.FIELDS)

        def read(query: queries.ChangeQuery) -> tuple[Page, list[views.ChangeRow]]:
            found = queries.change_page(reader, query)
            return found, views.rows(reader, found.rows, wanted)

        return self.listed(parsed_query, read, views.FIELDS)

    @operation("changes.request", views.ChangeView, status=201, etag=True, dry_run=True)
    def post(self, parsed_body: Body[commands.CreateChange], parsed_query: Query[DryRun]) -> HttpResponse:
        """Draft a change; the answer says what stands in its way."""
        return _run(self, parsed_body, "", dry_run=parsed_query.dry_run, status=201)


class ChangeController(ApiController):
    """One change."""

    @operation("changes.view", views.ChangeView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read a change by key or uid."""
        _reader(self)
        return _change(self, parsed_path.key)

    @operation("changes.request", views.ChangeView, etag=True, dry_run=True)
    def patch(
        self, parsed_path: Path[KeyPath], parsed_body: Body[ChangePatch], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Edit what is given; approved content that differs needs approval again."""
        command = commands.EditChange(
            change=parsed_path.key, version=self.expected(), **msgspec.structs.asdict(parsed_body)
        )
        return _run(self, command, parsed_path.key, dry_run=parsed_query.dry_run)


def _change(
    controller: ApiController, key: str, *, status: int = 200, decision: DecisionView | None = None
) -> HttpResponse:
    found = queries.dossier(controller.actor, key)
    location = f"/api/v1/changes/{found.change.key}" if status == 201 else ""
    body = views.change_view(controller.actor, found, at=controller.at, decision=decision)
    return controller.answer(body, status=status, version=found.change.version, location=location)


def _run(
    controller: ApiController, command: Command, key: str, *, dry_run: bool, status: int = 200
) -> HttpResponse:
    """Run a command on a change and answer with what stands there now, or say what it would do."""
    if dry_run:
        return controller.preview(command)
    outcome = controller.run(command)
    written = outcome.subject.key if outcome.subject is not None else key
    decision = decision_view(outcome.decision, controller.actor)
    return _change(controller, written, status=status, decision=decision)


def _take(
    controller: ApiController, verb: str, key: str, body: msgspec.Struct | None, *, dry_run: bool
) -> HttpResponse:
    """Take a step; illegal in the present state: 409 with the legal ones."""
    given = {"version": controller.expected(required=False), **(msgspec.structs.asdict(body) if body else {})}
    step = commands.STEPS[verb](change=key, **given)
    return _run(controller, step, key, dry_run=dry_run)


class SubmitController(ApiController):
    """The step submit."""

    @operation(commands.SubmitChange.permission, views.ChangeView, etag=True, dry_run=True)
    def post(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Ask for the change to be done as planned."""
        return _take(self, "submit", parsed_path.key, None, dry_run=parsed_query.dry_run)


class VoteController(ApiController):
    """The step vote."""

    @operation(commands.VoteOnChange.permission, views.ChangeView, etag=True, dry_run=True)
    def post(
        self, parsed_path: Path[KeyPath], parsed_body: Body[VoteBody], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Approve or reject the content that was seen."""
        return _take(self, "vote", parsed_path.key, parsed_body, dry_run=parsed_query.dry_run)


class ReturnController(ApiController):
    """The step return."""

    @operation(commands.ReturnChange.permission, views.ChangeView, etag=True, dry_run=True)
    def post(
        self, parsed_path: Path[KeyPath], parsed_body: Body[ReasonBody], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Give the change back, with what has to be different."""
        return _take(self, "return", parsed_path.key, parsed_body, dry_run=parsed_query.dry_run)


class StartController(ApiController):
    """The step start."""

    @operation(commands.StartChange.permission, views.ChangeView, etag=True, dry_run=True)
    def post(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Begin the work."""
        return _take(self, "start", parsed_path.key, None, dry_run=parsed_query.dry_run)


class CompleteController(ApiController):
    """The step complete."""

    @operation(commands.CompleteChange.permission, views.ChangeView, etag=True, dry_run=True)
    def post(
        self, parsed_path: Path[KeyPath], parsed_body: Body[CompleteBody], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Say what came of the work."""
        return _take(self, "complete", parsed_path.key, parsed_body, dry_run=parsed_query.dry_run)


class CloseController(ApiController):
    """The step close."""

    @operation(commands.CloseChange.permission, views.ChangeView, etag=True, dry_run=True)
    def post(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """End the review."""
        return _take(self, "close", parsed_path.key, None, dry_run=parsed_query.dry_run)


class CancelController(ApiController):
    """The step cancel."""

    @operation(commands.CancelChange.permission, views.ChangeView, etag=True, dry_run=True)
    def post(
        self, parsed_path: Path[KeyPath], parsed_body: Body[ReasonBody], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Give the change up before work began."""
        return _take(self, "cancel", parsed_path.key, parsed_body, dry_run=parsed_query.dry_run)


class HoldController(ApiController):
    """The step hold."""

    @operation(commands.HoldChange.permission, views.ChangeView, etag=True, dry_run=True)
    def post(
        self, parsed_path: Path[KeyPath], parsed_body: Body[ReasonBody], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Keep the change from going on until it is resumed."""
        return _take(self, "hold", parsed_path.key, parsed_body, dry_run=parsed_query.dry_run)


class ResumeController(ApiController):
    """The step resume."""

    @operation(commands.ResumeChange.permission, views.ChangeView, etag=True, dry_run=True)
    def post(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Let a held change go on."""
        return _take(self, "resume", parsed_path.key, None, dry_run=parsed_query.dry_run)


class RescheduleController(ApiController):
    """The step reschedule."""

    @operation(commands.RescheduleChange.permission, views.ChangeView, etag=True, dry_run=True)
    def post(
        self, parsed_path: Path[KeyPath], parsed_body: Body[RescheduleBody], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Plan the change for other times; the answer says what stands in the way of them."""
        command = commands.RescheduleChange(
            change=parsed_path.key,
            version=self.expected(required=False),
            windows=parsed_body.windows,
            downtime=parsed_body.downtime,
        )
        return _run(self, command, parsed_path.key, dry_run=parsed_query.dry_run)


class FindingsController(ApiController):
    """What stands in the way of a change."""

    @operation("changes.view", DecisionView)
    def get(self, parsed_path: Path[KeyPath], parsed_query: Query[FindingsQuery]) -> HttpResponse:
        """Decide whether the change can be carried out as planned."""
        at = parse_instant(parsed_query.at) if parsed_query.at else self.at
        found = queries.dossier(_reader(self), parsed_path.key)
        return self.answer(decision_view(queries.assess_dossier(found, at=at), self.actor))


class StepsController(ApiController):
    """The steps of a change that the caller may take."""

    @operation("changes.view", views.StepList)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """List the legal steps, each with what would refuse it now."""
        found = queries.dossier(_reader(self), parsed_path.key)
        steps = queries.steps(self.actor, found, at=self.at)
        return self.answer(views.steps_view(found, steps, self.actor))


class ChangeModelsController(ApiController):
    """Change models."""

    @operation("changes.view", views.ChangeModelList)
    def get(self) -> HttpResponse:
        """List the change models with their states and steps."""
        _reader(self)
        return self.answer(
            views.ChangeModelList(items=[views.model_view(model) for model in queries.models()])
        )


class ChangeModelController(ApiController):
    """One change model."""

    @operation("changes.view", views.ChangeModelView)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read a change model by key or uid."""
        _reader(self)
        return self.answer(views.model_view(_found(queries.models(), parsed_path.key, "change model")))


class TemplatesController(ApiController):
    """Templates of standard changes."""

    @operation("changes.view", views.TemplateList)
    def get(self) -> HttpResponse:
        """List the templates."""
        _reader(self)
        return self.answer(
            views.TemplateList(items=[views.template_view(template) for template in queries.templates()])
        )


class TemplateController(ApiController):
    """One template."""

    @operation("changes.view", views.TemplateView)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read a template by key or uid."""
        _reader(self)
        return self.answer(views.template_view(_found(queries.templates(), parsed_path.key, "template")))


T = TypeVar("T", ChangeModel, ChangeTemplate)


def _found(rows: Sequence[T], reference: str, kind: str) -> T:
    for row in rows:
        if reference in {row.slug, str(row.uid)}:
            return row
    raise NotFound(f"There is no {kind} “{reference[:60]}”.")


class CalendarController(ApiController):
    """Everything planned in a span of time."""

    @operation("changes.view", CalendarView)
    def get(self, parsed_query: Query[CalendarQuery]) -> HttpResponse:
        """Read lanes, bars with their conflicts, and freezes, as a timeline draws them."""
        period = Period(
            parse_instant(parsed_query.start, field="from"), parse_instant(parsed_query.end, field="to")
        )
        return self.answer(
            queries.timeline(
                _reader(self),
                period,
                by=parsed_query.lanes,
                item=parsed_query.item or None,
                environment=parsed_query.environment or None,
            )
        )


class EditsBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One patch for one or more items."""

    items: References
    patch: ItemPatch


class EditPath(msgspec.Struct):
    key: str
    item: str


class FieldEditView(msgspec.Struct, kw_only=True):
    """`old`: what stood there when it was proposed; `new`: null takes it away."""

    field: str
    old: Any
    new: Any


class ProposedEditView(msgspec.Struct, kw_only=True):
    """`patch`: in the words of the item's own PATCH."""

    item: RefView
    fields: list[FieldEditView]
    proposed_at: datetime
    applied_at: datetime | None


class EditList(msgspec.Struct, kw_only=True):
    """`unapplied`: how many of the edits the catalogue does not hold yet."""

    items: list[ProposedEditView]
    unapplied: int


def _edits(controller: ApiController, key: str) -> HttpResponse:
    dossier = queries.dossier(controller.actor, key)
    found = [
        ProposedEditView(
            item=ref_view(edit.item.ref()),
            fields=[FieldEditView(field=one.field, old=one.old, new=one.new) for one in fields],
            proposed_at=edit.proposed_at,
            applied_at=edit.applied_at,
        )
        for edit, fields in queries.edits(controller.actor, dossier)
    ]
    left = sum(one.applied_at is None for one in found)
    return controller.answer(EditList(items=found, unapplied=left), version=dossier.change.version)


class EditsController(ApiController):
    """Edits of items that a change proposes."""

    @operation("changes.view", EditList, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """List what the change alters of items, field by field."""
        _reader(self)
        return _edits(self, parsed_path.key)

    @operation("changes.request", EditList, etag=True, dry_run=True)
    def post(
        self, parsed_path: Path[KeyPath], parsed_body: Body[EditsBody], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Propose an edit of one or more items, in place of what was proposed for them before."""
        command = commands.ProposeEdits(
            change=parsed_path.key,
            items=parsed_body.items,
            patch=parsed_body.patch,
            version=self.expected(required=False),
        )
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _edits(self, parsed_path.key)


class EditController(ApiController):
    """The edit of one item that a change proposes."""

    @operation("changes.request", EditList, etag=True, dry_run=True)
    def delete(self, parsed_path: Path[EditPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Propose it no longer."""
        command = commands.WithdrawEdit(
            change=parsed_path.key, item=parsed_path.item, version=self.expected(required=False)
        )
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _edits(self, parsed_path.key)


class ApplyEditsController(ApiController):
    """The step of writing what a change proposes."""

    @operation("changes.implement", EditList, etag=True, dry_run=True)
    def post(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Write the edits into the catalogue, all or none, while the change is implementing."""
        command = commands.ApplyEdits(change=parsed_path.key, version=self.expected(required=False))
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _edits(self, parsed_path.key)


OPS = {
    "create": Op(commands.CreateChange),
    "patch": Op(commands.EditChange, "change", versioned=True),
    "reschedule": Op(commands.RescheduleChange, "change"),
    **{verb: Op(step, "change") for verb, step in commands.STEPS.items()},
}


class PinBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    item: str
    affected: bool
    reason: str


class PinPath(msgspec.Struct):
    key: str
    item: str


class PinView(msgspec.Struct, kw_only=True):
    """Said by a person: `affected` or not, whatever the relations say."""

    item: RefView
    affected: bool
    reason: str
    person: str
    pinned_at: datetime


class AffectedView(msgspec.Struct, kw_only=True):
    """`kind`: the slug of what it is; `path`: from an item of the change, or a pinned one."""

    item: RefView
    kind: str
    criticality: int
    depth: int
    path: list[RefView]


class ChangeImpact(msgspec.Struct, kw_only=True):
    """What else is affected when the items of a change fail together, nearest and most critical first.

    `services` holds at most fifty, `items` two hundred; the counts count all.
    """

    count: int
    worst_criticality: int | None
    service_count: int
    services: list[AffectedView]
    items: list[AffectedView]
    pins: list[PinView]


def _affected(one: Any) -> AffectedView:
    return AffectedView(
        item=ref_view(one.item),
        kind=one.kind,
        criticality=one.criticality,
        depth=one.depth,
        path=[ref_view(ref) for ref in one.path],
    )


def _impact(controller: ApiController, key: str) -> HttpResponse:
    dossier = queries.dossier(controller.actor, key)
    found = queries.reaching(controller.actor, dossier)
    impact = found.impact
    view = ChangeImpact(
        count=impact.total if impact else 0,
        worst_criticality=impact.worst if impact else None,
        service_count=impact.service_count if impact else 0,
        services=[_affected(one) for one in impact.services] if impact else [],
        items=[_affected(one) for one in impact.reached] if impact else [],
        pins=[
            PinView(
                item=ref_view(pin.item.ref()),
                affected=pin.affected,
                reason=pin.reason,
                person=pin.person.name if pin.person else "",
                pinned_at=pin.pinned_at,
            )
            for pin in found.pins
        ],
    )
    return controller.answer(view)


class ImpactController(ApiController):
    """What a change affects beside its items."""

    @operation("changes.view", ChangeImpact)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Compute the impact of the change anew; what people pinned holds."""
        return _impact(self, parsed_path.key)


class PinsController(ApiController):
    """Items that a person says are affected, or are not."""

    @operation("changes.request", ChangeImpact, dry_run=True)
    def post(
        self, parsed_path: Path[KeyPath], parsed_body: Body[PinBody], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Pin an item, or change what was said of it; answers the impact that follows."""
        command = commands.PinItem(change=parsed_path.key, **msgspec.structs.asdict(parsed_body))
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _impact(self, parsed_path.key)


class PinController(ApiController):
    """One pinned item."""

    @operation("changes.request", ChangeImpact, dry_run=True)
    def delete(self, parsed_path: Path[PinPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Let the relations say again whether the item is affected; answers the impact that follows."""
        command = commands.UnpinItem(change=parsed_path.key, item=parsed_path.item)
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _impact(self, parsed_path.key)


urls = [
    path("change-models", ChangeModelsController.as_view(), name="change-models"),
    path("change-models/<str:key>", ChangeModelController.as_view(), name="change-model"),
    path("templates", TemplatesController.as_view(), name="templates"),
    path("templates/<str:key>", TemplateController.as_view(), name="template"),
    path("changes", ChangesController.as_view(), name="changes"),
    path("changes/bulk", bulk("changes.request", OPS, what="changes").as_view(), name="changes-bulk"),
    path("changes/<str:key>", ChangeController.as_view(), name="change"),
    path("changes/<str:key>/findings", FindingsController.as_view(), name="change-findings"),
    path("changes/<str:key>/steps", StepsController.as_view(), name="change-steps"),
    path("changes/<str:key>/impact", ImpactController.as_view(), name="change-impact"),
    path("changes/<str:key>/edits", EditsController.as_view(), name="change-edits"),
    path("changes/<str:key>/edits/<str:item>", EditController.as_view(), name="change-edit"),
    path("changes/<str:key>/apply-edits", ApplyEditsController.as_view(), name="change-apply-edits"),
    *builds.urls,
    path("changes/<str:key>/pins", PinsController.as_view(), name="change-pins"),
    path("changes/<str:key>/pins/<str:item>", PinController.as_view(), name="change-pin"),
    path("changes/<str:key>/submit", SubmitController.as_view(), name="change-submit"),
    path("changes/<str:key>/vote", VoteController.as_view(), name="change-vote"),
    path("changes/<str:key>/return", ReturnController.as_view(), name="change-return"),
    path("changes/<str:key>/start", StartController.as_view(), name="change-start"),
    path("changes/<str:key>/complete", CompleteController.as_view(), name="change-complete"),
    path("changes/<str:key>/close", CloseController.as_view(), name="change-close"),
    path("changes/<str:key>/cancel", CancelController.as_view(), name="change-cancel"),
    path("changes/<str:key>/hold", HoldController.as_view(), name="change-hold"),
    path("changes/<str:key>/resume", ResumeController.as_view(), name="change-resume"),
    path("changes/<str:key>/reschedule", RescheduleController.as_view(), name="change-reschedule"),
    path("calendar", CalendarController.as_view(), name="calendar"),
]
