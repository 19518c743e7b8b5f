"""The first start: the demo company's password, and what the command line says of itself."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import niquests
import pytest
from typer.testing import CliRunner

from fairway.interfaces import running
from fairway.interfaces.cli.main import app


def test_the_demo_password_is_each_installations_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def password(name: str) -> str:
        (tmp_path / name).mkdir(exist_ok=True)
        monkeypatch.setattr(running, "configuration", lambda: SimpleNamespace(data=tmp_path / name))
        return running._demo_password()

    assert password("one") == password("one")
    assert password("one") != password("other")
    assert len(password("one")) >= 15
    assert (tmp_path / "one" / "demo.password").stat().st_mode & 0o777 == 0o600


def test_the_version_is_told() -> None:
    told = CliRunner().invoke(app, ["--version"])
    assert (told.exit_code, told.output.split()[0]) == (0, "fairway")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (niquests.exceptions.ReadTimeout("x"), "within 30 seconds"),
        (niquests.exceptions.SSLError("x"), "certificate"),
        (niquests.exceptions.ConnectionError("HTTPConnectionPool(host=…)"), "cannot be reached"),
        (niquests.exceptions.MissingSchema("x"), "no address"),
    ],
)
def test_a_server_that_is_down_is_told_in_plain_words(
    monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(niquests, "request", fails)
    monkeypatch.setenv("FAIRWAY_SERVER", "http://127.0.0.1:9")
    monkeypatch.setenv("FAIRWAY_TOKEN", "t")
    told = CliRunner().invoke(app, ["may", "deploy", "payments-api", "prod"])
    assert told.exit_code == 1
    assert said in told.stderr.replace("\n", " ")
    assert "Pool" not in told.stderr
