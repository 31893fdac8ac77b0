"""The signs of one party by itself, for an index that is kept while parties come one by one.

Two parties that share a sign may be one. Without the counts of a whole side, how rare a word is
is taken from the built-in lists, so that a party's keys never depend on its neighbours.
"""

from __future__ import annotations

from .blocking import signs
from .frequencies import Frequencies
from .parameters import DEFAULT, Parameters
from .prepared import prepare
from .records import Party

#: Another number means that an index made before must be made anew.
KEYS_VERSION = 1
_ALONE = Frequencies(())


def blocking_keys(party: Party, parameters: Parameters = DEFAULT) -> tuple[str, ...]:
    """The party's signs in a fixed order."""
    return tuple(sorted(signs(prepare(party, parameters.country), _ALONE)))
