"""What only pages need is spared the calls of programs."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from fairway.accounts.web import token_of

Answer = Callable[[HttpRequest], HttpResponseBase]


class ForPages:
    """Session, person and messages; a call of the API with a token has none of them and goes straight on.

    A pipeline asks thousands of times a day, and these three cost it as much as the answer itself.
    """

    def __init__(self, get_response: Answer) -> None:
        self.straight = get_response
        signed_in = AuthenticationMiddleware(MessageMiddleware(get_response))
        self.through = SessionMiddleware(signed_in)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith("/api/") and token_of(request):
            request.user = AnonymousUser()  # whom the token names, the endpoint finds
            return self.straight(request)
        response: HttpResponseBase = self.through(request)  # type: ignore[assignment]  # it is not asynchronous
        return response
