"""The chain: canonical form, digests and their verification; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

GENESIS = "0" * 64
_ENCODER = msgspec.json.Encoder(order="sorted")


def instant(at: datetime) -> str:
    """Return an instant in the log's canonical form: UTC with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def canonical(value: Any) -> str:
    """Return JSON with sorted keys and no spaces; instants in UTC with microseconds."""
    return _ENCODER.encode(value).decode()


def commitment(salt: str, texts: Mapping[str, Any]) -> str:
    """Return the salted digest that stands in the chain for free text; without the salt it tells nothing."""
    return hashlib.sha256(f"{salt}:{canonical(texts)}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class LoggedRow:
    position: int
    model: str
    uid: str
    organisation: int | None
    action: str
    changes: str


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One event as the chain covers it; `at` in canonical form, `data` and `changes` as stored text."""

    sequence: int
    at: str
    actor_kind: str
    actor_uid: str
    on_behalf_of: str
    request_id: str
    command: str
    subject_kind: str
    subject_uid: str
    subject_key: str
    organisation: int | None
    data: str
    rows: Sequence[LoggedRow] = ()
    previous_hash: str = GENESIS
    hash: str = ""
    texts: Mapping[int, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)

    def digest(self) -> str:
        """Return the hash over the previous hash, the event and its rows in order."""
        hasher = hashlib.sha256(self.previous_hash.encode())
        head = [
            self.sequence, self.at, self.actor_kind, self.actor_uid, self.on_behalf_of, self.request_id,
            self.command, self.subject_kind, self.subject_uid, self.subject_key, self.organisation, self.data,
        ]  # fmt: skip
        hasher.update(canonical(head).encode())
        for row in self.rows:
            hasher.update(
                canonical(
                    [row.position, row.model, row.uid, row.organisation, row.action, row.changes]
                ).encode()
            )
        return hasher.hexdigest()


@dataclass(frozen=True, slots=True)
class Flaw:
    """A place where the log is not what was written."""

    sequence: int
    what: str


def flaws(events: Iterable[LoggedEvent], *, after: int = 0, hash_before: str = GENESIS) -> Iterable[Flaw]:
    """Walk events in order and yield every edit and every gap."""
    expected, previous = after + 1, hash_before
    for event in events:
        if event.sequence != expected:
            what = (
                f"events {expected} to {event.sequence - 1} are missing"
                if event.sequence > expected
                else "number repeats"
            )
            yield Flaw(expected, what)
        elif event.previous_hash != previous:
            yield Flaw(event.sequence, "does not follow from the event before it")
        if event.digest() != event.hash:
            yield Flaw(event.sequence, "was edited: its content does not give its hash")
        for row in event.rows:
            yield from _text_flaws(event, row.position, row.changes)
        yield from _text_flaws(event, 0, event.data)
        expected, previous = event.sequence + 1, event.hash


def _text_flaws(event: LoggedEvent, position: int, chained: str) -> Iterable[Flaw]:
    kept = event.texts.get(position)
    promised = msgspec.json.decode(chained).get("_texts")
    if kept is None:
        return  # erased, or never any: the digest alone stays
    salt, texts = kept
    if promised != commitment(salt, texts):
        yield Flaw(event.sequence, "its free text was edited")
