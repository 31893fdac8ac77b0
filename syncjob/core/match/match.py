"""The match itself: prepare, bring together, compare, score, and decide who goes with whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .blocking import Blocks
from .compare import compare
from .frequencies import Frequencies
from .parameters import DEFAULT, Parameters
from .prepared import prepare
from .records import Band, Known, Matching, Pair, Party
from .scoring import score
from .words import agreements, differences

Scored = tuple[float, int, int]


def match(
    left: Iterable[Party],
    right: Iterable[Party],
    parameters: Parameters = DEFAULT,
    known: Known = Known(),  # noqa: B008 - immutable
) -> Matching:
    """Links between two sides that are certain or near, and doubles inside each side.

    A party that `known` links takes part in no new link; a pair that it calls apart is never
    proposed. Ids must be unique within a side.
    """
    lefts, rights = list(left), list(right)
    run = _Run([*lefts, *rights], parameters, split=len(lefts))
    across, inside_left, inside_right = run.sorted_out(known)
    pairs, near = run.assigned(across)
    return Matching(
        pairs=run.pairs(pairs, "certain"),
        near=run.pairs(near, "near"),
        left_doubles=run.doubles(inside_left),
        right_doubles=run.doubles(inside_right),
        skipped=run.skipped(),
    )


def doubles(
    parties: Iterable[Party],
    parameters: Parameters = DEFAULT,
    known: Known = Known(),  # noqa: B008 - immutable
) -> list[Pair]:
    """Pairs within one side that are, or may be, one party."""
    found = match(parties, (), parameters, known)
    return list(found.left_doubles)


class _Run:
    """One call's parties (the left ones first) and what was found among them."""

    def __init__(self, parties: Sequence[Party], parameters: Parameters, split: int) -> None:
        self.parties = parties
        self.parameters = parameters
        self.split = split
        self.prepared = [prepare(party, parameters.country) for party in parties]
        self.total = len(parties) + parameters.others
        self.frequencies = Frequencies(self.prepared)
        self.frequencies.total = self.total
        self.blocks = Blocks(self.prepared, self.frequencies, parameters.block_max)
        self.scored: list[Scored] = []
        for one, other in self.blocks.candidates():
            found = compare(self.prepared[one], self.prepared[other], self.frequencies)
            probability = score(found, self.total, parameters)
            if probability >= parameters.near:
                self.scored.append((probability, one, other))

    def sorted_out(self, known: Known) -> tuple[list[Scored], list[Scored], list[Scored]]:
        """Pairs across, inside left and inside right, without what is known."""
        across, inside_left, inside_right = [], [], []
        left_linked = {left for left, _ in known.links}
        right_linked = {right for _, right in known.links}
        for scored in self.scored:
            _, one, other = scored
            ids = self.prepared[one].id, self.prepared[other].id
            if ids in known.apart or ids[::-1] in known.apart:
                continue
            if other < self.split:
                inside_left.append(scored)
            elif one >= self.split:
                inside_right.append(scored)
            elif ids[0] not in left_linked and ids[1] not in right_linked:
                across.append(scored)
        return across, inside_left, inside_right

    def assigned(self, across: list[Scored]) -> tuple[list[Scored], list[Scored]]:
        """Certain links, one to one, and the near pairs that are left.

        A certain pair whose party has another one as good stays with a person.
        """
        certain = self.parameters.certain
        if not self.parameters.one_to_one:
            return [s for s in across if s[0] >= certain], [s for s in across if s[0] < certain]
        best: dict[int, list[float]] = {}
        for probability, one, other in across:
            for party in (one, other):
                best.setdefault(party, []).append(probability)
        for found in best.values():
            found.sort(reverse=True)
        links: list[Scored] = []
        rest: list[Scored] = []
        for scored in across:
            probability, one, other = scored
            alone = all(
                best[party][0] == probability
                and (len(best[party]) == 1 or best[party][1] < probability)
                for party in (one, other)
            )
            (links if alone and probability >= certain else rest).append(scored)
        taken = {party for _, one, other in links for party in (one, other)}
        return links, [s for s in rest if s[1] not in taken and s[2] not in taken]

    def doubles(self, inside: list[Scored]) -> tuple[Pair, ...]:
        """Pairs inside one side, each in its band."""
        certain = [scored for scored in inside if scored[0] >= self.parameters.certain]
        near = [scored for scored in inside if scored[0] < self.parameters.certain]
        return (*self.pairs(certain, "certain"), *self.pairs(near, "near"))

    def pairs(self, found: list[Scored], band: Band) -> tuple[Pair, ...]:
        """The pairs in words, by falling score, then by id."""
        return tuple(
            sorted(
                (self._pair(scored, band) for scored in found),
                key=lambda pair: (-pair.score, pair.left, pair.right),
            )
        )

    def _pair(self, scored: Scored, band: Band) -> Pair:
        probability, one, other = scored
        a, b = self.prepared[one], self.prepared[other]
        if other < self.split or one >= self.split:
            (_, one, a), (_, other, b) = sorted([(a.id, one, a), (b.id, other, b)])
        found = compare(a, b, self.frequencies)
        agrees, differs = agreements(found, a, b), differences(found, a, b)
        return Pair(
            left=a.id, right=b.id, score=probability, band=band, agrees=agrees, differs=differs,
            because=_because(band, agrees, differs),
        )  # fmt: skip

    def skipped(self) -> tuple[str, ...]:
        """Which signs were too common, in words."""
        return tuple(
            f"{size} contacts share {sign[1:]!r}; not all of them were compared"
            for sign, size in sorted(self.blocks.skipped.items())
        )


def _because(band: Band, agrees: tuple[str, ...], differs: tuple[str, ...]) -> str:
    if band == "certain":
        return "enough agrees and nothing weighs against it"
    return "something differs: look at both" if differs else "too little is known to be certain"
