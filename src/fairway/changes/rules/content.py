"""What an approver approves: the critical fields of a change, as one digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

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
    edits: Mapping[str, Any] = field(default_factory=dict)
    """Patches by the uid of the item that they alter."""


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
        **({"edits": dict(content.edits)} if content.edits else {}),
    }
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _periods(periods: Iterable[Period]) -> list[list[str]]:
    return sorted(
        [p.start.isoformat(timespec="microseconds"), p.end.isoformat(timespec="microseconds")]
        for p in periods
    )
