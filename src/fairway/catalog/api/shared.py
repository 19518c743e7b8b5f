"""What the endpoints of the catalogue have in common."""

from __future__ import annotations

from typing import Any

import msgspec

from fairway.accounts.web import RefView


class KeyPath(msgspec.Struct):
    key: str


def ref_of(kind: str, row: dict[str, Any], prefix: str) -> RefView:
    return RefView(
        kind=kind, key=row[f"{prefix}__slug"], name=row[f"{prefix}__name"], uid=str(row[f"{prefix}__uid"])
    )
