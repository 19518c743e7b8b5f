"""Grants of roles, and delegations, over the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query

from fairway.accounts import commands, queries
from fairway.accounts.api.shared import KeyPath, named, person_ref
from fairway.accounts.bulk import Op, bulk
from fairway.accounts.models import User
from fairway.accounts.web import ApiController, DryRun, RefView, operation
from fairway.kernel.api import list_of
from fairway.kernel.listing import Column, Listing, ListQuery, Page

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


class GrantView(msgspec.Struct, kw_only=True):
    uid: str
    role: str
    organisation: RefView
    user: RefView | None
    team: RefView | None


class DelegationView(msgspec.Struct, kw_only=True):
    """`giver` lets `taker` act for them, from start to before end."""

    uid: str
    giver: RefView
    taker: RefView
    start: datetime
    end: datetime


GrantList = list_of(GrantView)
DelegationList = list_of(DelegationView)


class GrantQuery(ListQuery, kw_only=True, columns=GRANTS.columns):
    """Filters of the list."""


class DelegationQuery(ListQuery, kw_only=True, columns=DELEGATIONS.columns):
    """Filters of the list."""


def grant_view(row: dict[str, Any]) -> GrantView:
    return GrantView(
        uid=str(row["uid"]),
        role=row["role__slug"],
        organisation=named(
            "organisation", row["organisation__slug"], row["organisation__name"], row["organisation__uid"]
        ),
        user=person_ref(row, "user") if row["user__number"] else None,
        team=named("team", row["team__slug"], row["team__name"], row["team__uid"])
        if row["team__slug"]
        else None,
    )


def delegation_view(row: dict[str, Any]) -> DelegationView:
    return DelegationView(
        uid=str(row["uid"]),
        giver=person_ref(row, "giver"),
        taker=person_ref(row, "taker"),
        start=row["starts_at"],
        end=row["ends_at"],
    )


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


GRANT_OPS = {"create": Op(commands.GrantRole), "revoke": Op(commands.RevokeRole, "grant")}


urls = [
    path("grants", GrantsController.as_view(), name="grants"),
    path("grants/bulk", bulk("accounts.administer", GRANT_OPS, what="grants").as_view(), name="grants-bulk"),
    path("grants/<str:key>", GrantController.as_view(), name="grant"),
    path("delegations", DelegationsController.as_view(), name="delegations"),
    path("delegations/<str:key>", DelegationController.as_view(), name="delegation"),
]
