"""The changes of a span of time as a timeline draws them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

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
from fairway.changes.queries.listing import environments_of, everywhere, items_of
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
"""The lane of what names no item, or no environment."""
Lanes = Literal["item", "environment"]


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
    seen = accounts.visible(rows, actor, "change__organisation_id").order_by("starts_at", "change_id")
    found = list(seen.values_list(*columns, "starts_at", "ends_at")[: MOST_BARS + 1])
    changes = {row[0] for row in found}
    items, places = items_of(changes), environments_of(changes)
    known = environments.facts()
    sees = accounts.access(actor).sees
    models = {model.pk: workflow(model) for model in ChangeModel.objects.all()}
    bars = []
    for change, number, title, state, model, start, end in found:
        strength = _strength(models[model], state)
        if strength is None:
            continue
        named = [known[pk].ref for pk in places.get(change, ())]
        where = ", ".join(ref.key for ref in named if sees(ref))
        lanes: Sequence[int | None] = (items if by == "item" else places).get(change) or (None,)
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
    sees = accounts.access(actor).sees
    pks = [pk for pk in wanted if pk is not None]
    found: list[tuple[Any, dict[str, Any]]] = []
    if by == "item":
        names = dict(accounts.organisations(actor).values_list("pk", "name"))
        notes = {level: _("criticality %(level)d") % {"level": level} for level in range(1, 5)}
        for pk, thing in catalog.facts(pks).items():
            group, note = names.get(thing.organisation, ""), notes[thing.criticality]
            lane = _lane(pk, thing.ref.key, thing.ref.name, group, f"/items/{thing.ref.key}", note)
            if sees(thing.ref):
                found.append(((group, thing.criticality, thing.ref.name.casefold()), lane))
    else:
        known = environments.facts()
        for pk in pks:
            place = known[pk]
            order = list(type(place.tier)).index(place.tier)
            note = str(place.tier).replace("_", " ")
            lane = _lane(pk, place.ref.key, place.ref.name, "", f"/environments/{place.ref.key}", note)
            if sees(place.ref):
                found.append(((order, place.ref.name.casefold()), lane))
    lanes = [
        {**lane, "order": " ".join(f"{part:02d}" if isinstance(part, int) else part + "\t" for part in order)}
        for order, lane in sorted(found, key=lambda one: one[0])
    ]
    if None in wanted:
        name = _("No item named") if by == "item" else _("Everywhere")
        lanes.append({**_lane(None, NOWHERE, name, "", "", ""), "order": "\uffff"})
    return lanes


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
    return found


def _about(by: Lanes, lanes: Iterable[dict[str, Any]]) -> dict[str, list[Target]]:
    """Return by lane what calendars are asked about it."""
    named = {lane["pk"]: lane["key"] for lane in lanes if lane["pk"] is not None}
    if by == "item":
        return {
            named[pk]: [Target(pk, None, accounts.branch(thing.organisation), criticality=thing.criticality)]
            for pk, thing in catalog.facts(named).items()
        }
    known = environments.facts()
    return {key: targets(known[pk].organisation, [], [pk]) for pk, key in named.items()}


def _text(at: Any) -> str:
    return str(at.isoformat().replace("+00:00", "Z"))
