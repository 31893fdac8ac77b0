"""syncjob's own match on labelled data, as `syncjob match` calls it."""

from __future__ import annotations

from msgspec.structs import replace

from benchmarks.labelled import Labelled
from syncjob.core.match import DEFAULT, Pair, Party, doubles, match

Scores = dict[tuple[str, str], float]
#: A certain pair ranks before every near one, whatever their scores.
CERTAIN = 1.0


def on(data: Labelled, *, kind: str | None, country: str | None) -> tuple[Scores, Scores]:
    """(certain, near): pairs with their scores."""
    parameters = replace(DEFAULT, country=country, one_to_one=not data.many)
    left = data.left.parties(kind)
    if data.right is None:
        return _bands(doubles(left, parameters), ordered=True)
    found = match(left, data.right.parties(kind), parameters)
    return _bands([*found.pairs, *found.near])


def sides(left: list[Party], right: list[Party]) -> tuple[Scores, Scores]:
    """(certain, near) between two sides, as a connection does it."""
    found = match(left, right)
    return _bands([*found.pairs, *found.near])


def _bands(pairs: list[Pair], ordered: bool = False) -> tuple[Scores, Scores]:
    certain: Scores = {}
    near: Scores = {}
    for pair in pairs:
        ids = (pair.left, pair.right)
        key = (min(ids), max(ids)) if ordered else ids
        if pair.band == "certain":
            certain[key] = CERTAIN + pair.score
        else:
            near[key] = pair.score
    return certain, near
