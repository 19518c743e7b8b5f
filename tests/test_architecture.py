"""The floor plan as law: what import-linter cannot say about doors, purity, rooms and places."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src"
VOCABULARY = {"kernel", "policy"}  # words that every room may use
LIBRARIES = {"ui", "scheduling"}  # no rooms of their own: all they hold is for use
DOORS = {"queries", "commands", "events"}
# What every endpoint and page is derived from: it finds the actor, hence stands in `accounts`. And the log in
# words: it names people, and any page may tell what was done.
BASES = {
    "fairway.accounts.web": {"api", "grids", "pages", "views"},
    "fairway.accounts.bulk": {"api"},
    "fairway.accounts.uploads": {"api"},
    "fairway.accounts.history": {"pages"},
    "fairway.accounts.parts": {"pages"},
    "fairway.workspace.grids": {"grid", "pages"},
}
# `interfaces` puts the contexts together: their routes and what listens to events.
WIRING = {"interfaces": {"api", "listeners", "pages", "urls"}}


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, by its full name, and where it is imported."""

    importer: str
    imported: str
    line: int

    def __str__(self) -> str:
        return f"{self.importer} line {self.line} imports {self.imported}"


def module_name(path: Path, source: Path = SOURCE) -> str:
    """Return the dotted name of a file under the source folder."""
    parts = path.relative_to(source).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, source: Path = SOURCE) -> Iterator[Import]:
    """Yield what a file imports, also inside functions and for type checkers only.

    `from a.b import c` counts as `a.b.c`, whether `c` is a module or a name in one.
    """
    name = module_name(path, source)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(name, alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield Import(name, f"{base}.{alias.name}", node.lineno)


def bypasses_a_door(found: Import) -> bool:
    """Say whether an import enters another context by anything but its doors.

    The context itself (`from fairway import claims`) is none: there is nothing in it but its rooms.
    """
    importer, imported = found.importer.split("."), found.imported.split(".")
    if imported[0] != "fairway" or len(imported) < 3:
        return False
    here, there, room = importer[1] if len(importer) > 1 else "", imported[1], imported[2]
    if there == here or there in VOCABULARY | LIBRARIES:
        return False
    base = ".".join(imported[:3])
    if base in BASES:
        return here not in WIRING and not BASES[base] & set(importer[2:3])
    return room not in DOORS | WIRING.get(here, set())


def is_product(path: Path) -> bool:
    return "migrations" not in path.parts  # history: names other apps' migrations by strings


def product_files(source: Path = SOURCE) -> list[Path]:
    return sorted(filter(is_product, (source / "fairway").rglob("*.py")))


def contexts() -> list[str]:
    return sorted(path.parent.name for path in (SOURCE / "fairway").glob("*/__init__.py"))


def test_contexts_are_entered_by_their_doors_only() -> None:
    found = [str(it) for path in product_files() for it in imports(path) if bypasses_a_door(it)]
    assert found == [], "enter by queries, commands or events, or name a model as 'app.Model'"


@pytest.mark.parametrize(
    ("case", "importer", "imported", "refused"),
    [
        ("own room", "fairway.claims.queries", "fairway.claims.models.Claim", False),
        ("door", "fairway.changes.commands", "fairway.claims.queries.consider", False),
        ("door, itself", "fairway.changes.commands", "fairway.claims.queries", False),
        ("another's models", "fairway.changes.queries", "fairway.claims.models.Claim", True),
        ("another's models, itself", "fairway.changes.queries", "fairway.claims.models", True),
        ("another's rules", "fairway.changes.rules", "fairway.claims.rules", True),
        ("what another's __init__ offers", "fairway.changes.rules", "fairway.claims.Claim", True),
        ("vocabulary", "fairway.changes.rules", "fairway.policy.findings.Finding", False),
        ("library", "fairway.changes.pages", "fairway.ui.icons.icon", False),
        ("wiring", "fairway.interfaces.urls", "fairway.changes.pages", False),
        ("logic from the wiring", "fairway.interfaces.cli", "fairway.changes.models.Change", True),
        ("base of endpoints", "fairway.changes.api", "fairway.accounts.web.ApiController", False),
        (
            "base of endpoints, from a package",
            "fairway.changes.api.views",
            "fairway.accounts.web.RefView",
            False,
        ),
        (
            "base of endpoints, from the wiring",
            "fairway.interfaces.api",
            "fairway.accounts.web.RefView",
            False,
        ),
        (
            "base of endpoints, from commands",
            "fairway.changes.commands",
            "fairway.accounts.web.RefView",
            True,
        ),
        ("context by its name", "fairway.changes.rules", "fairway.claims", False),
        ("another library", "fairway.changes.rules", "datetime.datetime", False),
    ],
)
def test_bypasses_a_door(case: str, importer: str, imported: str, refused: bool) -> None:
    assert bypasses_a_door(Import(importer, imported, 1)) is refused, case


def test_imports_are_found_wherever_they_hide(tmp_path: Path) -> None:
    file = tmp_path / "fairway" / "claims" / "rules.py"
    file.parent.mkdir(parents=True)
    file.write_text(
        "import os.path\n"
        "from typing import TYPE_CHECKING\n"
        "from . import models\n"
        "from ..changes.models import Change\n"
        "if TYPE_CHECKING:\n"
        "    from fairway.catalog import rules as theirs\n"
        "def late():\n"
        "    import fairway.releases.models\n"
    )
    assert {it.imported for it in imports(file, tmp_path)} == {
        "os.path",
        "typing.TYPE_CHECKING",
        "fairway.claims.models",
        "fairway.changes.models.Change",
        "fairway.catalog.rules",
        "fairway.releases.models",
    }


def test_every_context_has_its_place_among_the_layers() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "contexts")
    placed = {name.strip(" ()") for layer in layers for name in layer.split("|")}
    assert [name for name in contexts() if name not in placed] == []


@pytest.mark.parametrize("name", ["policy", "scheduling"])
def test_pure_contexts_import_no_framework(name: str) -> None:
    files = sorted((SOURCE / "fairway" / name).rglob("*.py"))
    assert [str(it) for path in files for it in imports(path) if it.imported.split(".")[0] == "django"] == []


def test_rules_are_told_the_time() -> None:
    """`rules` never ask the clock, the environment or chance: the same values give the same answer."""
    told = {
        f"{name}.{word}" for name in ("datetime", "date", "timezone") for word in ("now", "today", "utcnow")
    }
    told |= {"time.time", "time.monotonic", "os.environ", "random.random", "secrets.token_urlsafe"}
    asked: list[str] = []
    for path in product_files():
        parts = module_name(path).split(".")
        if "rules" not in parts and parts[1:2] not in [["policy"], ["scheduling"]]:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
                owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
                if f"{owner}.{node.attr}" in told:
                    asked.append(f"{module_name(path)} line {node.lineno} asks {owner}.{node.attr}")
    assert asked == []


def test_no_signal_of_django_is_listened_to() -> None:
    """The caller calls by name, so that what happens can be read where it is caused."""
    found = [
        str(it)
        for path in product_files()
        for it in imports(path)
        if it.imported.startswith("django.") and ".signals" in it.imported
    ]
    assert found == []
