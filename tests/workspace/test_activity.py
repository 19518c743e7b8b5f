"""The panel beside a record: what was said and done in one, and its forms."""

from __future__ import annotations

from typing import Any

from fairway.audit.commands import execute
from fairway.workspace.commands import CreateComment
from fairway.workspace.models import Comment
from tests.support.company import Company

HX = {"HX-Request": "true"}


def panel(client: Any, **query: str) -> Any:
    asked = {"kind": "item", "subject": "till", **query}
    return client.get("/activity", query_params=asked, headers=HX)


def test_words_and_deeds_stand_in_one(company: Company, records: dict[str, str], browser: Any) -> None:
    execute(CreateComment(kind="item", subject="till", text="Looks **odd**"), actor=company.rita)
    rita, vera = browser(company.rita), browser(company.vera)
    told = panel(vera).content.decode()
    assert "<strong>odd</strong>" in told
    assert "created" in told
    assert "created comment" not in told  # it stands there itself
    assert "<textarea" not in told, "a viewer says nothing"
    assert "created" not in panel(vera, show="comments").content.decode()
    assert "odd" not in panel(vera, show="history").content.decode()
    assert panel(vera, show="everything").status_code == 422
    assert "<textarea" in panel(rita).content.decode()
    assert panel(browser(company.carl)).status_code == 404


def test_saying_altering_and_withdrawing_answer_with_the_panel(
    company: Company, records: dict[str, str], browser: Any
) -> None:
    rita, boss = browser(company.rita), browser(company.boss)
    form = {"kind": "item", "subject": "till", "text": "First"}
    said = rita.post("/activity/comments", form, headers=HX)
    assert (said.status_code, "First" in said.content.decode()) == (200, True)
    refused = rita.post("/activity/comments", {**form, "text": "@USR-99999 x"}, headers=HX)
    assert refused.status_code == 422
    assert "@USR-99999 x</textarea>" in refused.content.decode(), "what was typed is still there"
    assert rita.post("/activity/comments", form).headers["Location"] == "/items/till"

    comment = Comment.objects.order_by("pk")[0]
    here = f"/activity/comments/{comment.uid}"
    assert "First</textarea>" in rita.get(f"{here}/edit", headers=HX).content.decode()
    stale = rita.post(f"{here}/edit", {"text": "Mine", "version": "7"}, headers=HX)
    assert (stale.status_code, "Mine</textarea>" in stale.content.decode()) == (412, True)
    assert boss.post(f"{here}/edit", {"text": "Yours", "version": "1"}, headers=HX).status_code == 403
    assert (
        "edited" in rita.post(f"{here}/edit", {"text": "Mine", "version": "1"}, headers=HX).content.decode()
    )
    gone = boss.post(f"{here}/withdraw", {"version": "2"}, headers=HX).content.decode()
    assert "Withdrawn by Boss" in gone
    assert "Mine" not in gone
    assert boss.post(f"{here}/withdraw", headers=HX).status_code == 409


def test_the_picker_offers_whom_one_sees(company: Company, records: dict[str, str], browser: Any) -> None:
    found = browser(company.rita).get("/activity/people?q=v").json()["items"]
    assert [one["name"] for one in found] == ["Vera"]
    assert browser(company.rita).get("/activity/people?q=carl").json()["items"] == []
    assert browser(company.vera).get("/activity/people?q=v").status_code == 403
