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
    """One vote as it was cast; `digest` names the content that the voter saw.

    `instead`: whose say it was, where the voter stood in for somebody and had none of their own.
    """

    voter: int
    choice: Choice
    digest: str
    instead: int | None = None

    @property
    def holder(self) -> int:
        """Whose say it is: giving it to somebody does not make two of it."""
        return self.voter if self.instead is None else self.instead


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
    latest: dict[int, Ballot] = {}
    seen: set[int] = set()
    for ballot in ballots:
        seen.add(ballot.holder)
        if ballot.digest == digest:
            latest[ballot.holder] = ballot
    counted = {
        holder: ballot.choice
        for holder, ballot in latest.items()
        if barred.isdisjoint({holder, ballot.voter})
    }
    return Consent(
        policy,
        approved=frozenset(voter for voter, choice in counted.items() if choice is Choice.APPROVE),
        rejected=frozenset(voter for voter, choice in counted.items() if choice is Choice.REJECT),
        stale=frozenset(seen - latest.keys()),
        discounted=frozenset(latest.keys() - counted.keys()),
    )
