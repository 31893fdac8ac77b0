"""Northwind's customers on both sides, as two departments typed them: matched, synced both ways,
edited for ten batches on either side, and at the end there is one of each."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.engine.contacts.kit import at_rest, batch, world
from tests.engine.matchkit import answered, apply, links, match
from tests.engine.northwind import require_data
from tests.engine.northwind_contacts import Twin, fill, truth, twins
from tests.engine.world import World

BATCHES = 10
EDITS = 8


@pytest.fixture(autouse=True)
def _data() -> None:
    require_data()


def edited(w: World, made: list[Twin], rng: Random) -> None:
    """Somebody on either side changes a phone or an e-mail of somebody."""
    for twin in rng.sample(made, EDITS):
        number = int(twin.crm.partition(":")[2])
        value = str(rng.randint(10**6, 10**7))
        people = [p for p in w.crm_state()["persons"].values() if p["org_id"] == number]
        if rng.random() < 0.5 and people:
            w.crm("edit_person", person=people[0]["id"], phones=[f"+61 2 9{value}"])
        else:
            w.books("edit_contact", contact=twin.ledger,
                    fields={"EmailAddress": f"mail{value}@new.example"})  # fmt: skip


def test_linked_once_and_never_doubled_in_ten_batches_of_edits(tmp_path: Path) -> None:
    with world(tmp_path, update="off", which="all", create_in_crm=True) as w:
        made = twins(5)
        fill(w, made)
        true = truth(made)
        report = match(w, accept_certain=True)
        apply(w, answered(report, lambda p: "same" if true.get(p.first) == p.second else "leave"))
        w.overrides["contacts"]["update"] = "blanks"
        stopped = batch(w)
        if stopped.result == "guard":
            w.run(accept=stopped.plan_hash)
        w.overrides["contacts"]["update"] = "owners"
        stopped = batch(w)
        assert stopped.result == "guard"
        w.run(accept=stopped.plan_hash)
        rng = Random(5)
        for _ in range(BATCHES):
            edited(w, made, rng)
            batch(w)
        at_rest(w)
        assert links(w) == true
        assert len(w.contacts()) == len(w.crm_state()["organizations"]) == len(made)
