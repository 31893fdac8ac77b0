"""The list of seeds that once were red, each with how it is played."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from tests.sim.swarm import DRAWS, Draws

PATH = Path(__file__).with_name("kept.txt")
#: Words behind a seed: its CRM, and how it is played. Many seeds were kept before the last draws
#: came; "first" to "fourth" play them with the draws of their time.
CRMS = ("pipedrive", "hubspot")
MARKS = ("plans", "http", *DRAWS)


class How(TypedDict):
    """The named arguments of `play`."""

    crm: str
    plans: bool
    http: bool
    draws: Draws


def kept_seeds() -> list[tuple[int, How]]:
    """All of them, in the order in which they were found. Raises ValueError for an unknown word."""
    lines = (line.partition("#")[0].split() for line in PATH.read_text().splitlines())
    return [(int(words[0]), _how(words[1:])) for words in lines if words]


def _how(words: list[str]) -> How:
    unknown = [word for word in words if word not in (*CRMS, *MARKS)]
    if unknown:
        raise ValueError(f"{PATH.name}: unknown words {unknown}")
    crm = next((word for word in words if word in CRMS), CRMS[0])
    draws = next((word for word in DRAWS if word in words), DRAWS[-1])
    return How(crm=crm, plans="plans" in words, http="http" in words, draws=draws)
