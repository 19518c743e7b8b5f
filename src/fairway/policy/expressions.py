"""The rule language: CEL expressions, compiled once, with an end to what each may cost.

Source: the Common Expression Language, https://cel.dev. An expression has no access to anything but the
values that it is given, and no way to loop except over a list. Beside CEL's own functions there are those of
its strings extension that cannot make texts grow without end: `trim`, `lowerAscii`, `upperAscii`, `split`,
`join`, `replace`, `substring`, `indexOf`.

What bounds it: its own length and depth; the length of what it is given; the library's budget of steps in
loops; and, since the library bounds no memory, texts cannot be put together or taken apart within a loop.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from cel_expr_python import cel  # type: ignore[import-untyped]  # it brings types, and does not say so

TEXT_LIMIT: Final = 2_000
"""Bytes of an expression."""
INPUT_LIMIT: Final = 10_000
"""Characters of all the texts given to an expression."""
OUTPUT_LIMIT: Final = 100_000
"""Characters of a text that an expression makes."""

SIZE_LIMIT: Final = 10_000
"""Values in a list or mapping that an expression makes."""

TEXT, NUMBER, FLAG, INSTANT, ANY = "string", "int", "bool", "timestamp", "dyn"
TEXTS: Final = "map<string, string>"
"""Types of variables; this one is a map of texts by name."""

_LITERAL: Final = re.compile(r"""r?("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""", re.DOTALL)
_LOOP: Final = re.compile(r"\.\s*(?:all|exists|exists_one|existsOne|map|filter|transform\w+)\s*\(")
_GROWING: Final = re.compile(r"\+|\.\s*(?:replace|join|split)\s*\(")
_WHERE: Final = re.compile(r"<input>:(\d+):(\d+): (.*)")


class Unusable(ValueError):
    """The text is no expression that can be used; says why, and where."""


class Failed(ValueError):
    """The expression has no value for what it was given; says why."""


class Expression:
    """An expression over named values, ready to be asked; the same one may be asked by many threads.

    :raises Unusable: the text is too long, is no CEL, or names what there is not.
    """

    def __init__(self, text: str, variables: Mapping[str, str]) -> None:
        self.text = text
        _check(text)
        try:
            self._compiled = _environment(tuple(sorted(variables.items()))).compile(text)
        except RuntimeError as cause:
            raise Unusable(_told(str(cause))) from cause

    @property
    def gives(self) -> str:
        """The type of its values, `dyn` where that is known only when it is asked."""
        return str(self._compiled.return_type()).lower()

    def value(self, given: Mapping[str, Any]) -> Any:
        """Return the value as plain Python: text, number, truth, instant, None, list or mapping.

        :raises Failed: there is none.
        """
        if _length(given) > INPUT_LIMIT:
            raise Failed(f"an expression reads at most {INPUT_LIMIT:,} characters, and here stand more")
        try:
            found = self._compiled.eval(data=given)
            kind = found.type()
            if kind in (cel.Type.ERROR, cel.Type.UNKNOWN):
                raise Failed(_plain(str(found.plain_value())))
            value = _converted(found, [SIZE_LIMIT])
        except RuntimeError as cause:
            raise Failed(_plain(str(cause))) from cause
        if isinstance(value, str) and len(value) > OUTPUT_LIMIT:
            raise Failed(f"its value is longer than {OUTPUT_LIMIT:,} characters")
        return value

    def holds(self, given: Mapping[str, Any]) -> bool:
        """Return the value of a condition.

        :raises Failed: it has none, or one that is neither true nor false.
        """
        value = self.value(given)
        if not isinstance(value, bool):
            raise Failed(f"it gives {_kind(value)}, and true or false is needed")
        return value


def _check(text: str) -> None:
    if not text.strip():
        raise Unusable("The expression is empty.")
    if len(text.encode("utf-8", "replace")) > TEXT_LIMIT:
        raise Unusable(f"The expression is longer than {TEXT_LIMIT:,} bytes; make it shorter.")
    if "\0" in text:
        raise Unusable("The expression holds a NUL character.")
    if any(_GROWING.search(body) for body in _turns(_LITERAL.sub('""', text))):
        raise Unusable(
            "What a loop (all, exists, map, filter) does each turn cannot use +, replace, join or"
            " split: texts"
            " would grow with each turn."
        )


def _turns(bare: str) -> Iterator[str]:
    """Yield what stands within the parentheses of each loop."""
    for loop in _LOOP.finditer(bare):
        depth, end = 1, loop.end()
        while depth and end < len(bare):
            depth += {"(": 1, ")": -1}.get(bare[end], 0)
            end += 1
        yield bare[loop.end() : end]


def _converted(found: Any, left: list[int]) -> Any:
    """Return a value as plain Python, lists and mappings of a bounded size.

    :raises Failed: it is larger.
    """
    value = found.value()
    if isinstance(value, list | dict):
        left[0] -= len(value)
        if left[0] < 0:
            raise Failed(f"it gives more than {SIZE_LIMIT:,} values")
        if isinstance(value, list):
            return [_converted(one, left) for one in value]
        return {key: _converted(one, left) for key, one in value.items()}
    return found.plain_value()


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return sum(map(_length, value.values()))
    return sum(map(_length, value)) if isinstance(value, list | tuple) else 0


def _bounded(text: str) -> str:
    if len(text) > INPUT_LIMIT:
        raise ValueError(f"the text grows beyond {INPUT_LIMIT:,} characters")
    return text


def _replace(text: str, old: str, new: str) -> str:
    if len(text) + text.count(old) * max(len(new) - len(old), 0) > INPUT_LIMIT:
        raise ValueError(f"the text grows beyond {INPUT_LIMIT:,} characters")
    return text.replace(old, new)


def _split(text: str, separator: str) -> list[str]:
    return text.split(separator) if separator else list(text)


def _join(texts: list[str], separator: str = "") -> str:
    if sum(map(len, texts)) + len(texts) * len(separator) > INPUT_LIMIT:
        raise ValueError(f"the text grows beyond {INPUT_LIMIT:,} characters")
    return separator.join(texts)


def _substring(text: str, start: int, end: int | None = None) -> str:
    if not 0 <= start <= len(text) or (end is not None and not start <= end <= len(text)):
        raise ValueError(f"the text has {len(text)} characters, and there is no part {start} to {end} in it")
    return text[start:end]


def _method(name: str, *kinds: tuple[Any, list[Any], Callable[..., Any]]) -> Any:
    overloads = [
        cel.Overload(f"fairway_{name}_{len(takes)}", gives, takes, True, body) for gives, takes, body in kinds
    ]
    return cel.FunctionDecl(name, overloads)


_STRING, _INT, _LIST = cel.Type.STRING, cel.Type.INT, cel.Type.List(cel.Type.STRING)
_FUNCTIONS: Final = cel.CelExtension(
    "fairway",
    [
        _method("trim", (_STRING, [_STRING], lambda text: text.strip())),
        _method("lowerAscii", (_STRING, [_STRING], lambda text: _bounded(text.lower()))),
        _method("upperAscii", (_STRING, [_STRING], lambda text: _bounded(text.upper()))),
        _method("split", (_LIST, [_STRING, _STRING], _split)),
        _method("join", (_STRING, [_LIST], _join), (_STRING, [_LIST, _STRING], _join)),
        _method("replace", (_STRING, [_STRING, _STRING, _STRING], _replace)),
        _method("indexOf", (_INT, [_STRING, _STRING], lambda text, part: text.find(part))),
        _method(
            "substring",
            (_STRING, [_STRING, _INT], _substring),
            (_STRING, [_STRING, _INT, _INT], _substring),
        ),
    ],
)


@lru_cache(maxsize=64)
def _environment(variables: tuple[tuple[str, str], ...]) -> Any:
    types = {name: cel.Type(kind) for name, kind in variables}
    return cel.NewEnv(variables=types, extensions=[_FUNCTIONS])


def _told(message: str) -> str:
    """Say what the compiler found wrong, in one line."""
    if "recursion" in message:
        return "The expression is nested too deeply."
    match = _WHERE.search(message)
    if match is None:
        return f"The expression cannot be read: {_plain(message)}."
    what = match[3].strip().removesuffix("[INVALID_ARGUMENT]").strip().rstrip(".")
    what = what.replace(" (in container '')", "")
    if what.startswith("Syntax error: ") and ", expecting" not in what:
        what = what.partition(" expecting ")[0]
    return f"The expression is wrong at line {match[1]}, column {match[2]}: {what}."


def _plain(message: str) -> str:
    """Return the library's message without its codes."""
    text = message.partition("\n")[0].rpartition(" [")[0] or message.partition("\n")[0]
    head, colon, rest = text.partition(": ")
    text = rest if colon and head.isupper() else text
    if "Key not found" in text:
        return "there is no column " + text.rpartition(": ")[2].strip()
    if "Iteration budget" in text:
        return "it takes too many steps"
    return text[:200]


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a value of type {type(value).__name__}"
