"""Running benchmarks."""

from __future__ import annotations

import os
from typing import Any

from fairway.bench import store, timing
from fairway.bench.shape import Shape

BENCHES = ("decide", "conflicts")


def run(
    name: str,
    *,
    shape: Shape | None = None,
    postgresql: str | None = None,
    rounds: int = 7,
    requests: int | None = None,
    show: bool = True,
) -> dict[str, Any]:
    """Measure one benchmark on its own database, and print the figures unless told not to.

    `postgresql`: URL of a server on which a database of the world's own is used; None: that of
    FAIRWAY_DATABASE_URL, else SQLite. Call it before Django is set up: it chooses the settings.
    `rounds`: turns of the product and of the floor; `requests`: how many in each, None: as usual.
    :raises RuntimeError: the floor does not answer as the product does.
    """
    shape = shape or Shape()
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
