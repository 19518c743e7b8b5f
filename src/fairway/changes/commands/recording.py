"""Writing down the changes that history brings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Literal, Self

from django.utils.translation import gettext as _
from msgspec import UNSET, UnsetType

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan
from fairway.catalog import queries as catalog
from fairway.changes import queries
from fairway.changes.commands import reading
from fairway.changes.commands.reading import Instant, Priority, References, Span, Spans, Wrong
from fairway.changes.commands.taking import standing
from fairway.changes.commands.writing import Rows, altered, assemble
from fairway.changes.events import ChangeEvent
from fairway.changes.models import Change, ChangeModel
from fairway.changes.queries import Dossier
from fairway.changes.queries.gathering import recorded
from fairway.changes.rules import Workflow
from fairway.kernel import ahead
from fairway.kernel.actor import Actor

PLAIN = ("priority", "submitted_at", "actual_start", "actual_end", "outcome")


class RecordChange(Command, name=ChangeEvent.RECORD):
    """Write down a change that history brings, in whatever state, whatever would have stood in its way.

    `external_id` (within the organisation) or `key` finds the one to bring up to date; what is not named
    then stays. A new one is `closed` unless told otherwise, and of the model `normal`. Consent is never
    recorded: a change that is recorded as scheduled needs a vote before its work can start.
    """

    permission: ClassVar[str] = "changes.import"
    independent: ClassVar[bool] = True
    title: str | UnsetType = UNSET
    key: str | None = None
    external_id: str = ""
    organisation: str | None = None
    model: str | None = None
    state: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    category: str | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    implementation_plan: str | UnsetType = UNSET
    test_plan: str | UnsetType = UNSET
    backout_plan: str | UnsetType = UNSET
    freeze_reason: str | UnsetType = UNSET
    requester: str | UnsetType | None = UNSET
    owner: str | UnsetType | None = UNSET
    implementers: References | UnsetType = UNSET
    items: References | UnsetType = UNSET
    primary_item: str | None = None
    environments: References | UnsetType = UNSET
    windows: Spans | UnsetType = UNSET
    downtime: Spans = ()
    planned_start: Instant | None = None
    planned_end: Instant | None = None
    created_at: Instant | None = None
    submitted_at: Instant | UnsetType | None = UNSET
    actual_start: Instant | UnsetType | None = UNSET
    actual_end: Instant | UnsetType | None = UNSET
    outcome: (
        Literal["", "successful", "with_issues", "partial", "unsuccessful", "not_started"] | UnsetType
    ) = UNSET
    custom: dict[str, Any] | UnsetType = UNSET

    @classmethod
    def read_ahead(cls, commands: Sequence[Self], *, actor: Actor, lock: bool) -> None:
        catalog.read_ahead(actor, (item for one in commands if one.items is not UNSET for item in one.items))
        named = (one.external_id.strip() for one in commands if not one.key)
        ahead.learn(cls.command, recorded(actor, named, lock=lock))

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        """Say what would be written; nothing, where all is so already.

        :raises Forbidden: the actor may not import there. :raises Invalid: by field.
        """
        wrong = Wrong()
        items = wrong.catch(lambda: [] if self.items is UNSET else reading.items(actor, self.items), [])
        where = wrong.catch(
            lambda: reading.organisation(actor, self.organisation, items, permission=self.permission), None
        )
        dossier = wrong.catch(lambda: self._known(actor, where, lock=lock) if where else None, None)
        values = self._values(actor, wrong, new=dossier is None)
        rows = self._rows(actor, items, wrong)
        model = None
        if dossier is not None:
            workflow = dossier.workflow
        else:
            model = wrong.catch(self._model, None)
            workflow = queries.workflow(wrong.settled(model, "model"))
        state = (
            self.state if self.state is not UNSET else "closed" if dossier is None else dossier.change.state
        )
        if state not in workflow.by_slug:
            told = {"state": state[:40], "states": ", ".join(workflow.by_slug)}
            wrong.add("state", _("There is no state “%(state)s”; there are %(states)s.") % told)
        if dossier is None or not self._same_course(dossier, values, rows, state):
            _open(wrong, workflow, state, dossier)
        if where is not None:
            self._custom(actor, where, dossier, model, values, wrong)
        wrong.tell()
        values |= standing(workflow, state)
        if dossier is None:
            values |= {"organisation_id": where, "created_at": self.created_at, "number": None}
            change = Change(model=model, **values)
            return Plan(subject=change, create=assemble(change, workflow, rows)[1])
        unseen_items, unseen_places = queries.unseen(actor, dossier)  # stay: whoever imports cannot name them
        if rows.items is not None:
            rows.items += unseen_items
        if rows.places is not None:
            rows.places += unseen_places
        if rows.primary is None:
            rows.primary = next((row.item_id for row in dossier.affected if row.primary), None)
        _after, writes = altered(dossier, values, rows)
        return Plan(
            subject=dossier.change,
            create=writes.create,
            change=[*writes.change, (dossier.change, writes.values)],
            remove=writes.remove,
        )

    def _custom(
        self,
        actor: Actor,
        where: int,
        dossier: Dossier | None,
        model: ChangeModel | None,
        values: dict[str, Any],
        wrong: Wrong,
    ) -> None:
        """Set the fields of their own, where they are given or the change is new."""
        given = {} if self.custom is UNSET else self.custom
        if dossier is None and model is not None:
            values["custom"] = wrong.catch(
                lambda: reading.custom(actor, given, {}, model=model, organisation=where, whole=True), {}
            )
        elif dossier is not None and self.custom is not UNSET:
            change = dossier.change
            values["custom"] = wrong.catch(
                lambda: reading.custom(
                    actor, given, change.custom, model=change.model, organisation=change.organisation_id
                ),
                {},
            )

    def _same_course(self, dossier: Dossier, values: dict[str, Any], rows: Rows, state: str) -> bool:
        """Say whether the import leaves alone what only steps may move: state, requester, implementers."""
        change = dossier.change
        requester = values.get("requester", change.requester)
        asked_for = requester.pk if requester is not None else None
        people = dossier.people if rows.people is None else rows.people
        return (state, asked_for, set(people)) == (change.state, change.requester_id, set(dossier.people))

    def _known(self, actor: Actor, where: int, *, lock: bool) -> Dossier | None:
        """Return the change to bring up to date, None for a new one.

        :raises Invalid: there is none of that key. :raises Forbidden: the actor may not import there.
        """
        name = self.external_id.strip()
        gathered = ahead.take(self.command, name, _not_gathered) if name and not self.key else None
        if gathered is not None:
            known = next((one for one in gathered if one.change.organisation_id == where), None)
            if known is not None:
                accounts.require(actor, self.permission, at=where)
            return known
        change = reading.known_change(actor, self.key, name, where)
        if change is None:
            return None
        accounts.require(actor, self.permission, at=change.organisation_id)
        return queries.dossier(actor, str(change.uid), lock=lock)

    def _model(self) -> ChangeModel:
        name = self.model or "normal"
        return ahead.recall("changes.model", name, lambda: queries.model(name))

    def _values(self, actor: Actor, wrong: Wrong, *, new: bool) -> dict[str, Any]:
        values: dict[str, Any] = reading.words(self, wrong)
        if new and self.title is UNSET:
            wrong.add("title", _("This is needed."))
        for name in PLAIN:
            if (value := getattr(self, name)) is not UNSET:
                values[name] = value
        for name in ("requester", "owner"):
            if (reference := getattr(self, name)) is not UNSET:
                values[name] = wrong.catch(lambda r=reference, n=name: reading.person(actor, r, n), None)  # type: ignore[misc]
        return values

    def _rows(self, actor: Actor, items: list[Any], wrong: Wrong) -> Rows:
        rows = Rows()
        if self.items is not UNSET:
            rows.items = [item.pk for item in items]
            rows.primary = wrong.catch(lambda: reading.primary(items, self.primary_item), None)
        if self.environments is not UNSET:
            found = wrong.catch(lambda: reading.places(actor, self.environments or ()), [])
            rows.places = [row.pk for row in found]
        if self.implementers is not UNSET:
            found = wrong.catch(lambda: reading.people(actor, self.implementers or (), "implementers"), [])
            rows.people = [row.pk for row in found]
        spans = self._spans(wrong)
        if spans is not None:
            rows.windows = wrong.catch(lambda: reading.windows(spans, self.downtime), [])
        return rows

    def _spans(self, wrong: Wrong) -> Spans | None:
        if self.windows is not UNSET:
            return self.windows
        if self.planned_start is None and self.planned_end is None:
            return None
        if self.planned_start is None or self.planned_end is None:
            name = "planned_start" if self.planned_start is None else "planned_end"
            wrong.add(name, _("A planned window has a start and an end."))
            return None
        return (Span(self.planned_start, self.planned_end),)


def _open(wrong: Wrong, workflow: Workflow, state: str, dossier: Dossier | None) -> None:
    """Note that a change that is or would be under way moves by its steps alone: consent is not imported."""
    initial = workflow.initial
    if dossier is not None and dossier.change.is_open and dossier.change.state != initial:
        told = _("%(change)s is under way; its state and people change by its steps alone.")
        wrong.add("state", told % {"change": dossier.change.key})
    elif state in workflow.by_slug and state != initial and "open" in workflow.by_slug[state].predicates:
        told = _("An import brings drafts and ended changes; “%(state)s” is reached by its steps.")
        wrong.add("state", told % {"state": state})


def _not_gathered() -> list[Dossier] | None:
    return None
