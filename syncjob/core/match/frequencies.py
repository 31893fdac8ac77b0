"""How common each value is: a rare one that two parties share says more than a common one.

What a shared value says is counted in bits: a value that one party in 1,024 has says 10. In small
sides everything looks rare, so that each count is taken as if a thousand strangers stood beside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import log2

from .commonness import COMMON
from .prepared import Prepared

#: The strangers among whom a value of the built-in lists is as common as in the world.
STRANGERS = 1000
#: How often a word that no list knows is met among one of the strangers.
RARE = 1e-5


class Frequencies:
    """Counts of every value over all parties of both sides."""

    def __init__(self, parties: Iterable[Prepared]) -> None:
        self.total = 0
        self.token: Counter[str] = Counter()
        self.value: Counter[tuple[str, str]] = Counter()
        for party in parties:
            self.total += 1
            self.token.update({*party.tokens, *party.first, *party.last})
            self.value.update(_values(party))
        self._bits: dict[str, float] = {}

    def token_bits(self, token: str) -> float:
        """What a shared word of a name says."""
        found = self._bits.get(token)
        if found is None:
            strangers = STRANGERS * COMMON.get(token, RARE)
            found = log2((self.total + STRANGERS) / (self.token[token] + strangers + 1))
            found = self._bits[token] = max(found, 0.0)
        return found

    def bits(self, kind: str, value: str) -> float:
        """What a shared value of a kind ("phone", "postcode") says."""
        return max(log2((self.total + STRANGERS) / (self.value[kind, value] + 1)), 0.0)


def _values(party: Prepared) -> set[tuple[str, str]]:
    found = {("street", word) for word in party.street}
    found |= {("phone", phone[-7:]) for phone in party.phones}
    found |= {("email", mail) for mail in party.emails}
    found |= {("local", mail.partition("@")[0]) for mail in party.emails}
    found |= {("domain", domain) for domain in party.domains}
    found |= {("number", number) for number in party.numbers}
    found |= {(f"more {label}", value) for label, value in party.more}
    for kind in ("postcode", "city", "region", "tax"):
        value = getattr(party, kind)
        if value:
            found.add((kind, value))
    return found
