"""What can be done to people and service accounts."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from fairway.accounts import queries
from fairway.accounts.commands.shared import (
    Patch,
    keep_administered,
    named,
    require_match,
    require_whole,
    why_not,
    zone,
)
from fairway.accounts.models import User
from fairway.audit.commands import Command, Plan, expect
from fairway.kernel import text
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from fairway.kernel.period import parse_instant


class CreateUser(Command, name="accounts.user.create"):
    """Add a person (who gets a link to choose a password) or a service account (which acts by token only)."""

    permission: ClassVar[str] = "accounts.invite"
    email: str
    name: str
    organisation: str
    zone: str = "UTC"
    is_service: bool = False

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        organisation = queries.organisation(actor, self.organisation)
        queries.require(actor, self.permission, at=organisation.pk)
        try:
            validate_email(self.email)
            if not self.email.isprintable():
                raise ValidationError("it holds marks that nobody sees")
        except ValidationError as cause:
            shown = "".join(mark if mark.isprintable() else "�" for mark in self.email)
            raise Invalid.field("email", f"“{shown[:80]}” is not an e-mail address.") from cause
        if User.objects.filter(email_folded=self.email.casefold()).exists():
            raise Conflict(f"{self.email} has an account already.", code="accounts.user.exists")
        made = User(
            email=self.email, name=named(self.name, 120), organisation=organisation, zone=zone(self.zone),
            is_service=self.is_service,
        )  # fmt: skip
        made.set_unusable_password()
        return Plan(subject=made, create=[made])


class EditUser(Command, name="accounts.user.edit"):
    """Change a person's name, zone or organisation; people may edit name and zone of their own.

    `valid_until`: from then on neither sign-in nor tokens work. `can_sign_in`: whether they may use pages.
    """

    permission: ClassVar[str] = "accounts.administer"
    user: str
    version: int | None = None
    name: str | Patch = msgspec.UNSET
    zone: str | Patch = msgspec.UNSET
    organisation: str | Patch = msgspec.UNSET
    valid_until: str | Patch | None = msgspec.UNSET
    can_sign_in: bool | Patch = msgspec.UNSET

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.user(actor, self.user)
        access = (self.organisation, self.valid_until, self.can_sign_in)
        if any(given is not msgspec.UNSET for given in access):
            require_whole(actor, found)
        elif found.pk != actor.pk or actor.scopes is not None:
            queries.require(actor, self.permission, at=found.organisation_id)
        expect(found, self.version)
        values: dict[str, object] = {}
        if self.name is not msgspec.UNSET:
            values["name"] = named(self.name, 120)
        if self.zone is not msgspec.UNSET:
            values["zone"] = zone(self.zone)
        if self.organisation is not msgspec.UNSET:
            target = queries.organisation(actor, self.organisation)
            queries.require(actor, self.permission, at=target.pk)
            values["organisation"] = target
        if (self.valid_until is not msgspec.UNSET or self.can_sign_in is False) and found.pk == actor.pk:
            raise Forbidden("You cannot lock yourself out; ask another administrator.")
        if self.valid_until is not msgspec.UNSET:
            until = self.valid_until
            values["valid_until"] = parse_instant(until, field="valid_until") if until else None
        if self.can_sign_in is not msgspec.UNSET:
            values["can_sign_in"] = self.can_sign_in
        if values.get("valid_until") or values.get("can_sign_in") is False:
            keep_administered(lock, at, user=found.pk)
        return Plan(subject=found, change=[(found, values)])


class SetUserActive(Command, name="accounts.user.activate"):
    """Deactivate a person who leaves (tokens and sign-in end at once), or take them back."""

    permission: ClassVar[str] = "accounts.administer"
    user: str
    active: bool
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.user(actor, self.user)
        require_whole(actor, found)
        expect(found, self.version)
        if found.pk == actor.pk:
            raise Forbidden("You cannot deactivate yourself; ask another administrator.")
        if not self.active:
            keep_administered(lock, at, user=found.pk)
        return Plan(subject=found, change=[(found, {"is_active": self.active})])


class CreateServiceAccount(Command, name="accounts.service_account.create"):
    """Add an account for a program: it acts by token alone and cannot sign in, vote or delegate."""

    permission: ClassVar[str] = "accounts.invite"
    slug: str
    name: str
    organisation: str
    zone: str = "UTC"
    valid_until: str | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        address = queries.service_address(text.slug(self.slug, field="slug"))
        made = CreateUser(
            email=address, name=self.name, organisation=self.organisation, zone=self.zone, is_service=True
        ).plan(actor=actor, at=at, lock=lock)
        if self.valid_until and isinstance(made.subject, User):
            made.subject.valid_until = parse_instant(self.valid_until, field="valid_until")
        return made


class InviteUser(Command, name="accounts.user.invite"):
    """Make a link for somebody to choose a password, at first or anew; it stands in the log that it was
    made.
    """

    permission: ClassVar[str] = "accounts.administer"
    user: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = queries.user(actor, self.user)
        require_whole(actor, found)
        require_match(actor, found)
        if not found.may_sign_in(at):
            raise Conflict(f"{found.name} cannot sign in: {why_not(found)}.", code="accounts.user.no-sign-in")
        return Plan(subject=found, note={"invited": str(found.uid)}, answer=queries.invitation(found))


class SetPassword(Command, name="accounts.user.set_password"):
    """Choose one's own password. Neither it nor its hash ever enters the log.

    It is hashed when the command is made: that takes long, and a plan may hold the writer's lock.
    """

    user: str
    password: str
    hashed: str = ""

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "hashed", make_password(self.password))

    def __repr__(self) -> str:
        return f"SetPassword(user={self.user!r})"

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = User.objects.filter(
            **(User.lookup(self.user) or {"email_folded": self.user.casefold()})
        ).first()
        if found is None or (found.pk != actor.pk and not actor.is_system):
            raise NotFound(f"There is nobody called “{self.user}”.")
        if found.is_service:
            raise Invalid.field("password", "A service account has no password; it acts by token.")
        try:
            validate_password(self.password, found)
        except ValidationError as cause:
            raise Invalid.field("password", " ".join(cause.messages)) from cause
        return Plan(subject=found, change=[(found, {"password": self.hashed})], note={"password": "set"})
