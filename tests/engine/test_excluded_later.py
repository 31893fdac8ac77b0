"""A deal that is not to be invoiced by now, and has its draft: nothing goes on with it unasked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import answer, billed, codes, invoice_of, minutes, only, quiet, sell
from tests.engine.test_email import emails, sold
from tests.engine.test_moves import place
from tests.engine.test_recurring import MONTHLY, templates
from tests.engine.test_revision import change_price
from tests.engine.test_schedules import LINES, PROGRESSIVE, RULES, THIRDS, parts_of
from tests.engine.world import World

FLAG: dict[str, Any] = {"crm": {"inputs": {"do_not_invoice": "No invoice"}}}


def flagged_world(make_world: MakeWorld, **invoices: Any) -> World:
    """Approves what it may, and heeds the field "No invoice"."""
    w = make_world(init=False, config={**FLAG, "invoices": {"status": "authorised", **invoices}})
    w.crm("create_field", name="No invoice")
    w.init()
    return w


def say(w: World, deal: int, value: str | None) -> None:
    minutes(w, 5)
    w.crm("edit_deal", deal=deal, fields={"No invoice": value})
    w.run()


def raised(w: World) -> None:
    """The mode is full from now on."""
    w.overrides["mode"] = "full"
    for _ in range(2):
        minutes(w, 5)
        w.run()


def test_a_draft_whose_deal_says_do_not_invoice_by_now_is_not_approved(
    make_world: MakeWorld,
) -> None:
    w = flagged_world(make_world)
    deal, other = billed(w), billed(w, org="Second Pty")
    say(w, deal, "internal")
    raised(w)
    (told,) = quiet(w).issues
    assert (told.code, told.subject) == ("excluded_after_invoice", f"deal:{deal}")
    assert 'Its field "No invoice" says "internal".' in told.what
    assert f"Its invoice {invoice_of(w, deal)['number']} was made before" in told.what
    assert 'empty its field "No invoice"' in told.next_step
    assert invoice_of(w, deal)["status"] == "DRAFT"
    assert invoice_of(w, other)["status"] == "AUTHORISED"
    say(w, deal, None)
    minutes(w, 5)
    assert codes(w.run()) == []
    assert invoice_of(w, deal)["status"] == "AUTHORISED"
    quiet(w)


@pytest.mark.parametrize("price", [120, 100000])
def test_its_draft_does_not_follow_the_deal_either(make_world: MakeWorld, price: int) -> None:
    """Nor is a person told of the sum, or told the same thing anew."""
    w = flagged_world(make_world)
    deal = billed(w)
    say(w, deal, "internal")
    before, told = invoice_of(w, deal), quiet(w).issues
    assert [issue.code for issue in told] == ["excluded_after_invoice"]
    change_price(w, deal, price)
    assert w.run().issues == told
    assert quiet(w).issues == told
    assert invoice_of(w, deal) == before


def test_a_person_who_says_never_is_not_told_again(make_world: MakeWorld) -> None:
    w = flagged_world(make_world)
    deal = billed(w)
    say(w, deal, "internal")
    answer(w, "never", deal)
    raised(w)
    assert codes(quiet(w)) == []
    assert invoice_of(w, deal)["status"] == "DRAFT"


def test_a_rule_that_leaves_the_deal_out_by_now(make_world: MakeWorld) -> None:
    w = flagged_world(make_world)
    deal = billed(w)
    w.overrides["invoices"] = {"status": "authorised", "exclude": {"titles": ["Spring *"]}}
    raised(w)
    report = quiet(w)
    assert codes(report) == ["excluded_after_invoice"]
    assert "invoices.exclude.titles" in report.issues[0].next_step
    assert invoice_of(w, deal)["status"] == "DRAFT"


def test_a_deal_that_was_moved_on_is_approved(make_world: MakeWorld) -> None:
    """`crm.moves` takes deals with a draft out of `invoices.when`, or into a pipeline that is
    excluded: what is there is not to be invoiced again, and this one goes on."""
    rules = {"when": {"stages": ["Won"]}, "exclude": {"pipelines": ["Books"]}}
    moves = [{"when": "draft", "stage": "Billed", "pipeline": "Books"}]
    w = make_world(
        config={"crm": {"moves": moves}, "invoices": {"status": "authorised", **rules}}, init=False
    )
    w.crm("create_pipeline", name="Work", stages=["Offer", "Won"])
    w.crm("create_pipeline", name="Books", stages=["Billed"])
    w.init()
    deal = billed(w, pipeline="Work", stage="Won")
    assert place(w, deal) == ("Books", "Billed")
    raised(w)
    assert codes(quiet(w)) == []
    assert invoice_of(w, deal)["status"] == "AUTHORISED"


def test_the_field_counts_in_a_stage_beyond_those_that_are_invoiced(
    make_world: MakeWorld,
) -> None:
    w = flagged_world(make_world, when={"stages": ["Proposal made"]})
    deal = billed(w, stage="Proposal made")
    w.crm("edit_deal", deal=deal, stage="Negotiations started")
    say(w, deal, "internal")
    raised(w)
    assert codes(quiet(w)) == ["excluded_after_invoice"]
    assert invoice_of(w, deal)["status"] == "DRAFT"


def test_a_draft_of_a_part_whose_deal_says_do_not_invoice_by_now(make_world: MakeWorld) -> None:
    taxes = {"amounts": "exclusive", "rules": RULES}
    w = flagged_world(make_world, schedules=THIRDS, deposit=PROGRESSIVE, tax=taxes)
    deal = sell(w, lines=LINES)
    w.run()
    say(w, deal, "internal")
    raised(w)
    assert "excluded_after_invoice" in codes(quiet(w))
    assert only(parts_of(w, deal))["status"] == "DRAFT"
    say(w, deal, None)
    minutes(w, 5)
    assert codes(w.run()) == []
    assert only(parts_of(w, deal))["status"] == "AUTHORISED"


def test_an_invoice_that_a_person_approved_is_not_emailed(make_world: MakeWorld) -> None:
    """Finance approves it all the same; whether it goes to the customer is theirs, too."""
    w = flagged_world(make_world, email={"enabled": True})
    deal = sold(w)
    w.run()
    say(w, deal, "internal")
    w.books("approve", invoice=invoice_of(w, deal)["number"])
    raised(w)
    report = quiet(w)
    assert codes(report) == ["excluded_after_invoice"]
    assert "is not e-mailed" in report.issues[0].what
    assert emails(w) == []
    say(w, deal, None)
    minutes(w, 5)
    w.run()
    assert len(emails(w)) == 1


@pytest.mark.parametrize("flag", [True, False])
def test_no_repeating_invoice_is_made(make_world: MakeWorld, flag: bool) -> None:
    w = flagged_world(make_world, recurring="template")
    path = "/RepeatingInvoices$"
    w.fault(kind="status", server="xero", method="PUT", path=path, status=503, times=0)
    deal = sell(w, lines=[MONTHLY])
    w.run()
    only(w.invoices())
    w.faults.clear()
    if flag:
        w.crm("edit_deal", deal=deal, fields={"No invoice": "internal"})
    minutes(w, 20)
    raised(w)
    assert len(templates(w)) == (0 if flag else 1)
    assert invoice_of(w, deal)["status"] == ("DRAFT" if flag else "AUTHORISED")
    assert ("excluded_after_invoice" in codes(quiet(w))) is flag


def test_what_was_credited_in_full_is_done_with(make_world: MakeWorld) -> None:
    w = flagged_world(make_world, recurring="template")
    path = "/RepeatingInvoices$"
    w.fault(kind="status", server="xero", method="PUT", path=path, status=503, times=0)
    deal = sell(w, lines=[MONTHLY])
    w.run()
    w.faults.clear()
    say(w, deal, "internal")
    number = invoice_of(w, deal)["number"]
    w.books("approve", invoice=number)
    minutes(w, 61)
    assert "excluded_after_invoice" in codes(w.run())
    w.books("credit", invoice=number, amount=invoice_of(w, deal)["total"])
    minutes(w, 61)
    assert codes(w.run()) == []
    assert templates(w) == []
