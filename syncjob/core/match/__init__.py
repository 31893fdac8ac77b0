"""Which parties of two sides are one: pure, the same for any order of rows and any ids.

`match` proposes links between two sides and doubles inside each, `doubles` looks at one side.
docs/matching.md says in words how a pair is scored; `parameters.py` holds every number.
"""

from .match import doubles, match
from .parameters import DEFAULT, Parameters
from .records import Band, Known, Matching, Pair, Party, PartyKind

__all__ = [
    "DEFAULT",
    "Band",
    "Known",
    "Matching",
    "Pair",
    "Parameters",
    "Party",
    "PartyKind",
    "doubles",
    "match",
]
