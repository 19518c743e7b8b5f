"""Subscriptions to the calendars of branches over the API."""

from __future__ import annotations

import msgspec
from django.http import HttpResponse
from django.urls import path
from dmr import Path, Query

from fairway.accounts import queries as accounts
from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.calendars import commands, queries


class KeyPath(msgspec.Struct):
    key: str


class CalendarSubscriptions(msgspec.Struct, kw_only=True):
    """The organisations of whose windows the caller is told."""

    items: list[RefView]


def _told(controller: ApiController) -> HttpResponse:
    mine = queries.subscriptions(controller.actor)
    seen = {one.pk: one for one in accounts.organisations(controller.actor).filter(pk__in=mine)}
    items = [ref_view(seen[pk].ref()) for pk in mine if pk in seen]
    return controller.answer(CalendarSubscriptions(items=items))


class SubscriptionsController(ApiController):
    """One's subscriptions to calendars."""

    @operation("calendars.view", CalendarSubscriptions)
    def get(self) -> HttpResponse:
        """List the organisations to whose calendars one subscribes."""
        accounts.require(self.actor, "calendars.view", at=None)
        return _told(self)


class SubscriptionController(ApiController):
    """One's subscription to the calendar of an organisation and all below it."""

    @operation("calendars.view", CalendarSubscriptions, dry_run=True)
    def put(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Be told when a window is announced, changed, about to begin, released or archived."""
        command = commands.SubscribeCalendar(organisation=parsed_path.key)
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _told(self)

    @operation("calendars.view", CalendarSubscriptions, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Be told no longer."""
        command = commands.UnsubscribeCalendar(organisation=parsed_path.key)
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _told(self)


urls = [
    path("calendar-subscriptions", SubscriptionsController.as_view(), name="calendar-subscriptions"),
    path("calendar-subscriptions/<str:key>", SubscriptionController.as_view(), name="calendar-subscription"),
]
