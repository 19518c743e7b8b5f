"""What people say of conflicts: who sees to one, and whether it may stay."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from fairway.accounts import queries as accounts
from fairway.audit import queries as audit
from fairway.changes.models import Change, Collision
from fairway.changes.queries.deciding import claims_of, still_ahead
from fairway.changes.queries.dossier import Dossier
from fairway.changes.queries.reaching import may_pin
from fairway.claims import queries as claims
from fairway.kernel.actor import Actor
from fairway.kernel.errors import NotFound
from fairway.kernel.refs import Ref, as_uid
from fairway.policy import Finding

RULES = (claims.SAME_ITEM, claims.RELATED_ITEM, claims.PERSON)
OPEN, ACCEPTED = "open", "accepted"
BATCH = 500


@dataclass(frozen=True, slots=True)
class Handling:
    """How a conflict stands: `open`, or `accepted` for this one occurrence."""

    status: str = OPEN
    owner: Ref | None = None
    reason: str = ""
    by: str = ""
    at: datetime | None = None


NOT_HANDLED = Handling()


def handlings(findings: Collection[Finding]) -> Mapping[str, Handling]:
    """Return by id how conflicts of changes stand, those of which anything was said.

    Nothing is told where a party is hidden: redact before. A statement for each 500 records.
    """
    pairs: dict[tuple[str, frozenset[str]], Finding] = {}
    for finding in findings:
        if finding.rule in RULES and not any(party.hidden for party in finding.parties):
            pairs[finding.rule, frozenset(party.uid for party in finding.parties)] = finding
    uids = sorted({uid for _, pair in pairs for uid in pair if as_uid(uid) is not None})
    found = {}
    for start in range(0, len(uids), BATCH):
        rows = Collision.objects.filter(change__uid__in=uids[start : start + BATCH])
        for row in rows.select_related("change", "other", "person", "owner"):
            about = pairs.get((row.rule, frozenset((str(row.change.uid), str(row.other.uid)))))
            if about is not None:
                found[about.id] = _told(row, about)
    return found


def _told(row: Collision, finding: Finding) -> Handling:
    accepted = row.accepted == finding.id
    return Handling(
        ACCEPTED if accepted else OPEN,
        row.owner.ref() if row.owner is not None else None,
        row.reason if accepted else "",
        row.person.name if row.person is not None else "",
        row.handled_at,
    )


def collision(one: Change, other: Change, rule: str) -> Collision | None:
    """Return what was said of the conflict of two changes, whichever is named first."""
    pair = Q(change=one, other=other) | Q(change=other, other=one)
    return Collision.objects.filter(pair, rule=rule).select_related("owner").first()


def conflict(dossier: Dossier, other: Change, rule: str, *, at: datetime) -> Finding:
    """Return the conflict of a change with another one in the time that is not over.

    :raises NotFound: they do not conflict under the rule.
    """
    proposal = dossier.proposal()
    ahead = still_ahead(proposal, at)
    with audit.steady():
        found = claims.clashes(subject=proposal.subject, claims=claims_of(ahead)) if ahead.windows else []
    for finding in found:
        if finding.rule == rule and finding.parties[1].uid == str(other.uid):
            return finding
    raise NotFound(f"{dossier.change.key} and {other.key} do not conflict so, or it is over.")


def may_handle(actor: Actor, *dossiers: Dossier) -> bool:
    """Say whether the actor may say how a conflict of these is handled: who stands in one of them, and who
    assesses, edits or manages one.
    """
    return any(may_pin(actor, dossier) for dossier in dossiers)


def owners(actor: Actor, *dossiers: Dossier, also: Ref | None = None) -> dict[str, str]:
    """Return who might see to a conflict of these changes, by key, with their names: the actor, whoever owns,
    asked for or carries out one of them, and `also`.
    """
    wanted = {
        pk
        for dossier in dossiers
        for pk in (dossier.change.owner_id, dossier.change.requester_id, *dossier.people, actor.pk)
        if pk is not None
    }
    found = {ref.key: ref.name for _, ref in sorted(accounts.refs(wanted).items())}
    return {**found, also.key: also.name} if also is not None else found
