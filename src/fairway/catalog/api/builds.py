"""Builds over the API: the register, and which build a digest is."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query
from msgspec import UNSET, UnsetType

from fairway.accounts.bulk import Op, bulk
from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.catalog import commands, queries
from fairway.catalog.api.shared import KeyPath, ref_of
from fairway.kernel.errors import Invalid
from fairway.kernel.listing import Page


class ArtefactView(msgspec.Struct, kw_only=True):
    purl: str
    digest: str


class BuildView(msgspec.Struct, kw_only=True):
    """`name` is system and version (`payments-api@2.3.0`), and names the build like its key.

    `build_version`: what is called version elsewhere; `version` is that of the record. `url`: the run of the
    pipeline. `work_items`: ids in other tools.
    """

    key: str
    uid: str
    name: str
    system: RefView
    build_version: str
    status: str
    reason: str
    tag: str
    branch: str
    commit: str
    commit_url: str
    url: str
    built_at: datetime
    artefacts: list[ArtefactView]
    work_items: list[str]
    organisation: RefView
    version: int
    created_at: datetime
    archived_at: datetime | None


class BuildRow(msgspec.Struct, kw_only=True):
    """A build in a list: all its fields, or those that `fields=` picked."""

    key: str | UnsetType = UNSET
    uid: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    system: RefView | UnsetType = UNSET
    build_version: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    tag: str | UnsetType = UNSET
    branch: str | UnsetType = UNSET
    commit: str | UnsetType = UNSET
    commit_url: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    built_at: datetime | UnsetType = UNSET
    artefacts: list[ArtefactView] | UnsetType = UNSET
    work_items: list[str] | UnsetType = UNSET
    organisation: RefView | UnsetType = UNSET
    version: int | UnsetType = UNSET
    created_at: datetime | UnsetType = UNSET
    archived_at: datetime | UnsetType | None = UNSET


class BuildList(msgspec.Struct, kw_only=True):
    items: list[BuildRow]
    next: str | None
    count: int | UnsetType = UNSET


class BuildBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a pipeline knows of a build, but its system and version."""

    commit: str = ""
    commit_url: str = ""
    branch: str = ""
    tag: str = ""
    url: str = ""
    built_at: datetime | None = None
    artefacts: list[commands.ArtefactFacts | str] = []
    work_items: list[str] = []


class BuildPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A JSON merge patch (RFC 7396) of what may change: never what was built."""

    status: Literal["registered", "accepted", "rejected", "retired"] | UnsetType = UNSET
    reason: str | UnsetType = UNSET


FIELDS = BuildView.__struct_fields__
_SAME = (
    *(
        "name",
        "build_version",
        "status",
        "reason",
        "tag",
        "branch",
        "commit",
        "commit_url",
        "url",
        "built_at",
    ),
    *("version", "created_at", "archived_at"),
)


def _row(row: dict[str, Any]) -> BuildRow:
    return BuildRow(
        key=row["key"],
        uid=str(row["uid"]),
        system=ref_of("item", row, "system"),
        organisation=ref_of("organisation", row, "organisation"),
        artefacts=[ArtefactView(**one) for one in row["artefacts"]],
        work_items=row["work_items"],
        **{name: row[name] for name in _SAME},
    )


def _build(controller: ApiController, key: str, *, status: int = 200) -> HttpResponse:
    found = queries.build(controller.actor, key)
    view = BuildView(
        key=found.key,
        uid=str(found.uid),
        system=ref_view(found.system.ref()),
        organisation=ref_view(found.organisation.ref()),
        artefacts=[ArtefactView(purl=one["purl"], digest=one["digest"]) for one in queries.artefacts(found)],
        work_items=queries.work_items(found),
        **{name: getattr(found, name) for name in _SAME},
    )
    location = f"/api/v1/builds/{found.key}" if status == 201 else ""
    return controller.answer(view, status=status, version=found.version, location=location)


class BuildsController(ApiController):
    """Builds."""

    @operation("catalog.view", BuildList, files=True)
    def get(self, parsed_query: Query[queries.BuildQuery]) -> HttpResponseBase:
        """List builds, the last built first; `digest` and `purl` tell which build an artefact is of."""

        def read(query: queries.BuildQuery) -> tuple[Page, list[BuildRow]]:
            page = queries.build_page(self.actor, query)
            return page, [_row(row) for row in page.rows]

        return self.listed(parsed_query, read, FIELDS)

    @operation("catalog.register", BuildView, status=201, also={200: BuildView}, etag=True, dry_run=True)
    def post(self, parsed_body: Body[commands.RegisterBuild], parsed_query: Query[DryRun]) -> HttpResponse:
        """Register a build. The same again answers 200 and changes nothing; other content is refused."""
        return _register(self, parsed_body, dry_run=parsed_query.dry_run)


class BuildController(ApiController):
    """One build."""

    @operation("catalog.view", BuildView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read a build by key, uid, or system and version (`payments-api@2.3.0`)."""
        return _build(self, parsed_path.key)

    @operation("catalog.register", BuildView, also={201: BuildView}, etag=True, dry_run=True)
    def put(
        self, parsed_path: Path[KeyPath], parsed_body: Body[BuildBody], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Register the build of this name (`payments-api@2.3.0`), for pipelines that may run twice.

        The same again changes nothing, other content is refused (409): so there is nothing to match.
        """
        system, at, version = parsed_path.key.partition("@")
        if not at:
            found = queries.build(self.actor, parsed_path.key)
            system, version = found.system.slug, found.build_version
        command = commands.RegisterBuild(
            system=system, build_version=version, **msgspec.structs.asdict(parsed_body)
        )
        return _register(self, command, dry_run=parsed_query.dry_run)

    @operation("catalog.register", BuildView, etag=True, dry_run=True)
    def patch(
        self, parsed_path: Path[KeyPath], parsed_body: Body[BuildPatch], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Accept, reject (with a reason) or retire a build."""
        command = commands.EditBuild(
            build=parsed_path.key, version=self.expected(), **msgspec.structs.asdict(parsed_body)
        )
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _build(self, parsed_path.key)

    @operation("catalog.register", BuildView, etag=True, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Archive a build: it leaves lists, and its digests stay known."""
        command = commands.ArchiveBuild(build=parsed_path.key, version=self.expected())
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _build(self, parsed_path.key)


class BuildRestoreController(ApiController):
    """An archived build, in use again."""

    @operation("catalog.register", BuildView, etag=True, dry_run=True)
    def post(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Show an archived build in lists again."""
        command = commands.RestoreBuild(build=parsed_path.key)
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _build(self, parsed_path.key)


def _register(controller: ApiController, command: commands.RegisterBuild, *, dry_run: bool) -> HttpResponse:
    if dry_run:
        return controller.preview(command)
    outcome = controller.run(command)
    if outcome.subject is None:
        raise Invalid("Nothing was registered.")
    return _build(controller, outcome.subject.key, status=201 if outcome.created else 200)


OPS = {
    "register": Op(commands.RegisterBuild),
    "patch": Op(commands.EditBuild, "build", versioned=True),
    "archive": Op(commands.ArchiveBuild, "build", versioned=True),
}

urls = [
    path("builds", BuildsController.as_view(), name="builds"),
    path("builds/bulk", bulk("catalog.register", OPS, what="builds").as_view(), name="builds-bulk"),
    path("builds/<str:key>", BuildController.as_view(), name="build"),
    path("builds/<str:key>/restore", BuildRestoreController.as_view(), name="build-restore"),
]
