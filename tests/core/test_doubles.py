"""An invoice made by hand is noticed before a second one is made."""

from __future__ import annotations

from datetime import date

import pytest

from syncjob.core.rules.doubles import possible_doubles

from .make import D, draft, invoice


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, True),
        ({"status": "draft"}, True),
        ({"status": "paid"}, True),
        ({"date": date(2026, 4, 30)}, True),
        ({"date": date(2026, 5, 1)}, False),
        ({"date": date(2025, 12, 30)}, False),
        ({"date": None}, False),
        ({"status": "voided"}, False),
        ({"status": "deleted"}, False),
        ({"kind": "bill"}, False),
        ({"currency": "EUR"}, False),
        ({"total": D("120.01")}, False),
        ({"contact_id": "c2"}, False),
    ],
)
def test_same_contact_total_and_currency_within_the_days(changes, found):
    hits = possible_doubles(draft(), "c1", [invoice(**changes)], 60)
    assert bool(hits) is found


def test_a_contact_that_is_new_has_no_invoices():
    assert possible_doubles(draft(), None, [invoice(contact_id=None)], 60) == []


def test_the_nearest_is_named_first_whatever_the_order():
    far = invoice(id="a", date=date(2026, 2, 1))
    near = [invoice(id=i, date=date(2026, 3, 2)) for i in ("z", "b")]
    for rows in ([far, *near], [*reversed(near), far]):
        assert [hit.id for hit in possible_doubles(draft(), "c1", rows, 60)] == ["b", "z", "a"]
    assert possible_doubles(draft(), "c1", [], 60) == []
