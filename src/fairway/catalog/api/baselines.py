"""Baselines of the catalogue over the API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query
from msgspec import UNSET, Meta, UnsetType

from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.catalog import commands, queries
from fairway.catalog.api.shared import KeyPath, ref_of
from fairway.kernel.api import list_of
from fairway.kernel.errors import Invalid
from fairway.kernel.listing import Page


class BaselineView(msgspec.Struct, kw_only=True):
    """`sequence`: the number of the last event that it holds."""

    key: str
    uid: str
    name: str
    description: str
    organisation: RefView
    sequence: int
    taken_at: datetime
    version: int
    created_at: datetime
    archived_at: datetime | None


BaselineList = list_of(BaselineView)


class ComparedQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`with`: another baseline of the organisation, by key or uid; now, unless told."""

    other: str = msgspec.field(name="with", default="")
    limit: Annotated[int, Meta(ge=1, le=1000)] = 50
    cursor: Annotated[str, Meta(pattern="^[0-9]{0,9}$")] = ""
    count: bool = False


class BaselineField(msgspec.Struct, kw_only=True):
    """Values as the log has them: references by uid, instants in UTC; null: it had none."""

    field: str
    before: Any
    after: Any


class BaselineDifference(msgspec.Struct, kw_only=True):
    """`action`: added, changed or removed. `record`: what; `item`: the item that a part of one belongs to."""

    action: str
    record: RefView
    item: RefView | None
    fields: list[BaselineField]


class BaselineDifferences(msgspec.Struct, kw_only=True):
    items: list[BaselineDifference]
    next: str | None
    count: int | UnsetType = UNSET


_SAME = ("name", "description", "sequence", "taken_at", "version", "created_at", "archived_at")


def _row(row: dict[str, Any]) -> BaselineView:
    return BaselineView(
        key=f"BAS-{row['number']}",
        uid=str(row["uid"]),
        organisation=ref_of("organisation", row, "organisation"),
        **{name: row[name] for name in _SAME},
    )


def _baseline(controller: ApiController, key: str, *, status: int = 200) -> HttpResponse:
    found = queries.baseline(controller.actor, key)
    view = BaselineView(
        key=found.key,
        uid=str(found.uid),
        organisation=ref_view(found.organisation.ref()),
        **{name: getattr(found, name) for name in _SAME},
    )
    location = f"/api/v1/baselines/{found.key}" if status == 201 else ""
    return controller.answer(view, status=status, version=found.version, location=location)


class BaselinesController(ApiController):
    """Baselines of the catalogue."""

    @operation("catalog.view", BaselineList, files=True)
    def get(self, parsed_query: Query[queries.BaselineQuery]) -> HttpResponseBase:
        """List baselines, the last taken first."""

        def read(query: queries.BaselineQuery) -> tuple[Page, list[BaselineView]]:
            page = queries.baseline_page(self.actor, query)
            return page, [_row(row) for row in page.rows]

        return self.listed(parsed_query, read, BaselineView.__struct_fields__)

    @operation("catalog.edit", BaselineView, status=201, etag=True, dry_run=True)
    def post(self, parsed_body: Body[commands.TakeBaseline], parsed_query: Query[DryRun]) -> HttpResponse:
        """Name the catalogue of an organisation, and of all below it, as it stands now."""
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        outcome = self.run(parsed_body)
        if outcome.subject is None:
            raise Invalid("Nothing was taken.")
        return _baseline(self, outcome.subject.key, status=201)


class BaselineController(ApiController):
    """One baseline."""

    @operation("catalog.view", BaselineView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read a baseline by key or uid."""
        return _baseline(self, parsed_path.key)

    @operation("catalog.edit", BaselineView, etag=True, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Archive a baseline: it leaves lists, and stays on record."""
        command = commands.ArchiveBaseline(baseline=parsed_path.key, version=self.expected())
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _baseline(self, parsed_path.key)


class ComparedController(ApiController):
    """What differs between a baseline and now, or another one."""

    @operation("catalog.view", BaselineDifferences)
    def get(self, parsed_path: Path[KeyPath], parsed_query: Query[ComparedQuery]) -> HttpResponse:
        """List what was added, changed and removed of items and their parts: items first, by key."""
        start = queries.baseline(self.actor, parsed_path.key)
        end = queries.baseline(self.actor, parsed_query.other) if parsed_query.other else None
        found = queries.differences(self.actor, start, end)
        first = int(parsed_query.cursor or 0)
        last = first + parsed_query.limit
        view = BaselineDifferences(
            items=[_difference(one) for one in found[first:last]],
            next=str(last) if last < len(found) else None,
            count=len(found) if parsed_query.count else UNSET,
        )
        return self.answer(view)


def _difference(one: queries.Difference) -> BaselineDifference:
    return BaselineDifference(
        action=one.action,
        record=ref_view(one.record),
        item=ref_view(one.about) if one.about is not None else None,
        fields=[
            BaselineField(field=name, before=before, after=after)
            for name, (before, after) in sorted(one.fields.items())
        ],
    )


urls = [
    path("baselines", BaselinesController.as_view(), name="baselines"),
    path("baselines/<str:key>", BaselineController.as_view(), name="baseline"),
    path("baselines/<str:key>/compare", ComparedController.as_view(), name="baseline-compare"),
]
