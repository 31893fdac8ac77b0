"""What became of one address in one engine."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal

#: passed: played to its end, and the judge is content. violation: the judge names an invariant.
#: error: something broke, and no judge has said anything. missed: the fault never happened.
How = Literal["passed", "violation", "error", "missed"]


@dataclass(frozen=True)
class Verdict:
    """An address, how it ended, the invariant by the judge's name for it, and its words."""

    address: str
    how: How
    invariant: str = ""
    words: str = ""

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Verdict:
        """The other way."""
        return cls(**json.loads(line))
