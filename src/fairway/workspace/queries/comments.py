"""What was said about records."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from django.db.models import Q
from msgspec import structs

from fairway.accounts import queries as accounts
from fairway.kernel.actor import Actor
from fairway.kernel.errors import NotFound
from fairway.kernel.listing import Column, Listing, ListQuery, Page
from fairway.kernel.models import Versioned, number_lookup, uid_lookup
from fairway.workspace.models import Comment, Mention
from fairway.workspace.queries import subjects


def by_person(reference: str) -> Mapping[str, Any] | None:
    """Return the filter that finds a person by key or uid."""
    return uid_lookup(reference) or number_lookup("USR", reference)


COMMENTS = Listing(
    columns={
        "created_at": Column("created_at", "instant", sorts=True),
        "author": Column("author", refers=by_person),
    },
    values=(
        "uid", "subject_kind", "subject_uid", "text", "created_at", "edited_at", "withdrawn_at", "version",
        "author__number", "author__name", "author__uid",
    ),
    sort="-created_at",
)  # fmt: skip


class CommentQuery(ListQuery, kw_only=True):
    """Comments on one record (`kind` and `subject`), or on all that the caller reads."""

    kind: str = ""
    subject: str = ""
    author: str = ""
    created_at__gte: str = ""
    created_at__lt: str = ""
    withdrawn: Literal["", "true", "false"] = ""


def comment(actor: Actor, uid: str, *, read: bool = False) -> tuple[Comment, Versioned]:
    """Return a comment and the record that it is about; `read`: to be shown.

    :raises NotFound: there is none, or the actor does not see the record.
    """
    lookup = uid_lookup(uid)
    query = Comment.objects.select_related("author", "organisation")
    found = query.filter(**lookup).first() if lookup else None
    missing = NotFound(f"There is no comment “{uid[:60]}”.")
    if found is None:
        raise missing
    try:
        return found, subjects.of_row(actor, found, read=read)
    except NotFound:
        raise missing from None


def comment_page(actor: Actor, query: CommentQuery) -> Page:
    """Return one page of comments as plain values; withdrawn ones are told without their words.

    :raises NotFound: there is no such record. :raises Invalid: a filter has no sense.
    """
    found = Comment.objects.all()
    if query.kind or query.subject:
        record = subjects.readable(actor, query.kind, query.subject)
        found = found.filter(subject_uid=record.uid, subject_kind=query.kind)
    else:
        found = found.filter(subjects.about_visible(actor))
    if query.withdrawn:
        found = found.filter(withdrawn_at__isnull=query.withdrawn != "true")
    return COMMENTS.page(found, structs.replace(query, kind="", subject="", withdrawn=""))


def thread(record: Versioned, *, limit: int) -> list[Comment]:
    """Return the newest comments on a record that one may read already, newest first."""
    found = Comment.objects.filter(subject_uid=record.uid, subject_kind=record.kind)
    return list(found.select_related("author", "withdrawn_by").order_by("-created_at", "-pk")[:limit])


def mentioned(comments: Collection[UUID]) -> dict[UUID, dict[str, str]]:
    """Return whom each of these comments mentions: names by key."""
    rows = Mention.objects.filter(comment__uid__in=comments)
    found: dict[UUID, dict[str, str]] = {}
    for uid, number, name in rows.values_list("comment__uid", "person__number", "person__name"):
        found.setdefault(uid, {})[f"USR-{number}"] = name
    return found


def people_named(actor: Actor, record: Versioned, keys: Sequence[str]) -> list[Any]:
    """Return the people of these keys who may be named: whom the actor sees, and who have a part in it."""
    numbers = [int(key.partition("-")[2]) for key in keys]
    found = accounts.active_people().filter(number__in=numbers)
    seen = accounts.people(actor).filter(number__in=numbers).order_by()
    return list(found.filter(Q(pk__in=seen.values("pk")) | Q(pk__in=concerned(record))))


_CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)
_ADDRESS = re.compile(r"(?<![\w@./:+-])@?([\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+)")


def with_keys(actor: Actor, record: Versioned, text: str) -> str:
    """Return a text in which addresses of people who may be named are mentions; code stays as it is."""
    parts = _CODE.split(text)
    typed = {one.casefold() for part in parts[::2] for one in _ADDRESS.findall(part)}
    if not typed:
        return text
    found = accounts.active_people().filter(email_folded__in=typed)
    seen = accounts.people(actor).filter(email_folded__in=typed).order_by()
    named = found.filter(Q(pk__in=seen.values("pk")) | Q(pk__in=concerned(record)))
    keys = {person.email_folded: person.key for person in named}

    def key(match: re.Match[str]) -> str:
        known = keys.get(match[1].casefold())
        return f"@{known}" if known else match[0]

    return "".join(part if at % 2 else _ADDRESS.sub(key, part) for at, part in enumerate(parts))


def concerned(record: Versioned) -> set[int]:
    """Return the primary keys of those who have a part in a record, or said something about it."""
    parts = {pk for some in subjects.kind_of(record.kind).people(record).values() for pk in some}
    said = Comment.objects.filter(subject_uid=record.uid, subject_kind=record.kind)
    return parts | set(said.values_list("author_id", flat=True).distinct())


def pick_people(actor: Actor, text: str, *, limit: int = 10) -> list[dict[str, Any]]:
    """Return people for a picker whose name or address holds each of these words."""
    found = accounts.people(actor).filter(is_active=True, is_service=False)
    for word in text.casefold().split()[:8]:
        found = found.filter(Q(name_folded__contains=word) | Q(email_folded__contains=word))
    return [dict(row) for row in found.values("number", "name", "email")[:limit]]
