"""Where words go: answers to standard output, everything else to standard error."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rich.console import Console

out = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    out.file.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def tell(title: str, detail: str, fields: Iterable[tuple[str, str]] = ()) -> None:
    """Tell a problem on standard error: its title, the sentence, and each field whose message says more."""
    errors.print(f"{title}.", style="bold", markup=False, end=" ")
    errors.print(detail, markup=False)
    for name, message in fields:
        if message != detail:
            errors.print(f"  {name}: {message}", markup=False)
