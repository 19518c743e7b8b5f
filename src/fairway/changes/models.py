"""The tables of changes."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fairway.kernel.models import Numbered, Row, fold


class ChangeModel(Row):
    """A change model: its states, steps and approval, as data; saved only when proven (rules.proof)."""

    slug = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=80)
    definition = models.JSONField()
    position = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class ChangeTemplate(Row):
    """A kind of change, authorised once for all; its plans are fixed for every change made from it."""

    slug = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    model = models.ForeignKey(ChangeModel, models.PROTECT, related_name="+")
    title = models.CharField(max_length=200, help_text="what the title begins with")
    description = models.TextField(blank=True, help_text="prefilled, may be edited")
    category = models.CharField(max_length=80, blank=True)
    implementation_plan = models.TextField(blank=True)
    test_plan = models.TextField(blank=True)
    backout_plan = models.TextField(blank=True)
    duration = models.DurationField(help_text="how long the work takes as a rule")
    authorised = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)

    FIXED = ("category", "implementation_plan", "test_plan", "backout_plan")

    def __str__(self) -> str:
        return self.name


class Change(Numbered):
    """A request to alter something at a planned time.

    `digest` names the present content (rules.content). `planned_start` and `planned_end` span the planned
    windows, `is_open` follows from the state: all are kept here for lists and decisions.
    """

    class Outcome(models.TextChoices):
        SUCCESSFUL = "successful", _("Successful")
        WITH_ISSUES = "with_issues", _("Successful with issues")
        PARTIAL = "partial", _("Partially implemented")
        UNSUCCESSFUL = "unsuccessful", _("Unsuccessful")
        NOT_STARTED = "not_started", _("Not started")

    model = models.ForeignKey(ChangeModel, models.PROTECT, related_name="+")
    template = models.ForeignKey(ChangeTemplate, models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=30)
    is_open = models.BooleanField()
    title = models.CharField(max_length=200)
    title_folded = models.CharField(max_length=400, editable=False)
    description = models.TextField(blank=True)
    reason = models.TextField(blank=True, help_text="why it is done")
    category = models.CharField(max_length=80, blank=True)
    priority = models.PositiveSmallIntegerField(default=3, help_text="1 (most urgent) to 4")
    external_id = models.CharField(max_length=200, blank=True)
    implementation_plan = models.TextField(blank=True)
    test_plan = models.TextField(blank=True)
    backout_plan = models.TextField(blank=True)
    implementation_time = models.DurationField(null=True, blank=True, help_text="how long doing it takes")
    test_time = models.DurationField(null=True, blank=True, help_text="how long seeing that it worked takes")
    backout_time = models.DurationField(null=True, blank=True, help_text="how long going back takes")
    freeze_reason = models.TextField(blank=True, help_text="why it has to be done within a soft freeze")
    requester = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")
    owner = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")
    planned_start = models.DateTimeField(null=True, blank=True, help_text="UTC, included")
    planned_end = models.DateTimeField(null=True, blank=True, help_text="UTC, excluded")
    submitted_at = models.DateTimeField(null=True, blank=True, help_text="UTC")
    actual_start = models.DateTimeField(null=True, blank=True, help_text="UTC")
    actual_end = models.DateTimeField(null=True, blank=True, help_text="UTC")
    outcome = models.CharField(max_length=14, choices=Outcome, blank=True)
    backed_out = models.BooleanField(default=False)
    outcome_note = models.TextField(blank=True)
    held_at = models.DateTimeField(null=True, blank=True, help_text="UTC; on hold since")
    hold_reason = models.TextField(blank=True)
    locked_at = models.DateTimeField(null=True, blank=True, help_text="UTC; held by a lockdown since")
    locked_by = models.CharField(max_length=40, blank=True, help_text="the lockdown, by key")
    state_reason = models.TextField(blank=True, help_text="why it was returned, rejected or cancelled")
    round = models.ForeignKey("approvals.Round", models.PROTECT, null=True, blank=True, related_name="+")
    digest = models.CharField(max_length=64, editable=False)

    kind = "change"
    prefix = "CHG"
    free_text = frozenset(
        {
            "custom",
            "title",
            "title_folded",
            "description",
            "reason",
            "implementation_plan",
            "test_plan",
            "backout_plan",
            "freeze_reason",
            "outcome_note",
            "hold_reason",
            "state_reason",
        }
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "organisation", "external_id", condition=~Q(external_id=""), name="changes_external_id_once"
            ),
            models.CheckConstraint(
                condition=Q(planned_start__isnull=True, planned_end__isnull=True)
                | Q(planned_end__gt=F("planned_start")),
                name="changes_plan_order",
            ),
            models.CheckConstraint(condition=Q(priority__gte=1, priority__lte=4), name="changes_priority"),
        ]
        indexes = [
            models.Index("planned_start", "uid", name="changes_by_start"),
            models.Index("is_open", "planned_start", "uid", name="changes_open_by_start"),
            models.Index("state", "planned_start", "uid", name="changes_state_by_start"),
            models.Index("organisation", "planned_start", "uid", name="changes_organisation_by_start"),
            models.Index("requester", "is_open", name="changes_by_requester"),
            models.Index("owner", "is_open", name="changes_by_owner"),
        ]

    def before_write(self) -> None:
        self.title_folded = fold(self.title)

    @property
    def label(self) -> str:
        return self.title

    @property
    def on_hold(self) -> bool:
        """Whether a person or a lockdown holds it."""
        return self.held_at is not None or self.locked_at is not None


class _Part(Row):
    """A row that belongs to a change and is seen by whoever sees it."""

    change: models.ForeignKey[Change, Change]

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{type(self).__name__} of {self.change_id}"  # type: ignore[attr-defined]

    @property
    def owning_organisation(self) -> int | None:
        return self.change.organisation_id


class PlannedWindow(_Part):
    """When work is planned, or when the items are down; a downtime lies within the work."""

    change = models.ForeignKey(Change, models.PROTECT, related_name="windows")
    starts_at = models.DateTimeField(help_text="UTC, included")
    ends_at = models.DateTimeField(help_text="UTC, excluded")
    downtime = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="changes_window_order"),
            models.UniqueConstraint("change", "starts_at", "ends_at", "downtime", name="changes_window_once"),
        ]
        # by its end: what lies ahead stays few while history grows
        indexes = [
            models.Index("ends_at", "starts_at", "downtime", "change", name="changes_window_by_end"),
        ]


class AffectedItem(_Part):
    """A configuration item that the change alters; one of them may be the primary one."""

    change = models.ForeignKey(Change, models.PROTECT, related_name="affected")
    item = models.ForeignKey("catalog.ConfigurationItem", models.PROTECT, related_name="+")
    primary = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint("change", "item", name="changes_item_once"),
            models.UniqueConstraint("change", condition=Q(primary=True), name="changes_one_primary"),
        ]


class AffectedEnvironment(_Part):
    """Where the change is made; a change without any is made wherever its items stand."""

    change = models.ForeignKey(Change, models.PROTECT, related_name="places")
    environment = models.ForeignKey("environments.Environment", models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint("change", "environment", name="changes_environment_once")]


class Implementer(_Part):
    """Who carries the change out."""

    change = models.ForeignKey(Change, models.PROTECT, related_name="implementers")
    person = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint("change", "person", name="changes_implementer_once")]


class CarriedChange(_Part):
    """A build that carries the change: a record of fact beside its content, on which nobody votes."""

    change = models.ForeignKey(Change, models.PROTECT, related_name="carried_by")
    build = models.ForeignKey("catalog.Build", models.PROTECT, related_name="carries")
    by = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField(help_text="UTC")

    class Meta:
        constraints = [models.UniqueConstraint("change", "build", name="changes_build_once")]


class ProposedEdit(_Part):
    """What the change is to alter of an item's configuration, once it is implementing.

    `patch` and `seen` (what stood there when it was proposed) are in the words of the API, references by key.
    """

    change = models.ForeignKey(Change, models.PROTECT, related_name="edits")
    item = models.ForeignKey("catalog.ConfigurationItem", models.PROTECT, related_name="+")
    patch = models.JSONField()
    seen = models.JSONField()
    proposed_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")
    proposed_at = models.DateTimeField(help_text="UTC")
    applied_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")
    applied_at = models.DateTimeField(null=True, blank=True, help_text="UTC")

    class Meta:
        constraints = [models.UniqueConstraint("change", "item", name="changes_edit_once")]

    @property
    def owning_organisation(self) -> int | None:
        """That of the item: whoever may not see it learns nothing of its values from the log either."""
        return self.item.organisation_id


class Drift(Numbered):
    """What was seen of a controlled item that differs from the catalogue: an unauthorised-change candidate.

    `field` is in the words of the API (`status`, `attributes.port`, `relation.depends-on:ledger`); the same
    value of it seen again by the same source only counts.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        MATCHED = "matched", _("Matched")
        PROPOSED = "proposed", _("Proposed")
        DISMISSED = "dismissed", _("Dismissed")

    item = models.ForeignKey("catalog.ConfigurationItem", models.PROTECT, related_name="+")
    source = models.CharField(max_length=200)
    field = models.CharField(max_length=220)
    recorded = models.JSONField(null=True)
    observed = models.JSONField(null=True)
    digest = models.CharField(max_length=64, editable=False, help_text="names the value that was seen")
    first_seen = models.DateTimeField(help_text="UTC")
    last_seen = models.DateTimeField(help_text="UTC")
    count = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    change = models.ForeignKey(Change, models.PROTECT, null=True, blank=True, related_name="drifts")
    reason = models.TextField(blank=True, help_text="why it was dismissed")

    kind = "drift"
    prefix = "DRF"
    free_text = frozenset({"reason"})

    class Meta:
        constraints = [
            models.UniqueConstraint("item", "source", "field", "digest", name="changes_drift_once")
        ]
        indexes = [
            models.Index("last_seen", "uid", name="changes_drift_by_last"),
            models.Index("state", "last_seen", "uid", name="changes_drift_by_state"),
        ]

    @property
    def label(self) -> str:
        return f"{self.item.slug}: {self.field}"


class Pin(_Part):
    """What a person says about the impact: the item is affected, or is not, whatever the relations say."""

    change = models.ForeignKey(Change, models.PROTECT, related_name="pins")
    item = models.ForeignKey("catalog.ConfigurationItem", models.PROTECT, related_name="+")
    affected = models.BooleanField()
    reason = models.TextField()
    person = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")
    pinned_at = models.DateTimeField(help_text="UTC")

    free_text = frozenset({"reason"})

    class Meta:
        constraints = [models.UniqueConstraint("change", "item", name="changes_pin_once")]


class Collision(_Part):
    """What people say of a conflict of two changes under a rule: who sees to it, and whether it may stay.

    `change` is the one that came first. That it may stay is said of one occurrence: once either moves, the
    conflict is open again.
    """

    change = models.ForeignKey(Change, models.PROTECT, related_name="+")
    other = models.ForeignKey(Change, models.PROTECT, related_name="+")
    rule = models.CharField(max_length=60)
    owner = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")
    accepted = models.CharField(max_length=32, blank=True, help_text="id of the finding that may stay")
    reason = models.TextField(blank=True, help_text="why it may stay")
    person = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")
    handled_at = models.DateTimeField(help_text="UTC; when this was said last")

    free_text = frozenset({"reason"})

    class Meta:
        constraints = [
            models.UniqueConstraint("change", "other", "rule", name="changes_collision_once"),
            models.CheckConstraint(condition=Q(other__gt=F("change")), name="changes_collision_order"),
        ]


class CalendarFeed(Row):
    """Lets a calendar program read what its owner may see, by an address that holds a secret.

    `shows`: changes, windows or both. `item`, `environment`: only what concerns it, by uid; empty: all. What
    it gives is found anew, as its owner, each time it is read; it ends with the owner's access.
    """

    class Shows(models.TextChoices):
        ALL = "all", _("Changes and windows")
        CHANGES = "changes", _("Changes")
        WINDOWS = "windows", _("Freezes and maintenance windows")

    owner = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64, unique=True, editable=False, help_text="of the secret")
    shows = models.CharField(max_length=8, choices=Shows, default=Shows.ALL)
    item = models.CharField(max_length=36, blank=True)
    environment = models.CharField(max_length=36, blank=True)
    created_at = models.DateTimeField(help_text="UTC")
    revoked_at = models.DateTimeField(null=True, blank=True, help_text="UTC")

    credentials = frozenset({"digest"})
    free_text = frozenset({"name"})

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(shows__in=["all", "changes", "windows"]), name="changes_feed_shows"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def owning_organisation(self) -> int | None:
        return self.owner.organisation_id


class Waiver(Numbered):
    """An exception from exactly one finding about a change: its rule, both parties and the occurrence.

    It holds from when it is granted until it expires or is revoked; what was relied on at a start is `used`.
    `organisation` is that of the change, `scope` that at which somebody may waive the rule. The other party
    stands by kind and uid, so that it may be of any context; where there is none, by the thing it is about.
    """

    class State(models.TextChoices):
        REQUESTED = "requested", _("Requested")
        GRANTED = "granted", _("Granted")
        REFUSED = "refused", _("Refused")
        USED = "used", _("Used")
        REVOKED = "revoked", _("Revoked")

    change = models.ForeignKey(Change, models.PROTECT, related_name="waivers")
    finding = models.CharField(max_length=32, help_text="the finding's id")
    rule = models.CharField(max_length=60)
    other_kind = models.CharField(max_length=20, blank=True)
    other_uid = models.CharField(max_length=36, blank=True)
    other_key = models.CharField(max_length=100, blank=True)
    scope = models.ForeignKey("accounts.Organisation", models.PROTECT, related_name="+")
    waivable_by = models.CharField(max_length=40, help_text="the role that waives the rule, in words")
    starts_at = models.DateTimeField(help_text="UTC, included: the occurrence")
    ends_at = models.DateTimeField(help_text="UTC, excluded")
    expires_at = models.DateTimeField(help_text="UTC; from then on it does not count")
    reason = models.TextField(help_text="why it has to be done all the same")
    state = models.CharField(max_length=10, choices=State, default=State.REQUESTED)
    requested_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")
    decided_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True, help_text="UTC")
    decision_note = models.TextField(blank=True)
    used_at = models.DateTimeField(null=True, blank=True, help_text="UTC; a start relied on it")

    kind = "waiver"
    prefix = "WVR"
    free_text = frozenset({"custom", "reason", "decision_note"})

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="changes_waiver_order"),
            models.UniqueConstraint(
                "change",
                "finding",
                condition=Q(state="requested"),
                name="changes_waiver_once",
            ),
        ]
        indexes = [
            models.Index("change", "state", name="changes_waiver_by_change"),
            models.Index("other_uid", "state", name="changes_waiver_by_other"),
            models.Index("state", "number", name="changes_waiver_by_state"),
        ]

    @property
    def label(self) -> str:
        return self.change.title


class WaiverQuota(Row):
    """How many waivers from a window may be granted; what has none has no limit."""

    window = models.OneToOneField("calendars.Window", models.PROTECT, related_name="+")
    most = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.most} of {self.window_id}"

    @property
    def owning_organisation(self) -> int | None:
        window: Any = self.window
        organisation: int = window.organisation_id
        return organisation
