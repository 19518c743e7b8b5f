"""Freezes and maintenance windows agree with a simulation that looks at every half hour."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.calendars.rules import FREEZE, OUTSIDE_MAINTENANCE, Calendar, Kind, Scope, Target, Window
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref
from fairway.policy import Finding, Severity, Verdict, decide
from fairway.scheduling import Recurrence, Rule

GROUP, BANK, SHOP = 1, 2, 3  # the bank and the shop are below the group
UP = {GROUP: {GROUP}, BANK: {GROUP, BANK}, SHOP: {GROUP, SHOP}}
PROD, UAT = 10, 11
TIERS = {PROD: "production", UAT: "acceptance", None: None}
ELSEWHERE = 99
LEDGER, PAYMENTS, SWITCH = 100, 101, 102
CRITICALITY = {LEDGER: 1, PAYMENTS: 2, SWITCH: 3}
CHANGE = Ref("change", "CHG-7", "Patch the ledger", organisation=BANK)

STEP = timedelta(minutes=30)
CELLS = 12 * 48  # half hours
CLOCK_CHANGES = {
    "Europe/London": datetime(2027, 3, 22, tzinfo=UTC),
    "America/New_York": datetime(2027, 11, 1, tzinfo=UTC),
    "Australia/Lord_Howe": datetime(2027, 9, 27, tzinfo=UTC),
    "America/Sao_Paulo": datetime(2018, 10, 29, tzinfo=UTC),
    "Africa/Casablanca": datetime(2026, 3, 16, tzinfo=UTC),
}


def target(item: int | None, environment: int | None, organisation: int = BANK) -> Target:
    return Target(
        item,
        environment,
        frozenset(UP[organisation]),
        CRITICALITY.get(item) if item else None,
        TIERS[environment],
        Ref("item", f"item-{item}", pk=item) if item else None,
    )


targets = st.builds(
    target,
    st.sampled_from([LEDGER, PAYMENTS, SWITCH, None]),
    st.sampled_from([PROD, UAT, None]),
    st.sampled_from([BANK, SHOP]),
)
scopes = st.builds(
    Scope,
    st.sampled_from([GROUP, BANK, SHOP]),
    st.frozensets(st.sampled_from([LEDGER, PAYMENTS]), max_size=1),
    st.frozensets(st.sampled_from([PROD, UAT]), max_size=1),
    st.frozensets(st.sampled_from([1, 2]), max_size=1),
    st.frozensets(st.sampled_from(["production", "acceptance"]), max_size=1),
)


def windows(origin: datetime, zone: str, kinds: list[Kind]) -> st.SearchStrategy[Window]:
    once = st.tuples(st.integers(0, CELLS - 1), st.integers(1, 200)).map(
        lambda pair: Period(origin + pair[0] * STEP, origin + (pair[0] + pair[1]) * STEP)
    )
    again = st.builds(
        lambda day, half_hour, length, rule: Recurrence(
            datetime.combine(origin.date() - timedelta(days=day), time(half_hour // 2, half_hour % 2 * 30)),
            length * STEP,
            zone,
            Rule.parse(rule),
        ),
        st.integers(0, 9),
        st.integers(0, 47),
        st.integers(1, 60),
        st.sampled_from(["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "FREQ=WEEKLY;BYDAY=SU"]),
    )
    number = st.integers(1, 10**6)
    return st.builds(
        lambda n, kind, scope, when: Window(Ref("window", f"WIN-{n}", "Year end", pk=n), kind, scope, when),
        number,
        st.sampled_from(kinds),
        scopes,
        st.one_of(once, again),
    )


@st.composite
def plans(draw: st.DrawFn) -> tuple[datetime, str, list[Window], list[Target]]:
    """Draw a clock change, windows around it, and what work touches."""
    zone, origin = draw(st.sampled_from(sorted(CLOCK_CHANGES.items())))
    some = draw(
        st.lists(windows(origin, zone, list(Kind)), max_size=6, unique_by=lambda window: window.ref.key)
    )
    return origin, zone, some, draw(st.lists(targets, min_size=1, max_size=3))


def active(window: Window, at: datetime) -> bool:
    """Say whether the window is open at the instant, by trying every day it could have begun on."""
    if isinstance(window.when, Period):
        return window.when.start <= at < window.when.end
    when, where = window.when, ZoneInfo(window.when.zone_name)
    assert when.rule is not None
    for back in range(4):
        day = at.astimezone(where).date() + timedelta(days=1 - back)
        weekdays = [weekday for _, weekday in when.rule.by_day]
        if day < when.start.date() or (weekdays and day.weekday() not in weekdays):
            continue
        start = datetime.combine(day, when.start.time(), tzinfo=where).astimezone(UTC)
        if start <= at < start + when.duration:
            return True
    return False


def concerns(window: Window, one: Target, environment: int | None, tier: str | None) -> bool:
    scope = window.scope
    return (
        scope.organisation in one.organisations
        and (not scope.items or one.item in scope.items)
        and (not scope.criticalities or one.criticality in scope.criticalities)
        and (not scope.environments or environment in scope.environments)
        and (not scope.tiers or tier in scope.tiers)
    )


def frozen(some: list[Window], touched: list[Target], at: datetime, *, reason: bool) -> list[Window]:
    """Return the freezes that stop work at the instant; without environment work is in all of them."""
    stopping = [w for w in some if w.kind is Kind.HARD_FREEZE or (w.kind is Kind.SOFT_FREEZE and not reason)]
    return [
        window
        for window in stopping
        if active(window, at)
        and any(
            concerns(window, one, environment, tier) for one in touched for environment, tier in places(one)
        )
    ]


def places(one: Target) -> list[tuple[int | None, str | None]]:
    if one.environment is not None:
        return [(one.environment, one.tier)]
    return list(product([PROD, UAT, ELSEWHERE], ["production", "acceptance", "elsewhere"]))


def outside(some: list[Window], touched: list[Target], at: datetime) -> bool:
    """Say whether something touched has maintenance windows at some place, none of which is open then."""
    for one in touched:
        for environment, tier in places(one):
            its = [w for w in some if w.kind is Kind.MAINTENANCE and concerns(w, one, environment, tier)]
            if its and not any(active(window, at) for window in its):
                return True
    return False


def closed(some: list[Window], touched: list[Target], at: datetime, *, reason: bool) -> bool:
    return bool(frozen(some, touched, at, reason=reason)) or outside(some, touched, at)


def denied(findings: list[Finding]) -> bool:
    return decide(findings).verdict is Verdict.DENY


spans = st.tuples(st.integers(0, CELLS - 1), st.integers(1, 40))


@given(plans(), st.lists(spans, min_size=1, max_size=2), st.booleans())
def test_work_is_denied_where_some_half_hour_of_it_is_closed(
    plan: tuple[datetime, str, list[Window], list[Target]], asked: list[tuple[int, int]], reason: bool
) -> None:
    origin, _, some, touched = plan
    periods = [Period(origin + start * STEP, origin + (start + length) * STEP) for start, length in asked]
    findings = Calendar(some).findings(CHANGE, touched, periods, reason=reason)
    instants = [origin + (start + cell) * STEP for start, length in sorted(asked) for cell in range(length)]
    assert denied(findings) == any(closed(some, touched, at, reason=reason) for at in instants)
    told = {f.parties[1].key for f in findings if f.rule == FREEZE and f.severity is Severity.BLOCK}
    stopping = {w.ref.key for at in instants for w in frozen(some, touched, at, reason=reason)}
    assert told == stopping
    for finding in findings:
        assert finding.interval is not None
        if finding.rule == FREEZE:
            window = next(w for w in some if w.ref == finding.parties[1])
            first = next(at for at in instants if active(window, at))
            assert finding.interval.start == first
            until = finding.params["until"]
            if until is None:  # a day long, daily
                assert all(active(window, origin + cell * STEP) for cell in range(asked[0][0], CELLS))
            else:
                assert not active(window, until)
                assert all(active(window, at) for at in (first, until - STEP))
                assert finding.interval.end <= until
    gaps = [f for f in findings if f.rule == OUTSIDE_MAINTENANCE]
    assert bool(gaps) == any(outside(some, touched, at) for at in instants)


@given(plans(), spans, st.booleans())
def test_openings_are_the_half_hours_in_which_nothing_is_closed(
    plan: tuple[datetime, str, list[Window], list[Target]], asked: tuple[int, int], reason: bool
) -> None:
    origin, _, some, touched = plan
    within = Period(origin + asked[0] * STEP, origin + (asked[0] + asked[1] + 48) * STEP)
    open_ = Calendar(some).openings(touched, within, reason=reason)
    at = within.start
    while at < within.end:
        assert (at in open_) != closed(some, touched, at, reason=reason), at
        at += STEP
    assert all(within.covers(period) for period in open_)


@given(plans(), spans, st.booleans(), st.data())
def test_adding_a_freeze_never_turns_a_deny_into_an_allow(
    plan: tuple[datetime, str, list[Window], list[Target]],
    asked: tuple[int, int],
    reason: bool,
    data: st.DataObject,
) -> None:
    origin, zone, some, touched = plan
    period = Period(origin + asked[0] * STEP, origin + (asked[0] + asked[1]) * STEP)
    freeze = data.draw(windows(origin, zone, [Kind.HARD_FREEZE, Kind.SOFT_FREEZE]))
    more = [*some, Window(Ref("window", "WIN-0", pk=0), freeze.kind, freeze.scope, freeze.when)]
    before = Calendar(some).findings(CHANGE, touched, [period], reason=reason)
    after = Calendar(more).findings(CHANGE, touched, [period], reason=reason)
    assert not (denied(before) and not denied(after))
    assert set(before) <= set(after)
    whole = Period(origin, origin + CELLS * STEP)
    wider = Calendar(some).openings(touched, whole, reason=reason)
    narrower = Calendar(more).openings(touched, whole, reason=reason)
    assert narrower & wider == narrower


@given(plans(), spans)
def test_the_order_of_windows_and_targets_does_not_matter(
    plan: tuple[datetime, str, list[Window], list[Target]], asked: tuple[int, int]
) -> None:
    origin, _, some, touched = plan
    period = Period(origin + asked[0] * STEP, origin + (asked[0] + asked[1]) * STEP)
    one = Calendar(some).findings(CHANGE, touched, [period], reason=False)
    other = Calendar(some[::-1]).findings(CHANGE, touched[::-1], [period], reason=False)
    assert decide(one) == decide(other)


def hours(start: int, end: int) -> Period:
    origin = datetime(2026, 12, 1, tzinfo=UTC)
    return Period(origin + timedelta(hours=start), origin + timedelta(hours=end))


def window(kind: Kind, when: Period | Recurrence, scope: Scope | None = None, number: int = 1) -> Window:
    return Window(Ref("window", f"WIN-{number}", "Year end", pk=number), kind, scope or Scope(GROUP), when)


@pytest.mark.parametrize(
    ("case", "kind", "freeze", "reason", "severities"),
    [
        ("ends as the freeze starts", Kind.HARD_FREEZE, hours(4, 8), False, []),
        ("starts as the freeze ends", Kind.HARD_FREEZE, hours(-4, 2), False, []),
        ("overlaps", Kind.HARD_FREEZE, hours(3, 8), False, [Severity.BLOCK]),
        ("a reason does not help", Kind.HARD_FREEZE, hours(3, 8), True, [Severity.BLOCK]),
        ("soft, without a reason", Kind.SOFT_FREEZE, hours(3, 8), False, [Severity.BLOCK]),
        ("soft, with a reason", Kind.SOFT_FREEZE, hours(3, 8), True, [Severity.WARN]),
        ("inside maintenance", Kind.MAINTENANCE, hours(2, 4), False, []),
        ("begins before maintenance", Kind.MAINTENANCE, hours(3, 4), False, [Severity.BLOCK]),
        ("ends after maintenance", Kind.MAINTENANCE, hours(2, 3), True, [Severity.BLOCK]),
    ],
)
def test_weights(case: str, kind: Kind, freeze: Period, reason: bool, severities: list[Severity]) -> None:
    calendar = Calendar([window(kind, freeze)])
    found = calendar.findings(CHANGE, [target(LEDGER, PROD)], [hours(2, 4)], reason=reason)
    assert [finding.severity for finding in found] == severities


@pytest.mark.parametrize(
    ("case", "scope", "touched", "concerned"),
    [
        ("the whole branch", Scope(GROUP), target(LEDGER, PROD), True),
        ("a branch beside", Scope(SHOP), target(LEDGER, PROD), False),
        ("the item", Scope(GROUP, items=frozenset({LEDGER})), target(LEDGER, PROD), True),
        ("another item", Scope(GROUP, items=frozenset({PAYMENTS})), target(LEDGER, PROD), False),
        ("no item at all", Scope(GROUP, items=frozenset({PAYMENTS})), target(None, PROD), False),
        ("the environment", Scope(GROUP, environments=frozenset({PROD})), target(LEDGER, PROD), True),
        ("another environment", Scope(GROUP, environments=frozenset({UAT})), target(LEDGER, PROD), False),
        ("everywhere", Scope(GROUP, environments=frozenset({UAT})), target(LEDGER, None), True),
        ("everywhere, by tier", Scope(GROUP, tiers=frozenset({"production"})), target(LEDGER, None), True),
        ("the tier", Scope(GROUP, tiers=frozenset({"production"})), target(LEDGER, PROD), True),
        ("the criticality", Scope(GROUP, criticalities=frozenset({1, 2})), target(LEDGER, PROD), True),
        ("another criticality", Scope(GROUP, criticalities=frozenset({3})), target(LEDGER, PROD), False),
        (
            "one of two facets",
            Scope(GROUP, frozenset({LEDGER}), frozenset({UAT})),
            target(LEDGER, PROD),
            False,
        ),
    ],
)
def test_whom_a_window_concerns(case: str, scope: Scope, touched: Target, concerned: bool) -> None:
    calendar = Calendar([window(Kind.HARD_FREEZE, hours(0, 9), scope)])
    assert bool(calendar.matching(touched)) == concerned
    assert bool(calendar.findings(CHANGE, [touched], [hours(2, 4)], reason=False)) == concerned


def test_a_change_on_two_items_must_lie_in_maintenance_of_each() -> None:
    ledger = window(Kind.MAINTENANCE, hours(0, 4), Scope(GROUP, items=frozenset({LEDGER})))
    payments = window(Kind.MAINTENANCE, hours(2, 6), Scope(GROUP, items=frozenset({PAYMENTS})), number=2)
    calendar = Calendar([ledger, payments])
    both = [target(LEDGER, PROD), target(PAYMENTS, PROD), target(SWITCH, PROD)]
    assert calendar.findings(CHANGE, both, [hours(2, 4)], reason=False) == []
    (finding,) = calendar.findings(CHANGE, both, [hours(1, 3)], reason=False)
    assert (finding.rule, finding.interval) == (OUTSIDE_MAINTENANCE, hours(1, 2))
    assert [ref.key for ref in finding.path] == [f"item-{PAYMENTS}"]
    assert list(calendar.openings(both, hours(0, 9), reason=False)) == [hours(2, 4)]


def test_several_maintenance_windows_of_one_item_are_a_union() -> None:
    first = window(Kind.MAINTENANCE, hours(0, 4))
    second = window(Kind.MAINTENANCE, hours(4, 6), Scope(BANK, items=frozenset({LEDGER})), number=2)
    calendar = Calendar([first, second])
    assert calendar.findings(CHANGE, [target(LEDGER, PROD)], [hours(3, 5)], reason=False) == []
    assert len(calendar.findings(CHANGE, [target(PAYMENTS, PROD)], [hours(3, 5)], reason=False)) == 1


def test_maintenance_of_one_environment_does_not_open_another() -> None:
    prod = window(Kind.MAINTENANCE, hours(0, 2), Scope(GROUP, environments=frozenset({PROD})))
    uat = window(Kind.MAINTENANCE, hours(4, 6), Scope(GROUP, environments=frozenset({UAT})), number=2)
    calendar = Calendar([prod, uat])
    assert calendar.findings(CHANGE, [target(LEDGER, UAT)], [hours(4, 5)], reason=False) == []
    everywhere = calendar.findings(CHANGE, [target(LEDGER, None)], [hours(4, 5)], reason=False)
    assert [finding.severity for finding in everywhere] == [Severity.BLOCK]


def test_a_period_without_foreseeable_end_is_answered() -> None:
    nights = Recurrence(
        datetime.combine(date(2026, 1, 1), time(22)), timedelta(hours=8), "UTC", Rule.parse("FREQ=DAILY")
    )
    endless = Period(datetime(2026, 12, 1, 23, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    calendar = Calendar([window(Kind.MAINTENANCE, nights), window(Kind.HARD_FREEZE, nights, number=2)])
    freeze, gap = calendar.findings(CHANGE, [target(LEDGER, PROD)], [endless], reason=False)
    assert freeze.interval == Period(endless.start, datetime(2026, 12, 2, 6, tzinfo=UTC))
    assert gap.interval == Period(datetime(2026, 12, 2, 6, tzinfo=UTC), datetime(2026, 12, 2, 22, tzinfo=UTC))


def test_work_over_new_year_lies_inside_maintenance_over_new_year() -> None:
    nights = Recurrence(
        datetime.combine(date(2026, 1, 1), time(22)), timedelta(hours=8), "UTC", Rule.parse("FREQ=DAILY")
    )
    work = Period(datetime(2026, 12, 31, 23, tzinfo=UTC), datetime(2027, 1, 1, 5, tzinfo=UTC))
    calendar = Calendar([window(Kind.MAINTENANCE, nights)])
    assert calendar.findings(CHANGE, [target(LEDGER, PROD)], [work], reason=False) == []


def test_a_freeze_is_told_once_with_what_it_hits() -> None:
    calendar = Calendar([window(Kind.HARD_FREEZE, hours(0, 100))])
    touched = [target(PAYMENTS, PROD), target(LEDGER, PROD)]
    (finding,) = calendar.findings(CHANGE, touched, [hours(30, 32), hours(2, 4)], reason=True)
    assert finding.interval == hours(2, 4)
    assert finding.params["until"] == hours(0, 100).end
    assert (finding.params["periods"], finding.params["things"]) == (2, ["item-100", "item-101"])
    assert finding.waivable_by == ("change manager",)


def test_a_freeze_over_new_year_is_told_with_its_true_end() -> None:
    festive = Recurrence(
        datetime.combine(date(2020, 12, 20), time(18)),
        timedelta(days=15),
        "Europe/London",
        Rule.parse("FREQ=YEARLY"),
    )
    work = Period(datetime(2026, 12, 23, tzinfo=UTC), datetime(2026, 12, 24, tzinfo=UTC))
    calendar = Calendar([window(Kind.HARD_FREEZE, festive)])
    (finding,) = calendar.findings(CHANGE, [target(LEDGER, PROD)], [work], reason=False)
    assert finding.params["until"] == datetime(2027, 1, 4, 18, tzinfo=UTC)
