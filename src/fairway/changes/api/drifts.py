"""Drift over the API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query
from msgspec import UNSET, UnsetType

from fairway.accounts import queries as accounts
from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.audit.commands import Command
from fairway.changes import commands, queries
from fairway.changes.models import Change, Drift
from fairway.kernel.listing import Page
from fairway.kernel.refs import Ref


class DriftPath(msgspec.Struct):
    key: str


class DriftView(msgspec.Struct, kw_only=True):
    """`recorded` and `observed`: the value of `field` in the catalogue, and as the source saw it.

    `change`: the one that proposes it, or that it was matched to.
    """

    key: str
    uid: str
    item: RefView
    organisation: RefView
    source: str
    field: str
    recorded: Any
    observed: Any
    first_seen: datetime
    last_seen: datetime
    count: int
    state: str
    change: RefView | None
    reason: str
    version: int


class DriftList(msgspec.Struct, kw_only=True):
    items: list[DriftView]
    next: str | None
    count: int | UnsetType = UNSET


class DismissBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    reason: str


def _row(row: Mapping[str, Any]) -> DriftView:
    change = None
    if row["change__number"] is not None:
        key = f"{Change.prefix}-{row['change__number']}"
        change = RefView(kind="change", key=key, name=row["change__title"], uid=str(row["change__uid"]))
    return DriftView(
        key=f"{Drift.prefix}-{row['number']}",
        uid=str(row["uid"]),
        item=RefView(kind="item", key=row["item__slug"], name=row["item__name"], uid=str(row["item__uid"])),
        organisation=RefView(
            kind="organisation",
            key=row["organisation__slug"],
            name=row["organisation__name"],
            uid=str(row["organisation__uid"]),
        ),
        change=change,
        **{
            name: row[name]
            for name in (
                *("source", "field", "recorded", "observed", "first_seen", "last_seen", "count"),
                *("state", "reason", "version"),
            )
        },
    )


def _drift(controller: ApiController, key: str) -> HttpResponse:
    found = queries.drift(controller.actor, key)
    recorded, observed = queries.values_of(controller.actor, found)
    seen = found.change is not None and accounts.access(controller.actor).may(
        "changes.view", found.change.organisation_id
    )
    view = DriftView(
        key=found.key,
        uid=str(found.uid),
        item=ref_view(found.item.ref()),
        organisation=ref_view(
            Ref("organisation", found.organisation.slug, found.organisation.name, str(found.organisation.uid))
        ),
        source=found.source,
        field=found.field,
        recorded=recorded,
        observed=observed,
        first_seen=found.first_seen,
        last_seen=found.last_seen,
        count=found.count,
        state=found.state,
        change=ref_view(found.change.ref()) if found.change is not None and seen else None,
        reason=found.reason,
        version=found.version,
    )
    return controller.answer(view, version=found.version)


class DriftsController(ApiController):
    """Drift: what was seen of controlled items and no change accounts for."""

    @operation("changes.view", DriftList, files=True)
    def get(self, parsed_query: Query[queries.DriftQuery]) -> HttpResponseBase:
        """List drift, last seen first."""
        accounts.require(self.actor, "changes.view", at=None)

        def read(query: queries.DriftQuery) -> tuple[Page, list[DriftView]]:
            found = queries.drift_page(self.actor, query)
            return found, [_row(row) for row in found.rows]

        return self.listed(parsed_query, read, DriftView.__struct_fields__)


class DriftController(ApiController):
    """One drift."""

    @operation("changes.view", DriftView, etag=True)
    def get(self, parsed_path: Path[DriftPath]) -> HttpResponse:
        """Read a drift by key or uid."""
        accounts.require(self.actor, "changes.view", at=None)
        return _drift(self, parsed_path.key)


def _decide(controller: ApiController, command: Command, key: str, *, dry_run: bool) -> HttpResponse:
    if dry_run:
        return controller.preview(command)
    controller.run(command)
    return _drift(controller, key)


class DismissController(ApiController):
    """The decision that a drift needs no change."""

    @operation("changes.request", DriftView, etag=True, dry_run=True)
    def post(
        self, parsed_path: Path[DriftPath], parsed_body: Body[DismissBody], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Dismiss a drift with a reason."""
        command = commands.DismissDrift(drift=parsed_path.key, reason=parsed_body.reason)
        return _decide(self, command, parsed_path.key, dry_run=parsed_query.dry_run)


class ProposeController(ApiController):
    """The decision that a drift is to be authorised afterwards."""

    @operation("changes.request", DriftView, etag=True, dry_run=True)
    def post(self, parsed_path: Path[DriftPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Draft a change that proposes what was seen; its key is told."""
        command = commands.ProposeDrift(drift=parsed_path.key)
        return _decide(self, command, parsed_path.key, dry_run=parsed_query.dry_run)


urls = [
    path("drifts", DriftsController.as_view(), name="drifts"),
    path("drifts/<str:key>", DriftController.as_view(), name="drift"),
    path("drifts/<str:key>/dismiss", DismissController.as_view(), name="drift-dismiss"),
    path("drifts/<str:key>/propose", ProposeController.as_view(), name="drift-propose"),
]
