"""The demo company leaves one database and arrives in another: its export is the same, byte for byte."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fairway.exchange.commands import export_instance
from tests.support.live import fresh_database

from .conftest import Bank

pytestmark = [pytest.mark.django_db, pytest.mark.long]


def fairway(*arguments: str | Path, url: str, folder: Path) -> str:
    """Run the command line on a database and return what it said."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FAIRWAY_")}
    done = subprocess.run(
        [Path(sys.executable).with_name("fairway"), *arguments],
        env=kept | {"FAIRWAY_DATA": str(folder), "FAIRWAY_DATABASE_URL": url, "COLUMNS": "300"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def moved(file: Path, *, url: str, folder: Path) -> Path:
    """Import an instance into an empty database and return what that one exports."""
    folder.mkdir()
    fairway("migrate", url=url, folder=folder)
    assert "a whole log of" in fairway("import", file, "--as", "instance", url=url, folder=folder)
    assert "The log is whole" in fairway("audit", "verify", url=url, folder=folder)
    fairway("export", folder / "out.zip", url=url, folder=folder)
    return folder / "out.zip"


def test_the_company_travels_to_sqlite_and_back(bank: Bank, tmp_path: Path) -> None:
    home = tmp_path / "home.zip"
    export_instance(home)
    away = moved(home, url=f"sqlite:///{tmp_path / 'away.sqlite3'}", folder=tmp_path / "away")
    assert away.read_bytes() == home.read_bytes()
    with fresh_database(tmp_path) as url:  # of the kind that the run is for
        back = moved(away, url=url, folder=tmp_path / "back")
    assert back.read_bytes() == home.read_bytes()
