"""What is answered where no page or endpoint speaks: to a strange Host, or after a fault of ours."""

from __future__ import annotations

import pytest
from django.test import Client

PAGE, API = "/sign-in", "/api/v1/items"
pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only]  # before any statement


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "a b", "testserver@evil.example"])
def test_a_name_that_is_not_ours_is_refused_and_not_repeated(host: str) -> None:
    """It would end up in links and caches; and it is no fault of ours."""
    client = Client(raise_request_exception=False, headers={"Host": host})
    page, api = client.get(PAGE), client.get(API)
    assert (page.status_code, page["Content-Type"]) == (400, "text/html; charset=utf-8")
    assert (api.status_code, api["Content-Type"]) == (400, "application/problem+json")
    assert api.json()["code"] == "malformed"
    assert b"evil" not in page.content + api.content


def test_no_header_of_a_proxy_that_is_not_there_is_believed() -> None:
    forged = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "Forwarded": "host=evil.example",
    }
    answer = Client(headers=forged).get(PAGE)
    assert answer.status_code == 200
    assert b"evil" not in answer.content
    assert not answer.wsgi_request.is_secure()


def test_a_fault_of_ours_is_told_in_the_words_of_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr("fairway.accounts.web.calling.queries.bearer", fails)
    client = Client(raise_request_exception=False, headers={"Authorization": "Bearer fw_x"})
    answer = client.get(API)
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert answer.json()["code"] == "broken"
    assert b"inside" not in answer.content
