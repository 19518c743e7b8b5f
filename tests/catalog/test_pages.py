"""Pages of the catalogue, as people in different branches see them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fairway.accounts.models import User
from fairway.audit.commands import execute
from fairway.catalog.commands import EditItem
from fairway.catalog.models import ConfigurationItem, Relation
from fairway.kernel.actor import SYSTEM, Actor
from fairway.workspace.commands import CreateField

from .conftest import Company

pytestmark = pytest.mark.urls("tests.catalog.urls")

Make = Callable[..., str]
Relate = Callable[..., object]
FORM = {
    "name": "Ledger", "key": "ledger", "kind": "system", "organisation": "retail", "criticality": "2",
    "status": "live", "shared": "", "owner_team": "", "external_id": "", "description": "", "attributes": "",
}  # fmt: skip


def browser(actor: Actor) -> Client:
    client = Client()
    client.force_login(User.objects.get(uid=actor.uid))
    return client


@pytest.fixture
def rita(company: Company) -> Client:
    return browser(company.retail)


def test_a_stranger_is_sent_to_the_sign_in_page(company: Company) -> None:
    answer = Client().get("/items?kind=host")

    assert (answer.status_code, answer["Location"]) == (302, "/sign-in?next=%2Fitems%3Fkind%3Dhost")


def test_the_list_shows_what_the_branch_holds_and_counts_nothing_else(rita: Client, item: Make) -> None:
    item("ledger"), item("gate", "cards")

    page = rita.get("/items").content.decode()

    assert "ledger" in page
    assert "1 item<" in page
    assert "gate" not in page


def test_the_list_teaches_where_there_is_nothing_and_says_where_nothing_matches(
    rita: Client, item: Make
) -> None:
    assert "Add the first item" in rita.get("/items").content.decode()
    item("ledger")
    assert "Nothing matches" in rita.get("/items?q=none").content.decode()


def test_the_list_keeps_filters_as_chips(rita: Client, item: Make) -> None:
    item("ledger")

    page = rita.get("/items?kind=system&criticality=3").content.decode()

    assert page.count("is-filter") == 2
    assert 'href="?criticality=3"' in page


@pytest.mark.parametrize("query", ["sort=colour", "cursor=zzz", "status=odd", "archived=maybe"])
def test_the_list_refuses_what_has_no_sense(rita: Client, query: str) -> None:
    assert rita.get(f"/items?{query}").status_code == 422


@pytest.mark.parametrize("path", ["/items", "/items/item-0", "/items/item-0/impact", "/items/pick?q=item"])
def test_the_number_of_statements_does_not_grow_with_the_rows(
    rita: Client, item: Make, relate: Relate, path: str
) -> None:
    def statements() -> int:
        rita.get(path)  # what is kept per process is filled
        with CaptureQueriesContext(connection) as captured:
            assert rita.get(path).status_code == 200
        return len(captured)

    item("item-0"), item("item-1")
    relate("item-1", "item-0")
    few = statements()
    for number in range(2, 12):
        item(f"item-{number}")
        relate(f"item-{number}", "item-0")
        relate("item-0", f"item-{number}", "connects-to")

    assert statements() == few <= 16


def test_the_record_shows_both_sides_of_its_relations_but_no_hidden_end(
    rita: Client, item: Make, relate: Relate
) -> None:
    item("ledger", description="Books & <b>more</b>", attributes={"vendor": "own"})
    item("host"), item("shop"), item("gate", "cards")
    relate("ledger", "host", "runs-on"), relate("shop", "ledger"), relate("gate", "ledger")

    page = rita.get("/items/ledger").content.decode()

    assert "runs on" in page
    assert "is needed by" in page
    assert "gate" not in page
    assert "Books &amp; &lt;b&gt;more" in page
    assert 'hx-get="/changes/panel?item=ledger"' in page
    assert 'hx-get="/environments/panel?item=ledger"' in page


def test_a_record_of_another_branch_is_not_found_on_any_page(company: Company, item: Make) -> None:
    item("ledger")
    carl = browser(company.cards)

    for path in ("", "/edit", "/relate", "/impact"):
        assert carl.get(f"/items/ledger{path}").status_code == 404
    for path in ("/archive", "/restore", "/relations/x/remove"):
        assert carl.post(f"/items/ledger{path}").status_code == 404
    assert carl.get("/items/pick?q=led").json() == {"items": []}


def test_a_uid_leads_to_the_page_of_the_key(rita: Client, item: Make) -> None:
    item("ledger")

    answer = rita.get(f"/items/{ConfigurationItem.objects.get().uid}")

    assert (answer.status_code, answer["Location"]) == (302, "/items/ledger")


def test_who_may_only_read_sees_no_way_to_change_and_is_refused(company: Company, item: Make) -> None:
    item("ledger")
    vera = browser(company.reader)

    page = vera.get("/items/ledger").content.decode()

    assert "/items/ledger/edit" not in page
    assert vera.get("/items/new").status_code == 403
    assert vera.get("/items/ledger/edit").status_code == 403
    assert vera.post("/items/ledger/archive", {"version": 1}).status_code == 403


def test_new_item_by_form(rita: Client) -> None:
    assert rita.get("/items/new").status_code == 200

    answer = rita.post("/items/new", FORM | {"attributes": "vendor = own = good\n\ntier=gold"})

    assert (answer.status_code, answer["Location"]) == (302, "/items/ledger")
    made = ConfigurationItem.objects.get()
    assert (made.criticality, made.shared, made.attributes) == (
        2,
        False,
        {"vendor": "own = good", "tier": "gold"},
    )


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": ""}, "This field is required"),
        ({"key": "No Key"}, "is not a key"),
        ({"attributes": "vendor"}, "Line 1 is not of the form"),
        ({"organisation": "cards"}, "Select a valid choice"),
        ({"kind": "spaceship"}, "Select a valid choice"),
    ],
)
def test_a_form_keeps_what_was_typed_and_says_what_is_wrong(
    rita: Client, changed: dict[str, str], words: str
) -> None:
    answer = rita.post("/items/new", FORM | {"external_id": "kept-42"} | changed)

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert "kept-42" in answer.content.decode()
    assert not ConfigurationItem.objects.exists()


def test_a_taken_key_is_told_on_the_form(rita: Client, item: Make) -> None:
    item("ledger", "cards")

    answer = rita.post("/items/new", FORM)

    assert answer.status_code == 409
    assert "is taken" in answer.content.decode()


def test_edit_by_form_keeps_types_of_attributes_and_takes_lines_out(rita: Client, item: Make) -> None:
    item("ledger", attributes={"cores": 8, "vendor": "own", "old": True})

    answer = rita.post(
        "/items/ledger/edit",
        FORM | {"version": "1", "attributes": "cores = 8\nvendor = bought", "shared": "true"},
    )

    assert answer.status_code == 302
    made = ConfigurationItem.objects.get()
    assert (made.attributes, made.shared, made.version) == ({"cores": 8, "vendor": "bought"}, True, 2)


def test_edit_of_an_older_version_shows_what_stands_there_now_and_saves_on_the_second_try(
    rita: Client, company: Company, item: Make
) -> None:
    item("ledger")
    execute(EditItem(item="ledger", name="Books", version=1), actor=company.boss)

    first = rita.post("/items/ledger/edit", FORM | {"version": "1", "name": "Mine", "shared": "false"})

    page = first.content.decode()
    assert first.status_code == 412
    assert "Meanwhile it says: Books" in page
    assert 'name="version" value="2"' in page
    second = rita.post("/items/ledger/edit", FORM | {"version": "2", "name": "Mine", "shared": "false"})
    assert second.status_code == 302
    assert ConfigurationItem.objects.get().name == "Mine"


def test_archive_and_use_again(rita: Client, item: Make) -> None:
    item("ledger")

    assert rita.post("/items/ledger/archive", {"version": "1"}).status_code == 302
    page = rita.get("/items/ledger").content.decode()
    assert "Archived" in page
    assert rita.post("/items/ledger/archive", {"version": "1"}).status_code == 412
    assert rita.post("/items/ledger/restore", {"version": "2"}).status_code == 302
    assert ConfigurationItem.objects.get().archived_at is None


@pytest.mark.parametrize(
    ("how", "ends"), [("out runs-on", ("ledger", "host")), ("in runs-on", ("host", "ledger"))]
)
def test_relate_by_form_either_way_round(rita: Client, item: Make, how: str, ends: tuple[str, str]) -> None:
    item("ledger"), item("host")

    assert rita.get("/items/ledger/relate").status_code == 200
    assert rita.post("/items/ledger/relate", {"how": how, "other": "host"}).status_code == 302

    made = Relation.objects.select_related("source", "target").get()
    assert (made.source.slug, made.target.slug) == ends
    assert rita.post(f"/items/ledger/relations/{made.uid}/remove").status_code == 302
    assert not Relation.objects.exists()


@pytest.mark.parametrize("other", ["", "nothing", "ledger", "gate"])
def test_relate_by_form_says_what_is_wrong_with_the_other_item(rita: Client, item: Make, other: str) -> None:
    item("ledger"), item("gate", "cards")

    answer = rita.post("/items/ledger/relate", {"how": "out runs-on", "other": other})

    assert answer.status_code == 422
    assert "has-errors" in answer.content.decode()
    assert not Relation.objects.exists()


def test_impact_is_grouped_by_depth_and_explains_by_path(
    company: Company, item: Make, relate: Relate
) -> None:
    item("host"), item("secret", "cards"), item("shop", criticality=1), item("ledger")
    relate("secret", "host"), relate("shop", "secret"), relate("ledger", "host")
    rita = browser(company.retail)

    page = rita.get("/items/host/impact").content.decode()

    assert "1 step away" in page
    assert "2 steps away" in page
    assert "another organisation" in page
    assert "secret" not in page
    upstream = rita.get("/items/ledger/impact?direction=upstream&depth=1").content.decode()
    assert "1 step away" in upstream
    assert "reaches nothing" in rita.get("/items/shop/impact").content.decode()


@pytest.mark.parametrize("query", ["direction=sideways", "depth=0", "depth=x", "depth=99999999999999999999"])
def test_impact_refuses_what_has_no_sense(rita: Client, item: Make, query: str) -> None:
    item("host")

    assert rita.get(f"/items/host/impact?{query}").status_code == 422


def test_the_picker_gives_first_what_begins_with_the_text(rita: Client, item: Make) -> None:
    item("a-pay"), item("pay-b"), item("other", external_id="pay")

    found = rita.get("/items/pick?q=Pay").json()["items"]

    assert [row["key"] for row in found] == ["pay-b", "a-pay", "other"]
    assert len(rita.get("/items/pick").json()["items"]) == 3


def test_the_form_of_an_item_asks_for_the_fields_of_the_kind_that_is_chosen(company: Company) -> None:
    """What was typed stays, nothing is judged or written, and what is new holds what it begins with."""
    for name, kinds, default in (("rack", ["host"], "R1"), ("cost", ["system", "host"], "10")):
        execute(
            CreateField(
                subject="item", name=name, label=name.title(), type="text", organisation="retail",
                kinds=kinds, default=default,
            ),
            actor=SYSTEM,
        )  # fmt: skip
    rita = browser(company.retail)
    typed = {**FORM, "name": "", "attributes.cost": "", "redraw_had": "attributes.cost", "redraw": "1"}

    host = rita.post("/items/new", {**typed, "kind": "host"})
    form = host.context["form"]
    assert (host.status_code, form.errors, form.custom_names) == (
        200,
        {},
        ["attributes.rack", "attributes.cost"],
    )
    assert (form["attributes.rack"].value(), form["attributes.cost"].value()) == ("R1", "")
    assert 'name="redraw_had" value="attributes.rack"' in host.content.decode()
    assert "fw-error" not in host.content.decode()
    system = rita.post("/items/new", {**typed, "kind": "system"}).context["form"]
    assert system.custom_names == ["attributes.cost"]
    assert not ConfigurationItem.objects.exists()
    assert rita.post("/items/new", {**typed, "kind": "host", "redraw": ""}).status_code == 422
