"""The proof of a change model: shows by counter-example what could go wrong in it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from fairway.changes.rules.workflow import Edge, Workflow


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something wrong with a model. `path` is the counter-example: state, verb, state, … as walked."""

    code: str
    message: str
    path: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.message} ({' → '.join(self.path)})" if self.path else self.message


def prove(workflow: Workflow) -> list[Flaw]:
    """Return every flaw of the model; empty: proven.

    Proven means: work, and the states that count as approved, are entered from outside only over an edge that
    asks for consent to the present content; every state can be reached; from every open state a closed one
    can be reached; nothing leaves a closed state; every edge has somebody to take it; states are either open
    or closed.
    """
    paths = _paths(workflow, [workflow.initial])
    return [
        *_unapproved(workflow, paths),
        *_unreachable(workflow, paths),
        *_dead_ends(workflow, paths),
        *_ownerless(workflow),
        *_predicates(workflow),
    ]


def _paths(workflow: Workflow, start: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Return one shortest walk to each state that can be reached."""
    found: dict[str, tuple[str, ...]] = {state: (state,) for state in start}
    queue = deque(found)
    while queue:
        here = queue.popleft()
        for origin, edge, target in workflow.moves():
            if origin == here and target not in found:
                found[target] = (*found[here], edge.verb, target)
                queue.append(target)
    return found


def _unapproved(workflow: Workflow, paths: Mapping[str, tuple[str, ...]]) -> list[Flaw]:
    approved, working = workflow.where("approved"), workflow.where("in_progress")

    def entered(inside: frozenset[str], code: str, message: str) -> list[Flaw]:
        flaws = [
            Flaw(
                code,
                message.format(name=workflow.by_slug[target].name),
                (*paths.get(origin, (origin,)), edge.verb, target),
            )
            for origin, edge, target in workflow.moves()
            if target in inside and origin not in inside and "consent" not in edge.conditions
        ]
        if workflow.initial in inside:
            flaws.append(
                Flaw(code, message.format(name=workflow.by_slug[workflow.initial].name), (workflow.initial,))
            )
        return flaws

    return [
        *entered(working, "unapproved", "“{name}” can be entered without approval"),
        *entered(
            approved, "unapproved_state", "“{name}” counts as approved and can be entered without approval"
        ),
        *(
            Flaw(
                "unapproved_state",
                f"“{workflow.by_slug[slug].name}” is work in progress and not approved",
                (slug,),
            )
            for slug in sorted(working - approved)
        ),
    ]


def _unreachable(workflow: Workflow, paths: Mapping[str, tuple[str, ...]]) -> list[Flaw]:
    return [
        Flaw("unreachable", f"“{state.name}” cannot be reached", (state.slug,))
        for state in workflow.states
        if state.slug not in paths
    ]


def _dead_ends(workflow: Workflow, paths: Mapping[str, tuple[str, ...]]) -> list[Flaw]:
    ends = workflow.where("closed")
    saved = set(ends)
    while grown := {origin for origin, _, target in workflow.moves() if target in saved} - saved:
        saved |= grown
    stuck = [
        Flaw("dead_end", f"no way leads from “{state.name}” to an end", paths.get(state.slug, (state.slug,)))
        for state in workflow.states
        if state.slug not in saved
    ]
    risen = [
        Flaw("reopened", f"“{edge.verb}” leaves the closed state “{origin}”", (origin, edge.verb, target))
        for origin, edge, target in workflow.moves()
        if origin in ends and target not in ends
    ]
    return [*stuck, *risen]


def _ownerless(workflow: Workflow) -> list[Flaw]:
    def walked(edge: Edge) -> tuple[str, ...]:
        return (edge.origins[0] if edge.origins else "", edge.verb, edge.target or "")

    broken: list[tuple[Callable[[Edge], bool], str, str]] = [
        (lambda edge: not edge.who and not edge.automatic, "ownerless", "nobody may take “{verb}”"),
        (lambda edge: not edge.origins, "rootless", "“{verb}” leaves no state"),
        (
            lambda edge: not edge.who and edge.target is None,
            "idle",
            "“{verb}” is automatic and leads nowhere",
        ),
    ]
    return [
        Flaw(code, message.format(verb=edge.verb), walked(edge))
        for edge in workflow.edges
        for wrong, code, message in broken
        if wrong(edge)
    ]


def _predicates(workflow: Workflow) -> list[Flaw]:
    flaws = [
        Flaw("predicates", f"“{state.name}” has to be either open or closed", (state.slug,))
        for state in workflow.states
        if ("open" in state.predicates) == ("closed" in state.predicates)
    ]
    if not workflow.where("in_progress"):
        flaws.append(Flaw("predicates", "no state is work in progress"))
    return flaws
