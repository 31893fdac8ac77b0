"""HubSpot's answers lost, broken or refused for now: nothing doubled, nothing forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from syncjob.sandbox.hubspot.server import SEMANTIC
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import awaiting, minutes, number_of, only, quiet, sell
from tests.engine.test_faults import FAULTS, recovers
from tests.engine.world import World

#: Most of the grid is for the nightly run.
EACH = [
    pytest.param(
        fault, id=" ".join(map(str, fault.values())), marks=() if n % 7 == 0 else pytest.mark.slow
    )
    for n, fault in enumerate(FAULTS)
]
READS = (
    "/deals/search$", "/line_items/batch/read$", "/associations/.*/batch/read$",
    "/companies/batch/read$", "/account-info/", "/objects/[^/]*/deals$",
)  # fmt: skip
BROKEN = [
    pytest.param({"kind": "html", "status": 200}, id="html"),
    pytest.param({"kind": "truncate"}, id="truncate", marks=pytest.mark.slow),
    pytest.param({"kind": "status", "status": 500}, id="500", marks=pytest.mark.slow),
]
REFUSALS = [
    pytest.param(
        name, marks=() if name in ("locked", "migration", "secondly") else pytest.mark.slow
    )
    for name in SEMANTIC
]


@pytest.fixture
def hub(make_world: MakeWorld) -> World:
    return make_world(crm="hubspot")


def fired(w: World, mark: int) -> bool:
    """Whether a fault was met: else the test would show nothing."""
    return any(c["fault"] for c in w.since(mark))


@pytest.mark.parametrize("fault", EACH)
def test_each_fault_at_the_write_of_deals(hub: World, fault: dict[str, Any]) -> None:
    deals = [sell(hub), sell(hub, "Good Pty")]
    hub.fault(server="hubspot", method="POST", path="/deals/batch/update$", **fault)
    mark = hub.mark()
    hub.run()
    assert fired(hub, mark)
    recovers(hub, deals)


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("fault", BROKEN)
def test_a_read_that_stays_broken_writes_nothing_blind(
    hub: World, fault: dict[str, Any], path: str
) -> None:
    deals = [sell(hub), sell(hub, "Good Pty")]
    hub.fault(server="hubspot", path=path, times=9, **fault)
    mark = hub.mark()
    hub.run()
    assert fired(hub, mark)
    assert len(hub.invoices()) in (0, 2)
    hub.faults.clear()
    recovers(hub, deals)


@pytest.mark.parametrize("name", REFUSALS)
def test_each_refusal_is_waited_out(hub: World, name: str) -> None:
    deals = [sell(hub), sell(hub, "Good Pty")]
    hub.fault(kind="semantic", name=name, path="/deals/batch/update$")
    mark, began = hub.mark(), hub.clock.now()
    report = hub.run()
    asked = [c for c in hub.since(mark) if c["path"].endswith("/deals/batch/update")]
    assert 1 <= len(asked) <= 2, name  # never a hot loop
    assert asked[0]["status"] >= 400
    assert (hub.clock.now() - began).total_seconds() < 300
    if report.resume_at is not None:
        minutes(hub, int((report.resume_at - hub.clock.now()).total_seconds() // 60) + 1)
    recovers(hub, deals)


def test_an_answer_lost_after_a_task_was_made_makes_no_second(make_world: MakeWorld) -> None:
    settings = {"mode": "full", "invoices": {"status": "authorised"}, "notices": {"steps": [1, 7]}}
    w = make_world(crm="hubspot", config=settings)
    awaiting(w)
    w.fault(kind="lost", server="hubspot", path="/tasks/batch/create$")
    for _ in range(4):
        minutes(w, 31 * 24 * 60 if not _ else 20)
        w.run()
    assert len(w.crm_state()["activities"]) == 1


def test_a_payment_whose_word_was_lost_is_looked_up(hub: World) -> None:
    deal = awaiting(hub)
    hub.books("pay", invoice=number_of(hub, deal))
    minutes(hub, 5)
    hub.fault(kind="lost", server="hubspot", path="/deals/batch/update$")
    mark = hub.mark()
    hub.run()
    minutes(hub, 1)
    hub.run()
    assert hub.deal_fields(deal)["Invoice status"] == "paid"
    assert len(hub.writes(mark)) == 1
    quiet(hub)


def test_a_crm_that_is_down_doubles_nothing(hub: World) -> None:
    deals = [sell(hub)]
    hub.fault(kind="status", status=503, server="hubspot", path="/batch/update$", times=20)
    for _ in range(3):
        hub.run()
        minutes(hub, 5)
    only(hub.invoices())
    hub.faults.clear()
    recovers(hub, deals)
