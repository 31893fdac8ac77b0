"""Staying within a vendor's limits: its own headers first, our count where it says nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from syncjob.clock import Clock
from syncjob.transport.ports import BudgetStore
from syncjob.transport.wire import Answer


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """One limit as a connector states it: so much in so many seconds.

    `counts` says what is counted: requests, or what the vendor charges for them (Request.cost).
    `remaining_header` (lower case) tells what is left; `reset_header` tells the seconds until the
    window begins anew. Windows longer than a minute never make a worker sleep.
    """

    name: str
    seconds: float
    allowed: int
    counts: Literal["calls", "cost"] = "calls"
    remaining_header: str = ""
    reset_header: str = ""


class LimitRules(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor's limits as data. `headroom_percent` of each window is left for others."""

    windows: tuple[Window, ...] = ()
    concurrency: int = 5
    headroom_percent: int = 10


class Limits:
    """The gate before each request of one app and tenant; threads share it."""

    def __init__(
        self,
        rules: LimitRules,
        *,
        clock: Clock,
        key: str = "",
        store: BudgetStore | None = None,
    ) -> None: ...

    def before(self, cost: int = 1, wait_max_s: float = 60.0) -> float:
        """Take a turn, waiting for it where a short window is full; returns the seconds waited.

        Every `before` that returns is followed by one `after`. Raises Throttled (with
        `resume_at`) if the wait would be longer, or a long window is used up.
        """
        raise NotImplementedError

    def after(self, answer: Answer | None) -> None:
        """Give the turn back and learn from the answer's headers; None if there was no answer."""

    def block(self, until: datetime, why: str) -> None:
        """The vendor said to wait: nothing leaves before `until`."""

    def close(self) -> None:
        """Store counts not stored yet."""


def no_limits(clock: Clock) -> Limits:
    """A gate that is always open, for tests and the sandbox."""
    return Limits(LimitRules(concurrency=1000), clock=clock)
