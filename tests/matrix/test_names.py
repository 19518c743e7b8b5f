"""Wherever a record may be named its uid will do as well as its key, and in a body a person's address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

import pytest

from fairway.accounts.models import Role
from fairway.catalog.models import ItemKind, RelationKind
from fairway.changes.models import ChangeModel, ChangeTemplate

from .calls import KNOWN, Call, told
from .table import plain, roles_of
from .world import Named, World, undone

SHIPPED: Mapping[str, tuple[Any, ...]] = {
    "role": (Role,),
    "kind": (ItemKind, RelationKind),
    "model": (ChangeModel,),
    "template": (ChangeTemplate,),
}
"""What examples name by plain words, for it belongs to no branch: by the field where it stands."""


@pytest.fixture(scope="module")
def shipped(made: World) -> dict[tuple[str, str], str]:
    """The uids of what is shipped, by field and key."""
    return {
        (field, row.slug): str(row.uid)
        for field, models in SHIPPED.items()
        for model in models
        for row in model.objects.all()
    }


def named(
    value: Any, by: Callable[[Named], str], uids: Mapping[tuple[str, str], str], field: str = ""
) -> Any:
    """Return an example with all that it names under another name."""
    if isinstance(value, Named):
        return by(value)
    if isinstance(value, dict):
        return {name: named(one, by, uids, name) for name, one in value.items()}
    if isinstance(value, list):
        return [named(one, by, uids, field) for one in value]
    return uids.get((field, value), value) if isinstance(value, str) else value


@pytest.mark.sqlite_only  # the filters are the same on both; what they find, other tests try there too
@pytest.mark.parametrize("name", KNOWN)
def test_a_record_is_found_by_each_of_its_names(
    world: World, shipped: dict[tuple[str, str], str], name: str
) -> None:
    call = Call(name, world.north)
    allowed = roles_of(call.entry, call.operation.permission, world)
    who = "administrator" if "administrator" in allowed else min(allowed, default="")
    token = world.north.people[who].token if who and not call.entry.whole else world.root.token
    asked = {**call.entry.filters(world.north), **call.query}
    by_uid, by_email = attrgetter("uid"), lambda one: one.email or one.key
    tried = [(named(call.body, by_uid, shipped), named(asked, by_uid, shipped), "uid")]
    tried += [(named(call.body, by_email, {}), plain(asked), "key")] if call.operation.has_body else []
    for body, query, by in tried:
        call.by = "key" if call.operation.method == "put" else by  # it makes what is not there, by key
        with undone():
            answer = call(token, body=body, query=query)
        assert answer.status_code in call.entry.answers, f"{body} {query}: {told(answer)}"
