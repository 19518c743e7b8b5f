"""Edits of items that a change proposes, and applying them while it is implementing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan, expect
from fairway.catalog import commands as catalog
from fairway.catalog import queries as items
from fairway.catalog.commands import ItemPatch
from fairway.changes import queries
from fairway.changes.commands.editing import MOST_EDITED, edited, permission_at, proposals
from fairway.changes.commands.reading import References
from fairway.changes.commands.taking import permitted, supposed, take
from fairway.changes.commands.writing import Rows, altered
from fairway.changes.events import ChangeEvent
from fairway.changes.models import Change, ProposedEdit
from fairway.changes.queries import Case, Dossier
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Invalid, NotFound
from fairway.policy import Finding, Severity, decide, tell


class ProposeEdits(Command, name=ChangeEvent.PROPOSE):
    """Propose an edit of one or more items: one patch for all of them, in place of what was proposed before.

    The items become affected items of the change. Approved content that differs needs approval again.
    """

    permission: ClassVar[str] = "changes.request"
    change: str
    items: References
    patch: ItemPatch
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        """Say what would be proposed.

        :raises NotFound: no such change for the actor. :raises Forbidden: may not edit it, or not propose
        that for one of the items. :raises Conflict: not in this state. :raises Invalid: by field.
        """
        before = _editable(actor, self.change, self.version, lock=lock)
        made = proposals(before.change, edited(actor, self.items, self.patch), self.patch, actor=actor, at=at)
        known = {edit.item_id: edit for edit in before.edits}
        create: list[Any] = []
        change: list[tuple[Any, Mapping[str, Any]]] = []
        for edit in made:
            former = known.pop(edit.item_id, None)
            if former is None:
                create.append(edit)
            else:
                columns = ("patch", "seen", "proposed_by", "proposed_at")
                change.append((former, {name: getattr(edit, name) for name in columns}))
        edits = sorted([*known.values(), *made], key=lambda edit: edit.item_id)
        if len(edits) > MOST_EDITED:
            raise Invalid.field("items", _("A change edits at most %(most)d items.") % {"most": MOST_EDITED})
        return _proposed(before, edits, actor=actor, at=at, lock=lock, create=create, change=change)


class WithdrawEdit(Command, name=ChangeEvent.WITHDRAW):
    """Propose the edit of an item no longer; the item stays among the affected ones."""

    permission: ClassVar[str] = "changes.request"
    change: str
    item: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        before = _editable(actor, self.change, self.version, lock=lock)
        item = items.item(actor, self.item)
        gone = next((edit for edit in before.edits if edit.item_id == item.pk), None)
        if gone is None:
            raise NotFound(
                _("%(change)s proposes no edit of %(item)s.")
                % {"change": before.change.key, "item": item.slug}
            )
        left = [edit for edit in before.edits if edit is not gone]
        return _proposed(before, left, actor=actor, at=at, lock=lock, remove=[gone])


class ApplyEdits(Command, name=ChangeEvent.APPLY):
    """Write what the change proposes into the catalogue: all of it, or nothing.

    Whoever carries the change out takes it while it is in progress. It is refused where an item is no longer
    what the edit was proposed against.
    """

    permission: ClassVar[str] = "changes.implement"
    change: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        """Say what would be written.

        :raises Forbidden: the actor does not carry the change out, or may not in an item's organisation.
        :raises Conflict: work has not begun, or the change is on hold.
        """
        dossier = queries.dossier(actor, self.change, lock=lock)
        expect(dossier.change, self.version)
        change = dossier.change
        permitted(dossier, "complete", actor)
        if not dossier.workflow.is_("in_progress", change.state) or change.on_hold:
            raise Conflict(
                _("%(change)s is not being worked on; start or resume it first.") % {"change": change.key},
                code="changes.change.not-implementing",
            )
        due = [edit for edit in dossier.edits if edit.applied_at is None]
        moved = [found for edit in due if (found := _moved(change, edit)) is not None]
        if moved:
            decision = decide(moved, at=at)
            shown = decision.redacted(accounts.access(actor).sees)
            return Plan(decision=decision, subject=change, refusal=tell(shown.findings[0]))
        whole = Plan(subject=change)
        create, altering, remove = list[Any](), list[tuple[Any, Mapping[str, Any]]](), list[Any]()
        for edit in due:
            part = catalog.patched(
                change.ref(),
                edit.item,
                catalog.patch_of(edit.patch),
                actor=actor,
                at=at,
                permission=permission_at(actor, edit.item.organisation_id, self.permission),
            )
            create += part.create
            altering += part.change
            remove += part.remove
            altering.append((edit, {"applied_at": at, "applied_by_id": actor.pk}))
        return replace(whole, create=create, change=altering, remove=remove)


def _editable(actor: Actor, reference: str, version: int | None, *, lock: bool) -> Dossier:
    """Return the change, where the actor may edit its content.

    :raises Conflict: the state keeps the approved content as it is.
    """
    before = queries.dossier(actor, reference, lock=lock, lock_items=False)
    permitted(before, "edit", actor)
    expect(before.change, version)
    if before.workflow.by_slug[before.change.state].minor:
        raise Conflict(
            _("%(change)s is %(state)s: what it edits was approved and stays.")
            % {"change": before.change.key, "state": before.change.state},
            code="changes.change.approved",
        )
    return before


def _proposed(
    before: Dossier,
    edits: list[ProposedEdit],
    *,
    actor: Actor,
    at: datetime,
    lock: bool,
    create: Sequence[Any] = (),
    change: Sequence[tuple[Any, Mapping[str, Any]]] = (),
    remove: Sequence[Any] = (),
) -> Plan:
    """Plan to edit the change so that it proposes these edits; their items become affected ones."""
    named = list(dict.fromkeys([*before.items, *(edit.item_id for edit in edits)]))
    primary = next((row.item_id for row in before.affected if row.primary), named[0] if named else None)
    wanted = supposed(before, {}, edits=edits)
    after, writes = altered(wanted, {}, Rows(items=named, primary=primary))
    if lock:
        items.lock({*before.items, *after.items})
    writes.create += create
    writes.change += change
    writes.remove += remove
    case = Case(after, after.proposal(), after.change.digest, at, person=actor.pk)
    return take(before, "edit", case, writes, actor=actor, at=at)


def _moved(change: Change, edit: ProposedEdit) -> Finding | None:
    """Return what tells that an item is no longer what its edit was proposed against."""
    present = catalog.recorded(edit.item, catalog.patch_of(edit.patch))
    names = queries.differing(edit.seen, present)
    if not names:
        return None
    return Finding(
        "changes.moved",
        Severity.BLOCK,
        (change.ref(), edit.item.ref()),
        params={"fields": ", ".join(names)},
    )
