"""What happens to the invoice in the books, and what the deal then says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import (
    awaiting,
    billed,
    codes,
    invoice_of,
    minutes,
    number_of,
    quiet,
    sell,
    writes_to,
)
from tests.engine.world import World

KEYS = ("status", "total", "due", "paid", "credited", "paid on", "overdue", "number")


def says(w: World, deal: int) -> dict[str, Any]:
    """What the deal says about its invoice, by the last words of its fields."""
    fields = w.deal_fields(deal)
    return {key: fields.get(f"Invoice {key}") for key in KEYS}


def later(w: World) -> None:
    """Five minutes, and a batch that must not write to the books."""
    minutes(w, 5)
    mark = w.mark()
    report = w.run()
    assert report.exit_code == 0, report
    assert writes_to(w, mark, "/xero/") == []
    assert len(writes_to(w, mark, "/deals/")) <= 1


def test_approval_by_a_person_reaches_the_deal(world: World) -> None:
    deal = billed(world)
    world.books("approve", invoice=number_of(world, deal))
    later(world)
    assert says(world, deal) == {
        "status": "awaiting payment", "total": 110, "due": 110, "paid": 0, "credited": 0,
        "paid on": None, "overdue": "no", "number": number_of(world, deal),
    }  # fmt: skip
    quiet(world)


def test_submitted_is_awaiting_approval_and_has_no_number_yet(world: World) -> None:
    deal = billed(world)
    world.books("submit", invoice=number_of(world, deal))
    later(world)
    assert says(world, deal)["status"] == "awaiting approval"
    assert says(world, deal)["number"] is None
    quiet(world)


def test_part_payment_payment_and_its_removal(world: World) -> None:
    deal = awaiting(world)
    number = number_of(world, deal)
    world.books("pay", invoice=number, amount="30.50", date="2026-11-20")
    later(world)
    said = says(world, deal)
    assert (said["status"], said["paid"], said["due"]) == ("part-paid", 30.5, 79.5)
    world.books("pay", invoice=number, date="2026-11-22")
    later(world)
    said = says(world, deal)
    assert (said["status"], said["paid"], said["due"], said["paid on"]) == (
        "paid", 110, 0, "2026-11-22",
    )  # fmt: skip
    quiet(world)
    world.books("remove_payment", invoice=number)
    later(world)
    said = says(world, deal)
    assert (said["status"], said["paid"], said["due"]) == ("part-paid", 30.5, 79.5)
    assert said["paid on"] == "2026-11-20"
    world.books("remove_payment", invoice=number)
    later(world)
    said = says(world, deal)
    assert (said["status"], said["paid"], said["due"], said["paid on"]) == (
        "awaiting payment", 0, 110, None,
    )  # fmt: skip
    quiet(world)


@pytest.mark.parametrize(
    ("act", "amount", "expected"),
    [
        ("credit", "40", ("part-credited", 0, 40, 70, None)),
        ("credit", None, ("credited", 0, 110, 0, None)),
        ("allocate_prepayment", "40", ("part-paid", 40, 0, 70, "2026-11-21")),
        ("allocate_prepayment", None, ("paid", 110, 0, 0, "2026-11-21")),
        ("allocate_overpayment", "40", ("part-paid", 40, 0, 70, "2026-11-21")),
        ("allocate_overpayment", None, ("paid", 110, 0, 0, "2026-11-21")),
    ],
)
def test_credit_is_not_cash(world: World, act: str, amount: str | None, expected: Any) -> None:
    deal = awaiting(world)
    more = {"amount": amount} if amount else {}
    world.books(act, invoice=number_of(world, deal), date="2026-11-21", **more)
    later(world)
    said = says(world, deal)
    assert tuple(said[k] for k in ("status", "paid", "credited", "due", "paid on")) == expected
    quiet(world)


def test_paid_and_credited_together(world: World) -> None:
    deal = awaiting(world)
    world.books("pay", invoice=number_of(world, deal), amount="100")
    world.books("credit", invoice=number_of(world, deal), amount="10")
    later(world)
    said = says(world, deal)
    assert (said["status"], said["paid"], said["credited"], said["due"]) == ("paid", 100, 10, 0)
    quiet(world)


def test_voided_keeps_its_number(world: World) -> None:
    deal = awaiting(world)
    number = number_of(world, deal)
    world.books("void", invoice=number)
    minutes(world, 5)
    report = world.run()
    assert codes(report) == ["reissue_needed"]
    assert (says(world, deal)["status"], says(world, deal)["number"]) == ("voided", number)
    assert [i["status"] for i in world.invoices()] == ["VOIDED"]
    quiet(world)


def test_a_draft_deleted_by_a_person_leaves_only_the_word(world: World) -> None:
    deal = billed(world)
    world.books("delete", invoice=number_of(world, deal))
    minutes(world, 5)
    assert codes(world.run()) == ["reissue_needed"]
    said = says(world, deal)
    assert (said["status"], said["total"], said["due"]) == ("deleted", None, None)
    assert [i["status"] for i in world.invoices()] == ["DELETED"]
    quiet(world)


def test_full_mode_makes_a_draft_and_then_approves_it_by_its_id(make_world: MakeWorld) -> None:
    world = make_world(config={"mode": "full", "invoices": {"status": "authorised"}})
    deals = [sell(world, title=f"Order {n}") for n in range(3)]
    mark = world.mark()
    assert world.run().exit_code == 0
    to_books = [
        (c["method"], c["path"].rsplit("/", 1)[1]) for c in writes_to(world, mark, "/xero/")
    ]
    assert to_books == [("PUT", "Contacts"), ("PUT", "Invoices"), ("POST", "Invoices")]
    create, approve = writes_to(world, mark, "/Invoices")
    assert "AUTHORISED" not in create["body"]
    for deal in deals:
        invoice = invoice_of(world, deal)
        assert invoice["status"] == "AUTHORISED"
        assert invoice["id"] in approve["body"]
        assert says(world, deal)["status"] == "awaiting payment"
        assert says(world, deal)["number"] == invoice["number"]
    patches = writes_to(world, mark, "/deals/")
    assert len(patches) == 3  # one a deal
    assert max(c["n"] for c in (create, approve)) < min(c["n"] for c in patches)
    quiet(world)


def test_drafts_only_overrules_a_rule_that_says_authorised(make_world: MakeWorld) -> None:
    world = make_world(config={"invoices": {"status": "authorised"}})
    deal = billed(world)
    assert invoice_of(world, deal)["status"] == "DRAFT"
    assert [c for c in world.calls() if "AUTHORISED" in c["body"]] == []
    quiet(world)


def test_a_draft_that_a_person_touched_is_not_approved(make_world: MakeWorld) -> None:
    world = make_world()
    deal = billed(world)
    world.books("edit_invoice", invoice=number_of(world, deal), fields={"DueDate": "2027-01-31"})
    minutes(world, 5)
    world.run()
    world.overrides = {"mode": "full", "invoices": {"status": "authorised"}}
    minutes(world, 5)
    world.run(accept=world.plan().hash)
    assert invoice_of(world, deal)["status"] == "DRAFT"
    assert invoice_of(world, deal)["due_day"] == "2027-01-31"
    quiet(world)
