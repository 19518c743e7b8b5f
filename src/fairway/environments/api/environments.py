"""Environments, and what stands in them, over the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query
from msgspec import UNSET, UnsetType

from fairway.accounts.bulk import Op, bulk
from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.environments import commands, queries
from fairway.environments.models import Environment
from fairway.kernel.actor import Actor
from fairway.kernel.api import list_of
from fairway.kernel.listing import Page
from fairway.workspace import queries as workspace

Tier = Literal[
    "development",
    "system_test",
    "integration",
    "performance",
    "acceptance",
    "staging",
    "training",
    "production",
    "disaster_recovery",
]
Control = Literal["open", "coordinated", "controlled"]
Status = Literal["planned", "building", "available", "restricted", "decommissioned"]


class KeyPath(msgspec.Struct):
    key: str


class EnvironmentView(msgspec.Struct, kw_only=True):
    """`control`: what happens is recorded (open), must be booked (coordinated), needs a change (controlled).

    `zone` is an IANA name.
    """

    key: str
    uid: str
    name: str
    tier: str
    control: str
    status: str
    zone: str
    shared: bool
    description: str
    colour: str
    position: int
    custom: dict[str, Any]
    organisation: RefView
    version: int
    created_at: datetime
    archived_at: datetime | None


class EnvironmentRow(msgspec.Struct, kw_only=True):
    """An environment in a list: all its fields, or those that `fields=` picked."""

    key: str | UnsetType = UNSET
    uid: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    tier: str | UnsetType = UNSET
    control: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    zone: str | UnsetType = UNSET
    shared: bool | UnsetType = UNSET
    description: str | UnsetType = UNSET
    colour: str | UnsetType = UNSET
    position: int | UnsetType = UNSET
    custom: dict[str, Any] | UnsetType = UNSET
    organisation: RefView | UnsetType = UNSET
    version: int | UnsetType = UNSET
    created_at: datetime | UnsetType = UNSET
    archived_at: datetime | UnsetType | None = UNSET


class EnvironmentList(msgspec.Struct, kw_only=True):
    items: list[EnvironmentRow]
    next: str | None
    count: int | UnsetType = UNSET


class EnvironmentPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A JSON merge patch (RFC 7396)."""

    name: str | UnsetType = UNSET
    tier: Tier | UnsetType = UNSET
    organisation: str | UnsetType = UNSET
    control: Control | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    zone: str | UnsetType = UNSET
    shared: bool | UnsetType = UNSET
    description: str | UnsetType = UNSET
    colour: str | UnsetType = UNSET
    position: int | UnsetType = UNSET
    custom: dict[str, Any] | UnsetType = UNSET


class EnvironmentBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """All of an environment but its key; without `control` the tier decides."""

    name: str
    tier: Tier
    organisation: str | UnsetType = UNSET
    control: Control | None = None
    status: Status = "available"
    zone: str = "UTC"
    shared: bool = False
    description: str = ""
    colour: str = ""
    position: int = 0
    custom: dict[str, Any] = {}


class InstanceView(msgspec.Struct, kw_only=True):
    """An item standing in an environment."""

    uid: str
    item: RefView
    environment: RefView
    version: int
    created_at: datetime


InstanceList = list_of(InstanceView)


FIELDS = EnvironmentView.__struct_fields__


def environment_row(row: dict[str, Any], wanted: frozenset[str] | None = None) -> EnvironmentRow:
    """Return a row of the list as the API tells it."""
    values = {"key": row["slug"], "uid": str(row["uid"]), "organisation": _ref("organisation", row)}
    names = FIELDS if wanted is None else wanted
    return EnvironmentRow(**{name: values[name] if name in values else row[name] for name in names})


def _ref(kind: str, row: dict[str, Any]) -> RefView:
    return RefView(
        kind=kind, key=row[f"{kind}__slug"], name=row[f"{kind}__name"], uid=str(row[f"{kind}__uid"])
    )


def environment_view(actor: Actor, environment: Environment) -> EnvironmentView:
    """Return an environment as the API tells it, with the fields that the actor may see."""
    apart = {"key", "uid", "organisation", "custom"}
    same = {name: getattr(environment, name) for name in FIELDS if name not in apart}
    return EnvironmentView(
        key=environment.slug,
        uid=str(environment.uid),
        organisation=ref_view(environment.organisation.ref()),
        custom=workspace.seen(actor, "environment", environment),
        **same,
    )


def instance_view(row: dict[str, Any]) -> InstanceView:
    return InstanceView(
        uid=str(row["uid"]),
        item=_ref("item", row),
        environment=_ref("environment", row),
        version=row["version"],
        created_at=row["created_at"],
    )


def _environment(controller: ApiController, key: str, *, status: int = 200) -> HttpResponse:
    found = queries.environment(controller.actor, key)
    location = f"/api/v1/environments/{found.slug}" if status == 201 else ""
    view = environment_view(controller.actor, found)
    return controller.answer(view, status=status, version=found.version, location=location)


class EnvironmentsController(ApiController):
    """Environments."""

    @operation("environments.view", EnvironmentList, files=True)
    def get(self, parsed_query: Query[queries.EnvironmentQuery]) -> HttpResponseBase:
        """List environments; sorted by `order` they stand in the order of the way to production."""

        def read(query: queries.EnvironmentQuery) -> tuple[Page, list[EnvironmentRow]]:
            page = queries.environment_page(self.actor, query)
            seen = workspace.seen_all(self.actor, "environment", page.rows)
            rows = zip(page.rows, seen, strict=True)
            return page, [environment_row({**row, "custom": custom}) for row, custom in rows]

        return self.listed(parsed_query, read, FIELDS)

    @operation("environments.edit", EnvironmentView, status=201, etag=True, dry_run=True)
    def post(
        self, parsed_body: Body[commands.CreateEnvironment], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Add an environment."""
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        self.run(parsed_body)
        return _environment(self, parsed_body.key, status=201)


class EnvironmentController(ApiController):
    """One environment."""

    @operation("environments.view", EnvironmentView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read an environment by key or uid."""
        return _environment(self, parsed_path.key)

    @operation("environments.edit", EnvironmentView, etag=True, dry_run=True)
    def patch(
        self, parsed_path: Path[KeyPath], parsed_body: Body[EnvironmentPatch], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Change what is given."""
        command = commands.EditEnvironment(
            environment=parsed_path.key, version=self.expected(), **msgspec.structs.asdict(parsed_body)
        )
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _environment(self, parsed_path.key)

    @operation("environments.edit", EnvironmentView, also={201: EnvironmentView}, etag=True, dry_run=True)
    def put(
        self, parsed_path: Path[KeyPath], parsed_body: Body[EnvironmentBody], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Create or replace an environment by its key; replacing needs If-Match."""
        known = queries.environment_exists(self.actor, parsed_path.key)
        command = commands.PutEnvironment(
            key=parsed_path.key,
            version=self.expected(required=known),
            **msgspec.structs.asdict(parsed_body),
        )
        if parsed_query.dry_run:
            return self.preview(command)
        outcome = self.run(command)
        return _environment(self, parsed_path.key, status=201 if outcome.created else 200)

    @operation("environments.edit", EnvironmentView, etag=True, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Archive an environment; it stays on record."""
        command = commands.ArchiveEnvironment(environment=parsed_path.key, version=self.expected())
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _environment(self, parsed_path.key)


def _instance(controller: ApiController, uid: str, *, status: int = 200) -> HttpResponse:
    found = queries.instance(controller.actor, uid)
    view = InstanceView(
        uid=str(found.uid),
        item=ref_view(found.item.ref()),
        environment=ref_view(found.environment.ref()),
        version=found.version,
        created_at=found.created_at,
    )
    location = f"/api/v1/instances/{found.uid}" if status == 201 else ""
    return controller.answer(view, status=status, version=found.version, location=location)


class InstancesController(ApiController):
    """What stands where."""

    @operation("environments.view", InstanceList, files=True)
    def get(self, parsed_query: Query[queries.InstanceQuery]) -> HttpResponseBase:
        """List the instances of which the caller sees both the item and the environment."""

        def read(query: queries.InstanceQuery) -> tuple[Page, list[InstanceView]]:
            page = queries.instance_page(self.actor, query)
            return page, [instance_view(row) for row in page.rows]

        return self.listed(parsed_query, read, InstanceView.__struct_fields__)

    @operation("environments.edit", InstanceView, status=201, etag=True, dry_run=True)
    def post(self, parsed_body: Body[commands.CreateInstance], parsed_query: Query[DryRun]) -> HttpResponse:
        """Say that an item stands in an environment."""
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        outcome = self.run(parsed_body)
        return _instance(self, outcome.subject.uid if outcome.subject else "", status=201)


class InstanceController(ApiController):
    """One item in one environment."""

    @operation("environments.view", InstanceView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read an instance by uid, or by item and environment (`payments-api@production`)."""
        return _instance(self, parsed_path.key)

    @operation("environments.edit", InstanceView, also={201: InstanceView}, etag=True, dry_run=True)
    def put(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Say that an item stands in an environment, as `payments-api@production` says, unless that is known.

        All that an instance is stands in its name: there is nothing to replace, and so nothing to match.
        """
        named = queries.instance_named(parsed_path.key)
        if named is None:
            found = queries.instance(self.actor, parsed_path.key)
            named = (found.item.slug, found.environment.slug)
        command = commands.PutInstance(item=named[0], environment=named[1])
        if parsed_query.dry_run:
            return self.preview(command)
        outcome = self.run(command)
        uid = outcome.subject.uid if outcome.subject else ""
        return _instance(self, uid, status=201 if outcome.created else 200)

    @operation("environments.edit", InstanceView, etag=True, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Say that the item stands there no longer; answers what it was."""
        command = commands.RemoveInstance(instance=parsed_path.key, version=self.expected())
        if parsed_query.dry_run:
            return self.preview(command)
        answer = _instance(self, parsed_path.key)
        self.run(command)
        return answer


OPS = {
    "create": Op(commands.CreateEnvironment),
    "put": Op(commands.PutEnvironment, "key", EnvironmentBody),
    "patch": Op(commands.EditEnvironment, "environment", versioned=True),
    "archive": Op(commands.ArchiveEnvironment, "environment", versioned=True),
}
INSTANCE_OPS = {
    "create": Op(commands.CreateInstance),
    "put": Op(commands.PutInstance),
    "remove": Op(commands.RemoveInstance, "instance", versioned=True),
}

urls = [
    path("environments", EnvironmentsController.as_view(), name="environments"),
    path(
        "environments/bulk",
        bulk("environments.edit", OPS, what="environments").as_view(),
        name="environments-bulk",
    ),
    path("environments/<str:key>", EnvironmentController.as_view(), name="environment"),
    path("instances", InstancesController.as_view(), name="instances"),
    path(
        "instances/bulk",
        bulk("environments.edit", INSTANCE_OPS, what="instances").as_view(),
        name="instances-bulk",
    ),
    path("instances/<str:key>", InstanceController.as_view(), name="instance"),
]
