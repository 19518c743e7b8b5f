"""Bytes of any length in the database, named by their content: uploads, attachments, exports.

Written and read a part at a time, so that memory stays bounded; the same bytes are kept once. Each part is
written in a short transaction of its own (unless the caller has one open), so that a slow sender does not
hold the writer's turn; until the last one is there, nobody finds the blob.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import BinaryIO, Final, cast

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.db.models.fields.reverse_related import ForeignObjectRel

from fairway.kernel.errors import TooLarge
from fairway.kernel.models import Blob, BlobPart

PART: Final = 1 << 20
"""Bytes of a part; the last one of a blob may be shorter."""


def store(
    source: BinaryIO | Iterable[bytes], *, media_type: str, at: datetime, most: int | None = None
) -> Blob:
    """Keep the bytes of a file, from where it stands to its end, or of pieces; return their blob.

    Bytes that are kept already are not kept twice; their blob keeps its first media type.

    :raises TooLarge: there are more than `most` bytes; nothing is kept.
    """
    blob = Blob.objects.create(media_type=media_type[:100], created_at=at, wanted_at=at)
    digest, size = sha256(), 0
    try:
        for position, content in enumerate(_parts(source)):
            size += len(content)
            if most is not None and size > most:
                raise TooLarge(f"There are more than {most:,} bytes; here that is the most.")
            digest.update(content)
            BlobPart.objects.create(blob=blob, position=position, content=content)
        return _named(blob, digest.hexdigest(), size, at)
    except BaseException:
        with transaction.atomic():
            _remove([blob.pk])
        raise


def find(digest: str) -> Blob | None:
    """Return the blob with this SHA-256, in hex."""
    return Blob.objects.filter(digest=digest).first()


def chunks(blob: Blob) -> Iterator[bytes]:
    """Yield the bytes of a blob, a part at a time."""
    for position in range(-(-blob.size // PART)):
        yield _part(blob.pk, position)


def opened(blob: Blob) -> BinaryIO:
    """Return a blob as a file that can be read and seek; it holds a part or two in memory."""
    return cast(BinaryIO, io.BufferedReader(_Parts(blob), buffer_size=1 << 16))


def sweep(before: datetime) -> int:
    """Remove blobs that no row refers to and nobody has stored since an instant; return how many.

    Those that were never finished go too. Take an instant well past the longest upload: a blob is stored
    before the row that refers to it.
    """
    unused = Blob.objects.filter(wanted_at__lt=before)
    hidden_too = Blob._meta.get_fields(include_hidden=True)  # most references name no way back
    for relation in (one for one in hidden_too if isinstance(one, ForeignObjectRel)):
        model, name = relation.related_model, relation.field.name
        if model is not BlobPart and not isinstance(model, str):
            unused = unused.filter(~Exists(model._default_manager.filter(**{name: OuterRef("pk")})))
    removed = 0
    for pk in list(unused.values_list("pk", flat=True)):
        try:
            with transaction.atomic():  # each for itself: one whose row has come meanwhile stays
                removed += bool(
                    _remove(unused.filter(pk=pk).select_for_update().values_list("pk", flat=True))
                )
        except IntegrityError:
            continue
    return removed


def _parts(source: BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    """Cut what comes into parts of one size."""
    read = getattr(source, "read", None)
    pieces = iter(lambda: read(PART), b"") if read is not None else iter(source)
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) >= PART:
            yield bytes(held[:PART])
            del held[:PART]
    if held:
        yield bytes(held)


def _named(blob: Blob, digest: str, size: int, at: datetime) -> Blob:
    """Give the finished blob its name, or return the one that has it."""
    while True:
        try:
            with transaction.atomic():
                Blob.objects.filter(pk=blob.pk).update(digest=digest, size=size)
            blob.digest, blob.size = digest, size
            return blob
        except IntegrityError:  # these bytes are here already
            with transaction.atomic():
                kept = Blob.objects.select_for_update().filter(digest=digest).first()
                if kept is None:
                    continue  # they were swept away at this moment
                Blob.objects.filter(pk=kept.pk, wanted_at__lt=at).update(wanted_at=at)
                _remove([blob.pk])
            return kept


def _remove(pks: Iterable[int]) -> int:
    """Remove blobs with their parts, without loading these; foreign keys of others refuse it."""
    pks = list(pks)
    parts = BlobPart.objects.filter(blob__in=pks)
    parts._raw_delete(parts.db)
    blobs = Blob.objects.filter(pk__in=pks)
    return int(blobs._raw_delete(blobs.db))


def _part(blob: int, position: int) -> bytes:
    return bytes(BlobPart.objects.values_list("content", flat=True).get(blob=blob, position=position))


class _Parts(io.RawIOBase):
    """A blob as a raw file."""

    def __init__(self, blob: Blob) -> None:
        self._blob, self._size, self._at = blob.pk, blob.size, 0
        self._held: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError(f"negative seek position {start + offset}")
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]  # any buffer
        position, offset = divmod(self._at, PART)
        if self._at >= self._size:
            return 0
        if self._held[0] != position:
            self._held = (position, _part(self._blob, position))
        piece = self._held[1][offset : offset + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
