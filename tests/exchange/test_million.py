"""Files of a million rows: read and checked in bounded memory, whatever they come in."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROWS = 1_000_000
MEMORY = 200_000
"""What a process may take at most, in kB: interpreter, Django and one batch of rows."""

SCRIPT = """
import json, os, resource, sys
from pathlib import Path
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fairway.interfaces.settings")
import django
django.setup()
from fairway.exchange.entries import Load, Options
from fairway.kernel.actor import SYSTEM
with Path(sys.argv[1]).open("rb") as source:
    load = Load(source, Options(kind="items", file=sys.argv[1]), SYSTEM)
    rows = sum(len(batch) for _, batch in load.batches())
print(json.dumps([load.total, rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))
"""


def written(folder: Path, form: str, rows: int) -> Path:
    file = folder / f"items.{form}"
    with file.open("w", encoding="utf-8") as lines:
        if form == "csv":
            lines.write("key,name,kind\n")
            lines.writelines(f"i-{n},Item {n},system\n" for n in range(rows))
            return file
        records = (json.dumps({"key": f"i-{n}", "name": f"Item {n}", "kind": "system"}) for n in range(rows))
        if form == "json":
            lines.write("[")
            lines.writelines(f"{',' if n else ''}{record}" for n, record in enumerate(records))
            lines.write("]")
        else:
            mark = "- " if form == "yaml" else ""
            lines.writelines(f"{mark}{record}\n" for record in records)
    return file


def taken(file: Path) -> tuple[int, int, int]:
    """Lay a file out and go through all its rows in a process of its own; give rows and kB."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(file)], check=True, capture_output=True, text=True, timeout=1_500
    )
    total, rows, memory = json.loads(done.stdout.splitlines()[-1])
    return total, rows, memory


@pytest.mark.deep
@pytest.mark.parametrize("form", ["csv", "ndjson", "json", "yaml"])
def test_a_million_rows_take_no_more_memory_than_a_thousand(tmp_path: Path, form: str) -> None:
    few = taken(written(tmp_path, form, 1_000))
    assert few[:2] == (1_000, 1_000)
    many = taken(written(tmp_path, form, ROWS))
    assert many[:2] == (ROWS, ROWS)
    assert many[2] < MEMORY
    assert many[2] - few[2] < 60_000
