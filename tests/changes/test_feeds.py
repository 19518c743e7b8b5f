"""A feed reads as its owner would: checked with another parser than the one that writes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import vobject  # type: ignore[import-untyped]  # it has none
from django.test import Client
from django.utils import timezone

from fairway.accounts.commands import SetUserActive
from fairway.audit.commands import execute
from fairway.audit.models import Event
from fairway.calendars.commands import CreateWindow
from fairway.changes import commands
from fairway.changes.commands.reading import Span
from fairway.changes.models import CalendarFeed
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import NotFound
from tests.changes.conftest import Company, stored

SOON = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=3)


def plan(company: Company, **more: Any) -> str:
    return company.change("max", windows=(Span(SOON, SOON + timedelta(hours=2)),), **more)


def subscribed(actor: Actor, **more: Any) -> str:
    return str(execute(commands.CreateFeed(name="Mine", **more), actor=actor).answer)


def events(secret: str) -> dict[str, Any]:
    """Return what another parser reads, by summary."""
    answer = Client().get(f"/feeds/{secret}.ics")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    calendar = vobject.readOne(answer.content.decode())
    assert calendar.x_wr_calname.value == "Mine"
    return {event.summary.value: event for event in calendar.contents.get("vevent", [])}


def test_another_program_reads_what_was_planned(company: Company) -> None:
    text = "Line one, with a comma; a semicolon\nand “quotes” — " + "long " * 60
    key = plan(company, title="Patch; the, API\\ now", description=text)
    execute(
        CreateWindow(
            kind="hard_freeze", name="Year end", organisation="group", zone="Europe/London", reason="Closing",
            local_start=(SOON - timedelta(days=1)).replace(tzinfo=None, hour=1).isoformat(),
            duration=timedelta(hours=3), rrule="FREQ=WEEKLY;COUNT=3",
        ),
        actor=SYSTEM,
    )  # fmt: skip
    read = events(subscribed(company.max))
    change = read[f"{key} Patch; the, API\\ now"]
    assert (change.dtstart.value, change.dtend.value) == (SOON, SOON + timedelta(hours=2))
    assert change.description.value.startswith(text.strip())
    assert (change.location.value, change.status.value) == ("prod", "TENTATIVE")
    assert change.url.value.endswith(f"/changes/{key}")
    freezes = [name for name in read if name == "Year end"]
    assert freezes
    answer = Client().get(f"/feeds/{subscribed(company.max, shows='windows')}.ics").content.decode()
    found = vobject.readOne(answer).contents["vevent"]
    assert len(found) == 3
    assert {event.x_fairway_kind.value for event in found} == {"hard_freeze"}
    assert len({event.uid.value for event in found}) == 3


def test_it_shows_what_its_owner_sees_and_nothing_else(company: Company) -> None:
    mine = plan(company, title="Ours")
    execute(
        commands.CreateChange(
            title="Theirs", items=("card-core",), windows=(Span(SOON, SOON + timedelta(hours=1)),)
        ),
        actor=company.carl,
    )
    assert list(events(subscribed(company.vera))) == [f"{mine} Ours"]
    assert [name.split()[-1] for name in events(subscribed(company.carl))] == ["Theirs"]
    assert events(subscribed(company.vera, item="ledger-db")) == {}
    assert list(events(subscribed(company.vera, environment="prod"))) == [f"{mine} Ours"]
    assert events(subscribed(company.vera, environment="dev")) == {}
    with pytest.raises(NotFound):
        subscribed(company.vera, item="card-core")


def test_a_secret_is_told_once_and_ends_when_taken_back_or_with_its_owner(company: Company) -> None:
    plan(company)
    secret = subscribed(company.vera)
    row = CalendarFeed.objects.get()
    assert secret not in str(vars(row))
    assert not any(secret in str(event.data) for event in Event.objects.all())
    tag = Client().get(f"/feeds/{secret}.ics")["ETag"]
    assert Client().get(f"/feeds/{secret}.ics", headers={"If-None-Match": tag}).status_code == 304
    execute(commands.RevokeFeed(feed=str(row.uid)), actor=company.vera)
    assert Client().get(f"/feeds/{secret}.ics").status_code == 404
    other = subscribed(company.vera)
    assert Client().get(f"/feeds/{other}.ics").status_code == 200
    execute(SetUserActive(user="vera@example.org", active=False), actor=SYSTEM)
    assert Client().get(f"/feeds/{other}.ics").status_code == 404
    assert Client().get("/feeds/nothing.ics").status_code == 404


def test_what_is_cancelled_leaves_the_feed_and_what_moves_keeps_its_name(company: Company) -> None:
    key = plan(company)
    secret = subscribed(company.max)
    before = next(iter(events(secret).values()))
    later = Span(SOON + timedelta(days=1), SOON + timedelta(days=1, hours=2))
    execute(commands.RescheduleChange(change=key, windows=(later,)), actor=company.max, at=timezone.now())
    after = next(iter(events(secret).values()))
    assert after.dtstart.value == later.start
    assert int(after.sequence.value) > int(before.sequence.value)
    execute(commands.CancelChange(change=key, reason="No"), actor=company.max)
    assert stored(key).state == "cancelled"
    assert events(secret) == {}
