"""A first mapping by the names of columns, and mappings made of what somebody chose; pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Final

import yaml

from fairway.exchange.fields import Field

_NOT_WORD: Final = re.compile(r"[^a-z0-9]+")
_WORDS: Final = {
    "key": "id, ci, ci id, hostname, item, slug, identifier",
    "name": "title, display name, label, ci name",
    "kind": "type, class, ci type, category, relation",
    "owner_team": "owner, team, owned by",
    "status": "state, lifecycle",
    "criticality": "priority, importance, business criticality",
    "description": "notes, summary",
    "source": "from, parent",
    "target": "to, child",
    "planned_start": "start, begin",
    "planned_end": "end, finish",
    "title": "short description",
    "external_id": "number, external id, sys id",
    "owner": "assigned to",
    "requester": "requested by",
    "items": "configuration item",
    "starts_at": "from date",
    "ends_at": "to date",
}
_SAME: Final = {word: name for name, words in _WORDS.items() for word in words.split(", ")}


def guessed(header: Sequence[str], fields: Mapping[str, Field]) -> dict[str, str]:
    """Return a field for each column that looks like one, each field once: the best match first."""
    found: list[tuple[float, str, str]] = []
    known = {_folded(name): name for name in fields if not name.endswith(".*")}
    for column in header:
        folded = _folded(column)
        if column in fields:
            found.append((3, column, column))
        elif folded in known:
            found.append((2, column, known[folded]))
        elif _SAME.get(folded) in fields:
            found.append((1.5, column, _SAME[folded]))
        else:
            for near in difflib.get_close_matches(folded, known, n=1, cutoff=0.8):
                found.append((difflib.SequenceMatcher(None, folded, near).ratio(), column, known[near]))
    taken: dict[str, str] = {}
    for _, column, name in sorted(found, key=lambda one: -one[0]):
        if name not in taken.values():
            taken.setdefault(column, name)
    return taken


def written(
    kind: str, chosen: Mapping[str, str], fixed: Mapping[str, str], *, like: str | None = None
) -> str:
    """Return a mapping file: fields from columns, and fields that are the same in every row.

    `like`: a mapping whose other settings and steps stay; without it a plain one is made.
    """
    made = yaml.safe_load(like) if like else {}
    made = made if isinstance(made, dict) else {}
    before = made.get("fields")
    fields = dict(before) if isinstance(before, dict) else {}
    kept = {}
    for column, name in chosen.items():
        kept[name] = fields[name] if _column(fields.get(name)) == column else column
    for name, value in fixed.items():
        kept[name] = {"value": value}
    for name, rule in fields.items():
        if name not in kept and _column(rule) is None:
            kept[name] = rule  # made by a template or an expression, which no list of columns shows
    return yaml.safe_dump(
        {"as": kind, **made, "fields": kept}, sort_keys=False, allow_unicode=True, width=100
    )


def chosen_in(text: str | None) -> dict[str, str]:
    """Return the fields by column that a mapping takes from single columns."""
    try:
        made = yaml.safe_load(text) if text else {}
    except yaml.YAMLError:
        return {}
    fields = made.get("fields") if isinstance(made, dict) else None
    found = {}
    for name, rule in (fields or {}).items() if isinstance(fields, dict) else ():
        column = _column(rule)
        if column is not None:
            found[column] = str(name)
    return found


def _column(rule: object) -> str | None:
    if isinstance(rule, str):
        return rule
    if isinstance(rule, dict) and isinstance(rule.get("column"), str):
        return str(rule["column"])
    return None


def _folded(name: str) -> str:
    return _NOT_WORD.sub(" ", name.casefold()).strip()
