"""Pairs of companies that no address brings together: may each be another branch of one company?

Branches share their company's name and often its phone. Where both names are one, and no other
pair of the data shows that name at two addresses, the pair stands; else a person decides.
"""

from __future__ import annotations

from .compare import Findings
from .parameters import Parameters
from .prepared import Prepared
from .scoring import OWN, elsewhere

BRANCHES = "the name has other addresses in the data, and no address tells which is meant"
OTHER_WORDS = "the names have other words, as branches have, and no address tells"
#: A town says which branch is meant only if it is not everybody's (bits, see frequencies.py).
_TOWN_BITS = 3.0
_BRINGS_TOGETHER = frozenset({*OWN, "number", "street", "postcode", "main_person"})


class Branches:
    """The names that stand at several addresses, as the compared pairs show."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._names: set[str] = set()

    def learn(self, one: Prepared, other: Prepared, findings: Findings) -> None:
        """Take from a pair what it shows of others: one name, two addresses."""
        named = "name" in findings and "human" not in findings and "name_none" not in findings
        if named and elsewhere(findings) and not other_words(findings, self._parameters):
            self._names |= {one.squashed, other.squashed}

    def doubt(self, one: Prepared, other: Prepared) -> str:
        """Why a pair that is `unplaced` cannot be certain, or ""."""
        return "" if self._names.isdisjoint((one.squashed, other.squashed)) else BRANCHES


def unplaced(findings: Findings) -> bool:
    """Two companies that no address, and nothing of one customer alone, brings together."""
    return (
        "name" in findings
        and "human" not in findings
        and _BRINGS_TOGETHER.isdisjoint(findings)
        and findings.get("city", 0) < _TOWN_BITS
    )


def other_words(findings: Findings, parameters: Parameters) -> bool:
    """A name has words of some weight that the other lacks."""
    most = parameters.branch_words
    return any(findings.get(f"name_{part}_share", 0) > most for part in ("extra", "conflict"))
