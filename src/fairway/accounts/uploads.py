"""Files that are sent to the API as those of a form (multipart/form-data), beside what comes as JSON."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

import msgspec
from django.core.exceptions import TooManyFieldsSent, TooManyFilesSent
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http.multipartparser import MultiPartParserError

from fairway.accounts.web import (
    ApiController,
    DryRun,
    authenticated,
    problem_of,
    problem_response,
)
from fairway.kernel.errors import Invalid, Unauthenticated


class UploadController(ApiController):
    """An endpoint whose POST also takes a form with a file; `form` names the fields beside the file."""

    is_abstract = True
    form: ClassVar[tuple[str, ...]] = ()

    def sent(self, file: UploadedFile[bytes], fields: dict[str, str], *, dry_run: bool) -> HttpResponse:
        """Carry out what a form asks for; `fields` are those that are not empty."""
        raise NotImplementedError

    def perform(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not _is_form(request):
            return super().perform(request, *args, **kwargs)
        try:
            return self._taken(request)
        except Exception as exc:
            problem = problem_of(exc)
            if problem is None:
                raise
            return problem_response(problem, request)

    def asked(self, request: HttpRequest) -> bytes:
        """Return the fields and a digest of the file: the same form is written otherwise each time."""
        if not _is_form(request):
            return super().asked(request)
        try:
            told: list[Any] = sorted(request.POST.lists())
            files: dict[str, Any] = request.FILES.dict()
            for name, sent in sorted(files.items()):
                digest = hashlib.sha256()
                for chunk in sent.chunks():
                    digest.update(chunk)
                sent.seek(0)  # it is read again when it is taken
                told.append([name, sent.name, digest.hexdigest()])
        except (MultiPartParserError, TooManyFieldsSent, TooManyFilesSent) as exc:
            raise problem_of(exc) or exc from exc
        return msgspec.json.encode(told)

    def _taken(self, request: HttpRequest) -> HttpResponse:
        """Take a file that is sent as a form's.

        :raises Unauthenticated: nobody calls. :raises Invalid: there is no file, or a field has no sense.
        """
        actor = authenticated(request)
        if actor is None:
            raise Unauthenticated("Sign in, or send “Authorization: Bearer” with a valid token.")
        file = request.FILES.get("file")
        if file is None:
            raise Invalid.field("file", "Send the file as the part “file” of the form.")
        fields = {name: str(value) for name, value in request.POST.items() if value}
        for name in fields:
            if name not in self.form:
                raise Invalid.field(name, f"There is no such field; there are {', '.join(self.form)}.")
        for name, value in {**fields, "file": file.name or ""}.items():
            if "\x00" in value:
                raise Invalid.field(name, f"The {name} holds the control character U+0000.")
        try:
            query = msgspec.convert(request.GET.dict(), DryRun, strict=False)
        except msgspec.ValidationError as cause:
            raise Invalid.field("dry_run", "There is dry_run alone, which is true or false.") from cause
        return self.sent(file, fields, dry_run=query.dry_run)


def _is_form(request: HttpRequest) -> bool:
    return request.method == "POST" and request.content_type == "multipart/form-data"
