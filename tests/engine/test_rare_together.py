"""What chance seldom brings together: templates, merged deals, refusals, lost states, credit."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import (
    awaiting,
    billed,
    codes,
    invoice_of,
    minutes,
    number_of,
    only,
    quiet,
    sell,
)
from tests.engine.test_credit import credit, notes, wish
from tests.engine.test_notices import tasks
from tests.engine.test_old_states import copy_state, put_back
from tests.engine.test_recurring import MONTHLY, RECURRING, days, made_by, subscribed, templates
from tests.engine.test_schedules import first_part_approved
from tests.engine.test_timeline import ALL
from tests.engine.world import World


def steps(w: World, count: int, each: int = 20) -> None:
    """So many batches."""
    for _ in range(count):
        minutes(w, each)
        w.run()


def going(w: World) -> int:
    """A deal whose own invoice is paid, and whose repeating invoice a person has approved."""
    deal = subscribed(w)
    number = invoice_of(w, deal)["number"]
    w.books("approve", invoice=number)
    w.books("pay", invoice=number)
    w.books("approve_template", template=f"SJ-{deal}-r1")
    return deal


def sent_again(w: World, batches: int = 3) -> list[tuple[str, str]]:
    """What the last of some batches writes."""
    for _ in range(batches):
        mark = w.mark()
        minutes(w, 5)
        w.run()
    return [(call["method"], call["path"]) for call in w.writes(mark)]


# --- what was refused is known by every name that it may have -------------------------------------


def test_a_task_of_a_templates_invoice_that_is_refused_is_not_sent_in_each_batch(
    make_world: MakeWorld,
) -> None:
    """Nor is anybody left untold: the customer is gone, so that the deal alone is named."""
    w = make_world(config={**RECURRING, "notices": {"by": ["task"], "steps": [1]}})
    going(w)
    days(w, 31)
    w.crm("delete_org", org=1)
    days(w, 31)
    assert sent_again(w) == []
    assert tasks(w)


def test_a_note_of_a_templates_invoice_that_is_refused_is_not_sent_in_each_batch(
    make_world: MakeWorld,
) -> None:
    w = make_world(config={**RECURRING, "crm": {"timeline": ["approved", "paid"]}})
    going(w)
    steps(w, 2, 61)
    w.fault(kind="status", server="pipedrive", method="POST", path="/notes", status=400, times=0,
            body='{"success": false, "error": "no"}')  # fmt: skip
    days(w, 31)
    assert sent_again(w) == []


def test_a_change_of_a_merged_deals_draft_that_is_refused_is_not_sent_in_each_batch(
    make_world: MakeWorld,
) -> None:
    w = make_world(crm="hubspot", config={"mode": "full"})
    kept, other = billed(w), sell(w, title="Other", won=False)
    minutes(w, 5)
    w.run()
    one = {"InvoiceID": invoice_of(w, kept)["id"], "ValidationErrors": [{"Message": "Not today"}]}
    body = {"ErrorNumber": 10, "Type": "ValidationException", "Elements": [one]}
    w.fault(kind="status", server="xero", method="POST", path="/Invoices", status=400, times=0,
            body=json.dumps(body))  # fmt: skip
    w.crm("merge_deals", loser=other, winner=kept)
    assert sent_again(w, 6) == []
    assert codes(w.run())


# --- templates ------------------------------------------------------------------------------------


def test_a_lost_state_makes_the_template_that_was_still_to_be_made(make_world: MakeWorld) -> None:
    """It adopts the invoice, and has never read whether anything recurs."""
    w = make_world(config=RECURRING)
    sell(w, lines=[MONTHLY])
    path = "/RepeatingInvoices$"
    w.fault(kind="status", server="xero", method="PUT", path=path, status=503, times=0)
    w.run()
    only(w.invoices())
    assert templates(w) == []
    for file in (w.folder / "state").glob("syncjob.db*"):
        file.unlink()
    w.faults.clear()
    steps(w, 6)
    only(templates(w))
    quiet(w)


def test_a_templates_invoice_is_read_again_before_it_is_called_overdue(
    make_world: MakeWorld,
) -> None:
    w = make_world(config={**RECURRING, "crm": {"timeline": ALL}})
    deal = going(w)
    days(w, 31)
    made = only(made_by(w))
    days(w, 29)
    mark = w.mark()
    w.advance(timedelta(hours=20))
    steps(w, 4)
    assert w.deal_fields(deal)["Invoice overdue"] == "yes"
    calls = [(call["method"], call["path"].rpartition("/")[2]) for call in w.since(mark)]
    said = calls.index(("PATCH", str(deal)))
    assert ("GET", made["id"]) in calls[:said]


def test_an_invoice_that_was_voided_is_no_part_of_what_the_template_goes_on_to_bill(
    make_world: MakeWorld,
) -> None:
    w = make_world(config=RECURRING)
    deal = subscribed(w)
    number = invoice_of(w, deal)["number"]
    w.books("approve", invoice=number)
    w.books("approve_template", template=f"SJ-{deal}-r1")
    days(w, 31)
    w.books("void", invoice=number)
    steps(w, 4)
    assert float(w.deal_fields(deal)["Invoice total"]) == 88
    quiet(w)


# --- merged deals, and credit ---------------------------------------------------------------------


def test_the_list_of_debts_has_those_of_a_merged_deal(make_world: MakeWorld) -> None:
    w = make_world(crm="hubspot", config={"mode": "full"})
    one, other = awaiting(w), awaiting(w, title="Other order")
    minutes(w, 5)
    w.run()
    numbers = {number_of(w, one), number_of(w, other)}
    w.crm("merge_deals", loser=one, winner=other)
    steps(w, 2)
    w.advance(timedelta(days=45))
    steps(w, 3)
    with w.connection() as handle:
        assert {row.number for row in handle.overdue().rows} == numbers


def test_an_older_state_grants_the_same_credit_once(make_world: MakeWorld, tmp_path: Path) -> None:
    w = make_world()
    deal = awaiting(w)
    copy_state(w, tmp_path / "copy")
    credit(w, deal, wish("amount", amount="30"))
    minutes(w, 5)
    w.run()
    put_back(w, tmp_path / "copy")
    steps(w, 4)
    assert credit(w, deal, wish("amount", amount="30")).known
    only(notes(w))
    assert not credit(w, deal, wish("amount", amount="30", again=True)).known
    assert len(notes(w)) == 2


def test_a_merged_deal_makes_no_second_template_beside_the_one_that_goes_on(
    make_world: MakeWorld,
) -> None:
    """A person ends the invoice of the deal that recurred, and not its repeating invoice."""
    w = make_world(crm="hubspot", config=RECURRING | {"mode": "full"})
    plain, recurring = sell(w, title="Plain"), sell(w, lines=[MONTHLY], title="Support")
    w.run()
    for deal in (plain, recurring):
        w.books("approve", invoice=invoice_of(w, deal)["number"])
    w.books("approve_template", template=f"SJ-{recurring}-r1")
    minutes(w, 5)
    w.run()
    w.crm("merge_deals", loser=recurring, winner=plain)
    steps(w, 2, 5)
    w.books("void", invoice=invoice_of(w, recurring)["number"])
    steps(w, 4)
    only(templates(w))
    assert "template_of_merged_deal" in codes(quiet(w))


def test_both_templates_of_two_merged_deals_are_told_of(make_world: MakeWorld) -> None:
    """Also where the invoice that a person voids is the survivor's own."""
    w = make_world(crm="hubspot", config=RECURRING | {"mode": "full"})
    deals = [sell(w, lines=[MONTHLY], title=title) for title in ("One", "Other")]
    w.run()
    for deal in deals:
        w.books("approve", invoice=invoice_of(w, deal)["number"])
        w.books("approve_template", template=f"SJ-{deal}-r1")
    minutes(w, 5)
    w.run()
    w.crm("merge_deals", loser=deals[0], winner=deals[1])
    steps(w, 2, 5)
    for deal in deals:
        w.books("void", invoice=invoice_of(w, deal)["number"])
        steps(w, 3)
        assert "template_of_merged_deal" in codes(w.run())
    assert [t["document"]["status"] for t in templates(w)] == ["AUTHORISED", "AUTHORISED"]


# --- parts ----------------------------------------------------------------------------------------


def test_the_parts_of_a_deal_are_billed_to_one_customer(make_world: MakeWorld) -> None:
    """The deposit was billed to Acme; the next part went to whom the deal had gone to, untold."""
    w, deal = first_part_approved(make_world)
    w.crm("create_org", name="Other Pty")
    w.crm("edit_deal", deal=deal, org="Other Pty")
    steps(w, 2)
    w.advance(timedelta(days=31))
    steps(w, 4)
    assert len({invoice["contact_id"] for invoice in w.invoices()}) == 1
    assert "customer_changed" in codes(quiet(w))
    w.crm("edit_deal", deal=deal, org="Acme Pty")
    steps(w, 2)
    assert len(w.invoices()) > 1
    assert len({invoice["contact_id"] for invoice in w.invoices()}) == 1
