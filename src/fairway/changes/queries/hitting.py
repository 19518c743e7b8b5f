"""What other windows would do to changes: those they would newly stop, and those they would set free."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Literal

from fairway.audit import queries as audit
from fairway.calendars import queries as calendars
from fairway.calendars.queries import Activity, Calendar, Compiled
from fairway.changes.models import Change
from fairway.changes.queries.deciding import ahead_of, targets
from fairway.changes.queries.dossier import Proposal
from fairway.changes.queries.holding import proposals
from fairway.kernel.period import Period
from fairway.kernel.refs import Ref
from fairway.policy import Finding, Severity, decide

AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Hit:
    """A change that would be stopped by what did not stop it, or is not stopped any more. `owner`: their uid
    and name.
    """

    change: Ref
    owner: tuple[str, str] | None
    effect: Literal["stopped", "freed"]
    starts_at: datetime
    findings: tuple[Finding, ...]


def hits(removed: Collection[Ref], added: Collection[Compiled], *, at: datetime) -> list[Hit]:
    """Return what it would do to the open changes ahead if these windows went and those came, by time.

    All of them, whoever asks: redact at the door. The number of statements grows with the thousands alone.
    """
    with audit.steady():
        before = calendars.calendar()
        gone = set(removed)
        after = Calendar([*(window for window in before.windows if window.ref not in gone), *added])
        moved = [*(window for window in before.windows if window.ref in gone), *added]
        rows = Change.objects.filter(is_open=True, archived_at=None, planned_end__gt=at, actual_start=None)
        found = []
        for proposal in _proposals(rows.order_by("pk").values_list("pk", flat=True)):
            ahead = ahead_of(proposal.windows, at)
            if not ahead or not _concerned(proposal, moved):
                continue
            asked = replace(proposal, windows=ahead, downtimes=ahead_of(proposal.downtimes, at))
            activity = Activity.START if proposal.strength == "approved" else Activity.SCHEDULE
            old, new = (_against(calendar, asked, activity) for calendar in (before, after))
            # what is edited has another key while it is a draft: compare what is told, not who tells it
            if not old and new:
                found.append((proposal.subject, "stopped", min(ahead).start, tuple(new)))
            elif old and not new:
                found.append((proposal.subject, "freed", min(ahead).start, tuple(old)))
    owners = Change.objects.filter(pk__in=[ref.pk for ref, *_ in found if ref.pk is not None])
    people = {
        pk: (str(uid), str(name)) if name else None
        for pk, uid, name in owners.values_list("pk", "owner__uid", "owner__name")
    }
    made = [
        Hit(ref, people.get(ref.pk or 0), effect, start, told)  # type: ignore[arg-type]
        for ref, effect, start, told in found
    ]
    return sorted(made, key=lambda hit: (hit.starts_at, hit.change.key))


@dataclass(frozen=True, slots=True)
class Backtest:
    """What windows would have done in a span: `stopped` of `changes`, and `by` which; one counts for each."""

    span: Period
    changes: int
    stopped: int
    by: dict[str, int]
    keys: tuple[Ref, ...]


def backtest(windows: Collection[Compiled], span: Period) -> Backtest:
    """Replay windows over the changes planned to begin in a span, whatever came of them."""
    calendar = Calendar(windows)
    rows = Change.objects.filter(planned_start__gte=span.start, planned_start__lt=span.end, archived_at=None)
    names = {window.ref.key: window.ref.name for window in windows}
    total, by, stopped = 0, Counter[str](), []
    with audit.steady():
        for proposal in _proposals(rows.order_by("pk").values_list("pk", flat=True)):
            total += 1
            found = _against(calendar, proposal, Activity.START) if proposal.windows else []
            told = {name for one in found for name in _names(one, names)}
            by.update(told)
            if found:
                stopped.append(proposal.subject)
    return Backtest(span, total, len(stopped), dict(sorted(by.items())), tuple(stopped))


def stops(
    window: Compiled, proposal: Proposal, periods: Sequence[Period], downtimes: Sequence[Period]
) -> bool:
    """Say whether this window alone would stop the proposal, were it planned for these times."""
    asked = replace(proposal, windows=tuple(periods), downtimes=tuple(downtimes))
    calendar = Calendar([window])
    return any(_against(calendar, asked, activity) for activity in (Activity.SCHEDULE, Activity.START))


def _names(finding: Finding, names: dict[str, str]) -> Iterable[str]:
    if len(finding.parties) > 1:
        return [names.get(finding.parties[1].key, finding.parties[1].name)]
    return [str(name) for name in finding.params.get("names", ())]


def _proposals(pks: Iterable[int]) -> Iterator[Proposal]:
    left = iter(list(pks))
    while some := list(islice(left, AT_ONCE)):
        for proposal in proposals(some).values():
            if proposal is not None:
                yield proposal


def _concerned(proposal: Proposal, windows: Iterable[Compiled]) -> bool:
    some = targets(proposal.organisation, proposal.items, proposal.environments, proposal.model)
    return any(window.scope.matches(target) for window in windows for target in some)


def _against(calendar: Calendar, proposal: Proposal, activity: Activity) -> list[Finding]:
    found = calendar.findings(
        proposal.subject,
        targets(proposal.organisation, proposal.items, proposal.environments, proposal.model),
        proposal.windows,
        reason=proposal.freeze_reason,
        activity=activity,
        downtimes=proposal.downtimes,
        facts=proposal.facts,
    )
    heavy = {Severity.BLOCK, Severity.UNKNOWN}
    return [one for one in decide(found).findings if one.severity in heavy]
