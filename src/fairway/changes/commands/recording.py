"""Writing down the changes that history brings."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal

from django.utils.translation import gettext as _
from msgspec import UNSET, UnsetType

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan
from fairway.changes import queries
from fairway.changes.commands import reading
from fairway.changes.commands.reading import Instant, Priority, References, Span, Spans, Wrong
from fairway.changes.commands.taking import standing
from fairway.changes.commands.writing import Rows, altered, assemble
from fairway.changes.events import ChangeEvent
from fairway.changes.models import Change
from fairway.kernel.actor import Actor

PLAIN = ("priority", "submitted_at", "actual_start", "actual_end", "outcome")


class RecordChange(Command, name=ChangeEvent.RECORD):
    """Write down a change that history brings, in whatever state, whatever would have stood in its way.

    `external_id` (within the organisation) or `key` finds the one to bring up to date; what is not named
    then stays. A new one is `closed` unless told otherwise, and of the model `normal`. Consent is never
    recorded: a change that is recorded as scheduled needs a vote before its work can start.
    """

    permission: ClassVar[str] = "changes.import"
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

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        """Say what would be written; nothing, where all is so already.

        :raises Forbidden: the actor may not import there. :raises Invalid: by field.
        """
        wrong = Wrong()
        items = wrong.catch(lambda: [] if self.items is UNSET else reading.items(actor, self.items), [])
        where = wrong.catch(
            lambda: reading.organisation(actor, self.organisation, items, permission=self.permission), None
        )
        known = wrong.catch(
            lambda: reading.known_change(actor, self.key, self.external_id.strip(), where) if where else None,
            None,
        )
        values = self._values(actor, wrong, new=known is None)
        rows = self._rows(actor, items, wrong)
        if known is not None:
            accounts.require(actor, self.permission, at=known.organisation_id)
            dossier = queries.dossier(actor, str(known.uid), lock=lock)
            workflow = dossier.workflow
        else:
            model = wrong.catch(lambda: queries.model(self.model or "normal"), None)
            workflow = queries.workflow(wrong.settled(model, "model"))
        state = self.state if self.state is not UNSET else "closed" if known is None else known.state
        if state not in workflow.by_slug:
            told = {"state": state[:40], "states": ", ".join(workflow.by_slug)}
            wrong.add("state", _("There is no state “%(state)s”; there are %(states)s.") % told)
        wrong.tell()
        values |= standing(workflow, state)
        if known is None:
            values |= {"organisation_id": where, "created_at": self.created_at, "number": None}
            change = Change(model=model, **values)
            return Plan(subject=change, create=assemble(change, workflow, rows)[1])
        if rows.primary is None:
            rows.primary = next((row.item_id for row in dossier.affected if row.primary), None)
        _after, writes = altered(dossier, values, rows)
        return Plan(
            subject=dossier.change,
            create=writes.create,
            change=[*writes.change, (dossier.change, writes.values)],
            remove=writes.remove,
        )

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
