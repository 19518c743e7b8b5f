"""The packages of Debian as a catalogue: the index of this machine, or a stand-in of that shape from a seed.

What is read here is read on its own, without the product and without the example's adapter: it is what their
answers are compared with.
"""

from __future__ import annotations

import csv
import hashlib
import os
import random
import re
import shutil
import subprocess
from bisect import bisect
from collections import deque
from collections.abc import Iterable, Mapping
from itertools import accumulate
from pathlib import Path

ASKED = ("libc6", "zlib1g", "python3", "postgresql-15")
"""Whose dependants are compared by distance."""
PACKAGES = 63_666
Needs = dict[str, set[str]]
"""Package -> the packages that it needs."""


def index() -> str | None:
    """Return the package index of this machine; None: it has none, and none can be fetched."""
    if shutil.which("apt-cache") is None:
        return None
    text = _index()
    if text is None and os.geteuid() == 0 and shutil.which("apt-get"):
        try:
            subprocess.run(["apt-get", "update"], capture_output=True, check=True, timeout=120)  # noqa: S607
        except (OSError, subprocess.SubprocessError):
            return None
        text = _index()
    return text


def _index() -> str | None:
    told = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, check=False)  # noqa: S607
    text = told.stdout.decode(errors="replace")
    names = set(re.findall(r"^Package: (.+)$", text, re.MULTILINE))
    return text if len(names) > 10_000 and names.issuperset(ASKED) else None


def stand_in(packages: int = PACKAGES, seed: int = 1) -> str:
    """Return an index of the same shape, for machines without one; some 3.9 needs a package, as there."""
    chance = random.Random(seed)  # noqa: S311 - which packages, from the seed
    names = [f"package{number}" for number in range(packages)]
    for name, rank in zip(ASKED, (0, 6, 40, packages // 20), strict=True):
        names[rank] = name
    weights = list(accumulate(1 / (rank**1.05) for rank in range(1, packages + 1)))
    told = []
    for number, name in enumerate(names):
        clauses = []
        for _ in range(chance.choice((1, 2, 3, 4, 5, 6, 6)) if number else 0):
            # by Zipf's law among those before it, so circles are made apart, one for each hundred packages
            other = names[bisect(weights, chance.random() * weights[number - 1])]
            form = chance.random()
            clauses.append(
                f"{other} (>= 1.{number})"
                if form < 0.5
                else f"virtual-{other} | {other}"
                if form > 0.97
                else other
            )
        if number % 100 == 50 and number + 1 < packages:
            clauses.append(names[number + 1])
        if number % 100 == 51:
            clauses.append(f"{names[number - 1]}:any")
        told.append(
            f"Package: {name}\nPriority: optional\nSection: libs\nVersion: 1.{number}\n"
            f"Depends: {', '.join(clauses)}\nDescription: stands in for a package\n"
        )
    return "\n".join(told)


def read(text: str) -> Needs:
    """Return what each package of the section main needs."""
    found: dict[str, tuple[str, ...]] = {}
    for stanza in re.split(r"\n{2,}", text):
        fields = dict(re.findall(r"^([\w-]+):[ \t]*(.*)$", stanza, re.MULTILINE))
        if "Package" in fields and "/" not in fields.get("Section", ""):
            found[fields["Package"]] = (fields.get("Pre-Depends", ""), fields.get("Depends", ""))
    needs: Needs = {}
    for name, told in found.items():
        others = needs[name] = set()
        for clause in ",".join(told).split(","):
            for alternative in clause.split("|"):
                words = re.match(r"\s*([^\s:(\[]+)", alternative)
                if words and words[1] in found:
                    others.add(words[1])
                    break
        others.discard(name)
    return needs


def closure(needs: Needs, size: int) -> Needs:
    """Return a part that is closed, in that whatever a package of it needs is in it too.

    It begins with the packages asked about; then packages join in the order of their names' SHA-256, each
    with all that it needs directly or not, until there are so many.
    """
    chosen: set[str] = set()
    waiting = deque(ASKED)
    for name in (*ASKED, *sorted(needs, key=lambda one: hashlib.sha256(one.encode()).digest())):
        if len(chosen) >= size:
            break
        waiting = deque([name])
        while waiting:
            one = waiting.popleft()
            if one not in chosen:
                chosen.add(one)
                waiting.extend(needs[one])
    return {name: needs[name] for name in sorted(chosen)}


def part(text: str, names: Iterable[str]) -> str:
    """Return an index that holds only these packages."""
    wanted = set(names)
    return "\n\n".join(
        stanza
        for stanza in re.split(r"\n{2,}", text)
        if (found := re.search(r"^Package: (.+)$", stanza, re.MULTILINE)) and found[1] in wanted
    )


def key(name: str) -> str:
    """Return the key that a package has as an item."""
    return name.replace("+", "-plus") + ("-package" if name in {"bulk", "new", "pick"} else "")


def dependants(needs: Mapping[str, set[str]], start: str) -> dict[str, int]:
    """Return whatever needs a package directly or not, with the least number of steps."""
    needed: Needs = {}
    for name, others in needs.items():
        for other in others:
            needed.setdefault(other, set()).add(name)
    distance = {start: 0}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        for there in needed.get(here, ()):
            if there not in distance:
                distance[there] = distance[here] + 1
                waiting.append(there)
    del distance[start]
    return distance


def circles(needs: Mapping[str, set[str]]) -> set[frozenset[str]]:
    """Return every set of packages that need each other, after Kosaraju: a sweep onwards, one back."""
    order: list[str] = []
    seen: set[str] = set()
    for root in needs:
        if root in seen:
            continue
        seen.add(root)
        work = [(root, iter(needs[root]))]
        while work:
            here, onward = work[-1]
            there = next((one for one in onward if one not in seen), None)
            if there is None:
                order.append(here)
                work.pop()
            else:
                seen.add(there)
                work.append((there, iter(needs[there])))
    needed: Needs = {}
    for name, others in needs.items():
        for other in others:
            needed.setdefault(other, set()).add(name)
    found, taken = set(), set[str]()
    for root in reversed(order):
        if root in taken:
            continue
        circle, waiting = {root}, [root]
        taken.add(root)
        while waiting:
            for there in needed.get(waiting.pop(), ()):
                if there not in taken:
                    taken.add(there)
                    circle.add(there)
                    waiting.append(there)
        if len(circle) > 1:
            found.add(frozenset(circle))
    return found


def write(needs: Mapping[str, set[str]], folder: Path) -> tuple[Path, Path]:
    """Write the tables that the importer takes: items, and relations."""
    items, relations = folder / "items.csv", folder / "relations.csv"
    with (
        items.open("w", encoding="utf-8", newline="") as one,
        relations.open("w", encoding="utf-8", newline="") as other,
    ):
        item, relation = csv.writer(one), csv.writer(other)
        item.writerow(["key", "name", "kind", "criticality"])
        relation.writerow(["source", "target", "kind"])
        for number, (name, others) in enumerate(sorted(needs.items())):
            item.writerow([key(name), name, "component", 1 + number % 4])
            relation.writerows([key(name), key(each), "depends-on"] for each in sorted(others))
    return items, relations
