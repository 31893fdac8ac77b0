"""Staying within a vendor's limits: its own headers first, our count where it says nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import BoundedSemaphore, Lock

from syncjob.clock import Clock
from syncjob.errors import Throttled
from syncjob.transport.days import FLUSH_CALLS as FLUSH_CALLS
from syncjob.transport.days import PROBE_S, LongWindow
from syncjob.transport.ports import BudgetStore
from syncjob.transport.windows import WAIT_S_MAX as WAIT_S_MAX
from syncjob.transport.windows import Allowance as Allowance
from syncjob.transport.windows import LimitRules as LimitRules
from syncjob.transport.windows import ShortWindow, number
from syncjob.transport.windows import Window as Window
from syncjob.transport.wire import Answer

#: Under this name the store keeps a long pause that the vendor asked for, so that a cron job does
#: not ask again in each run; it is kept for a day and obeyed for an hour.
PAUSE = "pause"
PAUSE_KEPT_S = 86400.0
_RECALLED = (
    "The vendor told an earlier run to wait; once an hour one run asks whether that is over."
)

#: Is told until when a wait lasts, and with None that it is over.
Waits = Callable[[datetime | None], None]


class Limits:
    """The gate before each request of one app and tenant; threads share it."""

    def __init__(
        self,
        rules: LimitRules,
        *,
        clock: Clock,
        key: str = "",
        store: BudgetStore | None = None,
    ) -> None:
        self.rules, self._clock = rules, clock
        self._key, self._store, self._recalled = key, store, False
        self._turns = BoundedSemaphore(rules.concurrency)
        self._lock = Lock()
        self._in_flight: deque[int] = deque()
        self._blocked_until = -1.0
        self._blocked_why = ""
        self._counters: list[ShortWindow | LongWindow] = [
            LongWindow(window, rules.headroom(window), clock, key, store)
            if window.long
            else ShortWindow(window, rules.headroom(window), clock)
            for window in rules.windows
        ]

    def before(
        self, cost: int = 1, wait_max_s: float = WAIT_S_MAX, waiting: Waits | None = None
    ) -> float:
        """Take a turn, waiting for it where a short window is full; returns the seconds waited.

        `waiting` is told until when, and with None that it is over.

        Every `before` that returns is followed by one `after`. Raises Throttled (with
        `resume_at`) if the wait would be longer, or a long window is used up.
        """
        granted = False
        self._turns.acquire()
        try:
            waited = self._wait_for_room(cost, wait_max_s, waiting or _unseen)
            granted = True
        finally:
            if not granted:
                self._turns.release()
        return waited

    def after(self, answer: Answer | None) -> None:
        """Give the turn back and learn from the answer's headers; None if there was no answer."""
        self.after_all([answer])

    def after_all(self, answers: Sequence[Answer | None]) -> None:
        """Give back the turns of calls that were on the way at the same time. The vendor may have
        counted them in another order, so that of what they say is left the least holds."""
        told = [answer.headers for answer in answers if answer is not None]
        with self._lock:
            for _ in answers:
                if self._in_flight:
                    self._in_flight.popleft()  # the oldest, nearly always this one
            for counter in self._counters:
                counter.learn(
                    _least(told, counter.window), sum(self._in_flight), len(self._in_flight)
                )
        for _ in answers:
            self._turns.release()

    def room(self, cost: int, most: int) -> int:
        """How many requests of this cost fit now without a wait, at least 1, at most `most`."""
        with self._lock:
            if self._clock.monotonic() < self._blocked_until:
                return 1
            counts = range(min(most, self.rules.concurrency), 1, -1)
            return next((count for count in counts if self._fits(count, cost)), 1)

    def block(self, seconds: float, why: str) -> datetime:
        """The vendor said to wait: nothing leaves for so long. Returns the instant it ends."""
        now = self._clock.now()
        with self._lock:
            self._close_for(seconds, why)
            if self._store and seconds > WAIT_S_MAX:
                self._store.spend(self._key, PAUSE, PAUSE_KEPT_S, 0, now)
                self._store.note(self._key, PAUSE, int(min(seconds, PROBE_S)), now)
        return now + timedelta(seconds=seconds)

    def allowances(self) -> list[Allowance]:
        """What the windows that nobody waits for have left, for work that can wait till later."""
        with self._lock:
            return [one.allowance() for one in self._counters if isinstance(one, LongWindow)]

    def close(self) -> None:
        """Store counts not stored yet."""
        with self._lock:
            for counter in self._counters:
                counter.flush()

    def _close_for(self, seconds: float, why: str) -> None:
        until = self._clock.monotonic() + seconds
        if until > self._blocked_until:
            self._blocked_until, self._blocked_why = until, why

    def _recall_pause(self) -> None:
        """Obey, once at the start, a long pause that another run was told of."""
        if self._recalled or self._store is None:
            return
        self._recalled = True
        now = self._clock.now()
        told = self._store.spend(self._key, PAUSE, PAUSE_KEPT_S, 0, now)
        if told.remaining and told.seen_at:
            left_s = told.remaining - (now - told.seen_at).total_seconds()
            self._close_for(left_s, _RECALLED)

    def _wait_for_room(self, cost: int, wait_max_s: float, waiting: Waits) -> float:
        waited = 0.0
        while True:
            with self._lock:
                wait_s, why = self._wait_s(cost)
                if wait_s <= 0:
                    self._take(cost)
                    return waited
            if wait_s > wait_max_s - waited:
                raise Throttled(why, resume_at=self._clock.now() + timedelta(seconds=wait_s))
            waiting(self._clock.now() + timedelta(seconds=wait_s))
            self._clock.sleep(wait_s)
            waiting(None)
            waited += wait_s

    def _wait_s(self, cost: int) -> tuple[float, str]:
        """The longest wait that any window or the vendor's word asks for now, and why."""
        self._recall_pause()
        waits = [(self._blocked_until - self._clock.monotonic(), self._blocked_why)]
        for counter in self._counters:
            window = counter.window
            words = f"The {window.name} limit is used up, but for what others need."
            waits.append((counter.wait_s(cost if window.counts == "cost" else 1), words))
        return max(waits)

    def _fits(self, calls: int, cost: int) -> bool:
        """Whether so many fit in every window; asking for more than a day has left is for one."""
        for counter in self._counters:
            amount = calls * (cost if counter.window.counts == "cost" else 1)
            if counter.wait_s(amount) > 0:
                return False
            if isinstance(counter, LongWindow) and counter.allowance().left < amount:
                return False
        return True

    def _take(self, cost: int) -> None:
        for counter in self._counters:
            counter.take(cost if counter.window.counts == "cost" else 1)
        self._in_flight.append(cost)


def _least(told: Sequence[dict[str, str]], window: Window) -> dict[str, str]:
    """The headers that say that the least is left; none if none says so."""
    left = {n: number(headers.get(window.remaining_header)) for n, headers in enumerate(told)}
    least = min(((amount, n) for n, amount in left.items() if amount is not None), default=None)
    return told[least[1]] if least else {}


def _unseen(until: datetime | None) -> None:
    """A wait that nobody looks at."""


def no_limits(clock: Clock) -> Limits:
    """A gate that counts nothing and closes only when the vendor says so, for tests."""
    return Limits(LimitRules(concurrency=1000), clock=clock)
