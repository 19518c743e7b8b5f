"""Lists filtered by fields of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from django.db.models import Q, QuerySet

from fairway.accounts import queries as accounts
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid
from fairway.kernel.models import fold
from fairway.workspace.models import FieldValue
from fairway.workspace.queries.fields.subjects import FIELD_SUBJECTS, R, powers, revisions_of, visible_fields
from fairway.workspace.rules.fields import REFERENCES, Definition, Fault, Type, read
from fairway.workspace.rules.fields import sees as _sees

PREFIX: Final = "custom."
_OPERATORS: Final[Mapping[Type, frozenset[str]]] = {
    **dict.fromkeys(Type, frozenset({"", "in"})),
    **dict.fromkeys((Type.TEXT, Type.LINK, Type.LONG_TEXT), frozenset({"", "in", "contains"})),
    **dict.fromkeys((Type.NUMBER, Type.INTEGER, Type.DATE, Type.INSTANT), frozenset({"", "in", "gte", "lt"})),
}


def matching(actor: Actor, subject: str, filters: Mapping[str, str]) -> Q:
    """Return the filter for records of which custom fields are as asked: `{"custom.cost__gte": "5"}`.

    :raises Invalid: there is no such field for the actor, lists are not filtered by it, or the value has no
    sense; names the filter.
    """
    found = Q()
    for name, text in filters.items():
        found &= _matching(actor, subject, name, text)
    return found


def filtered(actor: Actor, subject: str, query: QuerySet[R], text: str) -> QuerySet[R]:
    """Limit records to those of which custom fields are as a list's `custom` asks: {"cost__gte": "5"}.

    :raises Invalid: it is no object of texts, or what `matching` raises.
    """
    if not text:
        return query
    try:
        filters = msgspec.json.decode(text, type=dict[str, str])
    except msgspec.DecodeError:
        raise Invalid.field(
            "custom", "Custom filters are a JSON object of texts, or written custom.NAME=."
        ) from None
    return query.filter(
        matching(actor, subject, {f"{PREFIX}{name}": value for name, value in filters.items()})
    )


def _matching(actor: Actor, subject: str, name: str, text: str) -> Q:
    base, _, operator = name.removeprefix(PREFIX).partition("__")
    seen = {one.name: one for one in visible_fields(actor, subject)}
    definition = seen.get(base)
    if definition is None or not definition.filterable:
        there_are = ", ".join(one.name for one in seen.values() if one.filterable) or "none"
        raise Invalid.field(name, f"Lists are not filtered by “{base[:60]}”; there are {there_are}.")
    if operator not in _OPERATORS[definition.type]:
        known = ", ".join(f"__{one}" for one in sorted(_OPERATORS[definition.type]) if one)
        raise Invalid.field(name, f"“{base}” is filtered by its value, or with {known}.")
    values = FieldValue.objects.filter(definition=definition.pk)
    if operator == "contains":
        values = values.filter(text__contains=fold(text))
    else:
        parts = [part for part in text.split(",") if part] if operator == "in" else [text]
        columns = [_column(definition, name, part) for part in parts]
        column = columns[0][0] if columns else "text"
        suffix = f"__{operator}" if operator else ""
        wanted: Any = [value for _, value in columns] if operator == "in" else columns[0][1]
        values = values.filter(**{f"{column}{suffix}": wanted})
    what = FIELD_SUBJECTS[subject]
    matching = Q(pk__in=values.values("record"), organisation_id__in=_places(actor, definition))
    return matching & Q(**{f"{what.kind}__in": sorted(definition.kinds)}) if definition.kinds else matching


def _places(actor: Actor, definition: Definition) -> frozenset[int]:
    """Return the organisations for whose records the field holds and is seen by the actor."""
    access = accounts.access(actor)
    below = accounts.tree(revisions_of(actor).get("accounts", 0)).below
    branch = below.get(definition.organisation, frozenset({definition.organisation}))
    return frozenset(one for one in branch if _sees(definition, powers(access, one)))


def _column(definition: Definition, name: str, text: str) -> tuple[str, Any]:
    """Return the column of the side table in which a value stands, and the value there.

    :raises Invalid: the text is no such value.
    """
    try:
        if definition.type in REFERENCES:
            return "text", fold(text)
        whole = replace(definition, minimum=None, maximum=None)
        value = read(whole, text, present=[option.key for option in definition.options])
        return column_of(definition.type, value[0] if isinstance(value, list) and value else value)
    except Fault as fault:
        raise Invalid.field(name, str(fault)) from None


def column_of(type: Type, value: Any) -> tuple[str, Any]:
    """Return where the side table keeps a value, and how."""
    if type in {Type.NUMBER, Type.INTEGER}:
        return "number", float(value)
    if type in {Type.DATE, Type.INSTANT}:
        at = datetime.fromisoformat(value)
        return "instant", at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    if isinstance(value, bool):
        return "text", "true" if value else "false"
    return "text", fold(str(value))[:200]
