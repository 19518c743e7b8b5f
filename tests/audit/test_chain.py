"""The chain: whatever is done to the log past the frame is found, offline too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from fairway.audit import checkpoints, queries
from fairway.audit.commands import execute, execute_many
from fairway.audit.models import EventText
from fairway.kernel.errors import Invalid
from tests.audit.probes import Make
from tests.support.company import Company

Tamper = Callable[[], None]


@pytest.fixture
def log(company: Company) -> int:
    """Write events with rows and texts; give the number of the first of six."""
    start, _ = queries.head()
    for slug in ("a", "b", "c"):
        execute(Make(slug=slug, note={"n": 1}, texts={"comment": f"words on {slug}"}), actor=company.boss)
    list(execute_many([Make(slug=slug) for slug in ("d", "e", "f")], actor=company.boss))
    assert queries.verification().whole
    return start + 1


def unseal() -> None:
    """Drop the triggers, as somebody with the database's password can."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("DROP FUNCTION audit_append_only() CASCADE")
            return
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'audit%'")
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP TRIGGER {name}")


def run(sql: str, *params: str | int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def found() -> list[tuple[int, str]]:
    return [(flaw.sequence, flaw.what) for flaw in queries.verification().flaws]


@pytest.mark.parametrize("table", ["audit_event", "audit_eventrow"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET organisation_id = 1", "DELETE FROM {}"])
def test_the_database_refuses_to_edit_and_delete_events(log: int, table: str, statement: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        run(statement.format(table))
    assert queries.verification().whole


@pytest.mark.postgres_only
@pytest.mark.parametrize("table", ["audit_event", "audit_eventrow"])
def test_the_database_refuses_to_empty_the_log(committed: None, table: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        run(f"TRUNCATE {table} CASCADE")


EDITS: dict[str, dict[str, str | int]] = {
    "audit_event": {
        "at": "2026-01-01 00:00:00+00:00", "actor_kind": "system", "actor_uid": "0" * 32, "on_behalf_of": "x",
        "request_id": "x", "command": "x", "subject_kind": "x", "subject_uid": "0" * 32, "subject_key": "x",
        "organisation_id": 999, "data": '{"n":2}', "previous_hash": "f" * 64, "hash": "f" * 64,
    },
    "audit_eventrow": {
        "position": 7, "model": "x", "row_uid": "0" * 32, "organisation_id": 999, "action": "remove",
        "changes": "{}",
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [(table, column, value) for table, columns in EDITS.items() for column, value in columns.items()],
)
def test_an_edit_of_any_column_is_found(log: int, table: str, column: str, value: str | int) -> None:
    unseal()
    if connection.vendor == "sqlite" and column == "at":
        value = "2026-01-01 00:00:00"
    run(f"UPDATE {table} SET {column} = %s WHERE sequence = %s", value, log + 1)  # noqa: S608
    assert (log + 1) in [sequence for sequence, _ in found()]


def test_the_columns_above_are_all_there_are(db: None) -> None:
    with connection.cursor() as cursor:
        for table, columns in EDITS.items():
            described = {c.name for c in connection.introspection.get_table_description(cursor, table)}
            assert described - {"sequence", "id"} == set(columns)


def test_an_edit_of_free_text_is_found(log: int) -> None:
    run("UPDATE audit_eventtext SET texts = %s WHERE sequence = %s", '{"comment": "other words"}', log + 1)
    assert found() == [(log + 1, "its free text was edited")]


def test_free_text_that_was_added_is_found(log: int) -> None:
    EventText.objects.create(event_id=log + 4, position=1, salt="0" * 32, texts={"comment": "never said"})
    EventText.objects.create(event_id=log + 5, position=9, salt="0" * 32, texts={"comment": "never said"})
    assert found() == [(log + 4, "its free text was edited"), (log + 5, "free text was added to it")]


def test_erasing_free_text_leaves_the_chain_whole(log: int) -> None:
    before = queries.feed(after=log, limit=1, organisations=None)[0]["data"]
    EventText.objects.filter(event_id=log + 1).delete()
    after = queries.feed(after=log, limit=1, organisations=None)[0]["data"]
    assert (before, after) == ({"n": 1, "comment": "words on b"}, {"n": 1})
    assert queries.verification().whole


def test_a_deleted_event_is_a_gap(log: int) -> None:
    unseal()
    for table in ("audit_eventtext", "audit_eventrow", "audit_event"):
        run(f"DELETE FROM {table} WHERE sequence = %s", log + 1)  # noqa: S608
    assert found() == [(log + 1, f"event {log + 1} is missing")]


def test_a_deleted_row_is_found(log: int) -> None:
    unseal()
    run("DELETE FROM audit_eventrow WHERE sequence = %s", log + 3)
    assert found() == [(log + 3, "was edited: its content does not give its hash")]


def test_reordering_is_found(log: int) -> None:
    unseal()
    run("DELETE FROM audit_eventtext")
    with connection.cursor() as cursor:
        columns = "at, command, actor_kind, actor_uid, on_behalf_of, request_id, subject_kind, subject_uid," \
                  " subject_key, organisation_id, data, previous_hash, hash"  # fmt: skip
        cursor.execute(
            f"SELECT {columns} FROM audit_event WHERE sequence IN (%s, %s) ORDER BY sequence",  # noqa: S608
            [log + 3, log + 4],
        )
        one, two = cursor.fetchall()
        assignments = ", ".join(f"{name.strip()} = %s" for name in columns.split(","))
        for number, values in ((log + 4, one), (log + 3, two)):
            cursor.execute(
                f"UPDATE audit_event SET {assignments} WHERE sequence = %s",  # noqa: S608
                [*values, number],
            )
    assert {log + 3, log + 4} <= {sequence for sequence, _ in found()}


def cut_tail(log: int) -> None:
    """Remove the last two events and set the head back, leaving nothing that contradicts it inside."""
    unseal()
    with connection.cursor() as cursor:
        for table in ("audit_eventtext", "audit_eventrow", "audit_event"):
            cursor.execute(f"DELETE FROM {table} WHERE sequence > %s", [log + 3])  # noqa: S608
        cursor.execute(
            "UPDATE audit_chainhead SET sequence = %s,"
            " hash = (SELECT hash FROM audit_event WHERE sequence = %s)",
            [log + 3, log + 3],
        )


def test_a_cut_tail_is_found_by_the_head_or_by_a_checkpoint(log: int, tmp_path: Path) -> None:
    kept = tmp_path / "checkpoint.json"
    kept.write_text(queries.checkpoint())
    assert queries.verification(checkpoint=kept).whole
    with transaction.atomic():
        unseal()
        run("DELETE FROM audit_eventrow WHERE sequence = %s", log + 5)
        run("DELETE FROM audit_event WHERE sequence = %s", log + 5)
        assert found() == [(log + 4, f"the log ends at event {log + 4}, its head says {log + 5}")]
        transaction.set_rollback(True)
    cut_tail(log)
    assert queries.verification().whole  # alone, the log cannot know
    verified = queries.verification(checkpoint=kept)
    assert [flaw.sequence for flaw in verified.flaws] == [log + 5]
    assert "tail is cut" in verified.flaws[0].what
    assert not verified.document()["whole"]


def test_a_tail_that_was_written_anew_is_found_by_a_checkpoint(
    log: int, company: Company, tmp_path: Path
) -> None:
    kept = tmp_path / "checkpoint.json"
    kept.write_text(queries.checkpoint())
    cut_tail(log)
    for slug in ("x", "y", "z"):
        execute(Make(slug=slug), actor=company.boss)
    assert queries.verification().whole
    assert [flaw.what for flaw in queries.verification(checkpoint=kept).flaws] == [
        "is not the event that the checkpoint knows"
    ]


def test_verification_says_what_it_saw(log: int, tmp_path: Path) -> None:
    kept = tmp_path / "checkpoint.json"
    kept.write_text(queries.checkpoint())
    verified = queries.verification(checkpoint=kept)
    assert verified.events == log + 5
    assert verified.last == queries.head()
    assert verified.document()["checkpoint"] == log + 5
    assert f"{log + 5} events" in verified.summary()
    assert "checkpoint" in verified.summary()
    assert "only an exported checkpoint can tell" in queries.verification().summary()


def test_verifying_takes_statements_by_the_batch(log: int) -> None:
    with CaptureQueriesContext(connection) as captured:
        queries.verification()
    assert len(captured) == 6  # head, events, rows, organisations, texts, no more events


# Checkpoints and exports: no server needed


def test_the_key_is_its_owners_alone_and_stays(log: int) -> None:
    first = msgspec.json.decode(queries.checkpoint())
    key = settings.CONFIGURATION.data / checkpoints.KEY_FILE
    assert key.stat().st_mode & 0o777 == 0o600
    assert msgspec.json.decode(queries.checkpoint())["public_key"] == first["public_key"]
    assert (first["sequence"], first["hash"]) == queries.head()


@pytest.mark.parametrize("field", ["sequence", "hash", "at", "public_key", "signature", "format"])
def test_an_edited_checkpoint_is_refused(log: int, tmp_path: Path, field: str) -> None:
    told = msgspec.json.decode(queries.checkpoint())
    told[field] = (
        told[field] - 1 if field == "sequence" else told[field].replace(told[field][3], "e", 1) + "0"
    )
    kept = tmp_path / "checkpoint.json"
    kept.write_bytes(msgspec.json.encode(told))
    with pytest.raises(Invalid, match="signature"):
        queries.verification(checkpoint=kept)


@pytest.mark.parametrize("text", ["", "no json", "{}", '{"sequence": "x"}', "[]"])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, text: str) -> None:
    kept = tmp_path / "checkpoint.json"
    kept.write_text(text)
    with pytest.raises(Invalid, match="not a checkpoint"):
        queries.verification(checkpoint=kept)


@pytest.mark.parametrize("texts", [False, True])
def test_an_export_is_verified_without_the_database(
    log: int, tmp_path: Path, texts: bool, django_db_blocker: object
) -> None:
    file, kept = tmp_path / "events.ndjson", tmp_path / "checkpoint.json"
    file.write_bytes(b"".join(queries.exported(texts=texts)))
    kept.write_text(queries.checkpoint())
    assert (b"words on a" in file.read_bytes()) is texts
    with CaptureQueriesContext(connection) as captured:
        verified = queries.verification(export=file, checkpoint=kept)
    assert len(captured) == 0
    assert verified.whole
    assert verified.last == queries.head()


def test_edits_gaps_and_a_cut_tail_of_an_export_are_found(log: int, tmp_path: Path) -> None:
    lines = list(queries.exported())
    kept = tmp_path / "checkpoint.json"
    kept.write_text(queries.checkpoint())

    def flaws(changed: list[bytes]) -> list[tuple[int, str]]:
        file = tmp_path / "events.ndjson"
        file.write_bytes(b"".join(changed))
        return [(f.sequence, f.what) for f in queries.verification(export=file, checkpoint=kept).flaws]

    edited = lines.copy()
    edited[2] = edited[2].replace(b'"create"', b'"change"', 1)
    assert flaws(edited) == [(3, "was edited: its content does not give its hash")]
    assert flaws([*lines[:2], *lines[4:]]) == [(3, "events 3 to 4 are missing")]
    assert flaws(lines[1:]) == [(1, "event 1 is missing")]
    assert (3, "stands out of order") in flaws([*lines[:2], lines[3], lines[2], *lines[4:]])
    assert flaws(lines[:-1])[0][1].startswith("the tail is cut")


def test_a_line_that_is_no_event_is_named(log: int, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_bytes(b"".join(queries.exported())[:-20])
    with pytest.raises(Invalid, match=f"Line {log + 5} is not an event"):
        queries.verification(export=file)


def test_the_empty_log_is_whole(committed: None, tmp_path: Path) -> None:
    kept = tmp_path / "checkpoint.json"
    kept.write_text(queries.checkpoint())
    verified = queries.verification(checkpoint=kept)
    assert verified.whole
    assert verified.events == 0
