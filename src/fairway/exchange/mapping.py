"""Mapping files: which column of a table becomes which field, and how; declarative; pure.

A mapping is YAML of a closed vocabulary (docs/import.md), with expressions of the rule language. All its
values are read as text, so that `no` stays
`no`; anchors, aliases and tags are refused, as are files that are too large, too deep or name a key twice.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, cast

import yaml

from fairway.exchange.fields import ISO, Fault, Field, Value, instant, quoted, zone_name
from fairway.exchange.reading import FORMATS, Wrong, check_delimiter, check_encoding
from fairway.kernel.errors import FieldError, Invalid
from fairway.policy.expressions import TEXTS, Expression, Failed, Unusable

SIZE_LIMIT: Final = 64_000
"""Bytes a mapping file may have."""
DEPTH_LIMIT: Final = 6
REPEATS: Final = ("refused", "same", "first")
MALFORMED: Final = "exchange.mapping"

_TOP: Final = ("as", "format", "encoding", "delimiter", "sheet", "header", "zone", "repeats", "fields")
_SOURCES: Final = ("column", "value", "template", "expr")
_STEPS: Final = ("map", "otherwise", "default", "lower", "slug", "split", "time", "zone", "skip_when_empty")
_RULE: Final = (*_SOURCES, *_STEPS)
_DIRECTIVE: Final = re.compile(r"%(.?)")
_DIRECTIVES: Final = frozenset("YymdbBHIMSfpzjaA%")
_DAY: Final = (frozenset("Yy"), frozenset("mbBj"), frozenset("dj"))
_PART: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_NAMED: Final = re.compile(
    r"""(has\(\s*)?\brow(?:\.([A-Za-z_]\w*)\b(?!\s*\()|\["([^"\\]+)"\]|\['([^'\\]+)'\])"""
)
_NOT_IN_KEY: Final = re.compile(r"[^a-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Rule:
    """How one field is made: a source (`parts` or `expression`), then the steps in a fixed order.

    `parts` alternates literal text and column names, beginning with text; a constant has text alone.
    `needs` are the columns that the expression names for certain.
    The order of the steps: trim, default, map, lower, slug, time, split.
    """

    field: str
    parts: tuple[str, ...]
    words: Mapping[str, str] | None = None
    otherwise: str | None = None
    default: str = ""
    lower: bool = False
    slug: bool = False
    split: str | None = None
    time: str | None = None
    zone: str | None = None
    skip_when_empty: bool = False
    expression: Expression | None = None
    needs: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return self.parts[1::2] or self.needs

    @property
    def place(self) -> str:
        """The column to point at when the value is wrong; empty where several make it or none."""
        return self.columns[0] if len(self.columns) == 1 else ""


@dataclass(frozen=True, slots=True)
class MapFile:
    """A mapping as it was written, checked against the fields of its kind but not yet against a table.

    What says how to read the file is None where the mapping leaves it to whoever imports. `repeats` says what
    becomes of a row with the key of an earlier one: refused; passed over if it gives the same record; or
    passed over in any case, the first one standing.
    """

    rules: tuple[Rule, ...]
    encoding: str | None = None
    delimiter: str | None = None
    repeats: str = "refused"
    form: str | None = None
    sheet: str | None = None
    header: int | None = None


@dataclass(frozen=True, slots=True)
class CellFault:
    """What is wrong with one cell: the field it was to become, and the column it stands in."""

    field: str
    column: str
    message: str


@dataclass(slots=True)
class Mapped:
    """One row in the words of the product.

    `faults` is empty where it can be used. `skipped`: the mapping leaves it out.
    """

    values: dict[str, Value] = field(default_factory=dict)
    faults: list[CellFault] = field(default_factory=list)
    skipped: bool = False


def parse(text: str | bytes, *, kind: str, fields: Mapping[str, Field]) -> MapFile:
    """Read a mapping file for records of a kind.

    `fields` are those of the kind by name; a name that ends with `.*` stands for any below it.

    :raises Invalid: not a mapping in the closed vocabulary; says which line, and what would be right.
    """
    node = _compose(text)
    top = _mapping(node, _TOP, "the mapping")
    stated = _text(top["as"]) if "as" in top else kind
    if stated != kind:
        raise _wrong(
            top["as"], f"This mapping makes {stated[:40]}, and {kind} are imported; name the other mapping."
        )
    if "fields" not in top:
        raise _wrong(node, "The mapping has no fields; write fields: and below it one line per field.")
    zone = _zone(top["zone"]) if "zone" in top else None
    entries = _mapping(top["fields"], None, "fields")
    if not entries:
        raise _wrong(top["fields"], "The mapping has no fields; write one line per field below fields:.")
    rules = []
    for name, entry in entries.items():
        f = _field(fields, name)
        if f is None:
            known = sorted(fields)
            raise _wrong(
                entry,
                f"{kind.capitalize()} have no field “{name[:60]}”{_near(name, known)}; they have"
                f" {', '.join(known)}.",
            )
        rules.append(_rule(name, entry, zone))
        if rules[-1].split and not (f.many or "." in name):
            raise _wrong(entry, f"split makes several values, and the field {name} takes one.")
        if rules[-1].time and f.read is not instant:
            raise _wrong(entry, f"time makes an instant, and the field {name} is none.")
    given = {rule.field for rule in rules}
    missing = [name for name, f in fields.items() if f.required and name not in given]
    if missing:
        raise _wrong(
            top["fields"], f"The mapping does not say how to make {', '.join(missing)}; {kind} need it."
        )
    return MapFile(
        tuple(rules),
        encoding=_checked(top["encoding"], check_encoding) if "encoding" in top else None,
        delimiter=_checked(top["delimiter"], check_delimiter, strip=False) if "delimiter" in top else None,
        repeats=_choice(top["repeats"], REPEATS) if "repeats" in top else "refused",
        form=_choice(top["format"], FORMATS) if "format" in top else None,
        sheet=_text(top["sheet"]) if "sheet" in top else None,
        header=_row(top["header"]) if "header" in top else None,
    )


def plain(header: Sequence[str], *, kind: str, fields: Mapping[str, Field]) -> MapFile:
    """Make the mapping of a table whose columns carry the names of the fields.

    :raises Invalid: a column is no field, or one that is needed is missing.
    """
    errors = [
        FieldError(name, f"{kind.capitalize()} have no field “{name[:60]}”{_near(name, sorted(fields))}.")
        for name in header
        if _field(fields, name) is None
    ]
    missing = [name for name, f in fields.items() if f.required and name not in header]
    errors += [FieldError(name, f"The column “{name}” is missing; {kind} need it.") for name in missing]
    if errors:
        hint = f" Without a mapping the columns carry the names of the fields: {', '.join(sorted(fields))}."
        raise Invalid(" ".join(e.message for e in errors[:10]) + hint, code=MALFORMED, errors=errors[:100])
    return MapFile(tuple(Rule(name, ("", name, "")) for name in header))


class Bound:
    """A mapping laid onto the columns of a table; turns rows into values.

    :raises Invalid: the table lacks a column that the mapping names.
    """

    def __init__(
        self, mapping: MapFile, header: Sequence[str], fields: Mapping[str, Field], *, typed: bool = False
    ) -> None:
        index = {name: position for position, name in enumerate(header)}
        errors = [
            FieldError(rule.field, f"The file has no column “{name[:60]}”{_near(name, list(header))}.")
            for rule in mapping.rules
            for name in rule.columns
            if name not in index
        ]
        if errors:
            columns = ", ".join(f"“{name[:60]}”" for name in header[:50])
            hint = f" Its columns are {columns}."
            if len(header) == 1 and (other := next((d for d in ";\t|" if d in header[0]), "")):
                name = "tab" if other == "\t" else other
                hint += f" Its cells seem to be separated by {name}: say so by delimiter."
            raise Invalid(" ".join(e.message for e in errors[:10]) + hint, code=MALFORMED, errors=errors)
        self.mapping = mapping
        self._makers = [_Maker(rule, index, _needed(fields, rule.field), typed) for rule in mapping.rules]

    def column(self, name: str) -> str:
        """Return the column that a field (or the part of one) is made from, or nothing."""
        for rule in self.mapping.rules:
            if rule.field == name or name.startswith((f"{rule.field}.", f"{rule.field}[")):
                return rule.place
        return ""

    def read(self, cells: Sequence[str]) -> Mapped:
        """Turn the cells of a row into values by field; a field without a value is left out."""
        row = Mapped()
        for maker in self._makers:
            try:
                value = maker.make(cells)
            except Fault as fault:
                row.faults.append(CellFault(maker.rule.field, maker.rule.place, fault.message))
                continue
            if value is not None:
                row.values[maker.rule.field] = value
            elif maker.rule.skip_when_empty:
                row.skipped = True
            elif maker.field.required:
                message = (
                    "The cell is empty; a value is needed."
                    if maker.rule.place
                    else "There is no value; one is needed."
                )
                row.faults.append(CellFault(maker.rule.field, maker.rule.place, message))
        return row


class _Maker:
    """Makes one field of a row; `typed`: dates of the file are in ISO form, whatever the rule says."""

    def __init__(self, rule: Rule, index: Mapping[str, int], field: Field, typed: bool) -> None:
        self.rule, self.field, self._typed = rule, field, typed
        self._texts = rule.parts[::2]
        self._cells = tuple(index[name] for name in rule.parts[1::2])
        self._column = self._cells[0] if self._texts == ("", "") else None
        self._given: tuple[tuple[str, int], ...] = ()
        if rule.expression is not None:
            text = rule.expression.text
            self._given = tuple((name, place) for name, place in index.items() if name in text)

    def make(self, cells: Sequence[str]) -> Value | None:
        rule = self.rule
        if rule.expression is not None:
            text = self._asked(rule.expression, cells)
            if isinstance(text, list):
                return self._several(text)
            text = text or rule.default
        else:
            text = self._source(cells) or rule.default
        if not text:
            return None
        if rule.words is not None:
            text = self._translated(text, rule.words)
        if rule.lower:
            text = text.lower()
        if rule.time is not None:
            return self._instant(text, rule.time)
        if rule.split is None and not self.field.many:
            return self.field.read(slug(text) if rule.slug else text, rule.zone)
        return self._several([part.strip() for part in text.split(rule.split or ";")])

    def _several(self, parts: Sequence[str]) -> Value | None:
        rule = self.rule
        if not (self.field.many or "." in rule.field):
            raise Fault(f"The expression gives {len(parts)} values, and the field {rule.field} takes one.")
        values = [self.field.read(slug(part) if rule.slug else part, rule.zone) for part in parts if part]
        return cast("Value | None", values or None)

    def _instant(self, text: str, form: str) -> Value:
        if self._typed and form != ISO:
            try:
                return instant(text, self.rule.zone)
            except Fault:
                pass  # it was typed as text, so that the form holds
        return instant(text, self.rule.zone, form)

    def _asked(self, expression: Expression, cells: Sequence[str]) -> str | list[str]:
        """Return what an expression gives for a row, as text."""
        row = {name: cells[place].strip() for name, place in self._given}
        for name, place in self._given:
            if isinstance(cells[place], Wrong) and name in self.rule.needs:
                raise Fault(str(cells[place]))
        try:
            value = expression.value({"row": row})
        except Failed as failed:
            raise Fault(f"The expression has no value here: {failed}.") from failed
        if isinstance(value, list):
            return [_as_text(one) for one in value]
        return _as_text(value)

    def _source(self, cells: Sequence[str]) -> str:
        if self._column is not None:
            cell = cells[self._column]
            if isinstance(cell, Wrong):
                raise Fault(str(cell))
            return cell.strip()
        if not self._cells:
            return self._texts[0]
        for place in self._cells:
            if isinstance(cells[place], Wrong):
                raise Fault(str(cells[place]))
        found = [cells[i].strip() for i in self._cells]
        if not any(found):
            return ""
        return "".join(t + c for t, c in zip(self._texts, (*found, ""), strict=True)).strip()

    def _translated(self, text: str, words: Mapping[str, str]) -> str:
        answer = words.get(text, self.rule.otherwise)
        if answer is None:
            known = ", ".join(f"“{word}”" for word in list(words)[:20])
            raise Fault(f"{quoted(text)} is not among the words that the mapping knows: {known}.")
        return answer


def _as_text(value: Any) -> str:
    """Return what an expression gave as the text of a cell.

    :raises Fault: it is no plain value.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str | int | float):
        return str(value).strip()
    raise Fault("The expression gives no text, number, truth or time here, nor a list of them.")


def slug(text: str) -> str:
    """Make a key: lower case, each run of characters that a key cannot hold becomes one dash.

    Dashes, dots and underscores stay as they are, so that names that differ in them keep different keys.

    :raises Fault: nothing is left.
    """
    key = _NOT_IN_KEY.sub("-", text.casefold()).strip("-._")
    if not key:
        raise Fault(f"{quoted(text)} holds no letter a-z and no digit, so it makes no key.")
    return key[:100].rstrip("-._")


def _rule(name: str, node: yaml.Node, zone: str | None) -> Rule:
    if isinstance(node, yaml.ScalarNode):
        column = node.value.strip()
        if not column:
            raise _wrong(node, f"The field {name} names no column.")
        return Rule(name, ("", column, ""), zone=zone)
    given = _mapping(node, _RULE, f"the field {name}")
    sources = [key for key in _SOURCES if key in given]
    if len(sources) != 1:
        raise _wrong(
            node,
            f"The field {name} needs one of column, value, template and expr; it has"
            f" {' and '.join(sources) or 'none'}.",
        )
    if sources == ["expr"]:
        rule = _asking(name, given["expr"], zone)
    else:
        rule = Rule(name, _parts(sources[0], given[sources[0]]), zone=zone)
    if "map" in given:
        words = {word: _text(n) for word, n in _mapping(given["map"], None, "map").items()}
        rule = replace(rule, words=words)
    if "otherwise" in given:
        if rule.words is None:
            raise _wrong(given["otherwise"], f"The field {name} has otherwise without map.")
        rule = replace(rule, otherwise=_text(given["otherwise"]))
    if "split" in given:
        separator = _text(given["split"], strip=False)
        if not 1 <= len(separator) <= 5:
            raise _wrong(given["split"], "split takes the text between values, one to five characters.")
        rule = replace(rule, split=separator)
    if "time" in given:
        rule = replace(rule, time=_form(given["time"]))
    if "zone" in given:
        rule = replace(rule, zone=_zone(given["zone"]))
    rule = replace(
        rule,
        default=_text(given["default"]) if "default" in given else "",
        lower="lower" in given and _switch(given["lower"]),
        slug="slug" in given and _switch(given["slug"]),
        skip_when_empty="skip_when_empty" in given and _switch(given["skip_when_empty"]),
    )
    if rule.time and (rule.split or rule.slug):
        other = "split" if rule.split else "slug"
        raise _wrong(node, f"The field {name} has time and {other}; they exclude each other.")
    return rule


def _asking(name: str, node: yaml.Node, zone: str | None) -> Rule:
    text = _text(node)
    try:
        expression = Expression(text, {"row": TEXTS})
    except Unusable as cause:
        raise _wrong(node, f"The field {name}: {cause}") from None
    found = [(match[1], match[2] or match[3] or match[4]) for match in _NAMED.finditer(text)]
    optional = {column for has, column in found if has}
    return Rule(
        name,
        ("",),
        zone=zone,
        expression=expression,
        needs=tuple(dict.fromkeys(column for _, column in found if column not in optional)),
    )


def _row(node: yaml.Node) -> int:
    text = _text(node)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= 1_048_576:
        raise _wrong(node, "header takes the number of the row that names the columns, from 1.")
    return int(text)


def _parts(source: str, node: yaml.Node) -> tuple[str, ...]:
    text = _text(node)
    if source == "value":
        return (text,)
    if source == "column":
        if not text:
            raise _wrong(node, "column is empty; name a column of the file.")
        return ("", text, "")
    parts, position = [""], 0
    for match in _PART.finditer(text):
        parts[-1] += text[position : match.start()]
        position = match.end()
        if match[0] in {"{{", "}}"}:
            parts[-1] += match[0][0]
        elif match[1]:
            parts += [match[1].strip(), ""]
        else:
            raise _wrong(
                node,
                f"The template “{text[:60]}” has a brace that stands alone; write {{column}}, or"
                f" {{{{ for a brace.",
            )
    parts[-1] += text[position:]
    return tuple(parts)


def _form(node: yaml.Node) -> str:
    form = _text(node)
    if form == ISO:
        return form
    used = set(_DIRECTIVE.findall(form))
    if unknown := sorted(used - _DIRECTIVES):
        raise _wrong(
            node,
            f"time does not know %{unknown[0]}; it knows {' '.join('%' + d for d in sorted(_DIRECTIVES))},"
            " or iso.",
        )
    if not all(used & day for day in _DAY):
        raise _wrong(
            node,
            f"time “{form[:60]}” does not tell year, month and day; write such as %Y-%m-%d %H:%M %z, or iso.",
        )
    return form


def _zone(node: yaml.Node) -> str:
    try:
        return zone_name(_text(node))
    except Fault as fault:
        raise _wrong(node, fault.message) from None


def _switch(node: yaml.Node) -> bool:
    return _choice(node, ("true", "false")) == "true"


def _choice(node: yaml.Node, choices: Sequence[str]) -> str:
    text = _text(node).lower()
    if text not in choices:
        raise _wrong(node, f"“{text[:40]}” does not stand here; write {' or '.join(choices)}.")
    return text


def _checked(node: yaml.Node, check: Callable[[str], str], *, strip: bool = True) -> str:
    try:
        return check(_text(node, strip=strip))
    except Invalid as problem:
        raise _wrong(node, problem.detail) from None


def _compose(text: str | bytes) -> yaml.Node:
    """Read YAML into nodes; refuses what a mapping never needs: aliases, tags, great depth or size."""
    raw = text.encode() if isinstance(text, str) else text
    if len(raw) > SIZE_LIMIT:
        raise Invalid(f"The mapping has {len(raw):,} bytes; at most {SIZE_LIMIT:,} are read.", code=MALFORMED)
    try:
        decoded = raw.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        raise Invalid(f"The mapping is not UTF-8 (byte {cause.start}).", code=MALFORMED) from cause
    try:
        for event in _checked_events(decoded):
            del event
        node = yaml.compose(decoded, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as cause:
        line = (
            f" (line {cause.problem_mark.line + 1}, column {cause.problem_mark.column + 1})"
            if cause.problem_mark
            else ""
        )
        raise Invalid(
            f"The mapping is not YAML: {cause.problem or cause.context}{line}.", code=MALFORMED
        ) from cause
    except yaml.YAMLError as cause:
        raise Invalid(f"The mapping is not YAML: {str(cause).splitlines()[0]}.", code=MALFORMED) from cause
    if node is None:
        raise Invalid("The mapping is empty; see docs/import.md for an example.", code=MALFORMED)
    return node


def _checked_events(text: str) -> Iterator[yaml.Event]:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _at(
                event.start_mark,
                "Anchors and aliases (& and *) are not used in mappings; write the value again.",
            )
        if getattr(event, "tag", None) not in {None, "!"}:
            raise _at(event.start_mark, "Tags (!) are not used in mappings.")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEPTH_LIMIT:
                raise _at(event.start_mark, f"The mapping is nested deeper than {DEPTH_LIMIT} levels.")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        yield event


def _mapping(node: yaml.Node, known: Sequence[str] | None, what: str) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        raise _wrong(node, f"Here {what} is written as lines of the form name: value.")
    found: dict[str, yaml.Node] = {}
    for key, value in node.value:
        name = _text(key)
        if known is not None and name not in known:
            raise _wrong(
                key,
                f"“{name[:60]}” means nothing in {what}{_near(name, known)}; it may hold {', '.join(known)}.",
            )
        if name in found:
            raise _wrong(key, f"“{name[:60]}” stands twice in {what}.")
        found[name] = value
    return found


def _text(node: yaml.Node, *, strip: bool = True) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _wrong(node, "Here one value is written, no list and no lines of their own.")
    return str(node.value).strip() if strip else str(node.value)


def _wrong(node: yaml.Node, message: str) -> Invalid:
    return _at(node.start_mark, message)


def _at(mark: Any, message: str) -> Invalid:
    line = mark.line + 1
    told = f"Line {line} of the mapping: {message}"
    return Invalid(told, code=MALFORMED, errors=[FieldError("map", told)], extra={"line": line})


def _near(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name.strip().lower(), [k.lower() for k in known], n=1, cutoff=0.7)
    return f" (did you mean {next(k for k in known if k.lower() == near[0])}?)" if near else ""


def _field(fields: Mapping[str, Field], name: str) -> Field | None:
    """Return the field of that name; `attributes.*` stands for any name below attributes."""
    if name in fields:
        return None if name.endswith(".*") else fields[name]
    head, dot, leaf = name.partition(".")
    return fields.get(f"{head}.*") if dot and leaf else None


def _needed(fields: Mapping[str, Field], name: str) -> Field:
    found = _field(fields, name)
    if found is None:
        raise KeyError(name)
    return found
