"""What holds for every test: its database, no network, one size of random plans."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.db import connections

hypothesis.settings.register_profile("fixed", max_examples=50, derandomize=True, deadline=None, database=None)
hypothesis.settings.register_profile("deep", max_examples=2000, deadline=None, print_blob=True)
hypothesis.settings.register_profile("quick", hypothesis.settings.get_profile("fixed"), max_examples=10)
hypothesis.settings.load_profile(
    "fixed"
)  # --hypothesis-profile= takes its place: quick in `unit`, deep in `deep`

ON_POSTGRES = "FAIRWAY_DATABASE_URL" in os.environ


def pytest_report_header() -> str:
    """Name the database."""
    return f"database: {'PostgreSQL' if ON_POSTGRES else 'SQLite'}"


PURE = ("approvals", "policy", "scheduling", "ui", "test_architecture.py", "test_rules.py")
"""Folders and files of what is the same on every database, for it asks none."""


def asks_no_database(item: pytest.Item) -> bool:
    """Say whether a test is one of the pure ones; pytest-django refuses the database to who did not ask."""
    if item.get_closest_marker("django_db") or {"db", "django_db_setup"} & {
        *getattr(item, "fixturenames", ())
    }:
        return False
    return not {*item.path.relative_to(Path(__file__).parent).parts}.isdisjoint(PURE)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, rather than skip, what is about the other database, and on PostgreSQL what asks for none."""
    other = "sqlite_only" if ON_POSTGRES else "postgres_only"
    left_out = [
        item for item in items if item.get_closest_marker(other) or (ON_POSTGRES and asks_no_database(item))
    ]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(worker_id: str) -> None:
    """Name the test database, one for each run and worker; SQLite's is a file, for one in memory locks
    otherwise.
    """
    folder = Path(os.environ["TEST_FOLDER"])
    name = f"{folder.name}-{worker_id}" if ON_POSTGRES else str(folder / f"fairway-{worker_id}.sqlite3")
    connections["default"].settings_dict["TEST"]["NAME"] = name


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
