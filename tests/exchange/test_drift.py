"""What an import sees of items under change control is noted as drift, and never written."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fairway.accounts import commands as accounts
from fairway.accounts import queries as who
from fairway.accounts.models import User
from fairway.audit.commands import execute
from fairway.audit.models import Denial
from fairway.catalog.commands import CreateItem, ItemPatch
from fairway.catalog.models import ConfigurationItem, Relation
from fairway.changes import commands as changes
from fairway.changes.commands.reading import Span
from fairway.changes.models import Change, Drift, ProposedEdit
from fairway.environments.commands import CreateEnvironment, CreateInstance
from fairway.exchange.commands import import_table
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import Conflict

HEADER = "key,name,kind,criticality,attributes.port\n"
LEDGER, SPARE = "ledger,Ledger,system,3,80\n", "spare,Spare,system,3,80\n"


@pytest.fixture
def standing(db: None) -> None:
    """Import two items; then let one of them stand in production."""
    execute(accounts.CreateOrganisation(slug="group", name="Group"), actor=SYSTEM)
    execute(CreateItem(key="host", name="Host", kind="host", organisation="group"), actor=SYSTEM)
    seen(LEDGER + SPARE)
    place = CreateEnvironment(key="prod", name="Production", tier="production", organisation="group")
    execute(place, actor=SYSTEM)
    execute(CreateInstance(item="ledger", environment="prod"), actor=SYSTEM)


def seen(rows: str, *, kind: str = "items", header: str = HEADER, **more: Any) -> Any:
    source = io.BytesIO((header + rows).encode())
    return import_table(source, kind=kind, actor=SYSTEM, file="scan.csv", **more)


def test_what_differs_is_noted_once_a_field_and_counted_from_then_on(standing: None) -> None:
    for times in (1, 2):
        report = seen("ledger,Books,system,1,81\n" + SPARE.replace("3,80", "2,90"))
        assert (report.drift, report.refused, report.updated) == (1, 0, 2 - times)
        found = {drift.field: drift for drift in Drift.objects.all()}
        assert set(found) == {"criticality", "attributes.port"}
        assert {drift.count for drift in found.values()} == {times}
    assert (found["criticality"].recorded, found["criticality"].observed) == (3, 1)
    assert found["attributes.port"].observed == {"port": "81"}
    assert (found["criticality"].source, found["criticality"].state) == ("scan.csv", "open")
    ledger, spare = (ConfigurationItem.objects.get(slug=slug) for slug in ("ledger", "spare"))
    assert (ledger.criticality, ledger.name, spare.criticality) == (3, "Ledger", 2)
    assert Denial.objects.count() == 0
    seen("ledger,Ledger,system,2,80\n")
    assert Drift.objects.filter(field="criticality").count() == 2


def test_a_dry_run_tells_drift_and_notes_none(standing: None) -> None:
    report = seen("ledger,Ledger,system,1,80\n", dry_run=True)
    assert (report.drift, Drift.objects.count()) == (1, 0)


def test_what_agrees_and_record_keeping_are_stored(standing: None) -> None:
    assert seen(LEDGER).unchanged == 1
    assert seen(LEDGER.replace("Ledger", "Books")).updated == 1
    assert Drift.objects.count() == 0


def test_relations_of_a_controlled_source_are_noted(standing: None) -> None:
    rows = "ledger,host,runs-on\nspare,host,runs-on\n"
    report = seen(rows, kind="relations", header="source,target,kind\n")
    assert (report.drift, report.created) == (1, 1)
    assert Drift.objects.get().field == "relation.runs-on:host"
    assert Relation.objects.get().source.slug == "spare"
    outcome = execute(changes.ProposeDrift(drift=Drift.objects.get().key), actor=SYSTEM)
    assert outcome.subject is not None
    assert ProposedEdit.objects.get().patch == {"relate": [{"kind": "runs-on", "target": "host"}]}


def test_a_drift_is_proposed_or_dismissed_once(standing: None) -> None:
    seen("ledger,Ledger,system,1,81\n")
    first, second = Drift.objects.order_by("field")
    outcome = execute(changes.ProposeDrift(drift=first.key), actor=SYSTEM)
    assert outcome.subject is not None
    assert outcome.subject.kind == "change"
    edit = ProposedEdit.objects.get()
    assert (edit.patch, edit.seen) == ({"attributes": {"port": "81"}}, {"attributes": {"port": "80"}})
    execute(changes.DismissDrift(drift=second.key, reason="the scanner guesses"), actor=SYSTEM)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.change_id, second.state) == ("proposed", edit.change_id, "dismissed")
    for again in (changes.ProposeDrift(drift=first.key), changes.DismissDrift(drift=second.key, reason="x")):
        with pytest.raises(Conflict):
            execute(again, actor=SYSTEM)
    seen("ledger,Ledger,system,1,81\n")
    second.refresh_from_db()
    assert (second.state, second.count) == ("dismissed", 2)


def test_what_a_change_under_way_proposes_is_matched_to_it(standing: None) -> None:
    now = datetime.now(UTC)
    for name in ("rita", "ian", "ann"):
        email = f"{name}@example.org"
        execute(accounts.CreateUser(email=email, name=name, organisation="group"), actor=SYSTEM)
        execute(accounts.GrantRole(role="administrator", organisation="group", user=email), actor=SYSTEM)
    rita, ian, ann = (who.person(User.objects.get(name=name)) for name in ("rita", "ian", "ann"))
    patch = changes.ItemEdits(items=("ledger",), patch=ItemPatch(criticality=1))
    span = Span(now - timedelta(hours=1), now + timedelta(hours=1))
    made = execute(
        changes.CreateChange(
            title="Raise", edits=(patch,), windows=(span,), implementers=("ian@example.org",), submit=True
        ),
        actor=rita,
    )
    assert made.subject is not None
    key = made.subject.key
    change = Change.objects.get(number=int(key.removeprefix("CHG-")))
    vote = changes.VoteOnChange(change=key, choice="approve", digest=change.digest)
    execute(vote, actor=ann)
    seen("ledger,Ledger,system,1,80\n")
    assert Drift.objects.get().state == "open"
    Drift.objects.all().delete()
    execute(changes.StartChange(change=key), actor=ian)
    seen("ledger,Ledger,system,1,81\n")
    states = {drift.field: (drift.state, drift.change_id) for drift in Drift.objects.all()}
    assert states == {"criticality": ("matched", change.pk), "attributes.port": ("open", None)}
