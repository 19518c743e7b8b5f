"""Loading the demo company: every record by the command that people use, at the instant it would have been."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta

from django.db import transaction

from fairway.accounts import commands as accounts
from fairway.accounts import queries
from fairway.audit.commands import Command, execute_many
from fairway.catalog import commands as catalog
from fairway.demo.story import company, landscape
from fairway.environments import commands as environments
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Problem

PERSON = company.DEMO.email
"""Who sees everything and may do most: the person to sign in as."""

SEED = 2026


def load(*, password: str, now: datetime | None = None, seed: int = SEED) -> None:
    """Write the demo company into an empty database, in one transaction: all of it or nothing.

    What it holds follows from the seed and the day; `now` (the clock, when not given) parts past and future.
    `password` is that of everybody who signs in, see `company.Person.signs_in`.
    :raises Problem: a command refused what the story says; the story and the product disagree.
    """
    now = now or datetime.now(UTC)
    founded = datetime.combine(now.date() - timedelta(days=400), time(9), UTC)
    with transaction.atomic():
        _found(password, founded)
        _set_up(founded + timedelta(days=1))


def _found(password: str, at: datetime) -> None:
    """Make organisations, people, teams and grants."""
    units = {unit.slug: unit for unit in company.UNITS}
    _run(
        (
            accounts.CreateOrganisation(slug=unit.slug, name=unit.name, parent=unit.parent)
            for unit in units.values()
        ),
        SYSTEM,
        at,
    )
    _run(
        (
            accounts.CreateUser(
                email=person.email, name=person.name, organisation=person.unit, zone=person.zone
            )
            for person in company.PEOPLE
        ),
        SYSTEM,
        at + timedelta(minutes=10),
    )
    _run(_teams(), SYSTEM, at + timedelta(minutes=20))
    _run(_grants(), SYSTEM, at + timedelta(minutes=30))
    signing_in = [person.email for person in company.PEOPLE if person.signs_in]
    _run(
        (accounts.SetPassword(user=email, password=password) for email in signing_in),
        SYSTEM,
        at + timedelta(minutes=40),
    )


def _teams() -> Iterable[Command]:
    for unit in company.UNITS:
        if unit.team:
            yield accounts.CreateTeam(
                slug=company.team_of(unit.slug),
                name=unit.team,
                organisation=unit.slug,
                members=list(company.engineers(unit.slug)),
            )
    everyone = [person.email for person in company.PEOPLE]
    yield accounts.CreateTeam(
        slug=company.STAFF, name="Everyone", organisation=company.ENVIRONMENTS, members=everyone
    )


def _grants() -> Iterable[Command]:
    for person in company.PEOPLE:
        for role, where in person.grants:
            yield accounts.GrantRole(role=role, organisation=where, user=person.email)
    for unit in company.UNITS:
        if unit.team:
            team = company.team_of(unit.slug)
            yield accounts.GrantRole(role="implementer", organisation=unit.slug, team=team)
    yield accounts.GrantRole(role="viewer", organisation=company.ENVIRONMENTS, team=company.STAFF)


def _set_up(at: datetime) -> None:
    """Make items, relations, environments and what stands in them."""
    keeper = _person("margaret.okafor@fairway.example")
    _run(
        (
            catalog.CreateItem(
                key=item.key,
                name=item.name,
                kind=item.kind,
                organisation=item.unit,
                criticality=item.criticality,
                shared=item.shared,
                description=item.description,
                owner_team=company.team_of(item.unit),
                attributes=dict(item.attributes),
            )
            for item in landscape.items()
        ),
        keeper,
        at,
    )
    _run(
        (
            catalog.CreateRelation(source=source, target=target, kind=kind)
            for source, target, kind in landscape.relations()
        ),
        keeper,
        at + timedelta(hours=2),
    )
    manager = _person("weiling.tan@fairway.example")
    _run(
        (
            environments.CreateEnvironment(
                key=place.key,
                name=place.name,
                tier=place.tier,
                control=place.control,
                organisation=company.ENVIRONMENTS,
                zone=place.zone,
                shared=place.shared,
                description=place.description,
                position=position,
            )
            for position, place in enumerate(landscape.PLACES)
        ),
        manager,
        at + timedelta(days=1),
    )
    _run(
        (
            environments.CreateInstance(item=item, environment=place)
            for item, place in landscape.instances()
        ),
        manager,
        at + timedelta(days=1, hours=1),
    )


def _person(email: str) -> Actor:
    return queries.person(queries.user(SYSTEM, email))


def _run(commands: Iterable[Command], actor: Actor, at: datetime) -> None:
    for answer in execute_many(commands, actor=actor, at=at):
        if isinstance(answer, Problem):
            raise answer
