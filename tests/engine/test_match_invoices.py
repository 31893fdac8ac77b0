"""`syncjob match invoices`: what was invoiced by hand is tied to its deal, and never made twice."""

from __future__ import annotations

from typing import Any

from tests.engine.matchkit import answered, apply, audit, contact, match_invoices, proposed, written
from tests.engine.matchkit import table as review_table
from tests.engine.scenes import answer, codes, minutes, only, quiet, sell
from tests.engine.world import World


def by_hand(w: World, amount: int = 100, name: str = "Acme Pty", **fields: Any) -> dict[str, Any]:
    """A sales invoice that a bookkeeper made, with 10% tax."""
    if name not in {c["name"] for c in w.contacts()}:
        contact(w, name)
    line = {"Description": "By hand", "Quantity": 1, "UnitAmount": amount, "AccountCode": "200"}
    return w.books("create_invoice", fields={
        "Contact": {"Name": name}, "Date": "2026-11-20", "DueDate": "2026-12-20",
        "LineItems": [line], "Status": "AUTHORISED", **fields,
    })["done"]  # fmt: skip


def pair(deal: int, invoice: dict[str, Any]) -> tuple[str, str]:
    return f"deal:{deal}", f"invoice:{invoice['id']}"


def test_a_deal_and_the_invoice_made_for_it_are_proposed_and_nothing_is_written(
    world: World,
) -> None:
    invoice, deal = by_hand(world), sell(world)
    mark = world.mark()
    report = match_invoices(world)
    assert world.writes(mark) == []
    found = proposed(report, "invoice")[pair(deal, invoice)]
    assert found.band == "certain"
    assert any("110.00 AUD" in text for text in found.agrees)
    assert any("name of the deal's customer" in text for text in found.agrees)
    row = only(list(report.rows))
    assert dict(row.first.lines)["customer"] == "Acme Pty"
    assert dict(row.second.lines)["customer"] == "Acme Pty"


def test_what_is_certain_is_tied_at_once_if_the_user_says_so(world: World) -> None:
    invoice, deal = by_hand(world), sell(world)
    report = match_invoices(world, accept_certain=True)
    assert [(p.first, p.second) for p in report.linked] == [pair(deal, invoice)]
    reasons = [row[2] for row in audit(world, f"deal:{deal}")]
    assert any(reason.startswith("Ann: --accept-certain") for reason in reasons)
    assert codes(world.run()) == []
    only(world.invoices())
    assert world.deal_fields(deal)["Invoice number"] == invoice["number"]
    assert world.deal_fields(deal)["Invoice status"] == "awaiting payment"
    quiet(world)


def test_the_answer_same_ties_and_creates_nothing(world: World) -> None:
    invoice, deal = by_hand(world), sell(world)
    assert codes(world.run()) == ["possible_double"]
    report = match_invoices(world)
    assert apply(world, answered(report, lambda p: "same")).same == 1
    minutes(world, 1)
    assert codes(world.run()) == []
    only(world.invoices())
    assert world.deal_fields(deal)["Invoice number"] == invoice["number"]
    again = match_invoices(world, every=True)
    assert (again.rows, again.first, again.second) == ((), 0, 0)
    assert apply(world, answered(report, lambda p: "same")).known == 1
    quiet(world)


def test_the_answer_different_is_remembered(world: World) -> None:
    invoice, deal = by_hand(world), sell(world)
    report = match_invoices(world)
    assert apply(world, answered(report, lambda p: "different")).different == 1
    assert pair(deal, invoice) not in proposed(match_invoices(world, every=True), "invoice")


def test_one_invoice_is_never_tied_to_two_deals(world: World) -> None:
    invoice = by_hand(world)
    one, two = sell(world), sell(world, title="Another")
    report = match_invoices(world, accept_certain=True)
    assert report.linked == ()
    assert set(proposed(report, "invoice")) == {pair(one, invoice), pair(two, invoice)}
    taken = apply(world, answered(report, lambda p: "same"))
    assert (taken.same, [r.line for r in taken.refused]) == (0, [2, 3])
    rows = [{**row, "decision": "same"} for row in review_table(report)]
    assert apply(world, written(rows[:1])).same == 1
    late = apply(world, written(rows[1:]))
    assert (late.same, len(late.refused)) == (0, 1)


def test_the_sum_may_be_net_or_gross_and_a_little_off(world: World) -> None:
    net, gross, near = by_hand(world, 100), by_hand(world, 200), by_hand(world, 300)
    deals = {
        "net": sell(world, lines=[_line(100)], title="One"),
        "gross": sell(world, lines=[_line(220)], title="Two"),
        "near": sell(world, lines=[_line(331)], title="Three"),
    }
    found = proposed(match_invoices(world), "invoice")
    assert found[pair(deals["net"], net)].band == "certain"
    assert found[pair(deals["gross"], gross)].band == "certain"
    assert found[pair(deals["near"], near)].band == "near"
    assert any("331.00" in text for text in found[pair(deals["near"], near)].differs)


def _line(price: int) -> dict[str, Any]:
    return {"name": "Widget", "price": price, "quantity": 1, "tax": 0}


def test_other_currency_other_sum_bills_and_voided_ones_are_no_pair(world: World) -> None:
    sell(world)
    by_hand(world, 555)
    voided = by_hand(world)
    world.books("void", invoice=voided["number"])
    rent = {"Description": "Rent", "Quantity": 1, "UnitAmount": 100, "AccountCode": "429"}
    by_hand(world, Type="ACCPAY", InvoiceNumber="BILL-1", LineItems=[rent])
    assert match_invoices(world).rows == ()


def test_another_contact_is_proposed_only_if_the_reference_names_the_deal(world: World) -> None:
    stranger = by_hand(world, name="Somebody Else")
    deal = sell(world, title="Lighthouse refit")
    assert match_invoices(world).rows == ()
    minutes(world, 5)
    world.books("edit_invoice", invoice=stranger["number"],
                fields={"Reference": "Your order: LIGHTHOUSE REFIT, part 1"})  # fmt: skip
    found = proposed(match_invoices(world), "invoice")[pair(deal, stranger)]
    assert found.band == "near"
    assert any("title" in text for text in found.agrees)
    assert any("another contact" in text for text in found.differs)


def test_a_deal_that_is_never_invoiced_is_left_alone(world: World) -> None:
    by_hand(world)
    deal = sell(world)
    world.run()
    answer(world, "never", deal)
    world.run()
    assert match_invoices(world).rows == ()
