"""Jobs, and the clocks that make them."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from fairway.kernel.models import Versioned, number_lookup, uid_lookup
from fairway.kernel.refs import uuid7


class Job(Versioned):
    """Work to be done by a worker, for somebody. What workers write here stands in no event.

    A worker holds it by a lease, and writes only under the lease's number (`fence`): whoever lost it writes
    nothing any more.
    """

    class State(models.TextChoices):
        READY, RUNNING, DONE, FAILED, CANCELLED = "ready", "running", "done", "failed", "cancelled"

    number = models.BigIntegerField(unique=True, editable=False)
    organisation = models.ForeignKey("accounts.Organisation", models.PROTECT, null=True, related_name="+")
    user = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    scopes = models.JSONField(
        null=True, help_text="of the token it was asked with; null: all of the person's"
    )
    request_id = models.CharField(max_length=64, blank=True)
    task = models.CharField(max_length=120, help_text="dotted path of the function")
    title = models.CharField(max_length=200)
    arguments = models.JSONField(default=dict)
    queue = models.CharField(max_length=20, default="default")
    priority = models.SmallIntegerField(default=0, help_text="-100 to 100, greater goes first")
    unique_key = models.CharField(
        max_length=120, blank=True, help_text="one living job of this key, or empty"
    )
    run_after = models.DateTimeField(help_text="UTC")
    state = models.CharField(max_length=9, choices=State, default=State.READY)
    attempts = models.PositiveSmallIntegerField(default=0)
    most_attempts = models.PositiveSmallIntegerField(default=5)
    cancel_requested = models.BooleanField(default=False)
    started_at = models.DateTimeField(null=True, help_text="UTC, of the last attempt")
    finished_at = models.DateTimeField(null=True, help_text="UTC")
    lease_owner = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True, help_text="UTC, excluded")
    fence = models.PositiveIntegerField(default=0, help_text="number of the lease; grows with each")
    heartbeat_at = models.DateTimeField(null=True, help_text="UTC")
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True)
    text = models.CharField(max_length=200, blank=True, help_text="what it does at present")
    checkpoint = models.JSONField(default=dict, help_text="where the next attempt goes on")
    result = models.JSONField(null=True)
    error = models.TextField(blank=True)
    trace = models.TextField(blank=True)

    kind = "job"
    unlogged = frozenset(
        {
            "arguments", "scopes", "attempts", "started_at", "lease_owner", "lease_until", "fence",
            "heartbeat_at", "done", "total", "text", "checkpoint", "result", "trace",
        }
    )  # fmt: skip
    free_text = frozenset({"title", "error"})

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["unique_key"],
                condition=Q(state__in=("ready", "running")) & ~Q(unique_key=""),
                name="jobs_one_living_of_a_key",
            ),
        ]
        indexes = [
            models.Index(
                "queue", F("priority").desc(), "run_after", "id",
                condition=Q(state="ready"), name="jobs_ready",
            ),
            models.Index("lease_until", condition=Q(state="running"), name="jobs_leases"),
            models.Index("organisation", "number", name="jobs_of_organisation"),
            models.Index("user", "number", name="jobs_of_person"),
            models.Index("finished_at", condition=Q(finished_at__isnull=False), name="jobs_finished"),
        ]  # fmt: skip

    @property
    def key(self) -> str:
        return f"JOB-{self.number}" if self.number else "JOB-new"

    @property
    def label(self) -> str:
        return self.title

    @property
    def owning_organisation(self) -> int | None:
        return self.organisation_id

    @classmethod
    def lookup(cls, reference: str) -> dict[str, object] | None:
        return uid_lookup(reference) or number_lookup("JOB", reference)


class Clock(models.Model):
    """The last tick of a schedule for which a job was made; whoever moves it on makes the next one."""

    name = models.CharField(max_length=60, primary_key=True)
    ticked_at = models.DateTimeField(help_text="UTC")

    def __str__(self) -> str:
        return f"{self.name} {self.ticked_at:%Y-%m-%d %H:%M:%S}"


class Webhook(Versioned):
    """Somewhere that events are sent to, as far as its owner may see them and the filters let them through.

    What the deliverer writes here (how far it is, since when it fails) stands in no event.
    """

    name = models.CharField(max_length=100)
    url = models.CharField(max_length=500)
    commands = models.JSONField(
        default=list, help_text="names, or beginnings that end with a dot; empty: all"
    )
    kinds = models.JSONField(default=list, help_text="kinds of the record an event is about; empty: all")
    organisation = models.ForeignKey("accounts.Organisation", models.PROTECT, related_name="+")
    owner = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    secret = models.TextField(editable=False, help_text="sealed with the installation's key")
    active = models.BooleanField(default=True)
    reason = models.CharField(max_length=300, blank=True, help_text="why it was switched off")
    position = models.BigIntegerField(help_text="number of the last event that was looked at for it")
    failing_since = models.DateTimeField(null=True, editable=False, help_text="UTC")

    kind = "webhook"
    unlogged = frozenset({"failing_since"})
    credentials = frozenset({"secret"})
    free_text = frozenset({"name", "url"})

    class Meta:
        indexes = [models.Index("position", condition=Q(active=True), name="jobs_webhooks_behind")]

    @property
    def label(self) -> str:
        return self.name

    @property
    def owning_organisation(self) -> int | None:
        return self.organisation_id


class Delivery(models.Model):
    """One event for one webhook, and how its sending went; without a number: a test."""

    class Status(models.TextChoices):
        PENDING, SENT, FAILED, WITHHELD = "pending", "sent", "failed", "withheld"

    id = models.BigAutoField(primary_key=True)
    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    sequence = models.BigIntegerField(null=True)
    subject_uid = models.UUIDField(null=True)
    command = models.CharField(max_length=80)
    status = models.CharField(max_length=8, choices=Status, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(help_text="UTC")
    sent_at = models.DateTimeField(null=True, help_text="UTC, of the last attempt")
    answer = models.PositiveSmallIntegerField(null=True, help_text="HTTP status")
    milliseconds = models.PositiveIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["webhook", "sequence"], name="jobs_delivery_once")]
        indexes = [
            models.Index("webhook", "sequence", condition=Q(status="pending"), name="jobs_deliveries_due"),
            models.Index("webhook", F("id").desc(), name="jobs_deliveries_log"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.status}"
