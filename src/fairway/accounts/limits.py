"""How many calls somebody may make: buckets of this process, that fill by the rules of the database.

A call costs a look into a dictionary. The rule of a person goes before those of their roles (of several the
most generous), those before the one for everybody, and that before the one that stands here.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from django.db.models import Q

from fairway.accounts.models import Grant, Membership, RateRule
from fairway.audit import queries as audit
from fairway.kernel.actor import Actor
from fairway.kernel.cache import Kept
from fairway.kernel.errors import TooMany


@dataclass(frozen=True, slots=True)
class Rule:
    """`burst` calls at once, then `per_minute`; `name` tells which one it is."""

    name: str
    per_minute: int
    burst: int


DEFAULT: Final = Rule("default", 60_000, 6_000)
STRANGERS: Final = Rule("address", 600, 120)
"""For whoever calls without signing in, by address."""
MOST_BUCKETS: Final = 50_000


@dataclass(slots=True)
class _Bucket:
    level: float
    filled_at: float


@dataclass(slots=True)
class _Rules:
    everybody: Rule
    by_user: dict[int, Rule]
    by_role: dict[int, Rule]
    resolved: dict[int, Rule] = field(default_factory=dict)


_buckets: dict[Any, _Bucket] = {}
_lock = threading.Lock()


def take(actor: Actor) -> dict[str, str]:
    """Count a call; return the headers that tell how many are left.

    :raises TooMany: there are none left now; tells when the next one is.
    """
    return _take(actor.pk, _rule(actor))


def take_stranger(address: str, *, door: str) -> dict[str, str]:
    """Count a call of somebody unknown through a door that stands open.

    :raises TooMany: as above.
    """
    return _take((door, address), STRANGERS)


def _take(key: Any, rule: Rule) -> dict[str, str]:
    now, rate = time.monotonic(), rule.per_minute / 60
    with _lock:
        bucket = _buckets.get(key)
        if bucket is None:
            if len(_buckets) >= MOST_BUCKETS:
                _make_room()
            bucket = _buckets[key] = _Bucket(rule.burst, now)
        else:
            _buckets[key] = _buckets.pop(key)  # the last one in the order: it was used last
        level = min(rule.burst, bucket.level + (now - bucket.filled_at) * rate)
        bucket.filled_at = now
        bucket.level = level - 1 if level >= 1 else level
        left = bucket.level
    window = max(1, round(rule.burst / rate))
    told = {"RateLimit-Policy": f'"{rule.name}";q={rule.burst};w={window}'}
    if level < 1:
        wait = max(1, round((1 - level) / rate + 0.5))
        raise TooMany(
            f"More than {rule.burst} calls at once, or {rule.per_minute} a minute; go on in {wait} s.",
            headers={**told, "RateLimit": f'"{rule.name}";r=0;t={wait}', "Retry-After": str(wait)},
        )
    return {**told, "RateLimit": f'"{rule.name}";r={int(left)};t={max(0, round((rule.burst - left) / rate))}'}


def _make_room() -> None:
    """Forget a tenth of the buckets, those that nobody used for longest: they are full again, or next to it.

    A flood of new keys drives out keys that are as new, and not those of who calls all the time.
    """
    for key in list(islice(_buckets, MOST_BUCKETS // 10)):
        del _buckets[key]


def forget() -> None:
    """Fill every bucket: for tests."""
    with _lock:
        _buckets.clear()


def _rule(actor: Actor) -> Rule:
    if actor.pk is None:
        return DEFAULT
    rules = _rules.at((actor.revisions or audit.revisions()).get("accounts", 0))
    known = rules.resolved.get(actor.pk)
    if known is None:
        known = rules.resolved[actor.pk] = _resolved(actor.pk, rules)
    return known


def _resolved(user: int, rules: _Rules) -> Rule:
    own = rules.by_user.get(user)
    if own is not None or not rules.by_role:
        return own or rules.everybody
    teams = Membership.objects.filter(user_id=user, team__is_active=True).values("team_id")
    roles = Grant.objects.filter(Q(user_id=user) | Q(team__in=teams)).values_list("role_id", flat=True)
    given = [rules.by_role[role] for role in set(roles) if role in rules.by_role]
    return max(given, key=lambda rule: rule.per_minute, default=rules.everybody)


def _load(revision: int, before: object) -> _Rules:
    found = _Rules(DEFAULT, {}, {})
    columns = ("user_id", "role_id", "role__slug", "per_minute", "burst")
    for user, role, slug, per_minute, burst in RateRule.objects.values_list(*columns):
        if user is not None:
            found.by_user[user] = Rule("own", per_minute, burst)
        elif role is not None:
            found.by_role[role] = Rule(slug, per_minute, burst)
        else:
            found.everybody = Rule("everybody", per_minute, burst)
    return found


_rules: Kept[_Rules] = Kept(_load)
