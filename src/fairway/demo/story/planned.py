"""A change of the story, as it was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fairway.demo.story import work
from fairway.demo.story.calendar import Span


@dataclass(frozen=True, slots=True)
class Step:
    """One step: when, by whom (e-mail address), which verb of the change model, and what is said with it."""

    at: datetime
    by: str
    verb: str
    said: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Planned:
    """A change as it was asked for, and the steps taken with it so far.

    `places` empty: wherever its items stand. `name`: how the story calls it, where it has a part in it.
    """

    unit: str
    work: work.Work
    items: tuple[str, ...]
    places: tuple[str, ...]
    span: Span
    requester: str = ""
    owner: str = ""
    implementers: tuple[str, ...] = ()
    title: str = ""
    description: str = ""
    reason: str = ""
    external_id: str = ""
    priority: int = 3
    freeze_reason: str = ""
    plan: str = ""
    test: str = ""
    backout: str = ""
    downtime: Span | None = None
    name: str = ""
    fate: str = ""
    lead: float = 0
    """Days from being asked for to the start; 0: as is usual."""
    steps: tuple[Step, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Clash:
    """A conflict that the story means to show: the rule, and the names that the story has for the parties
    (one for calendars); see `Planned.name`.
    """

    rule: str
    parties: tuple[str, ...]
