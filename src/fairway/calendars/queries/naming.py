"""What scopes of windows name: items, environments and groups of them, change models; read and told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from fairway.accounts import queries as accounts
from fairway.audit import queries as audit
from fairway.calendars.models import Facet, Window, WindowEnvironment, WindowGroup, WindowItem, WindowModel
from fairway.calendars.rules import Lane
from fairway.kernel.actor import Actor
from fairway.kernel.cache import Kept
from fairway.kernel.errors import FieldError, Invalid
from fairway.kernel.models import Slugged, uid_lookup
from fairway.kernel.refs import HIDDEN, Ref


@dataclass(frozen=True, slots=True)
class Facets:
    """The things that a window's scope names; what the actor may not see reads as another organisation's."""

    items: tuple[Ref, ...]
    environments: tuple[Ref, ...]
    models: tuple[Ref, ...]
    groups: tuple[Ref, ...]


def facets(actor: Actor, pks: Collection[int]) -> dict[int, Facets]:
    """Return, by window, the things that each names; four statements for any number."""
    sees = accounts.access(actor).sees
    items = _facets(WindowItem, "item", pks)
    environments = _facets(WindowEnvironment, "environment", pks)
    models = _facets(WindowModel, "model", pks, owned=False)
    groups = _facets(WindowGroup, "group", pks, kind="environment-group")

    def told(refs: Sequence[Ref]) -> tuple[Ref, ...]:
        return tuple(dict.fromkeys(ref if sees(ref) else HIDDEN for ref in refs))

    return {
        pk: Facets(
            told(items.get(pk, ())),
            told(environments.get(pk, ())),
            tuple(models.get(pk, ())),
            told(groups.get(pk, ())),
        )
        for pk in pks
    }


def _facets(
    model: type[Facet], name: str, pks: Collection[int], *, owned: bool = True, kind: str = ""
) -> dict[int, list[Ref]]:
    """Return what rows name, by window; `owned`: those things belong to organisations."""
    parts = ("slug", "name", "uid", "pk", *(["organisation_id"] if owned else []))
    found: dict[int, list[Ref]] = {}
    rows: QuerySet[Any] = model._default_manager.filter(**{"window__in": pks}).order_by(f"{name}__slug")
    for pk, slug, label, uid, thing, *where in rows.values_list(
        "window_id", *(f"{name}__{part}" for part in parts)
    ):
        organisation = where[0] if where else None
        found.setdefault(pk, []).append(Ref(kind or name, slug, label, str(uid), thing, organisation))
    return found


def tiers() -> list[tuple[str, Any]]:
    """Return the tiers that a scope may name, with their words, in order."""
    options: Any = _named(WindowEnvironment, "environment")._meta
    return list(options.get_field("tier").choices)


def items(actor: Actor, references: Sequence[str]) -> list[Slugged]:
    """Return the items that a scope names.

    :raises Invalid: naming those that there are not (for the actor) or no longer.
    """
    return _found(actor, _named(WindowItem, "item"), references, field="items", said="item")


def environments(actor: Actor, references: Sequence[str], *, field: str = "environments") -> list[Slugged]:
    """Return the environments that a scope names.

    :raises Invalid: naming those that there are not (for the actor) or no longer.
    """
    model = _named(WindowEnvironment, "environment")
    return _found(actor, model, references, field=field, said="environment")


def groups(actor: Actor, references: Sequence[str]) -> list[Slugged]:
    """Return the groups of environments that a scope names.

    :raises Invalid: naming those that there are not (for the actor) or no longer.
    """
    model = _named(WindowGroup, "group")
    return _found(actor, model, references, field="environment_groups", said="environment group")


def groups_among(actor: Actor, keys: Collection[str]) -> set[str]:
    """Return those of the keys that are groups of environments for the actor; others may be environments."""
    rows = _named(WindowGroup, "group")._default_manager.filter(slug__in=keys, archived_at=None)
    return set(accounts.visible(rows, actor).values_list("slug", flat=True))


def naming_group(group: int) -> list[str]:
    """Return the windows not archived that hold for a group of environments, by key."""
    rows = WindowGroup.objects.filter(group=group, window__archived_at=None).order_by("window__number")
    return [f"{Window.prefix}-{number}" for number in rows.values_list("window__number", flat=True)]


def change_models(actor: Actor, references: Sequence[str]) -> list[Any]:
    """Return the change models that a scope names, by slug or uid.

    :raises Invalid: naming those that there are not.
    """
    wanted = list(dict.fromkeys(references))
    if not wanted:
        return []
    known: dict[str, Any] = {}
    slugs = []
    for one in _change_models():
        known[one.slug] = known[str(one.uid)] = one
        slugs.append(one.slug)
    errors = [
        FieldError(
            "change_models",
            f"There is no change model “{reference[:60]}”; there are {', '.join(slugs)}.",
        )
        for reference in wanted
        if reference not in known
    ]
    if errors:
        raise Invalid.fields(errors)
    return list(dict.fromkeys(known[reference] for reference in wanted))


def model_choices() -> list[tuple[str, str]]:
    """Return the change models that a scope may name: slug and name, in order."""
    return [(one.slug, one.name) for one in _change_models()]


def _change_models() -> QuerySet[Any]:
    return _named(WindowModel, "model")._default_manager.order_by("position", "pk")  # type: ignore[no-any-return]


def seen_items(actor: Actor, pks: Collection[int]) -> set[int]:
    """Return those of these items that the actor may see."""
    rows = _named(WindowItem, "item")._default_manager.filter(pk__in=pks)
    return set(accounts.visible(rows, actor).values_list("pk", flat=True))


def seen_environments(actor: Actor, pks: Collection[int]) -> set[int]:
    """Return those of these environments that the actor may see."""
    rows = _named(WindowEnvironment, "environment")._default_manager.filter(pk__in=pks)
    return set(accounts.visible(rows, actor).values_list("pk", flat=True))


def seen_groups(actor: Actor, pks: Collection[int]) -> set[int]:
    """Return those of these groups of environments that the actor may see."""
    rows = _named(WindowGroup, "group")._default_manager.filter(pk__in=pks)
    return set(accounts.visible(rows, actor).values_list("pk", flat=True))


def _named(model: type[Facet], field: str) -> Any:
    """Return the model that a scope's column points at; it belongs to a context above and is not imported."""
    return model._meta.get_field(field).related_model


def _found(
    actor: Actor, model: type[Slugged], references: Sequence[str], *, field: str, said: str
) -> list[Slugged]:
    wanted = list(dict.fromkeys(references))
    if not wanted:
        return []
    uids = [lookup["uid"] for reference in wanted if (lookup := uid_lookup(reference))]
    known: dict[str, Slugged] = {}
    for one in accounts.visible(model._default_manager.filter(Q(slug__in=wanted) | Q(uid__in=uids)), actor):
        known[one.slug] = known[str(one.uid)] = one
    errors = [
        FieldError(field, f"There is no {said} “{reference[:100]}”.")
        for reference in wanted
        if reference not in known or known[reference].archived_at is not None
    ]
    if errors:
        raise Invalid.fields(errors)
    return list(dict.fromkeys(known[reference] for reference in wanted))


def lanes(groups: Iterable[int]) -> tuple[Lane, ...]:
    """Return groups of environments with what belongs to them now, each once."""
    wanted = sorted(set(groups))
    if not wanted:
        return ()
    known = _lanes.at(audit.revisions().get("environments", 0))
    if not known.keys() >= set(wanted):  # one is younger than the revision that this request reads by
        known = _load_lanes(0, None)
    return tuple(known[pk] for pk in wanted)


def _load_lanes(revision: int, last: tuple[int, Mapping[int, Lane]] | None) -> Mapping[int, Lane]:
    """Return all groups with what belongs to them; they stand above and are read as scopes name them."""
    found: dict[int, tuple[Ref, set[int]]] = {}
    rows = _named(WindowGroup, "group")._default_manager.order_by("pk")
    columns = ("pk", "slug", "name", "uid", "organisation_id", "members__environment_id")
    for pk, slug, name, uid, organisation, member in rows.values_list(*columns):
        ref = Ref("environment-group", slug, name, str(uid), pk, organisation)
        members = found.setdefault(pk, (ref, set()))[1]
        if member is not None:
            members.add(member)
    return {pk: Lane(ref, frozenset(members)) for pk, (ref, members) in found.items()}


_lanes = Kept(_load_lanes)
