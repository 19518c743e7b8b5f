"""Baselines of the catalogue, and what lies between two of them: a fold of the log's events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from django.db.models import QuerySet
from msgspec import structs

from fairway.accounts import queries as accounts
from fairway.audit import queries as audit
from fairway.catalog.models import Baseline, ConfigurationItem, Relation
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid, NotFound
from fairway.kernel.listing import Column, Listing, ListQuery, Page, search_words
from fairway.kernel.refs import Ref

MOST_EVENTS = 100_000
"""So many events may lie between two baselines that are compared."""
ITEM, RELATION = "catalog.ConfigurationItem", "catalog.Relation"
COMPARED = frozenset({ITEM, RELATION, "catalog.Redundancy", "catalog.Stakeholder"})
_BOOKKEEPING = frozenset({"version", "created_at", "stakeholder_edits", "number"})
Action = Literal["added", "changed", "removed"]

BASELINES = Listing(
    columns={
        "number": Column("number", "number", sorts=True, prefix=Baseline.prefix),
        "organisation": Column(
            "organisation__slug", sorts=True, refers=accounts.by_slug, through="organisation"
        ),
        "taken_at": Column("taken_at", "instant", sorts=True),
        "created_at": Column("created_at", "instant", sorts=True),
    },
    values=(
        "pk", "uid", "number", "name", "description", "sequence", "taken_at", "version", "created_at",
        "archived_at", "organisation_id", "organisation__uid", "organisation__slug", "organisation__name",
    ),
    sort="-taken_at",
    search=search_words("name"),
)  # fmt: skip


class BaselineQuery(ListQuery, kw_only=True, columns=BASELINES.columns):
    """Filters of the list; `archived=true`: those put away."""

    archived: Literal["", "true", "false"] = ""


@dataclass(slots=True)
class Difference:
    """What became of one record between two instants. `record`: it by key, where it still has one.

    `fields`: name to (before, after), as the log has them; of what was added before is null. Of relations
    and other parts `about` is the item that they belong to.
    """

    model: str
    action: Action
    uid: str
    record: Ref
    about: Ref | None = None
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)


def baselines(actor: Actor) -> QuerySet[Baseline]:
    """Return the baselines that the actor sees, archived ones among them."""
    return accounts.visible(Baseline.objects.all(), actor)


def baseline(actor: Actor, reference: str) -> Baseline:
    """Return the baseline by key or uid.

    :raises NotFound: there is none, or the actor may not see it.
    """
    lookup = Baseline.lookup(reference)
    found = None
    if lookup is not None:
        found = baselines(actor).select_related("organisation").filter(**lookup).first()
    if found is None:
        raise NotFound(f"There is no baseline “{reference[:100]}”.")
    return found


def baseline_page(actor: Actor, query: BaselineQuery) -> Page:
    """Return one page of baselines as plain values.

    :raises Invalid: a filter has no sense.
    """
    rows = baselines(actor).filter(archived_at__isnull=query.archived != "true")
    return BASELINES.page(rows, structs.replace(query, archived=""))


def differences(actor: Actor, start: Baseline, end: Baseline | None = None) -> list[Difference]:
    """Return what differs between a baseline and a later one (None: now), items before their parts, by key.

    Fields that the actor may not see are left out, and so are records of other organisations. What came and
    went in between is none.

    :raises Invalid: the second is earlier or of another branch, or too much lies between.
    """
    if end is not None and end.organisation_id != start.organisation_id:
        raise Invalid.field("with", "Both baselines must be of one organisation.")
    if end is not None and end.sequence < start.sequence:
        start, end = end, start
    below = accounts.descendants(start.organisation_id)
    seen = accounts.access(actor).organisations
    events = audit.feed(
        after=start.sequence,
        until=end.sequence if end is not None else None,
        limit=MOST_EVENTS + 1,
        organisations=below if seen is None else below & seen,
        reader=actor,
    )
    if len(events) > MOST_EVENTS:
        raise Invalid.field(
            "with", f"More than {MOST_EVENTS:,} events lie between; compare with a nearer baseline."
        )
    return _named(_folded(row for event in events for row in event["rows"] if row["model"] in COMPARED))


def _folded(rows: Iterable[Mapping[str, Any]]) -> list[Difference]:
    """Sum up what was written of each record: its first state, and its last."""
    found: dict[tuple[str, str], Difference] = {}
    came: dict[tuple[str, str], bool] = {}
    there: dict[tuple[str, str], bool] = {}
    for row in rows:
        key = (row["model"], row["uid"])
        if key not in found:
            found[key] = Difference(row["model"], "changed", row["uid"], Ref("", ""))
            came[key] = row["action"] == "create"
        there[key] = row["action"] != "remove"
        fields = found[key].fields
        for name, (before, after) in row["changes"].items():
            fields[name] = (fields[name][0] if name in fields else before, after)
    told = []
    for key, difference in found.items():
        archived = difference.fields.pop("archived_at", (None, None))
        was, stays = not came[key] and not archived[0], there[key] and not archived[1]
        difference.fields = {
            name: pair
            for name, pair in difference.fields.items()
            if pair[0] != pair[1] and name not in _BOOKKEEPING and not name.endswith("_folded")
        }
        if was != stays:
            difference.action = "added" if stays else "removed"
        if (was or stays) and (was != stays or difference.fields):
            told.append(difference)
    return told


def _named(found: list[Difference]) -> list[Difference]:
    """Name the records, and the items that parts belong to; two statements."""
    parts = [one.uid for one in found if one.model == RELATION]
    ends = dict(Relation.objects.filter(uid__in=parts).values_list("uid", "source__uid"))
    of = {str(uid): str(source) for uid, source in ends.items()}
    for one in found:
        if one.model != ITEM and one.uid not in of:
            pair = one.fields.get("source_id") or one.fields.get("item_id") or (None, None)
            of[one.uid] = str(pair[1] or pair[0] or "")
    wanted = {one.uid for one in found if one.model == ITEM} | {uid for uid in of.values() if uid}
    items = {
        str(item.uid): item.ref()
        for item in ConfigurationItem.objects.filter(uid__in=wanted).only(
            "uid", "slug", "name", "organisation_id"
        )
    }
    for one in found:
        if one.model == ITEM:
            one.record = items.get(one.uid, Ref("item", "", uid=one.uid))
        else:
            one.about = items.get(of.get(one.uid, ""))
            one.record = Ref(one.model.rpartition(".")[2].lower(), "", uid=one.uid)

    def order(one: Difference) -> tuple[bool, str, str, str]:
        named = one.record if one.model == ITEM else one.about
        return (one.model != ITEM, named.key if named else "", one.model, one.uid)

    return sorted(found, key=order)
