"""Relations over the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query

from fairway.accounts.bulk import Op, bulk
from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.catalog import commands, queries
from fairway.catalog.api.shared import KeyPath, ref_of
from fairway.kernel.api import list_of
from fairway.kernel.listing import Page


class RelationView(msgspec.Struct, kw_only=True):
    uid: str
    source: RefView
    target: RefView
    kind: RefView
    version: int
    created_at: datetime


RelationList = list_of(RelationView)


def relation_view(row: dict[str, Any]) -> RelationView:
    return RelationView(
        uid=str(row["uid"]),
        source=ref_of("item", row, "source"),
        target=ref_of("item", row, "target"),
        kind=ref_of("relation-kind", row, "relation_kind"),
        version=row["version"],
        created_at=row["created_at"],
    )


def _relation(controller: ApiController, uid: str, *, status: int = 200) -> HttpResponse:
    found = queries.relation(controller.actor, uid)
    kind = found.relation_kind
    view = RelationView(
        uid=str(found.uid),
        source=ref_view(found.source.ref()),
        target=ref_view(found.target.ref()),
        kind=RefView(kind="relation-kind", key=kind.slug, name=kind.name, uid=str(kind.uid)),
        version=found.version,
        created_at=found.created_at,
    )
    location = f"/api/v1/relations/{found.uid}" if status == 201 else ""
    return controller.answer(view, status=status, version=found.version, location=location)


class RelationsController(ApiController):
    """Relations between items."""

    @operation("catalog.view", RelationList, files=True)
    def get(self, parsed_query: Query[queries.RelationQuery]) -> HttpResponseBase:
        """List the relations of which the caller sees both ends."""

        def read(query: queries.RelationQuery) -> tuple[Page, list[RelationView]]:
            page = queries.relation_page(self.actor, query)
            return page, [relation_view(row) for row in page.rows]

        return self.listed(parsed_query, read, RelationView.__struct_fields__)

    @operation("catalog.edit", RelationView, status=201, etag=True, dry_run=True)
    def post(self, parsed_body: Body[commands.CreateRelation], parsed_query: Query[DryRun]) -> HttpResponse:
        """Join a source to a target."""
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        outcome = self.run(parsed_body)
        return _relation(self, outcome.subject.uid if outcome.subject else "", status=201)


class RelationController(ApiController):
    """One relation."""

    @operation("catalog.view", RelationView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read a relation by uid, or by its ends and kind (`payments-api:depends-on:ledger-db`)."""
        return _relation(self, parsed_path.key)

    @operation("catalog.edit", RelationView, also={201: RelationView}, etag=True, dry_run=True)
    def put(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Join a source to a target, as `payments-api:depends-on:ledger-db` says, unless they are joined so.

        All that a relation is stands in its name: there is nothing to replace, and so nothing to match.
        """
        ends = queries.relation_ends(parsed_path.key)
        if ends is None:
            found = queries.relation(self.actor, parsed_path.key)
            ends = (found.source.slug, found.relation_kind.slug, found.target.slug)
        command = commands.PutRelation(source=ends[0], kind=ends[1], target=ends[2])
        if parsed_query.dry_run:
            return self.preview(command)
        outcome = self.run(command)
        uid = outcome.subject.uid if outcome.subject else ""
        return _relation(self, uid, status=201 if outcome.created else 200)

    @operation("catalog.edit", RelationView, etag=True, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Take a relation away; answers what it was."""
        command = commands.RemoveRelation(relation=parsed_path.key, version=self.expected())
        if parsed_query.dry_run:
            return self.preview(command)
        answer = _relation(self, parsed_path.key)
        self.run(command)
        return answer


OPS = {
    "create": Op(commands.CreateRelation),
    "put": Op(commands.PutRelation),
    "remove": Op(commands.RemoveRelation, "relation", versioned=True),
}

urls = [
    path("relations", RelationsController.as_view(), name="relations"),
    path("relations/bulk", bulk("catalog.edit", OPS, what="relations").as_view(), name="relations-bulk"),
    path("relations/<str:key>", RelationController.as_view(), name="relation"),
]
