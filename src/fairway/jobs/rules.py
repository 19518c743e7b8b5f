"""When a job is tried again, and when a clock ticks; pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

FIRST, GROWTH, MOST = timedelta(seconds=2), 4, timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def back_off(attempt: int, chance: float) -> timedelta:
    """Return how long to wait after a failed attempt (from 1): 2 s, 8 s, 32 s, … an hour at most.

    `chance`: from 0 to 1, spreads it from half to one and a half of that, so that what failed together does
    not come back together.
    """
    grown: int = GROWTH ** min(attempt - 1, 10)
    return min(FIRST * grown, MOST) * (0.5 + chance)


def last_tick(now: datetime, *, every: timedelta, offset: timedelta = timedelta(0)) -> datetime:
    """Return the last instant at or before now at which a clock ticks: every so often since 1970, in UTC."""
    return EPOCH + offset + (now - EPOCH - offset) // every * every


def next_tick(now: datetime, *, every: timedelta, offset: timedelta = timedelta(0)) -> datetime:
    """Return the first instant after now at which it ticks."""
    return last_tick(now, every=every, offset=offset) + every
