"""The tables of calendars."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fairway.calendars.rules import LAST_YEAR
from fairway.kernel.models import Numbered, Row, Slugged, fold
from fairway.kernel.period import Period
from fairway.scheduling import Recurrence, Rule

KINDS = [
    "hard_freeze",
    "soft_freeze",
    "lockdown",
    "booking_blockout",
    "maintenance",
    "holiday",
    "information",
]


FOREVER = datetime(LAST_YEAR, 1, 1, tzinfo=UTC)
"""Until when a lockdown holds that nobody has released."""


def stopped() -> list[str]:
    """Return what a window stops unless it says otherwise: taking the time, and working in it."""
    return ["schedule", "start"]


class Window(Numbered):
    """A freeze, a maintenance window or a date to know: one-off (`starts_at`, `ends_at`) or recurring at
    wall time.

    Its scope is the branch of its organisation, narrowed by each facet that is given, and by a condition
    over the fields of the change that is asked about.
    """

    class Kind(models.TextChoices):
        HARD_FREEZE = "hard_freeze", _("Hard freeze")
        SOFT_FREEZE = "soft_freeze", _("Soft freeze")
        LOCKDOWN = "lockdown", _("Lockdown")
        BLOCKOUT = "booking_blockout", _("Booking blockout")
        MAINTENANCE = "maintenance", _("Maintenance window")
        HOLIDAY = "holiday", _("Holiday")
        INFORMATION = "information", _("Information")

    class Status(models.TextChoices):
        """Of a lockdown; it holds from when it is enforced until it is released."""

        DRAFT = "draft", _("Draft")
        APPROVED = "approved", _("Approved")
        ENFORCED = "enforced", _("Enforced")
        RELEASED = "released", _("Released")
        CANCELLED = "cancelled", _("Cancelled")

    class Stops(models.TextChoices):
        CREATE = "create", _("Creating")
        SUBMIT = "submit", _("Submitting")
        SCHEDULE = "schedule", _("Scheduling")
        START = "start", _("Starting and deploying")

    window_kind = models.CharField(max_length=20, choices=Kind)
    name = models.CharField(max_length=200)
    name_folded = models.CharField(max_length=400, editable=False, db_index=True)
    reason = models.TextField(blank=True)
    zone = models.CharField(max_length=60, default="UTC", help_text="IANA time zone of wall times")
    starts_at = models.DateTimeField(null=True, blank=True, help_text="UTC, included; one-off")
    ends_at = models.DateTimeField(null=True, blank=True, help_text="UTC, excluded; one-off")
    local_start = models.CharField(max_length=26, blank=True, help_text="wall time in ISO 8601; recurring")
    duration = models.DurationField(null=True, blank=True, help_text="elapsed time; recurring")
    rrule = models.CharField(max_length=500, blank=True, help_text="RFC 5545; empty: start and rdates alone")
    rdates = models.JSONField(default=list, blank=True, help_text="wall times of further starts")
    exdates = models.JSONField(default=list, blank=True, help_text="wall times of starts left out")
    criticalities = models.JSONField(default=list, blank=True, help_text="of items, 1 to 4; none: all")
    tiers = models.JSONField(default=list, blank=True, help_text="of environments; none: all")
    condition = models.TextField(blank=True, help_text="over the fields of a change, in CEL; empty: all")
    stops = models.JSONField(default=stopped, blank=True, help_text="steps of changes; of others it warns")
    downtime_only = models.BooleanField(default=False, help_text="only while a change takes things down")

    status = models.CharField(max_length=10, choices=Status, blank=True, help_text="of a lockdown")
    drafted_by = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, related_name="+", help_text="of a lockdown"
    )
    approved_by = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, related_name="+", help_text="of a lockdown"
    )

    scope_edits = models.PositiveIntegerField(
        default=0,
        editable=False,
        help_text="grows when items or environments change, and the version with it",
    )

    kind = "window"
    prefix = "WIN"
    free_text = frozenset({"custom", "reason"})

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(window_kind__in=KINDS),
                name="calendars_window_kind",
            ),
            models.CheckConstraint(
                condition=Q(
                    starts_at__isnull=False, ends_at__gt=F("starts_at"), local_start="", duration=None
                )
                | (Q(starts_at=None, ends_at=None, duration__isnull=False) & ~Q(local_start=""))
                | (
                    Q(window_kind="lockdown", local_start="", duration=None)
                    & (Q(starts_at=None, ends_at=None) | Q(starts_at__isnull=False, ends_at=None))
                ),
                name="calendars_window_once_or_again",
            ),
            models.CheckConstraint(
                condition=(Q(window_kind="lockdown") & ~Q(status=""))
                | (~Q(window_kind="lockdown") & Q(status="")),
                name="calendars_lockdown_status",
            ),
        ]
        indexes = [models.Index("organisation", "name_folded", "id", name="calendars_by_organisation")]

    def before_write(self) -> None:
        self.name_folded = fold(self.name)

    @property
    def label(self) -> str:
        return self.name

    @property
    def recurring(self) -> bool:
        return bool(self.local_start)

    @property
    def in_force(self) -> bool:
        """Whether it says anything by now: a lockdown does once it was enforced."""
        return self.archived_at is None and self.status in {"", self.Status.ENFORCED, self.Status.RELEASED}

    @property
    def when(self) -> Period | Recurrence:
        """The period of a one-off window, or how a recurring one comes again.

        :raises Invalid: what is stored has no sense; commands let nothing such in.
        """
        return when(
            self.starts_at, self.ends_at, self.local_start, self.duration, self.zone, self.rrule, self.rdates,
            self.exdates,
        )  # fmt: skip


def when(
    starts_at: datetime | None,
    ends_at: datetime | None,
    local_start: str,
    duration: object,
    zone: str,
    rrule: str,
    rdates: list[str],
    exdates: list[str],
) -> Period | Recurrence:
    """Turn a window's columns into a period or a recurrence."""
    if starts_at is not None:
        return Period(starts_at, ends_at or FOREVER)
    return Recurrence(
        datetime.fromisoformat(local_start),
        duration,  # type: ignore[arg-type]
        zone,
        Rule.parse(rrule) if rrule else None,
        tuple(map(datetime.fromisoformat, rdates)),
        tuple(map(datetime.fromisoformat, exdates)),
    )


class Facet(Row):
    """A thing that a window's scope names."""

    class Meta:
        abstract = True

    window: models.ForeignKey[Window]

    @property
    def owning_organisation(self) -> int | None:
        return self.window.organisation_id


class WindowItem(Facet):
    """An item that a window holds for."""

    window = models.ForeignKey(Window, models.CASCADE, related_name="items")
    item = models.ForeignKey("catalog.ConfigurationItem", models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint("window", "item", name="calendars_item_once")]

    def __str__(self) -> str:
        return f"{self.window_id} {self.item_id}"


class WindowEnvironment(Facet):
    """An environment that a window holds for."""

    window = models.ForeignKey(Window, models.CASCADE, related_name="environments")
    environment = models.ForeignKey("environments.Environment", models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint("window", "environment", name="calendars_environment_once")]

    def __str__(self) -> str:
        return f"{self.window_id} {self.environment_id}"


class WindowGroup(Facet):
    """A group of environments that a window holds for: those that belong to it at the time of asking."""

    window = models.ForeignKey(Window, models.CASCADE, related_name="groups")
    group = models.ForeignKey("environments.EnvironmentGroup", models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint("window", "group", name="calendars_group_once")]

    def __str__(self) -> str:
        return f"{self.window_id} {self.group_id}"


class WindowModel(Facet):
    """A change model whose changes alone a window concerns."""

    window = models.ForeignKey(Window, models.CASCADE, related_name="change_models")
    model = models.ForeignKey("changes.ChangeModel", models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint("window", "model", name="calendars_model_once")]

    def __str__(self) -> str:
        return f"{self.window_id} {self.model_id}"


class WorkingCalendar(Slugged):
    """When an organisation, and all below it that has none of its own, works: hours of a week, and days that
    differ.
    """

    zone = models.CharField(max_length=60, help_text="IANA time zone of its hours and days")
    hours = models.JSONField(default=dict, help_text='by weekday, such as {"mo": ["09:00-17:30"]}')
    day_edits = models.PositiveIntegerField(
        default=0, editable=False, help_text="grows when days are added or removed, and the version with it"
    )

    kind = "working-calendar"

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation"], condition=Q(archived_at=None), name="calendars_one_working_calendar"
            )
        ]


class CalendarDay(Row):
    """A day that is not as its weekday: a holiday, or one with hours of its own."""

    calendar = models.ForeignKey(WorkingCalendar, models.CASCADE, related_name="days")
    day = models.DateField()
    name = models.CharField(max_length=200)
    hours = models.JSONField(default=list, blank=True, help_text='such as ["09:00-12:00"]; none: a holiday')

    class Meta:
        constraints = [models.UniqueConstraint("calendar", "day", name="calendars_day_once")]

    def __str__(self) -> str:
        return f"{self.day} {self.name}"

    @property
    def owning_organisation(self) -> int | None:
        return self.calendar.organisation_id


class Subscription(Row):
    """Somebody who wants to be told of the windows of a branch."""

    person = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    organisation = models.ForeignKey("accounts.Organisation", models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint("organisation", "person", name="calendars_subscribed_once")]
        indexes = [models.Index("person", name="calendars_subscriber")]

    def __str__(self) -> str:
        return f"{self.person_id} of {self.organisation_id}"

    @property
    def owning_organisation(self) -> int | None:
        return self.organisation_id


class Reminder(models.Model):
    """That people were reminded of a window before it began."""

    id = models.BigAutoField(primary_key=True)
    window = models.ForeignKey(Window, models.CASCADE, related_name="+")
    starts_at = models.DateTimeField(help_text="UTC; the beginning that was told of")

    class Meta:
        constraints = [models.UniqueConstraint("window", "starts_at", name="calendars_reminded_once")]
        indexes = [models.Index("starts_at", name="calendars_reminded_of")]

    def __str__(self) -> str:
        return f"{self.window_id} {self.starts_at}"
