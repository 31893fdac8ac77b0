"""Answers that are lost, broken or refused for now: nothing doubled, nothing forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.scenes import awaiting, codes, minutes, number_of, only, quiet, sell, writes_to
from tests.engine.world import World


def recovers(w: World, deals: list[int]) -> None:
    """Within two batches after the patience every deal has exactly its draft, and it is quiet."""
    for _ in range(2):
        minutes(w, 20)
        w.run()
    assert len(w.invoices()) == len(deals)
    assert len({i["url"] for i in w.invoices()}) == len(deals)
    for deal in deals:
        assert w.deal_fields(deal)["Invoice status"] == "draft"
    report = quiet(w)
    assert (report.exit_code, codes(report)) == (0, [])


def test_a_lost_answer_is_asked_for_once_more_with_the_same_key(world: World) -> None:
    sell(world)
    world.fault(kind="lost", server="xero", method="PUT", path="/Invoices$")
    mark = world.mark()
    assert world.run().exit_code == 0
    puts = writes_to(world, mark, "/Invoices")
    assert len(puts) == 2
    assert len({(c["headers"]["idempotency-key"], c["body"]) for c in puts}) == 1
    only(world.invoices())
    quiet(world)


FAULTS: list[dict[str, Any]] = [
    {"kind": "lost", "times": 2},
    {"kind": "status", "status": 500, "when": "after"},
    {"kind": "status", "status": 500, "when": "before"},
    {"kind": "status", "status": 503, "when": "before"},
    {"kind": "status", "status": 503, "when": "after"},
    {"kind": "html", "status": 502, "when": "before"},
    {"kind": "html", "status": 502, "when": "after"},
    {"kind": "html", "status": 200, "when": "after"},
    {"kind": "truncate"},
    {"kind": "truncate", "times": 2},
    {"kind": "empty", "status": 200, "when": "after"},
    {"kind": "refuse"},
    {"kind": "refuse", "times": 2},
    {"kind": "late", "delay_s": 50},
    {"kind": "late", "delay_s": 500, "times": 2},
]
PLACES = [
    ("xero", "PUT", "/Contacts$"),
    ("xero", "PUT", "/Invoices$"),
    ("pipedrive", "PATCH", "/deals/"),
]


@pytest.mark.parametrize(
    ("server", "method", "path"), PLACES, ids=["contacts", "invoices", "deals"]
)
@pytest.mark.parametrize("fault", FAULTS, ids=[" ".join(map(str, f.values())) for f in FAULTS])
def test_each_fault_at_each_write(
    world: World, fault: dict[str, Any], server: str, method: str, path: str
) -> None:
    deals = [sell(world), sell(world, "Good Pty")]
    world.fault(server=server, method=method, path=path, **fault)
    world.run()
    assert len(world.invoices()) <= 2
    recovers(world, deals)


READS = [("xero", "/Invoices$"), ("xero", "/Contacts$"), ("pipedrive", "/deals$"),
         ("pipedrive", "/organizations"), ("pipedrive", "/products")]  # fmt: skip
BROKEN: list[dict[str, Any]] = [
    {"kind": "html", "status": 502, "times": 9},
    {"kind": "truncate", "times": 9},
    {"kind": "status", "status": 500, "times": 9},
    {"kind": "html", "status": 200, "times": 9},
]


@pytest.mark.parametrize(("server", "path"), READS, ids=[p for _, p in READS])
@pytest.mark.parametrize("fault", BROKEN, ids=[f"{f['kind']} {f.get('status')}" for f in BROKEN])
def test_reads_that_stay_broken_write_nothing_blind(
    world: World, fault: dict[str, Any], server: str, path: str
) -> None:
    deals = [sell(world), sell(world, "Good Pty")]
    world.fault(server=server, method="GET", path=path, **fault)
    report = world.run()
    assert report.exit_code in (1, 4)
    assert world.invoices() == []
    world.faults.clear()
    recovers(world, deals)


def test_a_minute_limit_is_sat_out_or_comes_back_later(world: World) -> None:
    deals = [sell(world), sell(world, "Good Pty")]
    world.fault(kind="status", status=429, server="xero", method="PUT", path="/Invoices$",
                headers={"Retry-After": "30", "X-Rate-Limit-Problem": "minute"})  # fmt: skip
    mark = world.mark()
    world.run()
    assert len(writes_to(world, mark, "/Invoices")) <= 2  # never a hot loop
    recovers(world, deals)


def test_a_day_limit_ends_the_batch_and_says_when(world: World) -> None:
    deals = [sell(world), sell(world, "Good Pty")]
    day = {"Retry-After": "40000", "X-Rate-Limit-Problem": "day"}
    world.fault(
        kind="status", status=429, server="xero", method="PUT", path="/Invoices$", headers=day
    )
    began = world.clock.now()
    report = world.run()
    assert (report.exit_code, report.result) == (4, "later")
    assert report.resume_at is not None
    assert (report.resume_at - began).total_seconds() >= 39_000
    assert (world.clock.now() - began).total_seconds() < 300  # it does not hang
    assert world.invoices() == []
    mark = world.mark()
    early = world.run()  # cron does not know: it must stay quiet
    assert early.exit_code == 4
    assert [c for c in world.since(mark) if c["server"] == "xero"] == []
    minutes(world, 40_000 // 60 + 5)
    world.run()
    recovers(world, deals)


def test_a_day_limit_on_a_read(world: World) -> None:
    deals = [sell(world)]
    day = {"Retry-After": "40000", "X-Rate-Limit-Problem": "day"}
    world.fault(
        kind="status", status=429, server="xero", method="GET", path="/Invoices$", headers=day
    )
    report = world.run()
    assert (report.exit_code, report.resume_at is not None) == (4, True)
    minutes(world, 40_000 // 60 + 5)
    world.run()
    recovers(world, deals)


def test_a_lost_patch_is_settled_by_looking(world: World) -> None:
    deal = awaiting(world)
    world.books("pay", invoice=number_of(world, deal))
    minutes(world, 5)
    world.fault(kind="lost", server="pipedrive", method="PATCH", path="/deals/")
    mark = world.mark()
    world.run()
    assert world.deal_fields(deal)["Invoice status"] == "paid"
    minutes(world, 1)
    world.run()
    assert len(world.writes(mark)) == 1  # seen to have landed: not sent again
    quiet(world)


def test_a_crm_that_is_down_does_not_double_anything(world: World) -> None:
    deals = [sell(world)]
    world.fault(kind="status", status=503, server="pipedrive", method="PATCH", times=20)
    for _ in range(3):
        world.run()
        minutes(world, 5)
    only(world.invoices())
    world.faults.clear()
    recovers(world, deals)


def test_tokens_that_expire_within_a_batch(world: World) -> None:
    deals = [sell(world), sell(world, "Good Pty")]

    def progress(stage: str, done: int, total: int | None) -> None:
        if stage == "push" and done == 1:
            world.books("expire_tokens")

    world.run(progress=progress)
    recovers(world, deals)
