"""Changes over the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fairway.accounts.commands import CreateToken
from fairway.audit.commands import execute
from fairway.audit.models import Denial, Event
from fairway.changes.models import Change
from fairway.kernel.actor import Actor
from tests.changes.conftest import Company

TOMORROW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)


class Caller:
    """Calls the API as somebody, by token."""

    def __init__(self, actor: Actor) -> None:
        token = execute(CreateToken(name="test"), actor=actor).answer
        self.client = Client(headers={"Authorization": f"Bearer {token}"})

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        more = {"data": body, "content_type": "application/json"} if body is not None else {}
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return getattr(self.client, method)(f"/api/v1/{path}", headers=names, **more)


def window(start: float, end: float) -> dict[str, str]:
    return {
        "start": (TOMORROW + timedelta(hours=start)).isoformat(),
        "end": (TOMORROW + timedelta(hours=end)).isoformat(),
    }


BODY: dict[str, Any] = {
    "title": "Patch the API",
    "items": ["payments-api"],
    "environments": ["prod"],
    "windows": [window(0, 2)],
}


@pytest.fixture
def rita(company: Company) -> Caller:
    return Caller(company.rita)


@pytest.fixture
def ann(company: Company) -> Caller:
    return Caller(company.ann)


def test_a_change_from_idea_to_scheduled(rita: Caller, ann: Caller) -> None:
    made = rita("post", "changes", BODY)
    assert made.status_code == 201
    key = made.json()["key"]
    assert (made["Location"], made["ETag"]) == (f"/api/v1/changes/{key}", '"1"')
    assert made.json()["decision"] == {
        "verdict": "allow",
        "at": made.json()["decision"]["at"],
        "findings": [],
        "next_open": None,
        "next_close": None,
        "point_of_no_return": None,
    }
    assert made.json()["windows"] == [
        {
            "start": window(0, 2)["start"].replace("+00:00", "Z"),
            "end": window(0, 2)["end"].replace("+00:00", "Z"),
        }
    ]
    submitted = rita("post", f"changes/{key}/submit", {})
    assert (submitted.status_code, submitted.json()["state"]) == (200, "authorising")
    digest = submitted.json()["digest"]
    voted = ann("post", f"changes/{key}/vote", {"choice": "approve", "digest": digest})
    assert (voted.status_code, voted.json()["state"]) == (200, "scheduled")
    assert voted.json()["approval"] == {"by": "votes", "given": True, "quorum": 1, "approvals": 1}


def test_a_step_without_a_body_is_taken(rita: Caller) -> None:
    key = rita("post", "changes", BODY).json()["key"]
    assert rita("post", f"changes/{key}/submit").status_code == 200


def test_reading_gives_what_was_written(rita: Caller) -> None:
    given = {
        **BODY,
        "description": "14.2 to 14.3",
        "downtime": [window(0, 1)],
        "implementers": ["ian@example.org"],
        "primary_item": "payments-api",
    }
    made = rita("post", "changes", given).json()
    del made["decision"]
    read = rita("get", f"changes/{made['key']}")
    assert read.json() == made
    assert [person["name"] for person in made["implementers"]] == ["Ian"]
    assert made["primary_item"]["key"] == "payments-api"
    assert rita("get", f"changes/{made['uid']}").json() == made


def test_an_answer_names_the_clash(rita: Caller) -> None:
    first = rita("post", "changes", BODY).json()["key"]
    second = rita("post", "changes", {**BODY, "windows": [window(1, 3)]}).json()
    (finding,) = second["decision"]["findings"]
    assert (finding["rule"], finding["severity"]) == ("claims.same_item", "warn")
    assert [party["key"] for party in finding["parties"]] == [second["key"], first]
    told = rita("get", f"changes/{first}/findings").json()
    assert [party["key"] for party in told["findings"][0]["parties"]] == [first, second["key"]]
    moved = rita("post", f"changes/{second['key']}/reschedule", {"windows": [window(2, 4)]}).json()
    assert moved["decision"]["findings"] == []


def test_dry_run_writes_nothing(rita: Caller) -> None:
    rita("post", "changes", BODY)
    events = Event.objects.count()
    answer = rita("post", "changes?dry_run=true", BODY)
    assert answer.status_code == 200
    assert answer.json()["dry_run"] is True
    assert [finding["rule"] for finding in answer.json()["decision"]["findings"]] == ["claims.same_item"]
    assert (Event.objects.count(), Change.objects.count()) == (events, 1)


@pytest.mark.parametrize(
    ("case", "edit", "field"),
    [
        ("unknown field", {"colour": "red"}, "colour"),
        ("a state is no field", {"state": "scheduled"}, "state"),
        ("a digest is no field", {"digest": "x"}, "digest"),
        ("a requester is no field", {"requester": "ann@example.org"}, "requester"),
        (
            "no zone",
            {"windows": [{"start": "2027-01-01T00:00:00", "end": "2027-01-01T01:00:00Z"}]},
            "windows[0].start",
        ),
        ("no instant", {"windows": [{"start": "soon", "end": "2027-01-01T01:00:00Z"}]}, "windows[0].start"),
        (
            "end before start",
            {"windows": [{"start": window(1, 0)["start"], "end": window(1, 0)["end"]}]},
            "windows[0].end",
        ),
        ("priority 5", {"priority": 5}, "priority"),
        ("unknown item", {"items": ["nothing"]}, "items"),
    ],
)
def test_bad_input_is_422_by_field(rita: Caller, case: str, edit: dict[str, Any], field: str) -> None:
    for answer in (
        rita("post", "changes", BODY | edit),
        rita("patch", f"changes/{rita('post', 'changes', BODY).json()['key']}", edit, If_Match="*"),
    ):
        assert answer.status_code == 422, answer.content
        assert field in [error["field"] for error in answer.json()["errors"]]


def test_editing_needs_the_version_that_was_read(rita: Caller) -> None:
    key = rita("post", "changes", BODY).json()["key"]
    assert rita("patch", f"changes/{key}", {"title": "New"}).status_code == 428
    edited = rita("patch", f"changes/{key}", {"title": "New"}, If_Match='"1"')
    assert (edited.status_code, edited["ETag"], edited.json()["title"]) == (200, '"2"', "New")
    assert rita("patch", f"changes/{key}", {"title": "Other"}, If_Match='"1"').status_code == 412


def test_a_step_that_does_not_exist_is_409_with_the_legal_ones(company: Company, rita: Caller) -> None:
    key = rita("post", "changes", BODY).json()["key"]
    answer = Caller(company.max)("post", f"changes/{key}/close", {})
    assert answer.status_code == 409
    assert answer.json()["legal"] == ["submit", "edit", "reschedule", "cancel"]


def test_a_refused_step_is_409_with_its_findings_and_one_denial(rita: Caller) -> None:
    key = rita("post", "changes", {"title": "Vague"}).json()["key"]
    answer = rita("post", f"changes/{key}/submit", {})
    assert answer.status_code == 409
    assert {finding["rule"] for finding in answer.json()["findings"]} == {"changes.plan"}
    assert Denial.objects.count() == 1


def test_the_steps_tell_what_refuses_them(rita: Caller, company: Company) -> None:
    key = rita("post", "changes", BODY).json()["key"]
    steps = {step["verb"]: step for step in rita("get", f"changes/{key}/steps").json()["items"]}
    assert {verb for verb, step in steps.items() if step["enabled"]} == {
        "submit",
        "edit",
        "reschedule",
        "cancel",
    }
    rita("post", f"changes/{key}/submit", {})
    steps = {
        step["verb"]: step for step in Caller(company.bob)("get", f"changes/{key}/steps").json()["items"]
    }
    assert steps["vote"]["enabled"] is False
    assert [finding["rule"] for finding in steps["vote"]["findings"]] == ["changes.separation"]


class TestAnotherBranch:
    def test_does_not_see_the_change(self, rita: Caller, company: Company) -> None:
        key = rita("post", "changes", BODY).json()["key"]
        carl = Caller(company.carl)
        assert carl("get", f"changes/{key}").status_code == 404
        assert carl("get", f"changes/{key}/findings").status_code == 404
        assert carl("post", f"changes/{key}/submit", {}).status_code == 404
        listed = carl("get", "changes?count=true").json()
        assert (listed["items"], listed["count"]) == ([], 0)
        assert carl("get", f"changes?q={key}").json()["items"] == []

    def test_cannot_take_its_items_or_environments(self, company: Company) -> None:
        answer = Caller(company.carl)("post", "changes", {**BODY, "items": ["payments-api"]})
        assert answer.status_code == 422
        assert {error["field"] for error in answer.json()["errors"]} == {"items", "environments"}


class TestList:
    @pytest.fixture(autouse=True)
    def _some(self, rita: Caller) -> None:
        for number in range(5):
            rita(
                "post",
                "changes",
                {**BODY, "title": f"Change {number}", "windows": [window(24 * number, 24 * number + 1)]},
            )

    @pytest.mark.parametrize(
        ("query", "titles"),
        [
            ("", [4, 3, 2, 1, 0]),
            ("sort=planned_start&limit=2", [0, 1]),
            ("q=change 3", [3]),
            ("item=payments-api&limit=1", [4]),
            ("item=ledger-db", []),
            ("environment=sit2", []),
            ("state=draft&sort=title&limit=1", [0]),
            ("state__in=submitted,authorising", []),
            ("open=true&mine=true&limit=1", [4]),
            ("waiting=true", []),
            ("title__contains=2", [2]),
            ("model=standard", []),
        ],
    )
    def test_filters(self, rita: Caller, query: str, titles: list[int]) -> None:
        answer = rita("get", f"changes?{query}")
        assert answer.status_code == 200, answer.content
        assert [row["title"] for row in answer.json()["items"]] == [f"Change {number}" for number in titles]

    def test_pages_follow_each_other(self, rita: Caller) -> None:
        seen, cursor = [], ""
        while True:
            page = rita("get", f"changes?limit=2&sort=planned_start&cursor={cursor}").json()
            seen += [row["title"] for row in page["items"]]
            if page["next"] is None:
                break
            cursor = page["next"]
        assert seen == [f"Change {number}" for number in range(5)]

    def test_gives_the_fields_that_are_picked(self, rita: Caller) -> None:
        (row, *_) = rita("get", "changes?fields=key,items").json()["items"]
        assert set(row) == {"key", "items"}

    def test_what_waits_for_a_vote_is_listed_for_who_may_vote(self, rita: Caller, ann: Caller) -> None:
        key = rita("get", "changes?limit=1").json()["items"][0]["key"]
        rita("post", f"changes/{key}/submit", {})
        assert [row["key"] for row in ann("get", "changes?waiting=true").json()["items"]] == [key]
        assert rita("get", "changes?waiting=true").json()["items"] == []

    def test_costs_as_many_statements_for_four_as_for_one(self, rita: Caller) -> None:
        counted = []
        for limit in (1, 4):
            with CaptureQueriesContext(
                connection,
            ) as captured:
                rita("get", f"changes?limit={limit}")
            counted.append(len(captured))
        assert counted[0] == counted[1] <= 5


def test_calendar_draws_bars_conflicts_and_lanes(rita: Caller) -> None:
    first = rita("post", "changes", BODY).json()["key"]
    second = rita(
        "post", "changes", {**BODY, "windows": [window(1, 3)], "items": ["payments-api", "ledger-db"]}
    ).json()["key"]
    span = {"from": window(-24, 0)["start"], "to": window(0, 24)["end"]}
    query = "&".join(f"{name}={value.replace('+', '%2B')}" for name, value in span.items())
    drawn = rita("get", f"calendar?{query}").json()
    assert {(bar["key"], bar["lane"], bar["strength"]) for bar in drawn["bars"]} == {
        (first, "payments-api", "tentative"),
        (second, "payments-api", "tentative"),
        (second, "ledger-db", "tentative"),
    }
    marked = {(bar["key"], bar["lane"]): {one["rule"] for one in bar["conflicts"]} for bar in drawn["bars"]}
    assert marked == {
        (first, "payments-api"): {"claims.same_item", "claims.related_item"},
        (second, "payments-api"): {"claims.same_item"},
        (second, "ledger-db"): {"claims.related_item"},
    }
    by_place = rita("get", f"calendar?{query}&lanes=environment").json()
    assert [lane["key"] for lane in by_place["lanes"]] == ["prod"]


def test_models_and_templates_are_told(rita: Caller) -> None:
    assert [model["key"] for model in rita("get", "change-models").json()["items"]] == ["normal", "standard"]
    assert rita("get", "change-models/normal").json()["definition"]["initial"] == "draft"
    templates = rita("get", "templates").json()["items"]
    assert all(template["authorised"] for template in templates)
    assert rita("get", f"templates/{templates[0]['key']}").json() == templates[0]
    assert rita("get", "templates/nothing").status_code == 404
