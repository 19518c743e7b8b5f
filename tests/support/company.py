"""A small company for tests: two branches that know nothing of each other, and people in them."""

from __future__ import annotations

from dataclasses import dataclass

from fairway.accounts import commands, queries
from fairway.accounts.models import User
from fairway.audit.commands import execute
from fairway.kernel.actor import SYSTEM, Actor


@dataclass(frozen=True)
class Company:
    """`boss` administers the whole tree, `rita` the branch retail, `carl` its twin cards; `vera` views
    retail.
    """

    boss: Actor
    rita: Actor
    carl: Actor
    vera: Actor


def person(name: str, organisation: str, role: str = "", *, at: str = "") -> Actor:
    """Add a person with a role on an organisation (their own unless told) and return who they act as."""
    email = f"{name}@example.org"
    execute(commands.CreateUser(email=email, name=name.title(), organisation=organisation), actor=SYSTEM)
    if role:
        execute(commands.GrantRole(role=role, organisation=at or organisation, user=email), actor=SYSTEM)
    return actor(name)


def actor(name: str) -> Actor:
    """Return the actor anew, with the present revisions."""
    return queries.person(User.objects.get(email=f"{name}@example.org"))


def found() -> Company:
    """Found the company: group above retail and cards, shops below retail."""
    for slug, parent in (("group", None), ("retail", "group"), ("cards", "group"), ("shops", "retail")):
        execute(commands.CreateOrganisation(slug=slug, name=slug.title(), parent=parent), actor=SYSTEM)
    return Company(
        boss=person("boss", "group", "administrator"),
        rita=person("rita", "retail", "administrator"),
        carl=person("carl", "cards", "administrator"),
        vera=person("vera", "retail", "viewer"),
    )
