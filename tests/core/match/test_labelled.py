"""The certain band on labelled data: never under its precision, and not by linking nothing."""

from __future__ import annotations

import pytest

from benchmarks import crm_ledger, labelled, match_ours

PRECISION = 0.995
#: Made-up customers whose true pair is neither linked nor asked: too little was written down.
LOST_MAX = 0.025


def rates(found: set[tuple[str, str]], truth: set[tuple[str, str]]) -> tuple[float, float]:
    return len(found & truth) / max(len(found), 1), len(found & truth) / len(truth)


@pytest.mark.parametrize(
    ("name", "floor"), [("febrl1", 0.99), ("febrl1 org|dup", 0.99), ("orgs by source", 0.6)]
)
def test_labelled(name: str, floor: float) -> None:
    sets = {data.name: data for data in labelled.shared()}
    if not sets:
        pytest.skip("the labelled data (../shared/data/matching) is not there")
    certain, near = match_ours.on(sets[name], kind=None, country=None)
    precision, recall = rates(set(certain), sets[name].truth)
    assert precision >= PRECISION
    assert recall >= floor
    assert rates(certain.keys() | near.keys(), sets[name].truth)[1] > 0.97


def test_made_up_customers() -> None:
    left, right, truth = crm_ledger.made_up(1200, seed=21)
    certain, near = match_ours.sides(left, right)
    precision, recall = rates(set(certain), truth)
    assert precision >= PRECISION
    assert recall >= 0.74
    assert rates(certain.keys() | near.keys(), truth)[1] >= 1 - LOST_MAX
    assert len(near) < len(left) / 2
