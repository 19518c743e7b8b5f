"""Periods, references, errors, values kept per process: the words that every context shares."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from fairway.accounts.models import Organisation
from fairway.kernel.cache import Kept, Remembered
from fairway.kernel.db import snapshot
from fairway.kernel.errors import FieldError, Invalid, NotFound, Refused
from fairway.kernel.models import number_lookup, uid_lookup
from fairway.kernel.numbers import next_numbers
from fairway.kernel.period import Period, parse_instant, span
from fairway.kernel.refs import HIDDEN, Ref, as_uid, uuid7

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def hours(start: float, end: float) -> Period:
    return Period(NOON + timedelta(hours=start), NOON + timedelta(hours=end))


@pytest.mark.parametrize(
    ("case", "one", "other", "common"),
    [
        ("apart", hours(0, 1), hours(2, 3), None),
        ("touching", hours(0, 1), hours(1, 2), None),
        ("overlapping", hours(0, 2), hours(1, 3), hours(1, 2)),
        ("inside", hours(0, 4), hours(1, 2), hours(1, 2)),
        ("equal", hours(0, 1), hours(0, 1), hours(0, 1)),
    ],
)
def test_periods_meet(case: str, one: Period, other: Period, common: Period | None) -> None:
    assert (one & other, other & one) == (common, common), case
    assert one.overlaps(other) is other.overlaps(one) is (common is not None)


def test_a_period_is_half_open() -> None:
    period = hours(0, 1)
    assert period.start in period
    assert period.end not in period
    assert period.covers(period)
    assert not period.covers(hours(0, 2))


@given(a=INSTANTS, b=INSTANTS, c=INSTANTS, d=INSTANTS)
def test_periods_overlap_where_they_share_an_instant(
    a: datetime, b: datetime, c: datetime, d: datetime
) -> None:
    if a >= b or c >= d:
        return
    one, other = Period(a, b), Period(c, d)
    assert one.overlaps(other) == (max(a, c) < min(b, d))
    whole = span([one, other])
    assert whole is not None
    assert whole.covers(one)
    assert whole.covers(other)


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        (NOON, NOON, "end"),
        (NOON, NOON - timedelta(minutes=1), "end"),
        (NOON.replace(tzinfo=None), NOON, "start"),
        (NOON, NOON.replace(tzinfo=None), "start"),
    ],
)
def test_a_period_has_a_length_and_a_zone(start: datetime, end: datetime, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        Period(start, end)
    assert [error.field for error in caught.value.errors] == [field]


def test_instants_are_kept_in_utc() -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    assert Period(NOON.astimezone(east), NOON + timedelta(hours=1)).start.tzinfo is UTC
    assert parse_instant("2026-11-23T17:30:00+05:30") == NOON
    assert parse_instant("2026-11-23T12:00:00Z") == NOON


@pytest.mark.parametrize("text", ["", "now", "2026-11-23", "2026-11-23T12:00:00", "2026-02-30T00:00:00Z",
                                  "0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00"])  # fmt: skip
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="is not an instant"):
        parse_instant(text, field="at")


def test_identifiers_are_ordered_by_time_and_unique() -> None:
    made = [uuid7() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert {one.version for one in made} == {7}
    assert made[0] < made[-1]


def test_references() -> None:
    assert Ref("change", "CHG-1", "one", pk=1) == Ref("change", "CHG-1", "other", pk=2)
    assert Ref("change", "CHG-1") != Ref("item", "CHG-1")
    assert HIDDEN.hidden
    assert not Ref("change", "").hidden
    uid = uuid7()
    assert uid_lookup(str(uid)) == {"uid": uid}
    assert as_uid("x" * 36) is None
    assert number_lookup("CHG", "chg-7") == {"number": 7}
    for wrong in ("CHG-", "CHG7", "REL-7", "CHG-7a", "CHG--7", "CHG-²", "CHG-" + "9" * 19):
        assert number_lookup("CHG", wrong) is None, wrong


def test_problems_become_documents() -> None:
    problem = Invalid.fields([FieldError("end", "Too early."), FieldError("start", "Too late.")])
    assert problem.document() == {
        "type": "/problems/invalid", "title": "Invalid", "status": 422, "code": "invalid",
        "detail": "Too early. Too late.",
        "errors": [{"field": "end", "message": "Too early."}, {"field": "start", "message": "Too late."}],
    }  # fmt: skip
    named = Refused("No.", code="environments.booking.refused", title="Booking refused", extra={"more": 1})
    assert named.document()["type"] == "/problems/environments.booking.refused"
    assert named.document()["more"] == 1
    assert Refused("No.").title == "Refused"
    assert NotFound("No.").status == 404


def test_a_value_is_kept_until_its_revision_moves(db: None) -> None:
    asked: list[tuple[int, object]] = []

    def load(revision: int, before: tuple[int, str] | None) -> str:
        asked.append((revision, before))
        return f"value {revision}"

    kept = Kept(load)
    assert [kept.at(1), kept.at(1), kept.at(2)] == ["value 1", "value 1", "value 2"]
    assert asked == [(1, None), (2, (1, "value 1"))]


def test_what_was_read_in_a_transaction_that_is_rolled_back_is_not_kept(db: None) -> None:
    kept = Kept(lambda revision, before: Organisation.objects.count())
    with transaction.atomic():
        Organisation.objects.create(slug="x", name="X", created_at=NOON)
        assert kept.at(1) == 1
        transaction.set_rollback(True)
    assert kept.at(1) == 0


def test_facts_are_remembered_up_to_a_number() -> None:
    facts: Remembered[str, int] = Remembered(most=2)
    facts.learn({"a": 1})
    facts.learn({"b": 2})
    assert (facts.get("a"), facts.get("b"), facts.get("c")) == (1, 2, None)
    facts.learn({"c": 3})
    assert (facts.get("a"), facts.get("c")) == (None, 3)


@pytest.mark.usefixtures("committed")
def test_a_snapshot_sees_one_state_and_takes_no_lock() -> None:
    with snapshot():
        before = Organisation.objects.count()
        with snapshot():  # one inside another is the same one
            assert Organisation.objects.count() == before
        if connection.vendor == "sqlite":
            assert connection.connection.in_transaction
    with transaction.atomic():
        Organisation.objects.create(slug="x", name="X", created_at=NOON)
    with snapshot():
        assert Organisation.objects.count() == before + 1


def test_numbers_are_never_given_twice(db: None) -> None:
    first, many = next_numbers("user"), next_numbers("user", 3)
    assert len({*first, *many}) == 4
    assert many == list(range(first[0] + 1, first[0] + 4))
