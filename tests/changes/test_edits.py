"""Edits of items that a change proposes: part of what is approved, and applied while it is implementing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from fairway.accounts import commands as accounts
from fairway.accounts import queries as who
from fairway.accounts.models import User
from fairway.audit.commands import execute, preview
from fairway.catalog.commands import ArchiveItem, EditItem, ItemPatch, RelationEnd
from fairway.catalog.models import ConfigurationItem, Relation
from fairway.changes import commands, queries
from fairway.changes.models import ProposedEdit
from fairway.environments.commands import CreateInstance
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from fairway.policy import Severity, tell
from tests.changes.conftest import NOON, Company, hours, stored

IN_WINDOW = hours(0, 2).start + timedelta(minutes=5)


@pytest.fixture
def controlled(company: Company) -> Company:
    """Let both items of retail stand in production."""
    for key in ("payments-api", "ledger-db"):
        execute(CreateInstance(item=key, environment="prod"), actor=SYSTEM)
    return company


def propose(company: Company, key: str, *items: str, by: str = "rita", **patch: Any) -> Any:
    command = commands.ProposeEdits(change=key, items=items or ("payments-api",), patch=ItemPatch(**patch))
    return execute(command, actor=company.people[by], at=NOON)


def item(key: str = "payments-api") -> ConfigurationItem:
    return ConfigurationItem.objects.get(slug=key)


def implementing(company: Company, **patch: Any) -> str:
    """Return the key of a change under way that proposes the patch."""
    key = company.change(implementers=("ian@example.org",))
    propose(company, key, **patch)
    company.take("submit", "rita", key)
    company.vote("ann", key)
    company.take("start", "ian", key, at=IN_WINDOW)
    return key


def apply(company: Company, key: str, by: str = "ian") -> Any:
    return execute(commands.ApplyEdits(change=key), actor=company.people[by], at=IN_WINDOW)


def test_what_is_proposed_is_written_when_it_is_applied_and_once_only(controlled: Company) -> None:
    key = implementing(
        controlled,
        criticality=1,
        attributes={"port": 2},
        relate=(RelationEnd(kind="connects-to", target="ledger-db"),),
        unrelate=(RelationEnd(kind="depends-on", target="ledger-db"),),
    )
    assert (item().criticality, item().attributes) == (3, {})
    before = item().version
    apply(controlled, key)
    assert (item().criticality, item().attributes, item().version) == (1, {"port": 2}, before + 1)
    kinds = Relation.objects.values_list("relation_kind__slug", flat=True)
    assert list(kinds) == ["connects-to"]
    edit = ProposedEdit.objects.get()
    assert (edit.applied_at, edit.applied_by_id) == (IN_WINDOW, controlled.ian.pk)
    assert apply(controlled, key).sequence is None
    assert item().version == before + 1
    assert queries.has_consent(queries.dossier(controlled.ian, key), at=IN_WINDOW)


def test_items_are_put_away_and_brought_back_by_a_change(controlled: Company) -> None:
    key = implementing(controlled, archived=True)
    apply(controlled, key)
    assert item().archived_at == IN_WINDOW
    controlled.take("complete", "ian", key, at=IN_WINDOW, outcome="successful")
    again = controlled.change(items=("ledger-db",), implementers=("ian@example.org",))
    propose(controlled, again, archived=False, criticality=2)
    controlled.take("submit", "rita", again)
    controlled.vote("ann", again)
    controlled.take("start", "ian", again, at=IN_WINDOW)
    apply(controlled, again)
    assert (item().archived_at, item().criticality) == (None, 2)


def test_nobody_applies_before_work_begins_or_while_it_is_held_or_without_being_the_implementer(
    controlled: Company,
) -> None:
    key = controlled.change(implementers=("ian@example.org",))
    propose(controlled, key, criticality=1)
    with pytest.raises((Conflict, Forbidden)):
        apply(controlled, key)
    controlled.take("submit", "rita", key)
    controlled.vote("ann", key)
    with pytest.raises((Conflict, Forbidden)):
        apply(controlled, key)
    controlled.take("start", "ian", key, at=IN_WINDOW)
    with pytest.raises(Forbidden):
        apply(controlled, key, by="rita")
    controlled.take("hold", "ian", key, at=IN_WINDOW, reason="wait")
    with pytest.raises(Conflict):
        apply(controlled, key)
    assert item().criticality == 3


def test_an_edit_of_a_proposal_voids_consent(controlled: Company) -> None:
    key = controlled.change()
    seen = {stored(key).digest}
    for patch in ({"criticality": 1}, {"criticality": 2}, {"criticality": 2, "status": "planned"}):
        propose(controlled, key, **patch)
        assert stored(key).digest == queries.content_digest(queries.dossier(controlled.rita, key))
        seen.add(stored(key).digest)
    assert len(seen) == 4
    controlled.take("submit", "rita", key)
    old = stored(key).digest
    controlled.vote("ann", key)
    assert stored(key).state == "scheduled"
    propose(controlled, key, by="max", criticality=4)
    assert stored(key).digest != old
    assert stored(key).state == "authorising"
    assert not queries.has_consent(queries.dossier(controlled.rita, key), at=NOON)


def test_withdrawing_leaves_the_content_as_it_was(controlled: Company) -> None:
    key = controlled.change()
    before = stored(key).digest
    propose(controlled, key, criticality=1)
    assert stored(key).digest != before
    execute(commands.WithdrawEdit(change=key, item="payments-api"), actor=controlled.rita, at=NOON)
    assert (stored(key).digest, ProposedEdit.objects.count()) == (before, 0)
    with pytest.raises(NotFound):
        execute(commands.WithdrawEdit(change=key, item="payments-api"), actor=controlled.rita, at=NOON)


def test_what_moved_since_is_refused_by_name_and_nothing_is_written(controlled: Company) -> None:
    key = controlled.change(implementers=("ian@example.org",), items=("payments-api", "ledger-db"))
    propose(controlled, key, "payments-api", "ledger-db", criticality=1)
    controlled.take("submit", "rita", key)
    controlled.vote("ann", key)
    ConfigurationItem.objects.filter(slug="ledger-db").update(criticality=2)  # as another change might have
    controlled.take("start", "ian", key, at=IN_WINDOW)
    with pytest.raises(Refused) as refusal:
        apply(controlled, key)
    (finding,) = refusal.value.decision.findings
    assert finding.rule == "changes.moved"
    assert "ledger-db is not what" in tell(finding)
    assert "criticality" in tell(finding)
    assert (item().criticality, item("ledger-db").criticality) == (3, 2)
    assert not ProposedEdit.objects.exclude(applied_at=None).exists()


def test_many_items_get_one_patch_and_become_affected_items(controlled: Company) -> None:
    key = controlled.change(items=("payments-api",))
    propose(controlled, key, "payments-api", "ledger-db", criticality=2)
    found = queries.dossier(controlled.rita, key)
    assert {row.item.slug for row in found.affected} == {"payments-api", "ledger-db"}
    assert [row.item.slug for row in found.affected if row.primary] == ["payments-api"]
    assert [(edit.patch, edit.seen) for edit in found.edits] == [({"criticality": 2}, {"criticality": 3})] * 2


def test_a_new_change_may_bring_its_edits(controlled: Company) -> None:
    key = controlled.change(
        items=(), edits=(commands.ItemEdits(items=("ledger-db",), patch=ItemPatch(criticality=1)),)
    )
    found = queries.dossier(controlled.rita, key)
    assert [edit.item.slug for edit in found.edits] == ["ledger-db"]
    assert [row.item.slug for row in found.affected] == ["ledger-db"]
    assert found.change.digest == queries.content_digest(found)


def test_completing_with_what_was_not_applied_warns(controlled: Company) -> None:
    key = implementing(controlled, criticality=1)
    outcome = controlled.take("complete", "ian", key, at=IN_WINDOW, outcome="successful")
    (finding,) = (one for one in outcome.decision.findings if one.rule == "changes.unapplied")
    assert finding.severity is Severity.WARN
    assert "payments-api" in tell(finding)


@pytest.mark.parametrize(
    ("case", "patch", "field"),
    [
        ("nothing", {}, "patch"),
        ("what stands there already", {"criticality": 3, "status": "live"}, "patch"),
        ("no such status", {"status": "gone"}, "patch.status"),
        ("no such kind", {"kind": "gone"}, "patch.kind"),
        ("criticality out of range", {"criticality": 9}, "patch.criticality"),
        ("no such organisation", {"organisation": "nowhere"}, "patch.organisation"),
        (
            "a relation to what there is not",
            {"relate": (RelationEnd(kind="depends-on", target="gone"),)},
            "patch.relate",
        ),
        (
            "a relation to itself",
            {"relate": (RelationEnd(kind="depends-on", target="payments-api"),)},
            "patch.target",
        ),
    ],
)
def test_a_proposal_without_sense_is_refused_by_field(
    controlled: Company, case: str, patch: dict[str, Any], field: str
) -> None:
    key = controlled.change()
    with pytest.raises(Invalid) as refusal:
        propose(controlled, key, **patch)
    assert field in [error.field for error in refusal.value.errors], case
    assert ProposedEdit.objects.count() == 0


def test_edits_of_other_branches_take_the_right_to_ask_there(controlled: Company) -> None:
    key = controlled.change()
    with pytest.raises((Invalid, NotFound)):
        propose(controlled, key, "card-core", criticality=1)
    execute(accounts.GrantRole(role="viewer", organisation="cards", user="rita@example.org"), actor=SYSTEM)
    controlled.people["rita"] = who.person(User.objects.get(name="Rita"))
    with pytest.raises(Forbidden):
        propose(controlled, key, "card-core", criticality=1)


def test_an_item_still_takes_record_keeping_while_edits_wait(controlled: Company) -> None:
    key = implementing(controlled, criticality=1)
    execute(EditItem(item="payments-api", name="Payments", description="x"), actor=SYSTEM)
    with pytest.raises(Refused):
        execute(ArchiveItem(item="payments-api"), actor=SYSTEM)
    apply(controlled, key)
    assert (item().name, item().criticality) == ("Payments", 1)


def test_a_dry_run_writes_nothing(controlled: Company) -> None:
    key = implementing(controlled, criticality=1)
    preview(commands.ApplyEdits(change=key), actor=controlled.ian, at=IN_WINDOW)
    assert item().criticality == 3


def test_a_change_from_a_template_proposes_nothing(controlled: Company) -> None:
    key = controlled.change(template="os-patch")
    with pytest.raises(Invalid, match="in a normal change") as raised:
        propose(controlled, key, criticality=1)
    assert [error.field for error in raised.value.errors] == ["edits"]
    assert not ProposedEdit.objects.exists()
