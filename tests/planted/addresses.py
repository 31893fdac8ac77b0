"""What can be played against an engine, as one line of text.

- `history NAME`: a scripted history without any fault.
- `case HISTORY | BATCH | POINT | N | FAULT | on` (or `off`): a fault at a point of a history, which
  is named by what passes there and not by its number: `write PUT /xero/../Invoices`, the N-th of
  the batch; with `+2` behind it the second commit after that. `on`: life goes on before recovery.
- `scene NAME`: one of tests/planted/scenes.py.
- `seed NUMBER CRM`: a random world.
- `draw HISTORY | NUMBER | COUNT`: so many cases of a history, drawn by that number.
"""

from __future__ import annotations

import re
from typing import NamedTuple

#: Ids that a server gives, which a change of chance changes.
_ID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|(?<=/)\d{4,}")


class Spot(NamedTuple):
    """A point of a batch: the N-th exchange of these words, or so many commits after it."""

    words: str
    nth: int
    commits: int


class CaseAddress(NamedTuple):
    """A fault at a spot of a history."""

    history: str
    batch: int
    spot: Spot
    fault: str
    goes_on: bool

    def __str__(self) -> str:
        words, nth, commits = self.spot
        at = f"{words} +{commits}" if commits else words
        on = "on" if self.goes_on else "off"
        return f"case {self.history} | {self.batch} | {at} | {nth} | {self.fault} | {on}"

    @classmethod
    def of(cls, text: str) -> CaseAddress:
        """Read what `str` writes. Raises ValueError."""
        history, batch, at, nth, fault, on = text.removeprefix("case ").split(" | ")
        words, _, commits = at.partition(" +")
        spot = Spot(words, int(nth), int(commits or 0))
        return cls(history, int(batch), spot, fault, on == "on")


def plain(kind: str, words: str) -> str:
    """A point's kind and words without the ids in them."""
    return f"{kind} {_ID.sub('*', words)}"


def spots(points: list[tuple[str, str]]) -> list[Spot]:
    """Each point of a batch, given as (kind, words), as a spot; in their order."""
    found: list[Spot] = []
    seen: dict[str, int] = {}
    anchor, commits = "start", 0
    for kind, words in points:
        if kind == "commit":
            commits += 1
        else:
            anchor, commits = plain(kind, words), 0
            seen[anchor] = seen.get(anchor, 0) + 1
        found.append(Spot(anchor, seen.get(anchor, 1), commits))
    return found
