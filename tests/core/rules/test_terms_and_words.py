"""Terms as people write them, early payment, and a deal's changes in words."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from syncjob.core.policy import Terms
from syncjob.core.policy_rules import AccountRule, Early, TaxRule
from syncjob.core.records import EarlyOffer, InvoiceLine, PaymentTerms, Settlement
from syncjob.core.rules.early import early_payment, reduced, wording
from syncjob.core.rules.revision import deal_print, difference
from syncjob.core.rules.terms import due_by
from syncjob.core.rules.terms_text import parse_terms
from tests.core.make import D, deal, draft, line

DAY = date(2026, 3, 10)


@pytest.mark.parametrize(
    ("text", "due", "early"),
    [
        ("net 30", date(2026, 4, 9), None),
        ("N/14", date(2026, 3, 24), None),
        ("30 days after invoice date", date(2026, 4, 9), None),
        ("Due on receipt.", DAY, None),
        ("EOM", date(2026, 3, 31), None),
        ("end of the month plus 10 days", date(2026, 4, 10), None),
        ("15 days after end of month", date(2026, 4, 15), None),
        ("the 20th of the following month", date(2026, 4, 20), None),
        ("day 31 of next month", date(2026, 4, 30), None),
        ("day 28 of this month", date(2026, 3, 28), None),
        ("2/10 net 30", date(2026, 4, 9), ("2", 10)),
        ("2% 10, n/30", date(2026, 4, 9), ("2", 10)),
        ("1,5% within 7 days; end of month + 5", date(2026, 4, 5), ("1.5", 7)),
    ],
)
def test_terms_that_are_understood(text: str, due: date, early: Any) -> None:
    spec = parse_terms(text)
    assert spec is not None
    assert due_by(spec.terms, DAY) == due
    assert (spec.early and (str(spec.early.percent), spec.early.days)) == early


@pytest.mark.parametrize(
    "text", ["", "soon", "net", "net 9999", "2/10", "day 0 of next month", "30", "200/10 net 30"]
)
def test_what_states_no_terms_is_refused_by_the_config_too(text: str) -> None:
    assert parse_terms(text) is None
    with pytest.raises(ValidationError):
        Terms(default=text)


@given(
    st.builds(
        PaymentTerms,
        day=st.integers(1, 31),
        kind=st.sampled_from(
            ("days_after_bill", "days_after_month", "of_current_month", "of_following_month")
        ),
    ),
    st.dates(date(2000, 1, 1), date(2100, 1, 1)),
)
def test_nothing_is_due_before_it_is_dated(terms: PaymentTerms, day: date) -> None:
    assert due_by(terms, day) >= day


OFFER = EarlyOffer(percent=D(2), days=10)


def paid(amount: str, day: date | None) -> Settlement:
    return Settlement(id="p", kind="payment", amount=D(amount), date=day)


@pytest.mark.parametrize(
    ("due", "settlements", "taken"),
    [
        ("2.40", (paid("117.60", date(2026, 3, 20)),), True),
        ("2.44", (paid("117.56", date(2026, 3, 20)),), True),
        ("2.40", (paid("117.60", date(2026, 3, 21)),), False),
        ("10.00", (paid("110.00", date(2026, 3, 12)),), False),
        ("120.00", (), False),
        ("0.00", (paid("120.00", date(2026, 3, 12)),), False),
        ("2.40", (paid("117.60", None),), False),
    ],
)
def test_a_short_payment_in_time(due: str, settlements: Any, taken: bool) -> None:
    found = early_payment(OFFER, "wording", DAY, D(120), D(due), settlements)
    assert (found is not None) is taken
    assert early_payment(None, "wording", DAY, D(120), D(due), settlements) is None


def test_the_words_of_early_payment_by_their_evidence() -> None:
    lines = (InvoiceLine(description="x", quantity=D(1), unit_price=D(100), tax_code="T"),)
    less = reduced(OFFER, DAY, lines, "exclusive", {"T": D(20)})
    assert (less.total, less.tax, less.discount) == (D("117.60"), D("19.60"), D("2.40"))
    printed = wording(OFFER, Early(evidence="wording"), less, D(120), "GBP")
    assert "117.60 GBP instead of 120.00 GBP" in printed
    assert "No credit note will be issued" in printed
    assert "credit note for 2.40" in wording(OFFER, Early(), less, D(120), "GBP")
    own = Early(wording="{percent}% by {day}: {reduced_tax}")
    assert wording(OFFER, own, less, D(120), "GBP") == "2% by 2026-03-20: 19.60"


def test_a_rule_says_one_thing() -> None:
    for wrong in ({}, {"account": "1", "from_field": "F", "allowed": ["1"]}, {"from_field": "F"}):
        with pytest.raises(ValidationError):
            AccountRule(name="x", **wrong)
    with pytest.raises(ValidationError):
        TaxRule(name="x", rate="a", hold="b")


def test_what_a_deal_says_is_told_apart_from_what_we_write_on_it() -> None:
    one = deal(fields={"PO": "1", "Invoice status": "draft"})
    ours = deal(fields={"PO": "1", "Invoice status": "paid"})
    theirs = deal(fields={"PO": "2", "Invoice status": "draft"})
    assert deal_print(one, ["PO"]) == deal_print(ours, ["PO"]) != deal_print(theirs, ["PO"])
    assert deal_print(one, ["PO"]) != deal_print(deal(lines=(line(quantity=D(3)),)), ["PO"])
    assert deal_print(deal(lines=None), []) == ""


def test_the_difference_in_words() -> None:
    before = draft()
    assert difference(before, before) == ""
    [widget] = before.lines
    more = msgspec.structs.replace(widget, quantity=Decimal(3))
    new = msgspec.structs.replace(widget, description="Gadget")
    changed = msgspec.structs.replace(before, lines=(more, new), total=D("240.00"))
    assert difference(before, changed) == (
        '"Widget" is 3 x 50 = 150.00 now, 2 x 50 = 100.00 before; '
        '"Gadget" (2 x 50 = 100.00) is new; total 120.00 GBP before, 240.00 now'
    )
    assert '"Widget" (2 x 50 = 100.00) is gone' in difference(
        before, msgspec.structs.replace(before, lines=())
    )
    moved = msgspec.structs.replace(widget, account="260")
    assert "another account" in difference(before, msgspec.structs.replace(before, lines=(moved,)))
