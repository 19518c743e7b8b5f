"""Service accounts and limits of how much may be asked over the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query

from fairway.accounts import commands, queries
from fairway.accounts.api.shared import KeyPath, NewToken, person_ref, told_once
from fairway.accounts.models import User
from fairway.accounts.web import ApiController, DryRun, RefView, operation
from fairway.kernel.api import list_of
from fairway.kernel.listing import Column, Listing, ListQuery, Page

RATE_RULES = Listing(
    columns={
        "user": Column("user", refers=User.lookup),
        "role": Column("role", refers=queries.by_slug),
        "per_minute": Column("per_minute", "number", sorts=True),
    },
    values=("user__number", "user__name", "user__uid", "role__slug", "per_minute", "burst"),
    sort="per_minute",
)


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


ServiceAccountList = list_of(ServiceAccountView)
RateRuleList = list_of(RateRuleView)


class RateRuleQuery(ListQuery, kw_only=True, columns=RATE_RULES.columns):
    """Filters of the list."""


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
        user=person_ref(row, "user") if row["user__number"] else None,
        role=row["role__slug"],
        per_minute=row["per_minute"],
        burst=row["burst"],
    )


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


urls = [
    path("service-accounts", ServiceAccountsController.as_view(), name="service-accounts"),
    path("service-accounts/<str:key>", ServiceAccountController.as_view(), name="service-account"),
    path("service-accounts/<str:key>/tokens", ServiceTokensController.as_view(), name="service-tokens"),
    path("rate-limits", RateRulesController.as_view(), name="rate-limits"),
    path("rate-limits/<str:key>", RateRuleController.as_view(), name="rate-limit"),
]
