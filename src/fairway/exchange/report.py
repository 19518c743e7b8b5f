"""What came of an import, row by row; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from fairway.exchange.mapping import CellFault

PROBLEM_LIMIT: Final = 10_000
"""Problems a report lists; beyond, they are only counted."""
SAMPLE_LIMIT: Final = 20
"""Rows a report shows with what came of them."""

Result = Literal["created", "updated", "unchanged", "refused", "skipped", "repeated", "drift"]


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong in one place of a file.

    `row` as a spreadsheet counts (the header is 1), `line` as an editor does; `column` and `field` are
    empty where the whole row is meant. `place` says where, in files whose places have other names (B7).
    """

    row: int
    line: int
    column: str
    field: str
    message: str
    place: str = ""

    def __str__(self) -> str:
        place = self.place or f"row {self.row}"
        if self.line not in {0, self.row} and "line" not in place:
            place += f" (line {self.line})"
        if self.column:
            place += f", {self.column}"
        return f"{place}: {self.message}"


@dataclass(frozen=True, slots=True)
class RowResult:
    """What came of one row.

    `key` names the record, empty where there is none; `values` are those it was given, by field.
    """

    row: int
    result: Result
    key: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """A field that a row would change, from what to what, in words."""

    field: str
    old: str
    new: str


@dataclass(slots=True)
class Report:
    """The report of an import or of its dry run.

    Each row stands in exactly one of the counts. `skipped`: left out because the mapping says so.
    `drift`: differs from an item under change control; noted, and nothing written.
    `repeated`: gives the same record as an earlier row, which the mapping allows. `warned`: stored although
    it clashes with something; the conflicts are shown with the records.
    """

    kind: str
    file: str
    dry_run: bool
    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    skipped: int = 0
    repeated: int = 0
    drift: int = 0
    warned: int = 0
    problems: list[RowProblem] = field(default_factory=list)
    problems_left_out: int = 0
    sample: list[RowResult] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, result: RowResult) -> None:
        """Count a row under its result, and keep the first ones to show."""
        self.rows += 1
        setattr(self, result.result, getattr(self, result.result) + 1)
        if len(self.sample) < SAMPLE_LIMIT:
            self.sample.append(result)

    def refuse(
        self, row: int, line: int, faults: list[CellFault], values: dict[str, Any], places: Sequence[str]
    ) -> None:
        """Count a row as refused and list what is wrong with it, each fault once."""
        self.add(RowResult(row, "refused", "", values))
        for fault, place in zip(faults, places, strict=True):
            if len(self.problems) < PROBLEM_LIMIT:
                self.problems.append(RowProblem(row, line, fault.column, fault.field, fault.message, place))
            else:
                self.problems_left_out += 1

    @property
    def complete(self) -> bool:
        """Whether no row was refused."""
        return self.refused == 0

    def document(self) -> dict[str, Any]:
        """Return the report as plain values, ready for JSON; instants in UTC."""
        return {**asdict(self), "sample": [_plain(row) for row in self.sample]}

    def lines(self, most: int) -> Iterator[str]:
        """Yield the first problems as lines for a person, and how many there are more."""
        yield from map(str, self.problems[:most])
        more = len(self.problems) - most + self.problems_left_out
        if more > 0:
            yield f"… and {more:,} problems more; --json lists them"

    def summary(self) -> str:
        """Return the counts as lines for a person."""
        told = [f"{self.rows:,} rows of {self.file or 'the text'} as {self.kind}, in {self.seconds:.1f} s"]
        would = "would be " if self.dry_run else ""
        for result in ("created", "updated", "unchanged", "refused", "skipped", "repeated", "drift"):
            if count := getattr(self, result):
                told.append(f"{count:>9,} {would if result in {'created', 'updated'} else ''}{result}")
        if self.warned:
            told.append(f"{self.warned:>9,} of them clash with something; see the conflicts")
        return "\n".join(told)


def _plain(result: RowResult) -> dict[str, Any]:
    values = {
        name: value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
        for name, value in result.values.items()
    }
    return {**asdict(result), "values": values}
