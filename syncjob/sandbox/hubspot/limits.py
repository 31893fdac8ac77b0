"""Rate limits: ten seconds an app, searches a second and a day's calls for the account."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from syncjob.sandbox.hubspot.options import (
    ASSOCIATIONS_DAY,
    ASSOCIATIONS_TEN_SECONDS,
    OAUTH_TEN_SECONDS,
    Options,
)
from syncjob.sandbox.hubspot.wire import Refusal
from syncjob.sandbox.kernel import Clock, Pairs

TEN_S, ONE_S = 10.0, 1.0


@dataclass
class Limits:
    """What has been used up. The day is the account's own, by the sandbox clock."""

    options: Options
    clock: Clock
    day: str = ""
    used: int = 0
    association_calls: int = 0
    windows: dict[str, deque[float]] = field(default_factory=dict)

    def admit(self, app: str, oauth: bool, what: str) -> Pairs:
        """Counts a call, or refuses it; returns the headers of its answer.

        `what`: search, associations or other. Searches have a limit of their own and no headers.
        """
        if not self.options.limits:
            return () if what == "search" else self._headers(oauth, self._most(oauth), 0)
        self._new_day()
        if self.used >= self.options.day_limit:
            raise self._refused("DAILY", "daily", self._headers(oauth, self._most(oauth), 0))
        if what == "search":
            self._take("search", self.options.searches_a_second, ONE_S, "SECONDLY", ())
            self.used += 1
            return ()
        most = self._most(oauth)
        if what == "associations":
            self._associations(app)
        window = self._window(app, TEN_S)
        if len(window) >= most:
            headers = self._headers(oauth, most, len(window))
            raise self._refused("TEN_SECONDLY_ROLLING", "ten_secondly_rolling", headers)
        window.append(self._tick())
        self.used += 1
        return self._headers(oauth, most, len(window))

    def _associations(self, app: str) -> None:
        if self.association_calls >= ASSOCIATIONS_DAY:
            raise self._refused("DAILY", "daily", ())
        most = ASSOCIATIONS_TEN_SECONDS[self.options.plan]
        policy = "TEN_SECONDLY_ROLLING"
        self._take(f"{app}/associations", most, TEN_S, policy, ())
        self.association_calls += 1

    def _take(self, key: str, most: int, span: float, policy: str, headers: Pairs) -> None:
        window = self._window(key, span)
        if len(window) >= most:
            raise self._refused(policy, policy.lower(), headers)
        window.append(self._tick())

    def _window(self, key: str, span: float) -> deque[float]:
        window, now = self.windows.setdefault(key, deque()), self._tick()
        while window and window[0] <= now - span:
            window.popleft()
        return window

    def _most(self, oauth: bool) -> int:
        if self.options.ten_seconds is not None:
            return self.options.ten_seconds
        return OAUTH_TEN_SECONDS if oauth else self.options.ten_second_limit

    def _headers(self, oauth: bool, most: int, used: int) -> Pairs:
        """The day's headers are not sent to OAuth apps (facts: hubspot, 5f)."""
        made: Pairs = (
            ("X-HubSpot-RateLimit-Max", str(most)),
            ("X-HubSpot-RateLimit-Remaining", str(max(0, most - used))),
            ("X-HubSpot-RateLimit-Interval-Milliseconds", "10000"),
        )
        if oauth:
            return made
        left = max(0, self.options.day_limit - self.used)
        return (
            ("X-HubSpot-RateLimit-Daily", str(self.options.day_limit)),
            ("X-HubSpot-RateLimit-Daily-Remaining", str(left)),
            *made,
        )

    def _refused(self, policy: str, words: str, headers: Pairs) -> Refusal:
        return too_many(policy, words, headers)

    def _tick(self) -> float:
        if self.options.bursts_in_real_time:
            return time.monotonic()
        return self.clock.now().timestamp()

    def _new_day(self) -> None:
        today = self.today()
        if today != self.day:
            self.day, self.used, self.association_calls = today, 0, 0

    def today(self) -> str:
        """The account's calendar day."""
        return self.clock.now().astimezone(zone(self.options.timezone)).date().isoformat()

    def resets_at(self) -> datetime:
        """The next midnight of the account."""
        own = zone(self.options.timezone)
        local = self.clock.now().astimezone(own)
        midnight = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), own)
        return midnight.astimezone(UTC)


def zone(name: str) -> Any:
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # no time zone data on this machine
        return UTC


def too_many(policy: str, words: str, headers: Pairs = ()) -> Refusal:
    """A 429; `policyName` says which limit."""
    refusal = Refusal(
        429,
        f"You have reached your {words} limit.",
        "RATE_LIMITS",
        errorType="RATE_LIMIT",
        policyName=policy,
    )
    refusal.headers = headers
    return refusal
