"""What an invoice shows of its life, each thing under a name of its own."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncjob.core.policy import Overdue
from syncjob.core.records import Invoice, Settlement
from syncjob.core.rules.happenings import Happened, happened
from syncjob.core.rules.settlement import invoice_state, next_due_day

from .make import TODAY, invoice

SYDNEY = ZoneInfo("Australia/Sydney")


def told(an_invoice: Invoice, today: date = TODAY) -> list[Happened]:
    state = invoice_state(an_invoice, today, Overdue())
    begins = next_due_day(an_invoice, Overdue())
    return list(happened(an_invoice, state, begins, today, SYDNEY))


def paid(amount: int, *days: int) -> dict[str, Any]:
    due = 120 - amount
    money = tuple(
        Settlement(id=f"p{n}", kind="payment", amount=Decimal(1), date=date(2026, 3, n))
        for n in days
    )
    return {"paid": Decimal(amount), "due": Decimal(due), "settlements": money,
            "status": "authorised" if due else "paid"}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({"status": "draft"}, ["created"]),
        ({"status": "submitted"}, ["created"]),
        ({"due_date": date(2026, 12, 1)}, ["created", "approved"]),
        ({}, ["created", "approved", "overdue.260315"]),
        (paid(20, 4, 2), ["created", "approved", "part_paid.20.00", "overdue.260315"]),
        (paid(120, 4, 9), ["created", "approved", "paid.260309"]),
        ({"status": "voided", "due": Decimal(0)}, ["voided"]),
        ({"status": "deleted"}, ["deleted"]),
        (
            {"status": "paid", "due": Decimal(0), "credited": Decimal(120)},
            ["created", "approved", "credited"],
        ),
    ],
)
def test_each_state_tells_its_past(changes: dict[str, Any], keys: list[str]) -> None:
    assert [one.key for one in told(invoice(**changes))] == keys


def test_a_draft_shows_no_number_and_an_approved_one_does() -> None:
    (made,) = told(invoice(status="draft", number="INV-9"))
    assert "INV-9" not in made.text
    assert "INV-0042" in told(invoice())[1].text


def test_the_day_is_the_organisations() -> None:
    late = datetime.fromisoformat("2026-03-19T13:30:00+00:00")  # half past midnight in Sydney
    approved = told(invoice(updated=late))[1]
    assert approved.day == date(2026, 3, 20)


@given(st.integers(0, 120), st.integers(0, 120), st.integers(0, 60))
def test_no_two_things_share_a_name(amount: int, other: int, days: int) -> None:
    """Nor do two states of one invoice that say something else."""
    today = TODAY + timedelta(days)
    first = {h.key: h.text for h in told(invoice(**paid(amount, 2)), today)}
    second = {h.key: h.text for h in told(invoice(**paid(other, 2)), today)}
    assert len(first) == len(told(invoice(**paid(amount, 2)), today))
    for key in first.keys() & second.keys():
        assert first[key] == second[key] or key.startswith("overdue")
