"""Choosing the columns of a list, for oneself."""

from __future__ import annotations

from datetime import datetime

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid
from fairway.workspace import queries
from fairway.workspace.events import WorkspaceEvent
from fairway.workspace.models import ListColumns

MOST_COLUMNS = 60


class ChooseColumns(Command, name=WorkspaceEvent.COLUMNS_CHOOSE):
    """Show these columns of a list to oneself, in this order; none: as usual."""

    page: str
    columns: list[str] = []

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        """:raises Invalid: there is no such list. :raises Forbidden: the actor sees none of it."""
        page = queries.page_of(self.page)
        accounts.require(actor, page.permission, at=None)
        if len(self.columns) > MOST_COLUMNS or any(len(name) > 60 for name in self.columns):
            raise Invalid.field("columns", f"A list shows at most {MOST_COLUMNS} columns.")
        columns = list(dict.fromkeys(self.columns))
        known = ListColumns.objects.filter(person_id=actor.pk or 0, page=page.name)
        chosen = (known.select_for_update(no_key=True) if lock else known).first()
        if not columns:
            return Plan(remove=[chosen] if chosen is not None else [])
        if chosen is not None:
            return Plan(change=[(chosen, {"columns": columns})])
        return Plan(create=[ListColumns(person=accounts.myself(actor), page=page.name, columns=columns)])
