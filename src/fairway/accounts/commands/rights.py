"""What can be done to grants of roles and to delegations."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from fairway.accounts import queries
from fairway.accounts.commands.shared import (
    by_uid,
    keep_administered,
    not_more,
    own_uid,
    require_match,
    require_whole,
)
from fairway.accounts.models import Delegation, Grant, Membership
from fairway.audit.commands import Command, Plan
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from fairway.kernel.period import Period, parse_instant

LONGEST_DELEGATION = timedelta(days=366)


class GrantRole(Command, name="accounts.grant.create"):
    """Give a role to a person or a team on an organisation and the whole branch below."""

    permission: ClassVar[str] = "accounts.administer"
    role: str
    organisation: str
    user: str | None = None
    team: str | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        organisation = queries.organisation(actor, self.organisation)
        queries.require(actor, self.permission, at=organisation.pk)
        if (self.user is None) == (self.team is None):
            raise Invalid.field("user", "Name either a person or a team.")
        role = queries.role(self.role, lock=lock)
        not_more(
            queries.exceeding(actor, role.permissions, organisation.pk), f"The role {role.name} comes with"
        )
        user = queries.user(actor, self.user) if self.user else None
        team = queries.team(actor, self.team) if self.team else None
        own_team = team is not None and Membership.objects.filter(team=team, user_id=actor.pk or 0).exists()
        if own_team or (user is not None and user.pk == actor.pk):
            raise Forbidden(
                "Nobody grants a role to themselves or a team of their own; ask another administrator."
            )
        if Grant.objects.filter(role=role, organisation=organisation, user=user, team=team).exists():
            raise Conflict("This was granted already.", code="accounts.grant.exists")
        made = Grant(role=role, organisation=organisation, user=user, team=team)
        return Plan(subject=user or team, create=[made], note={"role": role.slug})


class RevokeRole(Command, name="accounts.grant.revoke"):
    """Take a granted role back."""

    permission: ClassVar[str] = "accounts.administer"
    grant: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.grants(actor).filter(**by_uid(self.grant)).first()
        if found is None:
            raise NotFound(f"There is no grant “{self.grant}”.")
        queries.require(actor, self.permission, at=found.organisation_id)
        if found.user_id is not None and found.user_id == actor.pk:
            raise Forbidden("Nobody revokes a role of their own; ask another administrator.")
        keep_administered(lock, at, grant=found.pk)
        return Plan(subject=found.user or found.team, remove=[found], note={"role": found.role.slug})


class Delegate(Command, name="accounts.delegation.create"):
    """Let somebody act for oneself for a time; an administrator does it for whoever cannot (`giver`)."""

    taker: str
    start: str
    end: str
    giver: str | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        giver = queries.user(actor, self.giver or own_uid(actor))
        if actor.scopes is not None:
            raise Forbidden("A token with scopes cannot delegate; sign in.")
        taker = queries.user(actor, self.taker)
        if giver.pk != actor.pk:
            require_whole(actor, giver)
            require_match(actor, giver)
            if taker.pk == actor.pk:
                raise Forbidden("Nobody takes over for somebody by themselves; ask another administrator.")
        if taker.pk == giver.pk:
            raise Invalid.field("taker", "Name somebody else.")
        for who, field in ((giver, "giver"), (taker, "taker")):
            if who.is_service or not who.valid_at(at):
                raise Invalid.field(field, f"{who.name} is not a person who works here now.")
        period = Period(parse_instant(self.start, field="start"), parse_instant(self.end, field="end"))
        if period.end <= at:
            raise Invalid.field("end", "This is over already.")
        if period.length > LONGEST_DELEGATION:
            raise Invalid.field("end", f"A delegation lasts {LONGEST_DELEGATION.days} days at most.")
        made = Delegation(giver=giver, taker=taker, starts_at=period.start, ends_at=period.end)
        return Plan(subject=giver, create=[made])


class EndDelegation(Command, name="accounts.delegation.end"):
    """End a delegation at once; one that has not begun is taken back."""

    delegation: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.delegations(actor).filter(**by_uid(self.delegation)).first()
        if found is None:
            raise NotFound(f"There is no delegation “{self.delegation}”.")
        if actor.pk not in {found.giver_id, found.taker_id}:
            queries.require(actor, "accounts.administer", at=found.giver.organisation_id)
        if at <= found.starts_at:
            return Plan(subject=found.giver, remove=[found])
        return Plan(subject=found.giver, change=[(found, {"ends_at": min(at, found.ends_at)})])
