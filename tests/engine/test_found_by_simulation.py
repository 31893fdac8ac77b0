"""Defects that the simulation found in the product, each played again over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import (
    WIDGET,
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
from tests.engine.world import World


def _lose_state(world: World) -> None:
    for path in (world.folder / "state").glob("syncjob.db*"):
        path.unlink()


def _statuses(world: World) -> list[str]:
    return [i["status"] for i in world.invoices()]


def test_a_deal_won_again_while_its_draft_is_withdrawn_is_invoiced_anew(world: World) -> None:
    """Our own write's answer showed it won, and the next list then showed nothing new."""
    deal = billed(world)
    world.crm("reopen", deal=deal)
    minutes(world, 5)

    def progress(stage: str, done: int, total: int | None) -> None:
        if stage == "push" and done == 1 and _statuses(world) == ["DELETED"]:
            world.crm("win", deal=deal)

    world.run(progress=progress)
    for _ in range(2):
        minutes(world, 5)
        world.run()
    assert _statuses(world) == ["DELETED", "DRAFT"]
    assert world.deal_fields(deal)["Invoice status"] == "draft"
    quiet(world)


def test_what_was_forbidden_is_tried_again_within_the_hour(world: World) -> None:
    """Rights are given without a trace in any record that is read."""
    deal = sell(world)
    world.fault(
        kind="status", status=403, server="pipedrive", method="PATCH", path="/deals/", body="{}"
    )
    assert codes(world.run()) == ["forbidden"]
    minutes(world, 5)
    mark = world.mark()
    world.run()
    assert writes_to(world, mark, "/deals/") == []  # not at each batch
    minutes(world, 61)
    world.run()
    assert world.deal_fields(deal)["Invoice status"] == "draft"
    assert codes(quiet(world)) == []


def test_a_link_that_a_lost_state_wrote_goes_with_its_invoice(world: World) -> None:
    deal = billed(world)
    _lose_state(world)
    for _ in range(2):
        minutes(world, 16)
        world.run()
    world.books("delete", invoice=number_of(world, deal))
    minutes(world, 5)
    world.run()
    fields = world.deal_fields(deal)
    assert (fields["Invoice status"], fields.get("Invoice link")) == ("deleted", None)


def test_a_deal_held_after_its_draft_was_withdrawn_says_held(world: World) -> None:
    deal = billed(world)
    world.crm("lose", deal=deal)
    minutes(world, 5)
    world.run()
    assert invoice_of(world, deal)["status"] == "DELETED"
    world.books("archive_contact", contact=str(only(world.contacts())["id"]))
    world.crm("win", deal=deal)
    world.advance(timedelta(minutes=5))
    assert codes(world.run()) == ["contact_archived"]
    fields: dict[str, Any] = world.deal_fields(deal)
    assert fields["Invoice status"] == "held"
    assert "archived" in fields["Invoice note"]
    quiet(world)


def test_a_deal_that_waited_is_compared_with_its_value_of_now(world: World) -> None:
    """A removed line changes the deal's value without moving its stamp."""
    deal = sell(world, won=False)
    extra = world.crm("add_line", deal=deal, name="Gadget", price=50, quantity=1, tax=10)
    world.fault(kind="status", status=500, server="xero", method="PUT", path="/Contacts")
    world.crm("win", deal=deal)
    world.run()
    assert world.invoices() == []
    minutes(world, 16)
    world.crm("remove_line", line=extra["id"])
    report = world.run()
    assert codes(report) == []
    assert only(world.invoices())["total"] == "110.00"
    assert not world.deal_fields(deal).get("Invoice note")
    quiet(world)


def test_the_hourly_look_at_what_is_held_comes_however_busy_the_ledger_is(world: World) -> None:
    """Each change in the ledger had put it off for another hour."""
    deal = sell(world)
    world.fault(
        kind="status", status=403, server="pipedrive", method="PATCH", path="/deals/", body="{}"
    )
    assert codes(world.run()) == ["forbidden"]
    for number in range(5):
        minutes(world, 20)
        world.books("create_contact", fields={"Name": f"Other {number}"})
        world.run()
    assert world.deal_fields(deal)["Invoice status"] == "draft"


def test_lines_that_the_crm_shows_late_hold_no_deal_for_an_hour(make_world: MakeWorld) -> None:
    world = make_world(crm={"lag_max_s": 100})
    deal = sell(world)
    for _ in range(4):
        minutes(world, 4)
        world.run()
    assert world.deal_fields(deal)["Invoice status"] == "draft"


def test_what_a_late_list_held_is_looked_at_again_however_long_the_interval(
    make_world: MakeWorld,
) -> None:
    """Only batches within ten minutes of the hold looked again; the next one was an hour away."""
    world = make_world()
    deal = sell(world)
    late = '{"success":true,"data":[],"additional_data":{"next_cursor":null}}'
    world.fault(kind="status", status=200, server="pipedrive", path="/deals/products$", body=late)
    assert codes(world.run()) == ["line_doubt"]
    minutes(world, 16)
    world.run()
    assert world.deal_fields(deal)["Invoice status"] == "draft"


def test_a_draft_of_a_lost_state_is_still_compared_with_its_deal(world: World) -> None:
    """Nobody remembered how it was made, so nobody said that it lacked a line."""
    deal = billed(world)
    _lose_state(world)
    world.crm("add_line", deal=deal, name="Late line", price=200, quantity=1, tax=10)
    for _ in range(2):
        minutes(world, 16)
        report = world.run()
    assert codes(report) == ["totals_differ"]
    assert "the invoice 110.00" in report.issues[0].what
    quiet(world)


def test_a_recovery_with_repeating_invoices_ends_where_our_own_clock_is_slow(
    make_world: MakeWorld,
) -> None:
    """Their list was taken for older than the server's: nothing was ever created again."""
    world = make_world(config={"invoices": {"recurring": "template"}})
    sell(world)
    _lose_state(world)
    world.clock.now = lambda: world.time.now() - timedelta(minutes=61)  # type: ignore[method-assign]
    for _ in range(2):
        world.run()
        minutes(world, 16)
    assert _statuses(world) == ["DRAFT"]


def test_a_deal_that_the_crm_hid_for_a_moment_is_held_and_tried_again(world: World) -> None:
    """One 403 as its lines were read, and nobody thought of it again."""
    deal = sell(world)
    _lose_state(world)
    for _ in range(2):  # the deal is read; what is new waits for the ledger's lists
        world.run()
        minutes(world, 8)
    world.fault(kind="status", status=403, method="GET", path=f"/deals/{deal}$", body="{}")
    assert codes(world.run()) == ["deal_unreadable"]
    for _ in range(2):
        minutes(world, 31)
        world.run()
    assert _statuses(world) == ["DRAFT"]
    assert codes(quiet(world)) == []


def test_a_draft_follows_the_lines_of_the_deal_that_its_own_was_merged_into(
    make_world: MakeWorld,
) -> None:
    """The survivor's lines had never been read, so nobody saw that they were others."""
    hub = make_world(crm="hubspot")
    first = billed(hub)
    other = sell(hub, title="More of it", won=False)
    minutes(hub, 5)
    new = int(hub.crm("merge_deals", loser=other, winner=first)["id"])
    for _ in range(2):
        minutes(hub, 5)
        report = hub.run()
    assert codes(report) == []
    assert only(hub.invoices())["total"] == "220.00"
    assert hub.deal_fields(new)["Invoice total"] == 220
    quiet(hub)


def test_what_an_admins_rule_refused_is_done_once_the_rule_is_gone(make_world: MakeWorld) -> None:
    """Rules come and go without a trace in any record that is read."""
    hub = make_world(crm="hubspot")
    hub.crm("add_rule", kind="deals", required=["closed_won_reason"], on="update")
    deal = sell(hub)
    for _ in range(2):
        assert codes(hub.run()) == ["crm_rule"]
        minutes(hub, 5)
    mark = hub.mark()
    hub.run()
    assert writes_to(hub, mark, "/deals/") == []  # it is no hot loop
    hub.crm("remove_rules")
    minutes(hub, 61)
    assert codes(hub.run()) == []
    assert hub.deal_fields(deal)["Invoice status"] == "draft"
    quiet(hub)


def test_what_a_merge_copied_into_our_fields_is_made_true_again(make_world: MakeWorld) -> None:
    """The number of the other deal's voided invoice was taken for a person's own entry."""
    hub = make_world(crm="hubspot")
    voided = billed(hub)
    hub.books("approve", invoice=number_of(hub, voided))
    minutes(hub, 5)
    hub.run()
    hub.books("void", invoice=number_of(hub, voided))
    kept = sell(hub, title="Same again")
    hub.run()
    assert hub.deal_fields(voided)["Invoice number"]
    new = int(hub.crm("merge_deals", loser=voided, winner=kept)["id"])
    for _ in range(2):
        minutes(hub, 5)
        hub.run()
    said = hub.deal_fields(new)
    assert (said["Invoice status"], said.get("Invoice number")) == ("draft", None)
    quiet(hub)


def test_a_merge_does_not_bring_back_what_a_person_ended(make_world: MakeWorld) -> None:
    """The other deal's draft had been withdrawn by us, and that counted as the newest word."""
    hub = make_world(crm="hubspot")
    ended = billed(hub)
    hub.books("delete", invoice=number_of(hub, ended))
    minutes(hub, 5)
    hub.run()
    ours = sell(hub, title="Won and open again")
    hub.run()
    hub.crm("reopen", deal=ours)
    minutes(hub, 5)
    hub.run()
    new = int(hub.crm("merge_deals", loser=ours, winner=ended)["id"])
    for _ in range(2):
        minutes(hub, 5)
        report = hub.run()
    assert _statuses(hub) == ["DELETED", "DELETED"]
    assert codes(report) == ["reissue_needed"] and report.issues[0].subject == f"deal:{new}"
    quiet(hub)


def test_lines_that_only_the_night_s_reading_shows_are_told_in_one_batch(
    make_world: MakeWorld,
) -> None:
    """First they were compared with the invoice, and a batch later with all else."""
    hub = make_world(
        crm="hubspot", crm_options={"amount_follows_lines": False},
        config={"invoices": {"recurring": "template"}},
    )  # fmt: skip
    sell(hub, lines=[{**WIDGET, "billing_frequency": "monthly"}])
    hub.run()
    minutes(hub, 20)
    hub.run()
    line = only(list(hub.hubspot.store.all("line_items")))
    hub.crm("remove_line", line=line.id)
    said = []
    for hours in (25, 1, 1):
        minutes(hub, 60 * hours)
        said.append(codes(hub.run()))
    assert "template_differs" in said[1] and said[1] == said[2]
    quiet(hub)
