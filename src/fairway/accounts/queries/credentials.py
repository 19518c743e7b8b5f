"""Who calls: tokens, invitations, passes of clients, and whom somebody stands in for."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import DEFAULT_DB_ALIAS, connections
from django.utils.crypto import constant_time_compare, salted_hmac

from fairway.accounts.models import ApiToken, User
from fairway.audit import queries as audit
from fairway.kernel.actor import Actor
from fairway.kernel.db import fetch
from fairway.kernel.models import uid_lookup


def invitation(user: User) -> str:
    """Return the path at which the person chooses a password: once, for three days.

    The link is void once it was used or the person signed in.
    """
    return f"/join/{user.uid}/{_INVITATIONS.make_token(user)}"


def invited(uid: str, token: str) -> User | None:
    """Return whom an invitation is for, or None where it is void."""
    lookup = uid_lookup(uid)
    user = User.objects.filter(**lookup).first() if lookup else None
    if user is None or not user.may_sign_in(datetime.now(UTC)):
        return None
    return user if _INVITATIONS.check_token(user, token) else None


def renewed(actor: Actor) -> Actor:
    """Return the same actor as of now, after a write that changed what they see."""
    return replace(actor, revisions=audit.revisions())


def digest(secret: str) -> str:
    """Return what is stored of a token: SHA-256 is enough for 32 random bytes, and costs nothing per call."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _bearer(vendor: str, key: str) -> str:
    """Return the statement that finds a token by digest or uid, with its person and the revisions."""
    aggregate = {"postgresql": "json_object_agg", "sqlite": "json_group_object"}[vendor]
    return (
        "SELECT u.id, u.uid, u.name, u.zone, u.is_service, t.scopes, t.id, t.expires_at, t.last_used_at,"  # noqa: S608  (constants)
        f" (SELECT {aggregate}(label, value) FROM audit_revision)"
        " FROM accounts_apitoken t JOIN accounts_user u ON u.id = t.user_id"
        f" WHERE t.{key} = %s AND t.revoked_at IS NULL AND t.expires_at > %s AND u.is_active"
        " AND (u.valid_until IS NULL OR u.valid_until > %s)"
    )


_BEARER = {
    (vendor, key): _bearer(vendor, key) for vendor in ("postgresql", "sqlite") for key in ("digest", "uid")
}


def bearer(secret: str, *, at: datetime, request_id: str = "") -> Actor | None:
    """Return the actor of a token, or None where it is unknown, expired, revoked or its person gone.

    One statement: it brings the revisions along. A short-lived token stands and falls with the one that it
    was made from.
    """
    here = connections[DEFAULT_DB_ALIAS]  # looked up once: the proxy would do so at each use
    passed = read_pass(secret, at=at) if secret.startswith(PASS) else None
    if passed is None:
        key, value = "digest", digest(secret)
    else:
        key, value = "uid", passed.token.hex if here.vendor == "sqlite" else str(passed.token)
    now = here.ops.adapt_datetimefield_value(at)
    rows = fetch(_BEARER[here.vendor, key], [value, now, now])
    row = rows[0] if rows else None
    if row is None:
        return None
    pk, uid, name, zone, is_service, scopes, token, ends, used, revisions = row
    _mark_used(token, used, at)
    scopes = msgspec.json.decode(scopes) if isinstance(scopes, str) else scopes
    revisions = msgspec.json.decode(revisions) if isinstance(revisions, str) else revisions
    allowed = None if scopes is None else frozenset(scopes)
    if passed is not None and passed.scopes is not None:
        allowed = frozenset(passed.scopes) if allowed is None else allowed & frozenset(passed.scopes)
    ending = _instant(ends)
    if passed is not None:
        ending = min(ending, datetime.fromtimestamp(passed.until, UTC))
    return Actor(
        "service" if is_service else "person",
        pk,
        _uid_text(uid),
        name,
        zone,
        allowed,
        token,
        ending,
        request_id=request_id,
        revisions=revisions or {},
    )


PASS, PASS_LIFE = "fwa_", timedelta(hours=1)


class Pass(msgspec.Struct, frozen=True, array_like=True):
    """What a short-lived token says of itself: the token it comes from, until when, and at most what."""

    token: UUID
    until: int
    scopes: list[str] | None


def make_pass(token: ApiToken, *, at: datetime, scopes: list[str] | None) -> tuple[str, int]:
    """Return a short-lived token and its life in seconds: signed, stored nowhere, revoked with its source."""
    until = min(token.expires_at, at + PASS_LIFE)
    told = msgspec.json.encode(Pass(token.uid, int(until.timestamp()), scopes))
    payload = urlsafe_b64encode(told).decode().rstrip("=")
    return f"{PASS}{payload}.{_seal(payload)}", int((until - at).total_seconds())


def read_pass(secret: str, *, at: datetime) -> Pass | None:
    """Return what a short-lived token says, or None where it is none of ours or too old."""
    payload, _, seal = secret.removeprefix(PASS).partition(".")
    if not constant_time_compare(seal, _seal(payload)):
        return None
    told = msgspec.json.decode(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=Pass)
    return told if at.timestamp() < told.until else None


def _seal(payload: str) -> str:
    digest = salted_hmac("fairway.accounts.pass", payload, algorithm="sha256").digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


def client(reference: str, secret: str, *, at: datetime) -> ApiToken | None:
    """Return the token that is a service account's secret, where both belong together and it stands."""
    found = ApiToken.objects.select_related("user").filter(
        digest=digest(secret), revoked_at=None, expires_at__gt=at, user__is_service=True
    )
    token = found.first()
    if token is None or not token.user.valid_at(at):
        return None
    names = {token.user.key.lower(), str(token.user.uid), token.user.email_folded}
    return token if reference.lower() in names else None


def _uid_text(uid: object) -> str:
    text = str(uid)
    return text if "-" in text else f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _instant(stored: datetime | str) -> datetime:
    """Return an instant that was read without its model; SQLite keeps texts without a zone."""
    at = datetime.fromisoformat(stored) if isinstance(stored, str) else stored
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _mark_used(token: int, used: datetime | str | None, at: datetime) -> None:
    """Remember to the hour that a token was used: not each time, or every read would write."""
    if used is None or (at - _instant(used)).total_seconds() > 3600:
        ApiToken.objects.filter(pk=token).update(last_used_at=at)


_INVITATIONS = PasswordResetTokenGenerator()
