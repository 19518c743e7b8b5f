"""Reading the edits of items that a change is to make."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from django.utils.translation import gettext as _

from fairway.accounts import queries as accounts
from fairway.catalog import commands as catalog
from fairway.catalog import queries as items
from fairway.catalog.commands import ItemPatch
from fairway.changes import queries
from fairway.changes.commands import reading
from fairway.changes.commands.reading import References
from fairway.changes.models import Change, ProposedEdit
from fairway.kernel.actor import Actor
from fairway.kernel.errors import FieldError, Invalid

MOST_EDITED = 500
"""Items that one change edits; beyond, split it: all are applied in one transaction."""


class ItemEdits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One patch for one or more items."""

    items: References
    patch: ItemPatch


def edited(actor: Actor, references: References, patch: ItemPatch) -> list[Any]:
    """Return the items to edit; archived ones only where they are to be brought back.

    :raises Invalid: the actor sees no such item, or none is named.
    """
    if not references:
        raise Invalid.field("items", _("Name the items to edit."))
    if len(references) > MOST_EDITED:
        raise Invalid.field("items", _("A change edits at most %(most)d items.") % {"most": MOST_EDITED})
    if patch.archived is False:
        return [items.item(actor, reference) for reference in dict.fromkeys(references)]
    return reading.items(actor, references)


def permission_at(actor: Actor, organisation: int, *names: str) -> str:
    """Return by which permission the actor may do this where an item is: one of these, or changes.manage."""
    access = accounts.access(actor)
    return next((name for name in (*names, "changes.manage") if access.may(name, organisation)), names[0])


def proposals(
    change: Change, found: Sequence[Any], patch: ItemPatch, *, actor: Actor, at: datetime
) -> list[ProposedEdit]:
    """Return the edits of these items, each against what stands there now, unsaved.

    :raises Invalid: a value has no sense, nothing would differ, or consent comes from a template,
    which knew of no such edit. :raises Forbidden: the actor may not ask for changes where an item is.
    """
    if found and queries.workflow(change.model).approval.by == "template":
        raise Invalid.field(
            "edits",
            _(
                "A change from a template was authorised beforehand, without knowing what it would edit;"
                " propose edits of items in a normal change."
            ),
        )
    made = []
    for item in found:
        try:
            own = catalog.normalised(item, patch, actor=actor)
            needed = permission_at(actor, item.organisation_id, "changes.request", "changes.edit")
            catalog.patched(change.ref(), item, own, actor=actor, at=at, permission=needed)
        except Invalid as problem:
            errors = [FieldError(f"patch.{one.field}", one.message) for one in problem.errors]
            raise Invalid.fields(errors) if errors else problem from problem
        words = msgspec.to_builtins(own)
        if words:
            edit = ProposedEdit(
                change=change,
                item=item,
                patch=words,
                seen=catalog.recorded(item, own),
                proposed_by_id=actor.pk,
                proposed_at=at,
            )
            made.append(edit)
    if not made:
        raise Invalid.field("patch", _("Nothing would differ from what stands there already."))
    return made
