"""Rate limits: a day's tokens for the company, calls in two seconds, and the door that shuts."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from syncjob.sandbox.kernel import Clock, Pairs
from syncjob.sandbox.pipedrive.options import Options
from syncjob.sandbox.pipedrive.wire import HtmlRefusal, Refusal

WINDOW_S = 2.0
_LIMIT_TEXT = "request over limit"


@dataclass
class Limits:
    """What has been used up. The day follows the sandbox clock, in UTC."""

    options: Options
    clock: Clock
    day: str = ""
    tokens_used: int = 0
    writes_today: int = 0
    windows: dict[str, deque[float]] = field(default_factory=dict)
    refused_in_a_row: int = 0
    shut_until: float = 0.0

    def admit(self, token: str, oauth: bool, cost: int, search: bool) -> Pairs:
        """Counts a call, or refuses it; returns the headers of its answer."""
        limit = self.options.burst(search, oauth)
        if not self.options.limits:
            return rate_headers(limit, limit, int(WINDOW_S))
        now = self._tick()
        if now < self.shut_until:
            raise HtmlRefusal(403, "You are being rate limited")
        self._new_day()
        window = self._window(f"{token}{'/search' if search else ''}", now)
        if len(window) >= limit:
            self._refuse(now, oauth, limit, 0, self._reset(window, now))
        if self.tokens_used + cost > self.options.day_budget:
            self._refuse(now, oauth, limit, limit - len(window), self._reset(window, now))
        window.append(now)
        self.tokens_used += cost
        self.refused_in_a_row = 0
        return rate_headers(limit, limit - len(window), self._reset(window, now))

    def writes_left(self) -> str:
        """x-daily-requests-left: a count of writes, not of tokens."""
        self.writes_today += 1
        return str(max(0, 10_000 * self.options.seats - self.writes_today))

    def _refuse(self, now: float, oauth: bool, limit: int, left: int, reset: int) -> None:
        self.refused_in_a_row += 1
        if self.refused_in_a_row > self.options.ban_after and not oauth:
            self.refused_in_a_row = 0
            self.shut_until = now + self.options.ban_seconds
            raise HtmlRefusal(403, "You are being rate limited")
        raise TooMany(_LIMIT_TEXT, rate_headers(limit, left, reset))

    def _window(self, key: str, now: float) -> deque[float]:
        window = self.windows.setdefault(key, deque())
        while window and window[0] <= now - WINDOW_S:
            window.popleft()
        return window

    def _reset(self, window: deque[float], now: float) -> int:
        return max(1, round(window[0] + WINDOW_S - now)) if window else int(WINDOW_S)

    def _tick(self) -> float:
        if self.options.bursts_in_real_time:
            return time.monotonic()
        return self.clock.now().timestamp()

    def _new_day(self) -> None:
        today = _day(self.clock.now)
        if today != self.day:
            self.day, self.tokens_used, self.writes_today = today, 0, 0


class TooMany(Refusal):
    """A 429; only its headers tell the burst from the day."""

    def __init__(self, error: str, sent: Pairs) -> None:
        super().__init__(429, error, errorCode=429)
        self.headers = sent


def rate_headers(limit: int, left: int, reset: int) -> Pairs:
    return (
        ("x-ratelimit-limit", str(limit)),
        ("x-ratelimit-remaining", str(left)),
        ("x-ratelimit-reset", str(reset)),
    )


def _day(now: Callable[[], datetime]) -> str:
    return now().date().isoformat()
