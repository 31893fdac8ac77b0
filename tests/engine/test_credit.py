"""Credit notes at a person's word: drafts that name the invoice, once, applied by people."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from syncjob.core.rules.credit import Wish
from syncjob.engine.rounds import Rounds
from syncjob.errors import LockHeld, Park, Paused, RetryLater
from syncjob.transport.client import HttpChannel
from tests.engine.scenes import (
    awaiting,
    billed,
    codes,
    invoice_of,
    minutes,
    number_of,
    only,
    quiet,
    writes_to,
)
from tests.engine.world import World

LINES = [
    {"name": "Widget", "price": 100, "quantity": 2, "tax": 10},
    {"name": "Advice", "price": 50, "quantity": 3, "tax": 10, "discount": 10},
]


@pytest.fixture
def w(tmp_path):
    world = World(tmp_path)
    world.init()
    yield world
    world.close()


def wish(how: str = "full", reason: str = "goods came back", **more) -> Wish:
    if "amount" in more:
        more["amount"] = Decimal(more["amount"])
    return Wish(how=how, reason=reason, **more)


def credit(w: World, deal: int, asked: Wish | None = None, *, write: bool = True, **more):
    with w.connection() as handle:
        return handle.credit(
            str(deal), asked or wish(), part=more.pop("part", None), write=write, who="Ann",
            expect=more.pop("expect", None),
        )  # fmt: skip


def notes(w: World) -> list[dict]:
    return [c for c in w.organisation()["credits"] if c["type"] == "ACCRECCREDIT"]


def test_a_full_credit_is_the_invoice_again_as_a_draft(w):
    deal = awaiting(w, lines=LINES)
    invoice = invoice_of(w, deal)
    report = credit(w, deal)
    note = only(notes(w))
    assert report.created
    assert report.number == note["number"]
    assert (note["status"], note["total"], note["total_tax"], note["day"]) == (
        "DRAFT", invoice["total"], invoice["total_tax"], "2026-11-23",
    )  # fmt: skip
    assert note["reference"] == f"{invoice['number']} SJ-{deal}-c1"
    assert note["contact_id"] == invoice["contact_id"]
    kept = ("account_code", "tax_type", "tracking", "line_amount", "tax_amount")
    for one, other in zip(note["lines"], invoice["lines"], strict=True):
        assert [one[name] for name in kept] == [other[name] for name in kept]
        assert invoice["number"] in one["description"]
        assert "goods came back" in one["description"]
    assert note["applied"] == []


@pytest.mark.parametrize("rounding", ["-0.03", "0.03"])
def test_a_full_credit_of_a_rounded_invoice_leaves_no_cent(w, rounding):
    deal = awaiting(w, lines=LINES)
    table = w.xero.organisation.invoices
    sold = table[invoice_of(w, deal)["id"]]
    total = sold.total + Fraction(rounding)  # Xero's RoundingAmount
    table.put(replace(sold, total=total, updated=w.xero.organisation.stamp()))
    minutes(w, 5)
    w.run()
    assert float(w.deal_fields(deal)["Invoice total"]) == float(total)
    report = credit(w, deal)
    note = only(notes(w))
    assert (report.created, Fraction(note["total"])) == (True, total)
    assert {line["account_code"] for line in note["lines"]} == {"200"}


def test_a_dry_run_shows_it_and_writes_nothing(w):
    deal = awaiting(w, lines=LINES)
    mark = w.mark()
    report = credit(w, deal, write=False)
    assert (report.total, report.created) == (Decimal(invoice_of(w, deal)["total"]), False)
    assert w.writes(mark) == []
    assert notes(w) == []


def test_an_amount_is_credited_to_the_cent_with_its_tax(w):
    deal = awaiting(w, lines=LINES)
    credit(w, deal, wish("amount", amount="33.33"))
    note = only(notes(w))
    assert note["total"] == "33.33"
    assert {line["account_code"] for line in note["lines"]} == {"200"}
    assert note["line_amount_types"] == "Inclusive"
    assert note["total_tax"] == "3.03"


def test_lines_by_their_numbers(w):
    deal = awaiting(w, lines=LINES)
    credit(w, deal, wish("lines", lines=(2,)))
    note = only(notes(w))
    assert [line["line_amount"] for line in note["lines"]] == ["135.00"]
    assert Decimal(note["total"]) == Decimal("148.50")


def test_the_currency_rate_of_the_invoice(tmp_path):
    w = World(tmp_path, crm={"currency": "EUR"})
    w.init()
    deal = awaiting(w, currency="EUR")
    invoice = invoice_of(w, deal)
    w.books("edit_invoice", invoice=invoice["number"], fields={"CurrencyRate": 0.5432})
    credit(w, deal)
    note = only(notes(w))
    assert (note["currency"], note["rate"]) == ("EUR", invoice_of(w, deal)["rate"])
    assert note["rate"] == "0.543200"
    w.close()


def test_the_same_command_twice_is_one_credit_note(w):
    deal = awaiting(w)
    first = credit(w, deal, wish("amount", amount="10"))
    again = credit(w, deal, wish("amount", amount="10"))
    assert again.known
    assert again.number == first.number
    assert len(notes(w)) == 1
    meant = credit(w, deal, wish("amount", amount="10", again=True))
    assert meant.created
    assert [n["reference"].split()[-1] for n in notes(w)] == [f"SJ-{deal}-c1", f"SJ-{deal}-c2"]


def test_never_more_than_what_is_left(w):
    deal = awaiting(w)
    credit(w, deal, wish("amount", amount="100"))
    with pytest.raises(Park, match=r"10\.00 of INV-0001 is left"):
        credit(w, deal, wish("amount", amount="10.01"))
    credit(w, deal, wish(reason="the rest"))
    assert sorted(n["total"] for n in notes(w)) == ["10.00", "100.00"]
    with pytest.raises(Park, match=r"0\.00 of INV-0001 is left"):
        credit(w, deal, wish("amount", amount="0.01", reason="more"))


@pytest.mark.parametrize("how", ["refunded", "used for another invoice"])
def test_what_was_credited_and_then_given_is_not_left_again(w, how):
    """Whatever becomes of the credit of a paid invoice, it was the credit of that invoice."""
    deal, other = awaiting(w), awaiting(w, title="Another order")
    w.books("pay", invoice=number_of(w, deal))
    note = credit(w, deal, wish(reason="returned")).number
    w.books("approve_credit", credit=note)
    if how == "refunded":
        w.books("refund_credit", credit=note)
    else:
        w.books("allocate_credit", credit=note, invoice=number_of(w, other))
    minutes(w, 20)
    w.run()
    with pytest.raises(Park, match=r"0\.00 of INV-0001 is left"):
        credit(w, deal, wish(reason="cancelled"))
    only(notes(w))


def test_a_credit_note_that_names_two_invoices_is_of_each_what_the_other_has_not(w):
    deal, other = awaiting(w), awaiting(w, title="Another order")
    numbers = [number_of(w, deal), number_of(w, other)]
    made = w.books("credit", invoice=numbers[0], total=150, amount=50, allocate=False)["done"]
    w.books("edit_credit", credit=made["id"], fields={"Reference": " ".join(numbers)})
    w.books("allocate_credit", credit=made["id"], invoice=numbers[0], amount=50)
    w.books("allocate_credit", credit=made["id"], invoice=numbers[1], amount=90)
    minutes(w, 5)
    w.run()
    assert credit(w, deal, write=False).total == 50  # 110 - 50 applied - 10 that is still open
    assert credit(w, other, write=False).total == 10


def test_what_people_credited_counts_and_a_deleted_draft_does_not(w):
    deal = awaiting(w)
    w.books("credit", invoice=number_of(w, deal), amount=60)
    with pytest.raises(Park, match=r"50\.00 of INV-0001 is left"):
        credit(w, deal, wish("amount", amount="60"))
    made = credit(w, deal)
    assert made.total == 50
    w.books("delete_credit", credit=made.number)
    assert credit(w, deal).created
    assert len(notes(w)) == 3


def test_a_draft_is_edited_or_deleted_and_not_credited(w):
    deal = billed(w)
    with pytest.raises(Park, match="only an approved invoice"):
        credit(w, deal)
    assert notes(w) == []


def test_once_a_person_applies_it_the_deal_says_credited(w):
    deal = awaiting(w)
    made = credit(w, deal, wish("amount", amount="30"))
    w.books("approve_credit", credit=made.number)
    w.books("allocate_credit", credit=made.number, invoice=number_of(w, deal))
    minutes(w, 5)
    w.run()
    assert w.deal_fields(deal)["Invoice status"] == "part-credited"
    rest = credit(w, deal)
    w.books("approve_credit", credit=rest.number)
    w.books("allocate_credit", credit=rest.number, invoice=number_of(w, deal))
    minutes(w, 5)
    w.run()
    assert w.deal_fields(deal)["Invoice status"] == "credited"
    quiet(w)


LOST = {"kind": "lost", "times": 2}  # the first send, and its replay with the same key
BEFORE = {"kind": "status", "status": 500}
AFTER = {"kind": "status", "status": 500, "when": "after"}


@pytest.mark.parametrize(("fault", "landed"), [(LOST, True), (AFTER, True), (BEFORE, False)])
def test_a_lost_answer_is_settled_and_the_command_again_makes_no_second(w, fault, landed):
    deal = awaiting(w)
    w.fault(server="xero", method="PUT", path="/CreditNotes$", **fault)
    with pytest.raises(RetryLater):
        credit(w, deal)
    minutes(w, 1)
    if not landed:  # it may still appear: nothing is sent before the patience is over
        mark = w.mark()
        with pytest.raises(RetryLater):
            credit(w, deal)
        assert writes_to(w, mark, "CreditNotes") == []
    minutes(w, 20)
    assert credit(w, deal).known is landed
    assert len(notes(w)) == 1


def test_an_ordinary_batch_settles_it_too(w):
    deal = awaiting(w)
    w.fault(server="xero", method="PUT", path="/CreditNotes$", **LOST)
    with pytest.raises(RetryLater):
        credit(w, deal)
    minutes(w, 20)
    w.run()
    assert credit(w, deal).known
    assert len(notes(w)) == 1
    quiet(w)


def test_a_process_that_dies_between_answer_and_commit_makes_no_second(w, monkeypatch):
    deal = awaiting(w)

    def die(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Rounds, "_kept", die)
        with pytest.raises(KeyboardInterrupt):
            credit(w, deal)
    assert len(notes(w)) == 1
    assert credit(w, deal).known
    assert len(notes(w)) == 1


def test_a_process_that_dies_before_the_send_leaves_nothing_behind(w, monkeypatch):
    deal = awaiting(w)

    def die(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(HttpChannel, "write_all", die)
        with pytest.raises(KeyboardInterrupt):
            credit(w, deal)
    assert notes(w) == []
    assert credit(w, deal).created
    assert len(notes(w)) == 1


def test_a_lost_state_neither_doubles_nor_reuses_a_marker(w):
    deal = awaiting(w)
    credit(w, deal, wish("amount", amount="100"))
    for file in (w.folder / "state").glob("syncjob.db*"):
        file.unlink()
    with pytest.raises(RetryLater):
        credit(w, deal, wish("amount", amount="100"))
    for _ in range(3):
        minutes(w, 20)
        w.run()
    with pytest.raises(Park, match=r"10\.00 of INV-0001 is left"):
        credit(w, deal, wish("amount", amount="100"))
    credit(w, deal, wish(reason="the rest"))
    assert [n["reference"].split()[-1] for n in notes(w)] == [f"SJ-{deal}-c1", f"SJ-{deal}-c2"]


def test_a_refusal_is_told_and_the_next_try_is_a_new_one(w):
    deal = awaiting(w)
    w.books("archive_contact", contact="Acme Pty")
    with pytest.raises(Park, match="refused to create the credit note"):
        credit(w, deal)
    w.books("restore_contact", contact="Acme Pty")
    assert credit(w, deal).created
    assert len(notes(w)) == 1


def test_the_sum_that_was_agreed_to_is_the_sum_that_is_made(w):
    deal = awaiting(w)
    with pytest.raises(Park, match="not 109"):
        credit(w, deal, expect=Decimal("109.00"))
    assert notes(w) == []


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Wish(how="lines", lines=(3,), reason="x"), "the lines 1 to 1"),
        (Wish(how="full", reason="  "), "names its reason"),
        (Wish(how="amount", amount=Decimal("1.005"), reason="x"), "two decimals"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(w, asked, words):
    deal = awaiting(w)
    with pytest.raises(Park, match=words):
        credit(w, deal, asked)
    assert notes(w) == []


def test_closed_books_and_a_mode_that_only_reads(tmp_path):
    w = World(tmp_path)
    w.init()
    deal = awaiting(w)
    w.books("set_lock_date", period="2026-11-30")
    with pytest.raises(Park, match="closed through"):
        minutes(w, 24 * 60)
        for _ in range(3):
            w.run()
            minutes(w, 20)
        credit(w, deal)
    w.overrides = {"mode": "read_only"}
    w.books("set_lock_date", period=None)
    minutes(w, 24 * 60)
    for _ in range(3):
        w.run()
        minutes(w, 20)
    with pytest.raises(Park, match="read_only"):
        credit(w, deal)
    assert notes(w) == []
    w.close()


def test_it_takes_the_lock(w):
    deal = awaiting(w)
    with w.connection() as handle, handle._lease(), pytest.raises(LockHeld):
        credit(w, deal)


def test_a_pause_stops_it(w):
    deal = awaiting(w)
    with w.connection() as handle:
        handle.pause(only="invoices", until=None, reason="year end", who="Ann")
    mark = w.mark()
    with pytest.raises(Paused, match="year end"):
        credit(w, deal)
    assert writes_to(w, mark, "CreditNotes") == []
    assert codes(w.run()) == []
