"""A set of many names in eight bytes each or two: what a large plan foresees, while it is written.

Names are known by 64 bits of their hash: of a million names two are taken for one with a chance of
one in 37 million, and then a write that would have waited for the next batch is sent in this one.
"""

from __future__ import annotations

import hashlib
from array import array

#: Slots of an empty set; it doubles before it is two thirds full, so that looks stay short.
_SLOTS = 1 << 10


class Digests:
    """Names that were added; it cannot list them, and none is ever taken out."""

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * _SLOTS))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, name: str) -> bool:
        digest = _digest(name)
        return self._slots[self._slot(digest)] == digest

    def add(self, name: str) -> bool:
        """Add a name; says whether it is new."""
        digest = _digest(name)
        slot = self._slot(digest)
        if self._slots[slot] == digest:
            return False
        self._slots[slot] = digest
        self._count += 1
        if self._count * 3 > len(self._slots) * 2:
            self._double()
        return True

    def _slot(self, digest: int) -> int:
        """Where the digest stands, or else the free slot where it belongs."""
        slots, last = self._slots, len(self._slots) - 1
        slot = digest & last
        while slots[slot] not in (0, digest):
            slot = (slot + 1) & last
        return slot

    def _double(self) -> None:
        old = self._slots
        self._slots = array("Q", bytes(16 * len(old)))
        for digest in old:
            if digest:
                self._slots[self._slot(digest)] = digest


def _digest(name: str) -> int:
    """64 bits of the name's hash; never 0, which marks a free slot."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest()) or 1
