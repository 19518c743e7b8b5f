"""Imports and named mappings, as far as somebody may see them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from fairway.accounts import queries as accounts
from fairway.exchange.adapters import ADAPTERS
from fairway.exchange.kinds import KINDS
from fairway.exchange.models import ImportLine, ImportRun, SavedMapping
from fairway.jobs import queries as jobs
from fairway.kernel.actor import Actor
from fairway.kernel.errors import NotFound
from fairway.kernel.listing import Column, Listing, ListQuery, Page

LIVING = (ImportRun.State.CHECKING, ImportRun.State.IMPORTING)


def permission_of(what: str) -> str:
    """Return the permission that an import as a kind, or through an adapter, takes."""
    return ADAPTERS[what].permission if what in ADAPTERS else KINDS[what].permission


def permitted(actor: Actor) -> list[str]:
    """Return the kinds and adapters that the actor may import somewhere."""
    access = accounts.access(actor)
    return [name for name in (*KINDS, *ADAPTERS) if access.may(permission_of(name), None)]


def imports(actor: Actor) -> QuerySet[ImportRun]:
    """Return the imports into the actor's branches: that they were made and how they went, not their rows."""
    return accounts.visible(ImportRun.objects.filter(archived_at=None), actor)


def looks_into(actor: Actor, run: ImportRun) -> bool:
    """Say whether the actor may see the rows of an import: they may be of any branch, so only its maker and
    whoever sees the whole tree may.
    """
    return run.user_id == actor.pk or accounts.access(actor).organisations is None


def import_run(actor: Actor, reference: str) -> ImportRun:
    """Return an import by uid, with its file.

    :raises NotFound: there is none, or the actor may not see it.
    """
    lookup = ImportRun.lookup(reference)
    query = imports(actor).select_related("blob", "user", "organisation")
    found = query.filter(**lookup).first() if lookup else None
    if found is None:
        raise NotFound(f"There is no import “{reference[:60]}”.")
    return found


IMPORTS = Listing(
    columns={
        "created_at": Column("created_at", "instant", sorts=True),
        "state": Column("state", choices=tuple(ImportRun.State.values)),
        "kind": Column("what"),
        "organisation": Column("organisation__slug"),
    },
    values=(
        "uid", "what", "file", "size", "state", "position", "total", "counts", "begun", "error", "created_at",
        "finished_at", "job", "user__name", "user__number", "user__uid", "organisation__slug",
        "organisation__uid", "organisation__name",
    ),
    sort="-created_at",
)  # fmt: skip


class ImportQuery(ListQuery, kw_only=True):
    state: str = ""
    state__in: str = ""
    kind: str = ""
    organisation: str = ""
    created_at__gte: str = ""
    created_at__lt: str = ""


def import_page(actor: Actor, query: ImportQuery) -> Page:
    """Return one page of imports as plain values, those whose job has ended as they stand."""
    page = IMPORTS.page(imports(actor), query)
    asked = {row["job"] for row in page.rows if row["job"] and row["state"] in LIVING}
    ended = dict(_jobs().filter(uid__in=asked).values_list("uid", "state")) if asked else {}
    for row in page.rows:
        row["state"] = _stands(row["state"], ended.get(row["job"]))
    return page


def standing(run: ImportRun) -> tuple[str, str]:
    """Return how an import stands, and what its job says: the work may have ended before it could tell."""
    if run.state not in LIVING:
        return run.state, run.error
    job = job_of(run)
    return _stands(run.state, job.state if job else None), job.error if job else run.error


def job_of(run: ImportRun) -> Any:
    """Return the job that works on an import, or None."""
    return _jobs().filter(uid=run.job).first() if run.job else None


def _jobs() -> QuerySet[Any]:
    return jobs.jobs(organisations=None, own=None)


def _stands(state: str, job: str | None) -> str:
    if state in LIVING and job in ("failed", "cancelled"):
        return str(job)
    return state


def lines(run: ImportRun, *, result: str = "", after: int = 0, limit: int = 50) -> list[dict[str, Any]]:
    """Return what came of rows, in their order, from behind one on."""
    found = ImportLine.objects.filter(run=run, id__gt=after)
    if result:
        found = found.filter(result=result)
    columns = ("id", "row", "line", "place", "result", "key", "values", "changes", "faults")
    return [dict(row) for row in found.order_by("id").values(*columns)[:limit]]


def mappings(actor: Actor) -> QuerySet[SavedMapping]:
    """Return the named mappings of the actor's branches."""
    return accounts.visible(SavedMapping.objects.filter(archived_at=None), actor).order_by("name", "uid")


def mapping(actor: Actor, reference: str) -> SavedMapping:
    """Return a named mapping by uid.

    :raises NotFound: there is none, or the actor may not see it.
    """
    found = next((one for one in mappings(actor) if str(one.uid) == reference), None)
    if found is None:
        raise NotFound("There is no such mapping.")
    return found
