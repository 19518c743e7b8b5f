"""What may have fields of its own, and the fields that are defined for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from django.apps import apps
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from fairway.accounts import queries as accounts
from fairway.audit import queries as audit
from fairway.kernel.actor import Actor
from fairway.kernel.cache import Kept
from fairway.kernel.errors import Invalid, NotFound
from fairway.kernel.models import uid_lookup
from fairway.workspace.models import FieldDefinition
from fairway.workspace.rules.fields import Definition, Has, Type
from fairway.workspace.rules.fields import sees as _sees
from fairway.workspace.rules.fields import sets as _sets

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


_Defined = Mapping[str, Mapping[str, Definition]]


def _load(revision: int, before: object) -> _Defined:
    found: dict[str, dict[str, Definition]] = {name: {} for name in FIELD_SUBJECTS}
    for row in FieldDefinition.objects.order_by("position", "pk"):
        found[row.subject][row.name] = row.definition()
    return found


_kept: Kept[_Defined] = Kept(_load)


def revisions_of(actor: Actor | None) -> Mapping[str, int]:
    return (actor.revisions if actor is not None else None) or audit.revisions()


def defined(subject: str, *, revisions: Mapping[str, int] | None = None) -> Mapping[str, Definition]:
    """Return every definition of a subject by name, in order, archived ones too; kept in memory."""
    known = audit.revisions() if revisions is None else revisions
    return _kept.at(known.get("workspace", 0))[subject]


def held_below(
    definitions: Mapping[str, Definition], organisation: int, above: Mapping[int, frozenset[int]]
) -> dict[str, Definition]:
    """Return the definitions that hold for records of an organisation."""
    branch = above.get(organisation, frozenset({organisation}))
    return {name: one for name, one in definitions.items() if one.organisation in branch}


def powers(access: accounts.Access, organisation: int | None) -> Has:
    return partial(access.has_role, organisation=organisation)


def fields(actor: Actor, subject: str, *, kind: str, organisation: int | None) -> list[Definition]:
    """Return the live fields of a record of this kind and place that the actor sees, in order."""
    revisions = revisions_of(actor)
    known = defined(subject, revisions=revisions)
    if not known or organisation is None:
        return []
    has = powers(accounts.access(actor), organisation)
    holding = held_below(known, organisation, accounts.tree(revisions.get("accounts", 0)).above)
    return [one for one in holding.values() if not one.archived and one.is_for(kind) and _sees(one, has)]


def may_set(actor: Actor, definition: Definition, organisation: int) -> bool:
    """Say whether the actor may set the field on records of an organisation that they may edit."""
    return _sets(definition, powers(accounts.access(actor), organisation))


def visible_fields(actor: Actor, subject: str) -> list[Definition]:
    """Return the live fields that the actor sees somewhere: for filters, columns and exports."""
    revisions = revisions_of(actor)
    known = defined(subject, revisions=revisions)
    if not known:
        return []
    access = accounts.access(actor)
    if access.organisations is None:
        near = None
    else:
        tree = accounts.tree(revisions.get("accounts", 0))
        near = frozenset[int]().union(*(tree.above.get(one, frozenset()) for one in access.organisations))
    has = powers(access, None)
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
        above = accounts.tree(revisions_of(actor).get("accounts", 0)).above
        if not any(definition.organisation in above.get(one, ()) for one in access.organisations):
            return False
    if access.may("workspace.configure", definition.organisation):
        return True
    return access.may(FIELD_SUBJECTS[definition.subject].view, None) and _sees(
        definition, powers(access, None)
    )


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
