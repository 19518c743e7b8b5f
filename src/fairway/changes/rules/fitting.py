"""Whether work fits its window with test and back-out, and from when on there is no way back; pure.

What closes a window is its own end, or what stops the work before: a freeze that begins, maintenance that
ends. The point of no return is the last instant at which backing out still ends before that; whoever is not
done with implementation and test by then should back out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from fairway.kernel.period import Period

NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class Times:
    """How long the parts of the work take; None: nobody said."""

    implementation: timedelta | None = None
    test: timedelta | None = None
    backout: timedelta | None = None

    @property
    def known(self) -> bool:
        return any(part is not None for part in (self.implementation, self.test, self.backout))

    @property
    def whole(self) -> timedelta:
        """Return how long it takes at worst: doing it, seeing that it fails, going back."""
        return (self.implementation or NOTHING) + (self.test or NOTHING) + (self.backout or NOTHING)


@dataclass(frozen=True, slots=True)
class Fit:
    """How the work lies in one window; `close`: until when it may go on there."""

    window: Period
    close: datetime
    times: Times
    start: datetime

    @property
    def fits(self) -> bool:
        return self.start + self.times.whole <= self.close

    @property
    def latest_start(self) -> datetime:
        return self.close - self.times.whole

    @property
    def point_of_no_return(self) -> datetime | None:
        """None: nobody said how long backing out takes."""
        return self.close - self.times.backout if self.times.backout is not None else None


def fit(
    window: Period, times: Times, *, closes: datetime | None = None, start: datetime | None = None
) -> Fit:
    """Return how the work lies in a window that something else may close earlier.

    `start`: when work begins or began; None: with the window.
    """
    close = min(window.end, closes) if closes is not None else window.end
    return Fit(window, close, times, max(start, window.start) if start is not None else window.start)
