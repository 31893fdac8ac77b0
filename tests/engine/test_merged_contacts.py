"""Contacts that a person merged in the ledger: what was billed or credited to the one that went is
the other's, though no list shows that its documents moved."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import (
    answer,
    awaiting,
    codes,
    minutes,
    only,
    quiet,
    sell,
)
from tests.engine.test_credits import KINDS, give
from tests.engine.test_customers import _contact, _two
from tests.engine.test_doubles import by_hand
from tests.engine.test_notices import late, tasks, world_with
from tests.engine.test_rare_together import steps
from tests.engine.test_revision import change_price
from tests.engine.test_schedules import first_part_approved
from tests.engine.world import World

#: In minutes: no list looks back so far, so that what moved without a stamp is not shown again.
HOUR = 60


def merge(w: World, loser: str, survivor: str) -> None:
    w.books("merge_contacts", loser=loser, survivor=survivor)


def held_by_two(w: World) -> tuple[int, str]:
    """A deal that two contacts might have, and the invoice by hand of the one of another name."""
    _two(w)
    number = by_hand(w, Contact={"Name": "Beta Pty"})
    w.crm("create_person", name="Jo Doe", email="jo@acme.test")
    deal = sell(w, person="Jo Doe")
    minutes(w, HOUR)
    assert codes(w.run()) == ["contact_two_candidates"]
    return deal, number


def test_the_invoice_by_hand_of_a_contact_that_was_merged_is_a_possible_double(
    world: World,
) -> None:
    deal, number = held_by_two(world)
    merge(world, "Beta Pty", "Acme Pty")
    minutes(world, HOUR)
    report = world.run()
    assert codes(report) == ["possible_double"]
    assert number in report.issues[0].what
    only(world.invoices())
    quiet(world)
    answer(world, f"link:{number}", deal)
    assert codes(world.run()) == []
    only(world.invoices())
    quiet(world)


def test_so_it_is_after_a_second_merge(world: World) -> None:
    _, number = held_by_two(world)
    _contact(world, "Gamma Pty", EmailAddress="jo@acme.test")
    merge(world, "Beta Pty", "Gamma Pty")
    minutes(world, HOUR)
    assert codes(world.run()) == ["contact_two_candidates"]
    merge(world, "Gamma Pty", "Acme Pty")
    minutes(world, HOUR)
    report = world.run()
    assert codes(report) == ["possible_double"]
    assert number in report.issues[0].what
    only(world.invoices())


def test_a_list_that_shows_the_invoice_as_it_was_before_the_merge_changes_nothing(
    make_world: MakeWorld,
) -> None:
    """The list of contacts is ahead of the list of invoices."""
    w = make_world()
    _two(w)
    w.crm("create_person", name="Jo Doe", email="jo@acme.test")
    number = by_hand(w, Contact={"Name": "Beta Pty"})
    org = w.xero.organisation
    (before,) = org.invoices
    merge(w, "Beta Pty", "Acme Pty")
    org.invoices.put(before)
    sell(w, person="Jo Doe")
    report = w.run()
    assert codes(report) == ["possible_double"]
    assert number in report.issues[0].what
    only(w.invoices())
    quiet(w)


def test_what_is_billed_to_a_contact_again_after_it_was_restored_is_its_own(world: World) -> None:
    held_by_two(world)
    merge(world, "Beta Pty", "Acme Pty")
    minutes(world, HOUR)
    assert codes(world.run()) == ["possible_double"]
    world.books("void", invoice=only(world.invoices())["number"])
    world.books("restore_contact", contact="Beta Pty")
    world.crm("edit_person", person="Jo Doe", email="doe@acme.test")
    by_hand(world, Contact={"Name": "Beta Pty"})
    minutes(world, HOUR)
    assert codes(world.run()) == []
    assert len(world.invoices()) == 3
    quiet(world)


def test_the_next_part_is_made_after_a_merge(make_world: MakeWorld) -> None:
    w, _ = first_part_approved(make_world)
    w.advance(timedelta(days=29))
    steps(w, 3)
    survivor = _contact(w, "Acme Group")
    merge(w, "Acme Pty", "Acme Group")
    steps(w, 13, HOUR)
    assert "customer_changed" not in codes(quiet(w))
    assert len(w.invoices()) == 2
    assert {invoice["contact_id"] for invoice in w.invoices()} == {survivor}


def test_a_deal_that_is_edited_after_a_merge_has_no_other_customer(world: World) -> None:
    deal = awaiting(world)
    _contact(world, "Acme Group")
    minutes(world, HOUR)
    world.run()
    merge(world, "Acme Pty", "Acme Group")
    minutes(world, HOUR)
    world.run()
    change_price(world, deal, 120)
    world.crm("edit_deal", deal=deal, title="Spring order, more")
    report = world.run()
    assert codes(report) == ["changed_after_invoice"]
    assert "its customer is" not in report.issues[0].what
    quiet(world)


@pytest.mark.parametrize("kind", KINDS)
def test_credit_of_a_contact_that_was_merged_holds_the_notice(tmp_path: Path, kind: str) -> None:
    w = world_with(tmp_path, {"steps": [1, 5]})
    try:
        first = awaiting(w)
        other = awaiting(w, org="Bolt Ltd")
        give(w, other, kind, "220")
        late(w)
        assert [task["deal_id"] for task in tasks(w)] == [first]  # what Bolt owes is covered
        merge(w, "Bolt Ltd", "Acme Pty")
        w.advance(timedelta(days=4))
        steps(w, 3)
        assert len(tasks(w)) == 1
    finally:
        w.close()
