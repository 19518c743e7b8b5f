"""What a link shows: the API's own answer to its maker as of now, and of that only what the link names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import Resolver404, resolve
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from fairway.accounts import queries
from fairway.accounts.models import ShareLink
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid, NotFound
from fairway.kernel.period import parse_instant

SEEING: Final = frozenset({"changes.view", "catalog.view", "environments.view", "calendars.view"})
"""What a link lets through at most, whatever its maker may."""
WHAT = re.compile(r"(changes|items|environments|windows)(?:/([A-Za-z0-9._-]{1,100}))?|calendar")
MOST_ROWS, MOST_DAYS = 200, 92
USUAL = frozenset(
    ("key", "name", "title", "kind", "state", "status", "tier", "items", "environments", "lane", "place")
) | {"start", "end", "planned_start", "planned_end", "starts_at", "ends_at", "zone"}
"""Fields that a new link shows unless others are chosen: what it is, how it stands, when and where."""
NEVER = frozenset({"digest", "decision", "version", "custom", "uid"})
"""Fields that mean nothing outside."""


@dataclass(frozen=True, slots=True)
class Shown:
    """`rows`: one for a record; `names`: their fields, in order; `more`: there are others not here."""

    rows: list[dict[str, Any]]
    names: list[str]
    single: bool
    more: bool = False


def look(actor: Actor, what: str, query: Mapping[str, str], *, at: datetime) -> Shown:
    """Return what the actor sees there now.

    :raises Invalid: nothing of this kind can be shown, or a filter has no sense. :raises NotFound: there is
    no such thing for the actor.
    """
    found = WHAT.fullmatch(what)
    if found is None:
        raise Invalid.field(
            "what", _("Name a change, item, environment or window, a list of these, or calendar.")
        )
    single = found[2] is not None
    asked = dict(query)
    if "format" in asked:
        raise Invalid.field("query", _("A link shows a page, no file; leave format out."))
    if what == "calendar":
        days = _days(asked.pop("days", "30"))
        asked |= {"from": at.isoformat(), "to": (at + timedelta(days=days)).isoformat()}
    elif not single:
        asked["limit"] = str(MOST_ROWS)
    told = _ask(actor, what, asked)
    if what == "calendar":
        names = ["start", "end", "key", "title", "lane", "place", "state"]
        bars = sorted(told["bars"], key=lambda bar: (bar["start"], bar["key"], bar["lane"]))
        return Shown(
            [{name: bar[name] for name in names} for bar in bars[:1000]], names, False, len(bars) > 1000
        )
    rows = [told] if single else told["items"]
    names = [name for name in (rows[0] if rows else {}) if name not in NEVER]
    return Shown(rows, names, single, told.get("next") is not None)


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:4]) <= MOST_DAYS:
        raise Invalid.field("query", _("A calendar shows 1 to %(most)d days.") % {"most": MOST_DAYS})
    return int(text)


def _ask(actor: Actor, what: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Ask the API as somebody, with what a link lets through."""
    path = f"/api/v1/{what}"
    try:
        match = resolve(path)
    except Resolver404 as cause:
        raise NotFound(_("There is no “%(what)s”.") % {"what": what}) from cause
    asked = HttpRequest()
    asked.method, asked.path, asked.path_info = "GET", path, path
    asked.META = {"QUERY_STRING": urlencode(query), "SERVER_NAME": "localhost", "SERVER_PORT": "80"}
    asked.GET = QueryDict(asked.META["QUERY_STRING"])
    asked.user = AnonymousUser()
    narrowed = SEEING if actor.scopes is None else SEEING & actor.scopes
    asked.fairway_actor = replace(actor, scopes=narrowed)  # type: ignore[attr-defined]
    asked.fairway_limits = {}  # type: ignore[attr-defined]
    answer = match.func(asked, *match.args, **match.kwargs)
    told: dict[str, Any] = msgspec.json.decode(answer.content if isinstance(answer, HttpResponse) else b"{}")
    if answer.status_code == 422:
        raise Invalid.field("query", str(told.get("detail", "")))
    if answer.status_code != 200:
        raise NotFound(_("There is no “%(what)s” for you.") % {"what": what})
    return told


def opened(secret: str, *, at: datetime) -> tuple[ShareLink, Shown]:
    """Return a link and what it shows.

    :raises NotFound: it is none, it is over or revoked, or its maker may not see or share that any more.
    """
    links = ShareLink.objects.select_related("maker").filter(revoked_at=None, expires_at__gt=at)
    link = links.filter(digest=queries.digest(secret)).first()
    gone = NotFound(_("This link is void: it is over, it was taken back, or a part of it is missing."))
    if link is None or not link.maker.valid_at(at):
        raise gone
    maker = queries.person(link.maker)
    if not queries.own_access(maker).may("accounts.share", None):
        raise gone
    try:
        found = look(maker, link.what, link.query, at=at)
    except (NotFound, Invalid) as cause:
        raise gone from cause
    return link, redacted(found, link.fields, people=link.people)


def redacted(found: Shown, fields: Sequence[str], *, people: bool) -> Shown:
    """Return the fields that a link names and nothing else; without `people` nobody is named."""
    names = [name for name in fields if name in found.names]
    rows = [{name: _without_people(row.get(name), people) for name in names} for row in found.rows]
    return replace(found, rows=rows, names=names)


def _without_people(value: Any, people: bool) -> Any:
    if isinstance(value, list):
        return [_without_people(one, people) for one in value]
    if isinstance(value, dict):
        if value.get("kind") == "user" and not people:
            return _("somebody")
        if {"kind", "key"} <= value.keys():
            return value.get("name") or value["key"]
        return {name: _without_people(one, people) for name, one in value.items()}
    return value


def told(value: Any) -> list[dict[str, Any]]:
    """Return a value as parts for a page: texts, instants, spans."""
    if value is None or value == "":
        return []
    if isinstance(value, list):
        return [part for one in value for part in told(one)]
    if isinstance(value, dict):
        if value.keys() >= {"start", "end"}:
            return [{"start": _instant(value["start"]), "end": _instant(value["end"])}]
        return [{"text": f"{name}: {one}"} for name, one in value.items() if one not in (None, "")]
    if isinstance(value, bool):
        return [{"text": _("yes") if value else _("no")}]
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)", value):
        return [{"start": _instant(value), "end": None}]
    return [{"text": str(value)}]


def _instant(text: str) -> datetime:
    return parse_instant(text, field="at").astimezone(UTC)
