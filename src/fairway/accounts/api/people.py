"""Organisations, people, teams, roles, grants, tokens, delegations, and the change feed over the API."""

from __future__ import annotations

import binascii
from base64 import b64decode
from datetime import datetime
from typing import Any, ClassVar, Literal
from urllib.parse import unquote_plus

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query
from dmr.parsers import FormUrlEncodedParser
from dmr.plugins.msgspec.json import MsgspecJsonParser

from fairway.accounts import commands, limits, queries, throttle
from fairway.accounts.bulk import Op, bulk
from fairway.accounts.models import Organisation, Team, User
from fairway.accounts.rules import PERMISSIONS
from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.kernel.api import list_of
from fairway.kernel.errors import Conflict, Malformed, Problem, TooMany, Unauthenticated
from fairway.kernel.listing import Column, Listing, ListQuery, Page, search_words

ORGANISATIONS = Listing(
    columns={
        "name": Column("name_folded", "folded", sorts=True),
        "key": Column("slug", sorts=True),
        "parent": Column("parent", refers=queries.by_slug),
    },
    values=("slug", "name", "parent__slug", "parent__name", "parent__uid", "version"),
    sort="name",
    search=search_words("name_folded", "slug"),
)
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
GRANTS = Listing(
    columns={
        "role": Column("role", refers=queries.by_slug),
        "organisation": Column("organisation", refers=queries.by_slug),
        "user": Column("user", refers=User.lookup),
        "team": Column("team", refers=queries.by_slug),
        "position": Column("role__position", "number", sorts=True),
    },
    values=(
        "role__slug", "organisation__slug", "organisation__name", "organisation__uid",
        "user__number", "user__name", "user__uid", "team__slug", "team__name", "team__uid",
    ),
    sort="position",
)  # fmt: skip
TOKENS = Listing(
    columns={
        "name": Column("name"),
        "user": Column("user", refers=User.lookup),
        "created_at": Column("created_at", "instant", sorts=True),
        "expires_at": Column("expires_at", "instant", sorts=True),
    },
    values=(
        "name", "hint", "scopes", "created_at", "expires_at", "revoked_at", "last_used_at",
        "user__number", "user__name", "user__uid",
    ),
    sort="-created_at",
)  # fmt: skip
DELEGATIONS = Listing(
    columns={
        "giver": Column("giver", refers=User.lookup),
        "taker": Column("taker", refers=User.lookup),
        "start": Column("starts_at", "instant", sorts=True),
        "end": Column("ends_at", "instant", sorts=True),
    },
    values=(
        "starts_at", "ends_at", "giver__number", "giver__name", "giver__uid",
        "taker__number", "taker__name", "taker__uid",
    ),
    sort="-start",
)  # fmt: skip


RATE_RULES = Listing(
    columns={
        "user": Column("user", refers=User.lookup),
        "role": Column("role", refers=queries.by_slug),
        "per_minute": Column("per_minute", "number", sorts=True),
    },
    values=("user__number", "user__name", "user__uid", "role__slug", "per_minute", "burst"),
    sort="per_minute",
)


# What is told


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
    can_sign_in: bool
    valid_until: datetime | None
    version: int


class ServiceAccountView(msgspec.Struct, kw_only=True):
    """An account for a program: it acts by token alone. `tokens` counts those that stand."""

    key: str
    uid: str
    name: str
    email: str
    zone: str
    organisation: str
    is_active: bool
    valid_until: datetime | None
    version: int
    tokens: int


class RateRuleView(msgspec.Struct, kw_only=True):
    """Without `user` and `role` it is for everybody. `burst` calls at once, then `per_minute`."""

    uid: str
    user: RefView | None
    role: str | None
    per_minute: int
    burst: int


class TeamView(msgspec.Struct, kw_only=True):
    key: str
    uid: str
    name: str
    organisation: str
    is_active: bool
    version: int
    members: list[RefView] | None = None


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


class InvitedUser(UserView, kw_only=True):
    """`invitation`: the path of the page at which the person chooses a password; hand it over, it holds
    three days.
    """

    invitation: str | None


class Invitation(msgspec.Struct, kw_only=True):
    """`invitation`: the path of the page at which the person chooses a password; hand it over, it holds
    three days.
    """

    invitation: str


class DelegationView(msgspec.Struct, kw_only=True):
    """`giver` lets `taker` act for them, from start to before end."""

    uid: str
    giver: RefView
    taker: RefView
    start: datetime
    end: datetime


OrganisationList, UserList, TeamList = list_of(OrganisationView), list_of(UserView), list_of(TeamView)
GrantList, TokenList, DelegationList = list_of(GrantView), list_of(TokenView), list_of(DelegationView)
ServiceAccountList, RateRuleList = list_of(ServiceAccountView), list_of(RateRuleView)


# What may be asked


class OrganisationQuery(ListQuery, kw_only=True, columns=ORGANISATIONS.columns):
    """Filters of the list."""


class TeamQuery(ListQuery, kw_only=True, columns=TEAMS.columns):
    """Filters of the list."""


class GrantQuery(ListQuery, kw_only=True, columns=GRANTS.columns):
    """Filters of the list."""


class TokenQuery(ListQuery, kw_only=True, columns=TOKENS.columns):
    """Filters of the list."""


class DelegationQuery(ListQuery, kw_only=True, columns=DELEGATIONS.columns):
    """Filters of the list."""


class RateRuleQuery(ListQuery, kw_only=True, columns=RATE_RULES.columns):
    """Filters of the list."""


class KeyPath(msgspec.Struct):
    key: str


class OrganisationPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str | msgspec.UnsetType = msgspec.UNSET
    parent: str | msgspec.UnsetType = msgspec.UNSET


class UserPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`valid_until`: from then on neither sign-in nor tokens work; null: without end."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    zone: str | msgspec.UnsetType = msgspec.UNSET
    organisation: str | msgspec.UnsetType = msgspec.UNSET
    valid_until: str | msgspec.UnsetType | None = msgspec.UNSET
    can_sign_in: bool | msgspec.UnsetType = msgspec.UNSET


class ServiceAccountPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str | msgspec.UnsetType = msgspec.UNSET
    zone: str | msgspec.UnsetType = msgspec.UNSET
    organisation: str | msgspec.UnsetType = msgspec.UNSET
    valid_until: str | msgspec.UnsetType | None = msgspec.UNSET


class ServiceTokenBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`scopes`: the permissions it is limited to; null: all that the account has.

    It lives so many `days`; without them as long as one of one's own would.
    """

    name: str
    scopes: list[str] | None = None
    days: int | None = None


class TeamPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What an inactive team was granted holds for nobody."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    is_active: bool | msgspec.UnsetType = msgspec.UNSET


class TeamBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str
    organisation: str
    members: list[str] = []


class OrganisationBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Without `parent` it stays where it hangs."""

    name: str
    parent: str | None = None


class Members(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    members: list[str]


# Rows and records as they are told


def organisation_view(row: dict[str, Any]) -> OrganisationView:
    parent = None
    if row["parent__slug"]:
        parent = _ref("organisation", row["parent__slug"], row["parent__name"], row["parent__uid"])
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
        can_sign_in=row["can_sign_in"],
        valid_until=row["valid_until"],
        version=row["version"],
    )


def service_view(row: dict[str, Any]) -> ServiceAccountView:
    return ServiceAccountView(
        key=f"{User.prefix}-{row['number']}",
        uid=str(row["uid"]),
        name=row["name"],
        email=row["email"],
        zone=row["zone"],
        organisation=row["organisation__slug"],
        is_active=row["is_active"],
        valid_until=row["valid_until"],
        version=row["version"],
        tokens=row["standing"],
    )


def rule_view(row: dict[str, Any]) -> RateRuleView:
    return RateRuleView(
        uid=str(row["uid"]),
        user=_person(row, "user") if row["user__number"] else None,
        role=row["role__slug"],
        per_minute=row["per_minute"],
        burst=row["burst"],
    )


def team_view(row: dict[str, Any]) -> TeamView:
    return TeamView(
        key=row["slug"],
        uid=str(row["uid"]),
        name=row["name"],
        organisation=row["organisation__slug"],
        is_active=row["is_active"],
        version=row["version"],
    )


def grant_view(row: dict[str, Any]) -> GrantView:
    return GrantView(
        uid=str(row["uid"]),
        role=row["role__slug"],
        organisation=_ref(
            "organisation", row["organisation__slug"], row["organisation__name"], row["organisation__uid"]
        ),
        user=_person(row, "user") if row["user__number"] else None,
        team=_ref("team", row["team__slug"], row["team__name"], row["team__uid"])
        if row["team__slug"]
        else None,
    )


def token_view(row: dict[str, Any]) -> TokenView:
    return TokenView(
        uid=str(row["uid"]),
        name=row["name"],
        hint=row["hint"],
        user=_person(row, "user"),
        scopes=row["scopes"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        last_used_at=row["last_used_at"],
    )


def delegation_view(row: dict[str, Any]) -> DelegationView:
    return DelegationView(
        uid=str(row["uid"]),
        giver=_person(row, "giver"),
        taker=_person(row, "taker"),
        start=row["starts_at"],
        end=row["ends_at"],
    )


def _ref(kind: str, key: str, name: str, uid: object) -> RefView:
    return RefView(kind=kind, key=key, name=name, uid=str(uid))


def _person(row: dict[str, Any], column: str) -> RefView:
    key = f"{User.prefix}-{row[f'{column}__number']}"
    return _ref("user", key, row[f"{column}__name"], row[f"{column}__uid"])


def _organisation(controller: ApiController, key: str, *, status: int = 200) -> HttpResponse:
    found = queries.organisation(controller.actor, key)
    parent = ref_view(found.parent.ref()) if found.parent else None
    view = OrganisationView(
        key=found.slug, uid=str(found.uid), name=found.name, parent=parent, version=found.version
    )
    location = f"/api/v1/organisations/{found.slug}" if status == 201 else ""
    return controller.answer(view, status=status, version=found.version, location=location)


def _user_fields(found: User) -> dict[str, Any]:
    return {
        "key": found.key, "uid": str(found.uid), "name": found.name, "email": found.email, "zone": found.zone,
        "organisation": found.organisation.slug, "is_active": found.is_active, "is_service": found.is_service,
        "can_sign_in": found.can_sign_in, "valid_until": found.valid_until, "version": found.version,
    }  # fmt: skip


def _user(controller: ApiController, key: str) -> HttpResponse:
    found = queries.user(controller.actor, key)
    return controller.answer(UserView(**_user_fields(found)), version=found.version)


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


# Endpoints


class OrganisationsController(ApiController):
    """The organisation tree."""

    @operation("accounts.view", OrganisationList, files=True)
    def get(self, parsed_query: Query[OrganisationQuery]) -> HttpResponseBase:
        def read(query: OrganisationQuery) -> tuple[Page, list[OrganisationView]]:
            page = ORGANISATIONS.page(queries.visible(Organisation.objects.all(), self.actor, "pk"), query)
            return page, [organisation_view(row) for row in page.rows]

        return self.listed(parsed_query, read, OrganisationView.__struct_fields__)

    @operation("accounts.administer", OrganisationView, status=201, etag=True, dry_run=True)
    def post(
        self, parsed_body: Body[commands.CreateOrganisation], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        self.run(parsed_body)
        self.request.fairway_actor = queries.renewed(self.actor)  # type: ignore[attr-defined] # sees it now
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

    @operation("accounts.administer", OrganisationView, also={201: OrganisationView}, etag=True, dry_run=True)
    def put(
        self, parsed_path: Path[KeyPath], parsed_body: Body[OrganisationBody], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Create or replace an organisation by its key; replacing needs If-Match."""
        known = queries.organisations(self.actor).filter(slug=parsed_path.key).exists()
        command = commands.PutOrganisation(
            key=parsed_path.key,
            version=self.expected(required=known),
            **msgspec.structs.asdict(parsed_body),
        )
        if parsed_query.dry_run:
            return self.preview(command)
        outcome = self.run(command)
        self.request.fairway_actor = queries.renewed(self.actor)  # type: ignore[attr-defined] # sees it now
        return _organisation(self, parsed_path.key, status=201 if outcome.created else 200)


class UsersController(ApiController):
    """People and service accounts."""

    keeps_answers = False  # an invitation is a secret

    @operation("accounts.view", UserList, files=True)
    def get(self, parsed_query: Query[queries.PeopleQuery]) -> HttpResponseBase:
        def read(query: queries.PeopleQuery) -> tuple[Page, list[UserView]]:
            page = queries.PEOPLE.page(queries.people(self.actor).order_by(), query)
            return page, [user_view(row) for row in page.rows]

        return self.listed(parsed_query, read, UserView.__struct_fields__)

    @operation(
        "accounts.invite", InvitedUser, status=201, etag=True, dry_run=True, summary="Invite a person."
    )
    def post(self, parsed_body: Body[commands.CreateUser], parsed_query: Query[DryRun]) -> HttpResponse:
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        outcome = self.run(parsed_body)
        assert outcome.subject is not None  # noqa: S101  (what was created)
        found = queries.user(self.actor, outcome.subject.uid)
        link = None if found.is_service or found.has_usable_password() else queries.invitation(found)
        view = InvitedUser(**_user_fields(found), invitation=link)
        location = f"/api/v1/users/{found.key}"
        return self.answer(view, status=201, version=found.version, location=location)


class UserController(ApiController):
    """One person or service account."""

    @operation("accounts.view", UserView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        return _user(self, parsed_path.key)

    @operation("accounts.administer", UserView, etag=True, dry_run=True)
    def patch(
        self, parsed_path: Path[KeyPath], parsed_body: Body[UserPatch], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        command = commands.EditUser(
            user=parsed_path.key,
            version=self.expected(),
            **msgspec.structs.asdict(parsed_body),
        )
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _user(self, parsed_path.key)

    @operation("accounts.administer", UserView, etag=True, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Deactivate a person who leaves; the name stays on what they did."""
        return _leave(self, parsed_path.key, dry_run=parsed_query.dry_run)


def _leave(controller: ApiController, key: str, *, dry_run: bool) -> HttpResponse:
    command = commands.SetUserActive(user=key, active=False, version=controller.expected())
    if dry_run:
        return controller.preview(command)
    controller.run(command)
    return _user(controller, key)


class ActivateController(ApiController):
    """Take a person back."""

    active = True

    @operation("accounts.administer", UserView, etag=True, dry_run=True)
    def post(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        command = commands.SetUserActive(user=parsed_path.key, active=self.active)
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _user(self, parsed_path.key)


class DeactivateController(ActivateController):
    """Deactivate a person who leaves: sign-in and tokens end at once."""

    active = False


class InviteController(ApiController):
    """Make a new link for somebody to choose a password."""

    keeps_answers = False

    @operation("accounts.administer", Invitation, dry_run=True)
    def post(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        command = commands.InviteUser(user=parsed_path.key)
        if parsed_query.dry_run:
            return self.preview(command)
        return self.answer(Invitation(invitation=told_once(self.run(command).answer)))


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


class GrantsController(ApiController):
    """Who has which role where."""

    @operation("accounts.view", GrantList, files=True)
    def get(self, parsed_query: Query[GrantQuery]) -> HttpResponseBase:
        def read(query: GrantQuery) -> tuple[Page, list[GrantView]]:
            page = GRANTS.page(queries.grants(self.actor), query)
            return page, [grant_view(row) for row in page.rows]

        return self.listed(parsed_query, read, GrantView.__struct_fields__)

    @operation("accounts.administer", GrantView, status=201, dry_run=True)
    def post(self, parsed_body: Body[commands.GrantRole], parsed_query: Query[DryRun]) -> HttpResponse:
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        outcome = self.run(parsed_body)
        made = queries.grant(self.actor, parsed_body.role, parsed_body.organisation, outcome.subject)
        row = made.values("uid", *GRANTS.values)[0]
        return self.answer(grant_view(row), status=201, location=f"/api/v1/grants/{row['uid']}")


class GrantController(ApiController):
    """One grant."""

    @operation("accounts.administer", None, status=204, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        command = commands.RevokeRole(grant=parsed_path.key)
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return self.answer(None, status=204)


def _service(controller: ApiController, key: str, *, status: int = 200) -> HttpResponse:
    found = queries.service_account(controller.actor, key)
    row = queries.services(controller.actor, at=controller.at).filter(pk=found.pk)
    values = row.values("uid", "standing", *queries.PEOPLE.values)[0]
    location = f"/api/v1/service-accounts/{found.key}" if status == 201 else ""
    return controller.answer(service_view(values), status=status, version=found.version, location=location)


class ServiceAccountsController(ApiController):
    """Accounts of programs."""

    @operation("accounts.view", ServiceAccountList, files=True)
    def get(self, parsed_query: Query[queries.ServiceQuery]) -> HttpResponseBase:
        """List service accounts."""

        def read(query: queries.ServiceQuery) -> tuple[Page, list[ServiceAccountView]]:
            page = queries.SERVICES.page(queries.services(self.actor, at=self.at).order_by(), query)
            return page, [service_view(row) for row in page.rows]

        return self.listed(parsed_query, read, ServiceAccountView.__struct_fields__)

    @operation("accounts.invite", ServiceAccountView, status=201, etag=True, dry_run=True)
    def post(
        self, parsed_body: Body[commands.CreateServiceAccount], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Add a service account; grant it roles and make it tokens next."""
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        outcome = self.run(parsed_body)
        return _service(self, outcome.subject.uid if outcome.subject else "", status=201)


class ServiceAccountController(ApiController):
    """One account of a program."""

    @operation("accounts.view", ServiceAccountView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read a service account by key, uid or address."""
        return _service(self, parsed_path.key)

    @operation("accounts.administer", ServiceAccountView, etag=True, dry_run=True)
    def patch(
        self, parsed_path: Path[KeyPath], parsed_body: Body[ServiceAccountPatch], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Change what is given."""
        found = queries.service_account(self.actor, parsed_path.key)
        command = commands.EditUser(
            user=str(found.uid), version=self.expected(), **msgspec.structs.asdict(parsed_body)
        )
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _service(self, parsed_path.key)

    @operation("accounts.administer", ServiceAccountView, etag=True, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Deactivate a service account: its tokens end at once."""
        found = queries.service_account(self.actor, parsed_path.key)
        command = commands.SetUserActive(user=str(found.uid), active=False, version=self.expected())
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _service(self, parsed_path.key)


class ServiceTokensController(ApiController):
    """Tokens of a service account."""

    keeps_answers = False

    @operation("accounts.administer", NewToken, status=201, dry_run=True)
    def post(
        self, parsed_path: Path[KeyPath], parsed_body: Body[ServiceTokenBody], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Make a token; it is told this once."""
        found = queries.service_account(self.actor, parsed_path.key)
        command = commands.CreateToken(user=str(found.uid), **msgspec.structs.asdict(parsed_body))
        if parsed_query.dry_run:
            return self.preview(command)
        return self.answer(NewToken(token=told_once(self.run(command).answer)), status=201)


class RateRulesController(ApiController):
    """How many calls somebody may make in a minute."""

    @operation("accounts.view", RateRuleList, files=True)
    def get(self, parsed_query: Query[RateRuleQuery]) -> HttpResponseBase:
        """List the limits; without any a generous one holds for everybody."""

        def read(query: RateRuleQuery) -> tuple[Page, list[RateRuleView]]:
            page = RATE_RULES.page(queries.rate_rules(self.actor).order_by(), query)
            return page, [rule_view(row) for row in page.rows]

        return self.listed(parsed_query, read, RateRuleView.__struct_fields__)

    @operation("accounts.administer", RateRuleView, dry_run=True)
    def post(self, parsed_body: Body[commands.PutRateRule], parsed_query: Query[DryRun]) -> HttpResponse:
        """Set the limit of a person, a role or everybody, in place of the one there is."""
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        self.run(parsed_body)
        found = queries.rate_rules(self.actor).filter(
            **queries.rate_target(parsed_body.user, parsed_body.role)
        )
        return self.answer(rule_view(found.values("uid", *RATE_RULES.values)[0]))


class RateRuleController(ApiController):
    """One limit."""

    @operation("accounts.administer", None, status=204, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Take a limit away; the next wider one holds."""
        command = commands.RemoveRateRule(rule=parsed_path.key)
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return self.answer(None, status=204)


class TokensController(ApiController):
    """One's own tokens, and those of service accounts that one administers."""

    keeps_answers = False  # the token is told once and stored nowhere

    @operation("", TokenList, files=True)
    def get(self, parsed_query: Query[TokenQuery]) -> HttpResponseBase:
        def read(query: TokenQuery) -> tuple[Page, list[TokenView]]:
            page = TOKENS.page(queries.tokens(self.actor), query)
            return page, [token_view(row) for row in page.rows]

        return self.listed(parsed_query, read, TokenView.__struct_fields__)

    @operation("", NewToken, status=201, dry_run=True)
    def post(self, parsed_body: Body[commands.CreateToken], parsed_query: Query[DryRun]) -> HttpResponse:
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        return self.answer(NewToken(token=told_once(self.run(parsed_body).answer)), status=201)


class TokenController(ApiController):
    """One token."""

    @operation("", None, status=204, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        command = commands.RevokeToken(token=parsed_path.key)
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return self.answer(None, status=204)


class DelegationsController(ApiController):
    """Who acts for whom, and when."""

    @operation("", DelegationList, files=True)
    def get(self, parsed_query: Query[DelegationQuery]) -> HttpResponseBase:
        def read(query: DelegationQuery) -> tuple[Page, list[DelegationView]]:
            page = DELEGATIONS.page(queries.delegations(self.actor), query)
            return page, [delegation_view(row) for row in page.rows]

        return self.listed(parsed_query, read, DelegationView.__struct_fields__)

    @operation("", DelegationView, status=201, dry_run=True)
    def post(self, parsed_body: Body[commands.Delegate], parsed_query: Query[DryRun]) -> HttpResponse:
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        self.run(parsed_body)
        giver = queries.user(self.actor, parsed_body.giver or self.actor.uid)
        mine = queries.delegations(self.actor).filter(giver=giver).order_by("-pk")
        made = mine.values("uid", *DELEGATIONS.values)[0]
        return self.answer(delegation_view(made), status=201, location=f"/api/v1/delegations/{made['uid']}")


class DelegationController(ApiController):
    """One delegation."""

    @operation("", None, status=204, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        command = commands.EndDelegation(delegation=parsed_path.key)
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return self.answer(None, status=204)


def told_once(told: Any) -> str:
    """Return a secret that a command just made.

    :raises Conflict: it was told when the request came first; it is stored nowhere.
    """
    if not isinstance(told, str):
        raise Conflict(
            "This was done when you asked first, and the secret told then. Revoke it and make another.",
            code="told-once",
        )
    return told


class TokenRequest(msgspec.Struct, kw_only=True):
    """RFC 6749, 4.4: credentials here or as `Authorization: Basic`; unknown parameters are ignored.

    `client_id`: key, uid or address of a service account. `client_secret`: a token of it. `scope`:
    permissions, separated by blanks; empty: all that the secret has.
    """

    grant_type: str
    client_id: str = ""
    client_secret: str = ""
    scope: str = ""


class AccessToken(msgspec.Struct, kw_only=True):
    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str | msgspec.UnsetType = msgspec.UNSET


class OAuthTokenController(ApiController):
    """Short-lived tokens for programs (OAuth 2.0, client credentials)."""

    parsers: ClassVar[Any] = [MsgspecJsonParser(), FormUrlEncodedParser()]
    keeps_answers = False

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    @operation("", AccessToken, public=True)
    def post(self, parsed_body: Body[TokenRequest]) -> HttpResponse:
        """Exchange a service account's token for one that lives an hour; it ends with its source."""
        address = self.request.META.get("REMOTE_ADDR", "")
        limits.take_stranger(address, door="oauth")
        if parsed_body.grant_type != "client_credentials":
            raise _refusal(Malformed, "unsupported_grant_type", "There is client_credentials alone.")
        known, secret = _basic(self.request) or (parsed_body.client_id, parsed_body.client_secret)
        if throttle.waits(known, address, at=self.at):
            raise TooMany(
                "Too many attempts with this client. Wait a quarter of an hour.",
                headers={"Retry-After": str(int(throttle.SPAN.total_seconds()))},
            )
        token = queries.client(known, secret, at=self.at) if known and secret else None
        if token is None:
            throttle.failed(known, address, at=self.at)
            raise _refusal(Unauthenticated, "invalid_client", "Client and secret do not belong together.")
        wanted = parsed_body.scope.split()
        allowed = PERMISSIONS.keys() if token.scopes is None else set(token.scopes)
        if not set(wanted) <= allowed:
            raise _refusal(Malformed, "invalid_scope", "The secret does not have all of these scopes.")
        secret, seconds = queries.make_pass(token, at=self.at, scopes=wanted or None)
        return self.answer(
            AccessToken(
                access_token=secret,
                token_type="Bearer",  # noqa: S106  (the word of the standard)
                expires_in=seconds,
                scope=" ".join(wanted) if wanted else msgspec.UNSET,
            )
        )


def _basic(request: HttpRequest) -> tuple[str, str] | None:
    """Return the credentials of `Authorization: Basic`, decoded as OAuth wants them (RFC 6749, 2.3.1)."""
    scheme, _, given = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        known, _, secret = b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote_plus(known), unquote_plus(secret)


def _refusal(kind: type[Problem], error: str, text: str) -> Problem:
    """Return a problem that says what is wrong in the words of OAuth too (RFC 6749, 5.2)."""
    headers = {"WWW-Authenticate": "Basic"} if kind is Unauthenticated else None
    return kind(text, code=error.replace("_", "-"), headers=headers, extra={"error": error})


ORGANISATION_OPS = {
    "create": Op(commands.CreateOrganisation),
    "put": Op(commands.PutOrganisation, "key", OrganisationBody),
    "patch": Op(commands.EditOrganisation, "organisation", versioned=True),
}
USER_OPS = {
    "create": Op(commands.CreateUser),
    "patch": Op(commands.EditUser, "user", versioned=True),
    "activate": Op(commands.SetUserActive, "user"),
}
TEAM_OPS = {
    "create": Op(commands.CreateTeam),
    "put": Op(commands.PutTeam, "key", TeamBody),
    "patch": Op(commands.EditTeam, "team", versioned=True),
    "members": Op(commands.SetMembers, "team", versioned=True),
}
GRANT_OPS = {"create": Op(commands.GrantRole), "revoke": Op(commands.RevokeRole, "grant")}

urls = [
    path("organisations", OrganisationsController.as_view(), name="organisations"),
    path(
        "organisations/bulk",
        bulk("accounts.administer", ORGANISATION_OPS, what="organisations").as_view(),
        name="organisations-bulk",
    ),
    path("organisations/<str:key>", OrganisationController.as_view(), name="organisation"),
    path("users", UsersController.as_view(), name="users"),
    path("users/bulk", bulk("accounts.administer", USER_OPS, what="users").as_view(), name="users-bulk"),
    path("users/<str:key>", UserController.as_view(), name="user"),
    path("users/<str:key>/activate", ActivateController.as_view(), name="user-activate"),
    path("users/<str:key>/deactivate", DeactivateController.as_view(), name="user-deactivate"),
    path("users/<str:key>/invite", InviteController.as_view(), name="user-invite"),
    path("teams", TeamsController.as_view(), name="teams"),
    path("teams/bulk", bulk("accounts.invite", TEAM_OPS, what="teams").as_view(), name="teams-bulk"),
    path("teams/<str:key>", TeamController.as_view(), name="team"),
    path("teams/<str:key>/members", MembersController.as_view(), name="team-members"),
    path("grants", GrantsController.as_view(), name="grants"),
    path("grants/bulk", bulk("accounts.administer", GRANT_OPS, what="grants").as_view(), name="grants-bulk"),
    path("grants/<str:key>", GrantController.as_view(), name="grant"),
    path("service-accounts", ServiceAccountsController.as_view(), name="service-accounts"),
    path("service-accounts/<str:key>", ServiceAccountController.as_view(), name="service-account"),
    path("service-accounts/<str:key>/tokens", ServiceTokensController.as_view(), name="service-tokens"),
    path("rate-limits", RateRulesController.as_view(), name="rate-limits"),
    path("rate-limits/<str:key>", RateRuleController.as_view(), name="rate-limit"),
    path("oauth/token", OAuthTokenController.as_view(), name="oauth-token"),
    path("tokens", TokensController.as_view(), name="tokens"),
    path("tokens/<str:key>", TokenController.as_view(), name="token"),
    path("delegations", DelegationsController.as_view(), name="delegations"),
    path("delegations/<str:key>", DelegationController.as_view(), name="delegation"),
]
