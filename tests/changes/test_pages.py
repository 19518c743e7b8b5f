"""Pages of changes: what they show, what their forms do, and that they refuse what the commands refuse."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fairway.accounts.models import User
from fairway.audit.models import Event
from fairway.changes.models import Change
from tests.changes.conftest import NOON, Company, hours, stored

TOMORROW = datetime.now(UTC).replace(hour=21, minute=0, second=0, microsecond=0) + timedelta(days=1)
LOCAL = "%Y-%m-%dT%H:%M"
POISON = "<script>alert('x')</script>"


def signed_in(company: Company, name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(uid=company.people[name].uid))
    return client


def filled(**more: Any) -> dict[str, Any]:
    return {
        "title": "Patch the API",
        "template": "normal",
        "items": "payments-api",
        "environments": "prod",
        "windows-start": TOMORROW.strftime(LOCAL),
        "windows-end": (TOMORROW + timedelta(hours=2)).strftime(LOCAL),
        "priority": "3",
        **more,
    }


@pytest.fixture
def rita(company: Company) -> Client:
    return signed_in(company, "rita")


def test_new_change_is_submitted_with_one_form(rita: Client) -> None:
    assert rita.get("/changes/new").status_code == 200
    answer = rita.post("/changes/new", filled(then="submit"))
    change = Change.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/changes/{change.key}")
    assert (change.state, change.planned_start) == ("authorising", TOMORROW)


def test_new_change_can_be_saved_as_a_draft(rita: Client) -> None:
    rita.post("/changes/new", filled(then="draft"))
    assert Change.objects.get().state == "draft"


def test_new_standard_change_is_scheduled_with_one_form(rita: Client) -> None:
    rita.post("/changes/new", filled(then="submit", template="os-patch"))
    assert Change.objects.get().state == "scheduled"


def test_new_change_keeps_what_was_typed_and_says_what_is_wrong(rita: Client) -> None:
    answer = rita.post("/changes/new", filled(then="submit", items="payments-api, nothing"))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "There is no item “nothing”." in page
    assert 'value="payments-api, nothing"' in page
    assert Change.objects.count() == 0


def test_submitting_without_a_plan_keeps_the_form_and_writes_nothing(rita: Client) -> None:
    answer = rita.post("/changes/new", {"title": "Vague", "template": "normal", "then": "submit"})
    assert answer.status_code == 422
    assert Change.objects.count() == 0


def test_the_form_tells_a_clash_before_the_first_save(company: Company, rita: Client) -> None:
    rita.post("/changes/new", filled(then="submit"))
    first = Change.objects.get().key
    events = Event.objects.count()
    strip = rita.post("/changes/preview", filled(title=""))
    page = strip.content.decode()
    assert strip.status_code == 200
    assert first in page
    assert "Possible, with 1 warning" in page
    assert (Event.objects.count(), Change.objects.count()) == (events, 1)


@pytest.mark.parametrize(
    ("case", "given", "words"),
    [
        ("nothing yet", {}, "Nothing to check yet"),
        ("free", filled(), "Nothing stands in the way"),
        ("half a window", filled(**{"windows-end": ""}), "Nothing to check yet"),
        ("unknown item", filled(items="nothing"), "There is no item “nothing”."),
    ],
)
def test_the_strip_of_a_form(rita: Client, case: str, given: dict[str, Any], words: str) -> None:
    assert words in rita.post("/changes/preview", given).content.decode()


def test_edit_saves_and_a_stale_version_is_told(company: Company, rita: Client) -> None:
    key = company.change()
    page = rita.get(f"/changes/{key}/edit")
    assert 'value="payments-api"' in page.content.decode()
    assert rita.post(f"/changes/{key}/edit", filled(version="1", title="New title")).status_code == 302
    assert stored(key).title == "New title"
    again = rita.post(f"/changes/{key}/edit", filled(version="1", title="Other"))
    assert again.status_code == 422
    assert "version 2" in again.content.decode()
    assert stored(key).title == "New title"


def test_the_record_offers_the_legal_steps_alone(company: Company, rita: Client) -> None:
    key = company.change(windows=(hours(0, 2),))
    page = rita.get(f"/changes/{key}").content.decode()
    assert f'action="/changes/{key}/submit"' in page
    assert f"/changes/{key}/vote" not in page
    looking = signed_in(company, "vera").get(f"/changes/{key}").content.decode()
    assert f'action="/changes/{key}/' not in looking


def test_an_approver_approves_with_one_click(company: Company) -> None:
    key = company.change()
    company.take("submit", "rita", key)
    ann = signed_in(company, "ann")
    page = ann.get(f"/changes/{key}").content.decode()
    assert f'action="/changes/{key}/vote"' in page
    answer = ann.post(
        f"/changes/{key}/vote", {"choice": "approve", "digest": stored(key).digest, "version": "2"}
    )
    assert answer["Location"] == f"/changes/{key}"
    assert stored(key).state == "scheduled"


def test_who_may_not_decide_reads_why(company: Company) -> None:
    key = company.change()
    company.take("submit", "rita", key)
    page = signed_in(company, "bob").get(f"/changes/{key}").content.decode()
    assert "stands in for one of them" in page
    assert f'action="/changes/{key}/vote"' not in page


def test_a_refused_step_says_why_on_the_record(company: Company, rita: Client) -> None:
    key = company.change(windows=())
    answer = rita.post(f"/changes/{key}/submit", follow=True)
    assert "has no planned window" in answer.content.decode()
    assert stored(key).state == "draft"


def test_completing_asks_what_came_of_it(company: Company) -> None:
    at = NOON + timedelta(hours=9, minutes=5)
    key = company.scheduled()
    company.take("start", "ian", key, at=at)
    ian = signed_in(company, "ian")
    assert ian.get(f"/changes/{key}/finish").status_code == 200
    assert ian.post(f"/changes/{key}/finish", {"outcome": "partial", "note": ""}).status_code == 422
    assert ian.post(f"/changes/{key}/finish", {"outcome": "successful"}).status_code == 302
    assert stored(key).state == "reviewing"


@pytest.mark.parametrize(
    "path",
    ["/changes/{key}", "/changes/{key}/edit", "/changes/{key}/finish", "/changes/panel?item=payments-api"],
)
def test_another_branch_sees_nothing(company: Company, path: str) -> None:
    key = company.change()
    carl = signed_in(company, "carl")
    assert carl.get(path.format(key=key)).status_code == 404
    assert key not in carl.get("/changes?tab=all").content.decode()


@pytest.mark.parametrize("tab", ["open", "mine", "waiting", "all"])
def test_the_list_has_tabs(company: Company, tab: str) -> None:
    key = company.change()
    company.take("submit", "rita", key)
    shown = {
        name: key in signed_in(company, name).get(f"/changes?tab={tab}").content.decode()
        for name in ("rita", "ann", "vera")
    }
    everybody = {"rita": True, "ann": True, "vera": True}
    assert (
        shown
        == {
            "open": everybody,
            "mine": {"rita": True, "ann": False, "vera": False},
            "waiting": {"rita": False, "ann": True, "vera": False},
            "all": everybody,
        }[tab]
    )


def test_the_list_filters_and_marks_conflicts(company: Company, rita: Client) -> None:
    company.change(title="First")
    company.change(title="Second")
    page = rita.get("/changes?q=first&state=draft").content.decode()
    assert "First" in page
    assert "Second" not in page
    assert re.search(r'class="fw-chip is-warn"[^>]*>1<', page)


def test_the_list_costs_as_many_statements_for_six_as_for_one(company: Company, rita: Client) -> None:
    counted = []
    for _ in range(2):
        company.change()
        rita.get("/changes")
        with CaptureQueriesContext(connection) as captured:
            rita.get("/changes")
        counted.append(len(captured))
        for _more in range(4):
            company.change()
    assert counted[0] == counted[1] <= 29


def test_words_that_people_typed_stay_words(company: Company, rita: Client) -> None:
    key = company.change(
        title=POISON,
        description=POISON,
        reason=POISON,
        category=POISON,
        external_id=POISON,
        implementation_plan=POISON,
        freeze_reason=POISON,
    )
    company.take("submit", "rita", key)
    company.take("hold", "max", key, reason=POISON)
    for path in (
        f"/changes/{key}",
        f"/changes/{key}/edit",
        "/changes?tab=all",
        "/changes?q=%3Cscript%3Ealert('x')",
        "/changes/panel?item=payments-api",
    ):
        assert POISON not in rita.get(path).content.decode(), path


def test_the_panel_of_an_item_lists_its_changes(company: Company, rita: Client) -> None:
    key = company.change()
    assert key in rita.get("/changes/panel?item=payments-api").content.decode()
    assert key in rita.get("/changes/panel?environment=prod").content.decode()
    assert key not in rita.get("/changes/panel?item=ledger-db").content.decode()


def test_the_calendar_draws_what_is_planned(company: Company, rita: Client) -> None:
    key = company.change()
    assert "fw-timeline" in rita.get("/calendar").content.decode()
    span = "from=2026-11-30T00:00:00Z&to=2026-12-03T00:00:00Z"
    drawn = rita.get(f"/calendar/data?{span}").json()
    assert [bar["key"] for bar in drawn["bars"]] == [key]
    wrong = rita.get("/calendar/data?from=soon&to=later")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "from")


def test_people_are_picked_by_name(rita: Client) -> None:
    items = rita.get("/changes/people?q=ian").json()["items"]
    assert [item["name"] for item in items] == ["Ian"]
