"""What can be done to the definitions of custom fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

import msgspec
from msgspec import UNSET, UnsetType

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan, expect
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, FieldError, Invalid, NotFound
from fairway.kernel.text import line
from fairway.workspace import queries
from fairway.workspace.commands.values import check_held
from fairway.workspace.models import FieldDefinition
from fairway.workspace.rules.fields import (
    BOUNDED,
    LISTS,
    LONGEST_NAME,
    NAME,
    REFERENCES,
    Definition,
    Fault,
    Option,
    Type,
    read,
)

MOST_FIELDS, MOST_OPTIONS = 200, 500


class OptionBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be picked. Without `label` it is called as its key; `retired`: it is picked no more."""

    key: str
    label: str = ""
    description: str = ""
    retired: bool = False


class CreateField(Command, name="workspace.field.create"):
    """Define a field of records of a subject, in the branch of an organisation, one's own unless told.

    `subject`: item, change, environment or window. `viewers`, `editors`: keys of roles; none: whoever sees
    or edits the record. `minimum`, `maximum`: of a number, or of the length of a text.
    """

    permission: ClassVar[str] = "workspace.configure"
    subject: str
    name: str
    label: str
    type: str
    organisation: str | None = None
    help: str = ""
    kinds: list[str] = []
    options: list[OptionBody] = []
    mandatory: bool = False
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    viewers: list[str] = []
    editors: list[str] = []
    filterable: bool = True
    group: str = ""
    position: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        organisation = _organisation(actor, self.organisation)
        accounts.require(actor, self.permission, at=organisation.pk)
        what = queries.field_subject(self.subject)
        name = self.name
        if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
            raise Invalid.field(
                "name", f"“{name[:60]}” is no name of a field: use a-z, 0-9, “_”, “-”, a letter first."
            )
        if FieldDefinition.objects.filter(subject=what.name, name=name).exists():
            raise Conflict(f"The name “{name}” is taken.", code="workspace.field.exists")
        known = queries.defined(what.name)
        if len(known) >= MOST_FIELDS:
            raise Conflict(
                f"There are {MOST_FIELDS} fields of this subject, archived ones too; that is the most.",
                code="workspace.field.too-many",
            )
        made = FieldDefinition(organisation=organisation, subject=what.name, name=name)
        asked = {one: getattr(self, one) for one in _SETTABLE}
        if self.position is None:
            asked["position"] = len(known)
        for column, value in _settle(actor, made, asked).items():
            setattr(made, column, value)
        return Plan(subject=made, create=[made])


class EditField(Command, name="workspace.field.edit"):
    """Change a field; what is left out stays.

    Another type, other kinds or options are refused while records hold values that they do not allow.
    """

    permission: ClassVar[str] = "workspace.configure"
    field: str
    version: int | None = None
    label: str | UnsetType = UNSET
    type: str | UnsetType = UNSET
    help: str | UnsetType = UNSET
    kinds: list[str] | UnsetType = UNSET
    options: list[OptionBody] | UnsetType = UNSET
    mandatory: bool | UnsetType = UNSET
    default: Any = UNSET
    minimum: float | UnsetType | None = UNSET
    maximum: float | UnsetType | None = UNSET
    viewers: list[str] | UnsetType = UNSET
    editors: list[str] | UnsetType = UNSET
    filterable: bool | UnsetType = UNSET
    group: str | UnsetType = UNSET
    position: int | UnsetType = UNSET

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = _known(actor, self.field, self.permission)
        expect(found, self.version)
        if found.archived_at is not None:
            raise Conflict(f"{found.key} is archived; restore it first.", code="workspace.field.archived")
        asked = {one: value for one in _SETTABLE if (value := getattr(self, one)) is not UNSET}
        return Plan(subject=found, change=[(found, _settle(actor, found, asked))])


class ArchiveField(Command, name="workspace.field.archive"):
    """Take a field out of use: records keep their values of it, and nobody sees or sets them."""

    permission: ClassVar[str] = "workspace.configure"
    field: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = _known(actor, self.field, self.permission)
        expect(found, self.version)
        return Plan(subject=found, change=[] if found.archived_at else [(found, {"archived_at": at})])


class RestoreField(Command, name="workspace.field.restore"):
    """Use an archived field again, with the values that records kept of it."""

    permission: ClassVar[str] = "workspace.configure"
    field: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = _known(actor, self.field, self.permission)
        expect(found, self.version)
        if found.archived_at is None:
            return Plan(subject=found)
        check_held(found.definition())
        return Plan(subject=found, change=[(found, {"archived_at": None})])


class OrderFields(Command, name="workspace.field.order"):
    """Put the fields of a subject in an order; those that are not named follow in the order they had."""

    permission: ClassVar[str] = "workspace.configure"
    subject: str
    fields: list[str]

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        accounts.require(actor, self.permission, at=None)
        what = queries.field_subject(self.subject)
        rows = queries.definitions(actor).filter(subject=what.name, archived_at=None)
        access = accounts.access(actor)
        mine = {
            row.name: row
            for row in rows.order_by("position", "pk")
            if access.may(self.permission, row.organisation_id)
        }
        unknown = next((name for name in self.fields if name not in mine), None)
        if unknown is not None:
            raise Invalid.field(
                "fields", f"“{unknown[:60]}” is no field here; there are {', '.join(mine) or 'none'}."
            )
        wanted = list(dict.fromkeys([*self.fields, *mine]))
        places = sorted(row.position for row in mine.values())
        if len(set(places)) < len(places):
            places = list(range(len(wanted)))
        changes = [
            (mine[name], {"position": place})
            for name, place in zip(wanted, places, strict=True)
            if mine[name].position != place
        ]
        return Plan(subject=mine[wanted[0]] if wanted else None, change=changes)


_SETTABLE = (
    *("label", "type", "help", "kinds", "options", "mandatory", "default", "minimum", "maximum"),
    *("viewers", "editors", "filterable", "group", "position"),
)


def _organisation(actor: Actor, reference: str | None) -> Any:
    """Return the organisation that a new field goes to; without a reference, that of the actor.

    :raises Invalid: there is none (for the actor).
    """
    try:
        if reference is not None:
            return accounts.organisation(actor, reference)
        found = accounts.root() if actor.is_system else accounts.user(actor, actor.uid).organisation
    except NotFound as problem:
        raise Invalid.field("organisation", problem.detail) from problem
    if found is None:
        raise Invalid.field("organisation", "There is no organisation yet; make one first.")
    return found


def _known(actor: Actor, reference: str, permission: str) -> FieldDefinition:
    found = queries.definition(actor, reference)
    accounts.require(actor, permission, at=found.organisation_id)
    return found


def _settle(actor: Actor, row: FieldDefinition, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that a field shall have.

    :raises Invalid: they make no sense, by field. :raises Conflict: records hold what they do not allow.
    """
    values = _columns(row, asked)
    candidate = _candidate(row, values)
    _fitting(candidate)
    default = values.get("default", row.default)
    if default is not None:
        values["default"] = _default(actor, candidate, default)
    before = None if row._state.adding else row.definition()
    if (
        before is None
        or before.type is not candidate.type
        or before.options != candidate.options
        or before.kinds != candidate.kinds
    ):
        check_held(candidate)
    return values


def _columns(row: FieldDefinition, asked: Mapping[str, Any]) -> dict[str, Any]:
    plain = ("mandatory", "filterable", "default", "minimum", "maximum")
    values = {name: asked[name] for name in plain if name in asked}
    if "label" in asked:
        values["title"] = line(asked["label"], field="label", longest=80)
    for name, longest in (("help", 300), ("group", 80)):
        if name in asked:
            values[name] = line(asked[name], field=name, longest=longest, needed=False)
    if "type" in asked:
        if asked["type"] not in list(Type):
            there_are = ", ".join(Type)
            raise Invalid.field("type", f"“{asked['type'][:40]}” is no type; there are {there_are}.")
        values["type"] = str(asked["type"])
    if "position" in asked:
        if not 0 <= asked["position"] < 30_000:
            raise Invalid.field("position", "A position goes from 0 to 29,999.")
        values["position"] = asked["position"]
    if "options" in asked:
        values["options"] = _options(asked["options"])
    if "kinds" in asked:
        known = dict(queries.field_kinds(queries.FIELD_SUBJECTS[row.subject]))
        values["kinds"] = _named(asked["kinds"], known, "kinds", "kind")
    for name in ("viewers", "editors"):
        if name in asked:
            known = dict(accounts.roles().values_list("slug", "name"))
            values[name] = _named(asked[name], known, name, "role")
    return values


def _named(given: Sequence[str], known: Mapping[str, str], field: str, what: str) -> list[str]:
    for one in given:
        if one not in known:
            raise Invalid.field(field, f"“{one[:40]}” is no {what} here; there are {', '.join(known)}.")
    return [one for one in known if one in given]


def _options(given: Sequence[OptionBody]) -> list[dict[str, Any]]:
    if len(given) > MOST_OPTIONS:
        raise Invalid.field("options", f"A list has at most {MOST_OPTIONS} options.")
    found: dict[str, dict[str, Any]] = {}
    for position, one in enumerate(given):
        place = f"options[{position}]"
        key = line(one.key, field=f"{place}.key", longest=60)
        if ";" in key or "," in key or key != key.casefold():
            raise Invalid.field(
                f"{place}.key", f"“{key}” is no key of an option: lower case, without “;” and “,”."
            )
        if key in found:
            raise Invalid.field(f"{place}.key", f"The option “{key}” is there twice.")
        found[key] = {
            "key": key,
            "label": line(one.label or one.key, field=f"{place}.label", longest=80),
            "description": line(one.description, field=f"{place}.description", longest=300, needed=False),
            "retired": one.retired,
        }
    return list(found.values())


def _candidate(row: FieldDefinition, values: Mapping[str, Any]) -> Definition:
    """Return the definition as it would be."""

    def of(name: str) -> Any:
        return values.get(name, getattr(row, name))

    return Definition(
        pk=row.pk or 0,
        uid=str(row.uid),
        subject=row.subject,
        name=row.name,
        label=of("title"),
        type=Type(of("type")),
        organisation=row.organisation_id,
        kinds=frozenset(of("kinds")),
        options=tuple(Option(**option) for option in of("options")),
        minimum=of("minimum"),
        maximum=of("maximum"),
    )


def _fitting(candidate: Definition) -> None:
    """Check that what goes with the type is there, and what does not is not."""
    wrong = []
    if candidate.type in LISTS and all(option.retired for option in candidate.options):
        wrong.append(FieldError("options", "A list needs options that can be picked."))
    if candidate.type not in LISTS and candidate.options:
        wrong.append(FieldError("options", f"A field of type {candidate.type} has no options."))
    low, high = candidate.minimum, candidate.maximum
    for name, limit in (("minimum", low), ("maximum", high)):
        if limit is not None and candidate.type not in BOUNDED:
            wrong.append(FieldError(name, f"A field of type {candidate.type} has no {name}."))
        elif limit is not None and not abs(limit) < 2**53:
            wrong.append(FieldError(name, f"The {name} is out of range."))
    if low is not None and high is not None and low > high:
        wrong.append(FieldError("maximum", "The maximum is below the minimum."))
    if wrong:
        raise Invalid.fields(wrong)


def _default(actor: Actor, candidate: Definition, value: Any) -> Any:
    """Return the default as it is stored.

    :raises Invalid: it is no value of this field.
    """
    try:
        found = read(candidate, value)
        return queries.reference(actor, candidate.type, found) if candidate.type in REFERENCES else found
    except (Fault, NotFound) as problem:
        raise Invalid.field("default", f"The default does not fit: {problem}") from None
