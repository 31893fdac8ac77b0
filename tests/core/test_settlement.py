"""What the deal says of its invoice: every state, the amounts, overdue."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncjob.core.actions import Issue
from syncjob.core.policy import DealFields, Overdue
from syncjob.core.records import CreditNote, Invoice, Settlement
from syncjob.core.rules.settlement import (
    REASON_LENGTH_MAX,
    STATE_WORDS,
    cash_and_credit,
    deal_state,
    deal_values,
    invoice_state,
    next_due_day,
)

from .make import TODAY, D, invoice

HELD = Issue(code="no_products", subject="deal:1042", what="No products.", next_step="Add them.")
OUT = Issue(
    code="won_before_start", subject="deal:1042", what="Old.", next_step="None.", state="excluded"
)
NOW = "2026-03-20T09:00:00Z"


def money(kind: str, amount: int, day: date | None = None) -> Settlement:
    return Settlement(id=f"{kind}{amount}", kind=kind, amount=D(amount), date=day)


def note(amount: int = 60, **changes: Any) -> CreditNote:
    base: dict[str, Any] = {
        "id": "n1",
        "number": "CN-1",
        "kind": "sale",
        "status": "paid",
        "contact_id": "c1",
        "currency": "GBP",
        "total": D(120),
        "remaining": D(0),
        "accounts": ("200",),
        "allocations": (("i1", D(amount)),),
    }
    return CreditNote(**(base | changes))


def numbered() -> Invoice:
    return settled(paid=120, number="INV-7")


def word(an_invoice: Invoice | None, **extra: Any) -> str:
    found = invoice_state(an_invoice, TODAY, Overdue(), **extra).word
    assert found in STATE_WORDS
    return found


def settled(paid: int = 0, credited: int = 0, **changes: Any) -> Invoice:
    due = 120 - paid - credited
    base: dict[str, Any] = {
        "status": "authorised" if due else "paid",
        "due": D(due),
        "paid": D(paid),
        "credited": D(credited),
    }
    return invoice(**(base | changes))


@pytest.mark.parametrize(
    ("an_invoice", "expected"),
    [
        (invoice(status="draft"), "draft"),
        (invoice(status="submitted"), "awaiting approval"),
        (settled(), "awaiting payment"),
        (settled(paid=1), "part-paid"),
        (settled(paid=20, credited=60), "part-paid"),
        (settled(credited=60), "part-credited"),
        (settled(credited=60, settlements=(money("prepayment", 60),)), "part-paid"),
        (settled(paid=120), "paid"),
        (settled(paid=60, credited=60), "paid"),
        (settled(credited=120), "credited"),
        (settled(credited=120, settlements=(money("credit_note", 120),)), "credited"),
        (settled(credited=120, settlements=(money("overpayment", 120),)), "paid"),
        (settled(paid=120, status="authorised"), "paid"),
        (invoice(status="paid", total=D(0), due=D(0)), "credited"),
        (invoice(status="voided", due=D(0)), "voided"),
        (invoice(status="deleted", due=D(0)), "deleted"),
        (None, "not invoiced"),
    ],
)
def test_the_word_of_each_state(an_invoice, expected):
    assert word(an_invoice) == expected


def test_without_an_invoice_the_issue_decides():
    assert word(None, issue=HELD) == "held"
    assert word(None, issue=OUT) == "not invoiced"
    assert word(invoice(status="draft"), issue=HELD) == "draft"


@pytest.mark.parametrize(
    ("an_invoice", "a_note", "expected"),
    [
        (settled(credited=120), note(120, accounts=("900",)), "written off"),
        (settled(paid=60, credited=60), note(accounts=("900", "901")), "written off"),
        (settled(credited=120), note(120, accounts=("900", "200")), "credited"),
        (settled(credited=120), note(120, accounts=()), "credited"),
        (settled(credited=120), note(120, accounts=("900",), status="voided"), "credited"),
        (
            settled(credited=120),
            note(120, accounts=("900",), allocations=(("i2", D(120)),)),
            "credited",
        ),
        (settled(credited=60), note(accounts=("900",)), "part-credited"),
        (settled(paid=60, credited=60), note(refunded=D(60)), "refunded"),
        (settled(paid=60, credited=60), note(refunded=D(59)), "paid"),
        (numbered(), note(allocations=(), refunded=D(120), reference="INV-7 damaged"), "refunded"),
        (numbered(), note(allocations=(), refunded=D(119), reference="INV-7 damaged"), "paid"),
        (numbered(), note(allocations=(), refunded=D(120), reference="INV-70"), "paid"),
        (
            numbered(),
            note(allocations=(), refunded=D(120), reference="INV-7", contact_id="c9"),
            "paid",
        ),
        (
            numbered(),
            note(allocations=(), accounts=("900",), refunded=D(0), reference="INV-7"),
            "paid",
        ),
    ],
)
def test_credit_notes_tell_write_offs_and_refunds(an_invoice, a_note, expected):
    found = word(an_invoice, credit_notes=(a_note,), bad_debt_accounts=("900", "901"))
    assert found == expected


def test_without_a_bad_debt_account_nothing_is_written_off():
    assert word(settled(credited=120), credit_notes=(note(120),)) == "credited"


def test_prepayments_are_money_not_credit():
    mixed = settled(
        paid=20, credited=70, settlements=(money("prepayment", 30), money("credit_note", 40))
    )
    assert cash_and_credit(mixed) == (D(50), D(40))


@given(st.integers(0, 12), st.integers(0, 12))
def test_never_paid_without_cash(paid, credited):
    if paid + credited > 12:
        return
    found = word(settled(paid=paid * 10, credited=credited * 10))
    assert (found in ("paid", "part-paid")) is (paid > 0)
    assert (found in ("paid", "credited")) is (paid + credited == 12)


# --- overdue --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "rule", "overdue", "days"),
    [
        ({"due_date": date(2026, 3, 19)}, {}, True, 1),
        ({"due_date": TODAY}, {}, False, 0),
        ({"due_date": date(2026, 3, 15)}, {"grace_days": 5}, False, 0),
        ({"due_date": date(2026, 3, 14)}, {"grace_days": 5}, True, 6),
        ({"due_date": None}, {}, False, 0),
        ({"due": D("4.99")}, {}, False, 0),
        ({"due": D("5.00")}, {}, True, 5),
        ({"due": D(0)}, {"ignore_due_below": D(0)}, False, 0),
        ({"status": "draft"}, {}, False, 0),
        ({"status": "submitted"}, {}, False, 0),
        ({"status": "paid", "due": D(0)}, {}, False, 0),
        ({"status": "voided"}, {}, False, 0),
        ({"expected_on": date(2026, 3, 21)}, {}, False, 0),
        ({"expected_on": TODAY}, {}, False, 0),
        ({"expected_on": date(2026, 3, 19)}, {}, True, 5),
    ],
)
def test_overdue(changes, rule, overdue, days):
    state = invoice_state(invoice(**changes), TODAY, Overdue(**rule))
    assert (state.overdue, state.days_overdue) == (overdue, days)


@given(
    st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    st.none() | st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    st.integers(0, 40),
)
def test_the_next_due_day_is_the_first_overdue_one(due, expected, grace):
    rule = Overdue(grace_days=grace)
    owed = invoice(due_date=due, expected_on=expected)
    begins = next_due_day(owed, rule)
    assert begins is not None
    assert invoice_state(owed, begins, rule).overdue
    assert not invoice_state(owed, begins - timedelta(days=1), rule).overdue


# --- the deal's fields ----------------------------------------------------------------------------


def values(an_invoice: Invoice | None, issue: Issue | None = None) -> dict[str, str | None]:
    invoices = [an_invoice] if an_invoice else []
    found = deal_values(invoices, issue, TODAY, Overdue(), NOW)
    assert set(found) == set(DealFields.model_fields)
    assert found["synced"] == NOW
    return {key: text for key, text in found.items() if text is not None and key != "synced"}


def test_everything_a_part_paid_invoice_tells():
    paid = settled(
        paid=20,
        credited=40,
        settlements=(
            money("payment", 15, date(2026, 3, 4)),
            money("payment", 5, date(2026, 3, 2)),
            money("credit_note", 40, date(2026, 3, 19)),
        ),
    )
    assert values(paid) == {
        "status": "part-paid",
        "number": "INV-0042",
        "link": "https://go.xero.com/i1",
        "total": "120.00",
        "due": "60.00",
        "paid": "20.00",
        "credited": "40.00",
        "due_date": "2026-03-15",
        "paid_on": "2026-03-04",
        "overdue": "yes",
        "overdue_days": "5",
        "overdue_amount": "60.00",
        "part_paid_since": "2026-03-02",
    }


def test_a_credited_invoice_was_never_paid_on_a_day():
    credited = settled(
        credited=120,
        paid_on=date(2026, 3, 19),
        settlements=(money("credit_note", 120, date(2026, 3, 19)),),
    )
    found = values(credited)
    assert "paid_on" not in found
    assert (found["status"], found["paid"], found["credited"]) == ("credited", "0.00", "120.00")


@pytest.mark.parametrize(
    ("status", "shown"),
    [("draft", False), ("submitted", False), ("authorised", True), ("paid", True),
     ("voided", True), ("deleted", False)],
)  # fmt: skip
def test_the_number_comes_once_approved(status, shown):
    assert ("number" in values(invoice(status=status))) is shown


def test_of_a_deleted_draft_only_the_word_remains():
    assert values(invoice(status="deleted")) == {"status": "deleted"}


def test_a_draft_may_lack_its_due_date():
    assert "due_date" not in values(invoice(status="draft", due_date=None))


def test_a_held_deal_says_why_and_what_to_do():
    assert values(None, HELD) == {"status": "held", "reason": "No products. Add them."}


def test_no_invoice_and_nothing_to_say():
    assert values(None) == {"status": "not invoiced"}
    assert values(None, OUT)["status"] == "not invoiced"


def test_a_reason_fits_the_field():
    long = Issue(code="x", subject="deal:1", what="x" * 300, next_step="y")
    assert values(None, long)["reason"] == "x" * 252 + "..."
    fits = Issue(code="x", subject="deal:1", what="x" * 253, next_step="y")
    assert values(None, fits)["reason"] == "x" * 253 + " y"


def test_amounts_are_two_decimals_without_exponent():
    assert values(invoice(total=Decimal("1E+3")))["total"] == "1000.00"


# --- several invoices -----------------------------------------------------------------------------


def part(number: int, /, **changes: Any) -> Invoice:
    """One of several invoices of 120.00, unpaid."""
    named = {"id": f"i{number}", "number": f"INV-{number}", "page": f"https://x/{number}"}
    return invoice(**(named | changes))


def paid(number: int, day: date = date(2026, 3, 10)) -> Invoice:
    money = Settlement(id=f"p{number}", kind="payment", amount=D(120), date=day)
    return part(number, status="paid", due=D(0), paid=D(120), settlements=(money,))


DRAFT = part(3, status="draft", number=None)
SUBMITTED = part(4, status="submitted")
OPEN = part(5, due_date=date(2026, 4, 15))
HALF = part(6, paid=D(60), due=D(60))
CREDITED = part(7, status="paid", due=D(0), credited=D(120))
HALF_CREDITED = part(8, credited=D(60), due=D(60))


@pytest.mark.parametrize(
    ("invoices", "to_come", "word"),
    [
        ([DRAFT, DRAFT], False, "draft"),
        ([DRAFT], True, "draft"),
        ([DRAFT, SUBMITTED], False, "awaiting approval"),
        ([DRAFT, OPEN], False, "awaiting payment"),
        ([OPEN], True, "awaiting payment"),
        ([paid(1), OPEN], False, "part-paid"),
        ([paid(1)], True, "part-paid"),
        ([paid(1), DRAFT], False, "part-paid"),
        ([paid(1), paid(2)], True, "part-paid"),
        ([paid(1), paid(2)], False, "paid"),
        ([HALF, OPEN], False, "part-paid"),
        ([CREDITED, paid(1)], False, "paid"),
        ([CREDITED], True, "part-credited"),
        ([CREDITED, CREDITED], False, "credited"),
        ([HALF_CREDITED, OPEN], False, "part-credited"),
        ([], True, "not invoiced"),
    ],
)
def test_the_word_for_several_invoices(invoices, to_come, word):
    assert deal_state(invoices, TODAY, Overdue(), to_come=to_come).word == word


def test_a_deal_of_which_one_part_was_written_off():
    note = CreditNote(
        id="n1", number="CN-1", kind="sale", status="paid", contact_id="c1", currency="GBP",
        total=D(120), remaining=D(0), accounts=("404",), allocations=(("i7", D(120)),),
    )  # fmt: skip
    found = deal_state(
        [CREDITED, paid(1)], TODAY, Overdue(), credit_notes=(note,), bad_debt_accounts=("404",)
    )
    assert found.word == "written off"


def test_the_figures_of_several_invoices():
    late = part(2, due_date=date(2026, 3, 1))
    found = deal_values([paid(1), late, OPEN], None, TODAY, Overdue(), NOW)
    assert found["number"] == "INV-1, INV-2, INV-5"
    assert (found["total"], found["paid"], found["due"]) == ("360.00", "120.00", "240.00")
    assert (found["due_date"], found["link"]) == ("2026-03-01", "https://x/2"), "the next unpaid"
    assert (found["paid_on"], found["overdue"]) == ("2026-03-10", "yes")
    done = deal_values([paid(1), paid(2, date(2026, 3, 12))], None, TODAY, Overdue(), NOW)
    assert (done["paid_on"], done["overdue"], done["due"]) == ("2026-03-12", "no", "0.00")


def test_sums_in_two_currencies_are_none():
    found = deal_values([paid(1), part(2, currency="EUR")], None, TODAY, Overdue(), NOW)
    assert found["total"] is None
    assert found["number"] == "INV-1, INV-2"


def test_many_numbers_are_cut_visibly():
    many = [part(100000 + n) for n in range(40)]
    number = deal_values(many, None, TODAY, Overdue(), NOW)["number"]
    assert number is not None
    assert len(number) == REASON_LENGTH_MAX
    assert number.endswith("...")


def test_what_comes_next_is_told_where_nothing_is_wrong():
    words = "Next invoice: balance, on 2026-05-01."
    assert deal_values([OPEN], None, TODAY, Overdue(), NOW, to_come=words)["reason"] == words
