"""What was voted, and who may not vote."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from fairway.accounts import queries as accounts
from fairway.approvals.models import Round, Vote
from fairway.approvals.rules import Ballot as Ballot
from fairway.approvals.rules import Choice as Choice
from fairway.approvals.rules import Consent as Consent
from fairway.approvals.rules import Policy as Policy
from fairway.approvals.rules import consent

RoundOutcome = Round.Outcome


def ballots(round_: int | None) -> list[Ballot]:
    """Return the ballots of a round in the order in which they were cast."""
    if round_ is None:
        return []
    cast = (
        Vote.objects.filter(round_id=round_)
        .order_by("pk")
        .values_list("voter_id", "choice", "digest", "instead_id")
    )
    return [Ballot(voter, Choice(choice), digest, instead) for voter, choice, digest, instead in cast]


def ballot_rows(round_: int) -> QuerySet[Vote]:
    """Return the votes of a round as rows, for a reading that joins them to others."""
    return Vote.objects.filter(round_id=round_)


OF_ROUND = ("id", "quorum", "rejections")
"""The columns of a round that tell what it asks for."""


def round_of(values: Sequence[Any]) -> Round:
    """Return a round from `OF_ROUND`, read along with something else."""
    return Round.from_db(None, OF_ROUND, values)


def policy(round_: Round) -> Policy:
    return Policy(round_.quorum, round_.rejections)


def barred(parties: Iterable[int | None], *, at: datetime) -> frozenset[int]:
    """Return who may not vote: the parties to the matter, and whoever stands in for one of them then."""
    own = frozenset(party for party in parties if party is not None)
    return own | accounts.delegates(own, at=at) if own else own


def standing(
    round_: Round | None, cast: Iterable[Ballot], *, digest: str, parties: Iterable[int | None], at: datetime
) -> Consent | None:
    """Return what the ballots amount to for the present content; None: there was no round."""
    if round_ is None:
        return None
    return consent(cast, digest=digest, policy=policy(round_), barred=barred(parties, at=at))


def votes(subject_uid: str) -> list[dict[str, object]]:
    """Return every vote on a subject, newest first, as plain values: who, what, on which content, when."""
    columns = (
        "voter__name", "voter__number", "instead__name", "choice", "comment", "digest", "cast_at", "round_id",
    )  # fmt: skip
    return list(Vote.objects.filter(round__subject_uid=subject_uid).order_by("-pk").values(*columns))
