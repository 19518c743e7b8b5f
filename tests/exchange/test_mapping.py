"""Mapping files: the closed vocabulary, what each word does, and the exact answer to a wrong one."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.exchange.fields import (
    Field,
    Value,
    boolean,
    duration,
    instant,
    integer,
    text,
    wall_time,
    zone_name,
)
from fairway.exchange.mapping import SIZE_LIMIT, Bound, CellFault, Mapped, parse, plain
from fairway.kernel.errors import Invalid
from fairway.kernel.models import SLUG

FIELDS = {
    "key": Field(text, "", required=True),
    "name": Field(text, ""),
    "level": Field(integer, ""),
    "shared": Field(boolean, ""),
    "start": Field(instant, ""),
    "local": Field(wall_time, ""),
    "length": Field(duration, ""),
    "zone": Field(zone_name, ""),
    "items": Field(text, "", many=True),
    "levels": Field(integer, "", many=True),
    "attributes.*": Field(text, ""),
}
HEADER = ["id", "title", "when", "things", "a.b"]


def mapped(rules: str, *cells: str) -> Mapped:
    mapping = parse(rules, kind="items", fields=FIELDS)
    return Bound(mapping, HEADER, FIELDS).read([*cells, *[""] * (len(HEADER) - len(cells))])


def made(rule: str, *cells: str, field: str = "name") -> Value | None:
    row = mapped(f"fields:\n  key: {{value: x}}\n  {field}: {rule}\n", *cells)
    assert row.faults == []
    return row.values.get(field)


def fault(rule: str, *cells: str, field: str = "name") -> str:
    row = mapped(f"fields:\n  key: {{value: x}}\n  {field}: {rule}\n", *cells)
    assert field not in row.values
    (only,) = row.faults
    return only.message


@pytest.mark.parametrize(
    ("case", "field", "rule", "cells", "expected"),
    [
        ("a column by name alone", "name", "title", ["", " T "], "T"),
        ("a column", "name", "{column: title}", ["", "T"], "T"),
        ("a constant", "name", "{value: fixed}", [], "fixed"),
        ("a constant that YAML would read as false", "name", "{value: no}", [], "no"),
        ("a template", "name", '{template: "{id}/{title}"}', ["1", "T"], "1/T"),
        ("a template with braces", "name", '{template: "{{{id}}}"}', ["1"], "{1}"),
        ("a template with a part empty", "name", '{template: "{id}/{title}"}', ["1", ""], "1/"),
        ("a template with every part empty gives nothing", "name", '{template: "{id}/{title}"}', [], None),
        ("a dot is part of a column's name", "name", '{template: "{a.b}"}', ["", "", "", "", "z"], "z"),
        ("an empty cell gives nothing", "name", "title", ["", "  "], None),
        ("a default", "name", "{column: title, default: D}", [], "D"),
        ("a default is not used", "name", "{column: title, default: D}", ["", "T"], "T"),
        ("a map", "name", "{column: title, map: {A: alpha, B: beta}}", ["", "B"], "beta"),
        ("a map, otherwise", "name", "{column: title, map: {A: alpha}, otherwise: rest}", ["", "B"], "rest"),
        ("a map after a default", "name", "{column: title, default: A, map: {A: alpha}}", [], "alpha"),
        (
            "a map of words that YAML would read",
            "name",
            "{column: title, map: {True: live, no: off}}",
            ["", "True"],
            "live",
        ),
        ("lower", "name", "{column: title, lower: true}", ["", "ABC"], "abc"),
        ("slug", "name", "{column: title, slug: true}", ["", "BNL/ESnet perf_SONAR"], "bnl-esnet-perf_sonar"),
        ("slug keeps dashes apart", "name", "{column: title, slug: true}", ["", "ND - CAML"], "nd---caml"),
        ("split", "items", '{column: things, split: "|"}', ["", "", "", "a| b ||c"], ["a", "b", "c"]),
        (
            "split and slug",
            "items",
            '{column: things, split: ", ", slug: true}',
            ["", "", "", "A 1, B 2"],
            ["a-1", "b-2"],
        ),
        ("several by semicolon unless told", "items", "things", ["", "", "", "a;b"], ["a", "b"]),
        ("several of nothing", "items", "things", ["", "", "", " ; "], None),
        ("several numbers", "levels", "things", ["", "", "", "1;2"], [1, 2]),
        ("a number", "level", "title", ["", "3"], 3),
        ("true", "shared", "title", ["", "Yes"], True),
        ("false", "shared", "title", ["", "0"], False),
        (
            "iso unless told",
            "start",
            "when",
            ["", "", "2027-01-04T08:00:00+01:00"],
            datetime(2027, 1, 4, 7, tzinfo=UTC),
        ),
        (
            "iso with blank",
            "start",
            "{column: when, time: iso}",
            ["", "", "2027-01-04 08:00Z"],
            datetime(2027, 1, 4, 8, tzinfo=UTC),
        ),
        (
            "a form",
            "start",
            '{column: when, time: "%b %d, %Y %H:%M %z"}',
            ["", "", "Mar 28, 2017 22:00 -0500"],
            datetime(2017, 3, 29, 3, tzinfo=UTC),
        ),
        (
            "wall time in a zone",
            "start",
            '{column: when, time: "%d/%m/%Y %H:%M", zone: Europe/London}',
            ["", "", "28/06/2027 22:00"],
            datetime(2027, 6, 28, 21, tzinfo=UTC),
        ),
        (
            "wall time in a spring gap",
            "start",
            "{column: when, zone: Europe/London}",
            ["", "", "2027-03-28T01:30"],
            datetime(2027, 3, 28, 1, 30, tzinfo=UTC),
        ),
        (
            "wall time in an autumn overlap",
            "start",
            "{column: when, zone: Europe/London}",
            ["", "", "2027-10-31T01:30"],
            datetime(2027, 10, 31, 0, 30, tzinfo=UTC),
        ),
        ("a local time", "local", "when", ["", "", "2027-01-04 22:00"], "2027-01-04T22:00:00"),
        ("a duration", "length", "when", ["", "", "PT2H30M"], "PT2H30M"),
        ("a zone", "zone", "title", ["", "Asia/Kolkata"], "Asia/Kolkata"),
        ("an attribute", "attributes.fqdn", "title", ["", "h1"], "h1"),
        (
            "an attribute of several",
            "attributes.tags",
            "{column: things, split: ;}",
            ["", "", "", "a;b"],
            ["a", "b"],
        ),
        ("a formula is text", "name", "title", ["", "=cmd|' /C calc'!A0"], "=cmd|' /C calc'!A0"),
    ],
)
def test_a_rule_makes(case: str, field: str, rule: str, cells: list[str], expected: Value | None) -> None:
    assert made(rule, *cells, field=field) == expected


@pytest.mark.parametrize(
    ("case", "field", "rule", "cells", "message"),
    [
        (
            "not in the map",
            "name",
            "{column: title, map: {A: a, B: b}}",
            ["", "C"],
            "“C” is not among the words that the mapping knows: “A”, “B”.",
        ),
        ("no number", "level", "title", ["", "3.5"], "“3.5” is not a whole number, such as 3."),
        ("neither", "shared", "title", ["", "maybe"], "“maybe” is neither true nor false."),
        (
            "another form",
            "start",
            '{column: when, time: "%b %d, %Y %H:%M %z"}',
            ["", "", "2017-03-28"],
            "“2017-03-28” is not a time in the form of Jan 04, 2027 08:00 +0000.",
        ),
        (
            "no instant",
            "start",
            "when",
            ["", "", "tomorrow"],
            "“tomorrow” is not a time in the form of 2027-01-04T08:00:00Z.",
        ),
        (
            "no offset",
            "start",
            "when",
            ["", "", "2027-01-04 08:00"],
            "“2027-01-04 08:00” has no offset; add one (such as +00:00), or name the zone in the mapping.",
        ),
        (
            "before the calendar",
            "start",
            "when",
            ["", "", "0001-01-01T00:00:00+05:00"],
            "“0001-01-01T00:00:00+05:00” lies outside the years 1 to 9999.",
        ),
        (
            "a local time with offset",
            "local",
            "when",
            ["", "", "2027-01-04T22:00Z"],
            "“2027-01-04T22:00Z” is not a local time without offset, such as 2027-01-04T22:00.",
        ),
        (
            "no duration",
            "length",
            "when",
            ["", "", "2h"],
            "“2h” is not a duration in the form of ISO 8601, such as PT2H30M or P1D.",
        ),
        (
            "an unknown zone",
            "zone",
            "title",
            ["", "Europe/Lodnon"],
            "“Europe/Lodnon” is not a time zone; did you mean Europe/London?",
        ),
        (
            "nothing like a zone",
            "zone",
            "title",
            ["", "??"],
            "“??” is not a time zone; write one such as Europe/London.",
        ),
        (
            "no letter in a key",
            "name",
            "{column: title, slug: true}",
            ["", "东京"],
            "“东京” holds no letter a-z and no digit, so it makes no key.",
        ),
        (
            "a long text is cut in the answer",
            "level",
            "title",
            ["", "x" * 70],
            f"“{'x' * 60}…” is not a whole number, such as 3.",
        ),
    ],
)
def test_a_cell_that_does_not_fit_is_told_what_would(
    case: str, field: str, rule: str, cells: list[str], message: str
) -> None:
    assert fault(rule, *cells, field=field) == message


def test_faults_name_field_and_column_and_all_are_told() -> None:
    row = mapped("fields:\n  key: id\n  level: title\n  start: {column: when}\n", "", "x", "y")
    assert row.faults == [
        CellFault("key", "id", "The cell is empty; a value is needed."),
        CellFault("level", "title", "“x” is not a whole number, such as 3."),
        CellFault("start", "when", "“y” is not a time in the form of 2027-01-04T08:00:00Z."),
    ]


def test_skip_when_empty_leaves_the_row_out() -> None:
    rules = "fields:\n  key: {column: id, skip_when_empty: true}\n"
    assert mapped(rules, "").skipped
    assert not mapped(rules, "1").skipped


def test_the_zone_of_the_mapping_holds_for_every_time() -> None:
    row = mapped("zone: America/New_York\nfields:\n  key: id\n  start: when\n", "1", "", "2027-01-04 08:00")
    assert row.values["start"] == datetime(2027, 1, 4, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("case", "rules", "message"),
    [
        ("nothing", "", "The mapping is empty; see docs/import.md for an example."),
        (
            "no YAML",
            "fields: [",
            "The mapping is not YAML: expected the node content, but found '<stream end>' (line 1,"
            " column 10).",
        ),
        (
            "a list",
            "- a\n",
            "Line 1 of the mapping: Here the mapping is written as lines of the form name: value.",
        ),
        (
            "an unknown word",
            "fieldz: {}\n",
            "Line 1 of the mapping: “fieldz” means nothing in the mapping (did you mean"
            " fields?); it may hold as, format, encoding, delimiter, sheet, header, zone, repeats, fields.",
        ),
        (
            "no fields",
            "zone: UTC\n",
            "Line 1 of the mapping: The mapping has no fields; write fields: and below it one line"
            " per field.",
        ),
        (
            "empty fields",
            "fields: {}\n",
            "Line 1 of the mapping: The mapping has no fields; write one line per field below fields:.",
        ),
        (
            "another kind",
            "as: changes\nfields: {key: id}\n",
            "Line 1 of the mapping: This mapping makes changes, and items"
            " are imported; name the other mapping.",
        ),
        (
            "an unknown field",
            "fields:\n  key: id\n  nmae: title\n",
            "Line 3 of the mapping: Items have no field “nmae” (did"
            " you mean name?); they have attributes.*, items, key, length, level, levels, local, name,"
            " shared, start, zone.",
        ),
        (
            "a field that is needed",
            "fields:\n  name: title\n",
            "Line 2 of the mapping: The mapping does not say how to make key; items need it.",
        ),
        (
            "a field twice",
            "fields:\n  key: id\n  key: title\n",
            "Line 3 of the mapping: “key” stands twice in fields.",
        ),
        (
            "no source",
            "fields:\n  key: {lower: true}\n",
            "Line 2 of the mapping: The field key needs one of column, value, template and expr; it has"
            " none.",
        ),
        (
            "two sources",
            "fields:\n  key: {column: id, value: x}\n",
            "Line 2 of the mapping: The field key needs one of"
            " column, value, template and expr; it has column and value.",
        ),
        (
            "an unknown step",
            "fields:\n  key: {column: id, eval: x}\n",
            "Line 2 of the mapping: “eval” means nothing in the"
            " field key; it may hold column, value, template, expr, map, otherwise, default, lower,"
            " slug, split,"
            " time, zone,"
            " skip_when_empty.",
        ),
        (
            "a list for a value",
            "fields:\n  key: {column: [id]}\n",
            "Line 2 of the mapping: Here one value is written, no list and no lines of their own.",
        ),
        (
            "neither true nor false",
            "fields:\n  key: {column: id, slug: perhaps}\n",
            "Line 2 of the mapping: “perhaps” does not stand here; write true or false.",
        ),
        ("attribute access", 'fields:\n  key: {template: "{id.__class__}"}\n', None),
        (
            "a brace alone",
            'fields:\n  key: {template: "{id"}\n',
            "Line 2 of the mapping: The template “{id” has a brace that"
            " stands alone; write {column}, or {{ for a brace.",
        ),
        (
            "no zone",
            "zone: Mars/Base\nfields: {key: id}\n",
            "Line 1 of the mapping: “Mars/Base” is not a time zone; write one such as Europe/London.",
        ),
        (
            "a misspelt zone",
            "fields:\n  key: id\n  start: {column: when, zone: europe/london}\n",
            "Line 3 of the mapping: “europe/london” is not a time zone; did you mean Europe/London?",
        ),
        (
            "an unknown directive",
            'fields:\n  key: id\n  start: {column: when, time: "%Y-%m-%d %Q"}\n',
            "Line 3 of the"
            " mapping: time does not know %Q; it knows %% %A %B %H %I %M %S %Y %a %b %d %f %j %m %p %y %z,"
            " or iso.",
        ),
        (
            "a form without a year",
            'fields:\n  key: id\n  start: {column: when, time: "%d %b %H:%M"}\n',
            "Line 3 of the"
            " mapping: time “%d %b %H:%M” does not tell year, month and day; write such as %Y-%m-%d %H:%M"
            " %z, or iso.",
        ),
        (
            "time for a text",
            "fields:\n  key: {column: id, time: iso}\n",
            "Line 2 of the mapping: time makes an instant, and the field key is none.",
        ),
        (
            "split for one",
            'fields:\n  key: {column: id, split: ";"}\n',
            "Line 2 of the mapping: split makes several values, and the field key takes one.",
        ),
        (
            "otherwise alone",
            "fields:\n  key: {column: id, otherwise: x}\n",
            "Line 2 of the mapping: The field key has otherwise without map.",
        ),
        ("an unknown encoding", "encoding: utf-9\nfields: {key: id}\n", None),
        (
            "a separator of two",
            "delimiter: ab\nfields: {key: id}\n",
            "Line 1 of the mapping: “ab” cannot separate cells; use one character, such as , or ; or tab.",
        ),
        (
            "repeats",
            "repeats: maybe\nfields: {key: id}\n",
            "Line 1 of the mapping: “maybe” does not stand here; write refused or same or first.",
        ),
        (
            "two documents",
            "fields: {key: id}\n---\nfields: {key: id}\n",
            "The mapping is not YAML: but found another document (line 2, column 1).",
        ),
        (
            "a bomb of aliases",
            "a: &a [x, x]\nb: &b [*a, *a]\nfields: {key: id}\n",
            "Line 1 of the mapping: Anchors and"
            " aliases (& and *) are not used in mappings; write the value again.",
        ),
        (
            "a tag",
            "fields: !!python/object/apply:os.system [id]\n",
            "Line 1 of the mapping: Tags (!) are not used in mappings.",
        ),
        ("a deep nest", "[" * 30_000, "Line 1 of the mapping: The mapping is nested deeper than 6 levels."),
        ("a large file", "#" * (SIZE_LIMIT + 1), "The mapping has 64,001 bytes; at most 64,000 are read."),
        ("a control character", "fields: {key: \x00}\n", None),
    ],
)
def test_a_wrong_mapping_is_told_where_and_what_would_be_right(
    case: str, rules: str, message: str | None
) -> None:
    with pytest.raises(Invalid) as caught:
        mapped(rules, "1")
    assert caught.value.code == "exchange.mapping"
    if message is not None:
        assert caught.value.detail == message


def test_columns_that_the_table_lacks_are_all_told() -> None:
    with pytest.raises(Invalid) as caught:
        mapped("fields:\n  key: ID\n  name: {template: '{title} {titel}'}\n", "1")
    assert caught.value.detail == (
        "The file has no column “ID” (did you mean id?). The file has no column “titel” (did you mean"
        " title?)."
        " Its columns are “id”, “title”, “when”, “things”, “a.b”."
    )


def test_another_separator_is_guessed_at_in_the_answer_alone() -> None:
    mapping = parse("fields: {key: id}", kind="items", fields=FIELDS)
    with pytest.raises(Invalid, match=r"Its cells seem to be separated by ;: say so by delimiter."):
        Bound(mapping, ["id;name"], FIELDS)


def test_without_a_mapping_the_columns_carry_the_names_of_the_fields() -> None:
    header = ["key", "items", "attributes.fqdn"]
    row = Bound(plain(header, kind="items", fields=FIELDS), header, FIELDS).read(["k", "a;b", "h"])
    assert row.values == {"key": "k", "items": ["a", "b"], "attributes.fqdn": "h"}
    with pytest.raises(Invalid) as caught:
        plain(["nam"], kind="items", fields={"key": FIELDS["key"], "name": FIELDS["name"]})
    assert caught.value.detail == (
        "Items have no field “nam” (did you mean name?). The column “key” is missing; items need it."
        " Without a mapping the columns carry the names of the fields: key, name."
    )


@given(st.text(max_size=120))
def test_a_key_made_of_any_text_is_a_key_or_refused(cell: str) -> None:
    row = mapped("fields:\n  key: {column: id, slug: true}\n", cell)
    assert bool(row.faults) != ("key" in row.values)
    assert not row.values or SLUG.fullmatch(str(row.values["key"]))


@given(st.text(max_size=200))
def test_any_text_is_a_mapping_or_refused(rules: str) -> None:
    with contextlib.suppress(Invalid):
        assert parse(rules, kind="items", fields=FIELDS).rules
