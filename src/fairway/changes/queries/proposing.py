"""The edits that a change proposes, field by field, as far as the reader may see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fairway.accounts import queries as accounts
from fairway.audit import queries as audit
from fairway.changes.models import ProposedEdit
from fairway.changes.queries.dossier import Dossier
from fairway.kernel.actor import Actor
from fairway.policy import Finding, Severity
from fairway.workspace import queries as workspace

_veil = workspace.veil_of("item")


def _hide(words: Any, organisation: str, reader: Actor | None) -> Any:
    """Return a patch as the reader may see it, without attributes that are not for them."""
    if not isinstance(words, dict) or "attributes" not in words:
        return words
    return {**words, "attributes": _veil(words["attributes"], organisation, reader)}


for _column in ("patch", "seen"):
    audit.veil("changes.ProposedEdit", _column, _hide)


@dataclass(frozen=True, slots=True)
class FieldEdit:
    """One field that an edit alters: what stood there when it was proposed, and what is to stand there."""

    field: str
    old: Any
    new: Any


def edits(actor: Actor, dossier: Dossier) -> list[tuple[ProposedEdit, list[FieldEdit]]]:
    """Return the edits of items that the actor sees, with the fields that they may see."""
    sees = accounts.access(actor).sees
    seen = [edit for edit in dossier.edits if sees(edit.item.ref())]

    def holder(edit: ProposedEdit, words: Mapping[str, Any]) -> workspace.Holder:
        values = words.get("attributes", {})
        return workspace.Holder(edit.item.organisation_id, edit.item.item_kind.slug, values)

    told = workspace.shown(
        actor, "item", [one for edit in seen for one in (holder(edit, edit.patch), holder(edit, edit.seen))]
    )
    return [
        (
            edit,
            changed(
                {**edit.seen, **({"attributes": told[2 * at + 1]} if "attributes" in edit.seen else {})},
                {**edit.patch, **({"attributes": told[2 * at]} if "attributes" in edit.patch else {})},
            ),
        )
        for at, edit in enumerate(seen)
    ]


def changed(seen: Mapping[str, Any], patch: Mapping[str, Any]) -> list[FieldEdit]:
    """Return a patch field by field."""
    found = []
    for name, value in patch.items():
        if name == "attributes":
            old = seen.get(name, {})
            found += [FieldEdit(f"attributes.{key}", old.get(key), one) for key, one in value.items()]
        elif name == "relate":
            found += [FieldEdit(f"relation.{end['kind']}", None, end["target"]) for end in value]
        elif name == "unrelate":
            found += [FieldEdit(f"relation.{end['kind']}", end["target"], None) for end in value]
        else:
            found.append(FieldEdit(name, seen.get(name), value))
    return found


def differing(seen: Mapping[str, Any], present: Mapping[str, Any]) -> list[str]:
    """Return the names of the fields whose value is another one now; attributes by their own names."""
    found = []
    for name, value in seen.items():
        now = present.get(name)
        if name == "attributes":
            found += [key for key, one in value.items() if (now or {}).get(key) != one]
        elif now != value:
            found.append(name)
    return found


def unapplied(dossier: Dossier) -> list[Finding]:
    """Return a warning where the change proposes what was not applied."""
    left = [edit.item for edit in dossier.edits if edit.applied_at is None]
    if not left:
        return []
    refs = tuple(item.ref() for item in left)
    return [
        Finding(
            "changes.unapplied",
            Severity.WARN,
            (dossier.change.ref(),),
            params={"count": len(left), "items": [ref.key for ref in refs]},
            named=refs,
        )
    ]
