"""The changes of a span of time as a timeline draws them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, get_args

from django.db.models import Q
from django.utils.translation import gettext as _

from fairway.accounts import queries as accounts
from fairway.audit import queries as audit
from fairway.calendars import queries as calendars
from fairway.calendars.queries import Target
from fairway.catalog import queries as catalog
from fairway.changes.models import AffectedEnvironment, ChangeModel, PlannedWindow
from fairway.changes.queries.deciding import targets
from fairway.changes.queries.dossier import workflow
from fairway.changes.queries.listing import environments_of, everywhere, items_of, people_of
from fairway.changes.queries.moving import Mover
from fairway.changes.rules import Workflow
from fairway.claims import queries as claims
from fairway.claims.queries import Stretch
from fairway.environments import queries as environments
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid
from fairway.kernel.period import Period
from fairway.policy import Words, tell

MOST_BARS = 10_000
NOWHERE = "-"
"""The lane of what names no item, no environment, or nobody."""
Lanes = Literal["item", "environment", "organisation", "person"]
LANES: tuple[Lanes, ...] = get_args(Lanes)


def timeline(
    actor: Actor,
    period: Period,
    *,
    by: Lanes = "item",
    item: str | None = None,
    environment: str | None = None,
    words: Words | None = None,
) -> dict[str, Any]:
    """Return lanes, bars with their conflicts, and shades, as docs/ui.md describes them; plain values.

    A bar is one planned window on one lane. What the actor may not see is left out; of a conflict with it the
    time alone is told. `item`, `environment`: only changes that name it, by key or uid. `words`: in whose
    zone messages are told.

    :raises NotFound: the actor sees no such item or environment.
    :raises Invalid: there are more bars in the span than can be drawn.
    """
    with audit.steady():
        thing = catalog.item(actor, item).pk if item else None
        place = environments.environment(actor, environment).pk if environment else None
        bars = _bars(actor, period, by, item=thing, environment=place)
        lanes = _lanes(actor, by, {bar["lane_pk"] for bar in bars})
        shown = {lane["pk"] for lane in lanes}
        bars = [bar for bar in bars if bar["lane_pk"] in shown]
        _mark(actor, bars, by, period, item, environment, words or Words())
        shades = _shades(actor, period, by, lanes)
    keys = {lane["pk"]: lane["key"] for lane in lanes}
    return {
        "from": _text(period.start),
        "to": _text(period.end),
        "lanes": [{name: value for name, value in lane.items() if name != "pk"} for lane in lanes],
        "bars": [
            {
                **{name: value for name, value in bar.items() if name not in {"lane_pk", "period"}},
                "id": f"{bar['key']}/{_text(bar['period'].start)}/{keys[bar['lane_pk']]}",
                "lane": keys[bar["lane_pk"]],
                "start": _text(bar["period"].start),
                "end": _text(bar["period"].end),
            }
            for bar in bars
        ],
        "shades": shades,
    }


def _bars(
    actor: Actor, period: Period, by: Lanes, *, item: int | None, environment: int | None
) -> list[dict[str, Any]]:
    rows = PlannedWindow.objects.filter(
        downtime=False, starts_at__lt=period.end, ends_at__gt=period.start, change__archived_at=None
    )
    if item is not None:
        rows = rows.filter(change__affected__item=item)
    if environment is not None:
        there = AffectedEnvironment.objects.filter(environment=environment).values("change")
        rows = rows.filter(Q(change__in=there) | everywhere("change_id"))
    columns = ("change_id", "change__number", "change__title", "change__state", "change__model_id")
    stands = ("change__organisation_id", "change__requester_id", "change__owner_id", "change__version")
    seen = accounts.visible(rows, actor, "change__organisation_id").order_by("starts_at", "change_id")
    found = list(seen.values_list(*columns, *stands, "starts_at", "ends_at")[: MOST_BARS + 1])
    changes = {row[0] for row in found}
    items, places, people = items_of(changes), environments_of(changes), people_of(changes)
    known = environments.facts()
    sees = accounts.access(actor).sees
    models = {model.pk: workflow(model) for model in ChangeModel.objects.all()}
    mover = Mover(actor)
    bars = []
    for change, number, title, state, model, organisation, requester, owner, version, start, end in found:
        strength = _strength(models[model], state)
        if strength is None:
            continue
        named = [known[pk].ref for pk in places.get(change, ())]
        where = ", ".join(ref.key for ref in named if sees(ref))
        doing = people.get(change, ())
        on: Mapping[Lanes, Sequence[int]] = {
            "item": items.get(change, ()),
            "environment": places.get(change, ()),
            "organisation": (organisation,),
            "person": list(dict.fromkeys(pk for pk in (*doing, owner) if pk is not None)),
        }
        stand = (organisation, requester, owner)
        movable = mover.may(models[model], state, *stand, implementers=doing)
        lanes: Sequence[int | None] = on[by] or (None,)
        for lane in lanes:
            bars.append(
                {
                    "key": f"CHG-{number}",
                    "title": title,
                    "kind": "change",
                    "state": state,
                    "strength": strength,
                    "href": f"/changes/CHG-{number}",
                    "place": where,
                    "version": version,
                    "movable": movable,
                    "conflicts": [],
                    "lane_pk": lane,
                    "period": Period(start, end),
                }
            )
    if len(bars) > MOST_BARS:
        told = {"most": MOST_BARS}
        raise Invalid.field(
            "to", _("More than %(most)d bars lie in this span; ask for a shorter one.") % told
        )
    return bars


def _strength(model: Workflow, state: str) -> str | None:
    """Return how firm a bar is drawn; None: not at all."""
    if model.by_slug[state].claim == "none":
        return None
    if not model.ahead(state):
        return "done"
    return model.by_slug[state].claim


def _lanes(actor: Actor, by: Lanes, wanted: set[int | None]) -> list[dict[str, Any]]:
    """Return the lanes in order; each with its `order` as text, so that spans fetched apart can be joined."""
    pks = [pk for pk in wanted if pk is not None]
    found = _LANES_OF[by](actor, pks)
    lanes = [
        {**lane, "order": " ".join(f"{part:02d}" if isinstance(part, int) else part + "\t" for part in order)}
        for order, lane in sorted(found, key=lambda one: one[0])
    ]
    if None in wanted:
        name = {
            "item": _("No item named"),
            "environment": _("Everywhere"),
            "organisation": _("No organisation"),
            "person": _("Nobody named"),
        }[by]
        lanes.append({**_lane(None, NOWHERE, name, "", "", ""), "order": "\uffff"})
    return lanes


_Found = list[tuple[tuple[int | str, ...], dict[str, Any]]]
"""Lanes, each with what it is ordered by."""


def _items(actor: Actor, pks: Sequence[int]) -> _Found:
    sees = accounts.access(actor).sees
    names = dict(accounts.organisations(actor).values_list("pk", "name"))
    notes = {level: _("criticality %(level)d") % {"level": level} for level in range(1, 5)}
    found: _Found = []
    for pk, thing in catalog.facts(pks).items():
        group, note = names.get(thing.organisation, ""), notes[thing.criticality]
        lane = _lane(pk, thing.ref.key, thing.ref.name, group, f"/items/{thing.ref.key}", note)
        if sees(thing.ref):
            found.append(((group, thing.criticality, thing.ref.name.casefold()), lane))
    return found


def _environments(actor: Actor, pks: Sequence[int]) -> _Found:
    sees, known = accounts.access(actor).sees, environments.facts()
    found: _Found = []
    for pk in pks:
        place = known[pk]
        order = list(type(place.tier)).index(place.tier)
        note = str(place.tier).replace("_", " ")
        lane = _lane(pk, place.ref.key, place.ref.name, "", f"/environments/{place.ref.key}", note)
        if sees(place.ref):
            found.append(((order, place.ref.name.casefold()), lane))
    return found


def _organisations(actor: Actor, pks: Sequence[int]) -> _Found:
    """Return the organisations in the order of the tree, so that branches stand together."""
    wanted = set(pks)
    return [
        ((f"{at:06d}",), _lane(one.pk, one.slug, one.name, "", "", ""))
        for at, (one, _depth, _size) in enumerate(accounts.outline(actor))
        if one.pk in wanted
    ]


def _people(actor: Actor, pks: Sequence[int]) -> _Found:
    """Return the people whom the actor sees, by organisation and name."""
    names = dict(accounts.organisations(actor).values_list("pk", "name"))
    seen = set(accounts.people(actor).filter(pk__in=pks).values_list("pk", flat=True))
    found: _Found = []
    for pk, ref in accounts.refs(seen).items():
        group = names.get(ref.organisation or 0, "")
        found.append(((group, ref.name.casefold(), ref.key), _lane(pk, ref.key, ref.name, group, "", "")))
    return found


_LANES_OF: Mapping[Lanes, Callable[[Actor, Sequence[int]], _Found]] = {
    "item": _items,
    "environment": _environments,
    "organisation": _organisations,
    "person": _people,
}


def _lane(pk: int | None, key: str, name: str, group: str, href: str, note: str) -> dict[str, Any]:
    return {"pk": pk, "key": key, "name": name, "group": group, "href": href, "note": note}


def _mark(
    actor: Actor,
    bars: list[dict[str, Any]],
    by: Lanes,
    period: Period,
    item: str | None,
    environment: str | None,
    words: Words,
) -> None:
    """Put on each bar every conflict that it has, not only the worst that its record has with another."""
    stretches = [Stretch(bar["key"], bar["period"], bar["lane_pk"] if by == "item" else None) for bar in bars]
    found = claims.on_stretches(actor, stretches, period, item=item, environment=environment)
    for bar, findings in zip(bars, found, strict=True):
        bar["conflicts"] = [
            {
                "rule": finding.rule,
                "severity": str(finding.severity),
                "message": tell(finding, words),
                "other": finding.parties[1].key,
                "start": _text(finding.interval.start),
                "end": _text(finding.interval.end),
                "path": [ref.key for ref in finding.path],
            }
            for finding in findings
            if finding.interval is not None
        ]


def _shades(actor: Actor, period: Period, by: Lanes, lanes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    about = _about(by, lanes)
    by_window = calendars.concerned(about)
    found = []
    for shade in calendars.shades(actor, period):
        concerned = by_window.get(shade.ref, [])
        if not concerned and about:
            continue
        for span in shade.periods:
            found.append(
                {
                    "kind": shade.kind,
                    "name": shade.ref.name,
                    "start": _text(span.start),
                    "end": _text(span.end),
                    "lanes": None if len(concerned) == len(about) else concerned,
                    "href": f"/windows/{shade.ref.key}",
                }
            )
    homes = _homes(by, lanes)
    lanes_of: dict[int, list[str]] = {}
    for key, home in homes.items():
        lanes_of.setdefault(home, []).append(key)
    for day, places in calendars.days_off(lanes_of, period):
        off = [key for place in places for key in lanes_of[place]]
        found.append(
            {
                "kind": "holiday",
                "name": day.name,
                "start": _text(day.period.start),
                "end": _text(day.period.end),
                "lanes": None if len(off) == len(lanes) else off,
                "href": f"/working-calendars/{day.calendar.key}",
            }
        )
    return found


def _homes(by: Lanes, lanes: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Return by lane the organisation whose working calendar counts there."""
    named = {lane["pk"]: lane["key"] for lane in lanes if lane["pk"] is not None}
    if by == "item":
        return {named[pk]: thing.organisation for pk, thing in catalog.facts(named).items()}
    if by == "environment":
        known = environments.facts()
        return {key: known[pk].organisation for pk, key in named.items()}
    if by == "organisation":
        return {key: pk for pk, key in named.items()}
    homes = {pk: ref.organisation for pk, ref in accounts.refs(named).items()}
    return {key: home for pk, key in named.items() if (home := homes[pk]) is not None}


def _about(by: Lanes, lanes: Iterable[dict[str, Any]]) -> dict[str, list[Target]]:
    """Return by lane what calendars are asked about it."""
    named = {lane["pk"]: lane["key"] for lane in lanes if lane["pk"] is not None}
    if by == "item":
        return {
            named[pk]: [Target(pk, None, accounts.branch(thing.organisation), criticality=thing.criticality)]
            for pk, thing in catalog.facts(named).items()
        }
    if by == "environment":
        known = environments.facts()
        return {key: targets(known[pk].organisation, [], [pk]) for pk, key in named.items()}
    if by == "organisation":
        return {key: targets(pk, [], []) for pk, key in named.items()}
    homes = {pk: ref.organisation for pk, ref in accounts.refs(named).items()}
    return {key: targets(home, [], []) for pk, key in named.items() if (home := homes[pk]) is not None}


def _text(at: Any) -> str:
    return str(at.isoformat().replace("+00:00", "Z"))
