"""How an endpoint is declared: what it needs, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Annotated, Any, TypeVar, get_args

import msgspec
from dmr import HeaderSpec, ResponseSpec, validate
from dmr.negotiation import conditional_type
from dmr.plugins.msgspec.json import MsgspecJsonRenderer

from fairway.accounts.web.problems import CSV, JSON, NDJSON, PROBLEM_HEADERS, PROBLEM_JSON, PROBLEMS
from fairway.accounts.web.shapes import PlanView, ProblemView
from fairway.kernel.exporting import FileRenderer

T = TypeVar("T")
MERGE_PATCH = "application/merge-patch+json"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FILES = {"ndjson": NDJSON, "csv": CSV, "xlsx": XLSX}
"""The forms in which a list comes whole, by their short names."""
NOTHING = frozenset({"nothing/at-all"})
"""The media types of an answer without content, in its document: none of those there are."""
RENDERERS = [MsgspecJsonRenderer(JSON), MsgspecJsonRenderer(PROBLEM_JSON)]
WITH_FILES = [*RENDERERS, *map(FileRenderer, FILES.values())]
PROBLEM_SPECS = [
    ResponseSpec(
        ProblemView,
        status_code=HTTPStatus(code),
        description=text,
        headers=PROBLEM_HEADERS.get(code),
        limit_to_content_types={PROBLEM_JSON},
    )
    for code, text in PROBLEMS.items()
]


def operation(
    permission: str,
    returns: Any,
    *,
    status: int = 200,
    also: Mapping[int, Any] | None = None,
    etag: bool = False,
    dry_run: bool = False,
    files: bool = False,
    media: str = JSON,
    public: bool = False,
    summary: str | None = None,
) -> Callable[[T], T]:
    """Declare an endpoint: what it needs, what it answers. It stands in the OpenAPI document as
    `x-permission`.

    `dry_run`: the endpoint takes `dry_run=true` and then answers 200 with a PlanView. `files`: it is a list
    that also comes whole, as JSON lines, CSV or a spreadsheet. `media`: what it answers with instead of JSON.
    `public`: nobody need be signed in.
    """
    answers: dict[int, Any] = {status: returns, **(also or {})}
    if dry_run:
        answers[200] = answers[200] | PlanView if 200 in answers else PlanView
    headers = {}
    if etag:
        headers["ETag"] = HeaderSpec(required=False, description="The record's version, for If-Match")
    if "next" in getattr(returns, "__struct_fields__", ()):
        headers["Link"] = HeaderSpec(required=False, description="The next page, as rel=next")
    if files:
        headers["Content-Disposition"] = HeaderSpec(required=False, description="The name of the file")
    located = {"Location": HeaderSpec(required=False, description="Where the record stands")}
    good = {JSON, *FILES.values()} if files else {media}
    specs = [
        ResponseSpec(
            _as_files(kind) if files and code == 200 else kind,
            status_code=HTTPStatus(code),
            headers={**headers, **(located if code in {201, 202} else {})} if code < 300 else None,
            limit_to_content_types=NOTHING if code == 204 else good if code < 300 else {PROBLEM_JSON},
        )
        for code, kind in answers.items()
    ]
    # An endpoint's own answers take the place of the controller's, so the problems come along.
    specs += [spec for spec in PROBLEM_SPECS if spec.status_code not in answers]
    options: dict[str, Any] = {"summary": summary} if summary else {}
    if files:
        options["renderers"] = WITH_FILES
    if media != JSON:
        options["renderers"] = [FileRenderer(media), *RENDERERS]
        options["exclude_validate_responses"] = frozenset({HTTPStatus(status)})
    if status == 204:
        options["exclude_validate_responses"] = frozenset({HTTPStatus.NO_CONTENT})
    if public:
        options["auth"] = None
    declared: Callable[[T], T] = validate(*specs, x_extensions={"x-permission": permission}, **options)
    return declared


def _as_files(envelope: Any) -> Any:
    """Return the shapes of a list's answer by media type; a line of NDJSON is one row."""
    [row] = get_args(msgspec.structs.fields(envelope)[0].type)
    binary = Annotated[str, msgspec.Meta(extra_json_schema={"format": "binary"})]
    return Annotated[envelope, conditional_type({JSON: envelope, NDJSON: row, CSV: str, XLSX: binary})]
