"""What may still be done to an invoice after the win."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from syncjob.core.actions import InvoiceChange, Issue
from syncjob.core.policy import Terms
from syncjob.core.records import PaymentTerms
from syncjob.core.rules.changes import Past, after_win, may_approve, next_generation, touched

from .make import TODAY, D, customer, deal, draft, held, invoice, policy

BASE = {"reference": "NW-1042-A1", "total": "120.00", "due_date": None}
DRAFT = invoice(status="draft", number=None)


def test_touched_names_what_differs_or_went_missing():
    assert touched(BASE, BASE) == ()
    assert touched(BASE, {**BASE, "other": "new"}) == ()
    assert touched(BASE, {**BASE, "total": "130.00"}) == ("total",)
    assert touched(BASE, {"reference": "NW-1042-A1", "total": "120.00"}) == ("due_date",)


# --- no longer won --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["open", "lost", "deleted"])
def test_an_untouched_draft_goes_with_the_win(status):
    change = after_win(deal(status=status), DRAFT, BASE, BASE, date(2026, 2, 28))
    assert change == InvoiceChange(invoice_id="i1", status="deleted")


@pytest.mark.parametrize("status", ["draft", "paid"])
def test_nothing_happens_while_the_deal_is_won(status):
    assert after_win(deal(), invoice(status=status), BASE, {}, None) is None


@pytest.mark.parametrize("status", ["voided", "deleted"])
def test_nothing_is_left_to_do_for_a_dead_invoice(status):
    assert after_win(deal(status="open"), invoice(status=status), BASE, BASE, None) is None


@pytest.mark.parametrize(
    ("an_invoice", "current", "locked", "words"),
    [
        (invoice(status="submitted"), BASE, None, "INV-0042 is submitted"),
        (invoice(), BASE, None, "INV-0042 is authorised"),
        (invoice(status="paid"), BASE, None, "INV-0042 is paid"),
        (DRAFT, {**BASE, "total": "1.00"}, None, "i1 was changed by a person (total)"),
        (DRAFT, BASE, date(2026, 3, 1), "closed through 2026-03-01"),
    ],
)
def test_anything_else_is_left_for_a_person(an_invoice, current, locked, words):
    issue = after_win(deal(status="lost"), an_invoice, BASE, current, locked)
    assert isinstance(issue, Issue)
    assert (issue.code, issue.state) == ("reopened_after_invoice", "note")
    assert words in issue.what
    assert "lost" in issue.what
    assert issue.page == an_invoice.page


# --- approving ------------------------------------------------------------------------------------


def approve(**changes: Any) -> InvoiceChange | str:
    given: dict[str, Any] = {
        "invoice": DRAFT,
        "created": draft(),
        "contact": None,
        "policy": policy(status="authorised", terms=Terms(default="net 10")),
        "mode": "full",
        "base": BASE,
        "current": BASE,
        "today": TODAY,
        "locked_through": date(2026, 3, 19),
    }
    return may_approve(**(given | changes))


def test_an_untouched_draft_is_approved_as_of_today():
    assert approve() == InvoiceChange(
        invoice_id="i1", status="authorised", date=TODAY, due_date=date(2026, 3, 30)
    )


def test_its_terms_are_the_contacts():
    contact = customer(terms=PaymentTerms(day=5, kind="of_following_month"))
    assert approve(contact=contact).due_date == date(2026, 4, 5)


def test_a_date_that_the_deal_set_is_kept():
    change = approve(keep_date=True, locked_through=None)
    assert (change.date, change.due_date) == (date(2026, 3, 1), date(2026, 3, 11))


DOUBT = Issue(code="totals_differ", subject="deal:1042", what="The sums differ.", next_step="Look.")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"policy": policy()}, "status says draft"),
        ({"mode": "drafts_only"}, "drafts_only"),
        ({"mode": "read_only"}, "read_only"),
        ({"invoice": invoice(status="submitted")}, "submitted already"),
        ({"invoice": invoice(status="authorised")}, "authorised already"),
        ({"current": {**BASE, "reference": "PO 7"}}, "a person changed its reference"),
        ({"doubt": DOUBT}, "The sums differ."),
        ({"created": draft(total=D("120.02"))}, "total is 120.00, 120.02 was expected"),
        ({"created": draft(sub_total=D(99))}, "sub total is 100.00, 99.00 was expected"),
        ({"created": draft(total_tax=D(21))}, "total tax is 20.00, 21.00 was expected"),
        ({"locked_through": TODAY}, "closed through 2026-03-20"),
        ({"keep_date": True}, "dated 2026-03-01"),
    ],
)
def test_why_a_draft_stays_a_draft(changes, words):
    answer = approve(**changes)
    assert isinstance(answer, str)
    assert words in answer


# --- generations ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([], 1),
        ([Past(1, "deleted", True)], 2),
        ([Past(2, "deleted", True), Past(1, "deleted", True)], 3),
        ([Past(1, "voided", False), Past(2, "deleted", True)], 3),
        ([Past(1, "draft", False)], None),
        ([Past(1, "paid", False)], None),
        ([Past(1, "authorised", False), Past(2, "deleted", False)], None),
        ([(1, "deleted", True)], 2),
        ([Past(1, "voided", True)], 2),  # voided by a person, who then asked for a new one
    ],
)
def test_which_generation_comes_next(history, expected):
    assert next_generation([Past(*past) for past in history], "7") == expected


@pytest.mark.parametrize("last", [Past(2, "deleted", False), Past(2, "voided", False)])
def test_what_a_person_ended_is_not_issued_anew(last):
    with held("reissue_needed", "generation 2", last.status):
        next_generation([Past(1, "deleted", True), last], "7")


def test_a_marker_has_two_digits_for_the_generation():
    assert next_generation([Past(98, "deleted", True)], "7") == 99
    with held("generations_used_up", "99"):
        next_generation([Past(99, "deleted", True)], "7")
