"""One reader of the live stream: what they may see, from which event on, and for how long."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest

from fairway.accounts import queries
from fairway.accounts.models import User
from fairway.accounts.web import token_of
from fairway.audit import queries as audit
from fairway.kernel.actor import Actor

BATCH = 500
PERMISSION = "audit.view"
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True, eq=False)
class LiveFeed:
    """The change feed as one reader has it, in the form of server-sent events.

    It is used by one thread at a time; `renew` and `read` ask the database.
    """

    person: str
    """Uid of who reads."""
    subject: UUID | None
    position: int
    """The number of the last event that was read for them."""
    _secret: str
    _session: str
    _reader: Actor
    _places: frozenset[int] | None
    _may: Hashable
    until: datetime | None = None
    """When token or person end as it was known last; None: not by themselves."""

    @property
    def credential(self) -> str:
        """What they came with: readers with the same one are renewed together."""
        return self._secret or self._session

    @property
    def group(self) -> Hashable:
        """Readers of one group and position get the same bytes."""
        return self._may, self.subject

    def renew(self) -> bool:
        """Say whether token or session, person and permission still hold, and take up what they see now."""
        actor = self._actor()
        if actor is None or not queries.access(actor).may(PERMISSION, None):
            return False
        self._reader, self._places, self._may = actor, *_sees(actor)
        self.until = _until(actor)
        return True

    def like(self, other: LiveFeed) -> None:
        """Take over what another reader with the same credential was just found to see."""
        self._reader, self._places, self._may = other._reader, other._places, other._may
        self.until = other.until

    def read(self, after: int, *, until: int) -> tuple[bytes, int]:
        """Return the next events after one, ready to be sent, and the number that was read up to."""
        events = audit.feed(
            after=after, until=until, limit=BATCH, organisations=self._places, subject=self.subject,
            reader=self._reader,
        )  # fmt: skip
        position = events[-1]["sequence"] if len(events) == BATCH else max(until, after)
        return b"".join(map(told, events)), position

    def _actor(self) -> Actor | None:
        if self._secret:
            return queries.bearer(self._secret, at=datetime.now(UTC))
        request = HttpRequest()
        request.session = SessionStore(self._session)
        user = get_user(request)
        if isinstance(user, User) and user.may_sign_in(datetime.now(UTC)):
            return queries.person(user)
        return None


def told(event: dict[str, Any]) -> bytes:
    """Return one event as server-sent event (WHATWG HTML, 9.2); JSON holds no line end of its own."""
    return b"id: %d\ndata: %s\n\n" % (event["sequence"], _encode(event))


def opened(request: HttpRequest, actor: Actor, *, position: int, subject: UUID | None) -> LiveFeed:
    """Return the feed of who asked by this request."""
    secret = token_of(request)
    session = "" if secret else request.session.session_key or ""
    return LiveFeed(actor.uid, subject, position, secret, session, actor, *_sees(actor), _until(actor))


def _until(actor: Actor) -> datetime | None:
    """Return when the actor's token or their own validity ends, whichever is first."""
    own = User.objects.filter(uid=actor.uid).values_list("valid_until", flat=True).first()
    return min((end for end in (own, actor.until) if end is not None), default=None)


def _sees(actor: Actor) -> tuple[frozenset[int] | None, Hashable]:
    """Return where the actor reads events, and a value that is equal for all who are told the same."""
    access = queries.access(actor)
    roles = None if access.roles is None else frozenset(access.roles.items())
    may = (access.organisations, frozenset(access.permissions.items()), roles)
    return queries.places(actor, PERMISSION), may
