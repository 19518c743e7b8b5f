"""Many writes in one request: row by row, all or none, tried, repeated, by a job."""

from __future__ import annotations

from typing import Any

import pytest

from fairway.accounts import bulk as doors
from fairway.accounts import commands as accounts
from fairway.accounts.models import BulkRequest
from fairway.audit.commands import execute
from fairway.audit.models import Denial, Event, IdempotentRequest
from fairway.catalog.models import ConfigurationItem
from fairway.jobs.commands import drain
from fairway.jobs.models import Job
from fairway.kernel.actor import SYSTEM
from tests.support.company import Company

from .conftest import Caller


def new(key: str, **more: Any) -> dict[str, Any]:
    return {"op": "create", "fields": {"key": key, "name": key.title(), "kind": "system", **more}}


def keys() -> set[str]:
    return set(ConfigurationItem.objects.filter(archived_at=None).values_list("slug", flat=True))


def test_each_row_is_answered_for_itself(rita: Caller) -> None:
    rita("post", "items/bulk", {"rows": [new("ledger"), new("gate")]})
    rows = [
        new("cards"),
        new("ledger"),
        {"op": "patch", "key": "gate", "version": 1, "fields": {"criticality": 1}},
        {"op": "patch", "key": "gate", "version": 1, "fields": {"criticality": 2}},
        {"op": "patch", "key": "gate", "fields": {"criticality": 2}},
        {"op": "patch", "key": "gate", "version": "*", "fields": {"criticality": 1}},
        {"op": "put", "key": "late", "fields": {"name": "Late", "kind": "host"}},
        {"op": "archive", "key": "ledger", "version": 1},
        {"op": "archive", "key": "nothing", "version": "*"},
        {"op": "explode", "key": "ledger"},
        {"op": "patch", "key": "gate", "version": "*", "fields": {"item": "ledger"}},
        {"op": "patch", "key": "gate", "version": "*", "fields": {"version": 7}},
        new("odd", criticality=9),
    ]
    answer = rita("post", "items/bulk", {"rows": rows})
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert [row["row"] for row in told["rows"]] == list(range(len(rows)))
    assert [(row["status"], row["result"]) for row in told["rows"]] == [
        (201, "created"), (409, "refused"), (200, "changed"), (412, "refused"), (428, "refused"),
        (200, "unchanged"), (201, "created"), (200, "changed"), (404, "refused"), (422, "refused"),
        (422, "refused"), (422, "refused"), (422, "refused"),
    ]  # fmt: skip
    assert told["rows"][2] == {
        "row": 2, "status": 200, "result": "changed", "key": "gate", "version": 2,
        "uid": str(ConfigurationItem.objects.get(slug="gate").uid),
    }  # fmt: skip
    assert told["rows"][12]["problem"]["errors"][0]["field"] == "criticality"
    assert (told["created"], told["changed"], told["unchanged"], told["refused"]) == (2, 2, 1, 8)
    assert keys() == {"cards", "gate", "late"}


def test_all_or_none(rita: Caller, company: Company) -> None:
    before = Event.objects.count()
    answer = rita("post", "items/bulk?atomic=true", {"rows": [new("one"), new("two"), new("one")]})
    assert answer.status_code == 409, answer.content
    assert answer.json()["code"] == "bulk-refused"
    assert [row["row"] for row in answer.json()["rows"]] == [2]
    assert keys() == set()
    late = rita("post", "items/bulk?atomic=true", {"rows": [new("one"), {"op": "patch", "key": "one"}]})
    assert late.json()["rows"][0]["status"] == 428, "nothing is run where a row cannot even be read"
    assert (keys(), Event.objects.count()) == (set(), before)
    answer = rita("post", "items/bulk?atomic=true", {"rows": [new("one"), new("two")]})
    assert (answer.status_code, answer.json()["written"], keys()) == (200, True, {"one", "two"})


def test_a_dry_run_writes_nothing(rita: Caller) -> None:
    answer = rita("post", "items/bulk?dry_run=true", {"rows": [new("one"), new("one", kind="cloud")]}).json()
    assert [row["result"] for row in answer["rows"]] == ["created", "refused"]
    assert (answer["written"], answer["dry_run"], keys()) == (False, True, set())


def test_who_may_nothing_of_it_is_refused_as_a_whole(vera: Caller, company: Company) -> None:
    answer = vera("post", "items/bulk", {"rows": [new("one"), new("two")]})
    assert answer.status_code == 403
    assert "catalog.edit" in answer.json()["detail"]
    assert Denial.objects.filter(actor_uid=company.vera.uid, command="catalog.item.create").exists()


def test_another_branch_is_not_there(rita: Caller, company: Company) -> None:
    carl = Caller(company.carl)
    carl("post", "items/bulk", {"rows": [new("switch")]})
    rows = [{"op": "patch", "key": "switch", "version": "*", "fields": {"name": "Mine"}}]
    [row] = rita("post", "items/bulk", {"rows": rows}).json()["rows"]
    assert (row["status"], ConfigurationItem.objects.get().name) == (404, "Switch")


def test_a_repeat_gets_the_first_answer_even_when_that_was_lost(rita: Caller) -> None:
    rows = {"rows": [new("one"), new("one")]}
    first = rita("post", "items/bulk", rows, Idempotency_Key="k")
    again = rita("post", "items/bulk", rows, Idempotency_Key="k")
    assert (again.content, again["Idempotent-Replay"]) == (first.content, "true")
    assert IdempotentRequest.objects.get().status == 200
    assert rita("post", "items/bulk", {"rows": [new("two")]}, Idempotency_Key="k").status_code == 422


def test_the_answer_is_kept_in_the_transaction_that_it_tells_of(
    rita: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server dies after the commit and before the answer is on its way: the repeat still gets it."""

    def dies(*args: Any) -> None:
        raise RuntimeError("gone")

    rows = {"rows": [new("one")]}
    with monkeypatch.context() as patch:
        patch.setattr(doors, "_all_forbidden", dies)
        with pytest.raises(RuntimeError):
            rita("post", "items/bulk", rows, Idempotency_Key="k")
    answer = rita("post", "items/bulk", rows, Idempotency_Key="k")
    assert (answer.status_code, answer.json()["created"], keys()) == (200, 1, {"one"})


def test_many_rows_become_a_job(rita: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "BULK_AT_ONCE", 3)
    monkeypatch.setattr(accounts, "BULK_AT_ONCE", 2)
    rows = {"rows": [new(f"i-{number}") for number in range(4)] + [new("i-0")]}
    for flag in ("atomic", "dry_run"):
        assert rita("post", f"items/bulk?{flag}=true", rows).status_code == 422
    wrong = rita("post", "items/bulk", {"rows": [*rows["rows"], {"op": "boom"}]})
    assert (wrong.status_code, wrong.json()["rows"][0]["row"]) == (422, 5)
    answer = rita("post", "items/bulk", rows)
    assert (answer.status_code, answer.json()["rows"]) == (202, 5), answer.content
    assert answer["Location"] == f"/api/v1/jobs/{answer.json()['job']}"
    assert keys() == set()
    drain()
    job = Job.objects.get()
    assert job.state == "done", job.error
    result = job.result or {}
    assert {name: result[name] for name in ("created", "changed", "unchanged", "refused", "rows")} == {
        "created": 4, "changed": 0, "unchanged": 0, "refused": 1, "rows": 5,
    }  # fmt: skip
    assert [(told["row"], told["problem"]["code"]) for told in result["problems"]] == [
        (4, "catalog.item.exists")
    ]
    assert keys() == {f"i-{number}" for number in range(4)}
    assert not BulkRequest.objects.exists()


def test_a_job_does_no_more_than_its_asker_may_by_then(
    rita: Caller, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "BULK_AT_ONCE", 1)
    rita("post", "items/bulk", {"rows": [new("one"), new("two")]})
    execute(accounts.SetUserActive(user=company.rita.uid, active=False), actor=SYSTEM)
    drain()
    assert (Job.objects.get().state, keys()) == ("failed", set())


def test_steps_are_taken_in_bulk(boss: Caller) -> None:
    [made] = boss(
        "post", "changes/bulk", {"rows": [{"op": "create", "fields": {"title": "Patch", "model": "normal"}}]}
    ).json()["rows"]
    assert made["result"] == "created", made
    row = {"op": "cancel", "key": made["key"], "fields": {"reason": "No need"}}
    [done] = boss("post", "changes/bulk", {"rows": [row]}).json()["rows"]
    assert (done["result"], boss("get", f"changes/{made['key']}").json()["state"]) == ("changed", "cancelled")


def test_a_key_that_stands_in_addresses_is_refused(rita: Caller) -> None:
    for key in ("bulk", "new", "pick"):
        [row] = rita("post", "items/bulk", {"rows": [new(key)]}).json()["rows"]
        assert row["status"] == 422
