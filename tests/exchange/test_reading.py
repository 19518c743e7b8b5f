"""Reading CSV: what is read, and the exact answer where it cannot be."""

from __future__ import annotations

import contextlib
import csv
import io
import tracemalloc
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.exchange.reading import CELL_LIMIT, LINE_LIMIT, NUL, TOO_LONG, Broken, Row, Table
from fairway.kernel.errors import Invalid


def table(content: str | bytes, **options: str) -> Table:
    return Table(io.BytesIO(content.encode() if isinstance(content, str) else content), **options)


def read(content: str | bytes, **options: str) -> list[Row | Broken]:
    return list(table(content, **options).rows())


def cells(content: str | bytes, **options: str) -> list[list[str]]:
    rows = read(content, **options)
    assert all(isinstance(row, Row) for row in rows), rows
    return [row.cells for row in rows if isinstance(row, Row)]


def zipped() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("[Content_Types].xml", "<Types/>")
    return archive.getvalue()


@pytest.mark.parametrize(
    ("case", "content", "expected"),
    [
        ("plain", "a,b\n1,2\n", [["1", "2"]]),
        ("no line end at the end", "a,b\n1,2", [["1", "2"]]),
        ("line ends of Windows", "a,b\r\n1,2\r\n", [["1", "2"]]),
        ("line ends of old Macs", "a,b\r1,2\r", [["1", "2"]]),
        ("mark of UTF-8", "\ufeffa,b\n1,2\n", [["1", "2"]]),
        ("quoted separator", 'a,b\n"1,5",2\n', [["1,5", "2"]]),
        ("quoted quote", 'a,b\n"say ""hi""",2\n', [['say "hi"', "2"]]),
        ("quoted line end", 'a,b\n"one\r\ntwo",2\n3,4\n', [["one\ntwo", "2"], ["3", "4"]]),
        ("empty quoted cells", 'a,b\n"",""\n', [["", ""]]),
        ("quote inside a plain cell is text", 'a,b\n5" pipe,2\n', [['5" pipe', "2"]]),
        ("blank lines are passed over", "a,b\n\n1,2\n\n", [["1", "2"]]),
        ("blanks stay", "a,b\n 1 ,2\n", [[" 1 ", "2"]]),
        ("formulas are text", 'a,b\n=1+1,"=HYPERLINK(""x"")"\n', [["=1+1", '=HYPERLINK("x")']]),
        ("a header alone", "a,b\n", []),
    ],
)
def test_cells_are_read(case: str, content: str, expected: list[list[str]]) -> None:
    assert cells(content) == expected


def test_rows_are_numbered_as_a_spreadsheet_does_and_lines_as_an_editor_does() -> None:
    rows = read('a,b\n\n"x\ny",2\n3,4\n')
    assert [(row.number, row.line) for row in rows] == [(3, 3), (4, 5)]


@pytest.mark.parametrize(("name", "text"), [("semicolon", ";"), ("tabulator", "\t"), ("bar", "|")])
def test_other_separators(name: str, text: str) -> None:
    assert cells(f"a{text}b\n1,5{text}2\n", delimiter=text) == [["1,5", "2"]]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252", "utf-32"]
)
def test_named_encodings(encoding: str) -> None:
    assert cells("a,b\nZürich,2\n".encode(encoding), encoding=encoding) == [["Zürich", "2"]]


@pytest.mark.parametrize(
    ("case", "content", "expected"),
    [
        (
            "too few",
            "a,b,c\n1,2\n",
            (
                "",
                "The row has 2 cells and the header 3; give every row as many as the header, and"
                " put quotes around a cell that holds the separator.",
            ),
        ),
        (
            "too many",
            "a,b\n1,2,3\n",
            (
                "",
                "The row has 3 cells and the header 2; give every row as many as the header,"
                " and put quotes around a cell that holds the separator.",
            ),
        ),
        ("NUL", "a,b\n1,x\0y\n", ("b", "The cell holds a NUL character, which cannot be stored; remove it.")),
        ("NUL in quotes", 'a,b\n1,"x\0\ny"\n', ("b", NUL)),
        (
            "text behind the quote",
            'a,b\n"1"x,2\n',
            ("a", "Text stands behind the closing quote; write a quote inside a quoted cell twice."),
        ),
        (
            "a cell too long",
            f"a,b\n1,{'x' * (CELL_LIMIT + 1)}\n",
            ("b", "The cell is longer than 100,000 characters; shorten it, or keep the text elsewhere."),
        ),
        ("a quoted cell too long", 'a,b\n"' + "x\n" * CELL_LIMIT + '",2\n', ("a", TOO_LONG)),
        ("a line too long", f"a,b\n1,{'x' * LINE_LIMIT}\n", ("b", TOO_LONG)),
        (
            "a line of many cells too long",
            "a,b\n" + "x," * LINE_LIMIT + "\n",
            ("", "The row is longer than 1,000,000 characters; split it."),
        ),
    ],
)
def test_a_row_that_cannot_be_used_leaves_the_others(
    case: str, content: str, expected: tuple[str, str]
) -> None:
    header = content.partition("\n")[0]
    first, *rest = read(content + header + "\n")
    assert isinstance(first, Broken)
    assert (first.number, first.line, first.column, first.message) == (2, 2, *expected)
    assert [row.cells for row in rest if isinstance(row, Row)] == [header.split(",")]


def test_a_cell_of_ten_megabytes_is_refused_by_row_and_column_in_little_memory() -> None:
    source = io.BytesIO(b'a,b\n1,2\n3,"' + b"x" * 10_000_000 + b'"\n4,' + b"y" * 10_000_000 + b"\n5,6\n")
    tracemalloc.start()
    try:
        rows = list(Table(source).rows())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [(row.number, getattr(row, "column", None)) for row in rows] == [
        (2, None),
        (3, "b"),
        (4, "b"),
        (5, None),
    ]
    assert [row.message for row in rows if isinstance(row, Broken)] == [TOO_LONG, TOO_LONG]
    assert peak < 16_000_000


@pytest.mark.parametrize(
    ("case", "content", "message"),
    [
        ("empty", b"", "The file is empty or its first line is; the first line names the columns."),
        (
            "blank first line",
            b"\na,b\n",
            "The file is empty or its first line is; the first line names the columns.",
        ),
        (
            "Latin-1",
            "a,b\n1,2\n3,Zürich\n".encode("latin-1"),
            "Byte 11 (line 3), 0xfc, is not utf-8: save the file as"
            " UTF-8, or name its encoding, for files from Windows mostly --encoding cp1252.",
        ),
        (
            "UTF-16 with its mark",
            "a,b\n1,2\n".encode("utf-16"),
            "The file starts with the byte order mark of UTF-16"
            " (byte 0, line 1), not in utf-8; name its encoding: --encoding utf-16.",
        ),
        (
            "UTF-32 with its mark",
            "a,b\n1,2\n".encode("utf-32"),
            "The file starts with the byte order mark of UTF-32"
            " (byte 0, line 1), not in utf-8; name its encoding: --encoding utf-32.",
        ),
        (
            "UTF-16 little end first",
            "a,b\n1,2\n".encode("utf-16-le"),
            "Byte 1 (line 1) is NUL: it looks like UTF-16"
            " without a byte order mark; name its encoding: --encoding utf-16-le.",
        ),
        (
            "UTF-16 big end first",
            "a,b\n1,2\n".encode("utf-16-be"),
            "Byte 0 (line 1) is NUL: it looks like UTF-16 without"
            " a byte order mark; name its encoding: --encoding utf-16-be.",
        ),
        (
            "cut short in a character",
            b"a,b\n1,Z\xc3",
            "Byte 7 (line 2), 0xc3, is not utf-8: save the file as UTF-8, or name"
            " its encoding, for files from Windows mostly --encoding cp1252.",
        ),
        (
            "XLSX",
            zipped(),
            "The file is not CSV but a ZIP archive or a spreadsheet such as XLSX; save the sheet as CSV"
            " (UTF-8).",
        ),
        ("PDF", b"%PDF-1.7\n", "The file is not CSV but a PDF document."),
        ("zeroes", bytes(5000), "Byte 0 (line 1) is NUL: this is no text."),
        (
            "header with a quote never closed",
            b'a,"b\n1,2\n',
            "The quote opened in line 1, column “column 2”, is never closed.",
        ),
        (
            "the same column twice",
            b"a,b,a\n1,2,3\n",
            "The header names “a” twice, in columns 1 and 3; rename one of them.",
        ),
        (
            "a column without name",
            b"a,,c\n1,2,3\n",
            "Column 2 has no name; every column of the header needs one.",
        ),
        (
            "too many columns",
            b",".join(b"c%d" % n for n in range(1001)),
            "The header names 1,001 columns; at most 1,000 are read.",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_told_so(case: str, content: bytes, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        table(content)
    assert caught.value.detail == message
    assert caught.value.code == "exchange.unreadable"


@pytest.mark.parametrize(
    ("case", "content", "message"),
    [
        ("never closed", 'a,b\n1,2\n3,"x\n5,6\n', "The quote opened in line 3, column “b”, is never closed."),
        (
            "closes rows later",
            'a,b\n1,"x\n3,"y"\n',
            "The quote opened in line 2, column “b”, closes in line 3 with text"
            " behind it, so rows between may have been swallowed; write a quote inside a quoted cell twice.",
        ),
    ],
)
def test_an_unbalanced_quote_spoils_the_file(case: str, content: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        table(content).count()
    assert caught.value.detail == message


def test_the_byte_and_line_of_a_wrong_encoding_are_told_far_into_the_file() -> None:
    before = "a,b\n" + "é,2\n" * 300_000
    with pytest.raises(Invalid) as caught:
        table(before.encode() + b"1,\xe9\n")
    assert caught.value.extra == {"byte": len(before.encode()) + 2, "line": 300_002}


@pytest.mark.parametrize("name", ["hex", "rot13", "utf-7", "unicode_escape", "", "no-such"])
def test_encodings_are_a_closed_list(name: str) -> None:
    with pytest.raises(Invalid, match="is not an encoding known here; use one of utf-8, "):
        table("a,b\n", encoding=name)


@pytest.mark.parametrize("text", ["", ",,", '"', "\n", "\0"])
def test_separators_that_cannot_be(text: str) -> None:
    with pytest.raises(Invalid, match="cannot separate cells"):
        table("a,b\n", delimiter=text)


def test_a_table_can_be_read_again() -> None:
    twice = table("a,b\n1,2\n3,4\n")
    assert twice.count() == 2
    assert [row.line for row in twice.rows()] == [2, 3]


words = st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=8)


@given(
    st.lists(st.lists(words, min_size=2, max_size=2), max_size=6),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_reads_what_the_standard_library_writes(rows: list[list[str]], quoting: int) -> None:
    text = io.StringIO()
    writer = csv.writer(text, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows([["a", "b"], *rows])
    assert cells(text.getvalue()) == rows


@given(st.binary(max_size=60))
def test_any_bytes_give_rows_or_a_clear_refusal(content: bytes) -> None:
    with contextlib.suppress(Invalid):
        opened = Table(io.BytesIO(content))
        for row in opened.rows():
            assert not isinstance(row, Row) or len(row.cells) == len(opened.header)
