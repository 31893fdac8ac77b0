"""Credit notes: what is left, shares to the cent, wholes that come to what the invoice came to."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncjob.core.records import CreditNote, Invoice, InvoiceLine, Settlement
from syncjob.core.rules.arithmetic import predict
from syncjob.core.rules.credit import Wish, credit_note, fingerprint, left, spread
from syncjob.errors import Park

TODAY = date(2026, 11, 23)
RATES = {"T10": Decimal(10), "T20": Decimal(20), "T0": Decimal(0)}


def invoice(lines=(), amounts="exclusive", **more) -> Invoice:
    """An approved invoice of these lines, added up as the ledger does."""
    lines = tuple(lines) or (line(),)
    sums = predict(lines, amounts, RATES)
    kept = tuple(
        InvoiceLine(**{f: getattr(one, f) for f in one.__struct_fields__} |
                    {"amount": s.amount, "tax": s.tax})
        for one, s in zip(lines, sums.lines, strict=True)
    )  # fmt: skip
    given = {
        "id": "i1", "kind": "sale", "status": "authorised", "currency": "AUD", "contact_id": "c1",
        "number": "INV-1", "date": TODAY, "line_amounts": amounts, "lines": kept,
        "sub_total": sums.sub_total, "total_tax": sums.total_tax, "total": sums.total,
        "due": sums.total,
    }  # fmt: skip
    return Invoice(**{**given, **more})


def line(price="100", quantity="1", code="T10", account="200", **more) -> InvoiceLine:
    return InvoiceLine(
        description="Thing", quantity=Decimal(quantity), unit_price=Decimal(price), tax_code=code,
        account=account, **more,
    )  # fmt: skip


def note(total: str, **more) -> CreditNote:
    given = {
        "id": "n1", "number": "CN-1", "kind": "sale", "status": "draft", "contact_id": "c1",
        "currency": "AUD", "total": Decimal(total), "remaining": Decimal(total),
    }  # fmt: skip
    return CreditNote(**{**given, **more})


def made(of: Invoice, wish: Wish, notes=()):
    return credit_note(of, wish, "SJ-1-c1", TODAY, None, notes)


def wish(how="full", **more) -> Wish:
    return Wish(how=how, reason="goods came back", **more)


prices = st.decimals(min_value="0.01", max_value="9999.9999", places=4)
line_st = st.builds(
    line,
    price=prices.map(str),
    quantity=st.decimals(min_value="0.01", max_value="99", places=2).map(str),
    code=st.sampled_from(sorted(RATES)),
    account=st.sampled_from(["200", "260"]),
    discount_percent=st.none() | st.decimals(min_value=0, max_value=99, places=2),
)
invoice_st = st.builds(
    invoice,
    lines=st.lists(line_st, min_size=1, max_size=6),
    amounts=st.sampled_from(["exclusive", "inclusive", "no_tax"]),
).filter(lambda i: i.total > 0)


@given(invoice_st)
def test_a_full_credit_comes_to_the_invoice_by_the_ledgers_arithmetic(of):
    draft = made(of, wish())
    sums = predict(draft.lines, draft.line_amounts, RATES)
    assert (sums.total, sums.total_tax, draft.total) == (of.total, of.total_tax, of.total)
    assert not any(x.discount_percent or x.discount_amount for x in draft.lines)


@given(invoice_st, st.integers(-4, 4).filter(bool))
def test_a_full_credit_of_a_rounded_invoice_comes_to_its_total(of, cents):
    total = of.total + Decimal(cents) / 100  # Xero's RoundingAmount (facts: xero)
    if total <= 0:
        return
    rounded = msgspec.structs.replace(of, total=total, due=total)
    draft = made(rounded, wish())
    assert (predict(draft.lines, draft.line_amounts, RATES).total, draft.total) == (total, total)
    known = {(x.account, x.tax_code) for x in of.lines}
    assert {(x.account, x.tax_code) for x in draft.lines} <= known


@given(invoice_st, st.data())
def test_an_amount_is_met_to_the_cent_with_the_invoices_rates(of, data):
    cents = data.draw(st.integers(1, int(of.total * 100)))
    amount = Decimal(cents) / 100
    draft = made(of, wish("amount", amount=amount))
    sums = predict(draft.lines, draft.line_amounts, RATES)
    assert (draft.total, sums.total) == (amount, amount)
    known = {(x.account, x.tax_code) for x in of.lines}
    assert {(x.account, x.tax_code) for x in draft.lines} <= known
    assert all(x.unit_price > 0 for x in draft.lines)


@given(
    st.integers(0, 10**9),
    st.lists(st.decimals(min_value="0.01", max_value=10**7, places=2), min_size=1, max_size=8),
)
def test_shares_sum_exactly_and_lie_within_a_cent_of_the_exact_ones(cents, weights):
    shares = spread(Decimal(cents) / 100, weights)
    assert sum(shares) == Decimal(cents) / 100
    whole = sum(Fraction(w) for w in weights)
    for share, weight in zip(shares, weights, strict=True):
        assert abs(Fraction(share) - Fraction(cents, 100) * Fraction(weight) / whole) < Fraction(
            1, 100
        )


def test_a_discount_line_counts_within_its_account_and_rate():
    of = invoice([line("100"), line("-30"), line("50", account="260")])
    draft = made(of, wish("amount", amount=Decimal("13.20")))
    assert {x.account: x.unit_price for x in draft.lines} == {
        "200": Decimal("7.70"), "260": Decimal("5.50"),
    }  # fmt: skip


def test_what_is_left_counts_what_is_applied_and_what_is_promised():
    of = invoice(
        settlements=(
            Settlement(id="n0", kind="credit_note", amount=Decimal(20)),
            Settlement(id="p1", kind="payment", amount=Decimal(50)),
        )
    )
    assert left(of, ()) == 90
    half = note("30", allocations=(("i1", Decimal(10)),), status="authorised")
    assert left(of, (half,)) == 70
    assert left(of, (note("30", status="deleted"),)) == 90
    assert left(of, (note("500"),)) == 0
    # What was given stays given: paid back, or used for another invoice, it is not left again.
    paid_back = note("30", refunded=Decimal(30), status="paid", remaining=Decimal(0))
    assert left(of, (paid_back,)) == 60
    elsewhere = note("30", allocations=(("i2", Decimal(30)),), status="paid")
    assert left(of, (elsewhere,)) == 60
    both = note("30", allocations=(("i1", Decimal(5)), ("i2", Decimal(5))), refunded=Decimal(20))
    assert left(of, (both,)) == 65


def test_the_same_wish_has_one_name_and_another_another():
    asked = wish("amount", amount=Decimal("5"))
    assert fingerprint("i1", asked) == fingerprint("i1", wish("amount", amount=Decimal("5.00")))
    others = [
        fingerprint("i2", asked),
        fingerprint("i1", wish("amount", amount=Decimal(6))),
        fingerprint("i1", wish()),
        fingerprint("i1", wish("lines", lines=(5,))),
        fingerprint("i1", Wish(how="amount", amount=Decimal(5), reason="other")),
    ]
    assert fingerprint("i1", asked) not in others
    assert len(set(others)) == 5


@pytest.mark.parametrize("status", ["draft", "submitted", "voided", "deleted"])
def test_only_an_approved_invoice(status):
    with pytest.raises(Park):
        made(invoice(status=status), wish())


def test_not_into_closed_books():
    with pytest.raises(Park, match="closed"):
        credit_note(invoice(), wish(), "SJ-1-c1", TODAY, TODAY)
    draft = credit_note(invoice(), wish(), "SJ-1-c1", TODAY, date(2026, 11, 22))
    assert (draft.date, draft.reference) == (TODAY, "INV-1 SJ-1-c1")


def test_currency_rate_and_tracking_are_the_invoices():
    of = invoice(currency="EUR", currency_rate=Decimal("0.6123"))
    assert made(of, wish()).currency_rate == Decimal("0.6123")
