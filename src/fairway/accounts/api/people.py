"""People over the API: who they are, whether they may act, invitations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query

from fairway.accounts import commands, queries
from fairway.accounts.api.shared import KeyPath, told_once
from fairway.accounts.bulk import Op, bulk
from fairway.accounts.models import User
from fairway.accounts.web import ApiController, DryRun, operation
from fairway.kernel.api import list_of
from fairway.kernel.listing import Page


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


UserList = list_of(UserView)


class UserPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`valid_until`: from then on neither sign-in nor tokens work; null: without end."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    zone: str | msgspec.UnsetType = msgspec.UNSET
    organisation: str | msgspec.UnsetType = msgspec.UNSET
    valid_until: str | msgspec.UnsetType | None = msgspec.UNSET
    can_sign_in: bool | msgspec.UnsetType = msgspec.UNSET


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


def _user_fields(found: User) -> dict[str, Any]:
    return {
        "key": found.key, "uid": str(found.uid), "name": found.name, "email": found.email, "zone": found.zone,
        "organisation": found.organisation.slug, "is_active": found.is_active, "is_service": found.is_service,
        "can_sign_in": found.can_sign_in, "valid_until": found.valid_until, "version": found.version,
    }  # fmt: skip


def _user(controller: ApiController, key: str) -> HttpResponse:
    found = queries.user(controller.actor, key)
    return controller.answer(UserView(**_user_fields(found)), version=found.version)


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


USER_OPS = {
    "create": Op(commands.CreateUser),
    "patch": Op(commands.EditUser, "user", versioned=True),
    "activate": Op(commands.SetUserActive, "user"),
}


urls = [
    path("users", UsersController.as_view(), name="users"),
    path("users/bulk", bulk("accounts.administer", USER_OPS, what="users").as_view(), name="users-bulk"),
    path("users/<str:key>", UserController.as_view(), name="user"),
    path("users/<str:key>/activate", ActivateController.as_view(), name="user-activate"),
    path("users/<str:key>/deactivate", DeactivateController.as_view(), name="user-deactivate"),
    path("users/<str:key>/invite", InviteController.as_view(), name="user-invite"),
]
