"""Links between environments over the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query

from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.environments import commands, queries
from fairway.kernel.api import list_of
from fairway.kernel.listing import Page


class KeyPath(msgspec.Struct):
    key: str


class EnvironmentLinkView(msgspec.Struct, kw_only=True):
    """Whoever takes the parent takes the child, and what is linked below it."""

    uid: str
    parent: RefView
    child: RefView
    version: int
    created_at: datetime


EnvironmentLinkList = list_of(EnvironmentLinkView)


def link_row(row: dict[str, Any]) -> EnvironmentLinkView:
    """Return a row of the list as the API tells it."""
    ends = {
        end: RefView(
            kind="environment", key=row[f"{end}__slug"], name=row[f"{end}__name"], uid=str(row[f"{end}__uid"])
        )
        for end in ("parent", "child")
    }
    return EnvironmentLinkView(
        uid=str(row["uid"]), version=row["version"], created_at=row["created_at"], **ends
    )


def _told(controller: ApiController, uid: str, *, status: int = 200) -> HttpResponse:
    found = queries.link(controller.actor, uid)
    view = EnvironmentLinkView(
        uid=str(found.uid),
        parent=ref_view(found.parent.ref()),
        child=ref_view(found.child.ref()),
        version=found.version,
        created_at=found.created_at,
    )
    location = f"/api/v1/environment-links/{found.uid}" if status == 201 else ""
    return controller.answer(view, status=status, version=found.version, location=location)


class EnvironmentLinksController(ApiController):
    """Links from environments to those that are taken with them."""

    @operation("environments.view", EnvironmentLinkList, files=True)
    def get(self, parsed_query: Query[queries.LinkQuery]) -> HttpResponseBase:
        """List the links of which the caller sees both ends."""

        def read(query: queries.LinkQuery) -> tuple[Page, list[EnvironmentLinkView]]:
            page = queries.link_page(self.actor, query)
            return page, [link_row(row) for row in page.rows]

        return self.listed(parsed_query, read, EnvironmentLinkView.__struct_fields__)

    @operation("environments.edit", EnvironmentLinkView, status=201, etag=True, dry_run=True)
    def post(
        self, parsed_body: Body[commands.CreateEnvironmentLink], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Link an environment below another one."""
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        outcome = self.run(parsed_body)
        return _told(self, outcome.subject.uid if outcome.subject else "", status=201)


class EnvironmentLinkController(ApiController):
    """One link between environments."""

    @operation("environments.view", EnvironmentLinkView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read a link by uid."""
        return _told(self, parsed_path.key)

    @operation("environments.edit", EnvironmentLinkView, etag=True, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Take a link away; answers what it was."""
        command = commands.RemoveEnvironmentLink(link=parsed_path.key, version=self.expected())
        if parsed_query.dry_run:
            return self.preview(command)
        answer = _told(self, parsed_path.key)
        self.run(command)
        return answer


urls = [
    path("environment-links", EnvironmentLinksController.as_view(), name="environment-links"),
    path("environment-links/<str:key>", EnvironmentLinkController.as_view(), name="environment-link"),
]
