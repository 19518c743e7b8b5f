"""What of fields of their own the log keeps from whoever may not see them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from fairway.accounts import queries as accounts
from fairway.audit import queries as audit
from fairway.kernel.actor import Actor
from fairway.kernel.refs import HIDDEN
from fairway.workspace.queries.fields.subjects import FIELD_SUBJECTS, defined, held_below, may_know, powers
from fairway.workspace.queries.fields.values import nobody, redacted
from fairway.workspace.rules.fields import Type
from fairway.workspace.rules.fields import sees as _sees


def _veil(subject: str, values: Any, organisation: str, reader: Actor | None) -> Any:
    """Return the values that stand in the log as the reader may see them; nobody: as everybody may."""
    known = defined(subject)
    if not isinstance(values, dict) or not known.keys() & values.keys():
        return values
    tree = accounts.tree()
    places = {uid: pk for pk, uid in audit.uids_of_organisations(tree.above).items()}
    where = places.get(organisation)
    holding = held_below(known, where or 0, tree.above)
    has = powers(accounts.access(reader), where) if reader is not None else nobody
    kept = {
        name: value
        for name, value in values.items()
        if name not in holding or (not holding[name].archived and _sees(holding[name], has))
    }
    items = [name for name, one in holding.items() if one.type is Type.ITEM]
    if reader is not None:
        redacted(reader, items, [kept])
        return kept
    return {name: HIDDEN.kind if name in items else value for name, value in kept.items()}


def veil_of(subject: str) -> Callable[[Any, str, Actor | None], Any]:
    """Return what hides from a reader of the log the values of fields that they may not see."""
    return partial(_veil, subject)


def _cover(uid: str, reader: Actor | None) -> bool:
    """Say whether a definition is none for the reader; for just anybody each is that not all may see."""
    found = next((one for name in FIELD_SUBJECTS for one in defined(name).values() if one.uid == uid), None)
    if found is None:
        return False
    return bool(found.viewers) if reader is None else not may_know(reader, found)


audit.cover("workspace.FieldDefinition", _cover)
for _subject in FIELD_SUBJECTS.values():
    audit.veil(_subject.model, _subject.column, partial(_veil, _subject.name))
