"""The events of the catalogue, named for the command that each one records."""

from __future__ import annotations

from enum import StrEnum


class CatalogEvent(StrEnum):
    """The rows that an event holds are those of the item and its relations, each field before and after."""

    ITEM_CREATE = "catalog.item.create"
    ITEM_EDIT = "catalog.item.edit"
    ITEM_PUT = "catalog.item.put"
    ITEM_ARCHIVE = "catalog.item.archive"
    STAKEHOLDERS = "catalog.item.set_stakeholders"
    ITEM_KIND_CREATE = "catalog.item_kind.create"
    ITEM_KIND_EDIT = "catalog.item_kind.edit"
    ITEM_KIND_ARCHIVE = "catalog.item_kind.archive"
    ITEM_KIND_RESTORE = "catalog.item_kind.restore"
    ITEM_KIND_ORDER = "catalog.item_kind.order"
    RELATION_KIND_CREATE = "catalog.relation_kind.create"
    RELATION_KIND_EDIT = "catalog.relation_kind.edit"
    RELATION_KIND_ARCHIVE = "catalog.relation_kind.archive"
    RELATION_KIND_RESTORE = "catalog.relation_kind.restore"
    RELATION_KIND_ORDER = "catalog.relation_kind.order"
    RELATION_CREATE = "catalog.relation.create"
    RELATION_PUT = "catalog.relation.put"
    RELATION_REMOVE = "catalog.relation.remove"
    REDUNDANCY_CREATE = "catalog.redundancy.create"
    REDUNDANCY_EDIT = "catalog.redundancy.edit"
    REDUNDANCY_PUT = "catalog.redundancy.put"
    REDUNDANCY_REMOVE = "catalog.redundancy.remove"
    BASELINE_TAKE = "catalog.baseline.take"
    BASELINE_ARCHIVE = "catalog.baseline.archive"
    BUILD_REGISTER = "catalog.build.register"
    BUILD_EDIT = "catalog.build.edit"
    BUILD_ARCHIVE = "catalog.build.archive"
    BUILD_RESTORE = "catalog.build.restore"
