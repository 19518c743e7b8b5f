"""A database whose transactions really commit, for tests of races, crashes and triggers.

pytest-django's own transactional tests empty all tables afterwards, which the event log refuses. So each
such test gets a copy of the migrated test database and throws it away:

    from tests.support.committed import committed, together

    @pytest.mark.race
    @pytest.mark.usefixtures("committed")
    def test_two_at_once() -> None:
        answers = together(*[lambda: execute(command, actor=actor)] * 2)
"""

from __future__ import annotations

import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

from fairway.kernel.cache import Kept

T = TypeVar("T")


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path: Path) -> Iterator[None]:
    """Put a copy of the migrated database in place for one test."""
    with django_db_blocker.unblock(), another_database(tmp_path):
        yield


@contextmanager
def another_database(folder: Path) -> Iterator[None]:
    """Put a copy of the database that is in place there, for the length of the block."""
    connection = connections["default"]
    template = connection.settings_dict["NAME"]
    name = f"it_{secrets.token_hex(6)}"
    if connection.vendor == "sqlite":
        name = str(folder / f"{name}.sqlite3")
    _copy(template, name)
    connection.settings_dict["NAME"] = name
    Kept.forget_all()
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = template
        Kept.forget_all()
        _drop(name)


def together(*work: Callable[[], T]) -> list[T | Exception]:
    """Run all at the same moment, each in a thread with a connection of its own; give what each said or
    raised.
    """
    gate = threading.Barrier(len(work))
    answers: list[T | Exception] = [TimeoutError("did not end")] * len(work)

    def run(number: int) -> None:
        try:
            gate.wait()
            answers[number] = work[number]()
        except Exception as error:  # noqa: BLE001  (it is the answer)
            answers[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def _copy(template: str, name: str) -> None:
    connection = connections["default"]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        shutil.copyfile(template, name)
        return
    connection.close()  # a template must have no connection
    with connection._nodb_cursor() as cursor:
        # Copying files takes a third of what writing each page to the log does.
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')


def _drop(name: str) -> None:
    connection = connections["default"]
    if connection.vendor == "postgresql":
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
