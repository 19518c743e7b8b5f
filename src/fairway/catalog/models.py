"""The tables of the catalogue (the CMDB)."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fairway.kernel.models import Numbered, Record, Row, Slugged, Versioned


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


class Build(Numbered):
    """What was built of a system at one commit: its content stands as it was registered, its status moves.

    Which changes carry it is for the changes to say.
    """

    class Status(models.TextChoices):
        REGISTERED = "registered", _("Registered")
        ACCEPTED = "accepted", _("Accepted")
        REJECTED = "rejected", _("Rejected")
        RETIRED = "retired", _("Retired")

    system = models.ForeignKey(ConfigurationItem, models.PROTECT, related_name="builds")
    build_version = models.CharField(max_length=100, help_text="what it is called: 2.3.0")
    name = models.CharField(max_length=201, unique=True, editable=False, help_text="payments-api@2.3.0")
    status = models.CharField(max_length=10, choices=Status, default=Status.REGISTERED)
    tag = models.CharField(max_length=200, blank=True)
    branch = models.CharField(max_length=200, blank=True)
    commit = models.CharField(max_length=64, blank=True, db_index=True)
    commit_url = models.CharField(max_length=1000, blank=True)
    url = models.CharField(max_length=1000, blank=True, help_text="where the run of the pipeline stands")
    built_at = models.DateTimeField(help_text="UTC")
    reason = models.TextField(blank=True, help_text="why its status is what it is")

    kind = "build"
    prefix = "BLD"
    free_text = frozenset({"reason"})

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["registered", "accepted", "rejected", "retired"]),
                name="catalog_build_status",
            ),
        ]
        indexes = [
            models.Index("built_at", "uid", name="catalog_build_by_time"),
            models.Index("system", "built_at", "uid", name="catalog_build_of_system"),
            models.Index("status", "built_at", "uid", name="catalog_build_by_status"),
        ]

    @property
    def label(self) -> str:
        return self.name

    @classmethod
    def lookup(cls, reference: str) -> dict[str, Any] | None:
        """Return the filter that finds `BLD-7`, a uid or `payments-api@2.3.0`; None where it is neither."""
        if "@" in reference:
            return {"name": reference} if reference.isprintable() and len(reference) <= 201 else None
        return super().lookup(reference)


class Artefact(Row):
    """A file or image of a build, known by its digest for good: it is written once and never edited."""

    build = models.ForeignKey(Build, models.PROTECT, related_name="artefacts")
    position = models.PositiveSmallIntegerField()
    purl = models.CharField(max_length=500, db_index=True, help_text="a package URL")
    digest = models.CharField(max_length=140, unique=True, help_text="sha256:…, sha384:… or sha512:…")

    class Meta:
        constraints = [models.UniqueConstraint("build", "position", name="catalog_artefact_in_order")]

    def __str__(self) -> str:
        return self.purl

    @property
    def owning_organisation(self) -> int | None:
        return self.build.organisation_id


class CarriedWorkItem(Row):
    """A work item of another tool that a build carries, by its id there."""

    build = models.ForeignKey(Build, models.PROTECT, related_name="work_items")
    external_id = models.CharField(max_length=200, db_index=True)
    position = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint("build", "external_id", name="catalog_work_item_once"),
        ]

    def __str__(self) -> str:
        return self.external_id

    @property
    def owning_organisation(self) -> int | None:
        return self.build.organisation_id


class Baseline(Numbered):
    """The catalogue of an organisation and all below it as it stood after one event of the log.

    It holds no copy: the log is append-only, so what was added, removed and changed since, or up to another
    baseline, follows from its events.
    """

    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    sequence = models.BigIntegerField(help_text="the last event that it holds")
    taken_at = models.DateTimeField(help_text="UTC")

    kind = "baseline"
    prefix = "BAS"
    free_text = frozenset({"description"})

    class Meta:
        indexes = [models.Index("taken_at", "uid", name="catalog_baseline_by_time")]

    @property
    def label(self) -> str:
        return self.name
