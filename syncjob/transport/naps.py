"""What one request may still wait, and that each wait is said to whoever looks on."""

from __future__ import annotations

from datetime import timedelta

from syncjob.clock import Clock
from syncjob.core.reports import Waiting
from syncjob.transport.limits import WAIT_S_MAX


class Naps:
    """The waits of one request, for limits and between attempts together."""

    def __init__(self, clock: Clock, waiting: Waiting) -> None:
        self._clock, self._waiting, self.left_s = clock, waiting, WAIT_S_MAX

    def sleep(self, seconds: float, what: str) -> None:
        """Wait; `what` is waited for, as it is said."""
        self._waiting(what, self._clock.now() + timedelta(seconds=seconds))
        self._clock.sleep(seconds)
        self._waiting(what, None)
        self.left_s -= seconds
