"""Sending what webhooks are to get: at least once, and in order for each record."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from fairway.audit import queries as audit
from fairway.jobs import sending
from fairway.jobs.commands.handling import JobContext
from fairway.jobs.models import Delivery, Webhook
from fairway.jobs.sending import new_secret as new_secret
from fairway.jobs.sending import objection as objection
from fairway.jobs.sending import sealed as sealed
from fairway.kernel.actor import Actor

WAITS = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 30, 120, 600, 1800, 3600, 7200, 18_000, 36_000, 50_400, 72_000)
)
"""How long to wait after each failed attempt; after the last an event is given up."""
GIVEN_UP = timedelta(days=3)
"""Without any success for so long, a webhook is switched off."""
BATCH, SLICE, STRIKES = 200, 20.0, 3
"""Events looked at in one go; seconds of one turn; failures in a row after which a turn ends."""


def cloud_event(event: Mapping[str, Any]) -> bytes:
    """Return an event of the feed as a structured CloudEvent, a CDEvent in it where there is a type of these.

    Source: CloudEvents 1.0, JSON format; the CDEvents binding to it, structured mode.
    """
    subject, cdevent = event["subject"], audit.cdevent(event)
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": str(event["sequence"]),
            "source": audit.SOURCE,
            "type": audit.kind_of(event),
            **({"subject": f"{subject['kind']}/{subject['key']}"} if subject else {}),
            "time": event["at"],
            "datacontenttype": "application/json" if cdevent is None else "application/cdevents+json",
            "data": event if cdevent is None else cdevent,
        }
    )


def wanted(webhook: Webhook, event: Mapping[str, Any]) -> bool:
    """Say whether the filters of a webhook let an event through."""
    command, subject = event["command"], event["subject"]
    named = not webhook.commands or any(
        command.startswith(name) if name.endswith(".") else command == name for name in webhook.commands
    )
    return named and (not webhook.kinds or (subject is not None and subject["kind"] in webhook.kinds))


def spread(
    webhook: Webhook, context: JobContext, *, reader: Actor, organisations: Collection[int] | None
) -> bool:
    """Note which of the next events are to be sent; say whether there are more to look at."""
    head, _ = audit.head()
    if webhook.position >= head:
        return False
    events = audit.feed(
        after=webhook.position, until=head, limit=BATCH, organisations=organisations, reader=reader
    )
    now = datetime.now(UTC)
    new = [
        Delivery(
            webhook=webhook, sequence=event["sequence"], command=event["command"], next_at=now,
            subject_uid=UUID(event["subject"]["uid"]) if event["subject"] else None,
        )
        for event in events
        if wanted(webhook, event)
    ]  # fmt: skip
    position = events[-1]["sequence"] if len(events) == BATCH else head
    with context.transaction():
        moved = Webhook.objects.filter(pk=webhook.pk, position=webhook.position).update(position=position)
        if moved:  # else it was set back meanwhile, to have events again
            Delivery.objects.bulk_create(
                new, update_conflicts=True, unique_fields=["webhook", "sequence"],
                update_fields=["status", "attempts", "next_at", "error"],
            )  # fmt: skip
    webhook.refresh_from_db(fields=["position"])
    return webhook.position < head


def send_due(
    webhook: Webhook, context: JobContext, *, reader: Actor, organisations: Collection[int] | None
) -> str:
    """Send what is due, oldest first, for a while; return why the webhook must be switched off, or nothing.

    Of one record an event is not sent before the one before it is answered or given up.
    """
    limit, strikes = time.monotonic() + SLICE, 0
    secret = sending.opened(webhook.secret)
    pending = webhook.deliveries.filter(status=Delivery.Status.PENDING).order_by("sequence")
    blocked: set[UUID | None] = set()
    after = 0
    while some := list(pending.filter(sequence__gt=after)[:BATCH]):
        for delivery in some:
            after = delivery.sequence or 0
            if time.monotonic() > limit or strikes >= STRIKES:
                return ""
            record = delivery.subject_uid
            if record is not None and record in blocked:
                continue
            if delivery.next_at > datetime.now(UTC):
                blocked.add(record)
                continue
            events = audit.feed(
                after=after - 1, until=after, limit=1, organisations=organisations, reader=reader
            )
            if not events:
                _note(
                    context,
                    delivery,
                    status=Delivery.Status.WITHHELD,
                    error="Its owner may not see it any more.",
                )
                continue
            outcome = attempt(webhook, delivery, cloud_event(events[0]), secret=secret)
            _note(context, delivery, **outcome)
            if outcome["status"] == Delivery.Status.SENT:
                strikes = 0
                if webhook.failing_since is not None:
                    webhook.failing_since = None
                    Webhook.objects.filter(pk=webhook.pk).update(failing_since=None)
                continue
            strikes += 1
            if outcome["status"] == Delivery.Status.PENDING:
                blocked.add(record)
            if reason := _failing(webhook, outcome):
                return reason
    return ""


def _failing(webhook: Webhook, outcome: Mapping[str, Any]) -> str:
    """Note since when it fails; return why it must be switched off, or nothing."""
    now = datetime.now(UTC)
    if outcome["answer"] == 410:
        return "The receiver answered 410: it wants no more."
    if webhook.failing_since is None:
        webhook.failing_since = now
        Webhook.objects.filter(pk=webhook.pk).update(failing_since=now)
    if now - webhook.failing_since >= GIVEN_UP:
        return (
            f"Nothing could be delivered since {webhook.failing_since:%Y-%m-%d %H:%M} UTC: {outcome['error']}"
        )
    return ""


def attempt(webhook: Webhook, delivery: Delivery, body: bytes, *, secret: str) -> dict[str, Any]:
    """Send once and return what is to be noted."""
    now = datetime.now(UTC)
    attempts = delivery.attempts + 1
    message = (
        f"msg_{webhook.uid.hex}_{delivery.sequence if delivery.sequence is not None else f't{delivery.pk}'}"
    )
    noted: dict[str, Any] = {
        "attempts": attempts, "sent_at": now, "answer": None, "milliseconds": None, "error": "",
    }  # fmt: skip
    try:
        answer = sending.post(webhook.url, body, secret=secret, message=message, at=now.timestamp())
        noted |= {"answer": answer.status, "milliseconds": answer.milliseconds}
        if 200 <= answer.status < 300:
            return noted | {"status": Delivery.Status.SENT}
        noted["error"] = (
            f"Answered {answer.status}, a redirect, which is not followed."
            if 300 <= answer.status < 400
            else f"Answered {answer.status}."
        )
    except sending.Unsendable as cause:
        noted["error"] = str(cause)[:300]
    if attempts > len(WAITS):
        return noted | {"status": Delivery.Status.FAILED}
    return noted | {"status": Delivery.Status.PENDING, "next_at": now + WAITS[attempts - 1]}


def _note(context: JobContext, delivery: Delivery, **values: Any) -> None:
    with context.transaction():
        Delivery.objects.filter(pk=delivery.pk).update(**values)


def send_test(webhook: Webhook, context: JobContext, *, command: str) -> dict[str, Any]:
    """Send a message that is about nothing, and note how it went; it is not tried again."""
    now = datetime.now(UTC)
    delivery = Delivery.objects.create(webhook=webhook, command=command, next_at=now)
    event = {
        "sequence": f"t{delivery.pk}", "command": "test", "subject": None, "at": now.isoformat(),
        "webhook": webhook.name,
    }  # fmt: skip
    try:
        noted = attempt(webhook, delivery, cloud_event(event), secret=sending.opened(webhook.secret))
    except sending.Unsendable as cause:
        noted = {"status": Delivery.Status.FAILED, "error": str(cause)[:300]}
    if noted["status"] == Delivery.Status.PENDING:
        noted = {name: value for name, value in noted.items() if name != "next_at"}
        noted["status"] = Delivery.Status.FAILED
    _note(context, delivery, **noted)
    return {"status": str(noted["status"]), "error": noted["error"]}
