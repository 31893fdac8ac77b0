"""syncjob's own match on labelled data, as `syncjob match` calls it."""

from __future__ import annotations

from msgspec.structs import replace

from benchmarks.labelled import Labelled
from syncjob.core.match.match import doubles, match
from syncjob.core.match.parameters import DEFAULT
from syncjob.core.match.records import Pair, Party

Scores = dict[tuple[str, str], float]
#: Logarithmic odds so low that every pair worth a thought is listed: for the best that hindsight
#: finds, the other libraries' lists are not cut off either.
EVERYTHING = -12.0
#: A certain pair ranks before every near one, whatever their scores.
CERTAIN = 1.0


def on(
    data: Labelled, *, kind: str | None, country: str | None, near: float = DEFAULT.near
) -> tuple[Scores, Scores]:
    """(certain, near): pairs with their scores; `near` is the score (logarithmic odds) from which
    a pair is listed at all."""
    parameters = replace(DEFAULT, country=country, one_to_one=not data.many, near=near)
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
