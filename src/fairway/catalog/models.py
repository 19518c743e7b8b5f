"""The tables of the catalogue (the CMDB)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fairway.kernel.models import Record, Row, Slugged, Versioned


class Kind(Versioned):
    """A kind of something, as data, so that more can be added; one and the same in the whole tree."""

    slug = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=300, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        return self.slug

    @property
    def label(self) -> str:
        return self.name


class ItemKind(Kind):
    """What an item is: a system, a host, a network."""

    shared_default = models.BooleanField(
        default=False, help_text="a new item of this kind is one and the same in all environments"
    )
    strict = models.BooleanField(default=False, help_text="items hold no attributes but those defined")

    kind = "item-kind"


class RelationKind(Kind):
    """How a source stands to a target, and which way failure travels between them."""

    class Failure(models.TextChoices):
        TO_SOURCE = "to_source"
        TO_TARGET = "to_target"
        BOTH = "both"

    reverse_name = models.CharField(max_length=80, help_text="read from target to source: is needed by")
    failure = models.CharField(max_length=10, choices=Failure)

    kind = "relation-kind"

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(failure__in=["to_source", "to_target", "both"]), name="catalog_kind_failure"
            )
        ]


class ConfigurationItem(Slugged):
    """A thing that changes are made to, or that something else runs on."""

    class Status(models.TextChoices):
        PLANNED = "planned", _("Planned")
        LIVE = "live", _("Live")
        RETIRED = "retired", _("Retired")

    item_kind = models.ForeignKey(ItemKind, models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=Status, default=Status.LIVE)
    criticality = models.PositiveSmallIntegerField(default=3, help_text="1 (most critical) to 4")
    shared = models.BooleanField(default=False, help_text="one and the same in all environments")
    description = models.TextField(blank=True)
    owner_team = models.ForeignKey("accounts.Team", models.PROTECT, null=True, blank=True, related_name="+")
    external_id = models.CharField(max_length=200, blank=True, db_index=True)
    alias = models.CharField(max_length=200, blank=True, help_text="what people call it too")
    vendor = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", help_text="the third party behind it"
    )
    service_hours = models.CharField(max_length=300, blank=True, help_text="a week of local times and a zone")
    stakeholder_edits = models.PositiveIntegerField(
        default=0, editable=False, help_text="grows when stakeholders change, and the version with it"
    )
    attributes = models.JSONField(default=dict, blank=True)

    kind = "item"
    free_text = frozenset({"description"})

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(criticality__gte=1, criticality__lte=4), name="catalog_item_criticality"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["planned", "live", "retired"]), name="catalog_item_status"
            ),
        ]
        indexes = [
            models.Index("name_folded", "uid", name="catalog_item_by_name"),
            models.Index("organisation", "name_folded", "uid", name="catalog_item_by_organisation"),
        ]


class Redundancy(Record):
    """An item stands while `needed` of the others stand that its relations of this group lead to."""

    item = models.ForeignKey(ConfigurationItem, models.PROTECT, related_name="redundancies")
    relation_kind = models.ForeignKey(RelationKind, models.PROTECT, related_name="+")
    name = models.CharField(max_length=80, blank=True, help_text="tells two groups of one item apart")
    needed = models.PositiveSmallIntegerField(help_text="how many members have to stand")

    kind = "redundancy"

    class Meta:
        constraints = [
            models.UniqueConstraint("item", "relation_kind", "name", name="catalog_redundancy_once"),
            models.CheckConstraint(condition=Q(needed__gte=1), name="catalog_redundancy_needed"),
        ]


class Relation(Record):
    """Joins a source to a target; seen by whoever sees the source, in whose organisation it stands."""

    source = models.ForeignKey(ConfigurationItem, models.PROTECT, related_name="outgoing")
    target = models.ForeignKey(ConfigurationItem, models.PROTECT, related_name="incoming")
    relation_kind = models.ForeignKey(RelationKind, models.PROTECT, related_name="+")
    redundancy = models.ForeignKey(
        Redundancy, models.PROTECT, null=True, blank=True, related_name="relations",
        help_text="the group in which it counts; none: its failure simply travels",
    )  # fmt: skip

    kind = "relation"

    class Meta:
        constraints = [
            models.UniqueConstraint("source", "target", "relation_kind", name="catalog_relation_once"),
            models.CheckConstraint(condition=~Q(source=F("target")), name="catalog_relation_of_two"),
        ]


class Stakeholder(Row):
    """Who stands how to an item (RACI): a person or a team; one alone is accountable."""

    class Part(models.TextChoices):
        RESPONSIBLE = "responsible", _("Responsible")
        ACCOUNTABLE = "accountable", _("Accountable")
        CONSULTED = "consulted", _("Consulted")
        INFORMED = "informed", _("Informed")

    item = models.ForeignKey(ConfigurationItem, models.PROTECT, related_name="stakeholders")
    part = models.CharField(max_length=11, choices=Part)
    user = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")
    team = models.ForeignKey("accounts.Team", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, team__isnull=True) | Q(user__isnull=True, team__isnull=False),
                name="catalog_stakeholder_is_one",
            ),
            models.UniqueConstraint("item", "part", "user", name="catalog_stakeholder_user_once"),
            models.UniqueConstraint("item", "part", "team", name="catalog_stakeholder_team_once"),
            models.UniqueConstraint(
                "item", condition=Q(part="accountable"), name="catalog_one_is_accountable"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.part} for {self.item_id}"

    @property
    def owning_organisation(self) -> int | None:
        return self.item.organisation_id
