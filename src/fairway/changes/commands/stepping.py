"""The steps that people take with a change."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Literal

from django.utils.translation import gettext as _

from fairway.accounts import queries as accounts
from fairway.approvals import commands as approvals
from fairway.approvals.queries import Ballot, Choice
from fairway.audit.commands import Command, Plan, expect
from fairway.calendars import queries as calendars
from fairway.changes import queries
from fairway.changes.commands.reading import needed, text
from fairway.changes.commands.taking import Writes, permitted, supposed, take
from fairway.changes.commands.waiving import relied_on
from fairway.changes.events import ChangeEvent
from fairway.changes.models import Implementer
from fairway.changes.queries import Case, Dossier
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Forbidden, Invalid, Stale
from fairway.policy import Finding

HOLD = {"held_at", "hold_reason"}
Outcome = Literal["successful", "with_issues", "partial", "unsuccessful", "not_started"]


class _Step(Command):
    """A step named by its verb; what it writes beside the state is its own."""

    verb: ClassVar[str]
    tells_time: ClassVar[bool] = False
    change: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        """Take the step, with every automatic one after it.

        :raises NotFound: no such change for the actor. :raises Forbidden: sees it, may not take the step.
        :raises Conflict: the step does not exist in the present state. :raises Invalid: what it asks for
        is missing.
        """
        if lock:
            calendars.gate()
        dossier = queries.dossier(actor, self.change, lock=lock)
        permitted(dossier, self.verb, actor)
        expect(dossier.change, getattr(self, "version", None))
        writes = self.writes(dossier, actor=actor, at=at)
        case = self.case(dossier, writes, actor=actor, at=at)
        if case.working:
            writes.change += relied_on(case.findings("time"), at=at)
        plan = take(dossier, self.verb, case, writes, actor=actor, at=at, tell_time=self.tells_time)
        more = self.warnings(dossier)
        if not more or plan.decision.denied:
            return plan
        return replace(plan, decision=queries.told([*plan.decision.findings, *more], at=at))

    def warnings(self, dossier: Dossier) -> list[Finding]:
        """Return what to tell beside; it refuses nothing."""
        return []

    def writes(self, dossier: Dossier, *, actor: Actor, at: datetime) -> Writes:
        return Writes()

    def case(self, dossier: Dossier, writes: Writes, *, actor: Actor, at: datetime) -> Case:
        """Return the change as it would be; a hold is judged as it is before the step."""
        after = supposed(dossier, {name: value for name, value in writes.values.items() if name not in HOLD})
        return Case(after, after.proposal(), dossier.change.digest, at, person=actor.pk)


class SubmitChange(_Step, name=ChangeEvent.SUBMIT):
    """Ask for the change to be done as planned; says what will stand in the way of whoever approves."""

    verb: ClassVar[str] = "submit"
    tells_time: ClassVar[bool] = True
    permission: ClassVar[str] = "changes.request"
    version: int | None = None

    def writes(self, dossier: Dossier, *, actor: Actor, at: datetime) -> Writes:
        return Writes({"submitted_at": at, "state_reason": ""})


class VoteOnChange(_Step, name=ChangeEvent.VOTE):
    """Approve or reject the content that was seen; `digest` names it, as reading the change gave it."""

    verb: ClassVar[str] = "vote"
    permission: ClassVar[str] = "changes.approve"
    choice: Literal["approve", "reject"]
    digest: str
    comment: str = ""
    version: int | None = None

    def writes(self, dossier: Dossier, *, actor: Actor, at: datetime) -> Writes:
        change = dossier.change
        # A service account is somebody's tool: whoever holds its token would vote twice.
        if actor.kind != "person" or actor.pk is None:
            raise Forbidden(_("Only a person can vote."))
        if self.digest != change.digest:
            raise Stale(
                _("%(change)s is not what you saw any more; read it again before you decide.")
                % {"change": change.key},
                extra={"digest": change.digest},
            )
        comment = text(self.comment, "comment")
        if self.choice == "reject" and not comment:
            raise Invalid.field("comment", _("Say why; whoever asked reads it."))
        if change.round is None:
            raise Invalid.field("change", _("There is no vote on %(change)s.") % {"change": change.key})
        vote = approvals.cast(
            change.round,
            voter=actor.pk,
            choice=Choice(self.choice),
            comment=comment,
            digest=self.digest,
            at=at,
            instead=self._instead(dossier, actor),
        )
        return Writes({"state_reason": comment} if self.choice == "reject" else {}, create=[vote])

    def _instead(self, dossier: Dossier, actor: Actor) -> int | None:
        """Return whose say the vote is, where the voter has none of their own."""
        return accounts.stands_in(actor, self.permission, dossier.change.organisation_id)

    def case(self, dossier: Dossier, writes: Writes, *, actor: Actor, at: datetime) -> Case:
        case = super().case(dossier, writes, actor=actor, at=at)
        if actor.pk is not None:
            cast = Ballot(actor.pk, Choice(self.choice), self.digest, self._instead(dossier, actor))
            case.dossier = replace(case.dossier, ballots=[*dossier.ballots, cast])
        return case


class ReturnChange(_Step, name=ChangeEvent.RETURN):
    """Give the change back to whoever asked for it, with what has to be different."""

    verb: ClassVar[str] = "return"
    permission: ClassVar[str] = "changes.request"
    reason: str
    version: int | None = None

    def writes(self, dossier: Dossier, *, actor: Actor, at: datetime) -> Writes:
        return Writes({"state_reason": needed(self.reason, "reason")})


class CancelChange(_Step, name=ChangeEvent.CANCEL):
    """Give the change up before work began."""

    verb: ClassVar[str] = "cancel"
    permission: ClassVar[str] = "changes.request"
    reason: str
    version: int | None = None

    def writes(self, dossier: Dossier, *, actor: Actor, at: datetime) -> Writes:
        return Writes({"state_reason": needed(self.reason, "reason")})


class StartChange(_Step, name=ChangeEvent.START):
    """Begin the work: needs approval of the present content, an open planned window, and nothing blocking."""

    verb: ClassVar[str] = "start"
    permission: ClassVar[str] = "changes.implement"
    version: int | None = None

    def writes(self, dossier: Dossier, *, actor: Actor, at: datetime) -> Writes:
        create: list[Any] = []
        if not dossier.implementers and actor.pk is not None:
            create.append(Implementer(change=dossier.change, person_id=actor.pk))
        return Writes({"actual_start": at}, create=create)

    def case(self, dossier: Dossier, writes: Writes, *, actor: Actor, at: datetime) -> Case:
        case = super().case(dossier, writes, actor=actor, at=at)
        case.working = True
        return case


class CompleteChange(_Step, name=ChangeEvent.COMPLETE):
    """Say what came of the work; what is left of its planned time is free again."""

    verb: ClassVar[str] = "complete"
    permission: ClassVar[str] = "changes.implement"
    outcome: Outcome
    note: str = ""
    backed_out: bool = False
    version: int | None = None

    def writes(self, dossier: Dossier, *, actor: Actor, at: datetime) -> Writes:
        note = text(self.note, "note")
        if self.outcome != "successful" and not note:
            raise Invalid.field(
                "note", _("Say what happened; it is read before the next change of this kind.")
            )
        return Writes(
            {"actual_end": at, "outcome": self.outcome, "outcome_note": note, "backed_out": self.backed_out}
        )

    def warnings(self, dossier: Dossier) -> list[Finding]:
        return queries.unapplied(dossier)


class CloseChange(_Step, name=ChangeEvent.CLOSE):
    """End the review."""

    verb: ClassVar[str] = "close"
    permission: ClassVar[str] = "changes.manage"
    version: int | None = None


class HoldChange(_Step, name=ChangeEvent.HOLD):
    """Keep the change from going on until it is resumed; it keeps its time."""

    verb: ClassVar[str] = "hold"
    permission: ClassVar[str] = "changes.request"
    reason: str
    version: int | None = None

    def writes(self, dossier: Dossier, *, actor: Actor, at: datetime) -> Writes:
        return Writes({"held_at": at, "hold_reason": needed(self.reason, "reason")})


class ResumeChange(_Step, name=ChangeEvent.RESUME):
    """Let a held change go on; where work had begun, it takes what starting takes."""

    verb: ClassVar[str] = "resume"
    permission: ClassVar[str] = "changes.request"
    version: int | None = None

    def writes(self, dossier: Dossier, *, actor: Actor, at: datetime) -> Writes:
        return Writes({"held_at": None, "hold_reason": ""})

    def case(self, dossier: Dossier, writes: Writes, *, actor: Actor, at: datetime) -> Case:
        case = super().case(dossier, writes, actor=actor, at=at)
        case.working = dossier.workflow.is_("in_progress", dossier.change.state)
        return case


STEPS: dict[str, type[_Step]] = {
    step.verb: step
    for step in (
        SubmitChange,
        VoteOnChange,
        ReturnChange,
        StartChange,
        CompleteChange,
        CloseChange,
        CancelChange,
        HoldChange,
        ResumeChange,
    )
}
