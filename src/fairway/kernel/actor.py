"""Who acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Actor:
    """The person, service or system that a command or question comes from.

    `scopes` are a token's: the permissions it is limited to; None: all that the person has. `token`: its
    primary key where one was used, and `until` its end.
    `revisions` are the numbers that the database gave out when the actor was found (see audit.queries).
    """

    kind: Literal["person", "service", "system"]
    pk: int | None
    uid: str
    name: str
    zone: str = "UTC"
    scopes: frozenset[str] | None = None
    token: int | None = None
    until: datetime | None = None
    on_behalf_of: str = ""
    request_id: str = ""
    revisions: Mapping[str, int] = field(default_factory=dict, compare=False)

    @property
    def is_system(self) -> bool:
        return self.kind == "system"


SYSTEM = Actor("system", None, "00000000-0000-0000-0000-000000000000", "Fairway")
"""Fairway itself: migrations, the demo company, jobs. It may do everything and stands in the log by this
name.
"""
