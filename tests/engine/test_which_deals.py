"""Which deals are invoiced at all, and how much one batch may do before a person looks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import codes, invoice_of, minutes, only, quiet, sell
from tests.engine.world import World

SMALL = {"guard": {"creates_first_week": 2, "creates": 2}}


def test_wins_before_the_first_day_are_never_invoiced(world: World) -> None:
    old = sell(world, won=False)
    world.crm("win", deal=old, won_time="2026-10-30T09:00:00Z")
    edge = sell(world, title="Edge", won=False)
    world.crm("win", deal=edge, won_time="2026-10-31T14:00:00Z")  # 1 November in Sydney
    assert world.run().exit_code == 0
    only(world.invoices())
    assert invoice_of(world, edge)["status"] == "DRAFT"
    world.crm("edit_deal", deal=old, title="Touched")
    minutes(world, 5)
    mark = world.mark()
    world.run(since=None)
    assert world.writes(mark) == []
    assert world.deal_fields(old) == {}  # an excluded deal is never written to
    quiet(world)


def test_the_first_win_counts(world: World) -> None:
    deal = sell(world, won=False)
    world.crm("win", deal=deal, won_time="2026-10-20T09:00:00Z")
    world.crm("reopen", deal=deal)
    world.crm("win", deal=deal)
    world.run()
    assert world.invoices() == []


RULES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"titles": ["*test*"]}, {"title": "A TEST deal"}),
    ({"organizations": ["acme pty"]}, {}),
    ({"currencies": ["EUR"]}, {"currency": "EUR"}),
    ({"value_below": "200"}, {}),
    ({"value_above": "50"}, {}),
    ({"pipelines": ["Partners"]}, {"pipeline": "Partners"}),
]


@pytest.mark.parametrize(("rule", "deal"), RULES, ids=[next(iter(r)) for r, _ in RULES])
def test_each_exclude_rule_is_counted_and_nothing_is_written(
    make_world: MakeWorld, rule: dict[str, Any], deal: dict[str, Any]
) -> None:
    world = make_world(init=False, config={"invoices": {"exclude": rule}})
    world.crm("create_pipeline", name="Partners", stages=["New"])
    world.init()
    made = sell(world, **deal)
    plan = world.plan()
    assert plan.excluded == {f"excluded_by_{next(iter(rule))}": 1}
    mark = world.mark()
    assert world.run().exit_code == 0
    assert world.writes(mark) == []
    assert world.invoices() == []
    assert world.deal_fields(made) == {}


def test_a_customer_that_was_left_out_by_its_name_is_looked_at_again(
    make_world: MakeWorld,
) -> None:
    """A new name of the customer moves no stamp of its deals."""
    rule = {"exclude": {"organizations": ["Acme Test"]}}
    world = make_world(config={"invoices": rule, "schedule": {"nightly_at": "off"}})
    org = world.crm("create_org", name="Acme Test")
    sell(world, "Acme Test")
    for _ in range(3):
        world.run()
        world.advance(timedelta(hours=20))
    mark = world.mark()
    world.run()
    minutes(world, 16)
    world.run()
    assert world.invoices() == []
    asked = [c for c in world.since(mark) if "/organizations" in c["path"]]
    assert len(asked) <= 1, "once a day"
    world.crm("edit_org", org=org["id"], name="Acme Pty")
    for _ in range(2):
        world.advance(timedelta(hours=20))
        world.run()
    minutes(world, 16)
    world.run()
    assert len(world.invoices()) == 1


def test_a_customer_that_a_rule_leaves_out_by_its_new_name(make_world: MakeWorld) -> None:
    """Renamed while its deal waits to be invoiced, which is after others of its deals were."""
    world = make_world(config={"invoices": {"exclude": {"organizations": ["Acme Test"]}}})
    org = world.crm("create_org", name="Acme Pty")
    sell(world)
    world.run()
    assert len(world.invoices()) == 1
    world.fault(server="xero", method="PUT", path="/Invoices$", kind="status", status=503, times=9)
    waits = sell(world, title="Summer order")
    minutes(world, 5)
    world.run()
    world.faults.clear()
    world.crm("edit_org", org=org["id"], name="Acme Test")
    for _ in range(3):
        minutes(world, 16)
        world.run()
    assert len(world.invoices()) == 1
    assert world.deal_fields(waits).get("Invoice status") is None


def test_deals_that_a_rule_left_out_come_when_the_rule_goes(make_world: MakeWorld) -> None:
    world = make_world(config={"invoices": {"exclude": {"titles": ["Spring*"]}}})
    deal = sell(world)
    world.run()
    minutes(world, 55)
    world.run()
    world.overrides = {}
    minutes(world, 5)
    with world.connection() as handle:
        handle.check()  # looking does not use the change up
    report = world.run()
    assert report.exit_code == 6  # the rules have changed
    assert world.run(accept=report.plan_hash).exit_code == 0
    assert invoice_of(world, deal)["status"] == "DRAFT"
    quiet(world)


def test_a_field_named_later_is_read_for_deals_seen_before(make_world: MakeWorld) -> None:
    world = make_world(init=False)
    world.crm("create_field", name="No invoice")
    world.init()
    sell(world, fields={"No invoice": "internal"}, lines=[], value=80)
    assert codes(world.run()) == ["no_products"]
    minutes(world, 50)
    world.run()
    world.overrides = {
        "crm": {"inputs": {"do_not_invoice": "No invoice"}},
        "invoices": {"without_products": "one_line", "value_is": "net"},
    }
    report = world.run()
    world.run(accept=report.plan_hash)
    assert world.invoices() == []
    quiet(world)


def test_the_do_not_invoice_field(make_world: MakeWorld) -> None:
    world = make_world(init=False, config={"crm": {"inputs": {"do_not_invoice": "No invoice"}}})
    world.crm("create_field", name="No invoice")
    world.init()
    deal = sell(world, fields={"No invoice": "internal"})
    world.run()
    assert world.invoices() == []
    world.crm("edit_deal", deal=deal, fields={"No invoice": "no"})
    world.run()
    only(world.invoices())
    quiet(world)


def test_one_deal_can_be_tried_and_the_cursors_stay(world: World) -> None:
    first, second = sell(world), sell(world, "Good Pty")
    plan = world.plan(deal=str(first))
    assert plan.counts == {"contact.create": 1, "invoice.create": 1, "deal.update": 1}
    assert world.invoices() == []
    assert world.run(deal=str(first)).exit_code == 0
    assert invoice_of(world, first)["status"] == "DRAFT"
    only(world.invoices())
    world.run()
    assert invoice_of(world, second)["status"] == "DRAFT"
    assert len(world.invoices()) == 2
    quiet(world)


def test_max_creates_takes_the_first_and_the_rest_keep_their_place(world: World) -> None:
    for name in "ABC":
        sell(world, f"{name} Pty")
    for made in (1, 2, 3):
        world.run(max_creates=1)
        assert (len(world.invoices()), len(world.contacts())) == (made, made)
        minutes(world, 1)
    quiet(world)


def test_the_guard_writes_nothing_and_accept_does_exactly_that_plan(make_world: MakeWorld) -> None:
    world = make_world(config=SMALL)
    for name in "ABC":
        sell(world, f"{name} Pty")
    mark = world.mark()
    report = world.run()
    assert (report.result, report.exit_code) == ("guard", 6)
    assert world.writes(mark) == []
    assert report.plan_hash in report.next_step
    sell(world, "D Pty")
    changed = world.run(accept=report.plan_hash)
    assert (changed.exit_code, changed.plan_hash != report.plan_hash) == (6, True)
    assert world.writes(mark) == []
    assert changed.plan_hash in changed.next_step
    assert world.plan().hash == changed.plan_hash
    assert world.run(accept=changed.plan_hash).exit_code == 0
    assert (len(world.invoices()), len(world.contacts())) == (4, 4)
    quiet(world)


def test_an_accepted_plan_is_not_accepted_for_good(make_world: MakeWorld) -> None:
    world = make_world(config=SMALL)
    for name in "ABC":
        sell(world, f"{name} Pty")
    accepted = world.run().plan_hash
    world.run(accept=accepted)
    for name in "DEF":
        sell(world, f"{name} Pty")
    mark = world.mark()
    assert world.run(accept=accepted).exit_code == 6
    assert world.writes(mark) == []


def test_changed_rules_trip_the_guard_once(world: World) -> None:
    sell(world)
    world.run()
    world.overrides = {"invoices": {"terms": {"default": "net 14"}}}
    deal = sell(world, "Good Pty")
    mark = world.mark()
    report = world.run()
    assert report.exit_code == 6
    assert world.writes(mark) == []
    assert world.run(accept=report.plan_hash).exit_code == 0
    assert invoice_of(world, deal)["due_day"] == "2026-12-07"
    next_deal = sell(world, "Third Pty")
    assert world.run().exit_code == 0
    assert invoice_of(world, next_deal)["status"] == "DRAFT"
    quiet(world)


def test_a_catch_up_reads_further_back_but_not_before_the_first_day(world: World) -> None:
    from datetime import date

    deal = sell(world)
    world.run()
    minutes(world, 5)
    mark = world.mark()
    assert codes(world.run(since=date(2026, 1, 1))) == []
    assert world.writes(mark) == []
    assert invoice_of(world, deal)["status"] == "DRAFT"


def test_check_names_a_placeholder_that_means_nothing(make_world: MakeWorld) -> None:
    world = make_world(init=False, config={"invoices": {"description": "{name} {prise}"}})
    with world.connection() as handle:
        handle.init_fields(create=True)
        (problem,) = [problem for problem in handle.check() if problem.fatal]
    assert problem.where == "invoices.description"
    assert "{prise}" in problem.what
