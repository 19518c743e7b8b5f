"""Secrets are told once and kept as digests: planted everywhere, they come back from nowhere."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.apps import apps
from django.db import connection

from fairway.exchange.commands import export_instance
from fairway.kernel.models import Row

from .calls import FOUND_PAGES
from .pages import PAGES
from .visits import Visit, anybody
from .world import World, planted, undone

ELSEWHERE = {"django_session"}
"""Tables that are no records: what they hold leaves the database by no door."""


def columns(world: World) -> Iterator[tuple[str, str, set[str]]]:
    """Yield every column of the database but for those that are there for secrets, in pieces."""
    kept = {
        (model._meta.db_table, field.column)
        for model in apps.get_models()
        if issubclass(model, Row)
        for field in model._meta.concrete_fields
        if field.name in model.credentials
    }
    with connection.cursor() as cursor:
        for table in sorted(set(connection.introspection.table_names(cursor)) - ELSEWHERE):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  (a table's own name)
            names = [column[0] for column in cursor.description]
            for name, values in zip(names, zip(*cursor.fetchall(), strict=True), strict=False):
                if (table, name) not in kept:
                    yield table, name, pieces(" ".join(map(str, values)))


def pieces(text: str) -> set[str]:
    return set(re.split(r"[^A-Za-z0-9_-]+", text))


@pytest.mark.sqlite_only  # the columns are the same
def test_no_secret_stands_where_it_could_be_read(world: World) -> None:
    """Not in the log, in what is kept of requests and jobs, or in search: in its own column alone."""
    secrets = planted()
    assert len(secrets) > 60
    found = {(table, name): text & secrets for table, name, text in columns(world) if text & secrets}
    assert found == {}


@pytest.mark.sqlite_only  # it reads every table through the models
def test_no_secret_leaves_with_an_export_of_everything(world: World, tmp_path: Path) -> None:
    export_instance(tmp_path / "all.zip")
    with ZipFile(tmp_path / "all.zip") as archive:
        told = {name: pieces(archive.read(name).decode()) for name in archive.namelist()}
    assert len(told) > 20
    assert {name: text & planted() for name, text in told.items() if text & planted()} == {}


@pytest.mark.sqlite_only  # before any statement that differs
@pytest.mark.parametrize("route", [route for route in FOUND_PAGES if "token>" in route])
def test_the_log_of_the_server_holds_no_address_that_opens_something(world: World, route: str) -> None:
    """Django writes down the address of whatever it refuses."""
    visit = Visit(route, world.north)
    secret = next(value.key for name, value in visit.path.items() if name == "token")
    written = io.StringIO()
    [handler] = [one for one in logging.getLogger().handlers if one.name == "stderr"]
    before = handler.setStream(written)  # type: ignore[attr-defined]
    try:
        with undone():
            if PAGES[route].writes is not None:
                assert visit.post(anybody(), form={}).status_code == 422
            assert anybody().put(visit.address()).status_code == 405
            logging.getLogger("django.request").error("%s failed", visit.address())
    finally:
        handler.setStream(before)  # type: ignore[attr-defined]
    assert route.partition("/")[0] in written.getvalue(), "or it was not listened to"
    assert secret not in written.getvalue()
