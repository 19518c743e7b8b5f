"""Kubernetes manifests: workloads, services, ingresses and namespaces, and how they stand to each other.

A service runs on the workloads that its selector picks; a workload connects to the services that its
settings name; an ingress depends on the services behind it; all are part of their namespace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
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
)
from fairway.exchange.reading.documents import Document

_WORKLOADS: Final = frozenset(
    {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod", "ReplicationController"}
)
_ENTITIES: Final = _WORKLOADS | {"Service", "Ingress", "Namespace"}


def accepts(document: Mapping[str, Any]) -> bool:
    return (
        isinstance(document.get("apiVersion"), str)
        and isinstance(document.get("kind"), str)
        and not text(document["apiVersion"]).startswith("backstage.io/")
        and ("metadata" in document or "spec" in document)
    )


@dataclass(slots=True)
class _Workload:
    key: str
    namespace: str
    labels: Mapping[str, Any]
    names: list[str]
    document: Document


@dataclass(slots=True)
class _Seen:
    """What has to be known of all documents before any two can be joined."""

    workloads: list[_Workload] = field(default_factory=list)
    services: dict[tuple[str, str], str] = field(default_factory=dict)
    selectors: list[tuple[str, str, Mapping[str, Any], Document]] = field(default_factory=list)
    backends: list[tuple[str, str, str, Document]] = field(default_factory=list)
    namespaces: dict[str, str] = field(default_factory=dict)
    members: list[tuple[str, str, Document]] = field(default_factory=list)


def read(documents: Iterator[Document]) -> Iterator[Item | Link | Fault | Note]:
    seen = _Seen()
    hosts_made: set[str] = set()
    for document in documents:
        manifest = mapping(document.value)
        kind, about = text(manifest.get("kind")), mapping(manifest.get("metadata"))
        name, namespace = text(about.get("name")), text(about.get("namespace"))
        if kind not in _ENTITIES:
            yield Note(document, f"{kind[:60]} {name[:60]} is passed over: it is no item of a catalogue.")
            continue
        if not key_of(name):
            yield Fault(document, f"The {kind} has no name; it needs metadata.name.")
            continue
        values = {
            "name": name if kind == "Namespace" or not namespace else f"{namespace}/{name}",
            "attributes.kind": kind,
            "attributes.namespace": namespace,
            **_labels(mapping(about.get("labels"))),
        }
        if kind == "Namespace":
            seen.namespaces[name] = key_of(name)
            yield Item(document, {"key": key_of(name), **values, "kind": "system"})
        elif kind == "Service":
            yield _service(document, seen, namespace, name, values)
        elif kind == "Ingress":
            yield _ingress(document, seen, namespace, name, values)
        else:
            yield from _workload(document, seen, namespace, name, values, hosts_made)
    yield from _links(seen)


def _labels(labels: Mapping[str, Any]) -> dict[str, str]:
    return {
        "attributes.version": text(labels.get("app.kubernetes.io/version")),
        "attributes.part_of": text(labels.get("app.kubernetes.io/part-of")),
    }


def _service(document: Document, seen: _Seen, namespace: str, name: str, values: dict[str, str]) -> Item:
    spec = mapping(mapping(document.value).get("spec"))
    key = key_of(namespace, f"{name}-service")
    seen.services[namespace, name] = key
    seen.members.append((key, namespace, document))
    selector = mapping(spec.get("selector"))
    if selector:
        seen.selectors.append((key, namespace, selector, document))
    outside = text(spec.get("externalName"))
    return Item(
        document,
        {
            "key": key,
            **values,
            "kind": "third-party" if outside else "component",
            "attributes.external_name": outside,
        },
    )


def _ingress(document: Document, seen: _Seen, namespace: str, name: str, values: dict[str, str]) -> Item:
    spec = mapping(mapping(document.value).get("spec"))
    key = key_of(namespace, f"{name}-ingress")
    seen.members.append((key, namespace, document))
    rules = [mapping(rule) for rule in spec.get("rules") or () if isinstance(spec.get("rules"), list)]
    paths = [
        mapping(path)
        for rule in rules
        for path in (mapping(rule.get("http")).get("paths") or ())
        if isinstance(path, Mapping)
    ]
    backends = [mapping(spec.get("defaultBackend")), *(mapping(path.get("backend")) for path in paths)]
    for backend in backends:
        service = text(mapping(backend.get("service")).get("name")) or text(backend.get("serviceName"))
        if service:
            seen.backends.append((key, namespace, service, document))
    named = sorted({text(rule.get("host")) for rule in rules} - {""})
    return Item(document, {"key": key, **values, "kind": "middleware", "attributes.hosts": " ".join(named)})


def _workload(
    document: Document, seen: _Seen, namespace: str, name: str, values: dict[str, str], made: set[str]
) -> Iterator[Item | Link]:
    manifest = mapping(document.value)
    spec = mapping(manifest.get("spec"))
    if manifest.get("kind") == "CronJob":
        spec = mapping(mapping(spec.get("jobTemplate")).get("spec"))
    pod, labels = spec, mapping(mapping(manifest.get("metadata")).get("labels"))
    if manifest.get("kind") != "Pod":
        template = mapping(spec.get("template"))
        pod, labels = mapping(template.get("spec")), mapping(mapping(template.get("metadata")).get("labels"))
    containers = [mapping(one) for one in _list(pod.get("containers"))]
    images = [text(one.get("image")) for one in containers]
    key = key_of(namespace, name)
    seen.members.append((key, namespace, document))
    found = [
        host
        for one in containers
        for value in (
            *(text(mapping(setting).get("value")) for setting in _list(one.get("env"))),
            *(text(part) for part in (*_list(one.get("args")), *_list(one.get("command")))),
        )
        for host in hosts(value)
    ]
    seen.workloads.append(_Workload(key, namespace, labels, list(dict.fromkeys(found)), document))
    yield Item(
        document,
        {
            "key": key,
            **values,
            "kind": kind_of(images[0]) if images else "component",
            "attributes.image": " ".join(filter(None, images)),
            "attributes.replicas": text(mapping(manifest.get("spec")).get("replicas")),
        },
    )
    node = text(pod.get("nodeName")) or text(mapping(pod.get("nodeSelector")).get("kubernetes.io/hostname"))
    if key_of(node):
        if node not in made:
            made.add(node)
            yield Item(document, {"key": key_of(node), "name": node, "kind": "host"})
        yield Link(document, key, key_of(node), "runs-on")


def _links(seen: _Seen) -> Iterator[Link]:
    for key, namespace, document in seen.members:
        if namespace in seen.namespaces:
            yield Link(document, key, seen.namespaces[namespace], "part-of")
    labelled: dict[tuple[str, str, str], list[_Workload]] = {}
    for workload in seen.workloads:
        for name, value in workload.labels.items():
            labelled.setdefault((workload.namespace, name, str(value)), []).append(workload)
    for key, namespace, selector, document in seen.selectors:
        first = next(iter(selector.items()))
        for workload in labelled.get((namespace, first[0], str(first[1])), ()):
            if all(workload.labels.get(name) == value for name, value in selector.items()):
                yield Link(document, key, workload.key, "runs-on")
    for key, namespace, service, document in seen.backends:
        if (namespace, service) in seen.services:
            yield Link(document, key, seen.services[namespace, service], "depends-on")
    for workload in seen.workloads:
        for host in workload.names:
            name, _, rest = host.partition(".")
            named = seen.services.get((rest.partition(".")[0] or workload.namespace, name))
            if named is not None:
                yield Link(workload.document, workload.key, named, "connects-to")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


ADAPTER: Final = Adapter(
    name="kubernetes",
    what="a file of Kubernetes manifests",
    part="a manifest of Kubernetes",
    sign="its documents have apiVersion, kind and metadata",
    accepts=accepts,
    read=read,
)
