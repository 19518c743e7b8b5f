"""Imports over the API."""

from __future__ import annotations

import io
from typing import Any, Final

import msgspec
from django.http import HttpResponse
from django.urls import path
from dmr import Body, Query

from fairway.accounts.web import ApiController, DryRun, operation
from fairway.exchange.commands import import_table
from fairway.kernel.errors import TooLarge

SIZE_LIMIT: Final = 10_000_000
"""Bytes of a table that comes over the API or a page; larger ones are imported on the server."""
ROW_LIMIT: Final = 5_000
"""Rows that are imported within one request."""


class ImportRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A text to import; `map` is a mapping file, without it columns carry the fields' names.

    `kind`: items, relations, changes or windows, or backstage, kubernetes or compose. `format`: csv, json,
    ndjson or yaml; seen from the ending of `file`, else CSV. `organisation`: of rows that name none. `file`:
    a name to report by.
    """

    kind: str
    text: str
    map: str | None = None
    organisation: str | None = None
    delimiter: str | None = None
    format: str | None = None
    file: str = ""


class RowProblemView(msgspec.Struct, kw_only=True):
    """What is wrong in one place; `row` as a spreadsheet counts (the header is 1), `line` as an editor.

    `place` says where, in files whose places have other names (B7).
    """

    row: int
    line: int
    column: str
    field: str
    message: str
    place: str = ""


class RowResultView(msgspec.Struct, kw_only=True):
    row: int
    result: str
    key: str
    values: dict[str, Any]


class ImportView(msgspec.Struct, kw_only=True):
    """What came of an import, or would come of it; `sample` holds the first rows."""

    kind: str
    file: str
    dry_run: bool
    rows: int
    created: int
    updated: int
    unchanged: int
    refused: int
    skipped: int
    repeated: int
    warned: int
    problems: list[RowProblemView]
    problems_left_out: int
    sample: list[RowResultView]
    seconds: float


class ImportsController(ApiController):
    """Imports of tables: every row is stored or refused for itself, and answered."""

    @operation("catalog.import", ImportView, summary="Import a table")
    def post(self, parsed_body: Body[ImportRequest], parsed_query: Query[DryRun]) -> HttpResponse:
        table = parsed_body.text.encode()
        if len(table) > SIZE_LIMIT:
            raise TooLarge(
                f"The table has {len(table):,} bytes; here {SIZE_LIMIT:,} are the most. Split it, or run"
                " fairway import on the server."
            )
        report = import_table(
            io.BytesIO(table),
            kind=parsed_body.kind,
            actor=self.actor,
            mapping=parsed_body.map,
            organisation=parsed_body.organisation,
            encoding="utf-8",
            delimiter=parsed_body.delimiter,
            form=parsed_body.format,
            dry_run=parsed_query.dry_run,
            file=parsed_body.file,
            at=self.at,
            most=ROW_LIMIT,
        )
        return self.answer(msgspec.convert(report.document(), ImportView))


urls = [path("imports", ImportsController.as_view(), name="imports")]
