"""A deal is won: one draft, the right customer, the right fields and days, and the deal says so."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import answer, billed, codes, invoice_of, minutes, only, quiet, sell
from tests.engine.world import World


def test_a_won_deal_becomes_one_draft_and_the_deal_says_so(world: World) -> None:
    line = {"name": "Widget", "price": 12.5, "quantity": 3, "discount": 10,
            "discount_type": "percentage", "tax": 10}  # fmt: skip
    deal = sell(world, lines=[line], won=False)
    world.run()
    assert world.invoices() == []
    world.crm("win", deal=deal)
    report = world.run()
    assert report.exit_code == 0
    invoice = only(world.invoices())
    assert (invoice["status"], invoice["currency"]) == ("DRAFT", "AUD")
    assert (invoice["subtotal"], invoice["total_tax"], invoice["total"]) == (
        "33.75", "3.38", "37.13",
    )  # fmt: skip
    assert invoice["reference"] == f"SJ-{deal}-A1"
    assert invoice["url"].endswith(f"/deal/{deal}?syncjob=SJ-{deal}-A1")
    assert (invoice["day"], invoice["due_day"]) == ("2026-11-23", "2026-12-23")
    wire = only(invoice["lines"])
    assert (wire["description"], wire["quantity"], wire["unit_amount"]) == (
        "Widget",
        "3.00",
        "12.50",
    )
    assert (wire["discount_rate"], wire["account_code"]) == ("10.00", "200")
    fields = world.deal_fields(deal)
    assert fields["Invoice status"] == "draft"
    assert fields.get("Invoice number") is None  # a draft's number may still change or vanish
    assert invoice["id"] in fields["Invoice link"]
    assert (fields["Invoice total"], fields["Invoice due"]) == (37.13, 37.13)
    assert fields["Invoice due date"] == "2026-12-23"
    assert fields["Invoice overdue"] == "no"
    quiet(world)


def test_the_organisation_is_billed_and_its_person_gives_the_email(world: World) -> None:
    address = {"value": "1 Main St, Perth", "route": "Main St", "street_number": "1",
               "locality": "Perth", "postal_code": "6000", "country": "Australia"}  # fmt: skip
    world.crm("create_org", name="Acme Pty", address=address)
    world.crm("create_person", name="Jo Müller", org="Acme Pty", email="jo@acme.test",
              phone="+61 8 5550 1234")  # fmt: skip
    deal = billed(world, person="Jo Müller")
    contact = only(world.contacts())
    assert (contact["name"], contact["number"]) == ("Acme Pty", "SJ-O1")
    assert contact["fields"]["EmailAddress"] == "jo@acme.test"
    assert (contact["fields"]["FirstName"], contact["fields"]["LastName"]) == ("Jo", "Müller")
    assert "Perth" in str(contact["addresses"])
    assert "5550 1234" in str(contact["phones"])
    assert invoice_of(world, deal)["contact_id"] == contact["id"]
    quiet(world)


def test_a_deal_of_a_person_alone_bills_the_person(world: World) -> None:
    world.crm("create_person", name="Jo Müller", email="jo@home.test")
    billed(world, org=None, person="Jo Müller")
    contact = only(world.contacts())
    assert (contact["name"], contact["number"]) == ("Jo Müller", "SJ-P1")
    quiet(world)


def test_two_deals_of_one_new_customer_make_one_contact(world: World) -> None:
    first, second = sell(world), sell(world, title="Autumn order")
    assert world.run().exit_code == 0
    contact = only(world.contacts())
    assert {invoice_of(world, d)["contact_id"] for d in (first, second)} == {contact["id"]}
    quiet(world)


def test_two_new_customers_with_one_name_are_not_made_twice(world: World) -> None:
    world.crm("create_org", name="Acme Pty")
    world.crm("create_org", name="ACME pty")
    sell(world)
    deal = world.crm("create_deal", title="Other", org=2, currency="AUD",
                     lines=[{"name": "Gadget", "price": 50, "quantity": 1, "tax": 10}])  # fmt: skip
    world.crm("win", deal=deal["id"])
    world.run()
    minutes(world, 1)
    assert codes(world.run()) == ["contact_linked_elsewhere"]  # the second waits for a person
    only(world.contacts())
    only(world.invoices())
    assert world.deal_fields(deal["id"])["Invoice status"] == "held"
    quiet(world)


def test_the_day_is_the_organisations_day_in_the_east(make_world: MakeWorld) -> None:
    late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)  # the 23rd in Sydney, 10:30
    world = make_world(start=late)
    deal = billed(world)
    assert invoice_of(world, deal)["day"] == "2026-11-23"


def test_the_day_is_the_organisations_day_in_the_west(make_world: MakeWorld) -> None:
    evening = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)  # still the 23rd in New York, 21:00
    world = make_world(
        region="US", start=evening, crm={"currency": "USD"},
        config={"invoices": {"tax": {"amounts": "no_tax"}}},
    )  # fmt: skip
    line = {"name": "Widget", "price": 100, "quantity": 1, "tax": 0}
    deal = billed(world, currency="USD", lines=[line])
    invoice = invoice_of(world, deal)
    assert (invoice["day"], invoice["due_day"]) == ("2026-11-23", "2026-12-23")


def test_a_purchase_order_prints_first(make_world: MakeWorld) -> None:
    world = make_world(init=False, config={"crm": {"inputs": {"purchase_order": "PO number"}}})
    world.crm("create_field", name="PO number")
    world.init()
    deal = billed(world, fields={"PO number": "PO-4711"})
    assert invoice_of(world, deal)["reference"] == f"PO-4711 SJ-{deal}-A1"


def test_a_deal_without_customer_is_held_and_goes_on_when_mended(world: World) -> None:
    deal = sell(world, org=None)
    other = sell(world, "Good Pty")
    report = world.run()
    assert (report.exit_code, codes(report)) == (1, ["no_customer"])
    assert world.deal_fields(deal)["Invoice status"] == "held"
    assert "organization" in world.deal_fields(deal)["Invoice note"]
    assert invoice_of(world, other)["status"] == "DRAFT"
    quiet(world)
    world.crm("edit_deal", deal=deal, org="Good Pty")
    report = world.run()
    assert (report.exit_code, codes(report)) == (0, [])
    assert invoice_of(world, deal)["status"] == "DRAFT"
    assert world.deal_fields(deal)["Invoice status"] == "draft"
    assert not world.deal_fields(deal).get("Invoice note")
    quiet(world)


def test_a_deal_without_products_is_held_until_the_config_says_how(world: World) -> None:
    deal = sell(world, lines=[], value=80)
    assert len(codes(world.run())) == 1
    assert world.invoices() == []
    world.overrides = {"invoices": {"without_products": "one_line", "value_is": "net"}}
    minutes(world, 1)
    plan = world.plan()
    assert plan.guard, plan.waits  # changed rules trip the guard once
    report = world.run(accept=plan.hash)
    assert codes(report) == []
    assert invoice_of(world, deal)["subtotal"] == "80.00"
    quiet(world)


def test_a_zero_total_is_listed_and_not_invoiced(world: World) -> None:
    sell(world, lines=[{"name": "Sample", "price": 0, "quantity": 1, "tax": 10}])
    report = world.run()
    assert codes(report) == ["total_not_positive"]
    assert world.invoices() == []
    quiet(world)


def test_never_is_for_good_until_taken_back(world: World) -> None:
    deal = sell(world, won=False)
    world.run()
    answer(world, "never", deal)
    world.crm("win", deal=deal)
    assert world.run().exit_code == 0
    assert world.invoices() == []
    answer(world, "create", deal)
    world.run()
    only(world.invoices())
    quiet(world)
