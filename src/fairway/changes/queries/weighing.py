"""What stands in the way of many changes at once, for lists."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, partial

from fairway.audit import queries as audit
from fairway.calendars.queries import Activity
from fairway.changes.queries.deciding import ahead_of, claims_of, fits_of, let_pass, said, unwaived
from fairway.changes.queries.dossier import Proposal
from fairway.changes.queries.fitting import fit_findings
from fairway.changes.queries.holding import proposals
from fairway.changes.queries.waiving import exempt
from fairway.changes.rules.waiving import Exempt, waivable
from fairway.claims import queries as claims
from fairway.policy import Finding


def findings_of(changes: Collection[int], *, at: datetime) -> dict[int, list[Finding]]:
    """Return, by change, its clashes at any time, and what calendars say of its windows that are not over.

    The number of statements does not grow with the changes, but for those of several windows with waivers.
    """
    asked = {pk: proposal for pk, proposal in proposals(changes).items() if proposal is not None}
    found: dict[int, list[Finding]] = {pk: [] for pk in changes}
    stopped: dict[int, tuple[Proposal, Activity]] = {}

    @cache
    def waivers() -> dict[int, list[Exempt]]:
        return exempt(asked)

    with audit.steady():
        every = [claim for proposal in asked.values() for claim in claims_of(proposal)]
        for finding in claims.clashes(subject=None, claims=every):
            pk = finding.parties[0].pk
            if pk is not None:
                found[pk].append(finding)
        for pk, proposal in asked.items():
            ahead = [period for period in proposal.windows if period.end > at]
            if proposal.strength == "active" or not ahead:
                continue
            planned = replace(proposal, windows=tuple(ahead), downtimes=ahead_of(proposal.downtimes, at))
            activity = Activity.START if proposal.strength == "approved" else Activity.SCHEDULE
            found[pk] += said(planned, activity)
            found[pk] += fit_findings(proposal, fits_of(proposal, at=at, waivers=partial(_of, waivers, pk)))
            if any(waivable(finding) for finding in found[pk]):
                stopped[pk] = (planned, activity)
        for pk, granted in (exempt(stopped) if stopped else {}).items():
            planned, activity = stopped[pk]
            look = partial(unwaived, activity=activity)
            found[pk] = let_pass(planned, look, at=at, found=found[pk], waivers=granted)
    return {pk: sorted(some, key=lambda finding: finding.order) for pk, some in found.items()}


def _of(waivers: Callable[[], dict[int, list[Exempt]]], change: int) -> Sequence[Exempt]:
    return waivers().get(change, ())
