"""Free slots of a change: when it could be done, ranked by how little that is expected to disturb.

What forbids a start is what the decision would deny: closed calendars, and claims of others that block. What
would only warn, and what nobody forbids but users would notice, is weighed in points instead. One point is an
hour of work within the service hours of one thing of the lowest criticality; each level above counts double.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from fairway.audit import queries as audit
from fairway.calendars import queries as calendars
from fairway.catalog import queries as catalog
from fairway.changes.models import Change
from fairway.changes.queries.deciding import claims_of, targets
from fairway.changes.queries.dossier import UNPLANNED, Proposal, facts_of
from fairway.changes.queries.dossier import model as find_model
from fairway.claims import queries as claims
from fairway.claims.queries import Meeting
from fairway.environments import queries as places
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref
from fairway.policy import Severity
from fairway.scheduling import (
    EMPTY,
    IntervalSet,
    Load,
    Measure,
    Part,
    Slot,
    WorkingTime,
    clear,
    inside,
    ranked,
)

FURTHEST = timedelta(days=366)
LONGEST = timedelta(days=31)
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
MOST_SERVICES = 50
"""So many of the business services reached are weighed, the most critical ones first."""

HOURS, USUAL, NEAR_FREEZE, SOFT_FREEZE = (
    "slots.hours",
    "slots.usual",
    "slots.near_freeze",
    "slots.soft_freeze",
)
POINTS = {claims.SAME_ITEM: 8.0, claims.RELATED_ITEM: 3.0, SOFT_FREEZE: 10.0, NEAR_FREEZE: 2.0}
OTHER_POINTS = 3.0
"""For each time that another rule warns."""
ALWAYS = "24x7"
USUAL_HOURS = "mon-fri 08:00-18:00"
"""When things of which nothing is said are taken to be in use, at half weight; in the zone of the place.
Where their organisation has a working calendar, that counts instead."""
ACTIVITIES = (calendars.Activity.SCHEDULE, calendars.Activity.START)
"""What a slot is for: taking the time, and working in it."""
HOUR = timedelta(hours=1)
BEFORE_FREEZE = (timedelta(hours=72), timedelta(hours=48), timedelta(hours=24))
"""Work so shortly before a hard freeze leaves little time to mend what it breaks; each adds its points."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A slot with the times that the change would have in it."""

    slot: Slot
    windows: tuple[Period, ...]
    downtimes: tuple[Period, ...]


@dataclass(frozen=True, slots=True)
class Offers:
    """`starts`: every instant of the time asked about (`within`) at which the plan may begin."""

    within: Period
    starts: IntervalSet
    offers: tuple[Offer, ...]

    @property
    def first(self) -> datetime | None:
        return self.starts.starts[0] if self.starts else None


def slots(
    proposal: Proposal, *, at: datetime, within: timedelta = FURTHEST, limit: int = 20, soonest: bool = False
) -> Offers:
    """Return free slots of what is proposed, from an instant on: the same whoever asks, redact at the door.

    The windows keep their lengths and distances. `soonest`: by time and not by disruption.

    :raises Invalid: it names no item or has no window, or lasts longer than is asked about.
    """
    if not proposal.items:
        raise Invalid.field("items", "Name what is altered; without an item nothing stands in the way.")
    if not proposal.windows:
        raise Invalid.field("windows", "Say how long the work takes: give it a window, or a length.")
    origin = min(period.start for period in (*proposal.windows, *proposal.downtimes))
    work, down = _parts(proposal.windows, origin), _parts(proposal.downtimes, origin)
    span = max(part.offset + part.length for part in (*work, *down))
    if span > within:
        raise Invalid.field("within", "The plan takes longer than the time to look for slots in.")
    looked = Period(at, at + within)
    horizon = Period(at, at + within + span)
    with audit.steady():
        concerned = targets(proposal.organisation, proposal.items, proposal.environments, proposal.model)
        noticing = calendars.noticing(concerned)
        opened = _opened(concerned, proposal, horizon, noticing)
        opened_down = (
            _opened(concerned, proposal, horizon, noticing, downtimes=(horizon,)) if down else opened
        )
        met = claims.encounters(
            subject=proposal.subject,
            claims=claims_of(
                replace(proposal, windows=(horizon,), downtimes=(horizon,) if down else ()),
            ),
        )
        loads = [*_in_use(proposal, horizon), *_freezes(concerned, proposal, horizon)]
    blocking, warning = _sorted_out(met)
    starts = inside(IntervalSet.of([looked]), work, opened)
    if down:
        starts = inside(starts, down, opened_down)
    for parts, exclusive in ((work, False), (down, True)):
        taken = [meeting.overlap for meeting in blocking if meeting.one.exclusive is exclusive]
        starts = clear(starts, parts, taken)
    for window in noticing:
        starts -= _too_sudden(window, proposal, starts, down if window.downtime_only else work, looked, span)
    found = ranked(work, starts, [*loads, *_meetings(warning)], limit=limit, soonest=soonest)
    return Offers(
        looked,
        starts,
        tuple(
            Offer(
                slot, tuple(part.at(slot.start) for part in work), tuple(part.at(slot.start) for part in down)
            )
            for slot in found
        ),
    )


def planned(
    actor: Actor,
    *,
    items: Sequence[str],
    environments: Sequence[str] = (),
    length: timedelta,
    downtime: bool = False,
    model: str = "normal",
) -> Proposal:
    """Return a plan that nobody has written down yet: one window of this length on these things.

    :raises Invalid: by field; also of what the actor does not see.
    """
    if not timedelta(0) < length <= LONGEST:
        raise Invalid.field("length", "The work takes longer than nothing and at most 31 days.")
    things = catalog.items(actor, items)
    if not things:
        raise Invalid.field("items", "Name what is altered; without an item nothing stands in the way.")
    named = calendars.environments(actor, environments)
    where, kind = things[0].organisation, find_model(model)
    window = (Period(EPOCH, EPOCH + length),)
    facts = facts_of(
        "",
        "",
        3,
        {},
        model=kind.slug,
        template="",
        organisation=where.slug,
        downtime=downtime,
        notice=UNPLANNED,
    )
    return Proposal(
        Ref(Change.kind, "", organisation=where.pk),
        where.pk,
        window,
        window if downtime else (),
        tuple(thing.pk for thing in things),
        places.with_children([place.pk for place in named]),
        model=kind.pk,
        facts=lambda: facts,
    )


def _parts(periods: Iterable[Period], origin: datetime) -> list[Part]:
    return [Part(period.start - origin, period.length) for period in periods]


def _sorted_out(met: Iterable[Meeting]) -> tuple[list[Meeting], list[Meeting]]:
    """Tell meetings that would block from those that would warn; equal ones weigh the same."""
    weights: dict[tuple[object, ...], Severity] = {}
    blocking, warning = [], []
    for meeting in met:
        like = (
            *(meeting.rule, meeting.one.exclusive, meeting.other.exclusive),
            *(meeting.one.strength, meeting.other.strength),
        )
        if like not in weights:
            weights[like] = claims.severity(meeting)
        if weights[like] in (Severity.BLOCK, Severity.UNKNOWN):
            blocking.append(meeting)
        elif weights[like] is Severity.WARN:
            warning.append(meeting)
    return blocking, warning


def _meetings(warning: Sequence[Meeting]) -> list[Load]:
    """Return what is met, rule by rule; each stretch of another record counts once."""
    of: dict[str, dict[object, tuple[object, list[Period]]]] = {}
    for meeting in warning:
        source = meeting.other.source
        of.setdefault(meeting.rule, {}).setdefault(source, (source, []))[1].append(meeting.overlap)
    found = []
    for rule, records in sorted(of.items()):
        spans = [(span, source) for source, some in records.values() for span in IntervalSet.of(some)]
        found.append(
            Load(
                rule,
                Measure.TIMES,
                POINTS.get(rule, OTHER_POINTS),
                tuple(span for span, _ in spans),
                tuple(source for _, source in spans),
            )
        )
    return found


def _in_use(proposal: Proposal, horizon: Period) -> list[Load]:
    """Return when the items, and the business services that their failure reaches, are in use."""
    services = catalog.services_reached(proposal.items, limit=MOST_SERVICES)
    things = list(dict.fromkeys((*proposal.items, *services)))
    facts, hours = catalog.facts(things), catalog.service_hours_of(things)
    place = next((places.facts()[pk] for pk in proposal.environments), None)
    usual = f"{USUAL_HOURS} {place.zone if place is not None else 'UTC'}"
    groups: dict[tuple[str, str, int], list[int]] = {}
    worked: dict[str, WorkingTime] = {}
    for pk in things:
        said = hours.get(pk, "")
        name, text = (HOURS, said) if said not in ("", ALWAYS) else (USUAL, usual)
        if name == USUAL and (calendar := calendars.working_of(facts[pk].organisation)) is not None:
            text = calendar.ref.uid
            worked[text] = calendar.time
        groups.setdefault((name, text, facts[pk].criticality), []).append(pk)
    return [
        Load(
            name,
            Measure.HOURS,
            len(some) * 2.0 ** (4 - criticality) * (1 if name == HOURS else 0.5),
            tuple(worked[text].within(horizon) if text in worked else catalog.served(text, horizon)),
            (tuple(facts[pk].ref for pk in some),),
        )
        for (name, text, criticality), some in sorted(groups.items())
    ]


def _too_sudden(
    window: calendars.Compiled,
    proposal: Proposal,
    starts: IntervalSet,
    parts: Sequence[Part],
    looked: Period,
    span: timedelta,
) -> IntervalSet:
    """Return the starts at which a window refuses the plan by its notice: a later start gives more of it.

    Between two steps the notice is the same, in hours and in those worked, so that one answer holds for all.
    """
    severities = {window.severity(one, reason=proposal.freeze_reason) for one in ACTIVITIES}
    if Severity.BLOCK not in severities or proposal.facts is None or window.condition is None or not parts:
        return EMPTY
    times = calendars.occurrences(window.ref, Period(looked.start, looked.end + span))
    met = starts - clear(starts, parts, times)
    if not met:
        return EMPTY
    facts, asked = proposal.facts(), proposal.submitted_at or looked.start
    working = calendars.working_time(proposal.organisation)
    refused = []
    steps = _steps(asked, looked, window, working)
    for start, end in pairwise((*steps, looked.end)):
        worked = working.between(asked, start) if start > asked else timedelta()
        notice = {"notice": (start - asked) // HOUR, "working_notice": worked // HOUR}
        try:
            holds = window.condition.holds({**facts, **notice})
        except calendars.Failed:
            holds = True  # what cannot be told counts as blocking
        if holds:
            refused.append((start, end))
    return met & IntervalSet.of_pairs(refused)


def _steps(
    asked: datetime, looked: Period, window: calendars.Compiled, working: WorkingTime
) -> list[datetime]:
    """Return the instants, in order and from the start of what is looked at, at which a notice grows that
    the window reads.
    """
    found = {looked.start}
    if calendars.reads_notice(window, "notice"):
        hours = range((looked.start - asked) // HOUR + 1, -((asked - looked.end) // HOUR))
        found |= {asked + hour * HOUR for hour in hours}
    if calendars.reads_notice(window, "working_notice"):
        edges = (max(asked, looked.start), max(asked, looked.end))
        first, last = (working.between(asked, at) // HOUR for at in edges)
        found |= {working.add(asked, hour * HOUR) for hour in range(first + 1, last + 1)}
    return sorted(at for at in found if at < looked.end)


def _opened(
    concerned: Sequence[calendars.Target],
    proposal: Proposal,
    horizon: Period,
    noticing: Sequence[calendars.Compiled],
    *,
    downtimes: Sequence[Period] = (),
) -> IntervalSet:
    """Return when windows refuse neither taking the time nor working in it; `downtimes`: all of it is one.

    `noticing`: windows that are left out, since what they say depends on the start of the plan.
    """
    passes = {window.ref.uid: IntervalSet.of([horizon]) for window in noticing}
    scheduled, worked = (
        calendars.openings(
            concerned,
            start=horizon.start,
            horizon=horizon.length,
            reason=proposal.freeze_reason,
            activity=activity,
            downtimes=downtimes,
            facts=proposal.facts,
            passes=passes,
        )
        for activity in ACTIVITIES
    )
    return scheduled & worked


def _freezes(concerned: Sequence[calendars.Target], proposal: Proposal, horizon: Period) -> list[Load]:
    """Return the soft freezes that a reason opens, and the time shortly before hard ones."""
    soft: list[tuple[Period, object]] = []
    near: list[tuple[Period, object]] = []
    after = Period(horizon.start, horizon.end + max(BEFORE_FREEZE))
    for shade in calendars.freezes(concerned, after, proposal.facts):
        for period in shade.periods:
            if shade.kind == "soft_freeze":
                soft.append((period, shade.ref))
            else:
                near += [(Period(period.start - before, period.start), shade.ref) for before in BEFORE_FREEZE]
    return [
        Load(
            name, Measure.TIMES, POINTS[name], tuple(span for span, _ in some), tuple(ref for _, ref in some)
        )
        for name, some in ((SOFT_FREEZE, soft), (NEAR_FREEZE, near))
        if some
    ]
