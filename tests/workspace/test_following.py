"""Notifications: whom what is told, why, once, and nothing about what they may not see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fairway.accounts.commands import CreateTeam, GrantRole, RevokeRole, SetUserActive
from fairway.accounts.models import Grant, User
from fairway.audit import queries as audit
from fairway.audit.commands import execute
from fairway.catalog.commands import CreateItem, EditItem
from fairway.changes.commands import EditChange
from fairway.jobs.commands import drain
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Forbidden, Invalid, NotFound
from fairway.workspace import listeners, queries
from fairway.workspace.commands import CreateComment, EditComment, EditSettings, SetWatch, mark_read
from fairway.workspace.models import Comment, Notification, Told
from tests.support.company import Company, actor, person
from tests.support.replay import replayed

Records = dict[str, str]


def told() -> list[tuple[str, str, str]]:
    """Let the job run, and return whom it told of which command and why, and forget it."""
    listeners.feed(datetime.now(UTC))
    drain()
    rows = Notification.objects.order_by("sequence", "person__name")
    found = list(rows.values_list("person__name", "command", "reason"))
    rows.delete()
    return found


@pytest.fixture
def quiet(records: Records) -> None:
    told()


def rename(by: Actor, name: str) -> None:
    execute(EditItem(item="till", name=name), actor=by)


@pytest.mark.usefixtures("quiet")
def test_roles_on_the_record_are_told_and_the_one_who_did_it_is_not(
    company: Company, records: Records
) -> None:
    execute(EditChange(change=records["change"], title="Till 3"), actor=company.boss)
    assert told() == [
        ("Rita", "changes.change.edit", "requester"),
        ("Vera", "changes.change.edit", "owner"),
    ]
    execute(EditChange(change=records["change"], title="Till 4"), actor=company.rita)
    assert told() == [("Vera", "changes.change.edit", "owner")]
    execute(
        CreateTeam(slug="ops", name="Ops", organisation="retail", members=["vera@example.org"]), actor=SYSTEM
    )
    execute(EditItem(item="till", owner_team="ops"), actor=company.rita)
    assert told() == [("Vera", "catalog.item.edit", "team")]


@pytest.mark.usefixtures("quiet")
def test_commenters_watchers_and_the_named_are_told(company: Company, records: Records) -> None:
    execute(CreateComment(kind="item", subject="till", text="First"), actor=company.rita)
    assert told() == []
    vera = User.objects.get(email="vera@example.org").key
    execute(CreateComment(kind="item", subject="till", text=f"@{vera}"), actor=company.boss)
    assert told() == [
        ("Rita", "workspace.comment.create", "commented"),
        ("Vera", "workspace.comment.create", "mentioned"),
    ]
    comment = Comment.objects.latest("pk")
    execute(EditComment(comment=str(comment.uid), text=f"@{vera} again"), actor=company.boss)
    assert told() == [], "who was named already is told once"
    execute(SetWatch(kind="item", subject="till"), actor=company.vera)
    rename(company.rita, "Tills")
    assert told() == [("Boss", "catalog.item.edit", "commented"), ("Vera", "catalog.item.edit", "watching")]
    execute(SetWatch(kind="item", subject="till", state="muted"), actor=company.vera)
    execute(CreateComment(kind="item", subject="till", text=f"@{vera}"), actor=company.boss)
    assert [name for name, _, _ in told()] == ["Rita"]


@pytest.mark.usefixtures("quiet")
def test_settings_leave_out_kinds_and_reasons(company: Company, records: Records) -> None:
    execute(SetWatch(kind="item", subject="till"), actor=company.vera)
    execute(EditSettings(muted=["catalog.item.edit"]), actor=company.vera)
    rename(company.rita, "A")
    assert told() == []
    execute(EditSettings(muted=[], reasons_off=["watching"]), actor=company.vera)
    rename(company.rita, "B")
    assert told() == []
    execute(EditSettings(reasons_off=[]), actor=company.vera)
    rename(company.rita, "C")
    assert [name for name, _, _ in told()] == ["Vera"]
    for wrong in ({"muted": ["no.such"]}, {"reasons_off": ["none"]}, {"quiet_from": datetime.now().time()}):  # noqa: DTZ005
        with pytest.raises(Invalid):
            execute(EditSettings(**wrong), actor=company.vera)


@pytest.mark.usefixtures("quiet")
def test_each_event_is_told_once_however_often_it_is_read(company: Company, records: Records) -> None:
    execute(SetWatch(kind="item", subject="till"), actor=company.vera)
    rename(company.rita, "A")
    listeners.feed(datetime.now(UTC))
    drain()
    before = list(Notification.objects.values_list("pk"))
    assert len(before) == 1
    seen = Notification.objects.get().sequence
    Told.objects.update(sequence=seen - 1)  # as if the job had died after its effects
    listeners.feed(datetime.now(UTC))
    drain()
    assert list(Notification.objects.values_list("pk")) == before[:1]
    assert Told.objects.get().sequence == audit.head()[0]
    assert drain() == 0


@pytest.mark.usefixtures("quiet")
def test_nothing_is_told_of_what_one_may_not_see(company: Company, records: Records, api: Any) -> None:
    """When it happens, and when one looks."""
    execute(SetWatch(kind="item", subject="till"), actor=company.vera)
    vera = api(company.vera)
    rename(company.rita, "Seen")
    listeners.feed(datetime.now(UTC))
    drain()
    assert [one["subject"]["key"] for one in vera("get", "notifications").json()["items"]] == ["till"]
    assert vera("get", "watches").json()["items"][0]["state"] == "watching"
    execute(EditItem(item="till", organisation="cards"), actor=company.boss)
    assert vera("get", "notifications?count=true").json() == {"items": [], "next": None, "count": 0}
    assert vera("get", "watches").json()["items"] == []
    assert queries.unread(company.vera) == queries.bell(company.vera) == 0
    rename(company.boss, "Secret")
    execute(EditItem(item="till", organisation="retail"), actor=company.boss)
    execute(RevokeRole(grant=str(Grant.objects.get(user__email="vera@example.org").uid)), actor=company.boss)
    rename(company.boss, "Of nobody’s business")
    execute(GrantRole(role="viewer", organisation="retail", user="vera@example.org"), actor=company.boss)
    execute(SetUserActive(user="vera@example.org", active=False), actor=company.boss)
    assert [name for name, _, _ in told()] == ["Vera"], "of what she saw, and of nothing after"


@pytest.mark.usefixtures("quiet")
def test_of_the_distant_past_nobody_is_told(company: Company, records: Records) -> None:
    execute(SetWatch(kind="item", subject="till"), actor=company.vera)
    long_ago = datetime.now(UTC) - timedelta(days=15)
    execute(EditItem(item="till", name="Once"), actor=company.rita, at=long_ago)
    assert told() == []


def test_others_may_be_let_watch_but_not_made_to(company: Company, records: Records) -> None:
    with replayed():
        execute(SetWatch(kind="item", subject="till", person="vera@example.org"), actor=company.rita)
        execute(SetWatch(kind="item", subject="till", state="muted"), actor=company.vera)
    with pytest.raises(Invalid, match="muted"):
        execute(SetWatch(kind="item", subject="till", person="vera@example.org"), actor=company.rita)
    with pytest.raises(Invalid, match="nobody but oneself"):
        execute(
            SetWatch(kind="item", subject="till", state="muted", person="vera@example.org"),
            actor=company.rita,
        )
    with pytest.raises(Forbidden):
        execute(SetWatch(kind="item", subject="till", person="rita@example.org"), actor=company.vera)
    with pytest.raises(NotFound):
        execute(SetWatch(kind="item", subject="till"), actor=company.carl)
    person("nina", "retail")
    with pytest.raises(Invalid, match="may not see"):
        execute(SetWatch(kind="item", subject="till", person="nina@example.org"), actor=company.rita)


@pytest.mark.usefixtures("quiet")
def test_reading_and_muting_on_the_page(company: Company, records: Records, browser: Any, api: Any) -> None:
    execute(CreateItem(key="shop", name="Shop", kind="system", organisation="retail"), actor=company.rita)
    told()
    for key in ("till", "shop"):
        execute(SetWatch(kind="item", subject=key), actor=company.vera)
        execute(CreateComment(kind="item", subject=key, text=f"About **{key}**"), actor=company.rita)
    listeners.feed(datetime.now(UTC))
    drain()
    vera = browser(company.vera)
    page = vera.get("/notifications").content.decode()
    assert page.count("You watch this record") == 2
    assert "<strong>till</strong>" in page
    assert 'aria-label="2 notifications not read"' in page
    vera.post("/notifications/read", {"kind": "item", "subject": "till"})
    assert queries.unread(company.vera) == queries.bell(company.vera) == 1
    assert mark_read(company.carl, at=datetime.now(UTC)) == 0, "nobody reads for others"
    vera.post("/notifications/watch", {"kind": "item", "subject": "shop", "state": "muted"})
    assert queries.unread(company.vera) == queries.bell(company.vera) == 0
    assert "Nothing new" in vera.get("/notifications").content.decode()
    assert "About" in vera.get("/notifications?show=all").content.decode()
    vera.post("/notifications/mute", {"command": "workspace.comment.create"})
    assert queries.settings_of(company.vera).muted == ["workspace.comment.create"]
    saved = vera.post(
        "/notifications/settings", {"mail": "daily", "reasons": ["owner"], "quiet_from": "22:00"}
    )
    assert saved.status_code == 422
    form = {"mail": "daily", "reasons": ["owner"], "quiet_from": "22:00", "quiet_until": "06:30"}
    assert vera.post("/notifications/settings", form).status_code == 302
    found = api(actor("vera"))("get", "notifications/settings").json()
    assert (found["mail"], found["muted"], found["quiet_until"]) == ("daily", [], "06:30:00")
    assert "owner" not in found["reasons_off"]
