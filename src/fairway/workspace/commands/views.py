"""Keeping views of lists, sharing them, and choosing the one that a list opens with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import UNSET, UnsetType

from fairway.accounts import queries as accounts
from fairway.audit.commands import Command, Plan, expect
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid
from fairway.kernel.models import Row, fold
from fairway.kernel.text import line
from fairway.workspace import queries
from fairway.workspace.events import WorkspaceEvent
from fairway.workspace.models import SavedView, ViewChoice
from fairway.workspace.queries.views import NONE, Sharing

MOST, LONGEST, MOST_COLUMNS = 200, 2_000, 60


class CreateView(Command, name=WorkspaceEvent.VIEW_CREATE):
    """Keep filters, order and columns of a list under a name, for oneself or shared."""

    page: str
    name: str
    filters: dict[str, str] = {}
    sort: str = ""
    columns: list[str] = []
    sharing: Sharing = "private"
    team: str | None = None
    organisation: str | None = None
    pinned: bool = False
    position: int = 0
    is_default: bool = False
    role: str | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        page = queries.page_of(self.page)
        accounts.require(actor, page.permission, at=None)
        made = SavedView(owner=accounts.myself(actor), page=page.name)
        if SavedView.objects.filter(owner=made.owner, archived_at=None).count() >= MOST:
            raise Conflict(f"You keep {MOST} views, which is the most; delete some first.")
        for name, value in _values(actor, made, self).items():
            setattr(made, name, value)
        _free(made, made.name)
        return Plan(subject=made, create=[made])


class EditView(Command, name=WorkspaceEvent.VIEW_EDIT):
    """Alter a view; what is left out stays."""

    view: str
    version: int | None = None
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

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = _editable(actor, self.view)
        expect(found, self.version)
        values = _values(actor, found, self)
        if "name" in values:
            _free(found, values["name"])
        return Plan(subject=found, change=[(found, values)])


class ArchiveView(Command, name=WorkspaceEvent.VIEW_ARCHIVE):
    """Delete a view; lists that opened with it open as they come."""

    view: str
    version: int | None = None

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        found = _editable(actor, self.view)
        expect(found, self.version)
        return Plan(subject=found, change=[(found, {"archived_at": at})])


class ChooseView(Command, name=WorkspaceEvent.VIEW_CHOOSE):
    """Let a list open with a view for oneself; `none`: as it comes; nothing: with what is offered to all."""

    page: str
    view: str = ""

    def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
        page = queries.page_of(self.page)
        accounts.require(actor, page.permission, at=None)
        view = None if self.view in {"", NONE} else queries.view(actor, self.view)
        if view is not None and view.page != page.name:
            raise Invalid.field("view", f"“{view.name}” is no view of this list.")
        known = ViewChoice.objects.filter(person_id=actor.pk or 0, page=page.name)
        chosen = (known.select_for_update(no_key=True) if lock else known).first()
        if self.view == "":
            return Plan(remove=[chosen] if chosen is not None else [])
        if chosen is not None:
            return Plan(change=[(chosen, {"view": view})])
        made: list[Row] = [ViewChoice(person=accounts.myself(actor), page=page.name, view=view)]
        return Plan(create=made)


def _editable(actor: Actor, uid: str) -> SavedView:
    found = queries.view(actor, uid)
    if not queries.may_edit_view(actor, found):
        raise Forbidden(
            "A view is altered by its owner, or by who shares views there; save a copy of your own."
        )
    return found


def _free(found: SavedView, name: str) -> None:
    """:raises Conflict: the owner has another view of this name on the list."""
    others = SavedView.objects.filter(
        owner_id=found.owner_id, page=found.page, name_folded=fold(name), archived_at=None
    )
    if others.exclude(uid=found.uid).exists():
        raise Conflict(f"There is a view “{name}” on this list already.", code="workspace.view.exists")


def _values(actor: Actor, found: SavedView, given: CreateView | EditView) -> dict[str, Any]:
    """Return the columns to be written of what was given.

    :raises Invalid: something has no sense. :raises Forbidden: it may not be shared there.
    """
    values: dict[str, Any] = {}
    if given.name is not UNSET:
        values["name"] = line(given.name, field="name", longest=80)
    if given.filters is not UNSET:
        values["filters"] = _filters(actor, found.page, given.filters)
    if given.sort is not UNSET:
        values["sort"] = line(given.sort, field="sort", longest=60, needed=False)
    if given.columns is not UNSET:
        values["columns"] = _columns(found.page, given.columns)
    if given.position is not UNSET:
        if abs(given.position) > 10_000:
            raise Invalid.field("position", "The position lies between -10,000 and 10,000.")
        values["position"] = given.position
    for name in ("pinned", "is_default"):
        value = getattr(given, name)
        if value is not UNSET:
            values[name] = value
    values |= _sharing(actor, found, given)
    if given.role is not UNSET:
        values["role"] = _role(given.role)
    shared = values.get("sharing", found.sharing) != SavedView.Sharing.PRIVATE
    if values.get("is_default", found.is_default) and not shared:
        raise Invalid.field(
            "is_default", "Only a shared view can be what others' lists open with; choose it for yourself."
        )
    if values.get("is_default") and not found.is_default:
        where = values.get("team") or found.team
        place = (
            where.organisation_id
            if where is not None
            else values["organisation"].pk
            if values.get("organisation")
            else found.organisation_id
        )
        accounts.require(actor, "workspace.share", at=place)
    return values


def _filters(actor: Actor, page: str, given: Mapping[str, str]) -> dict[str, str]:
    listed = queries.page_of(page)
    known = listed.parameters - {"sort", "cursor", "columns", "view"}
    kept: dict[str, str] = {}
    for name, text in given.items():
        own = bool(listed.fields and name.startswith(queries.PREFIX))
        if name not in known and not own:
            raise Invalid.field(
                "filters", f"This list has no filter “{name[:40]}”; there are {', '.join(sorted(known))}."
            )
        value = line(text, field="filters", longest=LONGEST, needed=False)
        if not value:
            continue
        if own:
            try:
                queries.matching(actor, listed.fields, {name: value})
            except Invalid as problem:
                raise Invalid.field("filters", problem.detail) from problem
        kept[name] = value
    return kept


def _columns(page: str, given: Sequence[str]) -> list[str]:
    if len(given) > MOST_COLUMNS:
        raise Invalid.field("columns", f"A list shows at most {MOST_COLUMNS} columns.")
    known = queries.page_of(page).columns
    names = list(dict.fromkeys(line(name, field="columns", longest=80) for name in given))
    unknown = [name for name in names if "," in name or (known is not None and name not in known)]
    if unknown:
        raise Invalid.field("columns", f"This list has no column “{unknown[0][:40]}”.")
    return names


def _sharing(actor: Actor, found: SavedView, given: CreateView | EditView) -> dict[str, Any]:
    """Return with whom a view is shared, where anything about that was given."""
    if given.sharing is UNSET and given.team is UNSET and given.organisation is UNSET:
        return {}
    sharing = found.sharing if given.sharing is UNSET else given.sharing
    team = found.team if given.team is UNSET else accounts.team(actor, given.team) if given.team else None
    place = (
        found.organisation
        if given.organisation is UNSET
        else accounts.organisation(actor, given.organisation)
        if given.organisation
        else None
    )
    if sharing == "private":
        team = place = None
    elif sharing == "team":
        place = None
        if team is None:
            raise Invalid.field("team", "Say which team.")
        if team.pk not in set(accounts.team_keys(actor)):
            accounts.require(actor, "workspace.share", at=team.organisation_id)
    else:
        team = None
        if place is None:
            raise Invalid.field("organisation", "Say which organisation.")
        accounts.require(actor, "workspace.share", at=place.pk)
    return {"sharing": sharing, "team": team, "organisation": place}


def _role(reference: str | None) -> Any:
    return accounts.role(reference) if reference else None
