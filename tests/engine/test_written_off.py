"""A debt credited to a bad-debt account is written off, on the deal too."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from .world import World


def test_a_credit_to_a_bad_debt_account_is_a_write_off(tmp_path: Path) -> None:
    world = World(tmp_path, config={"invoices": {"bad_debt_accounts": ["408"]}})
    try:
        world.crm("create_org", name="Acme Pty")
        lines = [{"name": "Widget", "price": 100, "quantity": 3, "tax": 10}]
        deal = world.crm("create_deal", title="S", org="Acme Pty", currency="AUD", lines=lines)
        world.init()
        world.crm("win", deal=deal["id"])
        world.run()
        (invoice,) = world.invoices()
        world.books("approve", invoice=invoice["id"])
        world.advance(timedelta(minutes=5))
        world.run()
        world.books("credit", invoice=invoice["id"], account="408")
        world.advance(timedelta(minutes=5))
        mark = world.mark()
        world.run()
        fields = world.deal_fields(deal["id"])
        assert (fields["Invoice status"], fields["Invoice credited"]) == ("written off", 330)
        assert fields["Invoice paid"] == 0
        assert sum("CreditNotes" in call["path"] for call in world.since(mark)) == 1
        mark = world.mark()
        world.run()
        assert world.writes(mark) == []
    finally:
        world.close()
