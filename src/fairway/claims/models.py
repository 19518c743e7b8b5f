"""The table of claims."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class ClaimRow(models.Model):
    """A record's hold on a thing for a period: a projection, written with its source and never by itself.

    It follows from its source and can be written anew from it at any time, so it stands outside the event
    log and names things by plain keys. Instants are microseconds since 1970 (UTC): a sweep over a hundred
    thousand rows compares and sorts numbers, on both databases alike. `magnitude` is the least n such that
    the claim is not longer than 2^n minutes: so an index finds what overlaps a time without reading all that
    began before it.
    """

    id = models.BigAutoField(primary_key=True)
    source_kind = models.CharField(max_length=20)
    source_id = models.BigIntegerField()
    source_key = models.CharField(max_length=40)
    source_name = models.CharField(max_length=300, blank=True)
    source_uid = models.CharField(max_length=36, blank=True)
    organisation_id = models.BigIntegerField(null=True, help_text="decides who may see the source")
    thing = models.SmallIntegerField(default=0, help_text="kind of the thing: 0 item, 1 environment, ...")
    thing_id = models.BigIntegerField()
    environment_id = models.BigIntegerField(null=True, help_text="null: wherever the item stands")
    starts = models.BigIntegerField(help_text="microseconds since 1970, included")
    ends = models.BigIntegerField(help_text="microseconds since 1970, excluded")
    magnitude = models.SmallIntegerField()
    strength = models.CharField(max_length=10)
    exclusive = models.BooleanField(default=False)
    usage = models.CharField(max_length=40, blank=True, help_text="the kind of use as which it is shared")
    units = models.PositiveIntegerField(default=1, help_text="how much of the thing's capacity it takes")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends__gt=F("starts")), name="claims_order"),
            models.CheckConstraint(
                condition=Q(strength__in=["tentative", "requested", "approved", "active"]),
                name="claims_strength",
            ),
        ]
        indexes = [
            models.Index("source_kind", "source_id", name="claims_by_source"),
            models.Index("thing", "thing_id", "ends", name="claims_by_thing"),
            models.Index("thing", "magnitude", "starts", name="claims_of_time"),
        ]

    def __str__(self) -> str:
        return f"{self.source_key} on {self.thing_id}"
