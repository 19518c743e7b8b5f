"""Settings: read once, typed, and refused loudly."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairway.interfaces.configuration import SettingError, database, read


def settings(folder: Path, **given: str) -> dict[str, str]:
    return {"FAIRWAY_DATA": str(folder), "FAIRWAY_SECRET_KEY": "k", "HOME": "/", **given}


def test_defaults_are_a_demo_on_loopback(tmp_path: Path) -> None:
    found = read(settings(tmp_path))
    assert (found.listen, found.demo, found.https) == (("127.0.0.1", 8000), True, False)
    assert "127.0.0.1" in found.hosts


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"FAIRWAY_DATABSE_URL": "x"}, "FAIRWAY_DATABSE_URL is not a setting of Fairway"),
        ({"FAIRWAY_LISTEN": "8000"}, "write host:port"),
        ({"FAIRWAY_LISTEN": "localhost:99999"}, "write host:port"),
        ({"FAIRWAY_DEMO": "yes"}, "write 0 or 1"),
        ({"FAIRWAY_THREADS": "0"}, "from 1 to 64"),
        ({"FAIRWAY_SECRET_KEY_FILE": "/no/such/file"}, "cannot be read"),
    ],
)
def test_a_setting_without_sense_is_refused(tmp_path: Path, given: dict[str, str], said: str) -> None:
    with pytest.raises(SettingError, match="FAIRWAY_") as refused:
        read(settings(tmp_path, **given))
    assert said in str(refused.value)


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from the file\n", encoding="utf-8")
    given = {"FAIRWAY_DATA": str(tmp_path), "FAIRWAY_SECRET_KEY_FILE": str(tmp_path / "secret")}
    assert read(given).secret_key == "from the file"


def test_a_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first = read({"FAIRWAY_DATA": str(tmp_path)}).secret_key
    assert read({"FAIRWAY_DATA": str(tmp_path)}).secret_key == first
    assert len(first) >= 48
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600


def test_databases_are_named_by_url(tmp_path: Path) -> None:
    embedded = database("", tmp_path)
    assert (embedded["ENGINE"], embedded["NAME"]) == (
        "django.db.backends.sqlite3",
        str(tmp_path / "fairway.sqlite3"),
    )
    remote = database("postgresql://me:p%40ss@db.example:5433/fairway?sslmode=require", tmp_path)
    assert [remote[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")] == [
        "fairway", "me", "p@ss", "db.example", "5433",
    ]  # fmt: skip
    for wrong in ("mysql://host/name", "postgresql://host/", "fairway.db"):
        with pytest.raises(SettingError, match="neither sqlite"):
            database(wrong, tmp_path)
