"""Teams and who is in them over the API."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query

from fairway.accounts import commands, queries
from fairway.accounts.api.shared import KeyPath
from fairway.accounts.bulk import Op, bulk
from fairway.accounts.models import Team, User
from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.kernel.api import list_of
from fairway.kernel.listing import Column, Listing, ListQuery, Page, search_words

TEAMS = Listing(
    columns={
        "name": Column("name_folded", "folded", sorts=True),
        "key": Column("slug", sorts=True),
        "organisation": Column("organisation", refers=queries.by_slug),
        "member": Column("memberships__user", refers=User.lookup),
        "active": Column("is_active", "flag"),
    },
    values=("slug", "name", "organisation__slug", "is_active", "version"),
    sort="name",
    search=search_words("name_folded", "slug"),
)


class TeamView(msgspec.Struct, kw_only=True):
    key: str
    uid: str
    name: str
    organisation: str
    is_active: bool
    version: int
    members: list[RefView] | None = None


TeamList = list_of(TeamView)


class TeamQuery(ListQuery, kw_only=True, columns=TEAMS.columns):
    """Filters of the list."""


class TeamPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What an inactive team was granted holds for nobody."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    is_active: bool | msgspec.UnsetType = msgspec.UNSET


class TeamBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str
    organisation: str
    members: list[str] = []


class Members(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    members: list[str]


def team_view(row: dict[str, Any]) -> TeamView:
    return TeamView(
        key=row["slug"],
        uid=str(row["uid"]),
        name=row["name"],
        organisation=row["organisation__slug"],
        is_active=row["is_active"],
        version=row["version"],
    )


def _team(controller: ApiController, key: str, *, status: int = 200) -> HttpResponse:
    found = queries.team(controller.actor, key)
    members = [ref_view(member.ref()) for member in queries.members(controller.actor, found)]
    view = TeamView(
        key=found.slug,
        uid=str(found.uid),
        name=found.name,
        organisation=found.organisation.slug,
        is_active=found.is_active,
        version=found.version,
        members=members,
    )
    location = f"/api/v1/teams/{found.slug}" if status == 201 else ""
    return controller.answer(view, status=status, version=found.version, location=location)


class TeamsController(ApiController):
    """Teams."""

    @operation("accounts.view", TeamList, files=True)
    def get(self, parsed_query: Query[TeamQuery]) -> HttpResponseBase:
        def read(query: TeamQuery) -> tuple[Page, list[TeamView]]:
            page = TEAMS.page(queries.visible(Team.objects.all(), self.actor), query)
            return page, [team_view(row) for row in page.rows]

        return self.listed(parsed_query, read, TeamView.__struct_fields__)

    @operation("accounts.invite", TeamView, status=201, etag=True, dry_run=True)
    def post(self, parsed_body: Body[commands.CreateTeam], parsed_query: Query[DryRun]) -> HttpResponse:
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        self.run(parsed_body)
        return _team(self, parsed_body.slug, status=201)


class TeamController(ApiController):
    """One team with its members."""

    @operation("accounts.view", TeamView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        return _team(self, parsed_path.key)

    @operation("accounts.invite", TeamView, etag=True, dry_run=True)
    def patch(
        self, parsed_path: Path[KeyPath], parsed_body: Body[TeamPatch], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        command = commands.EditTeam(
            team=parsed_path.key, version=self.expected(), **msgspec.structs.asdict(parsed_body)
        )
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _team(self, parsed_path.key)

    @operation("accounts.invite", TeamView, also={201: TeamView}, etag=True, dry_run=True)
    def put(
        self, parsed_path: Path[KeyPath], parsed_body: Body[TeamBody], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Create or replace a team by its key; replacing needs If-Match."""
        known = queries.teams(self.actor).filter(slug=parsed_path.key).exists()
        command = commands.PutTeam(
            key=parsed_path.key,
            version=self.expected(required=known),
            **msgspec.structs.asdict(parsed_body),
        )
        if parsed_query.dry_run:
            return self.preview(command)
        outcome = self.run(command)
        return _team(self, parsed_path.key, status=201 if outcome.created else 200)

    @operation("accounts.invite", TeamView, etag=True, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Make a team inactive; it stays on record."""
        command = commands.EditTeam(team=parsed_path.key, version=self.expected(), is_active=False)
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _team(self, parsed_path.key)


class MembersController(ApiController):
    """Who is in a team."""

    @operation("accounts.invite", TeamView, etag=True, dry_run=True)
    def put(
        self, parsed_path: Path[KeyPath], parsed_body: Body[Members], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        command = commands.SetMembers(
            team=parsed_path.key, members=parsed_body.members, version=self.expected()
        )
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _team(self, parsed_path.key)


TEAM_OPS = {
    "create": Op(commands.CreateTeam),
    "put": Op(commands.PutTeam, "key", TeamBody),
    "patch": Op(commands.EditTeam, "team", versioned=True),
    "members": Op(commands.SetMembers, "team", versioned=True),
}


urls = [
    path("teams", TeamsController.as_view(), name="teams"),
    path("teams/bulk", bulk("accounts.invite", TEAM_OPS, what="teams").as_view(), name="teams-bulk"),
    path("teams/<str:key>", TeamController.as_view(), name="team"),
    path("teams/<str:key>/members", MembersController.as_view(), name="team-members"),
]
