"""Whether a pipeline may deploy: the change must cover it, be approved, be on time and undisturbed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fairway.calendars import queries as calendars
from fairway.calendars.queries import Target
from fairway.catalog import queries as catalog
from fairway.changes.queries.deciding import Case, targets, time_findings
from fairway.changes.queries.dossier import Dossier, Proposal, dossier
from fairway.environments import queries as environments
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref
from fairway.policy import Decision, Finding, Severity, decide

ACTIONS = ("deploy",)
HORIZON = timedelta(days=366)
INSTANT = timedelta(microseconds=1)
"""What is asked about is an instant; intervals need a length, and this is the least there is."""


def clearance(
    actor: Actor,
    *,
    item: str,
    environment: str,
    at: datetime,
    action: str = "deploy",
    change: str = "",
    version: str = "",
) -> Decision:
    """Decide whether this may be deployed there, at the instant.

    Open and coordinated environments: always; the second is told, so that whoever holds it can be asked.
    Controlled ones: only under a change that covers item and environment, is approved as it stands, has a
    planned window open, is not on hold, and has nothing in its way that blocks.

    `version` is part of the question and of its record; nothing hangs on it yet.
    :raises NotFound: the actor sees no such item, environment or change. :raises Invalid: no such action.
    """
    if action not in ACTIONS:
        raise Invalid.field("action", f"There is no action “{action[:40]}”; there is {', '.join(ACTIONS)}.")
    thing, where = catalog.item(actor, item), environments.environment(actor, environment)
    place, control = where.ref(), where.control
    named = dossier(actor, change) if change else None
    if control == "open":
        return decide([], at=at)
    if control == "coordinated":
        word = Finding("changes.coordinated", Severity.INFORM, (place,), params={"environment": place.key})
        return decide([word], at=at)
    if named is None:
        params = {"why": "required", "environment": place.key}
        return decide([Finding("changes.consent", Severity.BLOCK, (place,), params=params)], at=at)
    return _Question(named, thing.ref(), place, thing.pk, where.pk, at).answer()


@dataclass(slots=True)
class _Question:
    """May the change do its work on this item, in this controlled environment, at the instant?"""

    dossier: Dossier
    item: Ref
    environment: Ref
    item_pk: int
    environment_pk: int
    at: datetime

    def answer(self) -> Decision:
        lasting = self._lasting()
        decision = decide([*lasting, *self._passing(self.at)], at=self.at)
        if lasting:
            return decision  # time alone will not help
        if decision.denied:
            return replace(decision, next_open=next(self._openings(self.at), None))
        return replace(decision, next_close=self._close())

    def _lasting(self) -> list[Finding]:
        """Return what no waiting heals: state, scope, hold, consent."""
        change, workflow = self.dossier.change, self.dossier.workflow
        found = []
        state = workflow.by_slug[change.state]
        ready = "in_progress" in state.predicates or (
            "approved" in state.predicates and state.claim == "approved"
        )
        if not ready:
            found.append(
                Finding("changes.state", Severity.BLOCK, (change.ref(),), params={"state": change.state})
            )
        places = self.dossier.environments
        if self.item_pk not in self.dossier.items or (places and self.environment_pk not in places):
            params = {"item": self.item.key, "environment": self.environment.key}
            found.append(Finding("changes.scope", Severity.BLOCK, (change.ref(),), params=params))
        case = Case(self.dossier, self.dossier.proposal(), change.digest, self.at)
        return [*found, *case.findings("not_held"), *case.findings("consent")]

    def _passing(self, at: datetime) -> list[Finding]:
        """Return what holds at an instant and may pass: the planned window, clashes, calendars."""
        whole = Case(self.dossier, self.dossier.proposal(), self.dossier.change.digest, at)
        return [*whole.findings("window_open"), *time_findings(self._here(Period(at, at + INSTANT)), at=at)]

    def _here(self, *windows: Period) -> Proposal:
        """Return what the change asks of this item in this environment, in these periods."""
        down = [
            common
            for period in windows
            for downtime in self.dossier.periods(downtime=True)
            if (common := period & downtime) is not None
        ]
        return replace(
            self.dossier.proposal(),
            windows=windows,
            downtimes=tuple(down),
            items=(self.item_pk,),
            environments=(self.environment_pk,),
        )

    def _targets(self) -> list[Target]:
        here = self._here()
        return targets(here.organisation, here.items, here.environments)

    def _open_periods(self, after: datetime) -> Iterator[Period]:
        """Give the parts of the planned windows that calendars leave open, from an instant on."""
        reason = self.dossier.proposal().freeze_reason
        for window in sorted(self.dossier.periods(downtime=False)):
            if window.end <= after:
                continue
            start = max(window.start, after)
            yield from calendars.openings(
                self._targets(), start=start, horizon=window.end - start, reason=reason
            )

    def _openings(self, after: datetime) -> Iterator[datetime]:
        """Give the first instant of each stretch in which nothing blocks."""
        for period in self._open_periods(after):
            at = period.start
            while at < period.end:
                blocking = self._blocking(Period(at, period.end))
                meets = [found for found in blocking if at in found]
                if not meets:
                    yield at
                    break
                at = max(found.end for found in meets)

    def _close(self) -> datetime | None:
        """Return until when nothing will block, from now on."""
        current = next((period for period in self._open_periods(self.at) if self.at in period), None)
        if current is None:
            return None
        return min([current.end, *(period.start for period in self._blocking(Period(self.at, current.end)))])

    def _blocking(self, period: Period) -> list[Period]:
        return [
            found.interval
            for found in time_findings(self._here(period), at=period.start)
            if found.severity is Severity.BLOCK
            and found.interval is not None
            and found.rule.startswith("claims.")
        ]
