"""Builds as they are listed and read, and the media library: which build is this digest?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from django.db.models import Q, QuerySet
from msgspec import structs

from fairway.accounts import queries as accounts
from fairway.catalog.models import Artefact, Build, CarriedWorkItem
from fairway.catalog.rules import builds as rules
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid, NotFound
from fairway.kernel.listing import Column, Listing, ListQuery, Page
from fairway.kernel.models import fold


def _search(text: str) -> Q:
    """Every word occurs in the system, the version, the branch or tag; or begins the commit."""
    found = Q()
    for word in text.split()[:8]:
        found &= (
            Q(name__icontains=word)
            | Q(system__name_folded__contains=fold(word))
            | Q(branch__icontains=word)
            | Q(tag__icontains=word)
            | Q(commit__startswith=word.lower())
        )
    return found


BUILDS = Listing(
    columns={
        "number": Column("number", "number", sorts=True, prefix=Build.prefix),
        "system": Column("system__slug", sorts=True, refers=accounts.by_slug, through="system"),
        "name": Column("name", sorts=True),
        "build_version": Column("build_version"),
        "status": Column("status", sorts=True, choices=tuple(Build.Status.values)),
        "branch": Column("branch", sorts=True),
        "tag": Column("tag"),
        "commit": Column("commit"),
        "organisation": Column(
            "organisation__slug", sorts=True, refers=accounts.by_slug, through="organisation"
        ),
        "built_at": Column("built_at", "instant", sorts=True),
        "created_at": Column("created_at", "instant", sorts=True),
    },
    values=(
        "pk", "uid", "number", "name", "build_version", "status", "branch", "tag", "commit", "commit_url",
        "url", "built_at", "reason", "version", "created_at", "archived_at", "organisation_id",
        "organisation__uid", "organisation__slug", "organisation__name", "system__uid", "system__slug",
        "system__name",
    ),
    sort="-built_at",
    search=_search,
)  # fmt: skip


class BuildQuery(ListQuery, kw_only=True, columns=BUILDS.columns):
    """Filters of the list of builds; `archived=true`: those put away.

    `digest`, `purl`: the build that holds this artefact. `work_item`: those that carry it, by external id.
    """

    digest: str = ""
    purl: str = ""
    work_item: str = ""
    archived: Literal["", "true", "false"] = ""


def builds(actor: Actor) -> QuerySet[Build]:
    """Return all builds that the actor sees, archived ones among them."""
    return accounts.visible(Build.objects.all(), actor)


def build(actor: Actor, reference: str) -> Build:
    """Return the build by key, uid, or system and version (`payments-api@2.3.0`), archived or not.

    :raises NotFound: there is none, or the actor may not see it.
    """
    lookup = Build.lookup(reference)
    found = None
    if lookup is not None:
        found = builds(actor).select_related("system", "organisation").filter(**lookup).first()
    if found is None:
        raise NotFound(f"There is no build “{reference[:100]}”.")
    return found


def build_page(actor: Actor, query: BuildQuery) -> Page:
    """Return one page of builds as plain values, each with its artefacts and work items; four statements.

    Asked for by digest or package URL, archived ones are found too: a digest stays known.
    :raises Invalid: a filter has no sense.
    """
    found = builds(actor)
    if query.digest or query.purl:
        held = Artefact.objects.all()
        if query.digest:
            digest = rules.digest(query.digest)
            if digest is None:
                raise Invalid.field(
                    "digest", f"“{query.digest[:80]}” is not a digest, such as sha256: and 64 figures."
                )
            held = held.filter(digest=digest)
        if query.purl:
            purl = rules.purl(query.purl)
            if purl is None:
                raise Invalid.field("purl", f"“{query.purl[:80]}” is not a package URL.")
            held = held.filter(Q(purl=purl) | Q(purl__startswith=f"{purl}@"))
        found = found.filter(pk__in=held.values("build"))
    if query.archived or not (query.digest or query.purl):
        found = found.filter(archived_at__isnull=query.archived != "true")
    if query.work_item:
        carried = CarriedWorkItem.objects.filter(external_id=query.work_item)
        found = found.filter(pk__in=carried.values("build"))
    apart = ("digest", "purl", "work_item", "archived")
    page = BUILDS.page(found, structs.replace(query, **dict.fromkeys(apart, "")))
    held_by: dict[int, list[dict[str, str]]] = {row["pk"]: [] for row in page.rows}
    parts = Artefact.objects.filter(build__in=list(held_by)).order_by("build_id", "position")
    for pk, purl, digest in parts.values_list("build_id", "purl", "digest"):
        held_by[pk].append({"purl": purl, "digest": digest})
    carrying: dict[int, list[str]] = {row["pk"]: [] for row in page.rows}
    items = CarriedWorkItem.objects.filter(build__in=list(carrying)).order_by("build_id", "position")
    for pk, external_id in items.values_list("build_id", "external_id"):
        carrying[pk].append(external_id)
    rows = [
        {
            **row,
            "key": f"{Build.prefix}-{row['number']}",
            "artefacts": held_by[row["pk"]],
            "work_items": carrying[row["pk"]],
        }
        for row in page.rows
    ]
    asked = {name: getattr(query, name) for name in apart if getattr(query, name)}
    return replace(page, rows=rows, applied={**page.applied, **asked})


def artefacts(found: Build) -> list[dict[str, str]]:
    """Return the artefacts of a build in the order in which they were registered."""
    rows = Artefact.objects.filter(build=found).order_by("position").values_list("purl", "digest")
    return [{"purl": purl, "digest": digest} for purl, digest in rows]


def work_items(found: Build) -> list[str]:
    """Return the external ids of the work items that a build carries."""
    rows = CarriedWorkItem.objects.filter(build=found).order_by("position")
    return list(rows.values_list("external_id", flat=True))


def pick_builds(actor: Actor, text: str, *, limit: int = 20) -> list[dict[str, Any]]:
    """Return builds for a picker, the newest first."""
    found = builds(actor).filter(archived_at=None)
    if text.strip():
        found = found.filter(_search(text))
    rows = found.order_by("-built_at", "-pk").values("number", "name", "status", "built_at")
    return [{**row, "key": f"{Build.prefix}-{row['number']}"} for row in rows[:limit]]
