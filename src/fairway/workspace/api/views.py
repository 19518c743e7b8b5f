"""Saved views over the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpResponse
from django.urls import path
from dmr import Body, Path, Query
from msgspec import UNSET, UnsetType

from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.kernel.actor import Actor
from fairway.workspace import commands, queries
from fairway.workspace.api.shared import KeyPath, person_view
from fairway.workspace.models import SavedView
from fairway.workspace.queries.views import Sharing


class SavedViewView(msgspec.Struct, kw_only=True):
    """Filters, order and columns of a list under a name; `address`: where it is looked at.

    `is_default`: the list opens with it for all who see it, or for those who have `role`.
    """

    uid: str
    page: str
    name: str
    filters: dict[str, str]
    sort: str
    columns: list[str]
    sharing: str
    team: RefView | None
    organisation: RefView | None
    owner: RefView
    pinned: bool
    position: int
    is_default: bool
    role: str | None
    address: str
    version: int
    created_at: datetime
    archived_at: datetime | None


class SavedViewList(msgspec.Struct, kw_only=True):
    items: list[SavedViewView]
    next: str | None
    count: int | UnsetType = UNSET


class SavedViewPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A JSON merge patch (RFC 7396)."""

    name: str | UnsetType = UNSET
    filters: dict[str, str] | UnsetType = UNSET
    sort: str | UnsetType = UNSET
    columns: list[str] | UnsetType = UNSET
    sharing: Sharing | UnsetType = UNSET
    team: str | UnsetType | None = UNSET
    organisation: str | UnsetType | None = UNSET
    pinned: bool | UnsetType = UNSET
    position: int | UnsetType = UNSET
    is_default: bool | UnsetType = UNSET
    role: str | UnsetType | None = UNSET


class Chosen(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`chosen`: whether the list opens with this view for the caller; else with what is offered to all."""

    chosen: bool = True


class ChoiceView(msgspec.Struct, kw_only=True):
    """The view that a list opens with for the caller, None: as it comes."""

    page: str
    opens_with: str | None


SAME = (
    *("page", "name", "sort", "columns", "sharing", "pinned", "position", "is_default", "version"),
    *("created_at", "archived_at"),
)


def _row(row: dict[str, Any], actor: Actor) -> SavedViewView:
    def place(kind: str) -> RefView | None:
        if row[f"{kind}__uid"] is None:
            return None
        return RefView(
            kind=kind, key=row[f"{kind}__slug"], name=row[f"{kind}__name"], uid=str(row[f"{kind}__uid"])
        )

    owner, page = person_view(row, "owner"), queries.page_of(row["page"])
    kept = SavedView(uid=row["uid"], filters=row["filters"], sort=row["sort"], columns=row["columns"])
    return SavedViewView(
        uid=str(row["uid"]),
        owner=owner or RefView(kind="user", key=""),
        team=place("team"),
        organisation=place("organisation"),
        role=row["role__slug"],
        address=queries.view_href(page, kept, actor),
        filters=queries.seen_filters(page, row["filters"], actor),
        **{name: row[name] for name in SAME},
    )


def _view(found: SavedView, actor: Actor) -> SavedViewView:
    page = queries.page_of(found.page)
    return SavedViewView(
        uid=str(found.uid),
        owner=ref_view(found.owner.ref()),
        team=ref_view(found.team.ref()) if found.team is not None else None,
        organisation=ref_view(found.organisation.ref()) if found.organisation is not None else None,
        role=found.role.slug if found.role is not None else None,
        address=queries.view_href(page, found, actor),
        filters=queries.seen_filters(page, found.filters, actor),
        **{name: getattr(found, name) for name in SAME},
    )


def _answer(controller: ApiController, uid: str, *, status: int = 200) -> HttpResponse:
    found = queries.view(controller.actor, uid)
    location = f"/api/v1/saved-views/{found.uid}" if status == 201 else ""
    return controller.answer(
        _view(found, controller.actor), status=status, version=found.version, location=location
    )


class SavedViewsController(ApiController):
    """Views of lists that the caller keeps, or that are shared with them."""

    @operation("", SavedViewList)
    def get(self, parsed_query: Query[queries.ViewQuery]) -> HttpResponse:
        """List saved views; `page`: those of one list."""
        page = queries.view_page(self.actor, parsed_query)
        return self.page(page, [_row(row, self.actor) for row in page.rows])

    @operation("", SavedViewView, status=201, etag=True, dry_run=True)
    def post(self, parsed_body: Body[commands.CreateView], parsed_query: Query[DryRun]) -> HttpResponse:
        """Keep a view; it takes the permission to read that list, and workspace.share to share it."""
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        outcome = self.run(parsed_body)
        return _answer(self, outcome.subject.uid if outcome.subject else "", status=201)


class SavedViewController(ApiController):
    """One saved view."""

    @operation("", SavedViewView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read a saved view."""
        return _answer(self, parsed_path.key)

    @operation("", SavedViewView, etag=True, dry_run=True)
    def patch(
        self, parsed_path: Path[KeyPath], parsed_body: Body[SavedViewPatch], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Alter what is given; owners may, and who shares views where it is shared."""
        command = commands.EditView(
            view=parsed_path.key, version=self.expected(), **msgspec.structs.asdict(parsed_body)
        )
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _answer(self, parsed_path.key)

    @operation("", SavedViewView, etag=True, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Delete a saved view; answers what it was."""
        command = commands.ArchiveView(view=parsed_path.key, version=self.expected())
        if parsed_query.dry_run:
            return self.preview(command)
        found = queries.view(self.actor, parsed_path.key)
        self.run(command)
        return self.answer(_view(found, self.actor), version=found.version)


class SavedViewChoice(ApiController):
    """With which view a list opens."""

    @operation("", ChoiceView)
    def post(self, parsed_path: Path[KeyPath], parsed_body: Body[Chosen]) -> HttpResponse:
        """Let the list of this view open with it for the caller, or with what is offered to all."""
        found = queries.view(self.actor, parsed_path.key)
        self.run(commands.ChooseView(page=found.page, view=str(found.uid) if parsed_body.chosen else ""))
        opening = queries.views_of(self.actor, found.page).opening
        return self.answer(ChoiceView(page=found.page, opens_with=opening or None))


urls = [
    path("saved-views", SavedViewsController.as_view(), name="saved-views"),
    path("saved-views/<str:key>", SavedViewController.as_view(), name="saved-view"),
    path("saved-views/<str:key>/choose", SavedViewChoice.as_view(), name="saved-view-choose"),
]
