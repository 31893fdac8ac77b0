"""Whatever a person touches in our draft makes it theirs: it is never rewritten or deleted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.scenes import billed, codes, invoice_of, minutes
from tests.engine.world import World

#: The draft's one line as it is, with what a person changes in it.
_LINES: dict[str, dict[str, Any]] = {
    "another description": {"Description": "Widget, as agreed"},
    "another account": {"AccountCode": "260"},
    "another tax": {"TaxType": "EXEMPTOUTPUT"},
    "a tracking option": {"Tracking": [{"Name": "Region", "Option": "North"}]},
    "a discount in percent": {"DiscountRate": 10},
    "a discount in money": {"DiscountAmount": 5},
    "an item": {"ItemCode": "W1"},
}
_INVOICE: dict[str, dict[str, Any]] = {
    "another date": {"Date": "2026-11-24"},
    "another due date": {"DueDate": "2026-12-30"},
    "a reference": {"Reference": "as agreed"},
    "a number": {"InvoiceNumber": "BY-HAND-1"},
    "inclusive prices": {"LineAmountTypes": "Inclusive"},
    "another currency": {"CurrencyCode": "NZD"},
}


@pytest.fixture
def w(world: World) -> World:
    world.books("add_tracking", name="Region", options=["North", "South"])
    world.books("add_item", code="W1", name="Widget")
    world.books("enable_currency", currency="NZD")
    return world


def _touch(w: World, deal: int, what: str) -> None:
    invoice = invoice_of(w, deal)
    line = {
        "LineItemID": invoice["lines"][0]["id"], "Description": "Widget", "Quantity": 1,
        "UnitAmount": 100, "AccountCode": "200", "TaxType": "OUTPUT", **_LINES.get(what, {}),
    }  # fmt: skip
    fields = _INVOICE.get(what) or {"LineItems": [line]}
    w.books("edit_invoice", invoice=invoice["id"], fields=fields)


@pytest.mark.parametrize("what", [*_LINES, *_INVOICE])
def test_a_touched_draft_is_left_alone_whatever_becomes_of_its_deal(w: World, what: str) -> None:
    deal = billed(w)
    minutes(w, 5)
    _touch(w, deal, what)
    theirs = invoice_of(w, deal)
    row = next(r for r in w.crm_state()["rows"].values() if r["deal_id"] == deal)
    w.crm("edit_line", deal=deal, line=row["id"], price=150)
    assert "changed_after_invoice" in codes(w.run())
    assert invoice_of(w, deal) == theirs
    minutes(w, 5)
    w.crm("lose", deal=deal)
    assert "reopened_after_invoice" in codes(w.run())
    assert invoice_of(w, deal) == theirs
