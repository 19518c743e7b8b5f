"""Columns as one likes, cells edited in place, many edited at once and taken back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from fairway.accounts.models import User
from fairway.audit.commands import execute
from fairway.calendars import commands as calendars
from fairway.catalog import commands as catalog
from fairway.catalog.models import ConfigurationItem
from fairway.changes import commands as changes
from fairway.changes.models import Change
from fairway.environments import commands as environments
from fairway.kernel.actor import SYSTEM
from fairway.workspace import commands as workspace
from fairway.workspace.models import ListColumns
from tests.support import company
from tests.support.company import Company


@pytest.fixture
def people(db: None) -> Company:
    made = company.found()
    for key, where in (("core", "retail"), ("gate", "retail"), ("ledger", "shops"), ("card", "cards")):
        execute(
            catalog.CreateItem(key=key, name=key.title(), kind="system", organisation=where), actor=SYSTEM
        )
    return made


def signed_in(client: Client, name: str = "rita") -> Client:
    client.force_login(User.objects.get(email=f"{name}@example.org"))
    return client


def criticalities() -> dict[str, int]:
    return dict(ConfigurationItem.objects.values_list("slug", "criticality"))


def test_many_are_previewed_then_edited_then_taken_back(people: Company, client: Client) -> None:
    signed_in(client)
    before = criticalities()
    wanted = {"key": ["core", "gate", "card"], "field": "criticality", "value-criticality": "1"}
    told = client.post("/items/bulk", wanted, headers={"HX-Request": "true"}).content.decode()
    assert "core, gate" in told
    assert "There is no such record." in told  # card is another branch's
    assert "<html" not in told
    assert criticalities() == before
    done = client.post("/items/bulk", {**wanted, "apply": "1", "query": "q=c"}, follow=True)
    assert done.redirect_chain == [("/items?q=c", 302)]
    text = done.content.decode()
    assert "2 records were changed." in text
    assert "1 was refused" in text
    assert criticalities() == {**before, "core": 1, "gate": 1}
    [undo] = re.findall(r'action="(/undo\?request=[^"]+)"', text)
    assert "2 records are as they were." in client.post(undo, follow=True).content.decode()
    assert criticalities() == before


def test_all_that_match_are_edited_beyond_the_page_and_nothing_else(people: Company, client: Client) -> None:
    signed_in(client)
    form = {"all": "1", "query": "q=e", "field": "archive", "apply": "1"}
    client.post("/items/bulk", form)
    live = set(ConfigurationItem.objects.filter(archived_at=None).values_list("slug", flat=True))
    assert live == {"card"}  # core, gate and ledger have an e and are of the branch
    assert client.post("/items/bulk", {"field": "status", "value-status": "live"}).status_code == 422
    assert client.post("/items/bulk", {"key": "core", "field": "password"}).status_code == 422


@pytest.mark.parametrize(
    ("field", "value", "status", "told"),
    [
        ("name", "Core <Ledger>", 200, "Core &lt;Ledger&gt;"),
        ("criticality", "1", 200, "1"),
        ("criticality", "9", 422, "The criticality goes from 1"),
        ("criticality", "x", 422, "Expected"),
        ("name", "", 422, "The name is needed."),
        ("status", "nowhere", 422, "is no status of an item"),
        ("owner_team", "no-such-team", 422, "no-such-team"),
        ("slug", "x", 422, ""),
    ],
)
def test_a_cell_is_edited_in_place_or_says_why_not(
    people: Company, client: Client, field: str, value: str, status: int, told: str
) -> None:
    signed_in(client)
    form = {"field": field, "value": value, "version": "1"}
    answer = client.post("/items/core/cell", form, headers={"HX-Request": "true"})
    assert (answer.status_code, told in answer.content.decode()) == (status, True), answer.content
    if status == 200:
        assert "/undo?request=" in answer.headers["HX-Trigger"]


def test_a_stale_cell_says_who_was_first_and_offers_what_stands_there(
    people: Company, client: Client
) -> None:
    execute(catalog.EditItem(item="core", name="Theirs"), actor=people.boss)
    answer = signed_in(client).post("/items/core/cell", {"field": "name", "value": "Mine", "version": "1"})
    text = answer.content.decode()
    assert answer.status_code == 412
    assert "Boss changed this meanwhile" in text
    assert "plain=1" in text
    assert 'value="Mine"' in text
    assert ConfigurationItem.objects.get(slug="core").name == "Theirs"
    assert "Theirs" in client.get("/items/core/cell?field=name&plain=1").content.decode()


def test_who_only_reads_gets_no_boxes_and_no_cells(people: Company, client: Client) -> None:
    text = signed_in(client, "vera").get("/items").content.decode()
    assert "data-edit" not in text
    assert "bulk-form" not in text
    assert client.get("/items/core/cell?field=name").status_code == 403
    assert client.post("/items/bulk", {"key": "core", "field": "archive"}).status_code == 403
    assert client.get("/items/card/cell?field=name").status_code == 404


def test_columns_are_kept_for_oneself_and_an_address_goes_before_them(
    people: Company, client: Client
) -> None:
    def heads(path: str = "/items") -> list[str]:
        return re.findall(
            r'<th scope="col" class="fw-col[^"]*"[^>]*><a[^>]*>([^<]+)', client.get(path).content.decode()
        )

    signed_in(client)
    usual = heads()
    client.post("/lists/columns", {"page": "items", "columns": ["name", "created_at", "key", "nonsense"]})
    assert heads() == ["Name", "Added", "Key"]
    assert heads("/items?columns=kind,key") == ["Kind", "Key"]
    signed_in(client, "boss")
    assert heads() == usual
    signed_in(client)
    client.post("/lists/columns", {"page": "items", "reset": "1"})
    assert heads() == usual
    assert not ListColumns.objects.exists()
    assert client.post("/lists/columns", {"page": "nowhere", "columns": ["a"]}).status_code == 422


def test_environments_and_windows_are_edited_alike(people: Company, client: Client) -> None:
    for key in ("sit", "uat"):
        execute(
            environments.CreateEnvironment(key=key, name=key, tier="system_test", organisation="retail"),
            actor=SYSTEM,
        )
    starts = datetime(2031, 1, 1, tzinfo=UTC)
    window = calendars.CreateWindow(
        name="Freeze", kind="hard_freeze", organisation="retail", starts_at=starts,
        ends_at=starts + timedelta(days=1),
    )  # fmt: skip
    made = execute(window, actor=SYSTEM).subject
    assert made is not None
    signed_in(client)
    for path in ("/environments", "/windows"):
        assert 'data-edit="name"' in client.get(path).content.decode()
    assert client.post("/environments/sit/cell", {"field": "zone", "value": "Mars/Base"}).status_code == 422
    assert client.post("/environments/sit/cell", {"field": "zone", "value": "Asia/Tokyo"}).status_code == 200
    assert (
        "Renamed"
        in client.post(f"/windows/{made.key}/cell", {"field": "name", "value": "Renamed"}).content.decode()
    )
    wanted = {"all": "1", "field": "status", "value-status": "restricted", "apply": "1"}
    assert (
        "2 records were changed." in client.post("/environments/bulk", wanted, follow=True).content.decode()
    )
    gone = client.post("/windows/bulk", {"all": "1", "field": "archive", "apply": "1"}, follow=True)
    assert "1 record was changed." in gone.content.decode()
    [undo] = re.findall(r'action="(/undo\?request=[^"]+)"', gone.content.decode())
    assert "1 record is as it was." in client.post(undo, follow=True).content.decode()
    assert made.key in client.get("/windows").content.decode()


def test_the_history_offers_the_way_back(people: Company, client: Client) -> None:
    execute(catalog.EditItem(item="core", name="New"), actor=people.boss)
    signed_in(client)
    text = client.get("/activity?kind=item&subject=core").content.decode()
    ways = re.findall(r'action="(/undo\?event=\d+)"', text)
    assert len(ways) == 2  # the edit, and that it was added
    client.post(ways[0])
    assert ConfigurationItem.objects.get(slug="core").name == "Core"


def test_changes_are_edited_alike_and_only_drafts_are_taken_back(people: Company, client: Client) -> None:
    def drafted(title: str) -> str:
        made = execute(changes.CreateChange(title=title, organisation="retail"), actor=people.rita).subject
        assert made is not None
        return made.key

    draft, sent = drafted("Draft"), drafted("Sent")
    Change.objects.filter(title="Sent").update(state="authorising")
    signed_in(client)
    text = client.get("/changes?columns=key,title,priority,owner").content.decode()
    assert text.count('data-edit="title"') == 1  # what was sent is edited where consent is told of
    assert "/api/v1/changes?sort=planned_start&amp;open=true&amp;format=csv" in text
    refused = client.post(f"/changes/{sent}/cell", {"field": "title", "value": "Other"})
    assert refused.status_code == 409
    saved = client.post(f"/changes/{draft}/cell", {"field": "title", "value": "Renamed", "version": "1"})
    assert (saved.status_code, "/undo?" in saved.headers["HX-Trigger"]) == (200, True)
    wanted = {"all": "1", "query": "tab=mine", "field": "priority", "value-priority": "1"}
    told = client.post("/changes/bulk", wanted, headers={"HX-Request": "true"}).content.decode()
    assert draft in told
    assert set(Change.objects.values_list("priority", flat=True)) == {3}
    done = client.post("/changes/bulk", {**wanted, "apply": "1"}, follow=True).content.decode()
    assert "changed." in done
    [undo] = re.findall(r'action="(/undo\?request=[^"]+)"', done)
    client.post(undo)
    assert Change.objects.get(title="Renamed").priority == 3


def test_lists_are_filtered_by_fields_of_their_own_and_bulk_takes_no_others(
    people: Company, client: Client
) -> None:
    execute(
        workspace.CreateField(
            name="depth", label="Depth", subject="item", type="integer", organisation="group", filterable=True
        ),
        actor=SYSTEM,
    )
    for key, depth in (("deep", 9), ("flat", 1)):
        execute(
            catalog.CreateItem(
                key=key, name=key, kind="system", organisation="retail", attributes={"depth": depth}
            ),
            actor=SYSTEM,
        )
    signed_in(client)
    text = client.get("/items?custom.depth__gte=5").content.decode()
    assert 'data-key="deep"' in text
    assert 'data-key="flat"' not in text
    assert "Depth from" in text
    form = {"all": "1", "query": "custom.depth__gte=5", "field": "criticality", "value-criticality": "1"}
    client.post("/items/bulk", {**form, "apply": "1"})
    changed = ConfigurationItem.objects.filter(criticality=1).values_list("slug", flat=True)
    assert list(changed) == ["deep"]


def test_environments_are_filtered_and_edited_as_they_are_shown(people: Company, client: Client) -> None:
    for key, tier in (("dev1", "development"), ("sit1", "system_test")):
        execute(
            environments.CreateEnvironment(key=key, name=key, tier=tier, organisation="retail"), actor=SYSTEM
        )
    signed_in(client)
    text = client.get("/environments?tier=development").content.decode()
    assert 'data-key="dev1"' in text
    assert 'data-key="sit1"' not in text
    assert "Remove filter" in text
