"""Many writers at the same moment, each in a transaction of its own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fairway.accounts import commands as accounts
from fairway.accounts.models import Organisation, OrganisationPath, Team
from fairway.audit import queries
from fairway.audit.commands import Attempt, Outcome, Told, claim, execute
from fairway.audit.models import Denial, Event, IdempotentRequest
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import Conflict, Refused, Stale
from tests.audit.probes import Make, Rename
from tests.support.committed import together
from tests.support.company import Company, found
from tests.support.replay import replayed

pytestmark = [pytest.mark.race, pytest.mark.usefixtures("committed")]
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def company(committed: None) -> Company:
    return found()


def test_numbers_are_gapless_and_the_chain_whole(company: Company) -> None:
    before, _ = queries.head()
    with replayed():
        answers = together(*[lambda n=n: execute(Make(slug=f"t{n}"), actor=company.boss) for n in range(16)])
    given = {answer.sequence for answer in answers if isinstance(answer, Outcome)}
    assert given == set(range(before + 1, before + 17))
    assert queries.verification().whole


def test_of_many_edits_of_one_version_one_wins(company: Company) -> None:
    execute(Make(slug="ops"), actor=company.boss)
    answers = together(
        *[
            lambda n=n: execute(Rename(slug="ops", name=f"N{n}", read_at=1), actor=company.boss)
            for n in range(8)
        ]
    )
    won = [answer for answer in answers if isinstance(answer, Outcome)]
    assert len(won) == 1
    assert {type(answer) for answer in answers} == {Outcome, Stale}
    assert Team.objects.get(slug="ops").version == 2


def test_of_many_that_take_one_key_one_wins(company: Company) -> None:
    answers = together(*[lambda: execute(Make(slug="ops"), actor=company.boss)] * 8)
    assert [type(answer) for answer in answers].count(Outcome) == 1
    assert {type(answer) for answer in answers} == {Outcome, Conflict}
    assert Event.objects.filter(command="test.team.make").count() == 1


def test_every_denial_is_counted(company: Company) -> None:
    answers = together(*[lambda: execute(Make(slug="x", refuse=True), actor=company.vera, at=NOON)] * 12)
    assert {type(answer) for answer in answers} == {Refused}
    assert Denial.objects.get().count == 12


def test_of_many_requests_under_one_key_one_runs(company: Company) -> None:
    def ask() -> str:
        begun = claim("k", actor=company.boss, route="/teams", request=b"one")
        if isinstance(begun, Told):
            return "told"
        assert isinstance(begun, Attempt)
        outcome = execute(Make(slug="ops"), actor=company.boss, attempt=begun)
        begun.tell(Told(201, {}, b"body"))
        return "told" if outcome.repeated else "ran"

    answers = together(*[ask] * 10)
    assert answers.count("ran") == 1
    assert all(a in {"ran", "told"} or (isinstance(a, Conflict) and a.code == "in-progress") for a in answers)
    assert Event.objects.filter(command="test.team.make").count() == 1
    assert IdempotentRequest.objects.get().status == 201


def test_two_moves_at_once_close_no_circle(company: Company) -> None:
    def move(what: str, below: str) -> Outcome:
        return execute(accounts.EditOrganisation(organisation=what, parent=below), actor=SYSTEM)

    for _ in range(4):
        together(lambda: move("retail", "cards"), lambda: move("cards", "retail"))
        parents = dict(Organisation.objects.values_list("slug", "parent__slug"))
        assert {parents["retail"], parents["cards"]} & {"group"}
        for slug in ("retail", "cards"):
            if parents[slug] != "group":
                move(slug, "group")
    assert OrganisationPath.objects.filter(ancestor__slug="group").count() == 4


def test_organisations_made_at_once_all_stand_in_the_tree(company: Company) -> None:
    answers = together(
        *[
            lambda n=n: execute(
                accounts.CreateOrganisation(slug=f"o{n}", name="O", parent="retail"), actor=SYSTEM
            )
            for n in range(8)
        ]
    )
    assert {type(answer) for answer in answers} == {Outcome}
    assert OrganisationPath.objects.filter(ancestor__slug="retail").count() == 10
