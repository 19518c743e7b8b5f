"""The impact of a change: what else is affected when its items fail together, and what was pinned."""

from __future__ import annotations

from dataclasses import dataclass

from fairway.accounts import queries as accounts
from fairway.catalog import queries as catalog
from fairway.changes.models import Pin
from fairway.changes.queries.dossier import Dossier
from fairway.changes.rules import relations
from fairway.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Reaching:
    """`pins`: those that the actor may see; all of them hold. None without items: nothing is altered yet."""

    impact: catalog.Impact | None
    pins: list[Pin]


def may_pin(actor: Actor, dossier: Dossier) -> bool:
    """Say whether the actor may pin items in the change: who assesses or edits, and who stands in it."""
    change, access = dossier.change, accounts.access(actor)
    if any(
        access.may(one, change.organisation_id)
        for one in ("changes.assess", "changes.edit", "changes.manage")
    ):
        return True
    related = relations(
        actor.pk, requester=change.requester_id, owner=change.owner_id, implementers=dossier.people
    )
    return access.may("changes.request", change.organisation_id) and bool(
        related & {"requester", "owner", "implementer"}
    )


def pins(dossier: Dossier) -> list[Pin]:
    """Return what was pinned, in the order in which it was."""
    found = list(
        Pin.objects.filter(change=dossier.change).select_related("item", "person").order_by("pinned_at", "pk")
    )
    for pin in found:
        pin.change = dossier.change
    return found


def reaching(actor: Actor, dossier: Dossier, *, limit: int = 200) -> Reaching:
    """Return what the change affects, as far as the actor may see it.

    Its items fail together. An item pinned as affected fails with them; one pinned as not affected stands,
    and nothing is reached by way of it.
    """
    pinned = pins(dossier)
    sees = accounts.access(actor).sees
    seen = [pin for pin in pinned if sees(pin.item.ref())]
    if not dossier.items:
        return Reaching(None, seen)
    starts = [*dossier.items, *(pin.item_id for pin in pinned if pin.affected)]
    barred = [pin.item_id for pin in pinned if not pin.affected]
    found = catalog.impact(actor, starts, direction=catalog.Direction.DOWNSTREAM, limit=limit, barred=barred)
    return Reaching(found, seen)


def drawn(actor: Actor, dossier: Dossier) -> catalog.Drawing:
    """Return the impact of the change as a graph, with its pins."""
    pinned = pins(dossier)
    return catalog.drawing(
        actor,
        [*dossier.items, *(pin.item_id for pin in pinned if pin.affected)],
        direction=catalog.Direction.DOWNSTREAM,
        barred=[pin.item_id for pin in pinned if not pin.affected],
        pins={
            pin.item_id: (
                "in" if pin.affected else "out",
                f"{pin.reason} ({pin.person.name})" if pin.person else pin.reason,
            )
            for pin in pinned
        },
    )
