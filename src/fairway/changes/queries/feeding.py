"""Calendar feeds: whose they are, and what one shows when it is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from fairway.accounts import queries as accounts
from fairway.audit import queries as audit
from fairway.calendars import queries as calendars
from fairway.catalog import queries as catalog
from fairway.changes.models import AffectedEnvironment, CalendarFeed, ChangeModel, PlannedWindow
from fairway.changes.queries.dossier import workflow
from fairway.changes.queries.listing import environments_of, everywhere, items_of
from fairway.environments import queries as environments
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid, NotFound
from fairway.kernel.models import uid_lookup
from fairway.kernel.period import Period

BACK, AHEAD = timedelta(days=60), timedelta(days=400)
MOST_EVENTS = 5_000
"""Of each, changes and windows; what lies nearest to today stands in a feed that would hold more."""


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """One entry of a calendar. `strength`: how firm it is, as a claim; empty: a window. `path`: its page."""

    uid: str
    version: int
    period: Period
    title: str
    strength: str
    kind: str
    path: str
    where: str = ""
    text: str = ""
    items: tuple[str, ...] = ()


def feeds(actor: Actor) -> QuerySet[CalendarFeed]:
    """Return one's own feeds, and those of people whom one administers."""
    query = CalendarFeed.objects.select_related("owner").order_by("-created_at", "-pk")
    where = accounts.access(actor).permissions.get("accounts.administer", frozenset())
    if where is None:
        return query
    return query.filter(Q(owner_id=actor.pk or 0) | Q(owner__organisation_id__in=where))


def feed(actor: Actor, reference: str) -> CalendarFeed:
    """Return a feed by uid, also of other people.

    :raises NotFound: there is none, or the actor does not see whose it is.
    """
    lookup = uid_lookup(reference)
    found = CalendarFeed.objects.select_related("owner").filter(**lookup).first() if lookup else None
    if found is None or not accounts.access(actor).sees(found.owner.ref()):
        raise NotFound(f"There is no feed “{reference[:60]}”.")
    return found


def feed_opened(secret: str, *, at: datetime) -> tuple[CalendarFeed, Actor]:
    """Return the feed of a secret and whom it speaks for.

    :raises NotFound: it is none, it was taken back, or its owner may not see changes any more.
    """
    found = (
        CalendarFeed.objects.select_related("owner")
        .filter(digest=accounts.digest(secret), revoked_at=None)
        .first()
    )
    gone = NotFound("This feed is void: it was taken back, or a part of its address is missing.")
    if found is None or not found.owner.valid_at(at):
        raise gone
    owner = accounts.person(found.owner)
    if not accounts.own_access(owner).may("changes.view", None):
        raise gone
    return found, owner


def feed_events(owner: Actor, feed: CalendarFeed, *, at: datetime) -> list[FeedEvent]:
    """Return what the feed shows of the 60 days before and the 400 days after an instant, by start."""
    period = Period(at - BACK, at + AHEAD)
    with audit.steady():
        try:
            item = catalog.item(owner, feed.item) if feed.item else None
            place = environments.environment(owner, feed.environment) if feed.environment else None
        except (NotFound, Invalid):
            return []  # it is out of the owner's sight by now
        found: list[FeedEvent] = []
        if feed.shows != "windows":
            found += _changes(owner, period, item.pk if item else None, place.pk if place else None, at=at)
        if feed.shows != "changes":
            found += _windows(owner, period, item.pk if item else None, place)
    return sorted(found, key=lambda event: (event.period, event.uid))


def _changes(
    owner: Actor, period: Period, item: int | None, place: int | None, *, at: datetime
) -> Iterator[FeedEvent]:
    rows = PlannedWindow.objects.filter(
        downtime=False, starts_at__lt=period.end, ends_at__gt=period.start, change__archived_at=None
    )
    if item is not None:
        rows = rows.filter(change__affected__item=item)
    if place is not None:
        there = AffectedEnvironment.objects.filter(environment=place).values("change")
        rows = rows.filter(Q(change__in=there) | everywhere("change_id"))
    names = ("number", "title", "description", "state", "model_id", "version")
    columns = ("uid", "starts_at", "ends_at", "change_id", *(f"change__{name}" for name in names))
    seen = accounts.visible(rows, owner, "change__organisation_id")
    coming = list(seen.filter(ends_at__gt=at).order_by("starts_at", "pk").values_list(*columns)[:MOST_EVENTS])
    over = seen.filter(ends_at__lte=at).order_by("-starts_at", "pk").values_list(*columns)
    listed = [*coming, *over[: MOST_EVENTS - len(coming)]]
    changes = {row[3] for row in listed}
    items, places = items_of(changes), environments_of(changes)
    facts = catalog.facts({one for some in items.values() for one in some})
    stands, sees = environments.facts(), accounts.access(owner).sees
    models = {model.pk: workflow(model) for model in ChangeModel.objects.all()}
    for uid, start, end, change, number, title, text, state, model, version in listed:
        strength = models[model].by_slug[state].claim
        if strength == "none":
            continue
        where = [stands[pk].ref for pk in places.get(change, ())]
        things = [facts[pk].ref for pk in items.get(change, ())]
        yield FeedEvent(
            str(uid), version, Period(start, end), f"CHG-{number} {title}", strength, "change",
            f"/changes/CHG-{number}", ", ".join(ref.key for ref in where if sees(ref)), text,
            tuple(ref.key for ref in things if sees(ref)),
        )  # fmt: skip


def _windows(owner: Actor, period: Period, item: int | None, place: object) -> Iterator[FeedEvent]:
    count = 0
    for shade in calendars.shades(owner, period):
        if item is not None and shade.scope.items and item not in shade.scope.items:
            continue
        if place is not None and not shade.scope.covers(place.pk, place.tier):  # type: ignore[attr-defined]
            continue
        for one in shade.periods:
            count += 1
            if count > MOST_EVENTS:
                return
            yield FeedEvent(
                f"{shade.ref.uid}-{one.start:%Y%m%dT%H%M%SZ}", 0, one, shade.ref.name, "", shade.kind,
                f"/windows/{shade.ref.key}", "", shade.reason,
            )  # fmt: skip
