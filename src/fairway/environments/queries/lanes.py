"""Reads of what ties environments together: groups, used as one lane, and links from parents to children."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Literal

from django.db.models import Count, Q
from msgspec import structs

from fairway.accounts import queries as accounts
from fairway.environments.models import Environment, EnvironmentGroup, EnvironmentLink, GroupMember
from fairway.environments.queries.reading import environments, kept_children
from fairway.environments.rules import Children
from fairway.environments.rules import expanded as expanded
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid, NotFound
from fairway.kernel.listing import Column, Listing, ListQuery, Page, search_words
from fairway.kernel.models import uid_lookup
from fairway.kernel.refs import Ref


def children() -> Children:
    """Return the links as the database has them now, also within a transaction that writes them."""
    found: dict[int, list[int]] = {}
    for parent, child in EnvironmentLink.objects.order_by("parent_id", "child_id").values_list(
        "parent_id", "child_id"
    ):
        found.setdefault(parent, []).append(child)
    return found


def lock_links() -> None:
    """Hold all environments until the transaction ends: so links are written one transaction after the other,
    and no change is written to an environment meanwhile.
    """
    list(Environment.objects.order_by("pk").select_for_update().values_list("pk"))


def with_children(named: Collection[int]) -> tuple[int, ...]:
    """Return the environments that are taken with those named, themselves first; from what is kept."""
    return expanded(named, kept_children())


def above(environments: Collection[int]) -> set[int]:
    """Return these environments, and all by which they are taken, as the database has them now."""
    parents: dict[int, list[int]] = {}
    for parent, below in children().items():
        for child in below:
            parents.setdefault(child, []).append(parent)
    return set(expanded(sorted(environments), parents))


def group(actor: Actor, reference: str, *, lock: bool = False) -> EnvironmentGroup:
    """Return the group by slug or uid, archived or not.

    :raises NotFound: there is none, or the actor may not see it.
    """
    lookup = EnvironmentGroup.lookup(reference)
    found = None
    if lookup is not None:
        query = EnvironmentGroup.objects.select_related("organisation").filter(**lookup)
        if lock:
            query = query.select_for_update(of=("self",))
        found = accounts.visible(query, actor).first()
    if found is None:
        raise NotFound(f"There is no environment group “{reference[:100]}”.")
    return found


def members(actor: Actor, groups: Collection[int]) -> dict[int, tuple[list[Ref], int]]:
    """Return for each group its environments that the actor sees, in the order of the way to production, and
    how many there are in all; archived ones are left out. One statement.
    """
    found: dict[int, tuple[list[Ref], int]] = {pk: ([], 0) for pk in groups}
    sees = accounts.access(actor).sees
    rows = GroupMember.objects.filter(group__in=groups, environment__archived_at=None)
    for row in rows.select_related("environment").order_by(
        "environment__tier_position", "environment__position", "environment__name_folded", "environment_id"
    ):
        refs, count = found[row.group_id]
        ref = row.environment.ref()
        found[row.group_id] = ([*refs, ref] if sees(ref) else refs, count + 1)
    return found


def groups_of(actor: Actor, environment: int) -> list[Ref]:
    """Return the groups that hold an environment, as far as the actor sees them."""
    query = EnvironmentGroup.objects.filter(archived_at=None, members__environment=environment)
    return [found.ref() for found in accounts.visible(query, actor).order_by("name_folded", "pk")]


def named(actor: Actor, references: Sequence[str], *, field: str = "environments") -> list[Environment]:
    """Return environments by key or uid, where a group stands for all that it holds; each once.

    :raises Invalid: names, under `field`, what there is not (for the actor) or no longer, and groups of which
    the actor sees only a part.
    """
    wanted = list(dict.fromkeys(references))
    if not wanted:
        return []
    slugs = [reference.lower() for reference in wanted if uid_lookup(reference) is None]
    uids = [lookup["uid"] for reference in wanted if (lookup := uid_lookup(reference))]
    query = EnvironmentGroup.objects.filter(Q(slug__in=slugs) | Q(uid__in=uids), archived_at=None)
    groups = {name: one for one in accounts.visible(query, actor) for name in (one.slug, str(one.uid))}
    if not groups:
        return environments(actor, wanted, field=field)
    held = members(actor, {one.pk for one in groups.values()})
    keys: list[str] = []
    for reference in wanted:
        one = groups.get(reference.lower())
        if one is None:
            keys.append(reference)
            continue
        refs, count = held[one.pk]
        if len(refs) < count:
            raise Invalid.field(
                field,
                f"The group {one.slug} also holds environments that you do not see; name those you mean.",
            )
        if not count:
            raise Invalid.field(field, f"The group {one.slug} holds no environment that is in use.")
        keys += [ref.key for ref in refs]
    return environments(actor, keys, field=field)


def link(actor: Actor, reference: str) -> EnvironmentLink:
    """Return the link by uid; it is seen by whoever sees both of its environments.

    :raises NotFound: there is none, or the actor may not see it.
    """
    lookup = uid_lookup(reference)
    found = None
    if lookup:
        query = EnvironmentLink.objects.select_related("parent", "child").filter(**lookup)
        seen = accounts.visible(query, actor, "parent__organisation_id")
        found = accounts.visible(seen, actor, "child__organisation_id").first()
    if found is None:
        raise NotFound(f"There is no environment link “{reference[:100]}”.")
    return found


def links_of(actor: Actor, environment: int) -> list[EnvironmentLink]:
    """Return the links up and down from an environment of which the actor sees both ends."""
    query = EnvironmentLink.objects.select_related("parent", "child")
    query = query.filter(Q(parent=environment) | Q(child=environment))
    seen = accounts.visible(query, actor, "parent__organisation_id")
    return list(accounts.visible(seen, actor, "child__organisation_id").order_by("pk"))


# Lists ------------------------------------------------------------------------------------------------------


GROUPS = Listing(
    columns={
        "key": Column("slug", sorts=True),
        "name": Column("name_folded", "folded", sorts=True),
        "environment": Column(
            "members__environment__slug", refers=accounts.by_slug, through="members__environment"
        ),
        "organisation": Column(
            "organisation__slug", sorts=True, refers=accounts.by_slug, through="organisation"
        ),
        "created_at": Column("created_at", "instant", sorts=True),
    },
    values=(
        "pk", "uid", "slug", "name", "description", "version", "created_at", "archived_at",
        "organisation_id", "organisation__uid", "organisation__slug", "organisation__name",
    ),
    sort="name",
    search=search_words("name_folded", "slug"),
)  # fmt: skip
LINKS = Listing(
    columns={
        "uid": Column("uid", "uid", sorts=True),
        "parent": Column("parent__slug", sorts=True, refers=accounts.by_slug, through="parent"),
        "child": Column("child__slug", sorts=True, refers=accounts.by_slug, through="child"),
        "created_at": Column("created_at", "instant", sorts=True),
    },
    values=(
        "uid", "version", "created_at", "parent__uid", "parent__slug", "parent__name",
        "child__uid", "child__slug", "child__name",
    ),
    sort="uid",
    search=search_words("parent__name_folded", "parent__slug", "child__name_folded", "child__slug"),
)  # fmt: skip


class GroupQuery(ListQuery, kw_only=True, columns=GROUPS.columns):
    """`environment`: groups that hold it. `archived=true`: those put away."""

    environment: str = ""
    organisation: str = ""
    organisation__in: str = ""
    name__contains: str = ""
    archived: Literal["", "true", "false"] = ""


class LinkQuery(ListQuery, kw_only=True, columns=LINKS.columns):
    parent: str = ""
    parent__in: str = ""
    child: str = ""
    child__in: str = ""


def group_page(actor: Actor, query: GroupQuery) -> Page:
    """Return one page of groups as plain values, each with its `members` that the actor sees and `count`."""
    found = accounts.visible(EnvironmentGroup.objects.all(), actor)
    found = found.filter(archived_at__isnull=query.archived != "true")
    page = GROUPS.page(found, structs.replace(query, archived=""))
    held = members(actor, {row["pk"] for row in page.rows})
    rows = [{**row, "members": held[row["pk"]][0], "count": held[row["pk"]][1]} for row in page.rows]
    applied = {**page.applied, **({"archived": "true"} if query.archived == "true" else {})}
    return replace(page, rows=rows, applied=applied)


def link_page(actor: Actor, query: LinkQuery) -> Page:
    """Return one page of the links of which the actor sees both ends, as plain values."""
    found = accounts.visible(EnvironmentLink.objects.all(), actor, "parent__organisation_id")
    found = accounts.visible(found, actor, "child__organisation_id")
    found = found.filter(parent__archived_at=None, child__archived_at=None)
    return LINKS.page(found, query)


def pick_groups(actor: Actor, text: str, *, limit: int = 5) -> list[dict[str, Any]]:
    """Return groups for a picker as slug, name and how many environments they hold."""
    found = accounts.visible(EnvironmentGroup.objects.filter(archived_at=None), actor)
    if text.strip():
        found = found.filter(search_words("name_folded", "slug")(text))
    counted = found.annotate(count=Count("members", filter=Q(members__environment__archived_at=None)))
    rows = counted.order_by("name_folded", "pk").values("slug", "name", "count")
    return [dict(row) for row in rows[:limit]]


def group_exists(actor: Actor, key: str) -> bool:
    """Say whether the actor sees a group of this key, archived or not."""
    return accounts.visible(EnvironmentGroup.objects.filter(slug=key), actor).exists()


def all_groups(actor: Actor) -> list[dict[str, Any]]:
    """Return the groups in use by name, each with its `members` that the actor sees, and their `count`."""
    found = accounts.visible(EnvironmentGroup.objects.filter(archived_at=None), actor)
    rows = list(found.order_by("name_folded", "pk").values("pk", "slug", "name", "organisation__name"))
    held = members(actor, {row["pk"] for row in rows})
    return [{**row, "members": held[row["pk"]][0], "count": held[row["pk"]][1]} for row in rows]
