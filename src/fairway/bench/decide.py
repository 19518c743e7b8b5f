"""The decision that a pipeline asks for, over HTTP, beside its floor."""

from __future__ import annotations

import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from django.conf import settings
from django.db import connection
from django.test import Client as TestClient

from fairway.accounts import queries as people
from fairway.audit import queries as audit
from fairway.bench import floor, timing, wire, world
from fairway.bench.capture import statements
from fairway.bench.shape import TODAY, Shape
from fairway.changes import queries as changes
from fairway.kernel.actor import SYSTEM, Actor
from fairway.policy import Decision

BUDGET = 4.0
LIMIT = 0.010
REQUESTS = 480
ABOUT = "GET /api/v1/decide, one client on a connection that stays open; and the decision itself, in process"


def run(shape: Shape, *, rounds: int, requests: int) -> list[dict[str, Any]]:
    """Measure as somebody with few branches and as somebody with all; return a row of figures for each."""
    rows = []
    askers = [("5 branches", world.FEW), ("all branches", world.ALL)]
    tokens = {email: world.token(email) for _, email in askers}
    questions = {email: asked(shape, email, 120) for _, email in askers}
    asking = {email: told(questions[email], tokens[email]) for email in tokens}
    everything = {key: one for some in asking.values() for key, one in some.items()}
    with ExitStack() as stack:
        ours, theirs, process = servers(stack, everything)
        for label, email in askers:
            sent = [wire.get(path, tokens[email]) for path in questions[email]]
            compare(ours, theirs, sent)
            turns = (sent * (requests // len(sent) + 1))[:requests]
            before = wire.processor(process)
            figure, bare = timing.alternate(partial(ours.timed, turns), partial(theirs.timed, turns), rounds)
            each = (wire.processor(process) - before) / (len(turns) * (rounds + 1))
            rows.append(_row(label, figure, bare, list(asking[email].values()), each))
    for label, email in askers:
        rows.append(_in_process(label, email, questions[email], rounds, requests))
    return rows


def _in_process(label: str, email: str, paths: list[str], rounds: int, requests: int) -> dict[str, Any]:
    """Measure the decision without server and token; the floor runs its statements on the same connection."""
    actor = people.person(people.user(SYSTEM, email))
    asked_ = [partial(_clearance, actor, parse_qs(urlsplit(path).query)) for path in paths]
    turns = max(1, requests // len(asked_))
    measured = timing.compared(
        [act for _ in range(turns) for act in asked_],
        [act for _ in range(turns) for act in map(_statements, asked_)],
        rounds,
        in_process=connection.vendor == "sqlite",
    )
    about = f"{len(asked_)} questions; redacted for who asks; floor: the same statements"
    return measured.row(f"decide in process, {label}", LIMIT, about, share=0.99)


def _clearance(actor: Actor, query: Mapping[str, list[str]]) -> Decision:
    with audit.steady():
        return changes.clearance(
            actor,
            item=query["system"][0],
            environment=query["environment"][0],
            change=query["change"][0],
            at=datetime.fromisoformat(query["at"][0]),
        ).redacted(people.access(actor).sees)


def _statements(act: Callable[[], object]) -> Callable[[], None]:
    act()
    with statements() as ran:
        act()
    queries = [(query, [floor.revived(one) for one in params]) for query, params in ran]

    def bare() -> None:
        cursor = connection.connection.cursor()
        for query, params in queries:
            cursor.execute(query, params)
            cursor.fetchall()
        cursor.close()

    return bare


def _row(
    label: str, figure: timing.Times, bare: timing.Times, asked_: list[floor.Asked], processor: float
) -> dict[str, Any]:
    ratio = figure.median / bare.median
    verdicts = Counter(one.answer["verdict"] for one in asked_)
    counts = sorted(len(one.statements) for one in asked_)
    sizes = sorted(len(json.dumps(one.answer)) for one in asked_)
    findings = sorted(len(one.answer["findings"]) for one in asked_)
    middle = len(asked_) // 2
    return {
        "what": f"decide, {label}",
        "figure": figure.told(),
        "floor": bare.told(),
        "ratio": round(ratio, 2),
        "budget": f"{BUDGET:g} x floor",
        "held": ratio <= BUDGET,
        "detail": f"{len(asked_)} questions ({dict(verdicts)}); statements {counts[0]} to {counts[-1]}, as"
        f" a rule"
        f" {counts[middle]}; findings {findings[0]} to {findings[-1]}; answer of {sizes[middle]} bytes as a"
        f" rule; the server's processor time {processor * 1000:.2f} ms a request",
    }


def asked(shape: Shape, email: str, count: int) -> list[str]:
    """Return what pipelines ask about changes ahead that somebody may see, in production.

    Seven in ten about a scheduled change within its planned window, the others five hours before it or about
    a change that nobody has approved yet.
    """
    access = people.access(people.person(people.user(SYSTEM, email)))
    rows = world.model("changes.AffectedItem").objects.filter(
        change__is_open=True, change__places__environment__slug="prod", item__archived_at=None
    )
    if access.organisations is not None:
        seen = sorted(access.organisations)
        rows = rows.filter(change__organisation__in=seen, item__organisation__in=seen)
    columns = ("change__number", "item__slug", "change__planned_start")
    chance = random.Random(shape.seed)  # noqa: S311 - which questions, from the seed
    paths = []
    for share, scheduled, minutes in ((0.7, True, 7), (0.15, True, -300), (0.15, False, 7)):
        some = (
            rows.filter(change__state="scheduled") if scheduled else rows.exclude(change__state="scheduled")
        )
        found = list(some.order_by("pk").values_list(*columns))
        for change, item, start in chance.sample(found, min(round(count * share), len(found))):
            query = {
                "action": "deploy", "system": item, "environment": "prod", "change": f"CHG-{change}",
                "version": "2.3.0", "at": max(start + timedelta(minutes=minutes), TODAY).isoformat(),
            }  # fmt: skip
            paths.append(f"/api/v1/decide?{urlencode(query)}")
    chance.shuffle(paths)
    return paths


def told(paths: list[str], token: str) -> dict[str, floor.Asked]:
    """Ask each question here and note the statements: those of a second time, when caches are warm."""
    client = TestClient(SERVER_NAME="127.0.0.1")
    headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
    found = {}
    for path in paths:
        client.get(path, headers=headers)
        with statements() as run:
            answer = client.get(path, headers=headers)
        if answer.status_code != 200:
            raise RuntimeError(f"{path} was answered {answer.status_code}: {answer.content[:600]!r}")
        found[f"Bearer {token} {path if '?' in path else path + '?'}"] = floor.Asked(
            list(run), json.loads(answer.content)
        )
    return found


def servers(stack: ExitStack, requests: Mapping[str, floor.Asked]) -> tuple[wire.Client, wire.Client, int]:
    """Start the product and its floor; return clients of both, and the product's process id."""
    configuration = settings.CONFIGURATION
    options = connection.settings_dict["OPTIONS"]
    sqlite = connection.vendor == "sqlite"
    threads = min(2, configuration.threads) if sqlite else configuration.threads
    database = str(connection.settings_dict["NAME"]) if sqlite else configuration.database_url
    bare = floor.Told(database, options.get("init_command", ""), threads, dict(requests))
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="fairway-bench-"))
    file = Path(folder, "floor.json")
    file.write_bytes(floor.written(bare))
    ports = wire.free_port(), wire.free_port()
    listen = {"FAIRWAY_LISTEN": f"127.0.0.1:{ports[0]}"}
    product = stack.enter_context(wire.server([wire.program("fairway"), "serve"], ports[0], listen))
    stack.enter_context(
        wire.server(wire.python("fairway.bench.floor", str(file), str(ports[1])), ports[1], {})
    )
    ours, theirs = wire.Client(ports[0]), wire.Client(ports[1])
    stack.callback(ours.close)
    stack.callback(theirs.close)
    return ours, theirs, product


def compare(ours: wire.Client, theirs: wire.Client, requests: list[bytes]) -> None:
    """Check that both answer the same.

    :raises RuntimeError: they do not, so that their times say nothing about each other.
    """
    for request in requests:
        one, other = wire.body(ours.send(request)), wire.body(theirs.send(request))
        if json.loads(one) != json.loads(other):
            raise RuntimeError(
                f"{request[:200]!r}: the floor answers {other[:300]!r}, the product {one[:300]!r}"
            )
