"""Real outages, imported through the product and asked of it, against a count from the files alone."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest
from django.db import transaction
from django.db.models import Count, F
from pytest_django.plugin import DjangoDbBlocker

from fairway.accounts import queries as accounts
from fairway.accounts.commands import CreateOrganisation
from fairway.audit.commands import execute, preview
from fairway.audit.models import Event
from fairway.calendars import queries as calendars
from fairway.calendars.rules import Target
from fairway.catalog.models import ConfigurationItem, Relation
from fairway.changes.commands.texts import ApplyWindows, Difference, TextSpan
from fairway.changes.models import Change
from fairway.claims import queries as claims
from fairway.exchange.commands import import_file
from fairway.exchange.report import Report
from fairway.kernel.actor import SYSTEM
from fairway.kernel.cache import Kept
from fairway.kernel.period import Period
from fairway.policy import Severity

from .conftest import contents, counts, import_text, problems

pytestmark = [pytest.mark.django_db, pytest.mark.long]

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data" / "outages"
MAPS = ROOT / "examples" / "outages"
STEPS = (
    ("items", "items", "facilities"),
    ("items", "items", "sites"),
    ("items", "items", "groups"),
    ("items", "items", "resources"),
    ("items", "relations", "site-in-facility"),
    ("items", "relations", "group-in-site"),
    ("items", "relations", "resource-in-group"),
    ("outages", "changes", "outages"),
)


# The independent count: the standard library and the files, nothing of the product


@dataclass(frozen=True)
class Outage:
    row: int
    id: str
    planned: bool
    severity: str
    resource: str
    start: datetime
    end: datetime
    created: datetime | None

    def overlaps(self, other: Outage) -> bool:
        return self.start < other.end and other.start < self.end


def table(name: str) -> list[dict[str, str]]:
    assert (DATA / name).is_file(), f"{DATA / name} is needed: shared/ stands beside the repository"
    with (DATA / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def instant(text: str) -> datetime:
    return datetime.strptime(text, "%b %d, %Y %H:%M %z").astimezone(UTC)


ALL = [
    Outage(
        row=number,
        id=row["ID"],
        planned=row["Class"] == "SCHEDULED",
        severity=row["Severity"],
        resource=row["ResourceName"],
        start=instant(row["StartTime"]),
        end=instant(row["EndTime"]),
        created=instant(row["CreatedTime"]) if row["CreatedTime"] else None,
    )
    for number, row in enumerate(table("outages.csv"), start=2)
]
EMPTY = [one for one in ALL if one.start >= one.end]
STORED = [one for one in ALL if one.start < one.end]


def overlapping_pairs() -> set[frozenset[str]]:
    by_resource = defaultdict(list)
    for one in STORED:
        by_resource[one.resource].append(one)
    return {
        frozenset((one.id, other.id))
        for some in by_resource.values()
        for one, other in combinations(some, 2)
        if one.overlaps(other)
    }


def freezes() -> Iterator[tuple[int, datetime, datetime]]:
    for year in range(2016, 2021):
        yield year, datetime(year, 12, 20, tzinfo=UTC), datetime(year + 1, 1, 3, tzinfo=UTC)


# The same, asked of the product


@dataclass(frozen=True)
class Imported:
    reports: dict[str, Report]
    again: dict[str, Report]
    untouched: bool
    events: int


@pytest.fixture(scope="module")
def imported(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Imported]:
    """Import all once for the tests of this file, and all of it again; undone at the end."""
    with django_db_blocker.unblock():
        Kept.forget_all()
        outer = transaction.atomic()
        outer.__enter__()
        try:
            execute(CreateOrganisation(slug="grid", name="Grid"), actor=SYSTEM)
            reports = {name: run(table, kind, name) for table, kind, name in STEPS}
            before, events = contents(), Event.objects.count()
            again = {name: run(table, kind, name) for table, kind, name in STEPS}
            yield Imported(reports, again, contents() == before, events)
        finally:
            transaction.set_rollback(True)
            outer.__exit__(None, None, None)
            Kept.forget_all()


def run(table: str, kind: str, name: str) -> Report:
    return import_file(DATA / f"{table}.csv", kind=kind, actor=SYSTEM, mapping=MAPS / f"{name}.yaml")


def test_every_row_is_stored_but_the_windows_without_length(imported: Imported) -> None:
    report = imported.reports["outages"]
    assert counts(report) == {"created": len(STORED), "refused": len(EMPTY)}
    assert (len(STORED), len(EMPTY)) == (1553, 10)
    assert problems(report) == [
        (
            one.row,
            "EndTime",
            f"The end {one.end:%Y-%m-%d %H:%M} UTC is not after the start {one.start:%Y-%m-%d %H:%M} UTC;"
            " a window needs a length.",
        )
        for one in EMPTY
    ]


def test_items_and_their_parts_are_stored(imported: Imported) -> None:
    rows = table("items.csv")
    names = set(ConfigurationItem.objects.values_list("name", flat=True))
    assert names >= {row[column] for row in rows for column in ("resource", "site", "facility")}
    expected = {(row["resource"], row["group"].casefold()) for row in rows}
    joined = Relation.objects.filter(source__attributes__has_key="fqdn")
    found = joined.values_list("source__name", "target__name")
    assert {(source, target.casefold()) for source, target in found} == expected
    assert counts(imported.reports["resources"]) == {"created": 1100}
    assert all(imported.reports[name].complete for _, _, name in STEPS[:-1])


def test_importing_again_changes_nothing(imported: Imported) -> None:
    assert imported.untouched
    for name, report in imported.again.items():
        first = counts(imported.reports[name])
        first["unchanged"] = first.pop("created")
        assert counts(report) == first


def test_every_record_is_one_event(imported: Imported) -> None:
    created = sum(report.created for report in imported.reports.values())
    assert imported.events == created + 1  # and the organisation


def test_classes_and_severities(imported: Imported) -> None:
    by_category = dict(Change.objects.values_list("category").annotate(Count("pk")).order_by("category"))
    assert by_category == {"SCHEDULED": 963, "UNSCHEDULED": 590}
    assert by_category == Counter("SCHEDULED" if one.planned else "UNSCHEDULED" for one in STORED)
    found = Counter(title.rpartition(" on ")[0] for title in Change.objects.values_list("title", flat=True))
    assert found == Counter(one.severity for one in STORED)
    assert found["Outage"] == 1293


def test_pairs_that_overlap_on_the_same_item(imported: Imported) -> None:
    external = dict(Change.objects.values_list("pk", "external_id"))
    planned = set(Change.objects.filter(category="SCHEDULED").values_list("pk", flat=True))
    found = claims.conflicts(SYSTEM)
    assert {clash.finding.rule for clash in found} == {claims.SAME_ITEM}
    pairs = [frozenset((clash.one.pk or 0, clash.other.pk or 0)) for clash in found]
    assert {frozenset(external[pk] for pk in pair) for pair in pairs} == overlapping_pairs()
    assert len(pairs) == 23
    assert sum(pair <= planned for pair in pairs) == 9
    items = {ref.key for clash in found for ref in clash.finding.path}
    assert len(items) == 9


def test_busiest_items(imported: Imported) -> None:
    found = Change.objects.values_list("affected__item__name").annotate(count=Count("pk")).order_by("-count")
    assert list(found[:5]) == [
        ("AGLT2_SE", 58),
        ("SPRACE", 46),
        ("SPRACE-SE", 44),
        ("MWT2_CE_UIUC", 40),
        ("MWT2_UC_SE", 33),
    ]
    assert dict(found) == Counter(one.resource for one in STORED)


def test_notice(imported: Imported) -> None:
    found = Change.objects.filter(category="SCHEDULED").exclude(submitted_at=None)
    notices = [
        start - submitted
        for submitted, start in found.values_list("submitted_at", "planned_start")
        if submitted is not None and start is not None
    ]
    expected = [one.start - one.created for one in STORED if one.planned and one.created]
    assert sorted(notices) == sorted(expected)
    assert len(notices) == 552
    assert sum(notice < timedelta(hours=48) for notice in notices) == 226
    assert sum(notice < timedelta(0) for notice in notices) == 11
    assert not Change.objects.exclude(submitted_at=None).exclude(created_at=F("submitted_at")).exists()


def test_freezes_at_the_turn_of_the_year(imported: Imported) -> None:
    rows = "".join(f"{year},hard_freeze,{start:%FT%TZ},{end:%FT%TZ}\n" for year, start, end in freezes())
    windows = import_text("name,kind,starts_at,ends_at\n" + rows, "windows")
    assert counts(windows) == {"created": 5}

    starting: Counter[int] = Counter()
    touching: Counter[int] = Counter()
    for year, start, end in freezes():
        planned = Change.objects.filter(category="SCHEDULED", planned_start__gte=start, planned_start__lt=end)
        starting[year] = planned.count()
    for change in Change.objects.filter(category="SCHEDULED").select_related("organisation"):
        target = Target(item=None, environment=None, organisations=accounts.branch(change.organisation_id))
        assert change.planned_start is not None
        assert change.planned_end is not None
        period = Period(change.planned_start, change.planned_end)
        for finding in calendars.findings(
            subject=change.ref(), targets=[target], periods=[period], reason=False
        ):
            assert finding.severity is Severity.BLOCK
            touching[int(finding.parties[1].name)] += 1

    scheduled = [one for one in STORED if one.planned]
    for year, start, end in freezes():
        assert starting[year] == sum(start <= one.start < end for one in scheduled)
        assert touching[year] == sum(one.start < end and start < one.end for one in scheduled)
    figures = {year: (starting[year], touching[year]) for year, _, _ in freezes()}
    assert figures == {2016: (4, 9), 2017: (13, 16), 2018: (1, 4), 2019: (0, 3), 2020: (6, 10)}


def test_the_rules_of_the_product_replayed_over_the_past_give_the_same_figures(imported: Imported) -> None:
    """Freezes and the notice of 48 hours as windows in a text, tried on what was planned."""
    text = "organisation: grid\nwindows:\n" + "".join(
        f"- {{name: year {year}, kind: hard_freeze, starts_at: {start:%FT%TZ}, ends_at: {end:%FT%TZ},"
        " condition: 'category == \"SCHEDULED\"'}\n"
        for year, start, end in freezes()
    )
    text += (
        "- {name: notice, kind: hard_freeze, starts_at: 2000-01-01T00:00:00Z, ends_at: 2100-01-01T00:00:00Z,"
        " condition: 'category == \"SCHEDULED\" && notice < 48'}\n"
        "- {name: late, kind: hard_freeze, starts_at: 2000-01-01T00:00:00Z, ends_at: 2100-01-01T00:00:00Z,"
        " condition: 'category == \"SCHEDULED\" && notice < 0'}\n"
    )
    before = contents()
    whole = Counter[str]()
    changes = 0
    for first, last in ((2011, 2019), (2019, 2027)):
        span = TextSpan(start=datetime(first, 1, 1, tzinfo=UTC), end=datetime(last, 1, 1, tzinfo=UTC))
        told = preview(ApplyWindows(text=text, backtest=span), actor=SYSTEM).answer
        assert isinstance(told, Difference)
        assert told.backtest is not None
        whole.update(told.backtest.by)
        changes += told.backtest.changes
    assert contents() == before
    assert changes == len(STORED)
    assert whole == {
        **{"notice": 226, "late": 11},
        **{"year 2016": 9, "year 2017": 16, "year 2018": 4, "year 2019": 3, "year 2020": 10},
    }
