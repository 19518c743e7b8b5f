"""Conditions over the fields of a change: which words there are, and reading them; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from fairway.kernel.errors import Invalid
from fairway.policy.expressions import FLAG, NUMBER, TEXT, Expression, Unusable

Facts = Callable[[], Mapping[str, Any]]
"""Gives what conditions read of a change; asked only where a window has one."""

VARIABLES: Final[Mapping[str, str]] = {
    "title": TEXT,
    "category": TEXT,
    "priority": NUMBER,
    "model": TEXT,
    "template": TEXT,
    "organisation": TEXT,
    "downtime": FLAG,
    "notice": NUMBER,
    "working_notice": NUMBER,
    "custom": "map<string, dyn>",
}
"""Fields of a change: `model`, `template` and `organisation` by slug; `downtime`: it takes its items down;
`notice`: whole hours, rounded down, from when it was submitted (a draft: from now) to when its work begins;
`working_notice`: those of them in which its organisation works, nought where work came first.
"""


@lru_cache(maxsize=1024)
def condition(text: str) -> Expression:
    """Return the condition, ready to be asked.

    :raises Invalid: on the field `condition`, saying what is wrong, where, and what could stand there.
    """
    try:
        made = Expression(text, VARIABLES)
    except Unusable as cause:
        raise Invalid.field("condition", f"{cause} Fields of a change are {', '.join(VARIABLES)}.") from cause
    if made.gives not in {"bool", "dyn"}:
        example = 'category == "database" && priority <= 2'
        raise Invalid.field(
            "condition", f"It gives {made.gives}, and true or false is needed; such as {example}."
        )
    return made


NOTICES: Final = ("notice", "working_notice")
"""What depends on when a change begins."""


def reads(made: Expression, name: str) -> bool:
    """Say whether a condition may read this field; where the name stands in a text only, it says so too."""
    return re.search(rf"\b{re.escape(name)}\b", made.text) is not None
