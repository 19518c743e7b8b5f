"""A feed as a calendar program reads it. Source: RFC 5545, RFC 7986 (its name, and how often to ask)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from fairway.changes.queries import FeedEvent

REFRESH = timedelta(minutes=15)
_STATUS = {"tentative": "TENTATIVE", "requested": "TENTATIVE"}
LONGEST = 4_000


def written(name: str, events: Iterable[FeedEvent], *, site: str, at: datetime) -> bytes:
    """Return the calendar; `site`: what the paths of pages are joined to, such as https://fairway.example."""
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//Fairway//Calendar//EN")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT15M")
    for event in events:
        calendar.add_component(_event(event, site=site, at=at))
    return bytes(calendar.to_ical())


def _event(event: FeedEvent, *, site: str, at: datetime) -> Event:
    made = Event()
    made.add("uid", f"{event.uid}@fairway")
    made.add("dtstamp", at.astimezone(UTC))
    made.add("sequence", event.version)
    made.add("dtstart", event.period.start)
    made.add("dtend", event.period.end)
    made.add("summary", event.title)
    made.add("url", f"{site}{event.path}")
    made.add("categories", [event.kind])
    if event.strength:
        made.add("status", _STATUS.get(event.strength, "CONFIRMED"))
    else:
        made.add("transp", "TRANSPARENT")  # a freeze is told, it does not make its readers busy
        made.add("x-fairway-kind", event.kind)
    if event.where:
        made.add("location", event.where)
    told = [event.text[:LONGEST]] if event.text else []
    if event.items:
        told.append(_("Items: %(items)s") % {"items": ", ".join(event.items)})
    if told:
        made.add("description", "\n\n".join(told))
    return made
