"""Redundancy over the API."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query
from msgspec import UNSET, Meta, UnsetType

from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.catalog import commands, queries
from fairway.catalog.api.shared import KeyPath
from fairway.kernel.api import list_of
from fairway.kernel.listing import Page


class RedundancyView(msgspec.Struct, kw_only=True):
    """`item` stands while `needed` of the members stand; `count` counts also those that are not shown."""

    uid: str
    item: RefView
    kind: RefView
    name: str
    needed: int
    count: int
    members: list[RefView]
    version: int


RedundancyList = list_of(RedundancyView)


class RedundancyPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A JSON merge patch (RFC 7396)."""

    needed: Annotated[int, Meta(ge=1, le=200)] | UnsetType = UNSET
    members: list[str] | UnsetType = UNSET


def view_of(group: dict[str, Any]) -> RedundancyView:
    kind = group["kind"]
    return RedundancyView(
        uid=group["uid"],
        item=ref_view(group["item"]),
        kind=RefView(kind="relation-kind", key=kind.slug, name=kind.name, uid=str(kind.uid)),
        name=group["name"],
        needed=group["needed"],
        count=group["count"],
        members=[ref_view(ref) for ref in group["members"]],
        version=group["version"],
    )


def _told(controller: ApiController, uid: str, *, status: int = 200) -> HttpResponse:
    found = queries.redundancy(controller.actor, uid)
    [group] = [
        one for one in queries.redundancies(controller.actor, [found.item]) if one["uid"] == str(found.uid)
    ]
    location = f"/api/v1/redundancies/{found.uid}" if status == 201 else ""
    return controller.answer(view_of(group), status=status, version=found.version, location=location)


class RedundanciesController(ApiController):
    """Redundancy: items that need only some of several others."""

    @operation("catalog.view", RedundancyList, files=True)
    def get(self, parsed_query: Query[queries.RedundancyQuery]) -> HttpResponseBase:
        """List the groups of an item (`item`), or of all items that the caller sees."""
        if parsed_query.item:
            queries.item(self.actor, parsed_query.item)

        def read(query: queries.RedundancyQuery) -> tuple[Page, list[RedundancyView]]:
            page, groups = queries.redundancy_page(self.actor, query)
            return page, [view_of(group) for group in groups]

        return self.listed(parsed_query, read, RedundancyView.__struct_fields__)

    @operation("catalog.edit", RedundancyView, status=201, etag=True, dry_run=True)
    def post(self, parsed_body: Body[commands.CreateRedundancy], parsed_query: Query[DryRun]) -> HttpResponse:
        """Say that an item stands while some of several others stand."""
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        outcome = self.run(parsed_body)
        return _told(self, outcome.subject.uid if outcome.subject else "", status=201)


class RedundancyController(ApiController):
    """One group of redundancy."""

    @operation("catalog.view", RedundancyView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read a group by uid."""
        return _told(self, parsed_path.key)

    @operation("catalog.edit", RedundancyView, etag=True, dry_run=True)
    def patch(
        self, parsed_path: Path[KeyPath], parsed_body: Body[RedundancyPatch], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Change what is given."""
        command = commands.EditRedundancy(
            redundancy=parsed_path.key, version=self.expected(), **msgspec.structs.asdict(parsed_body)
        )
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _told(self, parsed_path.key)

    @operation("catalog.edit", RedundancyView, etag=True, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Take a group away; its relations stay. Answers what it was."""
        command = commands.RemoveRedundancy(redundancy=parsed_path.key, version=self.expected())
        if parsed_query.dry_run:
            return self.preview(command)
        answer = _told(self, parsed_path.key)
        self.run(command)
        return answer


urls = [
    path("redundancies", RedundanciesController.as_view(), name="redundancies"),
    path("redundancies/<str:key>", RedundancyController.as_view(), name="redundancy"),
]
