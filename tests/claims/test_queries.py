"""Claims as stored: what is found among them is what the rules say about all of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from fairway.accounts import queries as accounts
from fairway.audit.commands import execute
from fairway.catalog import queries as catalog
from fairway.catalog.commands import CreateItem, CreateRelation, PutRedundancy
from fairway.catalog.queries import item
from fairway.claims import queries
from fairway.claims.models import ClaimRow
from fairway.claims.queries import RELATED_ITEM, SAME_ITEM, Claim, Strength
from fairway.claims.rules import findings, meetings
from fairway.environments.queries import environment
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import Invalid, NotFound
from fairway.kernel.period import Period
from fairway.kernel.refs import HIDDEN, Ref
from fairway.policy import Severity, tell
from tests.support.company import Company
from tests.support.company import actor as again

ORIGIN = datetime(2027, 1, 4, tzinfo=UTC)
ITEMS = ("till", "ledger", "database", "portal", "network")


def hours(start: float, end: float) -> Period:
    return Period(ORIGIN + timedelta(hours=start), ORIGIN + timedelta(hours=end))


def change(number: int, organisation: str = "retail") -> Ref:
    owner = accounts.organisation(SYSTEM, organisation).pk
    return Ref("change", f"CHG-{number}", f"Change {number}", f"uid-{number}", number, owner)


def claim(source: Ref, key: str, start: float, end: float, place: str | None = "prod", **more: Any) -> Claim:
    where = environment(SYSTEM, place).pk if place else None
    more.setdefault("strength", Strength.APPROVED)
    return Claim(source, item(SYSTEM, key).pk, where, hours(start, end), **more)


def hold(*claims: Claim) -> None:
    """Store claims, each record's as a whole."""
    by_source: dict[int, list[Claim]] = {}
    for one in claims:
        assert one.source.pk is not None
        by_source.setdefault(one.source.pk, []).append(one)
    queries.replace("change", by_source)


@pytest.mark.parametrize("length", [1, 59, 60, 61, 120, 121, 60 * 24 * 365 * 80])
def test_the_magnitude_bounds_the_length_from_above_as_tightly_as_can_be(length: int) -> None:
    size = queries.magnitude(length * queries.MINUTE)
    assert length <= 2**size
    assert size == 0 or length > 2 ** (size - 1)


def test_a_claim_reads_back_as_it_was_stored(company: Company) -> None:
    claims = [
        claim(change(1), "ledger", 0, 4, strength=Strength.APPROVED, exclusive=True),
        claim(change(1), "ledger", 24, 28.5, None),
        Claim(
            change(2),
            item(SYSTEM, "till").pk,
            None,
            Period(ORIGIN - timedelta(days=30_000), ORIGIN + timedelta(microseconds=1)),
        ),
    ]
    hold(*claims)
    assert queries.stored("change") == set(claims)
    assert queries.stored("booking") == set()


def test_replacing_writes_a_record_as_a_whole_and_leaves_others(company: Company) -> None:
    other = claim(change(2), "till", 0, 4)
    hold(claim(change(1), "ledger", 0, 4), claim(change(1), "till", 8, 9), other)
    moved = claim(change(1), "ledger", 10, 14)
    hold(moved)
    assert queries.stored("change") == {moved, other}
    queries.replace("change", {1: []})
    assert queries.stored("change") == {other}
    queries.rebuild("change", {1: [moved]})
    assert queries.stored("change") == {moved}


def test_the_database_refuses_a_claim_without_length(company: Company) -> None:
    row = queries.row_of(claim(change(1), "ledger", 0, 4))
    row.ends = row.starts
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()
    assert not ClaimRow.objects.exists()


def test_the_same_item_in_two_environments_is_no_conflict(company: Company) -> None:
    hold(claim(change(1), "ledger", 0, 1, "sit2"))
    assert queries.clashes(subject=change(2), claims=[claim(change(2), "ledger", 0, 1, "prod")]) == []


@pytest.mark.parametrize(("key", "place"), [("network", "prod"), ("ledger", None)])
def test_a_shared_item_and_a_change_that_names_no_environment_are(
    company: Company, key: str, place: str | None
) -> None:
    hold(claim(change(1), key, 0, 1, "sit2"))
    (finding,) = queries.clashes(subject=change(2), claims=[claim(change(2), key, 0, 1, place)])
    assert (finding.rule, finding.severity) == (SAME_ITEM, Severity.WARN)


def test_a_related_item_is_found_both_ways_and_told_with_the_way(company: Company) -> None:
    hold(claim(change(1), "database", 0, 4))
    (finding,) = queries.clashes(subject=change(2), claims=[claim(change(2), "till", 3, 5)])
    assert (finding.rule, finding.interval) == (RELATED_ITEM, hours(3, 4))
    assert [ref.key for ref in finding.path] == ["till", "ledger", "database"]
    assert tell(finding) == (
        "CHG-1 (Change 1) has work on database from 2027-01-04 03:00 to 04:00 UTC;"
        " if it fails, that reaches till through ledger."
    )
    hold(claim(change(1), "till", 0, 4))
    (turned,) = queries.clashes(subject=change(2), claims=[claim(change(2), "database", 3, 5)])
    assert [ref.key for ref in turned.path] == ["database", "ledger", "till"]
    assert "if database fails, that reaches it through ledger" in tell(turned)


def test_what_needs_the_same_item_is_not_related(company: Company) -> None:
    hold(claim(change(1), "portal", 0, 4))
    assert queries.clashes(subject=change(2), claims=[claim(change(2), "ledger", 0, 4)]) == []


def test_a_redundant_member_alone_is_not_related_but_what_takes_all_of_them_down_is(company: Company) -> None:
    for key in ("rack", "left", "right"):
        execute(CreateItem(key=key, name=key, kind="host", organisation="retail"), actor=SYSTEM)
    for source, target in (("ledger", "left"), ("ledger", "right"), ("left", "rack"), ("right", "rack")):
        execute(CreateRelation(source=source, target=target, kind="depends-on"), actor=SYSTEM)
    hold(claim(change(1), "ledger", 0, 4))

    def related(key: str) -> list[tuple[str, list[str]]]:
        found = queries.clashes(subject=None, claims=[claim(change(2), key, 1, 2)])
        return [(one.rule, [ref.key for ref in one.path]) for one in found]

    assert related("left") == [(RELATED_ITEM, ["left", "ledger"])]
    members = ["left", "right"]
    execute(PutRedundancy(item="ledger", kind="depends-on", needed=1, members=members), actor=SYSTEM)

    assert related("left") == related("right") == []
    assert related("rack") == [(RELATED_ITEM, ["rack", "right", "ledger"])]
    everything = queries.conflicts(SYSTEM)
    assert everything == []
    hold(claim(change(1), "ledger", 0, 4), claim(change(3), "rack", 1, 2), claim(change(4), "left", 5, 6))
    assert [(one.one.key, one.other.key) for one in queries.conflicts(SYSTEM)] == [("CHG-1", "CHG-3")]


def test_downtime_blocks_and_is_told(company: Company) -> None:
    hold(claim(change(1), "ledger", 0, 4), claim(change(1), "ledger", 8, 9, exclusive=True))
    wanted = [claim(change(2), "ledger", 3, 5), claim(change(2), "ledger", 8, 10)]
    (finding,) = queries.clashes(subject=change(2), claims=wanted)
    assert (finding.severity, finding.interval) == (Severity.BLOCK, hours(8, 9))
    assert tell(finding) == (
        "CHG-1 (Change 1) has work on ledger from 2027-01-04 08:00 to 09:00 UTC,"
        " and one of the two takes it out of use. They meet 1 more time."
    )


def test_a_record_does_not_conflict_with_itself(company: Company) -> None:
    hold(claim(change(1), "ledger", 0, 4), claim(change(1), "database", 2, 6))
    moved = [claim(change(1), "ledger", 3, 7), claim(change(1), "till", 3, 7)]
    assert queries.clashes(subject=change(1), claims=moved) == []


def test_a_party_of_another_branch_is_told_by_time_alone(company: Company) -> None:
    hold(claim(change(1, "cards"), "network", 0, 4))
    (finding,) = queries.clashes(subject=change(2), claims=[claim(change(2), "network", 3, 5)])
    assert finding.parties[1].key == "CHG-1"
    told = finding.redacted(accounts.access(again("rita")).sees)
    assert (told.parties, told.path, told.params) == ((change(2), HIDDEN), (), {})
    assert tell(told) == "Another organisation has work on the same item from 2027-01-04 03:00 to 04:00 UTC."


def test_what_is_met_at_an_instant_is_told_by_it(company: Company) -> None:
    """Not by a period that begins and ends alike, as it would for whoever asks about one moment."""
    hold(claim(change(1), "network", 0, 4))
    start = hours(3, 4).start
    moment = replace(
        claim(change(2), "network", 3, 4), period=Period(start, start + timedelta(microseconds=1))
    )
    (finding,) = queries.clashes(subject=change(2), claims=[moment])
    assert tell(finding) == "CHG-1 (Change 1) has work on network at 2027-01-04 03:00 UTC."


def plans(seed: int) -> Iterator[list[Claim]]:
    """Give the claims of some changes, drawn from a seed: short and long ones, some of them endless."""
    chance = random.Random(seed)
    pks = {key: item(SYSTEM, key).pk for key in ITEMS}
    places = [environment(SYSTEM, "prod").pk, environment(SYSTEM, "sit2").pk, None]
    for number in range(1, 25):
        source = Ref("change", f"CHG-{number}", "", f"uid-{number}", number, 1)
        claims = []
        for _ in range(chance.randrange(1, 4)):
            start = chance.randrange(0, 24 * 30)
            length = chance.choice([0.25, 1, 4, 24, 24 * 10, 24 * 365 * 70])
            claims.append(
                Claim(
                    source,
                    pks[chance.choice(ITEMS)],
                    chance.choice(places),
                    hours(start, start + length),
                    exclusive=chance.random() < 0.2,
                )
            )
        yield claims


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("by_item", [0, 10_000])
def test_what_is_read_is_what_the_rules_need(
    company: Company, monkeypatch: pytest.MonkeyPatch, seed: int, by_item: int
) -> None:
    monkeypatch.setattr(queries, "BY_ITEM", by_item)
    drawn = list(plans(seed))
    everything = [one for claims in drawn for one in claims]
    hold(*everything)
    known = catalog.snapshot()
    relations = queries._relations(known)
    pairs = set()
    for own in drawn:
        source = own[0].source
        expected = findings(meetings(own, everything, relations), lambda pk: known.items[pk].ref, source)
        assert queries.clashes(subject=source, claims=own) == expected
        pairs |= {(f.rule, frozenset(party.key for party in f.parties), f.interval) for f in expected}
    told = [clash.finding for clash in queries.conflicts(SYSTEM)]
    assert {(f.rule, frozenset(party.key for party in f.parties), f.interval) for f in told} == pairs
    assert len(told) == len(pairs)
    assert [f.interval for f in told] == sorted(f.interval for f in told if f.interval)


@pytest.mark.parametrize("number", [1, 50])
def test_a_check_takes_the_same_statements_for_any_number_of_claims(company: Company, number: int) -> None:
    hold(*(claim(change(n), "ledger", n, n + 2) for n in range(1, 60)))
    wanted = [claim(change(99), key, n, n + 1) for n in range(number) for key in ("ledger", "till")]
    subject = change(99)
    queries.clashes(subject=subject, claims=wanted)
    with CaptureQueriesContext(connection) as caught:
        queries.clashes(subject=subject, claims=wanted)
    assert len(caught) == 2  # the revision of the catalogue, and the claims


def test_conflicts_are_filtered(company: Company) -> None:
    hold(
        claim(change(1), "ledger", 0, 4),
        claim(change(2), "ledger", 3, 6),
        claim(change(3), "database", 5, 8, None),
        claim(change(4), "till", 100, 104, "sit2"),
        claim(change(5), "till", 100, 104, "sit2"),
    )

    def told(**asked: Any) -> list[tuple[str, str, str]]:
        found = queries.conflicts(SYSTEM, **asked)
        return [(clash.finding.rule, clash.one.key, clash.other.key) for clash in found]

    same, related, later = (
        (SAME_ITEM, "CHG-1", "CHG-2"), (RELATED_ITEM, "CHG-2", "CHG-3"), (SAME_ITEM, "CHG-4", "CHG-5"),
    )  # fmt: skip
    assert told() == [same, related, later]
    assert told(period=hours(0, 5)) == [same]
    assert told(period=hours(4, 5)) == []
    assert told(rule=RELATED_ITEM) == [related]
    assert told(item="ledger") == [same, related]
    assert told(item="database") == [related]
    assert told(environment="sit2") == [related, later]  # the change that names none is there as well
    assert told(subject="CHG-1") == [same]
    assert told(subject="uid-3") == [related]
    with pytest.raises(NotFound):
        queries.conflicts(SYSTEM, item="nothing")
    with pytest.raises(Invalid):
        queries.conflicts(SYSTEM, environment="nowhere")


def test_a_pair_is_listed_for_who_sees_one_of_the_two(company: Company) -> None:
    hold(
        claim(change(1), "network", 0, 4),
        claim(change(2, "cards"), "network", 3, 6),
        claim(change(3, "cards"), "portal", 10, 14),
        claim(change(4, "cards"), "portal", 10, 14),
    )
    (pair,) = queries.conflicts(again("rita"))
    assert (pair.one.key, pair.other, pair.finding.path) == ("CHG-1", HIDDEN, ())
    assert len(queries.conflicts(again("carl"))) == 2
    assert queries.conflicts(again("rita"), subject="CHG-2") == []
    assert len(queries.conflicts(again("carl"), subject="CHG-2")) == 1
    with pytest.raises(NotFound):
        queries.conflicts(again("rita"), item="portal")
