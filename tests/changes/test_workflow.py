"""Change models: what is not listed does not exist, and a proof finds what is wrong with one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from fairway.changes.rules import CONDITIONS, Workflow, prove, read, relations
from fairway.changes.rules.workflow import plain
from fairway.kernel.errors import Invalid
from tests.changes.shipped import DEFINITIONS, NORMAL, STANDARD

BOTH = pytest.mark.parametrize("workflow", [NORMAL, STANDARD], ids=["normal", "standard"])


def holding(*conditions: str) -> Callable[[str], bool]:
    assert set(conditions) <= CONDITIONS
    return lambda condition: condition in conditions


@BOTH
def test_shipped_model_is_proven(workflow: Workflow) -> None:
    assert [str(flaw) for flaw in prove(workflow)] == []


@BOTH
def test_model_survives_being_written_and_read(workflow: Workflow) -> None:
    assert read(plain(workflow)) == workflow


@BOTH
def test_unlisted_step_does_not_exist(workflow: Workflow) -> None:
    verbs = {edge.verb for edge in workflow.edges}
    listed = {(origin, edge.verb) for edge in workflow.edges if edge.who for origin in edge.origins}
    for state in workflow.by_slug:
        for verb in verbs:
            taken = workflow.advance(state, verb, lambda condition: True)
            assert (taken is not None) == ((state, verb) in listed)


@pytest.mark.parametrize(
    ("case", "workflow", "state", "verb", "holds", "entered", "unmet"),
    [
        (
            "submit",
            NORMAL,
            "draft",
            "submit",
            ["plan", "assessed"],
            ("submitted", "assessing", "authorising"),
            (),
        ),
        ("submit, assessments owed", NORMAL, "draft", "submit", ["plan"], ("submitted", "assessing"), ()),
        (
            "submit, no window",
            NORMAL,
            "draft",
            "submit",
            ["assessed"],
            ("submitted", "assessing", "authorising"),
            ("plan",),
        ),
        ("vote, more needed", NORMAL, "authorising", "vote", ["not_held", "separate"], (), ()),
        (
            "vote, enough",
            NORMAL,
            "authorising",
            "vote",
            ["not_held", "separate", "consent", "time"],
            ("scheduled",),
            (),
        ),
        (
            "vote, enough, but the time is taken",
            NORMAL,
            "authorising",
            "vote",
            ["not_held", "separate", "consent"],
            ("scheduled",),
            ("time",),
        ),
        (
            "vote, refused",
            NORMAL,
            "authorising",
            "vote",
            ["not_held", "separate", "refused"],
            ("rejected",),
            (),
        ),
        ("vote by a party", NORMAL, "authorising", "vote", ["not_held"], (), ("separate",)),
        ("edit that keeps consent", NORMAL, "scheduled", "edit", ["consent"], (), ()),
        ("edit that loses consent", NORMAL, "scheduled", "edit", ["unconsented"], ("authorising",), ()),
        (
            "start, not in its window",
            NORMAL,
            "scheduled",
            "start",
            ["not_held", "consent", "time"],
            ("implementing",),
            ("window_open",),
        ),
        ("resume what is not held", NORMAL, "scheduled", "resume", [], None, None),
        ("hold what is held", NORMAL, "scheduled", "hold", ["held"], None, None),
        (
            "standard",
            STANDARD,
            "draft",
            "submit",
            ["plan", "consent", "time"],
            ("submitted", "scheduled"),
            (),
        ),
        (
            "standard, template withdrawn",
            STANDARD,
            "draft",
            "submit",
            ["plan", "time"],
            ("submitted", "scheduled"),
            ("consent",),
        ),
        (
            "standard, well done",
            STANDARD,
            "implementing",
            "complete",
            ["not_held", "unreviewed"],
            ("reviewing", "closed"),
            (),
        ),
        ("standard, not well done", STANDARD, "implementing", "complete", ["not_held"], ("reviewing",), ()),
    ],
)
def test_advance(
    case: str,
    workflow: Workflow,
    state: str,
    verb: str,
    holds: list[str],
    entered: tuple[str, ...] | None,
    unmet: tuple[str, ...] | None,
) -> None:
    taken = workflow.advance(state, verb, holding(*holds))
    assert (taken and taken.entered, taken and taken.unmet) == (entered, unmet)


ROLES = {
    "requester": {"changes.view", "changes.request"},
    "implementer": {"changes.view", "changes.implement"},
    "approver": {"changes.view", "changes.approve"},
    "manager": {
        "changes.view",
        "changes.request",
        "changes.edit",
        "changes.assess",
        "changes.approve",
        "changes.manage",
    },
    "viewer": {"changes.view"},
}
TO_AUTHORISING = ("draft", "submit", "submitted", "assess", "assessing", "authorise", "authorising")
DRAFTING = {"submit", "edit", "reschedule", "cancel"}
ASKED = {"edit", "reschedule", "cancel", "return", "hold", "resume"}
MAY = {
    # state: role (as: relation) -> verbs
    ("draft", "requester", "requester"): DRAFTING,
    ("draft", "requester", ""): set(),
    ("draft", "implementer", "implementer"): set(),
    ("draft", "approver", ""): set(),
    ("draft", "manager", ""): DRAFTING,
    ("draft", "viewer", "requester"): set(),
    ("authorising", "requester", "requester"): ASKED,
    ("authorising", "requester", ""): set(),
    ("authorising", "implementer", "implementer"): {"hold", "resume"},
    ("authorising", "approver", ""): {"vote", "return", "hold", "resume"},
    ("authorising", "manager", ""): {*ASKED, "vote"},
    ("authorising", "viewer", ""): set(),
    ("scheduled", "requester", "requester"): ASKED - {"return"},
    ("scheduled", "requester", "owner"): ASKED - {"return"},
    ("scheduled", "implementer", "implementer"): {"start", "hold", "resume"},
    ("scheduled", "implementer", "owner"): {"start"},
    ("scheduled", "implementer", "unassigned"): {"start"},
    ("scheduled", "implementer", ""): set(),
    ("scheduled", "approver", ""): {"hold", "resume"},
    ("scheduled", "manager", ""): {*(ASKED - {"return"}), "start"},
    ("implementing", "requester", "requester"): {"edit", "hold", "resume"},
    ("implementing", "implementer", "implementer"): {"complete", "hold", "resume"},
    ("implementing", "approver", ""): {"hold", "resume"},
    ("implementing", "manager", ""): {"edit", "complete", "hold", "resume"},
    ("reviewing", "requester", "owner"): {"edit", "close"},
    ("reviewing", "requester", "requester"): {"edit"},
    ("reviewing", "implementer", "implementer"): set(),
    ("reviewing", "manager", ""): {"edit", "close"},
    **{(state, role, "owner"): set() for state in ("closed", "rejected", "cancelled") for role in ROLES},
}


@pytest.mark.parametrize(("state", "role", "relation"), MAY, ids="-".join)
def test_role_may_take_exactly_these_steps_of_a_normal_change(state: str, role: str, relation: str) -> None:
    open_ = {
        edge.verb
        for edge in NORMAL.leaving(state)
        if edge.open_to({relation} - {""}, lambda permission: permission in ROLES[role])
    }
    assert open_ == MAY[state, role, relation]


@pytest.mark.parametrize(
    ("person", "implementers", "expected"),
    [
        (1, [2], {"requester"}),
        (2, [2], {"owner", "implementer"}),
        (3, [2], set()),
        (3, [], {"unassigned"}),
        (None, [2], set()),
    ],
)
def test_relations(person: int | None, implementers: list[int], expected: set[str]) -> None:
    assert relations(person, requester=1, owner=2, implementers=implementers) == expected


def edge(definition: dict[str, Any], verb: str) -> dict[str, Any]:
    found: dict[str, Any] = next(e for e in definition["edges"] if e["verb"] == verb)
    return found


def spoil(change: Callable[[dict[str, Any]], object]) -> Workflow:
    definition = copy.deepcopy(DEFINITIONS["normal"])
    change(definition)
    return read(definition)


@pytest.mark.parametrize(
    ("case", "change", "code", "path"),
    [
        (
            "start without approval",
            lambda d: edge(d, "start").update(needs=["window_open"]),
            "unapproved",
            (*TO_AUTHORISING, "schedule", "scheduled", "start", "implementing"),
        ),
        (
            "straight from draft to work",
            lambda d: edge(d, "start")["from"].append("draft") or edge(d, "start").pop("needs"),
            "unapproved",
            ("draft", "start", "implementing"),
        ),
        (
            "scheduled without approval",
            lambda d: edge(d, "schedule").pop("when"),
            "unapproved_state",
            (*TO_AUTHORISING, "schedule", "scheduled"),
        ),
        (
            "begins in work",
            lambda d: d.update(initial="implementing"),
            "unapproved",
            ("implementing",),
        ),
        (
            "a state nobody can reach",
            lambda d: edge(d, "reject").update(to="cancelled"),
            "unreachable",
            ("rejected",),
        ),
        (
            "no way out of reviewing",
            lambda d: d["edges"].remove(edge(d, "close")),
            "dead_end",
            (*TO_AUTHORISING, "schedule", "scheduled", "start", "implementing", "complete", "reviewing"),
        ),
        (
            "leaves a closed state",
            lambda d: edge(d, "submit")["from"].append("rejected"),
            "reopened",
            ("rejected", "submit", "submitted"),
        ),
        (
            "nobody to take it",
            lambda d: edge(d, "close").pop("who"),
            "ownerless",
            ("reviewing", "close", "closed"),
        ),
        (
            "leaves nothing",
            lambda d: edge(d, "close").update({"from": []}),
            "rootless",
            ("", "close", "closed"),
        ),
        (
            "automatic and idle",
            lambda d: edge(d, "reject").pop("to"),
            "idle",
            ("authorising", "reject", ""),
        ),
        (
            "neither open nor closed",
            lambda d: d["states"][0].update(predicates=[]),
            "predicates",
            ("draft",),
        ),
        (
            "work that is not approved",
            lambda d: d["states"][5].update(predicates=["open", "in_progress"]),
            "unapproved_state",
            ("implementing",),
        ),
        (
            "no work at all",
            lambda d: d["states"][5].update(predicates=["open", "approved"]),
            "predicates",
            (),
        ),
    ],
)
def test_proof_gives_the_counter_example(
    case: str, change: Callable[[dict[str, Any]], object], code: str, path: tuple[str, ...]
) -> None:
    assert (code, path) in [(flaw.code, flaw.path) for flaw in prove(spoil(change))]


@pytest.mark.parametrize(
    ("case", "change", "message"),
    [
        ("unknown field", lambda d: d.update(colour="red"), "unknown field `colour`"),
        ("missing field", lambda d: d.pop("initial"), "missing required field `initial`"),
        ("unknown state", lambda d: edge(d, "close").update(to="done"), "the state “done” of “close”"),
        ("unknown start", lambda d: d.update(initial="idea"), "the state “idea” to begin in"),
        (
            "unknown condition",
            lambda d: edge(d, "close").update(when=["luck"]),
            "the condition “luck” of “close”",
        ),
        ("a state twice", lambda d: d["states"].append(d["states"][0]), "each state once"),
        ("a step twice", lambda d: d["edges"].append(edge(d, "close")), "“close” from “reviewing” once only"),
        ("quorum of nobody", lambda d: d["approval"].update(quorum=0), "`int` >= 1"),
    ],
)
def test_unreadable_model_is_refused_by_name(
    case: str, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    with pytest.raises(Invalid) as refused:
        spoil(change)
    assert message in refused.value.detail


def test_two_automatic_edges_do_not_chase_each_other() -> None:
    def circle(definition: dict[str, Any]) -> None:
        edge(definition, "reauthorise").update(when=[], automatic=["vote"])
        edge(definition, "schedule").update(when=[])

    taken = spoil(circle).advance("authorising", "vote", lambda condition: condition != "refused")
    assert taken is not None
    assert taken.entered == ("scheduled",)
