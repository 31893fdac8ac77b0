"""Staying within a vendor's limits: its own headers first, our count where it says nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import BoundedSemaphore, Lock
from typing import Literal

import msgspec

from syncjob.clock import Clock
from syncjob.errors import Throttled
from syncjob.transport.ports import BudgetStore, Spent
from syncjob.transport.wire import Answer

#: A run never sleeps longer for one request (DESIGN 3).
WAIT_S_MAX = 60.0
#: Counts reach the store each so many calls: a crash forgets at most these of 1,000 a day.
FLUSH_CALLS = 20
#: A vendor's day begins anew at an hour it does not tell (facts: xero, 1), so a used-up day is
#: asked about again with one call an hour.
PROBE_S = 3600.0
#: Under this name the store keeps a long pause that the vendor asked for, so that a cron job does
#: not ask again in each run; it is kept for a day and obeyed for an hour.
PAUSE = "pause"
PAUSE_KEPT_S = 86400.0
_RECALLED = (
    "The vendor told an earlier run to wait; once an hour one run asks whether that is over."
)


#: Is told until when a wait lasts, and with None that it is over.
Waits = Callable[[datetime | None], None]


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
    headroom, and when to ask again once that is not enough."""

    name: str
    counts: Literal["calls", "cost"]
    allowed: int
    left: int
    again: datetime


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
        self._counters: list[_Short | _Long] = [
            _Long(window, rules.headroom(window), clock, key, store)
            if window.long
            else _Short(window, rules.headroom(window), clock)
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
        with self._lock:
            if self._in_flight:
                self._in_flight.popleft()  # the oldest, nearly always this one
            if answer is not None:
                for counter in self._counters:
                    counter.learn(answer.headers, sum(self._in_flight), len(self._in_flight))
        self._turns.release()

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
            return [one.allowance() for one in self._counters if isinstance(one, _Long)]

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

    def _take(self, cost: int) -> None:
        for counter in self._counters:
            counter.take(cost if counter.window.counts == "cost" else 1)
        self._in_flight.append(cost)


class _Short:
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
        left = _number(headers.get(self.window.remaining_header))
        if left is None:
            return
        reset_s = _number(headers.get(self.window.reset_header))
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


class _Long:
    """A window longer than a minute: shared with other processes, never waited for here."""

    def __init__(
        self, window: Window, headroom: int, clock: Clock, key: str, store: BudgetStore | None
    ) -> None:
        self.window, self._headroom, self._clock = window, headroom, clock
        self._key, self._store = key, store
        self._pending = 0  # taken, not stored yet
        self._calls = 0
        self._since = 0  # taken since the vendor said what is left
        self._noted = True
        self._spent: Spent | None = None

    def wait_s(self, amount: int) -> float:
        """0 if `amount` fits; else when to ask again: never short enough to sleep."""
        now = self._clock.now()
        left, again = self._left(now)
        if left >= amount or now >= again:
            return 0.0
        return max((again - now).total_seconds(), WAIT_S_MAX + 1)

    def allowance(self) -> Allowance:
        left, again = self._left(self._clock.now())
        window = self.window
        return Allowance(
            name=window.name, counts=window.counts, allowed=window.allowed, left=left, again=again
        )

    def _left(self, now: datetime) -> tuple[int, datetime]:
        """What is left beyond the headroom, and when to ask again if that is not enough."""
        spent = self._known(now)
        if spent.remaining is None or spent.seen_at is None:
            ends = spent.started_at + timedelta(seconds=self.window.seconds)
            return self.window.allowed - spent.used - self._pending - self._headroom, ends
        again = spent.seen_at + timedelta(seconds=PROBE_S)
        return spent.remaining - self._since - self._headroom, again

    def take(self, amount: int) -> None:
        self._pending += amount
        self._since += amount
        self._calls += 1
        if self._calls >= FLUSH_CALLS:
            self.flush()

    def learn(self, headers: dict[str, str], cost_in_flight: int, calls_in_flight: int) -> None:
        left = _number(headers.get(self.window.remaining_header))
        if left is None:
            return
        now = self._clock.now()
        self._spent = msgspec.structs.replace(self._known(now), remaining=left, seen_at=now)
        self._since = cost_in_flight if self.window.counts == "cost" else calls_in_flight
        self._noted = False

    def flush(self) -> None:
        """Store what was taken and seen, and read what the others took."""
        if not self._pending and self._noted:
            return
        now = self._clock.now()
        seen = self._known(now)
        self._spent = self._exchange(self._pending, now)
        if not self._noted and seen.remaining is not None:
            if self._store:
                self._store.note(self._key, self.window.name, seen.remaining, now)
            self._spent = msgspec.structs.replace(
                self._spent, remaining=seen.remaining, seen_at=seen.seen_at
            )
        self._pending = self._calls = 0
        self._noted = True

    def _known(self, now: datetime) -> Spent:
        """What is known of the window that lasts now; one that is over is forgotten."""
        spent = self._spent
        if spent is None:
            spent = self._exchange(0, now)
        elif now >= spent.started_at + timedelta(seconds=self.window.seconds):
            self._pending = 0  # taken in the window that is over
            spent = self._exchange(0, now)
        self._spent = spent
        return spent

    def _exchange(self, amount: int, now: datetime) -> Spent:
        if self._store:
            return self._store.spend(self._key, self.window.name, self.window.seconds, amount, now)
        old = self._spent
        if old is None or now >= old.started_at + timedelta(seconds=self.window.seconds):
            return Spent(used=amount, started_at=now)
        return msgspec.structs.replace(old, used=old.used + amount)


def _unseen(until: datetime | None) -> None:
    """A wait that nobody looks at."""


def _number(text: str | None) -> int | None:
    """A header's number; None if it is none (a fraction counts as its whole part)."""
    try:
        return None if text is None else int(text.strip().partition(".")[0])
    except ValueError:
        return None


def no_limits(clock: Clock) -> Limits:
    """A gate that counts nothing and closes only when the vendor says so, for tests."""
    return Limits(LimitRules(concurrency=1000), clock=clock)
