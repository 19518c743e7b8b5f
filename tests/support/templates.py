"""Databases that are made once and copied from then on: to migrate takes longer than most tests.

What was made from the same sources is used again: a file stays in `build/test/templates`, a database for as
long as its cluster. Parts that run side by side wait for the one that makes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build/test/templates"
A_DAY = 86_400.0
LOCK = 7_205_759  # a number for PostgreSQL that nobody else of the cluster locks


@cache
def migrated(cluster: str = "") -> str:
    """Return an empty database that was migrated as an administrator does it.

    That is its file or, given the URL of a cluster, its name there. Nobody opens it: it is copied.
    """
    name = f"migrated_{_sources()}"
    if cluster:
        _in_cluster(cluster, name)
        return name
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / f"{name}.sqlite3"
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            for old in FOLDER.glob("*_*"):
                if time.time() - old.stat().st_mtime > A_DAY:  # nobody runs on it any more
                    old.unlink()
            with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
                made = Path(folder, "made.sqlite3")
                _migrate(f"sqlite:///{made}")
                with contextlib.closing(sqlite3.connect(made)) as connection:
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                assert not list(made.parent.glob("*-wal")), "closed, a database is one file"
                made.rename(file)
    return str(file)


def demo() -> Path:
    """Return where the demo company is kept as a file once it was told on SQLite, by the same sources."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    return FOLDER / f"demo_{_sources()}.zip"


def copy(name: str, cluster: str = "") -> None:
    """Copy the migrated database to a file, or to a database of the cluster; what stands there goes."""
    if not cluster:
        for rest in ("", "-wal", "-shm"):
            Path(f"{name}{rest}").unlink(missing_ok=True)
        shutil.copyfile(migrated(), name)
        return
    template = migrated(cluster)
    with psycopg.connect(cluster, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        # Copying files takes a third of what writing each page to the log does.
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )


def drop(name: str, cluster: str = "") -> None:
    """Throw a copy away."""
    if not cluster:
        for rest in ("", "-wal", "-shm"):
            Path(f"{name}{rest}").unlink(missing_ok=True)
        return
    with psycopg.connect(cluster, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def url_of(name: str, cluster: str = "") -> str:
    """Return the URL of a file, or of a database of the cluster."""
    return urlunsplit(urlsplit(cluster)._replace(path=f"/{name}")) if cluster else f"sqlite:///{name}"


@cache
def _sources() -> str:
    """Hash all that a migrated database follows from, and more: every module, and what is locked."""
    sums = hashlib.sha256(sys.version.encode())
    for file in (ROOT / "requirements.lock", *sorted((ROOT / "src").rglob("*.py"))):
        sums.update(f"{file}\0".encode() + file.read_bytes())
    return sums.hexdigest()[:16]


def _in_cluster(cluster: str, name: str) -> None:
    with psycopg.connect(cluster, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])  # until this connection ends
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return
        making = f"making_{secrets.token_hex(6)}"
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(making)))
        _migrate(url_of(making, cluster))
        connection.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(making), sql.Identifier(name))
        )


def _migrate(url: str) -> None:
    kept = {variable: value for variable, value in os.environ.items() if not variable.startswith("FAIRWAY_")}
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [Path(sys.executable).with_name("fairway"), "migrate"],
            env={**kept, "FAIRWAY_DATABASE_URL": url, "FAIRWAY_DATA": folder},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
