"""What `syncjob overdue` lists, from real batches: no more and no less than the deals say."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from syncjob.core.aging import NO_OWNER, OverdueReport
from syncjob.errors import Park
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import awaiting, billed, minutes, number_of
from tests.engine.test_afterwards import early, later
from tests.engine.test_recurring import made_by, subscribed
from tests.engine.test_recurring import world as recurring
from tests.engine.world import World


def listed(w: World) -> OverdueReport:
    """The report, which asks no vendor anything."""
    mark = w.mark()
    with w.connection() as handle:
        report = handle.overdue()
    assert w.since(mark) == []
    return report


def days(w: World, count: int) -> None:
    w.advance(timedelta(days=count))
    w.run()
    minutes(w, 16)
    w.run()


def test_what_is_overdue_and_nothing_else(world: World) -> None:
    late, paid = awaiting(world), awaiting(world, title="Paid")
    part, draft = awaiting(world, title="Part"), billed(world, title="Draft")
    world.books("pay", invoice=number_of(world, paid))
    world.books("pay", invoice=number_of(world, part), amount="40")
    days(world, 32)
    report = listed(world)
    assert {row.deal_id: row.due for row in report.rows} == {
        str(late): Decimal("110"), str(part): Decimal("70"),
    }  # fmt: skip
    assert {row.days for row in report.rows} == {2}
    assert report.today == date(2026, 12, 25)
    assert sum((age.total for age in report.owners), Decimal(0)) == Decimal("180")
    assert str(draft) not in {row.deal_id for row in report.rows}


def test_the_day_is_the_organisations_also_between_batches(world: World) -> None:
    awaiting(world)
    world.time.set(datetime.fromisoformat("2026-12-23T12:59:00+00:00"))
    assert listed(world).rows == ()
    minutes(world, 1)
    (row,) = listed(world).rows
    assert row.days == 1


def test_a_discount_that_was_taken_in_time_is_no_debt(tmp_path: Path) -> None:
    w = early(tmp_path)
    w.overrides["overdue"] = {"ignore_due_below": "1.00"}
    deal = awaiting(w)
    w.books("pay", invoice=number_of(w, deal), amount="107.80")
    minutes(w, 5)
    w.run()
    later(w, 40)
    assert w.deal_fields(deal)["Invoice overdue"] == "no"
    assert listed(w).rows == ()
    w.close()


def test_what_a_repeating_invoice_made_is_listed_too(tmp_path: Path) -> None:
    w = recurring(tmp_path)
    deal = subscribed(w)
    w.books("approve_template", template=f"SJ-{deal}-r1")
    for _ in range(80):
        w.advance(timedelta(days=1))
        w.run()
    late = [i for i in made_by(w) if i["status"] == "AUTHORISED" and i["due_day"] < "2027-02-01"]
    assert late
    rows = listed(w).rows
    assert {i["number"] for i in late} <= {row.number for row in rows}
    assert {row.deal_id for row in rows} == {str(deal)}
    w.close()


def test_muted_ones_stay_listed_and_a_mute_ends(world: World) -> None:
    deal = awaiting(world)
    days(world, 32)
    with world.connection() as handle:
        handle.answer(kind="mute:2026-12-28", subject=f"deal:{deal}", who="Ann", reason="disputed")
    minutes(world, 5)
    world.run()
    assert [row.muted for row in listed(world).rows] == [True]
    days(world, 3)
    assert [row.muted for row in listed(world).rows] == [False]


def test_names_come_clean_and_a_deal_without_owner_has_its_group(world: World) -> None:
    name = "=Acme\x1b[31m\u202e [red]Pty"
    deal = awaiting(world, org=name)
    days(world, 32)
    (row,) = listed(world).rows
    assert "\x1b" not in f"{row.customer}{row.title}{row.owner}"
    assert row.deal_id == str(deal)
    assert row.owner != NO_OWNER


def test_before_the_first_batch_it_says_so(make_world: MakeWorld) -> None:
    w: Any = make_world(init=False)
    with w.connection() as handle, pytest.raises(Park, match="No batch has read"):
        handle.overdue()
