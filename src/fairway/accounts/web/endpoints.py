"""The base of every API endpoint: one command a request, problems as documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, ClassVar, TypeVar

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import Resolver404, resolve
from dmr import Controller
from dmr.negotiation import request_renderer

from fairway.accounts.commands import ExportList
from fairway.accounts.web.calling import BearerOrSession, authenticated
from fairway.accounts.web.operations import FILES, MERGE_PATCH, PROBLEM_SPECS, RENDERERS
from fairway.accounts.web.problems import JSON, problem_of, problem_response, too_large, unauthenticated
from fairway.accounts.web.shapes import ProblemView, plan_view
from fairway.audit.commands import Attempt, Command, Outcome, Told, claim, execute, preview
from fairway.kernel.actor import Actor
from fairway.kernel.api import Serializer
from fairway.kernel.errors import Invalid, MethodNotAllowed, PreconditionRequired, Problem, Stale
from fairway.kernel.exporting import ndjson, separated, spreadsheet
from fairway.kernel.listing import MOST, ListQuery, Page, picked

Q = TypeVar("Q", bound=ListQuery)


class DryRun(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`dry_run=true`: say what would happen, write nothing."""

    dry_run: bool = False


class ApiController(Controller[Serializer]):
    """Base of every endpoint: parse, run one command or a few queries, map the answer."""

    is_abstract = True
    auth: ClassVar[Any] = (BearerOrSession(),)
    error_model: ClassVar[Any] = ProblemView
    responses: ClassVar[Any] = PROBLEM_SPECS
    renderers: ClassVar[Any] = RENDERERS
    validate_negotiation = False
    keeps_answers: ClassVar[bool] = True
    """Whether an answer may be stored for repeats of its Idempotency-Key; not where it tells a secret."""

    @property
    def actor(self) -> Actor:
        actor: Actor = self.request.fairway_actor  # type: ignore[attr-defined]
        return actor

    @property
    def at(self) -> datetime:
        return datetime.now(UTC)

    @property
    def attempt(self) -> Attempt | None:
        """The try under an Idempotency-Key, where the request brings one."""
        attempt: Attempt | None = getattr(self.request, "fairway_attempt", None)
        return attempt

    def run(self, command: Command) -> Outcome:
        """Run the command; under an Idempotency-Key at most once in 24 hours. One command a request."""
        return execute(command, actor=self.actor, at=self.at, attempt=self.attempt)

    def keep(self, answer: Any) -> None:
        """Keep an answer for repeats, in the very transaction that it tells of."""
        if self.attempt is not None:
            self.attempt.tell(Told(200, {"Content-Type": JSON}, msgspec.json.encode(answer)))

    def preview(self, command: Command) -> HttpResponse:
        """Answer a dry run: the command's plan, nothing written and nothing locked."""
        return self.answer(plan_view(preview(command, actor=self.actor, at=self.at), self.actor))

    def answer(
        self, data: Any, *, status: int = 200, version: int | None = None, location: str = ""
    ) -> HttpResponse:
        headers = {}
        if version is not None:
            headers["ETag"] = f'"{version}"'
        if location:
            headers["Location"] = location
        return self.to_response(data, status_code=HTTPStatus(status), headers=headers, renderer=RENDERERS[0])

    def page(self, page: Page, items: Sequence[Any], **beside: Any) -> HttpResponse:
        """Answer one page of a list: `{"items", "next"}`, with the next address also as `Link`."""
        envelope: dict[str, Any] = {"items": items, **beside, "next": page.next}
        if page.total is not None:
            envelope["count"] = page.total
        headers = {}
        if page.next:
            asked = self.request.GET.copy()
            asked["cursor"] = page.next
            headers["Link"] = f'<{self.request.path}?{asked.urlencode()}>; rel="next"'
        return self.to_response(envelope, status_code=HTTPStatus.OK, headers=headers, renderer=RENDERERS[0])

    def listed(
        self, query: Q, read: Callable[[Q], tuple[Page, Sequence[msgspec.Struct]]], names: Sequence[str]
    ) -> HttpResponseBase:
        """Answer a list as it is asked for: one page, or the whole of it as a file.

        `read` gives the page of a query and its rows as they are told; `names` are their fields.
        """
        wanted = picked(query, names)
        form = query.format or self._form()
        if form in FILES:
            return self._file(form, query, read, [name for name in names if wanted is None or name in wanted])
        found, rows = read(query)
        if wanted is None:
            return self.page(found, rows)
        return self.page(found, [{name: getattr(row, name) for name in wanted} for row in rows])

    def _form(self) -> str:
        renderer = request_renderer(self.request)
        given = renderer.content_type if renderer is not None else JSON
        return next((form for form, media in FILES.items() if media == given), "json")

    def _file(
        self,
        form: str,
        query: Q,
        read: Callable[[Q], tuple[Page, Sequence[msgspec.Struct]]],
        names: Sequence[str],
    ) -> HttpResponseBase:
        """Stream the whole list. Its first rows are read before the answer begins: till then it may fail."""
        first = read(msgspec.structs.replace(query, limit=MOST, cursor="", count=False, format=""))

        def batches() -> Iterator[Sequence[msgspec.Struct]]:
            found, rows = first
            while True:
                yield rows
                if found.next is None:
                    return
                following = msgspec.structs.replace(
                    query, limit=MOST, cursor=found.next, count=False, format=""
                )
                found, rows = read(following)

        title = self.request.path.rpartition("/")[2]
        given = {name: str(v) for name, v in self.request.GET.items() if name not in {"format", "cursor"}}
        execute(ExportList(name=title, form=form, given=given), actor=self.actor, at=self.at)
        if form == "csv":
            chunks = separated(batches(), names, mark=query.format == "csv")
        elif form == "xlsx":
            chunks = spreadsheet(batches(), names, title=title)
        else:
            chunks = ndjson(batches(), names)
        response = StreamingHttpResponse(chunks, content_type=FILES[form])
        if form != "ndjson":
            response["Content-Disposition"] = f'attachment; filename="{title}-{self.at:%Y-%m-%d}.{form}"'
        return response

    def expected(self, *, required: bool = True) -> int | None:
        """Return the version that `If-Match` names; None for `*`.

        :raises PreconditionRequired: it is missing. :raises Invalid: it is not an ETag of ours.
        """
        given = self.request.headers.get("If-Match", "").strip()
        if not given:
            if required:
                raise PreconditionRequired(
                    "Send If-Match with the ETag you read, or * to write whatever stands there."
                )
            return None
        if given == "*":
            return None
        number = given.removeprefix("W/").strip('"')
        if not number.isascii() or not number.isdigit() or len(number) > 18:
            raise Invalid.field("If-Match", f"“{given[:40]}” is not an ETag of this record.")
        return int(number)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            _check_query(request)
            if request.content_type == MERGE_PATCH and request.method == "PATCH":
                request.content_type = JSON
            gather_custom(request)
            if request.method == "POST" and (key := request.headers.get("Idempotency-Key")):
                response = self._once(key, request, *args, **kwargs)
            else:
                response = self.perform(request, *args, **kwargs)
            for name, value in getattr(request, "fairway_limits", {}).items():
                response[name] = value
            if response.status_code == HTTPStatus.NO_CONTENT:
                del response["Content-Type"]
            return response
        except Problem as problem:
            return problem_response(problem, self.request)
        except RequestDataTooBig:
            return problem_response(too_large(), self.request)

    def perform(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Carry a request out, past what all have in common."""
        return super().dispatch(request, *args, **kwargs)

    def asked(self, request: HttpRequest) -> bytes:
        """Return what a request asks for, to tell a repeat of it from another one under its key."""
        return request.body

    def handle_method_not_allowed(self, method: str) -> HttpResponse:
        allowed = ", ".join(sorted(self.api_endpoints))
        problem = MethodNotAllowed(
            f"{method} is not possible here; there is {allowed}.", headers={"Allow": allowed}
        )
        return problem_response(problem, self.request)

    def handle_error(self, endpoint: Any, controller: Any, exc: Exception) -> HttpResponse:
        problem = problem_of(exc)
        if problem is None:
            raise exc
        if isinstance(problem, Stale):
            problem.extra |= self._present()
        return problem_response(problem, self.request)

    def _present(self) -> dict[str, Any]:
        """Return the record as it stands now, as far as the caller may read it, and where theirs differs."""
        own: str = self.request.path
        for path in (own, own.rpartition("/")[0]):
            try:
                found = resolve(path)
            except Resolver404:
                continue
            asked = HttpRequest()
            asked.method, asked.path, asked.path_info = "GET", path, path
            asked.META = {
                name: value
                for name, value in self.request.META.items()
                if name
                not in {"QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH", "HTTP_IF_MATCH", "HTTP_ACCEPT"}
            }
            asked.user, asked.session = self.request.user, getattr(self.request, "session", {})  # type: ignore[assignment]
            for name in ("fairway_id", "fairway_actor", "fairway_limits"):
                setattr(asked, name, getattr(self.request, name, None))
            answer = found.func(asked, *found.args, **found.kwargs)
            if answer.status_code == 200 and isinstance(answer, HttpResponse):
                present = msgspec.json.decode(answer.content)
                try:
                    yours = msgspec.json.decode(self.request.body or b"{}")
                except msgspec.DecodeError:
                    yours = {}
                return {"present": present, "differing": differing(yours, present)}
        return {}

    def _once(self, key: str, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer a POST with an Idempotency-Key: the first time do it, then repeat the answer for 24
        hours.
        """
        actor = authenticated(request)  # the key is the actor's, so who calls comes first
        if actor is None:
            raise unauthenticated()
        asked = request.get_full_path().encode() + b"\n" + self.asked(request)
        begun = claim(key, actor=actor, route=request.path, request=asked)
        if isinstance(begun, Told):
            headers = {**begun.headers, "Idempotent-Replay": "true"}
            return HttpResponse(begun.body, status=begun.status, headers=headers)
        request.fairway_attempt = begun  # type: ignore[attr-defined]
        kept = False
        try:
            response = self.perform(request, *args, **kwargs)
            if self.keeps_answers and isinstance(response, HttpResponse) and _stands(response.status_code):
                headers = {name: response[name] for name in KEPT_HEADERS if response.has_header(name)}
                begun.tell(Told(response.status_code, headers, response.content))
                kept = True
        finally:
            if not kept:
                begun.give_up()
        return response


def differing(yours: Any, theirs: Any) -> list[dict[str, Any]]:
    """Return the fields of a request that the record has otherwise, each with both values."""
    if not isinstance(yours, dict) or not isinstance(theirs, dict):
        return []
    return [
        {"field": name, "yours": value, "theirs": theirs[name]}
        for name, value in yours.items()
        if name in theirs and not _same(value, theirs[name])
    ]


def _same(yours: Any, theirs: Any) -> bool:
    """Say whether two values mean the same: references by any name, instants in any zone."""
    if isinstance(yours, str) and isinstance(theirs, dict):
        return yours in {theirs.get("key"), theirs.get("uid")}
    if isinstance(yours, dict) and isinstance(theirs, dict):
        return all(_same(value, theirs.get(name)) for name, value in yours.items())
    if isinstance(yours, list) and isinstance(theirs, list):
        return len(yours) == len(theirs) and all(map(_same, yours, theirs))
    if isinstance(yours, str) and isinstance(theirs, str) and yours != theirs:
        try:
            return datetime.fromisoformat(yours) == datetime.fromisoformat(theirs)
        except (ValueError, TypeError):
            return False
    return bool(yours == theirs)


def _check_query(request: HttpRequest) -> None:
    """Refuse what no text in the database can hold, before a filter meets it.

    :raises Invalid: a value holds the character U+0000; names the parameter.
    """
    if "%00" in request.META.get("QUERY_STRING", ""):
        for name, value in request.GET.items():
            if "\x00" in value:
                raise Invalid.field(name, f"The {name} holds the control character U+0000.")


def gather_custom(request: HttpRequest) -> None:
    """Put filters by custom fields (`custom.cost__gte=5`) into one parameter, `custom`, as JSON."""
    if "custom." in request.META.get("QUERY_STRING", ""):
        asked = request.GET.copy()
        names = [name for name in asked if name.startswith("custom.")]
        filters = {name.removeprefix("custom."): str(asked.pop(name)[-1]) for name in names}
        asked["custom"] = msgspec.json.encode(filters).decode()
        request.GET = asked  # type: ignore[assignment]


KEPT_HEADERS = ("Content-Type", "ETag", "Location")


def _stands(status: int) -> bool:
    """Say whether a repeat gets the same answer: not where trying again may help."""
    return status < 500 and status not in {401, 429}
