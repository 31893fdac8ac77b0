"""The signs of one party by itself, for an index that is kept while parties come one by one.

Two parties that share a sign may be one. Without the counts of a whole side, how rare a word is
is taken from the built-in lists, so that a party's keys never depend on its neighbours.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import get_args

from .blocking import signs
from .frequencies import Frequencies
from .parameters import DEFAULT, Parameters
from .prepared import prepare
from .records import Party, PartyKind

_ALONE = Frequencies(())
#: Signs that are half of all and bring little more: pairs of words (pairs of their sounds stay),
#: and a sound with a place (words, and streets with numbers stay).
_LEFT_OUT = ("v", "x", "j")
#: Parties whose keys stand for how keys are made: one of each kind, with every value set.
_SAMPLES = tuple(
    Party(
        id="a", kind=kind, name="Meridian Harbour & Sons Trading Co. Ltd", first_name="Zoë",
        last_name="van der Meyer", emails=("zoe@meridian.example",), phones=("+44 20 7946 0958",),
        lines=("12b Long Acre",), city="St. Albans", region="Herts", postal_code="AL1 3JE",
        country="United Kingdom", tax_number="GB 123 4567 89", more=("code: X-7",),
    )
    for kind in get_args(PartyKind)
)  # fmt: skip


def blocking_keys(party: Party, parameters: Parameters = DEFAULT) -> tuple[str, ...]:
    """The party's signs in a fixed order, without those that an index can do without."""
    found = signs(prepare(party, parameters.country), _ALONE)
    return tuple(sorted(sign for sign in found if not sign.startswith(_LEFT_OUT)))


@cache
def keys_version() -> str:
    """Changes when keys are made otherwise: an index that was made before must be made anew."""
    made = "\n".join(key for sample in _SAMPLES for key in blocking_keys(sample))
    return hashlib.blake2b(made.encode(), digest_size=8).hexdigest()
