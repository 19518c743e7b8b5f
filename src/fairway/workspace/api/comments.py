"""Comments over the API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query
from msgspec import UNSET, UnsetType

from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.kernel.listing import Page, picked
from fairway.kernel.models import Versioned
from fairway.ui.markdown import html
from fairway.workspace import commands, queries
from fairway.workspace.api.shared import KeyPath, made, person_view, subject_view
from fairway.workspace.models import Comment


class CommentView(msgspec.Struct, kw_only=True):
    """A comment. `text` is Markdown, `html` what it looks like; both are empty once it was withdrawn."""

    uid: str
    subject: RefView
    author: RefView | None
    text: str
    html: str
    mentions: list[RefView]
    created_at: datetime
    edited_at: datetime | None
    withdrawn_at: datetime | None
    version: int


class CommentRow(msgspec.Struct, kw_only=True):
    """A comment in a list: all its fields, or those that `fields=` picked."""

    uid: str | UnsetType = UNSET
    subject: RefView | UnsetType = UNSET
    author: RefView | UnsetType | None = UNSET
    text: str | UnsetType = UNSET
    html: str | UnsetType = UNSET
    mentions: list[RefView] | UnsetType = UNSET
    created_at: datetime | UnsetType = UNSET
    edited_at: datetime | UnsetType | None = UNSET
    withdrawn_at: datetime | UnsetType | None = UNSET
    version: int | UnsetType = UNSET


class CommentList(msgspec.Struct, kw_only=True):
    items: list[CommentRow]
    next: str | None
    count: int | UnsetType = UNSET


class CommentPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    text: str


FIELDS = CommentView.__struct_fields__


def _row(
    row: dict[str, Any], record: Versioned, people: Mapping[str, str], wanted: frozenset[str] | None
) -> CommentRow:
    names = FIELDS if wanted is None else wanted
    values: dict[str, Any] = {
        "uid": str(row["uid"]),
        "subject": subject_view(record),
        "author": person_view(row, "author"),
        "mentions": [RefView(kind="user", key=key, name=name) for key, name in people.items()],
        "html": html(row["text"], people=people) if "html" in names else "",
    }
    return CommentRow(**{name: values[name] if name in values else row[name] for name in names})


def _view(found: Comment, record: Versioned) -> CommentView:
    people = queries.mentioned([found.uid]).get(found.uid, {})
    return CommentView(
        uid=str(found.uid),
        subject=subject_view(record),
        author=ref_view(found.author.ref()),
        text=found.text,
        html=html(found.text, people=people),
        mentions=[RefView(kind="user", key=key, name=name) for key, name in people.items()],
        created_at=found.created_at,
        edited_at=found.edited_at,
        withdrawn_at=found.withdrawn_at,
        version=found.version,
    )


def _comment(controller: ApiController, uid: str, *, status: int = 200, read: bool = False) -> HttpResponse:
    found, record = queries.comment(controller.actor, uid, read=read)
    location = f"/api/v1/comments/{found.uid}" if status == 201 else ""
    return controller.answer(_view(found, record), status=status, version=found.version, location=location)


class CommentsController(ApiController):
    """What is said about records."""

    @operation("", CommentList, files=True)
    def get(self, parsed_query: Query[queries.CommentQuery]) -> HttpResponseBase:
        """List the comments on a record (`kind`, `subject`), or on all records that the caller reads."""
        wanted = picked(parsed_query, FIELDS)

        def read(query: queries.CommentQuery) -> tuple[Page, list[CommentRow]]:
            page = queries.comment_page(self.actor, query)
            named = ((row["subject_kind"], row["subject_uid"]) for row in page.rows)
            records = queries.refs(self.actor, named)
            people = queries.mentioned([row["uid"] for row in page.rows])
            return page, [
                _row(row, records[row["subject_uid"]], people.get(row["uid"], {}), wanted)
                for row in page.rows
                if row["subject_uid"] in records
            ]

        return self.listed(parsed_query, read, FIELDS)

    @operation("workspace.comment", CommentView, status=201, etag=True, dry_run=True)
    def post(self, parsed_body: Body[commands.CreateComment], parsed_query: Query[DryRun]) -> HttpResponse:
        """Comment on a record; `text` is Markdown and names people as `@USR-7`, who are told."""
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        outcome = self.run(parsed_body)
        return _comment(self, made(self, outcome, "workspace.Comment"), status=201)


class CommentController(ApiController):
    """One comment."""

    @operation("", CommentView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read a comment."""
        return _comment(self, parsed_path.key, read=True)

    @operation("workspace.comment", CommentView, etag=True, dry_run=True)
    def patch(
        self, parsed_path: Path[KeyPath], parsed_body: Body[CommentPatch], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Alter one's own comment; what it said before stays in the log."""
        command = commands.EditComment(
            comment=parsed_path.key, version=self.expected(), text=parsed_body.text
        )
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _comment(self, parsed_path.key)

    @operation("workspace.comment", CommentView, etag=True, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Withdraw a comment; that it stood there stays to be seen."""
        command = commands.WithdrawComment(comment=parsed_path.key, version=self.expected())
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _comment(self, parsed_path.key)


urls = [
    path("comments", CommentsController.as_view(), name="comments"),
    path("comments/<str:key>", CommentController.as_view(), name="comment"),
]
