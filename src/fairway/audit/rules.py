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
    """One row of an event; `organisation`: the uid of the one that decides who may see it, or empty."""

    position: int
    model: str
    uid: str
    organisation: str
    action: str
    changes: str


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One event as the chain covers it; `at` in canonical form, `data` and `changes` as stored text.

    Everything is named by uid, so that the chain stays whole where the log is moved to another database.
    """

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
    organisation: str
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


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was known of the log at an instant (canonical form): its last number and that event's hash."""

    sequence: int
    hash: str
    at: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a walk along the whole log found; `events`: how many there were, `last`: the last one's number
    and hash.
    """

    events: int
    last: tuple[int, str]
    flaws: tuple[Flaw, ...]
    checkpoint: Checkpoint | None = None

    @property
    def whole(self) -> bool:
        return not self.flaws

    def document(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {
            "whole": self.whole,
            "events": self.events,
            "sequence": self.last[0],
            "hash": self.last[1],
            "checkpoint": self.checkpoint.sequence if self.checkpoint else None,
            "flaws": [{"sequence": flaw.sequence, "what": flaw.what} for flaw in self.flaws],
        }

    def summary(self) -> str:
        """Return it in a sentence or two."""
        if self.flaws:
            return f"The log is not what was written: {len(self.flaws)} flaws in {self.events} events."
        told = f"The log is whole: {self.events} events, the last is {self.last[0]} with hash {self.last[1]}."
        if self.checkpoint is None:
            return f"{told} Whether its tail was cut only an exported checkpoint can tell."
        return (
            f"{told} It contains the checkpoint at event {self.checkpoint.sequence} of {self.checkpoint.at}."
        )


def verify(
    events: Iterable[LoggedEvent],
    *,
    head: tuple[int, str] | None = None,
    checkpoint: Checkpoint | None = None,
) -> Verification:
    """Walk the log from its first event on and gather every flaw: edits, gaps, a cut tail.

    `head`: number and hash that the database keeps as the last event's; None: events that were exported.
    """
    found: list[Flaw] = []
    count, previous = 0, (0, GENESIS)
    at_checkpoint = GENESIS if checkpoint is not None and checkpoint.sequence == 0 else None
    for event in events:
        found += _flaws(event, after=previous)
        count, previous = count + 1, (event.sequence, event.hash)
        if checkpoint is not None and event.sequence == checkpoint.sequence:
            at_checkpoint = event.hash
    if head is not None and head != previous:
        found.append(Flaw(previous[0], f"the log ends at event {previous[0]}, its head says {head[0]}"))
    if checkpoint is not None and at_checkpoint != checkpoint.hash:
        if previous[0] < checkpoint.sequence:
            known = f"the checkpoint knows event {checkpoint.sequence}"
            what = f"the tail is cut: {known}, the log ends at {previous[0]}"
        else:
            what = "is not the event that the checkpoint knows"
        found.append(Flaw(checkpoint.sequence, what))
    return Verification(count, previous, tuple(found), checkpoint)


def _flaws(event: LoggedEvent, *, after: tuple[int, str]) -> Iterable[Flaw]:
    expected, previous = after[0] + 1, after[1]
    if event.sequence > expected:
        last = event.sequence - 1
        missing = f"event {expected} is" if last == expected else f"events {expected} to {last} are"
        yield Flaw(expected, f"{missing} missing")
    elif event.sequence < expected:
        yield Flaw(event.sequence, "stands out of order")
    elif event.previous_hash != previous:
        yield Flaw(event.sequence, "does not follow from the event before it")
    if event.digest() != event.hash:
        yield Flaw(event.sequence, "was edited: its content does not give its hash")
    for row in event.rows:
        yield from _text_flaws(event, row.position, row.changes)
    yield from _text_flaws(event, 0, event.data)
    if event.texts.keys() - {0, *(row.position for row in event.rows)}:
        yield Flaw(event.sequence, "free text was added to it")


def _text_flaws(event: LoggedEvent, position: int, chained: str) -> Iterable[Flaw]:
    kept = event.texts.get(position)
    if kept is None:
        return  # erased, or never any: the digest alone stays
    try:
        promised = msgspec.json.decode(chained, type=dict[str, Any]).get("_texts")
    except msgspec.DecodeError:
        promised = None  # no JSON any more: the event's hash tells that too
    salt, texts = kept
    if promised != commitment(salt, texts):
        yield Flaw(event.sequence, "its free text was edited")
