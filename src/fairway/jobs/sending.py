"""One signed request to a server elsewhere: to an address that was looked at, bounded in size and time."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import ipaddress
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
CONNECT, TOTAL = 5.0, 15.0
"""Seconds for looking up an address and for a connection, each, and for all of it."""
MOST = 64 * 2**10
"""Bytes of an answer that are read, and then left aside."""
TRANSLATED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("2002::/16"))
"""IPv6 that stands for IPv4 of any kind: gateways would carry it on."""
PREFIX = "whsec_"


class Unsendable(Exception):
    """It was not sent, or there was no answer; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    milliseconds: int


def new_secret() -> str:
    """Return a secret in the form of Standard Webhooks: 256 bits."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def sealed(secret: str) -> str:
    """Return a secret as it is stored: only this installation's key opens it."""
    return _box().encrypt(secret.encode()).decode()


def opened(stored: str) -> str:
    """Return a stored secret.

    :raises Unsendable: the installation's key is another one now.
    """
    try:
        return _box().decrypt(stored.encode()).decode()
    except InvalidToken as cause:
        raise Unsendable(
            "The secret cannot be read: FAIRWAY_SECRET_KEY was changed. Make a new one."
        ) from cause


def _box() -> Fernet:
    key = hashlib.blake2b(settings.SECRET_KEY.encode(), digest_size=32, person=b"fairway-webhook").digest()
    return Fernet(base64.urlsafe_b64encode(key))


def signature(secret: str, *, message: str, at: int, body: bytes) -> str:
    """Return the signature header. Source: Standard Webhooks 1.0, symmetric (HMAC-SHA256)."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = hmac.digest(key, f"{message}.{at}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(signed).decode()


def forbidden(address: Address) -> bool:
    """Say whether webhooks may not go there: not public, and not named by FAIRWAY_WEBHOOK_ALLOW."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    if mapped is not None:
        address = mapped
    if any(address.version == network.version and address in network for network in allowed()):
        return False
    translated = any(address.version == 6 and address in network for network in TRANSLATED)
    return not address.is_global or address.is_multicast or address.is_reserved or translated


def allowed() -> Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network] = settings.CONFIGURATION.webhook_allow
    return networks


def objection(url: str) -> str:
    """Return what is wrong with an address for webhooks as it is written; empty: nothing."""
    if len(url) > 500 or any(ord(letter) <= 32 or ord(letter) > 126 for letter in url):
        return "Write an address of at most 500 characters, without blanks; names of other scripts as xn--…"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "This is not an address; write https://host/path."
    if parts.scheme not in {"https", "http"} or not host:
        return "This is not an address; write https://host/path."
    if parts.username is not None or parts.password is not None or parts.fragment or port == 0:
        return "An address holds no user, password or fragment."
    if parts.scheme == "http" and not allowed():
        return "Use https: what is sent must not be read on the way."
    with contextlib.suppress(ValueError):
        if forbidden(ipaddress.ip_address(host)):
            return _refusal(host)
    return "" if host.lower().rstrip(".") != "localhost" or allowed() else _refusal(host)


def _refusal(host: str) -> str:
    return (
        f"{host} is not on the public internet; an administrator of the server may allow its network by"
        " FAIRWAY_WEBHOOK_ALLOW."
    )


def resolved(host: str, port: int, *, within: float = TOTAL) -> Address:
    """Return the address to connect to, which is used as it is: a second look-up could say another.

    :raises Unsendable: there is none, or one of them is not public, or it was not found out in time.
    """
    try:
        found = _looked_up(host, port, within)
    except TimeoutError as cause:
        raise Unsendable(f"The address of {host} was not found out within {within:g} seconds.") from cause
    except (OSError, UnicodeError) as cause:
        raise Unsendable(f"There is no address for {host}.") from cause
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not addresses:
        raise Unsendable(f"There is no address for {host}.")
    if any(forbidden(address) for address in addresses):
        raise Unsendable(_refusal(host))
    return addresses[0]


def _looked_up(host: str, port: int, within: float) -> Sequence[Any]:
    """Ask for addresses on a thread: the system's resolver knows no limit, and is left to its own then.

    :raises TimeoutError: there is no answer in time. And whatever asking raises.
    """
    found: Future[Sequence[Any]] = Future()

    def ask() -> None:
        try:
            found.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as cause:  # noqa: BLE001 - it is the answer
            found.set_exception(cause)

    threading.Thread(target=ask, name="look-up", daemon=True).start()
    return found.result(within)


def post(url: str, body: bytes, *, secret: str, message: str, at: float) -> Answer:
    """Send a message and return how it was answered; follows no redirect, reads little of the answer.

    :raises Unsendable: it could not be sent, or the answer did not come in time.
    """
    if wrong := objection(url):
        raise Unsendable(wrong)
    parts = urlsplit(url)
    host, secure = str(parts.hostname), parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    begun = time.monotonic()
    address = resolved(host, port, within=CONNECT)
    connection = _Pinned(host, port, address=address, secure=secure)
    watch = threading.Timer(TOTAL - (time.monotonic() - begun), connection.abort)
    watch.daemon = True
    watch.start()
    stamp = int(at)
    headers = {
        "Content-Type": "application/cloudevents+json; charset=utf-8",
        "User-Agent": "Fairway-Webhooks/1",
        "webhook-id": message,
        "webhook-timestamp": str(stamp),
        "webhook-signature": signature(secret, message=message, at=stamp, body=body),
    }
    try:
        connection.request(
            "POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, headers
        )
        answer = connection.getresponse()
        answer.read(MOST)
        if time.monotonic() - begun >= TOTAL:  # ended by the watch: what is there is not all
            raise TimeoutError
        return Answer(answer.status, round((time.monotonic() - begun) * 1000))
    except (OSError, http.client.HTTPException, ValueError) as cause:
        if time.monotonic() - begun >= TOTAL:
            raise Unsendable(f"{host} did not answer within {TOTAL:g} seconds.") from cause
        raise Unsendable(f"{host} could not be asked: {str(cause) or type(cause).__name__}."[:300]) from cause
    finally:
        watch.cancel()
        connection.close()


class _Pinned(http.client.HTTPConnection):
    """A connection to an address that was looked at before; TLS is for the name."""

    def __init__(self, host: str, port: int, *, address: Address, secure: bool) -> None:
        super().__init__(host, port, timeout=CONNECT)
        self._address, self._secure = address, secure
        self.default_port = 443 if secure else 80  # the Host header names the port where it is another
        self._used: socket.socket | None = None

    def connect(self) -> None:
        family = socket.AF_INET6 if self._address.version == 6 else socket.AF_INET
        self.sock = self._used = plain = socket.socket(family, socket.SOCK_STREAM)
        plain.settimeout(CONNECT)
        plain.connect((str(self._address), self.port))
        if self._secure:
            context = ssl.create_default_context()
            self.sock = self._used = context.wrap_socket(plain, server_hostname=self.host)

    def abort(self) -> None:
        """End it from another thread, wherever it stands.

        `sock` is given away with an answer that says “Connection: close”, so it is no sure way there.
        """
        if self._used is not None:
            with contextlib.suppress(OSError):
                self._used.shutdown(socket.SHUT_RDWR)
