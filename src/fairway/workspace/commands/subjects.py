"""Making a kind of record known: that it is found, and that what is said about it follows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fairway.audit.commands import projection
from fairway.workspace import queries
from fairway.workspace.models import Comment

FOLLOWING = (Comment,)
"""Rows that belong to the organisation of the record that they are about."""


def register(kind: queries.SubjectKind) -> None:
    """Make a kind of record known; called once by its context, at start."""
    queries.register(kind)

    @projection(kind.model)
    def follow(written: Sequence[Any]) -> None:
        """Let what belongs to a record move with it to another organisation."""
        for record in written:
            if record.version > 1:
                for model in FOLLOWING:
                    rows = model.objects.filter(subject_uid=record.uid)
                    rows.exclude(organisation_id=record.organisation_id).update(
                        organisation_id=record.organisation_id
                    )
