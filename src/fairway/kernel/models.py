"""The bases of every table."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django.db import models

from fairway.kernel.refs import Ref, as_uid, uuid7

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?")


class Counter(models.Model):
    """The last number given per kind; only on databases without sequences."""

    kind = models.CharField(max_length=40, primary_key=True)
    value = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = "counter"

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class Blob(models.Model):
    """Bytes named by their content, kept in the database, where every node finds them (see `kernel.blobs`).

    Whoever needs them holds a foreign key here with PROTECT; what nobody holds is swept away. Without a
    digest they are still being written.
    """

    id = models.BigAutoField(primary_key=True)
    digest = models.CharField(  # noqa: DJ001 - those in the making have none, and NULLs are not equal
        max_length=64, unique=True, null=True, help_text="SHA-256, in hex"
    )
    size = models.BigIntegerField(default=0, help_text="bytes")
    media_type = models.CharField(max_length=100)
    created_at = models.DateTimeField(help_text="UTC")
    wanted_at = models.DateTimeField(help_text="UTC; when it was stored last, for sweeping", db_index=True)

    class Meta:
        verbose_name = "blob"

    def __str__(self) -> str:
        return self.digest or "blob in the making"


class BlobPart(models.Model):
    """A piece of a blob; all but the last have the same size."""

    id = models.BigAutoField(primary_key=True)
    blob = models.ForeignKey(Blob, models.CASCADE, related_name="parts", db_index=False)
    position = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        verbose_name = "part of a blob"
        constraints = [models.UniqueConstraint(fields=["blob", "position"], name="blob_part_once")]

    def __str__(self) -> str:
        return f"{self.blob_id}/{self.position}"


class Row(models.Model):
    """A row that is written by a command and stands in the event log under its uid.

    `free_text` names the fields whose words stay outside the hash chain (only their digest is chained), so
    that erasing them leaves the chain verifiable. `unlogged` names what follows from other rows, or is noted
    too often, to stand in events. `credentials` never leave the table: neither to the log nor to an export.
    """

    id = models.BigAutoField(primary_key=True)
    uid = models.UUIDField(default=uuid7, unique=True, editable=False)

    free_text: ClassVar[frozenset[str]] = frozenset()
    unlogged: ClassVar[frozenset[str]] = frozenset()
    credentials: ClassVar[frozenset[str]] = frozenset()

    class Meta:
        abstract = True

    def before_write(self) -> None:
        """Set what follows from other columns; called before each write."""

    @property
    def owning_organisation(self) -> int | None:
        """The organisation that decides who may see this row's events; None: whole-tree roles only."""
        return None


class Versioned(Row):
    """A record: `version` starts at 1 and grows with each write; nothing that was decided is deleted, only
    archived.
    """

    version = models.PositiveIntegerField(default=1, editable=False)
    custom = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(editable=False, help_text="UTC")
    archived_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="UTC")

    kind: ClassVar[str] = ""

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.key

    @property
    def key(self) -> str:
        return str(self.uid)

    @property
    def label(self) -> str:
        return ""

    def ref(self) -> Ref:
        return Ref(self.kind, self.key, self.label, str(self.uid), self.pk, self.owning_organisation)


class Record(Versioned):
    """A record of one organisation, which decides who may see it."""

    organisation = models.ForeignKey("accounts.Organisation", models.PROTECT, related_name="+")

    class Meta:
        abstract = True

    @property
    def owning_organisation(self) -> int | None:
        return self.organisation_id


class Numbered(Record):
    """A record with a human key such as CHG-1042; numbers are unique per kind and never used again."""

    number = models.BigIntegerField(unique=True, editable=False)

    prefix: ClassVar[str] = ""

    class Meta:
        abstract = True

    @property
    def key(self) -> str:
        return f"{self.prefix}-{self.number}" if self.number else f"{self.prefix}-new"

    @classmethod
    def lookup(cls, reference: str) -> dict[str, Any] | None:
        """Return the filter that finds the reference (`CHG-7` or a uid), or None where it is neither."""
        return uid_lookup(reference) or number_lookup(cls.prefix, reference)


class Slugged(Record):
    """A record with a slug for a key; names sort by their folded form, the same on both databases."""

    slug = models.CharField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    name_folded = models.CharField(max_length=400, editable=False, db_index=True)

    class Meta:
        abstract = True

    def before_write(self) -> None:
        self.name_folded = fold(self.name)

    @property
    def key(self) -> str:
        return self.slug

    @property
    def label(self) -> str:
        return self.name

    @classmethod
    def lookup(cls, reference: str) -> dict[str, Any] | None:
        return uid_lookup(reference) or ({"slug": reference} if SLUG.fullmatch(reference) else None)


def fold(text: str) -> str:
    """Return the text as names are compared and sorted: case-folded, at most 400 characters."""
    return text.casefold()[:400]


def uid_lookup(reference: str) -> dict[str, Any] | None:
    uid = as_uid(reference)
    return {"uid": uid} if uid else None


def number_lookup(prefix: str, reference: str) -> dict[str, Any] | None:
    head, dash, number = reference.partition("-")
    if head.upper() != prefix or not dash or not number.isascii() or not number.isdigit() or len(number) > 18:
        return None
    return {"number": int(number)}
