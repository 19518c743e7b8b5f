"""Every page with an example of how it is used, and who may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .table import MARKED, Body, nothing
from .world import Branch, Named


@dataclass(frozen=True)
class Page:
    """How one page is used.

    `at`: the record that the path's `key` names, or all its parameters by name. `reads`, `writes`: the
    permission that opening and submitting it takes; empty: of whoever is signed in; None: it cannot be.
    `readers`, `writers`: the roles, where they do not follow from that. `form`: what is submitted, valid.
    `open`: needs no sign-in. `common`: what it tells belongs to no branch.
    """

    at: str | Mapping[str, str] = ""
    query: Body = nothing
    reads: str | None = ""
    writes: str | None = None
    form: Body = nothing
    readers: frozenset[str] | None = None
    writers: frozenset[str] | None = None
    open: bool = False
    common: bool = False

    def path(self, branch: Branch) -> dict[str, Named]:
        at = {"key": self.at} if isinstance(self.at, str) else self.at
        return {name: branch.records[record] for name, record in at.items() if record}


def item(branch: Branch) -> dict[str, Any]:
    return {
        "name": MARKED,
        "kind": "system",
        "organisation": branch.organisation,
        "criticality": "3",
        "status": "live",
        "shared": "false",
        "owner_team": branch.team,
        "version": "",
        "attributes": "",
    }


def environment(branch: Branch) -> dict[str, Any]:
    return {
        "name": MARKED,
        "tier": "staging",
        "control": "coordinated",
        "status": "available",
        "organisation": branch.organisation,
        "zone": "UTC",
        "position": "1",
    }


def anything(branch: Branch) -> dict[str, Any]:
    return {"q": "secret"}


PAGES: dict[str, Page] = {
    "": Page(),
    "search": Page(query=anything),
    # items
    "items": Page(reads="catalog.view"),
    "items/new": Page(reads="catalog.edit", writes="catalog.edit", form=lambda b: {"key": MARKED, **item(b)}),
    "items/pick": Page(reads="catalog.view", query=anything),
    "items/<str:key>": Page(at="item", reads="catalog.view"),
    "items/<str:key>/edit": Page(at="item", reads="catalog.edit", writes="catalog.edit", form=item),
    "items/<str:key>/archive": Page(at="spare", reads=None, writes="catalog.edit"),
    "items/<str:key>/restore": Page(at="old", reads=None, writes="catalog.edit"),
    "items/<str:key>/relate": Page(
        at="item",
        reads="catalog.edit",
        writes="catalog.edit",
        form=lambda b: {"how": "out connects-to", "other": b.network},
    ),
    "items/<str:key>/relations/<str:uid>/remove": Page(
        at={"key": "item", "uid": "relation"}, reads=None, writes="catalog.edit"
    ),
    "items/<str:key>/impact": Page(at="item", reads="catalog.view"),
    # environments
    "environments": Page(reads="environments.view"),
    "environments/new": Page(
        reads="environments.edit",
        writes="environments.edit",
        form=lambda b: {"key": MARKED, **environment(b)},
    ),
    "environments/pick": Page(reads="environments.view", query=anything),
    "environments/panel": Page(reads="environments.view", query=lambda b: {"item": b.item}),
    "environments/<str:key>": Page(at="production", reads="environments.view"),
    "environments/<str:key>/edit": Page(
        at="production", reads="environments.edit", writes="environments.edit", form=environment
    ),
    "environments/<str:key>/archive": Page(at="integration", reads=None, writes="environments.edit"),
    "environments/<str:key>/restore": Page(at="integration", reads=None, writes="environments.edit"),
    "environments/<str:key>/instances/new": Page(
        at="production",
        reads="environments.edit",
        writes="environments.edit",
        form=lambda b: {"item": b.spare},
    ),
    "environments/<str:key>/instances/<str:uid>/remove": Page(
        at={"key": "production", "uid": "instance"}, reads=None, writes="environments.edit"
    ),
    "administration/imports": Page(
        reads="catalog.import",
        readers=frozenset({"environment-manager", "change-manager", "administrator"}),
        writes="catalog.import",
        writers=frozenset({"environment-manager", "change-manager", "administrator"}),
        form=lambda b: {
            "kind": "items",
            "content": "a2V5LG5hbWUsa2luZApmcmVzaCxmcmVzaCxzeXN0ZW0K",
            "name": "fresh.csv",
            "mapping": "",
            "encoding": "",
            "import": "1",
        },
    ),
}
