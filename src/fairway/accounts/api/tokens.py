"""Tokens over the API, and how clients get one (OAuth 2, client credentials)."""

from __future__ import annotations

import binascii
from base64 import b64decode
from datetime import datetime
from typing import Any, ClassVar, Literal
from urllib.parse import unquote_plus

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import path
from dmr import Body, Path, Query
from dmr.parsers import FormUrlEncodedParser
from dmr.plugins.msgspec.json import MsgspecJsonParser

from fairway.accounts import commands, limits, queries, throttle
from fairway.accounts.api.shared import KeyPath, NewToken, person_ref, told_once
from fairway.accounts.models import User
from fairway.accounts.rules import PERMISSIONS
from fairway.accounts.web import ApiController, DryRun, RefView, operation
from fairway.kernel.api import list_of
from fairway.kernel.errors import Malformed, Problem, TooMany, Unauthenticated
from fairway.kernel.listing import Column, Listing, ListQuery, Page

TOKENS = Listing(
    columns={
        "name": Column("name"),
        "user": Column("user", refers=User.lookup),
        "created_at": Column("created_at", "instant", sorts=True),
        "expires_at": Column("expires_at", "instant", sorts=True),
    },
    values=(
        "name", "hint", "scopes", "created_at", "expires_at", "revoked_at", "last_used_at",
        "user__number", "user__name", "user__uid",
    ),
    sort="-created_at",
)  # fmt: skip


class TokenView(msgspec.Struct, kw_only=True):
    uid: str
    name: str
    hint: str
    user: RefView
    scopes: list[str] | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


TokenList = list_of(TokenView)


class TokenQuery(ListQuery, kw_only=True, columns=TOKENS.columns):
    """Filters of the list."""


def token_view(row: dict[str, Any]) -> TokenView:
    return TokenView(
        uid=str(row["uid"]),
        name=row["name"],
        hint=row["hint"],
        user=person_ref(row, "user"),
        scopes=row["scopes"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        last_used_at=row["last_used_at"],
    )


class TokensController(ApiController):
    """One's own tokens, and those of service accounts that one administers."""

    keeps_answers = False  # the token is told once and stored nowhere

    @operation("", TokenList, files=True)
    def get(self, parsed_query: Query[TokenQuery]) -> HttpResponseBase:
        def read(query: TokenQuery) -> tuple[Page, list[TokenView]]:
            page = TOKENS.page(queries.tokens(self.actor), query)
            return page, [token_view(row) for row in page.rows]

        return self.listed(parsed_query, read, TokenView.__struct_fields__)

    @operation("", NewToken, status=201, dry_run=True)
    def post(self, parsed_body: Body[commands.CreateToken], parsed_query: Query[DryRun]) -> HttpResponse:
        if parsed_query.dry_run:
            return self.preview(parsed_body)
        return self.answer(NewToken(token=told_once(self.run(parsed_body).answer)), status=201)


class TokenController(ApiController):
    """One token."""

    @operation("", None, status=204, dry_run=True)
    def delete(self, parsed_path: Path[KeyPath], parsed_query: Query[DryRun]) -> HttpResponse:
        command = commands.RevokeToken(token=parsed_path.key)
        if parsed_query.dry_run:
            return self.preview(command)
        self.run(command)
        return self.answer(None, status=204)


class TokenRequest(msgspec.Struct, kw_only=True):
    """RFC 6749, 4.4: credentials here or as `Authorization: Basic`; unknown parameters are ignored.

    `client_id`: key, uid or address of a service account. `client_secret`: a token of it. `scope`:
    permissions, separated by blanks; empty: all that the secret has.
    """

    grant_type: str
    client_id: str = ""
    client_secret: str = ""
    scope: str = ""


class AccessToken(msgspec.Struct, kw_only=True):
    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str | msgspec.UnsetType = msgspec.UNSET


class OAuthTokenController(ApiController):
    """Short-lived tokens for programs (OAuth 2.0, client credentials)."""

    parsers: ClassVar[Any] = [MsgspecJsonParser(), FormUrlEncodedParser()]
    keeps_answers = False

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    @operation("", AccessToken, public=True)
    def post(self, parsed_body: Body[TokenRequest]) -> HttpResponse:
        """Exchange a service account's token for one that lives an hour; it ends with its source."""
        address = self.request.META.get("REMOTE_ADDR", "")
        limits.take_stranger(address, door="oauth")
        if parsed_body.grant_type != "client_credentials":
            raise _refusal(Malformed, "unsupported_grant_type", "There is client_credentials alone.")
        known, secret = _basic(self.request) or (parsed_body.client_id, parsed_body.client_secret)
        if throttle.waits(known, address, at=self.at):
            raise TooMany(
                "Too many attempts with this client. Wait a quarter of an hour.",
                headers={"Retry-After": str(int(throttle.SPAN.total_seconds()))},
            )
        token = queries.client(known, secret, at=self.at) if known and secret else None
        if token is None:
            throttle.failed(known, address, at=self.at)
            raise _refusal(Unauthenticated, "invalid_client", "Client and secret do not belong together.")
        wanted = parsed_body.scope.split()
        allowed = PERMISSIONS.keys() if token.scopes is None else set(token.scopes)
        if not set(wanted) <= allowed:
            raise _refusal(Malformed, "invalid_scope", "The secret does not have all of these scopes.")
        secret, seconds = queries.make_pass(token, at=self.at, scopes=wanted or None)
        return self.answer(
            AccessToken(
                access_token=secret,
                token_type="Bearer",  # noqa: S106  (the word of the standard)
                expires_in=seconds,
                scope=" ".join(wanted) if wanted else msgspec.UNSET,
            )
        )


def _basic(request: HttpRequest) -> tuple[str, str] | None:
    """Return the credentials of `Authorization: Basic`, decoded as OAuth wants them (RFC 6749, 2.3.1)."""
    scheme, _, given = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        known, _, secret = b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote_plus(known), unquote_plus(secret)


def _refusal(kind: type[Problem], error: str, text: str) -> Problem:
    """Return a problem that says what is wrong in the words of OAuth too (RFC 6749, 5.2)."""
    headers = {"WWW-Authenticate": "Basic"} if kind is Unauthenticated else None
    return kind(text, code=error.replace("_", "-"), headers=headers, extra={"error": error})


urls = [
    path("oauth/token", OAuthTokenController.as_view(), name="oauth-token"),
    path("tokens", TokensController.as_view(), name="tokens"),
    path("tokens/<str:key>", TokenController.as_view(), name="token"),
]
