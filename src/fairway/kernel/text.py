"""Words that people type, as they may be stored: no control characters, bounded, no stray spaces."""

from __future__ import annotations

import re

from fairway.kernel.errors import Invalid
from fairway.kernel.models import SLUG
from fairway.kernel.refs import as_uid

RESERVED = frozenset({"bulk", "new", "pick"})
"""What stands in addresses where keys do."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def line(text: str, *, field: str, longest: int = 200, needed: bool = True) -> str:
    """Return one line with single spaces.

    :raises Invalid: it is empty though needed, too long, or holds control characters.
    """
    text = " ".join(_clean(text, field).split())
    if needed and not text:
        raise Invalid.field(field, f"The {_said(field)} is needed.")
    if len(text) > longest:
        raise Invalid.field(
            field, f"The {_said(field)} has {len(text):,} characters; {longest:,} are the most."
        )
    return text


def prose(text: str, *, field: str, longest: int = 20_000) -> str:
    """Return text of several lines, line ends unified, stripped; it may be empty.

    :raises Invalid: it is too long, or holds control characters.
    """
    text = _clean(text, field).replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(text) > longest:
        raise Invalid.field(
            field, f"The {_said(field)} has {len(text):,} characters; {longest:,} are the most."
        )
    return text


def slug(text: str, *, field: str = "key") -> str:
    """Return a key such as `payments-api`.

    :raises Invalid: it is none, or reads as a uid: wherever a record is named, either is accepted.
    """
    if text in RESERVED:
        raise Invalid.field(field, f"“{text}” is a word of addresses here; take another key.")
    if not SLUG.fullmatch(text) or as_uid(text) is not None:
        raise Invalid.field(
            field,
            f"“{text[:60]}” is not a key: use a-z, 0-9, “.”, “_”, “-”; a letter or figure at both ends.",
        )
    return text


def _clean(text: str, field: str) -> str:
    found = _CONTROL.search(text)
    if found is not None:
        raise Invalid.field(field, f"The {_said(field)} holds the control character U+{ord(found[0]):04X}.")
    return text


def _said(field: str) -> str:
    return field.replace("_", " ")
