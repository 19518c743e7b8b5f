"""Where the world of a benchmark is kept: in the user's cache, named by its shape and the schema."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from fairway.bench.shape import Shape, Stock
from fairway.kernel.memory import settle

SOURCE = Path(__file__).resolve().parent.parent


def folder() -> Path:
    """Return the cache folder of the benchmarks."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "fairway" / "bench"


def key(shape: Shape | Stock) -> str:
    """Return a name that changes with the shape, the schema, or how the world is made."""
    sums = hashlib.sha256(json.dumps(asdict(shape), sort_keys=True).encode())
    made_by = [
        *SOURCE.glob("*/migrations/*"),
        *(SOURCE / "bench" / name for name in ("shape.py", "world.py", "bookings.py", "packages.py")),
    ]
    for path in sorted(path for path in made_by if path.is_file()):
        sums.update(path.relative_to(SOURCE).as_posix().encode())
        sums.update(path.read_bytes())
    return sums.hexdigest()[:16]


def settings(shape: Shape | Stock, url: str) -> dict[str, str]:
    """Return the settings under which the product works on this world; `url` of PostgreSQL, empty: SQLite.

    On PostgreSQL the world has a database of its own on the same server, made here when it is not there.
    """
    place = folder() / key(shape)
    place.mkdir(parents=True, exist_ok=True)
    chosen = {
        "FAIRWAY_DATA": str(place),
        "FAIRWAY_SECRET_KEY": "of the benchmarks",
        "FAIRWAY_DATABASE_URL": "",
    }
    if url:
        name = f"fairway_bench_{key(shape)}"
        with psycopg.connect(url, autocommit=True) as server:
            if server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
                server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        chosen["FAIRWAY_DATABASE_URL"] = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    return chosen


def ready(shape: Shape, say: Callable[[str], None]) -> dict[str, Any]:
    """Make the world in the database of the settings unless it is there; return what it came out as."""
    from django.core.management import call_command  # noqa: PLC0415 - the settings were chosen just before
    from django.db import connection  # noqa: PLC0415

    from fairway.bench import world  # noqa: PLC0415

    call_command("migrate", interactive=False, verbosity=0)
    mark = folder() / key(shape) / f"{connection.vendor}.json"
    made = world.model("changes.Change").objects.count()
    if mark.is_file() and made:
        found: dict[str, Any] = json.loads(mark.read_text(encoding="utf-8"))
        return found
    if made:
        raise RuntimeError(
            f"The database {connection.settings_dict['NAME']} holds changes that are no benchmark's."
        )
    say(f"Making the benchmark's data once, in {mark.parent}")
    told = world.fill(shape, say)
    mark.write_text(json.dumps(told, indent=1), encoding="utf-8")
    return told


def open_django() -> None:
    """Make Django ready under the settings of the environment; it reads them once in a process."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fairway.interfaces.settings")
    import django  # noqa: PLC0415 - reads the settings chosen just before

    django.setup()
    settle()  # as every command of ours that runs on the database does


def database() -> str:
    """Return name and version of the database."""
    from django.db import connection  # noqa: PLC0415 - as above

    if connection.vendor == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return f"PostgreSQL {cursor.fetchone()[0]}"
