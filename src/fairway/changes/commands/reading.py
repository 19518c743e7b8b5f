"""Reading what commands are given: each value checked, all mistakes told at once and by field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Annotated, Any, TypeVar, cast

import msgspec
from django.utils.translation import gettext as _

from fairway.accounts import queries as accounts
from fairway.catalog import queries as catalog
from fairway.changes import queries
from fairway.changes.models import Change, ChangeModel, ChangeTemplate, PlannedWindow
from fairway.environments import queries as environments
from fairway.kernel import ahead
from fairway.kernel.actor import Actor
from fairway.kernel.errors import FieldError, Forbidden, Invalid, NotFound
from fairway.kernel.period import Period, plannable, span
from fairway.kernel.text import line, prose
from fairway.workspace import queries as workspace

T = TypeVar("T")
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Priority = Annotated[int, msgspec.Meta(ge=1, le=4)]
References = tuple[str, ...]
SHORT = {"title": 200, "category": 80, "external_id": 200}
WORDS = (
    *("title", "category", "external_id", "description", "reason", "freeze_reason"),
    *("implementation_plan", "test_plan", "backout_plan"),
)
MOST_WINDOWS, MOST_ITEMS, MOST_PEOPLE = 100, 1000, 50


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A half-open interval [start, end)."""

    start: Instant
    end: Instant


Spans = tuple[Span, ...]


class Wrong:
    """Collects the mistakes in what was given."""

    def __init__(self) -> None:
        self.errors: list[FieldError] = []

    def add(self, field: str, message: str) -> None:
        self.errors.append(FieldError(field, message))

    def catch(self, read: Callable[[], T], otherwise: Any) -> T:
        """Return what is read; where it is wrong, note that and go on with a stand-in until `tell`."""
        try:
            return read()
        except Invalid as invalid:
            self.errors += invalid.errors
            return cast(T, otherwise)

    def tell(self) -> None:
        """:raises Invalid: something was wrong."""
        if self.errors:
            raise Invalid.fields(self.errors)

    def settled(self, value: T | None, field: str) -> T:
        """Return what is there unless something was wrong.

        :raises Invalid: something was wrong, or this is missing.
        """
        if value is None and not self.errors:
            self.add(field, _("This is needed."))
        self.tell()
        return cast(T, value)


def text(value: str | None, field: str) -> str:
    """Return prose, stripped.

    :raises Invalid: it is too long, or holds what cannot be stored.
    """
    return prose(value or "", field=field)


def needed(value: str, field: str) -> str:
    """Return prose that says something.

    :raises Invalid: it is empty, too long, or holds what cannot be stored.
    """
    found = text(value, field)
    if not found:
        raise Invalid.field(field, _("This is needed."))
    return found


def words(given: Any, wrong: Wrong) -> dict[str, str]:
    """Return the words that a command names, stripped; a title is never empty."""
    found = {}
    for name in WORDS:
        value = getattr(given, name)
        if value is msgspec.UNSET:
            continue
        if name in SHORT:
            read = partial(line, value or "", field=name, longest=SHORT[name], needed=name == "title")
        else:
            read = partial(text, value, name)
        found[name] = wrong.catch(read, "")
    return found


TIMES = ("implementation_time", "test_time", "backout_time")
LONGEST = timedelta(days=31)
Length = timedelta


def times(given: Any, wrong: Wrong) -> dict[str, timedelta | None]:
    """Return how long the parts of the work take, as far as a command says."""
    found: dict[str, timedelta | None] = {}
    for name in TIMES:
        value = getattr(given, name)
        if value is msgspec.UNSET:
            continue
        if value is not None and not timedelta(0) < value <= LONGEST:
            wrong.add(name, _("It takes longer than nothing and at most 31 days."))
            continue
        found[name] = value
    return found


def windows(work: Iterable[Span], downtime: Iterable[Span]) -> list[PlannedWindow]:
    """Return the rows of a plan, in order of time, work first.

    :raises Invalid: a window has no length, two overlap, a downtime lies outside, or there are too many.
    """
    wrong = Wrong()
    planned, down = _periods(work, "windows", wrong), _periods(downtime, "downtime", wrong)
    for period in down:
        if not any(other.covers(period) for other in planned):
            wrong.add("downtime", _("A downtime lies within a planned window; this one does not."))
    wrong.tell()
    return [
        PlannedWindow(starts_at=period.start, ends_at=period.end, downtime=is_downtime)
        for is_downtime, periods in ((False, planned), (True, down))
        for period in periods
    ]


def _periods(spans: Iterable[Span], name: str, wrong: Wrong) -> list[Period]:
    found = []
    for position, one in enumerate(spans):
        try:
            found.append(plannable(one.start, one.end))
        except Invalid as invalid:
            wrong.errors += [FieldError(f"{name}[{position}].{e.field}", e.message) for e in invalid.errors]
    found.sort()
    if len(found) > MOST_WINDOWS:
        wrong.add(name, _("A change has at most %(most)d windows.") % {"most": MOST_WINDOWS})
    if any(earlier.overlaps(later) for earlier, later in pairwise(found)):
        wrong.add(name, _("Two of the windows overlap; make one of them."))
    return found


def planned(rows: Iterable[PlannedWindow]) -> dict[str, datetime | None]:
    """Return the span of the work, as the change itself keeps it."""
    whole = span(Period(row.starts_at, row.ends_at) for row in rows if not row.downtime)
    return {"planned_start": whole.start if whole else None, "planned_end": whole.end if whole else None}


def items(actor: Actor, references: Sequence[str]) -> list[Any]:
    """Return the items.

    :raises Invalid: the actor sees no such item, it is archived, or there are too many.
    """
    if len(references) > MOST_ITEMS:
        raise Invalid.field("items", _("A change names at most %(most)d items.") % {"most": MOST_ITEMS})
    return list(catalog.items(actor, references))


def places(actor: Actor, references: Sequence[str]) -> list[Any]:
    """Return the environments; a group stands for those that it holds now.

    :raises Invalid: the actor sees no such environment or group, or it is archived.
    """
    return list(environments.named(actor, references))


def primary(among: Sequence[Any], reference: str | None) -> int | None:
    """Return the primary key of the primary item: the one named, else the first.

    :raises Invalid: it is not among the affected items.
    """
    if not reference:
        return int(among[0].pk) if among else None
    for item in among:
        if reference.lower() in {item.slug, str(item.uid)}:
            return int(item.pk)
    raise Invalid.field(
        "primary_item", _("“%(item)s” is not among the affected items.") % {"item": reference[:100]}
    )


def person(actor: Actor, reference: str | None, field: str) -> Any:
    """Return the person, None for none.

    :raises Invalid: the actor sees nobody of that name.
    """
    if not reference:
        return None
    try:
        return accounts.user(actor, reference)
    except NotFound as missing:
        raise Invalid.field(field, missing.detail) from missing


def people(actor: Actor, references: Sequence[str], field: str) -> list[Any]:
    """Return the people, each once.

    :raises Invalid: the actor sees nobody of a name, or there are too many.
    """
    if len(references) > MOST_PEOPLE:
        raise Invalid.field(field, _("A change names at most %(most)d people.") % {"most": MOST_PEOPLE})
    found = {one.pk: one for one in (person(actor, reference, field) for reference in references) if one}
    return list(found.values())


def template(reference: str | None) -> ChangeTemplate | None:
    """Return the template to make a change from.

    :raises Invalid: there is none, or it is not authorised.
    """
    if not reference:
        return None
    found = queries.template(reference)
    if not found.authorised:
        raise Invalid.field(
            "template", _("The template “%(name)s” is not authorised.") % {"name": found.name}
        )
    return found


def model(reference: str | None, of: ChangeTemplate | None) -> ChangeModel:
    """Return the change model: the one named, else that of the template, else the normal one.

    :raises Invalid: there is none, it does not go with the template, or it asks for one.
    """
    found = queries.model(reference) if reference else of.model if of is not None else queries.model("normal")
    if of is not None and of.model_id != found.pk:
        told = {"template": of.name, "model": of.model.name}
        raise Invalid.field("model", _("“%(template)s” makes changes of the model “%(model)s”.") % told)
    if of is None and queries.workflow(found).approval.by == "template":
        slugs = ", ".join(one.slug for one in queries.templates(authorised=True))
        told = {"model": found.name, "templates": slugs}
        raise Invalid.field(
            "template", _("A %(model)s is made from an authorised template: %(templates)s.") % told
        )
    return found


def custom(
    actor: Actor,
    given: Mapping[str, Any],
    present: Mapping[str, Any],
    *,
    model: ChangeModel,
    organisation: int,
    whole: bool = False,
) -> dict[str, Any]:
    """Return the values that the change's own fields shall have; raises what `workspace.custom` raises."""
    return workspace.custom(
        actor, "change", given, present, kind=model.slug, organisation=organisation, whole=whole
    )


def organisation(
    actor: Actor, reference: str | None, of: Sequence[Any], *, permission: str = "changes.request"
) -> int:
    """Return where a new change belongs: where it says, else with its first item, else with whoever asks.

    :raises Invalid: no such organisation. :raises Forbidden: the actor may not do this there.
    """
    if reference:
        try:
            found = accounts.organisation(actor, reference)
        except NotFound as missing:
            raise Invalid.field("organisation", missing.detail) from missing
        accounts.require(actor, permission, at=found.pk)
        return int(found.pk)
    access = accounts.access(actor)
    home = ahead.recall("changes.home", actor.uid, lambda: _home(actor))
    candidates: list[int | None] = [*(item.organisation_id for item in of[:1]), home]
    for candidate in candidates:
        if candidate is not None and access.may(permission, candidate):
            return candidate
    for candidate in candidates:
        if candidate is not None:
            accounts.require(actor, permission, at=candidate)
    raise Forbidden(_("Say in which organisation; Fairway cannot tell."))


def _home(actor: Actor) -> int | None:
    """Return where somebody belongs; Fairway itself belongs to the root."""
    root = accounts.root() if actor.is_system else None
    return root.pk if root is not None else accounts.home(actor)


def known_change(actor: Actor, key: str | None, external_id: str, where: int) -> Change | None:
    """Return the change that an import means, by its key or by its name outside; None for a new one.

    :raises Invalid: no such key.
    """
    if key:
        try:
            return queries.change(actor, key)
        except NotFound as missing:
            raise Invalid.field("key", missing.detail) from missing
    if not external_id:
        return None
    return Change.objects.filter(organisation_id=where, external_id=external_id).first()
