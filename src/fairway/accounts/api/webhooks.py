"""Webhooks over the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query

from fairway.accounts import queries, webhooks
from fairway.accounts.api.shared import KeyPath, told_once
from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.jobs.queries import DELIVERIES, Webhook, deliveries
from fairway.kernel.api import list_of
from fairway.kernel.listing import Column, Listing, ListQuery, Page

SUBSCRIBE = webhooks.SUBSCRIBE
WEBHOOKS = Listing(
    columns={
        "name": Column("name", sorts=True),
        "created_at": Column("created_at", "instant", sorts=True),
        "organisation": Column("organisation", refers=queries.by_slug),
        "active": Column("active", "flag"),
    },
    values=(),
    sort="created_at",
)


class WebhookView(msgspec.Struct, kw_only=True):
    """`position`: the number of the last event that was looked at for it; `reason`: why it is off."""

    uid: str
    name: str
    url: str
    commands: list[str]
    kinds: list[str]
    organisation: str
    owner: RefView
    active: bool
    reason: str
    position: int
    failing_since: datetime | None
    created_at: datetime
    version: int


class NewWebhook(msgspec.Struct, kw_only=True):
    """`secret`: what signs the messages (Standard Webhooks); told this once."""

    uid: str
    secret: str


class DeliveryView(msgspec.Struct, kw_only=True):
    """`sequence`: number of the event, null for a test; `answer`: HTTP status."""

    uid: str
    sequence: int | None
    command: str
    status: str
    attempts: int
    next_at: datetime | None
    sent_at: datetime | None
    answer: int | None
    milliseconds: int | None
    error: str


class WebhookPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str | msgspec.UnsetType = msgspec.UNSET
    url: str | msgspec.UnsetType = msgspec.UNSET
    commands: list[str] | msgspec.UnsetType = msgspec.UNSET
    kinds: list[str] | msgspec.UnsetType = msgspec.UNSET
    active: bool | msgspec.UnsetType = msgspec.UNSET


class Replay(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`after`: the number of the last event that is not to be sent again."""

    after: int


WebhookList, DeliveryList = list_of(WebhookView), list_of(DeliveryView)


class WebhookQuery(ListQuery, kw_only=True, columns=WEBHOOKS.columns):
    """Filters of the list."""


class DeliveryQuery(ListQuery, kw_only=True, columns=DELIVERIES.columns):
    """Filters of the list."""


def webhook_view(one: Webhook) -> WebhookView:
    return WebhookView(
        uid=str(one.uid),
        name=one.name,
        url=one.url,
        commands=one.commands,
        kinds=one.kinds,
        organisation=one.organisation.slug,
        owner=ref_view(one.owner.ref()),
        active=one.active,
        reason=one.reason,
        position=one.position,
        failing_since=one.failing_since,
        created_at=one.created_at,
        version=one.version,
    )


def delivery_view(row: dict[str, Any]) -> DeliveryView:
    names = [name for name in DeliveryView.__struct_fields__ if name not in {"uid", "next_at"}]
    waiting = row["next_at"] if row["status"] == "pending" else None
    return DeliveryView(uid=str(row["uid"]), next_at=waiting, **{name: row[name] for name in names})


class WebhooksController(ApiController):
    """One's own webhooks, and those of organisations where one may see them."""

    keeps_answers = False  # the secret is told once

    @operation("", WebhookList, files=True)
    def get(self, parsed_query: Query[WebhookQuery]) -> HttpResponseBase:
        def read(query: WebhookQuery) -> tuple[Page, list[WebhookView]]:
            page = WEBHOOKS.page(webhooks.seen(self.actor).select_related(None), query)
            uids = [row["uid"] for row in page.rows]
            found = {one.uid: one for one in webhooks.seen(self.actor).filter(uid__in=uids)}
            return page, [webhook_view(found[uid]) for uid in uids if uid in found]

        return self.listed(parsed_query, read, WebhookView.__struct_fields__)

    @operation(SUBSCRIBE, NewWebhook, status=201, dry_run=True)
    def post(self, parsed_body: Body[webhooks.CreateWebhook], parsed_query: Query[DryRun]) -> HttpResponse:
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        outcome = self.run(parsed_body)
        secret = told_once(outcome.answer)
        uid = outcome.subject.uid if outcome.subject else ""
        return self.answer(NewWebhook(uid=uid, secret=secret), status=201, location=f"/api/v1/webhooks/{uid}")


class WebhookController(ApiController):
    """One webhook."""

    @operation("", WebhookView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        return self._told(parsed_path.key)

    @operation(SUBSCRIBE, WebhookView, etag=True, dry_run=True)
    def patch(
        self, parsed_path: Path[KeyPath], parsed_body: Body[WebhookPatch], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Change it, or switch it off and on; whoever changes what goes where becomes its owner."""
        given = {name: getattr(parsed_body, name) for name in WebhookPatch.__struct_fields__}
        version = self.expected(required=not parsed_query.dry_run)
        command = webhooks.EditWebhook(webhook=parsed_path.key, version=version, **given)
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return self._told(parsed_path.key)

    @operation(SUBSCRIBE, None, status=204, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        command = webhooks.RemoveWebhook(webhook=parsed_path.key)
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return self.answer(None, status=204)

    def _told(self, key: str) -> HttpResponse:
        one = webhooks.read(self.actor, key)
        return self.answer(webhook_view(one), version=one.version)


class DeliveriesController(ApiController):
    """What was sent to a webhook, the newest first, and how it was answered."""

    @operation("", DeliveryList, files=True)
    def get(self, parsed_path: Path[KeyPath], parsed_query: Query[DeliveryQuery]) -> HttpResponseBase:
        one = webhooks.read(self.actor, parsed_path.key)

        def read(query: DeliveryQuery) -> tuple[Page, list[DeliveryView]]:
            page = DELIVERIES.page(deliveries(one), query)
            return page, [delivery_view(row) for row in page.rows]

        return self.listed(parsed_query, read, DeliveryView.__struct_fields__)


class SecretController(ApiController):
    """The secret of a webhook."""

    keeps_answers = False  # it is told once

    @operation(SUBSCRIBE, NewWebhook, dry_run=True)
    def post(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Make a new one; the old one signs nothing any more."""
        command = webhooks.RotateSecret(webhook=parsed_path.key)
        if parsed_query.dry_run:
            return self.preview(command)
        outcome = self.run(command)
        uid = outcome.subject.uid if outcome.subject else ""
        return self.answer(NewWebhook(uid=uid, secret=told_once(outcome.answer)))


class TestController(ApiController):
    """Trying a webhook."""

    @operation(SUBSCRIBE, None, status=204, dry_run=True)
    def post(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Send a test; its outcome stands among the deliveries."""
        command = webhooks.TestWebhook(webhook=parsed_path.key)
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return self.answer(None, status=204)


class ReplayController(ApiController):
    """Having events again."""

    @operation(SUBSCRIBE, None, status=204, dry_run=True)
    def post(
        self, parsed_path: Path[KeyPath], parsed_body: Body[Replay], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Send the events after one again, under their old message ids."""
        command = webhooks.ReplayWebhook(webhook=parsed_path.key, after=parsed_body.after)
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return self.answer(None, status=204)


urls = [
    path("webhooks", WebhooksController.as_view(), name="webhooks"),
    path("webhooks/<str:key>", WebhookController.as_view(), name="webhook"),
    path("webhooks/<str:key>/deliveries", DeliveriesController.as_view(), name="webhook-deliveries"),
    path("webhooks/<str:key>/secret", SecretController.as_view(), name="webhook-secret"),
    path("webhooks/<str:key>/test", TestController.as_view(), name="webhook-test"),
    path("webhooks/<str:key>/replay", ReplayController.as_view(), name="webhook-replay"),
]
