"""How often Python looks for rings of dead objects while a batch keeps many live ones."""

from __future__ import annotations

import gc

#: New objects between two looks, and looks between two wider ones. Python's own 700 and 10 make a
#: look walk thousands of live cases and actions hundreds of times a load, a twelfth of its CPU;
#: almost nothing of ours is a ring, and what is none is freed at once without any look.
OBJECTS, LOOKS = 20_000, 20


def look_seldom() -> None:
    """Look as seldom as that from now on, in this process; one that looks more seldom stays."""
    if 0 < gc.get_threshold()[0] < OBJECTS:
        gc.set_threshold(OBJECTS, LOOKS, LOOKS)
