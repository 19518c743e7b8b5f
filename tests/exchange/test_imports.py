"""Importing items and relations: stored or refused row by row, and nothing else is touched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairway.accounts.commands import CreateOrganisation
from fairway.audit.commands import execute, registry
from fairway.audit.models import Event
from fairway.catalog.models import ConfigurationItem, Relation
from fairway.changes.models import AffectedItem
from fairway.environments import commands as environments
from fairway.exchange.commands import import_file
from fairway.exchange.kinds import KINDS
from fairway.exchange.report import PROBLEM_LIMIT
from fairway.kernel.actor import SYSTEM
from fairway.kernel.errors import Forbidden, Invalid, NotFound, TooLarge

from .conftest import Company, contents, counts, import_text, lasting_contents, problems

ITEMS = "key,name,kind,criticality\nledger,Ledger,system,1\nledger-db,Ledger DB,database,2\n"


def test_items_are_created_then_unchanged_then_updated(company: Company) -> None:
    created = import_text(ITEMS)
    before = contents()
    again = import_text(ITEMS)
    assert contents() == before
    updated = import_text(ITEMS.replace("Ledger DB", "Ledger database"))

    assert counts(created) == {"created": 2}
    assert counts(again) == {"unchanged": 2}
    assert counts(updated) == {"unchanged": 1, "updated": 1}
    assert [row.key for row in created.sample] == ["ledger", "ledger-db"]
    assert ConfigurationItem.objects.get(slug="ledger-db").name == "Ledger database"


def test_each_stored_row_is_one_event_by_who_imports(company: Company) -> None:
    before = Event.objects.latest("sequence").sequence
    import_text(ITEMS, actor=company.retail)

    made = Event.objects.filter(sequence__gt=before).order_by("sequence")
    assert [(e.command, e.subject_key, str(e.actor_uid)) for e in made] == [
        ("catalog.item.put", "ledger", company.retail.uid),
        ("catalog.item.put", "ledger-db", company.retail.uid),
    ]


def test_a_dry_run_tells_the_same_and_writes_nothing(company: Company) -> None:
    text = ITEMS + "cards,,system,1\n"
    before = contents()
    dry = import_text(text, dry_run=True)
    assert contents() == before
    done = import_text(text)

    assert counts(dry) == counts(done) == {"created": 2, "refused": 1}
    assert problems(dry) == problems(done)
    assert counts(import_text(ITEMS.replace(",1", ",4"), dry_run=True)) == {"updated": 1, "unchanged": 1}


def test_relations_join_items_and_name_missing_ones(company: Company) -> None:
    import_text(ITEMS)
    report = import_text(
        "source,target,kind\nledger,ledger-db,depends-on\nledger,nowhere,depends-on\nledger,ledger-db,likes\n",
        "relations",
    )
    assert counts(report) == {"created": 1, "refused": 2}
    assert problems(report) == [
        (3, "target", "There is no item “nowhere”."),
        (
            4,
            "kind",
            "There is no kind of relation “likes”; there are depends-on, runs-on, part-of, connects-to.",
        ),
    ]
    assert Relation.objects.get().source.slug == "ledger"


@pytest.mark.parametrize(
    ("case", "row", "column", "message"),
    [
        ("no name", "cards,,system,1", "name", "The cell is empty; a value is needed."),
        ("no key", ",Cards,system,1", "key", "The cell is empty; a value is needed."),
        (
            "no key at all",
            "Cards System,Cards,system,1",
            "key",
            "“Cards System” is not a key: use a-z, 0-9, “.”, “_”, “-”; a letter or figure at both ends.",
        ),
        (
            "an unknown kind",
            "cards,Cards,sistem,1",
            "kind",
            "There is no kind of item “sistem”; there are business-service, system, component, database,"
            " host, network, middleware, third-party.",
        ),
        ("no number", "cards,Cards,system,high", "criticality", "“high” is not a whole number, such as 3."),
        (
            "beyond the scale",
            "cards,Cards,system,5",
            "criticality",
            "The criticality goes from 1 (most critical) to 4.",
        ),
        (
            "a key twice",
            "ledger,Other,system,1",
            "key",
            "“ledger” stands in row 2 already; keep one of the two rows.",
        ),
        (
            "too few cells",
            "cards,Cards",
            "",
            "The row has 2 cells and the header 4; give every row as many as the header, and put quotes"
            " around a cell that holds the separator.",
        ),
        (
            "NUL",
            "cards,Ca\0rds,system,1",
            "name",
            "The cell holds a NUL character, which cannot be stored; remove it.",
        ),
        (
            "a control character",
            "cards,Ca\x07rds,system,1",
            "name",
            "The name holds the control character U+0007.",
        ),
        (
            "a name too long",
            f"cards,{'x' * 201},system,1",
            "name",
            "The name has 201 characters; 200 are the most.",
        ),
    ],
)
def test_a_row_is_refused_with_its_place_and_what_would_be_right(
    company: Company, case: str, row: str, column: str, message: str
) -> None:
    report = import_text(ITEMS + row + "\nlast,Last,system,3\n")
    assert counts(report) == {"created": 3, "refused": 1}
    assert problems(report) == [(4, column, message)]
    assert set(ConfigurationItem.objects.values_list("slug", flat=True)) == {"ledger", "ledger-db", "last"}


def test_every_fault_of_a_row_is_told_at_once(company: Company) -> None:
    report = import_text("key,name,kind,criticality,shared\nx,,system,high,maybe\n")
    assert [problem.column for problem in report.problems] == ["name", "criticality", "shared"]


def test_a_formula_is_stored_as_text(company: Company) -> None:
    import_text('key,name,kind\nsums,"=HYPERLINK(""http://example.org"")",system\n')
    assert ConfigurationItem.objects.get().name == '=HYPERLINK("http://example.org")'


def test_rows_go_where_they_say_else_where_the_import_says(company: Company) -> None:
    text = "key,name,kind,organisation\nhere,Here,system,\nthere,There,system,cards\n"
    report = import_text(text, organisation="retail", actor=company.boss)
    assert counts(report) == {"created": 2}
    where = dict(ConfigurationItem.objects.values_list("slug", "organisation__slug"))
    assert where == {"here": "retail", "there": "cards"}


def test_a_row_of_another_branch_is_refused_and_tells_nothing(company: Company) -> None:
    import_text("key,name,kind,organisation\ncore,Core,system,cards\n")
    report = import_text(
        "key,name,kind,organisation\ncore,Taken,system,\nmine,Mine,system,cards\nown,Own,system,retail\n",
        actor=company.retail,
    )
    assert counts(report) == {"created": 1, "refused": 2}
    assert problems(report) == [
        (2, "", "The key “core” is taken."),
        (3, "organisation", "There is no organisation “cards”, neither by key nor by name."),
    ]


def test_repeated_rows_are_passed_over_as_the_mapping_says(company: Company) -> None:
    text = "k,n\na,A\na,A\na,B\n"
    rules = "repeats: {}\nfields:\n  key: k\n  name: n\n  kind: {{value: system}}\n"
    with transaction.atomic():
        assert counts(import_text(text, mapping=rules.format("refused"))) == {"created": 1, "refused": 2}
        same = import_text(text, mapping=rules.format("same"))
        assert counts(same) == {"unchanged": 1, "repeated": 1, "refused": 1}
        assert problems(same) == [
            (4, "k", "“a” stands in row 2 with other values; keep one of the two rows.")
        ]
        assert counts(import_text(text, mapping=rules.format("first"))) == {"unchanged": 1, "repeated": 2}


def test_skipped_rows_are_counted(company: Company) -> None:
    rules = "fields:\n  key: {column: k, skip_when_empty: true}\n  name: n\n  kind: {value: system}\n"
    assert counts(import_text("k,n\na,A\n,B\n", mapping=rules)) == {"created": 1, "skipped": 1}


@pytest.mark.parametrize(
    ("case", "text"),
    [
        ("empty", b""),
        ("Latin-1", b"key,name,kind\nledger,Ledger,system\nz,Z\xfcrich,system\n"),
        ("a quote never closed", b'key,name,kind\nledger,Ledger,system\nz,"Z,system\n'),
        ("a quote that swallows rows", b'key,name,kind\nledger,"Led\nz,"Z",system\n'),
        ("a header without what is needed", b"key,name\nledger,Ledger\n"),
        ("an unknown column", b"key,name,kind,colour\nledger,Ledger,system,red\n"),
        ("a header with a name twice", b"key,name,kind,name\nledger,Ledger,system,x\n"),
        ("a picture", b"\x89PNG\r\n"),
    ],
)
def test_a_file_that_cannot_be_read_changes_nothing(company: Company, case: str, text: bytes) -> None:
    before = contents()
    with pytest.raises(Invalid):
        import_text(text)
    assert contents() == before


def test_an_unknown_kind_is_refused_with_those_there_are(company: Company) -> None:
    with pytest.raises(Invalid) as caught:
        import_text(ITEMS, "itmes")
    assert (
        caught.value.detail
        == "“itmes” cannot be imported; there are items, relations, redundancies, builds, changes, windows,"
        " holidays, environments, environment-groups, environment-links."
    )


def test_who_may_not_import_is_refused_before_anything_is_read(company: Company) -> None:
    before = contents()
    with pytest.raises(Forbidden):
        import_text(b"\x89PNG", actor=company.reader)
    assert contents() == before


def test_more_rows_than_fit_are_refused_as_a_whole(company: Company) -> None:
    with pytest.raises(TooLarge) as caught:
        import_text(ITEMS, most=1)
    assert caught.value.detail == (
        "The file has 2 rows; here 1 can be imported at once. Split it, or run fairway import on the server."
    )
    assert not ConfigurationItem.objects.exists()


def test_a_report_lists_a_bounded_number_of_problems(company: Company) -> None:
    report = import_text("key,name,kind\n" + "-,x,system\n" * (PROBLEM_LIMIT + 5), dry_run=True)
    assert (report.refused, len(report.problems), report.problems_left_out) == (
        PROBLEM_LIMIT + 5,
        PROBLEM_LIMIT,
        5,
    )


def test_a_report_is_plain_for_json_and_bounded_for_people(company: Company) -> None:
    text = "external_id,planned_start,planned_end\nA,2027-01-04T08:00:00+01:00,2027-01-04T08:00:00Z\nB,,\n"
    report = import_text("external_id,title,planned_start\n,x,\n", "changes", dry_run=True)
    assert problems(report) == [
        (2, "", "Nothing names this record; give it key or external_id, so that it is found again.")
    ]
    report = import_text(text, "changes", dry_run=True)
    assert json.loads(json.dumps(report.document()))["sample"][0]["values"] == {
        "external_id": "A",
        "planned_start": "2027-01-04T07:00:00Z",
        "planned_end": "2027-01-04T08:00:00Z",
    }
    assert list(report.lines(1)) == ["row 2: This is needed.", "… and 1 problems more; --json lists them"]


def test_progress_is_told_up_to_the_end(company: Company) -> None:
    told: list[tuple[int, int]] = []
    rows = "".join(f"i{n},I{n},system\n" for n in range(1100))
    import_text(
        "key,name,kind\n" + rows, dry_run=True, progress=lambda done, total: told.append((done, total))
    )
    assert told == [(500, 1100), (1000, 1100), (1100, 1100)]


def test_import_of_files_by_path(company: Company, tmp_path: Path) -> None:
    table, mapping = tmp_path / "items.csv", tmp_path / "map.yaml"
    table.write_text("Nr;Zürich\n1;x\n", encoding="cp1252")
    mapping.write_text(
        "encoding: cp1252\ndelimiter: ;\nfields:\n"
        "  key: {template: 'i{Nr}'}\n  name: Zürich\n  kind: {value: host}\n",
        encoding="utf-8",
    )
    report = import_file(table, kind="items", actor=SYSTEM, mapping=mapping)
    assert (report.file, counts(report)) == ("items.csv", {"created": 1})
    assert report.summary().splitlines()[1:] == ["        1 created"]
    with pytest.raises(NotFound, match=r"missing\.csv cannot be opened: No such file or directory\."):
        import_file(tmp_path / "missing.csv", kind="items", actor=SYSTEM)


GOOD = st.integers(0, 9).map(lambda n: (f"good{n},Good,system,{n % 4 + 1}", True))
BAD = st.sampled_from(
    [
        "bad,,system,1",
        "bad key,Bad,system,1",
        "bad,Bad,sistem,1",
        "bad,Bad,system,9",
        "bad,B\0d,system,1",
        "bad",
        'bad,"x"y,system,1',
    ]
).map(lambda row: (row, False))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(GOOD | BAD, max_size=8, unique_by=lambda row: row[0]))
def test_refused_rows_leave_database_and_log_as_if_they_had_not_been_there(
    company: Company, rows: list[tuple[str, bool]]
) -> None:
    header = "key,name,kind,criticality\n"

    def after(lines: list[str]) -> Any:
        with transaction.atomic():
            report = import_text(header + "".join(f"{line}\n" for line in lines))
            found = lasting_contents()
            transaction.set_rollback(True)
        return report, found

    mixed, with_refused = after([line for line, _ in rows])
    clean, without = after([line for line, good in rows if good])
    assert with_refused == without
    assert mixed.refused == sum(not good for _, good in rows)
    assert mixed.created == clean.created == sum(good for _, good in rows)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_field_is_one_that_the_command_takes(kind: Any) -> None:
    taken = set(registry[kind.command].__struct_fields__)
    assert {name.partition(".")[0] for name in kind.fields} <= taken
    assert {name for names in kind.keys for name in names} <= kind.fields.keys()


def test_windows_of_two_organisations_may_bear_one_name(company: Company) -> None:
    head = "name,kind,organisation,starts_at,ends_at\n"
    row = "Year end,hard_freeze,{},2026-12-20T00:00:00Z,2027-01-04T00:00:00Z\n"
    both = head + row.format("retail") + row.format("cards")
    assert counts(import_text(both, "windows")) == {"created": 2}
    assert counts(import_text(both, "windows")) == {"unchanged": 2}
    assert counts(import_text(both + row.format("cards"), "windows")) == {"unchanged": 2, "refused": 1}
    # a row that names none is of the organisation that the import is for
    assert counts(import_text(both + row.format(""), "windows", organisation="cards")) == {
        "unchanged": 2,
        "refused": 1,
    }


MAPPED = """as: changes
fields:
  items: {column: items, split: " "}
"""


def test_an_import_leaves_what_who_imports_cannot_see(company: Company) -> None:
    import_text("key,name,kind,organisation\ntill,Till,system,retail\ncore,Core,system,cards\n")
    row = "X-1,{},retail,{},2026-12-20T00:00:00Z,2026-12-20T04:00:00Z\n"
    head = "external_id,title,organisation,items,planned_start,planned_end\n"
    mapping = MAPPED + "".join(f"  {name}: {name}\n" for name in head.strip().split(",") if name != "items")
    import_text(head + row.format("One", "till core"), "changes", mapping=mapping)
    again = import_text(head + row.format("Two", "till"), "changes", actor=company.retail, mapping=mapping)
    assert counts(again) == {"updated": 1}
    assert set(AffectedItem.objects.values_list("item__slug", flat=True)) == {"till", "core"}


ALL_WRONG = {
    "items": (
        "key,name,kind,criticality,status,owner_team,organisation,shared,service_hours\n"
        "Bad Key,Ledger,sistem,5,gone,nobody,nowhere,perhaps,never\n",
        {"key", "kind", "criticality", "status", "owner_team", "organisation", "shared", "service_hours"},
    ),
    "items that are there": (
        "key,name,kind,criticality,status,owner_team,organisation\nledger,Ledger,sistem,5,gone,nobody,nowhere\n",
        {"kind", "criticality", "status", "owner_team", "organisation"},
    ),
    "environments": (
        "key,name,tier,control,status,zone,position\nUAT 1,,moon,none,gone,Mars/One,99999999\n",
        {"key", "name", "tier", "control", "status", "zone", "position"},
    ),
    "windows": (
        "name,kind,organisation,criticalities,tiers,condition,stops,items\n"
        "Freeze,hard_freeze,nowhere,9,moon,1 +,never,nothing\n",
        {"organisation", "criticalities", "tiers", "condition", "stops", "items"},
    ),
    "changes": (
        "external_id,title,items,state,organisation,priority\nX-1,Move,nothing,moon,nowhere,high\n",
        {"items", "state", "organisation", "priority"},
    ),
}


@pytest.mark.parametrize("case", ALL_WRONG)
def test_all_that_is_wrong_with_a_row_is_told_at_once(company: Company, case: str) -> None:
    assert environments.PutEnvironment.command in registry
    text, columns = ALL_WRONG[case]
    import_text(ITEMS)
    before = contents()
    for dry_run in (True, False):
        report = import_text(text, case.partition(" ")[0], dry_run=dry_run)
        told = [column for _, column, _ in problems(report)]
        assert (sorted(told), counts(report)) == (sorted(columns), {"refused": 1})
    assert contents() == before


def test_an_organisation_is_named_by_its_name_where_one_alone_is_called_so(company: Company) -> None:
    for key, name, parent in (("till-r", "Tills", "retail"), ("till-c", "Tills", "cards")):
        execute(CreateOrganisation(slug=key, name=name, parent=parent), actor=SYSTEM)
    rows = ("a,A,system,RETAIL ", "b,B,system,cards", "c,C,system,Tills", "d,D,system,Moon")
    text = "\n".join(("key,name,kind,organisation", *rows, ""))

    report = import_text(text)
    assert counts(report) == {"created": 2, "refused": 2}
    assert ConfigurationItem.objects.get(slug="a").organisation.slug == "retail"
    assert problems(report) == [
        (
            4,
            "organisation",
            "Several organisations are called “Tills”; name one by its key: till-c (below Cards) or till-r"
            " (below Retail).",
        ),
        (5, "organisation", "There is no organisation “Moon”, neither by key nor by name."),
    ]
    mine = import_text(text, actor=company.retail, dry_run=True)  # who sees one alone needs no key for it
    assert [column for row, column, _ in problems(mine) if row == 4] == []
    assert counts(import_text(ITEMS, organisation="Retail")) == {"created": 2}
