"""Windows as records: what can be done to them, who may, and what they then say about work."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from fairway.accounts import queries as accounts
from fairway.audit.commands import build, execute, preview
from fairway.audit.models import Event
from fairway.calendars import queries
from fairway.calendars.commands import ArchiveWindow, CreateWindow, EditWindow, PutWindow
from fairway.calendars.models import Window, WindowItem
from fairway.calendars.queries import FREEZE, OUTSIDE_MAINTENANCE, Target
from fairway.catalog.queries import item
from fairway.changes.models import ChangeModel
from fairway.environments.queries import environment
from fairway.kernel.actor import SYSTEM, Actor
from fairway.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from fairway.kernel.period import Period
from fairway.kernel.refs import HIDDEN, Ref
from fairway.policy import Decision, Severity, decide, tell
from tests.support.company import Company
from tests.support.company import actor as again

START = datetime(2026, 12, 20, tzinfo=UTC)
END = datetime(2027, 1, 4, 8, tzinfo=UTC)
FREEZE_ARGUMENTS: dict[str, Any] = {
    "name": "Year end",
    "kind": "hard_freeze",
    "organisation": "retail",
    "starts_at": START,
    "ends_at": END,
}
NIGHTS: dict[str, Any] = {
    "name": "Nights",
    "kind": "maintenance",
    "organisation": "retail",
    "zone": "Europe/London",
    "local_start": "2026-12-05T22:00",
    "duration": timedelta(hours=8),
    "rrule": "FREQ=WEEKLY;BYDAY=SA",
}


def create(**changed: Any) -> Window:
    made = execute(CreateWindow(**{**FREEZE_ARGUMENTS, **changed}), actor=SYSTEM).subject
    assert made is not None
    assert made.pk is not None
    return Window.objects.get(pk=made.pk)


def at(day: int, hour: int = 0, *, month: int = 12) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def target(key: str, place: str | None = None) -> Target:
    thing = item(SYSTEM, key)
    where = environment(SYSTEM, place) if place else None
    organisations = accounts.branch(thing.organisation_id)
    if where is not None:
        organisations |= accounts.branch(where.organisation_id)
    tier = where.tier if where else None
    pk = where.pk if where else None
    return Target(thing.pk, pk, organisations, thing.criticality, tier, thing.ref())


def ask(
    *targets: Target, start: datetime, hours: int = 1, organisation: str = "retail", reason: bool = False
) -> Decision:
    subject = Ref("change", "CHG-1", "Patch", organisation=accounts.organisation(SYSTEM, organisation).pk)
    period = Period(start, start + timedelta(hours=hours))
    return decide(queries.findings(subject=subject, targets=targets, periods=[period], reason=reason))


def test_a_freeze_is_read_at_once_and_no_longer_when_archived(company: Company) -> None:
    assert ask(target("ledger"), start=at(23)).findings == ()
    freeze = create()
    (finding,) = ask(target("ledger"), start=at(23)).findings
    assert (finding.rule, finding.severity, finding.parties[1].key) == (FREEZE, Severity.BLOCK, freeze.key)
    assert tell(finding) == (f"The freeze Year end ({freeze.key}) covers ledger until 2027-01-04 08:00 UTC.")
    execute(ArchiveWindow(window=freeze.key), actor=SYSTEM)
    assert ask(target("ledger"), start=at(23)).findings == ()


def test_a_freeze_holds_for_the_branch_below_and_not_beside(company: Company) -> None:
    create()
    assert ask(target("till"), start=at(23), organisation="shops").denied
    assert not ask(target("switch"), start=at(23), organisation="cards").denied


def test_facets_narrow_a_window(company: Company) -> None:
    create(items=["ledger"], environments=["prod"], criticalities=[3], tiers=["production"])
    assert ask(target("ledger", "prod"), start=at(23)).denied
    assert ask(target("ledger"), start=at(23)).denied
    assert not ask(target("ledger", "uat"), start=at(23)).denied
    assert not ask(target("till", "prod"), start=at(23)).denied


def test_a_branch_two_levels_down_is_bound_whatever_the_facet(company: Company) -> None:
    """Scopes inherit down the tree with every kind of facet: retail is above shops, the root above both."""
    normal = create(change_models=["normal"], condition='category == "till"')
    model = ChangeModel.objects.get(slug="normal").pk
    for category, denied in (("till", True), ("other", False)):
        subject = Ref("change", "CHG-1", "Patch", organisation=accounts.organisation(SYSTEM, "shops").pk)
        found = queries.findings(
            subject=subject,
            targets=[replace(target("till"), model=model)],
            periods=[Period(at(23), at(24))],
            reason=False,
            facts=lambda category=category: {"category": category},  # type: ignore[misc]
        )
        assert decide(found).denied is denied
        assert [finding.parties[1].key for finding in found] == [normal.key] * denied
    assert not ask(target("till"), start=at(23), organisation="shops").denied, "no change, no concern"


@pytest.mark.parametrize(
    ("changed", "field", "told"),
    [
        ({"condition": "priorty < 2"}, "condition", "undeclared reference to 'priorty'"),
        ({"condition": "priority"}, "condition", "true or false is needed"),
        ({"stops": ["deploy"]}, "stops", "there are create, submit, schedule, start"),
        ({"kind": "holiday", "stops": ["create"]}, "stops", "stops no steps of changes"),
        ({"change_models": ["norml"]}, "change_models", "there are normal, standard"),
        ({"kind": "sabbath"}, "kind", "holiday, information"),
    ],
)
def test_kinds_stops_and_conditions_are_checked(
    company: Company, changed: dict[str, Any], field: str, told: str
) -> None:
    for command in (CreateWindow, PutWindow):
        with pytest.raises(Invalid) as problem:
            execute(command(**{**FREEZE_ARGUMENTS, **changed}), actor=SYSTEM)
        assert [(error.field, told in error.message) for error in problem.value.errors] == [(field, True)]
    assert not Window.objects.exists()


def test_a_holiday_stops_nothing_and_a_freeze_made_of_it_what_is_usual(company: Company) -> None:
    day = create(kind="holiday")
    assert day.stops == []
    assert [one.severity for one in ask(target("ledger"), start=at(23)).findings] == [Severity.INFORM]
    execute(
        EditWindow(window=day.key, kind="hard_freeze", stops=None, change_models=["standard"]), actor=SYSTEM
    )
    assert Window.objects.get().stops == ["schedule", "start"]
    assert not ask(target("ledger"), start=at(23)).denied
    execute(EditWindow(window=day.key, change_models=[]), actor=SYSTEM)
    assert ask(target("ledger"), start=at(23)).denied


def test_a_soft_freeze_asks_for_a_reason(company: Company) -> None:
    create(kind="soft_freeze")
    refused = ask(target("ledger"), start=at(23))
    assert refused.denied
    assert tell(refused.findings[0]).endswith("; say why the work has to be done then.")
    explained = ask(target("ledger"), start=at(23), reason=True)
    assert [finding.severity for finding in explained.findings] == [Severity.WARN]


def test_work_lies_inside_maintenance_where_there_is_any(company: Company) -> None:
    execute(CreateWindow(**NIGHTS), actor=SYSTEM)
    assert not ask(target("ledger"), start=at(5, 23)).denied
    (finding,) = ask(target("ledger"), start=at(7, 12)).findings
    assert (finding.rule, [ref.key for ref in finding.path]) == (OUTSIDE_MAINTENANCE, ["ledger"])
    assert tell(finding) == (
        "2026-12-07 12:00 to 13:00 UTC is outside the maintenance window of ledger (Nights)."
    )


def test_maintenance_is_the_same_at_whatever_notice(company: Company) -> None:
    with pytest.raises(Invalid) as refused:
        execute(CreateWindow(**NIGHTS, condition="notice > 48"), actor=SYSTEM)
    (error,) = refused.value.errors
    assert (error.field, error.message) == (
        "condition",
        "How much notice a change gives cannot decide where it may lie.",
    )
    execute(CreateWindow(**NIGHTS, condition="priority > 2"), actor=SYSTEM)


def test_openings_are_between_freezes_and_inside_maintenance(company: Company) -> None:
    create(ends_at=datetime(2026, 12, 27, 2, tzinfo=UTC))
    execute(CreateWindow(**NIGHTS), actor=SYSTEM)
    found = queries.openings([target("ledger")], start=at(20), horizon=timedelta(days=14), reason=False)
    assert list(found) == [
        Period(datetime(2026, 12, 27, 2, tzinfo=UTC), datetime(2026, 12, 27, 6, tzinfo=UTC)),
        Period(datetime(2027, 1, 2, 22, tzinfo=UTC), datetime(2027, 1, 3, tzinfo=UTC)),
    ]


def test_a_freeze_from_above_is_told_below_and_one_from_beside_is_not(company: Company) -> None:
    create(organisation="group", name="Group freeze")
    create(organisation="cards", name="Cards freeze", items=["switch"])
    decision = ask(target("switch"), start=at(23))  # a change of retail on an item of cards
    seen = decision.redacted(accounts.access(again("rita")).sees)
    assert sorted(finding.parties[1].name for finding in seen.findings) == ["Group freeze", HIDDEN.name]
    assert [tell(finding) for finding in seen.findings if finding.parties[1].hidden] == [
        "A freeze of another organisation covers 2026-12-23 00:00 to 01:00 UTC."
    ]
    shown = {window.name for window in queries.windows(again("rita"))}
    assert shown == {"Group freeze"}


def test_asking_reads_one_small_statement(company: Company) -> None:
    for number in range(5):
        create(name=f"Freeze {number}", items=["ledger"])
    wanted = [target("ledger", "prod"), target("till")]
    subject = Ref("change", "CHG-1", organisation=company.boss.pk)
    period = Period(at(23), at(24))
    queries.findings(subject=subject, targets=wanted, periods=[period], reason=False)
    with CaptureQueriesContext(
        connection,
    ) as caught:
        queries.findings(subject=subject, targets=wanted, periods=[period], reason=False)
    assert sum("calendars_" in query["sql"] for query in caught) == 0
    assert len(caught) <= 2  # the revisions, for windows and for the organisation tree


def test_edit_keeps_what_is_left_out_and_moves_the_version(company: Company) -> None:
    window = create(items=["ledger"], reason="Stable numbers")
    execute(EditWindow(window=window.key, version=1, items=["till"]), actor=SYSTEM)
    execute(EditWindow(window=window.key, version=2, name="Year end 2026"), actor=SYSTEM)
    window.refresh_from_db()
    assert (window.version, window.name, window.reason) == (3, "Year end 2026", "Stable numbers")
    assert [row.item_id for row in WindowItem.objects.filter(window=window)] == [item(SYSTEM, "till").pk]
    with pytest.raises(Stale):
        execute(EditWindow(window=window.key, version=2, name="Other"), actor=SYSTEM)


def test_a_single_window_becomes_a_recurring_one(company: Company) -> None:
    window = create()
    with pytest.raises(Invalid, match="once"):
        execute(EditWindow(window=window.key, local_start="2026-12-05T22:00"), actor=SYSTEM)
    execute(
        EditWindow(
            window=window.key,
            starts_at=None,
            ends_at=None,
            local_start="2026-12-05T22:00",
            duration=timedelta(hours=8),
        ),
        actor=SYSTEM,
    )
    window.refresh_from_db()
    assert (window.starts_at, window.local_start) == (None, "2026-12-05T22:00:00")


def test_put_adds_once_and_changes_after_that(company: Company) -> None:
    first = execute(PutWindow(**FREEZE_ARGUMENTS), actor=SYSTEM)
    assert first.created
    same = execute(PutWindow(**FREEZE_ARGUMENTS), actor=SYSTEM)
    assert (same.created, same.sequence) == (False, None)
    changed = execute(PutWindow(name="Year end", organisation="retail", kind="soft_freeze"), actor=SYSTEM)
    assert changed.subject == first.subject
    assert Window.objects.get().window_kind == "soft_freeze"
    create()
    with pytest.raises(Conflict, match="several windows"):
        execute(PutWindow(**FREEZE_ARGUMENTS), actor=SYSTEM)


def test_put_takes_plain_values_of_an_import(company: Company) -> None:
    arguments = {**NIGHTS, "duration": "PT8H", "exdates": ["2026-12-26T22:00"], "criticalities": [3]}
    made = execute(build("calendars.window.put", arguments), actor=SYSTEM)
    assert made.created
    window = Window.objects.get()
    assert (window.duration, window.exdates) == (timedelta(hours=8), ["2026-12-26T22:00:00"])


def test_preview_writes_nothing(company: Company) -> None:
    before = Event.objects.count()
    assert not preview(CreateWindow(**FREEZE_ARGUMENTS), actor=company.boss).decision.denied
    assert (Window.objects.count(), Event.objects.count()) == (0, before)


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("name", {"name": "  "}),
        ("name", {"name": "x" * 201}),
        ("kind", {"kind": "blackout"}),
        ("ends_at", {"ends_at": START}),
        ("ends_at", {"ends_at": None}),
        ("starts_at", {"starts_at": None, "ends_at": None}),
        ("starts_at", {"local_start": "2026-12-05T22:00", "duration": timedelta(hours=1)}),
        ("zone", {"zone": "Mars/Base"}),
        ("items", {"items": ["nothing"]}),
        ("environments", {"environments": ["nowhere"]}),
        ("criticalities", {"criticalities": [5]}),
        ("tiers", {"tiers": ["moon"]}),
        ("organisation", {"organisation": "nobody"}),
        ("duration", {**NIGHTS, "starts_at": None, "ends_at": None, "duration": None}),
        ("duration", {**NIGHTS, "starts_at": None, "ends_at": None, "duration": timedelta(days=400)}),
        ("local_start", {**NIGHTS, "starts_at": None, "ends_at": None, "local_start": "soon"}),
        ("local_start", {**NIGHTS, "starts_at": None, "ends_at": None, "local_start": "2026-12-05T22:00Z"}),
        ("rrule", {**NIGHTS, "starts_at": None, "ends_at": None, "rrule": "FREQ=SECONDLY"}),
        ("rrule", {**NIGHTS, "starts_at": None, "ends_at": None, "rrule": "FREQ=DAILY;UNTIL=20200101"}),
        ("exdates", {**NIGHTS, "starts_at": None, "ends_at": None, "exdates": ["never"]}),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(
    company: Company, field: str, changed: dict[str, Any]
) -> None:
    with pytest.raises(Invalid) as refusal:
        create(**changed)
    assert [error.field for error in refusal.value.errors] == [field]
    assert not Window.objects.exists()


def test_the_database_refuses_a_window_without_length_and_one_of_both_sorts(company: Company) -> None:
    window = create()
    for changed in (
        {"ends_at": START},
        {"local_start": "2026-12-05T22:00:00"},
        {"starts_at": None},
        {"window_kind": "x"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Window.objects.filter(pk=window.pk).update(**changed)


@pytest.mark.parametrize("who", ["vera", "carl"])
def test_who_may_not_edit_is_refused_and_nothing_changes(company: Company, who: str) -> None:
    window = create()
    events = Event.objects.count()
    for command in (
        CreateWindow(**FREEZE_ARGUMENTS),
        EditWindow(window=window.key, name="Other"),
        ArchiveWindow(window=window.key),
        PutWindow(**FREEZE_ARGUMENTS),
    ):
        with pytest.raises((Forbidden, NotFound, Invalid)):
            execute(command, actor=again(who))
    window.refresh_from_db()
    assert (window.version, Window.objects.count(), Event.objects.count()) == (1, 1, events)


def test_a_stranger_sees_no_window_of_another_branch(company: Company) -> None:
    window = create()
    for reference in (window.key, str(window.uid)):
        assert queries.window(again("rita"), reference) == window
        with pytest.raises(NotFound):
            queries.window(again("carl"), reference)
    assert list(queries.windows(again("carl"))) == []
    assert queries.shades(again("carl"), Period(START, END)) == []
    assert [shade.ref.key for shade in queries.shades(again("rita"), Period(START, END))] == [window.key]


def test_items_that_the_editor_cannot_see_stay(company: Company) -> None:
    window = create(organisation="retail", items=["ledger", "switch"])
    execute(EditWindow(window=window.key, items=["till"]), actor=again("rita"))
    kept = {row.item_id for row in WindowItem.objects.filter(window=window)}
    assert kept == {item(SYSTEM, "till").pk, item(SYSTEM, "switch").pk}
    told = queries.facets(again("rita"), [window.pk])[window.pk]
    assert {ref.key for ref in told.items} == {"till", ""}


def test_an_item_of_another_branch_cannot_be_named(company: Company) -> None:
    rita: Actor = again("rita")
    with pytest.raises(Invalid, match="There is no item “switch”"):
        execute(CreateWindow(**{**FREEZE_ARGUMENTS, "items": ["switch"]}), actor=rita)
