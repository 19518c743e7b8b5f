"""Slows down guessing of passwords: failures are counted per minute in the database, so for all processes."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Sum

from fairway.accounts.models import SignInFailure
from fairway.kernel.models import fold

SPAN = timedelta(minutes=15)
FROM_ONE_PLACE, FROM_ANYWHERE, OF_ONE_PLACE = 10, 50, 200
"""Failures in the span: for one name from one address and from all, and of one address for all names. More,
and even the right password waits.
"""


def waits(email: str, address: str, *, at: datetime) -> bool:
    """Say whether signing in with this name has failed too often of late."""
    found = SignInFailure.objects.filter(minute__gt=at - SPAN)
    return any(
        (found.filter(key=key).aggregate(total=Sum("count"))["total"] or 0) >= most
        for key, most in _keys(email, address)
    )


def failed(email: str, address: str, *, at: datetime) -> None:
    """Count a failure; what is older than a day is forgotten."""
    minute = at.replace(second=0, microsecond=0)
    with transaction.atomic():
        SignInFailure.objects.filter(minute__lt=at - timedelta(days=1)).delete()
        for key, _ in _keys(email, address):
            row = SignInFailure.objects.filter(key=key, minute=minute)
            if row.update(count=F("count") + 1) == 0:
                SignInFailure.objects.bulk_create(
                    [SignInFailure(key=key, minute=minute)], ignore_conflicts=True
                )
                row.update(count=F("count") + 1)


def _keys(email: str, address: str) -> list[tuple[str, int]]:
    name = fold(email)
    return [
        (hashlib.sha256(f"{name}\n{address}".encode()).hexdigest(), FROM_ONE_PLACE),
        (hashlib.sha256(name.encode()).hexdigest(), FROM_ANYWHERE),
        (hashlib.sha256(f"\n{address}".encode()).hexdigest(), OF_ONE_PLACE),
    ]
