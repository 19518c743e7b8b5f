"""Who holds what when, and what conflicts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection

from fairway.accounts import queries as accounts
from fairway.calendars import queries as calendars
from fairway.catalog import queries as catalog
from fairway.claims.models import ClaimRow
from fairway.claims.rules import DEPTH as DEPTH
from fairway.claims.rules import PERSON as PERSON
from fairway.claims.rules import RELATED_ITEM as RELATED_ITEM
from fairway.claims.rules import SAME_ITEM as SAME_ITEM
from fairway.claims.rules import Claim as Claim
from fairway.claims.rules import Lane, Relations, Span, findings, meet, meetings, sweep
from fairway.claims.rules import Meeting as Meeting
from fairway.claims.rules import Strength as Strength
from fairway.claims.rules import Thing as Thing
from fairway.claims.rules.usage import CAPACITY as CAPACITY
from fairway.claims.rules.usage import USAGE as USAGE
from fairway.claims.rules.usage import Capacity, Compatible, shared_use
from fairway.kernel.actor import Actor
from fairway.kernel.db import fetch
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref
from fairway.policy import Finding, Severity

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MINUTE = 60_000_000
BIGGEST = 30
"""Magnitude of whatever is longer than 2^29 minutes; some thousand years."""
BY_ITEM = 2_000
"""Up to so many items are looked up one by one; beyond, what overlaps the time is read and sifted."""
THINGS = (Thing.ITEM, Thing.ENVIRONMENT, Thing.PERSON, Thing.POOL)
"""Kinds of things by the number under which they are stored."""
_SELECT = (
    "SELECT source_kind, source_id, source_key, source_name, source_uid, organisation_id,"
    " thing_id, environment_id, starts, ends, strength, exclusive, thing, usage, units"
    " FROM claims_claimrow"
)


def clashes(*, subject: Ref | None, claims: Sequence[Claim]) -> list[Finding]:
    """Return every conflict of these claims with what others hold: one finding for each rule and record.

    `subject`: the asking record, whose own rows are left out; None: nothing of it is stored yet. The findings
    are complete, whoever asks: redact them at the door. One statement beside that for the catalogue.
    """
    if not claims:
        return []
    known = catalog.snapshot()
    met = list(_encounters(known, subject, claims))
    return findings(met, partial(_item, known), subject, person=_people(met))


def encounters(*, subject: Ref | None, claims: Sequence[Claim]) -> list[Meeting]:
    """Return every meeting of these claims with those of others, one by one; as `clashes` else."""
    return list(_encounters(catalog.snapshot(), subject, claims)) if claims else []


def _encounters(known: catalog.Snapshot, subject: Ref | None, claims: Sequence[Claim]) -> Iterator[Meeting]:
    relations = _relations(known)
    on_items = [claim for claim in claims if claim.thing is Thing.ITEM]
    people = [claim for claim in claims if claim.thing is Thing.PERSON]
    if people:
        held = _held_of(Thing.PERSON, people, leave_out=subject)
        yield from meetings(people, (claim_of(row) for row in held), relations)
    if on_items:
        near = _near(relations, {claim.item for claim in on_items})
        rows = _overlapping(near, [claim.period for claim in on_items], leave_out=subject)
        yield from meetings(on_items, (claim_of(row) for row in rows), relations)


def contention(
    *, subject: Ref | None, claims: Sequence[Claim], compatible: Compatible, capacity: Capacity
) -> list[Finding]:
    """Return what speaks against or about sharing environments and pools as these claims want to.

    `compatible` is the matrix of usage kinds, `capacity` how much a thing bears; whoever knows them asks.
    """
    found = []
    for thing in (Thing.ENVIRONMENT, Thing.POOL):
        wanted = [claim for claim in claims if claim.thing is thing]
        if wanted:
            held = _held_of(thing, wanted, leave_out=subject)
            found += shared_use(wanted, map(claim_of, held), compatible=compatible, capacity=capacity)
    return sorted(found, key=lambda finding: finding.order)


def _held_of(thing: Thing, claims: Sequence[Claim], *, leave_out: Ref | None) -> list[Stored]:
    """Return the rows on these things that overlap the time from the first claim to the last."""
    low = min(micros(claim.period.start) for claim in claims)
    high = max(micros(claim.period.end) for claim in claims)
    where, values = _on(sorted({claim.item for claim in claims}), low, high, thing=thing)
    if leave_out is not None and leave_out.pk is not None:
        where += " AND NOT (source_kind = %s AND source_id = %s)"
        values += [leave_out.kind, leave_out.pk]
    return list(fetch(f"{_SELECT} WHERE {where}", values))


def _people(met: Iterable[Meeting]) -> Callable[[int], Ref]:
    """Return what names the people of these meetings; one statement where there are any."""
    wanted = {meeting.path[0] for meeting in met if meeting.rule == PERSON}
    found = accounts.refs(wanted) if wanted else {}
    return found.__getitem__


def severity(meeting: Meeting) -> Severity:
    """Return how much one meeting weighs for the first of the two."""
    return findings([meeting], lambda pk: Ref("item", str(pk), pk=pk))[0].severity


@dataclass(frozen=True, slots=True)
class Clash:
    """Two records that conflict under a rule, each pair once; `finding` is told from the first one's side."""

    finding: Finding

    @property
    def one(self) -> Ref:
        return self.finding.parties[0]

    @property
    def other(self) -> Ref:
        return self.finding.parties[1]


def conflicts(
    actor: Actor,
    *,
    period: Period | None = None,
    item: str | None = None,
    environment: str | None = None,
    rule: str | None = None,
    subject: str | None = None,
) -> list[Clash]:
    """Return every pair of records that conflict, once for each rule, by the time of their first overlap.

    `period`: overlaps in it; None: all there ever were. `item`: on it, or between it and a related one.
    `environment`: one of the two is there, or everywhere. `subject`: one of the two. All of these by key or
    uid. A pair is listed when the actor may see one of the two (with `subject`: that one); the other then
    reads as another organisation's.

    :raises NotFound: the actor sees no such item. :raises Invalid: sees no such environment.
    """
    known = catalog.snapshot()
    met = _met(actor, known, period=period, item=item, environment=environment, rule=rule, subject=subject)
    sees = accounts.access(actor).sees

    def listed(finding: Finding) -> bool:
        parties = [party for party in finding.parties if not subject or subject in (party.key, party.uid)]
        return any(sees(party) for party in parties)

    every = findings(met, partial(_item, known), of_pairs=True, person=_people(met))
    told = [finding for finding in every if listed(finding)]
    told.sort(key=lambda finding: (finding.interval, finding.order))
    return [Clash(finding.redacted(sees)) for finding in told]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of what a record holds, as a timeline draws it. `item` None: on any of its items."""

    source: str
    period: Period
    item: int | None = None


def on_stretches(
    actor: Actor,
    stretches: Sequence[Stretch],
    period: Period,
    *,
    item: str | None = None,
    environment: str | None = None,
) -> list[list[Finding]]:
    """Return for each stretch what conflicts with it, told from its record's side, one finding for each rule
    and other record; the actor sees the records named.

    `period`, `item`, `environment` limit as for `conflicts`, which tells of each pair the worst alone.
    """
    known = catalog.snapshot()
    of: dict[str, list[Meeting]] = {stretch.source: [] for stretch in stretches}
    met = _met(actor, known, period=period, item=item, environment=environment)
    person = _people(met)
    for meeting in met:
        for told in (meeting, meeting.turned()):
            if (some := of.get(told.one.source.key)) is not None:
                some.append(told)
    sees, name = accounts.access(actor).sees, partial(_item, known)
    found = []
    for stretch in stretches:
        here = (
            meeting
            for meeting in of[stretch.source]
            if (stretch.item is None or (meeting.rule != PERSON and stretch.item == meeting.path[0]))
            and meeting.overlap.overlaps(stretch.period)
        )
        found.append([finding.redacted(sees) for finding in findings(here, name, person=person)])
    return found


def _met(
    actor: Actor,
    known: catalog.Snapshot,
    *,
    period: Period | None = None,
    item: str | None = None,
    environment: str | None = None,
    rule: str | None = None,
    subject: str | None = None,
) -> list[Meeting]:
    """Return every meeting of two records' claims, as `conflicts` limits them."""
    on = catalog.item(actor, item).pk if item else None
    at = calendars.environments(actor, [environment], field="environment")[0].pk if environment else None
    met: list[Meeting] = []
    if on is None and at is None and rule in (None, PERSON):
        met += _double_booked(period, subject)
    if rule == PERSON:
        return met
    relations = _relations(known)
    rows = list(_all(period, _near(relations, {on}) if on is not None else None))
    named = {number for number, row in enumerate(rows) if subject in (row[2], row[4])} if subject else None
    spans: dict[int, list[Span]] = {}
    for number, row in enumerate(rows):
        spans.setdefault(row[6], []).append((row[8], row[9], number))
    claims: dict[int, Claim] = {}
    for one, other in sweep({thing: Lane(own) for thing, own in spans.items()}, relations):
        first, second = (one, other) if rows[one][:2] <= rows[other][:2] else (other, one)
        mine, its = rows[first], rows[second]
        if mine[:2] == its[:2] or (named is not None and named.isdisjoint((first, second))):
            continue
        if on is not None and on not in (mine[6], its[6]):
            continue
        if at is not None and {mine[7], its[7]}.isdisjoint((at, None)):
            continue
        for number, row in ((first, mine), (second, its)):
            if number not in claims:
                claims[number] = claim_of(row)
        found = meet(claims[first], claims[second], relations)
        if found is None or (rule is not None and found.rule != rule):
            continue
        if period is None or found.overlap.overlaps(period):
            met.append(found)
    return met


def _double_booked(period: Period | None, subject: str | None) -> Iterator[Meeting]:
    """Give every meeting of two records that want the same person at the same time."""
    rows = list(_all(period, None, thing=Thing.PERSON))
    spans: dict[int, list[Span]] = {}
    for number, row in enumerate(rows):
        spans.setdefault(row[6], []).append((row[8], row[9], number))
    for person, own in spans.items():
        lane = Lane(own)
        for place, (start, end, number) in enumerate(lane.spans):
            for other in lane.overlapping(start, end, before=place):
                first, second = (other, number) if rows[other][:2] <= rows[number][:2] else (number, other)
                mine, its = rows[first], rows[second]
                if mine[:2] == its[:2] or (subject and subject not in (mine[2], mine[4], its[2], its[4])):
                    continue
                one, another = claim_of(mine), claim_of(its)
                overlap = one.period & another.period
                if overlap is not None and (period is None or overlap.overlaps(period)):
                    yield Meeting(PERSON, one, another, overlap, (person,))


def holders(wanted: Claim) -> list[Claim]:
    """Return what others hold of the claim's item at its place in its period, by start; no drafts."""
    item, low, high = wanted.item, micros(wanted.period.start), micros(wanted.period.end)
    known = catalog.snapshot()
    shared = {item} if item in known.items and known.items[item].shared else set()
    where, values = _on([item], low, high)
    held = map(claim_of, fetch(f"{_SELECT} WHERE {where}", values))
    firm = (
        claim
        for claim in held
        if claim.source != wanted.source
        and claim.strength is not Strength.TENTATIVE
        and claim.meets(wanted, shared)
    )
    return sorted(firm, key=lambda claim: (claim.period, claim.source.key, claim.exclusive))


def replace(source_kind: str, claims: Mapping[int, Iterable[Claim]]) -> None:
    """Write anew what these records hold; an empty list: nothing. For the projections of contexts above."""
    for some in _batches(sorted(claims)):
        ClaimRow.objects.filter(source_kind=source_kind, source_id__in=some).delete()
    rows = [row_of(claim) for source_id in sorted(claims) for claim in claims[source_id]]
    ClaimRow.objects.bulk_create(rows, batch_size=500)


def rebuild(source_kind: str, claims: Mapping[int, Iterable[Claim]]) -> None:
    """Write anew everything that records of a kind hold; `claims` are those of all of them."""
    ClaimRow.objects.filter(source_kind=source_kind).delete()
    replace(source_kind, claims)


def stored(source_kind: str) -> set[Claim]:
    """Return all claims of a kind of record as stored; for comparing with what the sources say."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_SELECT} WHERE source_kind = %s", [source_kind])
        return {claim_of(row) for row in cursor.fetchall()}


Stored = tuple[Any, ...]


def claim_of(row: Stored) -> Claim:
    kind, pk, key, name, uid, organisation, item, environment, starts, ends, strength, exclusive = row[:12]
    thing, usage, units = row[12:]
    return Claim(
        Ref(kind, key, name, uid, pk, organisation),
        item,
        environment,
        Period(EPOCH + starts * MICROSECOND, EPOCH + ends * MICROSECOND),
        Strength(strength),
        bool(exclusive),
        THINGS[thing],
        usage,
        units,
    )


def row_of(claim: Claim) -> ClaimRow:
    """Return the row of a claim.

    :raises ValueError: its source has no primary key yet.
    """
    source, starts, ends = claim.source, micros(claim.period.start), micros(claim.period.end)
    if source.pk is None:
        raise ValueError(f"{source.key} is not stored and cannot hold anything")
    return ClaimRow(
        source_kind=source.kind,
        source_id=source.pk,
        source_key=source.key,
        source_name=source.name,
        source_uid=source.uid,
        organisation_id=source.organisation,
        thing=THINGS.index(claim.thing),
        thing_id=claim.item,
        environment_id=claim.environment,
        starts=starts,
        ends=ends,
        magnitude=magnitude(ends - starts),
        strength=claim.strength,
        exclusive=claim.exclusive,
        usage=claim.usage,
        units=claim.units,
    )


def micros(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND


def magnitude(length: int) -> int:
    """Return the least n such that the length in microseconds is at most 2^n minutes."""
    return min(max(-(-length // MINUTE) - 1, 0).bit_length(), BIGGEST)


def _near(relations: Relations, own: Collection[int]) -> frozenset[int]:
    """Return these items, and every other whose failure reaches one of them or that one's failure reaches."""
    first, *others = map(relations.around, own)
    return first.union(*others) if others else first


_walked: tuple[catalog.Snapshot, Relations] | None = None


def _relations(known: catalog.Snapshot) -> Relations:
    """Return the relations of the catalogue, with what was walked in them since it last changed."""
    global _walked
    if _walked is not None and _walked[0] is known:
        return _walked[1]
    graph, items = known.graph, known.items
    relations = Relations(
        downstream=lambda item, depth: graph.reach(item, catalog.Direction.DOWNSTREAM, depth),
        upstream=lambda item, depth: graph.reach(item, catalog.Direction.UPSTREAM, depth),
        is_shared=lambda item: item in items and items[item].shared,
    )
    _walked = (known, relations)
    return relations


def _item(known: catalog.Snapshot, pk: int) -> Ref:
    return known.items[pk].ref if pk in known.items else catalog.facts([pk])[pk].ref


def _overlapping(
    near: frozenset[int], periods: Sequence[Period], *, leave_out: Ref | None
) -> Iterator[Stored]:
    """Give the rows on these items that overlap one of the periods."""
    spans = sorted({(micros(period.start), micros(period.end)) for period in periods})
    low, high = spans[0][0], max(end for _, end in spans)
    few = len(near) <= BY_ITEM
    where, values = _on(sorted(near), low, high) if few else _at(low, high)
    if leave_out is not None and leave_out.pk is not None:
        where += " AND NOT (source_kind = %s AND source_id = %s)"
        values += [leave_out.kind, leave_out.pk]
    for row in fetch(f"{_SELECT} WHERE {where}", values):
        if (few or row[6] in near) and (
            len(spans) == 1 or any(row[8] < end and row[9] > start for start, end in spans)
        ):
            yield row


def _all(
    period: Period | None, near: frozenset[int] | None, *, thing: Thing = Thing.ITEM
) -> Iterator[Stored]:
    low, high = (micros(period.start), micros(period.end)) if period else (-(2**62), 2**62)
    if near is not None and len(near) <= BY_ITEM:
        where, values = _on(sorted(near), low, high)
    elif period is not None:
        where, values = _at(low, high, thing=thing)
    else:
        where, values = "thing = %s", [THINGS.index(thing)]
    with connection.cursor() as cursor:
        cursor.execute(f"{_SELECT} WHERE {where} ORDER BY id", values)
        rows = cursor.fetchall()
    return (row for row in rows if near is None or row[6] in near)


def _on(things: Sequence[int], low: int, high: int, *, thing: Thing = Thing.ITEM) -> tuple[str, list[Any]]:
    """Return the condition for what overlaps [low, high) on these things; each is one step down an index."""
    kind = THINGS.index(thing)
    if connection.vendor == "postgresql":
        return "thing = %s AND thing_id = ANY(%s) AND ends > %s AND starts < %s", [
            *(kind, list(things), low, high)
        ]
    return (
        "thing = %s AND thing_id IN (SELECT value FROM json_each(%s)) AND ends > %s AND starts < %s",
        [kind, str(list(things)), low, high],
    )


def _at(low: int, high: int, *, thing: Thing = Thing.ITEM) -> tuple[str, list[Any]]:
    """Return the condition for what overlaps [low, high) on any thing, step by step down an index."""
    kind = THINGS.index(thing)
    ranges, values = [], list[Any]()
    for size in range(BIGGEST + 1):
        longest = (2**size) * MINUTE if size < BIGGEST else 2**62
        ranges.append("(thing = %s AND magnitude = %s AND starts > %s AND starts < %s)")
        values += [kind, size, max(low - longest, -(2**62)), high]
    return f"({' OR '.join(ranges)}) AND ends > %s", [*values, low]


def _batches(keys: Sequence[int], size: int = 500) -> Iterator[Sequence[int]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))
