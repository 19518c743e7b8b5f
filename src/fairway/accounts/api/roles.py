"""Roles over the API, and what two administrators agree on about them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query

from fairway.accounts import commands, queries
from fairway.accounts.models import RoleProposal, User
from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.kernel.api import list_of
from fairway.kernel.listing import Column, Listing, ListQuery, Page, search_words

ROLES = Listing(
    columns={
        "key": Column("slug", sorts=True),
        "name": Column("name", sorts=True),
        "built_in": Column("built_in", "flag"),
        "position": Column("position", "number", sorts=True),
    },
    values=("slug", "name", "description", "permissions", "built_in", "position", "version"),
    sort="position",
    search=search_words("slug", "name"),
)
PROPOSALS = Listing(
    columns={
        "state": Column("state", choices=tuple(RoleProposal.State.values)),
        "action": Column("action", choices=tuple(RoleProposal.Action.values)),
        "role": Column("slug"),
        "proposer": Column("proposer", refers=User.lookup),
        "created_at": Column("created_at", "instant", sorts=True),
    },
    values=(
        "action", "slug", "name", "description", "permissions", "reason", "state", "created_at", "decided_at",
        "comment", "proposer__number", "proposer__name", "proposer__uid", "decider__number", "decider__name",
        "decider__uid", "version",
    ),
    sort="-created_at",
)  # fmt: skip


class RoleView(msgspec.Struct, kw_only=True):
    """A named set of permissions. Those that are `built_in` stay as they are."""

    key: str
    uid: str
    name: str
    description: str
    permissions: list[str]
    built_in: bool
    position: int
    version: int


class RoleProposalView(msgspec.Struct, kw_only=True):
    """What would become of a role: `name`, `description` and `permissions` are those it would have."""

    uid: str
    action: Literal["create", "edit", "remove"]
    role: str
    name: str
    description: str
    permissions: list[str]
    reason: str
    state: Literal["open", "confirmed", "refused", "withdrawn"]
    proposer: RefView
    created_at: datetime
    decider: RefView | None
    decided_at: datetime | None
    comment: str
    version: int


class ReachedView(msgspec.Struct, kw_only=True):
    """Somebody who has the role, and where."""

    organisation: RefView
    user: RefView | None
    team: RefView | None


class EffectView(msgspec.Struct, kw_only=True):
    """What would be gained and lost by whom, as things stand: `people` in all, the first 200 `grants`."""

    gained: list[str]
    lost: list[str]
    people: int
    grants: list[ReachedView]


class ProposedView(RoleProposalView, kw_only=True):
    """A proposal with its `effect`; null once it is decided."""

    effect: EffectView | None


RoleList, RoleProposalList = list_of(RoleView), list_of(RoleProposalView)


class RoleQuery(ListQuery, kw_only=True, columns=ROLES.columns):
    """Filters of the list."""


class RoleProposalQuery(ListQuery, kw_only=True, columns=PROPOSALS.columns):
    """Filters of the list."""


class KeyPath(msgspec.Struct):
    key: str


class RoleConfirmation(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    comment: str = ""


class RoleRefusal(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    comment: str


def _role(row: Mapping[str, Any]) -> RoleView:
    same = {name: row[name] for name in RoleView.__struct_fields__ if name not in {"key", "uid"}}
    return RoleView(key=row["slug"], uid=str(row["uid"]), **same)


def _person(row: Mapping[str, Any], column: str) -> RefView | None:
    if row[f"{column}__number"] is None:
        return None
    key, name = f"{User.prefix}-{row[f'{column}__number']}", row[f"{column}__name"]
    return RefView(kind="user", key=key, name=name, uid=str(row[f"{column}__uid"]))


def _proposal_fields(row: Mapping[str, Any]) -> dict[str, Any]:
    special = {"uid", "role", "proposer", "decider"}
    same = {name: row[name] for name in RoleProposalView.__struct_fields__ if name not in special}
    people = {name: _person(row, name) for name in ("proposer", "decider")}
    return {"uid": str(row["uid"]), "role": row["slug"], **people, **same}


def _proposal(controller: ApiController, key: str, *, status: int = 200) -> HttpResponse:
    found = queries.role_proposal(controller.actor, key)
    row = queries.role_proposals(controller.actor).filter(pk=found.pk).values("uid", *PROPOSALS.values)[0]
    told = found.state == RoleProposal.State.OPEN
    effect = _effect(queries.role_effect(controller.actor, found)) if told else None
    view = ProposedView(**_proposal_fields(row), effect=effect)
    location = f"/api/v1/role-proposals/{found.uid}" if status == 201 else ""
    return controller.answer(view, status=status, version=found.version, location=location)


def _effect(effect: queries.RoleEffect) -> EffectView:
    grants = [
        ReachedView(
            organisation=ref_view(grant.organisation.ref()),
            user=ref_view(grant.user.ref()) if grant.user is not None else None,
            team=ref_view(grant.team.ref()) if grant.team is not None else None,
        )
        for grant in effect.grants
    ]
    return EffectView(gained=effect.gained, lost=effect.lost, people=effect.people, grants=grants)


class RolesController(ApiController):
    """Roles and what they permit."""

    @operation("accounts.view", RoleList, files=True)
    def get(self, parsed_query: Query[RoleQuery]) -> HttpResponseBase:
        """List the roles in use, the built-in ones first."""

        def read(query: RoleQuery) -> tuple[Page, list[RoleView]]:
            page = ROLES.page(queries.roles().order_by(), query)
            return page, [_role(row) for row in page.rows]

        return self.listed(parsed_query, read, RoleView.__struct_fields__)


class RoleController(ApiController):
    """One role."""

    @operation("accounts.view", RoleView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read a role by key or uid."""
        found = queries.role(parsed_path.key)
        row = queries.roles().filter(pk=found.pk).values("uid", *ROLES.values)[0]
        return self.answer(_role(row), version=found.version)


class RoleProposalsController(ApiController):
    """What was proposed about roles."""

    @operation("accounts.administer", RoleProposalList, files=True)
    def get(self, parsed_query: Query[RoleProposalQuery]) -> HttpResponseBase:
        """List what was proposed; who administers the whole tree decides."""
        queries.require(self.actor, "accounts.administer", at=None)

        def read(query: RoleProposalQuery) -> tuple[Page, list[RoleProposalView]]:
            page = PROPOSALS.page(queries.role_proposals(self.actor).order_by(), query)
            return page, [RoleProposalView(**_proposal_fields(row)) for row in page.rows]

        return self.listed(parsed_query, read, RoleProposalView.__struct_fields__)

    @operation("accounts.administer", ProposedView, status=201, etag=True, dry_run=True)
    def post(self, parsed_body: Body[commands.ProposeRole], parsed_query: Query[DryRun]) -> HttpResponse:
        """Propose a new role, a change of one, or its removal; another administrator confirms it."""
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        outcome = self.run(parsed_body)
        return _proposal(self, outcome.subject.uid if outcome.subject else "", status=201)


class RoleProposalController(ApiController):
    """One proposal."""

    @operation("accounts.administer", ProposedView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read a proposal, with what it would give to whom."""
        queries.require(self.actor, "accounts.administer", at=None)
        return _proposal(self, parsed_path.key)


class ConfirmationController(ApiController):
    """Confirmation of a proposal."""

    @operation("accounts.administer", ProposedView, etag=True, dry_run=True)
    def post(
        self, parsed_path: Path[KeyPath], parsed_body: Body[RoleConfirmation], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Do what was proposed; neither who proposed it nor whoever stands in for them may."""
        command = commands.ConfirmRole(proposal=parsed_path.key, comment=parsed_body.comment)
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _proposal(self, parsed_path.key)


class RefusalController(ApiController):
    """Refusal of a proposal."""

    @operation("accounts.administer", ProposedView, etag=True, dry_run=True)
    def post(
        self, parsed_path: Path[KeyPath], parsed_body: Body[RoleRefusal], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Refuse what somebody else proposed, and say why."""
        command = commands.RefuseRole(proposal=parsed_path.key, comment=parsed_body.comment)
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _proposal(self, parsed_path.key)


class WithdrawalController(ApiController):
    """Withdrawal of a proposal."""

    @operation("accounts.administer", ProposedView, etag=True, dry_run=True)
    def post(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Take back what one proposed oneself."""
        command = commands.WithdrawRole(proposal=parsed_path.key)
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _proposal(self, parsed_path.key)


urls = [
    path("roles", RolesController.as_view(), name="roles"),
    path("roles/<str:key>", RoleController.as_view(), name="role"),
    path("role-proposals", RoleProposalsController.as_view(), name="role-proposals"),
    path("role-proposals/<str:key>", RoleProposalController.as_view(), name="role-proposal"),
    path("role-proposals/<str:key>/confirm", ConfirmationController.as_view(), name="role-confirm"),
    path("role-proposals/<str:key>/refuse", RefusalController.as_view(), name="role-refuse"),
    path("role-proposals/<str:key>/withdraw", WithdrawalController.as_view(), name="role-withdraw"),
]
