"""iCalendar: each event a row, with what its times say in the words of windows and changes.

Source: RFC 5545. Events are taken apart one by one, so that a broken one spoils no other and memory stays
bounded; what many programs leave out or get wrong (DTSTAMP, PRODID, zones as Windows names them) is let pass.
A moved or cancelled date of a series is left out of the series, a moved one is a row of its own. Maintenance
notices name what they are about in X-MAINTNOTE properties.
Source: Maintenance Notification BCOP, North American Network Operators' Group.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, BinaryIO, Final
from zoneinfo import ZoneInfo, available_timezones

from icalendar import Calendar

from fairway.exchange.reading.encodings import check_encoding, check_text
from fairway.exchange.reading.parts import CELL_LIMIT, Broken, Row, Spool, Wrong, unreadable

COLUMNS: Final = (
    *(
        "uid",
        "name",
        "kind",
        "summary",
        "description",
        "location",
        "categories",
        "status",
        "url",
        "organizer",
    ),
    *("starts_at", "ends_at", "zone", "local_start", "duration", "rrule", "rdates", "exdates", "all_day"),
    *("provider", "account", "maintenance_id", "impact", "objects"),
)
EVENT_LIMIT: Final = 1 << 20
"""Bytes that one event may take."""
MOST_EVENTS: Final = 1_000_000
MOST_ZONES: Final = 1 << 20
"""Bytes that the definitions of zones may take together."""
_DAY: Final = timedelta(days=1)
_NOTICE: Final = {
    "provider": "X-MAINTNOTE-PROVIDER",
    "account": "X-MAINTNOTE-ACCOUNT",
    "maintenance_id": "X-MAINTNOTE-MAINTENANCE-ID",
    "impact": "X-MAINTNOTE-IMPACT",
}


@dataclass(slots=True)
class _Event:
    """An event by its properties; `line`: where it begins. `moved`: which date of a series it stands for."""

    number: int
    line: int
    cells: dict[str, str]
    uid: str
    moved: str = ""
    cancelled: bool = False


class Events:
    """An iCalendar file.

    :raises Invalid: it is none, or does not end.
    """

    typed = False
    header: tuple[str, ...] = COLUMNS

    def __init__(self, source: BinaryIO, *, encoding: str = "utf-8") -> None:
        size = source.seek(0, io.SEEK_END)
        self._spool = Spool(64 << 20 | size * 8)
        codec = check_encoding(encoding)
        check_text(source, codec, "iCalendar")
        source.seek(0)
        text = io.TextIOWrapper(source, encoding="utf-8-sig" if codec == "utf-8" else codec, newline=None)
        try:
            self._read(text)
        finally:
            text.detach()

    def rows(self) -> Iterator[Row | Broken]:
        return self._spool.rows(self.header)

    def count(self) -> int:
        return self._spool.count

    def place(self, row: Row | Broken, column: str) -> str:
        return f"event {row.number} (line {row.line})"

    def _read(self, text: io.TextIOWrapper) -> None:
        events: list[_Event | Broken] = []
        seen: dict[str, int] = defaultdict(int)
        for number, (line, zones, lines) in enumerate(_events(text), start=1):
            if number > MOST_EVENTS:
                raise unreadable(f"The file holds more than {MOST_EVENTS:,} events.", line=line)
            try:
                events.append(_event(number, line, zones, lines))
            except (ValueError, KeyError, TypeError, IndexError, OverflowError, AttributeError) as cause:
                told = " ".join(str(cause).split())[:200] or type(cause).__name__
                events.append(Broken(number, line, "", f"The event cannot be read: {told}."))
        if not events:
            raise unreadable("The calendar holds no events.")
        left_out: dict[str, list[str]] = defaultdict(list)
        for event in events:
            if isinstance(event, _Event) and event.moved:
                left_out[event.uid].append(event.moved)
        for event in events:
            if isinstance(event, Broken):
                self._spool.broken(event.number, event.line, event.column, event.message)
                continue
            if event.moved and event.cancelled:
                continue  # the series leaves it out
            if event.cancelled:
                self._spool.broken(
                    event.number, event.line, "status",
                    f"“{event.cells.get('summary', '')[:60]}” is cancelled; archive what was made of it.",
                )  # fmt: skip
                continue
            cells = event.cells
            if cells.get("rrule") or cells.get("rdates"):
                gone = [cells["exdates"]] if cells.get("exdates") else []
                cells["exdates"] = ";".join([*gone, *left_out[event.uid]])
            seen[cells["name"]] += 1
            if seen[cells["name"]] > 1:
                cells["name"] = (
                    f"{cells['name']} {(cells.get('starts_at') or cells.get('local_start', ''))[:10]}"
                )
            self._spool.add(event.number, event.line, {name: cell for name, cell in cells.items() if cell})


def _events(text: io.TextIOWrapper) -> Iterator[tuple[int, Sequence[str], Sequence[str]]]:
    """Give each event as its unfolded lines, with where it begins and the zones defined up to there."""
    zones: list[str] = []
    held: list[str] | None = None
    open_, began, size, zone_size = "", 0, 0, 0
    for number, line in enumerate(text, start=1):
        bare = line.rstrip("\r\n")
        word = bare.strip().upper()
        if number == 1 and word != "BEGIN:VCALENDAR":
            raise unreadable(
                f"The file is no iCalendar: it begins with “{bare[:40]}” and not with BEGIN:VCALENDAR."
            )
        if held is None:
            if word in ("BEGIN:VEVENT", "BEGIN:VTIMEZONE"):
                open_, held, began, size = word[6:], [word], number, 0
            continue
        size += len(line)
        if size > EVENT_LIMIT:
            raise unreadable(
                f"The part that begins in line {began:,} does not end within {EVENT_LIMIT:,} bytes.",
                line=began,
            )
        if line[:1] in " \t" and len(held) > 1:
            held[-1] += bare[1:]
        elif bare:
            held.append(bare)
        if word == f"END:{open_}":
            if open_ == "VEVENT":
                yield began, zones, held
            else:
                zone_size += size
                if zone_size > MOST_ZONES:
                    raise unreadable("The file defines too many time zones.", line=began)
                zones += held
            held = None
    if held is not None:
        raise unreadable(f"The {open_} that begins in line {began:,} has no end.", line=began)


def _event(number: int, line: int, zones: Sequence[str], lines: Sequence[str]) -> _Event:
    """Return one event as cells.

    :raises ValueError: it has no start, or a property that is none.
    """
    whole = "\r\n".join(["BEGIN:VCALENDAR", *zones, *lines, "END:VCALENDAR", ""])
    event: Any = next(iter(Calendar.from_ical(whole).walk("VEVENT")))
    faults = {name: message for name, message in event.errors if name}
    if "DTSTART" not in event:
        raise ValueError(faults.get("DTSTART", "it has no DTSTART"))
    for name in ("DTEND", "DURATION", "RRULE", "RECURRENCE-ID"):
        if name in faults:
            raise ValueError(f"{name}: {faults[name]}")
    summary = _text(event, "SUMMARY")
    cells = {
        "uid": _text(event, "UID"),
        "name": summary[:180] or "Untitled",
        "kind": _text(event, "X-FAIRWAY-KIND"),
        "summary": summary,
        "description": _text(event, "DESCRIPTION"),
        "location": _text(event, "LOCATION"),
        "categories": _list(event, "CATEGORIES"),
        "status": _text(event, "STATUS").lower(),
        "url": _text(event, "URL"),
        "organizer": _text(event, "ORGANIZER").removeprefix("mailto:").removeprefix("MAILTO:"),
        "objects": _list(event, "X-MAINTNOTE-OBJECT-ID"),
        **{column: _text(event, name) for column, name in _NOTICE.items()},
        **_times(event),
    }
    cancelled = cells["status"] == "cancelled" or _text(event, "X-MAINTNOTE-STATUS").lower() == "cancelled"
    moved = ""
    if "RECURRENCE-ID" in event:
        if str(event["RECURRENCE-ID"].params.get("RANGE", "")).upper() == "THISANDFUTURE":
            raise ValueError(
                "it alters all later dates of its series (THISANDFUTURE); end the series instead"
            )
        moved = _local(event["RECURRENCE-ID"].dt)
    return _Event(number, line, cells, cells["uid"], moved, cancelled)


def _times(event: Any) -> dict[str, str]:
    start = event["DTSTART"].dt
    all_day = not isinstance(start, datetime)
    length = _length(event, start, all_day=all_day)
    first = datetime.combine(start, datetime.min.time()) if all_day else start
    cells = {"all_day": "true" if all_day else "", "zone": ""}
    if length is None:
        cells["ends_at"] = Wrong("The event has neither an end nor a duration, so that it has no length.")
    elif "RECURRENCE-ID" not in event and ("RRULE" in event or "RDATE" in event):
        cells |= {
            "local_start": _local(first),
            "duration": _iso(length),
            "rrule": _rule(event),
            "rdates": ";".join(_dates(event, "RDATE")),
            "exdates": ";".join(_dates(event, "EXDATE")),
            "zone": _zone(first),
        }
        return cells
    cells["starts_at"] = _instant(first)
    if length is None:
        return cells
    cells["ends_at"] = _instant(event["DTEND"].dt if "DTEND" in event and not all_day else first + length)
    if first.tzinfo is None:  # it is at that time wherever one is: a window says in which zone
        cells |= {"local_start": _local(first), "duration": _iso(length)}
    return cells


def _length(event: Any, start: date, *, all_day: bool) -> timedelta | None:
    """Return how long it lasts; a day without an end is that day."""
    if "DTEND" in event:
        end = event["DTEND"].dt
        if isinstance(end, datetime) is all_day:
            raise ValueError("one of DTSTART and DTEND is a day, the other a time")
        found: timedelta = end - start
        return found
    if "DURATION" in event:
        told: timedelta = event["DURATION"].dt
        return told
    return _DAY if all_day else None


def _rule(event: Any) -> str:
    rules = event.get("RRULE", [])
    if isinstance(rules, list) and not hasattr(rules, "to_ical"):
        if len(rules) > 1:
            raise ValueError("it has several RRULEs; make one event of each")
        return ""
    return str(rules.to_ical().decode())


def _dates(event: Any, name: str) -> Iterator[str]:
    lists = event.get(name, [])
    for one in lists if isinstance(lists, list) else [lists]:
        for value in one.dts:
            if isinstance(value.dt, tuple):
                raise ValueError(f"{name} holds periods; give dates")
            yield _local(value.dt)


def _local(value: date) -> str:
    """Return the wall time as windows tell it; of a time in UTC, that in UTC."""
    at = value if isinstance(value, datetime) else datetime.combine(value, datetime.min.time())
    return at.replace(tzinfo=None).isoformat()


def _instant(at: datetime) -> str:
    """Return an instant in UTC; one without a zone stays so, and the importer says in which it is."""
    try:
        return at.isoformat() if at.tzinfo is None else at.astimezone(UTC).isoformat()
    except OverflowError:  # of the last day there is: its row will be told of, as of any that cannot be
        return at.isoformat()


def _zone(at: datetime) -> str:
    if at.tzinfo is None:
        return ""
    if at.tzinfo is UTC or str(at.tzinfo) in ("UTC", "Etc/UTC"):
        return "UTC"
    name = at.tzinfo.key if isinstance(at.tzinfo, ZoneInfo) else str(at.tzinfo)
    if name not in available_timezones():
        return Wrong(f"“{name[:60]}” is a time zone of this file alone; name one such as Europe/London.")
    return name


def _iso(length: timedelta) -> str:
    """Write a duration as ISO 8601 has it; nothing or less stays, so that it is refused with its value."""
    seconds = int(length.total_seconds())
    return f"PT{seconds}S" if seconds > 0 else "PT0S"


def _text(event: Any, name: str) -> str:
    value: Any = event.get(name, "")
    if isinstance(value, list):
        value = value[0] if value else ""
    told = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return told.strip()[:CELL_LIMIT].replace("\x00", "")


def _list(event: Any, name: str) -> str:
    value: Any = event.get(name, [])
    found = []
    for one in value if isinstance(value, list) else [value]:
        found += [str(part).strip() for part in getattr(one, "cats", [one])]
    return ";".join(part.replace(";", ",") for part in found if part)[:CELL_LIMIT]
