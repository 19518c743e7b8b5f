"""Attaching files to records, and taking them off."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import BinaryIO, ClassVar

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Outcome, Plan, execute, expect, preview
from fairway.kernel import blobs
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid
from fairway.workspace import queries
from fairway.workspace.events import WorkspaceEvent
from fairway.workspace.models import Attachment
from fairway.workspace.rules.files import clean_name, media_type

LARGEST, MOST = 10 * 2**20, 50


class AttachFile(Command, name=WorkspaceEvent.ATTACHMENT_CREATE):
    """Attach a file, whose bytes are kept under a digest already, to a record; see `attach`."""

    permission: ClassVar[str] = "workspace.comment"
    kind: str
    subject: str
    name: str
    digest: str = ""

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        record = queries.subject(actor, self.kind, self.subject)
        accounts.require(actor, self.permission, at=record.owning_organisation)
        name = clean_name(self.name)
        if not name:
            raise Invalid.field("name", "The file needs a name.")
        there = Attachment.objects.filter(subject_uid=record.uid, removed_at=None)
        if there.count() >= MOST:
            raise Conflict(
                f"{record.key} has {MOST} files, which is the most; remove some first.",
                code="workspace.attachment.too_many",
            )
        if not self.digest and not lock:
            return Plan(subject=record)  # before the bytes are kept
        blob = blobs.find(self.digest) if self.digest else None
        if blob is None:
            raise Invalid.field("digest", "There are no bytes of this digest.")
        made = Attachment(
            subject_kind=record.kind,
            subject_uid=record.uid,
            organisation_id=queries.place(record),
            author=accounts.myself(actor),
            name=name,
            media_type=media_type(b"".join(_head(blobs.opened(blob)))),
            size=blob.size,
            digest=self.digest,
            blob=blob,
        )
        return Plan(subject=record, create=[made])


class RemoveFile(Command, name=WorkspaceEvent.ATTACHMENT_REMOVE):
    """Take a file off its record: one's own, or as administrator. Its bytes go, its name stays in the log."""

    permission: ClassVar[str] = "workspace.comment"
    attachment: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found, record = queries.attachment(actor, self.attachment)
        where = record.owning_organisation
        accounts.require(actor, self.permission, at=where)
        if found.author_id != actor.pk and not accounts.access(actor).may("accounts.administer", where):
            raise Forbidden("A file is removed by who attached it, or by an administrator.")
        if found.removed_at is not None:
            raise Conflict("This file was removed.", code="workspace.attachment.removed")
        expect(found, self.version)
        gone = {"removed_at": at, "removed_by": accounts.myself(actor), "blob": None}
        return Plan(subject=record, change=[(found, gone)])


def attach(
    actor: Actor, *, kind: str, subject: str, name: str, source: BinaryIO, at: datetime | None = None
) -> Outcome:
    """Keep the bytes of a file and attach it. Nothing is kept for who may not attach it.

    :raises TooLarge: it has more than 10 MiB. And what the command raises.
    """
    command = kept(actor, kind=kind, subject=subject, name=name, source=source)
    return execute(command, actor=actor, at=at)


def kept(actor: Actor, *, kind: str, subject: str, name: str, source: BinaryIO) -> AttachFile:
    """Keep the bytes of a file for whoever may attach it, and return the command that does.

    :raises TooLarge: it has more than 10 MiB. And what the command raises.
    """
    command = AttachFile(kind=kind, subject=subject, name=name)
    try:
        preview(command, actor=actor)
    except Forbidden:
        execute(command, actor=actor)  # refused again, and put on record
        raise
    now = datetime.now(UTC)
    head = source.read(4096)
    if not head:
        raise Invalid.field("content", "The file is empty.")
    blob = blobs.store(_chained(head, source), media_type=media_type(head), at=now, most=LARGEST)
    return AttachFile(kind=kind, subject=subject, name=name, digest=blob.digest or "")


def _chained(head: bytes, source: BinaryIO):  # type: ignore[no-untyped-def]
    yield head
    while piece := source.read(1 << 16):
        yield piece


def _head(source: BinaryIO) -> list[bytes]:
    with io.BufferedReader(source) as opened:  # type: ignore[type-var]
        return [opened.read(4096)]
