"""HubSpot's answers lost, late, cut off or replaced, at each call of a batch: one invoice, one
task, and the truth on the deal once it is at rest again."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any

import pytest

from syncjob.errors import SyncJobError
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import minutes, number_of, quiet, sell
from tests.engine.world import PATIENCE, World

READS = (
    "/deals/search", "/deals/companies/batch/read", "/deals/contacts/batch/read",
    "/line_items/search", "/deals$", "/companies/batch/read", "/deals/line_items/batch/read",
    "/line_items/batch/read",
)  # fmt: skip
BAD: dict[str, dict[str, Any]] = {
    "lost": {"kind": "lost"},
    "late": {"kind": "late", "delay_s": 200},
    "500": {"kind": "status", "status": 500},
    "page": {"kind": "html", "status": 200},
    "cut": {"kind": "truncate"},
    "locked": {"kind": "semantic", "name": "locked"},
    "daily": {"kind": "semantic", "name": "daily"},
}
slow = pytest.mark.slow


def owing(make_world: MakeWorld) -> World:
    """A firm whose debts are told in HubSpot tasks."""
    notices = {"by": ["task"], "steps": [1]}
    world = make_world(crm="hubspot", config={"notices": notices})
    world.crm("create_user", name="Olivia Owner", email="olivia@x.test")
    return world


def batch(world: World) -> None:
    """A batch that may end early: whatever a fault did to it, the next one goes on."""
    with contextlib.suppress(SyncJobError):
        world.run()
    minutes(world, 5)


def at_rest(world: World) -> None:
    world.faults.clear()
    for _ in range(4):  # a day's limit is asked about again after an hour
        world.advance(PATIENCE)
        batch(world)
    quiet(world)


def live(world: World) -> list[dict[str, Any]]:
    return [i for i in world.invoices() if i["status"] not in ("VOIDED", "DELETED")]


def judged(world: World, deal: int, state: str) -> None:
    at_rest(world)
    assert [i["total"] for i in live(world)] == ["110.00"] and len(world.contacts()) == 1
    assert world.deal_fields(deal)["Invoice status"] == state


@pytest.mark.parametrize("kind", BAD)
def test_a_fault_where_the_deal_is_told_of_its_invoice(make_world: MakeWorld, kind: str) -> None:
    world = make_world(crm="hubspot")
    deal = sell(world)
    world.fault(path="/deals/batch/update", **BAD[kind])
    batch(world)
    judged(world, deal, "draft")


@pytest.mark.parametrize(
    "kind", ["page", *(pytest.param(kind, marks=slow) for kind in ("500", "cut", "lost"))]
)
@pytest.mark.parametrize("path", READS)
def test_a_fault_at_each_read(make_world: MakeWorld, path: str, kind: str) -> None:
    world = make_world(crm="hubspot")
    deal = sell(world)
    world.fault(path=path, times=9, server="hubspot", **BAD[kind])
    mark = world.mark()
    batch(world)
    assert any(c["fault"] for c in world.since(mark)), "nothing was read there"
    judged(world, deal, "draft")


@pytest.mark.parametrize("kind", ["lost", "late", "500", "cut"])
def test_a_task_is_made_once_whatever_becomes_of_its_answer(
    make_world: MakeWorld, kind: str
) -> None:
    world = owing(make_world)
    deal = sell(world, owner="Olivia Owner")
    batch(world)
    world.books("approve", invoice=number_of(world, deal))
    batch(world)
    world.advance(timedelta(days=35))
    world.fault(path="/tasks/batch/create", **BAD[kind])
    batch(world)
    at_rest(world)
    tasks = world.crm_state()["activities"]
    assert len(tasks) == 1
