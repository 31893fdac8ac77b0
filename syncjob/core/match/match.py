"""The match itself: prepare, bring together, compare, score, and decide who goes with whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from .assignment import assigned, vouched
from .blocking import Blocks
from .branches import OTHER_WORDS, Branches, other_words, unplaced
from .compare import Findings, compare
from .frequencies import Frequencies
from .parameters import DEFAULT, Parameters
from .prepared import prepare
from .records import Known, Matching, Pair, Party
from .scored import Scored
from .scoring import obstacle, odds, probability, worth_asking
from .words import VOUCHED, agreements, because, differences

NOTHING_KNOWN = Known()
#: As many as a person reads.
SKIPPED_TOLD = 10


def match(
    left: Iterable[Party],
    right: Iterable[Party],
    parameters: Parameters = DEFAULT,
    known: Known = NOTHING_KNOWN,
) -> Matching:
    """Links between two sides that are certain or near, and doubles inside each side.

    A party that `known` links takes part in no new link; a pair that it calls apart is never
    proposed. Ids must be unique within a side.
    """
    lefts, rights = list(left), list(right)
    run = _Run([*lefts, *rights], parameters, split=len(lefts))
    across, inside_left, inside_right = run.sorted_out(known)
    links, near = assigned(across, parameters)
    return Matching(
        pairs=run.pairs(links),
        near=run.pairs(near),
        left_doubles=run.pairs(inside_left),
        right_doubles=run.pairs(inside_right),
        skipped=run.skipped(),
    )


def doubles(
    parties: Iterable[Party], parameters: Parameters = DEFAULT, known: Known = NOTHING_KNOWN
) -> list[Pair]:
    """Pairs within one side that are, or may be, one party; the certain ones first."""
    return list(match(parties, (), parameters, known).left_doubles)


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
        self.branches = Branches(parameters)
        self.scored = [self._beside_branches(scored) for scored in list(self._scored())]

    def _scored(self) -> Iterator[Scored]:
        prepared, total = self.prepared, self.total
        for one, other in self.blocks.candidates():
            found = compare(prepared[one], prepared[other], self.frequencies)
            self.branches.learn(prepared[one], prepared[other], found)
            worth = odds(found, total, self.parameters)
            if worth >= self.parameters.near or worth_asking(found):
                yield self._judged(one, other, found, worth)

    def _judged(self, one: int, other: int, found: Findings, worth: float) -> Scored:
        doubt = obstacle(found, worth, self.parameters)
        open_to_doubt = not doubt and unplaced(found)
        if open_to_doubt and other_words(found, self.parameters):
            doubt = OTHER_WORDS
        return Scored(worth, one, other, doubt, open_to_doubt and not doubt)

    def _beside_branches(self, scored: Scored) -> Scored:
        """A certain pair without an address is near where the rest of the data shows branches."""
        if not scored.unplaced:
            return scored
        doubt = self.branches.doubt(self.prepared[scored.one], self.prepared[scored.other])
        return scored._replace(obstacle=doubt)

    def sorted_out(self, known: Known) -> tuple[list[Scored], list[Scored], list[Scored]]:
        """Pairs across, inside left and inside right, without what is known."""
        across, inside_left, inside_right = [], [], []
        left_linked = {left for left, _ in known.links}
        right_linked = {right for _, right in known.links}
        for scored in self.scored:
            ids = self.prepared[scored.one].id, self.prepared[scored.other].id
            if ids in known.apart or ids[::-1] in known.apart:
                continue
            if scored.other < self.split:
                inside_left.append(scored)
            elif scored.one >= self.split:
                inside_right.append(scored)
            elif ids[0] not in left_linked and ids[1] not in right_linked:
                across.append(scored)
        return across, vouched(inside_left), vouched(inside_right)

    def pairs(self, found: Iterable[Scored]) -> tuple[Pair, ...]:
        """The pairs in words: certain ones first, then by falling score, then by id."""
        pairs = [self._pair(scored) for scored in found]
        return tuple(sorted(pairs, key=lambda p: (p.band, -p.score, p.left, p.right)))

    def _pair(self, scored: Scored) -> Pair:
        places = [scored.one, scored.other]
        if scored.other < self.split or scored.one >= self.split:
            places.sort(key=lambda place: self.parties[place].id)
        one, other = (self.parties[place] for place in places)
        found = compare(self.prepared[places[0]], self.prepared[places[1]], self.frequencies)
        return Pair(
            left=one.id, right=other.id, score=probability(scored.odds),
            band="near" if scored.obstacle else "certain",
            agrees=agreements(found, one, other), differs=differences(found, one, other),
            because=scored.obstacle or (VOUCHED if scored.vouched else because(found)),
        )  # fmt: skip

    def skipped(self) -> tuple[str, ...]:
        """Which signs were too common, in words: the most common ones."""
        found = sorted(self.blocks.skipped.items(), key=lambda item: (-item[1], item[0]))
        told = [
            f"{size} contacts share {sign[1:]!r}: compared only where they share more"
            for sign, size in found[:SKIPPED_TOLD]
        ]
        if len(found) > SKIPPED_TOLD:
            told.append(f"and {len(found) - SKIPPED_TOLD} less common signs")
        return tuple(told)
