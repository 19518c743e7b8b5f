"""Taking back over the API."""

from __future__ import annotations

import msgspec
from django.http import HttpResponse
from django.urls import path
from dmr import Body, Query

from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.workspace.commands import UndoEvent


class UndoneView(msgspec.Struct, kw_only=True):
    """What was put back; `event`: the number of the event that tells of it, by which it is done anew."""

    subject: RefView | None
    event: int | None


class UndoController(ApiController):
    """Taking back what an event did."""

    @operation("", UndoneView, dry_run=True)
    def post(self, parsed_body: Body[UndoEvent], parsed_query: Query[DryRun]) -> HttpResponse:
        """Put back what an event changed, within ten minutes; refused where anything changed since.

        It needs what the command itself needs, and undoes an undoing too.
        """
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        done = self.run(parsed_body)
        subject = ref_view(done.subject) if done.subject is not None else None
        return self.answer(UndoneView(subject=subject, event=done.sequence))


urls = [path("undo", UndoController.as_view(), name="undo")]
