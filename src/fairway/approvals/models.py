"""The tables of voting."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fairway.kernel.models import Row


class Round(Row):
    """One round of voting on a subject: opened when approval is asked for, its policy frozen then.

    The subject is known by reference only; at most one round of it is open.
    """

    class Outcome(models.TextChoices):
        OPEN = "open", _("open")
        APPROVED = "approved", _("approved")
        REJECTED = "rejected", _("rejected")
        WITHDRAWN = "withdrawn", _("withdrawn")

    organisation = models.ForeignKey("accounts.Organisation", models.PROTECT, related_name="+")
    subject_kind = models.CharField(max_length=40)
    subject_uid = models.UUIDField(db_index=True)
    quorum = models.PositiveSmallIntegerField()
    rejections = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.OPEN)
    opened_at = models.DateTimeField(help_text="UTC")
    closed_at = models.DateTimeField(null=True, help_text="UTC")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "subject_uid", condition=Q(outcome="open"), name="approvals_one_open_round"
            ),
            models.CheckConstraint(
                condition=Q(quorum__gte=1, rejections__gte=1), name="approvals_round_asks"
            ),
            models.CheckConstraint(
                condition=Q(outcome="open", closed_at__isnull=True)
                | (~Q(outcome="open") & Q(closed_at__isnull=False)),
                name="approvals_round_closed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} round on {self.subject_kind} {self.subject_uid}"

    @property
    def owning_organisation(self) -> int | None:
        return self.organisation_id


class Vote(Row):
    """What one person said about the content that they saw, named by its digest. Append-only."""

    class Choice(models.TextChoices):
        APPROVE = "approve", _("Approve")
        REJECT = "reject", _("Reject")

    round = models.ForeignKey(Round, models.PROTECT, related_name="votes")
    voter = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    instead = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, related_name="+", help_text="for whom the voter stood in"
    )
    choice = models.CharField(max_length=10, choices=Choice)
    comment = models.TextField(blank=True)
    digest = models.CharField(max_length=64)
    cast_at = models.DateTimeField(help_text="UTC")

    free_text = frozenset({"comment"})

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(choice__in=["approve", "reject"]), name="approvals_vote_choice"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.choice} by {self.voter}"

    @property
    def owning_organisation(self) -> int | None:
        return self.round.organisation_id
