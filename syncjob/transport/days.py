"""A vendor's day: how much of it is used, by whom we know of, and when it begins anew.

It is shared with other processes through the store and never waited for within a batch. Two things
bound us: what the vendor's header says is left, less the headroom, and our own cap, which is what
the config says is allowed, less the headroom. Where no header tells, our own count of the last 24
hours does, so that the cap holds at whatever hour the vendor's day begins.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from syncjob.clock import Clock
from syncjob.transport.ports import BudgetStore, Span, Spent
from syncjob.transport.windows import WAIT_S_MAX, Allowance, Window, number

#: Counts reach the store each so many calls: a crash forgets at most these of 1,000 a day.
FLUSH_CALLS = 20
#: A vendor's day begins anew at an hour that it does not tell (facts: xero, 1): until that was
#: seen once, a used-up day is asked about again with one call an hour, out of the headroom.
PROBE_S = 3600.0
#: Not every answer tells what is left of the day (Xero's list of connections does not, nor do
#: HubSpot's searches and associations, with which a batch begins; facts: hubspot, 5f): so many
#: calls ask, one after the other, until one does.
PROBE_CALLS_MAX = 20
#: Answers to calls that were under way together may come in another order, so that a header shows
#: a few more than the one before; a new day shows many more.
NEW_DAY_MIN = 10
#: The vendor's clock and ours may differ by so much.
SKEW = timedelta(seconds=60)
HOUR = timedelta(hours=1)


class MemoryBudgets:
    """A BudgetStore that nobody else reads and that ends with its process."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Spent] = {}

    def spend(self, key: str, window: str, seconds: float, amount: int, now: datetime) -> Spent:
        """As BudgetStore.spend."""
        length = timedelta(seconds=seconds)
        known = self._known.get((key, window), Spent(used=0, started_at=now))
        if now - known.started_at >= length:
            known = msgspec.structs.replace(known, used=0, started_at=now)
            if known.seen_at is not None and now - known.seen_at >= length:
                known = msgspec.structs.replace(known, remaining=None, seen_at=None)
        spans = [span for span in known.spans if span.last_at > now - length]
        if amount:
            spans = added(spans, amount, now)
        known = msgspec.structs.replace(known, used=known.used + amount, spans=tuple(spans))
        self._known[key, window] = known
        return known

    def note(
        self, key: str, window: str, remaining: int, now: datetime, reset: datetime | None = None
    ) -> None:
        """As BudgetStore.note."""
        known = self._known.get((key, window), Spent(used=0, started_at=now))
        self._known[key, window] = msgspec.structs.replace(
            known, remaining=remaining, seen_at=now, reset_at=reset or known.reset_at
        )


def added(spans: list[Span], amount: int, now: datetime) -> list[Span]:
    """The spans with this amount in the span of the present hour."""
    if spans and now - spans[-1].began_at < HOUR:
        last = spans[-1]
        return [*spans[:-1], Span(began_at=last.began_at, last_at=now, used=last.used + amount)]
    return [*spans, Span(began_at=now, last_at=now, used=amount)]


class LongWindow:
    """One window longer than a minute."""

    def __init__(
        self, window: Window, headroom: int, clock: Clock, key: str, store: BudgetStore | None
    ) -> None:
        self.window, self._headroom, self._clock = window, headroom, clock
        self._key, self._store = key, store or MemoryBudgets()
        self._length = timedelta(seconds=window.seconds)
        self._pending = 0  # taken, not stored yet
        self._calls = 0
        self._since = 0  # taken since the vendor said what is left
        self._noted = True
        self._asked: datetime | None = None  # the last call beyond what is left
        self._untold = 0  # calls beyond what is left whose answers told nothing
        self._reset: datetime | None = None  # seen, not stored yet
        self._spent: Spent | None = None

    @property
    def cap(self) -> int:
        """What we may use of it."""
        return self.window.allowed - self._headroom

    def wait_s(self, amount: int) -> float:
        """0 if `amount` fits; else when to ask again: never short enough to sleep."""
        now = self._clock.now()
        if self._left(now) >= amount:
            return 0.0
        self.flush()  # who is refused is told when, by the hour in which each was used
        again = self._again(now, amount)
        if self._asked is not None and not 0 < self._untold < PROBE_CALLS_MAX:
            again = max(again, self._asked + timedelta(seconds=PROBE_S))
        if now >= again:
            return 0.0
        return max((again - now).total_seconds(), WAIT_S_MAX + 1)

    def allowance(self) -> Allowance:
        """How it stands now."""
        now, window = self._clock.now(), self.window
        left, spent, remaining = self._left(now), self._own(now, whole=True), self._told(now)
        gone = spent if remaining is None else max(0, window.allowed - remaining)
        resets, seen = self._resets(now)
        return Allowance(
            name=window.name, counts=window.counts, allowed=window.allowed, left=left,
            again=self._again(now, 1), cap=self.cap, used=gone, spent=spent, resets_at=resets,
            reset_seen=seen, sliding=remaining is None,
            frees=self._frees(now) if remaining is None else (), told_at=self._known(now).seen_at,
        )  # fmt: skip

    def take(self, amount: int) -> None:
        """Count what is about to be used."""
        now = self._clock.now()
        if self._left(now) < amount:
            self._asked, self._untold = now, self._untold % PROBE_CALLS_MAX + 1
        self._pending += amount
        self._since += amount
        self._calls += 1
        if self._calls >= FLUSH_CALLS:
            self.flush()

    def learn(self, headers: dict[str, str], cost_in_flight: int, calls_in_flight: int) -> None:
        """What the vendor says is left, and whether a new day has begun since it last did."""
        left = number(headers.get(self.window.remaining_header))
        if left is None:
            return
        self._untold = 0
        now = self._clock.now()
        known = self._known(now)
        if known.remaining is not None and left >= known.remaining + NEW_DAY_MIN:
            self._reset = self._seen_between(known, now)
        self._spent = msgspec.structs.replace(
            known, remaining=left, seen_at=now, reset_at=self._reset or known.reset_at
        )
        self._since = cost_in_flight if self.window.counts == "cost" else calls_in_flight
        self._noted = False

    def flush(self) -> None:
        """Store what was taken and seen, and read what the others took."""
        if not self._pending and self._noted:
            return
        now = self._clock.now()
        seen = self._known(now)
        self._spent = self._store.spend(
            self._key, self.window.name, self.window.seconds, self._pending, now
        )
        if not self._noted and seen.remaining is not None:
            self._store.note(self._key, self.window.name, seen.remaining, now, self._reset)
            self._spent = _with_word_of(self._spent, seen)
        self._pending = self._calls = 0
        self._noted, self._reset = True, None

    # --- what is left ---------------------------------------------------------------------------

    def _left(self, now: datetime) -> int:
        """What is left for us: by the vendor's word and by our own cap, whichever is less."""
        ours = self.cap - self._own(now)
        told = self._told(now)
        return ours if told is None else min(ours, told - self._headroom)

    def _told(self, now: datetime) -> int | None:
        """What the vendor said is left, less what was taken since; None if it says nothing that
        still counts. After a reset it is all there, as far as we know."""
        known = self._known(now)
        if known.remaining is None or known.seen_at is None:
            return None
        if now - known.seen_at >= self._length:
            return None
        reset = self._next_reset(known, known.seen_at)
        if reset is not None and now >= reset + SKEW:
            return self.window.allowed - self._since
        return known.remaining - self._since

    def _own(self, now: datetime, *, whole: bool = False) -> int:
        """What we used since the last reset that is known of, else (and where the `whole` is
        asked for) within one length of the window."""
        known = self._known(now)
        begins = now - self._length
        reset = None if whole else self._last_reset(known, now)
        if reset is not None:
            begins = max(begins, reset)
        return self._pending + sum(span.used for span in known.spans if span.last_at > begins)

    def _again(self, now: datetime, amount: int) -> datetime:
        """When to ask again, where `amount` does not fit now."""
        known = self._known(now)
        if known.remaining is None or known.seen_at is None:
            return self._free_at(now, amount)
        reset = self._next_reset(known, known.seen_at)
        if reset is not None:
            return reset + SKEW
        return known.seen_at + timedelta(seconds=PROBE_S)

    def _free_at(self, now: datetime, amount: int) -> datetime:
        """When so much of our own count is a whole length old that `amount` fits."""
        room = self.cap - self._own(now)
        for span in self._spans(now):
            if room >= amount:
                break
            room += span.used
            if room >= amount:
                return span.last_at + self._length
        return now + self._length

    def _resets(self, now: datetime) -> tuple[datetime, bool]:
        """When the window begins anew, and whether that hour was ever seen."""
        known = self._known(now)
        if known.remaining is not None:
            reset = self._next_reset(known, now)
            return (known.started_at + self._length, False) if reset is None else (reset, True)
        half, total = 0, self._own(now)
        for span in self._spans(now):
            half += span.used
            if 2 * half >= total:
                return span.last_at + self._length, False
        return now + self._length, False

    def _frees(self, now: datetime) -> tuple[tuple[datetime, int], ...]:
        return tuple((span.last_at + self._length, span.used) for span in self._spans(now))

    def _spans(self, now: datetime) -> Iterable[Span]:
        """What of our own count still counts, with what is not stored yet as of now."""
        spans = [s for s in self._known(now).spans if s.last_at > now - self._length]
        return added(spans, self._pending, now) if self._pending else spans

    # --- resets -----------------------------------------------------------------------------------

    def _next_reset(self, known: Spent, after: datetime) -> datetime | None:
        """The first reset after this instant, by one that was seen: each is one length later."""
        if known.reset_at is None:
            return None
        times = math.floor((after - known.reset_at) / self._length) + 1
        return known.reset_at + times * self._length

    def _last_reset(self, known: Spent, now: datetime) -> datetime | None:
        following = self._next_reset(known, now)
        return None if following is None else following - self._length

    def _seen_between(self, known: Spent, now: datetime) -> datetime:
        """A reset has happened since the vendor last told: at the hour known before if that is
        between, else now at the latest."""
        if known.seen_at is not None:
            before = self._next_reset(known, known.seen_at)
            if before is not None and before <= now:
                return before
        return now

    def _known(self, now: datetime) -> Spent:
        """What is known of the window that lasts now."""
        spent = self._spent
        if spent is None or now >= spent.started_at + self._length:
            told = spent
            spent = self._store.spend(
                self._key, self.window.name, self.window.seconds, self._pending, now
            )
            self._pending = 0
            if told is not None and not self._noted:
                spent = _with_word_of(spent, told)
        self._spent = spent
        return spent


def _with_word_of(spent: Spent, told: Spent) -> Spent:
    """The same with what the vendor said to us, which is newer than what is stored."""
    return msgspec.structs.replace(
        spent, remaining=told.remaining, seen_at=told.seen_at, reset_at=told.reset_at
    )
