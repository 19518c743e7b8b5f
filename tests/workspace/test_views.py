"""Saved views: private ones are nobody else's, shared ones reach whom they are for, one opens the list."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from fairway.accounts.commands import CreateTeam, GrantRole
from fairway.audit.commands import execute
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from fairway.workspace import queries
from fairway.workspace.commands import ArchiveView, ChooseView, CreateField, CreateView, EditField, EditView
from fairway.workspace.models import SavedView
from tests.support.company import Company, actor, person
from tests.support.replay import replayed


def keep(by: Actor, name: str = "Critical", **more: Any) -> str:
    command = CreateView(name=name, **{"page": "items", "filters": {"criticality": "1"}, **more})
    made = execute(command, actor=by).subject
    assert made is not None
    return made.uid


def seen(by: Actor, page: str = "items") -> list[str]:
    return [tab.name for tab in queries.views_of(by, page).tabs]


def test_private_team_and_organisation(company: Company) -> None:
    with replayed():
        keep(company.rita, "Private")
        execute(
            CreateTeam(slug="ops", name="Ops", organisation="retail", members=["vera@example.org"]),
            actor=SYSTEM,
        )
        keep(company.rita, "Of the team", sharing="team", team="ops")
        keep(company.rita, "Of retail", sharing="organisation", organisation="retail")
        keep(company.boss, "Of all", sharing="organisation", organisation="group")
    assert seen(company.rita) == ["Of all", "Of retail", "Of the team", "Private"]
    assert seen(actor("vera")) == ["Of all", "Of retail", "Of the team"]
    assert seen(company.carl) == ["Of all"]
    assert seen(company.vera, "changes") == []
    # Who sees the whole tree sees what is shared with organisations, but nobody's private views.
    assert seen(company.boss) == ["Of all", "Of retail"]


def test_sharing_takes_a_permission_where_it_is_shared(company: Company) -> None:
    with pytest.raises(Forbidden, match=r"workspace\.share"):
        keep(company.vera, sharing="organisation", organisation="retail")
    with pytest.raises(NotFound):
        keep(company.rita, sharing="organisation", organisation="cards")
    execute(GrantRole(role="viewer", organisation="group", user="rita@example.org"), actor=SYSTEM)
    with pytest.raises(Forbidden):
        keep(actor("rita"), sharing="organisation", organisation="group")
    uid = keep(company.rita, sharing="organisation", organisation="retail")
    for command in (EditView(view=uid, name="x"), ArchiveView(view=uid)):
        with pytest.raises(Forbidden):
            execute(command, actor=company.vera)
        with pytest.raises(NotFound):
            execute(command, actor=company.carl)
    execute(EditView(view=uid, name="By an administrator above"), actor=company.boss)
    private = keep(company.vera)
    with pytest.raises(NotFound):
        execute(EditView(view=private, name="x"), actor=company.boss)


@pytest.mark.parametrize(
    ("case", "values", "field"),
    [
        ("no such filter", {"filters": {"password": "1"}}, "filters"),
        ("the order is no filter", {"filters": {"sort": "name"}}, "filters"),
        ("a team without one", {"sharing": "team"}, "team"),
        ("an organisation without one", {"sharing": "organisation"}, "organisation"),
        ("default for others, yet private", {"is_default": True}, "is_default"),
        ("far away", {"position": 10**12}, "position"),
        ("a column of two", {"columns": ["a,b"]}, "columns"),
    ],
)
def test_a_view_is_refused(company: Company, case: str, values: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        keep(company.rita, **values)
    assert [error.field for error in refused.value.errors] == [field], case


def test_names_are_once_for_each_owner_and_list(company: Company) -> None:
    uid = keep(company.rita)
    with pytest.raises(Conflict, match="already"):
        keep(company.rita, "CRITICAL")
    keep(company.vera)
    other = keep(company.rita, "Other")
    with pytest.raises(Conflict):
        execute(EditView(view=other, name="critical"), actor=company.rita)
    execute(ArchiveView(view=uid), actor=company.rita)
    keep(company.rita)


def test_what_a_list_opens_with(company: Company) -> None:
    """One's own choice, then what is offered to one's role, then what is offered to all."""
    share: dict[str, Any] = {"sharing": "organisation", "organisation": "retail", "is_default": True}

    def opening(by: Actor) -> str:
        found = queries.views_of(by, "items").opening
        return SavedView.objects.get(uid=found).name if found else ""

    assert opening(company.vera) == ""
    keep(company.rita, "For all", **share)
    assert opening(company.vera) == "For all"
    keep(company.rita, "For viewers", role="viewer", **share)
    assert opening(company.vera) == "For viewers"
    assert opening(company.rita) == "For all"
    mine = keep(company.vera, "Mine")
    execute(ChooseView(page="items", view=mine), actor=company.vera)
    assert opening(company.vera) == "Mine"
    execute(ChooseView(page="items", view=queries.NONE), actor=company.vera)
    assert opening(company.vera) == ""
    execute(ChooseView(page="items"), actor=company.vera)
    assert opening(company.vera) == "For viewers"
    execute(ChooseView(page="items", view=mine), actor=company.vera)
    execute(ArchiveView(view=mine), actor=company.vera)
    assert opening(company.vera) == "For viewers"
    with pytest.raises(Invalid):
        execute(ChooseView(page="changes", view=keep(company.vera, "Again")), actor=company.vera)


def test_the_address_of_a_view_holds_all_it_keeps(company: Company, api: Any) -> None:
    rita = api(company.rita)
    body = {
        "page": "items",
        "name": "Mine",
        "filters": {"q": "a&b=ü"},
        "sort": "-name",
        "columns": ["key", "name"],
    }
    made = rita("post", "saved-views", body)
    assert made.status_code == 201, made.content
    uid = made.json()["uid"]
    address = f"/items?q=a%26b%3D%C3%BC&sort=-name&columns=key%2Cname&view={uid}"
    assert made.json()["address"] == address
    assert rita("get", "saved-views?page=items&count=true").json()["count"] == 1
    changed = rita("patch", f"saved-views/{uid}", {"filters": {}, "pinned": True}, If_Match=made["ETag"])
    assert (changed.json()["filters"], changed.json()["pinned"]) == ({}, True)
    assert rita("post", f"saved-views/{uid}/choose", {}).json() == {"page": "items", "opens_with": uid}
    assert rita("post", f"saved-views/{uid}/choose", {"chosen": False}).json()["opens_with"] is None
    assert rita("delete", f"saved-views/{uid}", If_Match="*").status_code == 200
    assert rita("get", f"saved-views/{uid}").status_code == 404
    assert person("nina", "retail").uid  # nobody's role: sees no list, hence keeps no view
    assert api(actor("nina"))("post", "saved-views", body).status_code == 403


def test_a_list_keeps_and_opens_with_a_view(company: Company, browser: Any) -> None:
    rita, vera = browser(company.rita), browser(company.vera)
    kept = rita.post(
        "/views", {"page": "items", "name": "Mine alone", "query": "criticality=1&evil=x&sort=-name"}
    )
    view = SavedView.objects.get()
    assert (view.filters, view.sort, view.pinned) == ({"criticality": "1"}, "-name", True)
    assert kept.headers["Location"] == f"/items?criticality=1&sort=-name&view={view.uid}"
    page = rita.get(kept.headers["Location"]).content.decode()
    assert f'view={view.uid}" aria-current="page">Mine alone</a>' in page
    assert rita.get("/items").status_code == 200
    rita.post("/views/choose", {"page": "items", "view": str(view.uid)})
    assert rita.get("/items").headers["Location"] == kept.headers["Location"]
    assert rita.get("/items?view=none").status_code == 200
    rita.post(f"/views/{view.uid}/update", {"query": "q=till"})
    assert SavedView.objects.get().filters == {"q": "till"}
    assert vera.post(f"/views/{view.uid}/update", {"query": "q=x"}).status_code == 404
    assert "Mine alone" not in vera.get("/items").content.decode()
    form = {"name": "Ours", "sharing": "organisation", "organisation": "retail", "pinned": "on"}
    assert rita.post(f"/views/{view.uid}/edit", {**form, "organisation": ""}).status_code == 422
    assert rita.post(f"/views/{view.uid}/edit", form).status_code == 302
    assert "Ours" in vera.get("/items").content.decode()
    assert vera.post(f"/views/{view.uid}/archive").status_code == 403
    assert rita.post(f"/views/{view.uid}/archive").status_code == 302
    assert rita.get("/items").status_code == 200


def test_filters_by_fields_of_ones_own_are_kept_and_told_to_who_sees_the_field(
    company: Company, browser: Any, api: Any
) -> None:
    for name, viewers in (("cost", []), ("margin", ["change-manager", "administrator"])):
        execute(
            CreateField(
                subject="item", name=name, label=name, type="integer", organisation="retail", viewers=viewers
            ),
            actor=SYSTEM,
        )
    asked = {"custom.cost__gte": "5", "custom.margin": "7", "q": "till"}
    rita, query = browser(company.rita), urlencode(asked)
    rita.post("/views", {"page": "items", "name": "Dear", "query": query})
    view = SavedView.objects.get()
    assert view.filters == asked
    execute(EditView(view=str(view.uid), sharing="organisation", organisation="retail"), actor=company.rita)
    for by, left in ((company.rita, asked), (company.vera, {"custom.cost__gte": "5", "q": "till"})):
        [tab] = queries.views_of(by, "items").tabs
        told = api(by)("get", f"saved-views/{view.uid}").json()
        assert told["filters"] == left
        assert dict(parse_qsl(tab.href.partition("?")[2])) == {**left, "view": str(view.uid)}
        assert told["address"] == tab.href
        assert browser(by).get(tab.href).status_code == 200
    execute(EditField(field="item.cost", filterable=False), actor=SYSTEM)
    assert "cost" not in queries.views_of(company.rita, "items").tabs[0].href
    for wrong in ({"custom.none": "1"}, {"custom.margin": "x"}, {"custom.margin__contains": "1"}):
        with pytest.raises(Invalid) as refused:
            keep(company.rita, "Other", filters=wrong)
        assert [error.field for error in refused.value.errors] == ["filters"]
    with pytest.raises(Invalid):
        keep(company.vera, "Other", filters={"custom.margin": "7"})
    with pytest.raises(Invalid):
        keep(company.rita, "Other", page="calendar", filters={"custom.margin": "7"})
