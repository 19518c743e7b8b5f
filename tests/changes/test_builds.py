"""Builds that carry a change: said once, told both ways, and no part of what is voted on."""

from __future__ import annotations

import pytest

from fairway.audit.commands import convert, execute
from fairway.catalog.commands import RegisterBuild
from fairway.changes import queries
from fairway.changes.commands import AttachBuild, DetachBuild
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Forbidden, Invalid, NotFound

from .conftest import Company, stored


def carried(key: str, actor: Actor = SYSTEM) -> list[str]:
    return [row["name"] for row in queries.carrying(actor, queries.dossier(actor, key))]


def test_a_build_leads_to_its_changes_and_back_and_no_vote_is_lost(company: Company) -> None:
    key = company.scheduled()
    digest = stored(key).digest
    for version in ("1.0", "1.1"):
        execute(RegisterBuild(system="payments-api", build_version=version), actor=SYSTEM)
    attach = AttachBuild(change=key, build="payments-api@1.1")
    execute(attach, actor=company.rita)
    assert execute(attach, actor=company.rita).sequence is None
    assert carried(key) == ["payments-api@1.1"]
    query = convert({"build": "payments-api@1.1"}, queries.ChangeQuery)
    assert [row["number"] for row in queries.change_page(SYSTEM, query).rows] == [stored(key).number]
    assert (stored(key).digest, stored(key).state) == (digest, "scheduled")
    with pytest.raises(Forbidden):
        execute(attach, actor=company.vera)
    with pytest.raises(NotFound):
        execute(attach, actor=company.carl)
    with pytest.raises(Invalid):
        execute(AttachBuild(change=key, build="payments-api@9"), actor=company.rita)
    execute(DetachBuild(change=key, build="payments-api@1.1"), actor=company.rita)
    assert carried(key) == []
    with pytest.raises(NotFound):
        execute(DetachBuild(change=key, build="payments-api@1.1"), actor=company.rita)
