"""What another branch has does not exist: not to read, to write, to refer to, to count or to find."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from .calls import KNOWN, KNOWN_READS, Call, problem, told
from .table import OPERATIONS, plain, put, references
from .world import Named, World, unwritten

WITH_PATH = [name for name in KNOWN if "{" in name and not OPERATIONS[name].common]
BELONGING = [name for name in KNOWN_READS if not (OPERATIONS[name].common or OPERATIONS[name].bare)]
ADMINISTRATOR = "administrator"


def dry_runs(call: Call) -> list[dict[str, str]]:
    return [{}, {"dry_run": "true"}] if "dry_run" in call.operation.query else [{}]


@pytest.mark.parametrize("name", WITH_PATH)
def test_records_of_another_branch_answer_404(world: World, name: str) -> None:
    """By key and uid, with what would be a valid body here and there, in earnest and as a dry run."""
    stranger = world.south.people[ADMINISTRATOR].token
    with unwritten(world, name):
        for by in ("key", "uid"):
            for body_of in (world.south, world.north):
                call = Call(name, world.north)
                call.by, call.body = by, call.entry.body(body_of)
                for query in dry_runs(call):
                    answer = call(stranger, query=query)
                    expected = call.entry.foreign if by == "key" else 404
                    where = f"{by} with a body of {body_of.slug} {query}"
                    assert answer.status_code in {expected, 422 if call.entry.foreign == 409 else expected}, (
                        f"{where}: {told(answer)}"
                    )
                    problem(answer)
                    sent = [plain(one, by=by) for one in call.path.values()]
                    traces = world.north.traces(answer.content) - {one.lower() for one in sent}
                    assert traces <= {world.north.slug}, where  # the slug stands in the key that was sent


def named_absent(named: Named, by: str) -> str:
    """Return a reference of the same form that nothing has."""
    if by == "uid" or named.key == named.uid:
        return str(uuid4())
    if by == "email":
        return "nobody@nowhere.example"
    prefix, dash, number = named.key.partition("-")
    return f"{prefix}-999999" if dash and number.isdigit() else "no-such-thing"


def without(answer: Any, sent: str) -> tuple[int, str]:
    """Return what an answer says, whatever the reference was."""
    if answer.get("Content-Type", "") == "text/event-stream":
        return answer.status_code, answer.content.decode().replace(sent, "…")
    content = {**answer.json(), "seconds": 0, "at": ""}
    return answer.status_code, json.dumps(content, sort_keys=True, ensure_ascii=False).replace(sent, "…")


@pytest.mark.parametrize("name", KNOWN)
def test_references_to_another_branch_read_as_references_to_nothing(world: World, name: str) -> None:
    """In the body and in the query, one after the other, by every name that a record has."""
    stranger = world.south.people[ADMINISTRATOR].token
    with unwritten(world, name):
        for part in ("body", "query", "filters"):
            mine, theirs = (
                getattr(Call(name, branch).entry, part)(branch) for branch in (world.south, world.north)
            )
            foreign = dict(references(theirs))
            for where, _ in references(mine):
                for by in ("key", "uid", *(["email"] if foreign[where].email else [])):
                    answers = []
                    for reference in (plain(foreign[where], by=by), named_absent(foreign[where], by)):
                        call = Call(name, world.south)
                        changed = put(mine, where, reference)
                        if part == "body":
                            call.body = changed
                        else:
                            call.query = {**call.query, **changed}
                        answer = call(stranger)
                        assert answer.status_code < 500, f"{where} by {by}: {told(answer)}"
                        assert not world.north.traces(answer.content, but=reference), f"{where} by {by}"
                        answers.append(without(answer, reference))
                    assert answers[0] == answers[1], f"{part} {where} by {by}"
                    if part == "body":
                        assert answers[0][0] in call.entry.missing, f"{where} by {by}: {answers[0]}"


def most(call: Call) -> dict[str, str]:
    return {"limit": "1000"} if "limit" in call.operation.query else {}


@pytest.mark.parametrize("name", KNOWN_READS)
def test_lists_hold_nothing_of_another_branch(world: World, name: str) -> None:
    """Whole, counted, searched for what the other branch alone has, and sorted each way."""
    call = Call(name, world.south)
    queries: list[dict[str, str]] = [most(call)]
    if "count" in call.operation.query:
        queries += [{**most(call), "count": "true"}]
    if "q" in call.operation.query:
        queries += [
            {"q": word, "count": "true"} for word in (world.north.slug, "secret", world.north.item.uid)
        ]
    if "archived" in call.operation.query:
        queries.append({"archived": "true", "limit": "1000"})
    for who in (ADMINISTRATOR, "auditor", "viewer"):
        if call.entry.who is not None and who not in call.entry.who:
            continue
        for query in queries:
            answer = call(world.south.people[who].token, query=query)
            sent = query.get("q", "")
            assert answer.status_code == 200 or (sent and answer.status_code == 422), told(answer)
            assert not world.north.traces(answer.content, but=sent), query
            if sent == world.north.slug and answer.status_code == 200:
                assert (answer.json()["items"], answer.json()["count"]) == ([], 0)


@pytest.mark.parametrize("name", BELONGING)
def test_the_same_lists_hold_the_twin_for_who_sees_both(world: World, name: str) -> None:
    """Or the test above would look for what never comes."""
    call = Call(name, world.north)
    answer = call(world.root.token, query=most(call))
    assert answer.status_code == 200, told(answer)
    assert world.north.traces(answer.content), told(answer)
