"""A review that comes back: whatever a spreadsheet made of it is read, what is doubtful refused."""

from __future__ import annotations

from typing import Any

import pytest

from syncjob.core.review import MatchReport
from syncjob.errors import Park, WrongFile
from tests.engine.matchkit import (
    answered,
    apply,
    contact,
    decide,
    links,
    match,
    org,
    table,
    written,
)
from tests.engine.scenes import minutes, only
from tests.engine.world import World

NAMES = ("Kestrel Bay Joinery", "Meridian Harbour Catering", "Zephyr Optics")


@pytest.fixture
def three(world: World) -> tuple[World, MatchReport, dict[str, str]]:
    """Three customers on both sides that nobody has answered for; CRM id to ledger id."""
    truth = {org(world, name): contact(world, f"{name} Ltd") for name in NAMES}
    report = match(world)
    assert {(r.proposal.first, r.proposal.second) for r in report.rows} == set(truth.items())
    return world, report, truth


def same(report: MatchReport) -> list[dict[str, str]]:
    return [{**row, "decision": "same"} for row in table(report)]


Three = tuple[World, MatchReport, dict[str, str]]


# --- what spreadsheets do -------------------------------------------------------------------------


def _semicolons(rows: list[dict[str, str]]) -> bytes:
    return written(rows, ";")


def _bom(rows: list[dict[str, str]]) -> bytes:
    return b"\xef\xbb\xbf" + written(rows)


def _unix(rows: list[dict[str, str]]) -> bytes:
    return written(rows).replace(b"\r\n", b"\n")


def _mac(rows: list[dict[str, str]]) -> bytes:
    return written(rows).replace(b"\r\n", b"\r")


def _utf16(rows: list[dict[str, str]]) -> bytes:
    return written(rows, "\t").decode().encode("utf-16")


def _other_order(rows: list[dict[str, str]]) -> bytes:
    return written({name: row[name] for name in reversed(row)} for row in rows)


def _capitals(rows: list[dict[str, str]]) -> bytes:
    return written(
        {name.upper().replace("_", " "): _shout(name, value) for name, value in row.items()}
        for row in rows
    )


def _shout(name: str, value: str) -> str:
    return f" {value.upper()} " if name in ("decision", "what", "key", "first") else value


def _more_columns_and_blank_lines(rows: list[dict[str, str]]) -> bytes:
    blank = dict.fromkeys(rows[0], "")
    return written({**row, "my notes": "checked"} for row in (rows[0], blank, *rows[1:]))


def _sep_line(rows: list[dict[str, str]]) -> bytes:
    return b"sep=;\r\n" + written(rows, ";")


def _without_names(rows: list[dict[str, str]]) -> bytes:
    kept = ("decision", "what", "first_id", "second_id", "key")
    return written({name: row[name] for name in kept} for row in rows)


SHAPES = [
    _semicolons, _bom, _unix, _mac, _utf16, _other_order, _capitals, _sep_line, _without_names,
    _more_columns_and_blank_lines,
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES, ids=lambda f: f.__name__.strip("_"))
def test_a_review_is_read_whatever_a_spreadsheet_made_of_it(three: Three, shape: Any) -> None:
    world, report, truth = three
    taken = apply(world, shape(same(report)))
    assert (taken.same, taken.refused) == (3, ())
    world.run()
    assert links(world) == truth


def test_names_in_another_encoding_are_names_still(world: World) -> None:
    crm, ledger = org(world, "Café Übersee Röstung"), contact(world, "Café Übersee Röstung GmbH")
    rows = same(match(world))
    assert apply(world, written(rows).decode().encode("cp1252")).same == 1
    world.run()
    assert links(world) == {crm: ledger}


# --- what is refused, row by row ------------------------------------------------------------------


def test_one_column_sorted_alone_is_refused_with_its_lines(three: Three) -> None:
    world, report, _ = three
    rows = same(report)
    ids = [row["second_id"] for row in rows]
    for row, moved in zip(rows, ids[1:] + ids[:1], strict=True):
        row["second_id"] = moved
    taken = apply(world, written(rows))
    assert taken.same == 0
    assert [r.line for r in taken.refused] == [2, 3, 4]
    assert "sorted" in taken.refused[0].why
    world.run()
    assert links(world) == {}


def test_names_sorted_alone_are_refused(three: Three) -> None:
    world, report, _ = three
    rows = same(report)
    rows[0]["second"], rows[1]["second"] = rows[1]["second"], rows[0]["second"]
    taken = apply(world, written(rows))
    assert (taken.same, [r.line for r in taken.refused]) == (1, [2, 3])


def test_a_word_that_is_no_decision_is_refused_alone(three: Three) -> None:
    world, report, _ = three
    rows = same(report)
    rows[1]["decision"] = "probably"
    taken = apply(world, written(rows))
    assert taken.same == 2
    refusal = only(list(taken.refused))
    assert refusal.line == 3
    assert "'probably'" in refusal.why


def test_unanswered_rows_stay_open(three: Three) -> None:
    world, report, truth = three
    rows = same(report)
    rows[0]["decision"], rows[1]["decision"] = "", "Leave"
    taken = apply(world, written(rows))
    assert (taken.same, taken.open, taken.refused) == (1, 2, ())
    world.run()
    assert links(world) == {rows[2]["first_id"]: truth[rows[2]["first_id"]]}


def test_a_row_made_up_by_hand_is_refused(three: Three) -> None:
    world, report, _ = three
    rows = same(report)
    rows[0]["key"] = rows[1]["key"]
    rows[2]["first_id"] = "org:4711"
    assert [r.line for r in apply(world, written(rows)).refused] == [2, 4]


def test_two_rows_that_link_one_contact_are_both_refused(world: World) -> None:
    report = _two_to_one(world)
    rows = [{**r, "decision": "same"} for r in table(report) if r["what"] == "pair"]
    assert len(rows) == 2
    taken = apply(world, written(rows))
    assert taken.same == 0
    assert [r.line for r in taken.refused] == [2, 3]
    assert "another row" in taken.refused[0].why
    first = [{**rows[0]}, {**rows[1], "decision": "different"}]
    assert apply(world, written(first)).refused == ()
    later = apply(world, written([rows[1]]))
    assert later.same == 0
    assert only(list(later.refused)).line == 2
    world.run()
    assert len(links(world)) == 1


def _two_to_one(w: World) -> MatchReport:
    """Two customers that may be the one contact: their phones say so, their names do not."""
    phone = [{"PhoneType": "DEFAULT", "PhoneNumber": "9555 1234", "PhoneAreaCode": "02"}]
    contact(w, "Meridian Harbour Events", Phones=phone)
    for name in ("Meridian Harbour Catering", "Meridian Harbour Marquees"):
        made = org(w, name)
        w.crm("create_person", name="Jo Doe", org=int(made[4:]), phone="+61 2 9555 1234")
    return match(w, every=True)


def test_two_rows_that_contradict_each_other_are_refused(three: Three) -> None:
    world, report, _ = three
    rows = same(report)
    taken = apply(world, written([rows[0], {**rows[0], "decision": "different"}, rows[1]]))
    assert (taken.same, [r.line for r in taken.refused]) == (1, [2, 3])
    assert "opposite" in taken.refused[0].why


def test_what_has_gone_since_is_refused_by_name(three: Three) -> None:
    world, report, _ = three
    rows = same(report)
    minutes(world, 5)
    world.crm("delete_org", org=int(rows[0]["first_id"][4:]))
    gone, survivor = rows[1]["second_id"], rows[2]["second_id"]
    world.books("merge_contacts", loser=gone, survivor=survivor)
    minutes(world, 5)
    match(world)
    taken = apply(world, written(rows))
    assert {r.line: r.why for r in taken.refused}.keys() == {2, 3}
    assert f"{rows[0]['first_id']} is no longer in the CRM" in taken.refused[0].why
    assert f"{gone} was merged into another" in taken.refused[1].why
    world.run()
    assert links(world) == {rows[2]["first_id"]: survivor}


def test_a_review_can_be_applied_twice(three: Three) -> None:
    world, report, truth = three
    data = answered(report, lambda p: "same")
    assert apply(world, data).same == 3
    assert (apply(world, data).same, apply(world, data).known) == (0, 3)
    world.run()
    again = apply(world, data)
    assert (again.same, again.known, again.refused) == (0, 3, ())
    assert links(world) == truth


def test_an_answer_that_was_given_otherwise_before_is_refused(three: Three) -> None:
    world, report, _ = three
    apply(world, answered(report, lambda p: "different"))
    world.run()
    taken = apply(world, answered(report, lambda p: "same"))
    assert taken.same == 0
    assert "different before" in taken.refused[0].why
    assert "match decide" in taken.refused[0].why


def test_a_customer_that_was_linked_meanwhile_is_refused(three: Three) -> None:
    world, report, _ = three
    first = report.rows[0].proposal
    other = contact(world, "Somebody Else Pty")
    match(world)
    decide(world, first.first, "same", other)
    taken = apply(world, answered(report, lambda p: "same"))
    refusal = only(list(taken.refused))
    assert other in refusal.why
    world.run()
    assert links(world)[first.first] == other


# --- files that are no review ---------------------------------------------------------------------

WRONG = [
    (b"", "empty"),
    (b"PK\x03\x04rest of a workbook", "spreadsheet's own file"),
    (b"\xef\xbb\xbf<!DOCTYPE html><html></html>", "web page"),
    (b"name,email\r\nAcme,info@acme.test\r\n", "no columns 'decision' and 'key'"),
    (b"decision,key\r\nsame,m123\r\n", "no column 'what'"),
    (b"decision,what,first_id,second_id,key,key\r\n", "two columns 'key'"),
    (b"\x00\x01\x02", "no text file"),
]


@pytest.mark.parametrize(("data", "words"), WRONG, ids=[words for _, words in WRONG])
def test_a_file_that_is_no_review_is_refused_whole(world: World, data: bytes, words: str) -> None:
    with pytest.raises(WrongFile) as refused:
        apply(world, data, "mine.csv")
    assert words in refused.value.what
    assert refused.value.exit_code == 2
    assert refused.value.next_step


# --- one answer by hand ---------------------------------------------------------------------------


def test_one_answer_names_what_it_is_about(three: Three) -> None:
    world, report, truth = three
    with pytest.raises(Park, match="No contact nobody"):
        decide(world, "org:1", "same", "nobody")
    with pytest.raises(Park, match="not one undecided match of org:99"):
        decide(world, "org:99", "same")
    first = report.rows[0].proposal.first
    decide(world, first, "same")
    world.run()
    assert links(world) == {first: truth[first]}
