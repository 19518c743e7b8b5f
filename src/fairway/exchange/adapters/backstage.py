"""Backstage's software catalogue: the entities of `catalog-info.yaml`.

Source: https://backstage.io/docs/features/software-catalog/descriptor-format. A Domain becomes a business
service, a System a system, a Component, an API and a Resource a component, a database or middleware.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fairway.exchange.adapters.found import (
    Adapter,
    Fault,
    Item,
    Link,
    Note,
    key_of,
    kind_of,
    mapping,
    text,
    texts,
)
from fairway.exchange.reading.documents import Document

_KINDS: Final = {
    "component": "component",
    "api": "component",
    "resource": "component",
    "system": "system",
    "domain": "business-service",
}
_SUFFIXES: Final = {"api": "-api", "system": "-system", "domain": "-domain"}
_LEFT_OUT: Final = frozenset({"group", "user", "location", "template"})
_RESOURCES: Final = {
    "database": "database", "s3-bucket": "component", "queue": "middleware", "topic": "middleware",
    "cache": "middleware", "broker": "middleware", "host": "host", "server": "host", "vm": "host",
    "cluster": "host", "network": "network",
}  # fmt: skip
_POINTS: Final = (  # field, kind of what it names, kind of relation, whether it points the other way
    ("dependsOn", "component", "depends-on", False),
    ("dependencyOf", "component", "depends-on", True),
    ("consumesApis", "api", "depends-on", False),
    ("providesApis", "api", "depends-on", True),
    ("subcomponentOf", "component", "part-of", False),
    ("system", "system", "part-of", False),
    ("domain", "domain", "part-of", False),
    ("subdomainOf", "domain", "part-of", False),
)


def accepts(document: Mapping[str, Any]) -> bool:
    return text(document.get("apiVersion")).startswith("backstage.io/")


def read(documents: Iterator[Document]) -> Iterator[Item | Link | Fault | Note]:
    for document in documents:
        entity = mapping(document.value)
        kind, about, spec = (
            text(entity.get("kind")),
            mapping(entity.get("metadata")),
            mapping(entity.get("spec")),
        )
        name = text(about.get("name"))
        if kind.lower() in _LEFT_OUT:
            yield Note(document, f"{kind} {name[:60]} is passed over: it is no item of a catalogue.")
        elif kind.lower() not in _KINDS:
            yield Fault(document, f"“{kind[:40]}” is no kind of entity that can be imported.")
        elif not key_of(name):
            yield Fault(document, f"The {kind} has no name; it needs metadata.name.")
        else:
            yield from _entity(document, kind.lower(), about, spec)


def _entity(
    document: Document, kind: str, about: Mapping[str, Any], spec: Mapping[str, Any]
) -> Iterator[Item | Link | Fault]:
    name, namespace = text(about.get("name")), text(about.get("namespace")) or "default"
    key, sort, owner = _key(kind, namespace, name), text(spec.get("type")), text(spec.get("owner"))
    owner_kind, _, owner_name = _reference(owner, "group", namespace)
    made = _RESOURCES.get(sort.lower(), kind_of(sort)) if kind == "resource" else _KINDS[kind]
    yield Item(
        document,
        {
            "key": key,
            "name": text(about.get("title")) or name,
            "kind": made,
            "description": text(about.get("description")),
            "external_id": f"{kind}:{namespace}/{name}",
            "owner_team": key_of(owner_name) if owner and owner_kind == "group" else "",
            "attributes.owner": owner,
            "attributes.type": sort or kind,
            "attributes.lifecycle": text(spec.get("lifecycle")),
            "attributes.tags": " ".join(texts(about.get("tags"))),
        },
    )
    for field, usual, relation, turned in _POINTS:
        for reference in texts(spec.get(field)):
            other = _key(*_reference(reference, usual, namespace))
            if not other:
                yield Fault(document, f"{field} names “{reference[:60]}”, which is no reference.")
            elif turned:
                yield Link(document, other, key, relation)
            else:
                yield Link(document, key, other, relation)


def _reference(reference: str, kind: str, namespace: str) -> tuple[str, str, str]:
    """Return kind, namespace and name of `[kind:][namespace/]name`."""
    head, colon, rest = reference.partition(":")
    kind, rest = (head.strip().lower(), rest) if colon else (kind, reference)
    place, slash, name = rest.partition("/")
    return (kind, place.strip(), name.strip()) if slash else (kind, namespace, rest.strip())


def _key(kind: str, namespace: str, name: str) -> str:
    """Return the key of an entity; entities of different kinds may have one name."""
    suffix = _SUFFIXES.get(kind, "")
    key = key_of("" if namespace == "default" else namespace, name)
    return key if not key or key.endswith(suffix) else f"{key[: 100 - len(suffix)]}{suffix}"


ADAPTER: Final = Adapter(
    name="backstage",
    what="a Backstage catalogue (catalog-info.yaml)",
    part="an entity of Backstage",
    sign="its documents begin with apiVersion: backstage.io/…",
    accepts=accepts,
    read=read,
)
