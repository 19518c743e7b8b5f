"""The API's contract as text."""

from __future__ import annotations

import json

from fairway.interfaces.urls import schema


def document() -> str:
    """Return the OpenAPI document, sorted and indented, so that a difference reads line by line."""
    return json.dumps(schema.convert(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
