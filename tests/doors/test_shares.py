"""Read-only links: what they name, as far as their maker may see it, for a time, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from fairway.accounts import commands, limits, queries
from fairway.accounts.models import ShareLink, ShareOpening, User
from fairway.audit.commands import execute
from fairway.catalog.commands import CreateItem
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import TooMany
from tests.support.company import Company

from .conftest import Caller


@pytest.fixture(autouse=True)
def _items(company: Company) -> None:
    limits.forget()
    for key, place in (("ledger", "retail"), ("switch", "cards")):
        command = CreateItem(
            key=key,
            name=f"The {key}",
            kind="system",
            organisation=place,
            description="hush <b>",
            criticality=1,
        )
        execute(command, actor=SYSTEM)


def share(caller: Caller, what: str, **more: Any) -> str:
    answer = caller("post", "share-links", {"name": "For the vendor", "what": what, **more})
    assert answer.status_code == 201, answer.content
    path: str = answer.json()["path"]
    return path


def text(path: str, status: int = 200) -> str:
    answer = Client().get(path)
    assert answer.status_code == status, answer.content
    assert answer["X-Robots-Tag"].startswith("noindex")
    assert (answer["Referrer-Policy"], answer["Cache-Control"]) == ("no-referrer", "no-store")
    return answer.content.decode()


def test_a_link_shows_what_it_names_and_nothing_else(rita: Caller) -> None:
    page = text(share(rita, "items/ledger", fields=["key", "criticality"]))
    assert "ledger" in page
    assert "hush" not in page
    assert "retail" not in page.lower()
    listed = text(share(rita, "items", query={"criticality": "1"}, fields=["name"]))
    assert "The ledger" in listed
    assert "switch" not in listed
    assert "The ledger" not in text(share(rita, "items", query={"criticality": "2"}, fields=["name"]))
    assert "hush &lt;b&gt;" in text(share(rita, "items/ledger"))
    assert "Nothing at present" in text(share(rita, "calendar", query={"days": "30"}))


def test_people_are_named_only_where_that_is_wanted(rita: Caller) -> None:
    made = rita("post", "changes", {"title": "Patch", "organisation": "retail"}).json()["key"]
    fields = ["title", "requester", "owner"]
    assert "Rita" not in text(share(rita, f"changes/{made}", fields=fields))
    assert "Rita" in text(share(rita, f"changes/{made}", fields=fields, people=True))
    assert "Rita" not in text(share(rita, "changes", fields=fields))


def test_a_link_ends(rita: Caller, company: Company) -> None:
    path = share(rita, "items/ledger", days=1)
    [row] = rita("get", "share-links").json()["items"]
    text(path), text(path)
    [row] = rita("get", "share-links").json()["items"]
    assert (row["opened"], row["last_opened_at"] is not None) == (2, True)
    ShareLink.objects.update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    void = text(path, 404)
    ShareLink.objects.update(expires_at=datetime.now(UTC) + timedelta(days=1))
    assert rita("delete", f"share-links/{row['uid']}").status_code == 204
    reason = "This link is void: it is over, it was taken back"
    assert all(reason in page for page in (void, text(path, 404), text("/shared/nonsense", 404)))
    assert ShareOpening.objects.get().count == 2


def test_a_link_never_shows_more_than_its_maker_may_see_now(rita: Caller, company: Company) -> None:
    assert rita("post", "share-links", {"name": "x", "what": "items/switch"}).status_code == 404
    path = share(rita, "items/ledger", fields=["key"])
    user = User.objects.get(email="rita@example.org")
    text(path)
    execute(commands.EditUser(user=str(user.uid), valid_until="2020-01-01T00:00:00Z"), actor=SYSTEM)
    text(path, 404)
    execute(commands.EditUser(user=str(user.uid), valid_until=None), actor=SYSTEM)
    text(path)
    for grant in queries.roles_of(user):
        execute(commands.RevokeRole(grant=str(grant.uid)), actor=SYSTEM)
    text(path, 404)


@pytest.mark.parametrize(
    "body",
    [
        {"what": "users"}, {"what": "events"}, {"what": "tokens"}, {"what": "items/../users"}, {"what": ""},
        {"what": "items", "query": {"nonsense": "1"}}, {"what": "items/ledger", "fields": ["digest"]},
        {"what": "items/ledger", "fields": []}, {"what": "items/ledger", "days": 91},
        {"what": "calendar", "query": {"days": "1000"}}, {"what": "items/bulk"},
        {"what": "items", "query": {"format": "csv"}}, {"what": "calendar", "query": {"format": "csv"}},
    ],
)  # fmt: skip
def test_nothing_else_can_be_shared(rita: Caller, body: dict[str, Any]) -> None:
    answer = rita("post", "share-links", {"name": "x", **body})
    assert answer.status_code in {404, 422}, answer.content
    assert not ShareLink.objects.exists()


def test_who_may_not_share_does_not(vera: Caller, rita: Caller) -> None:
    assert vera("post", "share-links", {"name": "x", "what": "items"}).status_code == 403
    secret = share(rita, "items").rpartition("/")[2]
    assert secret not in str(list(ShareLink.objects.values()))


def test_guessing_links_is_slowed_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STRANGERS", limits.Rule("address", 1, 3))
    client = Client()
    said = [client.get(f"/shared/{number}").status_code for number in range(4)]
    assert said == [404, 404, 404, 429]


def test_the_page_makes_and_takes_back(rita: Caller) -> None:
    client = Client()
    client.force_login(User.objects.get(email="rita@example.org"))
    assert client.get("/shares?what=items/ledger").status_code == 200
    form = {"name": "Vendor", "what": "items/ledger", "query": "", "shown": ["key"], "days": "7"}
    made = client.post("/shares", form).content.decode()
    path = "/shared/" + made.partition("/shared/")[2].partition("<")[0].strip()
    assert "ledger" in text(path)
    uid = ShareLink.objects.get().uid
    assert client.post(f"/shares/{uid}/revoke").status_code == 302
    text(path, 404)


def test_a_flood_of_others_fills_nobody_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STRANGERS", limits.Rule("address", 1, 3))
    monkeypatch.setattr(limits, "MOST_BUCKETS", 20)
    for _ in range(3):
        limits.take_stranger("192.0.2.1", door="share")
    for number in range(200):
        limits.take_stranger(f"198.51.100.{number}", door="share")
        with pytest.raises(TooMany):
            limits.take_stranger("192.0.2.1", door="share")
    assert len(limits._buckets) <= 20
