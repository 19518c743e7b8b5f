"""Imports that are kept: large ones run as jobs, and a crash at any place neither loses nor doubles a row."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client

from fairway.accounts.commands import CreateToken
from fairway.accounts.models import User
from fairway.audit.commands import execute
from fairway.audit.models import Event
from fairway.catalog.models import ConfigurationItem
from fairway.exchange import commands, queries, working
from fairway.exchange.commands import CancelImport, CheckImport, PutMapping, RunImport, StartImport
from fairway.exchange.entries import Options
from fairway.exchange.models import ImportLine, ImportRun
from fairway.jobs.commands import drain, enqueue
from fairway.kernel import blobs
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from fairway.kernel.models import Blob

from .conftest import AT, Company, contents

ROWS = 1_200
TABLE = "key,name,kind\n" + "".join(
    f"i-{n},Item {n},{'system' if n % 50 else 'sistem'}\n" for n in range(ROWS)
)
REFUSED = ROWS // 50


def kept(text: str = TABLE, *, actor: Actor = SYSTEM, kind: str = "items", **more: Any) -> ImportRun:
    options = Options(kind=kind, file="items.csv", **more)
    return commands.keep(io.BytesIO(text.encode()), options, actor=actor, at=AT)


def begun(run: ImportRun, command: Any) -> ImportRun:
    execute(command(run=str(run.uid)), actor=SYSTEM)
    return ImportRun.objects.select_related("blob").get(pk=run.pk)


def call(actor: Actor, path: str, body: Any = None, **more: Any) -> tuple[int, dict[str, Any]]:
    token = execute(CreateToken(name="pipeline"), actor=actor).answer
    client, headers = Client(), {"Authorization": f"Bearer {token}"}
    if body is None:
        response = client.get(f"/api/v1/{path}", headers=headers)
    else:
        response = client.post(f"/api/v1/{path}", body, headers=headers, **more)
    return response.status_code, json.loads(response.content)


class Killed(BaseException):
    """The process ends at this place."""


@pytest.mark.long
@pytest.mark.parametrize("place", ["before its end", "behind its end"])
@pytest.mark.parametrize("batch", [1, 2, 3])
def test_a_crash_around_any_batch_neither_loses_nor_doubles_a_row(
    company: Company, place: str, batch: int
) -> None:
    """Numbers of events say how often a row was written: each item that is here was written once."""
    before = Event.objects.filter(command="catalog.item.put").count()
    run = begun(kept(), RunImport)
    seen = -1  # the first transaction begins the import

    @contextmanager
    def dying() -> Iterator[None]:
        nonlocal seen
        seen += 1
        with transaction.atomic():
            yield
            if seen == batch and place == "before its end":
                raise Killed
        if seen == batch and place == "behind its end":
            raise Killed

    load = working.opened(run, SYSTEM)
    with pytest.raises(Killed):
        working.proceed(run, load, actor=lambda: SYSTEM, dry_run=False, transaction=dying)
    run = ImportRun.objects.select_related("blob").get(pk=run.pk)
    assert run.position == 500 * (batch - (place == "before its end")) or run.position == ROWS
    execute(CancelImport(run=str(run.uid)), actor=SYSTEM)
    run = begun(run, RunImport)
    commands.carry(run, actor=SYSTEM, dry_run=False)
    assert (run.state, run.position, run.total) == ("done", ROWS, ROWS)
    assert run.counts == {"created": ROWS - REFUSED, "refused": REFUSED}
    assert ConfigurationItem.objects.count() == ROWS - REFUSED
    assert Event.objects.filter(command="catalog.item.put").count() - before == ROWS - REFUSED
    assert ImportLine.objects.filter(run=run, result="refused").count() == REFUSED
    assert ImportLine.objects.filter(run=run).count() == ROWS


def test_a_check_writes_nothing_but_what_it_found_and_shows_what_would_change(company: Company) -> None:
    text = "key,name,kind,criticality\nold,Old,system,2\nfresh,New,system,1\n"
    text += "bad,Bad,sistem,1\nsame,Same,host,3\n"
    first = kept("key,name,kind\nold,Before,system\nsame,Same,host\n")
    commands.carry(begun(first, RunImport), actor=SYSTEM, dry_run=False)
    run = begun(kept(text), CheckImport)
    before = contents()
    commands.carry(run, actor=SYSTEM, dry_run=True)
    changed = {table for table, rows in contents().items() if rows != before[table]}
    assert changed <= {"exchange_importrun", "exchange_importline", "sqlite_sequence"}
    assert run.counts == {"created": 1, "updated": 1, "unchanged": 1, "refused": 1}
    (line,) = queries.lines(run, result="updated")
    assert line["changes"] == [["name", "Before", "Old"], ["criticality", "3", "2"]]
    (line,) = queries.lines(run, result="refused")
    assert line["faults"][0][:2] == ["kind", "kind"]
    assert [one["row"] for one in queries.lines(run)] == [2, 3, 4, 5]
    assert [one["row"] for one in queries.lines(run, after=queries.lines(run)[1]["id"], limit=1)] == [4]


@pytest.mark.long
def test_a_large_file_becomes_a_job_that_is_followed_over_the_api(company: Company) -> None:
    rows = "".join(f"i-{n},Item {n},system\n" for n in range(5_001))
    file = SimpleUploadedFile("many.csv", f"key,name,kind\n{rows}".encode())
    status, run = call(company.retail, "imports", {"kind": "items", "file": file})
    assert (status, run["state"], run["position"]) == (202, "importing", 0)
    assert not ConfigurationItem.objects.exists()
    drain()
    status, run = call(company.retail, f"imports/{run['uid']}")
    assert (status, run["state"], run["counts"], run["total"]) == (200, "done", {"created": 5_001}, 5_001)
    assert ConfigurationItem.objects.filter(organisation__slug="retail").count() == 5_001
    status, listed = call(company.boss, "imports?state=done")
    assert [one["uid"] for one in listed["items"]] == [run["uid"]]
    assert listed["items"][0]["user"]["name"] == "Rita"


def test_a_small_file_is_answered_at_once(company: Company) -> None:
    file = SimpleUploadedFile("few.ndjson", b'{"key": "a", "name": "A", "kind": "system"}\n')
    status, report = call(company.retail, "imports?dry_run=true", {"kind": "items", "file": file})
    assert (status, report["created"], report["dry_run"]) == (200, 1, True)
    assert not ImportRun.objects.exists()


@pytest.mark.parametrize("given", ["1", "True", "true"])
def test_a_dry_run_of_a_form_is_one_however_it_is_written(company: Company, given: str) -> None:
    file = SimpleUploadedFile("few.csv", b"key,name,kind\na,A,system\n")
    status, report = call(company.retail, f"imports?dry_run={given}", {"kind": "items", "file": file})
    assert (status, report["created"], report["dry_run"]) == (200, 1, True)
    assert not ConfigurationItem.objects.exists()


@pytest.mark.parametrize("query", ["dry_run=ja", "dryrun=true"])
def test_a_form_with_a_query_without_sense_writes_nothing(company: Company, query: str) -> None:
    file = SimpleUploadedFile("few.csv", b"key,name,kind\na,A,system\n")
    status, problem = call(company.retail, f"imports?{query}", {"kind": "items", "file": file})
    assert (status, problem["errors"][0]["field"]) == (422, "dry_run")
    assert not ConfigurationItem.objects.exists()


@pytest.mark.parametrize(
    ("case", "sent", "status", "field"),
    [
        ("no file", {"kind": "items"}, 422, "file"),
        ("no kind", {"file": SimpleUploadedFile("a.csv", b"key\n")}, 422, "kind"),
        (
            "an unknown field",
            {"kind": "items", "file": SimpleUploadedFile("a.csv", b"k\n"), "x": "1"},
            422,
            "x",
        ),
        (
            "a header",
            {"kind": "items", "file": SimpleUploadedFile("a.csv", b"k\n"), "header": "-1"},
            422,
            "header",
        ),
    ],
)
def test_a_wrong_form_is_refused_by_field(
    company: Company, case: str, sent: dict[str, Any], status: int, field: str
) -> None:
    answered, problem = call(company.retail, "imports", sent)
    assert (answered, problem["errors"][0]["field"]) == (status, field), problem


def test_forms_need_a_caller_who_may(company: Company) -> None:
    file = SimpleUploadedFile("a.csv", b"key,name,kind\na,A,system\n")
    assert Client().post("/api/v1/imports", {"kind": "items", "file": file}).status_code == 401
    assert call(company.reader, "imports", {"kind": "items", "file": file})[0] == 403
    assert not ConfigurationItem.objects.exists()


def test_an_import_that_is_cancelled_stops_and_goes_on_when_asked(company: Company) -> None:
    run = kept(TABLE, actor=company.retail)
    execute(RunImport(run=str(run.uid), later=True), actor=company.retail)
    with pytest.raises(Conflict, match="being worked on"):
        execute(RunImport(run=str(run.uid)), actor=company.retail)
    execute(CancelImport(run=str(run.uid)), actor=company.retail)
    drain()
    run.refresh_from_db()
    assert (queries.standing(run)[0], ConfigurationItem.objects.count()) == ("cancelled", 0)
    execute(RunImport(run=str(run.uid), later=True), actor=company.retail)
    drain()
    run.refresh_from_db()
    assert (run.state, run.counts["created"]) == ("done", ROWS - REFUSED)
    with pytest.raises(Conflict, match="is done"):
        execute(RunImport(run=str(run.uid)), actor=company.retail)


def test_a_file_that_cannot_be_read_fails_as_a_job_and_says_why(company: Company) -> None:
    begun = "".join(f"a{number},A,system\n" for number in range(600))  # more than is looked at beforehand
    run = kept(f'key,name,kind\n{begun}b,"B,system\n')
    execute(RunImport(run=str(run.uid), later=True), actor=SYSTEM)
    drain()
    run.refresh_from_db()
    assert run.state == "failed"
    assert "never closed" in run.error
    assert not ConfigurationItem.objects.exists()


def test_files_that_nobody_refers_to_are_swept_and_those_of_imports_stay(company: Company) -> None:
    kept()
    blobs.store([b"left behind"], media_type="text/csv", at=AT - timedelta(days=30))
    enqueue(working.sweep_files, {})
    drain()
    assert [blob.size for blob in Blob.objects.all()] == [len(TABLE)]


def test_imports_of_other_branches_do_not_exist(company: Company) -> None:
    run = kept(actor=company.boss)
    with pytest.raises(NotFound):
        queries.import_run(company.retail, str(run.uid))
    with pytest.raises(NotFound):
        execute(RunImport(run=str(run.uid)), actor=company.retail)
    with pytest.raises(Forbidden):
        kept(actor=company.reader)
    digest = blobs.store([b"x"], media_type="text/csv", at=AT).digest
    with pytest.raises(Invalid, match="no organisation"):
        execute(StartImport(kind="items", digest=str(digest), organisation="cards"), actor=company.retail)


def test_a_mapping_is_kept_by_name_and_checked(company: Company) -> None:
    text = "fields:\n  key: ID\n  name: ID\n  kind: {value: system}\n"
    command = PutMapping(name="From the CMDB", kind="items", text=text)
    execute(command, actor=company.retail)
    assert execute(command, actor=company.retail).sequence is None
    assert [one.name for one in queries.mappings(company.retail)] == ["From the CMDB"]
    with pytest.raises(Invalid, match="The mapping has no fields"):
        execute(PutMapping(name="x", kind="items", text="as: items\n"), actor=company.retail)
    with pytest.raises(Forbidden):
        execute(command, actor=company.reader)


def test_rows_are_shown_to_who_made_the_import_and_to_who_sees_everything(company: Company) -> None:
    text = "key,name,kind,organisation\nhush,Cards hush,system,cards\nbad,Cards secret,nonsense,cards\n"
    run = kept(text, actor=company.boss, organisation="retail")
    assert queries.import_run(company.reader, str(run.uid)) == run
    assert queries.looks_into(company.boss, run)
    assert not queries.looks_into(company.reader, run)
    client = Client()
    client.force_login(User.objects.get(uid=company.reader.uid))
    for place in (f"/administration/imports/{run.uid}", f"/api/v1/imports/{run.uid}"):
        answer = client.get(place)
        assert answer.status_code == 200, place
        assert "Cards" not in answer.content.decode()


def test_a_second_start_takes_the_import_over_and_the_first_ends_without_writing_more(
    company: Company,
) -> None:
    run = begun(kept(), RunImport)
    others = 0

    @contextmanager
    def overtaken() -> Iterator[None]:
        nonlocal others
        with transaction.atomic():
            yield
        if others == 1:  # behind the first batch
            other = begun(run, RunImport)
            commands.carry(other, actor=SYSTEM, dry_run=False)
        others += 1

    load = working.opened(run, SYSTEM)
    with pytest.raises(Conflict, match="begun anew"):
        working.proceed(run, load, actor=lambda: SYSTEM, dry_run=False, transaction=overtaken)
    working.failed(run, Conflict("late"))
    run = ImportRun.objects.get(pk=run.pk)
    assert (run.state, run.position, run.error) == ("done", ROWS, "")
    assert run.counts == {"created": ROWS - REFUSED, "refused": REFUSED}
    assert ImportLine.objects.filter(run=run).count() == ROWS


def test_an_import_within_a_request_ends_at_its_next_batch_when_it_is_cancelled(company: Company) -> None:
    run = begun(kept(), RunImport)
    batches = 0

    @contextmanager
    def cancelled() -> Iterator[None]:
        nonlocal batches
        with transaction.atomic():
            yield
        if batches == 1:
            execute(CancelImport(run=str(run.uid)), actor=SYSTEM)
        batches += 1

    load = working.opened(run, SYSTEM)
    with pytest.raises(Conflict, match="was cancelled"):
        working.proceed(run, load, actor=lambda: SYSTEM, dry_run=False, transaction=cancelled)
    run = ImportRun.objects.get(pk=run.pk)
    assert (run.state, run.position) == ("cancelled", 500)


def test_a_form_comes_in_by_the_same_door_as_everything_else(company: Company) -> None:
    token = execute(CreateToken(name="pipeline"), actor=company.retail).answer
    client, headers = Client(), {"Authorization": f"Bearer {token}", "Idempotency-Key": "once"}

    def send(text: str) -> Any:
        file = SimpleUploadedFile("few.csv", text.encode())
        return client.post("/api/v1/imports", {"kind": "items", "file": file}, headers=headers)

    first, again = send("key,name,kind\na,A,system\n"), send("key,name,kind\na,A,system\n")
    assert (first.status_code, first.json()["created"]) == (200, 1)
    assert "RateLimit" in first.headers
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.content == first.content
    assert send("key,name,kind\nb,B,system\n").status_code in {409, 422}
    assert not ConfigurationItem.objects.filter(slug="b").exists()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"--x\r\nContent-Disposition: form-data; name", "multipart/form-data; boundary=x"),
        (b"nothing", "multipart/form-data"),
        (b"--x\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\na\x00b\r\n--x--\r\n",
         "multipart/form-data; boundary=x"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("key", ["", "once"])
def test_forms_that_are_none_are_told_so(company: Company, content: bytes, kind: str, key: str) -> None:
    token = execute(CreateToken(name="pipeline"), actor=company.retail).answer
    headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
    answer = Client().post("/api/v1/imports", content, content_type=kind, headers=headers)
    assert answer.status_code in {400, 422}, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
