"""The same contacts give the same links in any order, with any ids, from either side."""

from __future__ import annotations

import random

import msgspec
import pytest

from benchmarks import crm_ledger
from syncjob.core.match.match import match
from syncjob.core.match.records import Matching, Party

SIZE = 250
Links = dict[tuple[str, str], tuple[float, str, tuple[str, ...]]]


@pytest.fixture(scope="module")
def sides() -> tuple[list[Party], list[Party]]:
    left, right, _ = crm_ledger.made_up(SIZE, seed=11)
    return left, right


def links(found: Matching) -> Links:
    pairs = (*found.pairs, *found.near)
    return {(p.left, p.right): (p.score, p.band, p.agrees) for p in pairs}


@pytest.mark.parametrize("seed", range(4))
def test_rows_and_ids_permuted(sides: tuple[list[Party], list[Party]], seed: int) -> None:
    left, right = sides
    plain = match(left, right)
    assert len(plain.pairs) > SIZE / 3, "there is something to compare"
    dice = random.Random(seed)
    names = [f"x{number}" for number in range(len(left) + len(right))]
    dice.shuffle(names)
    new = dict(zip([party.id for party in (*left, *right)], names, strict=True))
    old = {value: key for key, value in new.items()}
    shuffled = [
        dice.sample([msgspec.structs.replace(p, id=new[p.id]) for p in side], len(side))
        for side in sides
    ]
    found = match(*shuffled)
    assert {(old[a], old[b]): value for (a, b), value in links(found).items()} == links(plain)
    doubled = {frozenset((old[p.left], old[p.right])) for p in found.left_doubles}
    assert doubled == {frozenset((p.left, p.right)) for p in plain.left_doubles}


def test_sides_exchanged(sides: tuple[list[Party], list[Party]]) -> None:
    left, right = sides
    there, back = match(left, right), match(right, left)
    mirrored = {(b, a): value[:2] for (a, b), value in links(back).items()}
    assert mirrored == {pair: value[:2] for pair, value in links(there).items()}
    assert {(p.left, p.right, p.band) for p in there.left_doubles} == {
        (p.left, p.right, p.band) for p in back.right_doubles
    }
