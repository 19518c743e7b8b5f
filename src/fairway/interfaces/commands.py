"""Asking for a decision so that it is kept."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from fairway.accounts import queries as accounts
from fairway.accounts.web import decision_view
from fairway.audit.commands import Command, Plan
from fairway.interfaces.decisions import decision
from fairway.interfaces.models import AskedDecision
from fairway.kernel.actor import Actor
from fairway.kernel.period import parse_instant


class AskDecision(Command, name="decisions.ask"):
    """Ask whether something may be done, and have both kept; a denial is an answer, not a refusal."""

    permission: ClassVar[str] = "decisions.ask"
    action: str
    system: str
    environment: str
    change: str = ""
    version: str = ""
    at: str = ""

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        asked_for = parse_instant(self.at) if self.at else at
        answer = decision(self, actor=actor, at=asked_for)
        question = {name: getattr(self, name) for name in self.__struct_fields__}
        kept = AskedDecision(
            asked_at=at,
            actor_uid=UUID(actor.uid),
            organisation_id=accounts.home(actor),
            question=question,
            verdict=str(answer.verdict),
            answer=msgspec.to_builtins(decision_view(answer, actor)),
        )
        return Plan(create=[kept], note={"verdict": str(answer.verdict)}, answer=answer)
