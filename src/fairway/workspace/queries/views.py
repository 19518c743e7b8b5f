"""Saved views: which a person sees, and with which a list opens."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlencode

from django.db.models import F, Q, QuerySet

from fairway.accounts import queries as accounts
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid, NotFound
from fairway.kernel.listing import Column, Listing, ListQuery, Page
from fairway.kernel.models import uid_lookup
from fairway.workspace.models import SavedView, ViewChoice
from fairway.workspace.queries.comments import by_person
from fairway.workspace.queries.fields import PREFIX, visible_fields

NONE = "none"
"""Instead of a view's uid in an address: the list as it comes, whatever opens first."""


@dataclass(frozen=True, slots=True)
class ViewPage:
    """A list that views can be of: `parameters` are those of its address that a view keeps.

    `fields`: what its records are called among those that have fields of their own, which it is filtered by.
    """

    name: str
    label: Any
    path: str
    permission: str
    parameters: frozenset[str]
    columns: frozenset[str] | None = None  # None: whatever the list makes of them
    fields: str = ""


_pages: dict[str, ViewPage] = {}


def register_page(page: ViewPage) -> None:
    """Make a list known."""
    _pages[page.name] = page


def page_of(name: str, *, field: str = "page") -> ViewPage:
    """Return a list by name.

    :raises Invalid: there is none; names those there are.
    """
    found = _pages.get(name)
    if found is None:
        there_are = ", ".join(sorted(_pages))
        raise Invalid.field(field, f"There is no list “{name[:40]}” with saved views; there are {there_are}.")
    return found


def pages() -> Collection[ViewPage]:
    return _pages.values()


SAVED = Listing(
    columns={
        "page": Column("page"),
        "name": Column("name_folded", "folded", sorts=True),
        "owner": Column("owner", refers=by_person),
        "sharing": Column("sharing", choices=tuple(SavedView.Sharing.values)),
        "pinned": Column("pinned", "flag"),
        "created_at": Column("created_at", "instant", sorts=True),
    },
    values=(
        "uid", "page", "name", "filters", "sort", "columns", "sharing", "pinned", "position", "is_default",
        "version", "created_at", "archived_at", "owner__number", "owner__name", "owner__uid",
        "team__uid", "team__slug", "team__name",
        "organisation__uid", "organisation__slug", "organisation__name", "role__slug",
    ),
    sort="name",
)  # fmt: skip


class ViewQuery(ListQuery, kw_only=True):
    page: str = ""
    owner: str = ""
    sharing: str = ""
    pinned: str = ""
    name__contains: str = ""


def views(actor: Actor) -> QuerySet[SavedView]:
    """Return the views that the actor sees: their own, those of their teams, and of organisations.

    A view that is shared with an organisation is for all below it too.
    """
    query = SavedView.objects.filter(archived_at=None)
    mine = Q(owner_id=actor.pk or 0) | Q(team__in=accounts.team_keys(actor))
    own = accounts.access(actor).organisations
    if own is None:
        shared = Q(sharing="organisation")
    else:
        shared = Q(organisation_id__in={above for one in own for above in accounts.branch(one)})
    return query.filter(mine | shared)


def view(actor: Actor, uid: str) -> SavedView:
    """Return a view by uid.

    :raises NotFound: there is none, or it is not for the actor.
    """
    lookup = uid_lookup(uid)
    query = views(actor).select_related("owner", "team", "organisation", "role")
    found = query.filter(**lookup).first() if lookup else None
    if found is None:
        raise NotFound(f"There is no saved view “{uid[:60]}”.")
    return found


def view_page(actor: Actor, query: ViewQuery) -> Page:
    """Return one page of views as plain values."""
    return SAVED.page(views(actor), query)


def may_edit_view(actor: Actor, found: SavedView) -> bool:
    """Say whether the actor may alter a view: the owner, and who shares views where it is shared."""
    if found.owner_id == actor.pk:
        return True
    where = found.owning_organisation
    return where is not None and accounts.access(actor).may("workspace.share", where)


@dataclass(frozen=True, slots=True)
class ViewTab:
    """A view as a tab of its list. `opens`: the list opens with it."""

    uid: str
    name: str
    href: str
    current: bool
    pinned: bool
    mine: bool
    shared: bool
    opens: bool
    editable: bool


@dataclass(frozen=True, slots=True)
class ViewsOf:
    """The views of one list for one person.

    `current`: the one that is looked at; `opening`: the one to open with; both a uid or empty.
    """

    page: ViewPage
    tabs: Sequence[ViewTab]
    current: str
    opening: str

    @property
    def opening_href(self) -> str:
        return next((tab.href for tab in self.tabs if tab.uid == self.opening), "")


def views_of(actor: Actor, page: str, *, current: str = "") -> ViewsOf:
    """Return the views of a list, pinned ones first, and which one it opens with. Three statements."""
    listed = page_of(page)
    rows = list(
        views(actor)
        .filter(page=page)
        .order_by(F("pinned").desc(), "position", "name_folded", "pk")
        .select_related("team")[:100]
    )
    opening = _opening(actor, page, rows)
    tabs = [
        ViewTab(
            str(row.uid), row.name, view_href(listed, row, actor), str(row.uid) == current, row.pinned,
            row.owner_id == actor.pk, row.sharing != SavedView.Sharing.PRIVATE, row.pk == opening,
            may_edit_view(actor, row),
        )
        for row in rows
    ]  # fmt: skip
    return ViewsOf(listed, tabs, current, next((str(row.uid) for row in rows if row.pk == opening), ""))


def _opening(actor: Actor, page: str, rows: Sequence[SavedView]) -> int | None:
    """Return the view that was chosen, else the default for a role of the actor, else that for all."""
    chosen = ViewChoice.objects.filter(person_id=actor.pk or 0, page=page).first()
    if chosen is not None and (chosen.view_id is None or any(row.pk == chosen.view_id for row in rows)):
        return chosen.view_id
    offered = [row for row in rows if row.is_default]
    if any(row.role_id for row in offered):
        held = set(accounts.role_keys(actor))
        for row in offered:
            if row.role_id in held:
                return row.pk
    return next((row.pk for row in offered if row.role_id is None), None)


def view_href(page: ViewPage, found: SavedView, actor: Actor) -> str:
    """Return where a view is looked at: its list, with what it keeps (`seen_filters`) in the address."""
    kept: Mapping[str, Any] = {
        **seen_filters(page, found.filters, actor),
        **({"sort": found.sort} if found.sort else {}),
        **({"columns": ",".join(found.columns)} if found.columns else {}),
        "view": str(found.uid),
    }
    return f"{page.path}?{urlencode(kept)}"


def seen_filters(page: ViewPage, filters: Mapping[str, str], actor: Actor) -> dict[str, str]:
    """Return the filters of a view without those by a field that was put away or is not for the actor.

    The list would refuse these, and whoever a view is shared with is not told of the fields of others.
    """
    own = {name for name in filters if name.startswith(PREFIX)}
    if own:
        known = {one.name for one in visible_fields(actor, page.fields) if one.filterable}
        own = {name for name in own if name.removeprefix(PREFIX).partition("__")[0] not in known}
    return {name: value for name, value in filters.items() if name not in own}


Sharing = Literal["private", "team", "organisation"]
