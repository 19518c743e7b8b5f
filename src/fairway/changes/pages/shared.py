"""What the pages of changes have in common."""

from __future__ import annotations

from datetime import UTC, datetime

from django.http import HttpRequest

from fairway.accounts import queries as accounts
from fairway.accounts.web import caller
from fairway.kernel.actor import Actor


def reader(request: HttpRequest) -> Actor:
    """Return who reads.

    :raises Forbidden: they may not see changes anywhere.
    """
    actor = caller(request)
    accounts.require(actor, "changes.view", at=None)
    return actor


def now() -> datetime:
    return datetime.now(UTC)
