"""Afterwards: people's edits in the ledger stand; early payment; the customer's page."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from syncjob.errors import Park
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
from tests.engine.world import World


@pytest.fixture
def w(tmp_path):
    world = World(tmp_path)
    world.init()
    yield world
    world.close()


# --- people edit in the ledger -------------------------------------------------------------------


def test_a_number_that_a_person_changed_is_the_deals(w):
    deal = awaiting(w)
    w.books("edit_invoice", invoice=number_of(w, deal), fields={"InvoiceNumber": "RE-2026-7"})
    minutes(w, 5)
    w.run()
    assert w.deal_fields(deal)["Invoice number"] == "RE-2026-7"
    quiet(w)


def test_a_reference_that_a_person_cleared_is_not_put_back_and_ties_all_the_same(w):
    deal = awaiting(w)
    w.books("edit_invoice", invoice=number_of(w, deal), fields={"Reference": ""})
    minutes(w, 5)
    w.run()
    assert not invoice_of(w, deal)["reference"]
    w.books("pay", invoice=number_of(w, deal))
    minutes(w, 5)
    w.run()
    assert w.deal_fields(deal)["Invoice status"] == "paid"
    assert len(w.invoices()) == 1
    quiet(w)


@pytest.mark.parametrize("approved", [False, True])
def test_a_contact_that_a_person_changed_stands(w, approved):
    deal = awaiting(w) if approved else billed(w)
    other = w.books("create_contact", fields={"Name": "The Agency"})["done"]["id"]
    w.books("edit_invoice", invoice=number_of(w, deal), fields={"Contact": {"ContactID": other}})
    minutes(w, 5)
    w.run()
    assert invoice_of(w, deal)["contact_id"] == other
    assert len(w.invoices()) == 1
    quiet(w)


def test_lines_that_a_person_changed_stand_and_the_deal_shows_their_sum(w):
    deal = billed(w)
    lines = [{"Description": "Widget, used", "Quantity": 1, "UnitAmount": 80, "AccountCode": "200"}]
    w.books("edit_invoice", invoice=number_of(w, deal), fields={"LineItems": lines})
    w.books("approve", invoice=number_of(w, deal))
    minutes(w, 5)
    w.run()
    assert invoice_of(w, deal)["total"] == "88.00"
    assert float(w.deal_fields(deal)["Invoice total"]) == 88
    quiet(w)


def test_dates_and_terms_that_a_person_changed_stand(w):
    deal = awaiting(w)
    w.books("edit_invoice", invoice=number_of(w, deal), fields={"DueDate": "2027-02-01"})
    minutes(w, 5)
    w.run()
    assert w.deal_fields(deal)["Invoice due date"] == "2027-02-01"
    quiet(w)


# --- an invoice born in the ledger ---------------------------------------------------------------


def made_by_hand(w: World, name: str = "Acme Pty", **fields) -> str:
    made = w.books(
        "create_invoice",
        fields={
            "Contact": {"Name": name}, "DueDate": "2026-12-23", "Status": "AUTHORISED",
            "LineItems": [{"Description": "By hand", "Quantity": 1, "UnitAmount": 100,
                           "AccountCode": "200"}],
            **fields,
        },
    )  # fmt: skip
    return str(made["done"]["number"])


def doubts(w: World, deal: int, number: str) -> list[str]:
    with w.connection() as handle:
        return handle.link_doubts(str(deal), number)


def link(w: World, deal: int, number: str) -> None:
    with w.connection() as handle:
        handle.answer(kind=f"link:{number}", subject=f"deal:{deal}", who="Ann", reason="")


def test_an_invoice_born_in_the_ledger_is_tied_and_followed(w):
    deal = sell(w)
    number = made_by_hand(w)
    assert codes(w.run()) == ["possible_double"]
    assert doubts(w, deal, number) == []
    link(w, deal, number)
    minutes(w, 1)
    assert codes(w.run()) == []
    assert w.deal_fields(deal)["Invoice number"] == number
    w.books("pay", invoice=number)
    minutes(w, 5)
    w.run()
    assert w.deal_fields(deal)["Invoice status"] == "paid"
    assert only(w.invoices())["url"] is None
    quiet(w)


def test_another_customer_or_currency_is_a_doubt(w):
    deal = sell(w)
    other = made_by_hand(w, "Bolt Ltd", CurrencyCode="EUR")
    w.run()
    found = doubts(w, deal, other)
    assert found[0] == "The invoice is in EUR, the deal in AUD."
    assert "Bolt Ltd" in found[1]
    assert "Acme Pty" in found[1]


def test_a_bill_and_an_invoice_of_another_deal_are_refused(w):
    deal = sell(w, None)  # held: it has no customer
    bill = made_by_hand(w, "Supplier", Type="ACCPAY", InvoiceNumber="B-1")
    w.run()
    other = sell(w, "Bolt Ltd", lines=[{"name": "Bolt", "price": 7, "quantity": 1, "tax": 10}])
    w.run()
    with pytest.raises(Park, match="not among the invoices"):
        link(w, deal, bill)
    with pytest.raises(Park):
        link(w, deal, number_of(w, other))


# --- early payment -------------------------------------------------------------------------------


def early(folder, evidence: str = "credit_note") -> World:
    terms = {"default": "2/10 net 30", "early": {"evidence": evidence}}
    w = World(folder, config={"invoices": {"terms": terms}})
    w.init()
    return w


def later(w: World, days: int) -> None:
    """So many days on, after the batches that it takes to trust the lists again."""
    minutes(w, days * 24 * 60)
    for _ in range(3):
        report = w.run()
        minutes(w, 20)
    assert report


def test_a_short_payment_in_time_offers_the_credit_and_is_never_overdue(tmp_path):
    w = early(tmp_path)
    deal = awaiting(w)
    w.books("pay", invoice=number_of(w, deal), amount="107.80")
    minutes(w, 5)
    report = w.run()
    assert codes(report) == ["early_payment_taken"]
    step = report.issues[0].next_step
    assert f"syncjob credit {deal} --amount 2.20" in step
    later(w, 40)
    fields = w.deal_fields(deal)
    assert (fields["Invoice status"], fields["Invoice overdue"]) == ("part-paid", "no")
    w.books("credit", invoice=number_of(w, deal), amount="2.20")
    minutes(w, 5)
    assert codes(w.run()) == []
    assert w.deal_fields(deal)["Invoice status"] == "paid"
    w.close()


def test_where_the_wording_is_the_evidence_it_is_said_so(tmp_path):
    w = early(tmp_path, "wording")
    deal = awaiting(w)
    w.books("pay", invoice=number_of(w, deal), amount="107.80")
    minutes(w, 5)
    report = w.run()
    assert "stand in for a credit note" in report.issues[0].next_step
    w.close()


@pytest.mark.parametrize(("amount", "day"), [("107.00", "2026-11-23"), ("107.80", "2026-12-10")])
def test_too_little_or_too_late_is_a_debt(tmp_path, amount, day):
    w = early(tmp_path)
    w.overrides["overdue"] = {"ignore_due_below": "1.00"}
    deal = awaiting(w)
    w.books("pay", invoice=number_of(w, deal), amount=amount, date=day)
    minutes(w, 5)
    assert codes(w.run()) == []
    later(w, 40)
    assert w.deal_fields(deal)["Invoice overdue"] == "yes"
    w.close()


# --- the customer's page -------------------------------------------------------------------------


def test_the_customers_page_is_read_once_after_the_approval(tmp_path):
    config = {"invoices": {"online_link": True}, "crm": {"fields": {"online": "Customer page"}}}
    w = World(tmp_path, config=config)
    w.init()
    deal = billed(w)
    asked = [c for c in w.calls() if "OnlineInvoice" in c["path"]]
    assert asked == []
    w.books("approve", invoice=number_of(w, deal))
    minutes(w, 5)
    w.run()
    assert w.deal_fields(deal)["Customer page"].startswith("https://in.xero.com/")
    w.books("pay", invoice=number_of(w, deal), amount=10)
    minutes(w, 5)
    w.run()
    quiet(w)
    assert len([c for c in w.calls() if "OnlineInvoice" in c["path"]]) == 1
    w.close()


def test_what_we_approve_ourselves_has_its_page_with_the_next_batch(tmp_path):
    config = {
        "mode": "full", "crm": {"fields": {"online": "Customer page"}},
        "invoices": {"online_link": True, "status": "authorised"},
    }  # fmt: skip
    w = World(tmp_path, config=config)
    w.init()
    deal = sell(w)
    w.run()
    minutes(w, 5)
    w.run()
    assert w.deal_fields(deal)["Customer page"].startswith("https://in.xero.com/")
    quiet(w)
    w.close()


def with_page(folder, crm=None, **invoices) -> World:
    config = {
        "invoices": {"online_link": True, **invoices},
        "crm": {"fields": {"online": "Customer page"}},
    }
    w = World(folder, crm=crm, config=config)
    w.init()
    return w


def asked_for_pages(w: World) -> int:
    return len([c for c in w.calls() if "OnlineInvoice" in c["path"]])


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, "{}"), (200, '{"OnlineInvoices": []}'), (200, '{"OnlineInvoices": 7}')],
)  # fmt: skip
def test_a_page_that_is_not_there_yet_is_asked_for_again(tmp_path, status, body):
    w = with_page(tmp_path)
    deal = billed(w)
    w.books("approve", invoice=number_of(w, deal))
    minutes(w, 5)
    w.fault(
        server="xero", method="GET", path="/OnlineInvoice$", kind="status", status=status, body=body
    )
    assert w.run().exit_code == 0
    assert not w.deal_fields(deal).get("Customer page")
    for _ in range(3):
        minutes(w, 25)
        w.run()
    assert w.deal_fields(deal)["Customer page"].startswith("https://in.xero.com/")
    quiet(w)
    assert asked_for_pages(w) == 2
    w.close()


def test_a_page_that_there_is_none_of_costs_a_few_calls_and_no_more(tmp_path):
    w = with_page(tmp_path)
    deal = billed(w)
    w.books("approve", invoice=number_of(w, deal))
    w.fault(
        server="xero", method="GET", path="/OnlineInvoice$", kind="status", status=404, body="{}",
        times=99,
    )  # fmt: skip
    for _ in range(30):
        minutes(w, 8 * 60)
        w.run()
    assert asked_for_pages(w) == 4
    w.books("pay", invoice=number_of(w, deal), amount=10)
    minutes(w, 20)
    w.run()
    quiet(w)
    assert asked_for_pages(w) == 4
    w.close()


def lines_read(w: World) -> int:
    """How often the CRM was asked for deals' lines."""
    return len([c for c in w.calls() if c["path"].endswith("/deals/products")])


def test_a_page_that_there_is_none_of_wakes_its_deal_once_for_each_look(tmp_path):
    """The lines of a deal in parts are read each time it is decided."""
    parts = [{"name": "deposit", "percent": 30, "on": "win"},
             {"name": "balance", "rest": True, "on": "+60 days"}]  # fmt: skip
    schedule = {"name": "standard", "when": {"total_from": 50}, "parts": parts}
    w = with_page(tmp_path, "pipedrive", schedules=[schedule], deposit={"progressive": True})
    w.overrides["schedule"] = {"nightly_at": "off"}  # the night reads all lines
    deal = sell(w)
    assert w.run().exit_code == 0
    w.books("approve", invoice=number_of(w, deal))
    w.fault(
        server="xero", method="GET", path="/OnlineInvoice$", kind="status", status=404, body="{}",
        times=99,
    )  # fmt: skip
    for _ in range(4):  # until it was asked for a second time, an hour later
        minutes(w, 30)
        w.run()
    assert asked_for_pages(w) == 2
    looks, reads = [], []
    for _ in range(6 * 12):
        minutes(w, 120)
        asked, read = asked_for_pages(w), lines_read(w)
        w.run()
        now = w.time.now().astimezone(ZoneInfo("Australia/Sydney"))
        looks += [now] * (asked_for_pages(w) - asked)
        reads += [now] if lines_read(w) > read else []
    assert [(look.date().isoformat(), look.hour) for look in looks] == [
        ("2026-11-25", 0), ("2026-11-29", 0)
    ]  # fmt: skip
    assert reads == looks
    quiet(w)
    w.close()


def test_what_an_older_version_took_for_none_is_asked_for_again(tmp_path):
    w = with_page(tmp_path)
    deal = billed(w)
    w.books("approve", invoice=number_of(w, deal))
    minutes(w, 5)
    w.fault(
        server="xero", method="GET", path="/OnlineInvoice$", kind="status", status=404, body="{}"
    )
    w.run()
    with w.connection() as handle, handle.state.commit():
        handle.state.db.execute("UPDATE online_link SET missed = 0, asked_at = NULL")
    w.books("pay", invoice=number_of(w, deal), amount=10)
    minutes(w, 20)
    w.run()
    assert w.deal_fields(deal)["Customer page"].startswith("https://in.xero.com/")
    w.close()
