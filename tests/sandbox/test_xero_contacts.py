"""Contacts of the sandbox Xero: unique names, numbers, archiving, merging, limits."""

from __future__ import annotations

from typing import Any

import pytest

from .xero_support import World, invoice, messages

TAKEN = (
    "The contact name ACME is already assigned to another contact. "
    "The contact name must be unique across all active contacts."
)


@pytest.fixture
def world() -> World:
    return World()


def test_names_are_unique_among_active_contacts(world: World) -> None:
    first = world.put("Contacts", {"Name": "Acme", "EmailAddress": "a@example.com"})[0]
    assert first["StatusAttributeString"] == "OK"
    assert first["HasValidationErrors"] is False
    double = world.put("Contacts", {"Name": "ACME"})[0]
    assert (double["HasValidationErrors"], messages(double)) == (True, [TAKEN])
    world.act("archive_contact", contact="Acme")
    assert messages(world.put("Contacts", {"Name": "ACME"})[0]) == []
    with pytest.raises(Exception, match="already assigned"):
        world.act("restore_contact", contact="Acme")


def test_post_matches_by_id_number_and_name(world: World) -> None:
    row = world.put("Contacts", {"Name": "Acme", "ContactNumber": "crm:1"})[0]
    by_number = world.post("Contacts", {"ContactNumber": "crm:1", "FirstName": "Ann"})[0]
    by_name = world.post("Contacts", {"Name": "acme", "LastName": "Lee"})[0]
    assert {r["ContactID"] for r in (row, by_number, by_name)} == {row["ContactID"]}
    assert (by_name["FirstName"], by_name["LastName"], by_name["Name"]) == ("Ann", "Lee", "acme")
    number = world.put("Contacts", {"Name": "New", "ContactNumber": "crm:1"})[0]
    assert "Contact Number is already assigned" in messages(number)[0]
    assert world.get("Contacts/crm:1")["Contacts"][0]["ContactID"] == row["ContactID"]
    new = world.post("Contacts", {"Name": "Other"})[0]
    assert new["ContactID"] != row["ContactID"]
    renamed = world.post(f"Contacts/{new['ContactID']}", {"Name": "ACME"})[0]
    assert messages(renamed) == [TAKEN]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"Name": "x" * 256}, "Name field must not exceed 255"),
        ({"Name": "  "}, "at least 1 of the following"),
        ({}, "at least 1 of the following"),
        ({"Name": "A", "ContactNumber": "x" * 51}, "ContactNumber"),
        ({"Name": "A", "EmailAddress": "m\u00fcller@example.com"}, "Email address must be valid"),
        ({"Name": "A", "DefaultCurrency": "CAD"}, "not subscribed to currency CAD"),
        ({"Name": "A", "Addresses": [{"AddressType": "POBOX", "Country": "U.K. 2"}]}, "letters"),
        ({"Name": "A", "Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "1" * 51}]}, "Phone"),
        (
            {"Name": "A", "PaymentTerms": {"Sales": {"Day": 0, "Type": "OFCURRENTMONTH"}}},
            "1 and 31",
        ),
        ({"Name": "A", "AccountsReceivableTaxType": "FOO"}, "'FOO'"),
    ],
)
def test_refusals(world: World, fields: dict[str, Any], message: str) -> None:
    row = world.put("Contacts", fields)[0]
    assert message in "; ".join(messages(row))
    assert world.get("Contacts")["Contacts"] == []


def test_addresses_phones_and_terms_are_kept_by_type(world: World) -> None:
    fields = {
        "Name": " Caf\u00e9 \U0001f600 ",
        "Addresses": [{"AddressType": "POBOX", "City": "Bern", "Country": "Switzerland"}],
        "Phones": [{"PhoneType": "MOBILE", "PhoneNumber": "079"}],
        "PaymentTerms": {"Sales": {"Day": 14, "Type": "DAYSAFTERBILLDATE"}},
        "ContactPersons": [{"FirstName": "Al", "IncludeInEmails": True}],
    }
    row = world.put("Contacts", fields)[0]
    row = world.post(
        "Contacts",
        {"ContactID": row["ContactID"], "Addresses": [{"AddressType": "STREET", "City": "Thun"}]},
    )[0]
    full = world.get(f"Contacts/{row['ContactID']}")["Contacts"][0]
    assert full["Name"] == "Caf\u00e9 \U0001f600"
    assert [a["City"] for a in full["Addresses"]] == ["Thun", "Bern"]
    assert [p["PhoneNumber"] for p in full["Phones"]] == ["", "", "", "079"]
    assert full["PaymentTerms"]["Sales"] == {"Day": 14, "Type": "DAYSAFTERBILLDATE"}
    assert full["ContactPersons"][0]["IncludeInEmails"] is True


def test_archived_contacts_hide_from_lists(world: World) -> None:
    id = world.contact()
    assert world.post("Contacts", {"ContactID": id, "ContactStatus": "ARCHIVED"})[0]
    assert world.get("Contacts")["Contacts"] == []
    assert len(world.get("Contacts", includeArchived="True")["Contacts"]) == 1
    assert world.get(f"Contacts/{id}")["Contacts"][0]["ContactStatus"] == "ARCHIVED"


def test_a_merge_moves_invoices_and_leaves_the_survivors_stamp(world: World) -> None:
    loser, survivor = world.contact("Loser"), world.contact("Survivor")
    row = world.put("Invoices", invoice(Contact={"ContactID": loser}))[0]
    before = world.get(f"Contacts/{survivor}")["Contacts"][0]
    world.clock.advance(60)
    world.act("merge_contacts", loser="Loser", survivor="Survivor")
    gone = world.get(f"Contacts/{loser}")["Contacts"][0]
    after = world.get(f"Contacts/{survivor}")["Contacts"][0]
    assert (gone["ContactStatus"], gone["MergedToContactID"]) == ("ARCHIVED", survivor)
    assert (after["UpdatedDateUTC"], after["IsCustomer"]) == (before["UpdatedDateUTC"], True)
    moved = world.get(f"Invoices/{row['InvoiceID']}")["Invoices"][0]
    assert moved["Contact"]["ContactID"] == survivor
    listed = world.get("Contacts", includeArchived="true")["Contacts"]
    assert all("MergedToContactID" not in c for c in listed)
    paged = world.get("Contacts", includeArchived="true", page=1)["Contacts"]
    assert any("MergedToContactID" in c for c in paged)


def test_balances_count_what_is_due(world: World) -> None:
    world.invoice(Status="AUTHORISED", Date="2026-01-05", DueDate="2026-02-01")
    world.invoice(Status="AUTHORISED")
    world.invoice()
    row = world.get("Contacts", page=1)["Contacts"][0]
    assert (row["IsCustomer"], row["IsSupplier"]) == (True, False)
    world.invoice(Type="ACCPAY", InvoiceNumber="BILL")
    row = world.get("Contacts", page=1)["Contacts"][0]
    assert (row["IsCustomer"], row["IsSupplier"]) == (True, True)
    assert row["Balances"]["AccountsReceivable"] == {"Outstanding": 220, "Overdue": 110}
