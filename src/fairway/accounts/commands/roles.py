"""What can be done to roles: one administrator of the whole tree proposes it, another confirms it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal

import msgspec

from fairway.accounts import queries
from fairway.accounts.commands.shared import keep_administered, not_more
from fairway.accounts.models import Grant, RateRule, Role, RoleProposal, User
from fairway.accounts.rules import PERMISSIONS
from fairway.audit.commands import Command, Plan, expect
from fairway.kernel import text
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid

State, Action = RoleProposal.State, RoleProposal.Action
MOST_ROLES = 200
TOLD = ("name", "description", "permissions")
"""What a role tells of itself."""
RESERVED = ("proposals",)
"""What stands in addresses of pages where keys of roles do, beside what does everywhere."""


class ProposeRole(Command, name="accounts.role.propose"):
    """Propose a new role, other permissions or words of one, or its removal. It is done when confirmed.

    `role`: its key. What is left out of an edit stays. `version`: the one that was read.
    """

    permission: ClassVar[str] = "accounts.administer"
    action: Literal["create", "edit", "remove"]
    role: str
    name: str | msgspec.UnsetType = msgspec.UNSET
    description: str | msgspec.UnsetType = msgspec.UNSET
    permissions: list[str] | msgspec.UnsetType = msgspec.UNSET
    reason: str = ""
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        proposer = _administrator(actor)
        found = None if self.action == "create" else _own(self.role, lock)
        if found is not None:
            expect(found, self.version)
        if self.action == "remove":
            for field in TOLD:
                if getattr(self, field) is not msgspec.UNSET:
                    raise Invalid.field(field, "A role that is removed keeps what it has; leave this out.")
        made = RoleProposal(
            action=self.action, role=found, read=found.version if found else None, proposer=proposer,
            slug=found.slug if found is not None else _free(self.role),
            reason=text.prose(self.reason, field="reason", longest=2000), **self._wanted(found),
        )  # fmt: skip
        if RoleProposal.objects.filter(slug=made.slug, state=State.OPEN).exists():
            raise Conflict(
                f"Something is proposed for “{made.slug}” already; it is to be decided or withdrawn first.",
                code="accounts.role_proposal.open",
            )
        if found is not None and self.action == "edit" and _same(found, made):
            raise Invalid("The role is so already; nothing would change.")
        _possible(made, found, actor, lock, at)
        return Plan(subject=made, create=[made])

    def _wanted(self, found: Role | None) -> dict[str, Any]:
        present = {name: getattr(found, name) for name in TOLD if found}
        given = {name: getattr(self, name) for name in TOLD}
        wanted = {"description": "", **present}
        wanted |= {name: value for name, value in given.items() if value is not msgspec.UNSET}
        for name in ("name", "permissions"):
            if name not in wanted:
                raise Invalid.field(name, "This is needed.")
        return {
            "name": text.line(wanted["name"], field="name", longest=80),
            "description": text.line(wanted["description"], field="description", longest=300, needed=False),
            "permissions": _permissions(wanted["permissions"]),
        }


class ConfirmRole(Command, name="accounts.role.confirm"):
    """Do what somebody else proposed. Neither they nor whoever stands in for them may."""

    permission: ClassVar[str] = "accounts.administer"
    proposal: str
    comment: str = ""

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        if lock:
            actor = queries.renewed(actor)  # as of now: they may have lost the right while they read
        found = _open(actor, self.proposal, lock)
        decider = _administrator(actor)
        if found.proposer_id == decider.pk:
            raise Forbidden("You proposed this; another administrator confirms it.")
        if decider.pk in queries.delegates([found.proposer_id], at=at):
            raise Forbidden(
                f"You stand in for {found.proposer.name}, who proposed this; another administrator"
                " confirms it."
            )
        _still_may(found, at)
        role = found.role
        if role is not None:
            role = queries.role(str(role.uid), lock=lock)
            if role.version != found.read:
                raise Conflict(
                    f"{role.name} was changed since this was proposed; propose it again.",
                    code="accounts.role_proposal.outdated",
                )
        elif Role.objects.filter(slug=found.slug).exists():
            _free(found.slug)
        _possible(found, role, actor, lock, at)
        decided = _decided(State.CONFIRMED, decider, self.comment, at)
        if role is None:
            last = Role.objects.order_by("-position").first()
            role = Role(
                slug=found.slug, name=found.name, description=found.description,
                permissions=found.permissions, position=min(last.position + 1, 30_000) if last else 0,
            )  # fmt: skip
            return Plan(subject=role, create=[role], change=[(found, {**decided, "role": role})])
        values = (
            {"archived_at": at}
            if found.action == Action.REMOVE
            else {name: getattr(found, name) for name in TOLD}
        )
        return Plan(subject=role, change=[(role, values), (found, decided)])


class RefuseRole(Command, name="accounts.role.refuse"):
    """Refuse what somebody else proposed."""

    permission: ClassVar[str] = "accounts.administer"
    proposal: str
    comment: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = _open(actor, self.proposal, lock)
        decider = _administrator(actor)
        if found.proposer_id == decider.pk:
            raise Forbidden("You proposed this; withdraw it instead.")
        if not self.comment.strip():
            raise Invalid.field("comment", "Say why, for whoever proposed it.")
        return Plan(subject=found, change=[(found, _decided(State.REFUSED, decider, self.comment, at))])


class WithdrawRole(Command, name="accounts.role.withdraw"):
    """Take back what one proposed oneself."""

    permission: ClassVar[str] = "accounts.administer"
    proposal: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = _open(actor, self.proposal, lock)
        who = _administrator(actor)
        if found.proposer_id != who.pk:
            raise Forbidden(f"{found.proposer.name} proposed this; refuse it instead.")
        return Plan(subject=found, change=[(found, _decided(State.WITHDRAWN, who, "", at))])


def _administrator(actor: Actor) -> User:
    """Return the person who acts.

    :raises Forbidden: they do not administer the whole tree, or are no person: two programs of one person
        would be no two people.
    """
    queries.require(actor, "accounts.administer", at=-1)
    if actor.kind != "person":
        raise Forbidden("People propose and confirm what is done to roles; sign in as one.")
    return queries.myself(actor)


def _own(reference: str, lock: bool) -> Role:
    found = queries.role(reference, lock=lock)
    if found.built_in:
        raise Conflict(
            f"{found.name} comes with Fairway and stays as it is; make a role of your own from it.",
            code="accounts.role.built-in",
        )
    return found


def _open(actor: Actor, reference: str, lock: bool) -> RoleProposal:
    queries.require(actor, "accounts.administer", at=None)
    found = queries.role_proposal(actor, reference, lock=lock)
    if found.state != State.OPEN:
        who = found.decider.name if found.decider is not None else "somebody"
        raise Conflict(f"This was {found.state} by {who} already.", code="accounts.role_proposal.decided")
    return found


def _decided(state: RoleProposal.State, decider: User, comment: str, at: datetime) -> dict[str, Any]:
    comment = text.prose(comment, field="comment", longest=2000)
    return {"state": state, "decider": decider, "decided_at": at, "comment": comment}


def _free(slug: str) -> str:
    text.slug(slug, field="role")
    if slug in RESERVED:
        raise Invalid.field("role", f"“{slug}” is a word of addresses here; take another key.")
    if len(slug) > 60:
        raise Invalid.field("role", f"The key has {len(slug)} characters; 60 are the most.")
    if Role.objects.filter(slug=slug).exists():
        raise Conflict(f"The key “{slug}” is taken, by a role in use or a removed one.", code="slug-taken")
    return slug


def _permissions(wanted: list[str]) -> list[str]:
    unknown = sorted(set(wanted) - PERMISSIONS.keys())
    if unknown:
        raise Invalid.field(
            "permissions", f"“{unknown[0][:60]}” is not a permission; there are {', '.join(PERMISSIONS)}."
        )
    if not wanted:
        raise Invalid.field("permissions", "Name at least one permission.")
    return sorted(set(wanted))


def _same(role: Role, wanted: RoleProposal) -> bool:
    return all(getattr(role, name) == getattr(wanted, name) for name in TOLD)


def _still_may(found: RoleProposal, at: datetime) -> None:
    """Check that the proposer could propose it now: else one person alone would decide.

    :raises Conflict: they could not.
    """
    proposer = queries.person(found.proposer)
    gone = not found.proposer.valid_at(at) or not queries.whole(proposer)
    if gone or queries.exceeding(proposer, queries.gained(found), -1):
        raise Conflict(
            f"{found.proposer.name} may not propose this any more; propose it anew.",
            code="accounts.role_proposal.outdated",
        )


def _possible(found: RoleProposal, role: Role | None, actor: Actor, lock: bool, at: datetime) -> None:
    """Check what holds both when it is proposed and when it is confirmed.

    :raises Forbidden: it gives what the actor does not hold on the whole tree. :raises Conflict: the role is
        in use that would be removed, there are too many, or the last administrator would be gone.
    """
    if role is None:
        if Role.objects.count() >= MOST_ROLES:
            raise Conflict(f"There are {MOST_ROLES} roles, which is the most.", code="accounts.role.too-many")
    elif found.action == Action.REMOVE:
        users = Grant.objects.filter(role=role).count()
        if users:
            raise Conflict(
                f"{role.name} is granted {users} times; take it back there first.",
                code="accounts.role.in-use",
            )
        if RateRule.objects.filter(role=role).exists():
            raise Conflict(f"A rate limit names {role.name}; remove it first.", code="accounts.role.in-use")
    elif "accounts.administer" in set(role.permissions) - set(found.permissions):
        keep_administered(lock, at, role=role.pk)
    before = set(role.permissions) if role is not None else set()
    if found.action != Action.REMOVE:
        missing = queries.exceeding(actor, set(found.permissions) - before, -1)
        not_more(missing, f"{found.name} would come with")
