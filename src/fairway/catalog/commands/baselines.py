"""Taking baselines of the catalogue, and putting them away."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from fairway.accounts import queries as accounts
from fairway.audit import queries as audit
from fairway.audit.commands import Command, Plan, expect
from fairway.catalog import queries
from fairway.catalog.events import CatalogEvent
from fairway.catalog.models import Baseline
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid, NotFound
from fairway.kernel.text import line, prose


class TakeBaseline(Command, name=CatalogEvent.BASELINE_TAKE):
    """Name the catalogue of an organisation, and of all below it, as it stands now."""

    permission: ClassVar[str] = "catalog.edit"
    name: str
    organisation: str
    description: str = ""

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        """:raises Invalid: by field. :raises Forbidden: the actor may not edit the catalogue there."""
        try:
            where = accounts.organisation(actor, self.organisation)
        except NotFound as problem:
            raise Invalid.field("organisation", problem.detail) from problem
        accounts.require(actor, self.permission, at=where.pk)
        made = Baseline(
            organisation=where,
            name=line(self.name, field="name"),
            description=prose(self.description, field="description", longest=4_000),
            sequence=audit.head()[0],
            taken_at=at,
        )
        return Plan(subject=made, create=[made])


class ArchiveBaseline(Command, name=CatalogEvent.BASELINE_ARCHIVE):
    """Take a baseline out of lists; it stays on record."""

    permission: ClassVar[str] = "catalog.edit"
    undoable: ClassVar[bool] = True
    baseline: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        """:raises NotFound: there is none for the actor. :raises Stale: it moved on."""
        found = queries.baseline(actor, self.baseline)
        accounts.require(actor, self.permission, at=found.organisation_id)
        expect(found, self.version)
        return Plan(subject=found, change=[] if found.archived_at else [(found, {"archived_at": at})])
