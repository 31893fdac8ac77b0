"""Names side by side: words brought together in any order, spelled alike or cut short."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import OSA

from .frequencies import Frequencies
from .names import is_nickname
from .normalise import likeness
from .prepared import Prepared

Findings = dict[str, float]
#: Words less alike than this are two words.
ALIKE = 0.86
#: Below so many letters one slip makes another word.
SLIP_LETTERS = 5


class Alignment(NamedTuple):
    """In bits: what the shared words say, what typing errors took from it, what both sides have
    that the other lacks (the smaller of the two), and how much more one side has."""

    agreed: float
    slips: float
    conflict: float
    extra: float


def align(
    one: tuple[str, ...],
    other: tuple[str, ...],
    bits: Callable[[str], float],
    frequencies: Frequencies,
) -> Alignment:
    """Bring each word of one name together with the most similar of the other, best first."""
    if one == other:
        return Alignment(_sum(bits, one), 0, 0, 0)
    mine, theirs = set(one), set(other)
    shared = mine & theirs
    agreed = _sum(bits, shared)
    rest, left = sorted(mine - shared), sorted(theirs - shared)
    slips = 0.0
    if rest and left:
        for similarity, a, b in _alike(rest, left):
            if a in rest and b in left:
                rest.remove(a)
                left.remove(b)
                worth = (bits(a) + bits(b)) / 2
                agreed += worth * similarity
                slips += worth * (1 - similarity)
    mine_left, theirs_left = _sum(bits, rest), _sum(bits, left)
    conflict = min(mine_left, theirs_left)
    return Alignment(agreed, slips, conflict, max(mine_left, theirs_left) - conflict)


def _sum(bits: Callable[[str], float], words: Iterable[str]) -> float:
    """The bits of distinct words, added in one order, so that no digit depends on the rows'."""
    return sum(map(bits, sorted(set(words))))


def _alike(rest: list[str], left: list[str]) -> list[tuple[float, str, str]]:
    """Pairs of words that are alike, best first; ties in the order of their letters."""
    found = []
    for a in rest:
        for b in left:
            similarity = alike(a, b)
            if similarity:
                found.append((similarity, a, b))
    found.sort(key=lambda pair: (-pair[0], *sorted(pair[1:])))
    return found


@lru_cache(maxsize=1 << 13)
def alike(a: str, b: str) -> float:
    """How alike two different words are: 0 (two words) or up to 1 (a slip of the keyboard)."""
    if a.isdigit() or b.isdigit():
        return 0.0
    short = min(len(a), len(b))
    if short == 1:
        return 0.3 if a[0] == b[0] else 0.0
    if OSA.distance(a, b, score_cutoff=1) <= 1:
        if short >= SLIP_LETTERS:
            return 0.9
        # "Ana" may be "Anna" mistyped, but "Tim" is not "Tom".
        return 0.6 if short > 2 and (len(a) != len(b) or sorted(a) == sorted(b)) else 0.0
    if short < SLIP_LETTERS:
        return 0.0
    similarity = likeness(a, b)
    return 0.8 * similarity if similarity >= ALIKE else 0.0


def names(one: Prepared, other: Prepared, frequencies: Frequencies, found: Findings) -> None:
    """The findings of two names; two human beings are compared by first and family name."""
    if one.person and other.person:
        _persons(one, other, frequencies, found)
        return
    if one.person is not None and other.person is not None and one.person != other.person:
        found["kind_differs"] = 1
    if one.person or other.person:
        found["human"] = 1
    if one.tokens and other.tokens:
        _companies(one, other, frequencies, found)
    if (one.last or one.first) and (other.last or other.first) and not (one.person or other.person):
        _main_persons(one, other, frequencies, found)


def _companies(one: Prepared, other: Prepared, frequencies: Frequencies, found: Findings) -> None:
    bits = frequencies.token_bits
    if one.squashed == other.squashed:
        found["name"] = min(max(_sum(bits, p.tokens) for p in (one, other)), 30)
        found["name_same"] = 1
    else:
        match = align(one.tokens, other.tokens, bits, frequencies)
        found["name"] = min(match.agreed, 30)
        found["name_slips"] = min(match.slips, 10)
        _what_is_left(match, found)
        if not match.agreed:
            found["name_none"] = 1
        _numbers_in_names(one.tokens, other.tokens, found)
    if one.form and other.form:
        found["form" if one.form == other.form else "form_differs"] = 1


def _what_is_left(match: Alignment, found: Findings) -> None:
    """Words without a partner: in bits, and as a share of everything that the names say."""
    whole = match.agreed + match.conflict + match.slips
    found["name_conflict"] = min(match.conflict, 20)
    found["name_conflict_share"] = match.conflict / whole if whole else 1
    found["name_extra"] = min(match.extra, 20)
    found["name_extra_share"] = match.extra / (whole + match.extra) if whole + match.extra else 0


def _numbers_in_names(one: tuple[str, ...], other: tuple[str, ...], found: Findings) -> None:
    """ "Number 2" is not "Number 3"."""
    mine = {word for word in one if word[0].isdigit()}
    theirs = {word for word in other if word[0].isdigit()}
    if mine and theirs and not mine & theirs:
        found["name_numbers"] = 1


def _main_persons(
    one: Prepared, other: Prepared, frequencies: Frequencies, found: Findings
) -> None:
    mine, theirs = (*one.first, *one.last), (*other.first, *other.last)
    match = align(mine, theirs, frequencies.token_bits, frequencies)
    if match.agreed and match.conflict < match.agreed / 4:
        found["main_person"] = min(match.agreed, 16)
    elif match.conflict:
        found["main_person_differs"] = 1


def _persons(one: Prepared, other: Prepared, frequencies: Frequencies, found: Findings) -> None:
    straight: Findings = {}
    _part("first", one.first, other.first, frequencies, straight)
    _part("last", one.last, other.last, frequencies, straight)
    found.update(straight)
    if "first_differs" in straight or "last_differs" in straight:
        crossed = _crossed(one, other, straight, frequencies)
        if crossed:
            for name in straight:
                del found[name]
            found.update(crossed)
            found["swapped"] = 1
    if one.generation and other.generation and one.generation != other.generation:
        found["generation_differs"] = 1


def _crossed(
    one: Prepared, other: Prepared, straight: Findings, frequencies: Frequencies
) -> Findings:
    """First name beside family name; {} where that agrees no better.

    Where nothing agrees straight on, and one name stands in the other's wrong field, that name is
    taken for the family's, and the first names differ: "Kelsy Berryman", "Berryman Phoebe".
    """
    # One order of the two, so that each side's view of the pair is the same.
    a, b = sorted((one, other), key=lambda party: (party.first, party.last))
    first: Findings = {}
    last: Findings = {}
    _part("first", a.first, b.last, frequencies, first)
    _part("last", a.last, b.first, frequencies, last)
    crossed = first | last
    if crossed and not any(name.endswith("_differs") for name in crossed):
        return crossed
    if straight.keys() - {"first_differs", "last_differs"}:
        return {}
    shared = [
        found for part in (first, last) for name, found in part.items() if name in ("first", "last")
    ]
    near = [
        found for part in (first, last) for name, found in part.items() if name.endswith("_near")
    ]
    if shared:
        return {"last": max(shared), "first_differs": 1}
    return {"last_near": max(near), "first_differs": 1} if near else {}


def _part(
    part: str,
    one: tuple[str, ...],
    other: tuple[str, ...],
    frequencies: Frequencies,
    found: Findings,
) -> None:
    """First or family name: the same, alike, an initial, a short form, or another."""
    if not one or not other:
        return
    if one == other or "".join(one) == "".join(other):
        found[part] = min(max(_sum(frequencies.token_bits, p) for p in (one, other)), 16)
        return
    a, b = one[0], other[0]
    shared = set(one) & set(other)
    if {len(a), len(b)} != {1} and a[0] == b[0] and min(len(a), len(b)) == 1:
        found[f"{part}_initial"] = 1
    elif is_nickname(a, b):
        found[f"{part}_short"] = 1
    elif shared:
        found[f"{part}_part"] = max(map(frequencies.token_bits, shared))
    elif likeness := max(alike(a, b), alike("".join(one), "".join(other))):
        worth = (frequencies.token_bits(a) + frequencies.token_bits(b)) / 2
        found[f"{part}_near"] = min(worth * likeness, 16)
    else:
        found[f"{part}_differs"] = 1
