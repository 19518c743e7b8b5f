"""A record as it was: its rows replayed from the events about it; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

ERASED = "\ufffc"
"""Stands for words that were written and erased since."""

Event = Mapping[str, Any]
"""An event of `audit.queries.life`."""


@dataclass(slots=True)
class State:
    """Rows by (model, uid), each as column to value, as they stood after event `sequence`."""

    sequence: int = 0
    at: str = ""
    rows: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    organisations: dict[tuple[str, str], str] = field(default_factory=dict)


def until(events: Sequence[Event], at: datetime | None) -> Iterator[Event]:
    """Yield what was known at an instant: the events up to the first that is later. None: all.

    The log's order is that of its numbers; so what is yielded is always a beginning of it, whatever instants
    its commands were run at.
    """
    for event in events:
        if at is not None and datetime.fromisoformat(event["at"]) > at:
            return
        yield event


def replay(events: Iterable[Event], *, texts: Mapping[str, frozenset[str]]) -> State:
    """Return what the events lead to; `texts`: the columns of free text by model, which may be erased."""
    state = State()
    for event in events:
        state.sequence, state.at = event["sequence"], event["at"]
        for row in event["rows"]:
            key = row["model"], row["uid"]
            if row["action"] == "remove":
                state.rows.pop(key, None)
                state.organisations.pop(key, None)
                continue
            columns = state.rows.setdefault(key, {})
            if row["action"] == "create":
                columns.update(dict.fromkeys(texts.get(row["model"], ()), ""))  # empty words are not kept
            if row.get("erased"):
                columns.update(dict.fromkeys(texts.get(row["model"], ()), ERASED))
            columns.update((name, pair[1]) for name, pair in row["changes"].items())
            state.organisations[key] = row["organisation"]
    return state


@dataclass(frozen=True, slots=True)
class Difference:
    """One column of one row, before and after; None: the row was not there."""

    model: str
    uid: str
    column: str
    before: Any
    after: Any


def differences(before: State, after: State) -> list[Difference]:
    """Return what differs between two states, row by row in the order of writing."""
    found: list[Difference] = []
    for key in dict.fromkeys((*before.rows, *after.rows)):
        old, new = before.rows.get(key), after.rows.get(key)
        for column in dict.fromkeys((*(old or ()), *(new or ()))):
            one = None if old is None else old.get(column)
            other = None if new is None else new.get(column)
            if one != other:
                found.append(Difference(*key, column, one, other))
    return found
