"""A sampled share of all (history, point, fault); SYNCJOB_SHARE=1 plays every one of them."""

from __future__ import annotations

import os
from random import Random

import pytest

from tests.sim.every_point import cases, play, run_case
from tests.sim.histories import History
from tests.sim.histories_hubspot import EVERY

#: The share of all cases that is played; the same ones each time.
SHARE = float(os.environ.get("SYNCJOB_SHARE", "0.005"))
#: How much of it falls to each CRM, as long as it is not all: together they cost what one may.
PARTS = {"pipedrive": 0.6, "hubspot": 0.13}


def share_of(history: History) -> float:
    """The share of this history's cases."""
    return SHARE if SHARE >= 1 else SHARE * PARTS[history.crm]


@pytest.mark.parametrize("history", EVERY, ids=[h.name for h in EVERY])
def test_a_fault_at_each_point(history: History) -> None:
    played = play(history)
    rng = Random(history.name)
    chosen = [case for case in cases(played) if rng.random() < share_of(history)]
    fired = 0
    try:
        for case in chosen:
            try:
                fired += run_case(played, case)[1]
            except Exception as error:
                error.add_note(f"replay: python -m tests.sim --case '{case.key}'")
                raise
    finally:
        played.close()
    assert fired == len(chosen)
