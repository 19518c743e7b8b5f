"""Files that people attach to a record."""

from __future__ import annotations

from django.db import models

from fairway.kernel.models import Record


class Attachment(Record):
    """A file beside a record. Once removed its bytes are let go; that it was there stays.

    `organisation` is that of the subject and follows it; `blob` holds the bytes that `digest` names.
    """

    subject_kind = models.CharField(max_length=40)
    subject_uid = models.UUIDField()
    author = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    name = models.CharField(max_length=150)
    media_type = models.CharField(max_length=100, help_text="as its bytes tell, whatever its name says")
    size = models.BigIntegerField(help_text="bytes")
    digest = models.CharField(max_length=64, help_text="SHA-256, in hex")
    blob = models.ForeignKey("kernel.Blob", models.PROTECT, null=True, related_name="+")
    removed_at = models.DateTimeField(null=True, help_text="UTC")
    removed_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")

    kind = "attachment"
    free_text = frozenset({"name"})
    unlogged = frozenset({"organisation", "blob"})

    class Meta:
        indexes = [models.Index("subject_uid", "created_at", name="workspace_file_subject")]

    @property
    def label(self) -> str:
        return self.name
