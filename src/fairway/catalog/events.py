"""The events of the catalogue, named for the command that each one records."""

from __future__ import annotations

from enum import StrEnum


class CatalogEvent(StrEnum):
    """The rows that an event holds are those of the item and its relations, each field before and after."""

    ITEM_CREATE = "catalog.item.create"
    ITEM_EDIT = "catalog.item.edit"
    ITEM_PUT = "catalog.item.put"
    ITEM_ARCHIVE = "catalog.item.archive"
    RELATION_CREATE = "catalog.relation.create"
    RELATION_PUT = "catalog.relation.put"
    RELATION_REMOVE = "catalog.relation.remove"
    REDUNDANCY_CREATE = "catalog.redundancy.create"
    REDUNDANCY_EDIT = "catalog.redundancy.edit"
    REDUNDANCY_PUT = "catalog.redundancy.put"
    REDUNDANCY_REMOVE = "catalog.redundancy.remove"
