"""What stands in the log and is not for everybody who sees the record: values of a column, by reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fairway.kernel.actor import Actor

Veil = Callable[[Any, str, Actor | None], Any]
"""Returns a column's value as the reader may see it (None: as everybody may), in an organisation by uid."""

_veils: dict[str, dict[str, Veil]] = {}


def veil(model: str, column: str, hide: Veil) -> None:
    """Register what hides parts of a column from those who may not see them; whoever reads is asked for."""
    _veils.setdefault(model, {})[column] = hide


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
