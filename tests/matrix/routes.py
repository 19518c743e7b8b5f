"""What can be asked from outside: the operations of the API's document, the routes of pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver

API = "api/v1/"
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """One method of one path.

    `query`, `fields`: what it takes beside the path. `told`: the names in its answer.
    """

    method: str
    path: str
    permission: str | None
    query: tuple[str, ...]
    fields: Mapping[str, Any]
    has_body: bool
    told: frozenset[str]

    @property
    def name(self) -> str:
        return f"{self.method.upper()} {self.path.removeprefix(f'/{API}')}"

    @property
    def unsafe(self) -> bool:
        return self.method != "get"

    @property
    def parameters(self) -> list[str]:
        return [part.partition("}")[0] for part in self.path.split("{")[1:]]


def operations(document: Mapping[str, Any]) -> dict[str, Operation]:
    """Return every operation of an OpenAPI document by its name, such as `PATCH items/{key}`."""
    found = {}
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                one = _operation(document, path, method, item)
                found[one.name] = one
    return found


def _operation(document: Mapping[str, Any], path: str, method: str, item: Mapping[str, Any]) -> Operation:
    told = item[method]
    parameters = [*item.get("parameters", ()), *told.get("parameters", ())]
    contents = told.get("requestBody", {}).get("content", {}).values()
    fields: dict[str, Any] = {}
    for content in contents:
        fields |= _properties(document, content["schema"])
    answer: dict[str, Any] = {}
    for code, response in told.get("responses", {}).items():
        if code.startswith("2"):
            for content in response.get("content", {}).values():
                answer |= _properties(document, content["schema"])
    return Operation(
        method,
        path,
        told.get("x-permission"),
        tuple(one["name"] for one in parameters if one["in"] == "query"),
        fields,
        bool(contents),
        frozenset(answer),
    )


def _properties(document: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        here: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            here = here[step]
        return _properties(document, here)
    found = dict(schema.get("properties", {}))
    for name in ("anyOf", "oneOf", "allOf"):
        for one in schema.get(name, ()):
            found |= _properties(document, one)
    return found


def routes(patterns: Iterable[URLPattern | URLResolver], before: str = "") -> Iterator[tuple[str, bool]]:
    """Yield every route and whether it is a page: one that sends strangers to the sign-in page."""
    for pattern in patterns:
        here = before + str(pattern.pattern).lstrip("^").removesuffix(r"\Z")
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, here)
        else:
            yield here, bool(getattr(pattern.callback, "is_page", False))


def pages(patterns: Iterable[URLPattern | URLResolver]) -> dict[str, bool]:
    """Return the routes outside the API, and whether each sends strangers to the sign-in page."""
    return {route: guarded for route, guarded in routes(patterns) if not route.startswith(API)}


def undocumented(
    patterns: Iterable[URLPattern | URLResolver], document: Mapping[str, Any], known: Iterable[str]
) -> list[str]:
    """Return the routes of the API that its document does not tell, but for those known."""
    told = {path.strip("/") for path in document["paths"]}
    plain = (route for route, _ in routes(patterns) if route.startswith(API))
    return [route for route in plain if _braced(route) not in told and route not in set(known)]


def _braced(route: str) -> str:
    parts = route.split("/")
    return "/".join(
        "{" + part.strip("<>").rpartition(":")[2] + "}" if part.startswith("<") else part for part in parts
    )


def gaps(found: Iterable[str], table: Iterable[str], *, where: str) -> list[str]:
    """Return what has to be done so that a table holds exactly what was found."""
    there, told = set(found), set(table)
    return [
        *(
            f"add “{name}” to {where}: who may, an example of it, a valid body"
            for name in sorted(there - told)
        ),
        *(f"take “{name}” out of {where}: there is no such route any more" for name in sorted(told - there)),
    ]
