"""Who holds what when, and what conflicts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

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
from fairway.claims.rules import Lane, Relations, Span, findings, meet, meetings, summed, sweep
from fairway.claims.rules import Meeting as Meeting
from fairway.claims.rules import Strength as Strength
from fairway.claims.rules import Thing as Thing
from fairway.claims.rules.usage import CAPACITY as CAPACITY
from fairway.claims.rules.usage import USAGE as USAGE
from fairway.claims.rules.usage import Capacity, Compatible, Use, shared_use, use_of_all
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
_SELECT_WITH_ID = _SELECT.replace(" FROM", ", id FROM")


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


def contentions(*, compatible: Compatible, capacity: Capacity, period: Period | None = None) -> list[Finding]:
    """Return what speaks against or about how environments and pools are shared, whoever asks: each pair of
    records once, and each stretch of time in which too much is taken.

    `period`: of what overlaps it. The rest as for `contention`; redact the findings at the door.
    """
    found = []
    for thing in (Thing.ENVIRONMENT, Thing.POOL):
        where, values = "thing = %s", [THINGS.index(thing)]
        if period is not None:
            where, values = _at(micros(period.start), micros(period.end), thing=thing)
        rows = fetch(f"{_SELECT} WHERE {where}", values)
        uses: dict[int, list[Use]] = {}
        for number, row in enumerate(rows):
            use = (row[8], row[9], number, row[14], row[10] != Strength.TENTATIVE)
            uses.setdefault(row[6], []).append(use)
        found += use_of_all(
            uses, _claims(rows), compatible=compatible, capacity=capacity, instant=_instant_of
        )
    return sorted(found, key=lambda finding: finding.order)


def _claims(rows: Sequence[Stored]) -> Callable[[int], Claim]:
    """Return what gives the claim of a row by its place; each is made when it is first asked for."""
    made: dict[int, Claim] = {}

    def claim(number: int) -> Claim:
        if number not in made:
            made[number] = claim_of(rows[number])
        return made[number]

    return claim


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

    every = summed(met, partial(_item, known), of_pairs=True, person=_people(met))
    told = _by_time(finding for finding in every if listed(finding))
    return [Clash(finding.redacted(sees)) for finding in told]


def _by_time(found: Iterable[Finding]) -> Iterator[Finding]:
    """Give findings by interval, those of the same one in their own order, which is worked out for these
    alone.
    """
    at: dict[tuple[datetime, datetime], list[Finding]] = {}
    for finding in found:
        if finding.interval is not None:
            at.setdefault((finding.interval.start, finding.interval.end), []).append(finding)
    for _, some in sorted(at.items(), key=lambda pair: pair[0]):
        yield from some if len(some) == 1 else sorted(some, key=lambda finding: finding.order)


class Stretch(NamedTuple):
    """A piece of what a record holds, as a timeline draws it. `item` None: on any of its items."""

    source: str
    start: datetime
    end: datetime
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
    met = _met(
        *(actor, known),
        period=period,
        item=item,
        environment=environment,
        of={stretch.source for stretch in stretches},
        people=any(stretch.item is None for stretch in stretches),
    )
    person = _people(met)
    of: dict[tuple[str, int | None], list[Meeting]] = {}
    for meeting in met:
        for told in (meeting, meeting.turned()):
            of.setdefault((told.one.source.key, None), []).append(told)
            if told.rule != PERSON:
                of.setdefault((told.one.source.key, told.path[0]), []).append(told)
    sees, name = accounts.access(actor).sees, partial(_item, known)
    found: list[list[Finding]] = []
    for source, start, end, on in stretches:
        here = of.get((source, on), ())
        if here:
            here = [one for one in here if one.overlap.start < end and start < one.overlap.end]
        found.append([one.redacted(sees) for one in findings(here, name, person=person)] if here else [])
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
    of: Collection[str] | None = None,
    people: bool = True,
) -> list[Meeting]:
    """Return every meeting of two records' claims, as `conflicts` limits them.

    `of`: one of the two is among these, by key. `people`: whether who is wanted twice is told.
    """
    on = catalog.item(actor, item).pk if item else None
    at = calendars.environments(actor, [environment], field="environment")[0].pk if environment else None
    if subject:
        of = {subject}
    met: list[Meeting] = []
    if people and on is None and at is None and rule in (None, PERSON):
        met += _double_booked(period, of, uids=bool(subject))
    if rule == PERSON:
        return met
    relations = _relations(known)
    slim = _slim(period, _near(relations, {on}) if on is not None else None, uids=bool(subject))
    named = _named(slim, of)
    pairs = []
    for one, other in sweep(_spans(slim), relations, named):
        first, second = (one, other) if slim[one][1:3] <= slim[other][1:3] else (other, one)
        mine, its = slim[first], slim[second]
        if mine[1:3] == its[1:3] or (named is not None and named.isdisjoint((first, second))):
            continue
        if on is not None and on not in (mine[_THING], its[_THING]):
            continue
        if at is not None and {mine[_PLACE], its[_PLACE]}.isdisjoint((at, None)):
            continue
        apart = mine[_PLACE] != its[_PLACE] and None not in (mine[_PLACE], its[_PLACE])
        # most of what overlaps stands apart: no claims are made of it
        if apart and not relations.meet_apart(mine[_THING], its[_THING]):
            continue
        pairs.append((mine[0], its[0]))
    claims = _by_id({pk for pair in pairs for pk in pair})
    for one, other in pairs:
        found = meet(claims[one], claims[other], relations)
        if found is None or (rule is not None and found.rule != rule):
            continue
        if period is None or found.overlap.overlaps(period):
            met.append(found)
    return met


def _double_booked(period: Period | None, of: Collection[str] | None, *, uids: bool) -> list[Meeting]:
    """Return every meeting of two records that want the same person at the same time."""
    slim = _slim(period, None, thing=Thing.PERSON, uids=uids)
    named = _named(slim, of)
    pairs = []
    for person, spans in _spans(slim).items():
        lane = Lane(spans)
        for place, (start, end, number) in enumerate(lane.spans):
            for other in lane.overlapping(start, end, before=place):
                first, second = (other, number) if slim[other][1:3] <= slim[number][1:3] else (number, other)
                same = slim[first][1:3] == slim[second][1:3]
                if not same and (named is None or not named.isdisjoint((first, second))):
                    pairs.append((slim[first][0], slim[second][0], person))
    claims = _by_id({pk for pair in pairs for pk in pair[:2]})
    met = []
    for first, second, person in pairs:
        one, another = claims[first], claims[second]
        overlap = one.period & another.period
        if overlap is not None and (period is None or overlap.overlaps(period)):
            met.append(Meeting(PERSON, one, another, overlap, (person,)))
    return met


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


def place(source_kind: str, places: Mapping[int, Sequence[int]]) -> None:
    """Let these records hold their items in these environments and in no others; in the first they do so.

    What they hold there is copied: nothing else of it is read or written.
    """
    held: dict[int, set[int]] = {}
    rows = ClaimRow.objects.filter(
        source_kind=source_kind, source_id__in=places, thing=THINGS.index(Thing.ITEM)
    ).exclude(environment_id=None)
    for source, environment in rows.order_by().values_list("source_id", "environment_id").distinct():
        held.setdefault(source, set()).add(environment or 0)
    come: dict[tuple[int, int], list[int]] = {}
    go: dict[int, list[int]] = {}
    for source, stands in held.items():
        for environment in sorted({*places[source]} - stands):
            come.setdefault((places[source][0], environment), []).append(source)
        for environment in sorted(stands - {*places[source]}):
            go.setdefault(environment, []).append(source)
    others = [str(field.column) for field in ClaimRow._meta.concrete_fields if not field.primary_key]
    read = ["%s" if column == "environment_id" else column for column in others]
    for (like, environment), sources in come.items():
        marks = ", ".join(["%s"] * len(sources))
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO claims_claimrow ({', '.join(others)}) SELECT {', '.join(read)}"  # noqa: S608
                " FROM claims_claimrow WHERE source_kind = %s AND thing = %s AND environment_id = %s"
                f" AND source_id IN ({marks})",
                [environment, source_kind, THINGS.index(Thing.ITEM), like, *sources],
            )
    for environment, sources in go.items():
        ClaimRow.objects.filter(
            source_kind=source_kind, source_id__in=sources, environment_id=environment
        ).delete()


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
_STRENGTHS = {str(one): one for one in Strength}


def claim_of(row: Stored) -> Claim:
    kind, pk, key, name, uid, organisation, item, environment, starts, ends, strength, exclusive = row[:12]
    thing, usage, units = row[12:]
    return Claim(
        Ref(kind, key, name, uid, pk, organisation),
        item,
        environment,
        Period(_instant_of(starts), _instant_of(ends)),
        _STRENGTHS[strength],
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


def _instant_of(at: int) -> datetime:
    return EPOCH + at * MICROSECOND


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
        before=graph.before,
        is_shared={pk for pk, item in items.items() if item.shared}.__contains__,
        falling=graph.falling if graph.groups else None,
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


_SLIM = (
    "SELECT id, source_kind, source_id, source_key, thing_id, environment_id, starts, ends{uid}"
    " FROM claims_claimrow WHERE "
)
_THING, _PLACE = 4, 5


def _slim(
    period: Period | None, near: frozenset[int] | None, *, thing: Thing = Thing.ITEM, uids: bool = False
) -> list[Stored]:
    """Return of the rows that overlap the period what a sweep needs; most of them meet nothing."""
    low, high = (micros(period.start), micros(period.end)) if period else (-(2**62), 2**62)
    if near is not None and len(near) <= BY_ITEM:
        where, values = _on(sorted(near), low, high)
    elif period is not None:
        where, values = _at(low, high, thing=thing)
    else:
        where, values = "thing = %s", [THINGS.index(thing)]
    rows = fetch(_SLIM.format(uid=", source_uid" if uids else "") + where, values)
    return rows if near is None else [row for row in rows if row[_THING] in near]


def _named(slim: Sequence[Stored], of: Collection[str] | None) -> set[int] | None:
    """Return which of the rows are of these records, by key, or uid where it was read; None: all of them."""
    if of is None:
        return None
    return {number for number, row in enumerate(slim) if row[3] in of or row[-1] in of}


def _spans(slim: Sequence[Stored]) -> dict[int, list[Span]]:
    """Return the spans on each thing, each with the place of its row."""
    spans: dict[int, list[Span]] = {}
    for number, (_pk, _kind, _source, _key, thing, _place, start, end, *_) in enumerate(slim):
        if (own := spans.get(thing)) is None:
            spans[thing] = [(start, end, number)]
        else:
            own.append((start, end, number))
    return spans


def _by_id(ids: Collection[int]) -> dict[int, Claim]:
    """Return the claims of these rows."""
    if not ids:
        return {}
    postgresql = connection.vendor == "postgresql"
    where = "id = ANY(%s)" if postgresql else "id IN (SELECT value FROM json_each(%s))"
    rows = fetch(f"{_SELECT_WITH_ID} WHERE {where}", [list(ids) if postgresql else str(list(ids))])
    return {row[-1]: claim_of(row[:-1]) for row in rows}


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
