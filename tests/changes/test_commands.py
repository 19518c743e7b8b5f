"""What people can do with changes, and what comes of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from fairway.approvals.models import Round, Vote
from fairway.audit.commands import execute, preview
from fairway.audit.models import Denial, Event
from fairway.catalog import queries as catalog
from fairway.changes import commands, queries
from fairway.changes.commands.reading import Span
from fairway.changes.models import AffectedItem, Change, ChangeTemplate, PlannedWindow
from fairway.claims import queries as claims
from fairway.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refused, Stale
from fairway.policy import Severity, Verdict, tell
from tests.changes.conftest import NOON, Company, hours, stored

EVENING = hours(0, 2)
IN_WINDOW = EVENING.start + timedelta(minutes=5)


def rules(outcome: Any) -> list[str]:
    return [finding.rule for finding in outcome.decision.findings]


def test_create_change_with_all_at_once_drafts_it(company: Company) -> None:
    key = company.change(
        description="14.2 to 14.3",
        items=("payments-api", "ledger-db"),
        primary_item="ledger-db",
        environments=("prod", "sit2"),
        windows=(hours(0, 2), hours(24, 26)),
        downtime=(hours(0, 1),),
        implementers=("ian@example.org",),
    )
    change = stored(key)
    assert (change.state, change.is_open, change.model.slug) == ("draft", True, "normal")
    assert (change.requester_id, change.owner_id) == (company.rita.pk, company.rita.pk)
    assert (change.planned_start, change.planned_end) == (EVENING.start, hours(24, 26).end)
    assert PlannedWindow.objects.filter(change=change).count() == 3
    primary = AffectedItem.objects.filter(change=change, primary=True).values_list("item__slug", flat=True)
    assert list(primary) == ["ledger-db"]
    assert change.digest == queries.content_digest(queries.dossier(company.rita, key))


def test_create_change_holds_its_time_as_tentative(company: Company) -> None:
    company.change(windows=(hours(0, 2),), downtime=(hours(0, 1),))
    found = claims.stored("change")
    assert {(claim.period.start, claim.strength, claim.exclusive) for claim in found} == {
        (EVENING.start, "tentative", False),
        (EVENING.start, "tentative", True),
    }


def test_create_change_on_taken_time_is_drafted_and_told(company: Company) -> None:
    first = company.change()
    outcome = execute(
        commands.CreateChange(
            title="Other", items=("payments-api",), environments=("prod",), windows=(hours(1, 3),)
        ),
        actor=company.max,
        at=NOON,
    )
    (finding,) = outcome.decision.findings
    assert outcome.subject is not None
    assert [party.key for party in finding.parties] == [outcome.subject.key, first]
    assert finding.rule == "claims.same_item"
    assert finding.interval is not None
    assert (finding.interval.start, finding.interval.end) == (hours(1, 2).start, hours(1, 2).end)


def test_create_change_against_downtime_is_drafted_and_its_answer_denies(company: Company) -> None:
    company.scheduled(downtime=(hours(0, 2),))
    command = commands.CreateChange(
        title="Other", items=("payments-api",), environments=("prod",), windows=(hours(1, 3),)
    )
    plan = preview(command, actor=company.max, at=NOON)
    assert (plan.decision.verdict, plan.answer.verdict) == (Verdict.WARN, Verdict.DENY)
    assert execute(command, actor=company.max, at=NOON).created


def test_create_change_dry_run_leaves_no_trace(company: Company) -> None:
    before = Event.objects.count()
    preview(commands.CreateChange(title="Try", items=("payments-api",)), actor=company.rita, at=NOON)
    assert (Event.objects.count(), Change.objects.count()) == (before, 0)


@pytest.mark.parametrize(
    ("case", "given", "fields"),
    [
        ("no title", {"title": "  "}, ["title"]),
        ("title too long", {"title": "x" * 201}, ["title"]),
        ("unknown item", {"items": ("nothing",)}, ["items"]),
        ("item of another branch", {"items": ("card-core",)}, ["items"]),
        ("unknown environment", {"environments": ("moon",)}, ["environments"]),
        ("no length", {"windows": (Span(EVENING.start, EVENING.start),)}, ["windows[0].end"]),
        (
            "end before start",
            {"windows": (hours(0, 1), Span(EVENING.end, EVENING.start))},
            ["windows[1].end"],
        ),
        ("windows overlap", {"windows": (hours(0, 2), hours(1, 3))}, ["windows"]),
        ("downtime outside", {"downtime": (hours(1, 3),)}, ["downtime"]),
        ("unknown model", {"model": "strange"}, ["model"]),
        ("standard without template", {"model": "standard"}, ["template"]),
        ("unknown template", {"template": "strange"}, ["template"]),
        ("template of another model", {"template": "storage", "model": "normal"}, ["model"]),
        ("against its template", {"template": "storage", "category": "other"}, ["category"]),
        ("unknown owner", {"owner": "nobody@example.org"}, ["owner"]),
        ("primary elsewhere", {"primary_item": "ledger-db"}, ["primary_item"]),
        ("several at once", {"title": "", "items": ("nothing",)}, ["title", "items"]),
    ],
)
def test_create_change_with_bad_input_names_the_field(
    company: Company, case: str, given: dict[str, Any], fields: list[str]
) -> None:
    with pytest.raises(Invalid) as refused:
        company.change(**given)
    assert [error.field for error in refused.value.errors] == fields
    assert Change.objects.count() == 0


def test_create_change_by_a_viewer_is_forbidden_and_leaves_its_denial_alone(company: Company) -> None:
    before = Event.objects.count()
    with pytest.raises(Forbidden):
        company.change("vera")
    assert (Event.objects.count(), Change.objects.count(), Denial.objects.count()) == (before, 0, 1)


def test_change_of_another_branch_does_not_exist(company: Company) -> None:
    key = company.change()
    for command in (
        commands.EditChange(change=key, title="Mine"),
        commands.SubmitChange(change=key),
        commands.CancelChange(change=key, reason="no"),
    ):
        with pytest.raises(NotFound):
            execute(command, actor=company.carl, at=NOON)


def test_submit_change_without_assessments_waits_for_a_vote(company: Company) -> None:
    key = company.change()
    company.take("submit", "rita", key)
    change = stored(key)
    assert (change.state, change.submitted_at) == ("authorising", NOON)
    assert change.round is not None
    assert (change.round.outcome, change.round.quorum) == ("open", 1)
    assert {claim.strength for claim in claims.stored("change")} == {"requested"}


def test_submit_change_without_plan_is_refused(company: Company) -> None:
    key = company.change(items=(), windows=())
    with pytest.raises(Refused) as refused:
        company.take("submit", "rita", key)
    assert {finding.params["missing"] for finding in refused.value.decision.findings} == {"item", "window"}
    assert stored(key).state == "draft"


def test_from_idea_to_scheduled_takes_one_form_and_one_click(company: Company) -> None:
    key = company.scheduled()
    change = stored(key)
    assert (change.state, change.round and change.round.outcome) == ("scheduled", "approved")
    assert {claim.strength for claim in claims.stored("change")} == {"approved"}


def test_approving_vote_on_blocked_time_is_refused_and_leaves_no_vote(company: Company) -> None:
    company.scheduled(downtime=(hours(0, 2),))
    key = company.change(windows=(hours(1, 3),))
    outcome = company.take("submit", "rita", key)
    assert rules(outcome) == ["claims.same_item"]
    events = Event.objects.count()
    with pytest.raises(Refused) as refused:
        company.vote("ann", key)
    assert [finding.rule for finding in refused.value.decision.findings] == ["claims.same_item"]
    assert (stored(key).state, Vote.objects.filter(round=stored(key).round).count()) == ("authorising", 0)
    assert (Event.objects.count(), Denial.objects.count()) == (events, 1)


def test_a_draft_with_downtime_keeps_nobody_from_being_scheduled_or_started(company: Company) -> None:
    mine, draft = company.change(), company.change("max", downtime=(hours(0, 2),))
    company.take("submit", "rita", mine)
    company.vote("ann", mine)
    outcome = company.take("start", "ian", mine, at=IN_WINDOW)
    (told,) = outcome.decision.findings
    assert (told.rule, told.severity, told.parties[1].key) == ("claims.same_item", Severity.WARN, draft)
    assert "it is a draft" in tell(told)
    assert company.take("submit", "max", draft).decision.findings[0].severity is Severity.BLOCK
    with pytest.raises(Refused):
        company.vote("amy", draft)


def test_an_edit_locks_former_and_new_items_at_once_in_one_order(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two people who swap the items of their changes would each wait for what the other one holds."""
    key, locked = company.change(), []
    monkeypatch.setattr(catalog, "lock", lambda pks: locked.append(set(pks)))
    execute(commands.EditChange(change=key, items=("ledger-db",)), actor=company.rita, at=NOON)
    both = {catalog.item(company.rita, item).pk for item in ("payments-api", "ledger-db")}
    assert locked == [both]


def test_approving_vote_on_time_that_is_over_is_refused(company: Company) -> None:
    key = company.change()
    company.take("submit", "rita", key)
    with pytest.raises(Refused) as refused:
        company.vote("ann", key, at=EVENING.end)
    assert [finding.rule for finding in refused.value.decision.findings] == ["changes.window"]


@pytest.mark.parametrize(
    ("case", "voter", "outcome"),
    [
        ("an approver", "ann", None),
        ("a change manager", "max", None),
        ("whoever stands in for the requester", "bob", Refused),
        ("a requester", "rita", Forbidden),
        ("an implementer", "ian", Forbidden),
        ("a viewer", "vera", Forbidden),
        ("another branch", "carl", NotFound),
    ],
)
def test_vote_is_for_approvers_who_are_no_party(
    company: Company, case: str, voter: str, outcome: type[Exception] | None
) -> None:
    key = company.change()
    company.take("submit", "rita", key)
    if outcome is None:
        company.vote(voter, key)
        assert stored(key).state == "scheduled"
    else:
        with pytest.raises(outcome):
            company.vote(voter, key)
        assert stored(key).state == "authorising"


@pytest.mark.parametrize("name", ["max", "ada"])
def test_vote_by_the_requester_is_refused_whatever_the_role(company: Company, name: str) -> None:
    key = company.change(name)
    company.take("submit", name, key)
    with pytest.raises(Refused) as refused:
        company.vote(name, key)
    assert [finding.rule for finding in refused.value.decision.findings] == ["changes.separation"]


def test_vote_by_the_implementer_is_refused(company: Company) -> None:
    key = company.change(implementers=("max@example.org",))
    company.take("submit", "rita", key)
    with pytest.raises(Refused):
        company.vote("max", key)


def test_vote_on_content_that_was_not_seen_is_stale(company: Company) -> None:
    key = company.change()
    seen = stored(key).digest
    company.take("submit", "rita", key)
    execute(commands.EditChange(change=key, title="Drop the API"), actor=company.rita, at=NOON)
    with pytest.raises(Stale):
        company.take("vote", "ann", key, choice="approve", digest=seen)


def test_rejecting_vote_ends_the_change_with_its_reason(company: Company) -> None:
    key = company.change()
    company.take("submit", "rita", key)
    with pytest.raises(Invalid):
        company.vote("ann", key, "reject")
    company.vote("ann", key, "reject", comment="Not before Christmas.")
    change = stored(key)
    assert (change.state, change.is_open, change.state_reason) == ("rejected", False, "Not before Christmas.")
    assert change.round is not None
    assert change.round.outcome == "rejected"
    assert claims.stored("change") == set()


def test_return_change_and_submit_again_asks_for_new_votes(company: Company) -> None:
    key = company.change()
    company.take("submit", "rita", key)
    first = stored(key).round_id or 0
    company.take("return", "ann", key, reason="Name the version.")
    assert (stored(key).state, stored(key).state_reason) == ("draft", "Name the version.")
    company.take("submit", "rita", key)
    assert stored(key).round_id != first
    assert Round.objects.filter(pk=first).values_list("outcome", flat=True)[0] == "withdrawn"


@pytest.mark.parametrize(
    ("case", "edit", "state"),
    [
        ("title", {"title": "Drop the API"}, "authorising"),
        ("plan", {"implementation_plan": "rm -rf"}, "authorising"),
        ("one item more", {"items": ("payments-api", "ledger-db")}, "authorising"),
        ("another environment", {"environments": ("sit2",)}, "authorising"),
        ("other time", {"windows": (hours(24, 26),)}, "authorising"),
        ("implemented by who approved it", {"implementers": ("ann@example.org",)}, "authorising"),
        ("reason", {"reason": "the auditors ask"}, "scheduled"),
        ("priority", {"priority": 1}, "scheduled"),
        ("implementer", {"implementers": ("ian@example.org",)}, "scheduled"),
        ("the same again", {"title": "Patch the API", "windows": (hours(0, 2),)}, "scheduled"),
    ],
)
def test_edit_of_an_approved_change_asks_again_when_content_differs(
    company: Company, case: str, edit: dict[str, Any], state: str
) -> None:
    key = company.scheduled()
    outcome = execute(commands.EditChange(change=key, **edit), actor=company.rita, at=NOON)
    assert stored(key).state == state
    assert ("changes.consent" in rules(outcome)) == (state == "authorising")


def test_edited_change_is_scheduled_again_by_a_new_vote_only(company: Company) -> None:
    key = company.scheduled()
    execute(commands.RescheduleChange(change=key, windows=(hours(24, 26),)), actor=company.rita, at=NOON)
    execute(commands.RescheduleChange(change=key, windows=(hours(0, 2),)), actor=company.rita, at=NOON)
    assert stored(key).state == "authorising"
    company.vote("amy", key)
    assert stored(key).state == "scheduled"


def test_edit_of_a_version_that_moved_on_is_stale(company: Company) -> None:
    key = company.change()
    execute(commands.EditChange(change=key, version=1, title="First"), actor=company.rita, at=NOON)
    with pytest.raises(Stale):
        execute(commands.EditChange(change=key, version=1, title="Second"), actor=company.rita, at=NOON)
    assert (stored(key).title, stored(key).version) == ("First", 2)


def test_edit_that_changes_nothing_writes_nothing(company: Company) -> None:
    key = company.change()
    outcome = execute(commands.EditChange(change=key, title="Patch the API"), actor=company.rita, at=NOON)
    assert (outcome.sequence, stored(key).version) == (None, 1)


def test_edit_moves_the_primary_mark(company: Company) -> None:
    key = company.change(items=("payments-api", "ledger-db"))
    execute(commands.EditChange(change=key, primary_item="ledger-db"), actor=company.rita, at=NOON)
    primary = AffectedItem.objects.filter(primary=True).values_list("item__slug", flat=True)
    assert list(primary) == ["ledger-db"]


def test_start_in_its_window_begins_the_work(company: Company) -> None:
    key = company.scheduled()
    company.take("start", "ian", key, at=IN_WINDOW)
    change = stored(key)
    assert (change.state, change.actual_start) == ("implementing", IN_WINDOW)
    assert queries.dossier(company.ian, key).people == (company.ian.pk,)
    assert {claim.strength for claim in claims.stored("change")} == {"active"}


@pytest.mark.parametrize(
    ("case", "at", "rule"),
    [
        ("a microsecond early", EVENING.start - timedelta(microseconds=1), "changes.window"),
        ("as it ends", EVENING.end, "changes.window"),
    ],
)
def test_start_outside_its_window_is_refused(company: Company, case: str, at: Any, rule: str) -> None:
    key = company.scheduled()
    with pytest.raises(Refused) as refused:
        company.take("start", "ian", key, at=at)
    assert rule in [finding.rule for finding in refused.value.decision.findings]
    assert stored(key).state == "scheduled"


def test_start_on_hold_is_refused_until_resumed(company: Company) -> None:
    key = company.scheduled()
    company.take("hold", "max", key, reason="Waiting for the vendor.")
    with pytest.raises(Refused) as refused:
        company.take("start", "ian", key, at=IN_WINDOW)
    assert [finding.rule for finding in refused.value.decision.findings] == ["changes.hold"]
    company.take("resume", "max", key)
    company.take("start", "ian", key, at=IN_WINDOW)
    assert stored(key).state == "implementing"


def test_start_by_who_approved_it_is_refused(company: Company) -> None:
    key = company.change()
    company.take("submit", "rita", key)
    company.vote("max", key)
    with pytest.raises(Refused) as refused:
        company.take("start", "max", key, at=IN_WINDOW)
    assert [finding.params["why"] for finding in refused.value.decision.findings] == ["discounted"]


def test_resume_of_work_outside_its_window_is_refused(company: Company) -> None:
    key = company.scheduled()
    company.take("start", "ian", key, at=IN_WINDOW)
    company.take("hold", "ian", key, reason="Power cut.", at=IN_WINDOW)
    with pytest.raises(Refused):
        company.take("resume", "ian", key, at=EVENING.end)
    company.take("resume", "ian", key, at=IN_WINDOW)


def test_edit_of_work_in_progress_keeps_what_was_approved(company: Company) -> None:
    key = company.scheduled()
    company.take("start", "ian", key, at=IN_WINDOW)
    with pytest.raises(Invalid) as refused:
        execute(
            commands.EditChange(change=key, title="Other", items=("ledger-db",)), actor=company.rita, at=NOON
        )
    assert [error.field for error in refused.value.errors] == ["title", "items"]
    execute(commands.EditChange(change=key, reason="Asked twice."), actor=company.rita, at=NOON)
    assert stored(key).reason == "Asked twice."


def test_complete_early_frees_the_rest_and_close_ends_it(company: Company) -> None:
    key = company.scheduled(windows=(hours(0, 2), hours(24, 26)))
    company.take("start", "ian", key, at=IN_WINDOW)
    done = IN_WINDOW + timedelta(minutes=30)
    company.take("complete", "ian", key, outcome="successful", at=done)
    assert {claim.period.end for claim in claims.stored("change")} == {done}
    assert stored(key).state == "reviewing"
    company.take("close", "max", key)
    assert (stored(key).state, stored(key).is_open) == ("closed", False)
    [held] = [claim for claim in claims.stored("change") if claim.thing is claims.Thing.ITEM]
    assert held.period.end == done


def test_complete_with_trouble_asks_what_happened(company: Company) -> None:
    key = company.scheduled()
    company.take("start", "ian", key, at=IN_WINDOW)
    with pytest.raises(Invalid):
        company.take("complete", "ian", key, outcome="unsuccessful", at=IN_WINDOW)
    company.take(
        "complete", "ian", key, outcome="unsuccessful", note="No disk.", backed_out=True, at=IN_WINDOW
    )
    assert (stored(key).outcome, stored(key).backed_out) == ("unsuccessful", True)


def test_cancel_frees_the_time(company: Company) -> None:
    key = company.scheduled()
    company.take("cancel", "rita", key, reason="Not needed any more.")
    assert (stored(key).state, claims.stored("change")) == ("cancelled", set())


def test_step_that_does_not_exist_now_names_the_legal_ones(company: Company) -> None:
    key = company.change()
    with pytest.raises(Conflict) as refused:
        company.take("start", "max", key)
    assert refused.value.extra == {
        "state": "draft",
        "legal": ["submit", "edit", "reschedule", "cancel"],
    }


class TestStandard:
    def test_submit_schedules_it_without_a_vote(self, company: Company) -> None:
        key = company.change(template="os-patch")
        company.take("submit", "rita", key)
        assert (stored(key).state, stored(key).round_id) == ("scheduled", None)

    def test_submit_after_the_template_was_withdrawn_is_refused(self, company: Company) -> None:
        key = company.change(template="os-patch")
        ChangeTemplate.objects.update(authorised=False)
        with pytest.raises(Refused) as refused:
            company.take("submit", "rita", key)
        assert [finding.rule for finding in refused.value.decision.findings] == ["changes.consent"]

    def test_start_after_the_template_was_withdrawn_is_refused(self, company: Company) -> None:
        key = company.change(template="os-patch")
        company.take("submit", "rita", key)
        ChangeTemplate.objects.update(authorised=False)
        with pytest.raises(Refused):
            company.take("start", "ian", key, at=IN_WINDOW)

    def test_submit_on_blocked_time_is_refused(self, company: Company) -> None:
        company.scheduled(downtime=(hours(0, 2),))
        key = company.change(template="os-patch")
        with pytest.raises(Refused):
            company.take("submit", "rita", key)
        assert stored(key).state == "draft"

    def test_reschedule_to_blocked_time_is_refused(self, company: Company) -> None:
        company.scheduled(downtime=(hours(0, 2),))
        key = company.change(template="os-patch", windows=(hours(24, 26),))
        company.take("submit", "rita", key)
        with pytest.raises(Refused):
            execute(
                commands.RescheduleChange(change=key, windows=(hours(1, 3),)), actor=company.rita, at=NOON
            )
        execute(commands.RescheduleChange(change=key, windows=(hours(48, 50),)), actor=company.rita, at=NOON)
        assert stored(key).state == "scheduled"

    def test_edit_of_what_the_template_fixes_is_invalid(self, company: Company) -> None:
        key = company.change(template="os-patch")
        with pytest.raises(Invalid) as refused:
            execute(commands.EditChange(change=key, backout_plan="none"), actor=company.rita, at=NOON)
        assert [error.field for error in refused.value.errors] == ["backout_plan"]

    def test_complete_with_success_closes_it(self, company: Company) -> None:
        key = company.change(template="os-patch")
        company.take("submit", "rita", key)
        company.take("start", "ian", key, at=IN_WINDOW)
        company.take("complete", "ian", key, outcome="successful", at=IN_WINDOW + timedelta(minutes=1))
        assert stored(key).state == "closed"


class TestRecord:
    def test_keeps_dates_and_state_whatever_stands_in_the_way(self, company: Company) -> None:
        company.scheduled(downtime=(hours(0, 2),))
        then = NOON - timedelta(days=2000)
        execute(
            commands.RecordChange(
                title="Outage",
                external_id="181068982",
                items=("payments-api",),
                planned_start=EVENING.start,
                planned_end=EVENING.end,
                created_at=then,
                submitted_at=then,
                category="Severe",
            ),
            actor=company.max,
        )
        change = Change.objects.get(external_id="181068982")
        assert (change.state, change.created_at, change.submitted_at) == ("closed", then, then)
        assert change.requester_id is None
        assert len(claims.stored("change")) == 3

    def test_twice_writes_once_and_again_brings_up_to_date(self, company: Company) -> None:
        def record(**more: Any) -> Any:
            return execute(
                commands.RecordChange(
                    external_id="7",
                    items=("payments-api",),
                    windows=(EVENING,),
                    **{"title": "Outage", **more},
                ),
                actor=company.max,
            )

        assert record().created
        assert record().sequence is None
        assert record(title="Long outage").sequence is not None
        assert Change.objects.get().title == "Long outage"

    def test_without_length_is_invalid(self, company: Company) -> None:
        with pytest.raises(Invalid) as refused:
            execute(
                commands.RecordChange(
                    title="Outage",
                    planned_start=EVENING.start,
                    planned_end=EVENING.start,
                    organisation="retail",
                ),
                actor=company.max,
            )
        assert refused.value.errors[0].field == "windows[0].end"

    def test_in_an_unknown_state_is_invalid(self, company: Company) -> None:
        with pytest.raises(Invalid) as refused:
            execute(commands.RecordChange(title="Old", state="done"), actor=company.max)
        assert [error.field for error in refused.value.errors] == ["state"]

    def test_by_who_may_not_import_is_forbidden(self, company: Company) -> None:
        with pytest.raises(Forbidden):
            execute(commands.RecordChange(title="Old"), actor=company.rita)

    @pytest.mark.parametrize("state", ["authorising", "scheduled", "implementing", "reviewing"])
    def test_under_way_is_refused_for_consent_is_not_imported(self, company: Company, state: str) -> None:
        record = commands.RecordChange(title="Old", state=state, items=("payments-api",), windows=(EVENING,))
        with pytest.raises(Invalid) as refused:
            execute(record, actor=company.max)
        assert [error.field for error in refused.value.errors] == ["state"]
        assert not Change.objects.exists()

    def test_of_a_change_under_way_moves_neither_its_state_nor_its_people(self, company: Company) -> None:
        key = company.scheduled()
        for moved in (
            {"state": "closed"},
            {"requester": "ian@example.org"},
            {"implementers": ("ian@example.org",)},
        ):
            with pytest.raises(Invalid, match="under way") as refused:
                execute(commands.RecordChange(key=key, **moved), actor=company.max)
            assert [error.field for error in refused.value.errors] == ["state"]


def test_claims_rebuilt_from_the_changes_equal_those_stored(company: Company) -> None:
    company.scheduled(windows=(hours(0, 2), hours(24, 26)), downtime=(hours(0, 1),), environments=())
    company.change(items=("payments-api", "ledger-db"))
    cancelled = company.change()
    company.take("cancel", "rita", cancelled, reason="no")
    rebuilt = {claim for some in queries.held().values() for claim in some}
    assert rebuilt == claims.stored("change")
    assert len(rebuilt) == 3 + 2
