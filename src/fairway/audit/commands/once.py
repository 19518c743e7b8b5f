"""At most once: what an Idempotency-Key stands for.

A key belongs to an actor and a route and is kept 24 hours. What the command did is written in the command's
own
transaction, the answer afterwards: a crash between leaves the first, and a repeat makes the answer from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
from django.db import IntegrityError, transaction

from fairway.audit.commands.command import Outcome
from fairway.audit.models import IdempotentRequest
from fairway.audit.rules import canonical
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Invalid
from fairway.kernel.refs import Ref
from fairway.policy import ALLOW

KEPT = timedelta(hours=24)
PATIENCE = timedelta(seconds=60)
"""An attempt that has said nothing for so long is taken for dead: another may be made under its key."""


class _Outcome(msgspec.Struct):
    """What is kept of an outcome: enough to make the answer again."""

    sequence: int | None
    created: bool
    subject: Ref | None


@dataclass(frozen=True, slots=True)
class Told:
    """The answer that was given the first time."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Attempt:
    """One try at a request under a key. `done`: what the command did before, where its answer was never
    kept.
    """

    def __init__(self, kept: IdempotentRequest) -> None:
        self._kept = kept
        self.done: Outcome | None = None
        if kept.outcome:
            was = msgspec.json.decode(kept.outcome, type=_Outcome)
            self.done = Outcome(ALLOW, was.subject, was.sequence, was.created, repeated=True)

    def record(self, outcome: Outcome) -> None:
        """Write what the command did, in its transaction.

        :raises Conflict: this attempt was taken for dead and another has taken its place.
        """
        kept = canonical(_Outcome(outcome.sequence, outcome.created, outcome.subject))
        mine = IdempotentRequest.objects.filter(pk=self._kept.pk, begun_at=self._kept.begun_at, outcome="")
        if mine.update(outcome=kept) == 0:
            raise Conflict("Another request with this key took over.", code="in-progress")

    def tell(self, answer: Told) -> None:
        """Keep the answer for repeats."""
        mine = IdempotentRequest.objects.filter(pk=self._kept.pk, begun_at=self._kept.begun_at)
        mine.update(status=answer.status, headers=dict(answer.headers), body=answer.body)

    def give_up(self) -> None:
        """Forget the key where nothing was done under it: the next try starts anew."""
        IdempotentRequest.objects.filter(
            pk=self._kept.pk, begun_at=self._kept.begun_at, outcome="", status=None
        ).delete()


def claim(
    key: str, *, actor: Actor, route: str, request: bytes, at: datetime | None = None
) -> Attempt | Told:
    """Begin a request under a key, or return the answer that it was given the first time.

    `request`: all that makes it this request (address, body); compared by digest.

    :raises Invalid: the key is too long, or was used with another request.
    :raises Conflict: a request with this key is running.
    """
    if len(key) > 200:
        raise Invalid.field("Idempotency-Key", "A key has at most 200 characters.")
    now = at or datetime.now(UTC)
    digest = hashlib.sha256(request).hexdigest()
    mine = {"actor_uid": actor.uid, "route": route[:200], "key": key}
    with transaction.atomic():
        IdempotentRequest.objects.filter(begun_at__lt=now - KEPT).delete()
        try:
            with transaction.atomic():
                made = IdempotentRequest.objects.create(**mine, body_digest=digest, begun_at=now)
            return Attempt(made)
        except IntegrityError:  # the key is known: the unique constraint alone decides who is first
            kept = IdempotentRequest.objects.select_for_update().filter(**mine).first()
        if kept is None:  # given up at this moment
            raise _running()
        if kept.body_digest != digest:
            raise Invalid.field("Idempotency-Key", "This key was used with another request; take a new one.")
        if kept.status is not None:
            return Told(kept.status, kept.headers, bytes(kept.body))
        if not kept.outcome and kept.begun_at > now - PATIENCE:
            raise _running()
        kept.begun_at = now
        kept.save(update_fields=["begun_at"])
        return Attempt(kept)


def _running() -> Conflict:
    return Conflict(
        "A request with this key is still running; ask again in a moment.",
        code="in-progress",
        headers={"Retry-After": "2"},
    )
