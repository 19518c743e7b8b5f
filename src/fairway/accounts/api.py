"""Organisations, people, teams, roles, grants, tokens, and the change feed over the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpResponse
from django.urls import path
from dmr import Body, Path, Query

from fairway.accounts import commands, queries
from fairway.accounts.models import Organisation, User
from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.kernel.listing import Column, Listing, ListQuery, search_words

ORGANISATIONS = Listing(
    columns={
        "name": Column("name_folded", "folded", sorts=True),
        "key": Column("slug", sorts=True),
        "parent": Column("parent__slug"),
    },
    values=("slug", "name", "parent__slug", "parent__name", "version"),
    sort="name",
    search=search_words("name_folded", "slug"),
)
USERS = Listing(
    columns={
        "name": Column("name", sorts=True),
        "key": Column("number", "number", sorts=True),
        "organisation": Column("organisation__slug"),
        "active": Column("is_active", "flag"),
    },
    values=("number", "name", "email", "zone", "is_active", "is_service", "organisation__slug", "version"),
    sort="name",
    search=search_words("email_folded"),
)
TEAMS = Listing(
    columns={
        "name": Column("name_folded", "folded", sorts=True),
        "organisation": Column("organisation__slug"),
    },
    values=("slug", "name", "organisation__slug", "version"),
    sort="name",
    search=search_words("name_folded", "slug"),
)


class OrganisationView(msgspec.Struct, kw_only=True):
    key: str
    uid: str
    name: str
    parent: RefView | None
    version: int


class UserView(msgspec.Struct, kw_only=True):
    key: str
    uid: str
    name: str
    email: str
    zone: str
    organisation: str
    is_active: bool
    is_service: bool
    version: int


class TeamView(msgspec.Struct, kw_only=True):
    key: str
    uid: str
    name: str
    organisation: str
    version: int
    members: list[RefView] | None = None


class RoleView(msgspec.Struct, kw_only=True):
    key: str
    uid: str
    name: str
    description: str
    permissions: list[str]


class GrantView(msgspec.Struct, kw_only=True):
    uid: str
    role: str
    organisation: RefView
    user: RefView | None
    team: RefView | None


class TokenView(msgspec.Struct, kw_only=True):
    uid: str
    name: str
    hint: str
    user: RefView
    scopes: list[str] | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


class NewToken(msgspec.Struct, kw_only=True):
    """`token` is told this once and stored nowhere."""

    token: str


class EventView(msgspec.Struct, kw_only=True):
    sequence: int
    at: str
    actor: dict[str, Any]
    on_behalf_of: str | None
    request_id: str | None
    command: str
    subject: dict[str, Any] | None
    data: dict[str, Any]
    rows: list[dict[str, Any]]
    hash: str


class Many(msgspec.Struct, kw_only=True, omit_defaults=True):
    items: list[Any]
    next: str | None
    count: int | None = None


class OrganisationList(Many, kw_only=True):
    items: list[OrganisationView]


class UserList(Many, kw_only=True):
    items: list[UserView]


class TeamList(Many, kw_only=True):
    items: list[TeamView]


class Roles(msgspec.Struct, kw_only=True):
    items: list[RoleView]


class Grants(msgspec.Struct, kw_only=True):
    items: list[GrantView]


class Tokens(msgspec.Struct, kw_only=True):
    items: list[TokenView]


class Events(msgspec.Struct, kw_only=True):
    """`next`: the number to ask on from; `head`: the last number there is."""

    items: list[EventView]
    next: int | None
    head: int


class OrganisationQuery(ListQuery, kw_only=True):
    parent: str = ""


class UserQuery(ListQuery, kw_only=True):
    organisation: str = ""
    active: str = ""


class TeamQuery(ListQuery, kw_only=True):
    organisation: str = ""


class EventQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    after: int = 0
    limit: int = 100
    subject: str = ""


class KeyPath(msgspec.Struct):
    key: str


def organisation_view(row: dict[str, Any]) -> OrganisationView:
    parent = (
        RefView(kind="organisation", key=row["parent__slug"], name=row["parent__name"])
        if row["parent__slug"]
        else None
    )
    return OrganisationView(
        key=row["slug"], uid=str(row["uid"]), name=row["name"], parent=parent, version=row["version"]
    )


def user_view(row: dict[str, Any]) -> UserView:
    return UserView(
        key=f"{User.prefix}-{row['number']}",
        uid=str(row["uid"]),
        name=row["name"],
        email=row["email"],
        zone=row["zone"],
        organisation=row["organisation__slug"],
        is_active=row["is_active"],
        is_service=row["is_service"],
        version=row["version"],
    )


def team_view(row: dict[str, Any]) -> TeamView:
    return TeamView(
        key=row["slug"],
        uid=str(row["uid"]),
        name=row["name"],
        organisation=row["organisation__slug"],
        version=row["version"],
    )


class OrganisationPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str | msgspec.UnsetType = msgspec.UNSET
    parent: str | msgspec.UnsetType = msgspec.UNSET


def _organisation(controller: ApiController, key: str, *, status: int = 200) -> HttpResponse:
    found = queries.organisation(controller.actor, key)
    parent = ref_view(found.parent.ref()) if found.parent else None
    view = OrganisationView(
        key=found.slug, uid=str(found.uid), name=found.name, parent=parent, version=found.version
    )
    location = f"/api/v1/organisations/{found.slug}" if status == 201 else ""
    return controller.answer(view, status=status, version=found.version, location=location)


class OrganisationsController(ApiController):
    """The organisation tree."""

    @operation("accounts.view", OrganisationList)
    def get(self, parsed_query: Query[OrganisationQuery]) -> HttpResponse:
        page = ORGANISATIONS.page(queries.visible(Organisation.objects.all(), self.actor, "pk"), parsed_query)
        return self.page(page, [organisation_view(row) for row in page.rows])

    @operation("accounts.administer", OrganisationView, status=201, etag=True, dry_run=True)
    def post(
        self, parsed_body: Body[commands.CreateOrganisation], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        self.run(parsed_body)
        return _organisation(self, parsed_body.slug, status=201)


class OrganisationController(ApiController):
    """One organisation."""

    @operation("accounts.view", OrganisationView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        return _organisation(self, parsed_path.key)

    @operation("accounts.administer", OrganisationView, etag=True, dry_run=True)
    def patch(
        self, parsed_path: Path[KeyPath], parsed_body: Body[OrganisationPatch], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        command = commands.EditOrganisation(
            organisation=parsed_path.key,
            version=self.expected(),
            name=parsed_body.name,
            parent=parsed_body.parent,
        )
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _organisation(self, parsed_path.key)


urls = [
    path("organisations", OrganisationsController.as_view(), name="organisations"),
    path("organisations/<str:key>", OrganisationController.as_view(), name="organisation"),
]
