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

import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

from fairway.kernel.cache import Kept
from tests.support import templates

T = TypeVar("T")


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path: Path) -> Iterator[None]:
    """Put a copy of the migrated database in place for one test."""
    with django_db_blocker.unblock(), another_database(tmp_path):
        yield


@contextmanager
def another_database(folder: Path) -> Iterator[None]:
    """Put a copy of the migrated database in place, for the length of the block.

    The connection that was there waits aside, with the transaction in which a company may stand for a module.
    """
    aside = connections["default"]
    settings = aside.settings_dict
    cluster = os.environ.get("FAIRWAY_DATABASE_URL", "")
    before, name = settings["NAME"], f"it_{secrets.token_hex(6)}"
    if not cluster:
        name = str(folder / f"{name}.sqlite3")
    templates.copy(name, cluster)
    settings["NAME"] = name  # threads take it from here
    connections["default"] = connections.create_connection("default")
    Kept.forget_all()
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = aside
        settings["NAME"] = before
        Kept.forget_all()
        templates.drop(name, cluster)


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
