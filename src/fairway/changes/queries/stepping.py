"""The legal steps of a change as data, for buttons and for those who ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fairway.accounts import queries as accounts
from fairway.changes.queries.deciding import Case
from fairway.changes.queries.dossier import Dossier
from fairway.changes.rules import Edge, relations
from fairway.kernel.actor import Actor
from fairway.policy import Finding, Severity


@dataclass(frozen=True, slots=True)
class Step:
    """A step that the actor may take now. `why_not`: what stands in the way; empty: nothing."""

    verb: str
    asks: tuple[str, ...]
    why_not: tuple[Finding, ...] = ()

    @property
    def enabled(self) -> bool:
        return not self.why_not


def open_steps(dossier: Dossier, actor: Actor) -> list[Edge]:
    """Return the steps of the present state that the actor may take, in the order of the model."""
    change, access = dossier.change, accounts.access(actor)
    related = relations(
        actor.pk, requester=change.requester_id, owner=change.owner_id, implementers=dossier.people
    )
    is_held = change.held_at is not None
    there = {"held": is_held, "not_held": not is_held}
    return [
        edge
        for edge in dossier.workflow.leaving(change.state)
        if all(there.get(condition, True) for condition in edge.when)
        and edge.open_to(related, lambda permission: access.may(permission, change.organisation_id))
    ]


def steps(actor: Actor, dossier: Dossier, *, at: datetime) -> list[Step]:
    """Return the steps for the actor, each with what would refuse it at the instant."""
    found = []
    for edge in open_steps(dossier, actor):
        following = [
            other
            for other in dossier.workflow.edges
            if edge.target in other.origins and edge.verb in other.automatic and not other.when
        ]
        needs = dict.fromkeys(need for one in (edge, *following) for need in one.needs)
        in_progress = dossier.workflow.is_("in_progress", edge.leads_to(dossier.change.state))
        case = Case(
            dossier, dossier.proposal(), dossier.change.digest, at, person=actor.pk, working=in_progress
        )
        against = [one for one in case.against(needs) if one.severity in {Severity.BLOCK, Severity.UNKNOWN}]
        found.append(Step(edge.verb, edge.asks, tuple(sorted(against, key=lambda one: one.order))))
    return found
