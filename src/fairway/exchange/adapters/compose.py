"""Docker compose files: services, what they depend on, their networks, volumes and images.

Source: https://github.com/compose-spec/compose-spec/blob/main/spec.md. The project becomes a system when the
file names it; keys of its parts begin with it.
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
    hosts,
    key_of,
    kind_of,
    mapping,
    text,
    texts,
)
from fairway.exchange.reading.documents import Document


def accepts(document: Mapping[str, Any]) -> bool:
    services = document.get("services")
    return (
        isinstance(services, Mapping)
        and "apiVersion" not in document
        and all(isinstance(one, Mapping) or one is None for one in services.values())
    )


def read(documents: Iterator[Document]) -> Iterator[Item | Link | Fault | Note]:
    for document in documents:
        yield from _project(document)


def _project(document: Document) -> Iterator[Item | Link | Fault | Note]:
    project = mapping(document.value)
    name = text(project.get("name"))
    services = mapping(project.get("services"))
    if key_of(name):
        yield Item(document, {"key": key_of(name), "name": name, "kind": "system"})
    for sort, kind in (("networks", "network"), ("volumes", "component")):
        for part, told in mapping(project.get(sort)).items():
            label = text(mapping(told).get("name")) or part
            values = {
                "key": _key(name, part, sort),
                "name": label,
                "kind": kind,
                "attributes.type": sort.removesuffix("s"),
            }
            yield Item(document, values)
            if key_of(name):
                yield Link(document, _key(name, part, sort), key_of(name), "part-of")
    for service, told in services.items():
        if not key_of(str(service)):
            yield Fault(document, f"“{str(service)[:60]}” makes no key; rename the service.")
            continue
        yield from _service(document, project, name, str(service), mapping(told))


def _service(
    document: Document, project: Mapping[str, Any], name: str, service: str, told: Mapping[str, Any]
) -> Iterator[Item | Link | Note]:
    key, services, image = _key(name, service), mapping(project.get("services")), text(told.get("image"))
    yield Item(
        document,
        {
            "key": key,
            "name": text(told.get("container_name")) or service,
            "kind": kind_of(image or service),
            "attributes.image": image,
            "attributes.ports": " ".join(texts(told.get("ports"))),
        },
    )
    if key_of(name):
        yield Link(document, key, key_of(name), "part-of")
    for other in _names(told.get("depends_on")):
        if other not in services:
            yield Note(document, f"{service} depends on “{other[:60]}”, which the file does not hold.")
        else:
            yield Link(document, key, _key(name, other), "depends-on")
    for sort, relation in (("networks", "connects-to"), ("volumes", "depends-on")):
        declared = mapping(project.get(sort))
        for part in _names(told.get(sort)):
            if part.partition(":")[0] in declared:
                yield Link(document, key, _key(name, part.partition(":")[0], sort), relation)
    named = [link.partition(":")[0] for link in _names(told.get("links"))]
    for value in _settings(told.get("environment")):
        named += hosts(value)
    for other in dict.fromkeys(named):
        if other in services and other != service:
            yield Link(document, key, _key(name, other), "connects-to")


def _key(project: str, part: str, sort: str = "") -> str:
    """Return the key of a service, or that of a network or volume, which may have a service's name."""
    return key_of(project, f"{part}-{sort.removesuffix('s')}" if sort else part)


def _names(value: Any) -> list[str]:
    """Return the names of a list or of a mapping; long entries of volumes name theirs as `source`."""
    if isinstance(value, Mapping):
        return [str(name) for name in value]
    if isinstance(value, list):
        return [text(mapping(one).get("source")) if isinstance(one, Mapping) else text(one) for one in value]
    return []


def _settings(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [text(one) for one in value.values()]
    return [one.partition("=")[2] for one in texts(value)]


ADAPTER: Final = Adapter(
    name="compose",
    what="a docker compose file",
    part="a compose project",
    sign="it has services at its top",
    accepts=accepts,
    read=read,
)
