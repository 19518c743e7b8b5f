"""Impact as a graph to draw: what is reached, in layers by distance, and the steps between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from fairway.accounts import queries as accounts
from fairway.catalog.models import ItemKind, RelationKind
from fairway.catalog.queries.keeping import snapshot
from fairway.catalog.rules import Direction
from fairway.kernel.actor import Actor

MOST_NODES, MOST_EDGES = 5_000, 20_000


class Node(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An item in its place: `depth` is its layer, the place in the list its place in the layer.

    `before`: the node from which failure comes to it; `veiled`: through what the reader may not see.
    """

    key: str
    name: str
    kind: str
    organisation: str
    criticality: int
    depth: int
    before: int = -1
    veiled: bool = False
    pin: str = ""
    why: str = ""


class Listed(msgspec.Struct, kw_only=True):
    """A node as a row of a list: `before` is the key of the item from which failure comes."""

    key: str
    name: str
    kind: str
    organisation: str
    criticality: int
    depth: int
    before: str
    pin: str
    why: str


class Drawing(msgspec.Struct, kw_only=True):
    """`edges`: from which node to which, by which word; `left`: how many more there are than are drawn."""

    nodes: list[Node]
    edges: list[tuple[int, int, int]]
    words: list[str]
    count: int
    left: int

    def rows(self) -> list[Listed]:
        """Return the nodes as rows of a list, in their order."""
        return [
            Listed(
                key=node.key, name=node.name, kind=node.kind, organisation=node.organisation,
                criticality=node.criticality, depth=node.depth,
                before=self.nodes[node.before].key if node.before >= 0 else "", pin=node.pin, why=node.why,
            )
            for node in self.nodes
        ]  # fmt: skip


def drawing(
    actor: Actor,
    starts: Sequence[int],
    *,
    direction: Direction,
    depth: int | None = None,
    barred: Iterable[int] = (),
    pins: Mapping[int, tuple[str, str]] | None = None,
) -> Drawing:
    """Return what fails with these items (or what they need), as far as the actor may see it.

    Nearest first; in a layer in the order of what comes before it, so that lines cross little. `pins`: by
    item, how it was pinned (in, out) and why; those pinned out are drawn, and nothing is reached from them.
    """
    known, pins = snapshot(), pins or {}
    barred = list(barred)
    found = known.graph.reach(starts, direction, depth, barred=barred)
    sees = accounts.access(actor).sees
    kinds = dict(ItemKind.objects.values_list("slug", "name"))
    homes = dict(accounts.organisations(actor).values_list("pk", "name"))
    place: dict[int, int] = {}
    nodes: list[Node] = []

    def draw(item: int, depth: int, before: int, veiled: bool) -> None:
        one = known.items[item]
        pin, why = pins.get(item, ("", ""))
        place[item] = len(nodes)
        nodes.append(
            Node(
                key=one.ref.key, name=one.ref.name, kind=kinds.get(one.kind, one.kind),
                organisation=homes.get(one.organisation, ""), criticality=one.criticality, depth=depth,
                before=before, veiled=veiled, pin=pin, why=why,
            )
        )  # fmt: skip

    for item in starts:
        if item in known.items and sees(known.items[item].ref):
            draw(item, 0, -1, False)
    for item in barred:
        if item in known.items and item not in place and sees(known.items[item].ref):
            draw(item, 0, -1, False)
    layers: dict[int, list[int]] = {}
    count = 0
    for item, (steps, _) in found.items():
        if sees(known.items[item].ref):
            count += 1
            if len(nodes) + count <= MOST_NODES:
                layers.setdefault(steps, []).append(item)
    for steps, members in layers.items():
        told = []
        for item in members:
            way = found.way(item)
            back = next((one for one in reversed(way[:-1]) if one in place), None)
            one = known.items[item]
            before = place[back] if back is not None else -1
            told.append(
                (before, one.criticality, one.ref.name.casefold(), one.ref.key, item, back != way[-2])
            )
        for before, _, _, _, item, veiled in sorted(told):
            draw(item, steps, before, veiled)
    kinds_of = {
        row["pk"]: (row["name"], row["reverse_name"])
        for row in RelationKind.objects.values("pk", "name", "reverse_name")
    }
    words: dict[str, int] = {}
    edges: list[tuple[int, int, int]] = []
    for item, number in place.items():
        for there, kind in known.graph.neighbours(item, direction).items():
            other = place.get(there)
            if other is not None and len(edges) < MOST_EDGES:
                word = kinds_of[kind][0]
                edges.append((number, other, words.setdefault(word, len(words))))
    joined = {(one, other) for one, other, _ in edges}
    for number, node in enumerate(nodes):
        if node.before >= 0 and (node.before, number) not in joined:
            edges.append((node.before, number, words.setdefault("", len(words))))
    return Drawing(
        nodes=nodes, edges=edges, words=list(words), count=count, left=count - sum(map(len, layers.values()))
    )
