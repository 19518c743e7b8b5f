"""Windows as text: what a file changes, what it hits, whether its examples hold; all or nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from fairway.audit.commands import execute, preview
from fairway.audit.models import Event
from fairway.calendars.commands import CreateWindow
from fairway.calendars.models import Window
from fairway.changes import commands, queries
from fairway.changes.commands import ApplyWindows, Difference
from fairway.changes.commands.reading import Span
from fairway.changes.commands.texts import read
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import Forbidden, Invalid, Refused
from tests.changes.conftest import NOON, Company

TEXT = """
organisation: retail
windows:
  - name: Payday
    kind: hard_freeze
    starts_at: 2026-12-01T22:00:00Z
    ends_at: 2026-12-02T08:00:00Z
    tiers: [production]
    condition: priority > 1
  - name: Nights
    kind: maintenance
    zone: Europe/London
    local_start: "2026-11-30T20:00"
    duration: PT8H
    rrule: FREQ=DAILY
    items: [payments-api]
    stops: []
examples:
  - say: what is not urgent waits
    at: 2026-12-01T23:00:00Z
    item: payments-api
    environment: prod
    expect: deny
  - say: what is urgent does not
    at: 2026-12-01T23:00:00Z
    item: payments-api
    environment: prod
    priority: 1
    expect: allow
  - {at: "2026-12-01T12:00:00Z", item: payments-api, environment: prod, expect: warn}
"""


def differ(company: Company, text: str = TEXT, **more: Any) -> Difference:
    found = preview(ApplyWindows(text=text, **more), actor=company.max, at=NOON).answer
    assert isinstance(found, Difference)
    return found


def apply(company: Company, text: str = TEXT) -> Difference:
    found = execute(ApplyWindows(text=text), actor=company.max, at=NOON).answer
    assert isinstance(found, Difference)
    return found


def drafted(company: Company, start: int, end: int, **more: Any) -> str:
    window = Span(datetime(2026, 12, 1, start, tzinfo=UTC), datetime(2026, 12, 1, end, tzinfo=UTC))
    return company.change(windows=(window,), **more)


def scheduled(company: Company, start: int, end: int, **more: Any) -> str:
    key = drafted(company, start, end, **more)
    company.take("submit", "rita", key)
    company.vote("ann", key)
    return key


def names() -> set[str]:
    return set(Window.objects.filter(archived_at=None).values_list("name", flat=True))


def old(**changed: Any) -> Window:
    given: dict[str, Any] = {
        "name": "Old",
        "kind": "hard_freeze",
        "organisation": "retail",
        "starts_at": NOON,
        "ends_at": datetime(2026, 12, 1, 22, tzinfo=UTC),
        **changed,
    }
    made = execute(CreateWindow(**given), actor=SYSTEM).subject
    assert made is not None
    return Window.objects.get(uid=made.uid)


def test_what_a_text_adds_changes_and_removes_with_what_it_hits(company: Company) -> None:
    old()
    hit, urgent = scheduled(company, 22, 23), scheduled(company, 22, 23, priority=1)
    old(name="Beside", organisation="cards")
    old(name="Above", organisation="group", kind="information")
    freed = drafted(company, 13, 14)
    found = differ(company)
    assert (found.added, found.changed) == (("Payday", "Nights"), {})
    assert [ref.name for ref in found.removed] == ["Old"]
    assert {(hit.change.key, hit.effect) for hit in found.hits} == {(hit, "stopped"), (freed, "freed")}
    assert urgent not in {hit.change.key for hit in found.hits}
    assert found.hits[0].owner is not None
    assert names() == {"Old", "Beside", "Above"}, "a difference writes nothing"
    assert apply(company).added == found.added
    assert names() == {"Payday", "Nights", "Beside", "Above"}
    assert differ(company).nothing
    last = Event.objects.order_by("-sequence").first()
    apply(company)
    assert Event.objects.order_by("-sequence").first() == last, "what is so already is not written again"


def test_a_changed_window_keeps_its_key_and_tells_its_fields(company: Company) -> None:
    apply(company)
    before = Window.objects.get(name="Payday").key
    text = TEXT.replace("[production]", "[production, staging]").replace("2026-12-02T08", "2026-12-02T09")
    assert apply(company, text).changed == {"Payday": ("ends_at", "tiers")}
    assert Window.objects.get(name="Payday").key == before


def test_an_example_that_does_not_hold_refuses_the_whole(company: Company) -> None:
    assert apply(company).added
    wrong = TEXT.replace("priority > 1", "priority > 3")
    assert [one.holds for one in differ(company, wrong).examples] == [False, True, True]
    with pytest.raises(Refused, match=r"Example 1 \(what is not urgent waits\) does not hold: expected deny"):
        apply(company, wrong)
    assert Window.objects.get(name="Payday").condition == "priority > 1"


def test_it_is_replayed_over_the_past(company: Company) -> None:
    scheduled(company, 22, 23)
    scheduled(company, 15, 16)
    span = commands.TextSpan(datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 12, 3, tzinfo=UTC))
    found = differ(company, backtest=span).backtest
    assert found is not None
    assert (found.changes, found.stopped, found.by) == (2, 1, {"Payday": 1})


@pytest.mark.parametrize(
    ("text", "field", "told"),
    [
        ("organisation: retail\n  x: [", "text", "no YAML at line"),
        ("- a", "text", "organisation"),
        ("organisation: retail\norganisation: cards", "text", "stands here twice"),
        ("organisation: &a retail\nwindows: [{name: *a, kind: holiday}]", "text", "aliases"),
        ("[" * 5_000, "text", "no YAML"),
        ("a" * 300_000, "text", "longer than"),
        ("{}: {}", "text", "one word"),
        ("organisation: nowhere", "organisation", "no organisation"),
        ("organisation: retail\nwindws: []", "windws", "no such field"),
        (TEXT.replace("hard_freeze", "freeze"), "windows[0].kind", "is not possible"),
        (TEXT.replace("hard_freeze", "lockdown"), "windows[0].kind", "life of their own"),
        (TEXT.replace("priority > 1", "prio > 1"), "windows[0].condition", "undeclared reference"),
        (TEXT.replace("Nights", "Payday"), "windows[1].name", "twice"),
        (TEXT.replace("2026-12-01T22:00:00Z", "2026-12-01T22:00:00"), "windows[0].starts_at", "timezone"),
        (TEXT.replace("environment: prod\n    expect: deny", "environment: moon\n    expect: deny"),
         "examples[0].environments", "moon"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_by_place(company: Company, text: str, field: str, told: str) -> None:
    with pytest.raises(Invalid) as problem:
        differ(company, text)
    assert (problem.value.errors[0].field, told in problem.value.errors[0].message) == (field, True)


def test_it_takes_the_permission_where_the_windows_are(company: Company) -> None:
    for actor in (company.vera, company.rita):
        with pytest.raises(Forbidden):
            preview(ApplyWindows(text=TEXT), actor=actor)
    with pytest.raises(Invalid):
        preview(ApplyWindows(text=TEXT), actor=company.carl)  # there is no such organisation for him
    assert read(TEXT).organisation == "retail"
    assert queries.hits([], [], at=NOON) == []
