"""The CSV of a review: nothing in it is run by a spreadsheet, and all of it comes back."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncjob.core.review import Face, Proposal, ReviewRow
from syncjob.reports.match_csv import COLUMNS, read_review, safe_cell, same_words, write_review

FORMULAS = [
    "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1+1",
    'a";=HYPERLINK("http://x")', "a\n=1",
]  # fmt: skip


def rows(name: str, other: str = "Other") -> list[ReviewRow]:
    made = Proposal(
        kind="pair", first="org:1", second="c-1", first_name=name, second_name=other, score=998,
        band="near", agrees=(name,), because=name,
    )  # fmt: skip
    return [ReviewRow(proposal=made, first=Face(id="org:1", name=name),
                      second=Face(id="c-1", name=other))]  # fmt: skip


def cells(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.lstrip("\ufeff"), newline="")))


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_no_cell_is_run_as_a_formula_under_any_separator(name: str, delimiter: str) -> None:
    text = write_review(rows(name)).lstrip("\ufeff")
    for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
        for cell in line:
            assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝")), cell


def test_a_spreadsheet_knows_encoding_and_line_ends() -> None:
    text = write_review(rows("Café"))
    assert text.startswith("\ufeff")
    assert text.count("\r\n") == 2
    header, first = cells(text)
    assert tuple(header) == COLUMNS
    assert first[0] == ""
    assert first[2] == "Café"


@given(st.text(max_size=40), st.text(max_size=40))
def test_whatever_the_names_are_the_answers_come_back(name: str, other: str) -> None:
    table = cells(write_review(rows(name, other)))
    table[1][0] = "Same"
    out = io.StringIO()
    csv.writer(out).writerows(table)
    answers, refused = read_review(out.getvalue().encode("utf-8", "replace"), "review.csv")
    assert refused == []
    (answer,) = answers
    assert (answer.verdict, answer.first, answer.second, answer.line) == ("same", "org:1", "c-1", 2)
    assert same_words(answer.first_name, name) or not answer.first_name


@given(st.text(max_size=40))
def test_a_safe_cell_is_its_own_safe_cell(text: str) -> None:
    assert safe_cell(safe_cell(text)).count("'") >= safe_cell(text).count("'")
    assert not safe_cell(text).lstrip().startswith(("=", "+", "-", "@"))


@given(st.binary(max_size=200))
def test_no_file_breaks_the_reader(data: bytes) -> None:
    from syncjob.errors import WrongFile

    with pytest.raises(WrongFile):
        read_review(data, "x.csv")


def test_a_cell_of_several_lines_does_not_shift_the_line_numbers() -> None:
    text = (
        'decision,what,first_id,second_id,key,notes\r\nleave,pair,org:1,c1,m1,"two\r\nlines"\r\n'
        "oops,pair,org:2,c2,m2,\r\n"
    )
    _, (refusal,) = read_review(text.encode(), "x.csv")
    assert refusal.line == 4
