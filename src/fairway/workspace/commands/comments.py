"""Saying something about a record, saying it better, and taking it back."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan, expect
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, FieldError, Forbidden, Invalid
from fairway.kernel.models import Row, Versioned
from fairway.kernel.text import prose
from fairway.ui.markdown import mentions
from fairway.workspace import queries
from fairway.workspace.events import WorkspaceEvent
from fairway.workspace.models import Comment, Mention

LONGEST, MOST_NAMED = 20_000, 50


class CreateComment(Command, name=WorkspaceEvent.COMMENT_CREATE):
    """Comment on a record, in Markdown; whom it names (`@USR-…`) is told, if they may see the record."""

    permission: ClassVar[str] = "workspace.comment"
    kind: str
    subject: str
    text: str

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        record = queries.subject(actor, self.kind, self.subject)
        accounts.require(actor, self.permission, at=record.owning_organisation)
        made = Comment(
            subject_kind=record.kind,
            subject_uid=record.uid,
            organisation_id=queries.place(record),
            author=accounts.myself(actor),
            text=queries.with_keys(actor, record, _words(self.text)),
        )
        named: list[Row] = [
            Mention(comment=made, person=person) for person in _named(actor, record, made.text)
        ]
        return Plan(subject=record, create=[made, *named])


class EditComment(Command, name=WorkspaceEvent.COMMENT_EDIT):
    """Say one's own comment better; what it said before stays in the log."""

    permission: ClassVar[str] = "workspace.comment"
    comment: str
    text: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found, record = queries.comment(actor, self.comment)
        accounts.require(actor, self.permission, at=record.owning_organisation)
        if found.author_id != actor.pk:
            raise Forbidden("A comment is edited by nobody but who wrote it; write one of your own.")
        _standing(found)
        expect(found, self.version)
        text = queries.with_keys(actor, record, _words(self.text))
        if text == found.text:
            return Plan(subject=record)
        people = {person.pk: person for person in _named(actor, record, text)}
        before = {row.person_id: row for row in found.mentions.all()}
        return Plan(
            subject=record,
            create=[
                Mention(comment=found, person=person) for pk, person in people.items() if pk not in before
            ],
            change=[(found, {"text": text, "edited_at": at})],
            remove=[row for pk, row in before.items() if pk not in people],
        )


class WithdrawComment(Command, name=WorkspaceEvent.COMMENT_WITHDRAW):
    """Take a comment back: one's own, or as administrator; that it stood there stays to be seen."""

    permission: ClassVar[str] = "workspace.comment"
    comment: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found, record = queries.comment(actor, self.comment)
        where = record.owning_organisation
        accounts.require(actor, self.permission, at=where)
        if found.author_id != actor.pk and not accounts.access(actor).may("accounts.administer", where):
            raise Forbidden("A comment is withdrawn by who wrote it, or by an administrator.")
        _standing(found)
        expect(found, self.version)
        gone = {"text": "", "withdrawn_at": at, "withdrawn_by": accounts.myself(actor)}
        return Plan(subject=record, change=[(found, gone)], remove=list(found.mentions.all()))


def _words(text: str) -> str:
    words = prose(text, field="text", longest=LONGEST)
    if not words:
        raise Invalid.field("text", "A comment needs words.")
    return words


def _named(actor: Actor, record: Versioned, text: str) -> list[Any]:
    """Return the people whom a text names.

    :raises Invalid: there are too many, or one whom the actor cannot name.
    """
    keys = mentions(text)
    if len(keys) > MOST_NAMED:
        raise Invalid.field("text", f"It names {len(keys)} people; {MOST_NAMED} are the most.")
    people = queries.people_named(actor, record, keys) if keys else []
    known = {person.key for person in people}
    missing = [key for key in keys if key not in known]
    if missing:
        raise Invalid.fields([FieldError("text", f"There is nobody active called {key}.") for key in missing])
    return people


def _standing(found: Comment) -> None:
    if found.withdrawn_at is not None:
        raise Conflict("This comment was withdrawn.", code="workspace.comment.withdrawn")
