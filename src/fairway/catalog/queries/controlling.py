"""Which items are under change control: what describes their configuration changes only through a change."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

from django.db.models import Model

from fairway.accounts import queries as accounts
from fairway.catalog.models import ConfigurationItem
from fairway.kernel import ahead
from fairway.kernel.actor import Actor
from fairway.kernel.refs import Ref
from fairway.policy import ALLOW, Decision, Finding, Severity, decide

CONTROLLED: Final = "catalog.controlled"
RECORD_KEEPING: Final = frozenset(
    {
        *("name", "name_folded", "alias", "description", "external_id", "service_hours"),
        *("owner_team", "owner_team_id", "stakeholder_edits", "version"),
    }
)
"""Columns that say who answers for an item and what it is called; all others describe the item itself."""


def controlled(pks: Collection[int]) -> dict[int, list[Ref]]:
    """Return which of these items stand in a live environment under change control, and in which ones.

    One statement. Environments stand above; what stands where is their table, reached by its name alone.
    """
    standing: dict[str, Any] = {
        "pk__in": pks,
        "instances__archived_at": None,
        "instances__environment__archived_at": None,
        "instances__environment__control": "controlled",
        "instances__environment__status__in": ("available", "restricted"),
    }
    columns = [f"instances__environment__{name}" for name in ("slug", "name", "uid", "pk", "organisation_id")]
    found: dict[int, list[Ref]] = {}
    rows = ConfigurationItem.objects.filter(**standing).order_by(columns[0]).values_list("pk", *columns)
    for pk, slug, name, uid, place, organisation in rows:
        found.setdefault(pk, []).append(Ref("environment", slug, name, str(uid), place, organisation))
    return found


def read_controlled(pks: Iterable[int]) -> None:
    """Read which of the items that many commands alter are under change control."""
    wanted = set(pks)
    found = controlled(wanted)
    ahead.learn(CONTROLLED, {pk: found.get(pk, []) for pk in wanted})


def control(actor: Actor, item: ConfigurationItem) -> Decision:
    """Decide whether the item's configuration may be edited without a change; names what the actor sees."""
    places: list[Ref] = ahead.recall(CONTROLLED, item.pk, lambda: controlled([item.pk]).get(item.pk, []))
    if not places:
        return ALLOW
    sees = accounts.access(actor).sees
    seen = tuple(place for place in places if sees(place))
    finding = Finding(
        CONTROLLED,
        Severity.BLOCK,
        (item.ref(),),
        params={"names": [place.name for place in seen]} if seen else {},
        named=seen,
        repairs=({"action": "propose", "href": f"/changes/new?items={item.slug}"},),
    )
    return decide([finding])


def configured(item: ConfigurationItem, values: dict[str, Any]) -> set[str]:
    """Return which of the values would alter the item's configuration."""
    return {
        name
        for name, value in values.items()
        if name not in RECORD_KEEPING
        and (
            value.pk != getattr(item, f"{name}_id")
            if isinstance(value, Model)
            else value != getattr(item, name)
        )
    }
