"""How items and builds are found by search."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from fairway.catalog.models import Build, ConfigurationItem
from fairway.workspace import queries as workspace
from fairway.workspace.commands import searchable
from fairway.workspace.queries import Kind

_FACE = {"planned": "planned", "live": "active", "retired": "retired"}


def _state(status: str) -> tuple[str, str]:
    return _FACE.get(status, status), str(ConfigurationItem.Status(status).label)


def _body(item: ConfigurationItem) -> Iterable[str]:
    yield item.description
    yield item.external_id
    yield item.alias
    withheld = workspace.withheld("item")
    for name, value in sorted(item.attributes.items()):
        if name not in withheld:
            yield f"{name} {_plain(value)}"


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(_plain, value))
    if isinstance(value, dict):
        return " ".join(f"{name} {_plain(one)}" for name, one in value.items())
    return "" if value is None or isinstance(value, bool) else str(value)


KIND = Kind(
    "item",
    "catalog.view",
    lambda key: f"/items/{key}",
    lambda: _("Items"),
    lambda: _("Item"),
    state=_state,
    many="/items",
    order=20,
)
searchable("catalog.ConfigurationItem", KIND, body=_body, state=lambda item: item.status)


_BUILD_FACE = {"registered": "submitted", "accepted": "active"}
BUILD_KIND = Kind(
    "build",
    "catalog.view",
    lambda key: f"/builds/{key}",
    lambda: _("Builds"),
    lambda: _("Build"),
    state=lambda status: (_BUILD_FACE.get(status, status), str(Build.Status(status).label)),
    many="/builds",
    order=60,
)
searchable(
    "catalog.Build",
    BUILD_KIND,
    body=lambda build: (build.tag, build.branch, build.commit, build.reason),
    state=lambda build: build.status,
)
