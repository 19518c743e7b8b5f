"""What the environment says: every setting, read once, typed; unknown ones are refused."""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

PREFIX = "FAIRWAY_"
KNOWN = (
    "DATABASE_URL", "DATA", "LISTEN", "SECRET_KEY", "DEMO", "ADMIN_EMAIL", "ADMIN_PASSWORD", "HOSTS", "HTTPS",
    "THREADS", "SERVER", "TOKEN", "DEBUG", "JOB_THREADS", "JOB_LEASE", "WEBHOOK_ALLOW",
)  # fmt: skip


class SettingError(Exception):
    """A setting is unknown or has no sense; the message says which and what would be right."""


class NotReady(Exception):
    """The database is not of this version's shape; the message says what to run."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """`listen`: host and port. `hosts`: names the server answers to. `data`: folder of database and files.

    `job_threads`: how many jobs of a queue a worker runs at a time; `job_lease`: seconds after which a job of
    a worker that says nothing is another's. `webhook_allow`: networks that webhooks may go to though they are
    not public.
    """

    database_url: str
    data: Path
    listen: tuple[str, int]
    secret_key: str
    demo: bool
    admin_email: str
    admin_password: str
    hosts: tuple[str, ...]
    https: bool
    threads: int
    debug: bool
    job_threads: int
    job_lease: int
    webhook_allow: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]


def read(environ: Mapping[str, str]) -> Configuration:
    """Read the settings; a value may come from a file named by `…_FILE`.

    :raises SettingError: an unknown setting, a missing file, or a value without sense.
    """
    values = _values(environ)
    data = Path(values.get("DATA", "data")).expanduser().resolve()
    host, _, port = values.get("LISTEN", "127.0.0.1:8000").rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise SettingError(
            f"FAIRWAY_LISTEN is “{values['LISTEN']}”; write host:port, such as 127.0.0.1:8000."
        )
    return Configuration(
        database_url=values.get("DATABASE_URL", ""),
        data=data,
        listen=(host, int(port)),
        secret_key=values.get("SECRET_KEY") or _kept_secret(data),
        demo=_truth("DEMO", values.get("DEMO", "1")),
        admin_email=values.get("ADMIN_EMAIL", ""),
        admin_password=values.get("ADMIN_PASSWORD", ""),
        hosts=tuple(filter(None, values.get("HOSTS", f"{host},localhost,127.0.0.1").split(","))),
        https=_truth("HTTPS", values.get("HTTPS", "0")),
        threads=_number("THREADS", values.get("THREADS", "4")),
        debug=_truth("DEBUG", values.get("DEBUG", "0")),
        job_threads=_number("JOB_THREADS", values.get("JOB_THREADS", "2")),
        job_lease=_number("JOB_LEASE", values.get("JOB_LEASE", "30"), most=3600),
        webhook_allow=_networks("WEBHOOK_ALLOW", values.get("WEBHOOK_ALLOW", "")),
    )


def database(url: str, data: Path) -> dict[str, object]:
    """Return Django's database settings for the URL; empty: the embedded SQLite in the data folder.

    :raises SettingError: neither `sqlite:///path` nor `postgresql://user:password@host:port/name`.
    """
    if not url or url.startswith("sqlite:///"):
        path = Path(unquote(url.removeprefix("sqlite:///"))) if url else data / "fairway.sqlite3"
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(path),
            "OPTIONS": {
                # IMMEDIATE: a writer queues at its start, it does not fail half-way ("database is locked");
                # FULL: what was acknowledged survives a power cut.
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536;"
                " PRAGMA mmap_size=268435456; PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=ON;",
            },
            "CONN_MAX_AGE": None,
        }
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise SettingError(
            "FAIRWAY_DATABASE_URL is neither sqlite:///path nor postgresql://user:password@host:port/name."
        )
    options: dict[str, object] = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", None) or parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": {"server_side_binding": True, **options},
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
    }


def _values(environ: Mapping[str, str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for variable, text in environ.items():
        if not variable.startswith(PREFIX):
            continue
        name = variable.removeprefix(PREFIX)
        if name in KNOWN:
            values[name] = text.strip()
        elif name.endswith("_FILE") and name.removesuffix("_FILE") in KNOWN:
            try:
                values[name.removesuffix("_FILE")] = Path(text).read_text(encoding="utf-8").strip()
            except OSError as cause:
                raise SettingError(
                    f"{variable} names {text}, which cannot be read: {cause.strerror}."
                ) from cause
        else:
            known = ", ".join(PREFIX + known for known in KNOWN)
            raise SettingError(
                f"{variable} is not a setting of Fairway; there are {known}, each also as …_FILE."
            )
    return values


def _truth(name: str, text: str) -> bool:
    if text not in {"0", "1"}:
        raise SettingError(f"{PREFIX}{name} is “{text}”; write 0 or 1.")
    return text == "1"


def _number(name: str, text: str, *, most: int = 64) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise SettingError(f"{PREFIX}{name} is “{text}”; write a number from 1 to {most}.")
    return int(text)


def _networks(name: str, text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as cause:
        raise SettingError(
            f"{PREFIX}{name} is “{text}”; write networks such as 10.20.0.0/16, separated by commas."
        ) from cause


def _kept_secret(data: Path) -> str:
    """Return the key of this installation, made on first use and readable by its owner alone."""
    path = data / "secret.key"
    data.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text(encoding="utf-8").strip()
