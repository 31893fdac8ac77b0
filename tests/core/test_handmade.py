"""Deals and invoices made by hand: what speaks for a pair, and what no order of rows changes."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from syncjob.core.records import Deal, Invoice
from syncjob.core.rules.handmade import PER_DEAL_MAX, Sale, ties

WON = date(2026, 11, 20)


def sale(number: int = 1, value: str = "110.00", **more: object) -> Sale:
    deal = Deal(id=str(number), title=f"Order {number}", status="won", currency="AUD",
                value=Decimal(value))  # fmt: skip
    return Sale(**{"deal": deal, "won": WON, "contacts": {"c1": "linked"}, **more})


def invoice(number: int = 1, total: str = "110.00", **more: object) -> Invoice:
    return Invoice(**{
        "id": f"i{number}", "kind": "sale", "status": "authorised", "currency": "AUD",
        "contact_id": "c1", "number": f"INV-{number:04}", "date": WON, "total": Decimal(total),
        "sub_total": Decimal(total) / Decimal("1.1"), **more,
    })  # fmt: skip


def only(sales: list[Sale], invoices: list[Invoice]) -> tuple[str, int]:
    (found,) = ties(sales, invoices, days=60)
    return found.band, found.score


def test_customer_sum_and_date_make_one_pair_certain() -> None:
    band, score = only([sale()], [invoice()])
    assert band == "certain"
    assert 0 < score <= 1000


def test_a_second_one_like_it_needs_a_person() -> None:
    found = ties([sale()], [invoice(1), invoice(2)], days=60)
    assert [tie.band for tie in found] == ["near", "near"]


def test_a_customer_that_only_looks_alike_needs_a_person() -> None:
    assert only([sale(contacts={"c1": "matched"})], [invoice()])[0] == "near"


def test_a_date_out_of_reach_needs_a_person() -> None:
    band, _ = only([sale()], [invoice(date=date(2026, 1, 20))])
    assert band == "near"


def test_an_unknown_date_is_not_certain() -> None:
    assert only([sale(won=None)], [invoice()])[0] == "near"
    assert only([sale()], [invoice(date=None)])[0] == "near"


def test_an_order_number_of_the_customer_ties_across_contacts() -> None:
    made = sale(contacts={}, purchase_order="PO 77-4512")
    assert ties([made], [invoice()], days=60) == []
    named = invoice(reference="your po 77 4512 of May")
    band, score = only([made], [named])
    assert band == "near"
    assert score > only([sale(contacts={"c1": "matched"})], [invoice()])[1] - 400


def test_the_invoice_that_the_deal_names_is_found() -> None:
    made = sale(contacts={}, invoice_number="INV-0001")
    (found,) = ties([made], [invoice(1), invoice(2)], days=60)
    assert (found.invoice, found.band) == ("i1", "near")


def test_nothing_without_a_sum_and_nothing_for_nothing() -> None:
    assert ties([sale(value="0")], [invoice(total="0")], days=60) == []
    bare = sale()
    bare = msgspec.structs.replace(bare, deal=msgspec.structs.replace(bare.deal, value=None))
    assert ties([bare], [invoice()], days=60) == []


AMOUNTS = st.sampled_from(["110.00", "110.50", "220.00", "99.99"])


@given(st.lists(AMOUNTS, max_size=8), st.lists(AMOUNTS, max_size=8), st.integers(0, 1000))
def test_the_order_of_rows_changes_nothing_and_certain_is_one_to_one(
    values: list[str], totals: list[str], seed: int
) -> None:
    sales = [sale(n, value) for n, value in enumerate(values, 1)]
    invoices = [invoice(n, total) for n, total in enumerate(totals, 1)]
    found = ties(sales, invoices, days=60)
    mixed = random.Random(seed)
    mixed.shuffle(sales)
    mixed.shuffle(invoices)
    assert ties(sales, invoices, days=60) == found
    certain = [tie for tie in found if tie.band == "certain"]
    assert len({tie.deal for tie in certain}) == len(certain) == len({t.invoice for t in certain})
    for deal in {tie.deal for tie in found}:
        assert sum(tie.deal == deal for tie in found) <= PER_DEAL_MAX
