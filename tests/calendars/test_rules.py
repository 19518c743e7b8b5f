"""Freezes and maintenance windows agree with a simulation that looks at every half hour."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.calendars.rules import (
    CONDITION,
    FREEZE,
    NOTE,
    OUTSIDE_MAINTENANCE,
    STOPPED,
    Activity,
    Calendar,
    Kind,
    Scope,
    Target,
    Window,
    condition,
)
from fairway.kernel.errors import Invalid
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref
from fairway.policy import Finding, Severity, Verdict, decide
from fairway.scheduling import Recurrence, Rule

GROUP, BANK, SHOP = 1, 2, 3  # the bank and the shop are below the group
UP = {GROUP: {GROUP}, BANK: {GROUP, BANK}, SHOP: {GROUP, SHOP}}
PROD, UAT = 10, 11
TIERS = {PROD: "production", UAT: "acceptance", None: None}
ELSEWHERE = 99
BIG, SMALL = 7, 8  # change models
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


def target(
    item: int | None, environment: int | None, organisation: int = BANK, model: int | None = None
) -> Target:
    return Target(
        item,
        environment,
        frozenset(UP[organisation]),
        CRITICALITY.get(item) if item else None,
        TIERS[environment],
        Ref("item", f"item-{item}", pk=item) if item else None,
        model=model,
    )


targets = st.builds(
    target,
    st.sampled_from([LEDGER, PAYMENTS, SWITCH, None]),
    st.sampled_from([PROD, UAT, None]),
    st.sampled_from([BANK, SHOP]),
    st.sampled_from([BIG, None]),
)
URGENT = {"priority": 1, "category": "", "custom": {}}
CONDITIONS = {
    None: True,
    "priority == 1": True,
    'category == "database"': False,
    "custom.cost > 3": None,  # there is no such field: it cannot be told
}
scopes = st.builds(
    Scope,
    st.sampled_from([GROUP, BANK, SHOP]),
    st.frozensets(st.sampled_from([LEDGER, PAYMENTS]), max_size=1),
    st.frozensets(st.sampled_from([PROD, UAT]), max_size=1),
    st.frozensets(st.sampled_from([1, 2]), max_size=1),
    st.frozensets(st.sampled_from(["production", "acceptance"]), max_size=1),
    st.frozensets(st.sampled_from([BIG, SMALL]), max_size=1),
)
stops = st.one_of(
    st.just(STOPPED), st.frozensets(st.sampled_from([Activity.CREATE, Activity.SCHEDULE, Activity.START]))
)
activities = st.sampled_from(list(Activity))


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
        lambda n, kind, scope, when, stops, down, text: Window(
            Ref("window", f"WIN-{n}", "Year end", pk=n),
            kind,
            scope,
            when,
            stops=stops,
            downtime_only=down,
            condition=condition(text) if text else None,
        ),
        number,
        st.sampled_from(kinds),
        scopes,
        st.one_of(once, again),
        stops,
        st.sampled_from([False, False, True]),
        st.sampled_from([None, None, *CONDITIONS]),
    )


@dataclass(frozen=True)
class Asked:
    """What is asked beside things and times; `down`: the work takes things down while it goes on."""

    activity: Activity
    reason: bool
    down: bool
    change: bool

    def of(self, calendar: Calendar, touched: list[Target], periods: list[Period]) -> list[Finding]:
        return calendar.findings(CHANGE, touched, periods, **self.how(periods))

    def how(self, periods: list[Period]) -> dict[str, Any]:
        return {
            "reason": self.reason,
            "activity": self.activity,
            "downtimes": periods if self.down else [],
            "facts": (lambda: URGENT) if self.change else None,
        }


questions = st.builds(Asked, activities, st.booleans(), st.booleans(), st.booleans())


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
        and (not scope.models or one.model in scope.models)
    )


def holds(window: Window, asked: Asked) -> bool | None:
    """Say whether the window's condition holds; None: it cannot be told."""
    if window.condition is None:
        return True
    return CONDITIONS[window.condition.text] if asked.change else False


def stopping(window: Window, asked: Asked) -> bool:
    """Say whether the window would stop what is asked, were it open."""
    if holds(window, asked) is False or (window.downtime_only and not asked.down):
        return False
    if window.kind is Kind.BLOCKOUT:
        return asked.activity is Activity.BOOK
    if asked.activity not in window.stops or asked.activity is Activity.BOOK:
        return False
    return window.kind in {Kind.HARD_FREEZE, Kind.LOCKDOWN} or (
        window.kind is Kind.SOFT_FREEZE and not asked.reason
    )


def frozen(some: list[Window], touched: list[Target], at: datetime, asked: Asked) -> list[Window]:
    """Return the freezes that stop work at the instant; without environment work is in all of them."""
    stops = [window for window in some if stopping(window, asked)]
    return [
        window
        for window in stops
        if active(window, at)
        and any(
            concerns(window, one, environment, tier) for one in touched for environment, tier in places(one)
        )
    ]


def places(one: Target) -> list[tuple[int | None, str | None]]:
    if one.environment is not None:
        return [(one.environment, one.tier)]
    return list(product([PROD, UAT, ELSEWHERE], ["production", "acceptance", "elsewhere"]))


def outside(
    some: list[Window], touched: list[Target], at: datetime, asked: Asked, *, closes: bool = True
) -> bool:
    """Say whether something touched has maintenance windows at some place, none of which is open then.

    `closes`: only where that is refused, and not only warned of.
    """
    if asked.activity is Activity.BOOK:
        return False
    maintenance = [w for w in some if w.kind is Kind.MAINTENANCE and holds(w, asked)]
    for one, down in product(touched, [False, True] if asked.down else [False]):
        for environment, tier in places(one):
            its = [w for w in maintenance if w.downtime_only is down and concerns(w, one, environment, tier)]
            told = not closes or any(asked.activity in window.stops for window in its)
            if its and told and not any(active(window, at) for window in its):
                return True
    return False


def untold(some: list[Window], touched: list[Target], asked: Asked) -> bool:
    """Say whether it cannot be told which maintenance windows the work has to lie in."""
    return any(
        w.kind is Kind.MAINTENANCE
        and holds(w, asked) is None
        and asked.activity in w.stops
        and any(concerns(w, one, environment, tier) for one in touched for environment, tier in places(one))
        and (asked.down or not w.downtime_only)
        for w in some
    )


def closed(some: list[Window], touched: list[Target], at: datetime, asked: Asked) -> bool:
    return bool(frozen(some, touched, at, asked)) or outside(some, touched, at, asked)


def denied(findings: list[Finding]) -> bool:
    return decide(findings).verdict is Verdict.DENY


spans = st.tuples(st.integers(0, CELLS - 1), st.integers(1, 40))


@given(plans(), st.lists(spans, min_size=1, max_size=2), questions)
def test_work_is_denied_where_some_half_hour_of_it_is_closed(
    plan: tuple[datetime, str, list[Window], list[Target]], spans: list[tuple[int, int]], asked: Asked
) -> None:
    origin, _, some, touched = plan
    periods = [Period(origin + start * STEP, origin + (start + length) * STEP) for start, length in spans]
    findings = asked.of(Calendar(some), touched, periods)
    instants = [origin + (start + cell) * STEP for start, length in sorted(spans) for cell in range(length)]
    shut = any(closed(some, touched, at, asked) for at in instants)
    assert denied(findings) == (shut or untold(some, touched, asked))
    heavy = {Severity.BLOCK, Severity.UNKNOWN}
    told = {f.parties[1].key for f in findings if f.rule in {FREEZE, CONDITION} and f.severity in heavy}
    stopping = {w.ref.key for at in instants for w in frozen(some, touched, at, asked)}
    kinds = {window.ref.key: window.kind for window in some}
    assert {key for key in told if kinds[key] is not Kind.MAINTENANCE} == stopping
    for finding in findings:
        assert finding.interval is not None
        if finding.rule == FREEZE:
            window = next(w for w in some if w.ref == finding.parties[1])
            first = next(at for at in instants if active(window, at))
            assert finding.interval.start == first
            until = finding.params["until"]
            if until is None:  # a day long, daily
                assert all(active(window, origin + cell * STEP) for cell in range(spans[0][0], CELLS))
            else:
                assert not active(window, until)
                assert all(active(window, at) for at in (first, until - STEP))
                assert finding.interval.end <= until
    gaps = [f for f in findings if f.rule == OUTSIDE_MAINTENANCE]
    assert bool(gaps) == any(outside(some, touched, at, asked, closes=False) for at in instants)
    assert all(f.severity is Severity.INFORM for f in findings if f.rule == NOTE)


@given(plans(), spans, questions)
def test_openings_are_the_half_hours_in_which_nothing_is_closed(
    plan: tuple[datetime, str, list[Window], list[Target]], span: tuple[int, int], asked: Asked
) -> None:
    origin, _, some, touched = plan
    within = Period(origin + span[0] * STEP, origin + (span[0] + span[1] + 48) * STEP)
    open_ = Calendar(some).openings(touched, within, **asked.how([within]))
    hopeless = any(
        w.kind is Kind.MAINTENANCE and holds(w, asked) is None and asked.activity in w.stops
        and any(Calendar([w]).matching(one) for one in touched)
        for w in some
    )  # fmt: skip
    at = within.start
    while at < within.end:
        assert (at in open_) != (hopeless or closed(some, touched, at, asked)), at
        at += STEP
    assert all(within.covers(period) for period in open_)


@given(plans(), spans, questions, st.data())
def test_adding_a_prohibition_never_turns_a_deny_into_an_allow(
    plan: tuple[datetime, str, list[Window], list[Target]],
    span: tuple[int, int],
    asked: Asked,
    data: st.DataObject,
) -> None:
    origin, zone, some, touched = plan
    period = Period(origin + span[0] * STEP, origin + (span[0] + span[1]) * STEP)
    telling: list[Kind] = [kind for kind in Kind if kind is not Kind.MAINTENANCE]
    freeze = replace(data.draw(windows(origin, zone, telling)), ref=Ref("window", "WIN-0", pk=0))
    before = asked.of(Calendar(some), touched, [period])
    after = asked.of(Calendar([*some, freeze]), touched, [period])
    assert not (denied(before) and not denied(after))
    assert set(before) <= set(after)
    whole = Period(origin, origin + CELLS * STEP)
    wider = Calendar(some).openings(touched, whole, **asked.how([whole]))
    narrower = Calendar([*some, freeze]).openings(touched, whole, **asked.how([whole]))
    assert narrower & wider == narrower


@given(plans(), spans, questions)
def test_stopping_more_or_asking_less_of_a_condition_only_closes(
    plan: tuple[datetime, str, list[Window], list[Target]], span: tuple[int, int], asked: Asked
) -> None:
    origin, _, some, touched = plan
    period = Period(origin + span[0] * STEP, origin + (span[0] + span[1]) * STEP)
    freezes = [window for window in some if window.kind is not Kind.MAINTENANCE]
    stricter = [
        replace(w, stops=w.stops | {asked.activity}, condition=None, downtime_only=False) for w in freezes
    ]
    looser = denied(asked.of(Calendar(freezes), touched, [period]))
    assert not looser or denied(asked.of(Calendar(stricter), touched, [period]))
    wider = [replace(w, scope=Scope(w.scope.organisation)) for w in freezes]
    assert not looser or denied(asked.of(Calendar(wider), touched, [period]))


@given(plans(), spans, questions)
def test_the_order_of_windows_and_targets_does_not_matter(
    plan: tuple[datetime, str, list[Window], list[Target]], span: tuple[int, int], asked: Asked
) -> None:
    origin, _, some, touched = plan
    period = Period(origin + span[0] * STEP, origin + (span[0] + span[1]) * STEP)
    one = asked.of(Calendar(some), touched, [period])
    other = asked.of(Calendar(some[::-1]), touched[::-1], [period])
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
        ("locked down", Kind.LOCKDOWN, hours(3, 8), True, [Severity.BLOCK]),
        ("no booking then", Kind.BLOCKOUT, hours(3, 8), False, []),
        ("a holiday", Kind.HOLIDAY, hours(3, 8), False, [Severity.INFORM]),
        ("something to know", Kind.INFORMATION, hours(3, 8), False, [Severity.INFORM]),
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
        ("the change model", Scope(GROUP, models=frozenset({BIG})), target(LEDGER, PROD, model=BIG), True),
        ("another change model", Scope(GROUP, models=frozenset({BIG})), target(LEDGER, PROD, model=8), False),
        ("no change at all", Scope(GROUP, models=frozenset({BIG})), target(LEDGER, PROD), False),
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


@pytest.mark.parametrize(
    ("case", "changed", "how", "severities"),
    [
        ("it stops submitting too", {"stops": frozenset(Activity)}, {"activity": Activity.SUBMIT}, ["block"]),
        ("it does not stop submitting", {}, {"activity": Activity.SUBMIT}, ["warn"]),
        ("it only warns", {"stops": frozenset()}, {}, ["warn"]),
        ("bookings are no matter of a freeze", {}, {"activity": Activity.BOOK}, []),
        ("a blockout stops bookings", {"kind": Kind.BLOCKOUT}, {"activity": Activity.BOOK}, ["block"]),
        ("nothing is down", {"downtime_only": True}, {}, []),
        ("down before it", {"downtime_only": True}, {"downtimes": [hours(2, 3)]}, []),
        ("down in it", {"downtime_only": True}, {"downtimes": [hours(3, 4)]}, ["block"]),
        ("its condition holds", {"condition": condition("priority < 2")}, {}, ["block"]),
        ("its condition does not", {"condition": condition("priority > 2")}, {}, []),
        ("its condition has no answer", {"condition": condition("custom.cost > 2")}, {}, ["unknown"]),
        ("nor one of two values", {"condition": condition("custom.size")}, {}, ["unknown"]),
        ("no change, no condition", {"condition": condition("priority < 2")}, {"facts": None}, []),
        ("no answer, and it only warns", {"condition": condition("custom.x"), "stops": frozenset()}, {},
         ["warn"]),
    ],
)  # fmt: skip
def test_what_a_window_stops(
    case: str, changed: dict[str, Any], how: dict[str, Any], severities: list[str]
) -> None:
    calendar = Calendar([replace(window(Kind.HARD_FREEZE, hours(3, 8)), **changed)])
    facts = {"facts": lambda: {**URGENT, "custom": {"size": 3}}, **how}
    found = calendar.findings(CHANGE, [target(LEDGER, PROD)], [hours(2, 5)], reason=False, **facts)
    assert [str(finding.severity) for finding in found] == severities


@pytest.mark.parametrize(
    ("case", "text", "told"),
    [
        ("a name there is not", 'categor == "x"', "line 1, column 1: undeclared reference to 'categor'"),
        ("not finished", "priority <", "line 1, column 11"),
        ("no truth", "priority + 1", "It gives int"),
        ("the wrong type", "priority == title", "line 1, column 10"),
        ("too long", "priority == 1 || " * 200 + "true", "longer than 2,000 bytes"),
        ("growing in a loop", 'custom.map(k, k + k).exists(k, k == "")', "cannot use +"),
    ],
)
def test_a_condition_that_cannot_be_used(case: str, text: str, told: str) -> None:
    with pytest.raises(Invalid) as problem:
        condition(text)
    assert problem.value.errors[0].field == "condition"
    assert told in problem.value.errors[0].message


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
