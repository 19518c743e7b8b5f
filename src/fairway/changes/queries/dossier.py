"""A change with all that belongs to it, as commands and the record page need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from fairway.accounts import queries as accounts
from fairway.approvals import queries as approvals
from fairway.approvals.queries import Ballot
from fairway.calendars import queries as calendars
from fairway.calendars.queries import Facts
from fairway.catalog import queries as catalog
from fairway.changes.models import (
    AffectedEnvironment,
    AffectedItem,
    Change,
    ChangeModel,
    ChangeTemplate,
    Implementer,
    PlannedWindow,
    ProposedEdit,
)
from fairway.changes.rules import Content, Workflow, digest, read
from fairway.changes.rules.fitting import Times as Times
from fairway.environments import queries as environments
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid, NotFound
from fairway.kernel.models import uid_lookup
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref

_workflows: dict[int, tuple[object, Workflow]] = {}


NO_TIMES = Times()


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a change asks of time and things, saved or not; primary keys, and periods in order.

    `environments` are those named and what is taken with them. `strength` is how firmly it holds them;
    `freeze_reason`: a reason for work within a soft freeze was given.
    """

    subject: Ref
    organisation: int
    windows: tuple[Period, ...] = ()
    downtimes: tuple[Period, ...] = ()
    items: tuple[int, ...] = ()
    environments: tuple[int, ...] = ()
    strength: str = "tentative"
    freeze_reason: bool = False
    model: int | None = None
    facts: Facts | None = field(default=None, compare=False)
    """What conditions of windows read of it."""
    people: tuple[int, ...] = ()
    """Who carries it out: nobody does two things at a time."""
    times: Times = NO_TIMES
    """How long the parts of the work take."""
    submitted_at: datetime | None = None


@dataclass(slots=True)
class Dossier:
    """A change and its rows. `windows` holds work and downtime; rows stand in a fixed order."""

    change: Change
    workflow: Workflow
    windows: list[PlannedWindow] = field(default_factory=list)
    affected: list[AffectedItem] = field(default_factory=list)
    places: list[AffectedEnvironment] = field(default_factory=list)
    implementers: list[Implementer] = field(default_factory=list)
    ballots: list[Ballot] = field(default_factory=list)
    edits: list[ProposedEdit] = field(default_factory=list)

    @property
    def items(self) -> tuple[int, ...]:
        return tuple(row.item_id for row in self.affected)

    @property
    def environments(self) -> tuple[int, ...]:
        return tuple(row.environment_id for row in self.places)

    @property
    def people(self) -> tuple[int, ...]:
        return tuple(row.person_id for row in self.implementers)

    def periods(self, *, downtime: bool) -> tuple[Period, ...]:
        return tuple(Period(row.starts_at, row.ends_at) for row in self.windows if row.downtime is downtime)

    def proposal(self, *, strength: str | None = None) -> Proposal:
        change = self.change
        return Proposal(
            change.ref(),
            change.organisation_id,
            self.periods(downtime=False),
            self.periods(downtime=True),
            self.items,
            environments.with_children(self.environments),
            strength or self.workflow.by_slug[change.state].claim,
            bool(change.freeze_reason.strip()),
            change.model_id,
            self._facts,
            workers(self.people, change.owner_id, change.requester_id),
            Times(change.implementation_time, change.test_time, change.backout_time),
            change.submitted_at,
        )

    def _facts(self) -> dict[str, Any]:
        change = self.change
        return facts_of(
            change.title,
            change.category,
            change.priority,
            change.custom,
            model=change.model.slug,
            template=change.template.slug if change.template is not None else "",
            organisation=change.organisation.slug,
            downtime=any(row.downtime for row in self.windows),
            notice=notice_of(change.planned_start, change.submitted_at, change.organisation_id),
        )


def facts_of(
    title: str,
    category: str,
    priority: int,
    custom: Mapping[str, Any],
    *,
    model: str,
    template: str,
    organisation: str,
    downtime: bool,
    notice: Notice,
) -> dict[str, Any]:
    """Return what conditions of windows read of a change, by the names that they use."""
    return {
        "title": title,
        "category": category,
        "priority": priority,
        "custom": dict(custom),
        "model": model,
        "template": template,
        "organisation": organisation,
        "downtime": downtime,
        "notice": notice.hours,
        "working_notice": notice.working,
    }


@dataclass(frozen=True, slots=True)
class Notice:
    """Whole hours, rounded down, between asking and beginning: all of them, and those worked meanwhile."""

    hours: int
    working: int


UNPLANNED = Notice(1_000_000, 1_000_000)
"""Where none can be told: no rule about notice is for that."""


def notice_of(start: datetime | None, submitted: datetime | None, organisation: int) -> Notice:
    """Return how much notice a change gives, by the working calendar of its organisation; where work came
    first, below nought, of working hours nought.

    A draft is asked for now. Of what is past and was never submitted nobody knows.
    """
    now = datetime.now(UTC)
    if start is None or (submitted is None and start < now):
        return UNPLANNED
    asked, hour = submitted or now, timedelta(hours=1)
    worked = calendars.working_time(organisation).between(asked, start) if start > asked else timedelta()
    return Notice((start - asked) // hour, worked // hour)


def workers(implementers: Sequence[int], owner: int | None, requester: int | None) -> tuple[int, ...]:
    """Return whose time the work takes: its implementers; where none is named yet, an owner who did not just
    ask for it.
    """
    if implementers or owner is None or owner == requester:
        return tuple(implementers)
    return (owner,)


def change(actor: Actor, reference: str, *, lock: bool = False) -> Change:
    """Return the change by key or uid; `lock` holds its row until the transaction ends.

    :raises NotFound: there is none, or the actor may not see it.
    """
    lookup = Change.lookup(reference)
    found = None
    if lookup is not None:
        query = Change.objects.select_related(
            "model", "template", "round", "organisation", "requester", "owner"
        )
        if lock:
            query = query.select_for_update(of=("self",), no_key=True)
        found = accounts.visible(query.filter(**lookup), actor).first()
    if found is None:
        raise NotFound(f"There is no change “{reference[:100]}”.")
    return found


def dossier(actor: Actor, reference: str, *, lock: bool = False, lock_items: bool = True) -> Dossier:
    """Return a change with its rows; `lock` holds the change and its items, in one order for everybody.

    `lock_items` False leaves the items to whoever will lock more of them: all in one order, at once.

    :raises NotFound: there is none, or the actor may not see it.
    """
    found = change(actor, reference, lock=lock)
    whole = Dossier(
        found,
        workflow(found.model),
        list(PlannedWindow.objects.filter(change=found).order_by("starts_at", "ends_at", "downtime")),
        list(AffectedItem.objects.filter(change=found).order_by("-primary", "pk")),
        list(AffectedEnvironment.objects.filter(change=found).order_by("pk")),
        list(Implementer.objects.filter(change=found).select_related("person").order_by("pk")),
        approvals.ballots(found.round_id),
        list(
            ProposedEdit.objects.filter(change=found)
            .select_related("item__item_kind", "item__organisation", "applied_by")
            .order_by("item")
        ),
    )
    for row in (*whole.windows, *whole.affected, *whole.places, *whole.implementers, *whole.edits):
        row.change = found
    if lock and lock_items:
        catalog.lock(whole.items)
    return whole


def workflow(model: ChangeModel) -> Workflow:
    """Return the workflow of a model, read once per process until its definition changes."""
    known = _workflows.get(model.pk)
    if known is None or known[0] != model.definition:
        known = _workflows[model.pk] = (model.definition, read(model.definition))
    return known[1]


def models() -> list[ChangeModel]:
    return list(ChangeModel.objects.order_by("position", "pk"))


def model(reference: str, *, field: str = "model") -> ChangeModel:
    """Return the change model by slug or uid.

    :raises Invalid: there is none; names those there are.
    """
    found = ChangeModel.objects.filter(**(uid_lookup(reference) or {"slug": reference})).first()
    if found is None:
        there_are = ", ".join(ChangeModel.objects.order_by("position").values_list("slug", flat=True))
        raise Invalid.field(field, f"There is no change model “{reference[:60]}”; there are {there_are}.")
    return found


def templates(*, authorised: bool = False) -> list[ChangeTemplate]:
    """Return the templates in their order; `authorised`: only those that changes can be made from."""
    query = ChangeTemplate.objects.select_related("model").order_by("position", "pk")
    return list(query.filter(authorised=True) if authorised else query)


def template(reference: str, *, field: str = "template") -> ChangeTemplate:
    """Return the template by slug or uid.

    :raises Invalid: there is none; names the authorised ones.
    """
    query = ChangeTemplate.objects.select_related("model")
    found = query.filter(**(uid_lookup(reference) or {"slug": reference})).first()
    if found is None:
        there_are = ", ".join(one.slug for one in templates(authorised=True)) or "none"
        raise Invalid.field(field, f"There is no template “{reference[:60]}”; there are {there_are}.")
    return found


def content_digest(whole: Dossier) -> str:
    """Return the digest of what an approval of this change is about (rules.Content)."""
    change = whole.change
    items, places = catalog.facts(whole.items), environments.facts()
    return digest(
        Content(
            title=change.title,
            description=change.description,
            implementation_plan=change.implementation_plan,
            test_plan=change.test_plan,
            backout_plan=change.backout_plan,
            model=str(change.model.uid),
            template=str(change.template.uid) if change.template is not None else "",
            windows=frozenset(whole.periods(downtime=False)),
            downtimes=frozenset(whole.periods(downtime=True)),
            items=frozenset(items[pk].ref.uid for pk in whole.items),
            environments=frozenset(places[pk].ref.uid for pk in whole.environments),
            edits={str(edit.item.uid): edit.patch for edit in whole.edits},
        )
    )


def keys(actor: Actor, whole: Dossier) -> tuple[list[str], list[str]]:
    """Return the keys of items, the primary one first, and of environments, as far as the actor sees them."""
    hidden = unseen(actor, whole)
    items, places = catalog.facts(whole.items), environments.facts()
    return (
        [items[pk].ref.key for pk in whole.items if pk not in hidden[0]],
        [places[pk].ref.key for pk in whole.environments if pk not in hidden[1]],
    )


def unseen(actor: Actor, whole: Dossier) -> tuple[list[int], list[int]]:
    """Return those of the change's items and environments that the actor may not see."""
    sees = accounts.access(actor).sees
    items, places = catalog.facts(whole.items), environments.facts()
    return (
        [pk for pk in whole.items if not sees(items[pk].ref)],
        [pk for pk in whole.environments if not sees(places[pk].ref)],
    )
