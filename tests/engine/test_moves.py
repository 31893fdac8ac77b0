"""A deal goes to the stage that its invoice's state asks for: once, never against a person."""

from __future__ import annotations

from typing import Any

import pytest

from syncjob.core.undoing import UndoReport
from syncjob.engine.undoing import Asked
from syncjob.errors import ConfigError
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import awaiting, codes, minutes, number_of, quiet, writes_to
from tests.engine.world import World

WORK = ["Offer", "Invoiced", "Part", "Paid", "Closed"]
MOVES: list[dict[str, Any]] = [
    {"when": "overdue", "stage": "Part"},
    {"when": "awaiting payment", "stage": "Invoiced"},
    {"when": "part-paid", "stage": "Part"},
    {"when": "paid", "stage": "Paid"},
]


def made(make_world: MakeWorld, moves: list[dict[str, Any]], **more: Any) -> World:
    w = make_world(config={"crm": {"moves": moves}, **more}, init=False)
    w.crm("create_pipeline", name="Work", stages=WORK)
    w.crm("create_pipeline", name="Books", stages=["Open", "Paid", "Archive"])
    w.init()
    return w


def place(w: World, deal: int) -> tuple[str, str]:
    """The deal's pipeline and stage, by name, as the CRM holds them."""
    state = w.crm_state()
    row = state["deals"][str(deal)]
    stage = state["stages"][str(row["stage_id"])]
    return state["pipelines"][str(stage["pipeline_id"])]["name"], stage["name"]


def later(w: World) -> list[dict[str, Any]]:
    """Five minutes and a batch: what it wrote to deals."""
    minutes(w, 5)
    mark = w.mark()
    w.run()
    return writes_to(w, mark, "/deals/")


def test_the_deal_follows_its_invoice_in_the_write_that_tells_it(make_world: MakeWorld) -> None:
    w = made(make_world, MOVES)
    deal = awaiting(w, pipeline="Work", stage="Offer")
    assert place(w, deal) == ("Work", "Invoiced")
    w.books("pay", invoice=number_of(w, deal), amount="10")
    (patch,) = later(w)
    assert "stage_id" in patch["body"]
    assert "pipeline_id" not in patch["body"]
    assert place(w, deal) == ("Work", "Part")
    w.books("pay", invoice=number_of(w, deal))
    (patch,) = later(w)
    assert place(w, deal) == ("Work", "Paid")
    assert w.crm_state()["deals"][str(deal)]["status"] == "won"
    quiet(w)


def test_a_persons_later_move_is_never_undone(make_world: MakeWorld) -> None:
    w = made(make_world, MOVES)
    deal = awaiting(w, pipeline="Work", stage="Offer")
    w.crm("edit_deal", deal=deal, stage="Offer")
    assert later(w) == []
    w.crm("edit_deal", deal=deal, fields={"Invoice status": "paid"})  # and its field, by mistake
    (patch,) = later(w)
    assert "stage_id" not in patch["body"]
    assert place(w, deal) == ("Work", "Offer")
    quiet(w)


def test_never_backwards_unless_asked(make_world: MakeWorld) -> None:
    w = made(make_world, MOVES)
    deal = awaiting(w, pipeline="Work", stage="Closed")
    w.books("pay", invoice=number_of(w, deal))
    later(w)
    assert place(w, deal) == ("Work", "Closed")
    w = made(make_world, [{"when": "paid", "stage": "paid", "backwards": True}])
    deal = awaiting(w, pipeline="Work", stage="Closed")
    w.books("pay", invoice=number_of(w, deal))
    later(w)
    assert place(w, deal) == ("Work", "Paid")
    quiet(w)


def test_another_pipeline_where_it_is_named_and_none_where_the_own_has_no_such_stage(
    make_world: MakeWorld,
) -> None:
    w = made(make_world, [{"when": "paid", "stage": "Archive", "pipeline": "Books"}])
    deal = awaiting(w, pipeline="Work", stage="Offer")
    w.books("pay", invoice=number_of(w, deal))
    later(w)
    assert place(w, deal) == ("Books", "Archive")
    w = made(make_world, [{"when": "paid", "stage": "Archive"}])
    deal = awaiting(w, pipeline="Work", stage="Offer")
    w.books("pay", invoice=number_of(w, deal))
    later(w)
    assert place(w, deal) == ("Work", "Offer")
    quiet(w)


def test_once_for_each_change_of_state(make_world: MakeWorld) -> None:
    """A payment that is removed and made again is a state that is reached again."""
    moves = [{"when": "paid", "stage": "Paid"}, {"when": "awaiting payment", "stage": "Invoiced",
             "backwards": True}]  # fmt: skip
    w = made(make_world, moves)
    deal = awaiting(w, pipeline="Work", stage="Offer")
    for stage in ("Paid", "Invoiced", "Paid"):
        act = "pay" if stage == "Paid" else "remove_payment"
        w.books(act, invoice=number_of(w, deal))
        later(w)
        assert place(w, deal) == ("Work", stage)
    quiet(w)


@pytest.mark.parametrize("kind", ["lost", "late"])
def test_a_lost_answer_moves_it_once(make_world: MakeWorld, kind: str) -> None:
    w = made(make_world, MOVES)
    deal = awaiting(w, pipeline="Work", stage="Offer")
    w.books("pay", invoice=number_of(w, deal))
    w.fault(server="pipedrive", method="PATCH", path="/deals", kind=kind)
    later(w)
    for _ in range(3):
        later(w)
    assert place(w, deal) == ("Work", "Paid")
    w.crm("edit_deal", deal=deal, stage="Closed")
    later(w)
    assert place(w, deal) == ("Work", "Closed")
    quiet(w)


def test_a_refused_move_is_an_issue_and_the_fields_are_written(make_world: MakeWorld) -> None:
    w = made(make_world, MOVES)
    deal = awaiting(w, pipeline="Work", stage="Offer")
    w.books("pay", invoice=number_of(w, deal))
    w.fault(server="pipedrive", method="PATCH", path="/deals", contains="stage_id", kind="status",
            status=400, body='{"success":false,"error":"stage_id: no"}', times=9)  # fmt: skip
    later(w)
    later(w)
    assert w.deal_fields(deal)["Invoice status"] == "paid"
    assert place(w, deal) == ("Work", "Invoiced")
    assert codes(quiet(w)) == ["move_refused"]
    w.crm("edit_deal", deal=deal, stage="Paid")
    later(w)
    assert codes(quiet(w)) == []


def test_the_overdue_stage(make_world: MakeWorld) -> None:
    w = made(make_world, MOVES)
    deal = awaiting(w, pipeline="Work", stage="Offer")
    for _ in range(32):
        minutes(w, 24 * 60)
        w.run()
    assert w.deal_fields(deal)["Invoice overdue"] == "yes"
    assert place(w, deal) == ("Work", "Part")
    quiet(w)


def test_check_names_stages_that_are_not_there(make_world: MakeWorld) -> None:
    w = made(make_world, [])
    w.overrides["crm"] = {
        "moves": [
            {"when": "paid", "stage": "Paid", "pipeline": "Wrok"},
            {"when": "paid", "stage": "Piad", "pipeline": "Work"},
            {"when": "paid", "stage": "Piad"},
            {"when": "paid", "stage": "paid"},
        ]
    }
    with w.connection() as handle:
        found = {p.where: p.what for p in handle.check() if p.where.startswith("crm.")}
    assert found == {
        "crm.moves[0]": 'There is no pipeline named "Wrok".',
        "crm.moves[1]": 'The pipeline "Work" has no stage named "Piad".',
        "crm.moves[2]": 'The CRM has no stage named "Piad".',
    }


def test_check_warns_of_a_move_out_of_what_is_invoiced(make_world: MakeWorld) -> None:
    parts = [
        {"name": "deposit", "percent": 30, "on": "win"},
        {"name": "rest", "percent": 70, "on": "+30 days"},
    ]
    rules = {"when": {"stages": ["Offer"]}, "schedules": [{"name": "s", "parts": parts}]}
    w = made(make_world, [{"when": "paid", "stage": "Paid"}], invoices=rules)
    with w.connection() as handle:
        found = [(p.where, p.fatal) for p in handle.check() if "moves" in p.where]
    assert found == [("crm.moves[0]", False)]


def test_moves_need_the_field_that_remembers(make_world: MakeWorld) -> None:
    w = make_world(init=False, config={"crm": {"moves": MOVES, "fields": {"status": None}}})
    with pytest.raises(ConfigError, match=r"fields\.status"), w.connection():
        pass


def undo(w: World, number: str) -> UndoReport:
    with w.connection() as handle:
        return handle.undo(Asked(batch=int(number), reason="too early"), write=True, who="Ann")


def moved(make_world: MakeWorld) -> tuple[World, int, str]:
    """A deal that a batch has moved, with the number of that batch."""
    w = made(make_world, MOVES)
    deal = awaiting(w, pipeline="Work", stage="Offer")
    w.books("pay", invoice=number_of(w, deal))
    minutes(w, 5)
    number = w.run().batch
    assert place(w, deal) == ("Work", "Paid")
    return w, deal, number


def test_a_move_is_undone_and_not_made_again(make_world: MakeWorld) -> None:
    w, deal, number = moved(make_world)
    mark = w.mark()
    report = undo(w, number)
    assert {i.field: i.fate for i in report.items} == {"stage": "undo", "": "cannot"}
    (patch,) = w.writes(mark)
    assert "custom_fields" not in patch["body"]
    assert place(w, deal) == ("Work", "Invoiced")
    assert w.deal_fields(deal)["Invoice status"] == "paid"
    quiet(w)
    again = undo(w, number)
    assert {i.field: i.fate for i in again.items} == {"stage": "done", "": "cannot"}
    undo(w, str(report.batch))
    assert place(w, deal) == ("Work", "Paid")
    quiet(w)


def test_a_deal_that_somebody_moved_since_stays_where_it_is(make_world: MakeWorld) -> None:
    w, deal, number = moved(make_world)
    w.crm("edit_deal", deal=deal, stage="Closed")
    assert {i.field: i.fate for i in undo(w, number).items}["stage"] == "touched"
    assert place(w, deal) == ("Work", "Closed")


@pytest.mark.parametrize("kind", ["lost", pytest.param("late", marks=pytest.mark.slow)])
def test_a_lost_undo_of_a_move_is_found_out(make_world: MakeWorld, kind: str) -> None:
    w, deal, number = moved(make_world)
    w.fault(kind=kind, method="PATCH", path="/deals", delay_s=90 * (kind == "late"))
    assert {i.field: i.fate for i in undo(w, number).items}["stage"] == "open"
    minutes(w, 20)
    undo(w, number)
    assert place(w, deal) == ("Work", "Invoiced")
    assert {i.field: i.fate for i in undo(w, number).items}["stage"] == "done"
    quiet(w)


def test_an_undo_of_a_move_that_never_arrived_is_made_later(make_world: MakeWorld) -> None:
    w, deal, number = moved(make_world)
    w.fault(kind="late", method="PATCH", path="/deals", delay_s=10**6)  # for ever
    undo(w, number)
    assert place(w, deal) == ("Work", "Paid")
    minutes(w, 20)
    undo(w, number)
    assert place(w, deal) == ("Work", "Invoiced")
    quiet(w)
