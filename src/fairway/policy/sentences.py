"""How a finding becomes a sentence: each context registers one for each of its rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any

from fairway.kernel.period import Period
from fairway.policy.findings import Finding


@dataclass(frozen=True, slots=True)
class Words:
    """The reader: in whose zone times are told. The API tells them in UTC, a page in the reader's zone."""

    zone: tzinfo = UTC

    def instant(self, at: datetime) -> str:
        local = at.astimezone(self.zone)
        return f"{local:%Y-%m-%d %H:%M} {local.tzname()}"

    def period(self, period: Period) -> str:
        """Write both ends, the second day and the zone only where they differ."""
        return _period(self, period)

    def _period(self, period: Period) -> str:
        start, end = period.start.astimezone(self.zone), period.end.astimezone(self.zone)
        if start.tzname() != end.tzname():
            return f"{self.instant(period.start)} to {self.instant(period.end)}"
        pattern = "%H:%M" if start.date() == end.date() else "%Y-%m-%d %H:%M"
        return f"{start:%Y-%m-%d %H:%M} to {end.strftime(pattern)} {end.tzname()}"

    def moment(self, period: Period) -> bool:
        """Say whether both ends would read alike: then tell its instant."""
        return (period.end - period.start).total_seconds() < 60 and period.start.minute == period.end.minute


@lru_cache(maxsize=4_096)
def _period(words: Words, period: Period) -> str:
    """Remembered: a calendar tells of the same overlap on each bar that it concerns."""
    return words._period(period)


Sentence = Callable[[Finding, Words], str]
_SENTENCES: dict[str, Sentence] = {}
_waived: Callable[[Any, Words], str] | None = None


def waived_sentence(write: Callable[[Any, Words], str]) -> Callable[[Any, Words], str]:
    """Register how it reads that a finding was waived: from its parameter `waived`."""
    global _waived
    _waived = write
    return write


UTC_WORDS = Words()


def sentence(rule: str) -> Callable[[Sentence], Sentence]:
    """Register the sentence of a rule; gettext belongs inside the function."""

    def register(write: Sentence) -> Sentence:
        if rule in _SENTENCES:
            raise RuntimeError(f"the rule {rule} has a sentence already")
        _SENTENCES[rule] = write
        return write

    return register


def tell(finding: Finding, words: Words = UTC_WORDS) -> str:
    """Return the finding as one sentence for the reader.

    :raises KeyError: the rule has no sentence; the architecture tests list all rules.
    """
    text = _SENTENCES[finding.rule](finding, words)
    waived = finding.params.get("waived")
    return f"{text} {_waived(waived, words)}" if waived is not None and _waived is not None else text


_RULE_WORDS: dict[str, Callable[[], str]] = {}


def rule_word(rule: str, word: Callable[[], str]) -> None:
    """Register what a rule is called in a list; gettext belongs inside the function."""
    _RULE_WORDS[rule] = word


def rule_words(rule: str) -> str:
    """Return what a rule is called in a list, else its name."""
    return _RULE_WORDS[rule]() if rule in _RULE_WORDS else rule


def rules() -> frozenset[str]:
    """Return the names of all rules that have a sentence."""
    return frozenset(_SENTENCES)
