"""The legal steps of a change as data, for buttons and for those who ask."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from fairway.accounts import queries as accounts
from fairway.changes.models import Change, Implementer
from fairway.changes.queries.deciding import Case, stopped_at
from fairway.changes.queries.dossier import Dossier, workflow
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
        told = [*case.against(needs), *stopped_at(edge.verb, case, at=at)]
        against = {one: one for one in told if one.severity in {Severity.BLOCK, Severity.UNKNOWN}}
        found.append(Step(edge.verb, edge.asks, tuple(sorted(against, key=lambda one: one.order))))
    return found


def fixed_in_rows(
    actor: Actor, pks: Collection[int], approved: Sequence[str]
) -> dict[int, Sequence[str] | None]:
    """Return which of the approved fields stay as they are in the row of each change; None: all fields.

    They are edited in a row while the change is a draft.
    """
    access = accounts.access(actor)
    people: dict[int, set[int]] = {}
    rows = Implementer.objects.filter(change__in=pks)
    for change_pk, person in rows.values_list("change_id", "person_id"):
        people.setdefault(change_pk, set()).add(person)
    found: dict[int, Sequence[str] | None] = {}
    for change in Change.objects.filter(pk__in=pks).select_related("model"):
        whole = workflow(change.model)
        edge = whole.step(change.state, "edit")
        related = relations(
            actor.pk,
            requester=change.requester_id,
            owner=change.owner_id,
            implementers=frozenset(people.get(change.pk, ())),
        )
        place = change.organisation_id
        if edge is None or not edge.open_to(related, lambda name, at=place: access.may(name, at)):  # type: ignore[misc]
            found[change.pk] = None
        else:
            found[change.pk] = () if change.state == whole.initial else approved
    return found


def any_draft(keys: Collection[str]) -> bool:
    """Say whether one of the changes is a draft, whose edits can be taken back."""
    numbers = [int(key.removeprefix(f"{Change.prefix}-")) for key in keys]
    found = Change.objects.filter(number__in=numbers).select_related("model")
    return any(change.state == workflow(change.model).initial for change in found)
