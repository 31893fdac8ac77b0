"""Who goes with whom: at most one link a party, and none where two are about as good."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from math import inf

from .parameters import Parameters
from .scored import Scored
from .scoring import CONFLICT, FIRST_NAMES

RIVALS = "another contact fits about as well"
#: Doubts that one common double does not lift: it may itself stand between two of a group.
_STUBBORN = frozenset({CONFLICT, FIRST_NAMES})


def assigned(across: list[Scored], parameters: Parameters) -> tuple[list[Scored], list[Scored]]:
    """Certain links and near pairs. A certain pair stays with a person where either party has
    another that fits about as well; a near one is left out where something fits far better."""
    if not parameters.one_to_one:
        return [s for s in across if not s.obstacle], [s for s in across if s.obstacle]
    best = _best_two(across)
    links, rest = [], []
    for scored in across:
        alone = all(
            _others(best[place], scored) <= scored.odds - parameters.margin
            for place in (scored.one, scored.other)
        )
        if alone and not scored.obstacle:
            links.append(scored)
        else:
            rest.append(scored._replace(obstacle=scored.obstacle or RIVALS))
    taken = {place for scored in links for place in (scored.one, scored.other)}
    near = [
        scored
        for scored in rest
        if scored.one not in taken
        and scored.other not in taken
        and all(
            best[place][0] - scored.odds <= parameters.near_margin
            for place in (scored.one, scored.other)
        )
    ]
    return links, near


def _best_two(across: Iterable[Scored]) -> dict[int, list[float]]:
    """The two best odds of each party."""
    best: dict[int, list[float]] = defaultdict(list)
    for scored in across:
        for place in (scored.one, scored.other):
            best[place] = sorted([*best[place], scored.odds], reverse=True)[:2]
    return best


def _others(best: list[float], scored: Scored) -> float:
    """The best odds of the party's other pairs."""
    others = best[1:] if best[0] == scored.odds else best
    return others[0] if others else -inf


def vouched(pairs: list[Scored]) -> list[Scored]:
    """Near pairs become certain where both parties are certain doubles of a third: of two others
    where the names keep them apart."""
    certain: dict[int, set[int]] = defaultdict(set)
    for scored in pairs:
        if not scored.obstacle:
            certain[scored.one].add(scored.other)
            certain[scored.other].add(scored.one)
    return [
        scored._replace(obstacle="", vouched=True)
        if scored.obstacle
        and scored.odds > 0
        and len(certain[scored.one] & certain[scored.other]) > (scored.obstacle in _STUBBORN)
        else scored
        for scored in pairs
    ]
