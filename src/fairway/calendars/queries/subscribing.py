"""Who subscribes to the calendar of which branch, and which windows are about to begin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fairway.accounts import queries as accounts
from fairway.calendars.models import Reminder, Subscription, Window
from fairway.calendars.queries.windows import calendar
from fairway.calendars.rules import Kind
from fairway.kernel.actor import Actor
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref
from fairway.workspace import queries as workspace

AHEAD = timedelta(days=1)
"""So long before it begins people are reminded of a window."""
REMIND_EVERY = timedelta(minutes=15)
REMINDED = (Kind.HARD_FREEZE, Kind.SOFT_FREEZE, Kind.BLOCKOUT)
"""Of what stops nobody, or comes by a person's hand, nobody is reminded."""


def now() -> datetime:
    return datetime.now(UTC)


def subscriptions(actor: Actor) -> list[int]:
    """Return the organisations to whose calendars the actor subscribes."""
    rows = Subscription.objects.filter(person_id=actor.pk or 0).order_by("pk")
    return list(rows.values_list("organisation_id", flat=True))


def subscribers(organisation: int) -> list[int]:
    """Return who subscribes to a calendar in which a window of the organisation stands: that of its branch or
    of one above, whose window it is, or below, whom it binds.
    """
    near = accounts.ancestors(organisation) | accounts.descendants(organisation)
    rows = Subscription.objects.filter(organisation__in=near).order_by("pk")
    return list(dict.fromkeys(rows.values_list("person_id", flat=True)))


def about_to_begin(at: datetime) -> list[tuple[Ref, datetime]]:
    """Return the windows that begin within a day, and when, of which somebody wants to be told and nobody was
    reminded; by time. The number of statements does not grow with the windows.
    """
    known = calendar()
    soon = Period(at, at + AHEAD)
    found = [
        (window.ref, period.start)
        for window in known.windows
        if window.kind in REMINDED
        for period in known.occurrences(window, soon)
        if period.start > at
    ]
    if not found:
        return []
    branches = set(Subscription.objects.values_list("organisation_id", flat=True).distinct())
    watched = workspace.watched_uids([ref.uid for ref, _ in found])
    done = set(Reminder.objects.filter(starts_at__gt=at).values_list("window_id", "starts_at"))
    wanted = [
        (ref, start)
        for ref, start in found
        if (ref.pk, start) not in done
        and (
            ref.uid in watched
            or branches & accounts.ancestors(ref.organisation or 0)
            or branches & accounts.descendants(ref.organisation or 0)
        )
    ]
    return sorted(wanted, key=lambda one: (one[1], one[0].key))


def window_people(window: Window) -> dict[str, list[int]]:
    """Return who has to do with a window: those who subscribe to a calendar in which it stands."""
    return {"subscribed": subscribers(window.organisation_id)}
