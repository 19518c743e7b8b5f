"""References: how one record names another, inside and outside."""

from __future__ import annotations

import os
import time
import uuid
from dataclasses import dataclass, field


def uuid7() -> uuid.UUID:
    """Return a time-ordered identifier.

    Source: RFC 9562, 5.7, with 12 bits of sub-millisecond fraction (its method 3).
    """
    now = time.time_ns()
    millis, rest = divmod(now, 1_000_000)
    fraction = (rest << 12) // 1_000_000
    random = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    return uuid.UUID(int=(millis << 80) | (0x7 << 76) | (fraction << 64) | (0b10 << 62) | random)


@dataclass(frozen=True, slots=True)
class Ref:
    """Names a record: its kind (`change`, `item`) and its human key; two are equal when these are.

    `organisation` is the primary key of the organisation that decides who may see it; None: everyone.
    """

    kind: str
    key: str
    name: str = field(default="", compare=False)
    uid: str = field(default="", compare=False)
    pk: int | None = field(default=None, compare=False)
    organisation: int | None = field(default=None, compare=False)

    @property
    def hidden(self) -> bool:
        return self == HIDDEN

    def __str__(self) -> str:
        return self.key


HIDDEN = Ref("hidden", "", "another organisation")
"""Stands for a party that the caller may not see."""


def as_uid(reference: str) -> uuid.UUID | None:
    """Return the reference as a uid, or None where it is a key or slug."""
    if len(reference) == 36:
        try:
            return uuid.UUID(reference)
        except ValueError:
            return None
    return None
