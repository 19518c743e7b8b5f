"""The catalogue on a real index of packages: import, impact, reading, listing, looking up, memory."""

from __future__ import annotations

import hashlib
import json
import random
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection, transaction

from fairway.accounts import commands as accounts
from fairway.accounts import queries as people
from fairway.audit.commands import execute
from fairway.bench import decide, packages, store, timing, wire, world
from fairway.bench.capture import statements
from fairway.bench.floor import revived
from fairway.bench.shape import Stock
from fairway.catalog import queries
from fairway.catalog.queries import Direction
from fairway.exchange.commands import import_file
from fairway.kernel.actor import SYSTEM, Actor

ABOUT = "items and relations of a package index; impact and type-ahead in process, reads and lists over HTTP"
REQUESTS = 200
BOSS = "boss@bench.example"
ROWS_A_SECOND, MEMORY = 3_000, 400
Row = dict[str, Any]


def ready(stock: Stock, say: Callable[[str], None]) -> dict[str, Any]:
    """Import the packages unless they are there; return what they are, and how long the import took."""
    call_command("migrate", interactive=False, verbosity=0)
    text = packages.index() if stock.packages is None else None
    source = "this machine's Debian package index (main)" if text is not None else "a seeded stand-in"
    if text is None:
        text = packages.stand_in(stock.packages or packages.PACKAGES, stock.seed)
    needs = packages.read(text)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    mark = store.folder() / store.key(stock) / f"{connection.vendor}.json"
    items = world.model("catalog.ConfigurationItem").objects.count()
    if mark.is_file() and items:
        kept: dict[str, Any] = json.loads(mark.read_text(encoding="utf-8"))
        # an index moves on with each update of the lists; what was imported is then read from the database
        return {**kept, "needs": needs if kept["digest"] == digest else _stored()}
    if items:
        raise RuntimeError(f"The database {connection.settings_dict['NAME']} holds items of its own.")
    say(f"Importing {len(needs):,} packages of {source} once, in {mark.parent}")
    execute(accounts.CreateOrganisation(slug="debian", name="Debian"), actor=SYSTEM)
    execute(accounts.CreateUser(email=BOSS, name="Boss", organisation="debian"), actor=SYSTEM)
    execute(accounts.GrantRole(role="administrator", organisation="debian", user=BOSS), actor=SYSTEM)
    taken = {}
    with tempfile.TemporaryDirectory() as folder:
        for file, kind in zip(packages.write(needs, Path(folder)), ("items", "relations"), strict=True):
            taken[kind] = _imported(file, kind)
    kept = {
        "digest": digest,
        "import": taken,
        "floor": {kind: _bare_rows(kind) for kind in taken},
        "told": {
            "source": source,
            "items": len(needs),
            "relations": sum(map(len, needs.values())),
            "circles": len(packages.circles(needs)),
            "index": digest,
        },
    }
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    mark.write_text(json.dumps(kept), encoding="utf-8")
    return {**kept, "needs": needs}


def _stored() -> packages.Needs:
    needs: packages.Needs = {
        name: set()
        for name in world.model("catalog.ConfigurationItem").objects.values_list("name", flat=True)
    }
    rows = world.model("catalog.Relation").objects.values_list("source__name", "target__name")
    for source, target in rows.iterator(chunk_size=10_000):
        needs[source].add(target)
    return needs


def _imported(file: Path, kind: str) -> dict[str, Any]:
    """Import a table; return the rows, the seconds, and the processor time that a row took, by batches."""
    marks = [(0, time.process_time())]
    report = import_file(
        file, kind=kind, actor=SYSTEM, progress=lambda done, _: marks.append((done, time.process_time()))
    )
    if report.created != report.rows:
        raise RuntimeError(f"{report.rows - report.created} rows of {kind} were not created")
    each = [
        (end - begun) / (done - before) for (before, begun), (done, end) in pairwise(marks) if done > before
    ]
    return {"rows": report.rows, "seconds": report.seconds, "processor": sum(each) / len(each), "each": each}


def _bare_rows(kind: str) -> float:
    """Return the processor time that bare SQL takes to write a row with its event, as the import did."""
    label = {"items": "catalog.ConfigurationItem", "relations": "catalog.Relation"}[kind]
    taken, count = 0.0, 1
    with transaction.atomic(), connection.cursor() as cursor:
        for name in (label, "audit.Event", "audit.EventRow"):
            table = world.model(name)._meta.db_table
            cursor.execute(f"SELECT * FROM {table} LIMIT 5000")  # noqa: S608 - our own tables
            rows = [
                [json.dumps(one) if isinstance(one, dict | list) else one for one in row]
                for row in cursor.fetchall()
            ]
            cursor.execute(f"CREATE TEMPORARY TABLE bench_{table} AS SELECT * FROM {table} WHERE 1 = 0")  # noqa: S608
            marks = ", ".join(["%s"] * len(rows[0]))
            begun = time.process_time()
            cursor.executemany(f"INSERT INTO bench_{table} VALUES ({marks})", rows)  # noqa: S608
            taken, count = taken + time.process_time() - begun, len(rows)
            cursor.execute(f"DROP TABLE bench_{table}")
    return taken / count


def run(data: Mapping[str, Any], *, rounds: int, requests: int) -> list[Row]:
    """Measure everything; what is compared with a floor takes turns with it."""
    needs: packages.Needs = data["needs"]
    actor = people.person(people.user(SYSTEM, BOSS))
    rows = [_import_row(data, kind) for kind in ("items", "relations")]
    rows += _impact(needs, actor, rounds)
    rows.append(_type_ahead(needs, actor, rounds, requests))
    rows += _served(needs, rounds, requests)
    return rows


def _row(what: str, figure: timing.Times, bare: timing.Times, budget: str, held: bool, detail: str) -> Row:
    return {
        "what": what,
        "figure": figure.told(),
        "floor": bare.told(),
        "ratio": round(figure.median / bare.median, 2) if bare.median else 0.0,
        "budget": budget,
        "held": held,
        "detail": detail,
    }


def _import_row(data: Mapping[str, Any], kind: str) -> Row:
    taken = data["import"][kind]
    rate = 1 / taken["processor"]
    return _row(
        f"import, one of {kind}",
        timing.Times((tuple(taken["each"]),)),
        timing.Times(((data["floor"][kind],),)),
        f">= {ROWS_A_SECOND:,} rows/s",
        rate >= ROWS_A_SECOND or taken["rows"] < 10_000,  # a handful tells of warming up alone
        f"{taken['rows']:,} rows, {rate:,.0f}/s of processor time,"
        f" {taken['rows'] / max(taken['seconds'], 0.001):,.0f}/s by the clock, when the data was made;"
        " floor: bare SQL for the row with its event",
    )


def _impact(needs: packages.Needs, actor: Actor, rounds: int) -> list[Row]:
    """Measure impact at any depth; the floor is a breadth-first search over plain dictionaries."""
    needed: packages.Needs = {}
    for name, others in needs.items():
        for other in others:
            needed.setdefault(other, set()).add(name)
    hub = max(needed, key=lambda name: (len(needed[name]), name))
    chance = random.Random(1)  # noqa: S311 - which packages, from the seed
    sample = chance.sample(sorted(needs), min(150, len(needs)))
    rows = []
    for label, names, limit in (
        (f"impact of {hub}", [hub], 0.150),
        ("impact of others", sample, 0.020),
        *((f"impact of {name}", [name], None) for name in packages.ASKED if name != hub and name in needed),
    ):
        found = [queries.item(actor, packages.key(name)) for name in names]
        reached = []
        for name, item in zip(names, found, strict=True):
            total = queries.impact(actor, item, direction=Direction.DOWNSTREAM, limit=0).total
            if total != len(_bare(needed, name)):
                raise RuntimeError(
                    f"{name} reaches {total} items, a plain search finds {_bare(needed, name)}"
                )
            reached.append(total)
        figure, bare = timing.alternate(
            lambda found=found: [  # type: ignore[misc]
                _clock(partial(queries.impact, actor, item, direction=Direction.DOWNSTREAM)) for item in found
            ],
            lambda names=names: [_clock(partial(_bare, needed, name)) for name in names],  # type: ignore[misc]
            rounds,
        )
        budget = "told" if limit is None else f"p95 < {limit * 1000:.0f} ms"
        held = limit is None or figure.at(0.95) < limit
        detail = f"reaches {min(reached):,} to {max(reached):,}; processor time; the 1,000 nearest with paths"
        rows.append(_row(label, figure, bare, budget, held, detail))
    return rows


def _clock(act: Callable[[], object]) -> float:
    begun = time.process_time()
    act()
    return time.process_time() - begun


def _bare(needed: Mapping[str, set[str]], start: str) -> dict[str, int]:
    distance = {start: 0}
    frontier = [start]
    while frontier:
        following = []
        for here in frontier:
            for there in needed.get(here, ()):
                if there not in distance:
                    distance[there] = distance[here] + 1
                    following.append(there)
        frontier = following
    del distance[start]
    return distance


def _type_ahead(needs: packages.Needs, actor: Actor, rounds: int, requests: int) -> Row:
    chance = random.Random(2)  # noqa: S311 - which words, from the seed
    names = chance.sample(sorted(needs), min(60, len(needs)))
    words = [name[: chance.randint(1, 6)] for name in names]
    asked = []
    for word in words:
        with statements() as ran:
            queries.pick(actor, word)
        asked.append([(query, [revived(one) for one in params]) for query, params in ran])

    def bare(some: list[tuple[str, list[Any]]]) -> None:
        cursor = connection.connection.cursor()
        for query, params in some:
            cursor.execute(query, params)
            cursor.fetchall()
        cursor.close()

    # what SQLite does is done in this process; PostgreSQL's work would not be counted
    clock = _clock if connection.vendor == "sqlite" else timing.clock
    turns = max(1, requests // len(words))
    figure, floor = timing.alternate(
        lambda: [clock(partial(queries.pick, actor, word)) for word in words * turns],
        lambda: [clock(partial(bare, some)) for some in asked * turns],
        rounds,
    )
    held = figure.median < 0.020
    detail = (
        f"{len(words)} beginnings of 1 to 6 characters; 20 items each; p95 {figure.at(0.95) * 1000:.1f} ms"
    )
    return _row("type-ahead", figure, floor, "< 20 ms", held, detail)


def _served(needs: packages.Needs, rounds: int, requests: int) -> list[Row]:
    """Measure over HTTP, and then the memory of the server that answered."""
    token = world.token(BOSS)
    chance = random.Random(3)  # noqa: S311 - which packages, from the seed
    reads = [
        f"/api/v1/items/{packages.key(name)}" for name in chance.sample(sorted(needs), min(40, len(needs)))
    ]
    lists = [
        f"/api/v1/items?kind=component&criticality={level}&limit=50&sort={sort}"
        for level in (1, 2, 3, 4)
        for sort in ("name", "key")
    ]
    hubs = [f"/api/v1/impact?item={packages.key(name)}" for name in packages.ASKED if name in needs]
    asked = decide.told([*reads, *lists], token)
    rows = []
    with ExitStack() as stack:
        ours, theirs, process = decide.servers(stack, asked)
        for label, paths, limit, factor in (
            ("read an item", reads, None, 3.0),
            ("list of 50, two filters", lists, 0.030, None),
        ):
            sent = [wire.get(path, token) for path in paths]
            decide.compare(ours, theirs, sent)
            turns = (sent * (requests // len(sent) + 1))[:requests]
            figure, bare = timing.alternate(partial(ours.timed, turns), partial(theirs.timed, turns), rounds)
            ratio = figure.median / bare.median
            held = ratio <= factor if factor else figure.median < (limit or 0)
            budget = f"{factor:g} x floor" if factor else f"< {(limit or 0) * 1000:.0f} ms"
            counts = sorted(
                {
                    len(one.statements)
                    for key, one in asked.items()
                    if key.split(" ")[2].split("?")[0] in {path.split("?")[0] for path in paths}
                }
            )
            rows.append(
                _row(label, figure, bare, budget, held, f"{len(paths)} addresses; statements {counts}")
            )
        impact = timing.Times((tuple(ours.timed([wire.get(path, token) for path in hubs])),))
        megabytes = memory(process)
        still = timing.Times(((0.0,),))
        rows.append(
            {
                **_row("server, memory", impact, still, f"< {MEMORY} MB", 0 < megabytes < MEMORY, ""),
                "ratio": 0.0,
                "detail": f"{megabytes:.0f} MB (proportional set of its processes) after all of the above;"
                f" the times are those of {len(hubs)} impacts asked of it",
            }
        )
    return rows


def memory(process: int) -> float:
    """Return the megabytes that a process and those below it hold; 0 where the system does not tell."""
    below: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        below.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    waiting, kilobytes = [process], 0
    while waiting:
        one = waiting.pop()
        waiting += below.get(one, [])
        try:
            told = Path(f"/proc/{one}/smaps_rollup").read_text(encoding="utf-8")
        except OSError:
            continue
        kilobytes += next((int(line.split()[1]) for line in told.splitlines() if line.startswith("Pss:")), 0)
    return kilobytes / 1024
