"""Builds and their artefacts: which words and names have sense, and which way a status moves; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

VERSION: Final = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z.:_+~-]{0,98}[0-9A-Za-z+~_-])?")
COMMIT: Final = re.compile(r"[0-9a-f]{7,64}")
_TYPE: Final = r"[a-z][a-z0-9.+-]*"
_PATH: Final = r"[^\s/@?#]+(?:/[^\s/@?#]+)*"
PURL: Final = re.compile(rf"pkg:({_TYPE})/({_PATH})(?:@([^\s/?#]+))?(?:\?([^\s#]+))?(?:#(\S+))?")
LENGTHS: Final[Mapping[str, int]] = {"sha256": 64, "sha384": 96, "sha512": 128}

STEPS: Final[Mapping[str, tuple[str, ...]]] = {
    "registered": ("accepted", "rejected", "retired"),
    "accepted": ("rejected", "retired"),
    "rejected": ("accepted", "retired"),
    "retired": (),
}
"""Which status may follow which: what is retired stays so, for its digests may be gone from the store."""


def purl(text: str) -> str | None:
    """Return a package URL with its scheme and type in lower case, or None where the text is none.

    Source: the purl specification, `scheme:type/namespace/name@version?qualifiers#subpath`.
    """
    head, slash, rest = text.strip().partition("/")
    told = f"{head.lower()}{slash}{rest}"
    return told if PURL.fullmatch(told) else None


def digest(text: str) -> str | None:
    """Return a digest as `sha256:…` in lower case, or None where the text is none; bare hex is known by
    its length."""
    told = text.strip().lower()
    name, colon, value = told.partition(":")
    if not colon:
        value = told
        name = next((one for one, length in LENGTHS.items() if length == len(told)), "")
    if LENGTHS.get(name) != len(value) or not re.fullmatch(r"[0-9a-f]+", value):
        return None
    return f"{name}:{value}"
