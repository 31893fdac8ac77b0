"""Repeating invoices, credit notes and e-mail of the sandbox Xero, by its wire protocol."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncjob.sandbox.xero import Options

from .xero_support import World, credit, invoice, messages, template

DAY = 86_400


@pytest.fixture
def world() -> World:
    return World()


def made_by(world: World, id: str) -> list[dict]:
    """The invoices that this repeating invoice made, oldest first."""
    dump = world.xero.dump()["organisations"][0]["invoices"]
    return [i for i in dump if i["repeating_id"] == id]


def wait(world: World, days: int) -> None:
    world.clock.advance(days * DAY)
    world.renew()


def test_a_draft_template_rests_until_a_person_approves_it(world):
    id = world.put("RepeatingInvoices", template())[0]["RepeatingInvoiceID"]
    wait(world, 31)
    assert made_by(world, id) == []
    world.act("approve_template", template=id)
    (first,) = made_by(world, id)
    assert (first["status"], first["day"], first["due_day"]) == (
        "AUTHORISED", "2026-04-02", "2026-04-16",
    )  # fmt: skip
    wait(world, 30)
    assert [i["day"] for i in made_by(world, id)] == ["2026-04-02", "2026-05-02"]


def test_it_may_also_make_drafts_at_once():
    world = World(Options(lag_max_s=0, limits=None, draft_templates_run=True))
    id = world.put("RepeatingInvoices", template())[0]["RepeatingInvoiceID"]
    wait(world, 31)
    assert [i["status"] for i in made_by(world, id)] == ["DRAFT"]


def test_what_it_makes_bears_its_reference_and_its_id_and_no_url(world):
    id = world.put("RepeatingInvoices", template(Reference="PO 7 SJ-1-r1", Status="AUTHORISED"))
    id = id[0]["RepeatingInvoiceID"]
    wait(world, 31)
    row = world.get("Invoices", page=1)["Invoices"][0]
    assert (row["Reference"], row["RepeatingInvoiceID"]) == ("PO 7 SJ-1-r1", id)
    assert row.get("Url") is None


def test_it_ends_on_its_end_date_and_when_it_is_deleted(world):
    ended = template(Status="AUTHORISED")
    ended["Schedule"] = {**ended["Schedule"], "EndDate": "2026-05-31"}
    first, second = world.put("RepeatingInvoices", ended, template(Status="AUTHORISED"))
    wait(world, 31)
    world.post(
        "RepeatingInvoices",
        {"RepeatingInvoiceID": second["RepeatingInvoiceID"], "Status": "DELETED"},
    )
    wait(world, 120)
    assert len(made_by(world, first["RepeatingInvoiceID"])) == 2
    assert len(made_by(world, second["RepeatingInvoiceID"])) == 1


def test_the_api_edits_no_template(world):
    id = world.put("RepeatingInvoices", template())[0]["RepeatingInvoiceID"]
    row = world.post("RepeatingInvoices", {**template(Reference="other"), "RepeatingInvoiceID": id})
    assert row[0]["HasErrors"]
    assert world.get(f"RepeatingInvoices/{id}")["RepeatingInvoices"][0].get("Reference") is None


@pytest.mark.parametrize(
    "change",
    [
        {"Period": 0},
        {"Unit": "DAILY"},
        {"DueDateType": "SOON"},
        {"StartDate": None},
        {"EndDate": "2026-01-01"},
        {"DueDateType": "OFFOLLOWINGMONTH", "DueDate": 0},
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(world, change):
    wrong = template()
    wrong["Schedule"] = {**wrong["Schedule"], **change}
    assert messages(world.put("RepeatingInvoices", wrong)[0])


def test_the_last_day_of_a_month_stays_the_last(world):
    monthly = template(Status="AUTHORISED")
    monthly["Schedule"] = {**monthly["Schedule"], "StartDate": "2026-03-31"}
    id = world.put("RepeatingInvoices", monthly)[0]["RepeatingInvoiceID"]
    wait(world, 100)
    assert [i["day"] for i in made_by(world, id)] == ["2026-03-31", "2026-04-30", "2026-05-31"]


def test_a_credit_note_is_a_draft_with_a_number_of_its_own(world):
    row = world.put("CreditNotes", credit(Reference="INV-0001 SJ-1-c1"))[0]
    assert (row["Status"], row["CreditNoteNumber"]) == ("DRAFT", "CN-0001")
    assert float(row["RemainingCredit"]) == 110.0


def test_people_approve_a_credit_note_and_apply_it(world):
    sale = world.invoice(Status="AUTHORISED")
    row = world.put("CreditNotes", credit())[0]
    id = row["CreditNoteID"]
    world.act("approve_credit", credit=id)
    world.act("allocate_credit", credit=id, invoice=sale["InvoiceNumber"])
    (invoice_now,) = world.get(f"Invoices/{sale['InvoiceID']}")["Invoices"]
    assert (invoice_now["Status"], float(invoice_now["AmountCredited"])) == ("PAID", 110.0)


def test_a_discount_on_a_credit_note_is_refused(world):
    wrong = credit()
    wrong["LineItems"] = [{**wrong["LineItems"][0], "DiscountRate": 10}]
    assert messages(world.put("CreditNotes", wrong)[0]) == [
        "Discounts may not be applied to credit notes."
    ]


def test_a_credit_note_keeps_the_rate_that_it_is_given(world):
    row = world.put("CreditNotes", credit(CurrencyCode="EUR", CurrencyRate=0.6123))[0]
    assert float(row["CurrencyRate"]) == 0.6123


def _mailed(world: World) -> list[str]:
    return [m["To"] for m in world.xero.dump()["organisations"][0]["emails"]]


def test_an_email_goes_to_the_contact_and_to_those_who_are_copied(world):
    persons = [
        {"FirstName": "Al", "EmailAddress": "al@acme.test", "IncludeInEmails": True},
        {"FirstName": "Bo", "EmailAddress": "bo@acme.test"},
    ]
    world.put("Contacts", {"Name": "Acme", "EmailAddress": "a@acme.test",
                           "ContactPersons": persons})  # fmt: skip
    sale = world.invoice(Status="AUTHORISED")
    assert world.call("POST", f"Invoices/{sale['InvoiceID']}/Email", {}).status == 204
    assert _mailed(world) == ["a@acme.test", "al@acme.test"]
    assert world.get(f"Invoices/{sale['InvoiceID']}")["Invoices"][0]["SentToContact"] is True


def test_a_draft_and_a_contact_without_address_are_not_mailed(world):
    for row in (world.invoice(), world.put("Invoices", invoice(Status="AUTHORISED"))[0]):
        assert world.call("POST", f"Invoices/{row['InvoiceID']}/Email", {}).status == 400
    assert _mailed(world) == []


def test_the_organisation_may_have_a_daily_cap_of_emails():
    world = World(replace(Options(lag_max_s=0, limits=None), email_cap=1))
    world.put("Contacts", {"Name": "Acme", "EmailAddress": "a@acme.test"})
    sales = [world.invoice(Status="AUTHORISED")["InvoiceID"] for _ in range(2)]
    answers = [world.call("POST", f"Invoices/{id}/Email", {}).status for id in sales]
    assert answers == [204, 400]
    wait(world, 1)
    assert world.call("POST", f"Invoices/{sales[1]}/Email", {}).status == 204
