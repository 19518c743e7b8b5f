"""Free slots as pages and the API tell them: each with why it stands where it does in the ranking."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fairway.changes.queries.slotting import HOURS, NEAR_FREEZE, SOFT_FREEZE, USUAL
from fairway.claims.queries import RELATED_ITEM, SAME_ITEM
from fairway.kernel.refs import HIDDEN, Ref
from fairway.scheduling import Share, Slot

MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Reason:
    """What adds to the disruption of a slot. `about`: what it names, as far as the reader may see it."""

    rule: str
    points: float
    amount: float
    message: str
    about: tuple[Ref, ...]


def reasons(slot: Slot, sees: Callable[[Ref], bool]) -> list[Reason]:
    """Return what each share of the points comes from, most first."""
    return [_reason(share, sees) for share in slot.shares]


def _reason(share: Share, sees: Callable[[Ref], bool]) -> Reason:
    refs = [one for some in share.about for one in (some if isinstance(some, tuple) else (some,))]
    about = tuple(dict.fromkeys(ref if sees(ref) else HIDDEN for ref in refs))
    return Reason(share.load.name, round(share.points, 2), round(share.amount, 2), _told(share, about), about)


def _told(share: Share, about: tuple[Ref, ...]) -> str:
    texts = {
        HOURS: _("%(hours)s h within the service hours of %(things)s"),
        USUAL: _("%(hours)s h within usual office hours, for %(things)s"),
        NEAR_FREEZE: _("Shortly before the freeze %(things)s: little time to mend what breaks"),
        SOFT_FREEZE: _("Within the soft freeze %(things)s"),
        SAME_ITEM: _("On the same item as %(things)s"),
        RELATED_ITEM: _("On an item related to one that %(things)s works on"),
    }
    values = {"hours": f"{share.amount:.3g}", "things": _listed(about)}
    return texts.get(share.load.name, _("Meets %(things)s")) % values


def _listed(about: Iterable[Ref]) -> str:
    refs = list(about)
    named = [
        _("another organisation") if ref.hidden else (ref.name if ref.kind == "window" else ref.key)
        for ref in refs[:MOST_NAMED]
    ]
    left = len(refs) - len(named)
    text = ", ".join(name for name in named if name)
    if left:
        text += ngettext(" and %(count)d more", " and %(count)d more", left) % {"count": left}
    return text
