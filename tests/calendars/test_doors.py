"""Windows over the API and on pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from fairway.accounts.commands import CreateToken
from fairway.accounts.models import User
from fairway.audit.commands import Outcome, build, execute
from fairway.audit.models import Event
from fairway.calendars.models import Window
from tests.support import company as companies
from tests.support.committed import committed as committed
from tests.support.committed import together
from tests.support.company import Company
from tests.support.company import actor as again

pytestmark = pytest.mark.urls("tests.calendars.urls")

FREEZE = {
    "name": "Year end",
    "kind": "hard_freeze",
    "organisation": "retail",
    "starts_at": "2026-12-20T01:00:00+01:00",
    "ends_at": "2027-01-04T08:00:00Z",
    "items": ["ledger"],
}
NIGHTS = {
    "name": "Nights",
    "kind": "maintenance",
    "organisation": "retail",
    "zone": "Europe/London",
    "local_start": "2026-12-05T22:00",
    "duration": "PT8H",
    "rrule": "FREQ=WEEKLY;BYDAY=SA",
}


class Caller:
    """Calls the API as somebody, by token."""

    def __init__(self, name: str) -> None:
        token = execute(CreateToken(name="test"), actor=again(name)).answer
        self.client = Client(headers={"Authorization": f"Bearer {token}"})

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        more = {"data": body, "content_type": "application/json"} if body is not None else {}
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return getattr(self.client, method)(f"/api/v1/{path}", headers=names, **more)


def browser(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(email=f"{name}@example.org"))
    return client


def test_create_read_change_and_archive(company: Company) -> None:
    rita = Caller("rita")
    made = rita("post", "windows", FREEZE)
    assert (made.status_code, made["ETag"]) == (201, '"1"')
    window = made.json()
    assert window["starts_at"] == "2026-12-20T00:00:00Z"
    assert [one["key"] for one in window["items"]] == ["ledger"]
    key = window["key"]
    assert made["Location"] == f"/api/v1/windows/{key}"
    assert rita("get", f"windows/{key}").json() == window
    assert rita("get", f"windows/{window['uid']}").json() == window
    assert rita("patch", f"windows/{key}", {"name": "Freeze"}).status_code == 428
    changed = rita("patch", f"windows/{key}", {"name": "Freeze", "items": []}, If_Match='"1"')
    assert (changed.json()["name"], changed.json()["items"], changed["ETag"]) == ("Freeze", [], '"2"')
    assert rita("patch", f"windows/{key}", {"name": "Late"}, If_Match='"1"').status_code == 412
    gone = rita("delete", f"windows/{key}", If_Match='"2"')
    assert gone.json()["archived_at"] is not None
    assert rita("get", "windows").json()["items"] == []
    assert [one["key"] for one in rita("get", "windows?archived=true").json()["items"]] == [key]


def test_a_recurring_window_and_when_it_comes(company: Company) -> None:
    rita = Caller("rita")
    window = rita("post", "windows", NIGHTS).json()
    assert (window["duration"], window["rrule"]) == ("PT28800S", "FREQ=WEEKLY;BYDAY=SA")
    span = "from=2027-03-26T00:00:00Z&to=2027-04-01T00:00:00Z"
    found = rita("get", f"windows/{window['key']}/occurrences?{span}").json()["items"]
    assert found == [{"starts_at": "2027-03-27T22:00:00Z", "ends_at": "2027-03-28T06:00:00Z"}]
    endless = "from=2027-03-26T00:00:00Z&to=2040-04-01T00:00:00Z"
    assert rita("get", f"windows/{window['key']}/occurrences?{endless}").status_code == 422


def test_lists_are_filtered_and_paged(company: Company) -> None:
    rita = Caller("rita")
    for name in ("Christmas", "Easter", "Summer"):
        rita("post", "windows", {**FREEZE, "name": name})
    rita("post", "windows", NIGHTS)
    names = [one["name"] for one in rita("get", "windows?kind=hard_freeze&sort=-name").json()["items"]]
    assert names == ["Summer", "Easter", "Christmas"]
    first = rita("get", "windows?limit=3&count=true&fields=name").json()
    assert (first["count"], [set(one) for one in first["items"]]) == (4, [{"name"}] * 3)
    rest = rita("get", f"windows?limit=3&cursor={first['next']}").json()
    assert [one["name"] for one in rest["items"]] == ["Summer"]
    assert [one["name"] for one in rita("get", "windows?q=east").json()["items"]] == ["Easter"]
    assert rita("get", "windows?kind=blackout").status_code == 422
    assert rita("get", "windows?colour=red").status_code == 422


def test_a_dry_run_says_what_would_be_and_writes_nothing(company: Company) -> None:
    rita = Caller("rita")
    events = Event.objects.count()
    told = rita("post", "windows?dry_run=true", FREEZE)
    assert (told.status_code, told.json()["dry_run"]) == (200, True)
    assert (Window.objects.count(), Event.objects.count()) == (0, events)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**FREEZE, "ends_at": FREEZE["starts_at"]}, "ends_at"),
        ({**FREEZE, "starts_at": "2026-12-20T01:00:00"}, "starts_at"),
        ({**FREEZE, "version": 7}, "version"),
        ({**NIGHTS, "zone": "Europe/Lodnon"}, "zone"),
        ({**NIGHTS, "rrule": "FREQ=MINUTELY"}, "rrule"),
        ({**NIGHTS, "duration": "8 hours"}, "duration"),
    ],
)
def test_what_makes_no_sense_is_told_by_field(company: Company, body: dict[str, Any], field: str) -> None:
    answer = Caller("rita")("post", "windows", body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_strangers_and_readers(company: Company) -> None:
    key = Caller("rita")("post", "windows", FREEZE).json()["key"]
    carl, vera = Caller("carl"), Caller("vera")
    assert carl("get", f"windows/{key}").status_code == 404
    assert (
        carl(
            "get", f"windows/{key}/occurrences?from=2027-01-01T00:00:00Z&to=2027-02-01T00:00:00Z"
        ).status_code
        == 404
    )
    assert carl("patch", f"windows/{key}", {"name": "Mine"}, If_Match="*").status_code == 404
    assert carl("delete", f"windows/{key}", If_Match="*").status_code == 404
    assert carl("get", "windows?count=true").json() == {"items": [], "next": None, "count": 0}
    assert vera("get", f"windows/{key}").status_code == 200
    assert vera("patch", f"windows/{key}", {"name": "Mine"}, If_Match="*").status_code == 403
    assert vera("post", "windows", FREEZE).status_code == 403
    assert Client().get(f"/api/v1/windows/{key}").status_code == 401


FORM = {
    "name": "Year end",
    "kind": "hard_freeze",
    "starts": "2026-12-20T18:00",
    "ends": "2027-01-04T08:00",
    "zone": "Europe/London",
    "repeats": "once",
    "organisation": "retail",
    "items": "ledger",
}


def test_pages_list_add_show_edit_and_archive(company: Company) -> None:
    rita = browser("rita")
    assert "No freezes and no maintenance windows yet" in rita.get("/windows").content.decode()
    made = rita.post("/windows/new", FORM)
    window = Window.objects.get()
    assert (made.status_code, made["Location"]) == (302, f"/windows/{window.key}")
    shown = rita.get(f"/windows/{window.key}").content.decode()
    assert "Year end" in shown
    assert "/items/ledger" in shown
    assert rita.get(f"/windows/{window.uid}")["Location"] == f"/windows/{window.key}"
    assert window.key in rita.get("/windows?kind=hard_freeze").content.decode()
    form = rita.get(f"/windows/{window.key}/edit").content.decode()
    assert "2026-12-20T18:00" in form
    saved = rita.post(f"/windows/{window.key}/edit", {**FORM, "name": "Freeze", "version": "1"})
    assert saved.status_code == 302
    stale = rita.post(f"/windows/{window.key}/edit", {**FORM, "name": "Late", "version": "1"})
    assert stale.status_code == 412
    window.refresh_from_db()
    assert (window.name, window.version) == ("Freeze", 2)
    rita.post(f"/windows/{window.key}/archive", {"version": "2"})
    window.refresh_from_db()
    assert window.archived_at is not None
    assert "Archived" in rita.get(f"/windows/{window.key}").content.decode()


@pytest.mark.parametrize(
    ("repeats", "more", "rule", "words"),
    [
        ("daily", {}, "FREQ=DAILY", "every day at 22:00 for 8 h (Europe/London)"),
        ("working", {}, "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every week on working days (Monday to Friday)"),
        (
            "weekly",
            {"until": "2027-06-30"},
            "FREQ=WEEKLY;UNTIL=20270630T235959;BYDAY=SA",
            "on Saturday until 2027-06-30",
        ),
        ("monthly", {}, "FREQ=MONTHLY;BYMONTHDAY=5", "every month on day 5"),
        ("nth", {}, "FREQ=MONTHLY;BYDAY=1SA", "every month on the first Saturday"),
        ("yearly", {}, "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=5", "every year on day 5 in December"),
        ("own", {"rule": "FREQ=MONTHLY;BYDAY=-1FR"}, "FREQ=MONTHLY;BYDAY=-1FR", "on the last Friday"),
    ],
)
def test_a_recurring_window_by_form(
    company: Company, repeats: str, more: dict[str, str], rule: str, words: str
) -> None:
    rita = browser("rita")
    given = {
        **FORM,
        "kind": "maintenance",
        "starts": "2026-12-05T22:00",
        "ends": "2026-12-06T06:00",
        "repeats": repeats,
    }
    assert rita.post("/windows/new", {**given, **more}).status_code == 302
    window = Window.objects.get()
    assert (window.rrule, window.local_start) == (rule, "2026-12-05T22:00:00")
    shown = rita.get(f"/windows/{window.key}").content.decode()
    assert words in shown.replace("Every ", "every ")
    assert "Next times" in shown
    assert words in rita.get("/windows").content.decode().replace("Every ", "every ")
    assert rita.get(f"/windows/{window.key}/edit").status_code == 200


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"ends": "2026-12-20T18:00"}, "The end must be later than the start."),
        ({"zone": "Europe/Lodnon"}, "did you mean Europe/London?"),
        ({"starts": "tomorrow"}, "is no date and time"),
        ({"repeats": "own"}, "Write the rule"),
        ({"repeats": "own", "rule": "FREQ=HOURLY"}, "use DAILY, WEEKLY, MONTHLY or YEARLY"),
        ({"repeats": "own", "rule": "FREQ=DAILY;COUNT=10000000"}, "from 1 to 10000"),
        ({"ends": "9999-12-31T18:00"}, "9999"),
        (
            {"zone": "Europe/London", "starts": "2027-03-28T01:30", "ends": "2027-03-28T09:00"},
            "jumps over 01:30",
        ),
        ({"items": "nothing"}, "There is no item “nothing”."),
        ({"name": ""}, "This field is required."),
    ],
)
def test_a_form_keeps_what_was_typed_and_says_what_is_wrong(
    company: Company, changed: dict[str, str], told: str
) -> None:
    answer = browser("rita").post("/windows/new", {**FORM, **changed})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert told in text
    assert {**FORM, **changed}["ends"] in text
    assert not Window.objects.exists()


@pytest.mark.parametrize(
    ("body", "field", "told"),
    [
        ({**NIGHTS, "rrule": "FREQ=DAILY;COUNT=10000000"}, "rrule", "from 1 to 10000"),
        ({**NIGHTS, "rrule": "FREQ=MINUTELY"}, "rrule", "use DAILY, WEEKLY, MONTHLY or YEARLY"),
        ({**NIGHTS, "rrule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, "rrule", "no date"),
        ({**NIGHTS, "local_start": "9999-12-05T22:00"}, "local_start", "9999"),
        ({**FREEZE, "ends_at": "9999-12-31T23:59:59Z"}, "ends_at", "9999"),
        ({**FREEZE, "starts_at": "2026-12-20T01:30:00"}, "starts_at", ""),
    ],
)
def test_times_without_sense_are_refused_by_field(
    company: Company, body: dict[str, Any], field: str, told: str
) -> None:
    answer = Caller("rita")("post", "windows", body)
    assert answer.status_code == 422, answer.content
    assert any(field in one["field"] and told in one["message"] for one in answer.json()["errors"]), (
        answer.content
    )
    assert not Window.objects.exists()


def test_pages_for_strangers_and_readers(company: Company) -> None:
    browser("rita").post("/windows/new", FORM)
    key = Window.objects.get().key
    assert Client().get("/windows")["Location"].startswith("/sign-in?next=")
    carl, vera = browser("carl"), browser("vera")
    assert key not in carl.get("/windows").content.decode()
    for path in (f"/windows/{key}", f"/windows/{key}/edit"):
        assert carl.get(path).status_code == 404
    assert carl.post(f"/windows/{key}/archive", {"version": "1"}).status_code == 404
    assert vera.get(f"/windows/{key}").status_code == 200
    assert "New" not in vera.get("/windows").context["filters"]
    assert not vera.get("/windows").context["may_edit"]
    assert vera.get("/windows/new").status_code == 403
    assert vera.post(f"/windows/{key}/archive", {"version": "1"}).status_code == 403
    assert Window.objects.get().archived_at is None


def test_a_window_is_put_by_its_name_and_replaced_whole(company: Company) -> None:
    rita = Caller("rita")
    body = {name: value for name, value in FREEZE.items() if name != "name"}

    made = rita("put", "windows/Year%20end", body | {"reason": "audit", "condition": "priority > 1"})
    assert (made.status_code, made.json()["name"]) == (201, "Year end")
    key = made.json()["key"]
    assert rita("put", "windows/Year%20end", body).status_code == 428
    assert rita("put", "windows/Year%20end", body, If_Match='"7"').status_code == 412
    replaced = rita("put", "windows/Year%20end", body, If_Match='"1"')
    assert (replaced.status_code, replaced["ETag"]) == (200, '"2"')
    assert (replaced.json()["key"], replaced.json()["reason"], replaced.json()["condition"]) == (key, "", "")
    same = rita("put", f"windows/{key}", body | {"kind": "soft_freeze"}, If_Match='"2"')
    assert (same.status_code, same.json()["kind"], same.json()["name"]) == (200, "soft_freeze", "Year end")
    assert rita("put", f"windows/{key}", body).status_code == 428
    assert rita("put", "windows/WIN-999", body, If_Match="*").status_code == 404
    assert rita("put", "windows/Other", body | {"organisation": "nowhere"}).status_code == 422
    assert rita("put", "windows/Other", body | {"name": "x"}).status_code in (400, 422)

    rita("post", "windows", FREEZE)
    several = rita("put", "windows/Year%20end", body, If_Match="*")
    assert (several.status_code, several.json()["code"]) == (409, "calendars.window.ambiguous")
    assert key in several.json()["detail"]


@pytest.mark.postgres_only
@pytest.mark.race
@pytest.mark.usefixtures("committed")
def test_two_puts_of_one_name_make_one_window() -> None:
    companies.found()
    command = build("calendars.window.put", {**FREEZE, "items": []})
    answers = together(*[lambda: execute(command, actor=again("rita"))] * 3)

    assert sorted(answer.created for answer in answers if isinstance(answer, Outcome)) == [False, False, True]
    assert Window.objects.filter(name="Year end").count() == 1
