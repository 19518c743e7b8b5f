"""Instants and half-open intervals, always in UTC."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fairway.kernel.errors import Invalid


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A half-open interval [start, end) of aware instants; touching is not overlapping.

    :raises Invalid: an instant has no zone, or the end is not after the start.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise Invalid.field("start", "An instant needs a zone or offset, such as 2027-01-04T08:00:00Z.")
        for name in ("start", "end"):
            given: datetime = getattr(self, name)
            if given.tzinfo is not UTC:
                object.__setattr__(self, name, in_utc(given, field=name))
        if self.end <= self.start:
            raise Invalid.field(
                "end",
                f"The end {self.end:%Y-%m-%d %H:%M} UTC is not after the start"
                f" {self.start:%Y-%m-%d %H:%M} UTC; a window needs a length.",
            )

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    def overlaps(self, other: Period) -> bool:
        return self.start < other.end and other.start < self.end

    def covers(self, other: Period) -> bool:
        return self.start <= other.start and other.end <= self.end

    def __contains__(self, at: datetime) -> bool:
        return self.start <= at < self.end

    def __and__(self, other: Period) -> Period | None:
        """Return the common part, or None where the two only touch or stand apart."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Period(start, end) if start < end else None


def parse_instant(text: str, *, field: str = "at") -> datetime:
    """Read an RFC 3339 instant; the answer is in UTC.

    :raises Invalid: not an instant, or one without offset.
    """
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise ValueError
        return at.astimezone(UTC)
    except (ValueError, OverflowError) as cause:
        raise Invalid.field(
            field, f"“{text[:60]}” is not an instant; write it with an offset, such as 2027-01-04T08:00:00Z."
        ) from cause


def in_utc(at: datetime, *, field: str) -> datetime:
    """Return an aware instant in UTC.

    :raises Invalid: it stands in the first or last hours that there are, and UTC has no such time.
    """
    try:
        return at.astimezone(UTC)
    except OverflowError as cause:
        raise Invalid.field(field, _too_far(at.year)) from cause


YEARS = (1970, 2199)
"""What is planned lies within these years; zones have rules for no others, and a slip of a key is told."""


def plannable(start: datetime, end: datetime) -> Period:
    """Return the period, which must lie within `YEARS`.

    :raises Invalid: naming the end of it that is wrong (`start`, `end`).
    """
    period = Period(start, end)
    for field, at in (("start", period.start), ("end", period.end)):
        if not YEARS[0] <= at.year <= YEARS[1]:
            raise Invalid.field(field, _too_far(at.year))
    return period


def _too_far(year: int) -> str:
    return f"The year {year} is too far; give one from {YEARS[0]} to {YEARS[1]}."


def span(periods: Iterable[Period]) -> Period | None:
    """Return the shortest period that covers all, or None for none."""
    listed = list(periods)
    return Period(min(p.start for p in listed), max(p.end for p in listed)) if listed else None
