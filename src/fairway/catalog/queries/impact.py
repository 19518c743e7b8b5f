"""Impact: what a failure reaches, and what an item needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from fairway.accounts import queries as accounts
from fairway.catalog.models import ConfigurationItem
from fairway.catalog.queries.keeping import Snapshot, facts, snapshot
from fairway.catalog.rules import Direction, Level, Reach, Reached, nearest, ranked_services
from fairway.kernel.actor import Actor
from fairway.kernel.refs import HIDDEN, Ref

MOST_SERVICES, MOST_SPARED = 50, 50


@dataclass(frozen=True, slots=True)
class Spared:
    """Redundancy that holds: the item stands, for enough of what it needs `needed` of still stand.

    `failed`: those members that the failure reaches, as far as the reader may see them.
    """

    item: Ref
    criticality: int
    kind: int
    needed: int
    members: int
    standing: int
    failed: tuple[Ref, ...]


@dataclass(frozen=True, slots=True)
class Impact:
    """What a failure reaches (downstream) or what an item needs (upstream), as far as the actor may see it.

    `reached` holds the first of them, nearest and most critical first; `levels` counts all; `services` holds
    the business services, most critical first, and `service_count` counts them. `worst`: the most critical
    reached, None when nothing is. A path may pass what the actor may not see: there stands `HIDDEN`.
    `starts`: what fails, several when they fail together.
    """

    starts: tuple[Ref, ...]
    direction: Direction
    depth: int | None
    levels: tuple[Level, ...]
    reached: tuple[Reached, ...]
    services: tuple[Reached, ...]
    service_count: int
    spared: tuple[Spared, ...]

    @property
    def item(self) -> Ref:
        return self.starts[0]

    @property
    def total(self) -> int:
        return sum(level.count for level in self.levels)

    @property
    def worst(self) -> int | None:
        return min((level.worst for level in self.levels), default=None)


def impact(
    actor: Actor,
    start: ConfigurationItem | Sequence[int],
    *,
    direction: Direction,
    depth: int | None = None,
    limit: int = 1000,
    barred: Iterable[int] = (),
) -> Impact:
    """Walk from an item, or from several (by primary key) that fail together.

    `depth` counts relations, None walks to the end. `barred`: these stand, whatever happens.
    """
    known = snapshot()
    starts = [start.pk] if isinstance(start, ConfigurationItem) else list(start)
    found = known.graph.reach(starts, direction, depth, barred=barred)
    access = accounts.access(actor)
    levels, picked = nearest(found, known.items, organisations=access.organisations, limit=limit)
    services = ranked_services(found, known.services, known.items, organisations=access.organisations)

    def told(pk: int) -> Reached:
        path = found.way(pk)
        refs = [known.items[one].ref for one in path]
        return Reached(
            refs[-1],
            known.items[pk].criticality,
            found[pk][0],
            tuple(ref if access.sees(ref) else HIDDEN for ref in refs),
            tuple(known.graph.step(here, there, direction) for here, there in pairwise(path)),
            known.items[pk].kind,
        )

    refs = {pk: one.ref for pk, one in facts(starts).items()}
    return Impact(
        tuple(refs[pk] if access.sees(refs[pk]) else HIDDEN for pk in starts),
        direction,
        depth,
        tuple(levels),
        tuple(told(pk) for pk in picked),
        tuple(told(pk) for pk in services[:MOST_SERVICES]),
        len(services),
        _spared(actor, known, found, starts, direction),
    )


def _spared(
    actor: Actor, known: Snapshot, found: Reach, starts: Sequence[int], direction: Direction
) -> tuple[Spared, ...]:
    """Return the redundancy that holds: downstream where it is strained, upstream where it is relied upon."""
    groups = known.graph.groups
    if not groups:
        return ()
    sees = accounts.access(actor).sees
    reached = {*found, *starts}
    if direction is Direction.DOWNSTREAM:
        held = [pk for pk in found.strained if groups[pk].item not in reached]
    else:
        held = [pk for pk, one in groups.items() if one.item in reached and not one.members <= reached]
    told = []
    for pk in held:
        group, one = groups[pk], known.items[groups[pk].item]
        failed = sorted(group.members & reached) if direction is Direction.DOWNSTREAM else []
        if sees(one.ref):
            refs = [known.items[member].ref for member in failed]
            told.append(
                Spared(
                    one.ref,
                    one.criticality,
                    group.kind,
                    group.needed,
                    len(group.members),
                    len(group.members) - len(failed),
                    tuple(ref if sees(ref) else HIDDEN for ref in refs),
                )
            )
    told.sort(key=lambda one: (one.criticality, one.item.name.casefold(), one.item.key, one.kind))
    return tuple(told[:MOST_SPARED])


def reach(actor: Actor, item: int) -> int:
    """Return how many items the failure of one reaches, of those that the actor may see."""
    known = snapshot()
    found = known.graph.reach(item, Direction.DOWNSTREAM, None)
    organisations = accounts.access(actor).organisations
    if organisations is None:
        return len(found)
    return sum(known.items[pk].organisation in organisations for pk in found)


def services_reached(starts: Sequence[int], *, limit: int) -> list[int]:
    """Return the business services that a failure of the items reaches, most critical first; whoever asks."""
    known = snapshot()
    found = known.graph.reach(list(starts), Direction.DOWNSTREAM, None)
    return ranked_services(found, known.services, known.items, organisations=None)[:limit]


def service_hours_of(pks: Collection[int]) -> dict[int, str]:
    """Return the service hours of those of these items that say them."""
    rows = ConfigurationItem.objects.filter(pk__in=pks).exclude(service_hours="")
    return dict(rows.values_list("pk", "service_hours"))


def cycles(actor: Actor) -> list[tuple[Ref, ...]]:
    """Return the circles of failure: items each of which reaches all others of its circle, largest first.

    Of each circle those items that the actor may see, by key; circles of which that leaves fewer than two are
    left out. Redundancy does not count: a circle is worth a look also where it would hold.
    """
    known = snapshot()
    sees = accounts.access(actor).sees
    found = []
    for circle in known.graph.circles():
        refs = [known.items[pk].ref for pk in circle]
        seen = tuple(sorted((ref for ref in refs if sees(ref)), key=lambda ref: ref.key))
        if len(seen) > 1:
            found.append(seen)
    return sorted(found, key=lambda refs: (-len(refs), refs[0].key))
