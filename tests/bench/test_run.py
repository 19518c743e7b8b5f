"""The benchmarks run through on a tiny world, as `fairway bench` runs them: no figure is judged here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fairway.bench.shape import TINY

PROGRAM = """
import json, sys
from fairway.bench import commands
from fairway.bench.shape import TINY
print(json.dumps([
    commands.run(name, shape=TINY, rounds=2, requests=6, show=False) for name in sys.argv[1:]
]))
"""


ON_POSTGRES = bool(os.environ.get("FAIRWAY_DATABASE_URL"))
NAMES = ["decide", "conflicts"] if ON_POSTGRES else ["decide", "conflicts", "catalogue"]


@pytest.mark.long
def test_they_run_through_and_tell_all_they_promise(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *NAMES],
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    decide, conflicts, *more = json.loads(done.stdout)
    assert (decide["name"], conflicts["name"]) == ("decide", "conflicts")
    assert [(one["name"], one["data"]["items"], len(one["rows"])) for one in more] == (
        [] if ON_POSTGRES else [("catalogue", TINY.items, 11)]
    )
    for row in (row for one in more for row in one["rows"]):
        assert row["figure"]["p50_ms"] > 0, row
        assert row["floor"]["p50_ms"] > 0 or row["what"] == "server, memory", row
    for result in (decide, conflicts):
        assert result["held"] == all(row["held"] for row in result["rows"])
        assert result["machine"]["database"].startswith(("SQLite", "PostgreSQL"))
        assert result["data"]["rows"]["changes"] == result["data"]["shape"]["changes"]
        for row in result["rows"]:
            for times in (row["figure"], row["floor"]):
                assert 0 < times["p50_ms"] <= times["p95_ms"] <= times["p99_ms"]
            assert row["ratio"] > 0
    worlds = 1 if ON_POSTGRES else 2
    assert len(list(tmp_path.glob("fairway/bench/*/*.json"))) == worlds
