"""Workbooks, JSON, NDJSON and YAML: the same rows whatever they come in, and nothing from hostile files."""

from __future__ import annotations

import gzip
import io
import json
import resource
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import xlsxwriter  # type: ignore[import-untyped]  # it has none

from fairway.exchange.reading import Broken, Row, Source, Wrong, opened
from fairway.kernel.errors import Invalid

from .conftest import Company, contents, counts, import_text, problems

Sheet = Callable[[Any, Any], None]


def workbook(*sheets: Sheet, hidden: int = 0) -> bytes:
    """Make a workbook; each sheet is filled by a function of (workbook, sheet)."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as book:
        for number, fill in enumerate(sheets):
            sheet = book.add_worksheet(f"Sheet {number + 1}")
            if number < hidden:
                sheet.hide()
            fill(book, sheet)
        if hidden:
            book.worksheets()[hidden].activate()
            book.worksheets()[hidden].set_first_sheet()
    return made.getvalue()


def table(*rows: list[Any], top: int = 0, left: int = 0) -> Sheet:
    def fill(book: Any, sheet: Any) -> None:
        for number, row in enumerate(rows, start=top):
            sheet.write_row(number, left, row)

    return fill


def read(content: bytes, form: str, **options: Any) -> Source:
    return opened(io.BytesIO(content), form=form, **options)


def cells(source: Source) -> list[list[str] | str]:
    return [row.cells if isinstance(row, Row) else row.message for row in source.rows()]


ITEMS = workbook(table(["key", "name", "kind"], ["ledger", "Ledger", "system"]))


def typed(book: Any, sheet: Any) -> None:
    sheet.write_row(0, 0, ["number", "share", "date", "instant", "time", "span", "flag", "text", "formula"])
    sheet.write_number(1, 0, 3.0)
    sheet.write_number(1, 1, 0.125, book.add_format({"num_format": "0.0%"}))
    sheet.write_datetime(1, 2, datetime(2027, 1, 4), book.add_format({"num_format": "yyyy-mm-dd"}))  # noqa: DTZ001
    moment = book.add_format({"num_format": "dd.mm.yyyy hh:mm"})
    sheet.write_datetime(1, 3, datetime(2027, 7, 4, 8, 30), moment)  # noqa: DTZ001
    sheet.write_datetime(1, 4, time(8, 30), book.add_format({"num_format": "hh:mm"}))
    sheet.write_datetime(1, 5, timedelta(hours=26, minutes=5), book.add_format({"num_format": "[h]:mm"}))
    sheet.write_boolean(1, 6, True)
    sheet.write_string(1, 7, " 007 ")
    sheet.write_formula(1, 8, '=A2&"x"', None, "3x")


def test_cells_of_a_sheet_read_as_a_person_would_type_them() -> None:
    source = read(workbook(typed), "xlsx")
    assert cells(source) == [
        ["3", "0.125", "2027-01-04", "2027-07-04T08:30:00", "08:30:00", "PT26H5M", "true", " 007 ", "3x"]
    ]


def test_rows_keep_the_numbers_and_cells_the_addresses_that_the_spreadsheet_shows() -> None:
    with pytest.raises(Invalid, match="The header cell A4 is empty"):
        read(workbook(table(["key", "name"], ["a", "A"], top=3, left=1)), "xlsx")
    source = read(workbook(table(["key", "name"], ["a", "A"], [], ["b", "B"], top=3)), "xlsx")
    assert [source.place(row, "name") for row in source.rows()] == ["B5", "B7"]


def test_a_header_below_a_title_is_named_by_its_row() -> None:
    content = workbook(table(["Our systems"], [], ["key", "name"], ["a", "A"], [], ["b", "B"]))
    source = read(content, "xlsx", header=3)
    rows = list(source.rows())
    assert source.header == ("key", "name")
    assert [row.number for row in rows] == [4, 6]
    assert source.place(rows[1], "name") == "B6"
    with pytest.raises(Invalid, match="Row 2 of the sheet “Sheet 1” is empty; it names no columns"):
        read(content, "xlsx", header=2)


def test_a_sheet_is_chosen_by_name_and_else_the_first_that_is_shown() -> None:
    content = workbook(table(["hidden"]), table(["second"], ["x"]), table(["third"], ["y"]), hidden=1)
    assert read(content, "xlsx").header == ("second",)
    assert read(content, "xlsx", sheet="sheet 3").header == ("third",)
    with pytest.raises(Invalid, match="no sheet “Four”; it has “Sheet 1”, “Sheet 2”, “Sheet 3”"):
        read(content, "xlsx", sheet="Four")


def errors(book: Any, sheet: Any) -> None:
    sheet.write_row(0, 0, ["key", "name", "kind", "note"])
    sheet.write_row(1, 0, ["a", "A", "system"])
    sheet.write_formula(1, 3, "=1/0", None, "#DIV/0!")
    sheet.write_row(2, 0, ["b"])
    sheet.write_formula(2, 1, "=VLOOKUP(1,A1,9)", None, "#REF!")
    sheet.write_row(2, 2, ["system"])


def test_an_error_is_told_by_its_cell_and_only_where_the_cell_is_needed(company: Company) -> None:
    mapping = "fields:\n  key: key\n  name: name\n  kind: kind\n"
    report = import_text(workbook(errors), mapping=mapping, form="xlsx")
    assert counts(report) == {"created": 1, "refused": 1}
    assert problems(report) == [(3, "name", "B3 holds the error #REF!; mend its formula, or empty the cell.")]
    assert str(report.problems[0]).startswith("B3, name: ")


def test_typed_dates_take_the_zone_of_the_mapping_whatever_form_it_says(company: Company) -> None:
    def planned(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["name", "from", "to"])
        moment = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
        sheet.write_string(1, 0, "Stocktaking")
        sheet.write_datetime(1, 1, datetime(2027, 7, 4, 8), moment)  # noqa: DTZ001
        sheet.write_string(1, 2, "04/07/2027 10:00")

    mapping = (
        "zone: Europe/London\nfields:\n  name: name\n  kind: {value: hard_freeze}\n"
        "  starts_at: {column: from, time: '%d/%m/%Y %H:%M'}\n  ends_at: {column: to, time: '%d/%m/%Y"
        " %H:%M'}\n"
    )
    report = import_text(workbook(planned), "windows", mapping=mapping, form="xlsx")
    assert counts(report) == {"created": 1}, report.problems
    assert report.sample[0].values["starts_at"] == datetime(2027, 7, 4, 7, tzinfo=UTC)
    assert report.sample[0].values["ends_at"] == datetime(2027, 7, 4, 9, tzinfo=UTC)


def zipped(**parts: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/"), content)
    return made.getvalue()


def inflated() -> bytes:
    """A workbook whose sheet unpacks to far more than anybody may hold."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(ITEMS)) as archive,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        for name in archive.namelist():
            if name == "xl/worksheets/sheet1.xml":
                with bomb.open(name, "w") as part:
                    for _ in range(320):
                        part.write(b" " * (1 << 20))
            else:
                bomb.writestr(name, archive.read(name))
    return made.getvalue()


def lying() -> bytes:
    """A workbook that declares a part smaller than it is."""
    content = bytearray(ITEMS)
    with zipfile.ZipFile(io.BytesIO(ITEMS)) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    at = content.rfind(size.to_bytes(4, "little"))
    content[at : at + 4] = (size // 2).to_bytes(4, "little")
    return bytes(content)


HOSTILE_WORKBOOKS = {
    "nothing": (b"", "The file is empty."),
    "text": (b"key,name\na,A\n", "no XLSX workbook: it does not begin like one"),
    "cut off": (ITEMS[: len(ITEMS) * 2 // 3], "damaged or was cut off"),
    "its end cut off": (ITEMS[:-4], "damaged or was cut off"),
    "bytes turned": (ITEMS[:900] + bytes(300) + ITEMS[1200:], "damaged"),
    "an old document": (b"\xd0\xcf\x11\xe0" + bytes(600), "an old office document (XLS)"),
    "with a password": (
        b"\xd0\xcf\x11\xe0" + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
        "protected by a password",
    ),
    "another archive": (zipped(a__b=b"x"), "no XLSX workbook but another ZIP archive"),
    "a text document": (zipped(**{"word/document.xml": b"<a/>"}), "a text document (DOCX)"),
    "a sheet of nothing": (workbook(table()), "“Sheet 1” is empty"),
    "parts that are none": (
        zipped(**{"xl/workbook.xml": b"<workbook/>", "[Content_Types].xml": b"<a/>"}),
        "The workbook is damaged",
    ),
    "columns without names": (workbook(table(["a", "", "c"])), "The header cell B1 is empty"),
    "a column twice": (workbook(table(["a", "b", "a"])), "“a” twice, in columns 1 and 3"),
    "a lie about sizes": (lying(), "damaged"),
    "a bomb": (inflated(), "unpacks to more than 300 MB"),
    "two cells far apart": (
        workbook(lambda b, s: (s.write(0, 0, "key"), s.write(1_000_000, 16_000, "x"))),  # type: ignore[arg-type]
        "takes more memory or time",
    ),
}


@pytest.mark.parametrize("case", HOSTILE_WORKBOOKS)
def test_a_workbook_that_cannot_be_read_changes_nothing_and_says_why(company: Company, case: str) -> None:
    content, message = HOSTILE_WORKBOOKS[case]
    before, memory = contents(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Invalid) as refused:
        import_text(content, form="xlsx")
    assert message in refused.value.detail
    assert contents() == before
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 60_000  # kB


RECORDS = [
    {"key": "a", "name": "A", "owner": {"team": "x", "since": 2020}, "tags": ["p", "q"], "live": True},
    {"key": "b", "share": 0.5, "none": None, "parts": [{"n": 1}], "count": 3.0},
]
LAID = (
    ("key", "name", "owner.team", "owner.since", "tags", "live", "share", "none", "parts", "count"),
    [
        ["a", "A", "x", "2020", "p;q", "true", "", "", "", ""],
        ["b", "", "", "", "", "", "0.5", "", '[{"n":1}]', "3"],
    ],
)
YAML_RECORDS = """
- {key: a, name: A, owner: {team: x, since: 2020}, tags: [p, q], live: true}
- key: b
  share: 0.5
  none: ~
  parts: [{n: 1}]
  count: 3
"""


@pytest.mark.parametrize(
    ("form", "content"),
    [
        ("json", json.dumps(RECORDS).encode()),
        ("json", json.dumps({"items": RECORDS, "next": None}).encode()),
        ("json", json.dumps(RECORDS).encode("utf-8-sig")),
        ("json", json.dumps(RECORDS).encode("utf-16")),
        ("ndjson", "\n".join(json.dumps(one) for one in RECORDS).encode() + b"\n\n"),
        ("yaml", YAML_RECORDS.encode()),
        ("yaml", YAML_RECORDS.encode("utf-16")),
        (
            "yaml",
            "---\n".join(YAML_RECORDS.strip().replace("- {", "{").split("- ")).replace("\n  ", "\n").encode(),
        ),
    ],
)
def test_records_are_laid_into_columns(form: str, content: bytes) -> None:
    source = read(content, form)
    header, rows = LAID
    assert source.header == header
    laid = cells(source)
    if form == "yaml":
        rows = [[cell.replace('{"n":1}', '{"n":"1"}') for cell in row] for row in rows]
    assert laid == rows


def test_a_broken_line_of_ndjson_spoils_only_itself(company: Company) -> None:
    good = '{"key": "a", "name": "A", "kind": "system"}'
    text = f"{good}\n{{'key'}}\n[1]\n{good.replace('a', 'b', 1)}\n{'[' * 5000}\n"
    report = import_text(text, form="ndjson")
    assert counts(report) == {"created": 2, "refused": 3}
    lines = [(problem.row, problem.place, problem.message.split(":")[0]) for problem in report.problems]
    assert (2, "record 2", "The line is not JSON") in lines
    assert (3, "record 3", "Here stands a list instead of a record with names and values.") in lines


DEEP = "[" * 200_000
HOSTILE_TEXTS = {
    "json cut off": ("json", b'[{"key": "a"}, {"key": "b"', "not JSON behind record 1"),
    "json with more behind": ("json", b'[{"key": "a"}] x', "not JSON"),
    "json of one text": ("json", b'"key"', "holds no records"),
    "json without records": ("json", b"[]", "holds no records"),
    "json is CSV": ("json", b"key,name\n", "not JSON"),
    "json nested for ever": ("json", DEEP.encode(), "nested deeper than 60 levels"),
    "json never ends": ("json", b'[{"key": "' + b"x" * (5 << 20), "does not end within"),
    "json number without end": ("json", b'[{"key": ' + b"9" * 5_000 + b"}]", "not JSON"),
    "json in another encoding": (
        "json",
        '[{"key": "ä"}]'.encode("cp1252"),
        "Byte 10 (line 1), 0xe4, is not utf-8",
    ),
    "json is a workbook": ("json", ITEMS, "The file is not JSON but a ZIP archive"),
    "json is packed": ("json", gzip.compress(b"[]"), "a gzip archive"),
    "too many names": (
        "json",
        json.dumps([{f"n{i}": 1} for i in range(1001)]).encode(),
        "1,000 different names",
    ),
    "yaml nested for ever": ("yaml", DEEP.encode(), "nested"),
    "yaml cut off": ("yaml", b'a: "b', "not YAML in line 1"),
    "yaml with tabs": ("yaml", b"a:\n\t- b", "not YAML in line 2"),
    "yaml alias of nothing": ("yaml", b"a: *b", "names *b, which is defined nowhere"),
    "yaml in another encoding": ("yaml", "key: ä".encode("cp1252"), "Byte 5 (line 1)"),
    "yaml with control characters": ("yaml", b"a: \x01", "not YAML"),
    "yaml of nothing": ("yaml", b"# nothing\n", "holds no records"),
    "yaml twice the same": ("yaml", b"a: 1\na: 2\n", "“a” stands twice"),
    "ndjson of nothing": ("ndjson", b"\n\n", "holds no records"),
}
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{one}: &{one} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, one in zip("abcdefgh", "bcdefghi", strict=True)
)
HOSTILE_TEXTS["yaml bomb"] = ("yaml", BOMB.encode(), "aliases (*) counted each time")
HOSTILE_TEXTS["yaml bomb of merges"] = (
    "yaml",
    "".join(
        [f"m0: &m0 {{{', '.join(f'k{i}: v' for i in range(100))}}}\n"]
        + [f"m{i}: &m{i} {{<<: [{', '.join([f'*m{i - 1}'] * 40)}]}}\n" for i in range(1, 6)]
    ).encode(),
    "aliases (*) counted each time",
)
HOSTILE_TEXTS["yaml bomb over records"] = (
    "yaml",
    ("- &a [" + ", ".join(["x" * 90] * 900) + "]\n" + "- {a: *a, b: *a}\n" * 3_000).encode(),
    "unfolds to far more than its own size",
)
HOSTILE_TEXTS["yaml text without end"] = ("yaml", b'"' + b"x" * (9 << 20), "does not end within")


@pytest.mark.parametrize("case", HOSTILE_TEXTS)
def test_a_text_that_cannot_be_read_changes_nothing_and_says_why(company: Company, case: str) -> None:
    form, content, message = HOSTILE_TEXTS[case]
    before, memory = contents(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Invalid) as refused:
        import_text(content, form=form)
    assert message in refused.value.detail
    assert contents() == before
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 100_000  # kB


@pytest.mark.parametrize(
    ("case", "record", "message"),
    [
        ("too deep", '{"a": ' * 9 + "1" + "}" * 9, "deeper than 8 levels"),
        ("one path twice", '{"a.b": 1, "a": {"b": 2}}', "“a.b” stands twice"),
        ("a long name", json.dumps({"x" * 301: 1}), "longer than 300"),
    ],
)
def test_a_record_that_fits_no_row_is_refused_alone(case: str, record: str, message: str) -> None:
    rows = list(read(f'[{{"key": "a"}}, {record}]'.encode(), "json").rows())
    assert isinstance(rows[0], Row)
    assert isinstance(rows[1], Broken)
    assert message in rows[1].message


@pytest.mark.parametrize("value", ['["p;q"]', json.dumps("x" * 100_001), '"\\u0000"'])
def test_a_value_that_fits_no_cell_is_wrong_in_its_cell_alone(value: str) -> None:
    (row,) = read(f'[{{"key": "a", "v": {value}}}]'.encode(), "json").rows()
    assert isinstance(row, Row)
    assert row.cells[0] == "a"
    assert isinstance(row.cells[1], Wrong)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("items.xlsx", ITEMS),
        ("items.tsv", b"key\tname\tkind\nledger\tLedger\tsystem\n"),
        ("items.csv", "key,name,kind\nledger,Ledger,system\n".encode("utf-16")),
        ("items.json", b'[{"key": "ledger", "name": "Ledger", "kind": "system"}]'),
        ("items.jsonl", b'{"key": "ledger", "name": "Ledger", "kind": "system"}'),
        ("items.yml", b"key: ledger\nname: Ledger\nkind: system\n"),
    ],
)
def test_the_name_of_a_file_tells_its_format(company: Company, file: str, content: bytes) -> None:
    report = import_text(content, file=file)
    assert counts(report) == {"created": 1}
    assert report.sample[0].key == "ledger"
