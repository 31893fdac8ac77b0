"""A vendor's limits as data, and one window that is counted in memory.

Windows of at most a minute slide and are waited for; longer ones are in transport/days.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import Literal

import msgspec

from syncjob.clock import Clock

#: A run never sleeps longer for one request (DESIGN 3).
WAIT_S_MAX = 60.0


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """One limit as a connector states it: so much in so many seconds.

    `counts` says what is counted: requests, or what the vendor charges for them (Request.cost).
    `remaining_header` (lower case) tells what is left; `reset_header` tells the seconds until the
    window begins anew. Windows longer than a minute never make a worker sleep. Where a plan sets
    `allowed`, state the smallest: once the vendor's header is seen, it rules. `headroom_percent`,
    if given, outranks that of the rules.
    """

    name: str
    seconds: float
    allowed: int
    counts: Literal["calls", "cost"] = "calls"
    remaining_header: str = ""
    reset_header: str = ""
    headroom_percent: int | None = None

    @property
    def long(self) -> bool:
        """Whether it is too long to wait for."""
        return self.seconds > WAIT_S_MAX


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """A long window as it stands: how much it allows, how much of that is left for us beyond the
    headroom, and when to ask again once that is not enough.

    `cap` is what it allows less the headroom, `used` what of the whole is gone by whomever, as far
    as that is known, `spent` what we used within its length from now. It begins anew at
    `resets_at`, at the latest unless `reset_seen`; a `sliding` one never does: each call is free
    again one length later, `resets_at` is when half of them are, and `frees` is how much then.
    `told_at` is when the vendor last said what is left; None where it never did.
    """

    name: str
    counts: Literal["calls", "cost"]
    allowed: int
    left: int
    again: datetime
    cap: int
    used: int
    spent: int
    resets_at: datetime
    reset_seen: bool = False
    sliding: bool = False
    frees: tuple[tuple[datetime, int], ...] = ()
    told_at: datetime | None = None


class LimitRules(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor's limits as data. `headroom_percent` of each window is left for others.

    `policies`: where a 429 names its limit in the body, as JSON, the name as it stands there
    (without regard to case) -> the seconds until that limit is open again. `try_later` are the
    statuses below 500 that pass by themselves (a record under lock).
    """

    windows: tuple[Window, ...] = ()
    concurrency: int = 5
    headroom_percent: int = 10
    policies: dict[str, float] = {}
    try_later: frozenset[int] = frozenset()

    def headroom(self, window: Window) -> int:
        """How much of a window is never used by us; rounded down, so tiny windows keep none."""
        own = window.headroom_percent
        return window.allowed * (self.headroom_percent if own is None else own) // 100


class ShortWindow:
    """A window of at most a minute: counted in memory as a sliding window."""

    def __init__(self, window: Window, headroom: int, clock: Clock) -> None:
        self.window, self._headroom, self._clock = window, headroom, clock
        self._taken: deque[tuple[float, int]] = deque()
        self._left: int | None = None  # what the vendor said is left, less what we took since
        self._left_until = 0.0

    def wait_s(self, amount: int) -> float:
        """Seconds until `amount` fits; 0 if it does now."""
        now = self._clock.monotonic()
        if self._left is not None and now < self._left_until:
            enough = self._left - self._headroom >= amount
            return 0.0 if enough else self._left_until - now
        return self._own_wait_s(amount, now)

    def take(self, amount: int) -> None:
        self._taken.append((self._clock.monotonic(), amount))
        if self._left is not None:
            self._left -= amount

    def learn(self, headers: dict[str, str], cost_in_flight: int, calls_in_flight: int) -> None:
        """The vendor's count outranks ours for as long as its window can last."""
        left = number(headers.get(self.window.remaining_header))
        if left is None:
            return
        reset_s = number(headers.get(self.window.reset_header))
        lasts_s = self.window.seconds if reset_s is None else min(reset_s, self.window.seconds)
        self._left_until = self._clock.monotonic() + lasts_s
        self._left = left - (cost_in_flight if self.window.counts == "cost" else calls_in_flight)

    def flush(self) -> None:
        """Nothing to store: it is over in a minute."""

    def _own_wait_s(self, amount: int, now: float) -> float:
        while self._taken and self._taken[0][0] <= now - self.window.seconds:
            self._taken.popleft()
        room = self.window.allowed - self._headroom - sum(taken for _, taken in self._taken)
        for at, taken in self._taken:
            if room >= amount:
                break
            room += taken
            if room >= amount or (at, taken) == self._taken[-1]:
                return at + self.window.seconds - now
        return 0.0


def number(text: str | None) -> int | None:
    """A header's number; None if it is none (a fraction counts as its whole part)."""
    try:
        return None if text is None else int(text.strip().partition(".")[0])
    except ValueError:
        return None
