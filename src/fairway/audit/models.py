"""The event log and what stands beside it."""

from __future__ import annotations

from django.db import models


class ChainHead(models.Model):
    """One row: the last event's number and hash. Locked last and briefly by each writer."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    sequence = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="audit_one_head")]

    def __str__(self) -> str:
        return f"{self.sequence} {self.hash}"


class Event(models.Model):
    """What one command did. Append-only (triggers); gapless numbers in commit order; hash-chained."""

    sequence = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField(help_text="UTC, the instant the command was run at")
    actor_kind = models.CharField(max_length=10)
    actor_uid = models.UUIDField()
    on_behalf_of = models.CharField(max_length=36, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    command = models.CharField(max_length=80)
    subject_kind = models.CharField(max_length=40, blank=True)
    subject_uid = models.UUIDField(null=True)
    subject_key = models.CharField(max_length=110, blank=True)
    organisation_id = models.BigIntegerField(null=True)
    data = models.TextField(default="{}", help_text="canonical JSON")
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        indexes = [
            models.Index("subject_uid", "sequence", name="audit_event_subject"),
            models.Index("organisation_id", "sequence", name="audit_event_organisation"),
            models.Index("actor_uid", "sequence", name="audit_event_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.command}"


class EventRow(models.Model):
    """One row that the event wrote: its fields before and after, free text by digest. Append-only."""

    id = models.BigAutoField(primary_key=True)
    event = models.ForeignKey(Event, models.PROTECT, related_name="rows", db_column="sequence")
    position = models.PositiveIntegerField(help_text="from 1, in the order of writing")
    model = models.CharField(max_length=60)
    row_uid = models.UUIDField(db_index=True)
    organisation_id = models.BigIntegerField(null=True)
    action = models.CharField(max_length=6, help_text="create, change or remove")
    changes = models.TextField(help_text="canonical JSON: field to [before, after]")

    class Meta:
        constraints = [models.UniqueConstraint("event", "position", name="audit_row_position")]

    def __str__(self) -> str:
        return f"{self.action} {self.model} {self.row_uid}"


class EventText(models.Model):
    """The words that an event names only by digest; may be erased, the chain stays whole.

    `position` 0 belongs to the event itself, others to its rows.
    """

    id = models.BigAutoField(primary_key=True)
    event = models.ForeignKey(Event, models.PROTECT, related_name="texts", db_column="sequence")
    position = models.PositiveIntegerField()
    salt = models.CharField(max_length=32)
    texts = models.JSONField(help_text="field to [before, after]")

    class Meta:
        constraints = [models.UniqueConstraint("event", "position", name="audit_text_position")]

    def __str__(self) -> str:
        return f"texts of {self.event_id}/{self.position}"


class Revision(models.Model):
    """The number of the last event that wrote a row of an app: caches are keyed by it."""

    label = models.CharField(max_length=40, primary_key=True)
    value = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.label} {self.value}"


class Denial(models.Model):
    """A command that was denied: who asked for what; the only trace it leaves."""

    id = models.BigAutoField(primary_key=True)
    minute = models.DateTimeField(help_text="UTC, start of the minute")
    actor_uid = models.UUIDField()
    command = models.CharField(max_length=80)
    subject = models.CharField(max_length=110, blank=True)
    code = models.CharField(max_length=80)
    count = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "actor_uid", "command", "subject", "code", "minute", name="audit_denial_a_minute"
            )
        ]

    def __str__(self) -> str:
        return f"{self.command} {self.code} ({self.count})"


class IdempotentRequest(models.Model):
    """A POST that carried an Idempotency-Key, kept 24 hours, scoped to actor and route."""

    id = models.BigAutoField(primary_key=True)
    actor_uid = models.UUIDField()
    route = models.CharField(max_length=200)
    key = models.CharField(max_length=200)
    body_digest = models.CharField(max_length=64)
    begun_at = models.DateTimeField(db_index=True)
    outcome = models.TextField(blank=True, help_text="what the command did, written in its transaction")
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=b"")

    class Meta:
        constraints = [models.UniqueConstraint("actor_uid", "route", "key", name="audit_idempotency_key")]

    def __str__(self) -> str:
        return f"{self.route} {self.key}"
