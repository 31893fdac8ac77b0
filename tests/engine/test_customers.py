"""Whose customer: which of the ledger's contacts is billed, and when a person must say so."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.scenes import billed, codes, invoice_of, minutes, only, quiet, sell
from tests.engine.world import World


def _contact(w: World, name: str, **fields: Any) -> str:
    return str(w.books("create_contact", fields={"Name": name, **fields})["done"]["id"])


def test_a_contact_of_exactly_this_name_is_used_and_left_alone(world: World) -> None:
    known = _contact(world, "ACME  pty")
    before = only(world.contacts())
    deal = billed(world)
    assert invoice_of(world, deal)["contact_id"] == known
    after = only(world.contacts())
    assert (after["name"], after["number"], after["fields"]) == (
        before["name"], before["number"], before["fields"],
    )  # fmt: skip
    quiet(world)


def test_the_drafts_of_one_call_link_their_customer_once(world: World) -> None:
    known, other = _contact(world, "Acme Pty"), _contact(world, "Beta Pty")
    orgs = {"Acme Pty": known, "Beta Pty": other}
    deals = {sell(world, org, title=f"Order {n}"): org for n in (1, 2) for org in orgs}
    assert world.run().exit_code == 0
    assert {d: invoice_of(world, d)["contact_id"] for d in deals} == {
        deal: orgs[org] for deal, org in deals.items()
    }
    with world.connection() as handle:
        links = handle.state.links.contacts()
        told = [row for crm, _ in links for row in handle.state.audit.rows_of(target=f"link:{crm}")]
    assert sorted(ledger for _, ledger in links) == sorted(orgs.values())
    assert sorted((row.field, row.after) for row in told) == sorted(
        ("link", contact) for contact in orgs.values()
    )
    quiet(world)


def test_name_and_email_agreeing_find_the_contact(world: World) -> None:
    known = _contact(world, "Acme Pty", EmailAddress="jo@acme.test")
    _contact(world, "Beta Pty", EmailAddress="jo@acme.test")
    world.crm("create_person", name="Jo Doe", email="JO@acme.test")
    deal = billed(world, person="Jo Doe")
    assert invoice_of(world, deal)["contact_id"] == known
    quiet(world)


def test_a_linked_contact_is_found_after_both_were_renamed(world: World) -> None:
    first = billed(world)
    world.books("rename_contact", contact="Acme Pty", name="Acme Holdings")
    world.crm("edit_org", org="Acme Pty", name="Acme International")
    minutes(world, 5)
    second = billed(world, org="Acme International")
    assert invoice_of(world, first)["contact_id"] == invoice_of(world, second)["contact_id"]
    only(world.contacts())
    quiet(world)


def test_a_merge_in_the_ledger_is_followed(world: World) -> None:
    billed(world)
    survivor = _contact(world, "Acme Group")
    world.books("merge_contacts", loser="Acme Pty", survivor="Acme Group")
    minutes(world, 5)
    deal = billed(world, title="Next order")
    assert invoice_of(world, deal)["contact_id"] == survivor
    quiet(world)


def _email_with_another_name(w: World) -> None:
    _contact(w, "Beta Pty", EmailAddress="jo@acme.test")


def _archived(w: World) -> None:
    _contact(w, "Acme Pty")
    w.books("archive_contact", contact="Acme Pty")


def _supplier(w: World) -> None:
    contact = _contact(w, "Acme Pty")
    line = {"Description": "Rent", "Quantity": 1, "UnitAmount": 10, "AccountCode": "429"}
    w.books("create_invoice", fields={
        "Type": "ACCPAY", "Contact": {"ContactID": contact}, "Date": "2026-11-20",
        "DueDate": "2026-12-20", "LineItems": [line], "Status": "AUTHORISED",
    })  # fmt: skip


def _two(w: World) -> None:
    _contact(w, "Acme Pty")
    _contact(w, "Beta Pty", EmailAddress="jo@acme.test")


HELD = [
    (_email_with_another_name, "contact_email_other_name"),
    (_archived, "contact_archived"),
    (_supplier, "contact_supplier_only"),
    (_two, "contact_two_candidates"),
]


@pytest.mark.parametrize(("scene", "code"), HELD, ids=[code for _, code in HELD])
def test_doubt_about_the_customer_holds_the_deal_alone(world: World, scene: Any, code: str) -> None:
    scene(world)
    world.crm("create_person", name="Jo Doe", email="jo@acme.test")
    deal, other = sell(world, person="Jo Doe"), sell(world, "Good Pty")
    before = len(world.contacts())
    report = world.run()
    assert (report.exit_code, codes(report)) == (1, [code])
    assert world.deal_fields(deal)["Invoice status"] == "held"
    assert world.deal_fields(deal)["Invoice note"]
    assert invoice_of(world, other)["status"] == "DRAFT"
    only(world.invoices())
    assert len(world.contacts()) == before + 1
    quiet(world)


def test_two_candidates_go_on_after_a_merge_in_the_ledger(world: World) -> None:
    _two(world)
    world.crm("create_person", name="Jo Doe", email="jo@acme.test")
    deal = sell(world, person="Jo Doe")
    world.run()
    world.books("merge_contacts", loser="Beta Pty", survivor="Acme Pty")
    minutes(world, 5)
    report = world.run()
    assert (report.exit_code, codes(report)) == (0, [])
    assert invoice_of(world, deal)["status"] == "DRAFT"
    assert world.deal_fields(deal)["Invoice status"] == "draft"
    quiet(world)


def test_an_archived_contact_goes_on_when_it_is_restored(world: World) -> None:
    _archived(world)
    deal = sell(world)
    assert codes(world.run()) == ["contact_archived"]
    world.books("restore_contact", contact="Acme Pty")
    minutes(world, 5)
    assert codes(world.run()) == []
    assert invoice_of(world, deal)["status"] == "DRAFT"
    quiet(world)


def test_an_email_mended_in_the_crm_is_seen_within_the_hour(world: World) -> None:
    _email_with_another_name(world)
    world.crm("create_person", name="Jo Doe", email="jo@acme.test")
    deal = sell(world, person="Jo Doe")
    assert codes(world.run()) == ["contact_email_other_name"]
    world.crm("edit_person", person="Jo Doe", email="doe@acme.test")
    minutes(world, 60)
    assert codes(world.run()) == []
    assert invoice_of(world, deal)["status"] == "DRAFT"
    quiet(world)


def test_a_contact_name_of_300_characters_is_held(world: World) -> None:
    deal = sell(world, "A" * 300)
    report = world.run()
    assert codes(report) == ["contact_name_too_long"]
    assert world.contacts() == []
    assert world.deal_fields(deal)["Invoice status"] == "held"
    quiet(world)
