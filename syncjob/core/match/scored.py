"""A pair on its way from the score to its band."""

from __future__ import annotations

from typing import NamedTuple


class Scored(NamedTuple):
    """Two parties by their places, their odds, and why they are not certain ("" if they are)."""

    odds: float
    one: int
    other: int
    obstacle: str
    unplaced: bool = False  # one name, and no address or number that is one customer's alone
    vouched: bool = False  # certain only because both are doubles of a third
