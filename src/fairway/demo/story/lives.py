"""How a change goes: the steps from being asked for to being closed, as far as the clock has come."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fairway.demo.story import company, work
from fairway.demo.story.planned import Planned, Step

ZONES = {person.email: person.zone for person in company.PEOPLE}


def live(change: Planned, *, now: datetime, chance: random.Random) -> tuple[Step, ...]:
    """Return the steps taken with a change up to now, the first of them asking for it."""
    return tuple(step for step in _whole(change, now=now, chance=chance) if step.at <= now)


def _whole(change: Planned, *, now: datetime, chance: random.Random) -> list[Step]:
    standard = bool(change.work.template)
    start, end = change.span
    fate = change.fate or _fate(change, now=now, chance=chance)
    lead = change.lead or (chance.uniform(3, 9) if standard else chance.uniform(11, 26))
    asked = _office(start - timedelta(days=lead), change.requester, chance)
    if asked > now - timedelta(hours=2):
        asked = _office(now - timedelta(days=chance.uniform(2, 16)), change.requester, chance)
    asked = min(asked, now - timedelta(hours=chance.uniform(2, 9)))
    if not standard and not change.lead and fate not in {"draft", "authorising"}:
        asked = min(asked, now - timedelta(days=chance.uniform(7, 10)))  # time to be approved before today
    steps = [Step(asked, change.requester, "create")]
    if fate == "draft":
        return steps
    submitted = asked + timedelta(minutes=chance.uniform(10, 90))
    steps.append(Step(submitted, change.requester, "submit"))
    if fate == "returned":
        reason = {"reason": "Name who tests it, and when the business signs off."}
        return [
            *steps,
            Step(submitted + timedelta(hours=20), company.approver(change.unit), "return", reason),
        ]
    approved = submitted + timedelta(minutes=chance.uniform(2, 20))
    if not standard:
        if fate == "authorising":
            return steps
        voter = company.approver(change.unit)
        approved = _office(submitted + timedelta(hours=chance.uniform(18, 60)), voter, chance)
        approved = max(submitted + timedelta(minutes=5), min(approved, start - timedelta(hours=3)))
        if fate == "rejected":
            said = {"choice": "reject", "comment": chance.choice(work.REJECTIONS)}
            return [*steps, Step(approved, voter, "vote", said)]
        steps.append(
            Step(approved, voter, "vote", {"choice": "approve", "comment": chance.choice(work.APPROVALS)})
        )
    if fate == "held":
        held = {"reason": chance.choice(work.HOLDS)}
        return [*steps, Step(max(approved, now - timedelta(hours=30)), change.owner, "hold", held)]
    if fate == "cancelled":
        last = min(now - timedelta(hours=1), start - timedelta(hours=chance.uniform(4, 40)))
        called_off = {"reason": chance.choice(work.CANCELLATIONS)}
        return [*steps, Step(max(approved + timedelta(hours=1), last), change.owner, "cancel", called_off)]
    if fate == "scheduled":
        return steps
    by = change.implementers[0]
    begun = start + timedelta(minutes=chance.choice((0, 1, 2, 4, 7, 11)))
    steps.append(Step(begun, by, "start"))
    done = begun + (end - begun) * chance.uniform(0.45, 0.95)
    outcome = _outcome(change, chance)
    steps.append(Step(done, by, "complete", outcome))
    clean = outcome["outcome"] == "successful"
    if fate != "reviewing" and not (standard and clean):
        days = chance.uniform(0.6, 2.5) if clean else chance.uniform(2, 9)
        steps.append(Step(_office(done + timedelta(days=days), change.owner, chance), change.owner, "close"))
    return steps


def _fate(change: Planned, *, now: datetime, chance: random.Random) -> str:
    """Say where the change is bound; one whose time has come goes through to its end."""
    start, standard = change.span[0], bool(change.work.template)
    if start <= now:
        return chance.choices(("done", "cancelled", "rejected"), weights=(92, 5, 0 if standard else 3))[0]
    days = (start - now) / timedelta(days=1)
    if standard:
        return chance.choices(("scheduled", "draft", "cancelled"), weights=(80, 14 if days > 6 else 0, 4))[0]
    if days < 9:
        weights = (78, 10, 0, 0, 4, 4)
    elif days < 30:
        weights = (46, 34, 10, 3, 3, 2)
    else:
        weights = (12, 26, 54, 4, 2, 0)
    fates = ("scheduled", "authorising", "draft", "returned", "cancelled", "held")
    return chance.choices(fates, weights=weights)[0]


def _outcome(change: Planned, chance: random.Random) -> dict[str, Any]:
    [outcome] = chance.choices(
        ("successful", "with_issues", "partial", "unsuccessful"),
        weights=(93, 5, 1, 1) if change.work.template else (83, 10, 3, 4),
    )
    said: dict[str, Any] = {"outcome": outcome}
    if outcome != "successful":
        notes = {"with_issues": work.ISSUES, "partial": work.PARTIALS, "unsuccessful": work.FAILURES}
        said["note"] = chance.choice(notes[outcome])
    if outcome == "unsuccessful":
        said["backed_out"] = True
    return said


def _office(at: datetime, who: str, chance: random.Random) -> datetime:
    """Return an instant in somebody's working hours on the day of `at` or the next working day there."""
    zone = ZoneInfo(ZONES[who])
    day: date = at.astimezone(zone).date()
    while day.weekday() > 4:
        day += timedelta(days=1)
    minutes = chance.randint(0, 8 * 60)
    local = datetime.combine(day, time(9), zone) + timedelta(minutes=minutes)
    return local.astimezone(ZoneInfo("UTC"))
