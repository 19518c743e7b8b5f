"""The builds that carry a change, over the API; which changes a build carries: `GET /changes?build=`."""

from __future__ import annotations

from datetime import datetime

import msgspec
from django.http import HttpResponse
from django.urls import path
from dmr import Body, Path, Query

from fairway.accounts.web import ApiController, DryRun, RefView, operation
from fairway.changes import commands, queries


class ChangePath(msgspec.Struct):
    key: str


class CarriedPath(msgspec.Struct):
    key: str
    build: str


class CarryBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`build`: key, uid, or system and version (`payments-api@2.3.0`)."""

    build: str


class CarryingView(msgspec.Struct, kw_only=True):
    """A build that carries the change."""

    key: str
    uid: str
    name: str
    system: str
    build_version: str
    status: str
    commit: str
    built_at: datetime


class CarryingList(msgspec.Struct, kw_only=True):
    """The last built first, two hundred at most."""

    change: RefView
    items: list[CarryingView]


def _told(controller: ApiController, key: str) -> HttpResponse:
    dossier = queries.dossier(controller.actor, key)
    change = dossier.change
    rows = [
        CarryingView(
            key=row["key"],
            uid=str(row["uid"]),
            system=row["system__slug"],
            **{name: row[name] for name in ("name", "build_version", "status", "commit", "built_at")},
        )
        for row in queries.carrying(controller.actor, dossier)
    ]
    ref = RefView(kind="change", key=change.key, name=change.title, uid=str(change.uid))
    return controller.answer(CarryingList(change=ref, items=rows))


class CarryingController(ApiController):
    """The builds that carry a change."""

    @operation("changes.view", CarryingList)
    def get(self, parsed_path: Path[ChangePath]) -> HttpResponse:
        """List the builds that carry the change."""
        return _told(self, parsed_path.key)

    @operation("changes.request", CarryingList, dry_run=True)
    def post(
        self, parsed_path: Path[ChangePath], parsed_body: Body[CarryBody], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Say that a build carries the change; answers all that do."""
        command = commands.AttachBuild(change=parsed_path.key, build=parsed_body.build)
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _told(self, parsed_path.key)


class CarriedController(ApiController):
    """One build that carries a change."""

    @operation("changes.request", CarryingList, dry_run=True)
    def delete(self, parsed_path: Path[CarriedPath], parsed_query: Query[DryRun]) -> HttpResponse:
        """Say that a build does not carry the change after all; answers those that do."""
        command = commands.DetachBuild(change=parsed_path.key, build=parsed_path.build)
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _told(self, parsed_path.key)


urls = [
    path("changes/<str:key>/builds", CarryingController.as_view(), name="change-builds"),
    path("changes/<str:key>/builds/<str:build>", CarriedController.as_view(), name="change-build"),
]
