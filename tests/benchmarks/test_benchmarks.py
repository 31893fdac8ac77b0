"""The benchmark does not rot: its smallest size end to end, and what it says of a run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks import bigstate, fewest, rows
from benchmarks.__main__ import _BEGIN, _END, PAGE, measure
from benchmarks.fewest import Fewest, Load
from benchmarks.plot import svg
from benchmarks.stage import ready
from benchmarks.tables import markdown, tables
from benchmarks.targets import over, targets
from syncjob.sandbox.crms import CrmName

DEALS = 12


@pytest.mark.parametrize("crm", rows.CRMS)
def test_a_first_load_makes_the_fewest_calls(crm: CrmName, tmp_path: Path) -> None:
    load = rows.size_of(DEALS)
    with ready(tmp_path / "ours", rows.made_up(tmp_path, load), crm) as stage:
        done = stage.work("run")
    least = fewest.first_load(crm, load)
    assert done["calls"] == {"xero": least.xero, crm: least.crm}
    assert done["counts"]["invoice.create"] == DEALS
    assert done["peak_mb"] > 1


@pytest.mark.slow
def test_every_row_once(tmp_path: Path) -> None:
    """Also that the bare loop makes the requests that syncjob makes: two more at most, since it
    has neither `init`'s token nor its names of fields."""
    results = measure(tmp_path, rows.TINY, say=lambda _: None)
    assert not over(results)
    for cost in results["cost"]:
        ours, bare = (sum(cost[who]["calls"].values()) for who in ("ours", "bare"))
        assert 0 <= bare - ours <= 2


@pytest.mark.parametrize(
    ("crm", "least"),
    # By hand: 2 pages, 3 and 20 writes, whose books; then 2 pages, archived, 3 + 2 x 2 reads, 1,000
    # PATCHes or 10 batches, whose account; HubSpot's 5 searches, bin, lines, 3 ties, 4 + 20 reads.
    [("pipedrive", Fewest(26, 1018, 2)), ("hubspot", Fewest(26, 45, 2))],
)
def test_the_fewest_of_a_thousand_deals(crm: CrmName, least: Fewest) -> None:
    assert fewest.first_load(crm, Load(deals=1_000, customers=120, lines=2_000)) == least


@pytest.mark.parametrize(
    ("real", "copy"),
    [
        ("12", "300000012"), ("org:7", "org:300000007"), ("SJ-1-A1", "SJ-300000001-A1"),
        ("contact:SJ-O1", "contact:SJ-O300000001"), ("invoice:SJ-1-A1", "invoice:SJ-300000001-A1"),
        ("0445d656-de3a-4db5-954e-d51212093d26", "00000003-de3a-4db5-954e-d51212093d26"),
        ("INV-0001", "INV-0001 3"), ("p0@example.com", "p0@example.com 3"),
    ],
)  # fmt: skip
def test_a_copied_record_has_ids_and_names_of_its_own(real: str, copy: str) -> None:
    assert bigstate.named(real, 3) == copy


def made_up(**more: Any) -> dict[str, Any]:
    """What a run might say: 1,000 deals."""
    calls = {
        "row": "nothing changed", "crm": "hubspot", "deals": 1_000,
        "made": {"xero": 2, "hubspot": 2}, "fewest": {"xero": 2, "hubspot": 2},
        "for_safety": 0, "refused": 0, "ratio": 1.0,
    }  # fmt: skip
    loads = {
        "ours": {"cpu_s": 2.0, "wall_s": 3.0, "calls": {"xero": 20, "hubspot": 40}},
        "bare": {"cpu_s": 1.0, "wall_s": 1.0, "calls": {"xero": 21, "hubspot": 40}},
        "script": {"cpu_s": 9.0, "wall_s": 9.0, "calls": {"xero": 3_000, "hubspot": 6_600}},
    }
    far = {"crm": "pipedrive", "plan": "lite", "deals": 1_000, "wall_s": 200.0, "script_s": 600.0,
           "ratio": 3.0, "refused": 0}  # fmt: skip
    memory = [
        {"deals": n, "contacts": n, "peak_mb": mb, "state_mb": 1, "cpu_s": 1, "wall_s": 1}
        for n, mb in ((10_000, 100), (100_000, 120))
    ]
    state = [
        {"snapshots": n, "nothing_s": s, "changed_s": s, "file_mb": 1}
        for n, s in ((10_000, 0.1), (1_000_000, 0.15))
    ]
    start = {"name": "syncjob status", "seconds": 0.3, "against": "python", "floor_seconds": 0.1}
    found: dict[str, Any] = {
        "calls": [calls], "cost": [{"crm": "hubspot", "deals": 1_000, **loads}], "far": [far],
        "memory": memory, "state": state, "start": [start], "latency": [],
    }  # fmt: skip
    return {**found, **more}


def test_each_target_is_told_as_met_or_not() -> None:
    told = {target.name: target.met for target in targets(made_up())}
    assert told.pop("wall time at 100 ms a call, pipedrive lite") is False
    assert told.pop("planning with 100 changed, 1,000,000 snapshots against 10,000") is False
    assert all(told.values())
    assert len(told) == 11


def test_calls_alone_decide_how_it_ends() -> None:
    assert not over(made_up())
    (calls,) = made_up()["calls"]
    assert over(made_up(calls=[{**calls, "made": {"xero": 3, "hubspot": 2}, "ratio": 1.25}]))


def test_tables_and_picture_hold_every_target() -> None:
    results = made_up()
    page, picture = markdown(results), ElementTree.fromstring(svg(targets(results)))
    drawn = {node.text for node in picture.iter() if node.text}
    for target in targets(results):
        assert f"| {target.name} |" in page
        assert target.name in drawn
    widths = {len(row) for table in tables(results) for row in (table.heads, *table.rows)}
    assert len(widths) > 1
    for table in tables(results):
        assert {len(row) for row in table.rows} == {len(table.heads)}, table.title


def test_the_page_has_a_place_for_the_tables() -> None:
    assert re.search(f"{_BEGIN}.*{_END}", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize(
    ("due", "least"),
    # A token, whose books, 2 pages; the invoices one by one, or 40 ids a call; a poll, the put-away
    # deals, whose account, and a PATCH each.
    [(10, Fewest(14, 13, 11)), (100, Fewest(7, 103, 2))],
)
def test_the_fewest_of_an_overdue_day(due: int, least: Fewest) -> None:
    assert fewest.overdue_day("pipedrive", due) == least
