"""The API's document as people read it: plain values for its pages, resource by resource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from fairway.accounts.queries import PERMISSIONS
from fairway.interfaces.contract import plain
from fairway.kernel.listing import OPERATORS

METHODS = ("get", "post", "put", "patch", "delete")
BEFORE = "/api/v1/"
COMMON = ("limit", "cursor", "sort", "fields", "q", "count", "format")
"""Parameters of every list: told once, above."""


@cache
def resources() -> dict[str, dict[str, Any]]:
    """Return every resource by name: what it is and how it is used."""
    found: dict[str, dict[str, Any]] = {}
    for path, item in plain()["paths"].items():
        name = path.removeprefix(BEFORE).partition("/")[0]
        entry = found.setdefault(name, {"name": name, "href": f"/api/{name}", "operations": []})
        for method in METHODS:
            if method in item:
                entry["operations"].append(_operation(path, method, item))
    for entry in found.values():
        first = entry["operations"][0]
        entry["text"] = first["about"] or first["text"]
        entry["methods"] = list(dict.fromkeys(one["method"] for one in entry["operations"]))
        entry["shapes"] = _shapes(entry["operations"])
    return dict(sorted(found.items()))


def _operation(path: str, method: str, item: Mapping[str, Any]) -> dict[str, Any]:
    told = item[method]
    permission = told.get("x-permission", "")
    parameters = [*item.get("parameters", ()), *told.get("parameters", ())]
    query = [one for one in parameters if one["in"] == "query"]
    names = {one["name"] for one in query}
    body = next(iter(told.get("requestBody", {}).get("content", {}).values()), None)
    summary = str(told.get("summary") or "").rstrip(".")
    return {
        "id": f"{method}-{path.removeprefix(BEFORE)}".translate(str.maketrans("/{}", "---")).strip("-"),
        "method": method.upper(),
        "path": path,
        "about": str(item.get("summary") or item.get("description") or "").strip(),
        "text": summary or str(told.get("description") or "").strip().rstrip("."),
        "permission": permission,
        "permission_text": PERMISSIONS.get(permission, ""),
        "is_list": set(COMMON) <= names,
        "filters": _filters(query) if set(COMMON) <= names else [],
        "parameters": [] if set(COMMON) <= names else [_parameter(one) for one in query],
        "body": _shape(body["schema"]) if body else None,
        "answers": [_answer(code, one) for code, one in told.get("responses", {}).items() if code < "300"],
        "media": sorted(
            {kind for one in told.get("responses", {}).values() for kind in one.get("content", {})}
        ),
        "curl": _curl(path, method, body),
        "refs": sorted(
            {*_refs(body or {}), *_refs({c: r for c, r in told["responses"].items() if c < "300"})}
        ),
    }


def _parameter(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": one["name"],
        "type": _kind(one["schema"]),
        "needed": one.get("required", False),
        "text": one["schema"].get("description", ""),
    }


def _filters(query: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the filters of a list by field, each with its operators."""
    found: dict[str, list[str]] = {}
    for one in query:
        if one["name"] not in COMMON:
            base, _, operator = one["name"].partition("__")
            found.setdefault(base, []).append(operator)
    return [
        {
            "name": name,
            "operators": [
                {"name": f"{name}__{operator}" if operator else name, "text": OPERATORS[operator]}
                for operator in operators
                if operator in OPERATORS
            ],
        }
        for name, operators in sorted(found.items())
    ]


def _answer(code: str, one: Mapping[str, Any]) -> dict[str, Any]:
    content = one.get("content", {}).get("application/json", {})
    return {
        "code": code,
        "type": _kind(content["schema"]) if "schema" in content else "",
        "headers": sorted(one.get("headers", {})),
    }


def _curl(path: str, method: str, body: Any) -> str:
    parts = [f"curl {'' if method == 'get' else f'-X {method.upper()} '}$FAIRWAY{path}"]
    if path != f"{BEFORE}oauth/token":
        parts.append('-H "Authorization: Bearer $TOKEN"')
    if method in {"put", "patch", "delete"}:
        parts.append("-H 'If-Match: \"3\"'")
    if body:
        parts.append("-H 'Content-Type: application/json' -d @body.json")
    return " \\\n  ".join(parts)


def _shape(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body with its fields."""
    known = _resolved(schema)
    return {"name": _kind(schema), "text": known.get("description", ""), "fields": _fields(known)}


def _fields(known: Mapping[str, Any]) -> list[dict[str, Any]]:
    needed = set(known.get("required", ()))
    return [
        {
            "name": name,
            "type": _kind(one),
            "needed": name in needed,
            "default": _default(one),
            "text": one.get("description", ""),
        }
        for name, one in known.get("properties", {}).items()
    ]


def _default(one: Mapping[str, Any]) -> str:
    value = one.get("default")
    return (
        ""
        if value is None or value in ("", [], {})
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
    )


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref", "")
    known: Mapping[str, Any] = (
        plain()["components"]["schemas"][reference.rpartition("/")[2]] if reference else schema
    )
    return known


def _kind(schema: Mapping[str, Any]) -> str:
    """Return a type in words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(str(one) or "“”" for one in schema["enum"])
    for name in ("anyOf", "oneOf"):
        if name in schema:
            return " or ".join(dict.fromkeys(_kind(one) for one in schema[name]))
    kind = schema.get("type")
    if kind == "array":
        items = schema.get("items")
        return f"list of {_kind(items)}" if isinstance(items, Mapping) else "list"
    return {"null": "null", "object": "object"}.get(str(kind), str(kind or "anything"))


def _refs(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield str(value["$ref"]).rpartition("/")[2]
        for one in value.values():
            yield from _refs(one)
    elif isinstance(value, list):
        for one in value:
            yield from _refs(one)


def _shapes(operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the shapes that a resource's operations name, and those that these name."""
    schemas, found = plain()["components"]["schemas"], list[str]()
    left = [name for one in operations for name in one["refs"]]
    while left:
        name = left.pop(0)
        if name not in found and name in schemas and name != "ProblemView":
            found.append(name)
            left += _refs(schemas[name])
    return [
        {"name": name, "text": schemas[name].get("description", ""), "fields": _fields(schemas[name])}
        for name in sorted(found)
        if "properties" in schemas[name]
    ]


def search(text: str) -> list[dict[str, Any]]:
    """Return the resources in whose name or addresses the text occurs."""
    wanted = text.strip().lower()
    return [
        entry
        for entry in resources().values()
        if wanted in entry["name"] or any(wanted in one["path"] for one in entry["operations"])
    ]
