"""The columns that somebody chose for a list."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fairway.audit import queries as audit
from fairway.kernel.actor import Actor
from fairway.workspace.models import ListColumns


def columns_of(actor: Actor, page: str) -> list[str]:
    """Return the names of the columns that the actor wants of a list; none: as usual."""
    mine = ListColumns.objects.filter(person_id=actor.pk or 0, page=page)
    return list(mine.values_list("columns", flat=True).first() or ())


def last_edit(uid: UUID) -> tuple[str, datetime] | None:
    """Return who wrote a record last, and when; None: nobody that the log knows."""
    return audit.last_writer(uid, after=0)
