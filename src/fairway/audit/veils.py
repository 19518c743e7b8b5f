"""What stands in the log and is not for everybody who sees the record: values of a column, by reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fairway.kernel.actor import Actor

Veil = Callable[[Any, str, Actor | None], Any]
"""Returns a column's value as the reader may see it (None: as everybody may), in an organisation by uid."""

Cover = Callable[[str, Actor | None], bool]
"""Says whether a reader (None: just anybody) may not know of a row, by uid."""

_veils: dict[str, dict[str, Veil]] = {}
_covers: dict[str, Cover] = {}


def veil(model: str, column: str, hide: Veil) -> None:
    """Register what hides parts of a column from those who may not see them; whoever reads is asked for."""
    _veils.setdefault(model, {})[column] = hide


def cover(model: str, hide: Cover) -> None:
    """Register what hides whole rows of a model from those who may not know that there are such."""
    _covers[model] = hide


def covered(model: str, uid: str, reader: Actor | None) -> bool:
    """Say whether a row is none for the reader."""
    return model in _covers and _covers[model](uid, reader)


def veiled(
    model: str, changes: Mapping[str, Any], organisation: str, reader: Actor | None
) -> Mapping[str, Any]:
    """Return what a row changed, before and after, as the reader may see it."""
    hidden = _veils.get(model)
    if hidden is None or not hidden.keys() & changes.keys():
        return changes
    return {
        name: [hidden[name](value, organisation, reader) for value in pair] if name in hidden else pair
        for name, pair in changes.items()
    }
