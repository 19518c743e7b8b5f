"""The kinds of records that are found; each context enters its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fairway.accounts import queries as accounts
from fairway.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Kind:
    """`permission`: whoever has it anywhere finds these records on the branches that they see.

    `address` gives a record's page from its key, `plural` the words of the kind in the reader's language,
    `many` the list of those found, to which `q=` is added. `order`: its place among the others.
    """

    name: str
    permission: str
    address: Callable[[str], str]
    plural: Callable[[], str]
    singular: Callable[[], str]
    state: Callable[[str], tuple[str, str]] = lambda state: (state, "")
    many: str = ""
    order: int = 100


KINDS: dict[str, Kind] = {}


def kinds_of(actor: Actor) -> list[Kind]:
    """Return the kinds that the actor may find, in their order."""
    may = accounts.access(actor).may
    found = [kind for kind in KINDS.values() if not kind.permission or may(kind.permission, None)]
    return sorted(found, key=lambda kind: (kind.order, kind.name))
