"""Change models as data: states, the edges between them, and who may take them.

Default deny: what is not listed does not exist. An edge without a target stays where it is; so editing,
voting and holding are listed like any other step.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

import msgspec

from fairway.kernel.errors import Invalid

CONDITIONS = frozenset(
    {
        "plan",  # at least one planned window and one affected item
        "assessed",  # no assessment is owed
        "consent",  # valid approval of the present content: votes, or an authorised template
        "unconsented",  # the opposite
        "refused",  # enough valid votes against
        "separate",  # who votes is neither requester nor implementer nor their delegate
        "time",  # nothing stands in the way of taking the planned windows
        "window_open",  # a planned window is open now
        "held",
        "not_held",
        "unreviewed",  # the outcome owes no review
    }
)

Predicate = Literal["open", "approved", "in_progress", "closed"]
Relation = Literal["", "requester", "owner", "implementer", "unassigned"]
Strength = Literal["none", "tentative", "requested", "approved", "active"]
Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z_]{0,29}$")]


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A place a change can be in.

    `claim`: how firmly the change holds its planned windows there. `minor`: only fields outside the approved
    content may be edited there.
    """

    slug: Slug
    name: str
    predicates: frozenset[Predicate]
    claim: Strength
    minor: bool = False


class Who(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A permission at the change's organisation and, unless empty, a relation to the change; both must hold.

    `unassigned` holds for everyone while the change names no implementer.
    """

    permission: str
    relation: Relation = ""


class Edge(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A step: the verb, where it leads from and to, who may take it and what it takes.

    `when`: the step is not there unless these hold. `needs`: without these it is refused, and told why.
    `asks`: what has to be given with it. `automatic`: followed at once after these verbs, by nobody's hand.
    """

    verb: Slug
    origins: tuple[Slug, ...] = msgspec.field(name="from")
    target: Slug | None = msgspec.field(name="to", default=None)
    who: tuple[Who, ...] = ()
    when: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    asks: tuple[Literal["reason", "outcome", "choice"], ...] = ()
    automatic: tuple[Slug, ...] = ()

    @property
    def conditions(self) -> tuple[str, ...]:
        return (*self.when, *self.needs)

    def leads_to(self, origin: str) -> str:
        return self.target or origin

    def open_to(self, related: Collection[str], permits: Callable[[str], bool]) -> bool:
        """Say whether somebody who stands so to the change, with these permissions, may take the step."""
        return any(
            (not who.relation or who.relation in related) and permits(who.permission) for who in self.who
        )


class Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where consent comes from: votes on the change, or the authorisation of its template."""

    by: Literal["votes", "template"]
    quorum: Annotated[int, msgspec.Meta(ge=1, le=50)] = 1
    rejections: Annotated[int, msgspec.Meta(ge=1, le=50)] = 1


class Advance(msgspec.Struct, frozen=True):
    """Where a verb leads: the states entered in order, the edges taken, and the needs that are not met."""

    edges: tuple[Edge, ...]
    entered: tuple[str, ...]
    unmet: tuple[str, ...]


class Workflow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """One change model. Read one with `read`, which refuses what does not hang together."""

    initial: Slug
    approval: Approval
    states: tuple[State, ...]
    edges: tuple[Edge, ...]

    @cached_property
    def by_slug(self) -> Mapping[str, State]:
        return {state.slug: state for state in self.states}

    @cached_property
    def steps(self) -> Mapping[tuple[str, str], Edge]:
        """The edges that a hand can take, by state and verb."""
        return {(origin, edge.verb): edge for edge in self.edges if edge.who for origin in edge.origins}

    def moves(self) -> Iterator[tuple[str, Edge, str]]:
        """Give every edge once per state that it leaves: from, edge, to."""
        for edge in self.edges:
            for origin in edge.origins:
                yield origin, edge, edge.leads_to(origin)

    def leaving(self, state: str) -> list[Edge]:
        """Return the steps that exist in a state, in the order of the model."""
        return [edge for edge in self.edges if state in edge.origins and edge.who]

    def step(self, state: str, verb: str) -> Edge | None:
        return self.steps.get((state, verb))

    def is_(self, predicate: Predicate, state: str) -> bool:
        return predicate in self.by_slug[state].predicates

    def ahead(self, state: str) -> bool:
        """Say whether the work is still to be done, or being done."""
        found = self.by_slug[state]
        return "open" in found.predicates and ("in_progress" in found.predicates or found.claim != "active")

    def where(self, predicate: Predicate) -> frozenset[str]:
        return frozenset(state.slug for state in self.states if predicate in state.predicates)

    def advance(self, state: str, verb: str, holds: Callable[[str], bool]) -> Advance | None:
        """Take a step and every automatic edge after it; None: there is no such step here.

        `holds` tells whether a condition holds, of the change as it would be after the step. No state is
        entered twice, so that two automatic edges cannot chase each other.
        """
        edge = self.step(state, verb)
        if edge is None or not all(holds(condition) for condition in edge.when):
            return None
        edges, entered, here = [edge], [], edge.leads_to(state)
        unmet = [condition for condition in edge.needs if not holds(condition)]
        if here != state:
            entered.append(here)
        while (following := self._automatic(here, verb, {state, *entered} - {here}, holds)) is not None:
            edges.append(following)
            unmet += [
                condition for condition in following.needs if condition not in unmet and not holds(condition)
            ]
            here = following.leads_to(here)
            entered.append(here)
        return Advance(tuple(edges), tuple(entered), tuple(unmet))

    def _automatic(
        self, here: str, verb: str, visited: set[str], holds: Callable[[str], bool]
    ) -> Edge | None:
        for edge in self.edges:
            follows = (
                verb in edge.automatic and here in edge.origins and edge.target not in {None, here, *visited}
            )
            if follows and all(holds(condition) for condition in edge.when):
                return edge
        return None


def relations(
    person: int | None, *, requester: int | None, owner: int | None, implementers: Collection[int]
) -> frozenset[str]:
    """Return how a person stands to a change; people are primary keys."""
    related = set()
    if person is not None:
        related |= {word for word, party in (("requester", requester), ("owner", owner)) if party == person}
        if person in implementers:
            related.add("implementer")
    if not implementers:
        related.add("unassigned")
    return frozenset(related)


def read(definition: object) -> Workflow:
    """Read a change model from its JSON form.

    :raises Invalid: a field is missing, unknown or of the wrong type, or an edge names what does not exist.
    """
    try:
        workflow = msgspec.convert(definition, Workflow)
    except msgspec.ValidationError as cause:
        raise Invalid.field("definition", f"The change model cannot be read: {cause}.") from cause
    known = {state.slug for state in workflow.states}
    wrong = [f"the state “{workflow.initial}” to begin in"] if workflow.initial not in known else []
    if len(known) < len(workflow.states):
        wrong.append("each state once")
    taken: set[tuple[str, str]] = set()
    for edge in workflow.edges:
        named = {*edge.origins, *([edge.target] if edge.target else [])}
        wrong += [f"the state “{name}” of “{edge.verb}”" for name in sorted(named - known)]
        wrong += [
            f"the condition “{name}” of “{edge.verb}”" for name in edge.conditions if name not in CONDITIONS
        ]
        for origin in edge.origins if edge.who else ():
            if (origin, edge.verb) in taken:
                wrong.append(f"“{edge.verb}” from “{origin}” once only")
            taken.add((origin, edge.verb))
    if wrong:
        raise Invalid.field("definition", f"The change model needs {', '.join(wrong)}.")
    return workflow


def plain(workflow: Workflow) -> dict[str, Any]:
    """Return the JSON form that `read` reads."""
    written: dict[str, Any] = msgspec.to_builtins(workflow)
    return written
