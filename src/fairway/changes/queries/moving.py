"""Who may move which of many changes in time, told without a question for each."""

from __future__ import annotations

from collections.abc import Collection

from fairway.accounts import queries as accounts
from fairway.changes.rules import Workflow, relations
from fairway.kernel.actor import Actor


class Mover:
    """Says whether one person may reschedule changes; it remembers by what the answer hangs on."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._may = accounts.access(actor).may
        self._known: dict[tuple[object, ...], bool] = {}

    def may(
        self,
        model: Workflow,
        state: str,
        organisation: int,
        requester: int | None,
        owner: int | None,
        implementers: Collection[int],
    ) -> bool:
        """Say so of a change in a state, for a hint on a bar; the command itself decides."""
        person = self._actor.pk
        own = person is not None and (person in (requester, owner) or person in implementers)
        key: tuple[object, ...] = (id(model), state, organisation, bool(implementers))
        if own:
            related = relations(person, requester=requester, owner=owner, implementers=implementers)
            key = (*key, related)
        if (known := self._known.get(key)) is None:
            related = relations(person, requester=requester, owner=owner, implementers=implementers)
            step = model.step(state, "reschedule")
            known = step is not None and step.open_to(related, lambda name: self._may(name, organisation))
            self._known[key] = known
        return known
