"""What random worlds found in the program, each as the shortest history that shows it."""

from __future__ import annotations

from tests.sim.judge import recover
from tests.sim.world import new_world

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
