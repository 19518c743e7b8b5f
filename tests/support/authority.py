"""Writing what an implementing change would: for tests that need a landscape, not the way to it."""

from __future__ import annotations

from datetime import datetime

from fairway.audit.commands import Plan
from fairway.catalog.commands import PutRelation, relate_under
from fairway.kernel.actor import Actor
from fairway.kernel.refs import Ref


class RelateUnderAuthority(PutRelation):
    """Join two items as a change would, the source controlled or not."""

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        return relate_under(
            Ref("change", "CHG-0"),
            source=self.source,
            target=self.target,
            kind=self.kind,
            joined=True,
            actor=actor,
            permission=self.permission,
        )
