"""What random worlds found in the program, each as the shortest history that shows it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.sim.features import Features
from tests.sim.judge import recover
from tests.sim.judge_contacts import as_it_is
from tests.sim.world import World, new_world

WIDGET = {"name": "Widget", "price": 100, "quantity": 1, "tax": 10}


def test_a_call_is_not_sent_again_with_another_token() -> None:
    """Seed 20204: the answer was lost and the token renewed, and a ledger that remembers keys by
    token made a second draft of the same bytes (DESIGN 5.3: same key and same token)."""
    with new_world() as world:
        org = world.crm("create_org", name="Acme Pty")["id"]
        deal = world.crm("create_deal", title="Spring", org=org, currency="AUD", lines=[WIDGET])
        world.crm("win", deal=deal["id"])
        world.run(at_writes={1: "token renewed"})
        sent = [c for c in world.host.log.find(method="PUT") if b"SJ-1-A1" in c.body]
        assert [(c.status, c.effect) for c in sent] == [(200, "applied"), (401, "refused")]
        recover(world)
        assert len(world.xero.organisation.invoices) == 1


def _billed_by_hand(world: World, **contact: str) -> None:
    """A customer of the books alone, with an invoice that our program did not make."""
    made = world.books("create_contact", fields={"Name": "Rezuzidamo", **contact})
    line = {"Description": "By hand", "Quantity": 1, "UnitAmount": 50, "AccountCode": "200"}
    world.books("create_invoice", fields={
        "Contact": {"ContactID": made["done"]["id"]}, "LineItems": [line], "Status": "AUTHORISED",
        "DueDate": "2027-02-01",
    })  # fmt: skip


@pytest.mark.parametrize("vendor", ["pipedrive", "hubspot"])
@pytest.mark.parametrize("named", [False, True])
def test_a_customer_made_in_the_crm_is_whole_after_one_batch(vendor: str, named: bool) -> None:
    """Seed 7770063: the ledger named nobody there, so the organization holds the e-mail itself; it
    was made without, and got it by a second batch of writes (DESIGN 5.6: at most one)."""
    ann = {"FirstName": "Ann", "LastName": "Smith"} if named else {}
    with new_world(vendor=vendor, features=Features(contacts="ask", create_in_crm=True)) as world:
        _billed_by_hand(world, EmailAddress="e200@x.test", **ann)
        world.advance(timedelta(minutes=5))
        world.run()
        (org,) = world.truth.all("organizations")
        said = [as_it_is(world, "edit_org", {"org": org["id"]})["email"]]
        said += [mail["value"] for p in world.truth.all("persons") for mail in p["emails"]]
        assert [mail for mail in said if mail] == ["e200@x.test"]
        last = world.last_call()
        world.advance(timedelta(minutes=5))
        world.run()
        assert world.writes_since(last) == []
