"""Subscribing to the calendar of a branch, and telling its subscribers that a window is about to begin."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan, execute
from fairway.calendars import queries
from fairway.calendars.events import CalendarEvent
from fairway.calendars.models import Reminder, Subscription
from fairway.jobs.commands import JobContext, every, task
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Forbidden

MOST_AT_ONCE = 500


class SubscribeCalendar(Command, name=CalendarEvent.SUBSCRIBE):
    """Be told of the windows of a branch: announced, changed, about to begin, released, archived."""

    permission: ClassVar[str] = "calendars.view"
    organisation: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        organisation = accounts.organisation(actor, self.organisation)
        accounts.require(actor, self.permission, at=organisation.pk)
        person = accounts.myself(actor)
        if Subscription.objects.filter(person=person, organisation=organisation).exists():
            return Plan()
        return Plan(create=[Subscription(person=person, organisation=organisation)])


class UnsubscribeCalendar(Command, name=CalendarEvent.UNSUBSCRIBE):
    """Be told of the windows of a branch no longer."""

    permission: ClassVar[str] = "calendars.view"
    organisation: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        organisation = accounts.organisation(actor, self.organisation)
        accounts.require(actor, self.permission, at=organisation.pk)
        rows = Subscription.objects.filter(person=accounts.myself(actor), organisation=organisation)
        return Plan(remove=list(rows))


class RemindWindow(Command, name=CalendarEvent.WINDOW_REMIND):
    """Say that a window is about to begin; only Fairway itself does, once for each beginning."""

    window: str
    starts_at: datetime

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        if not actor.is_system:
            raise Forbidden("Fairway itself reminds of windows.")
        found = queries.window(actor, self.window)
        return Plan(subject=found, note={"starts_at": self.starts_at.isoformat()})


def remind_all(at: datetime) -> int:
    """Remind of each window that begins within a day and that anybody wants to be told of; say how many."""
    told = 0
    for window, starts_at in queries.about_to_begin(at)[:MOST_AT_ONCE]:
        _row, fresh = Reminder.objects.get_or_create(window_id=window.pk or 0, starts_at=starts_at)
        if fresh:
            execute(RemindWindow(window=window.key, starts_at=starts_at), actor=SYSTEM, at=at)
            told += 1
    return told


@task(title="Remind of freezes that are about to begin")
def remind(context: JobContext) -> dict[str, int]:
    """Tell subscribers of windows that begin within a day."""
    with context.transaction():
        return {"reminded": remind_all(queries.now())}


every("calendars.remind", queries.REMIND_EVERY, remind)
