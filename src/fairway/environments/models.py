"""The tables of environments."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fairway.kernel.models import Record, Row, Slugged


class Environment(Slugged):
    """A place where items stand and releases run."""

    class Tier(models.TextChoices):
        DEVELOPMENT = "development", _("Development")
        SYSTEM_TEST = "system_test", _("System test")
        INTEGRATION = "integration", _("Integration")
        PERFORMANCE = "performance", _("Performance")
        ACCEPTANCE = "acceptance", _("Acceptance")
        STAGING = "staging", _("Staging")
        TRAINING = "training", _("Training")
        PRODUCTION = "production", _("Production")
        DISASTER_RECOVERY = "disaster_recovery", _("Disaster recovery")

    class Control(models.TextChoices):
        OPEN = "open", _("Open")
        COORDINATED = "coordinated", _("Coordinated")
        CONTROLLED = "controlled", _("Controlled")

    class Status(models.TextChoices):
        PLANNED = "planned", _("Planned")
        BUILDING = "building", _("Building")
        AVAILABLE = "available", _("Available")
        RESTRICTED = "restricted", _("Restricted")
        DECOMMISSIONED = "decommissioned", _("Decommissioned")

    tier = models.CharField(max_length=20, choices=Tier)
    control = models.CharField(max_length=12, choices=Control)
    status = models.CharField(max_length=16, choices=Status, default=Status.AVAILABLE)
    zone = models.CharField(max_length=60, default="UTC", help_text="IANA time zone")
    shared = models.BooleanField(default=False, help_text="several teams use it at once")
    description = models.TextField(blank=True)
    colour = models.CharField(max_length=7, blank=True, help_text="#rrggbb, or empty for that of the tier")
    tier_position = models.PositiveSmallIntegerField(editable=False, help_text="rank of the tier")
    position = models.IntegerField(default=0, help_text="order within the tier")

    kind = "environment"
    free_text = frozenset({"custom", "description"})

    @staticmethod
    def order_of(tier: str) -> int:
        """Return the rank of a tier on the way to production."""
        return Environment.Tier.values.index(tier)

    def before_write(self) -> None:
        super().before_write()
        self.tier_position = self.order_of(self.tier)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(control__in=["open", "coordinated", "controlled"]), name="environments_control"
            ),
        ]
        indexes = [
            models.Index("tier_position", "position", "name_folded", "uid", name="environments_in_order"),
        ]


class Instance(Record):
    """An item standing in an environment: what changes and bookings take, where it is not shared."""

    item = models.ForeignKey("catalog.ConfigurationItem", models.PROTECT, related_name="instances")
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="instances")

    kind = "instance"

    class Meta:
        constraints = [models.UniqueConstraint("item", "environment", name="environments_instance_once")]


class EnvironmentGroup(Slugged):
    """Environments that are used together as one lane; who takes the lane takes each of them."""

    description = models.TextField(blank=True)
    member_edits = models.PositiveIntegerField(
        default=0, editable=False, help_text="grows when environments join or leave, and the version with it"
    )

    kind = "environment-group"
    free_text = frozenset({"custom", "description"})


class GroupMember(Row):
    """An environment of a group; it may be in several."""

    group = models.ForeignKey(EnvironmentGroup, models.PROTECT, related_name="members")
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="memberships")

    class Meta:
        constraints = [models.UniqueConstraint("group", "environment", name="environments_group_member_once")]

    def __str__(self) -> str:
        return f"{self.environment_id} in {self.group_id}"

    @property
    def owning_organisation(self) -> int | None:
        return self.group.organisation_id


class EnvironmentLink(Record):
    """Two linked environments: whoever takes the parent takes the child, and what is linked below it.

    Links have no circles. The organisation is that of the parent.
    """

    parent = models.ForeignKey(Environment, models.PROTECT, related_name="children")
    child = models.ForeignKey(Environment, models.PROTECT, related_name="parents")

    kind = "environment-link"

    class Meta:
        constraints = [
            models.UniqueConstraint("parent", "child", name="environments_link_once"),
            models.CheckConstraint(
                condition=~Q(parent=models.F("child")), name="environments_link_to_another"
            ),
        ]
