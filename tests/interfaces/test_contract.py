"""The API's contract is a file under review."""

from __future__ import annotations

import difflib
import json
from pathlib import Path

from fairway.interfaces.contract import document

FILE = Path(__file__).parents[2] / "docs" / "openapi.json"


def test_the_contract_in_the_repository_is_what_the_code_serves() -> None:
    kept, served = FILE.read_text(encoding="utf-8"), document()
    changed = list(
        difflib.unified_diff(kept.splitlines(), served.splitlines(), "docs/openapi.json", "code", n=1)
    )
    assert not changed, "run `python3 dev.py docs` and review:\n" + "\n".join(changed[:200])


def test_every_operation_tells_its_permission() -> None:
    paths = json.loads(document())["paths"]
    untold = [
        f"{method} {path}"
        for path, operations in paths.items()
        for method, operation in operations.items()
        if isinstance(operation, dict) and "x-permission" not in operation
    ]
    assert untold == []
