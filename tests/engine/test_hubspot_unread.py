"""One input of a HubSpot read that failed: its deal waits, the others are billed, and nobody else
is billed in its place."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.engine.conftest import MakeWorld
from tests.engine.reconcile import kit
from tests.engine.scenes import awaiting, codes, invoice_of, minutes, quiet, sell
from tests.engine.world import World


@pytest.fixture
def hub(make_world: MakeWorld) -> World:
    world = make_world(crm="hubspot")
    world.crm("create_person", name="Jo Smith", email="jo@smith.example")
    return world


def failing(world: World, path: str, deal: int) -> None:
    """HubSpot has a trouble of its own with this one input, each time."""
    world.fault(
        kind="semantic", name="input_error", server="hubspot", path=path, times=0,
        contains=f'"{deal}"', body=str(deal),
    )  # fmt: skip


@pytest.mark.parametrize("path", ["deals/companies", "deals/contacts", "deals/line_items"])
def test_a_deal_that_cannot_be_read_whole_waits_and_no_other(hub: World, path: str) -> None:
    rules = {"without_products": "one_line"}
    hub.overrides["invoices"] = {**hub.overrides.get("invoices", {}), **rules}
    good, bad = sell(hub, "Good Pty"), sell(hub, "Bad Pty", person="Jo Smith")
    failing(hub, path, bad)
    report = hub.run()
    told = {i.code: (i.subject, i.what) for i in report.issues}
    assert {subject.partition(":")[2] for subject, _ in told.values()} == {str(bad)}
    assert "Something went wrong on our side" in told["record_unreadable"][1]
    assert told.keys() <= {"record_unreadable", "deal_unreadable"}
    assert [i["total"] for i in hub.invoices()] == [invoice_of(hub, good)["total"]]
    assert {c["name"] for c in hub.contacts()} == {"Good Pty"}
    minutes(hub, 5)
    hub.run()
    assert len(hub.invoices()) == 1
    hub.faults.clear()
    hub.advance(timedelta(hours=1))
    assert codes(hub.run()) == []
    assert {c["name"] for c in hub.contacts()} == {"Good Pty", "Bad Pty"}
    assert (invoice_of(hub, bad)["total"], len(hub.invoices())) == ("110.00", 2)
    quiet(hub)


def test_a_reconcile_goes_on_past_a_deal_whose_lines_cannot_be_read(hub: World) -> None:
    _, bad = awaiting(hub, title="Good"), awaiting(hub, title="Bad")
    failing(hub, "deals/line_items", bad)
    report = kit.reconcile(hub)
    assert report.complete and kit.kinds(report) == []
    with hub.connection() as handle:
        issues = handle.status().issues
    assert [(i.code, i.subject) for i in issues] == [("record_unreadable", f"deals:{bad}")]
    hub.faults.clear()
    hub.advance(timedelta(hours=1))
    assert codes(hub.run()) == []
    assert {i["status"] for i in hub.invoices()} == {"AUTHORISED"}
    quiet(hub)
