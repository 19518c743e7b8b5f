"""Of what clashes with another branch's work only the time is told; the verdict is everybody's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from fairway.accounts import queries as who
from fairway.accounts.models import User
from fairway.catalog.commands import CreateItem
from fairway.changes import commands as changes
from fairway.changes.commands.reading import Span
from fairway.changes.models import Change
from fairway.changes.queries import dossier
from tests.support.authority import RelateUnderAuthority

from .calls import send, told
from .table import plain
from .world import Named, Person, World, named, remember, run, undone

EVENING = timedelta(days=5)
HOUR = timedelta(hours=1)
DENIED, ALLOWED = "down", "at work"


class Scene:
    """South plans work that meets work of north on an item of south, and through an item of north.

    North's people see nothing of south and the other way round; whoever sees both made the ties between them.
    `mine`: south's change; `body`: the same one, not written down yet. Another change of south is related to
    it by way of north's hub, which south cannot see.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        south, north = world.south, world.north
        start = (world.now + EVENING).replace(minute=0)
        self.start, self.end = start + HOUR, start + 3 * HOUR
        self.spans = (Span(start, start + 4 * HOUR),)
        boss = world.root.email
        run(
            CreateItem(
                key=f"{north.slug}-hub", name=f"{north.loud} hub", kind="system", organisation=north.slug
            ),
            by=boss,
        )
        hub = f"{north.slug}-hub"
        for source, target in ((south.item.key, hub), (hub, south.spare.key)):
            run(RelateUnderAuthority(source=source, target=target, kind="depends-on"), by=boss)
        self.theirs = self._change(
            north.slug,
            f"{north.loud} work on what is shared",
            [south.item.key, f"{north.slug}-hub"],
            by=boss,
            windows=(Span(self.start, self.end),),
            downtime=(Span(self.start, self.end),),
        )
        run(changes.SubmitChange(change=self.theirs.key), by=boss)
        self.neighbour = self._change(
            south.slug, "neighbour", [south.spare.key], by=south.people["requester"].email, windows=self.spans
        )
        self.mine = self._change(
            south.slug, "mine", [south.item.key], by=south.people["requester"].email, windows=self.spans
        )
        run(changes.SubmitChange(change=self.mine.key), by=south.people["requester"].email)
        remember(north)
        self.body = {
            "title": "not written down yet",
            "items": [south.item],
            "environments": [south.production],
            "windows": [{"start": self.spans[0].start.isoformat(), "end": self.spans[0].end.isoformat()}],
        }

    def _change(self, organisation: str, title: str, items: list[str], *, by: str, **more: Any) -> Named:
        command = changes.CreateChange(
            title=title,
            organisation=organisation,
            items=tuple(items),
            environments=(self.world.south.production.key,),
            **more,
        )
        return named(run(command, by=by))

    def ask(self, person: Person, method: str, path: str, body: Any = None, **query: str) -> Any:
        headers = {"Authorization": f"Bearer {person.token}", "If-Match": "*"}
        return send(
            method,
            f"/api/v1/{path}",
            headers=headers,
            query=query,
            body=plain(body),
            has_body=body is not None,
        )

    def silent(self, answer: Any) -> None:
        """Check that an answer holds nothing of north."""
        traces = self.world.north.traces(answer.content)
        assert not traces, f"{traces} in {told(answer)}"


@pytest.fixture(scope="module")
def staged(made: World) -> Iterator[Scene]:
    with undone():
        uids, keys = set(made.north.uids), set(made.north.keys)
        yield Scene(made)
    made.north.uids, made.north.keys = uids, keys
    made.north.extra.pop("pattern", None)


@pytest.fixture
def scene(staged: Scene, db: None) -> Scene:
    return staged


def gist(findings: list[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Return what everybody is told of findings."""
    return [(one["rule"], one["severity"], tuple(one["interval"] or ())) for one in findings]


def digest(change: Named) -> str:
    return Change.objects.get(uid=change.uid).digest


QUESTIONS = {
    "a dry run": ("post", "changes", "body", {"dry_run": "true"}),
    "drafting it": ("post", "changes", "body", {}),
    "its findings": ("get", "changes/{mine}/findings", None, {}),
    "rescheduling it": ("post", "changes/{mine}/reschedule", "windows", {}),
    "deploying under it": ("get", "decide", None, {"action": "deploy"}),
    "keeping that question": ("post", "decide", "question", {}),
    "approving it": ("post", "changes/{mine}/vote", "vote", {}),
    "approving it, a dry run": ("post", "changes/{mine}/vote", "vote", {"dry_run": "true"}),
}
DECIDED = ("deploying under it", "keeping that question")
"""These ask about an instant an hour later, and hear of what comes then."""


def answered(scene: Scene, person: Person, question: str) -> Any:
    method, path, body, query = QUESTIONS[question]
    south = scene.world.south
    asked = {
        "action": "deploy",
        "system": south.item.key,
        "environment": south.production.key,
        "change": scene.mine.key,
        "at": (scene.start + HOUR).isoformat(),
    }
    bodies = {
        "body": scene.body,
        "windows": {"windows": scene.body["windows"]},
        "question": asked,
        "vote": {"choice": "approve", "digest": digest(scene.mine)},
    }
    if question == "deploying under it":
        query = asked
    with undone():
        return scene.ask(
            person, method, path.format(mine=scene.mine.key), bodies[body] if body else None, **query
        )


def decision(document: Mapping[str, Any]) -> Mapping[str, Any]:
    return document if "verdict" in document else document["decision"]


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_api_tells_the_time_alone_and_the_same_verdict_to_all(scene: Scene, question: str) -> None:
    told_to = {}
    for who_asks, person in (
        ("south", scene.world.south.people["change-manager"]),
        ("root", scene.world.root),
    ):
        answer = answered(scene, person, question)
        expected = {409} if question.startswith("approving it") and "dry" not in question else {200, 201}
        assert answer.status_code in expected, f"{who_asks}: {told(answer)}"
        told_to[who_asks] = decision(answer.json())
        if who_asks == "south":
            scene.silent(answer)
        else:
            assert scene.world.north.traces(answer.content), "or the test would look for what never comes"
    south, root = told_to["south"], told_to["root"]
    tells = question in {"its findings", *DECIDED}
    assert south["verdict"] == root["verdict"]
    assert south["verdict"] == ("deny" if tells or "approving" in question else "warn")
    assert gist(south["findings"]) == gist(root["findings"])
    hidden = [one for one in south["findings"] if any(ref["kind"] == "hidden" for ref in one["parties"])]
    rules = {one["rule"] for one in hidden}
    assert rules == {"claims.same_item", "claims.related_item"}
    for one in hidden:
        start, end = (datetime.fromisoformat(at) for at in one["interval"])
        from_then_on = scene.start + HOUR if question in DECIDED else scene.start
        assert (start, end) == (from_then_on, scene.end)
        assert [ref for ref in one["parties"] if ref["kind"] == "hidden"] == [
            {"kind": "hidden", "key": "", "name": "another organisation", "uid": None}
        ]
        assert (one["path"], one["params"], one["repairs"]) == ([], {}, [])


def test_a_path_through_what_one_may_not_see_is_left_out(scene: Scene) -> None:
    """Both changes are south's; the item between them is north's."""
    answer = answered(scene, scene.world.south.people["viewer"], "its findings")
    found = [
        one
        for one in answer.json()["findings"]
        if scene.neighbour.key in [party["key"] for party in one["parties"]]
    ]
    assert [(one["rule"], one["path"]) for one in found] == [("claims.related_item", [])]
    scene.silent(answer)


def test_conflicts_are_counted_alike_and_hide_the_other_party(scene: Scene) -> None:
    south, root = scene.world.south.people["viewer"], scene.world.root
    for query in ({}, {"item": scene.world.south.item.key}, {"subject": scene.mine.key}):
        asked = {"subject": scene.mine.key, **query, "count": "true", "limit": "1000"}
        mine, all_of_it = (scene.ask(person, "get", "conflicts", **asked) for person in (south, root))
        scene.silent(mine)
        assert gist(mine.json()["items"]) == gist(all_of_it.json()["items"])
        assert mine.json()["count"] == all_of_it.json()["count"] > 0
        assert scene.world.north.traces(all_of_it.content)


def test_who_sees_neither_party_is_told_of_no_conflict(scene: Scene) -> None:
    viewer = scene.world.north.people["viewer"]
    answer = scene.ask(viewer, "get", "conflicts", limit="1000", count="true")
    south = scene.world.south.traces(answer.content)
    assert not south, f"{south} in {told(answer)}"
    for one in answer.json()["items"]:
        assert any(party["kind"] != "hidden" for party in one["parties"])


def test_the_calendar_marks_the_bar_and_names_nobody(scene: Scene) -> None:
    south = scene.world.south
    for lanes in ("item", "environment"):
        asked = {
            "from": scene.spans[0].start.isoformat(),
            "to": scene.spans[0].end.isoformat(),
            "lanes": lanes,
        }
        answer = scene.ask(south.people["viewer"], "get", "calendar", **asked)
        scene.silent(answer)
        bars = [bar for bar in answer.json()["bars"] if bar["key"] == scene.mine.key]
        hidden = [one for bar in bars for one in bar["conflicts"] if not one["other"]]
        assert {one["rule"] for one in hidden} == {"claims.same_item", "claims.related_item"}
        for one in hidden:
            assert (datetime.fromisoformat(one["start"]), one["path"]) == (scene.start, [])
            assert one["message"].startswith("Another organisation has work on "), one["message"]
        page = south.people["viewer"].client.get("/calendar/data", query_params=asked)
        scene.silent(page)
        assert page.status_code == 200, told(page)
        assert "nother organisation" in page.content.decode()


PAGES = (
    "/changes/{mine}",
    "/changes?tab=all",
    "/changes/panel?item={item}",
    "/conflicts?span=year",
    "/conflicts?span=ever&item={item}",
    "/items/{item}",
    "/items/{item}/impact",
    "/items/{item}/impact?direction=upstream",
    "/environments/{place}",
    "/environments/panel?item={item}",
    "/events/panel?subject={uid}",
    "/administration/events",
    "/search?q=work",
    "/",
)


@pytest.mark.parametrize("page", PAGES)
def test_pages_name_nobody(scene: Scene, page: str) -> None:
    south = scene.world.south
    address = page.format(
        mine=scene.mine.key, item=south.item.key, place=south.production.key, uid=scene.mine.uid
    )
    for role in ("viewer", "change-manager", "approver"):
        answer = south.people[role].client.get(address)
        assert answer.status_code == 200, told(answer)
        scene.silent(answer)


def test_the_page_of_the_change_tells_what_stands_in_its_way(scene: Scene) -> None:
    pages = [
        person.client.get(f"/changes/{scene.mine.key}").content.decode()
        for person in (scene.world.south.people["viewer"], scene.world.root)
    ]
    headlines = [re.findall(r"Blocked by \d+", page) for page in pages]
    assert headlines[0] == headlines[1] != []
    assert "nother organisation" in pages[0]
    assert scene.theirs.key in pages[1]


def test_the_strip_of_the_form_tells_the_same(scene: Scene) -> None:
    form = {
        "title": "not written down yet",
        "items": scene.world.south.item.key,
        "environments": scene.world.south.production.key,
        "windows-start": f"{scene.spans[0].start:%Y-%m-%dT%H:%M}",
        "windows-end": f"{scene.spans[0].end:%Y-%m-%dT%H:%M}",
    }
    for address in ("/changes/preview", f"/changes/{scene.mine.key}/preview"):
        answers = [
            person.client.post(address, form)
            for person in (scene.world.south.people["requester"], scene.world.root)
        ]
        scene.silent(answers[0])
        headlines = [re.findall(r"Blocked by \d+", one.content.decode()) for one in answers]
        assert headlines[0] == headlines[1] != [], told(answers[0])
        assert "nother organisation" in answers[0].content.decode()


def test_a_refused_step_names_nobody(scene: Scene) -> None:
    """On the page too, where the reason becomes a message of the next one."""
    approver = scene.world.south.people["approver"].client
    form = {"choice": "approve", "digest": digest(scene.mine), "comment": ""}
    with undone():
        answer = approver.post(f"/changes/{scene.mine.key}/vote", form, follow=True)
    scene.silent(answer)
    assert "nother organisation" in answer.content.decode()


def test_what_another_branch_has_is_not_counted_among_what_is_reached(scene: Scene) -> None:
    """South's spare is needed by north's hub, and by way of that by south's own item."""
    south = scene.world.south
    viewer = south.people["viewer"]
    impact = scene.ask(viewer, "get", "impact", item=south.spare.key, direction="downstream")
    scene.silent(impact)
    seen = impact.json()["count"]
    assert seen < scene.ask(scene.world.root, "get", "impact", item=south.spare.key).json()["count"]
    page = viewer.client.get(f"/changes/{scene.neighbour.key}").content.decode()
    shown = re.findall(rf"/items/{south.spare.key}/impact[^>]*>\s*(\d+) item", page)
    assert [int(number) for number in shown] == [seen]


def test_a_change_of_ours_on_what_we_may_not_see_is_ours_and_the_rest_is_not(scene: Scene) -> None:
    """Somebody who sees both may put an item of north into a change of south."""
    south, north = scene.world.south, scene.world.north
    with undone():
        mixed = scene._change(
            south.slug,
            "mixed",
            [f"{north.slug}-hub", south.item.key],
            by=scene.world.root.email,
            windows=(Span(scene.end + 9 * HOUR, scene.end + 10 * HOUR),),
        )
        manager = south.people["change-manager"]
        for path in (f"changes/{mixed.key}", "changes", f"changes/{mixed.key}/findings", "calendar"):
            asked = {"from": scene.end.isoformat(), "to": (scene.end + 20 * HOUR).isoformat()}
            answer = scene.ask(manager, "get", path, **(asked if path == "calendar" else {}))
            assert answer.status_code == 200, told(answer)
            scene.silent(answer)
        for page in ("", "/edit"):
            answer = manager.client.get(f"/changes/{mixed.key}{page}")
            assert answer.status_code == 200, told(answer)
            scene.silent(answer)
        for page in ("/changes?tab=all", f"/events/panel?subject={mixed.uid}"):
            scene.silent(manager.client.get(page))
        read = scene.ask(manager, "get", f"changes/{mixed.key}").json()
        assert sorted(item["kind"] for item in read["items"]) == ["hidden", "item"]
        body = {"title": "still mixed"}
        written = scene.ask(manager, "patch", f"changes/{mixed.key}", body)
        assert written.status_code == 200, told(written)
        scene.silent(written)
        after = who.person(User.objects.get(email=scene.world.root.email))
        assert len(dossier(after, mixed.key).items) == 2, "what cannot be seen stays"


def test_the_change_feed_tells_of_ones_own_branch_alone(scene: Scene) -> None:
    answer = scene.ask(scene.world.south.people["auditor"], "get", "events", limit="1000")
    scene.silent(answer)
    assert scene.mine.uid in answer.content.decode()
