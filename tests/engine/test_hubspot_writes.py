"""What is written to HubSpot by whole batches: fields and moves together, tasks and notes once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.engine.scenes import awaiting, billed, codes, minutes, number_of, quiet, sell
from tests.engine.world import World

#: Invoices of the scene are due on 23 December in Sydney; this is noon of the day after.
LATE = datetime(2026, 12, 24, 1, 0, tzinfo=UTC)
CHANGED = "/deals/batch/update"


def hub(folder: Path, **config: Any) -> World:
    made = World(folder, crm="hubspot", config=config)
    made.init()
    return made


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    made = hub(
        tmp_path, mode="full", invoices={"status": "authorised"}, notices={"steps": [1, 7]},
        crm={"timeline": ["approved", "paid", "voided"]},
    )  # fmt: skip
    yield made
    made.close()


def rows(w: World, kind: str) -> list[dict[str, Any]]:
    return list(w.crm_state()[kind].values())


def lose(w: World, path: str, kind: str) -> None:
    delay = 150 if kind == "late" else 0
    w.fault(server="hubspot", method="POST", path=path, kind=kind, delay_s=delay)


def test_deals_are_written_together_and_their_echo_asks_for_nothing_twice(w: World) -> None:
    deals = [sell(w, f"Firm {n}") for n in range(7)]
    mark = w.mark()
    assert w.run().exit_code == 0
    changed = [c for c in w.since(mark) if c["path"].endswith(CHANGED)]
    assert len(changed) == 1 and changed[0]["body"].count('"objectWriteTraceId"') == len(deals)
    for _ in range(3):  # until the walk over lines that were changed has left them behind
        minutes(w, 16)
        assert w.run().exit_code == 0
    w.books("pay", invoice=number_of(w, deals[0]))
    minutes(w, 5)
    mark = w.mark()
    assert w.run().exit_code == 0
    assert len([c for c in w.since(mark) if c["path"].endswith(CHANGED)]) == 1
    mark = w.mark()
    minutes(w, 5)
    assert w.run().exit_code == 0
    asked = [c["path"] for c in w.since(mark) if c["server"] == "hubspot"]
    assert not [path for path in asked if "line_items/batch/read" in path], asked
    quiet(w)


@pytest.mark.parametrize("kind", ["lost", "late"])
def test_a_lost_answer_to_a_change_of_deals_is_settled_by_reading_them(w: World, kind: str) -> None:
    deals = [sell(w, f"Firm {n}") for n in range(3)]
    lose(w, CHANGED, kind)
    for _ in range(4):
        w.run()
        minutes(w, 8)
    assert {w.deal_fields(d)["Invoice status"] for d in deals} == {"awaiting payment"}
    quiet(w)
    assert len(w.invoices()) == len(deals)


@pytest.mark.parametrize("kind", ["", "lost", "late"])
def test_an_owner_is_told_by_a_task_once_whatever_becomes_of_the_answer(
    w: World, kind: str
) -> None:
    deal = awaiting(w)
    w.time.set(LATE)
    w.run()
    minutes(w, 16)
    if kind:
        lose(w, "/tasks/batch/create", kind)
    for _ in range(5):
        w.run()
        minutes(w, 6)
    (task,) = rows(w, "activities")
    assert task["deal_id"] == deal and "overdue" in task["subject"]
    assert codes(w.run()) == []
    w.advance(timedelta(days=6))
    w.run()
    minutes(w, 16)
    w.run()
    assert len(rows(w, "activities")) == 2


@pytest.mark.parametrize("kind", ["", "lost"])
def test_the_timeline_says_once_what_happened(w: World, kind: str) -> None:
    if kind:
        lose(w, "/notes/batch/create", kind)
    deal = awaiting(w)
    w.books("pay", invoice=number_of(w, deal))
    for _ in range(4):
        minutes(w, 6)
        w.run()
    texts = sorted(note["content"] for note in rows(w, "notes"))
    assert len(texts) == len(set(texts)) >= 1 and any("paid" in t.lower() for t in texts), texts
    quiet(w)


def test_a_deal_moves_to_another_pipeline_with_its_fields_in_one_write(tmp_path: Path) -> None:
    moves = [{"when": "draft", "pipeline": "Billing", "stage": "Billed"}]
    w = World(tmp_path, crm="hubspot", config={"crm": {"moves": moves}})
    try:
        won = [{"name": name, "probability": "1.0"} for name in ("Billed", "Settled")]
        w.crm("create_pipeline", name="Billing", stages=won)
        w.init()
        deal = billed(w)
        (row,) = [d for d in rows(w, "deals") if d["id"] == deal]
        assert row["custom_fields"]
        changes = [c for c in w.calls() if c["path"].endswith(CHANGED)]
        assert len(changes) == 1 and '"pipeline"' in changes[0]["body"]
        minutes(w, 5)
        w.run()
        quiet(w)
    finally:
        w.close()


def test_a_missing_scope_is_named_and_tried_again_once_it_is_given(w: World) -> None:
    deal = sell(w)
    w.crm("set_scopes", without=["crm.objects.deals.write"])
    report = w.run()
    (issue,) = [i for i in report.issues if i.code == "forbidden"]
    assert "crm.objects.deals.write" in issue.next_step
    w.run()  # the reason has become a value of the deal, so what is to be written is another
    for _ in range(2):
        quiet(w)
    w.crm("set_scopes", scopes=list(w.hubspot.options.scopes))
    minutes(w, 61)
    w.run()
    minutes(w, 5)
    assert w.run().exit_code == 0
    assert w.deal_fields(deal)["Invoice status"] == "awaiting payment"


def test_properties_that_the_key_may_not_make_are_told_to_be_made_by_hand(tmp_path: Path) -> None:
    w = World(tmp_path, crm="hubspot")
    try:
        w.crm("set_scopes", without=["crm.schemas.companies.write"])
        with w.connection() as handle:
            made = handle.init_fields(create=True)
        (by_hand,) = made.by_hand
        assert by_hand.startswith("syncjob key (text, on organizations): ")
        assert "crm.schemas.companies.write" in by_hand
        assert "deal field 'Invoice status'" in made.created
        w.crm("set_scopes", scopes=list(w.hubspot.options.scopes))
        with w.connection() as handle:
            again = handle.init_fields(create=True)
        assert again.created == ("organization field 'syncjob key'",) and not again.by_hand
    finally:
        w.close()


def test_what_a_deal_without_lines_says_does_not_come_and_go(tmp_path: Path) -> None:
    """That its draft and its value differ was told by the batches that read its lines alone, so
    that its note was written anew by each."""
    w = hub(tmp_path)
    deal = billed(w)
    w.crm("remove_line", line=rows(w, "rows")[0]["id"])
    w.crm("edit_deal", deal=deal, title="Free of charge")
    told = []
    for title in ("Given away", "A present", ""):
        minutes(w, 5)
        told.append(sorted(codes(w.run())))
        minutes(w, 16)
        told.append(sorted(codes(w.run())))
        if title:
            w.crm("edit_deal", deal=deal, title=title)
    assert told[0] and len({*map(tuple, told)}) == 1
    quiet(w)
    w.close()
