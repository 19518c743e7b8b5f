"""What people say about a record."""

from __future__ import annotations

from django.db import models

from fairway.kernel.models import Record, Row


class Comment(Record):
    """Words about a record, in Markdown; who wrote them may alter or withdraw them, and the log keeps both.

    `organisation` is that of the subject and follows it (a projection, hence in no event).
    """

    subject_kind = models.CharField(max_length=40)
    subject_uid = models.UUIDField()
    author = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    text = models.TextField(blank=True, help_text="Markdown; empty once withdrawn")
    edited_at = models.DateTimeField(null=True, help_text="UTC")
    withdrawn_at = models.DateTimeField(null=True, help_text="UTC")
    withdrawn_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")

    kind = "comment"
    free_text = frozenset({"text"})
    unlogged = frozenset({"organisation"})

    class Meta:
        indexes = [
            models.Index("subject_uid", "created_at", name="workspace_comment_subject"),
            models.Index("author", "created_at", name="workspace_comment_author"),
        ]


class Mention(Row):
    """Somebody whom a comment names, and who is told of it."""

    comment = models.ForeignKey(Comment, models.PROTECT, related_name="mentions")
    person = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint("comment", "person", name="workspace_mention_once")]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.comment_id}"

    @property
    def owning_organisation(self) -> int | None:
        return self.comment.organisation_id
