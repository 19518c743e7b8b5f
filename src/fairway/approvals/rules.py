"""When a vote counts and when consent is given; pure.

People are primary keys of users. What is voted on is known by the digest of its content alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Choice(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Ballot:
    """One vote as it was cast; `digest` names the content that the voter saw."""

    voter: int
    choice: Choice
    digest: str


@dataclass(frozen=True, slots=True)
class Policy:
    """How many valid votes it takes, as frozen when the round was opened."""

    quorum: int = 1
    rejections: int = 1


@dataclass(frozen=True, slots=True)
class Consent:
    """What the votes of a round amount to for the present content.

    `stale`: voted, but on other content only. `discounted`: voted on this content, but may have no say in it.
    """

    policy: Policy
    approved: frozenset[int] = frozenset()
    rejected: frozenset[int] = frozenset()
    stale: frozenset[int] = frozenset()
    discounted: frozenset[int] = frozenset()

    @property
    def refused(self) -> bool:
        return len(self.rejected) >= self.policy.rejections

    @property
    def given(self) -> bool:
        """Enough valid approvals, and not refused: a refusal is not outvoted."""
        return len(self.approved) >= self.policy.quorum and not self.refused

    @property
    def missing(self) -> int:
        """How many more approvals it takes."""
        return max(0, self.policy.quorum - len(self.approved))


def consent(ballots: Iterable[Ballot], *, digest: str, policy: Policy, barred: frozenset[int]) -> Consent:
    """Count the ballots, given in the order in which they were cast.

    The latest ballot of a person on the present content counts; ballots on other content do not. `barred` are
    the parties to the matter and whoever stands in for one of them, as they are now, so that an approver who
    becomes implementer loses the say; there is no exception for administrators.
    """
    latest: dict[int, Choice] = {}
    seen: set[int] = set()
    for ballot in ballots:
        seen.add(ballot.voter)
        if ballot.digest == digest:
            latest[ballot.voter] = ballot.choice
    counted = {voter: choice for voter, choice in latest.items() if voter not in barred}
    return Consent(
        policy,
        approved=frozenset(voter for voter, choice in counted.items() if choice is Choice.APPROVE),
        rejected=frozenset(voter for voter, choice in counted.items() if choice is Choice.REJECT),
        stale=frozenset(seen - latest.keys()),
        discounted=frozenset(latest.keys() & barred),
    )
