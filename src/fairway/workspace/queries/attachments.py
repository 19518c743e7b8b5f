"""Files attached to records."""

from __future__ import annotations

from typing import Literal

from msgspec import structs

from fairway.kernel.actor import Actor
from fairway.kernel.errors import NotFound
from fairway.kernel.listing import Column, Listing, ListQuery, Page
from fairway.kernel.models import Versioned, uid_lookup
from fairway.workspace.models import Attachment
from fairway.workspace.queries import subjects

ATTACHMENTS = Listing(
    columns={"created_at": Column("created_at", "instant", sorts=True)},
    values=(
        "uid", "subject_kind", "subject_uid", "name", "media_type", "size", "digest", "created_at",
        "removed_at",
        "version", "author__number", "author__name", "author__uid",
    ),
    sort="-created_at",
)  # fmt: skip


class AttachmentQuery(ListQuery, kw_only=True):
    """Files of one record (`kind` and `subject`), or of all that the caller reads; `removed`: also gone."""

    kind: str = ""
    subject: str = ""
    removed: Literal["", "true", "false"] = ""


def attachment(actor: Actor, uid: str, *, read: bool = False) -> tuple[Attachment, Versioned]:
    """Return an attached file and the record that it belongs to; `read`: to be shown.

    :raises NotFound: there is none, or the actor does not see the record.
    """
    lookup = uid_lookup(uid)
    query = Attachment.objects.select_related("author", "organisation", "blob")
    found = query.filter(**lookup).first() if lookup else None
    missing = NotFound(f"There is no attachment “{uid[:60]}”.")
    if found is None:
        raise missing
    try:
        return found, subjects.of_row(actor, found, read=read)
    except NotFound:
        raise missing from None


def attachment_page(actor: Actor, query: AttachmentQuery) -> Page:
    """Return one page of attached files as plain values.

    :raises NotFound: there is no such record. :raises Invalid: a filter has no sense.
    """
    found = Attachment.objects.all()
    if query.kind or query.subject:
        record = subjects.readable(actor, query.kind, query.subject)
        found = found.filter(subject_uid=record.uid, subject_kind=query.kind)
    else:
        found = found.filter(subjects.about_visible(actor))
    if query.removed != "true":
        found = found.filter(removed_at=None)
    return ATTACHMENTS.page(found, structs.replace(query, kind="", subject="", removed=""))


def files(record: Versioned) -> list[Attachment]:
    """Return the files of a record that one may read already, the newest first."""
    found = Attachment.objects.filter(subject_uid=record.uid, subject_kind=record.kind, removed_at=None)
    return list(found.select_related("author").order_by("-created_at", "-pk"))
