"""Groups of environments over the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query
from msgspec import UNSET, UnsetType

from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.environments import commands, queries
from fairway.environments.models import EnvironmentGroup
from fairway.kernel.api import list_of
from fairway.kernel.listing import Page


class KeyPath(msgspec.Struct):
    key: str


class EnvironmentGroupView(msgspec.Struct, kw_only=True):
    """Environments used together as one lane; `count` counts also those that are not shown."""

    key: str
    uid: str
    name: str
    description: str
    members: list[RefView]
    count: int
    organisation: RefView
    version: int
    created_at: datetime
    archived_at: datetime | None


EnvironmentGroupList = list_of(EnvironmentGroupView)


class EnvironmentGroupPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A JSON merge patch (RFC 7396)."""

    name: str | UnsetType = UNSET
    members: list[str] | UnsetType = UNSET
    organisation: str | UnsetType = UNSET
    description: str | UnsetType = UNSET


class EnvironmentGroupBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """All of a group but its key."""

    name: str
    members: list[str]
    organisation: str | UnsetType = UNSET
    description: str = ""


def group_row(row: dict[str, Any]) -> EnvironmentGroupView:
    """Return a row of the list as the API tells it."""
    return EnvironmentGroupView(
        key=row["slug"],
        uid=str(row["uid"]),
        name=row["name"],
        description=row["description"],
        members=[ref_view(ref) for ref in row["members"]],
        count=row["count"],
        organisation=RefView(
            kind="organisation",
            key=row["organisation__slug"],
            name=row["organisation__name"],
            uid=str(row["organisation__uid"]),
        ),
        version=row["version"],
        created_at=row["created_at"],
        archived_at=row["archived_at"],
    )


def _told(controller: ApiController, found: EnvironmentGroup, *, status: int = 200) -> HttpResponse:
    refs, count = queries.members(controller.actor, [found.pk])[found.pk]
    view = EnvironmentGroupView(
        key=found.slug,
        uid=str(found.uid),
        name=found.name,
        description=found.description,
        members=[ref_view(ref) for ref in refs],
        count=count,
        organisation=ref_view(found.organisation.ref()),
        version=found.version,
        created_at=found.created_at,
        archived_at=found.archived_at,
    )
    location = f"/api/v1/environment-groups/{found.slug}" if status == 201 else ""
    return controller.answer(view, status=status, version=found.version, location=location)


class EnvironmentGroupsController(ApiController):
    """Groups of environments."""

    @operation("environments.view", EnvironmentGroupList, files=True)
    def get(self, parsed_query: Query[queries.GroupQuery]) -> HttpResponseBase:
        """List the groups, each with the environments that the caller sees."""

        def read(query: queries.GroupQuery) -> tuple[Page, list[EnvironmentGroupView]]:
            page = queries.group_page(self.actor, query)
            return page, [group_row(row) for row in page.rows]

        return self.listed(parsed_query, read, EnvironmentGroupView.__struct_fields__)

    @operation("environments.edit", EnvironmentGroupView, status=201, etag=True, dry_run=True)
    def post(
        self, parsed_body: Body[commands.CreateEnvironmentGroup], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Make a group of environments that are used together."""
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        self.run(parsed_body)
        return _told(self, queries.group(self.actor, parsed_body.key), status=201)


class EnvironmentGroupController(ApiController):
    """One group of environments."""

    @operation("environments.view", EnvironmentGroupView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read a group by key or uid."""
        return _told(self, queries.group(self.actor, parsed_path.key))

    @operation("environments.edit", EnvironmentGroupView, etag=True, dry_run=True)
    def patch(
        self,
        parsed_path: Path[KeyPath],
        parsed_body: Body[EnvironmentGroupPatch],
        parsed_query: Query[DryRun],
    ) -> HttpResponse:
        """Change what is given."""
        command = commands.EditEnvironmentGroup(
            group=parsed_path.key, version=self.expected(), **msgspec.structs.asdict(parsed_body)
        )
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _told(self, queries.group(self.actor, parsed_path.key))

    @operation(
        "environments.edit", EnvironmentGroupView, also={201: EnvironmentGroupView}, etag=True, dry_run=True
    )
    def put(
        self,
        parsed_path: Path[KeyPath],
        parsed_body: Body[EnvironmentGroupBody],
        parsed_query: Query[DryRun],
    ) -> HttpResponse:
        """Create or replace a group by its key; replacing needs If-Match."""
        known = queries.group_exists(self.actor, parsed_path.key)
        command = commands.PutEnvironmentGroup(
            key=parsed_path.key,
            version=self.expected(required=known),
            **msgspec.structs.asdict(parsed_body),
        )
        if parsed_query.dry_run:
            return self.preview(command)
        outcome = self.run(command)
        found = queries.group(self.actor, parsed_path.key)
        return _told(self, found, status=201 if outcome.created else 200)

    @operation("environments.edit", EnvironmentGroupView, etag=True, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Archive a group; its environments stay as they are."""
        command = commands.ArchiveEnvironmentGroup(group=parsed_path.key, version=self.expected())
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _told(self, queries.group(self.actor, parsed_path.key))


urls = [
    path("environment-groups", EnvironmentGroupsController.as_view(), name="environment-groups"),
    path("environment-groups/<str:key>", EnvironmentGroupController.as_view(), name="environment-group"),
]
