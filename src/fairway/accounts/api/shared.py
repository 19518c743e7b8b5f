"""What the endpoints of people share."""

from __future__ import annotations

from typing import Any

import msgspec

from fairway.accounts.models import User
from fairway.accounts.web import RefView
from fairway.kernel.errors import Conflict


class NewToken(msgspec.Struct, kw_only=True):
    """`token` is told this once and stored nowhere."""

    token: str


class KeyPath(msgspec.Struct):
    key: str


def named(kind: str, key: str, name: str, uid: object) -> RefView:
    return RefView(kind=kind, key=key, name=name, uid=str(uid))


def person_ref(row: dict[str, Any], column: str) -> RefView:
    key = f"{User.prefix}-{row[f'{column}__number']}"
    return named("user", key, row[f"{column}__name"], row[f"{column}__uid"])


def told_once(told: Any) -> str:
    """Return a secret that a command just made.

    :raises Conflict: it was told when the request came first; it is stored nowhere.
    """
    if not isinstance(told, str):
        raise Conflict(
            "This was done when you asked first, and the secret told then. Revoke it and make another.",
            code="told-once",
        )
    return told
