"""What speaks for and against a change: its conditions as findings, and the decision that follows.

The dry run, the record page, the list, the form that is being filled in and the commands all ask here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache, partial

from fairway.accounts import queries as accounts
from fairway.approvals import queries as approvals
from fairway.approvals.queries import Ballot
from fairway.audit import queries as audit
from fairway.calendars import queries as calendars
from fairway.calendars.queries import Activity, Target
from fairway.catalog import queries as catalog
from fairway.changes.models import Change, ChangeTemplate
from fairway.changes.queries.dossier import Dossier, Proposal
from fairway.changes.queries.fitting import fit_findings, fits
from fairway.changes.queries.waiving import exempt
from fairway.changes.rules import Workflow
from fairway.changes.rules.fitting import Fit
from fairway.changes.rules.waiving import Exempt, honoured, waivable, window_by_window
from fairway.claims import queries as claims
from fairway.claims.queries import Claim, Strength, Thing
from fairway.environments import queries as environments
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref
from fairway.policy import Decision, Finding, Severity, Verdict, decide

INSTANT = timedelta(microseconds=1)
"""What is asked about is an instant; intervals need a length, and this is the least there is."""
_UNEXPLAINED = {"held", "unconsented", "refused", "assessed", "unreviewed"}


def targets(
    organisation: int, items: Sequence[int], places: Sequence[int], model: int | None = None
) -> list[Target]:
    """Return what calendars are asked about: each item in each environment, or everywhere."""
    kept, stands = catalog.facts(items), environments.facts()
    own = accounts.branch(organisation)
    branches: dict[int, frozenset[int]] = {organisation: own}

    def branch(pk: int) -> frozenset[int]:
        if pk not in branches:
            branches[pk] = accounts.branch(pk)
        return branches[pk]

    things: Sequence[int | None] = items or (None,)
    wheres: Sequence[int | None] = places or (None,)
    found = []
    for item in things:
        thing = kept[item] if item is not None else None
        above = own | branch(thing.organisation) if thing is not None else own
        for place in wheres:
            where = stands[place] if place is not None else None
            found.append(
                Target(
                    item=item,
                    environment=place,
                    organisations=above | branch(where.organisation) if where is not None else above,
                    criticality=thing.criticality if thing is not None else None,
                    tier=where.tier if where is not None else None,
                    item_ref=thing.ref if thing is not None else None,
                    environment_ref=where.ref if where is not None else None,
                    model=model,
                )
            )
    return found


def claims_of(proposal: Proposal, *, within: Period | None = None) -> list[Claim]:
    """Return what the proposal holds: each window on each item and place; a downtime excludes others. And
    each window of the time of everybody who carries it out. `within`: if work filled this period.
    """
    windows = proposal.windows if within is None else (within,)
    downtimes = proposal.downtimes if within is None else common(proposal.downtimes, within)
    strength = Strength(proposal.strength if proposal.strength != "none" else "tentative")
    on_items = [
        Claim(
            source=proposal.subject,
            item=item,
            environment=place,
            period=period,
            strength=strength,
            exclusive=exclusive,
        )
        for exclusive, periods in ((False, windows), (True, downtimes))
        for period in periods
        for item in proposal.items
        for place in proposal.environments or (None,)
    ]
    return on_items + [
        Claim(proposal.subject, person, None, period, strength, thing=Thing.PERSON)
        for period in windows
        for person in proposal.people
    ]


def time_findings(
    proposal: Proposal, *, at: datetime, activity: Activity = Activity.SCHEDULE
) -> list[Finding]:
    """Return every finding about the planned time that is not over: clashes, and what windows say.

    `activity`: what is to be done with the time next, which is what windows weigh.
    """
    ahead = still_ahead(proposal, at)
    if not ahead.windows:
        return [_over(proposal)] if proposal.windows else []
    return [*_in_the_way(ahead, activity, at=at), *fit_findings(ahead, fits_of(ahead, at=at))]


def stopped(proposal: Proposal, activity: Activity, *, at: datetime) -> list[Finding]:
    """Return what windows say that refuses the activity for the planned time that is not over."""
    ahead = still_ahead(proposal, at)
    with audit.steady():
        found = let_pass(ahead, lambda one: said(one, activity), at=at) if ahead.windows else []
    return [one for one in found if one.severity in {Severity.BLOCK, Severity.UNKNOWN}]


def stopped_at(verb: str, case: Case, *, at: datetime) -> list[Finding]:
    """Return what windows say against a step beside what its model asks for: work that is locked goes on
    only once the lockdown is released, and some keep changes from being submitted.
    """
    if verb in {"start", "resume", "complete"}:
        return not_locked(case.dossier.change)
    return stopped(case.proposal, Activity.SUBMIT, at=at) if verb == Activity.SUBMIT else []


def said(proposal: Proposal, activity: Activity) -> list[Finding]:
    """Return what windows say about doing this with the proposal's time."""
    return calendars.findings(
        subject=proposal.subject,
        targets=targets(proposal.organisation, proposal.items, proposal.environments, proposal.model),
        periods=proposal.windows,
        reason=proposal.freeze_reason,
        activity=activity,
        downtimes=proposal.downtimes,
        facts=proposal.facts,
    )


def ahead_of(periods: Iterable[Period], at: datetime) -> tuple[Period, ...]:
    """Return the periods that are not over."""
    return tuple(period for period in periods if period.end > at)


def still_ahead(proposal: Proposal, at: datetime) -> Proposal:
    """Return the proposal with the periods that are not over."""
    return replace(
        proposal, windows=ahead_of(proposal.windows, at), downtimes=ahead_of(proposal.downtimes, at)
    )


def work_findings(proposal: Proposal, *, at: datetime) -> list[Finding]:
    """Return every finding about working at the instant; not later that night, not on others.

    Whether a planned window is open is another question, see `window_open`.
    """
    return _in_the_way(cut(proposal, Period(at, at + INSTANT)), Activity.START, at=at)


def cut(proposal: Proposal, period: Period) -> Proposal:
    """Return what the proposal asks if work fills the period; items are down as planned."""
    return replace(proposal, windows=(period,), downtimes=common(proposal.downtimes, period))


def common(periods: Iterable[Period], period: Period) -> tuple[Period, ...]:
    """Return what the periods have in common with one."""
    return tuple(both for one in periods if (both := period & one) is not None)


def _in_the_way(proposal: Proposal, activity: Activity, *, at: datetime) -> list[Finding]:
    """Return what stands in the way of the proposal; what was waived for it only warns."""
    return let_pass(proposal, lambda one: unwaived(one, activity), at=at)


def let_pass(
    proposal: Proposal,
    look: Callable[[Proposal], list[Finding]],
    *,
    at: datetime,
    found: list[Finding] | None = None,
    waivers: Sequence[Exempt] | None = None,
) -> list[Finding]:
    """Return the findings that are looked up, where those that are waived only warn.

    Of several windows each is looked up by itself where there are waivers: each is an occurrence. `found`:
    what was looked up already. Without `waivers` those of the change are read, where there is something to
    waive: one statement.
    """
    found = look(proposal) if found is None else found
    change = proposal.subject.pk
    if change is None or not any(waivable(finding) for finding in found):
        return found
    granted = exempt([change]).get(change, []) if waivers is None else waivers
    if not granted:
        return found
    if len(proposal.windows) == 1:
        return honoured(found, granted, at=at)
    return window_by_window(
        proposal.windows, lambda window: honoured(look(cut(proposal, window)), granted, at=at)
    )


def unwaived(proposal: Proposal, activity: Activity) -> list[Finding]:
    """Return what stands in the way of the proposal, whatever was waived."""
    with audit.steady():
        return [
            *claims.clashes(subject=proposal.subject, claims=claims_of(proposal)),
            *said(proposal, activity),
        ]


def _over(proposal: Proposal) -> Finding:
    last = max(proposal.windows, key=lambda period: period.end)
    return Finding("changes.window", Severity.BLOCK, (proposal.subject,), last, params={"over": True})


def not_held(change: Change) -> list[Finding]:
    if change.held_at is None:
        return []
    # the reason is free text of the change: who may not see the change does not get it, see Finding.redacted
    return [Finding("changes.hold", Severity.BLOCK, (change.ref(),), params={"reason": change.hold_reason})]


def not_locked(change: Change) -> list[Finding]:
    """Return a finding where a lockdown holds the change."""
    if change.locked_at is None:
        return []
    params = {"lockdown": change.locked_by}
    return [Finding("changes.lockdown", Severity.BLOCK, (change.ref(),), params=params)]


def window_open(subject: Ref, windows: Iterable[Period], *, at: datetime) -> list[Finding]:
    """Return a finding unless one of the windows is open at the instant."""
    listed = sorted(windows)
    if any(at in period for period in listed):
        return []
    coming = next((period for period in listed if period.start > at), None)
    if coming is not None:
        return [Finding("changes.window", Severity.BLOCK, (subject,), coming)]
    if listed:
        return [Finding("changes.window", Severity.BLOCK, (subject,), listed[-1], params={"over": True})]
    return [Finding("changes.window", Severity.BLOCK, (subject,))]


def fixed_by(template: ChangeTemplate, change: Change) -> bool:
    """Say whether the change still is what its template authorises."""
    return all(getattr(change, name) == getattr(template, name) for name in ChangeTemplate.FIXED)


def consent_findings(
    change: Change,
    workflow: Workflow,
    ballots: Iterable[Ballot],
    *,
    digest: str,
    parties: Iterable[int | None],
    at: datetime,
) -> list[Finding]:
    """Return a finding unless the content of this digest is validly approved."""

    def missing(why: str, **params: object) -> list[Finding]:
        return [Finding("changes.consent", Severity.BLOCK, (change.ref(),), params={"why": why, **params})]

    if workflow.approval.by == "template":
        template = change.template
        if template is None or not fixed_by(template, change):
            return missing("template")
        return [] if template.authorised else missing("template", template=template.name)
    told = approvals.standing(change.round, ballots, digest=digest, parties=parties, at=at)
    if told is None:
        return missing("none")
    if told.given:
        return []
    if told.refused:
        return missing("refused")
    if told.stale:
        return missing("stale")
    if told.discounted:
        return missing("discounted")
    return missing("none", missing=told.missing)


@dataclass(slots=True)
class Case:
    """A change as it would be after a step, and who takes it: answers its conditions, each looked up once."""

    dossier: Dossier
    proposal: Proposal
    digest: str
    at: datetime
    person: int | None = None
    working: bool = False
    """Whether the person would be carrying the change out, from this instant on: they may not count among its
    approvers, and of time the instant is weighed, as it is for a pipeline.
    """
    _found: dict[str, list[Finding]] = field(default_factory=dict)

    def holds(self, condition: str) -> bool:
        change = self.dossier.change
        match condition:
            case "held":
                return change.held_at is not None
            case "unconsented":
                return bool(self.findings("consent"))
            case "refused":
                return any(found.params.get("why") == "refused" for found in self.findings("consent"))
            case "assessed":
                return True  # nobody is asked for assessments yet
            case "unreviewed":
                return change.outcome == Change.Outcome.SUCCESSFUL and not change.backed_out
            case _:
                return not decide(self.findings(condition)).denied

    def findings(self, condition: str) -> list[Finding]:
        """Return what speaks about a condition; one that blocks means that it does not hold."""
        if condition not in self._found:
            self._found[condition] = self._look(condition)
        return self._found[condition]

    def against(self, conditions: Iterable[str]) -> list[Finding]:
        return [found for name in conditions if name not in _UNEXPLAINED for found in self.findings(name)]

    def _look(self, condition: str) -> list[Finding]:
        change, subject = self.dossier.change, self.proposal.subject
        match condition:
            case "plan":
                missing = [
                    name
                    for name, there in (("window", self.proposal.windows), ("item", self.proposal.items))
                    if not there
                ]
                return [
                    Finding("changes.plan", Severity.BLOCK, (subject,), params={"missing": name})
                    for name in missing
                ]
            case "consent":
                return consent_findings(
                    change,
                    self.dossier.workflow,
                    self.dossier.ballots,
                    digest=self.digest,
                    parties=self._parties(),
                    at=self.at,
                )
            case "time":
                if self.working:
                    return work_findings(self.proposal, at=self.at)
                return time_findings(self.proposal, at=self.at)
            case "window_open":
                return window_open(subject, self.proposal.windows, at=self.at)
            case "not_held":
                return not_held(change)
            case "separate":
                out = approvals.barred([change.requester_id, *self.dossier.people], at=self.at)
                if self.person is None or self.person in out:
                    return [Finding("changes.separation", Severity.BLOCK, (subject,))]
                return []
            case _:
                raise KeyError(condition)

    def _parties(self) -> list[int | None]:
        return [self.dossier.change.requester_id, *self.dossier.people, self.person if self.working else None]


def told(findings: Iterable[Finding], *, at: datetime) -> Decision:
    """Return findings that are told and refuse nothing: saving is possible whatever stands in the way."""
    weighed = decide(findings, at=at)
    return replace(weighed, verdict=Verdict.WARN) if weighed.denied else weighed


def assess(
    proposal: Proposal,
    *,
    at: datetime,
    more: Iterable[Finding] = (),
    activity: Activity = Activity.SCHEDULE,
) -> Decision:
    """Decide whether the proposal can be carried out as planned; `more` are findings that are not about time.

    `next_open`: the start of the next planned window where nothing stands in the way; `next_close`: its end.
    """
    findings = [*more, *time_findings(proposal, at=at, activity=activity)]
    last = next((one.point_of_no_return for one in fits_of(proposal, at=at)), None)
    weighed = replace(decide(findings, at=at), point_of_no_return=last)
    current = next((period for period in sorted(proposal.windows) if period.end > at), None)
    if weighed.denied or current is None:
        return weighed
    return replace(weighed, next_open=current.start if current.start > at else None, next_close=current.end)


def fits_of(
    proposal: Proposal, *, at: datetime, waivers: Callable[[], Sequence[Exempt]] | None = None
) -> list[Fit]:
    """Return how the work lies in its windows; nothing where nobody said how long it takes.

    `waivers`: gives those granted to it; left out they are read where something closes a window early.
    """
    if not proposal.times.known or not proposal.items:
        return []
    concerned = targets(proposal.organisation, proposal.items, proposal.environments, proposal.model)
    with audit.steady():
        return fits(proposal, concerned, at=at, waivers=waivers or cache(partial(_granted, proposal)))


def _granted(proposal: Proposal) -> Sequence[Exempt]:
    change = proposal.subject.pk
    return exempt([change]).get(change, []) if change is not None else []


def has_consent(dossier: Dossier, *, at: datetime) -> bool:
    """Say whether the present content is validly approved."""
    return Case(dossier, dossier.proposal(), dossier.change.digest, at).holds("consent")


def assess_dossier(dossier: Dossier, *, at: datetime) -> Decision:
    """Decide about a saved change: its planned time, a hold, and consent that it had and lost.

    Of one whose work is done, what it clashed with is told.
    """
    change = dossier.change
    if not dossier.workflow.ahead(change.state):
        return told(claims.clashes(subject=change.ref(), claims=claims_of(dossier.proposal())), at=at)
    case = Case(dossier, dossier.proposal(), change.digest, at)
    more = [*case.findings("not_held"), *not_locked(change)]
    if "approved" in dossier.workflow.by_slug[change.state].predicates or dossier.ballots:
        more += case.findings("consent")
    taken = dossier.workflow.is_("approved", change.state)
    return assess(case.proposal, at=at, more=more, activity=Activity.START if taken else Activity.SCHEDULE)
