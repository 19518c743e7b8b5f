"""Drift: what an import saw of a controlled item that differs from what is recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Self

from django.utils.translation import gettext as _

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan
from fairway.catalog import commands as catalog
from fairway.catalog import queries as items
from fairway.changes import queries
from fairway.changes.commands.editing import ItemEdits
from fairway.changes.commands.reading import needed
from fairway.changes.commands.writing import CreateChange
from fairway.changes.events import ChangeEvent
from fairway.changes.models import Drift, ProposedEdit
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict
from fairway.kernel.text import line


class NoteDrift(Command, name=ChangeEvent.DRIFT_NOTE):
    """Record what was seen of a controlled item: a candidate for each field that differs.

    The same drift seen again only counts. Where a change that is implementing proposes just this, it is
    matched to that at once. Imports make this; it writes nothing of the item.
    """

    permission: ClassVar[str] = "catalog.import"
    independent: ClassVar[bool] = True
    item: str
    source: str
    seen: dict[str, Any]

    @classmethod
    def read_ahead(cls, commands: Sequence[Self], *, actor: Actor, lock: bool) -> None:
        items.read_ahead(actor, {command.item for command in commands})

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        [item] = items.items(actor, [self.item], field="item")
        accounts.require(actor, self.permission, at=item.organisation_id)
        source = line(self.source, field="source", longest=200, needed=False) or _("an import")
        words = {name: value for name, value in self.seen.items() if name in WORDS}
        recorded = catalog.recorded(item, catalog.patch_of(words))
        known = {
            (one.field, one.source, one.digest): one
            for one in Drift.objects.filter(item=item).select_related("item")
        }
        proposed = _proposed(item.pk)
        create: list[Any] = []
        change: list[tuple[Any, Mapping[str, Any]]] = []
        for found in queries.changed(recorded, words):
            if found.old == found.new:
                continue
            name = found.field
            if name.startswith("relation."):
                name += f":{found.new or found.old}"
            digest = queries.drift_digest(found.new)
            former = known.get((name, source, digest))
            if former is not None:
                change.append((former, {"last_seen": at, "count": former.count + 1}))
                continue
            match = next((edit for edit in proposed if _accounts(edit, found.field, found.new)), None)
            create.append(
                Drift(
                    organisation_id=item.organisation_id,
                    item=item,
                    source=source,
                    field=name[:200],
                    recorded=_kept(found.field, found.old),
                    observed=_kept(found.field, found.new),
                    digest=digest,
                    first_seen=at,
                    last_seen=at,
                    state=Drift.State.MATCHED if match is not None else Drift.State.OPEN,
                    change_id=match.change_id if match is not None else None,
                )
            )
        subject = create[0] if create else change[0][0] if change else None
        return Plan(subject=subject, create=create, change=change)


class DismissDrift(Command, name=ChangeEvent.DRIFT_DISMISS):
    """Say that a drift needs no change, and why; seen again, it stays dismissed."""

    permission: ClassVar[str] = "changes.request"
    drift: str
    reason: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.drift(actor, self.drift)
        accounts.require(actor, self.permission, at=found.organisation_id)
        _open(found)
        reason = needed(self.reason, "reason")
        return Plan(subject=found, change=[(found, {"state": Drift.State.DISMISSED, "reason": reason})])


class ProposeDrift(Command, name=ChangeEvent.DRIFT_PROPOSE):
    """Draft a change that makes of the catalogue what was seen: to be completed, approved and applied."""

    permission: ClassVar[str] = "changes.request"
    drift: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.drift(actor, self.drift)
        accounts.require(actor, self.permission, at=found.organisation_id)
        _open(found)
        item = found.item
        title = _("Record %(field)s of %(item)s as it is") % {
            "field": found.field.removeprefix("attributes."),
            "item": item.slug,
        }
        description = _("Seen by %(source)s, and authorised by no change: %(drift)s.") % {
            "source": found.source,
            "drift": found.key,
        }
        draft = CreateChange(
            title=title[:200],
            description=description,
            organisation=item.organisation.slug,
            items=(item.slug,),
            edits=(ItemEdits(items=(item.slug,), patch=queries.patch_from(found)),),
        )
        plan = draft.plan(actor=actor, at=at, lock=lock)
        change = plan.subject
        marked: Mapping[str, Any] = {"state": Drift.State.PROPOSED, "change": change}
        return Plan(
            decision=plan.decision,
            subject=change,
            create=plan.create,
            change=[*plan.change, (found, marked)],
            answer=plan.answer,
        )


WORDS = frozenset(name for name in catalog.ItemPatch.__struct_fields__)
"""What a drift may tell of: all that a patch may write."""


def _kept(field: str, value: Any) -> Any:
    """Return a value as it is kept; an attribute by its name, so that the log knows whose eyes it is for."""
    head, _dot, name = field.partition(".")
    return {name: value} if head == "attributes" else value


def _open(found: Drift) -> None:
    if found.state != Drift.State.OPEN:
        raise Conflict(
            _("%(drift)s is %(state)s already.")
            % {"drift": found.key, "state": found.get_state_display().lower()},
            code="changes.drift.decided",
        )


def _proposed(item: int) -> list[ProposedEdit]:
    """Return what changes under way propose for an item."""
    found = ProposedEdit.objects.filter(item=item, applied_at=None, change__is_open=True)
    return [
        edit
        for edit in found.select_related("change__model")
        if queries.workflow(edit.change.model).is_("in_progress", edit.change.state)
    ]


def _accounts(edit: ProposedEdit, field: str, value: Any) -> bool:
    return any(one.field == field and one.new == value for one in queries.changed(edit.seen, edit.patch))
