"""Imports that are kept: their file, how far they are, what came of each row; and mappings by name."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from fairway.kernel.models import Record, uid_lookup


class ImportRun(Record):
    """One file on its way in: laid out, checked, imported. What the work itself writes stands in no event."""

    class State(models.TextChoices):
        NEW = "new", _("To be laid out")
        CHECKING = "checking", _("Checking")
        CHECKED = "checked", _("Checked")
        IMPORTING = "importing", _("Importing")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    user = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    what = models.CharField(max_length=40, help_text="kind of record, or adapter")
    file = models.CharField(max_length=200, blank=True)
    size = models.BigIntegerField(help_text="bytes")
    blob = models.ForeignKey("kernel.Blob", models.PROTECT, related_name="+")
    options = models.JSONField(default=dict, help_text="how to take the file: exchange.entries.Options")
    layout = models.JSONField(default=dict, help_text="its columns, first rows and sheets")
    state = models.CharField(max_length=10, choices=State, default=State.NEW)
    job = models.UUIDField(null=True, help_text="uid of the job that works on it, where one does")
    begun = models.BooleanField(default=False, help_text="whether rows may have been stored")
    attempt = models.PositiveIntegerField(default=0, help_text="grows with each start; earlier ones end")
    position = models.BigIntegerField(default=0, help_text="rows that are done")
    total = models.BigIntegerField(null=True)
    counts = models.JSONField(default=dict, help_text="rows by result")
    notes = models.JSONField(default=list)
    error = models.TextField(blank=True)
    finished_at = models.DateTimeField(null=True, help_text="UTC")

    kind = "import"
    free_text = frozenset({"file"})
    unlogged = frozenset(
        {
            "blob",
            "options",
            "layout",
            "state",
            "job",
            "begun",
            "attempt",
            "position",
            "total",
            "counts",
            "notes",
            "error",
            "finished_at",
        }
    )

    class Meta:
        indexes = [models.Index("organisation", "uid", name="exchange_import_of_branch")]

    @property
    def label(self) -> str:
        return self.file

    @classmethod
    def lookup(cls, reference: str) -> dict[str, object] | None:
        return uid_lookup(reference)


class ImportLine(models.Model):
    """What came of one row, or would come of it; the first ones of each result are kept."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="lines", db_index=False)
    row = models.BigIntegerField()
    line = models.BigIntegerField()
    place = models.CharField(max_length=100, blank=True)
    result = models.CharField(max_length=10)
    key = models.CharField(max_length=120, blank=True)
    values = models.JSONField(default=dict)
    changes = models.JSONField(default=list, help_text="[field, from, to]")
    faults = models.JSONField(default=list, help_text="[column, field, what is wrong, place]")

    class Meta:
        indexes = [models.Index("run", "result", "id", name="exchange_line_by_result")]

    def __str__(self) -> str:
        return f"{self.run_id} row {self.row}"


class SavedMapping(Record):
    """A mapping file by name, for whoever imports into the branch."""

    name = models.CharField(max_length=100)
    what = models.CharField(max_length=40, help_text="the kind of record that it makes")
    text = models.TextField()

    kind = "mapping"

    class Meta:
        constraints = [
            models.UniqueConstraint("organisation", "what", "name", name="exchange_mapping_once"),
        ]

    @property
    def label(self) -> str:
        return self.name
