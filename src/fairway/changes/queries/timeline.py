"""The changes of a span of time as a timeline draws them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, Literal, NamedTuple, get_args

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
from fairway.kernel.db import rows
from fairway.kernel.errors import Invalid
from fairway.kernel.period import Period
from fairway.kernel.words import one_language
from fairway.policy import Finding, Words, tell

MOST_BARS = 10_000
NOWHERE = "-"
"""The lane of what names no item, no environment, or nobody."""
Lanes = Literal["item", "environment", "organisation", "person"]
LANES: tuple[Lanes, ...] = get_args(Lanes)


Part = Literal["all", "plan", "conflicts"]
"""What is wanted of a timeline: the plan can be drawn before its conflicts are known."""


def timeline(
    actor: Actor,
    period: Period,
    *,
    by: Lanes = "item",
    item: str | None = None,
    environment: str | None = None,
    words: Words | None = None,
    part: Part = "all",
) -> dict[str, Any]:
    """Return lanes, bars with their conflicts, and shades, as docs/ui.md describes them; plain values.

    A bar is one planned window on one lane. What the actor may not see is left out; of a conflict with it the
    time alone is told. `item`, `environment`: only changes that name it, by key or uid. `words`: in whose
    zone messages are told. `part`: the plan leaves the conflicts for later, the conflicts are told by bar.

    :raises NotFound: the actor sees no such item or environment.
    :raises Invalid: there are more bars in the span than can be drawn.
    """
    with audit.steady():
        thing = catalog.item(actor, item).pk if item else None
        place = environments.environment(actor, environment).pk if environment else None
        bars = _bars(actor, period, by, item=thing, environment=place)
        lanes, keys = _lanes(actor, by, {bar.lane for bar in bars})
        bars = [bar for bar in bars if bar.lane in keys]
        marks: list[list[dict[str, Any]]] = []
        if part != "plan":
            marks = _marks(actor, bars, by, period, item, environment, words or Words())
        if part == "conflicts":
            told = {bar.ident + keys[bar.lane]: some for bar, some in zip(bars, marks, strict=True) if some}
            return {"conflicts": told}
        shades = _shades(actor, period, by, keys)
    drawn = []
    for bar in bars:
        key = keys[bar.lane]
        drawn.append({**bar.told, "id": bar.ident + key, "lane": key})
    for told_bar, some in zip(drawn, marks, strict=False):
        told_bar["conflicts"] = some
    return {
        "from": _text(period.start),
        "to": _text(period.end),
        "lanes": lanes,
        "bars": drawn,
        "shades": shades,
        **({"conflicts": "later"} if part == "plan" else {}),
    }


class _Bar(NamedTuple):
    """`told`: what is told of the window on whatever lane; `ident`: the start of its id."""

    key: str
    start: datetime
    end: datetime
    lane: int | None
    ident: str
    told: Mapping[str, Any]


def _bars(
    actor: Actor, period: Period, by: Lanes, *, item: int | None, environment: int | None
) -> list[_Bar]:
    windows = PlannedWindow.objects.filter(
        downtime=False, starts_at__lt=period.end, ends_at__gt=period.start, change__archived_at=None
    )
    if item is not None:
        windows = windows.filter(change__affected__item=item)
    if environment is not None:
        there = AffectedEnvironment.objects.filter(environment=environment).values("change")
        windows = windows.filter(Q(change__in=there) | everywhere("change_id"))
    seen = accounts.visible(windows, actor, "change__organisation_id")
    columns = ("change_id", "change__number", "change__title", "change__state", "change__model_id")
    stands = ("change__organisation_id", "change__requester_id", "change__owner_id", "change__version")
    found = rows(
        seen.order_by("starts_at", "change_id").values_list(*columns, *stands, "starts_at", "ends_at")[
            : MOST_BARS + 1
        ]
    )
    _refuse_many(found)
    named = _Named(actor, {row[0] for row in found}, by)
    models = {model.pk: workflow(model) for model in ChangeModel.objects.all()}
    strengths = {
        pk: {state.slug: _strength(model, state.slug) for state in model.states}
        for pk, model in models.items()
    }
    mover = Mover(actor)
    bars = []
    for change, number, title, state, model, organisation, requester, owner, version, start, end in found:
        strength = strengths[model][state]
        if strength is None:
            continue
        key, starts = f"CHG-{number}", _text(start)
        doing = named.people.get(change, ())
        told = {
            "key": key,
            "title": title,
            "kind": "change",
            "state": state,
            "strength": strength,
            "href": f"/changes/{key}",
            "place": named.where(change),
            "version": version,
            "movable": mover.may(models[model], state, organisation, requester, owner, doing),
            "start": starts,
            "end": _text(end),
        }
        ident = f"{key}/{starts}/"
        bars += [
            _Bar(key, start, end, lane, ident, told)
            for lane in named.lanes(change, organisation, owner) or (None,)
        ]
    _refuse_many(bars)
    return bars


def _refuse_many(found: Sequence[object]) -> None:
    """:raises Invalid: there are more than can be drawn."""
    if len(found) > MOST_BARS:
        told = {"most": MOST_BARS}
        raise Invalid.field(
            "to", _("More than %(most)d bars lie in this span; ask for a shorter one.") % told
        )


class _Named:
    """What changes name, as far as it is needed for their bars: items, environments and people."""

    def __init__(self, actor: Actor, changes: Collection[int], by: Lanes) -> None:
        self._by = by
        self._items = items_of(changes) if by == "item" else {}
        self._places = environments_of(changes)
        self.people = people_of(changes)
        sees = accounts.access(actor).sees
        self._names = {pk: place.ref.key for pk, place in environments.facts().items() if sees(place.ref)}
        self._wheres: dict[tuple[int, ...], str] = {}

    def where(self, change: int) -> str:
        """Return the keys of the environments that the actor sees."""
        pks = tuple(self._places.get(change, ()))
        if (text := self._wheres.get(pks)) is None:
            text = ", ".join(self._names[pk] for pk in pks if pk in self._names)
            self._wheres[pks] = text
        return text

    def lanes(self, change: int, organisation: int, owner: int | None) -> Sequence[int]:
        if self._by == "item":
            return self._items.get(change, ())
        if self._by == "environment":
            return self._places.get(change, ())
        if self._by == "organisation":
            return (organisation,)
        people = (*self.people.get(change, ()), owner)
        return list(dict.fromkeys(pk for pk in people if pk is not None))


def _strength(model: Workflow, state: str) -> str | None:
    """Return how firm a bar is drawn; None: not at all."""
    if model.by_slug[state].claim == "none":
        return None
    if not model.ahead(state):
        return "done"
    return model.by_slug[state].claim


def _lanes(
    actor: Actor, by: Lanes, wanted: set[int | None]
) -> tuple[list[dict[str, Any]], dict[int | None, str]]:
    """Return the lanes in order, and their keys by what they stand for.

    Each has its `order` as text, so that spans fetched apart can be joined.
    """
    lanes, keys = [], dict[int | None, str]()
    for pk, lane in _LANES_OF[by](actor, [pk for pk in wanted if pk is not None]):
        keys[pk] = lane["key"]
        lanes.append(lane)
    lanes.sort(key=itemgetter("order"))
    if None in wanted:
        keys[None] = NOWHERE
        name = {
            "item": _("No item named"),
            "environment": _("Everywhere"),
            "organisation": _("No organisation"),
            "person": _("Nobody named"),
        }[by]
        lanes.append(_lane(NOWHERE, name, "", "", "", "\uffff"))
    return lanes, keys


_Found = list[tuple[int, dict[str, Any]]]
"""Lanes, each with what it stands for. Texts that they are ordered by end in what comes before any letter."""


def _items(actor: Actor, pks: Sequence[int]) -> _Found:
    sees = accounts.access(actor).sees
    names = dict(accounts.organisations(actor).values_list("pk", "name"))
    notes = {level: _("criticality %(level)d") % {"level": level} for level in range(1, 5)}
    found: _Found = []
    for pk, thing in catalog.facts(pks).items():
        ref = thing.ref
        if sees(ref):
            group, level = names.get(thing.organisation, ""), thing.criticality
            order = f"{group}\t {level:02d} {ref.name.casefold()}\t"
            found.append((pk, _lane(ref.key, ref.name, group, f"/items/{ref.key}", notes[level], order)))
    return found


def _environments(actor: Actor, pks: Sequence[int]) -> _Found:
    sees, known = accounts.access(actor).sees, environments.facts()
    found: _Found = []
    for pk in pks:
        place = known[pk]
        if sees(place.ref):
            order = f"{list(type(place.tier)).index(place.tier):02d} {place.ref.name.casefold()}\t"
            note, href = str(place.tier).replace("_", " "), f"/environments/{place.ref.key}"
            found.append((pk, _lane(place.ref.key, place.ref.name, "", href, note, order)))
    return found


def _organisations(actor: Actor, pks: Sequence[int]) -> _Found:
    """Return the organisations in the order of the tree, so that branches stand together."""
    wanted = set(pks)
    return [
        (one.pk, _lane(one.slug, one.name, "", "", "", f"{at:06d}\t"))
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
        order = f"{group}\t {ref.name.casefold()}\t {ref.key}\t"
        found.append((pk, _lane(ref.key, ref.name, group, "", "", order)))
    return found


_LANES_OF: Mapping[Lanes, Callable[[Actor, Sequence[int]], _Found]] = {
    "item": _items,
    "environment": _environments,
    "organisation": _organisations,
    "person": _people,
}


def _lane(key: str, name: str, group: str, href: str, note: str, order: str) -> dict[str, Any]:
    return {"key": key, "name": name, "group": group, "href": href, "note": note, "order": order}


def _marks(
    actor: Actor,
    bars: Sequence[_Bar],
    by: Lanes,
    period: Period,
    item: str | None,
    environment: str | None,
    words: Words,
) -> list[list[dict[str, Any]]]:
    """Return for each bar every conflict that it has, not only the worst that its record has with another."""
    on_items = by == "item"
    stretches = [
        Stretch(key, start, end, lane if on_items else None) for key, start, end, lane, _ident, _told in bars
    ]
    found = claims.on_stretches(actor, stretches, period, item=item, environment=environment)
    with one_language():
        return [[_told(finding, words) for finding in some] if some else [] for some in found]


def _told(finding: Finding, words: Words) -> dict[str, Any]:
    interval = finding.interval
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "message": tell(finding, words),
        "other": finding.parties[1].key,
        "start": _text(interval.start) if interval else "",
        "end": _text(interval.end) if interval else "",
        "path": [ref.key for ref in finding.path],
    }


def _shades(actor: Actor, period: Period, by: Lanes, lanes: Mapping[int | None, str]) -> list[dict[str, Any]]:
    """Return what is shaded on which lanes; null: on all of them that stand for something."""
    pks = [pk for pk in lanes if pk is not None]
    homes = _homes(by, pks)
    alike = _alike(by, pks, homes)
    many = sum(map(len, alike.values()))
    by_window = calendars.concerned({target: [target] for target in alike})
    found = []
    for shade in calendars.shades(actor, period):
        concerned = [lanes[pk] for target in by_window.get(shade.ref, ()) for pk in alike[target]]
        if not concerned and many:
            continue
        for span in shade.periods:
            found.append(
                {
                    "kind": shade.kind,
                    "name": shade.ref.name,
                    "start": _text(span.start),
                    "end": _text(span.end),
                    "lanes": None if len(concerned) == many else concerned,
                    "href": f"/windows/{shade.ref.key}",
                }
            )
    lanes_of: dict[int, list[str]] = {}
    for pk, home in homes.items():
        lanes_of.setdefault(home, []).append(lanes[pk])
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


def _homes(by: Lanes, pks: Collection[int]) -> dict[int, int]:
    """Return by lane the organisation whose working calendar counts there."""
    if by == "item":
        return {pk: thing.organisation for pk, thing in catalog.facts(pks).items()}
    if by == "environment":
        known = environments.facts()
        return {pk: known[pk].organisation for pk in pks}
    if by == "organisation":
        return {pk: pk for pk in pks}
    homes = accounts.refs(pks)
    return {pk: ref.organisation for pk, ref in homes.items() if ref.organisation is not None}


def _alike(by: Lanes, pks: Collection[int], homes: Mapping[int, int]) -> dict[Target, list[int]]:
    """Return what calendars are asked about, each with the lanes that stand for it.

    Thousands of items come to few questions: most are named by no window, and then their organisation and
    criticality alone count.
    """
    found: dict[Target, list[int]] = {}
    if by == "item":
        named = calendars.named_items()
        groups: dict[tuple[int | None, int, int], list[int]] = {}
        for pk, thing in catalog.facts(pks).items():
            key = (pk if pk in named else None, thing.organisation, thing.criticality)
            groups.setdefault(key, []).append(pk)
        for (item, organisation, criticality), some in groups.items():
            found[Target(item, None, accounts.branch(organisation), criticality=criticality)] = some
        return found
    for pk, home in homes.items():
        for target in targets(home, [], [pk] if by == "environment" else []):
            found.setdefault(target, []).append(pk)
    return found


def _text(at: datetime) -> str:
    """Write an instant in UTC."""
    return at.isoformat()[:-6] + "Z"
