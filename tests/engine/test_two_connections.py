"""Two connections in one process share no object: neither sees, counts or stops the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from syncjob.config import load_config
from syncjob.core.reports import BatchReport, RunOptions
from syncjob.engine.connection import open_connection
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import invoice_of, minutes, number_of, only, quiet, sell
from tests.engine.world import World


def test_two_organisations_in_one_process(make_world: MakeWorld) -> None:
    one, two = make_world(), make_world(config={"connection": {"name": "second"}})
    first, second = sell(one), sell(two, "Other Pty")
    with one.connection() as a, two.connection() as b:
        options = RunOptions(who="a test")
        assert (a.run(options).exit_code, b.run(options).exit_code) == (0, 0)
        one.books("approve", invoice=number_of(one, first))
        minutes(one, 5)
        minutes(two, 5)
        assert (b.run(options).exit_code, a.run(options).exit_code) == (0, 0)
    assert only(one.contacts())["name"] == "Acme Pty"
    assert only(two.contacts())["name"] == "Other Pty"
    assert one.deal_fields(first)["Invoice status"] == "awaiting payment"
    assert two.deal_fields(second)["Invoice status"] == "draft"
    quiet(one)
    quiet(two)


def _second(w: World) -> Path:
    """Another config on the same two accounts, for another pipeline, with a code of its own."""
    values: dict[str, Any] = w.settings()
    values["connection"] = {"name": "partners", "code": "PA", "state": "partners/syncjob.db"}
    values["invoices"] |= {"when": {"pipelines": ["Partners"]}, "exclude": {}}
    path = w.folder / "partners.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def test_two_configs_on_one_organisation(make_world: MakeWorld) -> None:
    world = make_world(init=False, config={"invoices": {"exclude": {"pipelines": ["Partners"]}}})
    world.crm("create_pipeline", name="Partners", stages=["New"])
    world.init()
    config = load_config(_second(world))

    def run_second() -> BatchReport:
        with open_connection(
            config, clock=world.clock, rng=world.rng, new_key=world._new_key
        ) as handle:
            return handle.run(RunOptions(who="a test"))

    run_second()
    minutes(world, 16)
    ours = sell(world)
    theirs = sell(world, title="Partner order", pipeline="Partners",
                  lines=[{"name": "Gadget", "price": 50, "quantity": 1, "tax": 10}])  # fmt: skip
    world.run()
    assert run_second().exit_code == 0
    markers = sorted(i["url"].rpartition("=")[2] for i in world.invoices())
    assert markers == [f"PA-{theirs}-A1", f"SJ-{ours}-A1"]
    only(world.contacts())  # the second found what the first had made
    assert world.deal_fields(ours)["Invoice status"] == "draft"
    assert world.deal_fields(theirs)["Invoice status"] == "draft"
    world.books("approve", invoice=invoice_of(world, ours)["number"])
    minutes(world, 5)
    world.run()
    run_second()
    assert world.deal_fields(ours)["Invoice status"] == "awaiting payment"
    mark = world.mark()
    minutes(world, 5)
    run_second()
    quiet(world)
    assert world.writes(mark) == []
