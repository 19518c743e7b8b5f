"""The records that one may comment on, watch and look back at: each context tells here how its own are found.

A context calls `register` at start. So the workspace knows every kind and imports none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from fairway.accounts import queries as accounts
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid, NotFound
from fairway.kernel.models import Versioned

People = Mapping[str, Collection[int]]
"""Primary keys of people by what they are to a record: `owner`, `requester`, `implementer`, `team`,
`subscribed`."""


def nobody(record: Any) -> People:
    return {}


@dataclass(frozen=True, slots=True)
class SubjectKind:
    """One kind of record.

    `resource`: its name in the API and the first part of its page's path. `permission`: what reading takes.
    `find` gives the record by key or uid or raises NotFound; `visible`: all that the actor sees. `parts`:
    the models whose rows belong to it, each with the column that points at it. `moves`: its organisation may
    change.
    """

    kind: str
    resource: str
    label: Any
    permission: str
    model: str
    find: Callable[[Actor, str], Versioned]
    visible: Callable[[Actor], QuerySet[Any]]
    people: Callable[[Any], People] = nobody
    parts: Mapping[str, str] = field(default_factory=dict)
    moves: bool = True

    def href(self, key: str) -> str:
        return f"/{self.resource}/{key}"


_kinds: dict[str, SubjectKind] = {}


def register(kind: SubjectKind) -> None:
    """Make a kind of record known."""
    _kinds[kind.kind] = kind


def kinds() -> Collection[SubjectKind]:
    return _kinds.values()


def kind_of(kind: str, *, name: str = "kind") -> SubjectKind:
    """Return a kind by name.

    :raises Invalid: there is none; names those there are.
    """
    found = _kinds.get(kind)
    if found is None:
        there_are = ", ".join(sorted(_kinds))
        raise Invalid.field(name, f"There are no records of the kind “{kind[:40]}”; there are {there_are}.")
    return found


def subject(actor: Actor, kind: str, reference: str) -> Versioned:
    """Return the record of a kind by key or uid, as far as the actor sees it.

    :raises Invalid: there is no such kind. :raises NotFound: there is no such record for the actor.
    """
    return kind_of(kind).find(actor, reference)


def readable(actor: Actor, kind: str, reference: str) -> Versioned:
    """Return the record for reading.

    :raises Forbidden: the actor reads no records of this kind. And what `subject` raises.
    """
    accounts.require(actor, kind_of(kind).permission, at=None)
    return subject(actor, kind, reference)


def place(record: Versioned) -> int:
    """Return the organisation of a record, which every kind that is registered has."""
    if record.owning_organisation is None:
        raise NotFound("There is no such record.")
    return record.owning_organisation


def of_row(actor: Actor, row: Any, *, read: bool = False) -> Versioned:
    """Return the record that a row of ours belongs to; `read`: it is to be shown.

    :raises NotFound: the actor does not see it.
    """
    found = _kinds.get(row.subject_kind)
    if found is None:
        raise NotFound("There is no such record.")
    if read:
        accounts.require(actor, found.permission, at=None)
    return found.find(actor, str(row.subject_uid))


def about_visible(actor: Actor) -> Q:
    """Return the filter for rows (`subject_kind`, `subject_uid`) about records that the actor may read."""
    allowed = accounts.access(actor)
    found = Q(pk__in=())
    for one in _kinds.values():
        if not allowed.may(one.permission, None):
            continue
        of_kind = Q(subject_kind=one.kind)
        if allowed.organisations is not None:
            of_kind &= Q(Exists(one.visible(actor).filter(uid=OuterRef("subject_uid")).values("pk")))
        found |= of_kind
    return found


def refs(actor: Actor, wanted: Iterable[tuple[str, UUID]]) -> dict[UUID, Versioned]:
    """Return the records that the actor sees among these (kind, uid); one statement for each kind."""
    by_kind: dict[str, set[UUID]] = {}
    for kind, uid in wanted:
        by_kind.setdefault(kind, set()).add(uid)
    found: dict[UUID, Versioned] = {}
    for kind, uids in by_kind.items():
        if kind in _kinds:
            found |= {one.uid: one for one in _kinds[kind].visible(actor).filter(uid__in=uids)}
    return found


def may_read(actor: Actor, record: Versioned) -> bool:
    """Say whether the actor may read a record."""
    kind = _kinds[record.kind]
    allowed = accounts.access(actor)
    if not allowed.may(kind.permission, None):
        return False
    return allowed.sees(record.ref()) or kind.visible(actor).filter(uid=record.uid).exists()
