"""The past of records: the log replays to each kind as it stands, and to what was known at any instant."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.audit.commands import execute
from fairway.audit.models import EventText
from fairway.calendars.commands import EditWindow
from fairway.catalog.commands import CreateItem, EditItem
from fairway.changes.commands import EditChange
from fairway.changes.commands.reading import Span
from fairway.environments.commands import EditEnvironment
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import NotFound, Problem
from fairway.workspace import queries
from fairway.workspace.rules.past import ERASED
from fairway.workspace.rules.wording import GONE, NEW, SAME, difference
from tests.support.company import Company
from tests.support.replay import present

from .conftest import AT

Records = dict[str, str]


def snapshot(found: queries.Past) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the record and its parts as they stand in their tables, as the log would keep them."""
    own = str(found.record.uid)
    rows = present(found.model, *found.parts)
    links = {label: queries.kind_of(found.record.kind).parts.get(label) for label in found.parts}
    return {
        key: columns
        for key, columns in rows.items()
        if key[1] == own or (key[0] in links and columns.get(str(links[key[0]])) == own)
    }


def commands(records: Records, chance: random.Random) -> list[Any]:
    words = "".join(chance.choice("abc \n") for _ in range(chance.randrange(12)))
    start = AT + timedelta(days=chance.randrange(3, 90))
    return [
        EditItem(item="till", name=f"Till {words.strip() or 1}".replace("\n", " "), description=words),
        EditItem(item="till", criticality=chance.randint(1, 4), attributes={"note": words}),
        EditEnvironment(environment="prod", description=words, zone=chance.choice(["UTC", "Europe/London"])),
        EditWindow(
            window=records["window"], reason=words, items=chance.choice([[], ["till"], ["till", "shop"]])
        ),
        EditChange(
            change=records["change"],
            title=f"Till {chance.randrange(9)}",
            items=tuple(chance.sample(["till", "shop", "desk"], k=chance.randint(1, 3))),
            windows=(Span(start, start + timedelta(hours=2)),),
            description=words,
            implementers=tuple(
                chance.sample(["vera@example.org", "rita@example.org"], k=chance.randint(0, 2))
            ),
        ),
    ]


def test_every_kind_replays_to_its_rows_and_to_each_state_that_it_was_in(
    company: Company, records: Records
) -> None:
    chance = random.Random(7)
    for key in ("shop", "desk"):
        execute(CreateItem(key=key, name=key, kind="system", organisation="retail"), actor=SYSTEM)
    at = datetime.now(UTC) + timedelta(minutes=1)
    known: dict[str, list[tuple[datetime, Any]]] = {kind: [] for kind in records}
    done = 0
    for _ in range(24):
        at += timedelta(seconds=chance.choice([1, 60]))
        try:
            execute(chance.choice(commands(records, chance)), actor=company.boss, at=at)
        except Problem:
            continue
        done += 1
        for kind, key in records.items():
            known[kind].append((at, snapshot(queries.past(company.boss, kind, key))))
    assert done > 15
    for kind, key in records.items():
        found = queries.past(company.boss, kind, key)
        for instant, stood in known[kind]:
            for moment in (instant, instant + timedelta(microseconds=999_999)):
                assert alike(found.state(moment).rows, stood), (kind, moment)
        assert alike(found.state(None).rows, snapshot(found)), kind


def alike(replayed: dict[Any, dict[str, Any]], stood: dict[Any, dict[str, Any]]) -> bool:
    """Say whether rows are the same; what follows from other columns is in no event."""
    if replayed.keys() != stood.keys():
        return False
    return all(
        (columns.get(name) or None) == (value or None)
        for key, columns in replayed.items()
        for name, value in stood[key].items()
    )


def test_before_it_was_there_and_by_whom(company: Company, records: Records, api: Any) -> None:
    vera = api(company.vera)
    execute(EditItem(item="till", name="Two", description="long words"), actor=company.rita)
    assert vera("get", "history/state?kind=item&subject=till&at=2020-01-01T00:00:00Z").status_code == 404
    state = vera("get", "history/state?kind=item&subject=till").json()
    assert (state["values"]["name"], state["values"]["description"]) == ("Two", "long words")
    told = vera("get", "history?kind=item&subject=till&limit=1").json()
    assert told["items"][0]["actor"] == company.rita.uid
    assert told["items"][0]["rows"][0]["changes"]["name"] == ["Till", "Two"]
    rest = vera("get", f"history?kind=item&subject=till&before={told['next']}").json()
    assert [one["command"] for one in rest["items"]] == ["catalog.item.create"]
    assert vera("get", "history?kind=item&subject=till&field=description").json()["items"] == [
        told["items"][0]
    ]
    made = datetime.fromisoformat(rest["items"][0]["at"]).isoformat()
    found = vera("get", f"history/compare?kind=item&subject=till&from={made.replace('+', '%2B')}").json()
    assert {one["column"] for one in found["differences"]} == {"name", "description"}


def test_words_that_were_erased_are_told_as_erased(company: Company, records: Records, api: Any) -> None:
    execute(EditItem(item="till", description="a secret"), actor=company.rita)
    EventText.objects.all().delete()
    found = queries.past(company.rita, "item", "till")
    assert found.state(None).rows["catalog.ConfigurationItem", str(found.record.uid)]["description"] == ERASED
    told = api(company.rita)("get", "history/state?kind=item&subject=till").json()
    assert told["values"]["description"] is None
    assert "description" in told["erased"]


def test_the_past_in_another_organisation_stays_there(
    company: Company, records: Records, browser: Any
) -> None:
    """What one may see now tells nothing of when it was somebody else's."""
    before = datetime.now(UTC)
    for name in ("Secret name", "Plain name"):
        execute(EditItem(item="till", name=name), actor=company.rita)
    execute(EditItem(item="till", organisation="cards"), actor=company.boss)
    execute(EditItem(item="till", name="Public name"), actor=company.boss)
    with pytest.raises(NotFound):
        queries.past(company.rita, "item", "till")
    found = queries.past(company.carl, "item", "till")
    with pytest.raises(NotFound):
        found.state(before)
    assert "Secret" not in str(found.shown())
    carl = browser(company.carl)
    assert "Public name" in carl.get("/history/item/till").content.decode()
    page = carl.get("/history/item/till", {"at": before.isoformat()})
    assert (page.status_code, "Secret" in page.content.decode()) == (404, False)
    execute(CreateItem(key="own", name="Own", kind="system", organisation="retail"), actor=SYSTEM)
    with pytest.raises(NotFound):
        queries.past(company.carl, "item", "own")


def test_other_organisations_are_hidden_in_what_it_referred_to(
    company: Company, records: Records, api: Any, browser: Any
) -> None:
    execute(CreateItem(key="cards-hub", name="Cards Hub", kind="system", organisation="cards"), actor=SYSTEM)
    execute(EditChange(change=records["change"], items=("till", "cards-hub")), actor=company.boss)
    told = api(company.vera)("get", f"history/state?kind=change&subject={records['change']}").json()
    items = {part["values"]["item_id"] for part in told["parts"] if part["model"] == "changes.AffectedItem"}
    assert "hidden" in items
    assert len(items) == 2
    for query in ("", "?at=2040-01-01", "?from="):
        page = browser(company.vera).get(f"/history/change/{records['change']}{query}")
        assert page.status_code == 200, page.content
        shown = page.content.decode().lower()
        assert "cards-hub" not in shown
        assert "cards hub" not in shown


def test_the_pages_tell_when_and_what(company: Company, records: Records, browser: Any) -> None:
    ten, nine = "Runs at ten in the morning. ", "Runs at nine in the morning. "
    for words in (ten * 9, nine + ten * 8):
        execute(EditItem(item="till", description=words), actor=company.rita)
    vera = browser(company.vera)
    page = vera.get("/history/item/till?field=description").content.decode()
    assert "<del>ten</del>" in page
    assert "<ins>nine</ins>" in page
    assert "As known at" in vera.get("/history/item/till?at=2040-01-01T00:00").content.decode()
    assert "Nothing differs" in vera.get("/history/item/till?from=").content.decode()
    assert vera.get("/history/item/till?at=nonsense").status_code == 422
    nobody = browser(company.carl)
    assert nobody.get("/history/item/till").status_code == 404
    assert vera.get("/history/user/USR-1").status_code == 422


@given(st.text("ab \n", max_size=60), st.text("ab \n", max_size=60))
def test_a_difference_leads_from_one_text_to_the_other(before: str, after: str) -> None:
    parts = difference(before, after)
    assert "".join(words for kind, words in parts if kind in {SAME, GONE}) == before
    assert "".join(words for kind, words in parts if kind in {SAME, NEW}) == after
    if before == after:
        assert {kind for kind, _ in parts} <= {SAME}


@pytest.mark.parametrize(
    ("one", "other"), [("a\n" * 9_999, "b\na\n" * 5_000), ("a b " * 5_000, "b a " * 5_000)]
)
def test_no_texts_keep_the_difference_busy(one: str, other: str) -> None:
    assert difference(one, other)
