"""What the catalogue answers: single items, the graph with the facts kept beside it, impact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Literal, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import F, Model, Q, QuerySet
from msgspec import structs

from fairway.accounts import queries as accounts
from fairway.catalog.models import ConfigurationItem, ItemKind, Relation, RelationKind
from fairway.catalog.queries.baselines import BASELINES as BASELINES
from fairway.catalog.queries.baselines import BaselineQuery as BaselineQuery
from fairway.catalog.queries.baselines import Difference as Difference
from fairway.catalog.queries.baselines import baseline as baseline
from fairway.catalog.queries.baselines import baseline_page as baseline_page
from fairway.catalog.queries.baselines import baselines as baselines
from fairway.catalog.queries.baselines import differences as differences
from fairway.catalog.queries.builds import BUILDS as BUILDS
from fairway.catalog.queries.builds import BuildQuery as BuildQuery
from fairway.catalog.queries.builds import artefacts as artefacts
from fairway.catalog.queries.builds import build as build
from fairway.catalog.queries.builds import build_page as build_page
from fairway.catalog.queries.builds import builds as builds
from fairway.catalog.queries.builds import pick_builds as pick_builds
from fairway.catalog.queries.builds import work_items as work_items
from fairway.catalog.queries.controlling import RECORD_KEEPING as RECORD_KEEPING
from fairway.catalog.queries.controlling import configured as configured
from fairway.catalog.queries.controlling import control as control
from fairway.catalog.queries.controlling import controlled as controlled
from fairway.catalog.queries.controlling import read_controlled as read_controlled
from fairway.catalog.queries.drawing import Drawing as Drawing
from fairway.catalog.queries.drawing import drawing as drawing
from fairway.catalog.queries.health import CHECKS as CHECKS
from fairway.catalog.queries.health import dangling, doubtful
from fairway.catalog.queries.health import health as health
from fairway.catalog.queries.impact import Impact as Impact
from fairway.catalog.queries.impact import Spared as Spared
from fairway.catalog.queries.impact import cycles as cycles
from fairway.catalog.queries.impact import impact as impact
from fairway.catalog.queries.impact import reach as reach
from fairway.catalog.queries.impact import service_hours_of as service_hours_of
from fairway.catalog.queries.impact import services_reached as services_reached
from fairway.catalog.queries.keeping import Snapshot as Snapshot
from fairway.catalog.queries.keeping import facts as facts
from fairway.catalog.queries.keeping import graph as graph
from fairway.catalog.queries.keeping import snapshot as snapshot
from fairway.catalog.queries.redundancy import REDUNDANCIES as REDUNDANCIES
from fairway.catalog.queries.redundancy import RedundancyQuery as RedundancyQuery
from fairway.catalog.queries.redundancy import redundancies as redundancies
from fairway.catalog.queries.redundancy import redundancy as redundancy
from fairway.catalog.queries.redundancy import redundancy_page as redundancy_page
from fairway.catalog.queries.stakeholders import person_or_team as person_or_team
from fairway.catalog.queries.stakeholders import pick_stakeholders as pick_stakeholders
from fairway.catalog.queries.stakeholders import sees_stakeholder as sees_stakeholder
from fairway.catalog.queries.stakeholders import stakeholders as stakeholders
from fairway.catalog.rules import Direction as Direction
from fairway.catalog.rules import ItemFacts
from fairway.catalog.rules import served as served
from fairway.kernel import ahead
from fairway.kernel.actor import Actor
from fairway.kernel.db import Prepared
from fairway.kernel.errors import FieldError, Invalid, NotFound
from fairway.kernel.listing import Column, Listing, ListQuery, Page, search_words
from fairway.kernel.models import fold, uid_lookup
from fairway.kernel.refs import Ref
from fairway.workspace import queries as workspace

_ITEM = "catalog.ConfigurationItem"


def item(actor: Actor, reference: str) -> ConfigurationItem:
    """Return the item by slug or uid, archived or not.

    :raises NotFound: there is none, or the actor may not see it.
    """
    lookup = ConfigurationItem.lookup(reference)
    found = None
    if lookup is not None and "slug" in lookup:
        found = _called(reference)
        if found is not None and not accounts.access(actor).sees(found.ref()):
            found = None
    elif lookup is not None:
        query = ConfigurationItem.objects.select_related(*_BESIDE)
        found = accounts.visible(query.filter(**lookup), actor).first()
    if found is None:
        raise NotFound(f"There is no item “{reference[:100]}”.")
    return found


_BESIDE = ("item_kind", "organisation", "owner_team", "vendor")


@cache
def _columns() -> tuple[tuple[str, type[Model], list[str]], ...]:
    """Return the columns of an item and of the records read along with it, each with the path to it."""
    found: list[tuple[str, type[Model], list[str]]] = []
    for path in ("", *_BESIDE):
        model: Any = ConfigurationItem
        if path:
            model = ConfigurationItem._meta.get_field(path).related_model
        found.append((path, model, [field.attname for field in model._meta.concrete_fields]))
    return tuple(found)


def _whole(slug: str) -> QuerySet[ConfigurationItem, Any]:
    names = [f"{path}__{name}" if path else name for path, _, columns in _columns() for name in columns]
    return ConfigurationItem.objects.filter(slug=slug).values_list(*names)


_by_name = Prepared(_whole, "a-stand-in")


def _called(slug: str) -> ConfigurationItem | None:
    """Return the item of this slug with what is read along, as `select_related` gives it."""
    rows = _by_name(slug)
    if not rows:
        return None
    made: dict[str, Any] = {}
    start = 0
    for path, model, columns in _columns():
        values = rows[0][start : start + len(columns)]
        start += len(columns)
        made[path] = model.from_db(DEFAULT_DB_ALIAS, columns, values) if values[0] is not None else None
    found: ConfigurationItem = made[""]
    for path in _BESIDE:
        setattr(found, path, made[path])
    return found


_by_slug = Prepared(lambda slug: ConfigurationItem.objects.filter(slug=slug).values_list("pk"), "a-stand-in")


def known(actor: Actor, reference: str) -> ItemFacts:
    """Return what is kept in memory of the item, by slug or uid, archived or not: for questions asked often.

    :raises NotFound: there is none, or the actor may not see it.
    """
    if uid_lookup(reference) is not None:
        pk = item(actor, reference).pk
    else:
        found = _by_slug(reference)
        pk = found[0][0] if found else 0
    fact = facts([pk]).get(pk)
    if fact is None or not accounts.access(actor).sees(fact.ref):
        raise NotFound(f"There is no item “{reference[:100]}”.")
    return fact


def sees(actor: Actor, item: ConfigurationItem) -> bool:
    return accounts.access(actor).sees(item.ref())


def attributes(actor: Actor, item: ConfigurationItem) -> dict[str, Any]:
    """Return the attributes of an item that the actor may see."""
    held = workspace.Holder(item.organisation_id, item.item_kind.slug, item.attributes)
    return workspace.shown(actor, "item", [held])[0]


def free_attributes(actor: Actor, item: ConfigurationItem) -> dict[str, Any]:
    """Return the attributes that are no fields of its kind."""
    defined = workspace.fields(actor, "item", kind=item.item_kind.slug, organisation=item.organisation_id)
    names = {one.name for one in defined}
    return {name: value for name, value in attributes(actor, item).items() if name not in names}


def items(actor: Actor, references: Sequence[str], *, field: str = "items") -> list[ConfigurationItem]:
    """Return items by slug or uid, in the order asked for, each once; archived ones are refused.

    :raises Invalid: names, under `field`, what there is not (for the actor) or no longer.
    """
    wanted = list(dict.fromkeys(references))
    if not wanted:
        return []
    read = ahead.known(_ITEM)
    found: dict[str, ConfigurationItem] = {slug: one for slug in wanted if (one := read(slug)) is not None}
    if len(found) < len(wanted):
        slugs = [reference for reference in wanted if uid_lookup(reference) is None]
        uids = [lookup["uid"] for reference in wanted if (lookup := uid_lookup(reference))]
        query = ConfigurationItem.objects.filter(Q(slug__in=slugs) | Q(uid__in=uids))
        for one in accounts.visible(query, actor):
            found[one.slug] = found[str(one.uid)] = one
    errors = []
    for reference in wanted:
        known = found.get(reference.lower())
        if known is None:
            errors.append(FieldError(field, f"There is no item “{reference[:100]}”."))
        elif known.archived_at is not None:
            errors.append(FieldError(field, f"The item {known.slug} is archived."))
    if errors:
        raise Invalid.fields(errors)
    return list(dict.fromkeys(found[reference.lower()] for reference in wanted))


def read_ahead(actor: Actor, slugs: Iterable[str]) -> None:
    """Read the items that many commands will ask for by these slugs."""
    found = accounts.visible(ConfigurationItem.objects.filter(slug__in=set(slugs)), actor)
    ahead.learn(_ITEM, {one.slug: one for one in found})


def lock(pks: Iterable[int]) -> None:
    """Lock items in the order of their keys until the transaction ends."""
    query = ConfigurationItem.objects.filter(pk__in=sorted(set(pks))).order_by("pk")
    list(query.select_for_update(no_key=True).values_list("pk"))


def item_kind(reference: str, *, field: str = "kind") -> ItemKind:
    """Return the kind of item by slug or uid.

    :raises Invalid: there is none; names those there are.
    """
    lookup = uid_lookup(reference) or {"slug": reference}
    found = ahead.recall("item_kind", reference, lambda: ItemKind.objects.filter(**lookup).first())
    if found is None or found.archived_at is not None:
        live = ItemKind.objects.filter(archived_at=None).order_by("position")
        there_are = ", ".join(live.values_list("slug", flat=True))
        raise Invalid.field(field, f"There is no kind of item “{reference[:60]}”; there are {there_are}.")
    return found


def relation_kind(reference: str, *, field: str = "kind") -> RelationKind:
    """Return the kind of relation by slug or uid.

    :raises Invalid: there is none; names those there are.
    """
    lookup = uid_lookup(reference) or {"slug": reference}
    found = ahead.recall("relation_kind", reference, lambda: RelationKind.objects.filter(**lookup).first())
    if found is None or found.archived_at is not None:
        live = RelationKind.objects.filter(archived_at=None).order_by("position")
        there_are = ", ".join(live.values_list("slug", flat=True))
        raise Invalid.field(field, f"There is no kind of relation “{reference[:60]}”; there are {there_are}.")
    return found


def relation(actor: Actor, reference: str) -> Relation:
    """Return the relation by uid, or by its ends and kind (`payments-api:depends-on:ledger-db`).

    It is seen by whoever sees both its ends.
    :raises NotFound: there is none, or the actor may not see it.
    """
    lookup = uid_lookup(reference)
    if (ends := relation_ends(reference)) is not None:
        lookup = dict(zip(("source__slug", "relation_kind__slug", "target__slug"), ends, strict=True))
    found = relations(actor).filter(**lookup).first() if lookup else None
    if found is None:
        raise NotFound(f"There is no relation “{reference[:100]}”.")
    return found


def relation_ends(reference: str) -> tuple[str, str, str] | None:
    """Return source, kind and target where a reference names a relation by these."""
    parts = reference.split(":")
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 and all(parts) else None


def relations(actor: Actor) -> QuerySet[Relation]:
    """Return the relations of which the actor sees both ends, with these and their kinds."""
    query = Relation.objects.select_related("source", "target", "relation_kind")
    seen = accounts.visible(query, actor, "source__organisation_id")
    return accounts.visible(seen, actor, "target__organisation_id")


# Lists ------------------------------------------------------------------------------------------------------


def _find_items(text: str) -> Q:
    """Every word occurs in the name, the key or the id that another tool gave."""
    found = Q()
    for word in text.split()[:8]:
        folded = fold(word)
        found &= (
            Q(name_folded__contains=folded)
            | Q(slug__contains=folded)
            | Q(external_id__icontains=word)
            | Q(alias__icontains=word)
        )
    return found


ITEMS = Listing(
    columns={
        "key": Column("slug", sorts=True),
        "name": Column("name_folded", "folded", sorts=True),
        "kind": Column("item_kind__slug", sorts=True, refers=accounts.by_slug, through="item_kind"),
        "status": Column("status", sorts=True, choices=tuple(ConfigurationItem.Status.values)),
        "criticality": Column("criticality", "number", sorts=True),
        "shared": Column("shared", "flag"),
        "organisation": Column(
            "organisation__slug", sorts=True, refers=accounts.by_slug, through="organisation"
        ),
        "owner_team": Column("owner_team__slug", sorts=True, refers=accounts.by_slug, through="owner_team"),
        "external_id": Column("external_id"),
        "alias": Column("alias"),
        "vendor": Column("vendor__slug", refers=accounts.by_slug, through="vendor"),
        "created_at": Column("created_at", "instant", sorts=True),
    },
    values=(
        "uid", "slug", "name", "item_kind__uid", "item_kind__slug", "item_kind__name", "status",
        "criticality", "shared", "description", "external_id", "alias", "service_hours", "attributes",
        "version", "vendor__uid", "vendor__slug", "vendor__name", "vendor__organisation_id",
        "created_at", "archived_at", "organisation_id", "organisation__uid", "organisation__slug",
        "organisation__name",
        "owner_team__uid", "owner_team__slug", "owner_team__name",
    ),
    sort="name",
    search=_find_items,
)  # fmt: skip
RELATIONS = Listing(
    columns={
        "uid": Column("uid", "uid", sorts=True),
        "source": Column("source__slug", sorts=True, refers=accounts.by_slug, through="source"),
        "target": Column("target__slug", sorts=True, refers=accounts.by_slug, through="target"),
        "kind": Column("relation_kind__slug", refers=accounts.by_slug, through="relation_kind"),
        "created_at": Column("created_at", "instant", sorts=True),
    },
    values=(
        "uid", "version", "created_at", "relation_kind__uid", "relation_kind__slug", "relation_kind__name",
        "source__uid", "source__slug", "source__name", "target__uid", "target__slug", "target__name",
    ),
    sort="uid",
    search=search_words("source__name_folded", "source__slug", "target__name_folded", "target__slug"),
)  # fmt: skip


_by_key = Prepared(
    lambda slug: ConfigurationItem.objects.filter(slug=slug).values_list(*ITEMS.values), "a-stand-in"
)


def item_row(actor: Actor, reference: str) -> dict[str, Any]:
    """Return the item by slug or uid, archived or not, as a row of the list.

    :raises NotFound: there is none, or the actor may not see it.
    """
    lookup = ConfigurationItem.lookup(reference)
    if lookup is None:
        rows = []
    elif "slug" in lookup:
        rows = _by_key(reference)
    else:
        rows = list(ConfigurationItem.objects.filter(**lookup).values_list(*ITEMS.values))
    if rows:
        row = dict(zip(ITEMS.values, rows[0], strict=True))
        if accounts.access(actor).sees(
            Ref(ConfigurationItem.kind, row["slug"], organisation=row["organisation_id"])
        ):
            return row
    raise NotFound(f"There is no item “{reference[:100]}”.")


class ItemQuery(ListQuery, kw_only=True, columns=ITEMS.columns):
    """Filters of the list of items; `environment`: those standing in it; `archived=true`: those put away.

    `custom`: by fields of their own, as JSON ({"cost__gte": "5"}); also written custom.cost__gte=5.
    """

    kind: str = ""
    kind__in: str = ""
    status: str = ""
    status__in: str = ""
    criticality: str = ""
    criticality__in: str = ""
    criticality__gte: str = ""
    criticality__lt: str = ""
    shared: str = ""
    organisation: str = ""
    organisation__in: str = ""
    owner_team: str = ""
    owner_team__in: str = ""
    external_id: str = ""
    external_id__in: str = ""
    name__contains: str = ""
    created_at__gte: str = ""
    created_at__lt: str = ""
    health: str = ""
    environment: str = ""
    custom: str = ""
    archived: Literal["", "true", "false"] = ""


class RelationQuery(ListQuery, kw_only=True, columns=RELATIONS.columns):
    """Filters of the list of relations; `item`: it is at either end."""

    source: str = ""
    source__in: str = ""
    target: str = ""
    target__in: str = ""
    kind: str = ""
    kind__in: str = ""
    dangling: Literal["", "true", "false"] = ""
    item: str = ""


def item_page(actor: Actor, query: ItemQuery) -> Page:
    """Return one page of items as plain values; archived ones only where they are asked for."""
    found = accounts.visible(ConfigurationItem.objects.all(), actor)
    found = found.filter(archived_at__isnull=query.archived != "true")
    if query.environment:
        # Environments stand above; what stands where is their table, reached here by its name alone.
        standing: dict[str, Any] = {
            f"instances__environment__{name}": value
            for name, value in accounts.by_slug(query.environment).items()
        }
        standing["instances__archived_at"] = None
        organisations = accounts.access(actor).organisations
        if organisations is not None:
            standing["instances__environment__organisation_id__in"] = organisations
        found = found.filter(pk__in=ConfigurationItem.objects.filter(**standing).values("pk"))
    if query.health:
        found = doubtful(actor, found, query.health)
    found = workspace.filtered(actor, "item", found, query.custom)
    page = ITEMS.page(found, structs.replace(query, environment="", archived="", custom="", health=""))
    apart = ("environment", "archived", "custom", "health")
    asked = {name: getattr(query, name) for name in apart if getattr(query, name)}
    return replace(page, applied={**page.applied, **asked})


def relation_page(actor: Actor, query: RelationQuery) -> Page:
    """Return one page of the relations of which the actor sees both ends, as plain values."""
    if query.dangling == "true":
        found = dangling(actor)
    else:
        found = accounts.visible(Relation.objects.all(), actor, "source__organisation_id")
        found = accounts.visible(found, actor, "target__organisation_id")
        found = found.filter(archived_at=None, source__archived_at=None, target__archived_at=None)
    if query.item:
        [(name, value)] = accounts.by_slug(query.item).items()
        found = found.filter(Q(**{f"source__{name}": value}) | Q(**{f"target__{name}": value}))
    page = RELATIONS.page(found, structs.replace(query, item="", dangling=""))
    return replace(page, applied={**page.applied, **({"item": query.item} if query.item else {})})


def pick(actor: Actor, text: str, *, limit: int = 20) -> list[dict[str, Any]]:
    """Return items for a picker as slug, name and kind: those that begin with the text come first."""
    found = accounts.visible(ConfigurationItem.objects.filter(archived_at=None), actor)
    found = found.order_by("name_folded", "uid")
    columns = ("slug", "name", "item_kind__name")
    text = text.strip()
    if not text:
        return list(found.values(*columns)[:limit])
    folded = fold(text)
    best = list(
        found.filter(_starts("slug", folded) | _starts("name_folded", folded)).values(*columns)[:limit]
    )
    if len(best) < limit:
        known = {row["slug"] for row in best}
        others = found.filter(_find_items(text)).values(*columns)[:limit]
        best += [row for row in others if row["slug"] not in known][: limit - len(best)]
    return best


def _starts(path: str, text: str) -> Q:
    """Say that a column begins with a text, in a form for which each database has an index."""
    if connection.vendor == "sqlite":
        return Q(**{f"{path}__gte": text, f"{path}__lt": text + "\U0010ffff"})
    return Q(**{f"{path}__startswith": text})


def kinds(*, archived: bool = False) -> list[dict[str, Any]]:
    """Return all live kinds of items, in their order, or those put away."""
    rows = ItemKind.objects.filter(archived_at__isnull=not archived).order_by("position", "slug")
    columns = ("uid", "slug", "name", "description", "shared_default", "strict", "position", "version")
    return [dict(row) for row in rows.values(*columns, "archived_at")]


def relation_kinds(*, archived: bool | None = None) -> list[dict[str, Any]]:
    """Return kinds of relations, in their order: the live ones, those put away, or all."""
    rows = RelationKind.objects.order_by("position", "slug")
    if archived is not None:
        rows = rows.filter(archived_at__isnull=not archived)
    columns = ("pk", "uid", "slug", "name", "reverse_name", "failure", "description", "position", "version")
    return [dict(row) for row in rows.values(*columns, "archived_at")]


K = TypeVar("K", ItemKind, RelationKind)


def kind(model: type[K], reference: str) -> K:
    """Return a kind by slug or uid, archived or not.

    :raises NotFound: there is none.
    """
    lookup = uid_lookup(reference) or {"slug": reference if reference.isprintable() else ""}
    found = model._default_manager.filter(**lookup).first()
    if found is None:
        raise NotFound(f"There is no kind “{reference[:60]}”.")
    return found


def neighbours(
    actor: Actor, item: ConfigurationItem, *, limit: int = 200
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the item's relations as source and as target: uid, kind and other end, most critical first.

    Two statements; ends that the actor may not see, or that are archived, are not among them.
    """
    both = []
    for here, there, name in (("source", "target", "name"), ("target", "source", "reverse_name")):
        found = Relation.objects.filter(**{here: item, "archived_at": None, f"{there}__archived_at": None})
        found = accounts.visible(found, actor, f"{there}__organisation_id")
        rows = found.order_by(f"{there}__criticality", f"{there}__name_folded", "pk").values(
            "uid", "version", words=F(f"relation_kind__{name}"), key=F(f"{there}__slug"),
            title=F(f"{there}__name"), criticality=F(f"{there}__criticality"), status=F(f"{there}__status"),
            kind=F(f"{there}__item_kind__name"),
        )  # fmt: skip
        both.append([dict(row) for row in rows[:limit]])
    return both[0], both[1]


def item_exists(actor: Actor, key: str) -> bool:
    """Say whether the actor sees an item of this key, archived or not."""
    return accounts.visible(ConfigurationItem.objects.filter(slug=key), actor).exists()


def environments_of(actor: Actor) -> list[tuple[str, str]]:
    """Return the environments, as slug and name, in which an item stands that the actor sees."""
    # Environments stand above; what stands where is their table, reached here by its name alone.
    where: dict[str, Any] = {"instances__archived_at": None, "instances__environment__archived_at": None}
    organisations = accounts.access(actor).organisations
    if organisations is not None:
        where["instances__environment__organisation_id__in"] = organisations
    found = accounts.visible(ConfigurationItem.objects.filter(archived_at=None, **where), actor)
    names = found.values_list(
        "instances__environment__tier_position",
        "instances__environment__slug",
        "instances__environment__name",
    )
    return [
        (slug, name)
        for _, slug, name in names.distinct().order_by(
            "instances__environment__tier_position", "instances__environment__slug"
        )
        if slug
    ]
