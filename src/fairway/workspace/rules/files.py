"""What a file is, told from its first bytes, and what it may be called; pure."""

from __future__ import annotations

import codecs
import unicodedata

MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
)
SHOWN_INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"})
"""Kinds that a browser may show, in a sandbox; all others are only saved. No SVG, no HTML: they are text."""


def media_type(head: bytes) -> str:
    """Return the media type that the first bytes tell; words are plain text, whatever their language."""
    for start, found in MAGIC:
        if head.startswith(start):
            return found
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if b"\x00" in head:
        return "application/octet-stream"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # the last letter may be cut
    except UnicodeDecodeError:
        return "application/octet-stream"
    return "text/plain"


def clean_name(given: str, *, longest: int = 150) -> str:
    """Return a file's name without folders, control characters and marks that turn the direction of writing.

    One that is too long keeps its ending. Empty where nothing is left.
    """
    name = given.replace("\\", "/").rpartition("/")[2]
    name = "".join(one for one in name if unicodedata.category(one) not in {"Cc", "Cf", "Cs", "Zl", "Zp"})
    name = " ".join(name.split()).lstrip(".")
    if len(name) <= longest:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 12:
        return name[:longest]
    return f"{stem[: longest - len(ending) - 1]}.{ending}"
