"""Who follows a record, and what somebody was told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db.models import QuerySet
from msgspec import structs

from fairway.accounts import queries as accounts
from fairway.audit import queries as audit
from fairway.kernel.actor import Actor
from fairway.kernel.db import Prepared
from fairway.kernel.listing import Column, Listing, ListQuery, Page
from fairway.kernel.models import Versioned
from fairway.kernel.refs import as_uid
from fairway.workspace.models import Comment, Notification, NotificationSettings, Watch
from fairway.workspace.queries import subjects

WatchState = Literal["watching", "muted", "none"]
NOTIFICATIONS = Listing(
    columns={
        "sequence": Column("sequence", "number", sorts=True),
        "at": Column("at", "instant"),
        "reason": Column("reason", choices=tuple(Notification.Reason.values)),
        "command": Column("command"),
    },
    values=("uid", "sequence", "command", "subject_kind", "subject_uid", "reason", "at", "read_at"),
    sort="-sequence",
)


class NotificationQuery(ListQuery, kw_only=True):
    """What the caller was told; `unread`: only what was not read, or was."""

    kind: str = ""
    subject: str = ""
    unread: Literal["", "true", "false"] = ""
    reason: str = ""
    at__gte: str = ""
    at__lt: str = ""


def notifications(actor: Actor) -> QuerySet[Notification]:
    """Return what a person was told of records that they may read by now."""
    return Notification.objects.filter(person_id=actor.pk or 0).filter(subjects.about_visible(actor))


def unread(actor: Actor) -> int:
    """Return how much a person has not read yet. One statement."""
    return notifications(actor).filter(read_at=None).count()


MOST_ON_THE_BELL = 100


def bell(actor: Actor) -> int:
    """Return how much a person has not read yet, a hundred at most. Every page asks it: one small statement
    for whoever has read all.
    """
    told = _unread(actor.pk or 0)
    if not told:
        return 0
    allowed = accounts.access(actor)
    readable = {one.kind for one in subjects.kinds() if allowed.may(one.permission, None)}
    told = [(kind, uid) for kind, uid in told if kind in readable]
    if allowed.organisations is None:
        return len(told)
    seen = subjects.refs(actor, told)
    return sum(uid in seen for _, uid in told)


def _told(person: int) -> QuerySet[Notification, tuple[str, UUID]]:
    unread = Notification.objects.filter(person_id=person, read_at=None).order_by("-sequence")
    return unread.values_list("subject_kind", "subject_uid")[:MOST_ON_THE_BELL]


_unread = Prepared(_told, -1)


def notification_page(actor: Actor, query: NotificationQuery) -> Page:
    """Return one page of notifications as plain values.

    :raises NotFound: there is no such record. :raises Invalid: a filter has no sense.
    """
    found = notifications(actor)
    if query.kind or query.subject:
        found = found.filter(subject_uid=subjects.readable(actor, query.kind, query.subject).uid)
    if query.unread:
        found = found.filter(read_at__isnull=query.unread == "true")
    return NOTIFICATIONS.page(found, structs.replace(query, kind="", subject="", unread=""))


@dataclass(frozen=True, slots=True)
class Deed:
    """What a notification is about: who did what. `comment`: the words that were said, where they stand."""

    actor: str
    command: str
    at: datetime
    comment: Comment | None


def deeds(sequences: Sequence[int]) -> dict[int, Deed]:
    """Return what was done in these events, for those who were told of them; three statements."""
    events = audit.outlines(sequences, model="workspace.Comment")
    uids = {uid for event in events for uid in event.rows}
    comments = {str(one.uid): one for one in Comment.objects.filter(uid__in=uids, withdrawn_at=None)}
    names = accounts.names({event.actor for event in events})
    return {
        event.sequence: Deed(
            names.get(event.actor, ""),
            event.command,
            event.at,
            next((comments[uid] for uid in event.rows if uid in comments), None),
        )
        for event in events
    }


def settings_of(actor: Actor) -> NotificationSettings:
    """Return what a person wants to be told; not stored where they never said."""
    found = NotificationSettings.objects.filter(person_id=actor.pk or 0).first()
    return found or NotificationSettings(person_id=actor.pk or 0)


def watch_of(actor: Actor, record: Versioned) -> WatchState:
    """Return whether a person watches a record, mutes it, or said nothing about it."""
    muted = Watch.objects.filter(person_id=actor.pk or 0, subject_uid=record.uid)
    found = list(muted.values_list("muted", flat=True))
    return "none" if not found else "muted" if found[0] else "watching"


def watchers(record: Versioned) -> list[Any]:
    """Return who watches a record, by name: for those who may read it."""
    rows = Watch.objects.filter(subject_uid=record.uid, muted=False).select_related("person")
    return [row.person for row in rows.order_by("person__name_folded", "pk")]


def watched(actor: Actor, *, limit: int = 500) -> list[dict[str, Any]]:
    """Return the records that a person watches or mutes and may read, as kind, uid and state."""
    rows = Watch.objects.filter(person_id=actor.pk or 0).filter(subjects.about_visible(actor))
    return list(rows.order_by("-pk").values("subject_kind", "subject_uid", "muted")[:limit])  # type: ignore[arg-type]


def uids_of(given: Sequence[str]) -> list[UUID]:
    """Return what reads as uids."""
    return [uid for one in given if (uid := as_uid(one)) is not None]


def watched_uids(uids: Sequence[str]) -> set[str]:
    """Return those of the records, by uid, that anybody watches."""
    rows = Watch.objects.filter(subject_uid__in=uids, muted=False).values_list("subject_uid", flat=True)
    return {str(uid) for uid in rows.distinct()}
