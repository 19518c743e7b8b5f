"""How changes are found by search."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from fairway.changes.models import Change
from fairway.changes.words import STATES
from fairway.workspace.commands import searchable
from fairway.workspace.queries import Kind


def _state(state: str) -> tuple[str, str]:
    return ("hold", _("On hold")) if state == "hold" else (state, str(STATES.get(state, state)).capitalize())


def _body(change: Change) -> Iterable[str]:
    yield change.external_id
    yield change.category
    yield change.description
    yield change.reason
    yield from (change.implementation_plan, change.test_plan, change.backout_plan, change.outcome_note)


KIND = Kind(
    "change",
    "changes.view",
    lambda key: f"/changes/{key}",
    lambda: _("Changes"),
    lambda: _("Change"),
    state=_state,
    many="/changes?tab=all",
    order=10,
)
searchable(
    "changes.Change", KIND, body=_body, state=lambda change: "hold" if change.on_hold else change.state
)
