"""Custom fields as filters of a list's page: what its address asks, and what its filter bar offers."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from django.utils.translation import gettext as _

from fairway.kernel.actor import Actor
from fairway.workspace.queries.fields import PREFIX, visible_fields
from fairway.workspace.rules.fields import Definition, Type

Choice = tuple[str, str, list[tuple[str, str]]]
"""A parameter, its label, and what can be chosen for it, if that can be listed."""


def own_filters(asked: Mapping[str, str]) -> dict[str, str]:
    """Return those parameters of an address that filter by custom fields."""
    return {name: value for name, value in asked.items() if name.startswith(PREFIX) and value}


def packed(asked: Mapping[str, str]) -> dict[str, str]:
    """Return what a list is asked with its filters by custom fields in one, as its query takes them."""
    own = own_filters(asked)
    rest = {name: value for name, value in asked.items() if not name.startswith(PREFIX)}
    if not own:
        return rest
    told = {name.removeprefix(PREFIX): value for name, value in own.items()}
    return {**rest, "custom": msgspec.json.encode(told).decode()}


def filter_choices(actor: Actor, subject: str, asked: Mapping[str, str]) -> list[Choice]:
    """Return a filter for each custom field that lists are filtered by; the rest is shown where it is set."""
    known = {one.name: one for one in visible_fields(actor, subject) if one.filterable}
    found: list[Choice] = [(f"{PREFIX}{name}", one.label, _options(one)) for name, one in known.items()]
    for name in own_filters(asked):
        base, _dash, operator = name.removeprefix(PREFIX).partition("__")
        if operator and base in known:
            found.append((name, _told(known[base].label, operator), []))
    return found


def _options(one: Definition) -> list[tuple[str, str]]:
    if one.type == Type.BOOLEAN:
        return [("true", _("Yes")), ("false", _("No"))]
    return [(option.key, option.label) for option in one.options if not option.retired]


def _told(label: str, operator: str) -> str:
    words = {
        "gte": _("%(label)s from"),
        "lt": _("%(label)s before"),
        "in": _("%(label)s one of"),
        "contains": _("%(label)s with"),
    }
    return words.get(operator, "%(label)s") % {"label": label}
