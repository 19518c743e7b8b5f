"""Making a kind of record known: that it is found, and that what is said about it follows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fairway.audit.commands import projection
from fairway.workspace import queries
from fairway.workspace.models import Attachment, Comment

FOLLOWING: tuple[Any, ...] = (Comment, Attachment)
"""Rows that belong to the organisation of the record that they are about."""


def register(kind: queries.SubjectKind) -> None:
    """Make a kind of record known; called once by its context, at start."""
    queries.register(kind)
    if kind.moves:
        projection(kind.model)(follow)


def follow(written: Sequence[Any]) -> None:
    """Let what belongs to records move with them to other organisations. One statement for each table."""
    places = {record.uid: record.organisation_id for record in written if record.version > 1}
    for model in FOLLOWING if places else ():
        rows = model.objects.filter(subject_uid__in=places).only("subject_uid", "organisation_id")
        moved = [row for row in rows if row.organisation_id != places[row.subject_uid]]
        for row in moved:
            row.organisation_id = places[row.subject_uid]
        if moved:
            model.objects.bulk_update(moved, ["organisation"], batch_size=500)
