"""Laws of the whole engine: what is forbidden only closes, and weeks are all alike in UTC."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from fairway.audit import queries as audit
from fairway.audit.commands import execute
from fairway.audit.models import Revision
from fairway.calendars.commands import CreateWindow
from fairway.calendars.models import Window
from fairway.changes import queries
from fairway.changes.models import Change, PlannedWindow
from fairway.claims.models import ClaimRow
from fairway.kernel.actor import SYSTEM
from fairway.kernel.cache import Kept
from fairway.kernel.period import Period
from fairway.policy import Decision, Verdict
from tests.changes.conftest import NOON, Company, hours

DAYS = 21
RANK = list(Verdict)
WEEKS = timedelta(weeks=70)  # over a leap day


def crowd(company: Company, dice: random.Random) -> None:
    """Put changes, freezes and maintenance in the way of a change, all in UTC and by weeks or days."""
    for _ in range(6):
        window = hours(start := dice.uniform(0, 24 * DAYS), start + dice.choice([0.5, 3, 12]))
        company.change(
            "max",
            title="Other",
            items=(dice.choice(["payments-api", "ledger-db"]),),
            environments=dice.choice([("prod",), ("sit2",), ()]),
            windows=(window,),
            downtime=(window,) if dice.random() < 0.6 else (),
            submit=dice.random() < 0.8,
        )
    for kind in ("hard_freeze", "soft_freeze", "maintenance"):
        freeze(kind, dice)


def freeze(kind: str, dice: random.Random) -> None:
    given: dict[str, Any] = {"kind": kind, "name": kind, "organisation": "retail", "zone": "UTC"}
    if kind == "maintenance":
        times: dict[str, Any] = {"rrule": "FREQ=WEEKLY;BYDAY=MO,WE,TH,SA", "duration": timedelta(hours=30)}
    else:
        times = {
            "rrule": dice.choice(["FREQ=DAILY", "FREQ=WEEKLY;INTERVAL=2", "FREQ=WEEKLY;BYDAY=TU,SU"]),
            "duration": timedelta(hours=dice.choice([1, 5, 20])),
        }
    begun = datetime(2026, 11, 2, dice.randrange(24))  # noqa: DTZ001 - wall time is naive
    execute(CreateWindow(local_start=begun.isoformat(), **times, **given), actor=SYSTEM)


def asked(company: Company, dice: random.Random) -> queries.Proposal:
    start = dice.choice([0, 7, 30])
    window = hours(start, start + dice.choice([1, 4]))
    key = company.change(windows=(window,), downtime=(window,) if dice.random() < 0.5 else ())
    return queries.dossier(SYSTEM, key).proposal()


def slots(proposal: queries.Proposal, at: datetime = NOON) -> queries.Offers:
    return queries.slots(proposal, at=at, within=timedelta(days=DAYS), limit=12)


def moved(proposal: queries.Proposal, by: timedelta) -> queries.Proposal:
    def later(periods: Iterable[Period]) -> tuple[Period, ...]:
        return tuple(Period(one.start + by, one.end + by) for one in periods)

    return replace(proposal, windows=later(proposal.windows), downtimes=later(proposal.downtimes))


def decisions(proposal: queries.Proposal, at: datetime = NOON) -> list[Decision]:
    """Decide about the plan every seven hours."""
    starts = (at + timedelta(hours=hour) for hour in range(0, 24 * DAYS, 7))
    return [queries.assess(moved(proposal, start - proposal.windows[0].start), at=at) for start in starts]


@pytest.mark.sqlite_only
@pytest.mark.parametrize("seed", range(3))
def test_what_is_forbidden_in_addition_only_closes(company: Company, seed: int) -> None:
    dice = random.Random(seed)
    crowd(company, dice)
    proposal = asked(company, dice)
    before, open_before = decisions(proposal), slots(proposal).starts
    assert open_before

    freeze("hard_freeze", dice)
    window = hours(start := dice.uniform(0, 200), start + 60)
    taking = company.change("max", title="More", windows=(window,), downtime=(window,))
    company.take("submit", "max", taking)

    after, open_after = decisions(proposal), slots(proposal).starts
    assert all(
        RANK.index(new.verdict) >= RANK.index(old.verdict) for new, old in zip(after, before, strict=True)
    )
    assert not open_after - open_before
    assert open_before - open_after, "the prohibitions forbid nothing"


@pytest.mark.sqlite_only
@pytest.mark.parametrize("seed", range(3))
def test_all_shifted_by_weeks_in_utc_is_told_shifted(company: Company, seed: int) -> None:
    dice = random.Random(seed)
    crowd(company, dice)
    proposal = asked(company, dice)
    before, offers = decisions(proposal), slots(proposal)
    assert len({one.verdict for one in before}) > 1, "the plan is too dull"

    shift(WEEKS)
    later = moved(proposal, WEEKS)
    after, then = decisions(later, NOON + WEEKS), slots(later, NOON + WEEKS)

    assert [told(one) for one in after] == [told(one, WEEKS) for one in before]
    assert list(then.starts) == [Period(one.start + WEEKS, one.end + WEEKS) for one in offers.starts]
    assert [(offer.slot.start, offer.slot.points) for offer in then.offers] == [
        (offer.slot.start + WEEKS, offer.slot.points) for offer in offers.offers
    ]


def told(decision: Decision, by: timedelta = timedelta(0)) -> tuple[Any, ...]:
    """Return verdict, findings and instants, these moved."""
    return (
        decision.verdict,
        sorted(
            (
                one.rule,
                one.severity,
                [party.key for party in one.parties],
                (one.interval.start + by, one.interval.end + by) if one.interval else None,
                [ref.key for ref in one.path],
            )
            for one in decision.findings
        ),
        decision.next_open + by if decision.next_open else None,
        decision.next_close + by if decision.next_close else None,
    )


def shift(by: timedelta) -> None:
    """Move everything that there is, as if it had been so from the beginning."""
    for window in PlannedWindow.objects.all():
        PlannedWindow.objects.filter(pk=window.pk).update(
            starts_at=window.starts_at + by, ends_at=window.ends_at + by
        )
    for change in Change.objects.exclude(planned_start=None):
        assert change.planned_start is not None
        assert change.planned_end is not None
        Change.objects.filter(pk=change.pk).update(
            planned_start=change.planned_start + by, planned_end=change.planned_end + by
        )
    micros = by // timedelta(microseconds=1)
    for row in ClaimRow.objects.all():
        ClaimRow.objects.filter(pk=row.pk).update(starts=row.starts + micros, ends=row.ends + micros)
    for calendar in Window.objects.all():
        start = datetime.fromisoformat(str(calendar.local_start)) + by
        Window.objects.filter(pk=calendar.pk).update(local_start=start.isoformat())
    Revision.objects.update(value=audit.head()[0] + 1)
    Kept.forget_all()
