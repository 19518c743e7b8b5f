"""Running benchmarks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

from fairway.bench import store, timing
from fairway.bench.shape import Shape, Stock

BENCHES = ("decide", "conflicts", "catalogue")


def run(
    name: str,
    *,
    shape: Shape | None = None,
    changes: int | None = None,
    postgresql: str | None = None,
    rounds: int = 7,
    requests: int | None = None,
    show: bool = True,
) -> dict[str, Any]:
    """Measure one benchmark on its own database, and print the figures unless told not to.

    `changes`: how many the data has, if not as `shape` says; the catalogue's has none. `postgresql`: URL of a
    server on which a database of the world's own is used; None: that of FAIRWAY_DATABASE_URL, else SQLite.
    Call it before Django is set up: it chooses the settings. `rounds`: turns of the product and of the floor;
    `requests`: how many in each, None: as usual.
    :raises RuntimeError: the floor does not answer as the product does.
    """
    if name == "catalogue":
        return _catalogue(shape, postgresql, rounds, requests, show)
    shape = shape or Shape()
    if changes is not None:
        shape = replace(shape, changes=changes)
    url = os.environ.get("FAIRWAY_DATABASE_URL", "") if postgresql is None else postgresql
    if "fairway_bench_" not in url:
        os.environ.update(store.settings(shape, url))
    store.open_django()
    # what measures needs Django, and Django the settings chosen just before
    from fairway.bench import conflicts, decide  # noqa: PLC0415

    bench = {"decide": decide, "conflicts": conflicts}[name]
    told = store.ready(shape, timing.say)
    requests = requests or bench.REQUESTS
    timing.say(f"Measuring {name}: {rounds} rounds of {requests}")
    rows = bench.run(shape, rounds=rounds, requests=requests)
    result = {
        "name": name,
        "about": bench.ABOUT,
        "rows": rows,
        "held": all(row["held"] for row in rows),
        "machine": timing.machine(store.database()),
        "data": told,
    }
    if show:
        timing.show(result)
    return result


def _catalogue(
    shape: Shape | None, postgresql: str | None, rounds: int, requests: int | None, show: bool
) -> dict[str, Any]:
    """Measure the catalogue on its own database: in a process of its own where Django is ready already."""
    stock = Stock() if shape is None or shape == Shape() else Stock(shape.items, shape.seed)
    if "django" in sys.modules and _is_open():
        asked = [stock.packages, stock.seed, postgresql, rounds, requests]
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", _CHILD, json.dumps(asked)], stdout=subprocess.PIPE, check=True
        )
        told: dict[str, Any] = json.loads(done.stdout)
    else:
        url = os.environ.get("FAIRWAY_DATABASE_URL", "") if postgresql is None else postgresql
        if "fairway_bench_" in url:
            url = postgresql or ""
        os.environ.update(store.settings(stock, url))
        store.open_django()
        from fairway.bench import catalogue  # noqa: PLC0415 - Django reads the settings chosen just before

        data = catalogue.ready(stock, timing.say)
        timing.say(f"Measuring catalogue: {rounds} rounds")
        rows = catalogue.run(data, rounds=rounds, requests=requests or catalogue.REQUESTS)
        told = {
            "name": "catalogue",
            "about": catalogue.ABOUT,
            "rows": rows,
            "held": all(row["held"] for row in rows),
            "machine": timing.machine(store.database()),
            "data": data["told"],
        }
    if show:
        timing.show(told)
    return told


_CHILD = """
import json, sys
from fairway.bench import commands
from fairway.bench.shape import Shape, Stock
packages, seed, postgresql, rounds, requests = json.loads(sys.argv[1])
shape = None if packages is None else Shape(items=packages, seed=seed)
print(json.dumps(commands.run(
    "catalogue", shape=shape, postgresql=postgresql, rounds=rounds, requests=requests, show=False
)))
"""


def _is_open() -> bool:
    from django.apps import apps  # noqa: PLC0415 - asked once Django has been imported

    return apps.ready
