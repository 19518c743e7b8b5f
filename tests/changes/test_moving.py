"""Windows moved on the calendar: what is told while they are held, and what moving them writes."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from fairway.changes.models import PlannedWindow
from fairway.kernel.period import Period
from tests.changes.conftest import Company, hours, stored
from tests.changes.test_pages import signed_in


def held(key: str, start: float = 0, version: int | None = None) -> str:
    known = version if version is not None else stored(key).version
    return f"{key} {known} {hours(start, 99).start.isoformat()}"


def moved(client: Client, *windows: str, by: int | str = 90, apply: str = "1") -> dict[str, Any]:
    answer = client.post("/calendar/move", {"window": windows, "by": by, "apply": apply})
    return {"status": answer.status_code, **answer.json()}


def planned(key: str, *, downtime: bool = False) -> list[Period]:
    rows = PlannedWindow.objects.filter(change=stored(key), downtime=downtime).order_by("starts_at")
    return [Period(row.starts_at, row.ends_at) for row in rows]


def spans(*pairs: tuple[float, float]) -> list[Period]:
    return [Period(hours(*pair).start, hours(*pair).end) for pair in pairs]


@pytest.fixture
def rita(company: Company) -> Client:
    return signed_in(company, "rita")


def test_one_window_moves_with_its_downtime_and_the_others_stay(company: Company, rita: Client) -> None:
    key = company.change(windows=(hours(0, 2), hours(24, 26)), downtime=(hours(0.5, 1), hours(24.5, 25)))
    told = moved(rita, held(key))
    assert (told["status"], told["summary"], told["confirm"]) == (200, f"{key} was moved.", False)
    assert planned(key) == spans((1.5, 3.5), (24, 26))
    assert planned(key, downtime=True) == spans((2, 2.5), (24.5, 25))
    assert rita.post(told["undo"]).status_code == 302
    assert planned(key) == spans((0, 2), (24, 26))


def test_while_held_it_tells_what_stands_in_the_way_and_writes_nothing(
    company: Company, rita: Client
) -> None:
    other = company.change("max", windows=(hours(1, 3),))
    company.take("submit", "max", other)
    key = company.change(windows=(hours(24, 26),))
    free = moved(rita, held(key, 24), by=15, apply="")
    assert not [one for one in free["moves"][0]["findings"] if other in one["message"]]
    clash = moved(rita, held(key, 24), by=-24 * 60, apply="")
    [found] = [one for one in clash["moves"][0]["findings"] if other in one["message"]]
    assert found["severity"] in {"warn", "block"}
    assert found["start"]
    assert "summary" not in clash
    assert planned(key) == spans((24, 26))


def test_of_many_what_is_refused_stays_and_is_told(company: Company, rita: Client) -> None:
    one, stale = company.change(), company.change(windows=(hours(48, 50),))
    done = company.scheduled(windows=(hours(96, 98),))
    unseen = company.change("carl", items=(), environments=())
    told = moved(rita, held(one), held(stale, 48, version=99), held(done, 96), held(unseen), by=60)
    assert [(row["key"], row["ok"]) for row in told["moves"]] == [
        (one, True), (stale, False), (done, True), (unseen, False)
    ]  # fmt: skip
    assert told["summary"].startswith("2 changes were moved. 2 were refused:")
    assert told["confirm"]  # an approved one moved, which takes more than undo to take back
    assert (planned(one), planned(stale)) == (spans((1, 3)), spans((48, 50)))
    assert planned(unseen) == spans((0, 2))


@pytest.mark.parametrize(
    ("window", "by", "field"),
    [
        ("", "15", "window"),
        ("CHG-1 1", "15", "window"),
        ("CHG-1 ² 2026-12-01T21:00:00Z", "15", "window"),
        ("CHG-1 1 soon", "15", "window"),
        ("CHG-1 1 2026-12-01T21:00:00Z", "0", "by"),
        ("CHG-1 1 2026-12-01T21:00:00Z", "-9999999", "by"),
        ("CHG-1 1 2026-12-01T21:00:00Z", "a while", "by"),
    ],
)
def test_what_is_not_understood_is_told_by_field(rita: Client, window: str, by: str, field: str) -> None:
    answer = rita.post("/calendar/move", {"window": [window] if window else [], "by": by})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_a_window_that_is_no_longer_there_is_not_moved(company: Company, rita: Client) -> None:
    key = company.change()
    told = moved(rita, held(key, 5))
    reason = f"{key} has been planned anew meanwhile."
    assert (told["status"], told["errors"][0]["message"]) == (422, reason)
    assert moved(rita, held(key, version=99))["status"] == 412
    assert planned(key) == spans((0, 2))


def test_bars_say_who_may_move_them_and_lanes_go_by_whom_and_where(company: Company, rita: Client) -> None:
    key = company.change(owner="max@example.org", implementers=("ian@example.org",))
    mine = company.change("max")
    span = "from=2026-11-30T00:00:00Z&to=2026-12-03T00:00:00Z"

    def drawn(lanes: str, client: Client = rita) -> Any:
        return client.get(f"/calendar/data?{span}&lanes={lanes}").json()

    assert {bar["key"]: bar["movable"] for bar in drawn("item")["bars"]} == {key: True, mine: False}
    looking = drawn("item", signed_in(company, "vera"))["bars"]
    assert [bar["movable"] for bar in looking] == [False, False]
    people = drawn("person")
    named = {lane["key"]: lane["name"] for lane in people["lanes"]}
    assert sorted(named[bar["lane"]] for bar in people["bars"] if bar["key"] == key) == ["Ian", "Max"]
    places = drawn("organisation")
    assert [lane["name"] for lane in places["lanes"]] == ["Retail"]
    assert {bar["lane"] for bar in places["bars"]} == {"retail"}
    assert all(bar["conflicts"] for bar in people["bars"])  # marked on lanes of any kind
    assert drawn("weather")["errors"][0]["field"] == "lanes"
