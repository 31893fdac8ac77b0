"""The last invoice takes earlier ones off, however those were made: the totals add to the whole."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.engine.scenes import codes, minutes, quiet, sell
from tests.engine.test_schedules import HALVES, RULES, parts_of, world
from tests.engine.world import World

DEDUCTED = {"progressive": True, "style": "full_less_deposit"}
#: A deposit of 300.00 net by hand, as each way of writing prices has it: its lines, its total.
BY_HAND: dict[str, tuple[list[tuple[str, str]], str]] = {
    "Inclusive": ([("330", "OUTPUT")], "330.00"),
    "Exclusive": ([("300", "OUTPUT")], "330.00"),
}


def by_hand(w: World, deal: int, kind: str, lines: list[tuple[str, str]]) -> None:
    """An approved invoice that finance has made, tied to the deal as its deposit."""
    if "Acme Pty" not in {contact["name"] for contact in w.contacts()}:
        w.books("create_contact", fields={"Name": "Acme Pty"})
    made = [
        {"Description": "Deposit", "Quantity": 1, "UnitAmount": float(amount), "AccountCode": "200",
         "TaxType": tax}
        for amount, tax in lines
    ]  # fmt: skip
    fields = {"Contact": {"Name": "Acme Pty"}, "LineItems": made, "LineAmountTypes": kind,
              "Date": "2026-11-23", "DueDate": "2026-12-31", "InvoiceNumber": "HAND-1"}  # fmt: skip
    w.books("create_invoice", fields=fields)
    w.books("approve", invoice="HAND-1")
    minutes(w, 5)
    w.run()
    with w.connection() as handle:
        handle.answer(
            kind="link:HAND-1", subject=f"deal:{deal}", who="Ann", reason="x", part="deposit"
        )


def sold(w: World, price: str = "1000", amounts: str = "exclusive") -> int:
    """A deal whose own deposit is not made: its customer is not known yet."""
    machine = {"name": "Machine", "price": float(price), "quantity": 1, "tax": 10}
    return sell(w, lines=[machine | {"tax_method": amounts}], won=False)


def balance_of(w: World, deal: int) -> dict[str, Any]:
    """The last invoice, made once the deal is won and delivered."""
    w.crm("win", deal=deal)
    w.crm("edit_deal", deal=deal, fields={"Delivered on": "2026-11-23"})
    for _ in range(3):
        minutes(w, 5)
        w.run()
    (last,) = parts_of(w, deal)
    return last


@pytest.mark.parametrize("amounts", ["exclusive", "inclusive"])
@pytest.mark.parametrize("kind", list(BY_HAND))
def test_a_deposit_by_hand_is_taken_off_whatever_its_prices_include(
    tmp_path: Path, kind: str, amounts: str
) -> None:
    invoices = {
        "schedules": HALVES, "deposit": DEDUCTED, "status": "authorised",
        "tax": {"amounts": amounts, "rules": RULES},
    }  # fmt: skip
    for w in world(tmp_path, field="Delivered on", mode="full", invoices=invoices):
        deal = sold(w, "1000" if amounts == "exclusive" else "1100", amounts)
        by_hand(w, deal, kind, BY_HAND[kind][0])
        last = balance_of(w, deal)
        assert (last["subtotal"], last["total_tax"], last["total"]) == ("700.00", "70.00", "770.00")
        assert "invoiced as HAND-1" in last["lines"][1]["description"]
        assert last["status"] == "AUTHORISED"
        assert codes(quiet(w)) == []


@pytest.mark.parametrize("gross", ["333.33", "100.05", "0.17", "1099.99"])
@pytest.mark.parametrize("amounts", ["exclusive", "inclusive"])
def test_it_is_exact_to_the_cent(tmp_path: Path, gross: str, amounts: str) -> None:
    """Both invoices together have exactly the deal's net; their tax may differ by a cent."""
    invoices = {
        "schedules": HALVES, "deposit": DEDUCTED, "tax": {"amounts": amounts, "rules": RULES}
    }  # fmt: skip
    for w in world(tmp_path, field="Delivered on", invoices=invoices):
        deal = sold(w, "1000.01" if amounts == "exclusive" else "1100.01", amounts)
        by_hand(w, deal, "Inclusive", [(gross, "OUTPUT")])
        last = balance_of(w, deal)
        hand = next(i for i in w.invoices() if i["number"] == "HAND-1")
        net = sum(Decimal(i["subtotal"]) for i in (hand, last))
        total = sum(Decimal(i["total"]) for i in (hand, last))
        assert net == Decimal("1000.01")
        assert abs(total - Decimal("1100.01")) <= Decimal("0.01")
        assert codes(quiet(w)) == []


def test_a_deposit_without_the_deals_tax_leaves_a_draft_and_both_sums(tmp_path: Path) -> None:
    """300.00 were billed free of tax: whether the rest bears it all is for finance."""
    invoices = {"schedules": HALVES, "deposit": DEDUCTED, "status": "authorised"}
    for w in world(tmp_path, field="Delivered on", mode="full", invoices=invoices):
        deal = sold(w)
        by_hand(w, deal, "NoTax", [("300", "OUTPUT")])
        last = balance_of(w, deal)
        report = quiet(w)
        assert (codes(report), last["status"]) == (["totals_differ"], "DRAFT")
        said = "the parts come to 1,070.00 with tax, and the deal as one invoice to 1,100.00"
        assert said in report.issues[0].what


def test_a_deposit_of_another_tax_is_named_and_nothing_is_deducted(tmp_path: Path) -> None:
    """As much with a tax that the deal does not have as was given back with it: no net is left."""
    invoices = {"schedules": HALVES, "deposit": DEDUCTED}
    for w in world(tmp_path, field="Delivered on", invoices=invoices):
        deal = sold(w)
        lines = [("300", "OUTPUT"), ("50", "EXEMPTOUTPUT"), ("-50", "EXEMPTOUTPUT")]
        by_hand(w, deal, "Exclusive", lines)
        w.crm("win", deal=deal)
        w.crm("edit_deal", deal=deal, fields={"Delivered on": "2026-11-23"})
        for _ in range(2):
            minutes(w, 5)
            report = w.run()
        assert codes(report) == ["earlier_part_unlike"]
        assert "HAND-1" in report.issues[0].what
        assert parts_of(w, deal) == []
