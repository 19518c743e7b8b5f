"""Whatever people do in whatever order, work begins with valid approval only, and claims follow the changes.

The walk goes through the commands, as people do; what it finds in the tables is judged the slow way.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from fairway.approvals.models import Vote
from fairway.audit.commands import execute
from fairway.changes import commands, queries
from fairway.changes.models import Implementer
from fairway.claims import queries as claims
from fairway.kernel.errors import Problem
from tests.changes.conftest import NOON, Company, hours, stored

NAMES = ("rita", "ian", "ann", "amy", "bob", "max", "ada", "vera")
STEPS = ("submit", "vote", "vote", "vote", "start", "start", "complete", "close", "return", "hold", "resume")


ONWARD = {
    "draft": ("submit", "rita"),
    "authorising": ("vote", "ann"),
    "scheduled": ("start", "ian"),
    "implementing": ("complete", "ian"),
    "reviewing": ("close", "max"),
}


def command(dice: random.Random, key: str, verb: str) -> Any:
    """Throw the dice for how to take a step."""
    if verb == "edit":
        return commands.EditChange(change=key, title=f"Title {dice.randrange(3)}")
    if verb == "edit-people":
        return commands.EditChange(change=key, implementers=(f"{dice.choice(NAMES)}@example.org",))
    if verb == "reschedule":
        return commands.RescheduleChange(change=key, windows=(hours(0, dice.choice([2, 3])),))
    given: dict[str, Any] = {}
    if verb == "vote":
        digest = dice.choice([stored(key).digest] * 4 + ["0" * 64])
        given = {"choice": dice.choice(["approve"] * 4 + ["reject"]), "digest": digest, "comment": "so"}
    elif verb == "complete":
        given = {"outcome": "successful"}
    elif verb in {"return", "hold"}:
        given = {"reason": "so"}
    return commands.STEPS[verb](change=key, **given)


def approved_by_outsider(key: str, starter: int | None, parties: set[int | None]) -> bool:
    """Say whether some outsider's last vote on the present content is yes, and none is no."""
    change = stored(key)
    last: dict[int, str] = {}
    for vote in Vote.objects.filter(round=change.round_id, digest=change.digest).order_by("pk"):
        if vote.voter_id not in parties | {starter}:
            last[vote.voter_id] = vote.choice
    return "approve" in last.values() and "reject" not in last.values()


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_random_walk(company: Company, seed: int) -> None:
    dice = random.Random(seed)
    delegate = company.bob.pk  # of rita
    keys = [company.change(windows=(hours(0, 2),)) for _ in range(3)]
    begun = 0
    for _ in range(120):
        key = dice.choice(keys)
        before = stored(key).state
        verb, name = dice.choice([*STEPS, "edit", "reschedule", "edit-people"]), dice.choice(NAMES)
        if dice.random() < 0.4:
            verb, name = ONWARD[before]
        at = dice.choice([NOON, hours(0.5, 1).start, hours(0.5, 1).start, hours(4, 5).start])
        actor = company.people[name]
        try:
            execute(command(dice, key, verb), actor=actor, at=at)
        except Problem:
            assert stored(key).state == before
            continue
        change = stored(key)
        if change.state == "implementing" and before != "implementing":
            begun += 1
            people = Implementer.objects.filter(change=change).values_list("person_id", flat=True)
            parties = {change.requester_id, *people, delegate}
            assert approved_by_outsider(key, actor.pk, parties)
            assert hours(0, 2).start <= at
            assert change.held_at is None
        if change.state in {"closed", "rejected", "cancelled"}:
            keys[keys.index(key)] = company.change(windows=(hours(0, 2),))
    assert begun > 0
    assert {claim for some in queries.held().values() for claim in some} == claims.stored("change")
