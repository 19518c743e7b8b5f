"""Imports over the API: a text, or a file, a mapping perhaps, and the report; large ones later."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.urls import path
from dmr import Body, Path, Query

from fairway.accounts.uploads import UploadController
from fairway.accounts.web import ApiController, DryRun, RefView, operation
from fairway.exchange import queries
from fairway.exchange.commands import SIZE_LIMIT, CancelImport, receive
from fairway.exchange.entries import Options
from fairway.exchange.models import ImportRun
from fairway.kernel.actor import Actor
from fairway.kernel.errors import Invalid, TooLarge


class ImportRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A text to import; `map` is a mapping file, without it columns carry the fields' names.

    `kind`: items, relations, changes or windows, or backstage, kubernetes or compose. `format`: csv, json,
    ndjson or yaml; seen from the ending of `file`, else CSV. `organisation`: of rows that name none. `file`:
    a name to report by. A file of any format is sent as `multipart/form-data` with the same names, itself as
    `file`.
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


class ImportRunRow(msgspec.Struct, kw_only=True):
    """An import that is kept, and how far it is. `counts`: rows by result."""

    uid: UUID
    kind: str
    file: str
    size: int
    state: str
    position: int
    total: int | None
    counts: dict[str, int]
    error: str
    created_at: datetime
    finished_at: datetime | None
    user: RefView | None
    organisation: RefView


class ImportRunView(ImportRunRow, kw_only=True):
    """`problems`: the first thousand; `notes`: what was passed over."""

    problems: list[RowProblemView]
    notes: list[str]


class ImportRunPage(msgspec.Struct, kw_only=True):
    items: list[ImportRunRow]
    next: str | None
    count: int | None = None


class ImportKey(msgspec.Struct):
    key: str


class ImportsController(UploadController):
    """Imports: every row is stored or refused for itself, and answered."""

    form = ("kind", "map", "organisation", "format", "encoding", "delimiter", "sheet", "header")

    @operation("catalog.view", ImportRunPage, summary="Imports and how far they are")
    def get(self, parsed_query: Query[queries.ImportQuery]) -> HttpResponse:
        page = queries.import_page(self.actor, parsed_query)
        return self.page(page, [_row(row) for row in page.rows])

    @operation("catalog.import", ImportView, also={202: ImportRunRow}, summary="Import a text or a file")
    def post(self, parsed_body: Body[ImportRequest], parsed_query: Query[DryRun]) -> HttpResponse:
        """Answer the report; above 5,000 rows 202 and the import, which a job carries out."""
        text = parsed_body.text.encode()
        if len(text) > SIZE_LIMIT:
            raise TooLarge(
                f"The text has {len(text):,} bytes; here {SIZE_LIMIT:,} are the most. Send it as a file"
                " (multipart/form-data), or run fairway import on the server."
            )
        asked = {**msgspec.structs.asdict(parsed_body), "encoding": "utf-8"}
        return self._answered(io.BytesIO(text), asked, dry_run=parsed_query.dry_run)

    def sent(self, file: UploadedFile[bytes], fields: dict[str, str], *, dry_run: bool) -> HttpResponse:
        header = fields.get("header", "")
        if header and not (header.isascii() and header.isdigit() and int(header[:9]) > 0):
            raise Invalid.field("header", f"“{header[:40]}” is not the number of a row.")
        given = {**fields, "header": int(header[:9]) if header else None, "file": file.name or ""}
        return self._answered(file.file, given, dry_run=dry_run)

    def _answered(self, source: Any, asked: dict[str, Any], *, dry_run: bool) -> HttpResponse:
        options = Options(
            kind=str(asked.get("kind", "")),
            mapping=asked.get("map"),
            organisation=asked.get("organisation"),
            form=asked.get("format"),
            encoding=asked.get("encoding"),
            delimiter=asked.get("delimiter"),
            sheet=asked.get("sheet"),
            header=asked.get("header"),
            file=asked.get("file", ""),
        )
        found = receive(source, options, actor=self.actor, at=self.at, dry_run=dry_run)
        if isinstance(found, ImportRun):
            location = f"/api/v1/imports/{found.uid}"
            return _encoded(view(self.actor, found), 202, {"Location": location})
        return _encoded(msgspec.convert(found.document(), ImportView), 200, {})


class ImportController(ApiController):
    """One import that is kept."""

    @operation("catalog.view", ImportRunView)
    def get(self, parsed_path: Path[ImportKey]) -> HttpResponse:
        return self.answer(view(self.actor, queries.import_run(self.actor, parsed_path.key)))


class ImportCancellation(ApiController):
    """Stopping an import."""

    @operation("catalog.import", ImportRunView, summary="Stop an import at its next batch")
    def post(self, parsed_path: Path[ImportKey]) -> HttpResponse:
        self.run(CancelImport(run=parsed_path.key))
        return self.answer(view(self.actor, queries.import_run(self.actor, parsed_path.key)))


def _encoded(answer: Any, status: int, headers: dict[str, str]) -> HttpResponse:
    content = msgspec.json.encode(answer)
    return HttpResponse(content, status=status, content_type="application/json", headers=headers)


def _row(row: dict[str, Any]) -> ImportRunRow:
    return ImportRunRow(
        uid=row["uid"],
        kind=row["what"],
        file=row["file"],
        size=row["size"],
        state=row["state"],
        position=row["position"],
        total=row["total"],
        counts=row["counts"],
        error=row["error"],
        created_at=row["created_at"],
        finished_at=row["finished_at"],
        user=_user(row["user__number"], row["user__name"], row["user__uid"]),
        organisation=RefView(
            kind="organisation",
            key=row["organisation__slug"],
            name=row["organisation__name"],
            uid=str(row["organisation__uid"]),
        ),
    )


def _user(number: int | None, name: str, uid: Any) -> RefView | None:
    return RefView(kind="user", key=f"USR-{number}", name=name, uid=str(uid)) if number else None


def view(actor: Actor, run: ImportRun) -> ImportRunView:
    """Return an import as the API tells it: of its rows only to who may look into it."""
    state, error = queries.standing(run)
    inside = queries.looks_into(actor, run)
    lines = queries.lines(run, result="refused", limit=1_000) if inside else []
    return ImportRunView(
        uid=run.uid,
        kind=run.what,
        file=run.file,
        size=run.size,
        state=state,
        position=run.position,
        total=run.total,
        counts=run.counts,
        error=error,
        created_at=run.created_at,
        finished_at=run.finished_at,
        user=_user(run.user.number, run.user.name, run.user.uid) if run.user is not None else None,
        organisation=RefView(
            kind="organisation",
            key=run.organisation.slug,
            name=run.organisation.name,
            uid=str(run.organisation.uid),
        ),
        problems=[
            RowProblemView(
                row=one["row"], line=one["line"], column=column, field=field, message=message, place=place
            )
            for one in lines
            for column, field, message, place in one["faults"]
        ],
        notes=run.notes if inside else [],
    )


urls = [
    path("imports", ImportsController.as_view(), name="imports"),
    path("imports/<str:key>", ImportController.as_view(), name="import"),
    path("imports/<str:key>/cancel", ImportCancellation.as_view(), name="import-cancel"),
]
