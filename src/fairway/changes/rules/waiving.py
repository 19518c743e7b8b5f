"""Which finding a waiver is about, and what becomes of a finding that is waived; pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fairway.kernel.period import Period
from fairway.policy import Finding, Severity
from fairway.scheduling import IntervalSet

PERMISSIONS = {"change manager": "changes.manage", "environment manager": "environments.edit"}
"""What one has to be allowed to waive what a role waives; `change manager of the scope` begins so."""


@dataclass(frozen=True, slots=True)
class Exempt:
    """A granted waiver: from a rule towards another party (by uid), for one occurrence, until it expires."""

    key: str
    rule: str
    other: str
    period: Period
    expires: datetime
    by: str

    def covers(self, finding: Finding, *, at: datetime) -> bool:
        """Say whether the finding is the one waived, or lies within it. What has moved is not."""
        return (
            finding.rule == self.rule
            and other_of(finding) == self.other
            and finding.interval is not None
            and self.period.covers(finding.interval)
            and self.expires > max(at, finding.interval.start)
        )


@dataclass(frozen=True, slots=True)
class Waived:
    """What a finding tells of the waiver from it."""

    key: str
    by: str
    until: datetime


def passes(waivers: Iterable[Exempt], rules: Collection[str], *, at: datetime) -> dict[str, IntervalSet]:
    """Return when what others say by these rules is let pass, by their uid, for who asks at an instant."""
    found: dict[str, list[Period]] = {}
    for one in waivers:
        end = min(one.period.end, one.expires)
        if one.rule in rules and one.expires > at and one.period.start < end:
            found.setdefault(one.other, []).append(Period(one.period.start, end))
    return {other: IntervalSet.of(periods) for other, periods in found.items()}


def permission_of(roles: Iterable[str]) -> str:
    """Return the permission that it takes to waive what these roles may; empty: nobody may."""
    for role in roles:
        for known, permission in PERMISSIONS.items():
            if role.startswith(known):
                return permission
    return ""


def other_of(finding: Finding) -> str:
    """Return the uid of the other party, or of the thing that a finding without one is about."""
    others = finding.parties[1:] or finding.path[:1]
    return others[0].uid if others else ""


def waivable(finding: Finding) -> bool:
    """Say whether somebody may waive it: it stands in the way, and a role may let it pass."""
    return (
        finding.severity is Severity.BLOCK
        and finding.interval is not None
        and bool(other_of(finding))
        and bool(permission_of(finding.waivable_by))
    )


def honoured(findings: Iterable[Finding], waivers: Sequence[Exempt], *, at: datetime) -> list[Finding]:
    """Return the findings, where those that are waived only warn, and tell by whom and until when."""
    told = []
    for finding in findings:
        exempt = next((one for one in waivers if one.covers(finding, at=at)), None)
        if exempt is None or finding.severity is not Severity.BLOCK:
            told.append(finding)
            continue
        waived = Waived(exempt.key, exempt.by, exempt.expires)
        told.append(replace(finding, severity=Severity.WARN, params={**finding.params, "waived": waived}))
    return told


def window_by_window(windows: Sequence[Period], look: Callable[[Period], Iterable[Finding]]) -> list[Finding]:
    """Look at each window by itself, and keep of each rule and pair the worst, the first of equals.

    So what is waived in one night hides nothing of the next.
    """
    found: dict[object, Finding] = {}
    for window in sorted(windows):
        for finding in look(window):
            key = (finding.rule, finding.parties, finding.path[:1] if len(finding.parties) < 2 else ())
            known = found.get(key)
            if known is None or finding.order < known.order:
                found[key] = finding
    return list(found.values())
