"""What holds for every test: its database, no network, one size of random plans."""

from __future__ import annotations

import gc
import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

from tests.support import templates

ON_POSTGRES = "FAIRWAY_DATABASE_URL" in os.environ

# --hypothesis-profile= takes the place of the first: quick in `unit`, deep in `deep`.
hypothesis.settings.register_profile(
    "fixed", max_examples=10 if ON_POSTGRES else 30, derandomize=True, deadline=None, database=None
)
hypothesis.settings.register_profile("deep", max_examples=2000, deadline=None, print_blob=True)
hypothesis.settings.register_profile("quick", hypothesis.settings.get_profile("fixed"), max_examples=10)
hypothesis.settings.load_profile("fixed")


def pytest_report_header() -> str:
    """Name the database."""
    return f"database: {'PostgreSQL' if ON_POSTGRES else 'SQLite'}"


ASKING = {"db", "transactional_db", "django_db_setup", "committed", "live"}
STARTING = {"bench", "exchange", "interfaces", "journeys"}
"""Folders in which programs are started that have a database of their own."""


def asks_no_database(item: pytest.Item) -> bool:
    """Say whether a test is the same on every database: pytest-django refuses it to who did not ask."""
    if item.get_closest_marker("django_db") or ASKING & {*getattr(item, "fixturenames", ())}:
        return False
    return not item.get_closest_marker("race") and STARTING.isdisjoint(item.path.parts)


SAMPLE, ROUTES = 3, 24
"""So many cases of one test run on PostgreSQL; of the matrix more, for routes have their own."""
EACH_CASE = ("audit", "browser", "kernel", "test_search.py", "test_instance.py")
"""Folders and files whose cases differ by their statements: triggers, orders, words and tables."""


def sampled(items: list[pytest.Item]) -> list[pytest.Item]:
    """Leave out of the many cases of one test all but a few, of which the first and the last.

    Cases differ by values that Python judges; the statements are those of the cases that stay.
    """
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        alike = hasattr(item, "callspec") and {*EACH_CASE}.isdisjoint(item.path.parts)
        cases.setdefault(item.nodeid.partition("[")[0] if alike else item.nodeid, []).append(item)
    left_out: list[pytest.Item] = []
    for many in cases.values():
        size = ROUTES if "matrix" in many[0].path.parts else SAMPLE
        kept = {round(number * (len(many) - 1) / (size - 1)) for number in range(size)}
        left_out += [item for number, item in enumerate(many) if number not in kept]
    return left_out


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, rather than skip, what is about the other database.

    On PostgreSQL that is what asks for none, too, and most cases of a test with many, but in `deep`.
    """
    other = "sqlite_only" if ON_POSTGRES else "postgres_only"
    left_out = {item for item in items if item.get_closest_marker(other)}
    if ON_POSTGRES:
        items.sort(key=lambda item: "demo" in item.path.parts)  # by then SQLite has told what it takes
        left_out |= {item for item in items if asks_no_database(item)}
        if config.getoption("--hypothesis-profile") != "deep":
            left_out |= {*sampled([item for item in items if item not in left_out])}
    if left_out:
        config.hook.pytest_deselected(items=[*left_out])
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: DjangoDbBlocker, worker_id: str
) -> Iterator[None]:
    """Give the run, and each of its workers, a copy of the migrated database.

    SQLite's is a file, for one in memory locks otherwise.
    """
    cluster = os.environ.get("FAIRWAY_DATABASE_URL", "")
    folder = Path(os.environ["TEST_FOLDER"])
    name = f"{folder.name}-{worker_id}" if cluster else str(folder / f"fairway-{worker_id}.sqlite3")
    connections["default"].close()
    templates.copy(name, cluster)
    connections["default"].settings_dict["NAME"] = name
    yield
    with django_db_blocker.unblock():
        connections.close_all()
    templates.drop(name, cluster)


@pytest.fixture(autouse=True, scope="session")
def _garbage_seldom() -> None:
    """Look for garbage among what tests leave, seldom, and not among all that was loaded before the first."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


class NetworkRefused(AssertionError):
    """A test tried to reach another machine."""


def refuse_other_machines(address: Any) -> None:
    """Let loopback and local sockets pass.

    :raises NetworkRefused: the address is a name other than localhost, or not on loopback.
    """
    if not isinstance(address, tuple):
        return
    host = str(address[0])
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    if not local:
        raise NetworkRefused(f"tests need no network, yet this one turned to {host}")


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Refuse every connection that leaves this machine, and every look-up of a name."""
    connect, connect_ex, look_up = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        refuse_other_machines(address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        refuse_other_machines(address)
        return connect_ex(self, address)

    def guarded_look_up(host: Any, *rest: Any, **named: Any) -> Any:
        if host is not None:
            refuse_other_machines((host.decode() if isinstance(host, bytes) else host, 0))
        return look_up(host, *rest, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket, "getaddrinfo", guarded_look_up)
        yield
