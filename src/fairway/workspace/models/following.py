"""Who follows what, what each person wants to be told, and what they were told."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fairway.kernel.models import Row
from fairway.kernel.refs import uuid7


class Watch(Row):
    """Somebody who wants to be told of a record, or of nothing about it, whatever part they have in it."""

    person = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    subject_kind = models.CharField(max_length=40)
    subject_uid = models.UUIDField()
    muted = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint("subject_uid", "person", name="workspace_watch_once")]
        indexes = [models.Index("person", "subject_kind", name="workspace_watch_person")]

    def __str__(self) -> str:
        return f"{self.person_id} {'mutes' if self.muted else 'watches'} {self.subject_uid}"


class NotificationSettings(Row):
    """What a person is told, and how. Mail is kept as a wish until there is a way to send any."""

    class Mail(models.TextChoices):
        NONE = "none", _("No mail")
        EACH = "each", _("A mail for each")
        DAILY = "daily", _("One mail a day")

    person = models.OneToOneField("accounts.User", models.PROTECT, related_name="+")
    muted = models.JSONField(default=list, help_text="commands of which nothing is told")
    reasons_off = models.JSONField(default=list, help_text="reasons that do not count")
    mail = models.CharField(max_length=5, choices=Mail, default=Mail.NONE)
    quiet_from = models.TimeField(null=True, help_text="in the person's zone")
    quiet_until = models.TimeField(null=True, help_text="in the person's zone; before `quiet_from`: next day")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_until=None)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="workspace_quiet_hours",
            )
        ]

    def __str__(self) -> str:
        return f"settings of {self.person_id}"


class Notification(models.Model):
    """That somebody was told of an event, and why. Follows from the log; only what was read is new in it."""

    class Reason(models.TextChoices):
        """In the order of weight: one is told the first that holds."""

        MENTIONED = "mentioned", _("you were named")
        OWNER = "owner", _("you own it")
        REQUESTER = "requester", _("you asked for it")
        IMPLEMENTER = "implementer", _("you carry it out")
        TEAM = "team", _("your team owns it")
        COMMENTED = "commented", _("you commented on it")
        WATCHING = "watching", _("you watch it")
        SUBSCRIBED = "subscribed", _("you subscribe to its calendar")

    id = models.BigAutoField(primary_key=True)
    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    person = models.ForeignKey("accounts.User", models.CASCADE, related_name="+")
    sequence = models.BigIntegerField(help_text="the event's number")
    command = models.CharField(max_length=80)
    subject_kind = models.CharField(max_length=40)
    subject_uid = models.UUIDField()
    reason = models.CharField(max_length=12, choices=Reason)
    at = models.DateTimeField(help_text="UTC, of the event")
    read_at = models.DateTimeField(null=True, help_text="UTC")

    class Meta:
        constraints = [models.UniqueConstraint("person", "sequence", name="workspace_told_once")]
        indexes = [
            models.Index("person", "sequence", condition=Q(read_at=None), name="workspace_unread"),
            models.Index("person", "subject_uid", name="workspace_told_of"),
            models.Index("at", name="workspace_told_at"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} of {self.sequence}"


class Told(models.Model):
    """How far the log has been read: the number of the last event that everybody was told of."""

    NOTIFICATIONS: ClassVar[str] = "notifications"

    name = models.CharField(max_length=40, primary_key=True)
    sequence = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} {self.sequence}"
