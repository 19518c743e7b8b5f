"""Who stands how to an item."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from fairway.accounts import queries as accounts
from fairway.catalog.models import ConfigurationItem, Stakeholder
from fairway.kernel.actor import Actor
from fairway.kernel.errors import NotFound
from fairway.kernel.refs import HIDDEN, Ref


def person_or_team(actor: Actor, reference: str) -> tuple[Any, Any]:
    """Return the person or else the team of this name; the other one is None.

    :raises NotFound: the actor sees neither.
    """
    try:
        return accounts.user(actor, reference), None
    except NotFound:
        try:
            return None, accounts.team(actor, reference)
        except NotFound:
            raise NotFound(f"There is no person and no team “{reference[:100]}”.") from None


def sees_stakeholder(actor: Actor, row: Stakeholder) -> bool:
    found = row.user or row.team
    return found is not None and accounts.access(actor).sees(found.ref())


def stakeholders(actor: Actor, item: ConfigurationItem) -> dict[str, list[Ref]]:
    """Return people and teams by the part they have; whom the actor may not see is another organisation's."""
    found: dict[str, list[Ref]] = {part: [] for part in Stakeholder.Part.values}
    for row in Stakeholder.objects.filter(item=item).select_related("user", "team").order_by("pk"):
        one = row.user or row.team
        if one is not None:
            found[row.part].append(one.ref() if sees_stakeholder(actor, row) else HIDDEN)
    return found


def pick_stakeholders(actor: Actor, text: str, *, limit: int = 10) -> list[tuple[str, str, str]]:
    """Return people and teams that a text may mean: key, name and what tells them apart."""
    people = accounts.people(actor).filter(is_active=True, is_service=False)
    teams = accounts.teams(actor)
    for word in text.split()[:8]:
        folded = word.casefold()
        people = people.filter(Q(name_folded__contains=folded) | Q(email_folded__contains=folded))
        teams = teams.filter(Q(name_folded__contains=folded) | Q(slug__contains=folded))
    rows = [(slug, name, "") for slug, name in teams.values_list("slug", "name")[:limit]]
    found = people.values_list("number", "name", "email")[:limit]
    return [*rows, *((f"USR-{number}", name, email) for number, name, email in found)]
