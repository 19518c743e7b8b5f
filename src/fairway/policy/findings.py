"""Findings and the decision that follows from them; pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from fairway.kernel.period import Period
from fairway.kernel.refs import HIDDEN, Ref


class Severity(StrEnum):
    """How much a finding weighs; `unknown` (it could not be told) counts as `block`."""

    BLOCK = "block"
    UNKNOWN = "unknown"
    WARN = "warn"
    INFORM = "inform"


_RANK = {severity: rank for rank, severity in enumerate(Severity)}


LISTS = frozenset({"items", "others", "things", "windows", "names", "groups"})
"""Parameters that list keys and names of records."""


class Verdict(StrEnum):
    ALLOW = "allow"
    WARN = "warn"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact that speaks for, against or about what is asked.

    It stores the rule (`context.rule`) and its parameters; the sentence is rendered at the door, see `tell`.
    `parties`: the asking record first, then the one it meets. `interval`: where in time it holds.
    `path`: the things that join both parties, nearest to the first party first.
    `params`: plain values for the sentence; names and free text only, never a time of the interval.
    """

    rule: str
    severity: Severity
    parties: tuple[Ref, ...] = ()
    interval: Period | None = None
    path: tuple[Ref, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict, compare=False)
    waivable_by: tuple[str, ...] = ()
    repairs: tuple[Mapping[str, Any], ...] = field(default=(), compare=False)
    named: tuple[Ref, ...] = field(default=(), compare=False)
    """What the lists in `params` name (see LISTS): they are told only to who may see all of it."""
    known_as: str = field(default="", compare=False)
    """Its `id`, where it tells less than it is about."""

    @property
    def id(self) -> str:
        """Name the finding: the same as long as rule, both parties and the time of the occurrence are.

        From either side it is the same, and it does not depend on who reads it.
        """
        if self.known_as:
            return self.known_as
        about = self.parties if len(self.parties) > 1 else (*self.parties, *self.path[:1])
        parties = sorted((ref.kind, ref.uid or ref.key) for ref in about)
        when = [self.interval.start.isoformat(), self.interval.end.isoformat()] if self.interval else []
        text = json.dumps([self.rule, parties, when], separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def order(self) -> tuple[Any, ...]:
        """Where it stands among others: worst first, then by time, rule and party; total and stable."""
        start = self.interval.start.timestamp() if self.interval else float("-inf")
        return (
            _RANK[self.severity],
            start,
            self.rule,
            tuple((p.kind, p.key) for p in self.parties),
            str(self.path),
        )

    def redacted(self, sees: Callable[[Ref], bool]) -> Finding:
        """Return what somebody may be told: beside a party they may not see only rule, weight and time
        remain.
        """
        if all(sees(ref) for ref in (*self.parties, *self.path)):
            if all(sees(ref) for ref in self.named):
                return self
            return replace(self, params={key: told for key, told in self.params.items() if key not in LISTS})
        parties = tuple(party if sees(party) else HIDDEN for party in self.parties)
        return replace(self, parties=parties, path=(), params={}, repairs=(), known_as=self.id)


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to: may this be done, there, then? Instants in UTC.

    `next_open`: from when on it would not be denied, None when time alone will not help (or it is open now).
    `next_close`: until when the present answer holds while open, None when no end is in sight.
    """

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    at: datetime | None = None
    next_open: datetime | None = None
    next_close: datetime | None = None
    point_of_no_return: datetime | None = None
    """The last instant at which going back still ends in time; None: it could not be told."""

    @property
    def denied(self) -> bool:
        return self.verdict is Verdict.DENY

    def redacted(self, sees: Callable[[Ref], bool]) -> Decision:
        """Return the same answer with parties hidden that the caller may not see."""
        return replace(self, findings=tuple(finding.redacted(sees) for finding in self.findings))


ALLOW = Decision(Verdict.ALLOW)


def decide(
    findings: Iterable[Finding],
    *,
    at: datetime | None = None,
    next_open: datetime | None = None,
    next_close: datetime | None = None,
) -> Decision:
    """Weigh findings: any block or unknown denies, any warning warns, else allowed. The order is total."""
    ordered = tuple(sorted(findings, key=lambda finding: finding.order))
    severities = {finding.severity for finding in ordered}
    if severities & {Severity.BLOCK, Severity.UNKNOWN}:
        verdict = Verdict.DENY
    else:
        verdict = Verdict.WARN if Severity.WARN in severities else Verdict.ALLOW
    return Decision(verdict, ordered, at, next_open, next_close)
