"""The whole instance as one file: the same on the way back, and refused whole where anything is wrong."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from django.apps import apps
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from fairway.accounts.commands import CreateToken, SetPassword
from fairway.audit import queries as audit
from fairway.audit.commands import execute
from fairway.catalog import commands as catalog
from fairway.catalog import queries as items
from fairway.catalog.rules import Direction
from fairway.exchange.commands import export_instance, import_instance
from fairway.exchange.instance.shape import EVENTS, LEFT_OUT, MANIFEST, columns, tables
from fairway.kernel.errors import Conflict, Invalid, NotFound, Problem
from fairway.workspace import listeners
from tests.support import company
from tests.support.committed import another_database
from tests.support.dump import dump
from tests.support.replay import present

SECRET = "a lamp on the quay"
ITEMS = "records/catalog.ConfigurationItem.ndjson"
RELATIONS = "records/catalog.Relation.ndjson"
Change = Callable[[dict[str, bytes]], None]

pytestmark = pytest.mark.usefixtures("unblocked")


@pytest.fixture
def unblocked(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="module")
def exported(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return the export of a small company that has lived a little."""
    folder = tmp_path_factory.mktemp("instance")
    with django_db_blocker.unblock(), another_database(folder):
        boss = company.found().boss
        for key, at in (("ledger", "retail"), ("ledger-db", "retail"), ("cards-hub", "cards")):
            made = catalog.CreateItem(key=key, name=key.title(), kind="system", organisation=at)
            execute(made, actor=boss)
        execute(catalog.CreateRelation(source="ledger", target="ledger-db", kind="depends-on"), actor=boss)
        execute(
            catalog.EditItem(item="ledger", name="Ledger Ü", attributes={"a": [1, 2.5, None]}), actor=boss
        )
        execute(SetPassword(user="boss@example.org", password=SECRET), actor=boss)
        execute(CreateToken(name="robot"), actor=boss)
        export_instance(folder / "fairway.zip")
    return folder / "fairway.zip"


@pytest.mark.django_db  # pytest-django sets the database up where one test at least asks by this mark
def test_every_table_travels_or_tells_why_not() -> None:
    ours = {m._meta.label for m in apps.get_models() if m.__module__.startswith("fairway.")}
    travelling = {model._meta.label for model in tables()}
    assert ours - travelling == LEFT_OUT.keys(), "name each table that is no record in LEFT_OUT, and why"
    for model in tables():
        assert columns(model)


OF_CONTENT = {
    "approvals.Vote.digest",
    "catalog.Artefact.digest",
    "changes.Change.digest",
    "changes.Drift.digest",
    "workspace.Attachment.digest",
}
"""Columns whose names sound like secrets and that are digests of what anybody may read who reads the row."""


def test_no_column_that_sounds_like_a_secret_travels() -> None:
    secret = re.compile("secret|passw|token|digest|hash|private|sealed|credential|salt", re.IGNORECASE)
    found = {f"{m._meta.label}.{c.name}" for m in tables() for c in columns(m) if secret.search(c.name)}
    assert found == OF_CONTENT, "name it in `credentials` of its model, or here what lets it travel"


def test_what_was_exported_is_there_again(exported: Path, tmp_path: Path) -> None:
    with another_database(tmp_path):
        restored = import_instance(exported)
        assert restored.records > 20
        assert audit.verification().whole
        assert audit.head() == restored.last
        again = tmp_path / "again.zip"
        export_instance(again)
        assert again.read_bytes() == exported.read_bytes()
        actor = company.actor("boss")
        ledger = items.item(actor, "ledger")
        assert (ledger.name, ledger.attributes) == ("Ledger Ü", {"a": [1, 2.5, None]})
        upstream = items.impact(actor, ledger, direction=Direction.UPSTREAM)
        assert [one.item.key for one in upstream.reached] == ["ledger-db"]
        assert items.item_exists(company.actor("carl"), "cards-hub")
        assert not items.item_exists(company.actor("carl"), "ledger")  # the tree of organisations holds again


def test_work_goes_on_after_an_import(exported: Path, tmp_path: Path) -> None:
    with another_database(tmp_path):
        import_instance(exported)
        boss = company.actor("boss")
        execute(catalog.EditItem(item="ledger", criticality=1), actor=boss)
        newcomer = company.person("newcomer", "shops")
        assert newcomer.pk == apps.get_model("accounts.User")._default_manager.latest("pk").pk
        assert audit.verification().whole


def test_what_was_told_elsewhere_is_not_told_again(exported: Path, tmp_path: Path) -> None:
    with another_database(tmp_path):
        restored = import_instance(exported)
        assert listeners.position() == restored.last[0]
        execute(catalog.EditItem(item="ledger", criticality=1), actor=company.actor("boss"))
        assert [one.sequence for one in audit.logged(after=listeners.position())] == [restored.last[0] + 1]


def test_credentials_stay_at_home(exported: Path, tmp_path: Path) -> None:
    with ZipFile(exported) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
    assert b"argon2" not in everything
    assert b"ApiToken.ndjson" not in everything
    assert exported.stat().st_mode & 0o077 == 0
    with another_database(tmp_path):
        import_instance(exported)
        user = apps.get_model("accounts.User")._default_manager.get(email_folded="boss@example.org")
        assert not user.check_password(SECRET)
        assert not user.check_password("")


def test_a_dry_run_keeps_nothing(exported: Path, tmp_path: Path) -> None:
    with another_database(tmp_path):
        before = dump()
        assert import_instance(exported, dry_run=True).records > 20
        assert dump() == before


def test_an_instance_goes_into_an_empty_database_only(exported: Path, tmp_path: Path) -> None:
    with another_database(tmp_path):
        import_instance(exported)
        before = present()
        with pytest.raises(Conflict, match="an empty one only"):
            import_instance(exported)
        assert present() == before


def edited(name: str, old: bytes, new: bytes) -> Change:
    """Edit an entry and make the manifest fit: what somebody would do who knows how."""

    def change(entries: dict[str, bytes]) -> None:
        assert old in entries[name]
        entries[name] = entries[name].replace(old, new, 1)
        if name == MANIFEST:
            return
        manifest = json.loads(entries[MANIFEST])
        lines = entries[name].count(b"\n")
        manifest["entries"][name] = {"lines": lines, "sha256": hashlib.sha256(entries[name]).hexdigest()}
        entries[MANIFEST] = json.dumps(manifest).encode()

    return change


def touched(entries: dict[str, bytes]) -> None:
    entries[ITEMS] = entries[ITEMS].replace(b"Ledger-Db", b"Ledger-Dc")


def cut(entries: dict[str, bytes]) -> None:
    entries[EVENTS] = entries[EVENTS].rsplit(b"\n", 2)[0] + b"\n"


def without(name: str) -> Change:
    return lambda entries: void(entries.pop(name))


def void(_: bytes) -> None:
    """Give a lambda nothing to return."""


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (touched, f"{ITEMS} is not what was exported: it was cut or edited since."),
        (cut, f"{EVENTS} is not what was exported: it was cut or edited since."),
        (without(MANIFEST), "This is no instance: it holds no manifest.json."),
        (without(RELATIONS), f"The file holds no {RELATIONS}."),
        (edited(MANIFEST, b"fairway-instance-1", b"fairway-instance-9"), "is of the format fairway"),
        (edited(MANIFEST, b'"entries":{', b'"entries":[{'), "manifest.json is not what an export writes"),
        (edited(MANIFEST, b"catalog.Relation.nd", b"catalog.Bridge.nd"), "another version"),
        (edited(ITEMS, b'"criticality":3', b'"criticality":"x"'), f"{ITEMS}, line 1: criticality: "),
        (edited(ITEMS, b'"criticality":3', b'"criticality":9'), "contradict each other"),
        (edited(ITEMS, b'"criticality":3', b'"weight":3'), f"{ITEMS}, line 1: there is no field “weight”."),
        (edited(ITEMS, b'"criticality":3,', b""), f"{ITEMS}, line 1: criticality is missing."),
        (edited(ITEMS, b'"name":"', b'"name":' + b"7" * 3 + b',"nama":"'), "there is no field “nama”"),
        (edited(ITEMS, b'"shared":false', b'"shared":null'), f"{ITEMS}, line 1: shared: may not be empty"),
        (edited(ITEMS, b"{", b"["), f"{ITEMS}, line 1 is no JSON object"),
        (edited(ITEMS, b'"created_at":"2', b'"created_at":"x2'), "line 1: created_at: "),
        (edited(RELATIONS, b'"source":"0', b'"source":"f'), "which is not in the file"),
        (edited(RELATIONS, b'"uid":"0', b'"uid":"'), f"{RELATIONS}, line 1: a record has a uid."),
        (edited(EVENTS, b"boss@example.org", b"loss@example.org"), "its free text was edited"),
        (edited(EVENTS, b'"command":"catalog', b'"command":"cataleg'), "was edited: its content"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_and_nothing_is_kept(
    exported: Path, tmp_path: Path, change: Change, told: str
) -> None:
    with ZipFile(exported) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    with ZipFile(tmp_path / "changed.zip", "w", ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    with another_database(tmp_path):
        before = dump()
        with pytest.raises(Invalid) as raised:
            import_instance(tmp_path / "changed.zip")
        assert told in raised.value.detail
        assert dump() == before


@pytest.mark.parametrize(
    ("content", "problem", "told"),
    [
        (None, NotFound, "cannot be opened"),
        (b"", Invalid, "is no instance, or was damaged"),
        (b"key,name\nledger,Ledger\n", Invalid, "is no instance, or was damaged"),
    ],
)
def test_what_is_no_instance_is_refused(
    tmp_path: Path, content: bytes | None, problem: type[Problem], told: str
) -> None:
    if content is not None:
        (tmp_path / "file.zip").write_bytes(content)
    with pytest.raises(problem, match=told):
        import_instance(tmp_path / "file.zip")


def test_a_truncated_file_is_refused(exported: Path, tmp_path: Path) -> None:
    whole = exported.read_bytes()
    for size in (len(whole) - 1, len(whole) // 2, 100):
        (tmp_path / "file.zip").write_bytes(whole[:size])
        with pytest.raises(Invalid, match="is no instance, or was damaged"):
            import_instance(tmp_path / "file.zip")
    damaged = bytearray(whole)
    damaged[len(whole) // 3] ^= 0xFF
    (tmp_path / "file.zip").write_bytes(damaged)
    with another_database(tmp_path), pytest.raises(Invalid):
        import_instance(tmp_path / "file.zip")


def test_an_export_that_fails_leaves_no_file(tmp_path: Path) -> None:
    def stop(name: str, count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_instance(tmp_path / "fairway.zip", progress=stop)
    assert list(tmp_path.iterdir()) == []
    connection.close()
