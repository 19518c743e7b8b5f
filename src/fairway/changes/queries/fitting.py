"""Whether a change fits its planned windows, and its point of no return."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from fairway.calendars import queries as calendars
from fairway.calendars.queries import Target
from fairway.changes.queries.dossier import Proposal
from fairway.changes.rules.fitting import Fit, fit
from fairway.changes.rules.waiving import Exempt, passes
from fairway.kernel.period import Period
from fairway.policy import Finding, Severity
from fairway.scheduling import IntervalSet

DOES_NOT_FIT = "claims.does_not_fit"


RULES = (calendars.FREEZE, calendars.OUTSIDE_MAINTENANCE)


def fits(
    proposal: Proposal,
    concerned: Sequence[Target],
    *,
    at: datetime,
    waivers: Callable[[], Sequence[Exempt]] = lambda: (),
) -> list[Fit]:
    """Return how the work lies in each planned window that is not over, the next one first.

    `concerned`: what calendars are asked about; a freeze that begins, or maintenance that ends, closes early.
    `waivers`: gives those granted to the change, by which it does not; asked where something closes early.
    """
    found = []

    def opened(window: Period, let: calendars.Passes = calendars.NOTHING_PASSES) -> IntervalSet:
        return calendars.openings(
            concerned,
            start=window.start,
            horizon=window.length,
            reason=proposal.freeze_reason,
            downtimes=proposal.downtimes,
            facts=proposal.facts,
            passes=let,
        )

    for window in sorted(proposal.windows):
        if window.end <= at or not proposal.times.known:
            continue
        open_ = opened(window)
        if not open_.covers(window) and (granted := waivers()):
            open_ = opened(window, passes(granted, RULES, at=at))
        first = next(iter(open_), None)
        closes = first.end if first is not None and first.start <= window.start else None
        found.append(fit(window, proposal.times, closes=closes))
    return found


def fit_findings(proposal: Proposal, found: Sequence[Fit]) -> list[Finding]:
    """Return a warning for the first window in which the work does not fit with its back-out."""
    short = [one for one in found if not one.fits]
    if not short:
        return []
    first, times = short[0], proposal.times
    return [
        Finding(
            DOES_NOT_FIT,
            Severity.WARN,
            (proposal.subject,),
            first.window,
            params={
                "minutes": int(times.whole.total_seconds() // 60),
                "close": first.close,
                "windows_short": len(short),
                "with_backout": times.backout is not None,
            },
        )
    ]
