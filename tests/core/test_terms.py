"""Due dates by Xero's four kinds of terms."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncjob.core.policy import Terms
from syncjob.core.records import PaymentTerms
from syncjob.core.rules.terms import due_by, due_date
from syncjob.core.rules.terms_text import parse_terms

from .make import customer

KINDS = ("days_after_bill", "days_after_month", "of_current_month", "of_following_month")


@pytest.mark.parametrize(
    ("kind", "day", "billed", "due"),
    [
        ("days_after_bill", 0, "2026-03-10", "2026-03-10"),
        ("days_after_bill", 14, "2026-12-25", "2027-01-08"),
        ("days_after_month", 20, "2026-02-03", "2026-03-20"),
        ("days_after_month", 0, "2028-02-03", "2028-02-29"),
        ("of_current_month", 31, "2026-04-10", "2026-04-30"),
        ("of_current_month", 15, "2026-04-15", "2026-04-15"),
        ("of_current_month", 15, "2026-12-16", "2027-01-15"),
        ("of_current_month", 1, "2026-01-31", "2026-02-01"),
        ("of_following_month", 31, "2026-01-15", "2026-02-28"),
        ("of_following_month", 31, "2027-12-31", "2028-01-31"),
        ("of_following_month", 20, "2026-12-01", "2027-01-20"),
    ],
)
def test_the_contacts_terms(kind, day, billed, due):
    contact = customer(terms=PaymentTerms(day=day, kind=kind))
    assert due_date(date.fromisoformat(billed), contact, Terms()) == date.fromisoformat(due)


@pytest.mark.parametrize("contact", [None, customer()])
def test_without_terms_of_its_own_the_firms_count(contact):
    assert due_date(date(2026, 3, 10), contact, Terms(default="net 14")) == date(2026, 3, 24)


def test_the_contacts_terms_can_be_switched_off():
    contact = customer(terms=PaymentTerms(day=5, kind="days_after_bill"))
    terms = Terms(order=("deal",))
    assert due_date(date(2026, 3, 1), contact, terms) == date(2026, 3, 31)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(1, 31), st.sampled_from(KINDS))
def test_never_before_the_invoice_and_never_far_after(day, wanted, kind):
    contact = customer(terms=PaymentTerms(day=wanted, kind=kind))
    due = due_date(day, contact, Terms())
    assert day <= due <= day + timedelta(days=62)


@pytest.mark.parametrize(
    ("text", "billed", "due"),
    [
        ("net 30 EOM", "2026-05-11", "2026-06-30"),
        ("net 10 EOM", "2026-04-11", "2026-05-10"),
        ("EOM 10", "2026-04-11", "2026-05-10"),
        ("45 days EOM", "2018-11-27", "2019-01-14"),
        ("15 MFI", "2026-04-11", "2026-05-15"),
        ("20th of the month following", "2026-11-23", "2026-12-20"),
        ("the 31st of the month following", "2026-01-15", "2026-02-28"),
    ],
)
def test_as_people_in_business_write_it(text, billed, due):
    spec = parse_terms(text)
    assert due_by(spec.terms, date.fromisoformat(billed)) == date.fromisoformat(due)


@pytest.mark.parametrize(
    "text", ["2/10 net 30 EOM", "30 days end of month", "net monthly", "32 MFI", "soon"]
)
def test_what_can_be_meant_in_two_ways_is_not_guessed(text):
    assert parse_terms(text) is None


TEXTS = st.one_of(
    st.integers(0, 366).map("net {}".format),
    st.integers(0, 366).map("end of month + {}".format),
    st.integers(0, 366).map("net {} eom".format),
    st.integers(1, 31).map("day {} of the following month".format),
    st.integers(1, 31).map("day {} of this month".format),
    st.integers(1, 31).map("{} mfi".format),
    st.just("due on receipt"),
)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), TEXTS, st.sampled_from(["", "2/10 "]))
def test_no_terms_in_words_are_due_before_the_invoice(day, text, early):
    spec = parse_terms(early + text)
    if early and "eom" in text:
        assert spec is None
    else:
        assert day <= due_by(spec.terms, day) <= day + timedelta(days=31 + 366)
        assert (spec.early is not None) == bool(early)
