"""Turn a Debian package index into two tables that `fairway import` takes.

Reads the index (as `apt-cache dumpavail` prints it) from standard input and writes items.csv and
relations.csv into the folder named as the only argument. README.md says what becomes of what.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Set
from pathlib import Path

CRITICALITY = {"required": 1, "important": 2, "standard": 2, "optional": 3, "extra": 4}


def stanzas(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    """Give each package's fields; what continues on further lines is not needed here."""
    fields: dict[str, str] = {}
    for line in lines:
        if line == "\n":
            if fields:
                yield fields
            fields = {}
        elif line[0] not in " \t":
            name, _, value = line.partition(":")
            fields[name] = value.strip()
    if fields:
        yield fields


def key(package: str) -> str:
    return package.replace("+", "-plus") + ("-package" if package in {"bulk", "new", "pick"} else "")


def needs(fields: dict[str, str], known: Set[str]) -> set[str]:
    """Return the packages that one needs: of alternatives the first that is a package itself."""
    found = set()
    for clause in f"{fields.get('Pre-Depends', '')},{fields.get('Depends', '')}".split(","):
        names = (each.split("(")[0].split(":")[0].split("[")[0].strip() for each in clause.split("|"))
        found.add(next((name for name in names if name in known), ""))
    return found - {"", fields["Package"]}


def main(folder: Path) -> None:
    found = {each["Package"]: each for each in stanzas(sys.stdin) if "/" not in each.get("Section", "")}
    with (folder / "items.csv").open("w") as one, (folder / "relations.csv").open("w") as other:
        items, relations = csv.writer(one), csv.writer(other)
        items.writerow(["key", "name", "kind", "criticality", "description", "attributes.version"])
        relations.writerow(["source", "target", "kind"])
        for name, each in sorted(found.items()):
            level, about = CRITICALITY.get(each.get("Priority", ""), 3), each.get("Description", "")
            items.writerow([key(name), name, "component", level, about, each["Version"]])
            targets = sorted(needs(each, found.keys()))
            relations.writerows([key(name), key(target), "depends-on"] for target in targets)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
