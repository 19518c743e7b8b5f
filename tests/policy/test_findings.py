"""Findings, the decision that follows from them, and what somebody else may be told."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.kernel.period import Period
from fairway.kernel.refs import HIDDEN, Ref
from fairway.policy import Finding, Severity, Verdict, Words, decide

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINE, THEIRS = (
    Ref("change", "CHG-1", "Mine", organisation=1),
    Ref("change", "CHG-2", "Theirs", organisation=2),
)
ITEM, FOREIGN = Ref("item", "api", organisation=1), Ref("item", "db", organisation=2)
WHEN = Period(NOON, NOON + timedelta(hours=1))


def sees(ref: Ref) -> bool:
    return ref.organisation in {None, 1}


@pytest.mark.parametrize(
    ("severities", "verdict"),
    [
        ([], Verdict.ALLOW),
        ([Severity.INFORM], Verdict.ALLOW),
        ([Severity.WARN], Verdict.WARN),
        ([Severity.INFORM, Severity.WARN], Verdict.WARN),
        ([Severity.BLOCK], Verdict.DENY),
        ([Severity.UNKNOWN], Verdict.DENY),
        ([Severity.WARN, Severity.UNKNOWN, Severity.INFORM], Verdict.DENY),
    ],
)
def test_the_heaviest_finding_decides(severities: list[Severity], verdict: Verdict) -> None:
    for order in itertools.permutations(severities):
        decision = decide([Finding("test.rule", severity) for severity in order])
        assert decision.verdict is verdict
        assert decision.denied is (verdict is Verdict.DENY)


FINDINGS = st.builds(
    Finding,
    rule=st.sampled_from(["a.one", "b.two"]),
    severity=st.sampled_from(Severity),
    parties=st.lists(st.sampled_from([MINE, THEIRS, ITEM]), max_size=2).map(tuple),
    interval=st.sampled_from([None, WHEN, Period(NOON - timedelta(hours=1), NOON)]),
    path=st.lists(st.sampled_from([ITEM, FOREIGN]), max_size=2).map(tuple),
)


@given(findings=st.lists(FINDINGS, max_size=8), chance=st.randoms(use_true_random=False))
def test_the_order_of_findings_is_total(findings: list[Finding], chance: Random) -> None:
    shuffled = list(findings)
    chance.shuffle(shuffled)
    assert decide(shuffled).findings == decide(findings).findings
    ranks = [list(Severity).index(finding.severity) for finding in decide(findings).findings]
    assert ranks == sorted(ranks)


@given(findings=st.lists(FINDINGS, max_size=8))
def test_hiding_parties_changes_neither_verdict_nor_number_nor_rules(findings: list[Finding]) -> None:
    whole = decide(findings)
    shown = whole.redacted(sees)
    assert shown.verdict is whole.verdict
    assert [(f.rule, f.severity, f.interval) for f in shown.findings] == [
        (f.rule, f.severity, f.interval) for f in whole.findings
    ]
    assert all(sees(ref) for finding in shown.findings for ref in (*finding.parties, *finding.path))


def test_beside_a_hidden_party_only_rule_weight_and_time_remain() -> None:
    finding = Finding(
        "claims.related_item",
        Severity.WARN,
        parties=(MINE, THEIRS),
        interval=WHEN,
        path=(ITEM, FOREIGN),
        params={"title": "Theirs", "count": 7},
        waivable_by=("change manager",),
        repairs=({"move": "CHG-2"},),
    )
    assert finding.redacted(sees) == Finding(
        "claims.related_item", Severity.WARN, (MINE, HIDDEN), WHEN, (), waivable_by=("change manager",)
    )
    assert finding.redacted(sees).params == {}
    assert finding.redacted(sees).repairs == ()
    assert "CHG-2" not in repr(finding.redacted(sees))
    assert "Theirs" not in repr(finding.redacted(sees))
    assert finding.redacted(lambda ref: True) is finding


def test_a_path_through_a_hidden_item_is_hidden_whole() -> None:
    finding = Finding("a.one", Severity.WARN, (MINE, ITEM), WHEN, path=(ITEM, FOREIGN), params={"via": "db"})
    shown = finding.redacted(sees)
    assert (shown.parties, shown.path, shown.params) == ((MINE, ITEM), (), {})


@pytest.mark.parametrize(
    ("zone", "start", "hours", "told"),
    [
        ("UTC", NOON, 1, "2026-11-23 12:00 to 13:00 UTC"),
        ("Europe/Paris", NOON, 1, "2026-11-23 13:00 to 14:00 CET"),
        ("UTC", NOON, 24, "2026-11-23 12:00 to 2026-11-24 12:00 UTC"),
        ("Europe/London", datetime(2026, 10, 25, 0, tzinfo=UTC), 2,
         "2026-10-25 01:00 BST to 2026-10-25 02:00 GMT"),
    ],
)  # fmt: skip
def test_periods_in_words(zone: str, start: datetime, hours: int, told: str) -> None:
    words = Words(ZoneInfo(zone))
    assert words.period(Period(start, start + timedelta(hours=hours))) == told
