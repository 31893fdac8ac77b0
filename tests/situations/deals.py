"""Deals, customers and lines as people make them."""

from __future__ import annotations

from syncjob.errors import Exit
from syncjob.sandbox.pipedrive import PipedriveServer
from tests.situations.bench import Desk, line
from tests.situations.table import no_invoice, one_draft, says, situation

DEALS = "Deals and their lines"
CUSTOMERS = "Customers"


def _beside_healthy(desk: Desk, deal: int, *words: str) -> None:
    """The deal is held with these words, here and on the deal; the healthy one is invoiced."""
    desk.crm("win", deal=1)
    says(desk.sync("run"), Exit.ISSUES, f"deal:{deal}", f"/deal/{deal}", *words)
    one_draft(desk)
    no_invoice(desk, deal)
    assert desk.fields(deal)["Invoice status"] == "held"
    assert desk.fields(1)["Invoice status"] == "draft"


@situation(DEALS, "nobody to invoice", "A won deal has neither an organization nor a person.")
def no_customer(desk: Desk) -> None:
    deal = desk.won("Orphan order", org=None)
    _beside_healthy(desk, deal, "Orphan order", "neither an organization nor a person")


@situation(DEALS, "no products", "A won deal has no line at all.")
def no_products(desk: Desk) -> None:
    desk.crm("create_org", name="Bare Pty Ltd")
    deal = desk.crm("create_deal", title="Bare order", org="Bare Pty Ltd", currency="AUD")["id"]
    desk.crm("win", deal=deal)
    _beside_healthy(desk, deal, "no products", "without_products")


@situation(DEALS, "a line without a name", "A line's product has a name of blanks.")
def nameless_line(desk: Desk) -> None:
    deal = desk.won("Nameless order", line("Widget"), line("Thing"))
    server = desk.servers.crm
    assert isinstance(server, PipedriveServer)
    rows = server.company.tables["rows"].rows.values()
    next(row for row in rows if row.record["name"] == "Thing").record["name"] = ""
    _beside_healthy(desk, deal, "neither a product nor a description")


@situation(DEALS, "quantity zero", "A line has the quantity 0.")
def zero_quantity(desk: Desk) -> None:
    deal = desk.won("Zero order", line("Filter", quantity=0))
    _beside_healthy(desk, deal, 'The line "Filter" has the quantity 0', "(quantity)")


@situation(DEALS, "a negative line", "One line is negative, the deal's total is not.")
def negative_line(desk: Desk) -> None:
    desk.crm("win", deal=1)
    deal = desk.won("Trade-in order", line("Machine", 100), line("Trade-in", -30))
    says(desk.sync("run"), Exit.DONE, "77.00 AUD")
    one_draft(desk)
    one_draft(desk, deal, "77.00")


@situation(DEALS, "a total below zero", "The lines of a deal come to less than nothing.")
def negative_total(desk: Desk) -> None:
    deal = desk.won("Refund order", line("Widget", 20), line("Refund", -30))
    _beside_healthy(desk, deal, "total", "-")


@situation(DEALS, "a currency that is not enabled", "The deal is in NOK; the books know AUD, EUR.")
def currency(desk: Desk) -> None:
    deal = desk.won("Oslo order", currency="NOK")
    _beside_healthy(desk, deal, "NOK", "has not enabled", "AUD, EUR", "(currency)")


@situation(DEALS, "invoiced by hand before", "The books hold an invoice of that customer and sum.")
def possible_double(desk: Desk) -> None:
    deal = desk.won("Second order")
    desk.books("create_contact", fields={"Name": "Second order Pty Ltd"})
    made = {
        "Contact": {"Name": "Second order Pty Ltd"},
        "InvoiceNumber": "HAND-7",
        "LineItems": [{"Description": "by hand", "UnitAmount": 50, "AccountCode": "200"}],
    }
    desk.books("create_invoice", fields=made)
    _beside_healthy(desk, deal, "Possible double of HAND-7", f"resolve deal {deal} --link HAND-7")
    says(desk.sync("resolve", "deal", str(deal), "--link", "HAND-7"), Exit.DONE)
    says(desk.sync("run"), Exit.DONE)
    assert desk.fields(deal)["Invoice status"] == "draft"
    assert len(desk.invoices()) == 2


@situation(DEALS, "a number on the deal", "Somebody typed an invoice number into the deal.")
def number_filled(desk: Desk) -> None:
    deal = desk.won("Typed order", fields={"Invoice number": "INV-4711"})
    _beside_healthy(desk, deal, "INV-4711", "the ledger does not show")
    desk.crm("edit_deal", deal=deal, fields={"Invoice number": None})
    says(desk.sync("run"), Exit.DONE)
    one_draft(desk, deal)


@situation(DEALS, "a sum far above all others", "The invoice is 200 times the largest so far.")
def unusually_large(desk: Desk) -> None:
    desk.crm("win", deal=1)
    says(desk.sync("run", show=False), Exit.DONE)
    deal = desk.won("Typing error", line("Widget", 10000))
    says(desk.sync("run"), Exit.ISSUES, "11,000.00 AUD", "55.00", f"resolve deal {deal} --create")
    no_invoice(desk, deal)
    says(desk.sync("resolve", "deal", str(deal), "--create", "--reason", "is right"), Exit.DONE)
    says(desk.sync("run"), Exit.DONE)
    one_draft(desk, deal, "11000.00")


@situation(DEALS, "never invoice it", "A person decides that a held deal is never invoiced.")
def never(desk: Desk) -> None:
    deal = desk.won("Gift", line("Widget", quantity=0))
    _beside_healthy(desk, deal, "quantity 0")
    says(desk.sync("resolve", "deal", str(deal), "--never", "--reason", "a gift"), Exit.DONE)
    says(desk.sync("run"), Exit.DONE)
    says(desk.sync("status", show=False), Exit.DONE)
    no_invoice(desk, deal)


@situation(DEALS, "an invoice that a person voided", "Finance approves, then voids our invoice.")
def voided(desk: Desk) -> None:
    desk.crm("win", deal=1)
    says(desk.sync("run", show=False), Exit.DONE)
    number = desk.invoices()[0]["number"]
    desk.books("approve", invoice=number, due_date="2026-12-31")
    desk.books("void", invoice=number)
    says(desk.sync("run"), Exit.ISSUES, "voided by a person", "`syncjob reissue 1`")
    assert len(desk.invoices()) == 1
    says(desk.sync("reissue", "1", "--reason", "wrong address"), Exit.DONE)
    says(desk.sync("run"), Exit.DONE)
    one_draft(desk)
    assert len(desk.invoices()) == 2


@situation(DEALS, "archived after its invoice", "The deal is archived, then its invoice is paid.")
def archived(desk: Desk) -> None:
    desk.crm("win", deal=1)
    says(desk.sync("run", show=False), Exit.DONE)
    number = desk.invoices()[0]["number"]
    desk.crm("archive_deal", deal=1)
    desk.books("approve", invoice=number, due_date="2026-12-31")
    desk.books("pay", invoice=number)
    says(
        desk.sync("run"),
        Exit.ISSUES,
        "deal:1",
        "archived",
        "Archived deals cannot be edited",
        "Unarchive",
    )
    desk.advance(2)  # nobody undoes this within the second of which stamps are made
    desk.crm("unarchive_deal", deal=1)
    says(desk.sync("run"), Exit.DONE, "paid")
    assert desk.fields(1)["Invoice status"] == "paid"


@situation(DEALS, "deleted after its invoice", "The deal is deleted in the CRM.")
def deleted(desk: Desk) -> None:
    desk.crm("win", deal=1)
    says(desk.sync("run", show=False), Exit.DONE)
    desk.crm("delete_deal", deal=1)
    desk.won("Next order")
    says(desk.sync("run"), Exit.ISSUES, "deal:1", "deleted")
    one_draft(desk, 2)


@situation(DEALS, "emoji and accents", 'Names and descriptions with emoji, accents and <&">.')
def letters(desk: Desk) -> None:
    name = "Žluťoučký Kůň & Søn 🐴 <GmbH>"
    org = desk.crm("create_org", name=name)["id"]
    deal = desk.won('Café "Ñandú" 🎉', line("Crème brûlée 🍮 <x> & Co", 40), org=org)
    says(desk.sync("run"), Exit.DONE, "Žluťoučký", "🎉")
    one_draft(desk, deal, "44.00")
    assert name in {c["name"] for c in desk.contacts()}
    assert desk.invoices()[0]["lines"][0]["description"] == "Crème brûlée 🍮 <x> & Co"


@situation(
    CUSTOMERS, "a name of 300 characters", "The organization's name is longer than Xero's 255."
)
def long_name(desk: Desk) -> None:
    org = desk.crm("create_org", name="Overlong-Name" * 23 + "!")["id"]
    deal = desk.won("Long order", org=org)
    _beside_healthy(desk, deal, "300 characters", "255", "(name)")


@situation(CUSTOMERS, "two contacts with one e-mail", "The books have two contacts of that e-mail.")
def one_email(desk: Desk) -> None:
    for name in ("Ann Lee Trading", "Ann Lee Holdings"):
        desk.books("create_contact", fields={"Name": name, "EmailAddress": "ann@lee.example"})
    desk.crm("create_person", name="Ann Lee", email="ann@lee.example")
    deal = desk.won("Lee order", person="Ann Lee")
    _beside_healthy(desk, deal, "ann@lee.example", "Ann Lee Trading", "Ann Lee Holdings")


@situation(CUSTOMERS, "an archived contact", "The customer's contact is archived in the books.")
def archived_contact(desk: Desk) -> None:
    deal = desk.won("Old order")
    desk.books("create_contact", fields={"Name": "Old order Pty Ltd"})
    desk.books("archive_contact", contact="Old order Pty Ltd")
    _beside_healthy(desk, deal, "Old order Pty Ltd", "archived")
