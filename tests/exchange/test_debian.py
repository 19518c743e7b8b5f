"""The packages of Debian, imported through the product: what it answers equals what the index alone says."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from fairway.accounts.commands import CreateOrganisation
from fairway.audit.commands import execute
from fairway.bench import packages
from fairway.catalog import queries
from fairway.exchange.commands import import_file
from fairway.kernel.actor import SYSTEM

ADAPTER = Path(__file__).parents[2] / "examples" / "debian" / "packages.py"
PART = 1_000 if "FAIRWAY_DATABASE_URL" in os.environ else 5_000  # the same rows, only fewer


@pytest.fixture(scope="module")
def index(pytestconfig: pytest.Config) -> str:
    """The index of this machine; where there is none, a stand-in of its shape, and that is said."""
    found = packages.index()
    if found is None:
        terminal = pytestconfig.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None:
            terminal.write_line("No Debian package index here: a seeded stand-in of its shape is tested.")
        return packages.stand_in()
    return found


def adapted(text: str, folder: Path) -> tuple[Path, Path]:
    """Run the example's adapter on an index."""
    subprocess.run([sys.executable, ADAPTER, folder], input=text, text=True, check=True)
    return folder / "items.csv", folder / "relations.csv"


def compare(text: str, needs: packages.Needs, folder: Path) -> None:
    """Import an index by the adapter; compare dependants by distance, and circles, with what it says."""
    items, relations = adapted(text, folder)
    execute(CreateOrganisation(slug="debian", name="Debian"), actor=SYSTEM)
    for file, kind, rows in (
        (items, "items", len(needs)),
        (relations, "relations", sum(map(len, needs.values()))),
    ):
        report = import_file(file, kind=kind, actor=SYSTEM)
        assert (report.created, report.rows) == (rows, rows)
    known = queries.snapshot()
    pks = {one.ref.name: pk for pk, one in known.items.items()}
    assert pks.keys() == needs.keys()
    for name in packages.ASKED:
        found = known.graph.reach(pks[name])
        distance = {known.items[pk].ref.name: steps for pk, (steps, _) in found.items()}
        assert distance == packages.dependants(needs, name), name
        told = queries.impact(
            SYSTEM, queries.item(SYSTEM, packages.key(name)), direction=queries.Direction.DOWNSTREAM
        )
        assert told.total == len(distance)
        assert all(
            ref.name in needs[after.name] for one in told.reached for ref, after in pairwise(one.path)
        ), "each step of a path stands in the index"
    circles = {frozenset(ref.name for ref in circle) for circle in queries.cycles(SYSTEM)}
    assert circles == packages.circles(needs)
    assert circles


@pytest.mark.long
@pytest.mark.django_db
def test_a_closed_part_of_the_index(index: str, tmp_path: Path) -> None:
    """Those asked about, and some thousand more in the order of their hash with all that they need."""
    needs = packages.closure(packages.read(index), PART)
    assert PART <= len(needs) < PART + 1_000

    compare(packages.part(index, needs), needs, tmp_path)


@pytest.mark.deep
@pytest.mark.django_db
def test_the_whole_index(index: str, tmp_path: Path) -> None:
    needs = packages.read(index)
    assert len(needs) > 50_000
    assert sum(map(len, needs.values())) > 200_000

    compare(index, needs, tmp_path)


def test_the_stand_in_has_the_shape_of_the_index() -> None:
    needs = packages.read(packages.stand_in(3_000))

    assert len(needs) == 3_000
    assert 3 < sum(map(len, needs.values())) / len(needs) < 5
    assert len(packages.dependants(needs, "libc6")) > 2_000
    assert len(packages.circles(needs)) > 10


def test_the_adapter_reads_alternatives_virtual_packages_versions_and_sections(tmp_path: Path) -> None:
    text = """Package: g++
Priority: required
Section: devel
Version: 12
Pre-Depends: libc6 (>= 2.36)
Depends: missing | libc6:any | perl, mail-agent, perl [amd64], g++
Description: compiler: of C++
 more words

Package: libc6
Section: libs
Version: 2.36
Depends: g++

Package: steam
Section: non-free/games
Version: 1
Depends: libc6

Package: perl
Priority: extra
Section: perl
Version: 5
"""
    items, relations = adapted(text, tmp_path)

    rows = list(csv.reader(items.read_text().splitlines()))[1:]
    assert rows == [
        ["g-plus-plus", "g++", "component", "1", "compiler: of C++", "12"],
        ["libc6", "libc6", "component", "3", "", "2.36"],
        ["perl", "perl", "component", "4", "", "5"],
    ]
    joined = [
        (source, target) for source, target, _ in list(csv.reader(relations.read_text().splitlines()))[1:]
    ]
    assert joined == [("g-plus-plus", "libc6"), ("g-plus-plus", "perl"), ("libc6", "g-plus-plus")]
    assert packages.read(text) == {"g++": {"libc6", "perl"}, "libc6": {"g++"}, "perl": set()}
