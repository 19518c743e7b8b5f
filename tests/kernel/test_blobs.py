"""Bytes in the database: the same ones come back, once, however they were written and read."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from django.apps import apps
from django.db import connection

from fairway.kernel import blobs
from fairway.kernel.errors import TooLarge
from fairway.kernel.models import Blob, BlobPart
from tests.support.committed import together

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
SIZES = [0, 1, blobs.PART - 1, blobs.PART, blobs.PART + 1, 2 * blobs.PART + 17]


def content_of(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def kept(content: bytes, at: datetime = AT) -> Blob:
    return blobs.store(io.BytesIO(content), media_type="text/csv", at=at)


@pytest.mark.parametrize("size", SIZES)
def test_bytes_come_back_as_they_were(db: None, size: int) -> None:
    content = content_of(size)
    blob = kept(content)
    assert (blob.size, blob.digest) == (size, sha256(content).hexdigest())
    assert b"".join(blobs.chunks(blob)) == content
    assert blobs.opened(blob).read() == content
    assert blobs.find(sha256(content).hexdigest()) == blob


def test_pieces_of_any_size_make_the_same_blob(db: None) -> None:
    content = content_of(2 * blobs.PART + 17)
    pieces = [content[:3], b"", content[3 : blobs.PART + 9], content[blobs.PART + 9 :]]
    first = kept(content)
    assert blobs.store(pieces, media_type="text/csv", at=AT) == first
    assert (Blob.objects.count(), BlobPart.objects.count()) == (1, 3)


def test_a_file_reads_like_any_other_at_random_places(db: None) -> None:
    content = content_of(2 * blobs.PART + 17)
    mine, other, draw = io.BytesIO(content), blobs.opened(kept(content)), random.Random(1)
    for _ in range(200):
        place, length = draw.randrange(len(content) + 10), draw.choice([0, 1, 100, 70_000, blobs.PART + 5])
        assert mine.seek(place) == other.seek(place)
        assert mine.read(length) == other.read(length)
        assert mine.tell() == other.tell()
    assert other.seek(-5, io.SEEK_END) == len(content) - 5
    assert other.read() == content[-5:]


def test_what_is_too_large_leaves_nothing(db: None) -> None:
    with pytest.raises(TooLarge, match=r"more than 10 bytes"):
        blobs.store(io.BytesIO(b"x" * 11), media_type="text/csv", at=AT, most=10)
    assert not Blob.objects.exists()
    assert not BlobPart.objects.exists()


def test_a_sender_that_breaks_off_leaves_nothing(db: None) -> None:
    def breaking() -> Iterator[bytes]:
        yield b"x" * (blobs.PART + 1)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        blobs.store(breaking(), media_type="text/csv", at=AT)
    assert not Blob.objects.exists()
    assert not BlobPart.objects.exists()


def test_what_nobody_wants_is_swept(db: None) -> None:
    old, again, new = kept(b"old"), kept(b"again"), kept(b"new", AT + timedelta(days=2))
    Blob.objects.create(media_type="text/csv", created_at=AT, wanted_at=AT)  # its writer was killed
    assert kept(b"again", AT + timedelta(days=2)) == again
    assert blobs.sweep(AT + timedelta(days=1)) == 2
    assert set(Blob.objects.all()) == {again, new}
    assert blobs.find(old.digest or "") is None
    assert BlobPart.objects.count() == 2


def test_what_a_row_refers_to_stays(db: None) -> None:
    """Every table with a reference to a blob counts, whichever context it is in."""
    referring = [
        r
        for model in apps.get_models()
        for r in model._meta.get_fields()
        if r.related_model is Blob and r.concrete
    ]
    asked = []

    def note(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        asked.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        blobs.sweep(AT)
    for field in referring:
        assert field.model is BlobPart or f'"{field.model._meta.db_table}"' in asked[0]


@pytest.mark.race
@pytest.mark.usefixtures("committed")
def test_the_same_bytes_sent_by_many_at_once_are_kept_once() -> None:
    content = content_of(blobs.PART + 1)
    answers = together(*[lambda: kept(content).digest] * 6)
    assert set(answers) == {sha256(content).hexdigest()}
    assert (Blob.objects.count(), BlobPart.objects.count()) == (1, 2)
