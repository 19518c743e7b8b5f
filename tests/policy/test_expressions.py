"""The rule language: values as CEL gives them, and an end to everything it may cost."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from fairway.policy.expressions import FLAG, NUMBER, TEXTS, Expression, Failed, Unusable

ROW = {"a": "5", "b": "x,y"}
TEN = "[1,2,3,4,5,6,7,8,9,10]"


def asked(text: str, row: dict[str, str] = ROW) -> Any:
    return Expression(text, {"row": TEXTS}).value({"row": row})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("row.a", "5"),
        ("row['b']", "x,y"),
        ("row.a + '!'", "5!"),
        ("int(row.a) * 2", 10),
        ("double(row.a) / 2.0", 2.5),
        ("row.a == '5' ? 'yes' : 'no'", "yes"),
        ("has(row.c) ? row.c : 'none'", "none"),
        ("row.b.split(',')", ["x", "y"]),
        ("row.b.split(',').exists(one, one == 'y')", True),
        ("row.b.split(',').join('-')", "x-y"),
        ("row.b.upperAscii().replace('X', 'zz').trim()", "zz,Y"),
        ("row.b.substring(row.b.indexOf(',') + 1)", "y"),
        ("row.b.substring(0, 1)", "x"),
        ("row.b.matches('^[a-z],')", True),
        ("timestamp('2027-01-04T08:00:00Z') + duration('1h')", datetime(2027, 1, 4, 9, tzinfo=UTC)),
        ("null", None),
        ("{'a': [1]}", {"a": [1]}),
        ("'has(row.x).map(' + row.a", "has(row.x).map(5"),
    ],
)
def test_an_expression_gives_plain_values(text: str, value: Any) -> None:
    assert asked(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("row.a +", "line 1, column 8: Syntax error"),
        ("foo", "undeclared reference to 'foo'"),
        ("row.a.format()", "undeclared reference to 'format'"),
        ("row.a.__class__", "cannot be the operand of a select"),
        ("'x'" + " + 'x'" * 400, "longer than 2,000 bytes"),
        ("(" * 200 + "1" + ")" * 200, "nested too deeply"),
        ("1" + "+1" * 900, "nested too deeply"),
        (f"{TEN}.map(n, row.a + row.a)", "texts would grow"),
        (f"{TEN}.all(n, {TEN}.all(m, row.a.split('') != []))", "texts would grow"),
        (f"{TEN}.exists(n, row.b.replace('x', 'xx') == '')", "texts would grow"),
        ("row.a\0", "NUL"),
    ],
)
def test_what_cannot_be_used_is_refused_before_any_value_is_seen(text: str, message: str) -> None:
    with pytest.raises(Unusable, match=message.replace("(", r"\(")):
        Expression(text, {"row": TEXTS})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("row.c", 'there is no column "c"'),
        ("1 / 0", "divide by zero"),
        ("int(row.b)", "cannot convert string to int"),
        ("row.a.substring(3, 9)", "there is no part 3 to 9"),
        ("timestamp(row.a)", "conversion failed"),
    ],
)
def test_an_error_is_no_value(text: str, message: str) -> None:
    with pytest.raises(Failed, match=message):
        asked(text)


LOOPS = "row.a"
for name in "abcdefgh":
    LOOPS = f"{TEN}.all({name}, {LOOPS} != '')" if name == "a" else f"{TEN}.all({name}, {LOOPS})"


@pytest.mark.parametrize(
    ("text", "row", "message"),
    [
        (LOOPS, ROW, "too many steps"),
        ("row.a.replace('x', row.a)", {"a": "x" * 5_000}, "grows beyond"),
        ("row.a.split('').join(row.a)", {"a": "x" * 5_000}, "grows beyond"),
        ("row.a", {"a": "x" * 10_001}, "at most 10,000 characters"),
        ("row.a.split('').map(one, row)", {"a": "x" * 9_000}, "too many|more than 10,000 values"),
    ],
)
def test_what_would_take_all_time_or_memory_is_given_up_at_once(
    text: str, row: dict[str, str], message: str
) -> None:
    with pytest.raises(Failed, match=message):
        asked(text, row)


def test_a_condition_is_true_or_false_and_nothing_else() -> None:
    assert Expression("n > 2 && open", {"n": NUMBER, "open": FLAG}).holds({"n": 3, "open": True})
    with pytest.raises(Failed, match="true or false is needed"):
        Expression("n", {"n": NUMBER}).holds({"n": 3})
