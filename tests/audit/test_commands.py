"""The frame: what a command writes, and what it leaves when it may not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fairway.accounts import commands as accounts
from fairway.accounts.models import Team, User
from fairway.audit import queries
from fairway.audit.commands import Command, Outcome, Plan, build, execute, execute_many, journal, preview
from fairway.audit.models import Denial, Event, EventRow, Revision
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid, Problem, Refused, Stale
from tests.audit.probes import Drop, Fail, Make, Rename
from tests.support.company import Company
from tests.support.dump import dump, holds
from tests.support.replay import replayed

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
BUT_THE_DENIAL = frozenset({"audit_denial", "sqlite_sequence"})


def test_a_command_writes_rows_event_and_revision(company: Company) -> None:
    before, _ = queries.head()
    outcome = execute(Make(slug="ops", note={"why": "test"}), actor=company.boss, at=NOON)
    team = Team.objects.get(slug="ops")
    event = Event.objects.get(sequence=before + 1)
    row = EventRow.objects.get(event=event)
    assert outcome.sequence == before + 1 == queries.revisions()["accounts"]
    assert outcome.created
    assert outcome.subject == team.ref()
    assert (team.version, team.created_at, team.name_folded) == (1, NOON, "team")
    assert (event.command, event.at, str(event.actor_uid)) == ("test.team.make", NOON, company.boss.uid)
    assert (event.subject_kind, event.subject_uid, event.subject_key) == ("team", team.uid, "ops")
    assert event.organisation_id == team.organisation_id == row.organisation_id
    assert (row.model, row.row_uid, row.action) == ("accounts.Team", team.uid, "create")
    changes = msgspec.json.decode(row.changes)
    assert changes["slug"] == [None, "ops"]
    assert changes["organisation_id"] == [None, str(team.organisation.uid)]


def test_rows_and_event_stand_or_fall_together(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(rows: Sequence[Any]) -> None:
        raise RuntimeError("a projection failed")

    monkeypatch.setattr(journal, "_projections", [(("accounts.Team",), fail, False)])
    before = dump()
    with pytest.raises(RuntimeError, match="a projection failed"):
        execute(Make(slug="ops"), actor=company.boss)
    assert dump() == before


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (Make(slug="ops", refuse=True), Refused),
        (Make(slug="ops", forbid=True), Forbidden),
        (accounts.CreateTeam(slug="ops", name="Ops", organisation="retail"), Forbidden),
    ],
)
def test_a_denied_command_leaves_no_trace_but_its_denial(
    company: Company, command: Command, problem: type[Problem]
) -> None:
    before = dump(without=BUT_THE_DENIAL)
    with pytest.raises(problem):
        execute(command, actor=company.vera, at=NOON)
    assert dump(without=BUT_THE_DENIAL) == before
    denial = Denial.objects.get()
    assert (str(denial.actor_uid), denial.command, denial.subject) == (
        company.vera.uid,
        command.command,
        "ops",
    )
    assert (denial.minute, denial.count) == (NOON, 1)


def test_repeated_denials_raise_a_counter_by_the_minute(company: Company) -> None:
    for second in (0, 30, 59, 60):
        with pytest.raises(Refused):
            execute(Make(slug="ops", refuse=True), actor=company.vera, at=NOON + timedelta(seconds=second))
    with pytest.raises(Refused):
        execute(Make(slug="ops", refuse=True), actor=SYSTEM, at=NOON)
    assert list(Denial.objects.order_by("minute").values_list("count", flat=True)) == [3, 1]


def test_a_refusal_tells_decision_and_code(company: Company) -> None:
    with pytest.raises(Refused) as caught:
        execute(Make(slug="ops", refuse=True), actor=company.boss)
    document = caught.value.document()
    assert [finding.rule for finding in caught.value.decision.findings] == ["test.rule"]
    assert document["code"] == "test.team.refused"
    assert document["title"] == "Team refused"
    assert document["detail"] == "It is blocked."


def test_preview_writes_nothing(company: Company) -> None:
    before = dump()
    plan = preview(Make(slug="ops"), actor=company.boss)
    assert [row.pk for row in plan.create] == [None]
    assert dump() == before


def test_a_change_raises_the_version_and_logs_before_and_after(company: Company) -> None:
    execute(Make(slug="ops", name="Old"), actor=company.boss)
    execute(Rename(slug="ops", name="NEW", read_at=1), actor=company.boss)
    team = Team.objects.get(slug="ops")
    assert (team.version, team.name, team.name_folded) == (2, "NEW", "new")
    row = EventRow.objects.latest("id")
    assert (row.action, msgspec.json.decode(row.changes)) == ("change", {"name": ["Old", "NEW"]})


def test_a_stale_change_is_refused_and_undoes_what_came_before_it(company: Company) -> None:
    execute(Make(slug="ops"), actor=company.boss)
    execute(Rename(slug="ops", name="Second", read_at=1), actor=company.boss)
    before = dump()
    with pytest.raises(Stale):
        execute(Rename(slug="ops", name="Third", read_at=1, make="other"), actor=company.boss)
    assert dump() == before


def test_what_changes_nothing_leaves_no_event(company: Company) -> None:
    execute(Make(slug="ops", name="Same"), actor=company.boss)
    before = dump()
    outcome = execute(Rename(slug="ops", name="Same", read_at=1), actor=company.boss)
    assert outcome.sequence is None
    assert dump() == before


def test_a_row_is_removed_once(company: Company) -> None:
    execute(Make(slug="ops"), actor=company.boss)
    before = dump()
    with pytest.raises(Stale):
        execute(Drop(slug="ops", gone=True), actor=company.boss)
    assert dump() == before
    execute(Drop(slug="ops"), actor=company.boss)
    assert not Team.objects.exists()
    assert EventRow.objects.latest("id").action == "remove"


def test_columns_that_follow_from_others_are_written_too(company: Company) -> None:
    class Readdress(Command):
        def plan(self, *, actor: Actor, at: datetime, lock: bool = False) -> Plan:
            user = User.objects.get(email="vera@example.org")
            return Plan(subject=user, change=[(user, {"email": "Vera@New.org"})])

    execute(Readdress(), actor=company.boss)
    assert User.objects.get(email="Vera@New.org").email_folded == "vera@new.org"


def test_many_each_for_itself(company: Company) -> None:
    commands = [
        Make(slug="one"),
        Make(slug="no", refuse=True),
        Make(slug="two", twice=True),  # its second row breaks a constraint
        Fail(),
        Rename(slug="one", name="Uno", read_at=1),
        Rename(slug="one", name="Eins", read_at=1, make="undone"),
        Make(slug="three"),
    ]
    before, _ = queries.head()
    answers = list(execute_many(commands, actor=company.boss))
    kinds = [type(answer) for answer in answers]
    assert kinds == [Outcome, Refused, Conflict, Problem, Outcome, Stale, Outcome]
    sequences = [answer.sequence for answer in answers if isinstance(answer, Outcome)]
    assert sequences == [before + 1, before + 2, before + 3]
    assert set(Team.objects.values_list("slug", "name")) == {("one", "Uno"), ("three", "Team")}
    assert Denial.objects.get().subject == "no"
    assert queries.verification().whole


def test_many_commit_by_batches_with_their_events_in_bulk(company: Company) -> None:
    def statements(count: int, prefix: str) -> list[str]:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            list(
                execute_many([Make(slug=f"{prefix}{n}") for n in range(count)], actor=company.boss, batch=50)
            )
        return [query["sql"] for query in captured.captured_queries]

    one_batch, two_batches = statements(50, "a"), statements(100, "b")
    for table in ("audit_event", "audit_eventrow", "audit_revision"):
        inserted = [sql for sql in one_batch if f'INSERT INTO "{table}"' in sql]
        assert len(inserted) == 1, table
        assert sum(f'INSERT INTO "{table}"' in sql for sql in two_batches) == 2, table


def test_one_command_takes_no_more_statements_with_more_history(company: Company) -> None:
    def statements(slug: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            execute(Make(slug=slug), actor=company.boss)
        return len(captured)

    first = statements("first")
    list(execute_many([Make(slug=f"t{n}") for n in range(50)], actor=company.boss))
    # savepoints, plan, row, what is searched, head, event, its row, head, revision
    assert statements("second") == first <= 12


def test_projections_run_once_with_all_rows_that_stand(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[list[str]] = []

    def project(rows: Sequence[Team]) -> None:
        calls.append([row.slug for row in rows])

    monkeypatch.setattr(journal, "_projections", [(("accounts.Team", "accounts.Grant"), project, False)])
    execute(Make(slug="one"), actor=company.boss)
    list(
        execute_many(
            [
                Make(slug="two"),
                Make(slug="bad", twice=True),
                Rename(slug="one", name="Late", read_at=7, make="undone"),
                Make(slug="three"),
            ],
            actor=company.boss,
        )
    )
    assert calls == [["one"], ["two", "three"]]


def test_a_command_is_built_by_name_and_says_which_field_is_wrong() -> None:
    built = build("accounts.team.create", {"slug": "a", "name": "A", "organisation": "group"})
    assert built == accounts.CreateTeam(slug="a", name="A", organisation="group")
    for arguments, field in (
        ({"slug": "a", "name": "A"}, "organisation"),
        ({"slug": 7, "name": "A", "organisation": "x"}, "slug"),
        ({"slug": "a", "name": "A", "organisation": "x", "pk": 1}, "pk"),
        ({"slug": "a", "name": "A", "organisation": "x", "members": [7]}, "members[0]"),
    ):
        with pytest.raises(Invalid) as caught:
            build("accounts.team.create", arguments)
        assert [error.field for error in caught.value.errors] == [field]


def test_two_commands_of_one_name_are_a_fault() -> None:
    with pytest.raises(RuntimeError, match="two commands are called"):

        class Again(Command, name="accounts.team.create"):
            pass


def test_secrets_and_personal_data_never_enter_the_chain(company: Company) -> None:
    execute(
        accounts.CreateUser(email="Canary.Mail@example.org", name="Canary Name", organisation="retail"),
        actor=company.rita,
    )
    canary = User.objects.get(email="Canary.Mail@example.org")
    execute(accounts.SetPassword(user=str(canary.uid), password="canary-password-7"), actor=SYSTEM)
    told = execute(accounts.CreateToken(name="ci"), actor=company.rita).answer
    execute(Make(slug="ops", texts={"comment": "canary comment"}), actor=company.rita)
    chain = ("audit_event", "audit_eventrow")
    for personal in ("Canary.Mail", "canary.mail", "Canary Name", "canary comment"):
        assert holds(personal, *chain) == []
        assert holds(personal)  # it is kept, elsewhere
    for secret in ("canary-password-7", told):
        assert holds(secret) == []
    hashed = User.objects.get(pk=canary.pk).password
    assert holds(hashed) == ["accounts_user"]
    assert holds(told[:7], *chain)  # the hint, to tell tokens apart


def test_the_log_replays_to_the_present_rows(company: Company) -> None:
    with replayed():
        execute(accounts.CreateOrganisation(slug="lab", name="Lab", parent="cards"), actor=company.boss)
        execute(accounts.EditOrganisation(organisation="lab", parent="retail"), actor=company.boss)
        execute(
            accounts.CreateUser(email="n@example.org", name="Nia", organisation="lab"), actor=company.boss
        )
        execute(accounts.EditUser(user="n@example.org", zone="Europe/Paris"), actor=company.boss)
        execute(accounts.CreateTeam(slug="t", name="T", organisation="lab", members=["n@example.org"]),
                actor=company.boss)  # fmt: skip
        execute(accounts.SetMembers(team="t", members=["vera@example.org"]), actor=company.boss)
        execute(accounts.GrantRole(role="viewer", organisation="cards", team="t"), actor=company.boss)
        execute(accounts.CreateToken(name="mine", scopes=["catalog.view"]), actor=company.boss)
        execute(accounts.SetUserActive(user="n@example.org", active=False), actor=company.boss)
        list(execute_many([Make(slug="x"), Make(slug="y", refuse=True), Make(slug="z")], actor=company.boss))
        execute(Drop(slug="z"), actor=company.boss)


def test_replay_finds_what_was_written_past_the_frame(company: Company) -> None:
    def edit() -> None:
        with replayed():
            User.objects.filter(email="vera@example.org").update(name="Edited")

    with pytest.raises(AssertionError, match="name"):
        edit()


def test_the_revision_of_each_app_is_its_last_events_number(company: Company) -> None:
    execute(Make(slug="a"), actor=company.boss)
    number = queries.revisions()["accounts"]
    execute(Make(slug="b"), actor=company.boss)
    assert queries.revisions()["accounts"] == number + 1 == queries.head()[0]
    assert set(Revision.objects.values_list("label", flat=True)) == {"accounts"}
