"""The types of fields as text in a cell; pure.

Times without offset are wall time in a zone: in a spring gap by the offset before it, in an autumn overlap
the first one (domain.md 1).
"""

from __future__ import annotations

import difflib
import re
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Final

Value = str | int | bool | datetime | list[str] | list[int]
ISO: Final = "iso"
_SAMPLE: Final = datetime(2027, 1, 4, 8, tzinfo=UTC)
_YES: Final = frozenset({"true", "yes", "1"})
_NO: Final = frozenset({"false", "no", "0"})
_DURATION: Final = re.compile(r"P(?=\d|T\d)(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+S)?)?")


class Fault(Exception):
    """What is wrong with a value, in one sentence that also says what would be right."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


Read = Callable[[str, "str | None"], Value]
"""Reads one value from its text; the second is the zone of times without offset.

:raises Fault: the text is no such value.
"""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a kind of record.

    `many`: it takes several values, separated by `;` unless the mapping says how.
    """

    read: Read
    help: str
    required: bool = False
    many: bool = False


def text(cell: str, zone: str | None = None) -> str:
    return cell


def integer(cell: str, zone: str | None = None) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,15}", cell):
        raise Fault(f"{quoted(cell)} is not a whole number, such as 3.")
    return int(cell)


def boolean(cell: str, zone: str | None = None) -> bool:
    folded = cell.casefold()
    if folded in _YES or folded in _NO:
        return folded in _YES
    raise Fault(f"{quoted(cell)} is neither true nor false.")


def instant(cell: str, zone: str | None = None, form: str = ISO) -> datetime:
    """Read a time in a form (`iso`, or strptime's directives); the answer is in UTC.

    :raises Fault: another form, or neither offset nor zone.
    """
    try:
        at = datetime.fromisoformat(cell) if form == ISO else datetime.strptime(cell, form)  # noqa: DTZ007
    except ValueError:
        wanted = "2027-01-04T08:00:00Z" if form == ISO else _SAMPLE.strftime(form)
        raise Fault(f"{quoted(cell)} is not a time in the form of {wanted}.") from None
    if at.tzinfo is None:
        if zone is None:
            raise Fault(
                f"{quoted(cell)} has no offset; add one (such as +00:00), or name the zone in the mapping."
            )
        at = at.replace(tzinfo=zoneinfo.ZoneInfo(zone))
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise Fault(f"{quoted(cell)} lies outside the years 1 to 9999.") from None


def wall_time(cell: str, zone: str | None = None) -> str:
    """Read a local time of a record that has a zone of its own; the answer is ISO without offset."""
    try:
        at = datetime.fromisoformat(cell)
    except ValueError:
        at = None
    if at is None or at.tzinfo is not None:
        raise Fault(f"{quoted(cell)} is not a local time without offset, such as 2027-01-04T22:00.")
    return at.isoformat()


def day(cell: str, zone: str | None = None) -> str:
    """Read a day, or a time of which the day counts; the answer is ISO."""
    try:
        return datetime.fromisoformat(cell).date().isoformat()
    except ValueError:
        raise Fault(f"{quoted(cell)} is not a day, such as 2027-12-25.") from None


def duration(cell: str, zone: str | None = None) -> str:
    if not _DURATION.fullmatch(cell):
        raise Fault(f"{quoted(cell)} is not a duration in the form of ISO 8601, such as PT2H30M or P1D.")
    return cell


def zone_name(cell: str, zone: str | None = None) -> str:
    """Return the name of a time zone.

    :raises Fault: there is no such zone; offers the nearest.
    """
    known = _zones()
    if cell in known.values():
        return cell
    near = difflib.get_close_matches(cell.casefold(), known, n=1, cutoff=0.6)
    raise Fault(
        f"{quoted(cell)} is not a time zone"
        + (f"; did you mean {known[near[0]]}?" if near else "; write one such as Europe/London.")
    )


def quoted(cell: str) -> str:
    """Return a cell as a message shows it: at most 60 characters."""
    return f"“{cell[:60]}…”" if len(cell) > 60 else f"“{cell}”"


@cache
def _zones() -> dict[str, str]:
    """The names of all zones by their folded form; reading the folders takes some 10 ms."""
    return {name.casefold(): name for name in sorted(zoneinfo.available_timezones() - {"localtime"})}
