"""What one was told, what one follows, and what one wants to be told, over the API."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

import msgspec
from django.http import HttpResponse
from django.urls import path
from dmr import Body, Query
from msgspec import UNSET, UnsetType

from fairway.accounts.web import ApiController, DryRun, RefView, operation
from fairway.kernel.errors import Invalid
from fairway.kernel.models import Versioned
from fairway.workspace import commands, queries
from fairway.workspace.api.shared import subject_view
from fairway.workspace.models import NotificationSettings


class NotificationView(msgspec.Struct, kw_only=True):
    """`command`: what was done; `reason`: why the caller is told: mentioned, owner, requester, implementer,
    team, commented or watching. `sequence`: the event's number.
    """

    uid: str
    sequence: int
    command: str
    actor: str
    subject: RefView
    reason: str
    at: datetime
    read_at: datetime | None


class NotificationList(msgspec.Struct, kw_only=True):
    items: list[NotificationView]
    next: str | None
    count: int | UnsetType = UNSET


class Reading(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which notifications: `uids`, all of one record (`kind`, `subject`), or `all`."""

    uids: list[str] | None = None
    kind: str = ""
    subject: str = ""
    all: bool = False
    read: bool = True


class ReadView(msgspec.Struct, kw_only=True):
    """`marked`: how many were; `unread`: how many are left."""

    marked: int
    unread: int


class SettingsView(msgspec.Struct, kw_only=True):
    """`muted`: commands of which nothing is told; `reasons_off`: reasons that do not count.

    `mail` and quiet hours (in the person's zone) are kept for when mail is sent.
    """

    muted: list[str]
    reasons_off: list[str]
    mail: str
    quiet_from: time | None
    quiet_until: time | None


class WatchView(msgspec.Struct, kw_only=True):
    """`state`: watching, muted or none."""

    subject: RefView
    state: str


class WatchList(msgspec.Struct, kw_only=True):
    items: list[WatchView]


def _view(row: dict[str, Any], record: Versioned, deed: queries.Deed | None) -> NotificationView:
    return NotificationView(
        uid=str(row["uid"]),
        sequence=row["sequence"],
        command=row["command"],
        actor=deed.actor if deed else "",
        subject=subject_view(record),
        reason=row["reason"],
        at=row["at"],
        read_at=row["read_at"],
    )


class NotificationsController(ApiController):
    """What the caller was told."""

    @operation("", NotificationList)
    def get(self, parsed_query: Query[queries.NotificationQuery]) -> HttpResponse:
        """List what the caller was told, newest first; only of records that they may read."""
        page = queries.notification_page(self.actor, parsed_query)
        records = queries.refs(self.actor, ((row["subject_kind"], row["subject_uid"]) for row in page.rows))
        deeds = queries.deeds([row["sequence"] for row in page.rows])
        items = [
            _view(row, records[row["subject_uid"]], deeds.get(row["sequence"]))
            for row in page.rows
            if row["subject_uid"] in records
        ]
        return self.page(page, items)


class NotificationsReadController(ApiController):
    """What the caller has read."""

    @operation("", ReadView)
    def post(self, parsed_body: Body[Reading]) -> HttpResponse:
        """Mark notifications as read, or with `read` false as not read."""
        subject = None
        if parsed_body.kind or parsed_body.subject:
            subject = queries.readable(self.actor, parsed_body.kind, parsed_body.subject)
        elif parsed_body.uids is None and not parsed_body.all:
            raise Invalid.field("uids", "Say which: uids, a record by kind and subject, or all.")
        marked = commands.mark_read(
            self.actor, at=self.at, uids=parsed_body.uids, subject=subject, read=parsed_body.read
        )
        return self.answer(ReadView(marked=marked, unread=queries.unread(self.actor)))


def _settings(found: NotificationSettings) -> SettingsView:
    return SettingsView(
        muted=found.muted,
        reasons_off=found.reasons_off,
        mail=found.mail,
        quiet_from=found.quiet_from,
        quiet_until=found.quiet_until,
    )


class NotificationSettingsController(ApiController):
    """What the caller wants to be told."""

    @operation("", SettingsView)
    def get(self) -> HttpResponse:
        """Read one's own settings."""
        return self.answer(_settings(queries.settings_of(self.actor)))

    @operation("", SettingsView, dry_run=True)
    def patch(self, parsed_body: Body[commands.EditSettings], parsed_query: Query[DryRun]) -> HttpResponse:
        """Change what is given."""
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        self.run(parsed_body)
        return self.answer(_settings(queries.settings_of(self.actor)))


class WatchesController(ApiController):
    """What the caller follows or mutes."""

    @operation("", WatchList)
    def get(self) -> HttpResponse:
        """List the records that the caller watches or mutes."""
        rows = queries.watched(self.actor)
        records = queries.refs(self.actor, ((row["subject_kind"], row["subject_uid"]) for row in rows))
        items = [
            WatchView(
                subject=subject_view(records[row["subject_uid"]]),
                state="muted" if row["muted"] else "watching",
            )
            for row in rows
            if row["subject_uid"] in records
        ]
        return self.answer(WatchList(items=items))

    @operation("", WatchView, dry_run=True)
    def post(self, parsed_body: Body[commands.SetWatch], parsed_query: Query[DryRun]) -> HttpResponse:
        """Watch a record, mute it, or neither; with `person` let somebody else watch it."""
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        self.run(parsed_body)
        record = queries.readable(self.actor, parsed_body.kind, parsed_body.subject)
        return self.answer(WatchView(subject=subject_view(record), state=parsed_body.state))


urls = [
    path("notifications", NotificationsController.as_view(), name="notifications"),
    path("notifications/read", NotificationsReadController.as_view(), name="notifications-read"),
    path("notifications/settings", NotificationSettingsController.as_view(), name="notification-settings"),
    path("watches", WatchesController.as_view(), name="watches"),
]
