"""Random days at the Pipedrive sandbox: what must hold whatever people do, and in which order."""

from __future__ import annotations

import ast
import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from syncjob.sandbox import pipedrive
from syncjob.sandbox.http import Sandbox
from syncjob.sandbox.kernel import ActError
from syncjob.sandbox.pipedrive import acts

from .test_pipedrive import QUIET, Options, World

PRICE = st.decimals("0", "9999.99", places=2).map(float)
DEEDS = st.one_of(
    st.tuples(st.just("create_deal"), st.fixed_dictionaries({"title": st.just("T")})),
    st.tuples(
        st.sampled_from(["win", "lose", "reopen", "archive_deal", "unarchive_deal", "delete_deal"]),
        st.fixed_dictionaries({"deal": st.integers(1, 4)}),
    ),
    st.tuples(
        st.just("add_line"),
        st.fixed_dictionaries(
            {
                "deal": st.integers(1, 4),
                "name": st.sampled_from(["A", "B"]),
                "price": PRICE,
                "quantity": st.sampled_from([0, 0.5, 1, 3, 12]),
                "discount": st.sampled_from([0, 7.5, 15, 100]),
                "tax": st.sampled_from([0, 5, 20]),
                "is_enabled": st.booleans(),
            }
        ),
    ),
    st.tuples(st.just("remove_line"), st.fixed_dictionaries({"line": st.integers(1, 6)})),
    st.tuples(st.just("disable_line"), st.fixed_dictionaries({"line": st.integers(1, 6)})),
    st.tuples(st.just("merge_deals"), st.just({"loser": 1, "winner": 2})),
    st.tuples(st.just("pass"), st.integers(1, 30)),
)


def live(world: World, deeds: list[tuple[str, Any]]) -> None:
    for act, payload in deeds:
        if act == "pass":
            world.clock.advance(payload)
            continue
        before = world.server.dump()
        try:
            world.act(act, **payload)
        except ActError:
            assert world.server.dump() == before


@settings(max_examples=60, deadline=None)
@given(st.lists(DEEDS, max_size=25))
def test_lists_values_and_times_agree_in_the_end(deeds: list[tuple[str, Any]]) -> None:
    world = World(Options(**QUIET, lag_max_s=15))
    live(world, deeds)
    world.clock.advance(16)
    truth = {int(k): d for k, d in world.server.dump()["deals"].items()}
    shown = {d["id"]: d for d in world.data("GET", "deals", limit=500)}
    kept = {k for k, d in truth.items() if not d["is_deleted"]}
    archived = {k for k in kept if truth[k]["is_archived"]}
    assert set(shown) == kept - archived and set(world.ids("deals/archived")) == archived
    for key, deal in shown.items():
        assert deal == world.data("GET", f"deals/{key}")
        assert (deal["status"] == "won") <= (deal["won_time"] is not None)
        assert (deal["status"] == "open") is (deal["close_time"] is None)
    for key in kept:
        rows = world.data("GET", "deals/products", deal_ids=key)
        enabled = sum((Fraction(str(r["sum"])) for r in rows if r["is_enabled"]), Fraction(0))
        assert not rows or Fraction(str(truth[key]["value"])) == enabled


@settings(max_examples=20, deadline=None)
@given(st.lists(DEEDS, max_size=15), st.integers(0, 3))
def test_the_same_deeds_and_seed_give_the_same_answers(deeds: list[Any], seed: int) -> None:
    worlds = [
        World(Options(search_lag_max_s=20, lag_max_s=9, limits=False, seed=seed)) for _ in "ab"
    ]
    for world in worlds:
        live(world, deeds)
    one, two = (w.call("GET", "deals", limit=500).body for w in worlds)
    assert one == two


@given(PRICE)
@settings(max_examples=50, deadline=None)
def test_amounts_come_back_with_the_same_digits(price: float) -> None:
    world = World()
    made = world.call("POST", "deals", {"title": "T", "value": price})
    back = json.loads(made.body, parse_float=Decimal)["data"]["value"]
    assert Decimal(back) == Decimal(str(price))


def test_people_act_through_the_control_door() -> None:
    world = World()
    with Sandbox([world.server], clock=world.clock) as sandbox:
        door = f"{sandbox.base_url}/control"
        deal = {"title": "T", "lines": [{"name": "A", "price": 10.1}]}
        made = requests.post(f"{door}/pipedrive/create_deal", json=deal, timeout=5).json()
        assert made["value"] == 10.1
        refused = requests.post(f"{door}/pipedrive/win", json={"deal": "no"}, timeout=5)
        assert refused.status_code == 400 and "no deal 'no'" in refused.json()["error"]
        state = requests.get(f"{door}/state/pipedrive", timeout=5).json()
        assert state["deals"]["1"]["title"] == "T"


def test_every_act_is_named_in_the_doors_text() -> None:
    assert acts.__doc__ is not None
    assert [a for a in acts.ACTS if a not in acts.__doc__] == []


def test_it_stands_alone() -> None:
    """Nothing of syncjob outside the sandbox, and nothing that is not in the standard library."""
    for path in Path(pipedrive.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.startswith("syncjob.sandbox") or "syncjob" not in name, (path, name)
                assert name.split(".")[0] not in ("requests", "pydantic", "yaml", "werkzeug")
