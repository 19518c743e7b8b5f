"""Words, ranks and marks, without a database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.workspace.rules import Rank, folded, index, marked, passage, rank, read_terms, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Payments API", ["payments", "api"]),
        ("payments-api.v2_old", ["payments", "api", "v2", "old"]),
        ("Zürich, Élan", ["zurich", "elan"]),
        ("STRASSE Straße", ["strasse"]),
        ("ﬁle № 5", ["file", "no", "5"]),
        ('\x00\'; DROP TABLE "x" -- *', ["drop", "table", "x"]),
        ("… — ☂", []),
        ("a" * 200, ["a" * 60]),
    ],
)
def test_text_becomes_words(text: str, found: list[str]) -> None:
    assert words(text) == found


@given(st.text(max_size=60))
def test_words_hold_no_sign_that_a_database_could_read(text: str) -> None:
    assert all(word.isalnum() and word == folded(word)[:60] for word in words(text))


MARKS = index(
    kind="item", organisation=7, key="payments-api", title="Zahlungsverkehr Zürich", body=["moves the money"]
)


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("payments-api", Rank.KEY),
        ("PAYMENTS-API ", Rank.KEY),
        ("pay", Rank.KEY_BEGINS),
        ("zahlungsverkehr zur", Rank.TITLE_BEGINS),
        ("zür pay", Rank.NAMING),
        ("api", Rank.NAMING),
        ("money api", Rank.BODY),
        ("verkehr", Rank.INSIDE),
        ("verkehr money", Rank.NOT),
        ("ney", Rank.NOT),
        ("-", Rank.NOT),
        ("item", Rank.NOT),
        ("7", Rank.NOT),
    ],
)
def test_rank(asked: str, near: Rank) -> None:
    found = rank(read_terms(asked), key="payments-api", title="Zahlungsverkehr Zürich", marks=MARKS)
    assert found is near


@pytest.mark.parametrize(
    ("text", "asked", "shown"),
    [
        ("Payments API", "pay", "[Pay]ments API"),
        ("Zürich Straße", "zur strasse", "[Zür]ich [Straße]"),
        ("Zahlungsverkehr", "verkehr", "Zahlungs[verkehr]"),
        ("repay pay", "pay", "repay [pay]"),
        ("nothing", "pay", "nothing"),
    ],
)
def test_what_was_met_is_marked(text: str, asked: str, shown: str) -> None:
    pieces = marked(text, read_terms(asked))
    assert "".join(f"[{piece}]" if hit else piece for piece, hit in pieces) == shown


@given(st.text(max_size=80), st.text(max_size=20))
def test_marking_loses_nothing(text: str, asked: str) -> None:
    terms = read_terms(asked)
    assert "".join(piece for piece, _ in marked(text, terms)) == text
    assert len(passage(text, terms)) <= len(text) + 4


def test_a_passage_shows_where_words_were_met() -> None:
    text = "Before. " * 30 + "The pump is replaced. " + "After. " * 30
    told = passage(text, read_terms("pump"))
    assert "The pump is replaced." in told
    assert told.startswith("… ")
    assert told.endswith(" …")
    assert len(told) < 220
