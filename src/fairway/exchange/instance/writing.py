"""Writes an instance into its file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.models import Exists, OuterRef, Q, QuerySet

from fairway.audit import queries as audit
from fairway.audit.commands import canonical
from fairway.exchange.instance.shape import (
    BLOBS,
    EVENTS,
    FORMAT,
    MANIFEST,
    Progress,
    columns,
    plain,
    tables,
)
from fairway.kernel import blobs
from fairway.kernel.db import snapshot
from fairway.kernel.models import Blob, Row

AT_ONCE: Final = 2000
FIRST_DAY: Final = (1980, 1, 1, 0, 0, 0)
"""The date that each entry bears: the earliest there is, so that the same records give the same bytes."""


def write(file: Path, *, progress: Progress | None = None) -> dict[str, int]:
    """Write the instance as it stands at one instant; return how many lines each entry has.

    The file comes into being whole or not at all, readable by its owner alone. Credentials (passwords,
    tokens, secrets) are not in it.

    :raises OSError: it cannot be written.
    """
    part = file.with_name(f"{file.name}.part")
    part.touch(mode=0o600)
    try:
        with ZipFile(part, "w", ZIP_DEFLATED) as archive, snapshot():
            counts = _Archive(archive, progress).write()
        part.replace(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return counts


class _Archive:
    def __init__(self, archive: ZipFile, progress: Progress | None) -> None:
        self._archive, self._progress = archive, progress
        self._entries: dict[str, dict[str, Any]] = {}

    def write(self) -> dict[str, int]:
        for model in tables():
            self._lines(f"records/{model._meta.label}.ndjson", _records(model))
        self._lines(EVENTS, audit.exported(texts=True))
        kept = _kept()
        self._lines(BLOBS, map(_blob, kept.iterator(chunk_size=AT_ONCE)))
        for blob in kept.iterator(chunk_size=AT_ONCE):
            with self._archive.open(_entry(f"blobs/{blob.digest}"), "w", force_zip64=True) as to:
                for chunk in blobs.chunks(blob):
                    to.write(chunk)
        manifest = {"format": FORMAT, "entries": self._entries, "shape": _shape()}
        self._archive.writestr(_entry(MANIFEST), canonical(manifest))
        return {name: told["lines"] for name, told in self._entries.items()}

    def _lines(self, name: str, lines: Iterator[bytes]) -> None:
        count, sums = 0, hashlib.sha256()
        with self._archive.open(_entry(name), "w", force_zip64=True) as to:
            for line in lines:
                to.write(line)
                sums.update(line)
                count += 1
                if self._progress is not None and count % AT_ONCE == 0:
                    self._progress(name, count)
        self._entries[name] = {"lines": count, "sha256": sums.hexdigest()}
        if self._progress is not None:
            self._progress(name, count)


def _entry(name: str) -> ZipInfo:
    info = ZipInfo(name, FIRST_DAY)
    info.compress_type, info.external_attr, info.create_system = ZIP_DEFLATED, 0o600 << 16, 3
    return info


def _records(model: type[Row]) -> Iterator[bytes]:
    """Yield every record of a table, by uid, a batch at a time (seek, so that memory stays bounded)."""
    known = columns(model)
    last = None
    while True:
        rows = model._default_manager.order_by("uid").values_list("uid", *(column.path for column in known))
        some = list((rows if last is None else rows.filter(uid__gt=last))[:AT_ONCE])
        for uid, *values in some:
            told = {column.name: plain(value) for column, value in zip(known, values, strict=True)}
            yield canonical({**told, "uid": str(uid)}).encode() + b"\n"
        if len(some) < AT_ONCE:
            return
        last = some[-1][0]


def _kept() -> QuerySet[Blob]:
    """Return the bytes that a record holds which travels."""
    held = Q()
    for model in tables():
        for column in columns(model):
            if column.target == Blob._meta.label:
                held |= Q(Exists(model._default_manager.filter(**{column.name: OuterRef("pk")})))
    return Blob.objects.filter(held).order_by("digest") if held else Blob.objects.none()


def _blob(blob: Blob) -> bytes:
    told: dict[str, str | int | datetime | None] = {
        "digest": blob.digest,
        "size": blob.size,
        "media_type": blob.media_type,
        "created_at": blob.created_at,
    }
    return canonical({name: plain(value) for name, value in told.items()}).encode() + b"\n"


def _shape() -> dict[str, str]:
    """Return the last migration of each app: the shape that the records have."""
    labels = {config.label for config in apps.get_app_configs() if config.name.startswith("fairway.")}
    leaves = MigrationLoader(connection).graph.leaf_nodes()
    return {label: name for label, name in leaves if label in labels}
