"""Attached files over the API; bytes come as a form's file or as base64 in JSON, and go as base64."""

from __future__ import annotations

import base64
import binascii
import io
from datetime import datetime
from typing import Any

import msgspec
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query

from fairway.accounts.uploads import UploadController
from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.kernel import blobs
from fairway.kernel.api import list_of
from fairway.kernel.errors import Invalid, NotFound
from fairway.kernel.listing import Page
from fairway.kernel.models import Versioned
from fairway.workspace import commands, queries
from fairway.workspace.api.shared import KeyPath, made, person_view, subject_view
from fairway.workspace.models import Attachment


class AttachmentView(msgspec.Struct, kw_only=True):
    """A file. `media_type`: as its bytes tell; `digest`: SHA-256 in hex; `address`: its page."""

    uid: str
    subject: RefView
    author: RefView | None
    name: str
    media_type: str
    size: int
    digest: str
    address: str
    created_at: datetime
    removed_at: datetime | None
    version: int


AttachmentList = list_of(AttachmentView)


class AttachmentBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`content`: the file's bytes in base64 (RFC 4648), 10 MiB at most."""

    kind: str
    subject: str
    name: str
    content: str


class ContentView(msgspec.Struct, kw_only=True):
    """`content`: the bytes in base64."""

    name: str
    media_type: str
    size: int
    digest: str
    content: str


SAME = ("name", "media_type", "size", "digest", "created_at", "removed_at", "version")


def _row(row: dict[str, Any], record: Versioned) -> AttachmentView:
    return AttachmentView(
        uid=str(row["uid"]),
        subject=subject_view(record),
        author=person_view(row, "author"),
        address=f"/attachments/{row['uid']}",
        **{name: row[name] for name in SAME},
    )


def _view(found: Attachment, record: Versioned) -> AttachmentView:
    return AttachmentView(
        uid=str(found.uid),
        subject=subject_view(record),
        author=ref_view(found.author.ref()),
        address=f"/attachments/{found.uid}",
        **{name: getattr(found, name) for name in SAME},
    )


def _answer(controller: ApiController, uid: str, *, status: int = 200, read: bool = False) -> HttpResponse:
    found, record = queries.attachment(controller.actor, uid, read=read)
    location = f"/api/v1/attachments/{found.uid}" if status == 201 else ""
    return controller.answer(_view(found, record), status=status, version=found.version, location=location)


class AttachmentsController(UploadController):
    """Files attached to records."""

    form = ("kind", "subject", "name")

    @operation("", AttachmentList, files=True)
    def get(self, parsed_query: Query[queries.AttachmentQuery]) -> HttpResponseBase:
        """List the files of a record (`kind`, `subject`), or of all records that the caller reads."""

        def read(query: queries.AttachmentQuery) -> tuple[Page, list[AttachmentView]]:
            page = queries.attachment_page(self.actor, query)
            named = ((row["subject_kind"], row["subject_uid"]) for row in page.rows)
            records = queries.refs(self.actor, named)
            return page, [
                _row(row, records[row["subject_uid"]]) for row in page.rows if row["subject_uid"] in records
            ]

        return self.listed(parsed_query, read, AttachmentView.__struct_fields__)

    @operation("workspace.comment", AttachmentView, status=201, etag=True, dry_run=True)
    def post(self, parsed_body: Body[AttachmentBody], parsed_query: Query[DryRun]) -> HttpResponse:
        """Attach a file to a record; or send it as `multipart/form-data`, with the same names, as `file`."""
        try:
            content = base64.b64decode(parsed_body.content, validate=True)
        except (binascii.Error, ValueError) as cause:
            raise Invalid.field("content", "This is not base64.") from cause
        asked = {"kind": parsed_body.kind, "subject": parsed_body.subject, "name": parsed_body.name}
        return self._attached(io.BytesIO(content), asked, dry_run=parsed_query.dry_run)

    def sent(self, file: UploadedFile[bytes], fields: dict[str, str], *, dry_run: bool) -> HttpResponse:
        for name in ("kind", "subject"):
            if name not in fields:
                raise Invalid.field(name, f"The {name} of the record is needed.")
        return self._attached(file.file, {"name": file.name or "", **fields}, dry_run=dry_run)

    def _attached(self, source: Any, asked: dict[str, str], *, dry_run: bool) -> HttpResponse:
        if dry_run:
            return self.preview(commands.AttachFile(**asked))
        outcome = self.run(commands.kept(self.actor, **asked, source=source))
        return _answer(self, made(self, outcome, "workspace.Attachment"), status=201)


class AttachmentController(ApiController):
    """One attached file."""

    @operation("", AttachmentView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read what is known of a file."""
        return _answer(self, parsed_path.key, read=True)

    @operation("workspace.comment", AttachmentView, etag=True, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Take a file off its record; that it was there stays to be seen."""
        command = commands.RemoveFile(attachment=parsed_path.key, version=self.expected())
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _answer(self, parsed_path.key)


class AttachmentContent(ApiController):
    """What an attached file holds."""

    @operation("", ContentView)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read a file's bytes."""
        found, _ = queries.attachment(self.actor, parsed_path.key, read=True)
        if found.blob is None:
            raise NotFound("This file was removed.")
        content = b"".join(blobs.chunks(found.blob))
        return self.answer(
            ContentView(
                name=found.name,
                media_type=found.media_type,
                size=found.size,
                digest=found.digest,
                content=base64.b64encode(content).decode(),
            )
        )


urls = [
    path("attachments", AttachmentsController.as_view(), name="attachments"),
    path("attachments/<str:key>", AttachmentController.as_view(), name="attachment"),
    path("attachments/<str:key>/content", AttachmentContent.as_view(), name="attachment-content"),
]
