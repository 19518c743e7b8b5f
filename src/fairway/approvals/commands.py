"""What the commands of a subject's own context write here: rounds and votes.

Voting is a command of the subject (`changes.change.vote`), because it is decided there; it puts these rows
into its plan.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fairway.approvals.models import Round, Vote
from fairway.approvals.rules import Choice, Policy
from fairway.kernel.refs import Ref


def open_round(subject: Ref, *, organisation: int, policy: Policy, at: datetime) -> Round:
    """Return a new round, not yet written; the policy is frozen in it."""
    return Round(
        organisation_id=organisation,
        subject_kind=subject.kind,
        subject_uid=subject.uid,
        quorum=policy.quorum,
        rejections=policy.rejections,
        opened_at=at,
    )


def close_round(round_: Round, outcome: str, *, at: datetime) -> tuple[Round, dict[str, Any]]:
    """Return the change that ends a round."""
    return round_, {"outcome": outcome, "closed_at": at}


def cast(
    round_: Round,
    *,
    voter: int,
    choice: Choice,
    comment: str,
    digest: str,
    at: datetime,
    instead: int | None = None,
) -> Vote:
    """Return a vote, not yet written; `instead`: whose say it is, where the voter stands in for them."""
    return Vote(
        round=round_, voter_id=voter, instead_id=instead, choice=choice, comment=comment, digest=digest,
        cast_at=at,
    )  # fmt: skip
