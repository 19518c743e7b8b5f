"""Writing changes down: new ones and edited ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from msgspec import UNSET, UnsetType

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan, expect
from fairway.calendars.queries import Activity
from fairway.catalog import queries as catalog
from fairway.changes import queries
from fairway.changes.commands import reading
from fairway.changes.commands.editing import ItemEdits, edited, proposals
from fairway.changes.commands.reading import Priority, References, Span, Spans, Wrong
from fairway.changes.commands.taking import Writes, permitted, standing, supposed, take
from fairway.changes.events import ChangeEvent
from fairway.changes.models import (
    AffectedEnvironment,
    AffectedItem,
    Change,
    ChangeTemplate,
    Implementer,
    PlannedWindow,
    ProposedEdit,
)
from fairway.changes.queries import Case, Dossier
from fairway.changes.rules import Workflow
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, FieldError, Invalid
from fairway.kernel.models import Row, Versioned, fold
from fairway.kernel.numbers import next_numbers
from fairway.policy import Finding, decide, tell

APPROVED = ("title", "description", "implementation_plan", "test_plan", "backout_plan")


class CreateChange(Command, name=ChangeEvent.CREATE):
    """Write a change down as a draft, with everything at once if one likes.

    `model` follows from the template where one is named, else it is `normal`. `organisation`: that of the
    first item where the actor may request changes there, else the actor's own. `downtime` lies within the
    windows. A change without environments is made wherever its items stand.
    """

    permission: ClassVar[str] = "changes.request"
    title: str
    model: str | None = None
    template: str | None = None
    organisation: str | None = None
    description: str = ""
    reason: str = ""
    category: str = ""
    priority: Priority = 3
    external_id: str = ""
    implementation_plan: str = ""
    test_plan: str = ""
    backout_plan: str = ""
    implementation_time: timedelta | None = None
    test_time: timedelta | None = None
    backout_time: timedelta | None = None
    freeze_reason: str = ""
    owner: str | None = None
    implementers: References = ()
    items: References = ()
    primary_item: str | None = None
    environments: References = ()
    windows: Spans = ()
    downtime: Spans = ()
    custom: dict[str, Any] = {}
    edits: tuple[ItemEdits, ...] = ()
    submit: bool = False

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        """Draft the change and say what stands in its way; a window may refuse even a draft.

        With `submit` it is submitted at once, which may be refused: then nothing is written.
        :raises Forbidden: the actor may not request changes there. :raises Invalid: by field.
        """
        wrong = Wrong()
        values: dict[str, Any] = {**reading.words(self, wrong), **reading.times(self, wrong)}
        template = wrong.catch(lambda: reading.template(self.template), None)
        model = wrong.catch(lambda: reading.model(self.model, template), None)
        items = wrong.catch(lambda: reading.items(actor, self.items), [])
        edits = [
            (one, wrong.catch(lambda one=one: edited(actor, one.items, one.patch), []))  # type: ignore[misc]
            for one in self.edits
        ]
        named = {item.pk for item in items}
        items += {item.pk: item for _one, found in edits for item in found if item.pk not in named}.values()
        rows = Rows(
            windows=wrong.catch(lambda: reading.windows(self.windows, self.downtime), []),
            items=[item.pk for item in items],
            primary=wrong.catch(lambda: reading.primary(items, self.primary_item), None),
            places=[row.pk for row in wrong.catch(lambda: reading.places(actor, self.environments), [])],
            people=[
                row.pk
                for row in wrong.catch(lambda: reading.people(actor, self.implementers, "implementers"), [])
            ],
        )
        owner = wrong.catch(lambda: reading.person(actor, self.owner, "owner"), None)
        if template is not None:
            values |= _from_template(template, values, wrong)
        where = wrong.catch(lambda: reading.organisation(actor, self.organisation, items), None)
        where, model = wrong.settled(where, "organisation"), wrong.settled(model, "model")
        values["custom"] = reading.custom(actor, self.custom, {}, model=model, organisation=where, whole=True)
        workflow = queries.workflow(model)
        values["number"] = next_numbers(Change.kind)[0] if lock else None
        change = Change(
            organisation_id=where,
            model=model,
            template=template,
            priority=self.priority,
            requester_id=actor.pk,
            owner_id=owner.pk if owner is not None else actor.pk,
            **values,
            **standing(workflow, workflow.initial),
        )
        made = {
            edit.item_id: edit
            for one, found in edits
            for edit in proposals(change, found, one.patch, actor=actor, at=at)
        }
        dossier, create = assemble(change, workflow, rows, list(made.values()))
        if lock:
            catalog.lock(dossier.items)  # before clashes are read: who comes second sees who came first
        if self.submit:
            return _submitted(dossier, create, actor=actor, at=at)
        decision = queries.assess(dossier.proposal(), at=at)
        if against := queries.stopped(dossier.proposal(), Activity.CREATE, at=at):
            return _stopped(dossier, against, actor, at=at)
        return Plan(
            decision=queries.told(decision.findings, at=at),
            subject=change,
            create=create,
            answer=decision,
        )


def _stopped(dossier: Dossier, against: list[Finding], actor: Actor, *, at: datetime) -> Plan:
    """Return the refusal of a new change by a window that stops creating changes for its time."""
    decision = decide(against, at=at)
    first = decision.redacted(accounts.access(actor).sees).findings[0]
    text = _("Nothing can be planned then: %(why)s") % {"why": tell(first)}
    return Plan(decision=decision, subject=dossier.change, refusal=text, answer=decision)


def _submitted(dossier: Dossier, create: list[Row], *, actor: Actor, at: datetime) -> Plan:
    """Plan to write the new change down as submitted; other rows that this takes come first."""
    change, writes = dossier.change, Writes({"submitted_at": at})
    permitted(dossier, "submit", actor)
    if against := queries.stopped(dossier.proposal(), Activity.CREATE, at=at):
        return _stopped(dossier, against, actor, at=at)
    case = Case(dossier, dossier.proposal(), change.digest, at, person=actor.pk)
    plan = take(dossier, "submit", case, writes, actor=actor, at=at, tell_time=True)
    if plan.decision.denied:
        return plan
    for name, value in writes.values.items():
        setattr(change, name, value)
    return replace(plan, create=[*writes.create, *create], change=[])


class EditChange(Command, name=ChangeEvent.EDIT):
    """Edit a change; what is not named stays. Approved content needs approval again once it differs."""

    permission: ClassVar[str] = "changes.request"
    undoable: ClassVar[bool] = True
    change: str
    version: int | None = None
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

    @classmethod
    def may_undo(cls, subject: Versioned, *, actor: Actor) -> bool:
        return _may_undo(subject, "edit", actor)

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        """Say what would be written and what then stands in the way.

        :raises NotFound: no such change for the actor. :raises Forbidden: may not edit it. :raises Stale: it
        moved on. :raises Conflict: no edits in this state. :raises Invalid: by field, also what the state or
        the template fixes.
        """
        return edit(self, "edit", actor=actor, at=at, lock=lock)


class RescheduleChange(Command, name=ChangeEvent.RESCHEDULE):
    """Plan the change for other times; a downtime that is not named anew falls away."""

    permission: ClassVar[str] = "changes.request"
    undoable: ClassVar[bool] = True
    change: str
    windows: Spans
    downtime: Spans = ()
    version: int | None = None

    @classmethod
    def may_undo(cls, subject: Versioned, *, actor: Actor) -> bool:
        return _may_undo(subject, "reschedule", actor)

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        """Say what would be written and what then stands in the way; raises what editing raises."""
        edited = EditChange(
            change=self.change, version=self.version, windows=self.windows, downtime=self.downtime
        )
        return edit(edited, "reschedule", actor=actor, at=at, lock=lock)


def _may_undo(subject: Versioned, verb: str, actor: Actor) -> bool:
    """Check that the change is still a draft, which nobody has decided on, and that the actor may edit it.

    :raises Conflict: it was submitted since. :raises Forbidden: may not edit it.
    """
    dossier = queries.dossier(actor, subject.key)
    if dossier.change.state != dossier.workflow.initial:
        raise Conflict(
            _("%(change)s is no draft any more, so this cannot be undone; edit it instead.")
            % {"change": dossier.change.key},
            code="changes.change.no-draft",
        )
    permitted(dossier, verb, actor)
    return True


class Rows:
    """The rows that go with a change, as they should be; None: as they are. Primary keys except windows."""

    def __init__(
        self,
        *,
        windows: list[PlannedWindow] | None = None,
        items: list[int] | None = None,
        primary: int | None = None,
        places: list[int] | None = None,
        people: list[int] | None = None,
    ) -> None:
        self.windows, self.items, self.primary = windows, items, primary
        self.places, self.people = places, people


def assemble(
    change: Change, workflow: Workflow, rows: Rows, edits: Sequence[ProposedEdit] = ()
) -> tuple[Dossier, list[Row]]:
    """Return the new change with its rows, and all of them in the order of writing."""
    edits = sorted(edits, key=lambda edit: edit.item_id)
    dossier, writes = altered(Dossier(change, workflow, edits=edits), {}, rows)
    writes.create += edits
    for name, value in writes.values.items():
        setattr(change, name, value)
    dossier.change = change
    return dossier, [change, *writes.create]


def edit(given: EditChange, verb: str, *, actor: Actor, at: datetime, lock: bool) -> Plan:
    before = queries.dossier(actor, given.change, lock=lock, lock_items=False)
    permitted(before, verb, actor)
    expect(before.change, given.version)
    wrong = Wrong()
    values: dict[str, Any] = {**reading.words(given, wrong), **reading.times(given, wrong)}
    if given.priority is not UNSET:
        values["priority"] = given.priority
    if given.owner is not UNSET:
        values["owner"] = wrong.catch(lambda: reading.person(actor, given.owner or None, "owner"), None)
    if given.custom is not UNSET:
        change, asked = before.change, given.custom or {}
        values["custom"] = wrong.catch(
            lambda: reading.custom(
                actor, asked, change.custom, model=change.model, organisation=change.organisation_id
            ),
            {},
        )
    rows = Rows(primary=next((row.item_id for row in before.affected if row.primary), None))
    unseen_items, unseen_places = queries.unseen(actor, before)  # stay: whoever edits cannot name them
    if given.windows is not UNSET or given.downtime is not UNSET:
        rows.windows = wrong.catch(lambda: _replanned(given, before), [])
    if given.environments is not UNSET:
        rows.places = [
            *(row.pk for row in wrong.catch(lambda: reading.places(actor, given.environments or ()), [])),
            *unseen_places,
        ]
    if given.implementers is not UNSET:
        found = wrong.catch(lambda: reading.people(actor, given.implementers or (), "implementers"), [])
        rows.people = [row.pk for row in found]
    _reread_items(given, before, rows, actor, wrong)
    if rows.items is not None:
        rows.items += unseen_items
    wrong.tell()
    after, writes = altered(before, values, rows)
    _check_fixed(before, after)
    if lock:
        catalog.lock({*before.items, *after.items})
    case = Case(after, after.proposal(), after.change.digest, at, person=actor.pk)
    return take(before, verb, case, writes, actor=actor, at=at, tell_time=True)


def altered(before: Dossier, values: dict[str, Any], rows: Rows) -> tuple[Dossier, Writes]:
    """Return the change as it would be, and what to write for it.

    Rows that stay keep their identity, so that the log tells what truly changed.
    """
    change, writes = before.change, Writes(dict(values))
    after: dict[str, Any] = {}
    if rows.windows is not None:
        for row in rows.windows:
            row.change = change
        after["windows"] = _kept(
            before.windows, rows.windows, lambda row: (row.starts_at, row.ends_at, row.downtime), writes
        )
        writes.values |= reading.planned(rows.windows)
    if rows.items is not None:
        named = [AffectedItem(change=change, item_id=pk) for pk in rows.items]
        after["affected"] = _kept(before.affected, named, lambda row: row.item_id, writes)
    if rows.places is not None:
        places = [AffectedEnvironment(change=change, environment_id=pk) for pk in rows.places]
        after["places"] = _kept(before.places, places, lambda row: row.environment_id, writes)
    if rows.people is not None:
        people = [Implementer(change=change, person_id=pk) for pk in rows.people]
        after["implementers"] = _kept(before.implementers, people, lambda row: row.person_id, writes)
    _mark_primary(before.affected, after.get("affected", before.affected), rows.primary, writes)
    if "title" in values:
        writes.values["title_folded"] = fold(values["title"])
    whole = supposed(before, writes.values, **after)
    writes.values["digest"] = whole.change.digest = queries.content_digest(whole)
    return whole, writes


def _kept(
    old: Sequence[Any], wanted: Iterable[Any], identity: Callable[[Any], object], writes: Writes
) -> list[Any]:
    standing_before = {identity(row): row for row in old}
    rows = [standing_before.pop(identity(row), row) for row in wanted]
    writes.create += [row for row in rows if row._state.adding]
    writes.remove += standing_before.values()
    return rows


def _mark_primary(
    old: Sequence[AffectedItem], rows: Sequence[AffectedItem], primary: int | None, writes: Writes
) -> None:
    """Mark the primary item; the former one gives way first, for there is never more than one.

    Rows are created before others change, and removed last: so a new one is marked when the former gave way,
    and that gives way even where it is to be removed.
    """
    former = [row for row in old if row.primary and row.item_id != primary]
    writes.change += [(row, {"primary": False}) for row in former]
    for row in rows:
        if row.item_id == primary and not row.primary:
            if row._state.adding and not former:
                row.primary = True
            else:
                writes.change.append((row, {"primary": True}))


def _replanned(given: EditChange, before: Dossier) -> list[PlannedWindow]:
    def asked(named: Spans | UnsetType, downtime: bool) -> Spans:
        if named is not UNSET:
            return named
        return tuple(Span(period.start, period.end) for period in before.periods(downtime=downtime))

    return reading.windows(asked(given.windows, False), asked(given.downtime, True))


def _reread_items(given: EditChange, before: Dossier, rows: Rows, actor: Actor, wrong: Wrong) -> None:
    if given.items is not UNSET:
        items = wrong.catch(lambda: reading.items(actor, given.items or ()), [])
        rows.items = [item.pk for item in items]
        named = given.primary_item if given.primary_item is not UNSET else None
        if named or rows.primary not in rows.items:
            rows.primary = wrong.catch(lambda: reading.primary(items, named), None)
    elif given.primary_item is not UNSET and given.primary_item:
        found = wrong.catch(lambda: reading.items(actor, (given.primary_item or "",)), [])
        rows.primary = found[0].pk if found else None
        if found and rows.primary not in before.items:
            wrong.add(
                "primary_item", _("“%(item)s” is not among the affected items.") % {"item": found[0].slug}
            )


def _from_template(template: ChangeTemplate, values: dict[str, Any], wrong: Wrong) -> dict[str, str]:
    """Return what the template brings; what it fixes may be repeated, not contradicted."""
    for name in ChangeTemplate.FIXED:
        if values[name] and values[name] != getattr(template, name):
            wrong.add(name, _("The template “%(name)s” fixes this.") % {"name": template.name})
    return {
        **{name: getattr(template, name) for name in ChangeTemplate.FIXED},
        "description": values["description"] or template.description,
    }


def _check_fixed(before: Dossier, after: Dossier) -> None:
    """Check that only what may still be edited was.

    :raises Invalid: the state keeps the approved content as it is, or the template fixes a field.
    """
    errors: list[FieldError] = []
    if before.workflow.by_slug[before.change.state].minor:
        named = {"state": before.change.state}
        errors += [
            FieldError(name, _("This was approved and stays while the change is %(state)s.") % named)
            for name in _differing(before, after)
        ]
    if before.change.template is not None:
        named = {"name": before.change.template.name}
        errors += [
            FieldError(name, _("The template “%(name)s” fixes this.") % named)
            for name in ChangeTemplate.FIXED
            if getattr(before.change, name) != getattr(after.change, name)
        ]
    if errors:
        raise Invalid.fields(errors)


def _differing(before: Dossier, after: Dossier) -> list[str]:
    """Return the fields of the approved content that differ."""
    names = [name for name in APPROVED if getattr(before.change, name) != getattr(after.change, name)]
    names += [
        name for name in ("items", "environments") if set(getattr(before, name)) != set(getattr(after, name))
    ]
    for name, downtime in (("windows", False), ("downtime", True)):
        if before.periods(downtime=downtime) != after.periods(downtime=downtime):
            names.append(name)
    return names
