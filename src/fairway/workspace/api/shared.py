"""What the parts of the workspace's API have in common."""

from __future__ import annotations

from typing import Any

import msgspec

from fairway.accounts.web import ApiController, RefView, ref_view
from fairway.audit import queries as audit
from fairway.audit.commands import Outcome
from fairway.kernel.errors import NotFound
from fairway.kernel.models import Versioned


class KeyPath(msgspec.Struct):
    key: str


def person_view(row: dict[str, Any], name: str) -> RefView | None:
    """Return the person that a row of a list names, by the prefix of its columns."""
    if row[f"{name}__number"] is None:
        return None
    return RefView(
        kind="user",
        key=f"USR-{row[f'{name}__number']}",
        name=row[f"{name}__name"],
        uid=str(row[f"{name}__uid"]),
    )


def subject_view(record: Versioned) -> RefView:
    return ref_view(record.ref())


def made(controller: ApiController, outcome: Outcome, model: str) -> str:
    """Return the uid of the row of this model that a command made: its event is about another record."""
    if outcome.sequence is None:
        raise NotFound("Nothing was written.")
    rows = audit.rows_written(model.partition(".")[0], after=outcome.sequence - 1, limit=1)
    return next(row.uid for row in rows if row.model == model)
