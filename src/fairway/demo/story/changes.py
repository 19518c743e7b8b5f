"""The changes of the last and the next quarter."""

from __future__ import annotations

import random
from datetime import datetime

from fairway.demo.story.planned import Clash, Planned
from fairway.demo.story.special import special
from fairway.demo.story.teller import Teller

COUNT = 300
"""Changes in all, those that show something included."""


def changes(now: datetime, *, seed: int) -> tuple[list[Planned], list[Clash]]:
    """Return the bank's changes in the order of being asked for, with the conflicts meant to be there."""
    teller = Teller(now, random.Random(f"{seed} {now.date()}"))  # noqa: S311 - a story, no secret
    shown, clashes = special(teller)
    planned = [*shown, *teller.usual(COUNT - len(shown))]
    told = teller.tell(planned)
    return sorted(told, key=lambda change: change.steps[0].at), clashes
