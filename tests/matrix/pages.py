"""Every page with an example of how it is used, and who may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .table import ADMINISTRATORS, CARRIERS, MANAGERS, MARKED, OVERSEERS, PINNERS, ROLES, Body, at, nothing
from .world import Branch, Named


@dataclass(frozen=True)
class Page:
    """How one page is used.

    `at`: the record that the path's `key` names, or all its parameters by name. `reads`, `writes`: the
    permission that opening and submitting it takes; empty: of whoever is signed in; None: it cannot be.
    `readers`, `writers`: the roles, where they do not follow from that. `form`: what is submitted, valid.
    `open`: needs no sign-in. `common`: what it tells belongs to no branch. `answers`: to a valid form;
    `writing`: whether it is then written. `also`: other records whose pages are worth a look.
    """

    at: str | Mapping[str, str] = ""
    query: Body = nothing
    reads: str | None = ""
    writes: str | None = None
    form: Body = nothing
    readers: frozenset[str] | None = None
    writers: frozenset[str] | None = None
    open: bool = False
    common: bool = False
    answers: frozenset[int] = frozenset({200, 201, 302})
    writing: bool = True
    also: tuple[str, ...] = ()

    def path(self, branch: Branch) -> dict[str, Named]:
        at = {"key": self.at} if isinstance(self.at, str) else self.at
        return {name: branch.records[record] for name, record in at.items() if record}


def item(branch: Branch) -> dict[str, Any]:
    return {
        "name": MARKED,
        "kind": "system",
        "organisation": branch.organisation,
        "criticality": "3",
        "status": "live",
        "shared": "false",
        "owner_team": branch.team,
        "version": "",
        "attributes": "",
    }


def webhook(branch: Branch) -> dict[str, Any]:
    return {"name": MARKED, "url": "https://fresh.example/", "commands": "catalog.", "kinds": ""}


def environment(branch: Branch) -> dict[str, Any]:
    return {
        "name": MARKED,
        "tier": "staging",
        "control": "coordinated",
        "status": "available",
        "organisation": branch.organisation,
        "zone": "UTC",
        "position": "1",
    }


def held(branch: Branch) -> str:
    """Return the draft's window as the timeline tells of one that is held."""
    return f"{branch.records['draft'].key} {branch.extra['version']} {at(branch, -1)}"


def anything(branch: Branch) -> dict[str, Any]:
    return {"q": "secret"}


def window(branch: Branch) -> dict[str, Any]:
    return {
        "name": MARKED,
        "kind": "hard_freeze",
        "starts": "2030-01-01T10:00",
        "ends": "2030-01-02T10:00",
        "zone": "UTC",
        "repeats": "once",
        "organisation": branch.organisation,
        "items": branch.item,
        "environments": branch.production,
    }


def working(branch: Branch) -> dict[str, Any]:
    return {"name": MARKED, "organisation": branch.office, "zone": "UTC", "mo": "09:00-12:00"}


def change(branch: Branch) -> dict[str, Any]:
    return {
        "title": MARKED,
        "template": "normal",
        "items": branch.item,
        "environments": branch.production,
        "windows-start": "2030-01-01T10:00",
        "windows-end": "2030-01-01T12:00",
        "implementers": branch.implementer,
        "priority": "3",
    }


def by_uid(named: Named) -> Named:
    """Return a record that is known by its uid alone."""
    return Named(named.uid, named.uid)


EDITORS = MANAGERS | {"requester", "release-manager"}
WORKERS = MANAGERS | {"implementer"}

PAGES: dict[str, Page] = {
    "sign-in": Page(open=True, writes=""),
    "sign-out": Page(open=True, reads=None, writes=""),
    "join/<str:uid>/<str:token>": Page(
        at={"uid": "invited", "token": "invitation"},
        open=True,
        writes="",
        form=lambda b: {"password": "correct horse battery staple"},
    ),
    "me": Page(common=True),
    "me/profile": Page(
        reads=None,
        writes="",
        form=lambda b: {"profile-name": MARKED, "profile-zone": "Europe/London", "profile-version": "1"},
    ),
    "me/password": Page(
        reads=None,
        writes="",
        form=lambda b: {"password-present": "not this one", "password-password": "correct horse battery"},
        answers=frozenset({422}),  # nobody here has a password to change; that is only counted
        writing=False,
    ),
    "me/tokens": Page(reads=None, writes="", form=lambda b: {"token-name": MARKED, "token-days": "7"}),
    "me/tokens/<str:uid>/revoke": Page(at={"uid": "service_token"}, reads=None, writes="accounts.administer"),
    "me/zones": Page(common=True, query=lambda b: {"q": "london"}),
    "me/delegations": Page(
        common=True,
        writes="",
        writers=ROLES,  # who sees nobody can name nobody
        form=lambda b: {
            "taker": b.newcomer,
            "period-start": "2030-01-01T10:00",
            "period-end": "2030-01-01T12:00",
        },
    ),
    "me/delegations/<str:uid>/end": Page(
        at={"uid": "delegation"},
        reads=None,
        writes="accounts.administer",
        writers=frozenset({"viewer", "approver", "administrator"}),  # who gave it, who has it
    ),
    "shares": Page(
        reads="accounts.share",
        writes="accounts.share",
        form=lambda b: {
            "name": MARKED,
            "what": "changes",
            "query": "",
            "shown": ["key", "title"],
            "days": "7",
        },
    ),
    "shares/<str:uid>/revoke": Page(at={"uid": "share"}, reads=None, writes="accounts.administer"),
    "shared/<str:token>": Page(at={"token": "shared"}, open=True),
    "administration": Page(reads="accounts.view", common=True),
    "administration/people": Page(reads="accounts.view"),
    "administration/people/pick": Page(reads="accounts.view", query=anything),
    "administration/people/invite": Page(
        reads="accounts.invite",
        writes="accounts.invite",
        form=lambda b: {
            "email": "fresh@fresh.example",
            "name": MARKED,
            "organisation": b.organisation,
            "zone": "UTC",
        },
    ),
    "administration/people/<str:key>": Page(at="person", reads="accounts.view", also=("leaver", "service")),
    "administration/people/<str:key>/grants": Page(
        at="service",
        reads=None,
        writes="accounts.administer",
        form=lambda b: {"role": "viewer", "organisation": b.organisation},
    ),
    "administration/people/<str:key>/activate": Page(at="leaver", reads=None, writes="accounts.administer"),
    "administration/people/<str:key>/deactivate": Page(at="person", reads=None, writes="accounts.administer"),
    "administration/people/<str:key>/invite": Page(at="person", reads=None, writes="accounts.administer"),
    "administration/grants/<str:uid>/revoke": Page(
        at={"uid": "grant"}, reads=None, writes="accounts.administer"
    ),
    "administration/service-accounts": Page(reads="accounts.view"),
    "administration/service-accounts/new": Page(
        reads="accounts.invite",
        writes="accounts.invite",
        form=lambda b: {"name": MARKED, "slug": MARKED, "organisation": b.organisation},
    ),
    "administration/service-accounts/<str:key>": Page(at="service", reads="accounts.view"),
    "administration/service-accounts/<str:key>/tokens": Page(
        at="service",
        reads=None,
        writes="accounts.administer",
        form=lambda b: {"name": MARKED, "days": "7", "scopes": ["accounts.view"]},
    ),
    "administration/service-accounts/<str:key>/tokens/<str:uid>/revoke": Page(
        at={"key": "service", "uid": "service_token"}, reads=None, writes="accounts.administer"
    ),
    "administration/service-accounts/<str:key>/switch": Page(
        at="service", reads=None, writes="accounts.administer", form=lambda b: {"active": "0"}
    ),
    "administration/teams": Page(reads="accounts.view"),
    "administration/teams/new": Page(
        reads="accounts.invite",
        writes="accounts.invite",
        form=lambda b: {"name": MARKED, "slug": MARKED, "organisation": b.organisation, "members": b.person},
    ),
    "administration/teams/<str:key>": Page(at="team", reads="accounts.view"),
    "administration/teams/<str:key>/name": Page(
        at="team", reads=None, writes="accounts.invite", form=lambda b: {"name": MARKED, "version": "1"}
    ),
    "administration/teams/<str:key>/members": Page(
        at="team",
        reads=None,
        writes="accounts.invite",
        form=lambda b: {"members": b.newcomer, "version": "1"},
    ),
    "administration/teams/<str:key>/grants": Page(
        at="team",
        reads=None,
        writes="accounts.administer",
        form=lambda b: {"role": "requester", "organisation": b.organisation},
    ),
    "administration/roles": Page(reads="accounts.view", common=True),
    "administration/roles/new": Page(
        reads="accounts.administer",
        readers=frozenset(),
        writes="accounts.administer",
        writers=frozenset(),
        common=True,
        form=lambda b: {"role": MARKED, "name": MARKED, "permissions": "catalog.view"},
    ),
    "administration/roles/<str:key>": Page(at="role", reads="accounts.view", common=True),
    "administration/roles/<str:key>/edit": Page(
        at="role",
        reads="accounts.administer",
        readers=frozenset(),
        writes="accounts.administer",
        writers=frozenset(),
        common=True,
        form=lambda b: {"name": MARKED, "permissions": "catalog.view"},
    ),
    "administration/roles/<str:key>/remove": Page(
        at="role", reads=None, writes="accounts.administer", writers=frozenset(), common=True
    ),
    "administration/roles/proposals/<str:key>": Page(at="proposal", reads="accounts.administer", common=True),
    "administration/roles/proposals/<str:key>/<str:verb>": Page(
        at={"key": "proposal", "verb": "decision"},
        reads=None,
        writes="accounts.administer",
        writers=frozenset(),
        common=True,
    ),
    "administration/organisations": Page(reads="accounts.view"),
    "administration/organisations/new": Page(
        reads="accounts.administer",
        writes="accounts.administer",
        form=lambda b: {"name": MARKED, "slug": MARKED, "parent": b.organisation},
    ),
    "administration/organisations/<str:key>": Page(
        at="office",
        reads="accounts.view",
        writes="accounts.administer",
        form=lambda b: {"name": MARKED, "parent": b.organisation, "version": "1"},
    ),
    "administration/fields": Page(
        reads="workspace.configure", readers=ADMINISTRATORS, query=lambda b: {"subject": "item"}
    ),
    "administration/fields/new": Page(
        reads="workspace.configure",
        writes="workspace.configure",
        form=lambda b: {
            "name": MARKED,
            "label": MARKED,
            "type": "text",
            "organisation": b.organisation,
        },
    ),
    "administration/fields/<str:key>/edit": Page(
        at="field",
        reads="workspace.configure",
        writes="workspace.configure",
        form=lambda b: {"label": MARKED, "type": "text"},
    ),
    "administration/fields/<str:key>/archive": Page(at="field", reads=None, writes="workspace.configure"),
    "administration/fields/<str:key>/restore": Page(
        at="former_field", reads=None, writes="workspace.configure"
    ),
    "administration/fields/<str:key>/move": Page(
        at="field", reads=None, writes="workspace.configure", form=lambda b: {"way": "down"}, writing=False
    ),
    "administration/kinds": Page(reads="catalog.configure", common=True),
    "administration/kinds/<slug:what>/new": Page(
        at={"what": "kinds_of"},
        reads="catalog.configure",
        readers=frozenset(),
        writes="catalog.configure",
        writers=frozenset(),
        common=True,
        form=lambda b: {"key": MARKED, "name": MARKED},
    ),
    "administration/kinds/<slug:what>/<str:key>/edit": Page(
        at={"what": "kinds_of", "key": "kind_of_items"},
        reads="catalog.configure",
        readers=frozenset(),
        writes="catalog.configure",
        writers=frozenset(),
        common=True,
        form=lambda b: {"name": MARKED},
    ),
    **{
        f"administration/kinds/<slug:what>/<str:key>/{step}": Page(
            at={"what": "kinds_of", "key": "kind_of_items"},
            reads=None,
            writes="catalog.configure",
            writers=frozenset(),
            common=True,
        )
        for step in ("archive", "restore")
    },
    "administration/limits": Page(
        reads="accounts.view",
        writes="accounts.administer",
        form=lambda b: {"user": b.service, "role": "", "per_minute": "60", "burst": "10"},
    ),
    "administration/limits/<str:uid>/remove": Page(
        at={"uid": "rate_rule"}, reads=None, writes="accounts.administer"
    ),
    "administration/events": Page(reads="audit.view", query=lambda b: {"subject": by_uid(b.item)}),
    "administration/jobs": Page(reads="jobs.view"),
    "administration/jobs/<str:key>": Page(at="job", readers=OVERSEERS),
    "administration/jobs/<str:key>/progress-panel": Page(at="job", readers=OVERSEERS),
    "administration/jobs/<str:key>/<str:verb>": Page(
        at={"key": "job", "verb": "retry_verb"}, reads=None, writes="jobs.manage"
    ),
    "administration/webhooks": Page(reads="jobs.view"),
    "administration/webhooks/new": Page(
        reads="jobs.subscribe",
        writes="jobs.subscribe",
        form=lambda b: {**webhook(b), "organisation": b.organisation},
    ),
    "administration/webhooks/<str:key>": Page(at="webhook", readers=OVERSEERS),
    "administration/webhooks/<str:key>/edit": Page(
        at="webhook", reads=None, writes="jobs.subscribe", form=lambda b: {**webhook(b), "version": "1"}
    ),
    "administration/webhooks/<str:key>/replay": Page(
        at="webhook", reads=None, writes="jobs.subscribe", form=lambda b: {"after": "0"}
    ),
    **{
        f"administration/webhooks/<str:key>/{verb}": Page(
            at="webhook", reads=None, writes="jobs.subscribe", form=lambda b: {"active": "0"}
        )
        for verb in ("secret", "test", "switch", "remove")
    },
    "events/panel": Page(reads="audit.view", query=lambda b: {"subject": by_uid(b.item)}),
    "windows": Page(reads="calendars.view"),
    "windows/new": Page(reads="calendars.edit", writes="calendars.edit", form=window),
    "windows/<str:key>": Page(
        at="freeze", reads="calendars.view", also=("weekly", "lockdown", "enforced_lockdown")
    ),
    "windows/<str:key>/edit": Page(at="freeze", reads="calendars.edit", writes="calendars.edit", form=window),
    "windows/<str:key>/hits-panel": Page(at="lockdown", reads="changes.view"),
    **{
        f"windows/<str:key>/{step}": Page(at=record, reads=None, writes="calendars.edit")
        for step, record in (
            *(("approve", "lockdown"), ("cancel", "lockdown")),
            *(("enforce", "approved_lockdown"), ("release", "enforced_lockdown")),
        )
    },
    "windows/<str:key>/archive": Page(at="freeze", reads=None, writes="calendars.edit"),
    "working-calendars": Page(reads="calendars.view"),
    "working-calendars/new": Page(
        reads="calendars.edit", writes="calendars.edit", form=lambda b: {**working(b), "key": MARKED}
    ),
    "working-calendars/<str:key>": Page(at="hours", reads="calendars.view", also=("former_hours",)),
    "working-calendars/<str:key>/edit": Page(
        at="hours", reads="calendars.edit", writes="calendars.edit", form=working
    ),
    "working-calendars/<str:key>/archive": Page(at="hours", reads=None, writes="calendars.edit"),
    "working-calendars/<str:key>/restore": Page(at="former_hours", reads=None, writes="calendars.edit"),
    "working-calendars/<str:key>/days": Page(
        at="hours",
        reads=None,
        writes="calendars.edit",
        form=lambda b: {"name": MARKED, "day": "2030-02-01"},
    ),
    "working-calendars/<str:key>/days/<str:day>/remove": Page(
        at={"key": "hours", "day": "a_day"}, reads=None, writes="calendars.edit"
    ),
    "conflicts": Page(reads="changes.view"),
    "conflicts/<str:one>/<str:other>": Page(
        at={"one": "scheduled", "other": "held"},
        reads="changes.view",
        writes="changes.assess",
        writers=PINNERS,
        form=lambda b: {"owner": "", "accepted": "true", "reason": MARKED},
    ),
    "calendar": Page(reads="changes.view", common=True),
    "calendar/data": Page(
        reads="changes.view", query=lambda b: {"from": at(b, -24), "to": at(b, 24), "item": b.item}
    ),
    "calendar/move": Page(
        reads=None,
        writes="changes.request",
        writers=EDITORS,
        form=lambda b: {"window": held(b), "by": "15", "apply": "1"},
    ),
    "calendar/subscriptions": Page(reads="calendars.view"),
    "calendar/subscriptions/<str:key>": Page(at="organisation", reads=None, writes="calendars.view"),
    "calendar/subscriptions/<str:key>/end": Page(
        at="organisation", reads=None, writes="calendars.view", writing=False
    ),
    "calendar/feeds": Page(
        reads="changes.view", writes="changes.view", form=lambda b: {"name": MARKED, "shows": "all"}
    ),
    "calendar/feeds/<str:uid>/revoke": Page(at={"uid": "feed"}, reads=None, writes="accounts.administer"),
    "feeds/<str:token>.ics": Page(at={"token": "feeding"}, open=True),
    "changes": Page(reads="changes.view"),
    "changes/new": Page(reads="changes.request", writes="changes.request", form=change, common=True),
    "changes/preview": Page(reads=None, writes="changes.view", form=change, writing=False),
    "changes/bulk": Page(
        reads=None,
        writes="changes.request",
        writers=EDITORS,
        form=lambda b: {
            "key": b.records["draft"].key,
            "field": "priority",
            "value-priority": "1",
            "apply": "1",
        },
    ),
    "changes/<str:key>/cell": Page(
        at="draft",
        query=lambda b: {"field": "title"},
        reads="changes.request",
        readers=EDITORS,
        writes="changes.request",
        writers=EDITORS,
        form=lambda b: {"field": "title", "value": MARKED, "version": ""},
    ),
    "changes/panel": Page(reads="changes.view", query=lambda b: {"item": b.item}),
    "changes/people": Page(reads="changes.view", query=anything),
    "changes/<str:key>": Page(
        at="scheduled",
        reads="changes.view",
        also=("draft", "authorising", "held", "implementing", "reviewing"),
    ),
    "changes/<str:key>/edit": Page(
        at="draft",
        reads="changes.request",
        readers=EDITORS,
        writes="changes.request",
        writers=EDITORS,
        form=lambda b: {**change(b), "version": str(b.extra["version"])},
    ),
    "changes/<str:key>/preview": Page(
        at="draft", reads=None, writes="changes.view", form=change, writing=False
    ),
    "changes/<str:key>/finish": Page(
        at="implementing",
        reads="changes.implement",
        readers=WORKERS,
        writes="changes.implement",
        writers=WORKERS,
        form=lambda b: {"outcome": "successful"},
    ),
    "changes/<str:key>/slots": Page(
        at="draft",
        reads="changes.view",
        writes="changes.request",
        writers=EDITORS,
        form=lambda b: {"start": at(b, 24 * 40)},
        also=("scheduled", "implementing"),
    ),
    "changes/<str:key>/next-slot": Page(at="draft", reads="changes.view"),
    "changes/<str:key>/impact": Page(at="scheduled", reads="changes.view", also=("draft",)),
    "changes/<str:key>/graph": Page(at="scheduled", reads="changes.view"),
    "changes/<str:key>/graph/data": Page(at="scheduled", reads="changes.view"),
    "changes/<str:key>/graph/list": Page(at="scheduled", reads="changes.view"),
    "changes/<str:key>/pin": Page(
        at="scheduled",
        reads="changes.assess",
        readers=PINNERS,
        writes="changes.assess",
        writers=PINNERS,
        form=lambda b: {"item": b.network, "affected": "true", "reason": MARKED},
    ),
    "changes/<str:key>/pins/<str:item>/remove": Page(
        at={"key": "scheduled", "item": "spare"}, reads=None, writes="changes.assess", writers=PINNERS
    ),
    "changes/<str:key>/builds": Page(
        at="draft",
        reads="changes.assess",
        readers=CARRIERS,
        writes="changes.assess",
        writers=CARRIERS,
        form=lambda b: {"build": b.build},
    ),
    "changes/<str:key>/builds/panel": Page(at="scheduled", reads="changes.view"),
    "changes/<str:key>/builds/<str:build>/remove": Page(
        at={"key": "scheduled", "build": "build"}, reads=None, writes="changes.assess", writers=CARRIERS
    ),
    "changes/<str:key>/propose": Page(
        at="proposing",
        reads="changes.request",
        readers=MANAGERS | {"requester", "release-manager"},
        writes="changes.request",
        writers=MANAGERS | {"requester", "release-manager"},
        form=lambda b: {"items": [b.item], "criticality": "3", "status": "planned"},
    ),
    "changes/<str:key>/edits/<str:item>/withdraw": Page(
        at={"key": "proposing", "item": "item"},
        reads=None,
        writes="changes.request",
        writers=MANAGERS | {"requester", "release-manager"},
    ),
    "changes/<str:key>/apply": Page(
        at="implementing",
        reads=None,
        writes="changes.implement",
        writers=MANAGERS | {"implementer"},
    ),
    "changes/<str:key>/<slug:verb>": Page(
        at={"key": "draft", "verb": "verb"},
        reads=None,
        writes="changes.request",
        writers=MANAGERS | {"requester"},
    ),
    "": Page(),
    "api": Page(common=True, query=lambda b: {"q": "items"}),
    "api/<str:name>": Page(at={"name": "resource"}, common=True),
    "undo": Page(query=lambda b: {"event": str(b.extra["undoable"])}, reads=None, writes="catalog.edit"),
    "palette": Page(common=True),
    "lists/columns": Page(
        reads=None, writes="catalog.view", form=lambda b: {"page": "items", "columns": ["key", "name"]}
    ),
    "environments/bulk": Page(
        reads=None,
        writes="environments.edit",
        form=lambda b: {"key": b.integration, "field": "status", "value-status": "planned", "apply": "1"},
    ),
    "environments/<str:key>/cell": Page(
        at="production",
        query=lambda b: {"field": "name"},
        reads="environments.edit",
        writes="environments.edit",
        form=lambda b: {"field": "name", "value": MARKED, "version": ""},
    ),
    "windows/bulk": Page(
        reads=None,
        writes="calendars.edit",
        form=lambda b: {"key": b.weekly, "field": "archive", "apply": "1"},
    ),
    "windows/<str:key>/cell": Page(
        at="freeze",
        query=lambda b: {"field": "name"},
        reads="calendars.edit",
        writes="calendars.edit",
        form=lambda b: {"field": "name", "value": MARKED, "version": ""},
    ),
    "items/bulk": Page(
        reads=None,
        writes="catalog.edit",
        form=lambda b: {"key": b.spare, "field": "criticality", "value-criticality": "1", "apply": "1"},
    ),
    "items/<str:key>/cell": Page(
        at="item",
        query=lambda b: {"field": "name"},
        reads="catalog.edit",
        writes="catalog.edit",
        form=lambda b: {"field": "name", "value": MARKED, "version": ""},
    ),
    "search": Page(query=anything),
    "search/suggest": Page(query=lambda b: {"q": b.item}),
    # items
    "items": Page(reads="catalog.view"),
    "catalogue-health": Page(reads="catalog.view"),
    "items/new": Page(reads="catalog.edit", writes="catalog.edit", form=lambda b: {"key": MARKED, **item(b)}),
    "items/pick": Page(reads="catalog.view", query=anything),
    "items/<str:key>": Page(at="item", reads="catalog.view", also=("old",)),
    "items/<str:key>/edit": Page(at="spare", reads="catalog.edit", writes="catalog.edit", form=item),
    "items/<str:key>/archive": Page(at="spare", reads=None, writes="catalog.edit"),
    "items/<str:key>/restore": Page(at="old", reads=None, writes="catalog.edit"),
    "items/<str:key>/relate": Page(
        at="spare",
        reads="catalog.edit",
        writes="catalog.edit",
        form=lambda b: {"how": "out connects-to", "other": b.network},
    ),
    "items/<str:key>/relations/<str:uid>/remove": Page(
        at={"key": "spare", "uid": "relation"}, reads=None, writes="catalog.edit"
    ),
    "items/<str:key>/redundancies/new": Page(
        at="database",
        reads="catalog.edit",
        writes="catalog.edit",
        form=lambda b: {"kind": "runs-on", "members": [b.spare, b.network], "needed": "1", "name": MARKED},
    ),
    "items/<str:key>/redundancies/<str:uid>/remove": Page(
        at={"key": "item", "uid": "redundancy"}, reads=None, writes="catalog.edit"
    ),
    "items/stakeholders/pick": Page(reads="catalog.view", query=anything),
    "items/<str:key>/stakeholders": Page(
        at="item", reads="catalog.edit", writes="catalog.edit", form=lambda b: {"accountable": b.person}
    ),
    "items/<str:key>/impact": Page(at="item", reads="catalog.view"),
    "items/<str:key>/graph": Page(at="item", reads="catalog.view"),
    "items/<str:key>/graph/data": Page(at="item", reads="catalog.view"),
    "items/<str:key>/graph/list": Page(at="item", reads="catalog.view"),
    # builds
    "baselines": Page(
        reads="catalog.view",
        writes="catalog.edit",
        form=lambda b: {"name": MARKED, "organisation": b.organisation},
    ),
    "baselines/<str:key>": Page(at="baseline", reads="catalog.view"),
    "baselines/<str:key>/archive": Page(at="baseline", reads=None, writes="catalog.edit"),
    "builds": Page(reads="catalog.view"),
    "builds/new": Page(
        reads="catalog.register",
        writes="catalog.register",
        form=lambda b: {"system": b.item, "build_version": "3.0", "branch": MARKED},
        common=True,
    ),
    "builds/bulk": Page(
        reads=None,
        writes="catalog.register",
        form=lambda b: {"key": b.build, "field": "status", "value-status": "accepted", "apply": "1"},
    ),
    "builds/pick": Page(reads="catalog.view", query=anything),
    "builds/panel": Page(reads="catalog.view", query=lambda b: {"item": b.item}),
    "builds/<str:key>": Page(at="build", reads="catalog.view", also=("former_build",)),
    "builds/<str:key>/cell": Page(
        at="build",
        reads="catalog.register",
        writes="catalog.register",
        query=lambda b: {"field": "status"},
        form=lambda b: {"field": "status", "value": "accepted"},
    ),
    "builds/<str:key>/status": Page(
        at="build", reads=None, writes="catalog.register", form=lambda b: {"status": "accepted"}
    ),
    "builds/<str:key>/archive": Page(at="build", reads=None, writes="catalog.register"),
    "builds/<str:key>/restore": Page(at="former_build", reads=None, writes="catalog.register"),
    # drift
    "drifts": Page(reads="changes.view"),
    "drifts/<str:key>": Page(at="drift", reads="changes.view"),
    "drifts/<str:key>/propose": Page(at="drift", reads=None, writes="changes.request"),
    "drifts/<str:key>/dismiss": Page(
        at="drift", reads=None, writes="changes.request", form=lambda b: {"reason": MARKED}
    ),
    # waivers
    "waiver-quotas": Page(reads="changes.view"),
    "windows/<str:key>/quota": Page(
        at="freeze", reads=None, writes="calendars.edit", form=lambda b: {"most": "3"}
    ),
    "waivers": Page(reads="changes.view"),
    "waivers/<str:key>": Page(at="waiver", reads="changes.view", also=("granted",)),
    "waivers/<str:key>/grant": Page(at="waiver", reads=None, writes="changes.manage"),
    "waivers/<str:key>/refuse": Page(
        at="waiver", reads=None, writes="changes.manage", form=lambda b: {"reason": MARKED}
    ),
    "waivers/<str:key>/revoke": Page(
        at="granted", reads=None, writes="changes.manage", form=lambda b: {"reason": MARKED}
    ),
    "changes/<str:key>/waive": Page(
        at="frozen",
        query=lambda b: {"finding": b.extra["finding"]},
        reads="changes.request",
        writes="changes.request",
        form=lambda b: {"reason": MARKED},
    ),
    # environments
    "environments": Page(reads="environments.view"),
    "environments/new": Page(
        reads="environments.edit",
        writes="environments.edit",
        form=lambda b: {"key": MARKED, **environment(b)},
    ),
    "environments/pick": Page(reads="environments.view", query=anything),
    "environments/panel": Page(reads="environments.view", query=lambda b: {"item": b.item}),
    "environments/<str:key>": Page(at="production", reads="environments.view", also=("former",)),
    "environments/<str:key>/edit": Page(
        at="production", reads="environments.edit", writes="environments.edit", form=environment
    ),
    "environments/<str:key>/archive": Page(at="integration", reads=None, writes="environments.edit"),
    "environments/<str:key>/restore": Page(at="former", reads=None, writes="environments.edit"),
    "environments/<str:key>/links/new": Page(
        at="integration",
        reads="environments.edit",
        writes="environments.edit",
        form=lambda b: {"child": b.mirror},
    ),
    "environments/<str:key>/links/<str:uid>/remove": Page(
        at={"key": "production", "uid": "link"}, reads=None, writes="environments.edit"
    ),
    "environment-groups": Page(reads="environments.view"),
    "environment-groups/new": Page(
        reads="environments.edit",
        writes="environments.edit",
        form=lambda b: {
            "key": MARKED,
            "name": MARKED,
            "organisation": b.organisation,
            "members": [b.production, b.integration],
        },
    ),
    "environment-groups/<str:key>": Page(at="lane", reads="environments.view", also=("former_lane",)),
    "environment-groups/<str:key>/edit": Page(
        at="lane",
        reads="environments.edit",
        writes="environments.edit",
        form=lambda b: {"name": MARKED, "organisation": b.organisation, "members": [b.integration]},
    ),
    "environment-groups/<str:key>/archive": Page(at="lane", reads=None, writes="environments.edit"),
    "environment-groups/<str:key>/restore": Page(at="former_lane", reads=None, writes="environments.edit"),
    "environments/<str:key>/instances/new": Page(
        at="production",
        reads="environments.edit",
        writes="environments.edit",
        form=lambda b: {"item": b.spare},
    ),
    "environments/<str:key>/instances/<str:uid>/remove": Page(
        at={"key": "production", "uid": "instance"}, reads=None, writes="environments.edit"
    ),
    # workspace
    "activity": Page(
        reads="catalog.view", query=lambda b: {"kind": "item", "subject": b.item, "show": "comments"}
    ),
    "activity/comments": Page(
        reads=None,
        writes="workspace.comment",
        form=lambda b: {"kind": "change", "subject": b.scheduled, "text": f"{MARKED} @{b.person.key}"},
    ),
    "activity/comments/<str:uid>/edit": Page(
        at={"uid": "comment"},
        reads="workspace.comment",
        writes="workspace.comment",
        writers=frozenset({"administrator"}),
        form=lambda b: {"text": MARKED, "version": "1"},
    ),
    "activity/comments/<str:uid>/withdraw": Page(
        at={"uid": "comment"},
        reads=None,
        writes="workspace.comment",
        writers=frozenset({"administrator"}),
    ),
    "history/<str:kind>/<str:key>": Page(at={"kind": "item_kind", "key": "item"}, reads="audit.view"),
    "views": Page(
        reads=None, writes="catalog.view", form=lambda b: {"page": "items", "name": MARKED, "query": "q=x"}
    ),
    "views/choose": Page(
        reads=None, writes="catalog.view", form=lambda b: {"page": "items", "view": by_uid(b.view)}
    ),
    "views/<str:uid>/edit": Page(
        at={"uid": "view"},
        reads="workspace.share",
        writes="workspace.share",
        form=lambda b: {"name": MARKED, "sharing": "organisation", "organisation": b.organisation},
    ),
    "views/<str:uid>/update": Page(
        at={"uid": "view"}, reads=None, writes="workspace.share", form=lambda b: {"query": "q=x"}
    ),
    "views/<str:uid>/archive": Page(at={"uid": "view"}, reads=None, writes="workspace.share"),
    "attachments": Page(
        reads=None,
        writes="workspace.comment",
        form=lambda b: {"kind": "item", "subject": b.item},
        writing=False,
        answers=frozenset({422}),  # without a file; the tests of the workspace bring some
    ),
    "attachments/<str:uid>": Page(at={"uid": "file"}, reads="catalog.view"),
    "attachments/<str:uid>/remove": Page(
        at={"uid": "file"},
        reads=None,
        writes="workspace.comment",
        writers=frozenset({"administrator"}),
    ),
    "notifications": Page(),
    "notifications/read": Page(
        reads=None,
        writes="catalog.view",
        form=lambda b: {"kind": "item", "subject": b.item},
        writing=False,  # most were told nothing
    ),
    "notifications/watch": Page(
        reads=None,
        writes="catalog.view",
        form=lambda b: {"kind": "item", "subject": b.item, "state": "muted"},
    ),
    "notifications/mute": Page(reads=None, writes="", form=lambda b: {"command": "catalog.item.edit"}),
    "notifications/settings": Page(
        writes="", form=lambda b: {"mail": "daily", "reasons": "owner"}, common=True
    ),
    "activity/people": Page(reads="workspace.comment", query=anything),
    "administration/imports": Page(
        reads="catalog.import",
        readers=frozenset({"environment-manager", "change-manager", "release-manager", "administrator"}),
        writes="catalog.import",
        form=lambda b: {"kind": "items", "text": "key,name,kind\nfresh,fresh,system\n"},
    ),
    "administration/imports/<str:uid>": Page(
        at={"uid": "import"},
        reads="catalog.view",
        writes="catalog.import",
        form=lambda b: {"do": "check"},
    ),
}
