"""How a person is told of times: in their zone, in the form of every screen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from fairway.kernel.period import Period
from fairway.policy import Words
from fairway.ui import times


@dataclass(frozen=True, slots=True)
class PageWords(Words):
    """Sentences of a page: `Tue 24 Nov 21:00 to 23:30 GMT`; the year only where it is another than now."""

    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)

    def instant(self, at: datetime) -> str:
        return times.instant(at, zone=str(self.zone), now=self.now)

    def period(self, period: Period) -> str:
        start, end = self.instant(period.start), self.instant(period.end)
        first, last = start.rsplit(" ", 2), end.rsplit(" ", 2)  # day, time, zone
        if first[2] != last[2]:
            return _("%(start)s to %(end)s") % {"start": start, "end": end}
        if first[0] == last[0]:
            end = f"{last[1]} {last[2]}"
        return _("%(start)s to %(end)s") % {"start": f"{first[0]} {first[1]}", "end": end}


def words_for(zone: str, *, now: datetime | None = None) -> PageWords:
    """Return the words for a reader in an IANA zone."""
    return PageWords(ZoneInfo(zone), now or datetime.now(UTC))
