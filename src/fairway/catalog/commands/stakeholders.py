"""Saying who stands how to an item (RACI)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from msgspec import UNSET, UnsetType

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan, expect
from fairway.catalog import queries
from fairway.catalog.events import CatalogEvent
from fairway.catalog.models import Stakeholder
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, FieldError, Invalid, NotFound
from fairway.kernel.models import Row

MOST = 50


class SetStakeholders(Command, name=CatalogEvent.STAKEHOLDERS):
    """Say who is responsible, accountable, consulted and informed: people and teams, by key.

    What is left out stays; one alone is accountable. Whom the actor cannot see stays too.
    """

    permission: ClassVar[str] = "catalog.edit"
    item: str
    version: int | None = None
    responsible: list[str] | UnsetType = UNSET
    accountable: str | UnsetType | None = UNSET
    consulted: list[str] | UnsetType = UNSET
    informed: list[str] | UnsetType = UNSET

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.item(actor, self.item)
        accounts.require(actor, self.permission, at=found.organisation_id)
        expect(found, self.version)
        if found.archived_at is not None:
            raise Conflict(f"{found.key} is archived.", code="catalog.item.archived")
        if lock:
            queries.lock([found.pk])
        present = {
            (row.part, row.user_id, row.team_id): row
            for row in Stakeholder.objects.filter(item=found).select_related("user", "team")
        }
        create, remove = [], []
        for part in Stakeholder.Part.values:
            given = getattr(self, part)
            if given is UNSET:
                continue
            named = [given] if isinstance(given, str) and given else given or []
            wanted = _read(actor, part, named)
            kept = {key for key, row in present.items() if key[0] == part}
            hidden = {key for key in kept if not queries.sees_stakeholder(actor, present[key])}
            if part == Stakeholder.Part.ACCOUNTABLE and hidden and wanted:
                raise Conflict(
                    "Somebody of another organisation is accountable; they have to step back first.",
                    code="catalog.stakeholder.accountable",
                )
            create += [
                Stakeholder(item=found, part=part, user_id=key[1], team_id=key[2])
                for key in wanted
                if key not in kept
            ]
            remove += [present[key] for key in kept - set(wanted) - hidden]
        for row in remove:
            row.item = found
        change: list[tuple[Row, dict[str, Any]]] = []
        if part_taken := _both(create, remove):
            # Rows are removed last: who takes the place of somebody takes over their row.
            old, new = part_taken
            create.remove(new)
            remove.remove(old)
            change = [(old, {"user_id": new.user_id, "team_id": new.team_id})]
        if create or remove or change:
            change = [*change, (found, {"stakeholder_edits": found.stakeholder_edits + 1})]
        return Plan(subject=found, create=create, change=change, remove=remove)


def _both(
    create: Sequence[Stakeholder], remove: Sequence[Stakeholder]
) -> tuple[Stakeholder, Stakeholder] | None:
    """Return who was accountable and who shall be, where both are written."""
    old = next((row for row in remove if row.part == Stakeholder.Part.ACCOUNTABLE), None)
    new = next((row for row in create if row.part == Stakeholder.Part.ACCOUNTABLE), None)
    return (old, new) if old is not None and new is not None else None


def _read(actor: Actor, part: str, named: Sequence[str]) -> list[tuple[str, int | None, int | None]]:
    """Return people and teams by primary key, each once.

    :raises Invalid: the actor sees none of that name, or there are too many; tells by field.
    """
    if len(named) > MOST:
        raise Invalid.field(part, f"At most {MOST} can be named here.")
    found: dict[tuple[str, int | None, int | None], None] = {}
    wrong = []
    for reference in named:
        try:
            user, team = queries.person_or_team(actor, reference)
        except NotFound as problem:
            wrong.append(FieldError(part, problem.detail))
        else:
            found[part, user.pk if user else None, team.pk if team else None] = None
    if wrong:
        raise Invalid.fields(wrong)
    return list(found)
