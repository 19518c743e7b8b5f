"""However people walk through a change model, work never begins without approval of the present content.

The walk keeps its own list of who voted for what and recounts it the slow way at each start.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import event, given
from hypothesis import strategies as st

from fairway.approvals.rules import Ballot, Choice, Policy, consent
from fairway.changes.rules import Content, Workflow, digest, relations
from tests.changes.shipped import NORMAL

REQUESTER, PEOPLE = 1, range(1, 6)
DELEGATE = 2  # of the requester
MAY = {
    1: {"changes.request", "changes.approve", "changes.implement"},
    2: {"changes.approve"},
    3: {"changes.approve", "changes.implement"},
    4: {"changes.request", "changes.edit", "changes.assess", "changes.approve", "changes.manage"},
    5: {"changes.implement"},
}


@dataclass
class Paper:
    """A change on paper."""

    workflow: Workflow
    content: Content = field(default_factory=lambda: Content(title="0"))
    state: str = "draft"
    held: bool = False
    implementers: set[int] = field(default_factory=set)
    ballots: list[Ballot] = field(default_factory=list)
    begun: list[tuple[str, list[Ballot], set[int]]] = field(default_factory=list)

    def take(self, verb: str, person: int, number: int, luck: frozenset[str]) -> None:
        edge = self.workflow.step(self.state, verb)
        related = relations(person, requester=REQUESTER, owner=REQUESTER, implementers=self.implementers)
        if edge is None or not edge.open_to(related, MAY[person].__contains__):
            return
        after = replace(self, ballots=list(self.ballots), implementers=set(self.implementers))
        if verb == "edit" and number % 2:
            after.implementers ^= {person}
        elif verb in {"edit", "reschedule"} and not self.workflow.by_slug[self.state].minor:
            after.content = Content(title=str(number))
        elif verb == "vote":
            seen = Content(title=str(number)) if number else self.content
            after.ballots.append(
                Ballot(person, Choice.APPROVE if "for" in luck else Choice.REJECT, digest(seen))
            )
        elif verb in {"hold", "resume"}:
            after.held = verb == "hold"
        elif verb == "start":
            after.implementers.add(person)

        def holds(condition: str) -> bool:
            out = frozenset({REQUESTER, DELEGATE, *after.implementers})
            votes = consent(after.ballots, digest=digest(after.content), policy=Policy(), barred=out)
            return {
                "consent": votes.given,
                "unconsented": not votes.given,
                "refused": votes.refused,
                "separate": person not in out,
                "held": self.held,
                "not_held": not self.held,
            }.get(condition, condition in luck)

        taken = self.workflow.advance(self.state, verb, holds)
        if taken is None or taken.unmet:
            return
        after.state = taken.entered[-1] if taken.entered else self.state
        if verb == "submit" or "reauthorise" in {edge.verb for edge in taken.edges}:
            after.ballots = []
        if "implementing" in taken.entered:
            after.begun.append(
                (digest(after.content), after.ballots, {REQUESTER, DELEGATE} | after.implementers)
            )
        self.__dict__.update(after.__dict__)


def approved(present: str, ballots: list[Ballot], parties: set[int]) -> bool:
    """Recount: some outsider's last word on the present content is yes, and no outsider's is no."""
    words = []
    for person in set(PEOPLE) - parties:
        mine = [ballot.choice for ballot in ballots if ballot.voter == person and ballot.digest == present]
        words += mine[-1:]
    return Choice.APPROVE in words and Choice.REJECT not in words


LUCK = frozenset({"plan", "assessed", "time", "window_open", "unreviewed", "for"})
luck = st.sampled_from([frozenset(), frozenset(), frozenset(), {"time"}, {"window_open"}, {"for"}]).map(
    LUCK.difference
)
moves = st.lists(
    st.tuples(
        st.sampled_from([*sorted({edge.verb for edge in NORMAL.edges} - {"cancel"}), *["vote", "start"] * 8]),
        st.sampled_from(PEOPLE),
        st.sampled_from([0, 0, 0, 1, 2]),
        luck,
    ),
    min_size=5,
    max_size=40,
)


@given(moves)
def test_no_walk_begins_work_without_approval_of_the_present_content(
    walk: list[tuple[str, int, int, frozenset[str]]],
) -> None:
    paper = Paper(NORMAL)
    paper.take("submit", REQUESTER, 0, LUCK)
    for verb, person, number, lucky in walk:
        paper.take(verb, person, number, lucky)
    event(f"work began {len(paper.begun)} times")
    for present, ballots, parties in paper.begun:
        assert approved(present, ballots, parties)


def test_the_straight_walk_does_begin_work() -> None:
    paper, lucky = Paper(NORMAL), LUCK
    for verb, person in [("submit", 1), ("vote", 4), ("start", 5), ("complete", 5), ("close", 4)]:
        paper.take(verb, person, 0, lucky)
    assert (paper.state, len(paper.begun)) == ("closed", 1)
