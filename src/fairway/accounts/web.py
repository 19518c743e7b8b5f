"""The base of every API endpoint and page: who is calling, one command or a few queries, the answer.

It stands in accounts because a caller is found by session or token; contexts above use it as a door.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import wraps
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Self, TypeVar, get_args
from zoneinfo import ZoneInfo

import msgspec
from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import DataError, IntegrityError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.http.multipartparser import MultiPartParserError
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve
from django.utils.http import urlencode
from dmr import Controller, HeaderSpec, ResponseSpec, validate
from dmr.endpoint import Endpoint
from dmr.exceptions import (
    NotAcceptableError,
    NotAuthenticatedError,
    RequestSerializationError,
    ValidationError,
)
from dmr.metadata import EndpointMetadata
from dmr.negotiation import conditional_type, request_renderer
from dmr.openapi.objects import SecurityRequirement, SecurityScheme
from dmr.plugins.msgspec.json import MsgspecJsonRenderer
from dmr.security.base import SyncAuth

from fairway.accounts import limits, queries
from fairway.accounts.commands import ExportList
from fairway.accounts.limits import take_stranger as take_stranger
from fairway.accounts.models import User
from fairway.audit.commands import (
    Attempt,
    Command,
    Outcome,
    Plan,
    Told,
    claim,
    execute,
    invalid,
    preview,
)
from fairway.kernel.actor import Actor
from fairway.kernel.api import Serializer
from fairway.kernel.errors import (
    Busy,
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    Malformed,
    MethodNotAllowed,
    NotAcceptable,
    PreconditionRequired,
    Problem,
    Refused,
    Stale,
    TooLarge,
    Unauthenticated,
    UnsupportedMedia,
)
from fairway.kernel.exporting import FileRenderer, ndjson, separated, spreadsheet
from fairway.kernel.listing import MOST, ListQuery, Page, picked
from fairway.kernel.refs import Ref, uuid7
from fairway.policy import Decision, Finding, Words, tell

T = TypeVar("T")
Q = TypeVar("Q", bound=ListQuery)
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


# What the API tells of a decision --------------------------------------------------------------------------


class RefView(msgspec.Struct, frozen=True, kw_only=True):
    """A reference as the API gives it; `kind` "hidden" stands for a party the caller may not see."""

    kind: str
    key: str
    name: str = ""
    uid: str | None = None


class FindingView(msgspec.Struct, frozen=True, kw_only=True):
    """`id` stays as long as rule, parties and time of the finding do."""

    id: str
    rule: str
    severity: str
    message: str
    parties: list[RefView]
    interval: tuple[datetime, datetime] | None
    path: list[str]
    params: dict[str, Any]
    waivable_by: list[str]
    repairs: list[dict[str, Any]]


class DecisionView(msgspec.Struct, frozen=True, kw_only=True):
    verdict: str
    at: datetime | None
    findings: list[FindingView]
    next_open: datetime | None
    next_close: datetime | None
    point_of_no_return: datetime | None = None


class PlanView(msgspec.Struct, frozen=True, kw_only=True):
    """What a write would do (`dry_run=true`): nothing was written."""

    dry_run: bool
    decision: DecisionView
    subject: RefView | None
    changes: list[dict[str, Any]]


class FieldErrorView(msgspec.Struct, frozen=True):
    field: str
    message: str


class DifferenceView(msgspec.Struct, frozen=True):
    field: str
    yours: Any
    theirs: Any


class ProblemView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Problem details (RFC 9457). 412: `present` is the record now, `differing` what you have otherwise."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldErrorView] = []
    findings: list[FindingView] = []
    version: int | None = None
    present: dict[str, Any] | None = None
    differing: list[DifferenceView] = []


def ref_view(ref: Ref) -> RefView:
    return RefView(kind=ref.kind, key=ref.key, name=ref.name, uid=ref.uid or None)


def finding_view(finding: Finding, words: Words | None = None) -> FindingView:
    return FindingView(
        id=finding.id,
        rule=finding.rule,
        severity=str(finding.severity),
        message=tell(finding, words or Words()),
        parties=[ref_view(party) for party in finding.parties],
        interval=(finding.interval.start, finding.interval.end) if finding.interval else None,
        path=[ref.key for ref in finding.path],
        params=dict(finding.params),
        waivable_by=list(finding.waivable_by),
        repairs=[dict(repair) for repair in finding.repairs],
    )


def decision_view(decision: Decision, actor: Actor, words: Words | None = None) -> DecisionView:
    """Return the decision as the actor may see it; the API tells times in UTC."""
    shown = decision.redacted(queries.access(actor).sees)
    return DecisionView(
        verdict=str(shown.verdict),
        at=shown.at,
        findings=[finding_view(finding, words) for finding in shown.findings],
        next_open=shown.next_open,
        next_close=shown.next_close,
        point_of_no_return=shown.point_of_no_return,
    )


# Who is calling --------------------------------------------------------------------------------------------


class ActorMiddleware:
    """Names every request, for the log too. What is answered to somebody is kept from shared caches."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response["X-Request-ID"] = request_id(request)
        if hasattr(request, "fairway_actor"):
            response.setdefault("Cache-Control", "private, no-cache")  # for this reader alone
        return response


def request_id(request: HttpRequest) -> str:
    """Return the request's name for the log: the caller's `X-Request-ID`, else one of ours."""
    known: str | None = getattr(request, "fairway_id", None)
    if known is None:
        given = request.META.get("HTTP_X_REQUEST_ID", "")  # not `headers`, which would be made for it
        known = given if 0 < len(given) <= 64 and given.isascii() and given.isprintable() else str(uuid7())
        request.fairway_id = known  # type: ignore[attr-defined]
    return known


def way_back(request: HttpRequest) -> str:
    """Return the path that takes back what this request did, for the toast that tells of it."""
    return f"/undo?{urlencode({'request': request_id(request)})}"


def actor_of(request: HttpRequest) -> Actor | None:
    """Return who calls by session, or None; found once per request."""
    if not hasattr(request, "fairway_actor"):
        user = request.user
        found = None
        if isinstance(user, User) and user.may_sign_in(datetime.now(UTC)):
            found = queries.person(user, request_id=request_id(request))
        request.fairway_actor = found  # type: ignore[attr-defined]
    actor: Actor | None = request.fairway_actor  # type: ignore[attr-defined]
    return actor


def caller(request: HttpRequest) -> Actor:
    """Return who calls a page.

    :raises Unauthenticated: nobody is signed in.
    """
    actor = actor_of(request)
    if actor is None:
        raise Unauthenticated("Sign in first.")
    return actor


def zone_of(actor: Actor | None) -> ZoneInfo:
    return ZoneInfo(actor.zone if actor else "UTC")


class BearerOrSession(SyncAuth):
    """A token in `Authorization: Bearer`, or the session of a page together with its CSRF token."""

    __slots__ = ()
    www_authenticate_challenge = "Bearer"

    def security_schemes(self, metadata: EndpointMetadata, controller_cls: Any) -> dict[str, Any]:
        return {"bearer": SecurityScheme(type="http", scheme="bearer", description="A Fairway token")}

    def security_requirements(
        self, metadata: EndpointMetadata, controller_cls: Any
    ) -> list[SecurityRequirement]:
        return [{"bearer": []}]

    def __call__(self, endpoint: Endpoint, controller: Controller[Any]) -> Self | None:
        """Find who calls; reads need the permission that the endpoint declares.

        Writes are refused by their commands, which leave a denial.

        :raises Forbidden: the CSRF token is missing, or the permission.
        """
        actor = authenticated(controller.request)
        if actor is None:
            return None
        access = queries.access(actor)  # found here, before any transaction, it is kept for all
        if controller.request.method not in UNSAFE:
            permission = str((endpoint.metadata.x_extensions or {}).get("x-permission", ""))
            if permission and not access.may(permission, None):
                queries.require(actor, permission, at=None)
        return self


def token_of(request: HttpRequest) -> str:
    """Return the token that a request brings, or nothing."""
    scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def authenticated(request: HttpRequest) -> Actor | None:
    """Return who calls the API, None for nobody.

    :raises Forbidden: by session, and the CSRF token is missing.
    """
    secret = token_of(request)
    if secret:
        actor = queries.bearer(secret, at=datetime.now(UTC), request_id=request_id(request))
    else:
        actor = actor_of(request)
        if actor is not None and request.method in UNSAFE:
            _check_csrf(request)
    if actor is not None:
        request.fairway_actor = actor  # type: ignore[attr-defined]
        if not hasattr(request, "fairway_limits"):  # counted once a request
            request.fairway_limits = limits.take(actor)  # type: ignore[attr-defined]
    return actor


def _check_csrf(request: HttpRequest) -> None:
    """Pages call the API with their session: then the CSRF token must come along.

    :raises Forbidden: it did not.
    """
    request.csrf_processing_done = False  # type: ignore[attr-defined]
    refusal = CsrfViewMiddleware(lambda _: HttpResponse()).process_view(request, _checked, (), {})
    if refusal is not None:
        raise Forbidden("The form's security token is missing or old; load the page again.", code="csrf")


def _checked(request: HttpRequest) -> HttpResponse:
    raise AssertionError("never called: only its not being exempt matters")


# API -------------------------------------------------------------------------------------------------------

PROBLEMS = {
    400: "The request cannot be read",
    401: "No or no valid token",
    403: "Not permitted",
    404: "No such thing, or not for the caller",
    406: "No such media type to answer with",
    409: "Not in this state, or refused by a decision",
    412: "The record changed since it was read",
    413: "Too large",
    415: "No such media type to read",
    422: "A field is wrong",
    428: "If-Match is needed",
    429: "Too many requests",
    503: "Too busy; try again",
}
PROBLEM_HEADERS = {
    401: {"WWW-Authenticate": HeaderSpec(required=False, description="How to authenticate")},
    429: {
        "Retry-After": HeaderSpec(required=False, description="Seconds to wait"),
        "RateLimit": HeaderSpec(required=False, description="Calls left (r), seconds till all are back (t)"),
        "RateLimit-Policy": HeaderSpec(required=False, description="Calls at once (q), in how many s (w)"),
    },
    503: {"Retry-After": HeaderSpec(required=False, description="Seconds to wait")},
}
JSON, PROBLEM_JSON = "application/json", "application/problem+json"
NDJSON, CSV, STREAM = "application/x-ndjson", "text/csv", "text/event-stream"
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
            return problem_response(_too_large(), self.request)

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
            raise _unauthenticated()
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


def plan_view(plan: Plan, actor: Actor) -> PlanView:
    """Return what a plan would write, as plain values; free text and all, for whoever asked."""
    changes: list[dict[str, Any]] = [
        {"action": "create", "kind": row._meta.model_name, "key": getattr(row, "key", None)}
        for row in plan.create
    ]
    changes += [
        {
            "action": "change",
            "kind": row._meta.model_name,
            "key": getattr(row, "key", None),
            "fields": sorted(values),
        }
        for row, values in plan.change
    ]
    changes += [
        {"action": "remove", "kind": row._meta.model_name, "key": getattr(row, "key", None)}
        for row in plan.remove
    ]
    subject = ref_view(plan.subject.ref()) if plan.subject is not None else None
    return PlanView(
        dry_run=True, decision=decision_view(plan.decision, actor), subject=subject, changes=changes
    )


def problem_of(exc: Exception) -> Problem | None:
    """Return the problem that an exception stands for, or None for a fault of ours."""
    if isinstance(exc, Problem):
        return exc
    if isinstance(exc, ValidationError):
        errors = [_field_error(entry) for entry in exc.payload]
        return Invalid.fields(errors)
    if isinstance(exc, RequestSerializationError):
        text = str(exc.args[0]) if exc.args else "The request cannot be read."
        if "content type" in text.lower():
            return UnsupportedMedia("Send application/json.")
        return Malformed(text)
    if isinstance(exc, NotAuthenticatedError):
        return _unauthenticated()
    if isinstance(exc, NotAcceptableError):
        return NotAcceptable("This answers application/json.")
    if isinstance(exc, RequestDataTooBig):
        return _too_large()
    if isinstance(exc, MultiPartParserError | TooManyFilesSent | TooManyFieldsSent):
        return Malformed(f"The form cannot be read: {exc}"[:300])
    if isinstance(exc, RecursionError):
        return Malformed("The document is nested too deeply.")
    if isinstance(exc, OperationalError) and "locked" in str(exc):
        return Busy("Many are writing at this moment; try again.", headers={"Retry-After": "2"})
    if isinstance(exc, IntegrityError):
        return Conflict(
            "Somebody else wrote the same at this moment; read it again.", code="written-meanwhile"
        )
    if isinstance(exc, DataError):
        return Invalid("A value is out of range.")
    return None


def _unauthenticated() -> Unauthenticated:
    return Unauthenticated(
        "Sign in, or send “Authorization: Bearer” with a valid token.", headers={"WWW-Authenticate": "Bearer"}
    )


def _too_large() -> TooLarge:
    return TooLarge(f"A request holds at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 2**20} MiB.")


def _field_error(entry: Mapping[str, Any]) -> FieldError:
    """Turn the library's entry into ours: the field without the name of the part that it stands in."""
    first = invalid(msgspec.ValidationError(entry["msg"])).errors[0]
    part, _, name = first.field.partition(".")
    if not part.startswith("parsed_"):
        return first
    return FieldError(name or part.removeprefix("parsed_"), first.message)


def problem_response(problem: Problem, request: HttpRequest) -> HttpResponse:
    """Return the problem details document; a refusal tells the findings that the caller may see."""
    document = problem.document()
    actor: Actor | None = getattr(request, "fairway_actor", None)
    if isinstance(problem, Refused) and problem.decision is not None and actor is not None:
        document["findings"] = decision_view(problem.decision, actor).findings
        document["decision"] = decision_view(problem.decision, actor)
    return HttpResponse(
        msgspec.json.encode(document),
        status=problem.status,
        content_type=PROBLEM_JSON,
        headers=problem.headers,
    )


# Pages -----------------------------------------------------------------------------------------------------

View = Callable[..., HttpResponseBase]


def page(view: View) -> View:
    """Make a page: who is not signed in goes to the sign-in page and comes back; problems become pages."""

    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        actor = actor_of(request)
        if actor is None:
            if request.headers.get("HX-Request"):
                return HttpResponse(status=401, headers={"HX-Redirect": "/sign-in"})
            return redirect(f"/sign-in?{urlencode({'next': request.get_full_path()})}")
        queries.access(actor)  # found here, before any transaction, it is kept for all
        request.zone = actor.zone  # type: ignore[attr-defined]
        try:
            limits.take(actor)
            return view(request, *args, **kwargs)
        except (Problem, OperationalError, IntegrityError, DataError, RequestDataTooBig) as exc:
            problem = problem_of(exc)
            if problem is None:
                raise
            return problem_page(request, problem)

    shown.is_page = True  # type: ignore[attr-defined]
    return shown


def problem_page(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Return the page that tells a problem, with the way on; for htmx only the part that says it."""
    verdict = None
    actor = actor_of(request)
    if isinstance(problem, Refused) and problem.decision is not None and actor is not None:
        findings = decision_view(problem.decision, actor, queries.words(actor)).findings
        rows = [{"severity": f.severity, "message": f.message, "path": f.path, "ways": ()} for f in findings]
        verdict = {"verdict": "deny", "headline": problem.detail, "rows": rows}
    template = "accounts/problem_panel.html" if request.headers.get("HX-Request") else "accounts/problem.html"
    context = {"problem": problem, "verdict": verdict}
    response = render(request, template, context, status=problem.status)
    for name, value in problem.headers.items():
        response[name] = value
    return response


def form_data(request: HttpRequest) -> dict[str, str]:
    """Return a form's single values, stripped."""
    return {name: value.strip() for name, value in request.POST.items() if name != "csrfmiddlewaretoken"}  # type: ignore[union-attr]


__all__ = ["ApiController", "TooLarge", "operation", "page"]
