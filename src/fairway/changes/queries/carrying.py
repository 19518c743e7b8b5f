"""Which builds carry a change."""

from __future__ import annotations

from typing import Any

from fairway.accounts import queries as accounts
from fairway.catalog import queries as catalog
from fairway.changes.models import CarriedChange
from fairway.changes.queries.dossier import Dossier
from fairway.changes.queries.reaching import may_pin
from fairway.kernel.actor import Actor

MOST_SHOWN = 200


def may_carry(actor: Actor, dossier: Dossier) -> bool:
    """Say whether the actor may name the builds of the change: who works on it, and who registers builds."""
    access = accounts.access(actor)
    return may_pin(actor, dossier) or access.may("catalog.register", dossier.change.organisation_id)


def carrying(actor: Actor, dossier: Dossier) -> list[dict[str, Any]]:
    """Return the builds that carry the change and that the actor sees, the last built first."""
    held = CarriedChange.objects.filter(change=dossier.change)
    found = catalog.builds(actor).filter(pk__in=held.values("build")).order_by("-built_at", "-pk")
    rows = found.values(
        *("uid", "number", "name", "build_version", "status", "commit", "built_at", "archived_at"),
        *("system__slug", "system__name", "version"),
    )
    return [{**row, "key": f"BLD-{row['number']}"} for row in rows[:MOST_SHOWN]]
