"""However few calls a day has left, no deal is told of an invoice that does not stand in the books.

Found by seed 30007: the contact and the invoice were left for later, and the deal was still told of
the draft, with the words that stand in a plan where the ledger's link will be.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncjob.sandbox.xero.options import Limits
from tests.sim.judge_deals import deal_fields
from tests.sim.world import World, new_world

WIDGET = {"name": "Widget", "price": 100, "quantity": 1, "tax": 10}


def sell(w: World, org: int) -> None:
    deal = w.crm("create_deal", title="Spring", org=org, currency="AUD", lines=[WIDGET])
    w.crm("win", deal=deal["id"])


@pytest.mark.parametrize("vendor", ["pipedrive", "hubspot"])
@pytest.mark.parametrize("day", [*range(24, 44, 2), 60, 100, 200])
def test_what_is_left_for_later_is_left_whole(vendor: str, day: int) -> None:
    with new_world(vendor=vendor) as world:
        world.xero.set_limits(Limits(day=day))
        first, second = (world.crm("create_org", name=n)["id"] for n in ("Acme Pty", "Bolt & Sons"))
        for org in (first, first, second):
            sell(world, org)
        for _ in range(3):
            world.advance(timedelta(minutes=5))
            world.run()
            told = [deal_fields(world, deal) for deal in world.truth.all("deals")]
            said = [fields for fields in told if fields.get("Invoice status")]
            assert len(said) <= len(world.xero.organisation.invoices), said
            assert all("Invoice" in str(fields["Invoice link"]) for fields in said), said
