"""Organisations over the API."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query

from fairway.accounts import commands, queries
from fairway.accounts.api.shared import KeyPath, named
from fairway.accounts.bulk import Op, bulk
from fairway.accounts.models import Organisation
from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.kernel.api import list_of
from fairway.kernel.listing import Column, Listing, ListQuery, Page, search_words

ORGANISATIONS = Listing(
    columns={
        "name": Column("name_folded", "folded", sorts=True),
        "key": Column("slug", sorts=True),
        "parent": Column("parent", refers=queries.by_slug),
    },
    values=("slug", "name", "parent__slug", "parent__name", "parent__uid", "version"),
    sort="name",
    search=search_words("name_folded", "slug"),
)


class OrganisationView(msgspec.Struct, kw_only=True):
    key: str
    uid: str
    name: str
    parent: RefView | None
    version: int


OrganisationList = list_of(OrganisationView)


class OrganisationQuery(ListQuery, kw_only=True, columns=ORGANISATIONS.columns):
    """Filters of the list."""


class OrganisationPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str | msgspec.UnsetType = msgspec.UNSET
    parent: str | msgspec.UnsetType = msgspec.UNSET


class OrganisationBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Without `parent` it stays where it hangs."""

    name: str
    parent: str | None = None


def organisation_view(row: dict[str, Any]) -> OrganisationView:
    parent = None
    if row["parent__slug"]:
        parent = named("organisation", row["parent__slug"], row["parent__name"], row["parent__uid"])
    return OrganisationView(
        key=row["slug"], uid=str(row["uid"]), name=row["name"], parent=parent, version=row["version"]
    )


def _organisation(controller: ApiController, key: str, *, status: int = 200) -> HttpResponse:
    found = queries.organisation(controller.actor, key)
    parent = ref_view(found.parent.ref()) if found.parent else None
    view = OrganisationView(
        key=found.slug, uid=str(found.uid), name=found.name, parent=parent, version=found.version
    )
    location = f"/api/v1/organisations/{found.slug}" if status == 201 else ""
    return controller.answer(view, status=status, version=found.version, location=location)


class OrganisationsController(ApiController):
    """The organisation tree."""

    @operation("accounts.view", OrganisationList, files=True)
    def get(self, parsed_query: Query[OrganisationQuery]) -> HttpResponseBase:
        def read(query: OrganisationQuery) -> tuple[Page, list[OrganisationView]]:
            page = ORGANISATIONS.page(queries.visible(Organisation.objects.all(), self.actor, "pk"), query)
            return page, [organisation_view(row) for row in page.rows]

        return self.listed(parsed_query, read, OrganisationView.__struct_fields__)

    @operation("accounts.administer", OrganisationView, status=201, etag=True, dry_run=True)
    def post(
        self, parsed_body: Body[commands.CreateOrganisation], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        self.run(parsed_body)
        self.request.fairway_actor = queries.renewed(self.actor)  # type: ignore[attr-defined] # sees it now
        return _organisation(self, parsed_body.slug, status=201)


class OrganisationController(ApiController):
    """One organisation."""

    @operation("accounts.view", OrganisationView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        return _organisation(self, parsed_path.key)

    @operation("accounts.administer", OrganisationView, etag=True, dry_run=True)
    def patch(
        self, parsed_path: Path[KeyPath], parsed_body: Body[OrganisationPatch], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        command = commands.EditOrganisation(
            organisation=parsed_path.key,
            version=self.expected(),
            name=parsed_body.name,
            parent=parsed_body.parent,
        )
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _organisation(self, parsed_path.key)

    @operation("accounts.administer", OrganisationView, also={201: OrganisationView}, etag=True, dry_run=True)
    def put(
        self, parsed_path: Path[KeyPath], parsed_body: Body[OrganisationBody], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Create or replace an organisation by its key; replacing needs If-Match."""
        known = queries.organisations(self.actor).filter(slug=parsed_path.key).exists()
        command = commands.PutOrganisation(
            key=parsed_path.key,
            version=self.expected(required=known),
            **msgspec.structs.asdict(parsed_body),
        )
        if parsed_query.dry_run:
            return self.preview(command)
        outcome = self.run(command)
        self.request.fairway_actor = queries.renewed(self.actor)  # type: ignore[attr-defined] # sees it now
        return _organisation(self, parsed_path.key, status=201 if outcome.created else 200)


ORGANISATION_OPS = {
    "create": Op(commands.CreateOrganisation),
    "put": Op(commands.PutOrganisation, "key", OrganisationBody),
    "patch": Op(commands.EditOrganisation, "organisation", versioned=True),
}


urls = [
    path("organisations", OrganisationsController.as_view(), name="organisations"),
    path(
        "organisations/bulk",
        bulk("accounts.administer", ORGANISATION_OPS, what="organisations").as_view(),
        name="organisations-bulk",
    ),
    path("organisations/<str:key>", OrganisationController.as_view(), name="organisation"),
]
