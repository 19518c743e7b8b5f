"""Votes count as the policy of approvals says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.approvals.rules import Ballot, Choice, Policy, consent

APPROVE, REJECT = Choice.APPROVE, Choice.REJECT
NOW, OLD = "present", "former"
ANN, BEN, REQUESTER = 1, 2, 9


@pytest.mark.parametrize(
    ("case", "ballots", "policy", "given_", "refused"),
    [
        ("nobody voted", [], Policy(), False, False),
        ("one approval, one needed", [(ANN, APPROVE, NOW)], Policy(), True, False),
        ("one approval, two needed", [(ANN, APPROVE, NOW)], Policy(2), False, False),
        ("two approvals, two needed", [(ANN, APPROVE, NOW), (BEN, APPROVE, NOW)], Policy(2), True, False),
        ("more than needed", [(ANN, APPROVE, NOW), (BEN, APPROVE, NOW)], Policy(1), True, False),
        ("twice by the same person", [(ANN, APPROVE, NOW), (ANN, APPROVE, NOW)], Policy(2), False, False),
        ("of other content", [(ANN, APPROVE, OLD)], Policy(), False, False),
        ("of other content, then of this", [(ANN, APPROVE, OLD), (ANN, APPROVE, NOW)], Policy(), True, False),
        ("of this content, then of other", [(ANN, APPROVE, NOW), (ANN, REJECT, OLD)], Policy(), True, False),
        ("changed her mind for", [(ANN, REJECT, NOW), (ANN, APPROVE, NOW)], Policy(), True, False),
        ("changed her mind against", [(ANN, APPROVE, NOW), (ANN, REJECT, NOW)], Policy(), False, True),
        (
            "approved by one, refused by another",
            [(ANN, APPROVE, NOW), (BEN, REJECT, NOW)],
            Policy(),
            False,
            True,
        ),
        ("one refusal, two needed", [(ANN, APPROVE, NOW), (BEN, REJECT, NOW)], Policy(1, 2), True, False),
        ("by the requester", [(REQUESTER, APPROVE, NOW)], Policy(), False, False),
        ("refused by the requester", [(REQUESTER, REJECT, NOW), (ANN, APPROVE, NOW)], Policy(), True, False),
    ],
)
def test_consent(
    case: str, ballots: list[tuple[int, Choice, str]], policy: Policy, given_: bool, refused: bool
) -> None:
    told = consent([Ballot(*b) for b in ballots], digest=NOW, policy=policy, barred=frozenset({REQUESTER}))
    assert (told.given, told.refused) == (given_, refused)


def test_consent_tells_stale_and_discounted_votes_apart() -> None:
    ballots = [Ballot(ANN, APPROVE, OLD), Ballot(REQUESTER, APPROVE, NOW), Ballot(BEN, APPROVE, NOW)]
    told = consent(ballots, digest=NOW, policy=Policy(3), barred=frozenset({REQUESTER}))
    assert [set(people) for people in (told.stale, told.discounted, told.approved)] == [
        {ANN},
        {REQUESTER},
        {BEN},
    ]
    assert told.missing == 2


ballots = st.lists(st.builds(Ballot, st.integers(1, 5), st.sampled_from(Choice), st.sampled_from([NOW, OLD])))


@given(ballots, st.frozensets(st.integers(1, 5)), st.integers(1, 4), st.integers(1, 3))
def test_consent_agrees_with_the_obvious_count(
    cast: list[Ballot], out: frozenset[int], quorum: int, rejections: int
) -> None:
    told = consent(cast, digest=NOW, policy=Policy(quorum, rejections), barred=out)
    last = {}
    for voter in range(1, 6):
        mine = [b.choice for b in cast if b.voter == voter and b.digest == NOW]
        if mine and voter not in out:
            last[voter] = mine[-1]
    against = sum(choice is REJECT for choice in last.values())
    assert told.given == (sum(c is APPROVE for c in last.values()) >= quorum and against < rejections)
    assert told.refused == (against >= rejections)


@given(ballots, st.frozensets(st.integers(1, 5)), st.frozensets(st.integers(1, 5)))
def test_barring_more_people_never_gives_consent_that_was_not_there(
    cast: list[Ballot], out: frozenset[int], more: frozenset[int]
) -> None:
    approvals_only = [b for b in cast if b.choice is APPROVE]
    fewer = consent(approvals_only, digest=NOW, policy=Policy(), barred=out | more)
    assert not fewer.given or consent(approvals_only, digest=NOW, policy=Policy(), barred=out).given
