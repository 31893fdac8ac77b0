"""Where rule and mode say so, a draft is approved: at most once, and never in doubt."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import (
    answer,
    billed,
    codes,
    invoice_of,
    minutes,
    number_of,
    only,
    quiet,
    sell,
    writes_to,
)
from tests.engine.test_doubles import by_hand
from tests.engine.world import World

FULL = {"mode": "full", "invoices": {"status": "authorised", "value_is": "gross"}}


@pytest.fixture
def full(make_world: MakeWorld) -> World:
    """A firm whose finance lets invoices be approved."""
    return make_world(config=FULL)


FAULTS: list[dict[str, Any]] = [
    {"kind": "lost"},
    {"kind": "lost", "times": 2},
    {"kind": "status", "status": 500, "when": "after"},
    {"kind": "status", "status": 503, "when": "before"},
    {"kind": "html", "status": 502, "when": "after"},
    {"kind": "truncate", "times": 2},
    {"kind": "late", "delay_s": 500, "times": 2},
]


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("fault", FAULTS, ids=[" ".join(map(str, f.values())) for f in FAULTS])
def test_each_fault_at_each_step(full: World, fault: dict[str, Any], method: str) -> None:
    deals = [sell(full), sell(full, "Good Pty")]
    full.fault(server="xero", method=method, path="/Invoices$", **fault)
    full.run()
    for _ in range(2):
        minutes(full, 20)
        full.run()
    live = [i for i in full.invoices() if i["status"] != "DELETED"]
    assert [i["status"] for i in live] == ["AUTHORISED", "AUTHORISED"]
    for deal in deals:
        assert full.deal_fields(deal)["Invoice status"] == "awaiting payment"
        assert full.deal_fields(deal)["Invoice number"] == number_of(full, deal)
    assert codes(quiet(full)) == []


def test_a_number_given_before_a_lost_draft_is_found_stays_and_keeps_nobody(full: World) -> None:
    """Nobody can tell it from the ledger's own (docs/guarantees.md, "Where it ends")."""
    deal = sell(full)
    full.fault(kind="lost", server="xero", method="PUT", path="/Invoices$", times=2)
    full.run()
    draft = only(full.invoices())
    full.books("edit_invoice", invoice=draft["id"], fields={"InvoiceNumber": "HAND-1"})
    minutes(full, 5)
    assert codes(full.run()) == []
    assert (invoice_of(full, deal)["number"], invoice_of(full, deal)["status"]) == (
        "HAND-1", "AUTHORISED",
    )  # fmt: skip
    assert full.deal_fields(deal)["Invoice number"] == "HAND-1"
    quiet(full)


def test_a_draft_whose_total_is_in_doubt_waits_for_a_person(full: World) -> None:
    deal = sell(full)
    full.crm("add_discount", deal=deal, type="amount", amount=10, description="Friend")
    full.crm("edit_deal", deal=deal, value=500)
    assert codes(full.run()) == ["totals_differ"]
    assert invoice_of(full, deal)["status"] == "DRAFT"
    quiet(full)


def test_lines_that_change_after_the_draft_are_followed(make_world: MakeWorld) -> None:
    world = make_world(config={"invoices": {"value_is": "gross"}})
    deal = sell(world)
    assert world.run().exit_code == 0
    world.crm("add_line", deal=deal, name="More", price=50, quantity=1, tax=10)
    world.crm("edit_deal", deal=deal, title="Grown")
    minutes(world, 5)
    mark = world.mark()
    report = world.run()
    assert codes(report) == []
    assert [c["method"] for c in writes_to(world, mark, "/Invoices")] == ["POST"]
    assert invoice_of(world, deal)["total"] == "165.00"
    quiet(world)
    world.books("approve", invoice=number_of(world, deal))
    minutes(world, 5)
    assert codes(world.run()) == []  # a person has looked and decided
    quiet(world)


def test_a_raised_mode_approves_what_is_untouched_and_re_dates_it(make_world: MakeWorld) -> None:
    world = make_world(config={"schedule": {"every_minutes": 1440}})
    deal = sell(world)
    world.run()
    world.overrides |= FULL
    minutes(world, 60 * 24)
    world.crm("edit_deal", deal=deal, title="Looked at")
    report = world.run()
    assert report.exit_code == 6  # the rules have changed
    world.run(accept=report.plan_hash)
    invoice = invoice_of(world, deal)
    assert (invoice["status"], invoice["day"], invoice["due_day"]) == (
        "AUTHORISED",
        "2026-11-24",
        "2026-12-24",
    )
    quiet(world)


def test_what_waits_is_approved_as_its_deal_is_by_then(make_world: MakeWorld) -> None:
    """Lines change without the deal's stamp, and an approved invoice cannot follow any more."""
    world = make_world(config={"invoices": {"status": "authorised"}})
    deal = billed(world)
    for _ in range(3):
        minutes(world, 20)
        world.run()
    row = only([r for r in world.crm_state()["rows"].values() if r["deal_id"] == deal])
    world.crm("edit_line", deal=deal, line=row["id"], price=150)
    world.overrides["mode"] = "full"
    for _ in range(2):
        minutes(world, 20)
        assert codes(world.run()) == []
    made = invoice_of(world, deal)
    assert (made["status"], made["total"]) == ("AUTHORISED", "165.00")
    quiet(world)


@pytest.mark.parametrize("fault", [None, {"kind": "lost"}, {"kind": "refuse"}])
def test_the_days_of_early_payment_count_from_the_approval(
    make_world: MakeWorld, fault: dict[str, Any] | None
) -> None:
    """What is printed must be what is recognised later: words follow the date, and come first."""
    invoices = {"status": "authorised", "terms": {"default": "2/10 net 30"}}
    world = make_world(config={"invoices": invoices})
    deal = billed(world)
    assert "received by 2026-12-03" in invoice_of(world, deal)["lines"][1]["description"]
    world.overrides["mode"] = "full"
    world.advance(timedelta(days=1))
    if fault is not None:
        world.fault(server="xero", method="POST", path="/Invoices$", **fault)
    for _ in range(4):
        world.run()
        minutes(world, 8)
    made = invoice_of(world, deal)
    assert (made["status"], made["day"], made["due_day"]) == (
        "AUTHORISED", "2026-11-24", "2026-12-24",
    )  # fmt: skip
    assert "received by 2026-12-04" in made["lines"][1]["description"]
    quiet(world)


def test_a_person_was_faster(full: World) -> None:
    deal = sell(full)

    def progress(stage: str, done: int, total: int | None) -> None:
        drafts = [i for i in full.invoices() if i["status"] == "DRAFT"] if stage == "push" else []
        if drafts:
            full.books("approve", invoice=drafts[0]["number"])
            full.books("pay", invoice=drafts[0]["number"])

    full.run(progress=progress)
    for _ in range(2):
        minutes(full, 20)
        full.run()
    assert only(full.invoices())["status"] == "PAID"
    assert full.deal_fields(deal)["Invoice status"] == "paid"
    assert codes(quiet(full)) == []


def test_a_draft_deleted_by_a_person_before_its_approval(full: World) -> None:
    deal = sell(full)

    def progress(stage: str, done: int, total: int | None) -> None:
        drafts = [i for i in full.invoices() if i["status"] == "DRAFT"] if stage == "push" else []
        if drafts:
            full.books("delete", invoice=drafts[0]["number"])

    full.run(progress=progress)
    for _ in range(2):
        minutes(full, 20)
        full.run()
    assert only(full.invoices())["status"] == "DELETED"
    assert full.deal_fields(deal)["Invoice status"] == "deleted"
    assert codes(quiet(full)) == ["reissue_needed"]


def test_raising_the_mode_approves_the_drafts_that_wait(make_world: MakeWorld) -> None:
    world = make_world(config={"invoices": {"status": "authorised"}})
    deal = billed(world)
    assert invoice_of(world, deal)["status"] == "DRAFT"
    quiet(world)
    world.overrides = {**world.overrides, "mode": "full"}
    world.run()
    assert invoice_of(world, deal)["status"] == "AUTHORISED"
    assert world.deal_fields(deal)["Invoice status"] == "awaiting payment"
    quiet(world)


@pytest.mark.parametrize("mode", ["drafts_only", "full"])
@pytest.mark.parametrize("fault", [{"status": 500}, {"kind": "lost", "times": 2}])
def test_an_invoice_that_a_person_links_while_a_create_is_unknown(
    make_world: MakeWorld, mode: str, fault: dict[str, Any]
) -> None:
    """The draft whose answer was lost is one too many, and ours: it was taken for the work of
    another instance, and nothing was created any more."""
    w = make_world(config={"mode": mode, "invoices": {"status": "authorised"}})
    number = by_hand(w, amount=70)
    minutes(w, 5)
    w.run()
    deal = sell(w)
    w.fault(server="xero", method="PUT", path="/Invoices$",
            **{"kind": "status", "when": "after", **fault})  # fmt: skip
    w.run()
    answer(w, f"link:{number}", deal)
    for _ in range(2):
        minutes(w, 20)
        assert codes(w.run()) == ["duplicate_effect"]
    assert w.deal_fields(deal)["Invoice number"] == number
    draft = invoice_of(w, deal)
    assert draft["status"] == "DRAFT"
    other = sell(w, "Good Pty")
    minutes(w, 5)
    (issue,) = w.run().issues
    assert draft["number"] in issue.what
    assert issue.next_step.startswith("Delete or void it in the ledger")
    assert number_of(w, other)
    w.books("delete", invoice=draft["id"])
    minutes(w, 5)
    assert codes(w.run()) == []
    assert w.deal_fields(deal)["Invoice number"] == number
    quiet(w)
