"""Custom fields: what a value must be, whom a field is for, and what a record's values become; pure.

A value stands as JSON: text, numbers and flags as themselves, a date as `2027-01-04`, an instant in UTC as
`2027-01-04T08:00:00Z`, an option, a person or an item by key, several options as a list of keys.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from fairway.kernel.errors import FieldError, Forbidden, Invalid

NAME: Final = re.compile(r"[a-z](?:[a-z0-9]|[_-](?=[a-z0-9]))*")
LONGEST_NAME, LONGEST_TEXT, LONGEST_PROSE, LONGEST_LINK = 60, 500, 20_000, 2_000
_SAFE = 2**53
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Type(StrEnum):
    """What a field holds."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DATE = "date"
    INSTANT = "instant"
    LIST = "list"
    MULTI_LIST = "multi_list"
    USER = "user"
    ITEM = "item"
    LINK = "link"


LISTS = frozenset({Type.LIST, Type.MULTI_LIST})
BOUNDED = frozenset({Type.TEXT, Type.LONG_TEXT, Type.NUMBER, Type.INTEGER})
REFERENCES = frozenset({Type.USER, Type.ITEM})


@dataclass(frozen=True, slots=True)
class Option:
    """What can be picked; `retired`: it stays where it stands, and is picked no more."""

    key: str
    label: str
    description: str = ""
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Definition:
    """A field as it is defined.

    `kinds`: those of its subject that it is for; none: all. `minimum`, `maximum`: of numbers, and of the
    length of text. `viewers`, `editors`: the roles that see and set it; none: whoever sees or edits the
    record. `organisation`: it holds for the records of this branch.
    """

    pk: int
    uid: str
    subject: str
    name: str
    label: str
    type: Type
    organisation: int
    help: str = ""
    kinds: frozenset[str] = frozenset()
    options: tuple[Option, ...] = ()
    mandatory: bool = False
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    viewers: frozenset[str] = frozenset()
    editors: frozenset[str] = frozenset()
    filterable: bool = False
    group: str = ""
    archived: bool = False

    def is_for(self, kind: str) -> bool:
        return not self.kinds or kind in self.kinds


Has = Callable[[Collection[str]], bool]
"""Says whether the actor has one of these roles, where the record belongs."""


def sees(definition: Definition, has: Has) -> bool:
    return not definition.viewers or has(definition.viewers)


def sets(definition: Definition, has: Has) -> bool:
    return sees(definition, has) and (not definition.editors or has(definition.editors))


class Fault(ValueError):
    """What is wrong with a value, in one sentence that also says what would be right."""


def read(definition: Definition, value: Any, *, present: Any = None) -> Any:
    """Return a value as it is stored; text that says it is taken for it, for tables hold nothing else.

    Whether a person or an item exists is not known here. `present`: what stands there; a retired option may
    stay.

    :raises Fault: it is none of this type, or outside its limits.
    """
    return _READERS[definition.type](definition, value, present)


def _text(definition: Definition, value: Any, present: Any) -> str:
    if not isinstance(value, str):
        raise Fault(f"{_said(value)} is not text.")
    long = definition.type is Type.LONG_TEXT
    found = value.replace("\r\n", "\n").replace("\r", "\n").strip() if long else " ".join(value.split())
    control = _CONTROL.search(found)
    if control is not None:
        raise Fault(f"The text holds the control character U+{ord(control[0]):04X}.")
    most = definition.maximum if definition.maximum is not None else LONGEST_PROSE if long else LONGEST_TEXT
    if len(found) > most:
        raise Fault(f"The text has {len(found):,} characters; {most:,.0f} are the most.")
    if definition.minimum is not None and len(found) < definition.minimum:
        raise Fault(f"The text has {len(found):,} characters; {definition.minimum:,.0f} are the least.")
    return found


def _number(definition: Definition, value: Any, present: Any) -> int | float:
    found: Any = value
    if isinstance(value, str):
        try:
            found = int(value) if re.fullmatch(r"[+-]?[0-9]{1,15}", value.strip()) else float(value)
        except ValueError:
            raise Fault(f"{_said(value)} is not a number.") from None
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        raise Fault(f"{_said(value)} is not a number.")
    if definition.type is Type.INTEGER:
        if found != int(found):
            raise Fault(f"{_said(value)} is not a whole number.")
        found = int(found)
    if abs(found) >= _SAFE:
        raise Fault(f"{_said(value)} is out of range.")
    if definition.minimum is not None and found < definition.minimum:
        raise Fault(f"{_said(value)} is too small; {definition.minimum:g} is the least.")
    if definition.maximum is not None and found > definition.maximum:
        raise Fault(f"{_said(value)} is too large; {definition.maximum:g} is the most.")
    number: int | float = found
    return number


def _boolean(definition: Definition, value: Any, present: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().casefold() in {"true", "yes", "1", "false", "no", "0"}:
        return value.strip().casefold() in {"true", "yes", "1"}
    raise Fault(f"{_said(value)} is neither true nor false.")


def _date(definition: Definition, value: Any, present: Any) -> str:
    try:
        return date.fromisoformat(value.strip()).isoformat()
    except (ValueError, AttributeError):
        raise Fault(f"{_said(value)} is not a date; write it as 2027-01-04.") from None


def _instant(definition: Definition, value: Any, present: Any) -> str:
    try:
        at = datetime.fromisoformat(value.strip())
        if at.tzinfo is None:
            raise ValueError
        return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, AttributeError):
        raise Fault(
            f"{_said(value)} is not an instant; write it with an offset, such as 2027-01-04T08:00:00Z."
        ) from None


def _option(definition: Definition, value: Any, present: Any) -> str:
    kept = present if isinstance(present, list) else [present]
    folded = value.strip().casefold() if isinstance(value, str) else None
    for option in definition.options:
        if folded in (option.key, option.label.casefold()) and (not option.retired or option.key in kept):
            return option.key
    there_are = ", ".join(option.key for option in definition.options if not option.retired)
    raise Fault(f"{_said(value)} is no option; there are {there_are}.")


def _options(definition: Definition, value: Any, present: Any) -> list[str]:
    given = [part for part in value.split(";") if part.strip()] if isinstance(value, str) else value
    if not isinstance(given, list):
        raise Fault(f"{_said(value)} is not a list of options.")
    picked = {_option(definition, one, present) for one in given}
    return [option.key for option in definition.options if option.key in picked]


def _reference(definition: Definition, value: Any, present: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= 254:
        raise Fault(f"{_said(value)} names nothing; give a key.")
    if _CONTROL.search(value):
        raise Fault("The key holds a control character.")
    return value.strip()


def _link(definition: Definition, value: Any, present: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    try:
        parts = urlsplit(text)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and len(text) <= LONGEST_LINK
    except ValueError:
        fits = False
    if not fits or not text.isprintable() or " " in text:
        raise Fault(f"{_said(value)} is not a link; write it with https:// in front.")
    return text


_READERS: Final[Mapping[Type, Callable[[Definition, Any, Any], Any]]] = {
    Type.TEXT: _text,
    Type.LONG_TEXT: _text,
    Type.NUMBER: _number,
    Type.INTEGER: _number,
    Type.BOOLEAN: _boolean,
    Type.DATE: _date,
    Type.INSTANT: _instant,
    Type.LIST: _option,
    Type.MULTI_LIST: _options,
    Type.USER: _reference,
    Type.ITEM: _reference,
    Type.LINK: _link,
}


def _said(value: Any) -> str:
    text = " ".join(str(value).split())
    return f"“{text[:60]}…”" if len(text) > 60 else f"“{text}”"


def is_empty(value: Any) -> bool:
    """Say whether a value says nothing: then it is taken away."""
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the values of one record.

    `given`: new values by name; an empty one takes the field away. `whole`: what is not given goes as well.
    `complete`: fields that must be filled are asked for, and defaults set in, also where they are not given.
    `open`: what is not defined may stand there all the same. `column`: what the record calls its values.
    """

    given: Mapping[str, Any]
    present: Mapping[str, Any]
    column: str
    whole: bool = False
    complete: bool = False
    open: bool = False


def settle(definitions: Sequence[Definition], asked: Asked, has: Has) -> dict[str, Any]:
    """Return the values that the record shall have.

    `definitions`: those that hold for it, archived ones too. What the actor may not set stays as it is.

    :raises Invalid: no such field (for the actor), or a value has no sense; all of them, by field.
    :raises Forbidden: the actor sees a field and may not set it; names it.
    """
    known = {definition.name: definition for definition in definitions}
    wrong: list[FieldError] = []
    denied: list[FieldError] = []
    values = _staying(known, asked, has)
    for name, value in asked.given.items():
        field, definition = f"{asked.column}.{name}", known.get(name)
        if definition is None:
            if asked.open or is_empty(value) or asked.present.get(name) == value:
                _put(values, name, None if is_empty(value) and not asked.open else value)
            else:
                wrong.append(FieldError(field, _missing(name, known.values(), has)))
        elif definition.archived or not sees(definition, has):
            if asked.present.get(name) != value or not sees(definition, has):
                wrong.append(FieldError(field, _missing(name, known.values(), has)))
        elif not sets(definition, has):
            if asked.present.get(name) != value:
                denied.append(FieldError(field, f"You may not set “{definition.label}” here."))
        else:
            _set(values, definition, value, asked, wrong)
    if asked.complete:
        _fill(values, definitions, has)
    wrong += _lacking(values, definitions, asked, has, {error.field for error in wrong})
    if denied:
        raise Forbidden(" ".join(error.message for error in denied), errors=denied)
    if wrong:
        raise Invalid.fields(wrong)
    return values


def _staying(known: Mapping[str, Definition], asked: Asked, has: Has) -> dict[str, Any]:
    """Return what stays whatever is given: everything, or of a whole new set what the actor cannot name."""
    if not asked.whole:
        return dict(asked.present)
    return {
        name: value
        for name, value in asked.present.items()
        if name in known and (known[name].archived or not sets(known[name], has))
    }


def _put(values: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        values.pop(name, None)
    else:
        values[name] = value


def _set(
    values: dict[str, Any], definition: Definition, value: Any, asked: Asked, wrong: list[FieldError]
) -> None:
    if is_empty(value):
        values.pop(definition.name, None)
        return
    try:
        values[definition.name] = read(definition, value, present=asked.present.get(definition.name))
    except Fault as fault:
        wrong.append(FieldError(f"{asked.column}.{definition.name}", f"{definition.label}: {fault}"))


def _fill(values: dict[str, Any], definitions: Iterable[Definition], has: Has) -> None:
    for definition in definitions:
        if not definition.archived and definition.default is not None:
            values.setdefault(definition.name, definition.default)


def _lacking(
    values: Mapping[str, Any], definitions: Iterable[Definition], asked: Asked, has: Has, told: set[str]
) -> list[FieldError]:
    """Return what must be filled and is not: of all, or else of what was given."""
    return [
        FieldError(field, f"{definition.label}: this is needed.")
        for definition in definitions
        if definition.mandatory
        and not definition.archived
        and definition.name not in values
        and (asked.complete or definition.name in asked.given)
        and sets(definition, has)
        and (field := f"{asked.column}.{definition.name}") not in told
    ]


def _missing(name: str, known: Iterable[Definition], has: Has) -> str:
    names = sorted(one.name for one in known if not one.archived and sees(one, has))
    there_are = f"there are {', '.join(names)}" if names else "there is none here"
    return f"There is no field “{name[:60]}”, or it cannot be set; {there_are}."


def shown(
    definitions: Mapping[str, Definition], values: Mapping[str, Any], kind: str, has: Has
) -> dict[str, Any]:
    """Return the values that somebody sees; those of archived fields nobody does."""
    found = {}
    for name, value in values.items():
        definition = definitions.get(name)
        if (
            definition is None
            or not definition.is_for(kind)
            or (not definition.archived and sees(definition, has))
        ):
            found[name] = value
    return found
