"""The past of a record: its events, the record as it was, and what differs in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps

from fairway.accounts import queries as accounts
from fairway.audit import queries as audit
from fairway.kernel.actor import Actor
from fairway.kernel.errors import NotFound
from fairway.kernel.models import Row, Versioned
from fairway.workspace.queries import subjects
from fairway.workspace.rules.past import State, replay, until


@dataclass(frozen=True, slots=True)
class Past:
    """The events about a record, oldest first, and what the reader may see of them."""

    record: Versioned
    model: str
    parts: Sequence[str]
    events: Sequence[dict[str, Any]]
    organisations: frozenset[str] | None

    @property
    def texts(self) -> dict[str, frozenset[str]]:
        found = {}
        for label in (self.model, *self.parts):
            model = apps.get_model(label)
            found[label] = model.free_text if issubclass(model, Row) else frozenset()
        return found

    def shown(self) -> list[dict[str, Any]]:
        """Return the events that the reader may see, the newest first, with the rows that they may see."""
        seen = self.organisations
        return [
            {**event, "rows": [row for row in event["rows"] if seen is None or row["organisation"] in seen]}
            for event in reversed(self.events)
            if seen is None or event["organisation"] in seen
        ]

    def state(self, at: datetime | None) -> State:
        """Return the record as it was known at an instant (None: now), its own row and its parts.

        :raises NotFound: it was not there yet, or belonged to an organisation that the reader does not see.
        """
        state = replay(until(self.events, at), texts=self.texts)
        own = (self.model, str(self.record.uid))
        kept = {own[0], *self.parts}
        seen = self.organisations
        for key in list(state.rows):
            if key[0] not in kept or (seen is not None and state.organisations[key] not in seen):
                del state.rows[key]
        if own not in state.rows:
            raise NotFound(f"{self.record.key} is not known at that instant.")
        return state


def past(actor: Actor, kind: str, reference: str) -> Past:
    """Return the past of a record.

    :raises NotFound: there is no such record for the actor. :raises Forbidden: they may not see its history.
    """
    record = subjects.subject(actor, kind, reference)
    accounts.require(actor, "audit.view", at=record.owning_organisation)
    organisations = accounts.places(actor, "audit.view")
    events = audit.life(record.uid, organisations=organisations, reader=actor)
    known = subjects.kind_of(kind)
    return Past(record, known.model, tuple(known.parts), events, audit.visible_uids(organisations))
