"""Sharing environments and pools agrees with asking hour by hour who is there and how much they take."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.claims import queries
from fairway.claims.models import ClaimRow
from fairway.claims.rules import Claim, Strength, Thing
from fairway.claims.rules.usage import CAPACITY, USAGE, Use, shared_use, use_of_all
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref
from fairway.policy import Finding, Severity, tell

ORIGIN = datetime(2028, 2, 28, tzinfo=UTC)  # a leap day lies ahead
KINDS = ("regression", "performance", "training")
HOURS = 48


def hours(start: int, end: int) -> Period:
    return Period(ORIGIN + timedelta(hours=start), ORIGIN + timedelta(hours=end))


def compatible(one: str, other: str) -> bool:
    return one == other == "regression" or {one, other} == {"regression", "training"}


def booking(source: int, place: int, period: Period, usage: str = "regression", **more: object) -> Claim:
    ref = Ref("booking", f"BKG-{source}", f"Booking {source}", pk=source)
    given = {"strength": Strength.APPROVED, "thing": Thing.ENVIRONMENT, "usage": usage, **more}
    return Claim(ref, place, None, period, **given)  # type: ignore[arg-type]


bookings = st.lists(
    st.builds(
        lambda source, thing, start, length, usage, exclusive, units, draft: booking(
            source,
            thing,
            hours(start, start + length),
            usage,
            exclusive=exclusive,
            units=units,
            strength=Strength.TENTATIVE if draft else Strength.APPROVED,
        ),
        st.integers(1, 4),
        st.integers(1, 2),
        st.integers(0, 30),
        st.integers(1, 10),
        st.sampled_from(KINDS),
        st.booleans(),
        st.integers(1, 3),
        st.booleans(),
    ),
    max_size=8,
)


def there(claim: Claim, hour: int) -> bool:
    return claim.period.start <= ORIGIN + timedelta(hours=hour) < claim.period.end


@given(bookings, st.integers(1, 5))
def test_sharing_is_what_is_found_hour_by_hour(claims: list[Claim], limit: int) -> None:
    mine = [claim for claim in claims if claim.source.key == "BKG-1"]
    others = [claim for claim in claims if claim.source.key != "BKG-1"]
    met: dict[tuple[str, Severity], set[int]] = {}
    crowded: set[tuple[int, int]] = set()
    for hour in range(HOURS):
        for thing in (1, 2):
            own = [c for c in mine if c.item == thing and there(c, hour)]
            its = [c for c in others if c.item == thing and there(c, hour)]
            for one in own:
                for other in its:
                    fits = compatible(one.usage, other.usage) and not one.exclusive and not other.exclusive
                    draft = other.strength is Strength.TENTATIVE
                    severity = Severity.INFORM if fits else Severity.WARN if draft else Severity.BLOCK
                    met.setdefault((other.source.key, severity), set()).add(thing)
            firm = sum(c.units for c in its if c.strength is not Strength.TENTATIVE)
            if own and firm + sum(c.units for c in own) > limit:
                crowded.add((thing, hour))

    found = shared_use(mine, others, compatible=compatible, capacity=lambda thing: limit)

    told: dict[tuple[str, Severity], int] = {}
    for finding in found:
        if finding.rule == USAGE:
            key = (finding.parties[1].key, finding.severity)
            told[key] = told.get(key, 0) + 1
    assert told == {key: len(things) for key, things in met.items()}
    over = [f for f in found if f.rule == CAPACITY]
    covered = sum(
        (f.interval.end - f.interval.start) // timedelta(hours=1) for f in over if f.interval is not None
    )
    assert covered == len(crowded)
    assert all(f.severity is Severity.BLOCK and f.waivable_by == ("environment manager",) for f in over)


@given(bookings, st.integers(1, 5))
def test_the_sweep_over_all_use_is_what_is_found_hour_by_hour(claims: list[Claim], limit: int) -> None:
    lanes: dict[int, list[Use]] = {}
    for number, one in enumerate(claims):
        start, end = ((at - ORIGIN) // timedelta(hours=1) for at in (one.period.start, one.period.end))
        use = (start, end, number, one.units, one.strength is not Strength.TENTATIVE)
        lanes.setdefault(one.item, []).append(use)
    met: dict[tuple[str, str, int, Severity], set[int]] = {}
    crowded: dict[tuple[int, int], tuple[int, set[str]]] = {}
    for hour in range(HOURS):
        for thing in (1, 2):
            here = [c for c in claims if c.item == thing and there(c, hour)]
            for one, other in combinations(here, 2):
                if one.source == other.source:
                    continue
                fits = compatible(one.usage, other.usage) and not one.exclusive and not other.exclusive
                drafts = one.strength is other.strength is Strength.TENTATIVE
                severity = Severity.INFORM if fits else Severity.WARN if drafts else Severity.BLOCK
                first, second = sorted((one.source.key, other.source.key))
                met.setdefault((first, second, thing, severity), set()).add(hour)
            firm = [c for c in here if c.strength is not Strength.TENTATIVE]
            if (units := sum(c.units for c in firm)) > limit:
                crowded[thing, hour] = (units, {c.source.key for c in firm})

    found = use_of_all(
        lanes,
        claims.__getitem__,
        compatible=compatible,
        capacity=lambda thing: limit,
        instant=lambda hour: ORIGIN + timedelta(hours=hour),
    )

    told = Counter((*(party.key for party in f.parties), f.severity) for f in found if f.rule == USAGE)
    assert told == Counter((first, second, severity) for first, second, _, severity in met)
    begins = Counter(f.interval.start for f in found if f.rule == USAGE and f.interval is not None)
    assert begins == Counter(ORIGIN + timedelta(hours=min(hit)) for hit in met.values())
    stretches: list[tuple[int, int, int, set[str]]] = []
    for (thing, hour), (units, keys) in sorted(crowded.items()):
        if stretches and stretches[-1][0] == thing and stretches[-1][1] == hour:
            _, _, most, before = stretches.pop()
            units, keys = max(most, units), before | keys
        stretches.append((thing, hour + 1, units, keys))
    over = [
        ((f.interval.end - ORIGIN) // timedelta(hours=1), f.params["units"], sorted(p.key for p in f.parties))
        for f in found
        if f.rule == CAPACITY and f.interval is not None
    ]
    assert sorted(map(str, over)) == sorted(
        str((end, units, sorted(keys))) for _, end, units, keys in stretches
    )


@given(bookings, st.integers(1, 3))
def test_taking_more_never_lets_in_what_was_kept_out(claims: list[Claim], limit: int) -> None:
    """One more claim of others, or less capacity, only ever closes."""
    mine = [claim for claim in claims if claim.source.key == "BKG-1"]
    others = [claim for claim in claims if claim.source.key != "BKG-1"]

    def blocked(held: list[Claim], most: int) -> bool:
        found = shared_use(mine, held, compatible=compatible, capacity=lambda thing: most)
        return any(finding.severity is Severity.BLOCK for finding in found)

    for count in range(len(others)):
        assert blocked(others[: count + 1], limit) >= blocked(others[:count], limit)
    assert blocked(others, limit) >= blocked(others, limit + 1)


HELD = booking(1, 1, hours(0, 4))


@pytest.mark.parametrize(
    ("case", "wanted", "severities"),
    [
        ("ends as the other starts", booking(2, 1, hours(-4, 0), "performance"), []),
        ("starts as the other ends", booking(2, 1, hours(4, 6), "performance"), []),
        ("overlaps, kinds clash", booking(2, 1, hours(3, 6), "performance"), [Severity.BLOCK]),
        ("overlaps, both regression", booking(2, 1, hours(3, 6)), [Severity.INFORM]),
        ("one of them exclusive", booking(2, 1, hours(3, 6), exclusive=True), [Severity.BLOCK]),
        ("another environment", booking(2, 2, hours(0, 4), "performance"), []),
        ("a pool of the same number", booking(2, 1, hours(0, 4), "performance", thing=Thing.POOL), []),
        ("the same record", booking(1, 1, hours(0, 4), "performance"), []),
        ("too much of it", booking(2, 1, hours(3, 6), units=2), [Severity.BLOCK, Severity.INFORM]),
    ],
)
def test_contention(case: str, wanted: Claim, severities: list[Severity]) -> None:
    found = shared_use([wanted], [HELD], compatible=compatible, capacity=lambda thing: 2)
    assert [finding.severity for finding in found] == severities, case
    assert all(tell(finding) for finding in found)


@pytest.mark.django_db
def test_stored_bookings_are_met_in_one_statement(django_assert_num_queries: object) -> None:
    held = [booking(number, 1, hours(number, number + 2)) for number in range(1, 9)]
    ClaimRow.objects.bulk_create(queries.row_of(claim) for claim in held)
    wanted = booking(20, 1, hours(2, 5), "performance")

    def asked() -> list[Finding]:
        return queries.contention(
            subject=wanted.source, claims=[wanted], compatible=compatible, capacity=lambda thing: None
        )

    with django_assert_num_queries(1):  # type: ignore[operator]
        found = asked()
    assert {finding.parties[1].key for finding in found} == {"BKG-1", "BKG-2", "BKG-3", "BKG-4"}
    assert queries.stored("booking") == set(held)
    ClaimRow.objects.bulk_create([queries.row_of(booking(9, 7, hours(0, 9), thing=Thing.POOL, units=3))])
    with django_assert_num_queries(2):  # type: ignore[operator]
        every = queries.contentions(compatible=compatible, capacity=lambda thing: 2 if thing == 7 else None)
    pairs = {tuple(party.key for party in f.parties) for f in every if f.rule == USAGE}
    assert pairs == {(f"BKG-{number}", f"BKG-{number + 1}") for number in range(1, 8)}
    assert [(f.parties[0].key, f.params["units"]) for f in every if f.rule == CAPACITY] == [("BKG-9", 3)]
