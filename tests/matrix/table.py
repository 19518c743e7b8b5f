"""Every door with an example of how it is used, and who may: what the tests of the matrix go through.

A new route is added here. A body names records of a branch as they stand in `world.records`; it must succeed
for an administrator of the branch, so that each refusal in the tests has one reason only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .world import Branch, Named, World

Body = Callable[[Branch], dict[str, Any]]


def nothing(branch: Branch) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Entry:
    """How one operation is used.

    An operation is about oneself where its permission is empty: whoever has a token may.

    `at`: the record that the path's `key` names, or all its parameters by name. `query`: what is needed in
    the query, `filters`: what else there names records. `who`: the roles that may, where that does not follow
    from the operation's permission alone. `scopes`: the permissions of which a token needs any one; None:
    that of the operation. `open`: nobody need be signed in.
    `whole`: it alters what holds in the whole tree, which takes the role there.
    `common`: what it tells belongs to no branch; `bare`: it tells no key, name or uid.
    `foreign`: the answer about a record of another branch by key, where that cannot be 404. `missing`: the
    answers to a body that names what there is not. `denial`: whether a refusal is put on record. `answers`:
    what is a success. `named`: a PUT that takes any line of text as the name of a new record.
    """

    at: str | Mapping[str, str] = ""
    body: Body = nothing
    query: Body = nothing
    filters: Body = nothing
    who: frozenset[str] | None = None
    scopes: frozenset[str] | None = None
    common: bool = False
    whole: bool = False
    bare: bool = False
    open: bool = False
    foreign: int = 404
    missing: frozenset[int] = frozenset({404, 422})
    denial: bool = True
    named: bool = False
    answers: frozenset[int] = frozenset(range(200, 300))

    def path(self, branch: Branch) -> dict[str, Named]:
        at = {"key": self.at} if isinstance(self.at, str) else self.at
        return {name: branch.records[record] for name, record in at.items() if record}


def plain(value: Any, *, by: str = "key") -> Any:
    """Return an example as it is sent, records by one of their names."""
    if isinstance(value, Named):
        return getattr(value, by)
    if isinstance(value, dict):
        return {name: plain(one, by=by) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one, by=by) for one in value]
    return value


def references(
    value: Any, where: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Named]]:
    """Yield every record that an example names, with the way to it."""
    if isinstance(value, Named):
        yield where, value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from references(one, (*where, name))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from references(one, (*where, number))


def put(value: Any, where: tuple[str | int, ...], what: Any) -> Any:
    """Return a copy with something else at the end of the way."""
    if not where:
        return what
    copied: Any = dict(value) if isinstance(value, dict) else list(value)
    copied[where[0]] = put(copied[where[0]], where[1:], what)
    return copied


MARKED = "fresh"
"""What new records are called: neither branch's marker, so that a refusal may repeat it."""


def item(branch: Branch) -> dict[str, Any]:
    return {
        "name": MARKED,
        "kind": "system",
        "organisation": branch.organisation,
        "owner_team": branch.team,
    }


def environment(branch: Branch) -> dict[str, Any]:
    return {"name": MARKED, "tier": "staging", "organisation": branch.organisation}


ROLES = frozenset(
    {
        *("viewer", "requester", "implementer", "approver", "change-manager", "environment-manager"),
        *(
            "release-manager",
            "project-manager",
            "test-manager",
            "run-coordinator",
            "auditor",
            "administrator",
        ),
    }
)
"""The built-in roles."""
ADMINISTRATORS = frozenset({"administrator"})
OVERSEERS = frozenset({"administrator", "auditor"})
READS_ITEMS = frozenset({"catalog.view", "workspace.configure"})
ANY = frozenset({"*"})
"""Instead of permissions: any token will do; an empty set: none that is scoped."""
MANAGERS = frozenset({"change-manager", "administrator"})
SHARING = MANAGERS | {"environment-manager", "release-manager", "project-manager", "test-manager"}
COMMENT = frozenset({"workspace.comment"})


PINNERS = MANAGERS | {"requester", "release-manager", "implementer"}
CARRIERS = PINNERS | {"environment-manager"}
"""Who may say what the change of the world affects: its requester and implementer among them."""


def at(branch: Branch, hours: float) -> str:
    """Return an instant so many hours from when the world was made."""
    moment: datetime = branch.extra["now"]
    return (moment + timedelta(hours=hours)).isoformat()


def window(branch: Branch, start: float, end: float) -> list[dict[str, str]]:
    return [{"start": at(branch, start), "end": at(branch, end)}]


def freeze(branch: Branch) -> dict[str, Any]:
    return {
        "name": MARKED,
        "kind": "hard_freeze",
        "organisation": branch.organisation,
        "starts_at": at(branch, 240),
        "ends_at": at(branch, 260),
        "items": [branch.item],
        "environments": [branch.production],
        "environment_groups": [branch.lane],
    }


def windows_as_text(branch: Branch) -> dict[str, Any]:
    once = {
        **{name: value for name, value in freeze(branch).items() if name != "organisation"},
        "items": [branch.item.key],
        "environments": [branch.production.key],
        "environment_groups": [branch.lane.key],
    }
    return {"text": json.dumps({"organisation": branch.organisation.key, "windows": [once]})}


def change(branch: Branch) -> dict[str, Any]:
    return {
        "title": MARKED,
        "organisation": branch.organisation,
        "owner": branch.requester,
        "implementers": [branch.implementer],
        "items": [branch.item, branch.database],
        "primary_item": branch.item,
        "environments": [branch.production],
        "windows": window(branch, 24, 26),
    }


def step(record: str, who: Iterable[str], scopes: Iterable[str], **body: Any) -> Entry:
    """Return how a step of a change is taken: by managers, and by those who stand in a relation to it."""
    return Entry(
        at=record, body=lambda b: body, who=MANAGERS | set(who), scopes=frozenset({"changes.manage", *scopes})
    )


def rows(op: str, body: Body, *, at: str = "") -> Entry:
    """Return how an operation is done in bulk; what is wrong is the row's answer, not that of the whole."""

    def whole(branch: Branch) -> dict[str, Any]:
        key = {"key": branch.records[at], "version": "*"} if at else {}
        return {"rows": [{"op": op, **key, "fields": body(branch)}]}

    return Entry(body=whole, missing=frozenset({200}))


OPERATIONS: dict[str, Entry] = {
    "POST organisations/bulk": rows(
        "patch", lambda b: {"name": MARKED, "parent": b.organisation}, at="office"
    ),
    "POST users/bulk": rows("patch", lambda b: {"name": MARKED, "organisation": b.office}, at="person"),
    "POST teams/bulk": rows(
        "create",
        lambda b: {"slug": MARKED, "name": MARKED, "organisation": b.organisation, "members": [b.person]},
    ),
    "POST grants/bulk": rows(
        "create", lambda b: {"role": "viewer", "organisation": b.organisation, "user": b.service}
    ),
    "POST items/bulk": rows("patch", item, at="item"),
    "POST builds/bulk": rows("patch", lambda b: {"status": "accepted"}, at="build"),
    "POST relations/bulk": rows(
        "create", lambda b: {"source": b.spare, "target": b.network, "kind": "connects-to"}
    ),
    "POST environments/bulk": rows("create", lambda b: {"key": MARKED, **environment(b)}),
    "POST instances/bulk": rows("create", lambda b: {"item": b.spare, "environment": b.production}),
    "POST windows/bulk": rows("create", freeze),
    "POST changes/bulk": rows("create", change),
    "GET organisations": Entry(filters=lambda b: {"parent": b.organisation}),
    "POST organisations": Entry(body=lambda b: {"slug": MARKED, "name": MARKED, "parent": b.organisation}),
    "GET organisations/{key}": Entry(at="organisation"),
    "PATCH organisations/{key}": Entry(
        at="office", body=lambda b: {"name": MARKED, "parent": b.organisation}
    ),
    "GET users": Entry(filters=lambda b: {"organisation": b.organisation}),
    "POST users": Entry(
        body=lambda b: {"email": "fresh@fresh.example", "name": MARKED, "organisation": b.organisation}
    ),
    "GET users/{key}": Entry(at="person"),
    "PATCH users/{key}": Entry(at="person", body=lambda b: {"name": MARKED, "organisation": b.office}),
    "POST users/{key}/activate": Entry(at="leaver"),
    "POST users/{key}/deactivate": Entry(at="person"),
    "POST users/{key}/invite": Entry(at="person"),
    "GET teams": Entry(filters=lambda b: {"organisation": b.organisation, "member": b.person}),
    "POST teams": Entry(
        body=lambda b: {
            "slug": MARKED,
            "name": MARKED,
            "organisation": b.organisation,
            "members": [b.person, b.newcomer],
        }
    ),
    "GET teams/{key}": Entry(at="team"),
    "PATCH teams/{key}": Entry(at="team", body=lambda b: {"name": MARKED}),
    "PUT teams/{key}/members": Entry(at="team", body=lambda b: {"members": [b.person]}),
    "GET roles": Entry(common=True),
    "GET roles/{key}": Entry(at="role", common=True),
    "GET role-proposals": Entry(common=True, who=ADMINISTRATORS, filters=lambda b: {"proposer": b.boss}),
    "POST role-proposals": Entry(
        body=lambda b: {
            "action": "create",
            "role": MARKED,
            "name": MARKED,
            "permissions": ["catalog.view"],
        },
        common=True,
        whole=True,
    ),
    "GET role-proposals/{key}": Entry(at="proposal", common=True, who=ADMINISTRATORS),
    "POST role-proposals/{key}/confirm": Entry(at="proposal", common=True, whole=True),
    "POST role-proposals/{key}/refuse": Entry(
        at="proposal", body=lambda b: {"comment": MARKED}, common=True, whole=True
    ),
    "POST role-proposals/{key}/withdraw": Entry(at="own_proposal", common=True, whole=True),
    "GET grants": Entry(
        filters=lambda b: {"organisation": b.organisation, "user": b.newcomer, "team": b.team}
    ),
    "POST grants": Entry(
        body=lambda b: {"role": "viewer", "organisation": b.organisation, "user": b.service}
    ),
    "DELETE grants/{key}": Entry(at="grant"),
    "PUT organisations/{key}": Entry(
        at="office", body=lambda b: {"name": MARKED, "parent": b.organisation}, foreign=409
    ),
    "PUT teams/{key}": Entry(
        at="team",
        body=lambda b: {"name": MARKED, "organisation": b.organisation, "members": [b.person]},
        foreign=409,
    ),
    "DELETE teams/{key}": Entry(at="team"),
    "DELETE users/{key}": Entry(at="person"),
    "GET service-accounts": Entry(filters=lambda b: {"organisation": b.organisation}),
    "POST service-accounts": Entry(
        body=lambda b: {"slug": MARKED, "name": MARKED, "organisation": b.organisation}
    ),
    "GET service-accounts/{key}": Entry(at="service"),
    "PATCH service-accounts/{key}": Entry(
        at="service", body=lambda b: {"name": MARKED, "organisation": b.office}
    ),
    "DELETE service-accounts/{key}": Entry(at="service"),
    "POST service-accounts/{key}/tokens": Entry(
        at="service", body=lambda b: {"name": MARKED, "scopes": ["accounts.administer"]}
    ),
    "GET rate-limits": Entry(filters=lambda b: {"user": b.service}),
    "POST rate-limits": Entry(body=lambda b: {"user": b.service, "per_minute": 60, "burst": 10}),
    "DELETE rate-limits/{key}": Entry(at="rate_rule"),
    "POST oauth/token": Entry(
        body=lambda b: {
            "grant_type": "client_credentials",
            "client_id": b.service,
            "client_secret": b.extra["client_secret"],
        },
        open=True,
        who=ROLES,
        scopes=ANY,
        missing=frozenset({401}),
    ),
    "GET jobs": Entry(who=ROLES, scopes=ANY),
    "GET jobs/{key}": Entry(at="job", who=OVERSEERS, scopes=ANY),
    **{
        f"POST jobs/{{key}}/{verb}": Entry(at=job, who=ADMINISTRATORS, scopes=frozenset({"jobs.manage"}))
        for verb, job in (("retry", "job"), ("cancel", "waiting_job"), ("discard", "job"))
    },
    "GET webhooks": Entry(who=ROLES, scopes=ANY, filters=lambda b: {"organisation": b.organisation}),
    "POST webhooks": Entry(
        body=lambda b: {"name": MARKED, "url": "https://fresh.example/", "organisation": b.organisation},
        scopes=frozenset(),
    ),
    "GET webhooks/{key}": Entry(at="webhook", who=OVERSEERS, scopes=ANY),
    "PATCH webhooks/{key}": Entry(at="webhook", body=lambda b: {"name": MARKED}, scopes=frozenset()),
    "DELETE webhooks/{key}": Entry(at="webhook", scopes=frozenset()),
    "GET webhooks/{key}/deliveries": Entry(at="webhook", who=OVERSEERS, scopes=ANY, bare=True),
    "POST webhooks/{key}/secret": Entry(at="webhook", scopes=frozenset()),
    "POST webhooks/{key}/test": Entry(at="webhook", scopes=frozenset()),
    "POST webhooks/{key}/replay": Entry(at="webhook", body=lambda b: {"after": 0}, scopes=frozenset()),
    "GET share-links": Entry(),
    "POST share-links": Entry(
        body=lambda b: {"name": MARKED, "what": "changes", "fields": ["key", "title"]},
        who=frozenset(
            {
                *("administrator", "change-manager", "environment-manager", "project-manager"),
                *("release-manager", "run-coordinator", "test-manager"),
            }
        ),
        scopes=frozenset(),
    ),
    "DELETE share-links/{key}": Entry(at="share", who=ADMINISTRATORS),
    "GET tokens": Entry(who=ROLES, scopes=ANY, filters=lambda b: {"user": b.service}),
    "POST tokens": Entry(
        body=lambda b: {"name": MARKED, "user": b.service, "scopes": ["accounts.administer"]},
        who=ADMINISTRATORS,  # for others than themselves
        scopes=frozenset({"accounts.administer"}),
    ),
    "DELETE tokens/{key}": Entry(
        at="service_token", who=ADMINISTRATORS, scopes=frozenset({"accounts.administer"})
    ),
    "GET delegations": Entry(
        who=ROLES, scopes=ANY, filters=lambda b: {"giver": b.viewer, "taker": b.approver}
    ),
    "POST delegations": Entry(
        body=lambda b: {"taker": b.newcomer, "start": at(b, 1), "end": at(b, 2)},
        who=ROLES,
        scopes=frozenset(),
    ),
    "DELETE delegations/{key}": Entry(
        at="delegation",
        who=frozenset({"viewer", "approver", "administrator"}),  # who gave it, who has it
        scopes=frozenset({"accounts.administer"}),
    ),
    "GET field-definitions": Entry(who=ROLES, scopes=ANY, filters=lambda b: {"organisation": b.organisation}),
    "POST field-definitions": Entry(
        body=lambda b: {
            "subject": "item",
            "name": MARKED,
            "label": MARKED,
            "type": "text",
            "organisation": b.organisation,
        }
    ),
    "POST field-definitions/order": Entry(
        body=lambda b: {"subject": "item", "fields": [f"{b.slug}-field"]}, bare=True
    ),
    "GET field-definitions/{key}": Entry(at="field", who=ROLES, scopes=READS_ITEMS),
    "PATCH field-definitions/{key}": Entry(at="field", body=lambda b: {"label": MARKED, "type": "long_text"}),
    "DELETE field-definitions/{key}": Entry(at="field"),
    "POST field-definitions/{key}/restore": Entry(at="former_field"),
    "GET events": Entry(filters=lambda b: {"subject": b.item}),
    "GET events/stream": Entry(query=lambda b: {"after": 0}, filters=lambda b: {"subject": b.item}),
    "GET items": Entry(
        filters=lambda b: {"organisation": b.organisation, "owner_team": b.team, "environment": b.production}
    ),
    "POST items": Entry(body=lambda b: {"key": MARKED, **item(b)}),
    "GET items/{key}": Entry(at="item"),
    "PUT items/{key}": Entry(at="spare", body=item, foreign=409),
    "PATCH items/{key}": Entry(
        at="item", body=lambda b: {"name": MARKED, "organisation": b.organisation, "owner_team": b.team}
    ),
    "DELETE items/{key}": Entry(at="spare"),
    "GET items/{key}/stakeholders": Entry(at="item"),
    "PUT items/{key}/stakeholders": Entry(
        at="item",
        body=lambda b: {"responsible": [b.person], "accountable": b.team},
    ),
    "GET item-kinds": Entry(common=True),
    "POST item-kinds": Entry(body=lambda b: {"key": MARKED, "name": MARKED}, common=True, whole=True),
    "POST item-kinds/order": Entry(body=lambda b: {"keys": ["system"]}, common=True, whole=True),
    "GET item-kinds/{key}": Entry(at="kind_of_items", common=True),
    "PATCH item-kinds/{key}": Entry(
        at="kind_of_items", body=lambda b: {"name": MARKED}, common=True, whole=True
    ),
    "DELETE item-kinds/{key}": Entry(at="kind_of_items", common=True, whole=True),
    "POST item-kinds/{key}/restore": Entry(at="kind_of_items", common=True, whole=True),
    "GET relation-kinds": Entry(common=True),
    "POST relation-kinds": Entry(
        body=lambda b: {
            "key": MARKED,
            "name": MARKED,
            "reverse_name": MARKED,
            "failure": "both",
        },
        common=True,
        whole=True,
    ),
    "POST relation-kinds/order": Entry(body=lambda b: {"keys": ["runs-on"]}, common=True, whole=True),
    "GET relation-kinds/{key}": Entry(at="relation_kind", common=True),
    "PATCH relation-kinds/{key}": Entry(
        at="relation_kind", body=lambda b: {"name": MARKED}, common=True, whole=True
    ),
    "DELETE relation-kinds/{key}": Entry(at="relation_kind", common=True, whole=True),
    "POST relation-kinds/{key}/restore": Entry(at="relation_kind", common=True, whole=True),
    "GET relations": Entry(filters=lambda b: {"source": b.item, "target": b.database, "item": b.item}),
    "POST relations": Entry(body=lambda b: {"source": b.spare, "target": b.network, "kind": "connects-to"}),
    "GET relations/{key}": Entry(at="relation"),
    "PUT relations/{key}": Entry(at="relation"),
    "DELETE relations/{key}": Entry(at="relation"),
    "GET redundancies": Entry(query=lambda b: {"item": b.item}),
    "POST redundancies": Entry(
        body=lambda b: {
            "item": b.database,
            "kind": "runs-on",
            "needed": 1,
            "members": [b.spare, b.network],
            "name": MARKED,
        }
    ),
    "GET redundancies/{key}": Entry(at="redundancy"),
    "PATCH redundancies/{key}": Entry(
        at="redundancy", body=lambda b: {"needed": 2, "members": [b.database, b.spare]}
    ),
    "DELETE redundancies/{key}": Entry(at="redundancy"),
    "GET baselines": Entry(filters=lambda b: {"organisation": b.organisation}),
    "POST baselines": Entry(body=lambda b: {"name": MARKED, "organisation": b.organisation}),
    "GET baselines/{key}": Entry(at="baseline"),
    "DELETE baselines/{key}": Entry(at="baseline"),
    "GET baselines/{key}/compare": Entry(at="baseline", filters=lambda b: {"with": b.baseline}, bare=True),
    "GET builds": Entry(filters=lambda b: {"organisation": b.organisation, "system": b.item}),
    "POST builds": Entry(body=lambda b: {"system": b.item, "build_version": "2.0", "branch": MARKED}),
    "GET builds/{key}": Entry(at="build"),
    "PUT builds/{key}": Entry(at="build", body=lambda b: {"branch": f"{b.slug}-branch"}),
    "PATCH builds/{key}": Entry(at="build", body=lambda b: {"status": "rejected", "reason": MARKED}),
    "DELETE builds/{key}": Entry(at="build"),
    "POST builds/{key}/restore": Entry(at="former_build"),
    "GET catalogue-health": Entry(),
    "GET impact": Entry(query=lambda b: {"item": b.item}),
    "GET environments": Entry(filters=lambda b: {"organisation": b.organisation}),
    "POST environments": Entry(body=lambda b: {"key": MARKED, **environment(b)}),
    "GET environments/{key}": Entry(at="production"),
    "PUT environments/{key}": Entry(at="production", body=environment, foreign=409),
    "PATCH environments/{key}": Entry(
        at="production", body=lambda b: {"name": MARKED, "organisation": b.organisation}
    ),
    "DELETE environments/{key}": Entry(at="integration"),
    "GET environment-groups": Entry(
        filters=lambda b: {"organisation": b.organisation, "environment": b.production}
    ),
    "POST environment-groups": Entry(
        body=lambda b: {
            "key": MARKED,
            "name": MARKED,
            "organisation": b.organisation,
            "members": [b.production, b.integration],
        }
    ),
    "GET environment-groups/{key}": Entry(at="lane"),
    "PUT environment-groups/{key}": Entry(
        at="lane",
        body=lambda b: {"name": MARKED, "organisation": b.organisation, "members": [b.production]},
        foreign=409,
    ),
    "PATCH environment-groups/{key}": Entry(
        at="lane", body=lambda b: {"name": MARKED, "organisation": b.organisation, "members": [b.production]}
    ),
    "DELETE environment-groups/{key}": Entry(at="lane"),
    "GET environment-links": Entry(filters=lambda b: {"parent": b.production, "child": b.mirror}),
    "POST environment-links": Entry(body=lambda b: {"parent": b.integration, "child": b.mirror}),
    "GET environment-links/{key}": Entry(at="link"),
    "DELETE environment-links/{key}": Entry(at="link"),
    "GET instances": Entry(filters=lambda b: {"item": b.item, "environment": b.production}),
    "POST instances": Entry(body=lambda b: {"item": b.spare, "environment": b.production}),
    "GET instances/{key}": Entry(at="instance"),
    "PUT instances/{key}": Entry(at="instance"),
    "DELETE instances/{key}": Entry(at="instance"),
    "POST imports": Entry(
        body=lambda b: {
            "kind": "items",
            "text": f"key,name,kind\n{MARKED},{MARKED},system\n",
            "organisation": b.organisation,
        },
        missing=frozenset({200}),  # the row is refused, not the table
        denial=False,  # refused before any row becomes a command
    ),
    "GET imports": Entry(filters=lambda b: {"organisation": b.organisation}),
    "GET imports/{key}": Entry(at="import"),
    "POST imports/{key}/cancel": Entry(at="import"),
    "GET windows": Entry(filters=lambda b: {"organisation": b.organisation}),
    "POST windows": Entry(body=freeze),
    "GET windows/{key}": Entry(at="freeze"),
    "PATCH windows/{key}": Entry(at="freeze", body=freeze),
    "PUT windows/{key}": Entry(
        at="freeze",
        body=lambda b: {name: value for name, value in freeze(b).items() if name != "name"},
        named=True,
    ),
    "DELETE windows/{key}": Entry(at="freeze"),
    "POST windows/{key}/replan": Entry(at="freeze", body=lambda b: {"edit": {"name": MARKED}}),
    "POST window-texts": Entry(body=windows_as_text),
    "POST windows/{key}/approve": Entry(at="lockdown"),
    "POST windows/{key}/enforce": Entry(at="approved_lockdown"),
    "POST windows/{key}/release": Entry(at="enforced_lockdown"),
    "POST windows/{key}/cancel": Entry(at="lockdown"),
    "GET windows/{key}/occurrences": Entry(
        at="freeze", query=lambda b: {"from": at(b, 0), "to": at(b, 24 * 30)}, bare=True
    ),
    "GET working-calendars": Entry(filters=lambda b: {"organisation": b.organisation}),
    "POST working-calendars": Entry(
        body=lambda b: {
            "key": MARKED,
            "name": MARKED,
            "organisation": b.office,
            "hours": {"tu": ["09:00-12:00"]},
        }
    ),
    "GET working-calendars/{key}": Entry(at="hours"),
    "PUT working-calendars/{key}": Entry(
        at="hours",
        body=lambda b: {"name": MARKED, "organisation": b.organisation, "hours": {"tu": ["09:00-12:00"]}},
        foreign=409,
    ),
    "PATCH working-calendars/{key}": Entry(
        at="hours", body=lambda b: {"name": MARKED, "organisation": b.organisation}
    ),
    "DELETE working-calendars/{key}": Entry(at="hours"),
    "GET working-calendars/{key}/days": Entry(at="hours"),
    "PUT working-calendars/{key}/days/{day}": Entry(
        at={"key": "hours", "day": "a_day"}, body=lambda b: {"name": MARKED}
    ),
    "DELETE working-calendars/{key}/days/{day}": Entry(at={"key": "hours", "day": "a_day"}),
    "GET working-calendars/{key}/time": Entry(
        at="hours", query=lambda b: {"from": at(b, 0), "to": at(b, 24 * 30)}, bare=True
    ),
    "GET conflicts": Entry(
        filters=lambda b: {"item": b.item, "environment": b.production, "subject": b.scheduled}
    ),
    "GET calendar": Entry(
        query=lambda b: {"from": at(b, -24), "to": at(b, 24 * 30)},
        filters=lambda b: {"item": b.item, "environment": b.production},
    ),
    "GET calendar-subscriptions": Entry(),
    "PUT calendar-subscriptions/{key}": Entry(at="organisation"),
    "DELETE calendar-subscriptions/{key}": Entry(at="organisation"),
    "GET feeds": Entry(),
    "POST feeds": Entry(body=lambda b: {"name": MARKED, "item": b.item}, scopes=frozenset()),
    "DELETE feeds/{key}": Entry(at="feed", who=ADMINISTRATORS),
    "GET slots": Entry(
        query=lambda b: {"change": b.scheduled, "sort": "start", "within": "P7D"},
        filters=lambda b: {"change": b.scheduled},
    ),
    "GET changes": Entry(
        filters=lambda b: {"organisation": b.organisation, "item": b.item, "environment": b.production}
    ),
    "POST changes": Entry(body=change),
    "GET changes/{key}": Entry(at="scheduled"),
    "PATCH changes/{key}": Entry(
        at="draft",
        body=lambda b: {name: value for name, value in change(b).items() if name != "organisation"},
        who=MANAGERS | {"requester", "release-manager"},
        scopes=frozenset({"changes.edit", "changes.manage"}),
    ),
    "GET changes/{key}/findings": Entry(at="scheduled"),
    "GET changes/{key}/steps": Entry(at="scheduled", bare=True),
    "GET changes/{key}/impact": Entry(at="scheduled"),
    "POST changes/{key}/pins": Entry(
        at="scheduled",
        body=lambda b: {"item": b.network, "affected": True, "reason": MARKED},
        who=PINNERS,
        scopes=frozenset({"changes.assess", "changes.edit", "changes.manage"}),
    ),
    "DELETE changes/{key}/pins/{item}": Entry(
        at={"key": "scheduled", "item": "spare"},
        who=PINNERS,
        scopes=frozenset({"changes.assess", "changes.edit", "changes.manage"}),
    ),
    "PUT changes/{key}/conflicts/{other}": Entry(
        at={"key": "scheduled", "other": "held"},
        body=lambda b: {"rule": "claims.same_item", "accepted": True, "reason": MARKED},
        who=PINNERS,
        scopes=frozenset({"changes.assess", "changes.edit", "changes.manage"}),
    ),
    "GET changes/{key}/builds": Entry(at="scheduled"),
    "POST changes/{key}/builds": Entry(
        at="draft",
        body=lambda b: {"build": b.build},
        who=CARRIERS,
        scopes=frozenset({"catalog.register", "changes.assess", "changes.edit", "changes.manage"}),
    ),
    "DELETE changes/{key}/builds/{build}": Entry(
        at={"key": "scheduled", "build": "build"},
        who=CARRIERS,
        scopes=frozenset({"catalog.register", "changes.assess", "changes.edit", "changes.manage"}),
    ),
    "POST changes/{key}/submit": step("draft", {"requester"}, {}),
    "POST changes/{key}/vote": Entry(
        at="authorising",
        body=lambda b: {"choice": "approve", "digest": b.extra["digest"]},
        who=MANAGERS | {"approver"},
        scopes=frozenset({"changes.approve"}),
    ),
    "POST changes/{key}/return": step(
        "authorising", {"requester", "approver"}, {"changes.approve", "changes.assess"}, reason=MARKED
    ),
    "POST changes/{key}/start": step("scheduled", {"implementer"}, {}),
    "POST changes/{key}/complete": step("implementing", {"implementer"}, {}, outcome="successful"),
    "POST changes/{key}/close": step("reviewing", {"requester"}, {}),
    "POST changes/{key}/cancel": step("scheduled", {"requester"}, {}, reason=MARKED),
    "POST changes/{key}/hold": step(
        "scheduled", {"requester", "implementer", "approver"}, {"changes.approve"}, reason=MARKED
    ),
    "POST changes/{key}/resume": step("held", {"requester", "implementer", "approver"}, {"changes.approve"}),
    "POST changes/{key}/reschedule": Entry(
        at="draft",
        body=lambda b: {"windows": window(b, 24, 26)},
        who=MANAGERS | {"requester", "release-manager"},
        scopes=frozenset({"changes.edit", "changes.manage"}),
    ),
    "GET changes/{key}/edits": Entry(at="proposing"),
    "POST changes/{key}/edits": Entry(
        at="draft",
        body=lambda b: {"items": [b.item], "patch": {"criticality": 2, "organisation": b.office}},
        who=MANAGERS | {"requester", "release-manager"},
        scopes=frozenset({"changes.edit", "changes.manage"}),
    ),
    "DELETE changes/{key}/edits/{item}": Entry(
        at={"key": "proposing", "item": "item"},
        who=MANAGERS | {"requester", "release-manager"},
        scopes=frozenset({"changes.edit", "changes.manage"}),
    ),
    "POST changes/{key}/apply-edits": step("implementing", {"implementer"}, {}),
    "GET drifts": Entry(filters=lambda b: {"organisation": b.organisation, "item": b.item}),
    "GET drifts/{key}": Entry(at="drift"),
    "POST drifts/{key}/dismiss": Entry(at="drift", body=lambda b: {"reason": MARKED}),
    "POST drifts/{key}/propose": Entry(at="drift"),
    "GET waivers": Entry(filters=lambda b: {"organisation": b.organisation}),
    "POST waivers": Entry(
        body=lambda b: {"change": b.frozen, "finding": b.extra["finding"], "reason": MARKED},
        missing=frozenset({404, 409, 422}),
    ),
    "GET waivers/{key}": Entry(at="waiver"),
    "POST waivers/{key}/grant": Entry(at="waiver"),
    "POST waivers/{key}/refuse": Entry(at="waiver", body=lambda b: {"reason": MARKED}),
    "POST waivers/{key}/revoke": Entry(at="granted", body=lambda b: {"reason": MARKED}),
    "GET windows/{key}/waiver-quota": Entry(at="freeze"),
    "POST windows/{key}/waiver-quota": Entry(at="freeze", body=lambda b: {"most": 3}),
    "GET change-models": Entry(common=True),
    "GET change-models/{key}": Entry(at="model", common=True),
    "GET templates": Entry(common=True),
    "GET templates/{key}": Entry(at="template", common=True),
    # workspace
    "GET attachments": Entry(who=ROLES, scopes=ANY, filters=lambda b: {"kind": "item", "subject": b.item}),
    "POST attachments": Entry(
        body=lambda b: {"kind": "item", "subject": b.item, "name": f"{MARKED}.txt", "content": "ZnJlc2g="}
    ),
    "GET attachments/{key}": Entry(at="file", who=ROLES, scopes=frozenset({"catalog.view"})),
    "GET attachments/{key}/content": Entry(at="file", who=ROLES, scopes=frozenset({"catalog.view"})),
    "DELETE attachments/{key}": Entry(at="file", who=ADMINISTRATORS, scopes=COMMENT),
    "GET comments": Entry(
        who=ROLES, scopes=ANY, filters=lambda b: {"kind": "item", "subject": b.item, "author": b.boss}
    ),
    "POST comments": Entry(
        body=lambda b: {"kind": "change", "subject": b.scheduled, "text": f"{MARKED} @{b.person.key}"}
    ),
    "GET comments/{key}": Entry(at="comment", who=ROLES, scopes=frozenset({"catalog.view"})),
    "PATCH comments/{key}": Entry(
        at="comment", body=lambda b: {"text": MARKED}, who=ADMINISTRATORS, scopes=COMMENT
    ),
    "DELETE comments/{key}": Entry(at="comment", who=ADMINISTRATORS, scopes=COMMENT),
    "GET notifications": Entry(who=ROLES, scopes=ANY, filters=lambda b: {"kind": "item", "subject": b.item}),
    "POST notifications/read": Entry(
        body=lambda b: {"kind": "item", "subject": b.item}, who=ROLES, scopes=frozenset({"catalog.view"})
    ),
    "GET notifications/settings": Entry(who=ROLES, scopes=ANY, common=True),
    "PATCH notifications/settings": Entry(
        body=lambda b: {"mail": "daily", "muted": ["catalog.item.edit"]}, who=ROLES, scopes=ANY
    ),
    "GET watches": Entry(who=ROLES, scopes=ANY),
    "POST watches": Entry(
        body=lambda b: {"kind": "item", "subject": b.item}, who=ROLES, scopes=frozenset({"catalog.view"})
    ),
    "GET history": Entry(query=lambda b: {"kind": "item", "subject": b.item}),
    "GET history/state": Entry(query=lambda b: {"kind": "change", "subject": b.scheduled}),
    "GET history/compare": Entry(
        query=lambda b: {"kind": "item", "subject": b.item, "from": at(b, 0.2)}, bare=True
    ),
    "GET saved-views": Entry(who=ROLES, scopes=ANY, filters=lambda b: {"owner": b.boss}),
    "POST saved-views": Entry(
        body=lambda b: {"page": "items", "name": MARKED, "filters": {"q": MARKED}},
        who=ROLES,
        scopes=frozenset({"catalog.view"}),
    ),
    "GET saved-views/{key}": Entry(at="view", who=ROLES, scopes=ANY),
    "PATCH saved-views/{key}": Entry(
        at="view", body=lambda b: {"name": MARKED}, who=SHARING, scopes=frozenset({"workspace.share"})
    ),
    "DELETE saved-views/{key}": Entry(at="view", who=SHARING, scopes=frozenset({"workspace.share"})),
    "POST saved-views/{key}/choose": Entry(at="view", who=ROLES, scopes=frozenset({"catalog.view"})),
    "POST undo": Entry(
        body=lambda b: {"event": b.extra["undoable"]},
        who=frozenset({"environment-manager", "administrator"}),
        scopes=frozenset({"catalog.edit"}),
    ),
    "GET search": Entry(who=ROLES, scopes=ANY, query=lambda b: {"q": "secret"}),
    "GET decide": Entry(
        query=lambda b: {
            "action": "deploy",
            "system": b.item,
            "environment": b.production,
            "change": b.implementing,
        }
    ),
    "POST decide": Entry(
        body=lambda b: {
            "action": "deploy",
            "system": b.item,
            "environment": b.production,
            "change": b.implementing,
        }
    ),
}


def roles_of(entry: Entry, permission: str | None, world: World) -> frozenset[str]:
    """Return the roles that may do something that takes a permission."""
    if entry.whole:
        return frozenset()
    if entry.who is not None:
        return entry.who
    return frozenset(role for role, permissions in world.roles.items() if permission in permissions)
