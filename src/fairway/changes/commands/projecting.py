"""Keeps the claims of changes as their rows say, in the transaction that writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fairway.audit.commands import projection
from fairway.changes import queries
from fairway.changes.models import Change
from fairway.claims import queries as claims


@projection("changes.Change", "changes.PlannedWindow", "changes.AffectedItem", "changes.AffectedEnvironment")
def rebuild(rows: Sequence[Any]) -> None:
    """Write anew what the changes of these rows hold."""
    changes = {row.pk if isinstance(row, Change) else row.change_id for row in rows}
    claims.replace(Change.kind, queries.held(sorted(changes)))
