"""Who stands how to an item, who supplies it, and when it is looked after."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fairway.accounts.commands import CreateTeam
from fairway.accounts.queries import user
from fairway.audit.commands import execute
from fairway.catalog import queries
from fairway.catalog.api.items import item_view
from fairway.catalog.commands import EditItem, SetStakeholders
from fairway.catalog.models import ConfigurationItem, Stakeholder
from fairway.catalog.rules import service_hours
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import Forbidden, Invalid, Stale
from tests.support.replay import replayed

from .conftest import Company

Make = Callable[..., str]


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("", ""),
        (" 24X7 ", "24x7"),
        ("mon-fri 08:00-18:00 Europe/London", "mon-fri 08:00-18:00 Europe/London"),
        ("Mon 08:00-12:00;  tue-wed 08:00-12:00; UTC", "mon-wed 08:00-12:00 UTC"),
        ("mon 13:00-24:00; mon 08:00-13:00 UTC", "mon 08:00-13:00; mon 13:00-24:00 UTC"),
        ("mon-fri 08:00-18:00", None),
        ("mon-fri 08:00-18:00 Europe/Londn", None),
        ("mon-fri 18:00-08:00 UTC", None),
        ("mon 08:00-08:00 UTC", None),
        ("fri-mon 08:00-18:00 UTC", None),
        ("mon 08:00-25:00 UTC", None),
        ("mon 08:60-09:00 UTC", None),
        ("mon 08:00-12:00; mon 11:59-13:00 UTC", None),
        ("xyz 08:00-12:00 UTC", None),
        ("UTC", None),
    ],
)
def test_service_hours_have_one_form(text: str, stored: str | None) -> None:
    if stored is None:
        with pytest.raises(Invalid):
            service_hours(text)
    else:
        assert service_hours(text) == stored
        assert service_hours(stored) == stored


def parts(key: str = "till") -> dict[str, list[str]]:
    item = ConfigurationItem.objects.get(slug=key)
    found = queries.stakeholders(SYSTEM, item)
    return {part: [ref.name for ref in refs] for part, refs in found.items() if refs}


def test_people_and_teams_have_parts_and_one_is_accountable(company: Company, item: Make) -> None:
    item("till")
    execute(CreateTeam(slug="tills", name="Tills", organisation="retail"), actor=SYSTEM)
    rita, vera = (user(SYSTEM, f"{name}@example.org").key for name in ("rita", "vera"))
    with replayed():
        execute(
            SetStakeholders(item="till", responsible=["tills", rita, rita], accountable=rita),
            actor=company.retail,
        )
        execute(SetStakeholders(item="till", accountable=vera, informed=[rita]), actor=company.retail)
    assert parts() == {"responsible": ["Tills", "Rita"], "accountable": ["Vera"], "informed": ["Rita"]}
    assert Stakeholder.objects.filter(part="accountable").count() == 1
    with pytest.raises(Stale):
        execute(SetStakeholders(item="till", version=1, accountable=None), actor=company.retail)
    execute(SetStakeholders(item="till", accountable=None, responsible=[]), actor=company.retail)
    assert parts() == {"informed": ["Rita"]}
    with pytest.raises(Invalid, match="no person and no team"):
        execute(SetStakeholders(item="till", consulted=["carl@example.org"]), actor=company.retail)
    with pytest.raises(Forbidden):
        execute(SetStakeholders(item="till", informed=[]), actor=company.reader)


def test_whom_one_cannot_see_stays_and_is_not_named(company: Company, item: Make) -> None:
    item("till")
    execute(SetStakeholders(item="till", consulted=["carl@example.org"]), actor=company.boss)
    execute(SetStakeholders(item="till", consulted=["vera@example.org"]), actor=company.retail)
    assert parts() == {"consulted": ["Carl", "Vera"]}
    found = queries.stakeholders(company.retail, ConfigurationItem.objects.get(slug="till"))
    assert [ref.hidden for ref in found["consulted"]] == [True, False]


def test_a_vendor_is_an_item_and_told_to_whom_sees_it(company: Company, item: Make) -> None:
    item("acme", organisation="cards", kind="third-party")
    item("till")
    with pytest.raises(Invalid, match="no item “acme”"):
        execute(EditItem(item="till", vendor="acme"), actor=company.retail)
    with pytest.raises(Invalid, match="its own vendor"):
        execute(EditItem(item="till", vendor="till"), actor=company.boss)
    execute(EditItem(item="till", vendor="acme", alias="Kasse"), actor=company.boss)
    for reader, kind in ((company.boss, "item"), (company.retail, "hidden")):
        view = item_view(reader, queries.item_row(reader, "till"))
        assert view.vendor is not None
        assert view.vendor.kind == kind
    page = queries.item_page(company.retail, queries.ItemQuery(q="kasse"))
    assert [row["slug"] for row in page.rows] == ["till"]
    execute(EditItem(item="till", vendor=None), actor=company.boss)
    assert ConfigurationItem.objects.get(slug="till").vendor is None
