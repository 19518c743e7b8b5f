"""Reads the manifest that the build of web/ leaves beside its files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

PATH = Path(__file__).parent / "static" / "ui" / "dist" / "manifest.json"
PREFIX = "ui/dist/"


@dataclass(frozen=True, slots=True)
class Assets:
    """What a page loads for one entry point; paths below the static root."""

    styles: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    preloads: tuple[str, ...] = ()
    fonts: tuple[str, ...] = ()


def assets(entry: str) -> Assets:
    """Return the files of one entry point (`main`, `timeline`); nothing when web/ has not been built.

    :raises LookupError: the build has no such entry point.
    """
    if not PATH.exists():
        return Assets()
    return _assets(entry, PATH.stat().st_mtime_ns)


@lru_cache(maxsize=32)
def _assets(entry: str, stamp: int) -> Assets:  # the stamp makes a new build seen without a restart
    chunks: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
    chunk = next((c for c in chunks.values() if c.get("isEntry") and c.get("name") == entry), None)
    if chunk is None:
        raise LookupError(f"The build of web/ has no entry point {entry!r}.")
    shared = _imports(chunks, chunk, seen=set())
    files = [chunk, *shared]
    fonts = [name for one in files for name in one.get("assets", ()) if "latin-wght-normal" in name]
    return Assets(
        styles=tuple(dict.fromkeys(PREFIX + name for one in reversed(files) for name in one.get("css", ()))),
        scripts=(PREFIX + chunk["file"],),
        preloads=tuple(PREFIX + one["file"] for one in shared),
        fonts=tuple(dict.fromkeys(PREFIX + name for name in fonts)),
    )


def _imports(chunks: dict[str, Any], chunk: dict[str, Any], *, seen: set[str]) -> list[dict[str, Any]]:
    found = []
    for name in chunk.get("imports", ()):
        if name not in seen:
            seen.add(name)
            found += [chunks[name], *_imports(chunks, chunks[name], seen=seen)]
    return found
