"""Custom fields as they are defined, and values of records as somebody sees, checks and finds them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TypeVar

import msgspec
from django.apps import apps
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fairway.accounts import queries as accounts
from fairway.audit import queries as audit
from fairway.kernel.actor import Actor
from fairway.kernel.cache import Kept
from fairway.kernel.errors import FieldError, Invalid, NotFound
from fairway.kernel.models import fold, uid_lookup
from fairway.kernel.refs import HIDDEN
from fairway.workspace.models import FieldDefinition, FieldValue
from fairway.workspace.rules.fields import REFERENCES, Asked, Definition, Fault, Has, Type, read, settle
from fairway.workspace.rules.fields import sees as _sees
from fairway.workspace.rules.fields import sets as _sets
from fairway.workspace.rules.fields import shown as _shown

R = TypeVar("R", bound=Model)


@dataclass(frozen=True, slots=True)
class FieldSubject:
    """What custom fields can be of. Its tables stand above and are reached by their names alone.

    `column` holds the values; `kind`: the path to the kind that a definition may be limited to, `named` what
    people call that kind; `open`: what is not defined may stand there too.
    """

    name: str
    label: Any
    model: str
    column: str
    kind: str
    named: Any
    view: str
    open: bool = False

    def table(self) -> type[Model]:
        return apps.get_model(self.model)


FIELD_SUBJECTS: Final[Mapping[str, FieldSubject]] = {
    one.name: one
    for one in (
        FieldSubject(
            "item", _("Items"), "catalog.ConfigurationItem", "attributes", "item_kind__slug", _("Kinds"),
            "catalog.view", open=True,
        ),
        FieldSubject(
            "change", _("Changes"), "changes.Change", "custom", "model__slug", _("Change models"),
            "changes.view",
        ),
        FieldSubject(
            "environment", _("Environments"), "environments.Environment", "custom", "tier", _("Tiers"),
            "environments.view",
        ),
        FieldSubject(
            "window", _("Freezes and maintenance windows"), "calendars.Window", "custom", "window_kind",
            _("Kinds"), "calendars.view",
        ),
    )
}  # fmt: skip
"""By name, in the order of the pages."""
MOST: Final = 200


def field_subject(name: str) -> FieldSubject:
    """Return what custom fields can be of, by name.

    :raises Invalid: there is none; names those there are.
    """
    if name not in FIELD_SUBJECTS:
        raise Invalid.field(
            "subject", f"“{name[:40]}” has no fields of its own; there are {', '.join(FIELD_SUBJECTS)}."
        )
    return FIELD_SUBJECTS[name]


def field_kinds(what: FieldSubject) -> list[tuple[str, str]]:
    """Return the kinds that fields of a subject may be limited to, as key and name."""
    name, _, leaf = what.kind.partition("__")
    found: Any = what.table()._meta.get_field(name)
    if not leaf:
        return [(str(value), str(word)) for value, word in found.flatchoices]
    rows = found.related_model._default_manager.order_by("position", leaf)
    return list(rows.values_list(leaf, "name"))


# What is defined --------------------------------------------------------------------------------------------

_Defined = Mapping[str, Mapping[str, Definition]]


def _load(revision: int, before: object) -> _Defined:
    found: dict[str, dict[str, Definition]] = {name: {} for name in FIELD_SUBJECTS}
    for row in FieldDefinition.objects.order_by("position", "pk"):
        found[row.subject][row.name] = row.definition()
    return found


_kept: Kept[_Defined] = Kept(_load)


def _revisions(actor: Actor | None) -> Mapping[str, int]:
    return (actor.revisions if actor is not None else None) or audit.revisions()


def defined(subject: str, *, revisions: Mapping[str, int] | None = None) -> Mapping[str, Definition]:
    """Return every definition of a subject by name, in order, archived ones too; kept in memory."""
    known = audit.revisions() if revisions is None else revisions
    return _kept.at(known.get("workspace", 0))[subject]


def _holding(
    definitions: Mapping[str, Definition], organisation: int, above: Mapping[int, frozenset[int]]
) -> dict[str, Definition]:
    """Return the definitions that hold for records of an organisation."""
    branch = above.get(organisation, frozenset({organisation}))
    return {name: one for name, one in definitions.items() if one.organisation in branch}


def _has(access: accounts.Access, organisation: int | None) -> Has:
    return partial(access.has_role, organisation=organisation)


def fields(actor: Actor, subject: str, *, kind: str, organisation: int | None) -> list[Definition]:
    """Return the live fields of a record of this kind and place that the actor sees, in order."""
    revisions = _revisions(actor)
    known = defined(subject, revisions=revisions)
    if not known or organisation is None:
        return []
    has = _has(accounts.access(actor), organisation)
    holding = _holding(known, organisation, accounts.tree(revisions.get("accounts", 0)).above)
    return [one for one in holding.values() if not one.archived and one.is_for(kind) and _sees(one, has)]


def may_set(actor: Actor, definition: Definition, organisation: int) -> bool:
    """Say whether the actor may set the field on records of an organisation that they may edit."""
    return _sets(definition, _has(accounts.access(actor), organisation))


def visible_fields(actor: Actor, subject: str) -> list[Definition]:
    """Return the live fields that the actor sees somewhere: for filters, columns and exports."""
    revisions = _revisions(actor)
    known = defined(subject, revisions=revisions)
    if not known:
        return []
    access = accounts.access(actor)
    if access.organisations is None:
        near = None
    else:
        tree = accounts.tree(revisions.get("accounts", 0))
        near = frozenset[int]().union(*(tree.above.get(one, frozenset()) for one in access.organisations))
    has = _has(access, None)
    return [
        one
        for one in known.values()
        if not one.archived and (near is None or one.organisation in near) and _sees(one, has)
    ]


def unrestricted(subject: str) -> list[Definition]:
    """Return the live fields that whoever sees a record sees: what may stand in an index for all."""
    return [one for one in defined(subject).values() if not one.archived and not one.viewers]


def withheld(subject: str) -> frozenset[str]:
    """Return the names of fields of which the values are for no index: not everybody sees them."""
    coming = _coming.get()
    if subject in coming:
        return coming[subject]
    return frozenset(one.name for one in defined(subject).values() if withholds(one))


def withholds(definition: Definition) -> bool:
    return definition.archived or bool(definition.viewers) or definition.type is Type.ITEM


_coming: ContextVar[Mapping[str, frozenset[str]]] = ContextVar("coming", default={})  # noqa: B039  (never written)


@contextmanager
def withholding(subject: str, names: frozenset[str]) -> Iterator[None]:
    """Let `withheld` say what will be so once the present transaction is through."""
    token = _coming.set({subject: names})
    try:
        yield
    finally:
        _coming.reset(token)


def definitions(actor: Actor) -> Any:
    """Return the rows of the definitions that the actor sees: of their branches and of those above.

    What is hidden from them is not among them, unless it is theirs to configure.
    """
    query = FieldDefinition.objects.select_related("organisation")
    hidden = [
        one.pk
        for known in (defined(name) for name in FIELD_SUBJECTS)
        for one in known.values()
        if not may_know(actor, one)
    ]
    return query.exclude(pk__in=hidden)


def may_know(actor: Actor, definition: Definition) -> bool:
    """Say whether the actor may know that there is such a field."""
    access = accounts.access(actor)
    if access.organisations is not None:
        above = accounts.tree(_revisions(actor).get("accounts", 0)).above
        if not any(definition.organisation in above.get(one, ()) for one in access.organisations):
            return False
    if access.may("workspace.configure", definition.organisation):
        return True
    return access.may(FIELD_SUBJECTS[definition.subject].view, None) and _sees(definition, _has(access, None))


def definition(actor: Actor, reference: str) -> FieldDefinition:
    """Return a definition by key (`item.cost_centre`) or uid.

    :raises NotFound: there is none, or the actor may not see it. :raises Forbidden: they see no records of
    this subject anywhere, nor configure fields.
    """
    lookup = uid_lookup(reference)
    if lookup is None:
        name, dot, leaf = reference.partition(".")
        if name in FIELD_SUBJECTS and not accounts.access(actor).may("workspace.configure", None):
            accounts.require(actor, FIELD_SUBJECTS[name].view, at=None)
        lookup = {"subject": name, "name": leaf} if dot and reference.isprintable() else None
    found = definitions(actor).filter(**lookup).first() if lookup is not None else None
    if found is None:
        raise NotFound(f"There is no field “{reference[:100]}”.")
    row: FieldDefinition = found
    return row


# Values of records ------------------------------------------------------------------------------------------


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
        return settle((), asked, _nobody)
    holding = _holding(known, organisation, accounts.tree(revisions.get("accounts", 0)).above)
    here = [one for one in holding.values() if one.is_for(kind)]
    values = settle(here, asked, _has(accounts.access(actor), organisation))
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


def _nobody(roles: Collection[str]) -> bool:
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
    revisions = _revisions(actor)
    known = defined(subject, revisions=revisions)
    if not known:
        return [dict(one.values) for one in holders]
    access = accounts.access(actor)
    above = accounts.tree(revisions.get("accounts", 0)).above
    found, holding = [], dict[int | None, dict[str, Definition]]()
    for one in holders:
        if one.organisation not in holding:
            holding[one.organisation] = _holding(known, one.organisation or 0, above)
        has = _has(access, one.organisation)
        found.append(_shown(holding[one.organisation], one.values, one.kind, has))
    _redact(actor, [name for name, one in known.items() if one.type is Type.ITEM], found)
    return found


def _redact(actor: Actor, names: Sequence[str], found: Sequence[dict[str, Any]]) -> None:
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


# Filters ----------------------------------------------------------------------------------------------------

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
    below = accounts.tree(_revisions(actor).get("accounts", 0)).below
    branch = below.get(definition.organisation, frozenset({definition.organisation}))
    return frozenset(one for one in branch if _sees(definition, _has(access, one)))


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


# What the log holds -----------------------------------------------------------------------------------------


def _veil(subject: str, values: Any, organisation: str, reader: Actor | None) -> Any:
    """Return the values that stand in the log as the reader may see them; nobody: as everybody may."""
    known = defined(subject)
    if not isinstance(values, dict) or not known.keys() & values.keys():
        return values
    tree = accounts.tree()
    places = {uid: pk for pk, uid in audit.uids_of_organisations(tree.above).items()}
    where = places.get(organisation)
    holding = _holding(known, where or 0, tree.above)
    has = _has(accounts.access(reader), where) if reader is not None else _nobody
    kept = {
        name: value
        for name, value in values.items()
        if name not in holding or (not holding[name].archived and _sees(holding[name], has))
    }
    items = [name for name, one in holding.items() if one.type is Type.ITEM]
    if reader is not None:
        _redact(reader, items, [kept])
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
