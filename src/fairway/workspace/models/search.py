"""What search knows of each record."""

from __future__ import annotations

from django.db import models


class SearchRow(models.Model):
    """One record as search knows it: a projection, made anew at any time by `fairway search rebuild`.

    The migration adds what finds it: full text over `marks` (FTS5 on SQLite, a tsvector with GIN on
    PostgreSQL) and binary indexes on the folded columns.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=40)
    record_id = models.BigIntegerField()
    uid = models.UUIDField()
    organisation_id = models.BigIntegerField(null=True)
    key = models.CharField(max_length=110)
    key_folded = models.CharField(max_length=220)
    title = models.CharField(max_length=400)
    title_folded = models.CharField(max_length=800)
    body = models.TextField(blank=True, help_text="the beginning of its free text, for showing what was met")
    state = models.CharField(max_length=40, blank=True)
    archived = models.BooleanField(default=False)
    updated_at = models.DateTimeField(help_text="UTC, when the record was last written")
    marks = models.TextField(help_text="its words, as rules.words tells")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "record_id"], name="workspace_search_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
