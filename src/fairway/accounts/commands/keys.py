"""What can be done to tokens, read-only links and limits of calls."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import ClassVar

import msgspec

from fairway.accounts import queries
from fairway.accounts.commands.shared import by_uid, named, own_uid, require_match, require_whole
from fairway.accounts.models import ApiToken, RateRule, ShareLink, User
from fairway.accounts.rules import PERMISSIONS
from fairway.audit.commands import Command, Plan
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Forbidden, Invalid, NotFound

MOST_CALLS = 10_000_000


class CreateToken(Command, name="accounts.token.create"):
    """Make a key to the API for oneself, or for a service account; the secret is told once, as the answer.

    One that is made with a token may no more than that one, ends with it at the latest, and is revoked with
    it. `days`: 90 when left out, or as long as the token lives that makes it.
    """

    name: str
    user: str | None = None
    scopes: list[str] | None = None
    days: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        owner = queries.user(actor, self.user or own_uid(actor))
        if owner.pk != actor.pk:
            require_whole(actor, owner)
            if not owner.is_service and not actor.is_system:
                raise Forbidden(
                    "People make their own tokens; administrators make those of service accounts."
                )
            require_match(actor, owner)
        wanted = PERMISSIONS.keys() if self.scopes is None else set(self.scopes)
        if actor.scopes is not None and not wanted <= actor.scopes:
            raise Forbidden("A token cannot make one that may do more than itself.")
        unknown = sorted(wanted - PERMISSIONS.keys())
        if unknown:
            raise Invalid.field(
                "scopes", f"“{unknown[0]}” is not a permission; there are {', '.join(PERMISSIONS)}."
            )
        if self.days is not None and not 1 <= self.days <= 366:
            raise Invalid.field("days", "A token lives from 1 to 366 days.")
        ends = at + timedelta(days=self.days or 90)
        if actor.until is not None and ends > actor.until:
            if self.days is not None:
                raise Invalid.field(
                    "days",
                    f"A token cannot make one that outlives it; this one ends at {actor.until:%Y-%m-%d %H:%M}"
                    " UTC. Leave days out for the same end.",
                )
            ends = actor.until
        secret = f"fw_{secrets.token_urlsafe(32)}"
        made = ApiToken(
            user=owner, name=named(self.name, 80), digest=queries.digest(secret), hint=secret[:7],
            scopes=self.scopes, created_at=at, expires_at=ends, made_by_id=actor.token,
        )  # fmt: skip
        return Plan(subject=owner, create=[made], note={"token": str(made.uid)}, answer=secret)


class RevokeToken(Command, name="accounts.token.revoke"):
    """End a token at once, and with it those that were made with it."""

    token: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = ApiToken.objects.select_related("user").filter(**by_uid(self.token)).first()
        if found is None or not queries.access(actor).sees(found.user.ref()):
            raise NotFound(f"There is no token “{self.token}”.")
        if found.user_id != actor.pk:
            queries.require(actor, "accounts.administer", at=found.user.organisation_id)
        ended, makers = [found], [found.pk]
        while makers:
            made = list(ApiToken.objects.select_related("user").filter(made_by__in=makers).order_by("pk"))
            ended += made
            makers = [token.pk for token in made]
        alive = [token for token in ended if token.revoked_at is None]
        return Plan(subject=found.user, change=[(token, {"revoked_at": at}) for token in alive])


class CreateShareLink(Command, name="accounts.share_link.create"):
    """Make a read-only link; its secret is told once, as the answer."""

    permission: ClassVar[str] = "accounts.share"
    name: str
    what: str
    query: dict[str, str] = {}
    fields: list[str] = []
    people: bool = False
    days: int = 14

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        queries.require(actor, self.permission, at=None)
        if actor.scopes is not None:
            raise Forbidden("A link cannot be made with this token: it has scopes; sign in.")
        maker = queries.user(actor, own_uid(actor))
        if maker.is_service:
            raise Forbidden("A person makes links: they die with what their maker may see.")
        if not 1 <= self.days <= 90:
            raise Invalid.field("days", "A link lives from 1 to 90 days.")
        if not self.fields:
            raise Invalid.field("fields", "Name at least one field to show.")
        if len(self.what) > 130 or len(msgspec.json.encode([self.query, self.fields])) > 4_000:
            raise Invalid.field("query", "This is too long.")
        secret = secrets.token_urlsafe(32)
        made = ShareLink(
            maker=maker, name=named(self.name), digest=queries.digest(secret), what=self.what,
            query=self.query,
            fields=list(dict.fromkeys(self.fields)), people=self.people, created_at=at,
            expires_at=at + timedelta(days=self.days),
        )  # fmt: skip
        return Plan(subject=maker, create=[made], note={"link": str(made.uid)}, answer=secret)


class RevokeShareLink(Command, name="accounts.share_link.revoke"):
    """Take a link back at once."""

    permission: ClassVar[str] = "accounts.share"
    link: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = ShareLink.objects.select_related("maker").filter(**by_uid(self.link)).first()
        if found is None or not queries.access(actor).sees(found.maker.ref()):
            raise NotFound(f"There is no link “{self.link[:60]}”.")
        if found.maker_id == actor.pk:
            queries.require(actor, self.permission, at=None)
        else:
            queries.require(actor, "accounts.administer", at=found.maker.organisation_id)
        return Plan(subject=found.maker, change=[] if found.revoked_at else [(found, {"revoked_at": at})])


class PutRateRule(Command, name="accounts.rate_rule.put"):
    """Say how many calls a person, whoever has a role, or everybody may make in a minute."""

    permission: ClassVar[str] = "accounts.administer"
    per_minute: int
    burst: int
    user: str | None = None
    role: str | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        if self.user and self.role:
            raise Invalid.field("role", "Name a person or a role, not both.")
        user = queries.user(actor, self.user) if self.user else None
        role = queries.role(self.role) if self.role else None
        _require_rate(actor, user)
        for field in ("per_minute", "burst"):
            if not 1 <= getattr(self, field) <= MOST_CALLS:
                raise Invalid.field(field, f"This goes from 1 to {MOST_CALLS:,}.")
        values = {"per_minute": self.per_minute, "burst": self.burst}
        found = RateRule.objects.filter(user=user, role=role).first()
        if found is not None:
            return Plan(subject=user, change=[(found, values)], note={"role": role.slug} if role else {})
        made = RateRule(user=user, role=role, **values)
        return Plan(subject=user, create=[made], note={"role": role.slug} if role else {})


class RemoveRateRule(Command, name="accounts.rate_rule.remove"):
    """Take a limit away; the next wider one holds."""

    permission: ClassVar[str] = "accounts.administer"
    rule: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.rate_rules(actor).filter(**by_uid(self.rule)).first()
        if found is None:
            raise NotFound(f"There is no limit “{self.rule[:60]}”.")
        _require_rate(actor, found.user)
        return Plan(subject=found.user, remove=[found])


def _require_rate(actor: Actor, user: User | None) -> None:
    """Check that the actor may set a limit: of a person whom they administer, else for the whole tree."""
    if user is not None:
        require_whole(actor, user)
    else:
        queries.require(actor, "accounts.administer", at=-1)
