"""Which pairs are worth comparing: parties that share a sign, where few others share it.

Each party has a few signs (a phone's end, a rare word, a word with the postcode, the sound of a
name with the town ...). Those with one sign form a block. A block that holds more pairs than
`pairs_max` is not compared; the party's finer signs are there for that. So the work grows with
the number of parties, not with its square.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations, permutations

from .emails import is_role
from .frequencies import Frequencies
from .normalise import sound, squash, words
from .phones import tail
from .prepared import Prepared

#: Words of a name that take part in signs, the rarest first.
NAME_WORDS = 4
#: The rarest words of a name of which half is a sign, and the letters of a half.
HALVED_WORDS = 3
HALF = 4
_LETTERS = re.compile(r"[a-z]{2,}")


#: Signs that say little each: a word or a postcode alone, the beginning or the end of a name,
#: a street's word and number. Their blocks may
#: hold only this share of what others may, so that the work per party stays the same at any size.
WEAK = frozenset("wqrxjza")
WEAK_SHARE = 0.4
#: Signs of which two are needed: alone they bring thousands together and hardly a true pair (the
#: sound of a word with a house number, a mailbox's name at another domain).
HALVES = frozenset("jl")


class Blocks:
    """The blocks of all parties; `left` parties come first in the sequence."""

    def __init__(
        self, parties: Sequence[Prepared], frequencies: Frequencies, size_max: int
    ) -> None:
        self._blocks: dict[str, list[int]] = {}
        self._of: list[list[list[int]]] = [[] for _ in parties]
        self._halves_of: list[list[list[int]]] = [[] for _ in parties]
        for index, party in enumerate(parties):
            for sign in signs(party, frequencies):
                self._blocks.setdefault(sign, []).append(index)
        weak_max = int(size_max * WEAK_SHARE)
        most = {sign: weak_max if sign[0] in WEAK else size_max for sign in self._blocks}
        self.skipped = {
            sign: len(block) for sign, block in self._blocks.items() if len(block) > most[sign]
        }
        for sign, block in self._blocks.items():
            if 1 < len(block) <= most[sign]:
                blocks_of = self._halves_of if sign[0] in HALVES else self._of
                for index in block:
                    blocks_of[index].append(block)
        self._blocks.clear()

    def candidates(self) -> Iterator[tuple[int, int]]:
        """Every pair (lower index, higher index) that shares a block, once."""
        for index, blocks in enumerate(self._of):
            found: set[int] = set()
            seen: set[int] = set()
            for block in blocks:
                found.update(block)
            for block in self._halves_of[index]:
                found.update(seen.intersection(block))
                seen.update(block)
            for other in found:
                if other > index:
                    yield index, other


def signs(party: Prepared, frequencies: Frequencies) -> set[str]:
    """What brings a party together with others."""
    found = {f"p{tail(phone)}" for phone in party.phones}
    found |= {f"e{mail}" for mail in party.emails}
    found |= {f"l{mail.partition('@')[0]}" for mail in party.emails if not is_role(mail)}
    found |= {f"d{domain}" for domain in party.domains}
    found |= {f"m{label}={value}" for label, value in party.more}
    if party.tax:
        found.add(f"t{party.tax}")
    found |= _of_name(party, frequencies)
    found |= _of_half_names(party, frequencies)
    found |= _of_addresses_online(party)
    found |= _of_place(party)
    return found


def _of_name(party: Prepared, frequencies: Frequencies) -> set[str]:
    rarest = sorted(
        {*party.tokens, *party.first, *party.last},
        key=lambda word: (-frequencies.token_bits(word), word),
    )[:NAME_WORDS]
    found = {f"w{word}" for word in rarest}
    found |= {"v" + " ".join(sorted(pair)) for pair in combinations(rarest, 2)}
    sounds = [sound(word) for word in rarest]
    found |= {"s" + " ".join(sorted(pair)) for pair in combinations(sounds, 2)}
    if party.squashed:
        found |= {f"q{party.squashed[:8]}", f"r{party.squashed[-8:]}"}
    places = [f"c{party.city}", f"z{party.postcode}"]
    places += [f"n{number}" for number in party.numbers[:2]]
    whole = " ".join(sorted(party.tokens))
    heard_pair = " ".join(sorted(heard[:3] for heard in sounds[:2]))
    for place in places:
        if len(place) > 1:
            kind = "j" if place[0] == "n" else "x"
            found |= {f"{kind}{heard[:3]} {place}" for heard in sounds}
            found |= {f"f{whole} {place}", f"y{heard_pair} {place}"}
    return found


def _of_half_names(party: Prepared, frequencies: Frequencies) -> set[str]:
    """Half of one word with the sound of another, for a typing error in the word that is rare; and
    the whole name with its main person's, for names that many have."""
    rarest = sorted(party.tokens, key=lambda word: (-frequencies.token_bits(word), word))
    found = set()
    for word, other in permutations(rarest[:HALVED_WORDS], 2):
        if len(word) > HALF:
            heard = sound(other)
            found |= {f"h{word[:HALF]}- {heard}", f"h-{word[-HALF:]} {heard}"}
    if not party.person and party.tokens and party.last:
        found.add(f"k{party.squashed} {' '.join(sorted({*party.first, *party.last}))}")
    return found


def _of_addresses_online(party: Prepared) -> set[str]:
    """The names that mailboxes and domains hold: they are typed right where a name is not."""
    found = set()
    for mail in party.emails:
        names = _LETTERS.findall(mail.partition("@")[0])
        if len(names) == 2:
            found.add("v" + " ".join(sorted(names)))
    for domain in party.domains:
        label = squash(words(domain.partition(".")[0]))
        found |= {f"q{label[:8]}", f"r{label[-8:]}"}
    return found


def _of_place(party: Prepared) -> set[str]:
    streets = party.street[:2]
    found = {f"a{word} {number}" for word in streets for number in party.numbers[:2]}
    if party.postcode:
        found.add(f"z{party.postcode}")
        found |= {f"b{party.postcode} {number}" for number in party.numbers[:2]}
        found |= {f"g{party.postcode} {word}" for word in streets}
    return found
