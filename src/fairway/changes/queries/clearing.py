"""Whether a pipeline may deploy: the change must cover it, be approved, be on time and undisturbed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
from django.db.models import QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat

from fairway.accounts import queries as accounts
from fairway.approvals import queries as approvals
from fairway.audit import queries as audit
from fairway.calendars import queries as calendars
from fairway.calendars.queries import Activity
from fairway.catalog import queries as catalog
from fairway.changes.models import (
    AffectedEnvironment,
    AffectedItem,
    Change,
    ChangeTemplate,
    Implementer,
    PlannedWindow,
)
from fairway.changes.queries.deciding import (
    INSTANT,
    claims_of,
    common,
    consent_findings,
    fits_of,
    not_held,
    not_locked,
    targets,
    window_open,
)
from fairway.changes.queries.dossier import Proposal, facts_of, notice_of
from fairway.changes.queries.dossier import change as find
from fairway.changes.queries.waiving import exempt
from fairway.changes.rules import Workflow, read
from fairway.changes.rules.fitting import Times
from fairway.changes.rules.waiving import Exempt, honoured, passes, waivable
from fairway.claims import queries as claims
from fairway.claims.queries import Claim, Strength
from fairway.environments import queries as environments
from fairway.kernel.actor import Actor
from fairway.kernel.db import Prepared
from fairway.kernel.errors import Invalid, NotFound
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref
from fairway.policy import Decision, Finding, Severity, decide
from fairway.scheduling import IntervalSet

ACTIONS = ("deploy",)
AHEAD = timedelta(days=366)


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

    Open environments: always. Coordinated ones: unless a freeze or a maintenance window speaks against it, or
    somebody else holds the item there: it is free for whoever holds it, or for all while nobody does.
    Controlled ones: only under a change that covers item and environment, is approved as it stands, has a
    planned window open, is not on hold, and has nothing in its way that blocks. Under a change that has not
    been started, deploying is its start: whatever refuses the start of the whole change refuses it too.

    `version` is part of the question and of its record; nothing hangs on it yet.
    :raises NotFound: the actor sees no such item, environment or change. :raises Invalid: no such action.
    """
    if action not in ACTIONS:
        raise Invalid.field("action", f"There is no action “{action[:40]}”; there is {', '.join(ACTIONS)}.")
    with audit.steady():
        return _cleared(actor, item, environment, change, at)


def _cleared(actor: Actor, item: str, environment: str, change: str, at: datetime) -> Decision:
    thing, where = catalog.known(actor, item).ref, _environment(actor, environment)
    place, control = where.ref, where.control
    named = _file(actor, change) if change else None
    if control == "open":
        return decide([], at=at)
    if control == "coordinated":
        return _coordinated(thing, place, at, named)
    if named is None:
        params = {"why": "required", "environment": place.key}
        return decide([Finding("changes.consent", Severity.BLOCK, (place,), params=params)], at=at)
    return _Question(named, thing, place, at).answer()


def _coordinated(item: Ref, place: Ref, at: datetime, named: _File | None) -> Decision:
    """Allow what no freeze or maintenance window forbids, where nobody else holds the item there.

    What is approved or under way holds; what is only asked for warns. A change that is named is no other. A
    soft freeze warns: nobody gives a reason here.
    """
    mine = named.subject if named is not None else item
    held = claims.holders(Claim(mine, item.pk or 0, place.pk, Period(at, at + AHEAD)))
    firm = [claim for claim in held if claim.strength in {Strength.APPROVED, Strength.ACTIVE}]
    concerned = targets(item.organisation or 0, [item.pk or 0], [place.pk or 0])
    word = Finding("changes.coordinated", Severity.INFORM, (place,), params={"environment": place.key})
    period = Period(at, at + INSTANT)
    found = calendars.findings(subject=item, targets=concerned, periods=[period], reason=True)
    held_now = {claim.source: claim for claim in held if at in claim.period}
    found += [
        Finding(
            "changes.held",
            Severity.BLOCK if claim in firm else Severity.WARN,
            (place, claim.source),
            claim.period,
            path=(item,),
            params={"environment": place.key},
            waivable_by=("environment manager",),
        )
        for claim in held_now.values()
    ]
    decision = decide([word, *found], at=at)
    free = calendars.openings(concerned, start=at, horizon=AHEAD, reason=True)
    free = free - type(free).of(claim.period for claim in firm)
    if decision.denied:
        return replace(decision, next_open=next((one.start for one in free), None))
    current = next((one for one in free if at in one), None)
    return replace(decision, next_close=current.end if current and current.end < at + AHEAD else None)


def _environment(actor: Actor, reference: str) -> Any:
    """Return the environment from what is kept of all of them.

    :raises NotFound: there is none, or the actor may not see it.
    """
    sees = accounts.access(actor).sees
    for facts in environments.facts().values():
        if reference in {facts.ref.key, facts.ref.uid} and sees(facts.ref):
            return facts
    raise NotFound(f"There is no environment “{reference[:100]}”.")


CALENDAR_RULES = (calendars.FREEZE, calendars.OUTSIDE_MAINTENANCE)
_OWN = (
    *("id", "uid", "number", "title", "organisation_id", "state", "requester_id", "held_at", "hold_reason"),
    *("locked_at", "locked_by", "implementation_time", "test_time", "backout_time"),
    *("freeze_reason", "digest", "template_id", "round_id", "model_id", *ChangeTemplate.FIXED),
)
_OF_TEMPLATE = ("id", "name", "authorised", *ChangeTemplate.FIXED)


def _prepared(number: int) -> QuerySet[Any, Any]:
    of_template = [f"template__{name}" for name in _OF_TEMPLATE]
    of_round = [f"round__{name}" for name in approvals.OF_ROUND]
    query = Change.objects.filter(number=number).annotate(definition=Cast("model__definition", TextField()))
    return query.values_list(*_OWN, *of_template, *of_round, "definition")


def _parts(windows: int, items: int, places: int, people: int, votes: int) -> QuerySet[Any, Any]:
    """Return all rows that the question is about, as text: those of a change, and of a round."""

    def part(rows: QuerySet[Any], name: str, a: str | Concat, b: str = "pk", c: str = "pk") -> QuerySet[Any]:
        columns = (("a", a), ("b", b), ("c", c), ("order", "pk"))
        texts = {alias: Cast(column, TextField()) for alias, column in columns}
        found: QuerySet[Any] = rows.order_by().annotate(part=Value(name, TextField()), **texts)
        return found.values_list("part", *texts)

    say = Concat(Cast("voter_id", TextField()), Value(":", TextField()), Cast("instead_id", TextField()))
    return part(
        PlannedWindow.objects.filter(change=windows), "window", "starts_at", "ends_at", "downtime"
    ).union(
        part(AffectedItem.objects.filter(change=items), "item", "item_id"),
        part(AffectedEnvironment.objects.filter(change=places), "place", "environment_id"),
        part(Implementer.objects.filter(change=people), "person", "person_id"),
        part(approvals.ballot_rows(votes), "vote", say, "choice", "digest"),
        all=True,
    )


_change = Prepared(_prepared, -1)
_rows = Prepared(_parts, -1, -2, -3, -4, -5)
_workflows: dict[int, tuple[str, Workflow]] = {}


@dataclass(slots=True)
class _File:
    """A change with what the question is about; `row` and what hangs on it are read like models."""

    row: Any
    subject: Ref
    workflow: Workflow
    windows: list[Period] = field(default_factory=list)
    downtimes: list[Period] = field(default_factory=list)
    items: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    people: list[int] = field(default_factory=list)
    ballots: list[approvals.Ballot] = field(default_factory=list)


def _file(actor: Actor, reference: str) -> _File:
    """Return the change: two statements.

    :raises NotFound: there is none, or the actor may not see it.
    """
    lookup = Change.lookup(reference) or {"number": 0}
    rows = _change(lookup["number"] if "number" in lookup else find(actor, reference).number)
    if rows:
        row = rows[0]
        change = SimpleNamespace(**dict(zip(_OWN, row, strict=False)))
        subject = Ref(
            Change.kind,
            f"{Change.prefix}-{change.number}",
            change.title,
            str(change.uid),
            change.id,
            change.organisation_id,
        )
    if not rows or not accounts.access(actor).sees(subject):
        raise NotFound(f"There is no change “{reference[:100]}”.")
    template, round_ = row[len(_OWN) : -1 - len(approvals.OF_ROUND)], row[-1 - len(approvals.OF_ROUND) : -1]
    change.ref = lambda: subject
    change.template = (
        SimpleNamespace(**dict(zip(_OF_TEMPLATE, template, strict=True))) if change.template_id else None
    )
    change.round = approvals.round_of(round_) if change.round_id else None
    found = _File(change, subject, _workflow(change.model_id, row[-1]))
    pk = change.id
    for name, a, b, c, _order in sorted(_rows(pk, pk, pk, pk, change.round_id or 0), key=_in_order):
        match name:
            case "window":
                periods = found.downtimes if c in {"1", "true"} else found.windows
                periods.append(Period(_instant(a), _instant(b)))
            case "item":
                found.items.append(int(a))
            case "place":
                found.places.append(int(a))
            case "person":
                found.people.append(int(a))
            case _:
                voter, _, instead = a.partition(":")
                found.ballots.append(
                    approvals.Ballot(int(voter), approvals.Choice(b), c, int(instead) if instead else None)
                )
    found.places = list(environments.with_children(found.places))
    return found


def _in_order(part: tuple[str, ...]) -> int:
    return int(part[4])


def _workflow(model: int, definition: str) -> Workflow:
    """Return the workflow of a model, read once per process until its definition changes."""
    kept = _workflows.get(model)
    if kept is None or kept[0] != definition:
        kept = _workflows[model] = (definition, read(msgspec.json.decode(definition)))
    return kept[1]


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


class _Question:
    """May the change do its work on this item, in this controlled environment, at the instant?"""

    def __init__(self, file: _File, item: Ref, environment: Ref, at: datetime) -> None:
        self.file, self.item, self.environment, self.at = file, item, environment, at
        self.subject = file.subject
        self._granted: list[Exempt] | None = None
        self.reason = bool(file.row.freeze_reason.strip())
        organisation, state = file.row.organisation_id, file.workflow.by_slug[file.row.state]
        self.started = "in_progress" in state.predicates
        items, places = (
            ((item.pk or 0,), (environment.pk or 0,))
            if self.started
            else (tuple(file.items), tuple(file.places))
        )
        self.targets = targets(organisation, items, places, file.row.model_id)
        self.wanted = Proposal(
            self.subject,
            organisation,
            downtimes=tuple(file.downtimes),
            items=items,
            environments=places,
            strength=state.claim,
            freeze_reason=self.reason,
            model=file.row.model_id,
            facts=self._facts,
        )
        open_ = next((window for window in file.windows if at in window), None)
        # clashes from the instant on, to the end of the planned window that is open then
        self.ahead = self._clashes(Period(at, open_.end if open_ else at + INSTANT))

    def _facts(self) -> dict[str, Any]:
        """Return what conditions of windows read; one statement, where there is one to be asked."""
        columns = ("title", "category", "priority", "custom", "model__slug", "template__slug")
        title, category, priority, custom, model, template, organisation, start, submitted, place = (
            Change.objects.filter(number=self.file.row.number)
            .values_list(*columns, "organisation__slug", "planned_start", "submitted_at", "organisation_id")
            .get()
        )
        return facts_of(
            title,
            category,
            priority,
            custom,
            model=model,
            template=template or "",
            organisation=organisation,
            downtime=bool(self.file.downtimes),
            notice=notice_of(start, submitted, place),
        )

    def answer(self) -> Decision:
        lasting = self._lasting()
        decision = decide([*lasting, *self._passing()], at=self.at)
        if lasting:
            return decision  # time alone will not help
        if decision.denied:
            return replace(decision, next_open=next(self._openings(self.at), None))
        return replace(decision, next_close=self._close(), point_of_no_return=self._last())

    def _lasting(self) -> list[Finding]:
        """Return what no waiting heals: state, scope, hold, consent."""
        file, row = self.file, self.file.row
        found = []
        state = file.workflow.by_slug[row.state]
        ready = self.started or ("approved" in state.predicates and state.claim == "approved")
        if not ready:
            found.append(
                Finding("changes.state", Severity.BLOCK, (self.subject,), params={"state": row.state})
            )
        if self.item.pk not in file.items or (file.places and self.environment.pk not in file.places):
            params = {"item": self.item.key, "environment": self.environment.key}
            found.append(Finding("changes.scope", Severity.BLOCK, (self.subject,), params=params))
        parties = [row.requester_id, *file.people]
        return [
            *found,
            *not_held(row),
            *not_locked(row),
            *consent_findings(
                row, file.workflow, file.ballots, digest=row.digest, parties=parties, at=self.at
            ),
        ]

    def _passing(self) -> list[Finding]:
        """Return what holds at the instant and may pass: the planned window, clashes, calendars."""
        now = Period(self.at, self.at + INSTANT)
        clashes = [found for found in self.ahead if found.interval is not None and self.at in found.interval]
        if len(clashes) < len(self.ahead):
            clashes = self._clashes(now)  # of each pair only the worst was told, and that is yet to come
        told = calendars.findings(
            subject=self.subject,
            targets=self.targets,
            periods=[now],
            reason=self.reason,
            activity=Activity.START,
            downtimes=common(self.wanted.downtimes, now),
            facts=self._facts,
        )
        found = [*clashes, *told]
        if any(waivable(finding) for finding in found):
            found = honoured(found, self._waivers(), at=self.at)
        return [*window_open(self.subject, self.file.windows, at=self.at), *found]

    def _waivers(self) -> list[Exempt]:
        if self._granted is None:
            self._granted = exempt([self.file.row.id]).get(self.file.row.id, [])
        return self._granted

    def _clashes(self, period: Period) -> list[Finding]:
        """Return what else holds what the question is about in the period."""
        return claims.clashes(subject=self.subject, claims=claims_of(self.wanted, within=period))

    def _blocking(self, findings: list[Finding]) -> list[Period]:
        """Return when the findings block that nobody waived."""
        if any(waivable(finding) for finding in findings):
            findings = honoured(findings, self._waivers(), at=self.at)
        return [
            found.interval
            for found in findings
            if found.severity is Severity.BLOCK and found.interval is not None
        ]

    def _open_periods(self, after: datetime) -> Iterator[Period]:
        """Give the parts of the planned windows that calendars leave open, from an instant on."""
        for window in sorted(self.file.windows):
            if window.end <= after:
                continue
            ahead = Period(max(window.start, after), window.end)
            opened = self._opened(ahead)
            if not opened.covers(ahead) and self._waivers():
                opened = self._opened(ahead, passes(self._waivers(), CALENDAR_RULES, at=self.at))
            yield from opened

    def _opened(self, ahead: Period, let: calendars.Passes = calendars.NOTHING_PASSES) -> IntervalSet:
        """Return the part of the period in which no calendar blocks the work, some of them let pass."""
        return calendars.openings(
            self.targets,
            start=ahead.start,
            horizon=ahead.length,
            reason=self.reason,
            downtimes=self.file.downtimes,
            facts=self._facts,
            passes=let,
        )

    def _openings(self, after: datetime) -> Iterator[datetime]:
        """Give the first instant of each stretch in which nothing blocks."""
        for period in self._open_periods(after):
            at = period.start
            while at < period.end:
                blocking = self._blocking(self._clashes(Period(at, period.end)))
                meets = [found for found in blocking if at in found]
                if not meets:
                    yield at
                    break
                at = max(found.end for found in meets)

    def _last(self) -> datetime | None:
        """Return the point of no return of the whole change, as its page tells it."""
        file, row = self.file, self.file.row
        if row.backout_time is None:
            return None
        times = Times(row.implementation_time, row.test_time, row.backout_time)
        items, places = tuple(file.items), tuple(file.places)
        whole = replace(
            self.wanted, windows=tuple(file.windows), items=items, environments=places, times=times
        )
        return next((one.point_of_no_return for one in fits_of(whole, at=self.at)), None)

    def _close(self) -> datetime | None:
        """Return until when nothing will block, from now on."""
        current = next((period for period in self._open_periods(self.at) if self.at in period), None)
        if current is None:
            return None
        later = [period.start for period in self._blocking(self.ahead) if period.start > self.at]
        return min([current.end, *later])
