"""Values of fields of their own: checked when they are given, shown as somebody may see them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from fairway.accounts import queries as accounts
from fairway.audit import queries as audit
from fairway.kernel.actor import Actor
from fairway.kernel.errors import FieldError, Invalid, NotFound
from fairway.kernel.models import uid_lookup
from fairway.kernel.refs import HIDDEN
from fairway.workspace.queries.fields.subjects import (
    FIELD_SUBJECTS,
    MOST,
    defined,
    fields,
    held_below,
    may_set,
    powers,
    revisions_of,
)
from fairway.workspace.rules.fields import REFERENCES, Asked, Definition, Type, settle
from fairway.workspace.rules.fields import shown as _shown


def checked(
    actor: Actor, subject: str, asked: Asked, *, kind: str, organisation: int, before: str | None = None
) -> dict[str, Any]:
    """Return the values that a record of this kind and place shall have.

    `before`: the kind that the record had, where it is another one now: then what the new kind asks for is
    asked for.

    :raises Invalid: a value has no sense or a field is not there (for the actor), by field.
    :raises Forbidden: the actor sees a field and may not set it.
    """
    revisions = audit.revisions()
    known = defined(subject, revisions=revisions)
    if before is not None and before != kind:
        asked = replace(asked, complete=True)
    if not known:
        return settle((), asked, nobody)
    holding = held_below(known, organisation, accounts.tree(revisions.get("accounts", 0)).above)
    here = [one for one in holding.values() if one.is_for(kind)]
    values = settle(here, asked, powers(accounts.access(actor), organisation))
    given = [one for one in here if one.type in REFERENCES and one.name in asked.given]
    _resolve(actor, given, values, asked)
    return values


def custom(
    actor: Actor,
    subject: str,
    given: Mapping[str, Any],
    present: Mapping[str, Any],
    *,
    kind: str,
    organisation: int,
    whole: bool = False,
    before: str | None = None,
) -> dict[str, Any]:
    """Return the `custom` that a record of this kind and place shall have; `whole`: what is not given goes.

    `before`: the kind that it had. Raises what `checked` raises.
    """
    if len(given) > MOST:
        raise Invalid.field("custom", f"A record has at most {MOST} fields of its own.")
    asked = Asked(given=given, present=present, column="custom", whole=whole, complete=whole)
    return checked(actor, subject, asked, kind=kind, organisation=organisation, before=before)


def seen(actor: Actor, subject: str, row: Any) -> dict[str, Any]:
    """Return the values of one record, an object or a row of plain values, as the actor sees them."""
    return seen_all(actor, subject, [row])[0]


def seen_all(actor: Actor, subject: str, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the values of records as the actor sees them; rows of plain values hold the columns for it."""
    what = FIELD_SUBJECTS[subject]
    holders = []
    for row in rows:
        if isinstance(row, Mapping):
            holders.append(Holder(row["organisation_id"], row[what.kind], row[what.column]))
        else:
            kind = row
            for step in what.kind.split("__"):
                kind = getattr(kind, step)
            holders.append(Holder(row.owning_organisation, str(kind), getattr(row, what.column)))
    return shown(actor, subject, holders)


def for_form(
    actor: Actor, subject: str, *, kind: str, organisation: int | None, row: Any = None
) -> dict[str, Any]:
    """Return what a form of such a record shows, as `add_custom` of the form kit takes it."""
    found = fields(actor, subject, kind=kind, organisation=organisation)
    values = seen(actor, subject, row) if row is not None else {one.name: one.default for one in found}
    fixed = [one.name for one in found if not may_set(actor, one, organisation or 0)]
    if row is None:
        found = [one for one in found if one.name not in fixed]
    return {
        "definitions": found,
        "values": values,
        "zone": actor.zone,
        "fixed": fixed,
        "names": names_of(actor, found, values),
    }


def told(actor: Actor, subject: str, row: Any) -> list[dict[str, Any]]:
    """Return the fields of a record that have a value, by group, as ui/custom.html shows them."""
    values = seen(actor, subject, row)
    what = FIELD_SUBJECTS[subject]
    kind = row
    for step in what.kind.split("__"):
        kind = getattr(kind, step)
    found = fields(actor, subject, kind=str(kind), organisation=row.owning_organisation)
    names = names_of(actor, found, values)
    groups: dict[str, list[dict[str, Any]]] = {}
    for one in sorted(found, key=lambda one: bool(one.group)):
        if one.name in values:
            line = {"label": one.label, "help": one.help, **_line(one, values[one.name], names)}
            groups.setdefault(one.group, []).append(line)
    return [{"label": group, "rows": rows} for group, rows in groups.items()]


def _line(one: Definition, value: Any, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the text of a value and where it leads; instants stay instants."""
    labels = {option.key: option.label for option in one.options}
    match one.type:
        case Type.BOOLEAN:
            return {"text": gettext("yes") if value else gettext("no")}
        case Type.LIST:
            return {"text": labels.get(value, str(value))}
        case Type.MULTI_LIST if isinstance(value, list):
            return {"text": ", ".join(labels.get(key, str(key)) for key in value)}
        case Type.INSTANT | Type.DATE:
            try:
                at = datetime.fromisoformat(value)
            except (TypeError, ValueError):
                return {"text": str(value)}
            return {"at": at} if one.type is Type.INSTANT and at.tzinfo else {"text": f"{at:%d %b %Y}"}
        case Type.USER:
            return {"text": names.get(value, str(value))}
        case Type.ITEM if value == HIDDEN.kind:
            return {"text": gettext("another organisation's")}
        case Type.ITEM:
            return {"text": names.get(value, str(value)), "href": f"/items/{value}"}
        case Type.LINK:
            return {"text": str(value), "href": str(value), "away": True}
        case Type.NUMBER | Type.INTEGER if isinstance(value, int | float):
            return {"text": f"{value:,}"}
        case _:
            return {"text": str(value)}


def nobody(roles: Collection[str]) -> bool:
    return False


def _resolve(actor: Actor, given: Sequence[Definition], values: dict[str, Any], asked: Asked) -> None:
    """Put keys in the place of references to people and items.

    :raises Invalid: the actor sees no such person or item; names the field.
    """
    wrong = []
    for definition in given:
        value = values.get(definition.name)
        if value is None or value == asked.present.get(definition.name):
            continue
        try:
            values[definition.name] = reference(actor, definition.type, value)
        except NotFound as problem:
            wrong.append(
                FieldError(f"{asked.column}.{definition.name}", f"{definition.label}: {problem.detail}")
            )
    if wrong:
        raise Invalid.fields(wrong)


def reference(actor: Actor, type: Type, value: str) -> str:
    """Return the key of a person or an item.

    :raises NotFound: the actor sees none of that name.
    """
    if type is Type.USER:
        return accounts.user(actor, value).key
    lookup = uid_lookup(value) or {"slug": value.lower()}
    found = accounts.visible(_items().filter(archived_at=None, **lookup), actor)
    slug = found.values_list("slug", flat=True).first()
    if slug is None:
        raise NotFound(f"There is no item “{value[:100]}”.")
    return str(slug)


def _items() -> Any:
    return FIELD_SUBJECTS["item"].table()._default_manager.all()


@dataclass(frozen=True, slots=True)
class Holder:
    """A record as far as its values are concerned."""

    organisation: int | None
    kind: str
    values: Mapping[str, Any]


def shown(actor: Actor, subject: str, holders: Sequence[Holder]) -> list[dict[str, Any]]:
    """Return the values of records as the actor sees them; at most one statement, however many there are.

    What they may not see is left out, and an item of another branch is named by nothing but `hidden`.
    """
    revisions = revisions_of(actor)
    known = defined(subject, revisions=revisions)
    if not known:
        return [dict(one.values) for one in holders]
    access = accounts.access(actor)
    above = accounts.tree(revisions.get("accounts", 0)).above
    found, holding = [], dict[int | None, dict[str, Definition]]()
    for one in holders:
        if one.organisation not in holding:
            holding[one.organisation] = held_below(known, one.organisation or 0, above)
        has = powers(access, one.organisation)
        found.append(_shown(holding[one.organisation], one.values, one.kind, has))
    redacted(actor, [name for name, one in known.items() if one.type is Type.ITEM], found)
    return found


def redacted(actor: Actor, names: Sequence[str], found: Sequence[dict[str, Any]]) -> None:
    """Put `hidden` in the place of items that the actor may not see."""
    if accounts.access(actor).organisations is None:
        return
    named = {values[name] for values in found for name in names if isinstance(values.get(name), str)}
    if not named:
        return
    seen = set(accounts.visible(_items().filter(slug__in=named), actor).values_list("slug", flat=True))
    for values in found:
        for name in names:
            if isinstance(values.get(name), str) and values[name] not in seen:
                values[name] = HIDDEN.kind


def names_of(actor: Actor, definitions: Iterable[Definition], values: Mapping[str, Any]) -> dict[str, str]:
    """Return the names of the people and items among values, by key, as far as the actor sees them."""
    keys = {
        kind: [
            value
            for one in definitions
            if one.type is kind and isinstance(value := values.get(one.name), str)
        ]
        for kind in REFERENCES
    }
    found: dict[str, str] = {}
    if keys[Type.USER]:
        numbers = [key[4:] for key in keys[Type.USER] if key[:4] == "USR-" and key[4:].isdigit()]
        people = accounts.people(actor).filter(number__in=numbers)
        found |= {f"USR-{number}": name for number, name in people.values_list("number", "name")}
    if keys[Type.ITEM]:
        items = accounts.visible(_items().filter(slug__in=keys[Type.ITEM]), actor)
        found |= dict(items.values_list("slug", "name"))
    return found
