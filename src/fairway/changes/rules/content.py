"""What an approver approves: the critical fields of a change, as one digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from fairway.kernel.period import Period


@dataclass(frozen=True, slots=True)
class Content:
    """The fields that an approval is about; each other field may change without asking again.

    Items, environments, model and template stand by uid, so that renaming one of them voids nothing.
    """

    title: str
    description: str = ""
    implementation_plan: str = ""
    test_plan: str = ""
    backout_plan: str = ""
    model: str = ""
    template: str = ""
    windows: frozenset[Period] = field(default_factory=frozenset)
    downtimes: frozenset[Period] = field(default_factory=frozenset)
    items: frozenset[str] = field(default_factory=frozenset)
    environments: frozenset[str] = field(default_factory=frozenset)


def digest(content: Content) -> str:
    """Return the SHA-256 of the canonical JSON of the content, as 64 hexadecimal digits.

    Canonical: keys sorted, no blanks, UTF-8, collections sorted, instants in UTC with microseconds.
    """
    plain = {
        "title": content.title,
        "description": content.description,
        "implementation_plan": content.implementation_plan,
        "test_plan": content.test_plan,
        "backout_plan": content.backout_plan,
        "model": content.model,
        "template": content.template,
        "windows": _periods(content.windows),
        "downtimes": _periods(content.downtimes),
        "items": sorted(content.items),
        "environments": sorted(content.environments),
    }
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _periods(periods: Iterable[Period]) -> list[list[str]]:
    return sorted(
        [p.start.isoformat(timespec="microseconds"), p.end.isoformat(timespec="microseconds")]
        for p in periods
    )
