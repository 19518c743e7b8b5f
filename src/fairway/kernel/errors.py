"""What can go wrong, in one vocabulary for every door.

Source: RFC 9457 (problem details); the pages, the command line and the API all render these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self


@dataclass(frozen=True, slots=True)
class FieldError:
    field: str
    message: str


class Problem(Exception):
    """A refusal that is told to whoever asked: what is wrong, where, and what would be right.

    `code` is for machines and stays; `title` is stable; `detail` is the sentence.
    """

    status: ClassVar[int] = 500
    code: str = "problem"
    title: str = "Problem"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        title: str | None = None,
        errors: Sequence[FieldError] = (),
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.title = title or type(self).title
        self.errors = tuple(errors)
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})

    @classmethod
    def field(cls, field: str, message: str) -> Self:
        """Make a problem about one field."""
        return cls(message, errors=[FieldError(field, message)])

    def document(self) -> dict[str, Any]:
        """Return the problem details document, ready for JSON."""
        document: dict[str, Any] = {
            "type": f"/problems/{self.code}",
            "title": str(self.title),
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.errors:
            document["errors"] = [{"field": e.field, "message": e.message} for e in self.errors]
        return {**document, **self.extra}


class Malformed(Problem):
    status, code, title = 400, "malformed", "Malformed request"


class Unauthenticated(Problem):
    status, code, title = 401, "unauthenticated", "Sign-in needed"


class Forbidden(Problem):
    status, code, title = 403, "forbidden", "Not permitted"


class NotFound(Problem):
    """There is no such thing, or the caller may not see it; the two read the same."""

    status, code, title = 404, "not-found", "Not found"


class MethodNotAllowed(Problem):
    status, code, title = 405, "method-not-allowed", "Method not allowed"


class NotAcceptable(Problem):
    status, code, title = 406, "not-acceptable", "Not acceptable"


class Conflict(Problem):
    status, code, title = 409, "conflict", "Conflict"


class Refused(Conflict):
    """A decision denied the command; `decision` (a policy.Decision) holds what stands in the way."""

    code, title = "refused", "Refused"
    decision: Any = None


class Stale(Problem):
    status, code, title = 412, "stale", "Changed meanwhile"


class TooLarge(Problem):
    status, code, title = 413, "too-large", "Too large"


class UnsupportedMedia(Problem):
    status, code, title = 415, "unsupported-media-type", "Unsupported media type"


class Invalid(Problem):
    status, code, title = 422, "invalid", "Invalid"

    @classmethod
    def fields(cls, errors: Sequence[FieldError]) -> Self:
        """Make one problem of several field errors."""
        return cls(" ".join(e.message for e in errors), errors=errors)


class Gathered:
    """Gathers what is wrong with several fields, so that all of it is told at once.

        wrong = Gathered()
        with wrong:
            values["name"] = line(given.name, field="name")
        with wrong:
            ...
        wrong.tell()

    A block ends where the first of its fields is wrong; any other problem passes.
    """

    def __init__(self) -> None:
        self.errors: list[FieldError] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, raised: BaseException | None, trace: object) -> bool:
        if isinstance(raised, Invalid) and raised.errors:
            self.errors += raised.errors
            return True
        return False

    def add(self, field: str, message: str) -> None:
        self.errors.append(FieldError(field, message))

    def tell(self) -> None:
        """:raises Invalid: something was wrong."""
        if self.errors:
            raise Invalid.fields(self.errors)


class PreconditionRequired(Problem):
    status, code, title = 428, "precondition-required", "If-Match needed"


class TooMany(Problem):
    status, code, title = 429, "too-many-requests", "Too many requests"


class Busy(Problem):
    status, code, title = 503, "busy", "Busy"
