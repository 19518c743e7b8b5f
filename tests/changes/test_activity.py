"""What the page of a change tells of what happened to it, and the look of what is over."""

from __future__ import annotations

import pytest
from django.test import Client

from fairway.accounts.models import User
from tests.changes.conftest import Company, stored


@pytest.fixture
def vera(company: Company) -> Client:
    client = Client()
    client.force_login(User.objects.get(uid=company.people["vera"].uid))
    return client


def test_activity_tells_the_vote_and_nothing_for_machines(company: Company, vera: Client) -> None:
    key = company.scheduled()
    change = stored(key)
    told = vera.get(f"/events/panel?subject={change.uid}").content.decode()
    assert "Ann</b> voted" in told
    assert "Payments-Api, primary" in told
    assert change.digest
    assert change.digest not in told
    assert ">Round<" not in told
    assert ", no<" not in told


def test_what_is_rejected_does_not_look_allowed(company: Company, vera: Client) -> None:
    key = company.change()
    company.take("submit", "rita", key)
    company.vote("ann", key, "reject", comment="Not tested with month-end volume.")
    page = vera.get(f"/changes/{key}").content.decode()
    assert 'class="fw-verdict is-bad"' in page
    assert 'class="fw-verdict is-ok"' not in page


def test_what_is_cancelled_has_no_colour(company: Company, vera: Client) -> None:
    key = company.change()
    company.take("cancel", "rita", key, reason="Not needed any more.")
    assert 'class="fw-verdict is-unknown"' in vera.get(f"/changes/{key}").content.decode()


def test_lanes_of_the_calendar_tell_their_order(company: Company, vera: Client) -> None:
    company.change(items=("ledger-db", "payments-api"))
    company.change(items=())
    span = "from=2026-11-30T00:00:00Z&to=2026-12-03T00:00:00Z"
    for by in ("item", "environment"):
        orders = [lane["order"] for lane in vera.get(f"/calendar/data?{span}&lanes={by}").json()["lanes"]]
        assert all(orders), by
        assert orders == sorted(orders), by
