"""What the bank's people say to each other beside the records, and how they like to look at lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fairway.demo.story import company
from fairway.demo.story.calendar import Window
from fairway.demo.story.planned import Planned

TOMAS, WEILING, MARGARET, INGRID, PRIYA = (
    f"{mail}@{company.DOMAIN}"
    for mail in ("tomas.ferreira", "weiling.tan", "margaret.okafor", "ingrid.solberg", "priya.raman")
)
ROBIN = company.DEMO.email


@dataclass(frozen=True, slots=True)
class Said:
    """A comment. `change`: the number of the planned change it is about; else `kind` and `about`, a key or
    the name of a window. Each “@” in the text stands for the next of `names`.
    """

    at: datetime
    by: str
    text: str
    change: int | None = None
    kind: str = "change"
    about: str = ""
    names: tuple[str, ...] = ()


ASKED = (
    "@ can you say how long the back-out takes? The plan says “quickly”.",
    "Who is on call that night? @ please add them as implementer.",
    "@ the vendor moved their slot by an hour. Does that still fit the window?",
)
ANSWERED = (
    "Forty minutes, measured in staging on Tuesday. I put it into the plan.",
    "Fits. We have **90 minutes** of slack:\n\n- drain: 10 min\n- switch: 20 min\n- checks: 30 min",
    "Done, and the runbook names them too.",
)
REMARKS = (
    "Same procedure as last month; nothing unusual then.",
    "Dashboards to watch: `errors_total`, queue depth and the p99 of logins.",
    "Reminder: the branches open an hour earlier that day.",
)


def talk(planned: Sequence[Planned], windows: Sequence[Window], *, now: datetime) -> list[Said]:
    """Return what was said up to now."""
    said: list[Said] = []
    for number, change in enumerate(planned):
        begun = change.steps[0].at + timedelta(hours=3)
        approver, implementer = company.approver(change.unit), change.implementers[0]
        if number % 3 == 0 and approver != change.requester:
            which = number // 3 % len(ASKED)
            said.append(Said(begun, approver, ASKED[which], number, names=(implementer,)))
            said.append(Said(begun + timedelta(hours=2), implementer, ANSWERED[which], number))
        elif number % 5 == 0:
            said.append(Said(begun, change.requester, REMARKS[number // 5 % len(REMARKS)], number))
        if number % 25 == 7:
            asked = "@ is this one for Thursday’s board, or may it go as it is?"
            said.append(Said(begun + timedelta(hours=4), TOMAS, asked, number, names=(ROBIN,)))
    said += [
        Said(now - timedelta(days=6), WEILING, "Prod stays at its present size until the freeze.", None,
             "environment", "prod"),
        Said(now - timedelta(days=2), MARGARET, "@ the owner changed in the last audit; please check.", None,
             "item", "payments-api", (ROBIN,)),
        Said(now - timedelta(days=1), PRIYA, "Fail-over runbooks are in the wiki."
             "\n\n| part | owner |\n|---|---|\n| database | platforms |\n| gateway | payments |",
             None, "item", "core-ledger"),
    ]  # fmt: skip
    if windows:
        newest = max(windows, key=lambda window: window.known)
        text = "@ lending asks whether their go-live falls under this. I think so."
        said.append(Said(now - timedelta(hours=5), INGRID, text, None, "window", newest.name, (TOMAS,)))
    return [one for one in said if one.at <= now]


CHECKLIST = "# Fail-over\n\n1. Stop the batch\n2. Switch\n3. Check\n"
CONTACTS = "role,name\nduty manager,Kofi Mensah\nenvironments,Tan Wei Ling\n"
FILES = (
    (PRIYA, "item", "core-ledger", "Fail-over checklist.md", CHECKLIST),
    (WEILING, "environment", "prod", "contacts.csv", CONTACTS),
)
"""Who attached what where: a person, a kind and a key, the file's name and its words."""

WATCHED = (
    *((ROBIN, "item", key) for key in ("core-ledger", "payments-api")),
    *((by, "environment", "prod") for by in (ROBIN, WEILING, TOMAS, INGRID)),
    (PRIYA, "item", "core-ledger"),
)
"""Who watches what: a person, a kind and a key."""


@dataclass(frozen=True, slots=True)
class View:
    """A saved view: whose, and what it holds (the arguments of the command)."""

    by: str
    values: dict[str, Any]


SHARED = {"sharing": "organisation", "organisation": company.ROOT, "pinned": True}
VIEWS = (
    View(ROBIN, {"page": "changes", "name": "Production next", "sort": "planned_start", "pinned": True,
                 "filters": {"tab": "open", "environment": "prod", "state": "scheduled"}}),
    View(TOMAS, {"page": "changes", "name": "For the board", **SHARED,
                 "filters": {"tab": "open", "state": "authorising", "model": "normal"}}),
    View(MARGARET, {"page": "items", "name": "Most critical", **SHARED, "filters": {"criticality": "1"}}),
    View(ROBIN, {"page": "items", "name": "Databases", "filters": {"kind": "database"}}),
    View(WEILING, {"page": "calendar", "name": "Production", **SHARED, "filters": {"environment": "prod"}}),
)  # fmt: skip
