"""Edits of an item that wait for their authority: what they would alter, and writing them under it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from fairway.audit.commands import Plan, convert
from fairway.catalog import queries
from fairway.catalog.commands.items import EditItem, edit_under
from fairway.catalog.commands.relations import relate_under
from fairway.catalog.models import ConfigurationItem, Relation
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid
from fairway.kernel.refs import Ref

EDITED = ("vendor", "kind", "status", "criticality", "shared", "organisation", "attributes")


class RelationEnd(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The other end of a relation of which the item is the source."""

    kind: str
    target: str


class ItemPatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is to change of an item's configuration, in the words of its own PATCH; what is left out stays.

    `attributes` are merged, null takes one away. `archived`: to be put away, or brought back. `relate` and
    `unrelate`: relations of which it is the source, to be made and to be removed.
    """

    kind: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    criticality: int | UnsetType = UNSET
    shared: bool | UnsetType = UNSET
    organisation: str | UnsetType = UNSET
    vendor: str | UnsetType | None = UNSET
    attributes: dict[str, Any] | UnsetType = UNSET
    archived: bool | UnsetType = UNSET
    relate: tuple[RelationEnd, ...] | UnsetType = UNSET
    unrelate: tuple[RelationEnd, ...] | UnsetType = UNSET


def patch_of(words: Mapping[str, Any]) -> ItemPatch:
    """Read a patch as it is kept."""
    return convert(words, ItemPatch)


def recorded(item: ConfigurationItem, patch: ItemPatch) -> dict[str, Any]:
    """Return what stands now where the patch would write, in its own words; at most one statement."""
    found: dict[str, Any] = {}
    if patch.kind is not UNSET:
        found["kind"] = item.item_kind.slug
    for name in ("status", "criticality", "shared"):
        if getattr(patch, name) is not UNSET:
            found[name] = getattr(item, name)
    if patch.organisation is not UNSET:
        found["organisation"] = item.organisation.slug
    if patch.vendor is not UNSET:
        found["vendor"] = item.vendor.slug if item.vendor is not None else None
    if patch.attributes is not UNSET:
        found["attributes"] = {name: item.attributes.get(name) for name in patch.attributes}
    if patch.archived is not UNSET:
        found["archived"] = item.archived_at is not None
    if patch.relate is not UNSET or patch.unrelate is not UNSET:
        there = set(
            Relation.objects.filter(source=item, archived_at=None).values_list(
                "relation_kind__slug", "target__slug"
            )
        )
        for name in ("relate", "unrelate"):
            ends: Any = getattr(patch, name)
            if ends is not UNSET:
                found[name] = [
                    {"kind": end.kind, "target": end.target}
                    for end in ends
                    if (end.kind, end.target) in there
                ]
    return found


def patched(
    authority: Ref, item: ConfigurationItem, patch: ItemPatch, *, actor: Actor, at: datetime, permission: str
) -> Plan:
    """Plan what the patch writes, as an implementing change has authorised.

    :raises Invalid: a value has no sense, by field. :raises Forbidden: the actor may not do that there.
    """
    joins = patch.relate is not UNSET or patch.unrelate is not UNSET
    if joins and patch.organisation is not UNSET:
        raise Invalid.field("organisation", "Move the item and alter its relations one after the other.")
    given = {name: value for name in EDITED if (value := getattr(patch, name)) is not UNSET}
    archived = None if patch.archived is UNSET else patch.archived
    edit = EditItem(item=str(item.uid), **given)
    plan = edit_under(authority, edit, actor=actor, at=at, permission=permission, archived=archived)
    create, remove = list(plan.create), list(plan.remove)
    for ends, joined in ((patch.relate, True), (patch.unrelate, False)):
        for end in () if ends is UNSET else ends:
            more = relate_under(
                authority,
                source=str(item.uid),
                target=end.target,
                kind=end.kind,
                joined=joined,
                actor=actor,
                permission=permission,
            )
            create += more.create
            remove += more.remove
    return replace(plan, create=create, remove=remove)


def normalised(item: ConfigurationItem, patch: ItemPatch, *, actor: Actor) -> ItemPatch:
    """Return the patch with its references by key, and without what stands already.

    :raises Invalid: a reference is wrong, by field.
    """
    words: dict[str, Any] = msgspec.to_builtins(patch)
    if patch.kind is not UNSET:
        words["kind"] = queries.item_kind(patch.kind).slug
    if patch.vendor is not UNSET and patch.vendor:
        words["vendor"] = queries.items(actor, [patch.vendor], field="vendor")[0].slug
    for name in ("relate", "unrelate"):
        ends: Any = getattr(patch, name)
        if ends is not UNSET:
            targets = queries.items(actor, [end.target for end in ends], field=name)
            known = {key: one.slug for one in targets for key in (one.slug, str(one.uid))}
            words[name] = [
                {
                    "kind": queries.relation_kind(end.kind, field=name).slug,
                    "target": known[end.target.lower()],
                }
                for end in ends
            ]
    present = recorded(item, patch_of(words))
    kept: dict[str, Any] = {}
    for name, value in words.items():
        if name == "attributes":
            value = {key: one for key, one in value.items() if present[name].get(key) != one}
        elif name == "relate":
            value = [end for end in value if end not in present[name]]
        elif name == "unrelate":
            value = [end for end in value if end in present[name]]
        elif value == present[name]:
            continue
        if value not in ({}, []):
            kept[name] = value
    return patch_of(kept)
