"""Who stands how to an item, over the API."""

from __future__ import annotations

import msgspec
from django.http import HttpResponse
from django.urls import path
from dmr import Body, Path, Query
from msgspec import UNSET, UnsetType

from fairway.accounts.web import ApiController, DryRun, RefView, operation, ref_view
from fairway.catalog import commands, queries
from fairway.catalog.api.shared import KeyPath


class StakeholdersView(msgspec.Struct, kw_only=True):
    """Responsible, accountable, consulted, informed (RACI): people and teams."""

    responsible: list[RefView]
    accountable: RefView | None
    consulted: list[RefView]
    informed: list[RefView]


class StakeholdersBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """People and teams by key; a part that is left out stays."""

    responsible: list[str] | UnsetType = UNSET
    accountable: str | UnsetType | None = UNSET
    consulted: list[str] | UnsetType = UNSET
    informed: list[str] | UnsetType = UNSET


def _stakeholders(controller: ApiController, key: str) -> HttpResponse:
    item = queries.item(controller.actor, key)
    found = {
        part: [ref_view(ref) for ref in refs]
        for part, refs in queries.stakeholders(controller.actor, item).items()
    }
    view = StakeholdersView(
        responsible=found["responsible"],
        accountable=next(iter(found["accountable"]), None),
        consulted=found["consulted"],
        informed=found["informed"],
    )
    return controller.answer(view, version=item.version)


class StakeholdersController(ApiController):
    """The stakeholders of an item."""

    @operation("catalog.view", StakeholdersView, etag=True)
    def get(self, parsed_path: Path[KeyPath]) -> HttpResponse:
        """Read who is responsible, accountable, consulted and informed."""
        return _stakeholders(self, parsed_path.key)

    @operation("catalog.edit", StakeholdersView, etag=True, dry_run=True)
    def put(
        self, parsed_path: Path[KeyPath], parsed_body: Body[StakeholdersBody], parsed_query: Query[DryRun]
    ) -> HttpResponse:
        """Say who they are; a part that is left out stays. The version is that of the item."""
        command = commands.SetStakeholders(
            item=parsed_path.key, version=self.expected(), **msgspec.structs.asdict(parsed_body)
        )
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return _stakeholders(self, parsed_path.key)


urls = [path("items/<str:key>/stakeholders", StakeholdersController.as_view(), name="item-stakeholders")]
