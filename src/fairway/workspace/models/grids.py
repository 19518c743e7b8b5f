"""How somebody likes the columns of a list."""

from __future__ import annotations

from django.db import models

from fairway.kernel.models import Row


class ListColumns(Row):
    """The columns that a person wants of a list, in their order."""

    person = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    page = models.CharField(max_length=40)
    columns = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "page"], name="workspace_columns_once")]

    def __str__(self) -> str:
        return f"{self.person_id} {self.page}"
