"""What adapters give, and what they may use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fairway.exchange.reading.documents import Document

_NOT_IN_KEY: Final = re.compile(r"[^a-z0-9._-]+")
_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
_DATABASES: Final = (
    "postgres", "mysql", "mariadb", "mongo", "mssql", "oracle", "cockroach", "cassandra", "elasticsearch",
    "opensearch", "influxdb", "clickhouse", "timescale", "couchdb", "neo4j",
)  # fmt: skip
_MIDDLEWARE: Final = (
    "redis", "valkey", "memcached", "rabbitmq", "kafka", "nats", "zookeeper", "nginx", "haproxy", "traefik",
    "envoy", "activemq", "mosquitto", "pulsar", "varnish",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """An item by the fields of an import; those that are empty are left out."""

    document: Document
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Link:
    """A relation, by the keys of its ends; the same one may be given again."""

    document: Document
    source: str
    target: str
    kind: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A document that cannot be used; it counts as refused."""

    document: Document
    message: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something left out on purpose."""

    document: Document
    message: str


@dataclass(frozen=True, slots=True)
class Adapter:
    """Reads one sort of file.

    `what` names the file, `part` one document of it, and `sign` says by what it is known. `accepts` says
    whether a document is for it; `read` gets those that are.
    """

    name: str
    what: str
    part: str
    sign: str
    accepts: Callable[[Mapping[str, Any]], bool]
    read: Callable[[Iterator[Document]], Iterator[Item | Link | Fault | Note]]
    permission: str = field(default="catalog.import")


def key_of(*parts: str) -> str:
    """Return the key that names make; empty ones are left out."""
    return ".".join(filter(None, (_NOT_IN_KEY.sub("-", part.casefold()).strip("-._") for part in parts)))[
        :100
    ]


def mapping(value: Any) -> Mapping[str, Any]:
    """Return the value where it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def texts(value: Any) -> list[str]:
    """Return the texts of a list, or the one text; anything else stands for none."""
    if isinstance(value, list):
        return [one for one in value if isinstance(one, str) and one]
    return [value] if isinstance(value, str) and value else []


def text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def kind_of(image: str) -> str:
    """Return the kind of item that runs from an image: database, middleware or component."""
    name = image.rpartition("/")[2].partition("@")[0].partition(":")[0].lower()
    if any(word in name for word in _DATABASES):
        return "database"
    return "middleware" if any(word in name for word in _MIDDLEWARE) else "component"


def hosts(value: str) -> list[str]:
    """Return what may be names of hosts in a setting, such as the one of an address."""
    return _HOST.findall(value.lower()[:2_000])
