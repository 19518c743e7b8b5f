"""Waivers over the API: exceptions from single findings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query
from msgspec import Meta

from fairway.accounts import queries as accounts
from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.audit.commands import Command
from fairway.changes import commands, queries
from fairway.changes.models import Change, Waiver
from fairway.kernel.api import list_of
from fairway.kernel.listing import Page
from fairway.kernel.refs import Ref


class KeyPath(msgspec.Struct):
    key: str


class WaiverView(msgspec.Struct, kw_only=True):
    """An exception from exactly one finding: `rule`, the change and `other`, from `starts_at` to `ends_at`.

    `state`: requested, granted, refused, used (a start relied on it), revoked, or expired.
    """

    key: str
    uid: str
    change: RefView
    organisation: RefView
    finding: str
    rule: str
    other: RefView
    waivable_by: str
    starts_at: datetime
    ends_at: datetime
    expires_at: datetime
    reason: str
    state: str
    requested_by: str
    decided_by: str
    decided_at: datetime | None
    decision_note: str
    used_at: datetime | None
    version: int
    created_at: datetime


WaiverList = list_of(WaiverView)


class WaiverBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    note: str = ""


class WaiverReason(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    reason: str


class QuotaBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How many waivers from the window may be granted; null: any number."""

    most: Annotated[int, Meta(ge=0, le=1000)] | None


class QuotaView(msgspec.Struct, kw_only=True):
    """`granted`: how many are, and were not revoked."""

    window: RefView
    most: int | None
    granted: int


SAME = (
    *("finding", "rule", "waivable_by", "starts_at", "ends_at", "expires_at", "reason", "decided_at"),
    *("decision_note", "used_at", "version", "created_at"),
)


def _row(row: Mapping[str, Any], at: datetime) -> WaiverView:
    over = row["state"] in {"granted", "used"} and row["expires_at"] <= at
    return WaiverView(
        key=f"{Waiver.prefix}-{row['number']}",
        uid=str(row["uid"]),
        change=RefView(
            kind="change",
            key=f"{Change.prefix}-{row['change__number']}",
            name=row["change__title"],
            uid=str(row["change__uid"]),
        ),
        organisation=RefView(
            kind="organisation",
            key=row["organisation__slug"],
            name=row["organisation__name"],
            uid=str(row["organisation__uid"]),
        ),
        other=RefView(kind=row["other_kind"], key=row["other_key"], uid=row["other_uid"]),
        state="expired" if over else row["state"],
        requested_by=row["requested_by__name"] or "",
        decided_by=row["decided_by__name"] or "",
        **{name: row[name] for name in SAME},
    )


def _told(controller: ApiController, key: str, *, status: int = 200) -> HttpResponse:
    found = queries.waiver(controller.actor, key)
    place = found.organisation
    view = WaiverView(
        key=found.key,
        uid=str(found.uid),
        change=ref_view(found.change.ref()),
        organisation=ref_view(Ref("organisation", place.slug, place.name, str(place.uid))),
        other=RefView(kind=found.other_kind, key=found.other_key, uid=found.other_uid),
        state=queries.state_of(found, at=controller.at),
        requested_by=found.requested_by.name if found.requested_by else "",
        decided_by=found.decided_by.name if found.decided_by else "",
        **{name: getattr(found, name) for name in SAME},
    )
    location = f"/api/v1/waivers/{found.key}" if status == 201 else ""
    return controller.answer(view, status=status, version=found.version, location=location)


class WaiversController(ApiController):
    """Waivers: exceptions from single findings."""

    @operation("changes.view", WaiverList, files=True)
    def get(self, parsed_query: Query[queries.WaiverQuery]) -> HttpResponseBase:
        """List waivers, newest first."""
        accounts.require(self.actor, "changes.view", at=None)

        def read(query: queries.WaiverQuery) -> tuple[Page, list[WaiverView]]:
            page = queries.waiver_page(self.actor, query)
            return page, [_row(row, self.at) for row in page.rows]

        return self.listed(parsed_query, read, WaiverView.__struct_fields__)

    @operation("changes.request", WaiverView, status=201, etag=True, dry_run=True)
    def post(self, parsed_body: Body[commands.RequestWaiver], parsed_query: Query[DryRun]) -> HttpResponse:
        """Ask that one finding about a change be let pass; its id stands with the findings of the change."""
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        outcome = self.run(parsed_body)
        return _told(self, outcome.subject.uid if outcome.subject else "", status=201)


class WaiverController(ApiController):
    """One waiver."""

    @operation("changes.view", WaiverView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read a waiver by key or uid."""
        accounts.require(self.actor, "changes.view", at=None)
        return _told(self, parsed_path.key)


def _decide(controller: ApiController, command: Command, key: str, *, dry_run: bool) -> HttpResponse:
    if dry_run:
        return controller.preview(command)
    controller.run(command)
    return _told(controller, key)


class GrantController(ApiController):
    """The decision that a finding is let pass."""

    @operation("changes.manage", WaiverView, etag=True, dry_run=True)
    def post(
        self, parsed_path: Path[KeyPath], parsed_body: Body[WaiverBody], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Grant a waiver; whoever asks, or carries the change out, cannot."""
        command = commands.GrantWaiver(waiver=parsed_path.key, note=parsed_body.note)
        return _decide(self, command, parsed_path.key, dry_run=parsed_query.dry_run)


class RefuseController(ApiController):
    """The decision that a finding is not let pass."""

    @operation("changes.manage", WaiverView, etag=True, dry_run=True)
    def post(
        self, parsed_path: Path[KeyPath], parsed_body: Body[WaiverReason], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Refuse a waiver with a reason."""
        command = commands.RefuseWaiver(waiver=parsed_path.key, reason=parsed_body.reason)
        return _decide(self, command, parsed_path.key, dry_run=parsed_query.dry_run)


class RevokeController(ApiController):
    """The decision that a waiver holds no longer."""

    @operation("changes.manage", WaiverView, etag=True, dry_run=True)
    def post(
        self, parsed_path: Path[KeyPath], parsed_body: Body[WaiverReason], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Take a granted waiver back, unless a start relied on it."""
        command = commands.RevokeWaiver(waiver=parsed_path.key, reason=parsed_body.reason)
        return _decide(self, command, parsed_path.key, dry_run=parsed_query.dry_run)


class QuotaController(ApiController):
    """How many waivers from a window may be granted."""

    def _answer(self, key: str) -> HttpResponse:
        window, most, granted = queries.quota_of(self.actor, key)
        return self.answer(QuotaView(window=ref_view(window), most=most, granted=granted))

    @operation("calendars.view", QuotaView)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read the quota of a window."""
        accounts.require(self.actor, "calendars.view", at=None)
        return self._answer(parsed_path.key)

    @operation("calendars.edit", QuotaView, dry_run=True)
    def post(
        self, parsed_path: Path[KeyPath], parsed_body: Body[QuotaBody], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Set or lift the quota of a window."""
        command = commands.SetWaiverQuota(window=parsed_path.key, most=parsed_body.most)
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return self._answer(parsed_path.key)


urls = [
    path("waivers", WaiversController.as_view(), name="waivers"),
    path("waivers/<str:key>", WaiverController.as_view(), name="waiver"),
    path("waivers/<str:key>/grant", GrantController.as_view(), name="waiver-grant"),
    path("waivers/<str:key>/refuse", RefuseController.as_view(), name="waiver-refuse"),
    path("waivers/<str:key>/revoke", RevokeController.as_view(), name="waiver-revoke"),
    path("windows/<str:key>/waiver-quota", QuotaController.as_view(), name="window-waiver-quota"),
]
