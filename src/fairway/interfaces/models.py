"""What pipelines asked and were told."""

from __future__ import annotations

from django.db import models

from fairway.kernel.models import Row


class AskedDecision(Row):
    """A decision as it was given to a pipeline, with its inputs."""

    asked_at = models.DateTimeField(db_index=True, help_text="UTC")
    actor_uid = models.UUIDField()
    organisation = models.ForeignKey("accounts.Organisation", models.PROTECT, related_name="+", null=True)
    question = models.JSONField(help_text="action, system, environment, change, version, at")
    verdict = models.CharField(max_length=5)
    answer = models.JSONField(help_text="the answer as it was given")

    def __str__(self) -> str:
        return f"{self.question} {self.verdict}"

    @property
    def owning_organisation(self) -> int | None:
        return self.organisation_id
